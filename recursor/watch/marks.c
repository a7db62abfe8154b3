/* marks: see marks.h. */
#include "recursor/watch/marks.h"

#include <string.h>

#include "common/check.h"

#define MARK(limit, metric)                                                                        \
	{                                                                                          \
		limit, metric, NULL                                                                \
	}
#define NONE(limit, why)                                                                           \
	{                                                                                          \
		limit, NULL, why                                                                   \
	}

/* Why not, where it is so for several. */
#define AT_ONCE "the memory is taken at once, and full by design"
#define MINIMISING "each long name comes to it, and is asked for in fewer steps"
#define NOT_KEPT "what is larger is not kept, and refused to nobody"
#define OFFERED "a size that is offered: what is larger comes over TCP, and is counted"
#define OWN_FILES "of the operator's own zone files: beyond it they are refused, with the line"
#define RATE "a rate: what it holds back is counted"
#define LOOKED_AT "so many of what a zone has are looked at: more is not, and counted"
#define SHAPE "how the work is cut: nothing grows against it"
#define THRESHOLD "a threshold: what is beyond it is treated otherwise, and counted"

const struct mark marks[] = {
	/* Of settings. */
	MARK("aggressive-nsec-cache-size", "aggressive-nsec-cache-entries-peak"),
	MARK("dnstap-queue-size", "dnstap-queue-peak"),
	MARK("flight-recorder-memory", "flight-recorder-bytes-peak"),
	MARK("ipset-max-entries", "ipset-entries-peak"),
	MARK("ipset-max-sets", "ipset-sets-peak"),
	MARK("lua-hook-instructions", "lua-hook-instructions-peak"),
	MARK("lua-hook-memory", "lua-hook-bytes-peak"),
	MARK("lua-memory-limit", "lua-memory-peak"),
	MARK("lua-memory-limit", "lua-objects-bytes-peak"),
	MARK("max-background-resolutions", "background-resolutions-peak"),
	MARK("max-bytesperq", "query-bytes-peak"),
	MARK("max-cache-entries", "cache-entries-peak"),
	MARK("max-cache-memory", "cache-memory-peak"),
	MARK("max-chain-length", "max-chain-length"),
	MARK("max-cnames-followed", "query-cnames-peak"),
	MARK("max-concurrent-requests-per-tcp-connection", "tcp-client-inflight-peak"),
	MARK("max-goals", "max-concurrent-goals"),
	MARK("max-inflight-per-server", "inflight-server-peak"),
	MARK("max-inflight-per-zone", "inflight-zone-peak"),
	MARK("max-lua-udp-queries", "lua-udp-queries-peak"),
	MARK("max-mthreads", "concurrent-queries-peak"),
	MARK("max-mthreads", "client-queries-peak"),
	MARK("max-nsec3-hash-computations-per-query", "query-nsec3-hashes-peak"),
	MARK("max-ns-address-qperq", "query-server-address-peak"),
	MARK("max-ns-per-resolve", "delegation-names-peak"),
	MARK("max-packetcache-entries", "packetcache-entries-peak"),
	MARK("max-qperq", "query-outqueries-peak"),
	MARK("max-recursion-depth", "query-depth-peak"),
	MARK("max-rrset-size", "rrset-size-peak"),
	MARK("max-signature-validations-per-query", "query-signature-validations-peak"),
	MARK("max-tcp-clients", "tcp-clients-peak"),
	MARK("max-tcp-per-client", "tcp-per-client-peak"),
	MARK("max-tcp-queries-per-connection", "tcp-client-queries-peak"),
	MARK("max-total-msec", "query-usec-peak"),
	MARK("tcp-out-max-idle-per-thread", "idle-tcpout-connections-peak"),
	MARK("tcp-out-max-idle-per-auth", "idle-tcpout-per-server-peak"),
	MARK("tcp-out-max-queries", "tcpout-questions-peak"),
	MARK("webserver-max-connections", "webserver-connections-peak"),
	MARK("webserver-max-connections-per-client", "webserver-connections-per-client-peak"),
	MARK("webserver-max-request-size", "webserver-request-size-peak"),

	/* Of what cannot be set. */
	MARK("accusations of the defender", "defender-accused-peak"),
	MARK("scripts in threads of their own", "lua-threads-peak"),
	MARK("rules of log-queries", "query-log-rules-peak"),
	MARK("lines of the query log that wait", "query-log-queue-peak"),
	MARK("followups of a query", "lua-followups-peak"),
	MARK("questions that wait on one, times the bytes of its answer", "max-chain-weight"),
	MARK("bytes that a TCP client has not read", "tcp-unread-peak"),
	MARK("bytes that all TCP clients have not read", "tcp-unread-all-peak"),
	MARK("TCP queries taken in one turn", "tcp-turn-peak"),
	MARK("time that a command may hold a worker", "control-visit-max-usec"),

	/* Settings that are numbers, and nothing that anything grows against. */
	NONE("aggressive-cache-max-nsec3-hash-cost", THRESHOLD),
	NONE("aggressive-cache-max-validations", RATE),
	NONE("aggressive-cache-min-nsec3-hit-ratio", THRESHOLD),
	NONE("bypass-server-throttling-probability", "a probability"),
	NONE("defender-known-memory", AT_ONCE),
	NONE("defender-memory", AT_ONCE),
	NONE("edns-outgoing-bufsize", OFFERED),
	NONE("latency-statistic-size", SHAPE),
	NONE("log-rate", RATE),
	NONE("loglevel", "a choice"),
	NONE("max-dnskeys", LOOKED_AT),
	NONE("max-ds-lookups-per-record", LOOKED_AT),
	NONE("max-ds-per-zone", LOOKED_AT),
	NONE("max-generate-steps", OWN_FILES),
	NONE("max-include-depth", OWN_FILES),
	NONE("max-nsec3s-per-record", LOOKED_AT),
	NONE("max-packetcache-entry-size", NOT_KEPT),
	NONE("max-recordcache-entry-size", NOT_KEPT),
	NONE("max-rrsigs-per-record", LOOKED_AT),
	NONE("max-udp-queries-per-round", SHAPE),
	NONE("network-down-servers", THRESHOLD),
	NONE("non-resolving-ns-max-fails", THRESHOLD),
	NONE("nsec3-max-iterations", THRESHOLD),
	NONE("qname-max-minimize-count", MINIMISING),
	NONE("qname-minimize-one-label", MINIMISING),
	NONE("query-log-rate", RATE),
	NONE("record-cache-shards", SHAPE),
	NONE("serve-stale-extensions", "a time"),
	NONE("server-down-max-fails", THRESHOLD),
	NONE("spoof-nearmiss-max", THRESHOLD),
	NONE("stats-ringbuffer-entries", AT_ONCE),
	NONE("threads", SHAPE),
	NONE("top-cost-entries", AT_ONCE),
	NONE("udp-truncation-threshold", OFFERED),
	NONE("webserver-max-header-size", "the library that reads the headers keeps it to itself"),
};
const size_t n_marks = ARRAY_LEN(marks);

const struct mark *mark_of(const char *setting, const struct mark *last)
{
	for (const struct mark *m = last == NULL ? marks : last + 1; m < marks + n_marks; m++)
		if (strcmp(m->limit, setting) == 0)
			return m;
	return NULL;
}
