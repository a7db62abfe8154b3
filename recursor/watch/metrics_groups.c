/* metrics_groups: metrics of many samples; see metrics_impl.h. */
#include <ctype.h>
#include <stdio.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/metrics_impl.h"

/* ---- answers of servers by rcode ---- */

static void auth_rcode_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	static const char *const names[] = { "noerror", "formerr", "servfail", "nxdomain",
					     "notimp",  "refused", "yxdomain", "yxrrset",
					     "nxrrset", "notauth" };
	char rcode[16];

	(void)g;
	if (member < ARRAY_LEN(names))
		snprintf(rcode, sizeof(rcode), "%s", names[member]);
	else
		snprintf(rcode, sizeof(rcode), "rcode%u", (unsigned)member);
	snprintf(out->name, sizeof(out->name), "auth-%s-answers", rcode);
	snprintf(out->labels, sizeof(out->labels), "rcode=\"%s\"", rcode);
	out->prometheus = "auth_rcode_answers";
}

static uint64_t auth_rcode_value(const struct metric_group *g, struct reading *r, size_t member)
{
	(void)g;
	return reading_counter(r, COUNTER_PLACE(auth_rcodes) + member);
}

const struct metric_group metric_group_auth_rcodes = {
	.n = METRICS_AUTH_RCODES,
	.name = auth_rcode_name,
	.value = auth_rcode_value,
};

/* ---- threads ---- */

static void thread_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	(void)g;
	snprintf(out->name, sizeof(out->name), "cpu-msec-thread-%zu", member);
	snprintf(out->labels, sizeof(out->labels), "thread=\"%zu\"", member);
	out->prometheus = "cpu_msec";
}

static uint64_t thread_cpu_ms(const struct metric_group *g, struct reading *r, size_t member)
{
	struct watch_gauges gauges;

	(void)g;
	r->env->gauges(r->env->ctx, (unsigned)member, &gauges);
	return gauges.cpu_us / 1000;
}

static size_t n_threads(const struct watch_env *env)
{
	return env->n_workers;
}

const struct metric_group metric_group_cpu = {
	.n = 256, /* as many as the setting threads allows */
	.name = thread_name,
	.value = thread_cpu_ms,
	.n_there = n_threads,
};

/* ---- errors by reason ---- */

static void reason_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	static const char *const names[METRICS_N_REASONS] = {
#define REASON_NAME(reason, name, help) name,
		METRICS_REASONS(REASON_NAME)
#undef REASON_NAME
	};

	(void)g;
	snprintf(out->name, sizeof(out->name), "error-answers-%s", names[member]);
	snprintf(out->labels, sizeof(out->labels), "reason=\"%s\"", names[member]);
	out->prometheus = "error_answers_by_reason";
}

/* Hits are counted by rcode only; that is reason enough. */
static uint64_t reason_value(const struct metric_group *g, struct reading *r, size_t member)
{
	uint64_t n = reading_counter(r, COUNTER_PLACE(reasons) + member);

	(void)g;
	for (unsigned rcode = 0; member == REASON_CACHED_PACKET && rcode < METRICS_HIT_RCODES;
	     rcode++)
		if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
			n += reading_counter(r, COUNTER_PLACE(hit_rcodes) + rcode);
	return n;
}

const struct metric_group metric_group_reasons = {
	.n = METRICS_N_REASONS,
	.name = reason_name,
	.value = reason_value,
};

/* ---- policies ---- */

/* There are policies of scripts, and no others. */
static void policy_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	(void)g;
	snprintf(out->name, sizeof(out->name), member == 0 ? "policy-hits" : "policy-hits-filter");
	snprintf(out->labels, sizeof(out->labels), member == 0 ? "" : "type=\"filter\"");
	out->prometheus = "policy_hits";
}

static uint64_t policy_value(const struct metric_group *g, struct reading *r, size_t member)
{
	(void)g;
	(void)member;
	return reading_counter(r, COUNTER_PLACE(policy_drop)) +
	       reading_counter(r, COUNTER_PLACE(policy_nxdomain)) +
	       reading_counter(r, COUNTER_PLACE(policy_nodata)) +
	       reading_counter(r, COUNTER_PLACE(policy_truncate)) +
	       reading_counter(r, COUNTER_PLACE(policy_custom));
}

const struct metric_group metric_group_policy_hits = {
	.n = 2,
	.name = policy_name,
	.value = policy_value,
};

/* ---- servers of dnstap-server ---- */

