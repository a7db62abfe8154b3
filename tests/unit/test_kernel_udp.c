#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "recursor/watch/kernel_udp.h"

START_TEST(version_4_has_columns)
{
	uint64_t got[KERNEL_UDP_COUNTERS] = { 0 };

	kernel_udp_read4("Tcp: InErrs NoPorts\nTcp: 7 8\n"
			 "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
			 "InCsumErrors IgnoredMulti\n"
			 "Udp: 821055 1217 10 830217 11 12 13 14\n"
			 "UdpLite: InDatagrams NoPorts\nUdpLite: 1 2\n",
			 got);
	ck_assert_uint_eq(got[UDP_NOPORT_ERRORS], 1217);
	ck_assert_uint_eq(got[UDP_IN_ERRORS], 10);
	ck_assert_uint_eq(got[UDP_RECVBUF_ERRORS], 11);
	ck_assert_uint_eq(got[UDP_SNDBUF_ERRORS], 12);
	ck_assert_uint_eq(got[UDP_IN_CSUM_ERRORS], 13);
}
END_TEST

START_TEST(version_6_has_lines)
{
	uint64_t got[KERNEL_UDP_COUNTERS] = { 0 };

	kernel_udp_read6(
		"Ip6InReceives 4\nUdp6NoPorts    \t5\nUdp6InErrors\t6\nUdp6RcvbufErrors 7\n"
		"UdpLite6InErrors 99\nUdp6SndbufErrors 8\nUdp6InCsumErrors 9",
		got);
	ck_assert_uint_eq(got[UDP_NOPORT_ERRORS], 5);
	ck_assert_uint_eq(got[UDP_IN_ERRORS], 6);
	ck_assert_uint_eq(got[UDP_RECVBUF_ERRORS], 7);
	ck_assert_uint_eq(got[UDP_SNDBUF_ERRORS], 8);
	ck_assert_uint_eq(got[UDP_IN_CSUM_ERRORS], 9);
}
END_TEST

START_TEST(anything_else_is_nothing)
{
	static const char *const texts[] = {
		"",
		"\n",
		"Udp:",
		"Udp: ",
		"Udp: NoPorts",
		"Udp: NoPorts\n",
		"Udp: NoPorts\nUdp: ",
		"Udp: NoPorts InErrors\nTcp: 1 2\n",
		"Udp6",
		"Udp6\n",
		"Udp6Frob 3",
	};
	uint64_t got[KERNEL_UDP_COUNTERS] = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		kernel_udp_read4(texts[i], got);
		kernel_udp_read6(texts[i], got);
		for (int k = 0; k < KERNEL_UDP_COUNTERS; k++)
			ck_assert_uint_eq(got[k], 0);
	}
}
END_TEST

/* A question to a port where nobody is. */
START_TEST(this_kernel_is_asked)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(0x7f000001) } };
	socklen_t len = sizeof(to);
	int closed = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert(closed >= 0 && fd >= 0);
	ck_assert_int_eq(bind(closed, (struct sockaddr *)&to, len), 0);
	ck_assert_int_eq(getsockname(closed, (struct sockaddr *)&to, &len), 0);
	close(closed);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, len), 0);
	ck_assert_int_eq(send(fd, "", 1, 0), 1);
	ck_assert_int_eq(recv(fd, &to, sizeof(to), 0), -1); /* the kernel has counted it */
	close(fd);
	ck_assert_uint_gt(kernel_udp4(UDP_NOPORT_ERRORS), 0);
}
END_TEST

Suite *suite_kernel_udp(void)
{
	Suite *s = suite_create("kernel_udp");
	TCase *tc = tcase_create("kernel_udp");

	tcase_add_test(tc, version_4_has_columns);
	tcase_add_test(tc, version_6_has_lines);
	tcase_add_test(tc, anything_else_is_nothing);
	tcase_add_test(tc, this_kernel_is_asked);
	suite_add_tcase(s, tc);
	return s;
}
