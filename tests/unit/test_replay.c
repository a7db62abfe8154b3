/* A man in the middle who has no keys, but all that was ever signed: whatever he puts together of it, nobody takes what
 * is false for secure, and insecure only what may be. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/algorithm.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "still_world.h"
#include "tests/signer/zone.h"
#include "wire_name.h"

enum {
	DAY = 86400,
	MESSAGE = 16384,
	ZONES = 8,
	POOL_MAX = 400,
	TURNS_MAX = 30000,
	QUESTIONS = 25, /* of one seed, to one cache */
	SEEDS = 300,
	SEEDS_OF_ISLANDS = 500,
	AN_ALIAS_AT_AN_ANCHOR = 7192, /* a seed that found something */
	/* The last bytes of addresses that no signed zone has. */
	FORGED = 66,
	UNSIGNED = 99,
};

static const struct {
	const char *apex;
	enum sign_denial denial;
	bool is_signed;
	const char *text;
} worlds[ZONES] = {
	{ ".", SIGN_NSEC, true,
	  ". 3600 IN SOA ns. h. 1 2 3 4 3600\n. 3600 IN NS ns.\nns. 3600 IN A 192.0.2.1\n"
	  "a. 3600 IN NS ns.\nb. 3600 IN NS ns.\nc. 3600 IN NS ns.\nd. 3600 IN NS ns.\n" },
	{ "a.", SIGN_NSEC, true,
	  "a. 3600 IN SOA ns. h. 1 2 3 4 3600\na. 3600 IN NS ns.\nwww.a. 3600 IN A 192.0.2.2\n"
	  "*.w.a. 3600 IN A 192.0.2.3\nalias.a. 3600 IN CNAME www.a.\n*.c.a. 3600 IN CNAME www.b.\n"
	  "sub.a. 3600 IN NS ns.\nins.a. 3600 IN NS ns.\ndn.a. 3600 IN DNAME b.\n"
	  "x.ent.a. 3600 IN A 192.0.2.4\n*.a. 3600 IN TXT \"a\"\nz.a. 3600 IN TXT \"z\"\n" },
	{ "sub.a.", SIGN_NSEC, true,
	  "sub.a. 3600 IN SOA ns. h. 1 2 3 4 3600\nsub.a. 3600 IN NS ns.\n"
	  "www.sub.a. 3600 IN A 192.0.2.5\n*.sub.a. 3600 IN TXT \"s\"\n" },
	{ "b.", SIGN_NSEC3, true,
	  "b. 3600 IN SOA ns. h. 1 2 3 4 3600\nb. 3600 IN NS ns.\nwww.b. 3600 IN A 192.0.2.6\n"
	  "*.w.b. 3600 IN A 192.0.2.7\nalias.b. 3600 IN CNAME www.c.\n*.c.b. 3600 IN CNAME www.b.\n"
	  "sub.b. 3600 IN NS ns.\nins.b. 3600 IN NS ns.\ndn.b. 3600 IN DNAME a.\n"
	  "x.ent.b. 3600 IN A 192.0.2.8\n*.b. 3600 IN TXT \"b\"\nz.b. 3600 IN TXT \"z\"\n" },
	{ "sub.b.", SIGN_NSEC3, true,
	  "sub.b. 3600 IN SOA ns. h. 1 2 3 4 3600\nsub.b. 3600 IN NS ns.\n"
	  "www.sub.b. 3600 IN A 192.0.2.9\n*.sub.b. 3600 IN TXT \"s\"\n" },
	{ "c.", SIGN_OPT_OUT, true,
	  "c. 3600 IN SOA ns. h. 1 2 3 4 3600\nc. 3600 IN NS ns.\nwww.c. 3600 IN A 192.0.2.10\n"
	  "*.w.c. 3600 IN A 192.0.2.11\nsub.c. 3600 IN NS ns.\nins.c. 3600 IN NS ns.\n"
	  "x.ent.c. 3600 IN A 192.0.2.12\nalias.c. 3600 IN CNAME www.a.\n" },
	{ "sub.c.", SIGN_NSEC3, true,
	  "sub.c. 3600 IN SOA ns. h. 1 2 3 4 3600\nsub.c. 3600 IN NS ns.\n"
	  "www.sub.c. 3600 IN A 192.0.2.13\n*.sub.c. 3600 IN TXT \"s\"\n" },
	{ "d.", SIGN_NSEC, false,
	  "d. 3600 IN SOA ns. h. 1 2 3 4 3600\nd. 3600 IN NS ns.\nwww.d. 3600 IN A 192.0.2.14\n" },
};

