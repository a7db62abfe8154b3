#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/watch/metrics.h"

/* What PowerDNS Recursor 3.7 exports, less security-status, which comes with its polling. */
static const char *const names_of_3_7[] = {
	"all-outqueries",
	"answers-slow",
	"answers0-1",
	"answers1-10",
	"answers10-100",
	"answers100-1000",
	"cache-bytes",
	"cache-entries",
	"cache-hits",
	"cache-misses",
	"case-mismatches",
	"chain-resends",
	"client-parse-errors",
	"concurrent-queries",
	"dlg-only-drops",
	"dont-outqueries",
	"edns-ping-matches",
	"edns-ping-mismatches",
	"failed-host-entries",
	"ipv6-outqueries",
	"ipv6-questions",
	"malloc-bytes",
	"max-mthread-stack",
	"negcache-entries",
	"no-packet-error",
	"noedns-outqueries",
	"noerror-answers",
	"noping-outqueries",
	"nsset-invalidations",
	"nsspeeds-entries",
	"nxdomain-answers",
	"outgoing-timeouts",
	"over-capacity-drops",
	"packetcache-bytes",
	"packetcache-entries",
	"packetcache-hits",
	"packetcache-misses",
	"policy-drops",
	"qa-latency",
	"questions",
	"resource-limits",
	"server-parse-errors",
	"servfail-answers",
	"spoof-prevents",
	"sys-msec",
	"tcp-client-overflow",
	"tcp-clients",
	"tcp-outqueries",
	"tcp-questions",
	"throttle-entries",
	"throttled-out",
	"throttled-outqueries",
	"too-old-drops",
	"unauthorized-tcp",
	"unauthorized-udp",
	"unexpected-packets",
	"unreachables",
	"uptime",
	"user-msec",
};

static uint64_t value_of(struct fake_env *f, const char *name)
{
	size_t i;

	ck_assert_msg(metrics_find(name, &i), "no metric '%s'", name);
	return metrics_value(&f->env, i);
}

START_TEST(rows_are_in_order_and_explained)
{
	for (size_t i = 0; i < metrics_count(); i++) {
		const struct metric *m = metrics_at(i);
		size_t found;

		for (const char *p = m->name; *p != '\0'; p++)
			ck_assert_msg(islower((unsigned char)*p) || isdigit((unsigned char)*p) ||
					      *p == '-',
				      "the name '%s'", m->name);
		ck_assert_msg(strlen(m->help) > 5, "%s is not explained", m->name);
		ck_assert(metrics_find(m->name, &found));
		ck_assert_uint_eq(found, i);
		if (i > 0)
			ck_assert_str_lt(metrics_at(i - 1)->name, m->name);
	}
}
END_TEST

START_TEST(names_of_the_field_are_there)
{
	size_t i;

	for (size_t n = 0; n < ARRAY_LEN(names_of_3_7); n++)
		ck_assert_msg(metrics_find(names_of_3_7[n], &i), "no metric '%s'", names_of_3_7[n]);
	ck_assert(!metrics_find("question", &i));
	ck_assert(!metrics_find("questions2", &i));
	ck_assert(!metrics_find("", &i));
}
END_TEST

START_TEST(counters_are_summed_and_peaks_are_not)
{
	struct fake_env f;

	fake_env_open(&f);
	counter_add(&f.counters[0].questions, 3);
	counter_add(&f.counters[1].questions, 4);
	counter_add(&f.counters[1].throttled_out, 9);
	counter_max(&f.counters[0].peak_goals, 70);
	counter_max(&f.counters[1].peak_goals, 50);
	ck_assert_uint_eq(value_of(&f, "questions"), 7);
	ck_assert_uint_eq(value_of(&f, "throttled-out"), 9);
	ck_assert_uint_eq(value_of(&f, "throttled-outqueries"), 9);
	ck_assert_uint_eq(value_of(&f, "max-concurrent-goals"), 70);
	ck_assert_uint_eq(value_of(&f, "malloc-bytes"), 0);
	fake_env_close(&f);
}
END_TEST