static const struct {
	const char *letter, *label;
} outcomes[] = {
	{ "q", "queued" },
	{ "p", "pipeFull" },
	{ "t", "tooLarge" },
	{ "o", "otherError" },
};
enum { N_OUTCOMES = ARRAY_LEN(outcomes) };

static void logger_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	(void)g;
	snprintf(out->name, sizeof(out->name), "remote-logger-count-%s-%zu",
		 outcomes[member % N_OUTCOMES].letter, member / N_OUTCOMES);
	out->prometheus = "remote_logger_count";
}

static size_t n_loggers(const struct watch_env *env)
{
	return dnstap_n_servers(env->dnstap) * N_OUTCOMES;
}

/* The path of a socket may hold any byte. */
static void logger_labels(const struct watch_env *env, size_t member, char out[LABELS_NOW_MAX])
{
	struct dnstap_server_stats s;
	char address[LABELS_NOW_MAX - 64];
	size_t len = 0;

	dnstap_server_stats(env->dnstap, member / N_OUTCOMES, &s);
	for (const char *p = s.address; *p != '\0' && len + 6 < sizeof(address); p++)
		len += (size_t)snprintf(address + len, sizeof(address) - len,
					*p == '"' || *p == '\\'      ? "\\%c"
					: isprint((unsigned char)*p) ? "%c"
								     : "\\\\x%02x",
					(unsigned char)*p);
	address[len] = '\0';
	snprintf(out, LABELS_NOW_MAX, "address=\"%s\",type=\"" DNSTAP_LOGGER_TYPE "\",count=\"%s\"",
		 address, outcomes[member % N_OUTCOMES].label);
}

static uint64_t logger_value(const struct metric_group *g, struct reading *r, size_t member)
{
	struct dnstap_server_stats s;

	(void)g;
	dnstap_server_stats(r->env->dnstap, member / N_OUTCOMES, &s);
	return (const uint64_t[]) { s.queued, s.pipe_full, s.too_large,
				    s.failures }[member % N_OUTCOMES];
}

const struct metric_group metric_group_remote_loggers = {
	.n = (size_t)DNSTAP_SERVERS_MAX * N_OUTCOMES,
	.name = logger_name,
	.value = logger_value,
	.n_there = n_loggers,
	.labels_now = logger_labels,
};

/* ---- histograms ---- */

enum { SOURCES_MAX = 2, SERIES_MAX = 4 };

/* How a histogram is shown, and the places in struct counters that it adds up. */
struct histogram {
	const char *stem;          /* of its names: "cumul-clientanswers-" */
	const char *prometheus[3]; /* of buckets, sum, count */
	uint64_t first_us;
	unsigned steps;
	struct series {
		const char *before, *after; /* in the name, around what is counted */
		const char *labels;         /* but le */
		unsigned n_sources;
		size_t source[SOURCES_MAX];
		bool has_at_once; /* a counter of what took no time */
		size_t at_once;
	} series[SERIES_MAX];
};

/* Of each series: the bounds, what is above them, the sum, the count. */
enum { BESIDE_BOUNDS = 3 };

static uint64_t bound_us(const struct histogram *h, size_t step)
{
	static const uint64_t of_ten[3] = { 1, 2, 5 };
	uint64_t bound = h->first_us * of_ten[step % 3];

	for (size_t decade = 0; decade < step / 3; decade++)
		bound *= 10;
	return bound;
}

static void histogram_name(const struct metric_group *g, size_t member, struct group_member *out)
{
	static const char *const last[BESIDE_BOUNDS] = { "le-max", "sum", "count" };
	const struct histogram *h = g->what;
	const struct series *s = &h->series[member / (h->steps + BESIDE_BOUNDS)];
	size_t at = member % (h->steps + BESIDE_BOUNDS);
	char what[32], le[24] = "";

	if (at < h->steps) {
		snprintf(what, sizeof(what), "le-%llu", (unsigned long long)bound_us(h, at));
		snprintf(le, sizeof(le), "le=\"%g\"", (double)bound_us(h, at) / 1e6);
	} else {
		snprintf(what, sizeof(what), "%s", last[at - h->steps]);
		if (at == h->steps)
			snprintf(le, sizeof(le), "le=\"+Inf\"");
	}
	snprintf(out->name, sizeof(out->name), "%s%s%s%s", h->stem, s->before, what, s->after);
	snprintf(out->labels, sizeof(out->labels), "%s%s%s", s->labels,
		 s->labels[0] != '\0' && le[0] != '\0' ? "," : "", le);
	out->prometheus = h->prometheus[at <= h->steps ? 0 : at - h->steps];
	out->is_usec = at == h->steps + 1;
}

