/* reply_groups: see reply_groups.h. */
#include "recursor/resolve/reply_groups.h"

#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"

struct reply_scratch *reply_scratch_new(void)
{
	return malloc(sizeof(struct reply_scratch));
}

void reply_scratch_free(struct reply_scratch *s)
{
	free(s);
}

static uint64_t group_hash(struct reply_scratch *s, struct group *g)
{
	if (g->hash == 0)
		g->hash = name_hash(group_owner(s, g));
	return g->hash;
}

/* Most answers have one or two groups of a type: names are not hashed but for more of them. */
struct group *group_find(struct reply_scratch *s, const uint8_t *owner, uint16_t type,
			 unsigned section)
{
	uint64_t hash = 0;
	bool is_first = true;

	for (unsigned i = 0; i < s->n_groups; i++) {
		struct group *g = &s->groups[i];

		if (g->type != type || g->section != section)
			continue;
		if (!is_first && hash == 0)
			hash = name_hash(owner);
		if ((is_first || group_hash(s, g) == hash) && name_equal(group_owner(s, g), owner))
			return g;
		is_first = false;
	}
	return NULL;
}

static struct group *group_add(struct reply_scratch *s, const struct msg_rr *rr)
{
	struct group *g;

	if (s->n_groups == REPLY_GROUPS_MAX || s->arena_len + rr->owner_len > REPLY_ARENA)
		return NULL;
	g = &s->groups[s->n_groups++];
	*g = (struct group) {
		.owner = (uint32_t)s->arena_len,
		.ttl = rr->ttl,
		.type = rr->type,
		.first = GROUP_NONE,
		.last = GROUP_NONE,
		.section = rr->section,
	};
	memcpy(s->arena + s->arena_len, rr->owner, rr->owner_len);
	s->arena_len += rr->owner_len;
	return g;
}

static int record_add(struct reply_scratch *s, const struct msg *m, const struct msg_rr *rr)
{
	struct group *g;
	struct record *rec;
	uint16_t len = 0;
	int err;

	if (s->n_records == REPLY_RECORDS_MAX)
		return E_LIMIT;
	g = group_find(s, rr->owner, rr->type, rr->section);
	if (g == NULL)
		g = group_add(s, rr);
	if (g == NULL)
		return E_LIMIT;

	err = msg_rdata(m, rr, s->arena + s->arena_len, REPLY_ARENA - s->arena_len, &len);
	if (err != E_OK) {
		/* No set without a record. */
		s->n_groups -= g->n == 0;
		return err == E_TOO_LONG ? E_LIMIT : err;
	}
	rec = &s->records[s->n_records];
	*rec = (struct record) {
		.rdata = (uint32_t)s->arena_len,
		.rdlen = len,
		.next = GROUP_NONE,
	};
	s->arena_len += len;
	if (g->first == GROUP_NONE)
		g->first = (uint16_t)s->n_records;
	else
		s->records[g->last].next = (uint16_t)s->n_records;
	g->last = (uint16_t)s->n_records++;
	g->n++;
	if (rr->ttl < g->ttl)
		g->ttl = rr->ttl;
	return E_OK;
}

int groups_gather(struct reply_scratch *s, struct msg *m)
{
	struct msg_rr rr;
	int err;

	s->n_records = s->n_groups = 0;
	s->arena_len = 0;
	while ((err = msg_next(m, &rr)) == E_OK) {
		if (rr.class != CLASS_IN || rrtype_is_meta(rr.type))
			continue;
		err = record_add(s, m, &rr);
		/* Additional data may be cut short: nothing rests on them. */
		if (err == E_LIMIT && rr.section == SECTION_ADDITIONAL)
			return E_OK;
		if (err != E_OK)
			return err;
	}
	return err == E_END ? E_OK : err;
}
