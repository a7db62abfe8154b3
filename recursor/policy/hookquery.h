/*
 * hookquery: a query as the hooks of a script see it, without a word of Lua.
 *
 * The pipeline fills in who asked what, and what the resolver found; a hook that answers true (or,
 * in the classic interface, a number) leaves here what the client is to get.  What a hook changes
 * it changes in a draft, which counts only when the hook says so: hookquery_begin(), then
 * hookquery_commit() or hookquery_discard().  Only `variable`, `policy`, policy tags, and what is
 * for the query's later hooks (`data`, the tag) count in any case.
 *
 * Records are rows in the order in which they will stand in the answer, names and rdata in wire
 * form, uncompressed; hookrecords_add() copies them.  What the resolver found is turned into rows
 * when a hook first asks for it (`load`): most never do.
 *
 * Limits:  HOOK_RECORDS_MAX rows, HOOK_RECORDS_BYTES bytes of names and rdata, HOOK_TAGS_MAX policy
 *          tags of at most HOOK_TAG_MAX bytes.
 * Memory:  what it holds is freed by hookquery_deinit(); `data` and the like are references into the
 *          script's state, given back by script_query_end() (script.h).
 * Threads: a query, one worker.
 */
#ifndef POLICY_HOOKQUERY_H
#define POLICY_HOOKQUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"
#include "common/wire.h"

enum {
	HOOK_RECORDS_MAX = 4096,
	HOOK_RECORDS_BYTES = 256 * 1024,
	HOOK_TAGS_MAX = 64,
	HOOK_TAG_MAX = 255,
	HOOK_TTL = 3600,     /* of a record for which none is given */
	HOOK_UDP_MAX = 4096, /* bytes that udpQueryResponse sends, and takes */
	HOOK_FUNCTION_MAX = 64,
};

/* ---- records ---- */

enum hook_place { PLACE_QUESTION, PLACE_ANSWER, PLACE_AUTHORITY, PLACE_ADDITIONAL };

struct hook_record {
	const uint8_t *name; /* any case */
	const uint8_t *rdata;
	uint32_t ttl;
	uint16_t type, class;
	uint16_t rdlen;
	uint8_t place; /* enum hook_place */
};

struct hook_chunk;

struct hook_records {
	struct hook_record *rows;
	size_t n, room;
	size_t bytes; /* of names and rdata */
	struct hook_chunk *chunks;
};

/* Copies name and rdata.  E_NOMEM, E_LIMIT. */
int hookrecords_add(struct hook_records *to, const struct hook_record *row) MUST_USE;
/* `to` is empty. */
int hookrecords_copy(struct hook_records *to, const struct hook_records *from) MUST_USE;
void hookrecords_clear(struct hook_records *r); /* frees all of it */

/* ---- what a hook may ask for ---- */

/* pdns.policykinds, with PowerDNS's numbers. */
enum hook_policy {
	POLICY_NO_ACTION,
	POLICY_DROP,
	POLICY_NXDOMAIN,
	POLICY_NODATA,
	POLICY_TRUNCATE,
	POLICY_CUSTOM,
};

enum hook_followup {
	FOLLOWUP_NONE,
	FOLLOWUP_CNAME,        /* resolve what the last CNAME points to, and append it */
	FOLLOWUP_FAKE_AAAA,    /* resolve A of `name`, make AAAA of it with `prefix` */
	FOLLOWUP_FAKE_PTR,     /* resolve PTR of the IPv4 address within an ip6.arpa name */
	FOLLOWUP_UDP_RESPONSE, /* ask udp_dest, then call udp_callback */
};

/* rcodes that are none. */
enum { HOOK_RCODE_DROP = -2, HOOK_RCODE_KILL = -3 };

/* A part of what is said about a query by text. */
struct hook_text {
	char *text; /* malloc'ed, or NULL */
	size_t len;
};

int hooktext_set(struct hook_text *t, const char *text, size_t len) MUST_USE;
/* What is not important: empty when there is no memory. */
void hooktext_put(struct hook_text *t, const void *text, size_t len);
void hooktext_clear(struct hook_text *t);

struct hook_tags {
	struct hook_text tag[HOOK_TAGS_MAX];
	unsigned n;
};

/* One that is there already is not added again.  E_NOMEM, E_LIMIT. */
int hooktags_add(struct hook_tags *t, const char *text, size_t len) MUST_USE;
void hooktags_clear(struct hook_tags *t);

