// Why questions were dropped, refused or answered with an error, and connections closed: each for one
// reason.  Groups, which are drawn, and the metrics of each with what a reader calls them.

const ERROR = "error-answers-";

export const GROUPS = [
	{ label: "not allowed", colour: "violet", reasons: {
		"unauthorized-udp": "allow-from",
		"unauthorized-tcp": "allow-from, TCP",
		"unauthorized-tcp-queries": "allow-from, open TCP",
		"source-disallowed-notify": "NOTIFY, its sender",
		"zone-disallowed-notify": "NOTIFY, its zone",
		[`${ERROR}no-rd`]: "recursion not desired",
		[`${ERROR}not-resolved`]: "class or type",
	} },
	{ label: "malformed", colour: "grey", reasons: {
		"client-parse-drops": "not to be read",
		"truncated-drops": "too long",
		"ignored-packets": "an answer, not a question",
		[`${ERROR}malformed`]: "FORMERR",
		[`${ERROR}no-question`]: "no question in it",
		[`${ERROR}opcode`]: "opcode",
		[`${ERROR}edns-version`]: "EDNS version",
	} },
	{ label: "over capacity", colour: "teal", reasons: {
		"over-capacity-drops": "max-mthreads",
		"notify-overflows": "too many NOTIFYs",
		"tcp-overflow": "max-tcp-clients",
		"tcp-client-overflow": "max-tcp-per-client",
		"tcp-no-resources": "TCP, no memory",
		[`${ERROR}fair-share`]: "fair share",
		[`${ERROR}max-chain-length`]: "max-chain-length",
		[`${ERROR}max-inflight-per-zone`]: "max-inflight-per-zone",
		[`${ERROR}max-inflight-per-server`]: "max-inflight-per-server",
		[`${ERROR}max-goals`]: "max-goals",
		[`${ERROR}stopping`]: "the daemon stops",
	} },
	{ label: "limits", colour: "green", reasons: {
		[`${ERROR}max-qperq`]: "max-qperq",
		[`${ERROR}max-total-msec`]: "max-total-msec",
		[`${ERROR}max-bytesperq`]: "max-bytesperq",
		[`${ERROR}max-cnames-followed`]: "max-cnames-followed",
		[`${ERROR}max-referrals`]: "referrals",
	} },
	{ label: "scripts", colour: "blue", reasons: {
		"policy-drops": "dropped",
		[`${ERROR}script`]: "a script's answer",
		[`${ERROR}script-followup`]: "followup",
		[`${ERROR}script-kill`]: "preoutquery",
	} },
	{ label: "defender", colour: "amber", reasons: {
		"defender-drops": "dropped",
		[`${ERROR}defender`]: "REFUSED",
	} },
	{ label: "servers", colour: "red", reasons: {
		[`${ERROR}no-server-answers`]: "none answers",
		[`${ERROR}cached-failure`]: "failed a moment ago",
		[`${ERROR}cached-answer`]: "the same, from the packet cache",
		[`${ERROR}bad-alias`]: "aliases that lead nowhere",
		[`${ERROR}network-down`]: "our network is down",
		[`${ERROR}no-resources`]: "nothing left to ask with",
		[`${ERROR}no-forward-group`]: "no such group of forwarders",
		[`${ERROR}other`]: "other",
	} },
];

const named = new Set(GROUPS.flatMap((g) => Object.keys(g.reasons)));

// Those of the daemon that are not in the table: they go with the last group's.
export const unnamed = (metrics) =>
	[...metrics].filter((name) => name.startsWith(ERROR) && !named.has(name));

// The totals that they add up to.
export const TOTALS = ["dropped-queries", "error-answers", "tcp-refused-connections"];
