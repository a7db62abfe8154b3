/*
 * hooks: the operator's script (policy/script.h) in the pipeline: its stages, what is made of its
 * verdicts, and what it wants done before the client is answered.
 *
 *     packet    hooks_filter (ipfilter), hooks_tag (gettag), the packet cache
 *     query     hooks_before (prerpz, preresolve), the resolver (hooks_preoutquery for each packet),
 *               hooks_found (nxdomain, or noerror and nodata; postresolve), the answer
 *
 * A query that no hook will see has no `struct hooked`, and without a script each of these is the
 * test of a pointer.  A hook that takes a query over in preresolve ends it: none of the later ones
 * is called.  A followup (an alias to be followed, records to be made of others, a packet to another
 * service) is done before the next hook; a query has at most HOOKS_FOLLOWUPS_MAX, and SERVFAIL is
 * the answer to the next.  So it is when max-total-msec are over.
 *
 * What a hook has changed goes into no record cache.  It goes into the packet cache, under the
 * query's tag, unless the query is variable, or was not all in a cache: then when it is asked for
 * again, as every answer (respond.c).
 *
 * Memory:  a struct hooked is given back with its query, or its passage.
 * Threads: all of it is one worker's.
 */
#ifndef RECURSOR_HOOKS_H
#define RECURSOR_HOOKS_H

#include <sys/queue.h>

#include "recursor/passage.h"
#include "recursor/policy/script.h"

enum { HOOKS_FOLLOWUPS_MAX = 10 };

struct datagram;

/* What the resolver said of all of its answer: it holds as long as no hook has changed that. */
struct validated {
	enum security security;
	uint8_t bogus; /* enum bogus */
	bool is_under_nta, is_stale, authoritative;
};

/* A query that hooks see. */
struct hooked {
	struct hook_query q;
	struct client_query *cq; /* from hooks_before() on */
	uint8_t *options;        /* q.options, or NULL */
	/* What the resolver found, while hooks_found() runs. */
	const struct answer *found;
	enum hook hook;    /* the last one that was called, or passed by */
	bool was_found;    /* it has been resolved: what a hook wants now comes after */
	enum hook dropper; /* that wants it dropped, if one does */
	struct validated validated;
	bool is_changed, is_dropped;   /* what the hooks say so far */
	bool was_changed, was_dropped; /* what they said when q.before was kept */
	bool is_made_of_secure;        /* a followup has made q.answer of nothing else: it has AD */
	bool is_kept;                  /* the packet cache may have the answer */
	bool has_consulted;            /* another service: it may say something else of the next */
	unsigned n_followups;
	uint32_t note;             /* shield_answered(), once it has been resolved */
	uint32_t outqueries;       /* what it has cost */
	struct datagram *datagram; /* on its way, or NULL */
	bool is_waiting, is_late;  /* in hooks.waiting, or in hooks.late */
	TAILQ_ENTRY(hooked) link;
};

int hooks_init(struct pipeline *p, const struct settings *s) MUST_USE;
/* While the loop still runs: who waits for a followup is let go, unanswered. */
void hooks_close(struct pipeline *p);
void hooks_deinit(struct pipeline *p);
void hooks_configure(struct pipeline *p, const struct settings *s);

/* The script from now on, or NULL; takes the reference, and gives that of the one before back. */
void hooks_set_script(struct pipeline *p, struct script *script);
/* A few times a second: maintenance(). */
void hooks_tick(struct pipeline *p);

stage hooks_filter, hooks_tag;
/* The passage has ended and has become no query. */
void hooks_leave(struct pipeline *p, struct passage *t);

/* False: the query is answered, dropped, or will be; it is no longer the caller's. */
bool hooks_before(struct client_query *cq, struct passage *t);
/* The same, of what the resolver found. */
bool hooks_found(struct client_query *cq, const struct answer *a);
/* The query ends. */
void hooks_end(struct client_query *cq);
/* Its place is wanted while it waits for a followup that is no request: SERVFAIL. */
void hooks_give_up(struct client_query *cq);

/* What the resolver calls when a followup is resolved. */
void hooks_followed(void *ctx, const struct answer *a);

/* For resolver_set_preoutquery(); `ctx` is the worker, `client` the client_query. */
enum outquery_verdict hooks_preoutquery(void *ctx, void *client, struct outquery_plan *plan);

/* ---- followup.c ---- */

/* False: what q.answer wants must not be done, and the answer is to stay as it was. */
bool followup_is_allowed(const struct hooked *h);
/* What is to be asked for what q.answer wants.  False: it cannot be. */
bool followup_question(const struct hooked *h, uint8_t name[NAME_MAX_LEN], uint16_t *type);
/* What came of it. */
void followup_take(struct hooked *h, const struct answer *a);
/* The rcode, and why. */
void followup_say(struct hook_answer *to, const struct answer *a);
/* An answer as rows.  E_NOMEM, E_LIMIT. */
int followup_rows(struct hook_records *to, const struct answer *a, bool is_signed,
		  uint32_t now_s) MUST_USE;

#endif
