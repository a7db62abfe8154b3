#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/metric_name.h"
#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/settings/settings_table.h"
#include "recursor/watch/marks.h"
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
	uint64_t value = 0;

	ck_assert_msg(metrics_get(&f->env, name, &value), "no metric '%s'", name);
	return value;
}

START_TEST(rows_are_in_order_and_explained)
{
	for (size_t i = 0; i < metrics_count(); i++) {
		const struct metric *m = metrics_at(i);

		for (const char *p = m->name; *p != '\0'; p++)
			ck_assert_msg(islower((unsigned char)*p) || isdigit((unsigned char)*p) ||
					      *p == '-',
				      "the name '%s'", m->name);
		ck_assert_msg(strlen(m->help) > 5, "%s is not explained", m->name);
		/* Each stands alone: every list has an order of its own.  A line that began with
		 * a dot would be a macro in the manual. */
		ck_assert_msg(isalnum((unsigned char)m->help[0]), "%s: '%s'", m->name, m->help);
		ck_assert_msg(strncmp(m->help, "those ", 6) != 0 &&
				      strncmp(m->help, "most of them", 12) != 0 &&
				      strncmp(m->help, "times that was so", 17) != 0,
			      "%s: '%s' is of what?", m->name, m->help);
		if (i > 0)
			ck_assert_int_lt(metric_name_compare(metrics_at(i - 1)->name, m->name), 0);
	}
}
END_TEST

START_TEST(names_of_the_field_are_there)
{
	struct fake_env f;
	uint64_t value;

	fake_env_open(&f);
	for (size_t n = 0; n < ARRAY_LEN(names_of_3_7); n++)
		(void)value_of(&f, names_of_3_7[n]);
	ck_assert(!metrics_get(&f.env, "question", &value));
	ck_assert(!metrics_get(&f.env, "questions2", &value));
	ck_assert(!metrics_get(&f.env, "", &value));
	fake_env_close(&f);
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

/* ---- samples ---- */

enum { SEEN_MAX = 1024 };

struct seen {
	size_t n;
	struct {
		char name[120], prometheus[120], labels[80];
		const struct metric *metric;
		enum metric_kind kind;
		uint64_t value;
	} rows[SEEN_MAX];
};

static void note(void *ctx, const struct metric_sample *s)
{
	struct seen *seen = ctx;

	ck_assert_uint_lt(seen->n, SEEN_MAX);
	strcpy(seen->rows[seen->n].name, s->name);
	strcpy(seen->rows[seen->n].prometheus, s->prometheus != NULL ? s->prometheus : "");
	strcpy(seen->rows[seen->n].labels, s->labels);
	seen->rows[seen->n].metric = s->metric;
	seen->rows[seen->n].kind = s->metric->kind;
	seen->rows[seen->n++].value = s->value;
}

static size_t place_of(const struct seen *seen, const char *name)
{
	size_t i = 0;

	while (i < seen->n && strcmp(seen->rows[i].name, name) != 0)
		i++;
	return i;
}

static void make_custom(struct fake_env *f, const char *name, bool is_gauge, uint64_t value)
{
	struct custom_metric like = { .is_gauge = is_gauge }, *m;

	strcpy(like.name, name);
	ck_assert_int_eq(custom_metrics_get(&m, f->env.custom_metrics, &like), E_OK);
	atomic_store(&m->value, value);
}

START_TEST(samples_come_in_order_of_name)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;

	fake_env_open(&f);
	make_custom(&f, "all-mine", true, 5);
	make_custom(&f, "zz10", false, 10);
	make_custom(&f, "zz9", false, 9);
	make_custom(&f, "questions", false, 99); /* ours stands */
	metrics_visit(&f.env, NULL, note, seen);
	for (size_t i = 1; i < seen->n; i++)
		ck_assert_msg(metric_name_compare(seen->rows[i - 1].name, seen->rows[i].name) < 0,
			      "%s before %s", seen->rows[i - 1].name, seen->rows[i].name);
	ck_assert_uint_eq(place_of(seen, "zz9") + 1, place_of(seen, "zz10"));
	ck_assert_uint_eq(place_of(seen, "cumul-clientanswers-le-20") + 1,
			  place_of(seen, "cumul-clientanswers-le-50"));
	ck_assert_int_eq(seen->rows[place_of(seen, "all-mine")].kind, METRIC_GAUGE);
	ck_assert_uint_eq(seen->rows[place_of(seen, "questions")].value, 0);
	for (size_t i = 0; i < seen->n; i++) {
		uint64_t value = 0;

		ck_assert(metrics_get(&f.env, seen->rows[i].name, &value));
		/* The machine's own go on meanwhile. */
		ck_assert_msg(seen->rows[i].kind != METRIC_COUNTER ||
				      (value >= seen->rows[i].value &&
				       value - seen->rows[i].value < 1000000),
			      "%s is %llu and %llu", seen->rows[i].name,
			      (unsigned long long)seen->rows[i].value, (unsigned long long)value);
	}
	fake_env_close(&f);
	free(seen);
}
END_TEST

