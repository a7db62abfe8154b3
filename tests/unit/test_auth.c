#include <check.h>

#include "common/hash.h"
#include "recursor/watch/web/auth.h"
#include "recursor/watch/web/credential.h"

static const struct addr client = { .family = 4, .port = 1234, .ip = { 192, 0, 2, 1 } };

static enum auth_verdict look(const char *password, const char *key, enum endpoint_auth need,
			      const char *given_password, const char *given_key)
{
	const struct auth_given given = { .key = given_key, .password = given_password };
	enum auth_verdict verdict;
	struct auth *a = NULL;

	ck_assert_int_eq(auth_new(&a, password, key), E_OK);
	verdict = auth_look(a, need, &given, &client, 1000);
	auth_free(a);
	return verdict;
}

START_TEST(open_is_for_all)
{
	ck_assert_int_eq(look("p", "k", ENDPOINT_OPEN, NULL, NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_OPEN, "x", "x"), AUTH_GRANTED);
}
END_TEST

START_TEST(pages_want_the_password)
{
	ck_assert_int_eq(look("", "k", ENDPOINT_PASSWORD, NULL, NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("", "k", ENDPOINT_PASSWORD, "any", NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_PASSWORD, NULL, NULL), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_PASSWORD, "x", NULL), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_PASSWORD, "k", "k"), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_PASSWORD, "p", NULL), AUTH_GRANTED);
}
END_TEST

START_TEST(calls_want_the_key)
{
	ck_assert_int_eq(look("", "", ENDPOINT_KEY, NULL, NULL), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "", ENDPOINT_KEY, "p", ""), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY, "p", NULL), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY, NULL, "x"), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY, NULL, "k"), AUTH_GRANTED);
}
END_TEST

START_TEST(some_calls_take_either)
{
	ck_assert_int_eq(look("", "", ENDPOINT_KEY_OR_PASSWORD, NULL, NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("", "k", ENDPOINT_KEY_OR_PASSWORD, NULL, NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("p", "", ENDPOINT_KEY_OR_PASSWORD, NULL, "k"), AUTH_REFUSED);
	ck_assert_int_eq(look("p", "", ENDPOINT_KEY_OR_PASSWORD, "p", "k"), AUTH_GRANTED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY_OR_PASSWORD, "p", NULL), AUTH_GRANTED);
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY_OR_PASSWORD, NULL, "k"), AUTH_GRANTED);
	/* A key that is sent decides. */
	ck_assert_int_eq(look("p", "k", ENDPOINT_KEY_OR_PASSWORD, "p", "x"), AUTH_REFUSED);
	ck_assert_int_eq(look("", "k", ENDPOINT_KEY_OR_PASSWORD, NULL, "x"), AUTH_REFUSED);
}
END_TEST

/* scrypt is for so many tries a second, but not for whoever was right before. */
START_TEST(tries_are_limited)
{
	const struct auth_given right = { .key = "k" };
	char hash[CREDENTIAL_TEXT_MAX];
	struct auth *a = NULL;
	uint64_t now_ms = 5000;
	unsigned granted = 0;

	hash_key_init();
	ck_assert_int_eq(credential_hash(hash, "k", 2), E_OK);
	ck_assert_int_eq(auth_new(&a, "", hash), E_OK);
	ck_assert_int_eq(auth_look(a, ENDPOINT_KEY, &right, &client, now_ms), AUTH_VERIFY);
	ck_assert_int_eq(auth_verify(a, ENDPOINT_KEY, &right), AUTH_GRANTED);
	now_ms += 1000;
	for (int i = 0; i < 50; i++) {
		const struct auth_given wrong = { .key = "x" };

		granted += auth_look(a, ENDPOINT_KEY, &wrong, &client, now_ms) == AUTH_VERIFY;
	}
	ck_assert_uint_eq(granted, AUTH_TRIES_PER_CLIENT);
	for (int i = 0; i < 250; i++) {
		const struct auth_given wrong = { .key = "x" };
		struct addr from = client;

		from.ip[3] = (uint8_t)i;
		granted += auth_look(a, ENDPOINT_KEY, &wrong, &from, now_ms) == AUTH_VERIFY;
	}
	ck_assert_uint_eq(granted, AUTH_TRIES_PER_SECOND);
	ck_assert_int_eq(auth_look(a, ENDPOINT_KEY, &right, &client, now_ms), AUTH_GRANTED);
	now_ms += 1000;
	ck_assert_int_eq(
		auth_look(a, ENDPOINT_KEY, &(struct auth_given) { .key = "x" }, &client, now_ms),
		AUTH_VERIFY);
	auth_free(a);
}
END_TEST

Suite *suite_auth(void)
{
	Suite *s = suite_create("auth");
	TCase *t = tcase_create("auth");

	tcase_add_test(t, open_is_for_all);
	tcase_add_test(t, pages_want_the_password);
	tcase_add_test(t, calls_want_the_key);
	tcase_add_test(t, some_calls_take_either);
	tcase_add_test(t, tries_are_limited);
	suite_add_tcase(s, t);
	return s;
}
