/* The replies that a copy gives, beside what the signer of the zone says belongs to them: with NSEC, NSEC3 and
 * opt-out, every name and type.  That resolvers take them is tests/sim's to show (copy_*.rpl). */
#include "recursor/resolve/zonecopy.h"

#include <check.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/resolve/copies.h"
#include "recursor/resolve/dnssec/limits.h"
#include "tests/signer/zone.h"
#include "tests/unit/copy_text.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, DAY = 86400 };

static const char records[] = "example. 3600 IN SOA ns.example. host.example. 1 2 3 4 300\n"
			      "example. 3600 IN NS ns.example.\n"
			      "ns.example. 300 IN A 192.0.2.1\n"
			      "www.example. 300 IN A 192.0.2.3\n"
			      "alias.example. 60 IN CNAME www.example.\n"
			      "a.b.c.example. 60 IN TXT \"deep\"\n"
			      "*.wild.example. 60 IN TXT \"any\"\n"
			      "moved.example. 60 IN DNAME www.example.\n"
			      "sec.example. 60 IN NS ns.sec.example.\n"
			      "sec.example. 60 IN DS 1 13 2 "
			      "0102030405060708090A0B0C0D0E0F100102030405060708090A0B0C0D0E0F10\n"
			      "ns.sec.example. 60 IN A 192.0.2.54\n"
			      "insec.example. 60 IN NS ns.insec.example.\n"
			      "ns.insec.example. 60 IN A 192.0.2.55\n";

static const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
static const char *const names[] = {
	"example",          "ns.example",      "www.example",       "x.www.example",
	"alias.example",    "c.example",       "b.c.example",       "a.b.c.example",
	"x.c.example",      "wild.example",    "x.wild.example",    "*.wild.example",
	"y.x.wild.example", "sec.example",     "x.sec.example",     "insec.example",
	"x.insec.example",  "nothing.example", "x.nothing.example", "0.example",
	"zzz.example",
};
static const uint16_t types[] = { TYPE_A, TYPE_NS, TYPE_TXT, TYPE_DS, TYPE_MX };

static void add(struct zonecopy *z, const struct signed_set *s)
{
	char why[ZONECOPY_WHY_MAX];

	for (size_t i = 0; i < s->n; i++)
		ck_assert_int_eq(zonecopy_add(z, s->owner, s->type, s->ttl, s->rr[i].data,
					      s->rr[i].len, why),
				 E_OK);
	for (size_t i = 0; i < s->n_sig; i++)
		ck_assert_int_eq(zonecopy_add(z, s->owner, TYPE_RRSIG, s->ttl, s->sig[i].data,
					      s->sig[i].len, why),
				 E_OK);
}

static struct zonecopy *copy_of(struct signed_zone *from)
{
	static const uint16_t all[] = { TYPE_SOA,   TYPE_NS, TYPE_A,      TYPE_CNAME,     TYPE_TXT,
					TYPE_DNAME, TYPE_DS, TYPE_DNSKEY, TYPE_NSEC3PARAM };
	static const char *const more[] = { "moved.example", "ns.sec.example", "ns.insec.example" };
	char why[ZONECOPY_WHY_MAX];
	struct zonecopy *z = NULL;
	const struct signed_set *s;

	ck_assert_int_eq(zonecopy_new(&z, wire("example"), 0), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(names) + ARRAY_LEN(more); i++)
		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			const char *name = i < ARRAY_LEN(names) ? names[i]
								: more[i - ARRAY_LEN(names)];

			s = signed_zone_find(from, wire(name), all[k]);
			if (s != NULL)
				add(z, s);
		}
	for (size_t i = 0; (s = signed_zone_chain(from, i)) != NULL; i++)
		add(z, s);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_OK);
	return z;
}

static unsigned count(const uint8_t *reply, size_t len, const uint8_t *owner, uint16_t type)
{
	struct msg_rr rr;
	struct msg m;
	unsigned n = 0;

	ck_assert_int_eq(msg_open(&m, reply, len), E_OK);
	while (msg_next(&m, &rr) == E_OK)
		n += rr.type == type && name_equal(rr.owner, owner);
	return n;
}