static const char *const heads[] = { "www",  "sub",    "ins",     "alias", "dn",  "x.ent", "ent",
				     "q.w",  "w",      "*.w",     "q.c",   "no",  "z",     "a.www",
				     "q.dn", "q.sub",  "www.sub", "q.ins", "p.q", "q.ent", "*",
				     "q.z",  "www.dn", "a.q.w",   "*.c",   "ns",  "a",     "b",
				     "c",    "d",      "" };
static const char *const tails[] = { "a", "b", "c", "d", "sub.a", "sub.b", "sub.c", "" };
static const uint16_t types[] = { TYPE_A,     TYPE_TXT, TYPE_DS,   TYPE_NS,    TYPE_CNAME,
				  TYPE_DNAME, TYPE_SOA, TYPE_AAAA, TYPE_DNSKEY };

static struct fixture {
	struct signed_zone *zones[ZONES];
	const struct signed_set *pool[POOL_MAX];
	unsigned n_pool;
	uint64_t rng;
	bool has_islands;
	unsigned seed, lies; /* of a hundred answers */
	/* the question on hand */
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	bool is_done, is_judged;
	unsigned n_secure;
	char wrong[NAME_TEXT_MAX + 128];
} f;

static unsigned rnd(unsigned n)
{
	f.rng = f.rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((f.rng >> 33) % n);
}

/* ---- truth ---- */

static int zone_of(const uint8_t *name, uint16_t type)
{
	int best = 0;

	for (int i = 1; i < ZONES; i++) {
		const uint8_t *apex = signed_zone_apex(f.zones[i]);

		if (!name_is_within(name, apex) || (type == TYPE_DS && name_equal(name, apex)))
			continue;
		if (name_is_below(apex, signed_zone_apex(f.zones[best])))
			best = i;
	}
	return best;
}

static bool exists(int zone, const uint8_t *name)
{
	for (unsigned i = 0; i < f.n_pool; i++) {
		const struct signed_set *s = f.pool[i];

		if (s->type != TYPE_NSEC3 && name_is_within(s->owner, name) &&
		    name_is_within(s->owner, signed_zone_apex(f.zones[zone])))
			return true;
	}
	return false;
}

/* Is there a chain of trust down to it?  Islands have anchors of their own, and no other is at hand. */
static bool is_trusted(int zone)
{
	const char *apex = worlds[zone].apex;

	if (!f.has_islands)
		return worlds[zone].is_signed;
	return strcmp(apex, "a.") == 0 || strcmp(apex, "sub.a.") == 0 ||
	       strcmp(apex, "sub.b.") == 0;
}

/* May it be insecure? */
static bool may_be_insecure(int zone, const uint8_t *name, uint16_t type)
{
	struct signed_zone *z = f.zones[zone];
	const uint8_t *apex = signed_zone_apex(z);

	if (!is_trusted(zone) || signed_zone_cut(z, name, type) != NULL)
		return true;
	if (worlds[zone].denial != SIGN_OPT_OUT)
		return false;
	for (unsigned l = name_labels(apex) + 1; l <= name_labels(name); l++)
		if (!signed_zone_knows(z, name_suffix(name, l)))
			return true;
	return false;
}

struct truth {
	bool may_be_insecure; /* on the way */
	uint16_t rcode;
	bool has_data;
	const struct signed_set *data;
};

