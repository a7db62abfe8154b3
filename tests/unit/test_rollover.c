#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/dnssec/rollover.h"

enum {
	T0 = 1700000000,
	DAY = ROLLOVER_DAY_S,
	SEP = DNSKEY_ZONE | DNSKEY_SEP,
	KEY_LEN = 36,
};

static const uint8_t zone[] = "\7example";
static struct rollover r;
static bool signs_itself, validates;
static char told[2048];

static void setup(void)
{
	hash_key_set(1, 2);
	signs_itself = validates = true;
	told[0] = '\0';
}

static void teardown(void)
{
	rollover_deinit(&r);
}

/* Key number n of the zone. */
static void key(uint8_t out[KEY_LEN], unsigned n, uint16_t flags)
{
	memset(out, (int)n, KEY_LEN);
	wire_put_u16(out, flags);
	out[2] = 3;
	out[3] = 13;
}

static struct rrset *configured(unsigned n, const unsigned *keys)
{
	uint8_t ds[8][ANCHORS_DS_LEN], rdata[KEY_LEN];
	struct rdata rr[8];
	struct rrset *set = NULL;

	for (unsigned i = 0; i < n; i++) {
		key(rdata, keys[i], SEP);
		ck_assert_int_eq(anchors_ds_of(ds[i], zone, rdata, KEY_LEN), E_OK);
		rr[i] = (struct rdata) { ds[i], ANCHORS_DS_LEN };
	}
	ck_assert_int_eq(rrset_new(&set, zone, TYPE_DS, 1, 0, RANK_LOCAL, rr, n, NULL, 0), E_OK);
	return set;
}

static void begin(unsigned first, unsigned second)
{
	const unsigned keys[] = { first, second };
	struct rrset *ds = configured(second != 0 ? 2 : 1, keys);

	ck_assert_int_eq(rollover_begin(&r, zone, ds), E_OK);
	rrset_put(ds);
}

static bool is_self_signed(void *ctx, const struct dnskey *k)
{
	(void)ctx;
	ck_assert((k->flags & DNSKEY_REVOKE) != 0);
	return signs_itself;
}

static void changed(void *ctx, uint16_t tag, const char *from, const char *to)
{
	(void)ctx;
	(void)tag;
	sprintf(told + strlen(told), "%s>%s ", from != NULL ? from : "", to != NULL ? to : "");
}

/* "1 2r 3z": keys by number; r: revoked; z: without SEP; n: no zone key.  At `now_s`, with that TTL and so
 * long to the signature's end: that of the one that validated.  Beside it is one that anybody may have put
 * there. */
static int see_with(const char *text, uint32_t now_s, uint32_t ttl, uint32_t lasts_s)
{
	const struct rollover_look look = { .now_s = now_s,
					    .ttl = ttl,
					    .until_s = now_s + lasts_s,
					    .is_self_signed = is_self_signed,
					    .changed = changed };
	static uint8_t rdata[64][KEY_LEN];
	uint8_t sig[2][RRSIG_HEAD_LEN + 2] = { { 0 } }; /* by the root, a signature of one byte */
	struct rdata rr[64], sigs[] = { { sig[0], sizeof(sig[0]) }, { sig[1], sizeof(sig[1]) } };
	struct rrset *set = NULL;
	size_t n = 0;
	int err;

	for (const char *at = text; *at != '\0';) {
		char *end;
		unsigned number = (unsigned)strtoul(at, &end, 10);
		uint16_t flags = SEP;

		if (*end == 'r')
			flags |= DNSKEY_REVOKE;
		if (*end == 'z')
			flags = DNSKEY_ZONE;
		if (*end == 'n')
			flags = DNSKEY_SEP;
		key(rdata[n], number, flags);
		rr[n] = (struct rdata) { rdata[n], KEY_LEN };
		n++;
		at = end + (*end != '\0' && *end != ' ');
		while (*at == ' ')
			at++;
	}
	wire_put_u32(sig[0] + 4, ttl);
	wire_put_u32(sig[0] + 8, now_s + lasts_s);
	sig[1][RRSIG_HEAD_LEN + 1] = 1;
	wire_put_u32(sig[1] + 4, INT32_MAX);
	wire_put_u32(sig[1] + 8, now_s + 1);
	ck_assert_int_eq(
		rrset_new(&set, zone, TYPE_DNSKEY, 5, now_s, RANK_AUTH_ANSWER, rr, n, sigs, 2),
		E_OK);
	told[0] = '\0';
	err = validates ? rollover_see(&r, set, &look) : rollover_see_revoked(&r, set, &look);
	rrset_put(set);
	return err;
}

