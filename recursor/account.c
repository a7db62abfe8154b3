/* account: see account.h. */
#include "recursor/account.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/costing.h"

int account_init(struct account *a, struct counters *counters, const struct settings *s)
{
	/* Half a megabyte, of which only pages that are counted in become memory. */
	*a = (struct account) {
		.counters = counters,
		.qtypes = calloc(ACCOUNT_QTYPES, sizeof(counter)),
		.sizes = calloc(METRICS_SIZES, sizeof(counter)),
	};
	account_configure(a, s);
	if (a->qtypes != NULL && a->sizes != NULL)
		return E_OK;
	account_deinit(a);
	return E_NOMEM;
}

void account_deinit(struct account *a)
{
	free(a->qtypes);
	free(a->sizes);
	a->qtypes = NULL;
	a->sizes = NULL;
}

void account_configure(struct account *a, const struct settings *s)
{
	double window = s->latency_statistic_size == 0 ? 1 : s->latency_statistic_size;

	a->latency_keep = 1 - 1 / window;
	a->latency_max = 1000.0 * s->network_timeout_ms;
}

void account_remote(const struct account *a, const struct addr *remote, bool tcp)
{
	const struct ring_note note = { .remote = remote, .tcp = tcp };

	if (a->rings != NULL)
		rings_note(a->rings, RING_REMOTES, &note);
}

static void note_question(const struct account *a, enum ring_kind ring, const struct client *from,
			  const struct query *q)
{
	const struct ring_note note = {
		.remote = &from->remote,
		.name = query_name(q),
		.name_len = q->question_end - WIRE_HEADER_LEN - 4U,
		.type = q->type,
		.tcp = from->tcp,
	};

	rings_note(a->rings, ring, &note);
}

void account_question(struct account *a, const struct client *from, const struct query *q)
{
	if (a->rings != NULL)
		note_question(a, RING_QUERIES, from, q);
	COUNT(a->counters, questions);
	counter_add(&a->qtypes[q->type], 1);
	if (from->tcp)
		COUNT(a->counters, tcp_questions);
	if (from->remote.family == 6)
		COUNT(a->counters, ipv6_questions);
	if (q->dnssec_ok)
		COUNT(a->counters, dnssec_queries);
	if (q->flags & MSG_AD)
		COUNT(a->counters, dnssec_ad_queries);
	if (q->flags & MSG_CD)
		COUNT(a->counters, dnssec_cd_queries);
}

void account_filtered(struct account *a, const struct client *from)
{
	COUNT(a->counters, questions);
	COUNT(a->counters, policy_drops);
	if (from->tcp)
		COUNT(a->counters, tcp_questions);
	if (from->remote.family == 6)
		COUNT(a->counters, ipv6_questions);
}

void account_dropped(struct account *a)
{
	COUNT(a->counters, dropped_queries);
}

static void count_size(struct account *a, size_t len)
{
	counter_add(&a->sizes[(len + METRICS_SIZE_STEP - 1) / METRICS_SIZE_STEP], 1);
}

void account_rcode(struct account *a, unsigned rcode, enum metrics_reason why, size_t len)
{
	counter_add(&a->counters->rcodes[rcode < METRICS_RCODES ? rcode : METRICS_RCODES - 1], 1);
	count_size(a, len);
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		counter_add(&a->counters->reasons[why], 1);
}

static void note_answer(struct account *a, const struct client *to, const struct query *q,
			unsigned rcode, size_t len)
{
	if (rcode == RCODE_SERVFAIL)
		note_question(a, RING_SERVFAIL, to, q);
	if (len > RING_LARGE_ANSWER)
		note_question(a, RING_LARGE_ANSWERS, to, q);
}

void account_answer(struct account *a, const struct client *to, const struct query *q,
		    unsigned rcode, enum metrics_reason why, size_t len)
{
	account_rcode(a, rcode, why, len);
	if (a->rings != NULL)
		note_answer(a, to, q, rcode, len);
}

