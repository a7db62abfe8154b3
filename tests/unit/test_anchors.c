#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000 };

/* The root's keys as dns-root-data publishes them. */
#define KEY_2017                                                                                   \
	"257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLA" \
	"Jr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF" \
	"0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTId" \
	"sIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV7" \
	"4bU="
#define KEY_2024                                                                                   \
	"257 3 8 AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBo" \
	"sZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+s" \
	"iFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGO" \
	"HOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73" \
	"PYc="
/* RFC 4034 5.4: the key and the tag; RFC 4509 2.3: its SHA-256 DS. */
#define KEY_RFC                                                                                    \
	"256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYw" \
	"YqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/r" \
	"ljwvFw=="

static struct anchors *anchors;

static void setup(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(anchors_new(&anchors), E_OK);
}

static void teardown(void)
{
	anchors_put(anchors);
}

static uint16_t rdata(uint8_t out[WIRE_MSG_MAX], uint16_t type, const char *text)
{
	char why[RDATA_TEXT_WHY_MAX];
	uint16_t len;

	ck_assert_int_eq(rdata_from_text(out, &len, type, text, NULL, why), E_OK);
	return len;
}

static int add(const char *owner, uint16_t type, const char *text)
{
	static uint8_t bytes[WIRE_MSG_MAX];
	uint16_t len = rdata(bytes, type, text);

	return anchors_add(anchors, wire(owner), type, bytes, len);
}

static void trust(const char *owner)
{
	ck_assert_int_eq(
		add(owner, TYPE_DS,
		    "1 13 2 000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F"),
		E_OK);
}

static void distrust(const char *owner, uint32_t expires_s)
{
	ck_assert_int_eq(anchors_add_nta(anchors, wire(owner), "why", expires_s), E_OK);
}

/* At time 1000 the name is under what `at` has. */
static void found(const char *asked, enum anchoring how, const char *at)
{
	const struct anchor *out = NULL;
	char text[NAME_TEXT_MAX];

	ck_assert_int_eq(anchors_find(anchors, wire(asked), 1000, &out), how);
	if (at == NULL) {
		ck_assert_ptr_null(out);
		return;
	}
	ck_assert_ptr_nonnull(out);
	ck_assert_str_eq(name_to_text(text, out->name), at);
}

START_TEST(the_roots_keys_are_built_in)
{
	static const char *const keys[] = { KEY_2017, KEY_2024 };
	struct anchors *built_in = NULL;
	const struct anchor *root;
	struct anchors *read = anchors;

	ck_assert_int_eq(anchors_new_builtin(&built_in), E_OK);
	ck_assert_uint_eq(anchors_count(built_in), 1);
	root = anchors_exact(built_in, name_root);
	ck_assert_ptr_nonnull(root);
	ck_assert_ptr_null(root->nta);
	ck_assert_int_eq(root->ds->n_rr, 2);
	ck_assert_int_eq(root->ds->rank, RANK_LOCAL);
	ck_assert(!rrset_is_expired(root->ds, UINT32_MAX - 1));
	/* Their DS are those of the keys. */
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_int_eq(add(".", TYPE_DNSKEY, keys[i]), E_OK);
	ck_assert(rrset_equal_data(root->ds, anchors_exact(read, name_root)->ds));
	anchors_put(built_in);
}
END_TEST

START_TEST(a_key_becomes_its_ds)
{
	static uint8_t key[WIRE_MSG_MAX], ds[WIRE_MSG_MAX];
	uint8_t made[ANCHORS_DS_LEN];
	uint16_t len = rdata(key, TYPE_DNSKEY, KEY_RFC);

	ck_assert_int_eq(anchors_ds_of(made, wire("DSkey.example.COM."), key, len), E_OK);
	ck_assert_uint_eq(rdata(ds, TYPE_DS,
				"60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B838"
				"3F6A1E4469DA50A"),
			  sizeof(made));
	ck_assert_mem_eq(made, ds, sizeof(made));
}
END_TEST

