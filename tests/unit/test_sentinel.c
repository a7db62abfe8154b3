#include <check.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/sentinel.h"

static struct anchors *anchors;

static bool denies(const char *text, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return sentinel_denies(anchors, name, type);
}

/* RFC 8509 2.2, with the two keys that are built in. */
START_TEST(keys_of_the_root)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(anchors_new_builtin(&anchors), E_OK);
	ck_assert(!denies("root-key-sentinel-is-ta-20326.example.", TYPE_A));
	ck_assert(!denies("Root-Key-Sentinel-Is-TA-38696.example.", TYPE_AAAA));
	ck_assert(denies("root-key-sentinel-is-ta-00001.example.", TYPE_A));
	ck_assert(denies("root-key-sentinel-is-ta-19036.", TYPE_AAAA));
	ck_assert(denies("root-key-sentinel-not-ta-20326.example.", TYPE_A));
	ck_assert(!denies("root-key-sentinel-not-ta-19036.example.", TYPE_A));
	/* Another type, another label, or not the first. */
	ck_assert(!denies("root-key-sentinel-is-ta-00001.example.", TYPE_TXT));
	ck_assert(!denies("root-key-sentinel-is-ta-1.example.", TYPE_A));
	ck_assert(!denies("root-key-sentinel-is-ta-0000a.example.", TYPE_A));
	ck_assert(!denies("root-key-sentinel-is-ta-99999.example.", TYPE_A));
	ck_assert(!denies("a.root-key-sentinel-is-ta-00001.example.", TYPE_A));
	ck_assert(!denies(".", TYPE_A));
	anchors_put(anchors);
	/* Nothing is trusted. */
	anchors = NULL;
	ck_assert(denies("root-key-sentinel-is-ta-20326.example.", TYPE_A));
	ck_assert(!denies("root-key-sentinel-not-ta-20326.example.", TYPE_A));
}
END_TEST

Suite *suite_sentinel(void);

Suite *suite_sentinel(void)
{
	Suite *s = suite_create("sentinel");
	TCase *t = tcase_create("sentinel");

	tcase_add_test(t, keys_of_the_root);
	suite_add_tcase(s, t);
	return s;
}