static void compare(struct signed_zone *from, const struct zonecopy *z, const char *text,
		    uint16_t type)
{
	const struct signed_set *proofs[SIGNED_PROOFS_MAX];
	const uint8_t *name = wire(text);
	static uint8_t reply[WIRE_MSG_MAX];
	size_t len = 0, n;

	if (type == TYPE_DS && strcmp(text, "example") == 0) {
		ck_assert_int_eq(zonecopy_reply(z, name, type, &limits, reply, sizeof(reply), &len),
				 E_UNSUPPORTED);
		return;
	}
	ck_assert_int_eq(zonecopy_reply(z, name, type, &limits, reply, sizeof(reply), &len), E_OK);
	n = signed_zone_prove(from, name, type, proofs);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(count(reply, len, proofs[i]->owner, proofs[i]->type) > 0 &&
				      count(reply, len, proofs[i]->owner, TYPE_RRSIG) > 0,
			      "%s %u: proof %zu of %zu", text, type, i, n);
}

static struct signed_zone *sign(enum sign_denial denial, uint16_t iterations)
{
	struct signed_zone *z = signed_zone_new(wire("example"));

	ck_assert(signed_zone_read(z, records));
	signed_zone_sign(z, &(struct sign_policy) {
				    .algorithm = 13,
				    .denial = denial,
				    .iterations = iterations,
				    .inception_s = NOW - DAY,
				    .expiration_s = NOW + DAY,
			    });
	return z;
}

START_TEST(proofs)
{
	struct signed_zone *from = sign((enum sign_denial)_i, 1);
	struct zonecopy *z = copy_of(from);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(types); k++)
			compare(from, z, names[i], types[k]);
	zonecopy_put(z);
	signed_zone_free(from);
}
END_TEST

/* More iterations than validators hear of: the zone's servers may hash. */
START_TEST(iterations)
{
	struct signed_zone *from = sign(SIGN_NSEC3, 51);
	struct zonecopy *z = copy_of(from);
	struct dnssec_limits few = limits;
	uint8_t reply[4096];
	size_t len;

	ck_assert_int_eq(zonecopy_reply(z, wire("x.example"), TYPE_A, &limits, reply, 4096, &len),
			 E_UNSUPPORTED);
	few.nsec3_max_iterations = 51;
	ck_assert_int_eq(zonecopy_reply(z, wire("x.example"), TYPE_A, &few, reply, 4096, &len),
			 E_OK);
	ck_assert_int_eq(zonecopy_reply(z, wire("x.example"), TYPE_A, &few, reply, 400, &len),
			 E_TOO_LONG);
	zonecopy_put(z);
	signed_zone_free(from);
}
END_TEST

START_TEST(which_copy)
{
	struct zonecopy *root = copy_text(".", ". 60 IN SOA a. b. 1 2 3 4 5\n. 60 IN NS a.\n");
	struct zonecopy *deep = copy_text("example",
					  "@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\n");
	struct copies *c = NULL;

	ck_assert_ptr_null(copies_find(NULL, name_root, NOW));
	ck_assert_int_eq(copies_new(&c), E_OK);
	ck_assert_int_eq(copies_add(c, root, NOW + 10), E_OK);
	ck_assert_int_eq(copies_add(c, deep, NOW + 5), E_OK);
	ck_assert_int_eq(copies_add(c, deep, NOW), E_EXISTS);
	ck_assert_ptr_eq(copies_find(c, name_root, NOW), root);
	ck_assert_ptr_null(copies_find(c, name_root, NOW + 10));
	ck_assert_ptr_null(copies_find(c, wire("www.example"), NOW));
	ck_assert_ptr_eq(copies_enclosing(c, wire("www.example"), TYPE_A, NOW), deep);
	ck_assert_ptr_eq(copies_enclosing(c, wire("www.other"), TYPE_A, NOW), root);
	ck_assert_ptr_eq(copies_enclosing(c, wire("example"), TYPE_DS, NOW), root);
	ck_assert_ptr_eq(copies_enclosing(c, wire("www.example"), TYPE_A, NOW + 5), root);
	ck_assert(copies_set_expiry(c, wire("example"), NOW + 60));
	ck_assert(!copies_set_expiry(c, wire("other"), NOW + 60));
	ck_assert_ptr_eq(copies_find(c, wire("example"), NOW + 59), deep);
	copies_put(c);
	zonecopy_put(root);
	zonecopy_put(deep);
}
END_TEST

/* RFC 5155 7.2.8: the name of a hash is none of the zone's. */
START_TEST(hashes_are_no_names)
{
	struct signed_zone *from = sign(SIGN_NSEC3, 1);
	struct zonecopy *z = copy_of(from);
	const struct signed_set *s;
	uint8_t reply[4096];
	size_t len;

	for (size_t i = 0; (s = signed_zone_chain(from, i)) != NULL; i++) {
		ck_assert_int_eq(zonecopy_reply(z, s->owner, TYPE_A, &limits, reply, 4096, &len),
				 E_OK);
		ck_assert_uint_eq(reply[3] & 15, RCODE_NXDOMAIN);
	}
	zonecopy_put(z);
	signed_zone_free(from);
}
END_TEST

