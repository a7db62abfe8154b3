// Why questions are dropped or refused: the groups that are drawn, and the metrics of each, with
// what a reader calls them.

export const GROUPS = [
	{ key: "allowed", label: "not allowed", colour: "violet", reasons: {
		"unauthorized-udp": "UDP, allow-from",
		"unauthorized-tcp": "TCP, allow-from",
		"no-rd-refused": "recursion not desired",
		"source-disallowed-notify": "NOTIFY, sender",
		"zone-disallowed-notify": "NOTIFY, zone",
	} },
	{ key: "malformed", label: "malformed", colour: "grey", reasons: {
		"client-parse-errors": "not to be parsed",
		"empty-queries": "no question in it",
		"ignored-packets": "an answer, not a question",
		"notimp-queries": "opcode not served",
	} },
	{ key: "capacity", label: "over capacity", colour: "red", reasons: {
		"over-capacity-drops": "max-mthreads",
		"fair-share-refusals": "fair share",
		"chain-limits": "max-chain-length",
		"too-old-drops": "too old when read",
		"tcp-overflow": "max-tcp-clients",
		"tcp-client-overflow": "max-tcp-per-client",
		"notify-overflows": "too many NOTIFYs",
		"udp-recvbuf-errors": "kernel's buffer full",
		"udp6-recvbuf-errors": "kernel's buffer full, IPv6",
	} },
	{ key: "policy", label: "policy", colour: "blue", reasons: {
		"policy-drops": "a script's drop",
		"policy-kills": "preoutquery",
		"ratelimit-refusals": "a script's rate limit",
	} },
	{ key: "defender", label: "defender", colour: "amber", reasons: {
		"defender-domain-dropped": "domain, dropped",
		"defender-domain-refused": "domain, REFUSED",
		"defender-domain-nxdomain": "domain, NXDOMAIN",
		"defender-domain-truncated": "domain, truncated",
		"defender-zone-dropped": "zone, dropped",
		"defender-zone-refused": "zone, REFUSED",
		"defender-zone-nxdomain": "zone, NXDOMAIN",
		"defender-zone-truncated": "zone, truncated",
	} },
];
