/*
 * known: what the cache and the configured zones have for a goal, fresh or expired.
 *
 * Private to recursor/resolve/, as goal.h is, whose head tells what expired data are good for.
 * Sets are handed out as references: knowledge_clear() and stale_clear() give them back.
 */
#ifndef RESOLVE_KNOWN_H
#define RESOLVE_KNOWN_H

#include "recursor/resolve/goal.h"

/* ---- known.c ---- */

/* What is known of a name: an answer, and where one would ask. */
enum known {
	KNOWN_NOTHING,
	KNOWN_DATA,
	KNOWN_ALIAS,
	KNOWN_NODATA,
	KNOWN_NXDOMAIN,
	KNOWN_YXDOMAIN,
	KNOWN_FAILURE
};

struct knowledge {
	enum known what;
	struct rrset *set;   /* reference: the data, the CNAME, the denial, the failure */
	struct rrset *dname; /* reference: that the CNAME follows from; YXDOMAIN: or would */
	const struct configured_zone *zone; /* the name's configured zone, or NULL; borrowed */
	bool authoritative;                 /* what is known comes from there */
	unsigned zone_labels;
	uint64_t zone_hash;
	unsigned floor_labels;            /* nothing above is looked at */
	struct rrset *ns_own, *ns_parent; /* references: the closest cut; both NULL at the root
					     before it is primed, and at a forward's name */
};

void knowledge_clear(struct knowledge *k);
/* May it be an answer to that question, or a part of one, as it is?  To who wants it validated only what has been, and was
 * not bogus; then *so_far becomes what it makes of the whole. */
bool knowledge_may_serve(const struct resolver *r, const struct knowledge *k, const uint8_t *name,
			 uint16_t type, bool validate, enum security *so_far);
/* May what an ancestor has, a denial or a DNAME, speak for the name?  Not when there is a trust anchor
 * between the two: nobody above that is heard. */
bool knowledge_is_heard(const struct resolver *r, const uint8_t *name, uint16_t type,
			const struct rrset *s);
/* Looks for an answer and for the closest zone cut, or for the cut only; the cut at most `max_labels`
 * labels deep.  `stale_s` not 0: also among what expired at most so long ago; then a failure is
 * nothing.  That all servers' answers were bogus is known to who wants an answer validated only. */
enum look { LOOK_CUT, LOOK_ANSWER, LOOK_VALIDATED };
void knowledge_look(struct resolver *r, const uint8_t *name, uint64_t name_hash, uint16_t type,
		    enum look what, uint32_t stale_s, unsigned max_labels, struct knowledge *k);

/* ---- stale.c ---- */

/* An answer out of the cache alone; references. */
struct stale_answer {
	struct rrset *sets[GOAL_CHAIN_MAX];
	size_t n;
	struct rrset *soa;
	uint16_t rcode;
	bool authoritative, any_stale, is_stale_denial;
	uint32_t expired_s; /* how long ago the oldest of it expired */
	enum security security;
};

/* The whole answer, out of what is fresh or expired at most `stale_s` ago; false: the cache does not
 * have it.  stale_clear() afterwards. */
bool stale_put_together(struct resolver *r, const uint8_t *name, uint16_t type, bool validate,
			uint32_t stale_s, struct stale_answer *out);
void stale_clear(struct stale_answer *s);
void stale_fill(const struct stale_answer *s, struct answer *a);
/* Makes `a`, which says that and why it failed, an answer of expired data if there is any and the
 * request may have it.  stale_clear() when it is sent. */
bool stale_serve(struct resolver *r, struct request *req, struct stale_answer *s, struct answer *a);
/* Answers a question that no goal is to be made for with what the cache has, if that is a whole answer and
 * some of it has expired; the rest is found in the ordinary way. */
bool stale_answer_question(struct resolver *r, const struct question *q, enum cause why,
			   resolver_done_cb done, void *ctx);
/* Would there be something to serve at the name? */
bool stale_is_known(struct resolver *r, const uint8_t *name, uint16_t type);

/* ---- refresh.c ---- */

/* The cache had an answer for the goal: is it to be renewed?  Then that begins. */
void refresh_if_due(struct resolver *r, struct goal *g, const struct knowledge *k);
/* It has, well or not. */
void refresh_ended(struct resolver *r, const struct goal *g, bool worked);
/* The cache has nothing any more, but somebody is about to renew it: waits with them. */
bool refresh_join(struct resolver *r, struct goal *g);

#endif