START_TEST(what_is_no_anchor_is_refused)
{
	static const struct {
		uint16_t type;
		const char *text, *why;
	} bad[] = {
		{ TYPE_DS, "1 13 2 0001", "length" },
		{ TYPE_DS, "1 13 1 0001", "length" },
		{ TYPE_DS, "1 13 4 0001", "length" },
		{ TYPE_DNSKEY, "0 3 13 AAAA", "zone key" },
		{ TYPE_DNSKEY, "385 3 13 AAAA", "revoked" },
		{ TYPE_DNSKEY, "257 2 13 AAAA", "protocol" },
		{ TYPE_A, "192.0.2.1", "neither" },
	};
	static uint8_t bytes[WIRE_MSG_MAX];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint16_t len = rdata(bytes, bad[i].type, bad[i].text);
		const char *why = anchors_refuse(bad[i].type, bytes, len);

		ck_assert_ptr_nonnull(why);
		ck_assert_msg(strstr(why, bad[i].why) != NULL, "%s", why);
		ck_assert_int_eq(anchors_add(anchors, wire("a."), bad[i].type, bytes, len),
				 E_MALFORMED);
	}
	for (size_t len = 0; len <= 4; len++) {
		ck_assert_int_eq(anchors_add(anchors, wire("a."), TYPE_DS, bytes, len),
				 E_MALFORMED);
		ck_assert_int_eq(anchors_add(anchors, wire("a."), TYPE_DNSKEY, bytes, len),
				 E_MALFORMED);
	}
	ck_assert_uint_eq(anchors_count(anchors), 0);
	/* A digest that nobody knows may become known. */
	ck_assert_int_eq(add("a.", TYPE_DS, "1 13 99 0001"), E_OK);
}
END_TEST

START_TEST(nothing_is_found_where_nothing_is)
{
	struct anchors *own = anchors;

	found("www.example.", ANCHORING_NONE, NULL);
	anchors = NULL;
	found("www.example.", ANCHORING_NONE, NULL);
	ck_assert_uint_eq(anchors_count(NULL), 0);
	ck_assert_ptr_null(anchors_exact(NULL, name_root));
	anchors = own;
	trust("example.");
	found(".", ANCHORING_NONE, NULL);
	found("net.", ANCHORING_NONE, NULL);
	found("aexample.", ANCHORING_NONE, NULL);
}
END_TEST

START_TEST(the_deepest_counts)
{
	trust(".");
	trust("signed.example.");
	distrust("example.", 0);
	distrust("bad.signed.example.", 0);
	found(".", ANCHORING_TRUST, ".");
	found("net.", ANCHORING_TRUST, ".");
	found("example.", ANCHORING_NEGATIVE, "example.");
	found("a.b.Example.", ANCHORING_NEGATIVE, "example.");
	found("signed.example.", ANCHORING_TRUST, "signed.example.");
	found("www.SIGNED.example.", ANCHORING_TRUST, "signed.example.");
	found("x.bad.signed.example.", ANCHORING_NEGATIVE, "bad.signed.example.");
	/* At one name the negative one. */
	distrust("Signed.example.", 0);
	found("signed.example.", ANCHORING_NEGATIVE, "signed.example.");
	ck_assert(anchors_clear_nta(anchors, wire("signed.EXAMPLE.")));
	found("signed.example.", ANCHORING_TRUST, "signed.example.");
	distrust(".", 0);
	found("net.", ANCHORING_NEGATIVE, ".");
}
END_TEST

START_TEST(a_negative_one_may_expire)
{
	trust(".");
	distrust("example.", 1000);
	distrust("sub.example.", 1001);
	found("example.", ANCHORING_TRUST, ".");
	found("a.sub.example.", ANCHORING_NEGATIVE, "sub.example.");
	/* It is there until somebody takes it away. */
	ck_assert_ptr_nonnull(anchors_exact(anchors, wire("example."))->nta);
	distrust("example.", 0);
	found("example.", ANCHORING_NEGATIVE, "example.");
}
END_TEST

