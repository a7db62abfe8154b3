/* A scenario's header: which of its zones are signed, and what is wrong with them.
 *
 *     sign: example.com. algorithm=13 denial=nsec3 iterations=1 salt=ab two-keys no-ds fault=WORD
 *     break: www.example.com. A expired
 *
 * The words are those of tests/signer/fault.h.  A ZONE that is signed has its DNSKEY set, and in a
 * ZONE that delegates it, if that is signed too, its DS set. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/sim/play.h"

enum { DAY_S = 86400, VALID_DAYS = 30, RECORD_MAX = 4096, LINKS_MAX = 16 };

struct play_signed {
	struct play_signed *next;
	struct zone *zone;
	struct signed_zone *with;
	struct sign_policy policy;
	bool no_ds, is_signed;
};

static int refuse(const struct scenario *s, const struct header_key *o, char *why)
{
	snprintf(why, SCENARIO_WHY_MAX, "%s:%u: refused: %s: %s", s->path, o->line, o->name,
		 o->value);
	return E_MALFORMED;
}

/* ---- the header ---- */

static bool read_salt(struct sign_policy *p, const char *hex)
{
	unsigned byte;

	for (; *hex != '\0' && p->salt_len < SIGN_SALT_MAX; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1 || hex[1] == '\0')
			return false;
		p->salt[p->salt_len++] = (uint8_t)byte;
	}
	return *hex == '\0';
}

static bool read_word(struct play_signed *to, const char *word)
{
	static const char *const denials[] = { "nsec", "nsec3", "opt-out" };
	const char *equal = strchr(word, '='), *value = equal != NULL ? equal + 1 : "";
	struct sign_policy *p = &to->policy;
	size_t n = equal != NULL ? (size_t)(equal - word) : strlen(word);

	if (strcmp(word, "two-keys") == 0) {
		p->two_keys = true;
	} else if (strcmp(word, "no-ds") == 0) {
		to->no_ds = true;
	} else if (strncmp(word, "algorithm", n) == 0) {
		p->algorithm = (uint8_t)strtoul(value, NULL, 10);
	} else if (strncmp(word, "number", n) == 0) {
		p->number = (uint8_t)strtoul(value, NULL, 10);
	} else if (strncmp(word, "iterations", n) == 0) {
		p->iterations = (uint16_t)strtoul(value, NULL, 10);
	} else if (strncmp(word, "expires", n) == 0) {
		p->expiration_s = p->inception_s + DAY_S + (uint32_t)strtoul(value, NULL, 10);
	} else if (strncmp(word, "salt", n) == 0) {
		return read_salt(p, value);
	} else if (strncmp(word, "fault", n) == 0) {
		p->fault = sign_fault_find(value);
		return p->fault != SIGN_FAULT_END;
	} else {
		for (unsigned i = 0; i < ARRAY_LEN(denials); i++)
			if (strncmp(word, "denial", n) == 0 && strcmp(value, denials[i]) == 0) {
				p->denial = (enum sign_denial)i;
				return true;
			}
		return false;
	}
	return true;
}

static struct play_signed *signed_at(const struct player *p, const struct zone *z)
{
	struct play_signed *at = p->signed_zones;

	while (at != NULL && at->zone != z)
		at = at->next;
	return at;
}

static struct signed_zone *unsigned_copy(const struct zone *z)
{
	struct signed_zone *copy = signed_zone_new(ldns_rdf_data(z->origin));

	for (size_t i = 0; i < z->n_rr; i++) {
		uint8_t rdata[RECORD_MAX];
		ldns_rr_type type = ldns_rr_get_type(z->rr[i]);
		size_t len = 0;

		/* Of a play before; they are made anew. */
		if (type == LDNS_RR_TYPE_DNSKEY || type == LDNS_RR_TYPE_NSEC3PARAM)
			continue;
		for (size_t k = 0; k < ldns_rr_rd_count(z->rr[i]); k++) {
			const ldns_rdf *field = ldns_rr_rdf(z->rr[i], k);

			ASSERT(len + ldns_rdf_size(field) <= sizeof(rdata));
			memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
			len += ldns_rdf_size(field);
		}
		signed_zone_add(copy, ldns_rdf_data(ldns_rr_owner(z->rr[i])), (uint16_t)type,
				ldns_rr_ttl(z->rr[i]), rdata, len);
	}
	return copy;
}