static void find_truth(const uint8_t *asked, uint16_t type, struct truth *t)
{
	uint8_t name[NAME_MAX_LEN], wild[NAME_MAX_LEN], next[NAME_MAX_LEN];

	*t = (struct truth) { .rcode = RCODE_NOERROR };
	name_lower(name, asked);
	for (unsigned links = 0; links < 12; links++) {
		int zone = zone_of(name, type);
		struct signed_zone *z = f.zones[zone];
		const struct signed_set *s = NULL;
		const uint8_t *at = name;
		bool aliased = false;

		if (may_be_insecure(zone, name, type)) {
			t->may_be_insecure = true;
			if (signed_zone_cut(z, name, type) != NULL || !is_trusted(zone))
				return;
		}
		for (unsigned l = name_labels(signed_zone_apex(z)); l < name_labels(name); l++) {
			s = signed_zone_find(z, name_suffix(name, l), TYPE_DNAME);
			if (s != NULL) {
				size_t prefix = name_len(name) - name_len(s->owner);

				memcpy(next, name, prefix);
				memcpy(next + prefix, s->rr[0].data, s->rr[0].len);
				aliased = true;
				break;
			}
		}
		if (aliased) {
			name_lower(name, next);
			if (type == TYPE_CNAME) {
				t->has_data = true;
				return;
			}
			continue;
		}
		if (!exists(zone, name)) {
			if (!signed_zone_wildcard(z, name, wild)) {
				t->rcode = RCODE_NXDOMAIN;
				return;
			}
			at = wild;
		}
		s = signed_zone_find(z, at, type);
		if (s != NULL && !(at == wild && type == TYPE_DS)) {
			t->has_data = true;
			t->data = s;
			return;
		}
		s = signed_zone_find(z, at, TYPE_CNAME);
		if (s == NULL)
			return;
		name_lower(name, s->rr[0].data);
	}
}

/* ---- the wire ---- */

static unsigned put_as(struct wire_writer *w, const struct signed_set *s, const uint8_t *owner,
		       uint16_t type, const struct signed_set *sigs_of)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n + (sigs_of != NULL ? sigs_of->n_sig : 0); i++) {
		const struct rdata *rr = i < s->n ? &s->rr[i] : &sigs_of->sig[i - s->n];
		uint8_t head[WIRE_RR_FIXED];

		if (w->len + 700 + rr->len > MESSAGE)
			break;
		(void)wire_put_fixed(head, i < s->n ? type : TYPE_RRSIG, s->ttl, rr->len);
		ck_assert_int_eq(wire_write_bytes(w, owner, name_len(owner)), E_OK);
		ck_assert_int_eq(wire_write_bytes(w, head, sizeof(head)), E_OK);
		ck_assert_int_eq(wire_write_bytes(w, rr->data, rr->len), E_OK);
		n++;
	}
	return n;
}

static unsigned put(struct wire_writer *w, const struct signed_set *s)
{
	return put_as(w, s, s->owner, s->type, s);
}

static uint16_t truly(struct wire_writer *w, const uint8_t *name, uint16_t type, unsigned n[2])
{
	const struct signed_set *proofs[SIGNED_PROOFS_MAX], *s;
	int zone = zone_of(name, type);
	struct signed_zone *z = f.zones[zone];
	uint8_t wild[NAME_MAX_LEN];
	uint16_t rcode = RCODE_NOERROR;
	const uint8_t *at = name, *cut = signed_zone_cut(z, name, type);
	size_t n_proofs;

	if (cut != NULL) { /* no servers behind it: data nobody signed */
		static const uint8_t a[] = { 192, 0, 2, UNSIGNED };
		struct rdata rr = { a, 4 };
		struct signed_set fake = { .ttl = 60, .rr = &rr, .n = 1 };

		if (type == TYPE_A)
			n[0] += put_as(w, &fake, name, TYPE_A, NULL);
		return RCODE_NOERROR;
	}
	for (unsigned l = name_labels(signed_zone_apex(z)); l < name_labels(name); l++) {
		s = signed_zone_find(z, name_suffix(name, l), TYPE_DNAME);
		if (s != NULL) {
			n[0] += put(w, s);
			return rcode;
		}
	}
	if (!exists(zone, name)) {
		if (signed_zone_wildcard(z, name, wild))
			at = wild;
		else
			rcode = RCODE_NXDOMAIN;
	}
	s = signed_zone_find(z, at, type);
	if (s == NULL)
		s = signed_zone_find(z, at, TYPE_CNAME);
	if (s != NULL)
		n[0] += put_as(w, s, name, s->type, s);
	n_proofs = signed_zone_prove(z, name, type, proofs);
	if (s == NULL)
		n[1] += put(w, signed_zone_find(z, signed_zone_apex(z), TYPE_SOA));
	for (size_t i = 0; i < n_proofs; i++)
		if (proofs[i]->type != TYPE_SOA)
			n[1] += put(w, proofs[i]);
	return rcode;
}

