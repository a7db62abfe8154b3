/*
 * generate: programmed servers for what cannot be written down as a list of answers: endless
 * delegations, endless aliases, referrals to many names.
 *
 * A RANGE with `GENERATE kind [number]` is answered by one of them.
 */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include <stdbool.h>

#include <ldns/ldns.h>

#include "recursor/resolve/world.h"

struct player;

/* The answer to a question, for the caller to free; NULL: silence. */
ldns_pkt *generate(const char *spec, struct player *p, const struct outquery *q,
		   const ldns_pkt *query);

/* Is there one of that name? */
bool generate_knows(const char *spec);

#endif
