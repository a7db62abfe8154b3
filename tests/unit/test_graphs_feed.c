#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/graphs/feed_host.h"
#include "tools/graphs/kinds.h"
#include "tools/graphs/line.h"

struct told {
	char text[4096];
	unsigned n;
};

static void tell(void *ctx, const char *metric, double value)
{
	struct told *t = ctx;
	size_t len = strlen(t->text);

	ck_assert_msg(line_is_metric(metric), "%s", metric);
	ck_assert_msg(kind_of(metric) != KIND_UNKNOWN, "%s", metric);
	snprintf(t->text + len, sizeof(t->text) - len, "%s=%.17g ", metric, value);
	t->n++;
}

static struct told told;
static const struct feed_sink sink = { tell, &told };

static void forget(void)
{
	memset(&told, 0, sizeof(told));
}

START_TEST(cpu_time_in_milliseconds)
{
	forget();
	feed_read_stat("cpu  100 2 30 4000 5 6 7 8 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5 6\nctxt 99\n"
		       "processes 12\n",
		       100, &sink);
	ck_assert_str_eq(told.text,
			 "cpu-user-msec=1000 cpu-nice-msec=20 cpu-system-msec=300 "
			 "cpu-idle-msec=40000 cpu-iowait-msec=50 cpu-irq-msec=60 "
			 "cpu-softirq-msec=70 cpu-steal-msec=80 context-switches=99 forks=12 "
			 "cpus=2 ");
}
END_TEST

START_TEST(memory_and_load)
{
	forget();
	feed_read_meminfo(
		"MemTotal:       1000 kB\nMemFree:  10 kB\nCached: 3 kB\nSwapCached: 9 kB\n",
		&sink);
	feed_read_loadavg("0.25 1.50 2.75 1/200 4711\n", &sink);
	ck_assert_str_eq(told.text, "memory-total=1024000 memory-free=10240 memory-cached=3072 "
				    "load-1=0.25 load-5=1.5 load-15=2.75 ");
}
END_TEST

START_TEST(snmp_by_the_names_of_its_columns)
{
	forget();
	feed_read_snmp("Ip: Forwarding InReceives\nIp: 1 5\n"
		       "Udp: NoPorts InDatagrams RcvbufErrors\nUdp: 3 1000 7\n"
		       "UdpLite: InDatagrams\nUdpLite: 8\n",
		       &sink);
	feed_read_snmp6("Udp6InDatagrams                 \t44\nUdpLite6InDatagrams 5\n", &sink);
	ck_assert_str_eq(told.text, "udp-noport-errors=3 udp-in-datagrams=1000 "
				    "udp-recvbuf-errors=7 udp6-in-datagrams=44 ");
}
END_TEST

static int is_not_lo(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "lo") != 0;
}

START_TEST(interfaces_and_their_sum)
{
	static const char text[] =
		"Inter-|   Receive                            |  Transmit\n"
		" face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs "
		"drop fifo colls carrier compressed\n"
		"    lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n"
		"  eth0:100 2 3 4 0 0 0 0 200 6 7 8 0 0 0 0\n"
		"eth0.7: 10 1 1 1 0 0 0 0 20 1 1 1 0 0 0 0\n"
		"short: 1 2 3\n";

	forget();
	feed_read_net_dev(text, is_not_lo, NULL, &sink);
	ck_assert_uint_eq(told.n, 24);
	ck_assert_ptr_nonnull(strstr(told.text, "net-eth0-rx-bytes=100 net-eth0-rx-packets=2 "
						"net-eth0-rx-errors=3 net-eth0-rx-drops=4 "
						"net-eth0-tx-bytes=200 net-eth0-tx-packets=6 "));
	ck_assert_ptr_nonnull(strstr(told.text, "net-eth0_7-tx-bytes=20 "));
	ck_assert_ptr_nonnull(strstr(told.text, " net-rx-bytes=110 net-rx-packets=3 "));
	ck_assert_ptr_nonnull(strstr(told.text, " net-tx-drops=9 "));
}
END_TEST

START_TEST(odd_texts_tell_nothing)
{
	static const char *const odd[] = { "",         "\n\n\n", "cpu",      "cpu x",
					   ":",        "Udp:",   "Udp: a\n", "Udp: a\nTcp: 1\n",
					   "MemTotal", "eth0:",  "nan nan" };

	forget();
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		feed_read_stat(odd[i], 100, &sink);
		feed_read_snmp(odd[i], &sink);
		feed_read_snmp6(odd[i], &sink);
		feed_read_net_dev(odd[i], is_not_lo, NULL, &sink);
	}
	ck_assert_uint_eq(told.n, 0);
}
END_TEST

Suite *suite_graphs_feed(void)
{
	Suite *s = suite_create("graphs_feed");
	TCase *t = tcase_create("feed");

	tcase_add_test(t, cpu_time_in_milliseconds);
	tcase_add_test(t, memory_and_load);
	tcase_add_test(t, snmp_by_the_names_of_its_columns);
	tcase_add_test(t, interfaces_and_their_sum);
	tcase_add_test(t, odd_texts_tell_nothing);
	suite_add_tcase(s, t);
	return s;
}