static const struct signed_set *draw(const uint8_t *name, bool is_denial)
{
	const struct signed_set *s = NULL;

	for (unsigned tries = 0; tries < 60; tries++) {
		s = f.pool[rnd(f.n_pool)];
		if (is_denial != rrtype_is_denial(s->type))
			continue;
		/* mostly of zones that the name is in */
		if (rnd(10) > 0 && name_common_labels(s->owner, name) == 0 && rnd(3) > 0)
			continue;
		break;
	}
	return s;
}

static bool is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

/* The NSEC of a wildcard, which verifies under any name that is made of it: before that itself. */
static unsigned put_expanded(struct wire_writer *w, const struct signed_set *s)
{
	uint8_t owner[2 + NAME_MAX_LEN] = { 1, '!' };

	(void)name_copy(owner + 2, name_parent(s->owner));
	return put_as(w, s, owner, s->type, s);
}

static uint16_t falsely(struct wire_writer *w, const uint8_t *name, uint16_t type, unsigned n[2])
{
	static const uint8_t evil[] = { 192, 0, 2, FORGED };
	struct rdata rr = { evil, 4 }, ns = { (const uint8_t *)"\2ns", 4 };
	struct signed_set fake = { .ttl = 600, .rr = &rr, .n = 1 };
	unsigned what = rnd(8), n_denials = rnd(6);
	const struct signed_set *s;
	int zone = (int)rnd(ZONES);

	if (what == 0) {
		n[0] += put_as(w, &fake, name, TYPE_A, rnd(2) ? draw(name, false) : NULL);
	} else if (what == 1) {
		/* another's data under this name, with their signatures */
		s = draw(name, false);
		n[0] += put_as(w, s, name, s->type, s);
	} else if (what == 2) {
		s = draw(name, rnd(4) == 0);
		n[0] += put(w, s);
		if (rnd(2)) {
			s = draw(name, false);
			n[0] += put(w, s);
		}
	} else if (what == 3) {
		unsigned labels = name_labels(name);

		fake.rr = &ns;
		n[1] += put_as(w, &fake, name_suffix(name, labels == 0 ? 0 : rnd(labels) + 1),
			       TYPE_NS, NULL);
	} else if (what == 4) {
		for (unsigned i = 0; i < 30; i++) {
			s = draw(name, false);
			if (is_wildcard(s->owner))
				break;
		}
		n[0] += put_as(w, s, name, s->type, s);
	}
	if (what >= 5 && rnd(4) > 0) {
		if (rnd(3) > 0)
			zone = zone_of(name, rnd(2) ? TYPE_DS : type);
		s = signed_zone_find(f.zones[zone], signed_zone_apex(f.zones[zone]), TYPE_SOA);
		if (rnd(8) == 0)
			n[1] += put_as(w, s, name, TYPE_SOA, rnd(2) ? s : NULL);
		else
			n[1] += put(w, s);
	}
	for (unsigned i = 0; i < n_denials; i++) {
		s = draw(name, true);
		n[1] += rnd(3) == 0 && is_wildcard(s->owner) ? put_expanded(w, s) : put(w, s);
	}
	return rnd(2) ? RCODE_NXDOMAIN : RCODE_NOERROR;
}

static void reply(const struct sent *q)
{
	uint8_t name[NAME_MAX_LEN], wire_buf[MESSAGE];
	size_t question = WIRE_HEADER_LEN + name_len(q->wire + WIRE_HEADER_LEN) + 4;
	uint16_t type = wire_get_u16(q->wire + question - 4), rcode;
	unsigned n[2] = { 0, 0 };
	struct wire_writer w;

	name_lower(name, q->wire + WIRE_HEADER_LEN);
	wire_writer_init(&w, wire_buf, sizeof(wire_buf));
	ck_assert_int_eq(wire_write_bytes(&w, q->wire, question), E_OK);
	memset(wire_buf + 6, 0, 6);
	rcode = rnd(100) < f.lies ? falsely(&w, name, type, n) : truly(&w, name, type, n);
	wire_put_u16(wire_buf + 2, (uint16_t)(MSG_QR | (rnd(20) ? MSG_AA : 0) | rcode));
	wire_put_u16(wire_buf + 6, (uint16_t)n[0]);
	wire_put_u16(wire_buf + 8, (uint16_t)n[1]);
	(void)resolver_reply(still.r, q->q.ticket, wire_buf, w.len);
}