static void see(const char *text, uint32_t now_s, const char *tells)
{
	ck_assert_int_eq(see_with(text, now_s, 3600, 10 * DAY), E_OK);
	ck_assert_str_eq(told, tells);
}

/* The keys by number that are trusted are those. */
static void trusted(unsigned n, const unsigned *keys)
{
	struct rrset *now = NULL, *expected;

	ck_assert_int_eq(rollover_trusted(&now, &r), E_OK);
	if (n == 0) {
		ck_assert_ptr_null(now);
		return;
	}
	expected = configured(n, keys);
	ck_assert_ptr_nonnull(now);
	ck_assert(rrset_equal_data(now, expected));
	rrset_put(expected);
	rrset_put(now);
}

#define TRUSTED(...)                                                                               \
	trusted(sizeof((unsigned[]) { __VA_ARGS__ }) / sizeof(unsigned),                           \
		(unsigned[]) { __VA_ARGS__ })

START_TEST(what_is_configured_is_trusted)
{
	begin(1, 2);
	TRUSTED(1, 2);
	/* Also when its key is not there, or not yet. */
	see("1 9z", T0, "");
	TRUSTED(1, 2);
	see("1 2", T0 + DAY, "");
	TRUSTED(1, 2);
	ck_assert_uint_eq(r.n, 2);
}
END_TEST

/* RFC 5011 6.1: key 2 is added, then 1 revoked. */
START_TEST(a_rollover)
{
	begin(1, 0);
	see("1", T0, "");
	see("1 2", T0 + DAY, ">adding ");
	TRUSTED(1);
	see("1 2", T0 + 30 * DAY, "");
	TRUSTED(1);
	see("1 2", T0 + 31 * DAY, "adding>trusted ");
	TRUSTED(1, 2);
	see("1r 2", T0 + 40 * DAY, "trusted>revoked ");
	TRUSTED(2);
	see("1r 2", T0 + 69 * DAY, "");
	see("2", T0 + 70 * DAY, "revoked>removed ");
	TRUSTED(2);
	/* Never again. */
	see("1 2", T0 + 80 * DAY, "");
	see("1 2", T0 + 200 * DAY, "");
	TRUSTED(2);
}
END_TEST

START_TEST(a_new_key_must_stay)
{
	begin(1, 0);
	see("1 2", T0, ">adding ");
	see("1", T0 + 15 * DAY, "adding> ");
	see("1 2", T0 + 16 * DAY, ">adding ");
	see("1 2", T0 + 31 * DAY, "");
	TRUSTED(1);
	see("1 2", T0 + 46 * DAY, "adding>trusted ");
	/* One that is revoked before it was ever trusted. */
	see("1 2 3", T0 + 50 * DAY, ">adding ");
	see("1 2 3r", T0 + 51 * DAY, "adding> ");
	see("1 2 3r", T0 + 90 * DAY, "");
	TRUSTED(1, 2);
}
END_TEST

START_TEST(a_key_may_be_missing)
{
	begin(1, 2);
	see("1 2", T0, "");
	see("1", T0 + DAY, "trusted>missing ");
	TRUSTED(1, 2);
	see("1 2", T0 + 2 * DAY, "missing>trusted ");
	see("1", T0 + 3 * DAY, "trusted>missing ");
	see("1 2r", T0 + 4 * DAY, "missing>revoked ");
	TRUSTED(1);
}
END_TEST

START_TEST(only_its_holder_revokes_a_key)
{
	begin(1, 2);
	see("1 2", T0, "");
	signs_itself = false;
	see("1 2r", T0 + DAY, "trusted>missing ");
	TRUSTED(1, 2);
	see("1 2r 2", T0 + 2 * DAY, "missing>trusted ");
	signs_itself = true;
	/* It signed: that it is there unrevoked too does not count. */
	see("1 2r 2", T0 + 3 * DAY, "trusted>revoked ");
	see("1 2", T0 + 4 * DAY, "");
	TRUSTED(1);
}
END_TEST

START_TEST(all_may_be_revoked)
{
	begin(1, 0);
	see("1r", T0, "trusted>revoked ");
	trusted(0, NULL);
}
END_TEST