/* Each ZONE of the name, in whatever range. */
static bool add_signed(struct player *p, const struct header_key *o)
{
	char text[512], *save = NULL, *word;
	uint8_t apex[NAME_MAX_LEN];
	bool found = false, ok = true;

	(void)snprintf(text, sizeof(text), "%s", o->value);
	word = strtok_r(text, " \t", &save);
	if (word == NULL || name_from_text(apex, word) != E_OK)
		return false;
	struct play_signed like = { .policy = {
					    .algorithm = 13,
					    .inception_s = play_start_time(p->s) - DAY_S,
				    } };
	like.policy.expiration_s = like.policy.inception_s + VALID_DAYS * DAY_S;
	while (ok && (word = strtok_r(NULL, " \t", &save)) != NULL)
		ok = read_word(&like, word);
	for (size_t i = 0; ok && i < p->s->n_ranges; i++)
		for (size_t k = 0; k < p->s->ranges[i].n_zones; k++) {
			struct zone *z = p->s->ranges[i].zones[k];
			struct play_signed *one;

			if (!name_equal(ldns_rdf_data(z->origin), apex))
				continue;
			one = malloc(sizeof(*one));
			ASSERT(one != NULL);
			*one = like;
			one->zone = z;
			one->with = unsigned_copy(z);
			one->next = p->signed_zones;
			p->signed_zones = one;
			found = true;
		}
	return ok && found;
}

static bool add_break(struct player *p, const struct header_key *o)
{
	char name[300], type[32], word[32];
	uint8_t owner[NAME_MAX_LEN];
	enum sign_fault fault;
	uint16_t number;
	bool found = false;

	if (sscanf(o->value, "%299s %31s %31s", name, type, word) != 3 ||
	    name_from_text(owner, name) != E_OK || rrtype_from_text(type, &number) != E_OK ||
	    (fault = sign_fault_find(word)) == SIGN_FAULT_END)
		return false;
	for (struct play_signed *at = p->signed_zones; at != NULL; at = at->next)
		if (name_is_within(owner, ldns_rdf_data(at->zone->origin))) {
			signed_zone_break(at->with, owner, number, fault);
			found = true;
		}
	return found;
}

/* ---- signing ---- */

static ldns_rr *record_of(const uint8_t *owner, uint16_t type, uint32_t ttl, const struct rdata *rr)
{
	uint8_t wire[NAME_MAX_LEN + 10 + RECORD_MAX];
	size_t len = name_copy(wire, owner), pos = 0;
	ldns_rr *out = NULL;

	wire_put_u16(wire + len, type);
	wire_put_u16(wire + len + 2, CLASS_IN);
	wire_put_u32(wire + len + 4, ttl);
	wire_put_u16(wire + len + 8, rr->len);
	ASSERT(rr->len <= RECORD_MAX);
	memcpy(wire + len + 10, rr->data, rr->len);
	ASSERT(ldns_wire2rr(&out, wire, len + 10 + rr->len, &pos, LDNS_SECTION_ANSWER) ==
	       LDNS_STATUS_OK);
	return out;
}

/* Into what the server says, unless a play before has done it. */
static void put_into_zone(struct zone *z, const struct signed_set *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		ldns_rr *rr = record_of(s->owner, s->type, s->ttl, &s->rr[i]);
		bool is_new = true;

		for (size_t k = 0; k < z->n_rr && is_new; k++)
			is_new = ldns_rr_compare(z->rr[k], rr) != 0;
		if (is_new)
			zone_add(z, rr);
		else
			ldns_rr_free(rr);
	}
}

static void sign_one(struct play_signed *at, struct play_signed *all)
{
	const uint8_t *apex = signed_zone_apex(at->with);

	if (at->is_signed)
		return;
	at->is_signed = true;
	for (struct play_signed *c = all; c != NULL; c = c->next) {
		const uint8_t *child = signed_zone_apex(c->with);

		if (c->no_ds || !name_is_below(child, apex) ||
		    signed_zone_find(at->with, child, TYPE_NS) == NULL)
			continue;
		sign_one(c, all);
		signed_zone_delegate(at->with, c->with, 2);
		put_into_zone(at->zone, signed_zone_find(at->with, child, TYPE_DS));
	}
	signed_zone_sign(at->with, &at->policy);
	put_into_zone(at->zone, signed_zone_find(at->with, apex, TYPE_DNSKEY));
	put_into_zone(at->zone, signed_zone_find(at->with, apex, TYPE_NSEC3PARAM));
}