START_TEST(they_come_and_go)
{
	static const char *const order[] = { ".", "example.", "a.example.", "z.example.", "net." };

	for (size_t i = ARRAY_LEN(order); i-- > 0;)
		if (i % 2 == 0)
			trust(order[i]);
		else
			distrust(order[i], 0);
	trust("example.");
	ck_assert_uint_eq(anchors_count(anchors), ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		ck_assert(name_equal(anchors_at(anchors, i)->name, wire(order[i])));
	ck_assert(!anchors_clear(anchors, wire("z.example.")));
	ck_assert(!anchors_clear(anchors, wire("none.")));
	ck_assert(!anchors_clear_nta(anchors, wire("net.")));
	/* The name of one that had both stands in the other then. */
	ck_assert(anchors_clear(anchors, wire("example.")));
	found("x.example.", ANCHORING_NEGATIVE, "example.");
	ck_assert(anchors_clear_nta(anchors, wire("example.")));
	ck_assert_ptr_null(anchors_exact(anchors, wire("example.")));
	found("x.example.", ANCHORING_TRUST, ".");
	/* By the name that it has itself. */
	while (anchors_count(anchors) > 0) {
		const uint8_t *first = anchors_at(anchors, 0)->name;

		if (!anchors_clear(anchors, first))
			ck_assert(anchors_clear_nta(anchors, first));
	}
	found("net.", ANCHORING_NONE, NULL);
}
END_TEST

START_TEST(records_of_a_name_are_added_up)
{
	char text[64];

	trust("example.");
	trust("EXAMPLE.");
	ck_assert_int_eq(anchors_exact(anchors, wire("example."))->ds->n_rr, 1);
	for (int i = 2; i <= ANCHORS_RECORDS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%d 13 99 00", i);
		ck_assert_int_eq(add("example.", TYPE_DS, text), E_OK);
	}
	ck_assert_int_eq(anchors_exact(anchors, wire("example."))->ds->n_rr, ANCHORS_RECORDS_MAX);
	ck_assert_int_eq(add("example.", TYPE_DS, "9999 13 99 00"), E_LIMIT);
	trust("example."); /* which it has */
	ck_assert_int_eq(anchors_exact(anchors, wire("example."))->ds->n_rr, ANCHORS_RECORDS_MAX);
}
END_TEST

START_TEST(there_is_a_limit)
{
	char text[32];

	for (int i = 0; i < ANCHORS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "n%d.example.", i * 7919 % ANCHORS_MAX);
		distrust(text, 0);
	}
	ck_assert_uint_eq(anchors_count(anchors), ANCHORS_MAX);
	ck_assert_int_eq(anchors_add_nta(anchors, wire("one.more."), "", 0), E_LIMIT);
	ck_assert_int_eq(add("one.more.", TYPE_DS, "1 13 99 00"), E_LIMIT);
	distrust("n17.example.", 5); /* which it has */
	trust("n18.example.");
	found("a.n18.example.", ANCHORING_NEGATIVE, "n18.example.");
	ck_assert(anchors_clear_nta(anchors, wire("n17.example.")));
	ck_assert_int_eq(anchors_add_nta(anchors, wire("one.more."), "", 0), E_OK);
}
END_TEST

