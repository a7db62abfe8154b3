/*
 * trial_known: what the record cache knows of a question, for a trial of a script (trial.h): the
 * answer, and who would have been asked for it.
 *
 * Nothing is asked, and nothing put into the cache.  Names that expired within KNOWN_STALE_S count
 * as known: their questions came when they were not.
 *
 * Threads: any.
 */
#ifndef RECURSOR_TRIAL_KNOWN_H
#define RECURSOR_TRIAL_KNOWN_H

#include "common/addr.h"
#include "common/rrset.h"
#include "recursor/policy/hookquery.h"
#include "recursor/resolve/cache.h"

enum { KNOWN_LINKS_MAX = 11, KNOWN_STALE_S = 3600 };

struct known {
	int rcode;
	bool is_nodata; /* NOERROR, and nothing of the type */
	struct rrset *sets[KNOWN_LINKS_MAX];
	size_t n_sets;
	struct rrset *denial; /* or NULL */
	uint32_t now_s;       /* of the look */
	/* Of all of it, as far as somebody has wanted it validated. */
	enum security security;
	unsigned bogus; /* enum bogus */
};

/* False: it is not known, and there is nothing to put back. */
bool known_look(struct known *k, struct cache *cache, const uint8_t *name, uint16_t type,
		uint32_t now_s);
void known_put(struct known *k);

/* As rows for hooks.  E_NOMEM, E_LIMIT. */
int known_rows(struct hook_records *to, const struct known *k) MUST_USE;

/* Addresses of the name servers of the deepest zone above the name that the cache knows; returns
 * how many. */
size_t known_servers(struct addr *out, size_t max, struct cache *cache, const uint8_t *name,
		     uint32_t now_s);

#endif
