/*
 * shield: the defender (policy/defender.h) in the pipeline: its stages, what it is told of each
 * answer, and its rules' way from the settings to the workers.
 *
 * A query meets it twice: before the packet cache, where only rules act that say so, and on its way
 * to the resolver.  With nobody accused that is a pointer test.
 *
 * Threads: a shield, one worker; the functions of the server any but a worker's.
 */
#ifndef RECURSOR_SHIELD_H
#define RECURSOR_SHIELD_H

#include "common/err.h"
#include "recursor/passage.h"
#include "recursor/policy/defender.h"

struct hook_tags;
struct shield;

int shield_new(struct shield **out, struct worker *w) MUST_USE;
void shield_free(struct shield *s); /* accepts NULL */
/* For shield_hit(). */
struct defender_row *shield_rows(struct shield *s);
/* A few times a second. */
void shield_tick(struct shield *s);

stage shield_before_cache, shield_before_resolver;

/* An answer of the resolver's is on its way: returns the note for packetcache_put(). */
uint32_t shield_answered(struct pipeline *p, struct client_query *cq, const struct settings *s,
			 const struct answer *a);
/* So is one that a script has made without the resolver: the same note. */
uint32_t shield_made(struct pipeline *p, const struct query *q, const struct settings *s,
		     unsigned rcode);
/* There was no place for the query. */
void shield_dropped(struct pipeline *p, const struct passage *t);

static inline enum defender_end shield_end_of(unsigned rcode)
{
	switch (rcode) {
	case RCODE_NOERROR:
		return DEFENDER_END_NOERROR;
	case RCODE_NXDOMAIN:
		return DEFENDER_END_NXDOMAIN;
	case RCODE_SERVFAIL:
		return DEFENDER_END_SERVFAIL;
	default:
		return DEFENDER_END_OTHER;
	}
}

/* An answer left from the packet cache. */
static inline void shield_hit(struct pipeline *p, const struct packetcache_hit *hit)
{
	defender_tally_hit(p->defender_rows, hit->note, shield_end_of(hit->rcode));
}

/* Policy tags for Lua: "defender-prsd-N" for each rule by which the query's domain is accused. */
void shield_fill_tags(uint32_t accused_rules, struct hook_tags *tags);

/* ---- the server's ---- */

/* Rules and all that the workers share; `zones` may have groups of forwarders.  One line in `why`
 * (SETTINGS_WHY_MAX) on error. */
int shield_make(struct defender **out, const struct settings *s, const struct zones *zones,
		char *why) MUST_USE;
/* rec_control reload-defender: reads settings and file again.  `why`: as reconfigure.h. */
int server_reload_defender(struct server *s, char *why) MUST_USE;

#endif