START_TEST(gauges_are_read_where_they_live)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	struct addr server;
	struct fake_env f;

	fake_env_open(&f);
	fake_env_put(&f, "www.example.", TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	fake_env_put_negative(&f, RRSET_NODATA, "www.example.", TYPE_AAAA, 300);
	fake_env_put_packet(&f, 0, "www.example.", TYPE_A, 300, false);
	fake_env_put_packet(&f, 1, "www.example.", TYPE_A, 300, false);
	ck_assert_int_eq(addr_from_text(&server, "192.0.2.53:53", 0), E_OK);
	servers_timed_out(f.env.servers, &server, name_root, 400, FAKE_NOW_MS);

	ck_assert_uint_eq(value_of(&f, "cache-entries"), 2);
	ck_assert_uint_eq(value_of(&f, "negcache-entries"), 1);
	ck_assert_uint_gt(value_of(&f, "cache-bytes"), 100);
	ck_assert_uint_eq(value_of(&f, "packetcache-entries"), 2);
	ck_assert_uint_gt(value_of(&f, "packetcache-bytes"), 40);
	ck_assert_uint_gt(value_of(&f, "cache-memory"),
			  value_of(&f, "cache-bytes") + value_of(&f, "packetcache-bytes"));
	ck_assert_uint_eq(value_of(&f, "max-cache-memory"), 123456789);
	ck_assert_uint_eq(value_of(&f, "cache-file-loaded"), 11);
	ck_assert_uint_eq(value_of(&f, "cache-file-time"), 17);
	ck_assert_uint_eq(value_of(&f, "nsspeeds-entries"), 1);
	ck_assert_uint_eq(value_of(&f, "failed-host-entries"), 1);
	ck_assert_uint_eq(value_of(&f, "throttle-entries"), 0);
	ck_assert_uint_eq(value_of(&f, "concurrent-queries"), 21);
	ck_assert_uint_eq(value_of(&f, "tcp-clients"), 41);
	ck_assert_uint_eq(value_of(&f, "max-cache-entries"), 1000000);
	ck_assert_uint_eq(value_of(&f, "max-packetcache-entries"), 0);
	ck_assert_uint_eq(value_of(&f, "uptime"), 42);
	ck_assert_uint_gt(value_of(&f, "real-memory-usage"), 100000);
	ck_assert_uint_gt(value_of(&f, "fd-usage"), 2);
	fake_env_close(&f);
}
END_TEST

START_TEST(latency_weighs_workers_by_their_questions)
{
	struct fake_env f;

	fake_env_open(&f);
	ck_assert_uint_eq(value_of(&f, "qa-latency"), 0);
	counter_add(&f.counters[0].questions, 3);
	ck_assert_uint_eq(value_of(&f, "qa-latency"), 100);
	counter_add(&f.counters[1].questions, 1);
	ck_assert_uint_eq(value_of(&f, "qa-latency"), 200);
	f.env.latency_us = NULL;
	ck_assert_uint_eq(value_of(&f, "qa-latency"), 0);
	fake_env_close(&f);
}
END_TEST

/* rec_control(1) has a line for each. */
START_TEST(the_manual_lists_them_all)
{
	char *text = NULL;
	size_t len = 0, items = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	metrics_print_mdoc(f);
	ck_assert_int_eq(fclose(f), 0);
	for (const char *at = text; (at = strstr(at, ".It Cm ")) != NULL; at++)
		items++;
	ck_assert_uint_eq(items, metrics_count());
	ck_assert_ptr_nonnull(strstr(text, ".It Cm all\\-outqueries\n"));
	free(text);
}
END_TEST

Suite *suite_metrics(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = tcase_create("metrics");

	tcase_add_test(t, rows_are_in_order_and_explained);
	tcase_add_test(t, names_of_the_field_are_there);
	tcase_add_test(t, counters_are_summed_and_peaks_are_not);
	tcase_add_test(t, gauges_are_read_where_they_live);
	tcase_add_test(t, latency_weighs_workers_by_their_questions);
	tcase_add_test(t, the_manual_lists_them_all);
	suite_add_tcase(s, t);
	return s;
}