/* An exporter writes a metric's samples together. */
START_TEST(groups_are_whole)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;

	fake_env_open(&f);
	make_custom(&f, "all-mine", true, 5);
	metrics_visit_grouped(&f.env, NULL, note, seen);
	for (size_t i = 1; i < seen->n; i++)
		for (size_t k = 0; k + 1 < i; k++)
			ck_assert_msg(seen->rows[k].metric != seen->rows[i].metric ||
					      seen->rows[i - 1].metric == seen->rows[i].metric,
				      "%s stands apart", seen->rows[i].name);
	ck_assert_str_eq(seen->rows[seen->n - 1].name, "all-mine");
	fake_env_close(&f);
	free(seen);
}
END_TEST

START_TEST(a_setting_hides_samples_and_whole_metrics)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;

	fake_env_open(&f);
	make_custom(&f, "mine", true, 5);
	strcpy(f.hidden, "auth-rcode-answers, cumul-clientanswers-le-20 mine,questions");
	metrics_visit(&f.env, "stats-carbon-disabled-list", note, seen);
	ck_assert_uint_eq(place_of(seen, "auth-refused-answers"), seen->n);
	ck_assert_uint_eq(place_of(seen, "auth-rcode15-answers"), seen->n);
	ck_assert_uint_lt(place_of(seen, "auth-other-answers"), seen->n);
	ck_assert_uint_eq(place_of(seen, "cumul-clientanswers-le-20"), seen->n);
	ck_assert_uint_lt(place_of(seen, "cumul-clientanswers-le-50"), seen->n);
	ck_assert_uint_eq(place_of(seen, "mine"), seen->n);
	ck_assert_uint_eq(place_of(seen, "questions"), seen->n);
	fake_env_close(&f);
	free(seen);
}
END_TEST

static void count_x_dnssec(void *ctx, const struct metric_sample *sample)
{
	unsigned *n = ctx;

	*n += strncmp(sample->name, "x-dnssec-result-", 16) == 0;
}

/* The setting is read once, however many metrics ask for it. */
START_TEST(names_of_their_own_have_metrics_of_their_own)
{
	struct fake_env f;
	unsigned n = 0;
	uint64_t value;

	fake_env_open(&f);
	metrics_visit(&f.env, NULL, count_x_dnssec, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(f.x_dnssec_lookups, 1);
	ck_assert(!metrics_get(&f.env, "x-dnssec-result-bogus", &value));
	f.x_dnssec_names = "a.example";
	f.x_dnssec_lookups = 0;
	metrics_visit_grouped(&f.env, NULL, count_x_dnssec, &n);
	ck_assert_uint_gt(n, 10);
	ck_assert_uint_eq(f.x_dnssec_lookups, 1);
	ck_assert(metrics_get(&f.env, "x-dnssec-result-bogus", &value));
	fake_env_close(&f);
}
END_TEST

START_TEST(servers_rcodes_have_names)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;
	size_t at;

	fake_env_open(&f);
	counter_add(&f.counters[0].auth_rcodes[RCODE_NXDOMAIN], 2);
	counter_add(&f.counters[1].auth_rcodes[RCODE_NXDOMAIN], 3);
	counter_add(&f.counters[1].auth_rcodes[15], 1);
	ck_assert_uint_eq(value_of(&f, "auth-nxdomain-answers"), 5);
	ck_assert_uint_eq(value_of(&f, "auth-rcode15-answers"), 1);
	ck_assert_uint_eq(value_of(&f, "auth-notauth-answers"), 0);
	metrics_visit(&f.env, NULL, note, seen);
	at = place_of(seen, "auth-nxdomain-answers");
	ck_assert_str_eq(seen->rows[at].prometheus, "auth_rcode_answers");
	ck_assert_str_eq(seen->rows[at].labels, "rcode=\"nxdomain\"");
	fake_env_close(&f);
	free(seen);
}
END_TEST

