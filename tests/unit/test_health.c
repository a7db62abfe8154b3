#include <check.h>
#include <stdatomic.h>
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

static struct health *_Atomic watched;
static _Atomic uint64_t clock_ms;
static atomic_uint rounds, dead;

static uint64_t slow_now_ms(void *ctx)
{
	(void)ctx;
	return clock_ms;
}

/* Each takes more than half of what tells that one hangs. */
static int slow_worker(void *ctx, unsigned worker,
		       void (*visit)(void *arg, const struct watch_worker *w), void *arg)
{
	char why[HEALTH_WHY_MAX];

	(void)ctx;
	(void)visit;
	(void)arg;
	while (watched == NULL)
		usleep(1000);
	clock_ms += HEALTH_HANGS_MS * 6 / 10;
	dead += !health_is_alive(watched, why);
	rounds += worker == FAKE_WORKERS - 1;
	return E_OK;
}

START_TEST(many_slow_ones_are_none_that_hangs)
{
	struct health *h = NULL;

	fake_env_open(&env);
	env.env.on_worker = slow_worker;
	env.env.now_ms = slow_now_ms;
	ck_assert_int_eq(health_start(&h, &env.env, ""), E_OK);
	watched = h;
	while (rounds == 0)
		usleep(1000);
	stop(h);
	ck_assert_uint_eq(dead, 0);
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
	tcase_add_test(t, many_slow_ones_are_none_that_hangs);
	suite_add_tcase(s, t);
	return s;
}