START_TEST(what_is_no_zone)
{
	static const uint8_t ns[] = { 2, 'n', 's', 0 };
	char why[ZONECOPY_WHY_MAX];
	struct zonecopy *z = NULL;

	ck_assert_int_eq(zonecopy_new(&z, wire("example"), 0), E_OK);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_MALFORMED);
	ck_assert_str_eq(why, "the zone has no SOA record");
	zonecopy_put(z);

	ck_assert_int_eq(zonecopy_new(&z, wire("example"), 0), E_OK);
	ck_assert_int_eq(zonecopy_add(z, wire("example"), TYPE_NS, 60, ns, sizeof(ns), why), E_OK);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_MALFORMED);
	ck_assert_str_eq(why, "the zone has no SOA record");
	zonecopy_put(z);
}
END_TEST

static void put(struct zonecopy *z, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
		uint16_t len)
{
	char why[ZONECOPY_WHY_MAX];

	ck_assert_int_eq(zonecopy_add(z, owner, type, 60, rdata, len, why), E_OK);
}

static struct zonecopy *begin(size_t max_bytes)
{
	static const uint8_t soa[22], ns[] = { 2, 'n', 's', 0 };
	struct zonecopy *z = NULL;

	ck_assert_int_eq(zonecopy_new(&z, name_root, max_bytes), E_OK);
	put(z, name_root, TYPE_SOA, soa, sizeof(soa));
	put(z, name_root, TYPE_NS, ns, sizeof(ns));
	return z;
}

/* Of the many RRSIGs of one name those of the type, wherever they stand among them. */
START_TEST(many_signatures)
{
	static uint8_t reply[WIRE_MSG_MAX];
	static const uint16_t first = 300, last = 799;
	enum { COVERED = 500, EACH = 3 };
	char why[ZONECOPY_WHY_MAX];
	struct zonecopy *z = begin(0);
	size_t len;

	for (unsigned i = 0; i < COVERED * EACH; i++) {
		uint8_t sig[20] = { 0 };
		unsigned type = 1 + i * 7 % COVERED;

		sig[0] = (uint8_t)(type >> 8);
		sig[1] = (uint8_t)type;
		sig[19] = (uint8_t)(i / COVERED);
		put(z, name_root, TYPE_RRSIG, sig, sizeof(sig));
	}
	for (uint16_t type = first; type <= last; type++)
		put(z, name_root, type, name_root, 1);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_OK);
	for (uint16_t type = first; type <= last; type++) {
		ck_assert_int_eq(
			zonecopy_reply(z, name_root, type, &limits, reply, sizeof(reply), &len),
			E_OK);
		ck_assert_uint_eq(count(reply, len, name_root, type), 1);
		ck_assert_uint_eq(count(reply, len, name_root, TYPE_RRSIG),
				  type <= COVERED ? EACH : 0);
	}
	zonecopy_put(z);
}
END_TEST

enum { HOSTS = 10000 };

/* As many names as that, each twice. */
static struct zonecopy *many(size_t max_bytes, int *err)
{
	struct zonecopy *z = begin(max_bytes);
	char why[ZONECOPY_WHY_MAX];

	*err = E_OK;
	for (unsigned i = 0; i < 2 * HOSTS && *err == E_OK; i++) {
		unsigned host = i * 7919 % HOSTS;
		uint8_t rdata[] = { 10, 0, (uint8_t)(host >> 8), (uint8_t)host };
		uint8_t owner[] = { 5, 'a', 'a', 'a', 'a', 'a', 0 };

		for (size_t k = 5; k > 0; k--, host /= 10)
			owner[k] = (uint8_t)('a' + host % 10);
		*err = zonecopy_add(z, owner, TYPE_A, 60, rdata, sizeof(rdata), why);
	}
	return z;
}

struct walked {
	unsigned n;
	uint8_t last[NAME_MAX_LEN];
};

static void walk_host(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		      const struct rdata *rr)
{
	struct walked *w = ctx;

	(void)ttl;
	(void)rr;
	if (type != TYPE_A)
		return;
	ck_assert_int_lt(name_compare(w->last, owner), 0);
	(void)name_copy(w->last, owner);
	w->n++;
}

