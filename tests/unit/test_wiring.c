#include "recursor/wiring.h"

#include <check.h>
#include <sys/resource.h>

/* Each test is a process of its own. */
START_TEST(others_keep_their_descriptors)
{
	struct settings s = {
		.local_address = { .n = 1 },
		.threads = 2,
		.max_tcp_clients = 50,
		.webserver_max_connections = 128,
	};
	struct rlimit limit;
	uint32_t each;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 1000;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	each = wiring_sockets_each(&s);
	ck_assert_uint_le(each, (1000 - 50) / 2);
	s.webserver = true;
	ck_assert_uint_eq(wiring_sockets_each(&s), each - 128 / 2);
}
END_TEST

Suite *suite_wiring(void)
{
	Suite *s = suite_create("wiring");
	TCase *tc = tcase_create("wiring");

	tcase_add_test(tc, others_keep_their_descriptors);
	suite_add_tcase(s, tc);
	return s;
}
