#include <check.h>
#include <sys/resource.h>
#include <unistd.h>

#include "recursor/descriptors.h"
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

static int raises_soft(void)
{
	if (!set_limits(300, NEED + 500) || !become_user())
		return 1;
	return descriptors_raise(&settings) == 1000 && soft_limit() == NEED ? 0 : 2;
}

static int leaves_enough(void)
{
	if (!set_limits(NEED, NEED + 500) || !become_user())
		return 1;
	return descriptors_raise(&settings) == 1000 && soft_limit() == NEED ? 0 : 2;
}

static int lowers_mthreads(void)
{
	if (!set_limits(300, 574) || !become_user())
		return 1;
	return descriptors_raise(&settings) == 200 && soft_limit() == 574 ? 0 : 2;
}

static int has_a_floor(void)
{
	struct settings few = settings;

	if (!set_limits(100, 100) || !become_user())
		return 1;
	if (descriptors_raise(&settings) != 16)
		return 2;
	few.max_mthreads = 5;
	return descriptors_raise(&few) == 5 ? 0 : 3;
}

static int root_raises_hard(void)
{
	if (!set_limits(300, 300))
		return 1;
	/* In a container root may lack the right. */
	if (!set_limits(300, NEED))
		return 0;
	(void)set_limits(300, 300);
	return descriptors_raise(&settings) == 1000 && soft_limit() == NEED ? 0 : 2;
}

START_TEST(limits)
{
	ck_assert_int_eq(in_child(raises_soft), 0);
	ck_assert_int_eq(in_child(leaves_enough), 0);
	ck_assert_int_eq(in_child(lowers_mthreads), 0);
	ck_assert_int_eq(in_child(has_a_floor), 0);
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

	tcase_add_test(tc, limits);
	tcase_add_test(tc, limits_of_root);
	suite_add_tcase(s, tc);
	return s;
}