static void add_client(struct fake_env *f, uint64_t us)
{
	histogram_add(f->counters[us % 2].client_us, METRICS_CLIENT_FIRST_US, METRICS_CLIENT_STEPS,
		      us, 1);
}

START_TEST(histograms_add_up)
{
	static const uint64_t us[] = { 0, 10, 11, 20, 999, 1000, 10000000, 10000001 };
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;
	size_t at;

	fake_env_open(&f);
	for (size_t i = 0; i < ARRAY_LEN(us); i++)
		add_client(&f, us[i]);
	counter_add(&f.counters[0].packetcache_hits, 100);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-10"), 102);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-20"), 104);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-500"), 104);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-1000"), 106);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-10000000"), 107);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-le-max"), 108);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-count"), 108);
	ck_assert_uint_eq(value_of(&f, "cumul-clientanswers-sum"), 20002041);
	metrics_visit(&f.env, NULL, note, seen);
	at = place_of(seen, "cumul-clientanswers-le-20");
	ck_assert_str_eq(seen->rows[at].prometheus, "cumul_clientanswers_seconds_bucket");
	ck_assert_str_eq(seen->rows[at].labels, "le=\"2e-05\"");
	at = place_of(seen, "cumul-clientanswers-le-max");
	ck_assert_str_eq(seen->rows[at].labels, "le=\"+Inf\"");
	fake_env_close(&f);
	free(seen);
}
END_TEST

/* By family as PowerDNS has it, by family and transport as we have it: the same answers. */
START_TEST(servers_answers_are_told_twice)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;
	size_t at;

	fake_env_open(&f);
	histogram_add(f.counters[0].udp6_us, METRICS_SERVER_FIRST_US, METRICS_SERVER_STEPS, 700, 1);
	histogram_add(f.counters[1].tcp6_us, METRICS_SERVER_FIRST_US, METRICS_SERVER_STEPS, 1500,
		      1);
	ck_assert_uint_eq(value_of(&f, "cumul-authanswers-le-10006"), 1);
	ck_assert_uint_eq(value_of(&f, "cumul-authanswers-le-max6"), 2);
	ck_assert_uint_eq(value_of(&f, "cumul-authanswers-count6"), 2);
	ck_assert_uint_eq(value_of(&f, "cumul-authanswers-sum6"), 2200);
	ck_assert_uint_eq(value_of(&f, "cumul-authanswers-count4"), 0);
	ck_assert_uint_eq(value_of(&f, "cumul-outqueries-udp6-le-1000"), 1);
	ck_assert_uint_eq(value_of(&f, "cumul-outqueries-tcp6-le-1000"), 0);
	ck_assert_uint_eq(value_of(&f, "cumul-outqueries-tcp6-le-2000"), 1);
	metrics_visit(&f.env, NULL, note, seen);
	at = place_of(seen, "cumul-authanswers-le-10006");
	ck_assert_str_eq(seen->rows[at].prometheus, "cumul_authanswers_seconds_bucket");
	ck_assert_str_eq(seen->rows[at].labels, "ipversion=\"v6\",le=\"0.001\"");
	fake_env_close(&f);
	free(seen);
}
END_TEST

START_TEST(threads_are_as_many_as_there_are)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct fake_env f;
	uint64_t value;

	fake_env_open(&f);
	metrics_visit(&f.env, NULL, note, seen);
	ck_assert_uint_eq(value_of(&f, "cpu-msec-thread-0"), 1);
	ck_assert_uint_eq(value_of(&f, "cpu-msec-thread-1"), 3);
	ck_assert(!metrics_get(&f.env, "cpu-msec-thread-2", &value));
	ck_assert_uint_eq(place_of(seen, "cpu-msec-thread-2"), seen->n);
	ck_assert_str_eq(seen->rows[place_of(seen, "cpu-msec-thread-1")].labels, "thread=\"1\"");
	ck_assert_uint_eq(value_of(&f, "idle-tcpout-connections"), 3);
	ck_assert_uint_eq(value_of(&f, "taskqueue-size"), 30);
	fake_env_close(&f);
	free(seen);
}
END_TEST