/* ---- judging ---- */

/* The first counts. */
static void wrong(const struct answer *a, const char *why)
{
	char text[NAME_TEXT_MAX], buf[RRTYPE_TEXT_MAX];

	if (f.wrong[0] == '\0')
		(void)snprintf(f.wrong, sizeof(f.wrong), "seed %u: %s %s: %s: %s, rcode %u", f.seed,
			       name_to_text(text, f.name), rrtype_to_text(f.type, buf), why,
			       security_text(a->security), a->rcode);
}

static void judge_secure(const struct answer *a, const struct truth *t)
{
	int zone = zone_of(f.name, f.type);

	if (!is_trusted(zone) || signed_zone_cut(f.zones[zone], f.name, f.type) != NULL)
		wrong(a, "nobody vouches for it");
	if (!t->may_be_insecure) {
		bool has_data = a->n_sets > 0 && a->sets[a->n_sets - 1]->type == f.type;

		if (a->rcode != t->rcode)
			wrong(a, "another rcode");
		else if (has_data != t->has_data)
			wrong(a, "data or none");
	}
	for (size_t i = 0; i < a->n_sets; i++) {
		struct rdata rr;
		size_t at = 0;

		while (rrset_next(a->sets[i], &at, &rr))
			if (a->sets[i]->type == TYPE_A &&
			    (rr.data[3] == FORGED || rr.data[3] == UNSIGNED))
				wrong(a, "data that nobody signed");
	}
}

static void done(void *ctx, const struct answer *a)
{
	struct truth t;

	(void)ctx;
	f.is_done = true;
	if (!f.is_judged || a->rcode == RCODE_SERVFAIL)
		return;
	find_truth(f.name, f.type, &t);
	if (a->security == SEC_SECURE) {
		f.n_secure++;
		judge_secure(a, &t);
	} else if (!t.may_be_insecure ||
		   (a->security != SEC_INSECURE && a->security != SEC_INDETERMINATE)) {
		wrong(a, "not secure");
	}
}

static void sign(int zone)
{
	for (int k = zone + 1; k < ZONES; k++)
		if (worlds[k].is_signed && zone_of(signed_zone_apex(f.zones[k]), TYPE_DS) == zone)
			signed_zone_delegate(f.zones[zone], f.zones[k], 2);
	signed_zone_sign(f.zones[zone],
			 &(struct sign_policy) {
				 .algorithm = ALGORITHM_ECDSAP256SHA256,
				 .number = (uint8_t)zone,
				 .denial = worlds[zone].denial,
				 .fault = worlds[zone].is_signed ? SIGN_NONE : SIGN_UNSIGNED,
				 .inception_s = still.wall_s - DAY,
				 .expiration_s = still.wall_s + DAY,
			 });
}

static void collect(const struct signed_set *s)
{
	if (s == NULL)
		return;
	ck_assert_uint_lt(f.n_pool, POOL_MAX);
	f.pool[f.n_pool++] = s;
}

/* All that was signed, and what else is there. */
static void collect_zone(int zone)
{
	const struct signed_set *s;

	for (size_t k = 0; (s = signed_zone_chain(f.zones[zone], k)) != NULL; k++)
		collect(s);
	for (unsigned h = 0; h < ARRAY_LEN(heads); h++)
		for (unsigned t = 0; t < ARRAY_LEN(types); t++) {
			char text[64];

			(void)snprintf(text, sizeof(text), "%s%s%s", heads[h],
				       *heads[h] != '\0' && zone != 0 ? "." : "",
				       worlds[zone].apex);
			collect(signed_zone_find(f.zones[zone], wire(text), types[t]));
		}
}

static void make_world(void)
{
	for (int i = 0; i < ZONES; i++) {
		f.zones[i] = signed_zone_new(wire(worlds[i].apex));
		ck_assert(signed_zone_read(f.zones[i], worlds[i].text));
	}
	for (int i = ZONES - 1; i >= 0; i--)
		sign(i);
	for (int i = 0; i < ZONES; i++)
		collect_zone(i);
}

