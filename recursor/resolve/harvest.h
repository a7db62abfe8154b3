/*
 * harvest: proofs out of denials that nobody wants validated (RFC 8198).
 *
 * With dnssec=process a question without DO or AD is not validated, and most come so: what denies
 * their names would never be known to deny others too.  So of a zone that denies one name after the
 * other, as it does under a flood of random names, some answers are validated in the background, for
 * their proofs alone, until the proofs answer:
 *
 *     answer with signed proofs --> of its zone `harvest_after` of late, and none under way?
 *                               --> a request of our own for the same, validated out of the cache
 *
 * An ordinary denial costs a look at its zone's slot and nothing else.
 *
 * Private to recursor/resolve/, a part of goal.h.
 *
 * Limits:  `max_validations` of the configuration a second (counted when met), and
 *          max-background-resolutions; one at a time for a zone.  A zone that is not secure, or for
 *          which HARVEST_IN_VAIN went by without the proofs having answered once (opt-out, white lies,
 *          more names than a flood can show), has a rest of HARVEST_REST_MS.  A zone has one slot
 *          of a fixed table, and its turn when another is done with it.
 */
#ifndef RESOLVE_HARVEST_H
#define RESOLVE_HARVEST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HARVEST_WINDOW_MS = 10000, /* the short time of harvest_after */
	HARVEST_IN_VAIN = 64,
	HARVEST_REST_MS = 60000,
	HARVEST_SLOTS = 1024, /* a power of two */
};

struct harvest_zone {
	uint64_t hash;
	uint64_t since_ms;      /* the window's begin */
	uint64_t rest_until_ms; /* 0: it has none */
	uint32_t seen;          /* answers within the window */
	uint16_t in_vain;       /* validated since the proofs answered last */
	bool is_under_way;
};

struct harvest {
	uint64_t filled_ms; /* up to when `left` is reckoned */
	uint32_t left;      /* may begin now */
	struct harvest_zone zones[HARVEST_SLOTS];
};

struct answer;
struct goal;
struct request;
struct resolver;
struct rrset;

/* The goal was answered so by a server; `s` may be NULL. */
void harvest_offer(struct resolver *r, struct goal *g, const struct rrset *s);
/* The proofs of a zone have answered. */
void harvest_was_of_use(struct resolver *r, const uint8_t *zone);
/* A request of ours ends, with that answer; NULL: without one. */
void harvest_ended(struct resolver *r, struct request *req, const struct answer *a);

#endif