/* What does not validate, since nothing that is trusted is left in it, tells of revocations alone. */
START_TEST(a_revocation_need_not_validate)
{
	begin(1, 2);
	see("1 2 3", T0, ">adding ");
	validates = false;
	signs_itself = false;
	see("1r 4", T0 + DAY, "");
	signs_itself = true;
	see("4 5", T0 + 2 * DAY, "");
	see("1 2 3 4", T0 + 60 * DAY, "");
	TRUSTED(1, 2);
	see("1r 4r", T0 + 61 * DAY, "trusted>revoked ");
	TRUSTED(2);
	see("2r 3r", T0 + 62 * DAY, "trusted>revoked adding> ");
	trusted(0, NULL);
	ck_assert_uint_eq(r.seen_s, T0);
}
END_TEST

START_TEST(other_keys_are_not_taken_up)
{
	begin(1, 0);
	see("1 2z 3n 4r", T0, "");
	ck_assert_uint_eq(r.n, 1);
	/* What is configured need have no SEP bit. */
	rollover_deinit(&r);
	{
		uint8_t rdata[KEY_LEN], ds[ANCHORS_DS_LEN];
		struct rdata rr = { ds, sizeof(ds) };
		struct rrset *set = NULL;

		key(rdata, 5, DNSKEY_ZONE);
		ck_assert_int_eq(anchors_ds_of(ds, zone, rdata, KEY_LEN), E_OK);
		ck_assert_int_eq(rrset_new(&set, zone, TYPE_DS, 1, 0, RANK_LOCAL, &rr, 1, NULL, 0),
				 E_OK);
		ck_assert_int_eq(rollover_begin(&r, zone, set), E_OK);
		rrset_put(set);
	}
	see("5z", T0, "");
	see("6", T0, ">adding trusted>missing ");
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
	char text[256] = "1";

	begin(1, 0);
	for (int i = 2; i <= 40; i++)
		sprintf(text + strlen(text), " %d", i);
	ck_assert_int_eq(see_with(text, T0, 3600, DAY), E_OK);
	ck_assert_uint_eq(r.n, ROLLOVER_KEYS_MAX);
	ck_assert_int_eq(see_with(text, T0 + 31 * DAY, 3600, DAY), E_OK);
	ck_assert_uint_eq(r.n, ROLLOVER_KEYS_MAX);
	for (size_t i = 0; i < r.n; i++)
		ck_assert_int_eq(r.keys[i].state, ROLLOVER_TRUSTED);
}
END_TEST

START_TEST(when_to_look_again)
{
	begin(1, 0);
	ck_assert_uint_eq(r.next_s, 0);
	/* Half the TTL, half of what the signature has left, 15 days; an hour at least (2.3). */
	ck_assert_int_eq(see_with("1", T0, 2 * DAY, 10 * DAY), E_OK);
	ck_assert_uint_eq(r.next_s, T0 + DAY);
	ck_assert_int_eq(see_with("1", T0, 100 * DAY, 10 * DAY), E_OK);
	ck_assert_uint_eq(r.next_s, T0 + 5 * DAY);
	ck_assert_int_eq(see_with("1", T0, 100 * DAY, 100 * DAY), E_OK);
	ck_assert_uint_eq(r.next_s, T0 + 15 * DAY);
	rollover_miss(&r, T0);
	ck_assert_uint_eq(r.next_s, T0 + DAY);
	ck_assert_int_eq(see_with("1", T0, 60, 100 * DAY), E_OK);
	ck_assert_uint_eq(r.next_s, T0 + 3600);
	rollover_miss(&r, T0);
	ck_assert_uint_eq(r.next_s, T0 + 3600);
	ck_assert_int_eq(see_with("1", T0, 20 * DAY, 100 * DAY), E_OK);
	rollover_miss(&r, T0);
	ck_assert_uint_eq(r.next_s, T0 + DAY);
	ck_assert_int_eq(see_with("1", T0, 2 * DAY, 100 * DAY), E_OK);
	rollover_miss(&r, T0);
	ck_assert_uint_eq(r.next_s, T0 + DAY / 5);
}
END_TEST

START_TEST(a_long_ttl_holds_a_new_key_longer)
{
	begin(1, 0);
	ck_assert_int_eq(see_with("1 2", T0, 40 * DAY, 100 * DAY), E_OK);
	ck_assert_int_eq(see_with("1 2", T0 + 39 * DAY, 40 * DAY, 100 * DAY), E_OK);
	TRUSTED(1);
	ck_assert_int_eq(see_with("1 2", T0 + 40 * DAY, 40 * DAY, 100 * DAY), E_OK);
	TRUSTED(1, 2);
}
END_TEST