START_TEST(reasons_are_kept_and_cut)
{
	char text[2 * ANCHORS_REASON_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(anchors_add_nta(anchors, wire("a."), text, 7), E_OK);
	ck_assert_uint_eq(strlen(anchors_exact(anchors, wire("a."))->nta->reason),
			  ANCHORS_REASON_MAX - 1);
	ck_assert_uint_eq(anchors_exact(anchors, wire("a."))->nta->expires_s, 7);
	ck_assert_int_eq(anchors_add_nta(anchors, wire("a."), "", 0), E_OK);
	ck_assert_str_eq(anchors_exact(anchors, wire("a."))->nta->reason, "");
}
END_TEST

START_TEST(a_copy_is_one_of_its_own)
{
	struct anchors *copy = NULL;

	trust(".");
	trust("both.");
	distrust("both.", 0);
	ck_assert_int_eq(anchors_copy(&copy, anchors), E_OK);
	ck_assert(anchors_clear(anchors, name_root));
	ck_assert(anchors_clear(anchors, wire("both.")));
	ck_assert(anchors_clear_nta(anchors, wire("both.")));
	ck_assert_int_eq(anchors_find(copy, wire("net."), 0, NULL), ANCHORING_TRUST);
	ck_assert_int_eq(anchors_find(copy, wire("a.both."), 0, NULL), ANCHORING_NEGATIVE);
	ck_assert_int_eq(anchors_find(anchors, wire("net."), 0, NULL), ANCHORING_NONE);
	anchors_put(anchors_get(copy));
	anchors_put(copy);
	/* Of nothing. */
	copy = NULL;
	ck_assert_int_eq(anchors_copy(&copy, anchors), E_OK);
	ck_assert_uint_eq(anchors_count(copy), 0);
	anchors_put(copy);
}
END_TEST

START_TEST(a_set_may_be_exchanged)
{
	struct rrset *ds;

	trust("a.");
	ds = rrset_get(anchors_exact(anchors, wire("a."))->ds);
	ck_assert_int_eq(add("a.", TYPE_DS, "2 13 99 00"), E_OK);
	ck_assert_int_eq(anchors_set(anchors, wire("A."), ds), E_OK);
	ck_assert_ptr_eq(anchors_exact(anchors, wire("a."))->ds, ds);
	ck_assert_int_eq(anchors_set(anchors, wire("a."), NULL), E_OK);
	ck_assert_ptr_null(anchors_exact(anchors, wire("a.")));
	ck_assert_int_eq(anchors_set(anchors, wire("a."), NULL), E_OK);
	rrset_put(ds);
}
END_TEST

static void note_name(void *ctx, const uint8_t *at)
{
	char text[NAME_TEXT_MAX];

	strcat(ctx, name_to_text(text, at));
}

/* RFC 5011 5: it is as without an anchor, and is below what stands above it; but it is to be seen. */
START_TEST(all_keys_of_one_may_be_revoked)
{
	struct anchors *a = NULL, *copy = NULL;
	const struct anchor *at = NULL;
	uint8_t ds[ANCHORS_DS_LEN] = { 0, 1, 13, 2 };
	uint64_t before;

	ck_assert_int_eq(anchors_new_builtin(&a), E_OK);
	before = anchors_digest(a, 0);
	ck_assert_int_eq(anchors_add(a, wire("example"), TYPE_DS, ds, sizeof(ds)), E_OK);
	ck_assert_int_eq(anchors_lose(a, wire("example")), E_OK);
	ck_assert_int_eq(anchors_lose(a, wire("example")), E_OK);
	ck_assert_uint_eq(anchors_count(a), 2);
	ck_assert_uint_eq(anchors_digest(a, 0), before);
	ck_assert_int_eq(anchors_find(a, wire("www.example"), 0, &at), ANCHORING_TRUST);
	ck_assert(name_is_root(at->name));
	ck_assert(!anchors_clear(a, wire("example")));
	/* Beside a negative one, and in a copy. */
	ck_assert_int_eq(anchors_add_nta(a, wire("example"), "", 0), E_OK);
	ck_assert(anchors_clear_nta(a, wire("example")));
	ck_assert_int_eq(anchors_copy(&copy, a), E_OK);
	at = anchors_exact(copy, wire("example"));
	ck_assert(at != NULL && at->lost != NULL && at->ds == NULL);
	/* Until it has one again, or is not configured any more. */
	ck_assert_int_eq(anchors_add(copy, wire("example"), TYPE_DS, ds, sizeof(ds)), E_OK);
	ck_assert_ptr_null(anchors_exact(copy, wire("example"))->lost);
	ck_assert_int_eq(anchors_set(a, wire("example"), NULL), E_OK);
	ck_assert_uint_eq(anchors_count(a), 1);
	anchors_put(copy);
	anchors_put(a);
}
END_TEST

START_TEST(what_differs_is_told)
{
	struct anchors *before = NULL;
	char names[256] = "";

	trust(".");
	trust("gone.");
	trust("more.");
	distrust("same.", 3);
	distrust("later.", 3);
	ck_assert_int_eq(anchors_copy(&before, anchors), E_OK);
	anchors_diff(before, anchors, note_name, names);
	ck_assert_str_eq(names, "");
	ck_assert(anchors_clear(anchors, wire("gone.")));
	ck_assert_int_eq(add("more.", TYPE_DS, "2 13 99 00"), E_OK);
	distrust("same.", 3);
	distrust("later.", 4);
	distrust("new.", 0);
	anchors_diff(before, anchors, note_name, names);
	ck_assert_str_eq(names, "gone.later.more.new.");
	names[0] = '\0';
	anchors_diff(NULL, before, note_name, names);
	ck_assert_str_eq(names, ".gone.later.more.same.");
	names[0] = '\0';
	anchors_diff(before, NULL, note_name, names);
	ck_assert_str_eq(names, ".gone.later.more.same.");
	anchors_put(before);
}
END_TEST

START_TEST(a_digest_tells_them_apart)
{
	static const uint8_t name[] = "\7example";
	uint64_t digests[4];
	struct anchors *a = NULL, *again = NULL;

	ck_assert_int_eq(anchors_new(&a), E_OK);
	digests[0] = anchors_digest(a, NOW);
	ck_assert_uint_eq(anchors_digest(NULL, NOW), digests[0]);
	ck_assert_int_eq(anchors_add_nta(a, name, "why", NOW + 10), E_OK);
	digests[1] = anchors_digest(a, NOW);
	ck_assert_uint_eq(anchors_digest(a, NOW + 10), digests[0]); /* expired */
	anchors_put(a);
	a = NULL;
	ck_assert_int_eq(anchors_new_builtin(&a), E_OK);
	digests[2] = anchors_digest(a, NOW);
	ck_assert_int_eq(anchors_new_builtin(&again), E_OK);
	ck_assert_uint_eq(anchors_digest(again, NOW), digests[2]);
	ck_assert_int_eq(anchors_add_nta(a, name, "why", 0), E_OK);
	digests[3] = anchors_digest(a, NOW);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert(digests[i] != 0);
		for (unsigned k = 0; k < i; k++)
			ck_assert_uint_ne(digests[i], digests[k]);
	}
	anchors_put(a);
	anchors_put(again);
}
END_TEST

Suite *suite_anchors(void);

Suite *suite_anchors(void)
{
	Suite *s = suite_create("anchors");
	TCase *t = tcase_create("anchors");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_roots_keys_are_built_in);
	tcase_add_test(t, a_key_becomes_its_ds);
	tcase_add_test(t, what_is_no_anchor_is_refused);
	tcase_add_test(t, nothing_is_found_where_nothing_is);
	tcase_add_test(t, the_deepest_counts);
	tcase_add_test(t, a_negative_one_may_expire);
	tcase_add_test(t, they_come_and_go);
	tcase_add_test(t, records_of_a_name_are_added_up);
	tcase_add_test(t, there_is_a_limit);
	tcase_add_test(t, reasons_are_kept_and_cut);
	tcase_add_test(t, a_copy_is_one_of_its_own);
	tcase_add_test(t, a_set_may_be_exchanged);
	tcase_add_test(t, all_keys_of_one_may_be_revoked);
	tcase_add_test(t, what_differs_is_told);
	tcase_add_test(t, a_digest_tells_them_apart);
	suite_add_tcase(s, t);
	return s;
}
