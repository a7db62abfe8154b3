#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/anchorage_impl.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "tests/signer/rrsig.h"
#include "tests/signer/zone.h"
#include "tests/unit/tmpdir.h"

enum { KEY_LEN = 36, SEP = DNSKEY_ZONE | DNSKEY_SEP };

static const uint8_t zone[] = "\7example", other[] = "\5other";
static struct anchorage a;
static struct rollovers rollovers;

static void setup(void)
{
	hash_key_set(1, 2);
	memset(&a, 0, sizeof(a));
	memset(&rollovers, 0, sizeof(rollovers));
	a.rollovers = &rollovers;
	ck_assert_int_eq(anchors_new(&a.configured), E_OK);
}

static void teardown(void)
{
	rollovers_deinit(&rollovers);
	anchors_put(a.configured);
	anchors_put(a.current);
}

static void key(uint8_t out[KEY_LEN], unsigned n)
{
	memset(out, (int)n, KEY_LEN);
	wire_put_u16(out, SEP);
	out[2] = 3;
	out[3] = 13;
}

static void anchor_add(struct anchors *to, const uint8_t *name, unsigned n)
{
	uint8_t rdata[KEY_LEN];

	key(rdata, n);
	ck_assert_int_eq(anchors_add(to, name, TYPE_DNSKEY, rdata, KEY_LEN), E_OK);
}

/* What is configured is in force. */
static void begin(void)
{
	anchors_put(a.current);
	ck_assert_int_eq(anchors_copy(&a.current, a.configured), E_OK);
	anchorage_state_follow(&a, a.current);
	ck_assert_int_eq(anchorage_state_apply(&a, a.current), E_OK);
}

static bool is_anchored(const uint8_t *name)
{
	const struct anchor *at = anchors_exact(a.current, name);

	return at != NULL && at->ds != NULL;
}

/* As anchorage_edit(), but nothing is published. */
static int edited(struct anchors *now)
{
	bool changed;
	int err = anchorage_state_edited(&a, now, &changed);

	if (err == E_OK) {
		anchors_put(a.current);
		a.current = anchors_get(now);
	}
	anchors_put(now);
	return err;
}

static struct anchors *copy_of_current(void)
{
	struct anchors *copy = NULL;

	ck_assert_int_eq(anchors_copy(&copy, a.current), E_OK);
	return copy;
}

START_TEST(what_was_cleared_does_not_come_back_with_the_next_reading)
{
	struct anchors *copy;

	anchor_add(a.configured, zone, 1);
	anchor_add(a.configured, other, 2);
	begin();
	ck_assert_uint_eq(rollovers.n, 2);
	copy = copy_of_current();
	ck_assert(anchors_clear(copy, zone));
	ck_assert_int_eq(edited(copy), E_OK);
	ck_assert_uint_eq(rollovers.n, 1);

	anchorage_state_follow(&a, a.current);
	ck_assert_int_eq(anchorage_state_apply(&a, a.current), E_OK);
	ck_assert_uint_eq(rollovers.n, 1);
	ck_assert(!is_anchored(zone));
	ck_assert(is_anchored(other));
}
END_TEST

/* Nor with the anchor that took its place, which stays. */
START_TEST(what_took_the_place_of_what_was_cleared_stays)
{
	struct anchors *copy;
	struct rrset *added;

	anchor_add(a.configured, zone, 1);
	begin();
	copy = copy_of_current();
	ck_assert(anchors_clear(copy, zone));
	ck_assert_int_eq(edited(copy), E_OK);
	copy = copy_of_current();
	anchor_add(copy, zone, 2);
	added = rrset_get(anchors_exact(copy, zone)->ds);
	ck_assert_int_eq(edited(copy), E_OK);

	anchorage_state_follow(&a, a.current);
	ck_assert_int_eq(anchorage_state_apply(&a, a.current), E_OK);
	ck_assert(rrset_equal_data(anchors_exact(a.current, zone)->ds, added));
	ck_assert_uint_eq(rollovers.n, 0);
	rrset_put(added);
}
END_TEST

START_TEST(a_zone_that_lost_its_keys_is_followed_again)
{
	anchor_add(a.configured, zone, 1);
	begin();
	ck_assert_int_eq(anchors_lose(a.current, zone), E_OK);
	rollovers_drop(&rollovers, &rollovers.zones[0]);
	anchorage_state_follow(&a, a.current);
	ck_assert_uint_eq(rollovers.n, 1);
}
END_TEST

/* The key has been seen with the REVOKE bit. */
static void key_revoked(unsigned n)
{
	uint8_t rdata[KEY_LEN];
	const struct rollover_key revoked = {
		.state = ROLLOVER_REVOKED,
		.is_dnskey = true,
		.len = KEY_LEN,
		.rdata = rdata,
	};

	key(rdata, n);
	ck_assert_int_eq(rollover_add(&rollovers.zones[0], &revoked), E_OK);
}