static void ask(void)
{
	struct question q = { .name = f.name, .type = f.type, .validate = rnd(4) > 0 };

	f.is_done = false;
	f.is_judged = q.validate;
	resolver_ask(still.r, &q, done, NULL);
	for (unsigned i = 0; i < TURNS_MAX && !f.is_done; i++) {
		still.now_us += 9000;
		still_turn(reply);
	}
	ck_assert(f.is_done);
}

static int zone_at(const char *apex)
{
	int i = 0;

	while (strcmp(worlds[i].apex, apex) != 0)
		i++;
	return i;
}

static void trust(struct anchors *a, const struct signed_zone *z)
{
	uint8_t ds[SIGN_DS_MAX];
	size_t len = signed_zone_ds(z, 0, 2, ds);

	ck_assert_int_eq(anchors_add(a, signed_zone_apex(z), TYPE_DS, ds, len), E_OK);
}

static void play(unsigned seed)
{
	static const struct aggressive_config config = { .max_entries = 1000,
							 .min_nsec3_hit_ratio = 2000,
							 .max_nsec3_iterations = 50,
							 .max_nsec3_hash_cost = 150 };
	struct aggressive *aggressive = NULL;
	struct anchors *a = NULL;

	still_open();
	if (f.n_pool == 0)
		make_world();
	still.cfg.dnssec = DNSSEC_VALIDATE;
	still.cfg.max_qperq = 300;
	still.cfg.serve_special = false;
	still.cfg.qname_minimisation = seed % 3 == 0;
	still.cfg.nothing_below_nxdomain = seed % 2 ? NX_CUT_DNSSEC : NX_CUT_NO;
	still_resolver(NULL);
	ck_assert_int_eq(aggressive_new(&aggressive, &config), E_OK);
	resolver_set_aggressive(still.r, aggressive);
	ck_assert_int_eq(anchors_new(&a), E_OK);
	for (int i = 0; i < ZONES; i++)
		if (f.has_islands ? i == zone_at("a.") || i == zone_at("sub.b.") : i == 0)
			trust(a, f.zones[i]);
	resolver_set_anchors(still.r, a);
	anchors_put(a);
	f.rng = seed * 7919u + 1;
	f.seed = seed;
	f.lies = (seed % 5) * 24;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		char text[128];
		const char *h = heads[rnd(ARRAY_LEN(heads))], *t = tails[rnd(ARRAY_LEN(tails))];

		(void)snprintf(text, sizeof(text), "%s%s%s.", h, *h && *t ? "." : "", t);
		if (strcmp(text, "..") == 0)
			continue;
		name_lower(f.name, wire(text));
		f.type = types[rnd(ARRAY_LEN(types))];
		ask();
		if (rnd(6) == 0)
			still.now_us += 400000000;
	}
	still_close();
	aggressive_free(aggressive);
}

static void play_all(unsigned seeds)
{
	for (unsigned seed = 0; seed < seeds; seed++)
		play(seed);
	play(AN_ALIAS_AT_AN_ANCHOR);
	ck_assert_str_eq(f.wrong, "");
	for (int i = 0; i < ZONES; i++)
		signed_zone_free(f.zones[i]);
}

START_TEST(what_is_replayed_proves_nothing_false)
{
	memset(&f, 0, sizeof(f));
	play_all(SEEDS);
	/* Most of what is true gets through. */
	ck_assert_uint_gt(f.n_secure, SEEDS * QUESTIONS / 4);
}
END_TEST

START_TEST(nor_does_who_is_above_an_anchor)
{
	memset(&f, 0, sizeof(f));
	f.has_islands = true;
	play_all(SEEDS_OF_ISLANDS);
	ck_assert_uint_gt(f.n_secure, SEEDS_OF_ISLANDS * QUESTIONS / 16);
}
END_TEST

Suite *suite_replay(void);

Suite *suite_replay(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_is_replayed_proves_nothing_false);
	tcase_add_test(t, nor_does_who_is_above_an_anchor);
	suite_add_tcase(s, t);
	return s;
}