void account_timeout(const struct account *a, const struct addr *server)
{
	const struct ring_note note = { .remote = server };

	if (a->rings != NULL)
		rings_note(a->rings, RING_TIMEOUTS, &note);
}

/* A hit is a sample of 0 in both averages; so many of them at once, when the next is wanted. */
void account_catch_up(struct account *a)
{
	uint64_t hits = counter_get(&a->counters->packetcache_hits), n = hits - a->hits_averaged;
	double keep = a->latency_keep, all = 1;

	for (; n > 0; n >>= 1) {
		if (n & 1)
			all *= keep;
		keep *= keep;
	}
	a->latency_us *= all;
	a->our_latency_us *= all;
	a->hits_averaged = hits;
}

static double averaged(const struct account *a, double before, double sample)
{
	if (sample > a->latency_max)
		sample = a->latency_max;
	return before * a->latency_keep + sample * (1 - a->latency_keep);
}

void account_latency(struct account *a, uint64_t us)
{
	histogram_add(a->counters->client_us, METRICS_CLIENT_FIRST_US, METRICS_CLIENT_STEPS, us, 1);
	if (us < 1000)
		COUNT(a->counters, answers0_1);
	else if (us < 10000)
		COUNT(a->counters, answers1_10);
	else if (us < 100000)
		COUNT(a->counters, answers10_100);
	else if (us < 1000000)
		COUNT(a->counters, answers100_1000);
	else
		COUNT(a->counters, answers_slow);
	counter_max(&a->counters->peak_answer_us, us);
	account_catch_up(a);
	a->latency_us = averaged(a, a->latency_us, (double)us);
}

static void count_cpu(struct account *a, uint64_t us, unsigned times)
{
	histogram_add(a->counters->query_cpu_us, METRICS_CPU_FIRST_US, METRICS_CPU_STEPS, us,
		      times);
}

void account_hit_cpu(struct account *a, uint64_t us)
{
	count_cpu(a, us, COSTING_SAMPLE);
}

void account_own_time(struct account *a, uint64_t us, unsigned weight)
{
	static const uint64_t below_us[] = { 1000, 2000, 4000, 8000, 16000, 32000, UINT64_MAX };
	unsigned at = 0;

	while (us >= below_us[at])
		at++;
	counter_add(&a->counters->ourtime0_1 + at, weight);
	count_cpu(a, us, weight);
	account_catch_up(a);
	a->our_latency_us = averaged(a, a->our_latency_us, (double)us);
}

void account_packetcache_hit(struct account *a, const struct client *to, const struct query *q,
			     unsigned rcode, size_t len)
{
	COUNT(a->counters, packetcache_hits);
	counter_add(&a->counters->hit_rcodes[rcode % METRICS_HIT_RCODES], 1);
	count_size(a, len);
	if (a->rings != NULL)
		note_answer(a, to, q, rcode, len);
}

void account_bogus(const struct account *a, const struct client *to, const struct query *q)
{
	if (a->rings != NULL)
		note_question(a, RING_BOGUS, to, q);
}

void account_log_failure(const struct client *to, const struct query *q, const struct answer *a)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], addr[ADDR_TEXT_MAX];

	const char *why = a->ede_text != NULL ? a->ede_text : ede_to_text(a->ede);

	(void)name_to_text(name, query_name(q));
	(void)addr_ip_text(addr, &to->remote);
	log_limited_with(LOG_LEVEL_NOTICE,
			 LOG_FIELDS(LOG_TEXT("client", addr), LOG_TEXT("qname", name),
				    LOG_TEXT("qtype", rrtype_to_text(q->type, type)),
				    LOG_TEXT("error", why)),
			 "Sending SERVFAIL to %s during resolve of '%s|%s' because: %s", addr, name,
			 rrtype_to_text(q->type, type), why);
}
