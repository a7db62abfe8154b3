/* A scenario's header: which of its zones are at hand whole (recursor/resolve/copies.h).
 *
 *     copy: . from=192.0.2.9 expires=60
 *
 * The ZONE of that name, of the range of that address if one is given, with what `sign` made of it; it
 * expires so many seconds after the start, or in a month. */
#include "recursor/resolve/copies.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/sim/play.h"

enum { MONTH_S = 30 * 86400, RECORD_MAX = 4096 };

static void add_record(struct zonecopy *copy, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, size_t len)
{
	char why[ZONECOPY_WHY_MAX];
	uint8_t lower[NAME_MAX_LEN];

	(void)name_lower(lower, owner);
	ASSERT(zonecopy_add(copy, lower, type, ttl, rdata, (uint16_t)len, why) == E_OK);
}

static void add_set(struct zonecopy *copy, const struct signed_set *s, bool with_data)
{
	for (size_t i = 0; with_data && i < s->n; i++)
		add_record(copy, s->owner, s->type, s->ttl, s->rr[i].data, s->rr[i].len);
	for (size_t i = 0; i < s->n_sig; i++)
		add_record(copy, s->owner, TYPE_RRSIG, s->ttl, s->sig[i].data, s->sig[i].len);
}

static void add_zone(struct zonecopy *copy, const struct player *p, const struct zone *z)
{
	struct signed_zone *with = play_signed_zone(p, z);
	const struct signed_set *s;

	for (size_t i = 0; i < z->n_rr; i++) {
		const uint8_t *owner = ldns_rdf_data(ldns_rr_owner(z->rr[i]));
		uint16_t type = (uint16_t)ldns_rr_get_type(z->rr[i]);
		uint8_t rdata[RECORD_MAX], lower[NAME_MAX_LEN];
		size_t len = 0;

		for (size_t k = 0; k < ldns_rr_rd_count(z->rr[i]); k++) {
			const ldns_rdf *field = ldns_rr_rdf(z->rr[i], k);

			ASSERT(len + ldns_rdf_size(field) <= sizeof(rdata));
			memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
			len += ldns_rdf_size(field);
		}
		add_record(copy, owner, type, ldns_rr_ttl(z->rr[i]), rdata, len);
		(void)name_lower(lower, owner);
		s = with != NULL ? signed_zone_find(with, lower, type) : NULL;
		if (s != NULL)
			add_set(copy, s, false);
	}
	for (size_t i = 0; with != NULL && (s = signed_zone_chain(with, i)) != NULL; i++)
		add_set(copy, s, true);
}

static const struct zone *find_zone(const struct scenario *s, const uint8_t *apex,
				    const struct addr *from)
{
	for (size_t i = 0; i < s->n_ranges; i++) {
		const struct range *r = &s->ranges[i];
		bool is_there = from->family == 0;

		for (size_t k = 0; k < r->n_addrs; k++)
			is_there |= addr_equal_ip(&r->addrs[k], from);
		for (size_t k = 0; is_there && k < r->n_zones; k++)
			if (name_equal(ldns_rdf_data(r->zones[k]->origin), apex))
				return r->zones[k];
	}
	return NULL;
}

static int add_copy(struct copies *copies, const struct player *p, const char *value)
{
	char text[256], *save = NULL, *word, why[ZONECOPY_WHY_MAX];
	uint32_t expires_s = play_start_time(p->s) + MONTH_S;
	struct addr from = { .family = 0 };
	uint8_t apex[NAME_MAX_LEN];
	const struct zone *z;
	struct zonecopy *copy = NULL;
	int err;

	(void)snprintf(text, sizeof(text), "%s", value);
	word = strtok_r(text, " \t", &save);
	if (word == NULL || name_from_text(apex, word) != E_OK)
		return E_MALFORMED;
	while ((word = strtok_r(NULL, " \t", &save)) != NULL) {
		if (strncmp(word, "expires=", 8) == 0)
			expires_s = play_start_time(p->s) + (uint32_t)strtoul(word + 8, NULL, 10);
		else if (strncmp(word, "from=", 5) != 0 ||
			 addr_from_text(&from, word + 5, 53) != E_OK)
			return E_MALFORMED;
	}
	z = find_zone(p->s, apex, &from);
	if (z == NULL)
		return E_NOT_FOUND;
	err = zonecopy_new(&copy, apex, 0);
	if (err == E_OK) {
		add_zone(copy, p, z);
		err = zonecopy_finish(copy, NULL, why);
	}
	if (err == E_OK)
		err = copies_add(copies, copy, expires_s);
	zonecopy_put(copy);
	return err;
}

int play_set_copies(struct player *p, char *why)
{
	struct copies *copies = NULL;
	int err = copies_new(&copies);

	for (size_t i = 0; i < p->s->n_options && err == E_OK; i++) {
		const struct header_key *o = &p->s->options[i];

		if (strcmp(o->name, "copy") != 0)
			continue;
		err = add_copy(copies, p, o->value);
		if (err != E_OK)
			snprintf(why, SCENARIO_WHY_MAX, "%s:%u: refused: %s: %s", p->s->path,
				 o->line, o->name, o->value);
	}
	if (err == E_OK)
		resolver_set_copies(p->resolver, copies);
	copies_put(copies);
	return err;
}