int play_sign(struct player *p, char *why)
{
	static const struct {
		const char *key;
		bool (*add)(struct player *p, const struct header_key *o);
	} keys[] = { { "sign", add_signed }, { "break", add_break } };

	for (unsigned k = 0; k < ARRAY_LEN(keys); k++)
		for (size_t i = 0; i < p->s->n_options; i++) {
			const struct header_key *o = &p->s->options[i];

			if (strcmp(o->name, keys[k].key) == 0 && !keys[k].add(p, o))
				return refuse(p->s, o, why);
		}
	for (struct play_signed *at = p->signed_zones; at != NULL; at = at->next)
		sign_one(at, p->signed_zones);
	return E_OK;
}

size_t play_signed_ds(const struct player *p, const uint8_t *apex, unsigned i,
		      uint8_t out[SIGN_DS_MAX])
{
	for (const struct play_signed *at = p->signed_zones; at != NULL; at = at->next)
		if (name_equal(signed_zone_apex(at->with), apex))
			return signed_zone_ds(at->with, i, 2, out);
	return 0;
}

struct signed_zone *play_signed_zone(const struct player *p, const struct zone *z)
{
	const struct play_signed *at = signed_at(p, z);

	return at != NULL ? at->with : NULL;
}

void play_sign_free(struct player *p)
{
	while (p->signed_zones != NULL) {
		struct play_signed *at = p->signed_zones;

		p->signed_zones = at->next;
		signed_zone_free(at->with);
		free(at);
	}
}

/* ---- answers ---- */

static void push_set(ldns_pkt *reply, ldns_pkt_section section, const struct signed_set *s,
		     const uint8_t *owner, bool with_data)
{
	for (size_t i = 0; i < s->n && with_data; i++)
		ldns_pkt_push_rr(reply, section, record_of(owner, s->type, s->ttl, &s->rr[i]));
	for (size_t i = 0; i < s->n_sig; i++)
		ldns_pkt_push_rr(reply, section, record_of(owner, TYPE_RRSIG, s->ttl, &s->sig[i]));
}

/* The RRSIGs of each set in the section. */
static void sign_section(struct signed_zone *z, ldns_pkt *reply, ldns_pkt_section section)
{
	ldns_rr_list *list = ldns_pkt_get_section_clone(reply, section);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		const ldns_rr *before = i > 0 ? ldns_rr_list_rr(list, i - 1) : NULL;
		const uint8_t *owner = ldns_rdf_data(ldns_rr_owner(rr));
		uint16_t type = (uint16_t)ldns_rr_get_type(rr);
		const struct signed_set *s;
		uint8_t wildcard[NAME_MAX_LEN];

		if (!name_is_within(owner, signed_zone_apex(z)) ||
		    (before != NULL && ldns_rr_get_type(before) == ldns_rr_get_type(rr) &&
		     name_equal(ldns_rdf_data(ldns_rr_owner(before)), owner)))
			continue;
		s = signed_zone_find(z, owner, type);
		if (s == NULL && signed_zone_wildcard(z, owner, wildcard))
			s = signed_zone_find(z, wildcard, type);
		if (s != NULL)
			push_set(reply, section, s, owner, false);
	}
	ldns_rr_list_deep_free(list);
}

static void prove_name(struct signed_zone *z, ldns_pkt *reply, const uint8_t *name, uint16_t type)
{
	const struct signed_set *proofs[SIGNED_PROOFS_MAX];
	size_t n = 0;

	if (name_is_within(name, signed_zone_apex(z)))
		n = signed_zone_prove(z, name, type, proofs);
	for (size_t i = 0; i < n; i++)
		push_set(reply, LDNS_SECTION_AUTHORITY, proofs[i], proofs[i]->owner, true);
}

void play_sign_reply(const struct player *p, const struct zone *z, const ldns_pkt *query,
		     ldns_pkt *reply)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	const ldns_rr_list *answer = ldns_pkt_answer(reply);
	const struct play_signed *at = signed_at(p, z);
	uint16_t type = (uint16_t)ldns_rr_get_type(question);
	size_t n = ldns_rr_list_rr_count(answer);

	if (at == NULL || !ldns_pkt_edns_do(query))
		return;
	sign_section(at->with, reply, LDNS_SECTION_AUTHORITY);
	prove_name(at->with, reply, ldns_rdf_data(ldns_rr_owner(question)), type);
	for (size_t i = 0; i < n; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && type != TYPE_CNAME)
			prove_name(at->with, reply, ldns_rdf_data(ldns_rr_rdf(rr, 0)), type);
	}
	sign_section(at->with, reply, LDNS_SECTION_ANSWER);
}