START_TEST(a_revoked_key_is_not_added_again)
{
	struct anchors *copy;

	anchor_add(a.configured, zone, 1);
	begin();
	key_revoked(2);
	copy = copy_of_current();
	anchor_add(copy, zone, 2);
	ck_assert_int_eq(edited(copy), E_EXISTS);
	ck_assert_uint_eq(rollovers.zones[0].n, 2);

	copy = copy_of_current();
	anchor_add(copy, zone, 3);
	ck_assert_int_eq(edited(copy), E_OK);
	ck_assert_uint_eq(rollovers.zones[0].n, 3);
}
END_TEST

/* What is known of rollovers is written, and read by the next daemon; the anchors in force are gone. */
static void start_again(void)
{
	char why[ROLLOVERFILE_WHY_MAX], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_int_eq(rolloverfile_write(f, &rollovers), E_OK);
	(void)fclose(f);
	rollovers_deinit(&rollovers);
	ck_assert_int_eq(rolloverfile_parse(&rollovers, text, len, why), E_OK);
	free(text);
	begin();
}

static int add(unsigned n)
{
	struct anchors *copy = copy_of_current();

	anchor_add(copy, zone, n);
	return edited(copy);
}

static void clear(void)
{
	struct anchors *copy = copy_of_current();

	ck_assert(anchors_clear(copy, zone));
	ck_assert_int_eq(edited(copy), E_OK);
}

static void look_again(void)
{
	anchorage_state_follow(&a, a.current);
	ck_assert_int_eq(anchorage_state_apply(&a, a.current), E_OK);
}

/* What is trusted of the zone is that key alone. */
static void check_only(unsigned n)
{
	struct anchors *expected = NULL;

	ck_assert_int_eq(anchors_new(&expected), E_OK);
	anchor_add(expected, zone, n);
	ck_assert(is_anchored(zone));
	ck_assert(rrset_equal_data(anchors_exact(a.current, zone)->ds,
				   anchors_exact(expected, zone)->ds));
	anchors_put(expected);
}

/* RFC 5011 2.1: not by an operator, not by the configuration, not after a restart. */
START_TEST(a_revoked_key_of_a_cleared_zone_is_not_trusted_again)
{
	uint8_t due[NAME_MAX_LEN];

	anchor_add(a.configured, zone, 1);
	begin();
	key_revoked(2);
	clear();
	ck_assert(!is_anchored(zone));
	ck_assert_int_eq(add(2), E_EXISTS);
	ck_assert(!is_anchored(zone));
	look_again();
	ck_assert_ptr_null(
		anchors_exact(a.current, zone)); /* nor shown as one that has lost its keys */
	ck_assert(!anchorage_state_due(&a, UINT32_MAX, due));

	ck_assert_int_eq(add(3), E_OK);
	look_again();
	check_only(3);
	ck_assert_uint_eq(rollovers.zones[0].n, 1); /* it is not followed */
	ck_assert_int_eq(add(2), E_EXISTS);
	clear();

	anchor_add(a.configured, zone, 2);
	start_again();
	check_only(1);
	ck_assert_int_eq(add(2), E_EXISTS);
	ck_assert(anchorage_state_due(&a, UINT32_MAX, due));
}
END_TEST

/* Nor one of a zone that was not configured for a while. */
START_TEST(a_revoked_key_outlives_its_zone_in_the_configuration)
{
	anchor_add(a.configured, zone, 1);
	begin();
	key_revoked(2);
	ck_assert(anchors_clear(a.configured, zone));
	start_again();
	ck_assert(!is_anchored(zone));
	ck_assert_ptr_null(anchors_exact(a.current, zone));
	ck_assert_int_eq(add(2), E_EXISTS);
	anchor_add(a.configured, zone, 1);
	anchor_add(a.configured, zone, 2);
	start_again();
	check_only(1);
}
END_TEST

/* A look at the keys had begun before. */
START_TEST(what_was_cleared_meanwhile_is_not_followed)
{
	uint8_t rdata[KEY_LEN];
	const struct rdata rr = { rdata, KEY_LEN };
	struct rrset *set = NULL;

	anchor_add(a.configured, zone, 1);
	begin();
	key_revoked(2);
	clear();
	a.file = (struct statefile) { .path = (char[]) { "none" }, .name = "none", .dir_fd = -1 };
	key(rdata, 1);
	ck_assert_int_eq(
		rrset_new(&set, zone, TYPE_DNSKEY, 60, 0, RANK_AUTH_ANSWER, &rr, 1, NULL, 0), E_OK);
	anchorage_state_see(&a, zone, set, true, 1700000000);
	rrset_put(set);
	ck_assert_uint_eq(rollovers.zones[0].n, 1);
	ck_assert_uint_eq(rollovers.zones[0].seen_s, 0);
}
END_TEST

