#include <check.h>
#include <sys/resource.h>
#include <unistd.h>

#include "recursor/host/descriptors.h"
#include "tests/unit/in_child.h"

/* 100 + 2 * 1 address * 2 threads + 50 clients + 2 * 10 idle connections + 2 * 1000 */
enum { NEED = 100 + 4 + 50 + 20 + 2000 };

static const struct settings settings = {
	.local_address = { .n = 1 },
	.threads = 2,
	.max_tcp_clients = 50,
	.tcp_out_max_idle_per_thread = 10,
	.max_mthreads = 1000,
};

static bool set_limits(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { soft, hard };

	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static rlim_t soft_limit(void)
{
	struct rlimit limit = { 0, 0 };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

/* Root may raise the hard limit. */
static bool become_user(void)
{
	return geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
}

/* Is this what comes of the limits? */
static int expect(rlim_t soft, rlim_t hard, const struct settings *s, uint32_t tcp, uint32_t asking,
		  rlim_t limit)
{
	struct descriptors d;

	if (!set_limits(soft, hard) || !become_user())
		return 1;
	descriptors_raise(s, &d);
	if (d.tcp_clients != tcp)
		return 2;
	if (d.asking != asking)
		return 3;
	return soft_limit() == limit ? 0 : 4;
}

static int raises_soft(void)
{
	return expect(300, NEED + 500, &settings, 50, 1010, NEED);
}

static int leaves_enough(void)
{
	return expect(NEED, NEED + 500, &settings, 50, 1010, NEED);
}

static int questions_share(void)
{
	/* 574 less 104: a quarter may be the clients'. */
	return expect(300, 574, &settings, 50, (574 - 104 - 50) / 2, 574);
}

static int clients_give_way(void)
{
	struct settings many = settings;

	many.max_tcp_clients = 100000;
	return expect(300, 4096, &many, 4096 - 104 - 2020, 1010, 4096);
}

static int clients_keep_a_part(void)
{
	struct settings many = settings;

	many.max_tcp_clients = 100000;
	many.max_mthreads = 100000;
	return expect(300, 4096, &many, 1024, (4096 - 104 - 1024) / 2, 4096);
}

static int asking_keeps_the_least(void)
{
	return expect(300, 300, &settings, 300 - 104 - 2 * DESCRIPTORS_ASKING_LEAST,
		      DESCRIPTORS_ASKING_LEAST, 300);
}

static int has_a_floor(void)
{
	return expect(128, 128, &settings, 16, 4, 128);
}

/* The daemon itself has thirty open. */
static int floor_gives_way(void)
{
	return expect(40, 40, &settings, 5, 0, 40);
}

/* How many the web server has, of 2,000. */
static uint32_t left_to_web(rlim_t hard)
{
	struct settings watched = settings;
	struct descriptors d;

	watched.webserver = true;
	watched.webserver_max_connections = 2000;
	if (!set_limits(hard, hard) || !become_user())
		return 0;
	descriptors_raise(&watched, &d);
	return d.web_connections;
}

static int web_has_all(void)
{
	return left_to_web(NEED + 2000) == 2000 ? 0 : 1;
}

static int web_has_the_rest(void)
{
	return left_to_web(NEED + 1000) == 1000 ? 0 : 1;
}

static int web_gives_way(void)
{
	return left_to_web(256) == 32 ? 0 : 1;
}

static int web_has_a_floor(void)
{
	return left_to_web(24) == 4 ? 0 : 1;
}

static int root_raises_hard(void)
{
	struct descriptors d;

	if (!set_limits(300, 300))
		return 1;
	/* In a container root may lack the right. */
	if (!set_limits(300, NEED))
		return 0;
	(void)set_limits(300, 300);
	descriptors_raise(&settings, &d);
	return d.tcp_clients == 50 && soft_limit() == NEED ? 0 : 2;
}

START_TEST(limits)
{
	ck_assert_int_eq(in_child(raises_soft), 0);
	ck_assert_int_eq(in_child(leaves_enough), 0);
	ck_assert_int_eq(in_child(questions_share), 0);
	ck_assert_int_eq(in_child(clients_give_way), 0);
	ck_assert_int_eq(in_child(clients_keep_a_part), 0);
	ck_assert_int_eq(in_child(web_has_all), 0);
	ck_assert_int_eq(in_child(web_has_the_rest), 0);
	ck_assert_int_eq(in_child(web_gives_way), 0);
	ck_assert_int_eq(in_child(web_has_a_floor), 0);
	ck_assert_int_eq(in_child(asking_keeps_the_least), 0);
	ck_assert_int_eq(in_child(has_a_floor), 0);
	ck_assert_int_eq(in_child(floor_gives_way), 0);
}
END_TEST

START_TEST(limits_of_root)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(root_raises_hard), 0);
}
END_TEST

Suite *suite_descriptors(void)
{
	Suite *s = suite_create("descriptors");
	TCase *tc = tcase_create("descriptors");

	tcase_set_tags(tc, "process");
	tcase_add_test(tc, limits);
	tcase_add_test(tc, limits_of_root);
	suite_add_tcase(s, tc);
	return s;
}