static bool go_on(void *ctx)
{
	unsigned *left = ctx;

	return (*left)-- > 0;
}

/* More than one run, in any order; it may be left at any time. */
START_TEST(many_records)
{
	struct walked w = { .n = 0, .last = { 0 } };
	char why[ZONECOPY_WHY_MAX];
	unsigned asks = 0;
	struct zonecopy *z;
	int err;

	for (;; asks++) {
		unsigned left = asks;
		const struct zonefile_leave leave = { go_on, &left };

		z = many(0, &err);
		ck_assert_int_eq(err, E_OK);
		err = zonecopy_finish(z, &leave, why);
		if (err == E_OK)
			break;
		ck_assert_int_eq(err, E_STOPPED);
		zonecopy_put(z);
	}
	/* 20 runs, 5 times merged, then walked through three times. */
	ck_assert_uint_gt(asks, 140);
	ck_assert_uint_eq(zonecopy_records(z), HOSTS + 2);
	ck_assert_int_eq(zonecopy_walk(z, NULL, walk_host, &w), E_OK);
	ck_assert_uint_eq(w.n, HOSTS);
	asks = 5;
	ck_assert_int_eq(zonecopy_walk(z, &(struct zonefile_leave) { go_on, &asks }, walk_host,
				       &(struct walked) { .n = 0 }),
			 E_STOPPED);
	zonecopy_put(z);
}
END_TEST

/* The index counts, too: a limit that the records alone would fit into. */
START_TEST(limits_of_size)
{
	enum { RECORDS = 44 + 2 * HOSTS * (7 + 8 + 4) };
	char why[ZONECOPY_WHY_MAX];
	struct zonecopy *z;
	size_t whole;
	int err;

	z = many(0, &err);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_OK);
	whole = zonecopy_bytes(z);
	zonecopy_put(z);

	z = many(RECORDS, &err);
	ck_assert_int_eq(err, E_LIMIT);
	zonecopy_put(z);
	z = many(RECORDS + (2 * HOSTS + 3) * sizeof(uint32_t), &err);
	ck_assert_int_eq(err, E_OK);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_LIMIT);
	ck_assert_str_eq(why, "the zone is larger than it may be (maxReceivedMBytes)");
	zonecopy_put(z);
	z = many(whole, &err);
	ck_assert_int_eq(err, E_OK);
	ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_OK);
	ck_assert_uint_le(zonecopy_bytes(z), whole);
	zonecopy_put(z);
}
END_TEST

/* Opt-out, and no NSEC3 on the way up from a name of 126 labels: dear where the iterations are many. */
START_TEST(much_hashing)
{
	static const uint16_t rounds[] = { 0, 50 };
	static uint8_t reply[WIRE_MSG_MAX];
	uint8_t name[NAME_MAX_LEN], param[] = { 1, 0, 0, 0, 0 }, nsec3[29] = { 1, 0, 0, 0, 0, 20 };
	size_t len = 0;

	while (len < 250) {
		name[len++] = 1;
		name[len++] = 'a';
	}
	name[len] = 0;
	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		char why[ZONECOPY_WHY_MAX];
		struct zonecopy *z = begin(0);

		param[3] = nsec3[3] = (uint8_t)rounds[i];
		put(z, name_root, TYPE_NSEC3PARAM, param, sizeof(param));
		put(z, wire("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"), TYPE_NSEC3, nsec3, sizeof(nsec3));
		put(z, name, TYPE_A, name, 4);
		ck_assert_int_eq(zonecopy_finish(z, NULL, why), E_OK);
		ck_assert_int_eq(
			zonecopy_reply(z, name, TYPE_MX, &limits, reply, sizeof(reply), &len),
			rounds[i] == 0 ? E_OK : E_UNSUPPORTED);
		zonecopy_put(z);
	}
}
END_TEST

static void setup(void)
{
	hash_key_set(1, 2);
}

Suite *suite_zonecopy(void);
Suite *suite_zonecopy(void)
{
	Suite *s = suite_create("zonecopy");
	TCase *t = tcase_create("zonecopy");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, proofs, SIGN_NSEC, SIGN_OPT_OUT + 1);
	tcase_add_test(t, iterations);
	tcase_add_test(t, which_copy);
	tcase_add_test(t, hashes_are_no_names);
	tcase_add_test(t, what_is_no_zone);
	tcase_add_test(t, many_signatures);
	tcase_add_test(t, many_records);
	tcase_add_test(t, limits_of_size);
	tcase_add_test(t, much_hashing);
	suite_add_tcase(s, t);
	return s;
}