/* A directory with the file. */
static void open_file(char dir[TMPDIR_MAX], const char *text)
{
	char path[TMPDIR_MAX + 16];
	FILE *f;

	tmpdir_make(dir);
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(statefile_open(&a.file, path, ""), E_OK);
}

static void close_file(const char *dir)
{
	statefile_close(&a.file);
	tmpdir_remove(dir);
}

/* Who has no descriptor left knows nothing of the file: it is neither put aside nor written to. */
START_TEST(a_file_that_cannot_be_read_stays)
{
	char dir[TMPDIR_MAX], text[16] = "";
	struct rlimit limit, none;
	FILE *f;

	open_file(dir, "good?");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	anchorage_state_read(&a);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	anchorage_state_write(&a);
	ck_assert_int_ne(faccessat(a.file.dir_fd, "state.bad", F_OK, 0), 0);
	f = fopen(a.file.path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	(void)fclose(f);
	ck_assert_str_eq(text, "good?");
	close_file(dir);
}
END_TEST

START_TEST(a_damaged_file_is_put_aside)
{
	char dir[TMPDIR_MAX];

	open_file(dir, "bad");
	anchorage_state_read(&a);
	ck_assert_int_ne(faccessat(a.file.dir_fd, "state", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(a.file.dir_fd, "state.bad", F_OK, 0), 0);
	anchorage_state_write(&a);
	ck_assert_int_eq(faccessat(a.file.dir_fd, "state", F_OK, 0), 0);
	close_file(dir);
}
END_TEST

/* By whom the set is good says how long it may be relied on; not what somebody put beside that. */
START_TEST(only_the_signature_that_validates_tells_times)
{
	enum { NOW = 1700000000, DAY = ROLLOVER_DAY_S };
	struct signed_zone *z = signed_zone_new(zone);
	uint8_t ds[SIGN_DS_MAX], forged[SIGN_RRSIG_MAX];
	const struct signed_set *keys;
	struct signed_set both;
	struct rdata sigs[2];
	struct rrset *set;
	size_t len;

	ck_assert(signed_zone_read(z, "example. 3600 IN SOA ns h 1 2 3 4 5\n"));
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = 13,
						    .inception_s = NOW - DAY,
						    .expiration_s = NOW + 10 * DAY });
	len = signed_zone_ds(z, 0, 2, ds);
	ck_assert_int_eq(anchors_add(a.configured, zone, TYPE_DS, ds, len), E_OK);
	begin();
	ck_assert_int_eq(keyring_new(&a.keyring, KEYRING_KEYS_DEFAULT), E_OK);
	a.file = (struct statefile) { .path = (char[]) { "none" }, .name = "none", .dir_fd = -1 };

	keys = signed_zone_find(z, zone, TYPE_DNSKEY);
	ck_assert_uint_eq(keys->n_sig, 1);
	memcpy(forged, keys->sig[0].data, keys->sig[0].len);
	wire_put_u32(forged + 4, INT32_MAX);
	wire_put_u32(forged + 8, NOW + 20 * DAY);
	for (unsigned i = 0; i < 2; i++) { /* before the other, and behind it */
		both = *keys;
		both.sig = sigs;
		both.n_sig = 2;
		sigs[i] = (struct rdata) { forged, keys->sig[0].len };
		sigs[1 - i] = keys->sig[0];
		set = signed_set_rrset(&both, NULL, NOW);
		anchorage_state_see(&a, zone, set, true, NOW);
		ck_assert_uint_eq(rollovers.zones[0].interval_s, ROLLOVER_HOUR_S);
		rrset_put(set);
	}
	keyring_free(a.keyring);
	signed_zone_free(z);
}
END_TEST

Suite *suite_anchorage_state(void);
Suite *suite_anchorage_state(void)
{
	Suite *s = suite_create("anchorage_state");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_cleared_does_not_come_back_with_the_next_reading);
	tcase_add_test(tc, what_took_the_place_of_what_was_cleared_stays);
	tcase_add_test(tc, a_zone_that_lost_its_keys_is_followed_again);
	tcase_add_test(tc, a_revoked_key_is_not_added_again);
	tcase_add_test(tc, a_revoked_key_of_a_cleared_zone_is_not_trusted_again);
	tcase_add_test(tc, a_revoked_key_outlives_its_zone_in_the_configuration);
	tcase_add_test(tc, what_was_cleared_meanwhile_is_not_followed);
	tcase_add_test(tc, a_file_that_cannot_be_read_stays);
	tcase_add_test(tc, a_damaged_file_is_put_aside);
	tcase_add_test(tc, only_the_signature_that_validates_tells_times);
	suite_add_tcase(s, tc);
	return s;
}
