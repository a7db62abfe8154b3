#include "recursor/resolve/dnssec/nsec3_memo.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/wire_name.h"

Suite *suite_nsec3_memo(void);

static struct nsec3_memo memo;

static const uint8_t salts[2][4] = { { 0xaa, 0xbb, 0xcc, 0xdd }, { 0xaa, 0xbb, 0xcc, 0xde } };

static struct nsec3_param param_of(unsigned salt, uint16_t iterations)
{
	return (struct nsec3_param) {
		.salt = salts[salt],
		.salt_len = sizeof(salts[0]),
		.iterations = iterations,
	};
}

static void expect_same(const struct nsec3_param *param, const char *name)
{
	uint8_t plain[NSEC3_HASH_LEN], out[NSEC3_HASH_LEN];

	ck_assert_int_eq(nsec3_hash(plain, param, wire(name)), E_OK);
	ck_assert_int_eq(nsec3_memo_hash(&memo, out, param, wire(name)), E_OK);
	ck_assert_mem_eq(out, plain, sizeof(out));
}

START_TEST(remembers)
{
	const struct nsec3_param param = param_of(0, 12);

	ck_assert_ptr_null(nsec3_memo_find(&memo, &param, wire("a.example")));
	expect_same(&param, "a.example");
	ck_assert_ptr_nonnull(nsec3_memo_find(&memo, &param, wire("A.Example")));
	expect_same(&param, "A.Example");
	expect_same(&param, "a.example");
	ck_assert_ptr_null(nsec3_memo_find(NULL, &param, wire("a.example")));
}
END_TEST

START_TEST(tells_parameters_apart)
{
	const struct nsec3_param param = param_of(0, 12);

	for (unsigned salt = 0; salt < 2; salt++)
		for (uint16_t n = 12; n < 14; n++) {
			struct nsec3_param other = param_of(salt, n);

			if (salt != 0 || n != 12)
				ck_assert_ptr_null(nsec3_memo_find(&memo, &other, wire("example")));
			expect_same(&other, "example");
			expect_same(&param, "example");
		}
	ck_assert_ptr_null(nsec3_memo_find(&memo, &(struct nsec3_param) { .iterations = 12 },
					   wire("example")));
}
END_TEST

START_TEST(forgets_the_older_of_a_slot)
{
	const struct nsec3_param param = param_of(0, 0);
	unsigned known = 0;
	char name[32];

	for (unsigned i = 0; i < 4 * NSEC3_MEMO_SLOTS; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		expect_same(&param, name);
		ck_assert_ptr_nonnull(nsec3_memo_find(&memo, &param, wire(name)));
	}
	for (unsigned i = 0; i < 4 * NSEC3_MEMO_SLOTS; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		known += nsec3_memo_find(&memo, &param, wire(name)) != NULL;
	}
	ck_assert_uint_gt(known, NSEC3_MEMO_SLOTS / 2);
	ck_assert_uint_le(known, NSEC3_MEMO_SLOTS);
}
END_TEST

/* A name, and a salt, of any length: none that is too long is cut short. */
START_TEST(takes_any_length)
{
	static uint8_t salt[UINT8_MAX];
	uint8_t out[NSEC3_HASH_LEN], plain[NSEC3_HASH_LEN], name[NAME_MAX_LEN] = { 0 };

	for (unsigned salt_len = 0; salt_len <= UINT8_MAX; salt_len += 5)
		for (size_t len = 1; len + 2 <= NAME_MAX_LEN; len += 2) {
			struct nsec3_param param = { .salt = salt, .salt_len = (uint8_t)salt_len };

			memset(name, 0, sizeof(name));
			for (size_t at = 0; at + 2 < len; at += 2) {
				name[at] = 1;
				name[at + 1] = 'a';
			}
			ck_assert_int_eq(nsec3_hash(plain, &param, name), E_OK);
			for (unsigned again = 0; again < 2; again++) {
				ck_assert_int_eq(nsec3_memo_hash(&memo, out, &param, name), E_OK);
				ck_assert_mem_eq(out, plain, sizeof(out));
			}
		}
}
END_TEST

Suite *suite_nsec3_memo(void)
{
	Suite *s = suite_create("nsec3_memo");
	TCase *t = tcase_create("memo");

	tcase_add_test(t, remembers);
	tcase_add_test(t, tells_parameters_apart);
	tcase_add_test(t, forgets_the_older_of_a_slot);
	tcase_add_test(t, takes_any_length);
	suite_add_tcase(s, t);
	return s;
}