static uint64_t histogram_value(const struct metric_group *g, struct reading *r, size_t member)
{
	const struct histogram *h = g->what;
	const struct series *s = &h->series[member / (h->steps + BESIDE_BOUNDS)];
	size_t at = member % (h->steps + BESIDE_BOUNDS);
	bool is_sum = at == h->steps + 1;
	uint64_t value = 0;

	for (unsigned i = 0; i < s->n_sources; i++) {
		if (is_sum)
			value += reading_counter(r, s->source[i] + h->steps + 1);
		else
			for (size_t step = 0; step <= at && step <= h->steps; step++)
				value += reading_counter(r, s->source[i] + step);
	}
	if (s->has_at_once && !is_sum)
		value += reading_counter(r, s->at_once);
	return value;
}

#define HISTOGRAM(group, histogram, n_steps, n_series)                                             \
	const struct metric_group group = {                                                        \
		.n = (size_t)(n_series) * ((n_steps) + BESIDE_BOUNDS),                             \
		.name = histogram_name,                                                            \
		.value = histogram_value,                                                          \
		.what = &(histogram),                                                              \
	}
#define SECONDS(stem)                                                                              \
	{                                                                                          \
		stem "_seconds_bucket", stem "_seconds_sum", stem "_seconds_count"                 \
	}

/* A packet-cache hit takes no time, and counting it here would: it is counted as a hit already. */
static const struct histogram client = {
	.stem = "cumul-clientanswers-",
	.prometheus = SECONDS("cumul_clientanswers"),
	.first_us = METRICS_CLIENT_FIRST_US,
	.steps = METRICS_CLIENT_STEPS,
	.series = { { .before = "",
		      .after = "",
		      .labels = "",
		      .n_sources = 1,
		      .source = { COUNTER_PLACE(client_us) },
		      .has_at_once = true,
		      .at_once = COUNTER_PLACE(packetcache_hits) } },
};

static const struct histogram servers = {
	.stem = "cumul-authanswers-",
	.prometheus = SECONDS("cumul_authanswers"),
	.first_us = METRICS_SERVER_FIRST_US,
	.steps = METRICS_SERVER_STEPS,
	.series = { { .before = "",
		      .after = "4",
		      .labels = "ipversion=\"v4\"",
		      .n_sources = 2,
		      .source = { COUNTER_PLACE(udp4_us), COUNTER_PLACE(tcp4_us) } },
		    { .before = "",
		      .after = "6",
		      .labels = "ipversion=\"v6\"",
		      .n_sources = 2,
		      .source = { COUNTER_PLACE(udp6_us), COUNTER_PLACE(tcp6_us) } } },
};

#define OVER(protocol, version)                                                                    \
	{                                                                                          \
		.before = #protocol #version "-", .after = "",                                     \
		.labels = "transport=\"" #protocol "\",ipversion=\"v" #version "\"",               \
		.n_sources = 1, .source = {                                                        \
			COUNTER_PLACE(protocol##version##_us)                                      \
		}                                                                                  \
	}
static const struct histogram outqueries = {
	.stem = "cumul-outqueries-",
	.prometheus = SECONDS("cumul_outqueries"),
	.first_us = METRICS_SERVER_FIRST_US,
	.steps = METRICS_SERVER_STEPS,
	.series = { OVER(udp, 4), OVER(udp, 6), OVER(tcp, 4), OVER(tcp, 6) },
};

static const struct histogram query_cpu = {
	.stem = "cumul-query-cpu-",
	.prometheus = SECONDS("cumul_query_cpu"),
	.first_us = METRICS_CPU_FIRST_US,
	.steps = METRICS_CPU_STEPS,
	.series = { { .before = "",
		      .after = "",
		      .labels = "",
		      .n_sources = 1,
		      .source = { COUNTER_PLACE(query_cpu_us) } } },
};

HISTOGRAM(metric_group_clientanswers, client, METRICS_CLIENT_STEPS, 1);
HISTOGRAM(metric_group_authanswers, servers, METRICS_SERVER_STEPS, 2);
HISTOGRAM(metric_group_outqueries, outqueries, METRICS_SERVER_STEPS, 4);
HISTOGRAM(metric_group_query_cpu, query_cpu, METRICS_CPU_STEPS, 1);