START_TEST(none_is_held_for_ever)
{
	begin(1, 0);
	ck_assert_int_eq(see_with("1 2", T0, INT32_MAX, 10 * DAY), E_OK);
	ck_assert_uint_eq(r.keys[1].until_s, T0 + ROLLOVER_HOLD_MAX_S);
	/* Nor one of a file that has it so. */
	r.keys[1].until_s = T0 + (uint32_t)INT32_MAX;
	see("1 2", T0 + DAY, "");
	ck_assert_uint_eq(r.keys[1].until_s, T0 + 30 * DAY);
	see("1 2", T0 + 30 * DAY, "adding>trusted ");
}
END_TEST

START_TEST(a_clock_that_was_ahead_does_no_harm)
{
	begin(1, 0);
	see("1 2", T0 + 1000 * (uint32_t)DAY, ">adding ");
	see("1 2", T0, "");
	see("1 2", T0 + 30 * DAY, "adding>trusted ");
	TRUSTED(1, 2);
}
END_TEST

START_TEST(another_configuration_begins_anew)
{
	const unsigned other[] = { 1, 3 };
	struct rrset *ds = configured(2, other);
	uint64_t print = rollover_print(ds);

	begin(1, 2);
	ck_assert(r.print != print);
	see("1 2 4", T0, ">adding ");
	see("1r 2 4", T0 + DAY, "trusted>revoked ");
	/* 1 is revoked, whatever is configured. */
	ck_assert_int_eq(rollover_restart(&r, ds), E_OK);
	ck_assert(r.print == print);
	TRUSTED(3);
	ck_assert_uint_eq(r.n, 2);
	rrset_put(ds);
}
END_TEST

/* The operator vouches for a key that is still held. */
START_TEST(a_key_that_is_added_need_not_stay)
{
	uint8_t rdata[KEY_LEN], ds[ANCHORS_DS_LEN];
	const struct rdata rr = { ds, sizeof(ds) };

	key(rdata, 2, SEP);
	ck_assert_int_eq(anchors_ds_of(ds, zone, rdata, KEY_LEN), E_OK);
	begin(1, 0);
	see("1 2 3", T0, ">adding >adding ");
	ck_assert_int_eq(rollover_trust(&r, &rr), E_OK);
	TRUSTED(1, 2);
	see("1 2 3", T0 + DAY, "adding>trusted ");
	TRUSTED(1, 2);
	ck_assert_uint_eq(r.n, 3);
	/* One that is trusted, or is missing, stays as it is. */
	ck_assert_int_eq(rollover_trust(&r, &rr), E_OK);
	see("1 3", T0 + 2 * DAY, "trusted>missing ");
	TRUSTED(1, 2, 2);
	see("1 2 3", T0 + 3 * DAY, "missing>trusted ");
	TRUSTED(1, 2);
	ck_assert_uint_eq(r.n, 3);
}
END_TEST

START_TEST(a_copy_is_one_of_its_own)
{
	struct rollover first;

	begin(1, 2);
	see("1 2 4", T0, ">adding ");
	first = r;
	ck_assert_int_eq(rollover_copy(&r, &first), E_OK);
	ck_assert(name_equal(r.zone, zone) && r.print == first.print);
	ck_assert_uint_eq(r.next_s, first.next_s);
	rollover_deinit(&first);
	TRUSTED(1, 2);
	see("1r 2 4", T0 + DAY, "trusted>revoked ");
	TRUSTED(2);
}
END_TEST

Suite *suite_rollover(void);

Suite *suite_rollover(void)
{
	Suite *s = suite_create("rollover");
	TCase *t = tcase_create("rollover");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_configured_is_trusted);
	tcase_add_test(t, a_rollover);
	tcase_add_test(t, a_new_key_must_stay);
	tcase_add_test(t, a_key_may_be_missing);
	tcase_add_test(t, only_its_holder_revokes_a_key);
	tcase_add_test(t, all_may_be_revoked);
	tcase_add_test(t, a_revocation_need_not_validate);
	tcase_add_test(t, other_keys_are_not_taken_up);
	tcase_add_test(t, there_is_room_for_so_many);
	tcase_add_test(t, when_to_look_again);
	tcase_add_test(t, a_long_ttl_holds_a_new_key_longer);
	tcase_add_test(t, none_is_held_for_ever);
	tcase_add_test(t, a_clock_that_was_ahead_does_no_harm);
	tcase_add_test(t, another_configuration_begins_anew);
	tcase_add_test(t, a_key_that_is_added_need_not_stay);
	tcase_add_test(t, a_copy_is_one_of_its_own);
	suite_add_tcase(s, t);
	return s;
}
