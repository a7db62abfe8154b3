#include <check.h>
#include <string.h>
#include <unistd.h>

#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/watch/health.h"

static struct fake_env env;

/* Until the first test has ended, and the reason is another than that. */
static bool is_ready(struct health *h, char *why)
{
	bool ready;

	do {
		(void)usleep(2000);
		strcpy(why, "");
		ready = health_is_ready(h, why);
	} while (!ready && strcmp(why, "starting") == 0);
	return ready;
}

static struct health *start(const char *test)
{
	struct health *h = NULL;

	fake_env_open(&env);
	ck_assert_int_eq(health_start(&h, &env.env, test), E_OK);
	return h;
}

static void stop(struct health *h)
{
	health_stop(h);
	fake_env_close(&env);
}

START_TEST(what_is_asked_can_be_said)
{
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;

	ck_assert_int_eq(health_read_test(".", name, &type), E_OK);
	ck_assert_uint_eq(type, TYPE_NS);
	ck_assert_int_eq(health_read_test("www.example.com", name, &type), E_OK);
	ck_assert_uint_eq(type, TYPE_A);
	ck_assert_int_eq(health_read_test("example.com  SOA", name, &type), E_OK);
	ck_assert_uint_eq(type, TYPE_SOA);
	ck_assert_int_eq(health_read_test("", name, &type), E_OK);
	ck_assert_int_eq(health_read_test("example.com NOTYPE", name, &type), E_MALFORMED);
	ck_assert_int_eq(health_read_test("example.com A x", name, &type), E_MALFORMED);
	ck_assert_int_eq(health_read_test("a..b", name, &type), E_MALFORMED);
}
END_TEST

START_TEST(ready_is_who_answers)
{
	struct health *h = start("localhost");
	char why[HEALTH_WHY_MAX];

	ck_assert_msg(is_ready(h, why), "%s", why);
	ck_assert(health_is_alive(h, why));
	env.draining_since_ms = 1;
	ck_assert(!is_ready(h, why));
	ck_assert_str_eq(why, "draining");
	env.draining_since_ms = 0;
	env.is_rootless = true;
	ck_assert(!is_ready(h, why));
	ck_assert_ptr_nonnull(strstr(why, "root"));
	env.is_rootless = false;
	ck_assert(is_ready(h, why));
	stop(h);
}
END_TEST

START_TEST(ready_is_not_who_cannot_resolve)
{
	struct health *h = start("www.example.com");
	char why[HEALTH_WHY_MAX];

	ck_assert(!is_ready(h, why));
	ck_assert_ptr_nonnull(strstr(why, "www.example.com"));
	ck_assert(health_is_alive(h, why));
	stop(h);
}
END_TEST

START_TEST(nothing_need_be_asked)
{
	struct health *h = start("");
	char why[HEALTH_WHY_MAX];

	ck_assert_msg(is_ready(h, why), "%s", why);
	ck_assert_uint_gt(env.visits, 0);
	stop(h);
}
END_TEST

START_TEST(ready_is_not_who_has_stopped)
{
	struct health *h = NULL;
	char why[HEALTH_WHY_MAX];

	fake_env_open(&env);
	env.is_stopped[1] = true;
	ck_assert_int_eq(health_start(&h, &env.env, "localhost"), E_OK);
	ck_assert(!is_ready(h, why));
	stop(h);
}
END_TEST

Suite *suite_health(void)
{
	Suite *s = suite_create("health");
	TCase *t = tcase_create("health");

	tcase_add_test(t, what_is_asked_can_be_said);
	tcase_add_test(t, ready_is_who_answers);
	tcase_add_test(t, ready_is_not_who_cannot_resolve);
	tcase_add_test(t, nothing_need_be_asked);
	tcase_add_test(t, ready_is_not_who_has_stopped);
	suite_add_tcase(s, t);
	return s;
}