/* dq.appliedPolicy. */
struct hook_applied {
	enum hook_policy kind;
	enum hook_policy done; /* what has been made of it */
	uint8_t type;          /* pdns.policytypes */
	int64_t ttl;           /* of what a policy answers; -1: HOOK_POLICY_TTL */
	struct hook_text name, custom, trigger, hit;
};

/* pdns.validationstates: before the first reason to be bogus stand INDETERMINATE, INSECURE, SECURE. */
enum { HOOK_FIRST_BOGUS = 3, HOOK_BOGUS = 255 };

enum { HOOK_POLICY_TTL = 5 };

/* What a hook may change and take back: the answer. */
struct hook_answer {
	int rcode;   /* or HOOK_RCODE_KILL, in preoutquery */
	int32_t ede; /* extendedErrorCode; -1: none */
	struct hook_text ede_text;
	/* The resolver's, while no script has changed what it said. */
	uint8_t cause; /* enum cause */
	bool is_remembered;
	struct hook_records records;
	bool has_records;  /* false: not looked at; `load` has them */
	bool is_truncated; /* ask again over TCP */
	enum hook_followup followup;
	struct hook_text followup_name, followup_prefix;
	struct hook_text udp_query;
	struct addr udp_dest;
	char udp_callback[HOOK_FUNCTION_MAX];
};

/* The question that is about to be put to a server; preoutquery's. */
struct hook_outquery {
	struct addr server;
	const uint8_t *qname;
	uint16_t qtype;
	bool tcp; /* dq.isTcp: may be changed */
	/* When the hook took it: what the server would have answered; for who asked to free. */
	struct hook_answer reply;
};

struct script;

struct hook_query {
	/* ---- the pipeline's, constant ---- */
	struct addr remote, local;
	const uint8_t *qname; /* as spelt; borrowed for the query's life */
	uint16_t qtype, qclass;
	bool tcp;
	uint8_t header[WIRE_HEADER_LEN]; /* of the query's packet */
	bool edns;
	uint16_t edns_flags;    /* DO is 0x8000 */
	const uint8_t *options; /* EDNS options as they stand in the packet; borrowed likewise */
	uint16_t options_len;
	bool shows_options; /* gettag's table of options is filled */
	uint64_t time_us;   /* of the day: when it came */
	/* ---- of all its hooks ---- */
	uint32_t tag;
	bool variable;
	bool wants_rpz, log_response, add_padding; /* kept for the script; without effect here */
	uint8_t validation;                        /* pdns.validationstates, with the reason */
	struct hook_text requestor_id, device_id, device_name, routing_tag;
	struct hook_tags tags, discarded; /* discarded: names of policies */
	struct hook_applied policy;
	struct hook_text udp_answer;
	/* ---- what the client gets, and the draft of the hook that is being called ---- */
	struct hook_answer answer, draft;
	/* Before a hook took it over with a followup that may come to nothing (hookquery_keep()). */
	struct hook_answer before;
	bool has_before;
	/* Turns what the resolver found into rows of answer.records; NULL: there is nothing. */
	int (*load)(void *ctx, struct hook_records *to);
	void *load_ctx;
	/* ---- the hook being called ---- */
	struct hook_outquery *out; /* preoutquery's, or NULL */
	/* ---- the script's ---- */
	struct script *script; /* whose state the references are of; a reference, or NULL */
	struct dq *dq;         /* NULL: none yet; held by dq_ref */
	int dq_ref;
};

/* A draft that is the answer so far, without records, which are copied when asked for.  The
 * followup is reset. */
void hookquery_begin(struct hook_query *q);
/* The draft's records, to be read and changed; NULL: out of memory. */
struct hook_records *hookquery_records(struct hook_query *q);
void hookquery_commit(struct hook_query *q);
/* Before a commit: what the answer is so far is kept when the draft's followup may come to nothing,
 * until hookquery_settle() or hookquery_take_back().  One followup may lead to another: what was there
 * before the first is kept.  E_NOMEM, E_LIMIT. */
int hookquery_keep(struct hook_query *q) MUST_USE;
void hookquery_settle(struct hook_query *q);
/* The answer is again what it was. */
void hookquery_take_back(struct hook_query *q);
void hookquery_discard(struct hook_query *q);
/* Has the resolver's rows now: what `load` reads is about to go.  E_NOMEM, E_LIMIT. */
int hookquery_load(struct hook_query *q) MUST_USE;

void hookanswer_clear(struct hook_answer *a);

/* A zeroed one is empty but for these. */
void hookquery_init(struct hook_query *q);
void hookquery_deinit(struct hook_query *q);

#endif