START_TEST(answers_are_told_by_rcode_reason_and_size)
{
	struct fake_env f;

	fake_env_open(&f);
	counter_add(&f.counters[0].rcodes[RCODE_NOERROR], 1);
	counter_add(&f.counters[1].hit_rcodes[RCODE_NOERROR], 2);
	counter_add(&f.counters[0].rcodes[RCODE_SERVFAIL], 4);
	counter_add(&f.counters[0].hit_rcodes[RCODE_SERVFAIL], 8);
	counter_add(&f.counters[0].rcodes[RCODE_BADVERS], 16);
	counter_add(&f.counters[0].reasons[REASON_QPERQ], 4);
	counter_add(&f.counters[0].reasons[REASON_EDNS_VERSION], 16);
	counter_add(&f.counters[0].client_parse_drops, 32);
	counter_add(&f.counters[0].reasons[REASON_MALFORMED], 64);
	ck_assert_uint_eq(value_of(&f, "noerror-answers"), 3);
	ck_assert_uint_eq(value_of(&f, "servfail-answers"), 12);
	ck_assert_uint_eq(value_of(&f, "other-rcode-answers"), 16);
	ck_assert_uint_eq(value_of(&f, "error-answers"), 28);
	ck_assert_uint_eq(value_of(&f, "error-answers-max-qperq"), 4);
	ck_assert_uint_eq(value_of(&f, "error-answers-cached-answer"), 8);
	ck_assert_uint_eq(value_of(&f, "client-parse-errors"), 96);
	ck_assert_uint_eq(metrics_answers_of_rcode(&f.env, RCODE_NOERROR), 3);
	ck_assert_uint_eq(metrics_answers_of_rcode(&f.env, RCODE_BADVERS), 16);
	counter_add(&f.sizes[0][2], 1); /* 11 to 20 bytes */
	counter_add(&f.sizes[1][4], 2); /* 31 to 40 */
	counter_add(&f.sizes[1][METRICS_SIZES - 1], 4);
	ck_assert_uint_eq(metrics_answers_of_size(&f.env, 0, 20), 1);
	ck_assert_uint_eq(metrics_answers_of_size(&f.env, 20, 40), 2);
	ck_assert_uint_eq(metrics_answers_of_size(&f.env, 0, SIZE_MAX), 7);
	fake_env_close(&f);
}
END_TEST

/* By family, made of what the histogram has. */
START_TEST(servers_answers_have_the_fields_buckets)
{
	static const uint64_t us[] = { 900, 5000, 50000, 60000, 500000, 5000000, 50000000 };
	struct fake_env f;

	fake_env_open(&f);
	for (size_t i = 0; i < ARRAY_LEN(us); i++)
		histogram_add(i % 2 ? f.counters[0].udp4_us : f.counters[1].tcp4_us,
			      METRICS_SERVER_FIRST_US, METRICS_SERVER_STEPS, us[i], 1);
	ck_assert_uint_eq(value_of(&f, "auth4-answers0-1"), 1);
	ck_assert_uint_eq(value_of(&f, "auth4-answers1-10"), 1);
	ck_assert_uint_eq(value_of(&f, "auth4-answers10-100"), 2);
	ck_assert_uint_eq(value_of(&f, "auth4-answers100-1000"), 1);
	ck_assert_uint_eq(value_of(&f, "auth4-answers-slow"), 2);
	ck_assert_uint_eq(value_of(&f, "auth6-answers-slow"), 0);
	fake_env_close(&f);
}
END_TEST

