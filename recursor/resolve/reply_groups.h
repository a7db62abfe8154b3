/*
 * reply_groups: a message's records, sorted into groups of one owner, type and section, which are
 * sets to be.  Private to reply.c.
 *
 * Memory:  all in the scratch; what is borrowed from it is good until the next message.
 * Limits:  those of reply.h.
 */
#ifndef RESOLVE_REPLY_GROUPS_H
#define RESOLVE_REPLY_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"
#include "common/rrset.h"
#include "recursor/resolve/reply.h"

enum { GROUP_NONE = UINT16_MAX }; /* no record */

struct record {
	uint32_t rdata; /* offset in the arena */
	uint16_t rdlen;
	uint16_t next; /* the set's next record, or GROUP_NONE */
};

/* Records of one owner, type and section. */
struct group {
	uint64_t hash;  /* of the owner, or 0: nobody wanted it yet */
	uint32_t owner; /* offset in the arena */
	uint32_t ttl;   /* the least of its records (RFC 2181 5.2) */
	uint16_t type;
	uint16_t first, last, n;
	uint8_t section;
	bool used;
};

struct reply_scratch {
	unsigned n_records, n_groups;
	size_t arena_len;
	struct record records[REPLY_RECORDS_MAX];
	struct group groups[REPLY_GROUPS_MAX];
	struct rdata rdata[REPLY_RECORDS_MAX];
	uint8_t arena[REPLY_ARENA];
};

/* Reads all records of class IN.  E_LIMIT: there are too many; or why one cannot be parsed. */
int groups_gather(struct reply_scratch *s, struct msg *m) MUST_USE;

/* The owner in any case; NULL: there is none. */
struct group *group_find(struct reply_scratch *s, const uint8_t *owner, uint16_t type,
			 unsigned section);

static inline const uint8_t *group_owner(const struct reply_scratch *s, const struct group *g)
{
	return s->arena + g->owner;
}

#endif
