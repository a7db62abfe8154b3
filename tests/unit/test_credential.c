#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/web/credential.h"

static struct credential *new_credential(const char *text)
{
	struct credential *c = NULL;

	ck_assert_int_eq(credential_new(&c, text), E_OK);
	return c;
}

START_TEST(a_plain_secret_is_known_at_once)
{
	struct credential *c = new_credential("open sesame");

	ck_assert(!credential_is_hashed("open sesame"));
	ck_assert_int_eq(credential_look(c, "open sesame"), CREDENTIAL_RIGHT);
	ck_assert_int_eq(credential_look(c, "open sesam"), CREDENTIAL_WRONG);
	ck_assert_int_eq(credential_look(c, "open sesame "), CREDENTIAL_WRONG);
	ck_assert_int_eq(credential_look(c, ""), CREDENTIAL_WRONG);
	ck_assert_int_eq(credential_verify(c, "Open sesame"), CREDENTIAL_WRONG);
	credential_free(c);
}
END_TEST

START_TEST(a_hash_is_tried_once_and_remembered)
{
	char hash[CREDENTIAL_TEXT_MAX], why[CREDENTIAL_WHY_MAX];
	struct credential *c;

	ck_assert_int_eq(credential_hash(hash, "open sesame", CREDENTIAL_WORK_FACTOR), E_OK);
	ck_assert_int_eq(strncmp(hash, "$scrypt$ln=10,p=1,r=8$", 22), 0);
	ck_assert(credential_is_hashed(hash));
	ck_assert_int_eq(credential_check(hash, why), E_OK);
	c = new_credential(hash);
	ck_assert_int_eq(credential_look(c, "open sesame"), CREDENTIAL_UNKNOWN);
	ck_assert_int_eq(credential_verify(c, "open sesame"), CREDENTIAL_RIGHT);
	ck_assert_int_eq(credential_look(c, "open sesame"), CREDENTIAL_RIGHT);
	ck_assert_int_eq(credential_look(c, "x"), CREDENTIAL_UNKNOWN);
	ck_assert_int_eq(credential_verify(c, "x"), CREDENTIAL_WRONG);
	ck_assert_int_eq(credential_look(c, "x"), CREDENTIAL_WRONG);
	/* The hash itself is not the secret. */
	ck_assert_int_eq(credential_verify(c, hash), CREDENTIAL_WRONG);
	/* Of wrong ones the last few are remembered; a right one is not pushed out by them. */
	for (int i = 0; i < CREDENTIAL_WRONG_KEPT; i++) {
		char wrong[8];

		(void)snprintf(wrong, sizeof(wrong), "%d", i);
		ck_assert_int_eq(credential_verify(c, wrong), CREDENTIAL_WRONG);
	}
	ck_assert_int_eq(credential_look(c, "x"), CREDENTIAL_UNKNOWN);
	ck_assert_int_eq(credential_look(c, "open sesame"), CREDENTIAL_RIGHT);
	credential_free(c);
}
END_TEST

START_TEST(no_two_hashes_are_alike)
{
	char one[CREDENTIAL_TEXT_MAX], two[CREDENTIAL_TEXT_MAX];

	ck_assert_int_eq(credential_hash(one, "x", 2), E_OK);
	ck_assert_int_eq(credential_hash(two, "x", 2), E_OK);
	ck_assert_str_ne(one, two);
}
END_TEST

/* scrypt("password", "NaCl", N=1024, r=8, p=16): the second vector of RFC 7914 12, its first 32
 * bytes; so hashes made elsewhere are read as they were meant. */
START_TEST(a_hash_made_elsewhere_is_read)
{
	struct credential *c = new_credential(
		"$scrypt$ln=10,p=16,r=8$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=");

	ck_assert_int_eq(credential_verify(c, "passwore"), CREDENTIAL_WRONG);
	ck_assert_int_eq(credential_verify(c, "password"), CREDENTIAL_RIGHT);
	credential_free(c);
}
END_TEST

START_TEST(what_is_no_hash_is_refused)
{
	static const char *const bad[] = {
		"$scrypt$",
		"$scrypt$ln=10,p=1,r=8",
		"$scrypt$ln=10,p=1,r=8$",
		"$scrypt$ln=10,p=1,r=8$TmFDbA==",
		"$scrypt$ln=10,p=1,r=8$TmFDbA==$",
		"$scrypt$ln=10,p=1,r=8$$TmFDbA==",
		"$scrypt$ln=10,p=1,r=8$TmFDbA=$TmFDbA==",
		"$scrypt$ln=10,p=1,r=8$TmFDb===$TmFDbA==",
		"$scrypt$ln=10,p=1,r=8$Tm=DbA==$TmFDbA==",
		"$scrypt$ln=10,p=1,r=8$TmFDbA==$TmFDbA==x",
		"$scrypt$ln=10,p=1,r=8$TmFDbA==$Tm FDbA=",
		"$scrypt$ln=0,p=1,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$ln=21,p=1,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$ln=10,p=17,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$ln=10,p=1,r=33$TmFDbA==$TmFDbA==",
		"$scrypt$ln=20,p=1,r=9$TmFDbA==$TmFDbA==",
		"$scrypt$ln=,p=1,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$ln=-1,p=1,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$ln=99999999999,p=1,r=8$TmFDbA==$TmFDbA==",
		"$scrypt$p=1,ln=10,r=8$TmFDbA==$TmFDbA==",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char why[CREDENTIAL_WHY_MAX] = "";
		struct credential *c = NULL;

		ck_assert_msg(credential_check(bad[i], why) == E_MALFORMED, "%s", bad[i]);
		ck_assert_str_ne(why, "");
		ck_assert_int_eq(credential_new(&c, bad[i]), E_MALFORMED);
		ck_assert_ptr_null(c);
	}
}
END_TEST

START_TEST(a_work_factor_is_a_power_of_two)
{
	static const uint64_t bad[] = { 0, 1, 3, 1000, 1 << 21, UINT64_MAX };
	char hash[CREDENTIAL_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(credential_hash(hash, "x", bad[i]), E_RANGE);
}
END_TEST

Suite *suite_credential(void)
{
	Suite *s = suite_create("credential");
	TCase *t = tcase_create("credential");

	tcase_add_test(t, a_plain_secret_is_known_at_once);
	tcase_add_test(t, a_hash_is_tried_once_and_remembered);
	tcase_add_test(t, no_two_hashes_are_alike);
	tcase_add_test(t, a_hash_made_elsewhere_is_read);
	tcase_add_test(t, what_is_no_hash_is_refused);
	tcase_add_test(t, a_work_factor_is_a_power_of_two);
	suite_add_tcase(s, t);
	return s;
}