/* A reason that is not there, or that counts twice, would not be found by adding up. */
START_TEST(sums_are_made_of_metrics)
{
	struct fake_env f;

	fake_env_open(&f);
	for (size_t i = 0; i < metrics_n_sums; i++) {
		const struct metric_sum *sum = &metrics_sums[i];

		(void)value_of(&f, sum->total);
		for (size_t k = 0; k < sum->n_parts; k++) {
			(void)value_of(&f, sum->parts[k]);
			for (size_t other = 0; other < k; other++)
				ck_assert_str_ne(sum->parts[k], sum->parts[other]);
		}
	}
	fake_env_close(&f);
}
END_TEST

static const struct metric *metric_of(const char *name)
{
	for (size_t i = 0; i < metrics_count(); i++)
		if (strcmp(metrics_at(i)->name, name) == 0)
			return metrics_at(i);
	return NULL;
}

/* Of a number: a time passes by itself, and a part of an address or of a TTL is none. */
static bool is_no_limit(const struct setting *row)
{
	static const char *const units[] = { "seconds", "milliseconds", "hours", "bits",
					     "percent of the TTL" };

	if (row->status != SETTING_OURS ||
	    (row->type != SET_INT && row->type != SET_BIG && row->type != SET_SIZE))
		return true;
	for (size_t i = 0; row->unit != NULL && i < ARRAY_LEN(units); i++)
		if (strcmp(row->unit, units[i]) == 0)
			return true;
	return false;
}

START_TEST(limits_have_high_water_marks)
{
	for (size_t i = 0; i < settings_count; i++)
		if (!is_no_limit(&settings_table[i]))
			ck_assert_msg(mark_of(settings_table[i].name, NULL) != NULL,
				      "%s has no high-water mark, and marks.c does not say why",
				      settings_table[i].name);
	for (size_t i = 0; i < n_marks; i++) {
		const struct mark *m = &marks[i];
		const struct metric *metric;

		ck_assert_msg((m->metric != NULL) != (m->why != NULL), "%s", m->limit);
		ck_assert_msg(strchr(m->limit, ' ') != NULL || setting_find(m->limit) != NULL,
			      "there is no setting %s", m->limit);
		if (m->metric == NULL)
			continue;
		metric = metric_of(m->metric);
		ck_assert_msg(metric != NULL, "%s: no metric %s", m->limit, m->metric);
		ck_assert_msg(metric->kind == METRIC_PEAK, "%s", m->metric);
		/* Whoever reads of the one finds the other. */
		ck_assert_msg(strchr(m->limit, ' ') != NULL || strcmp(m->metric, m->limit) == 0 ||
				      strstr(metric->help, m->limit) != NULL,
			      "%s does not say that it is of %s", m->metric, m->limit);
	}
}
END_TEST

START_TEST(high_water_marks_are_of_limits)
{
	struct fake_env f;

	for (size_t i = 0; i < metrics_count(); i++) {
		size_t k = 0;

		if (metrics_at(i)->kind != METRIC_PEAK)
			continue;
		while (k < n_marks && (marks[k].metric == NULL ||
				       strcmp(marks[k].metric, metrics_at(i)->name) != 0))
			k++;
		ck_assert_msg(k < n_marks, "%s is of no limit", metrics_at(i)->name);
	}
	fake_env_open(&f);
	counter_max(&f.counters[0].peak_qperq, 20);
	counter_max(&f.counters[1].peak_qperq, 30);
	ck_assert_uint_eq(value_of(&f, "query-outqueries-peak"), 30);
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
	tcase_add_test(t, samples_come_in_order_of_name);
	tcase_add_test(t, groups_are_whole);
	tcase_add_test(t, a_setting_hides_samples_and_whole_metrics);
	tcase_add_test(t, names_of_their_own_have_metrics_of_their_own);
	tcase_add_test(t, servers_rcodes_have_names);
	tcase_add_test(t, histograms_add_up);
	tcase_add_test(t, servers_answers_are_told_twice);
	tcase_add_test(t, threads_are_as_many_as_there_are);
	tcase_add_test(t, answers_are_told_by_rcode_reason_and_size);
	tcase_add_test(t, servers_answers_have_the_fields_buckets);
	tcase_add_test(t, sums_are_made_of_metrics);
	tcase_add_test(t, limits_have_high_water_marks);
	tcase_add_test(t, high_water_marks_are_of_limits);
	tcase_add_test(t, the_manual_lists_them_all);
	suite_add_tcase(s, t);
	return s;
}
