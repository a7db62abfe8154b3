/* account: see account.h. */
#include "recursor/account.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/msg.h"
#include "common/rrtype.h"

int account_init(struct account *a, struct counters *counters, const struct settings *s)
{
	/* Half a megabyte, of which only pages that are counted in become memory. */
	*a = (struct account) {
		.counters = counters,
		.qtypes = calloc(ACCOUNT_QTYPES, sizeof(counter)),
	};
	account_configure(a, s);
	return a->qtypes == NULL ? E_NOMEM : E_OK;
}

void account_deinit(struct account *a)
{
	free(a->qtypes);
	a->qtypes = NULL;
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

void account_rcode(struct account *a, unsigned rcode)
{
	switch (rcode) {
	case RCODE_NOERROR:
		COUNT(a->counters, noerror_answers);
		break;
	case RCODE_NXDOMAIN:
		COUNT(a->counters, nxdomain_answers);
		break;
	case RCODE_SERVFAIL:
		COUNT(a->counters, servfail_answers);
		break;
	default:
		COUNT(a->counters, other_rcode_answers);
	}
}

void account_answer(struct account *a, const struct client *to, const struct query *q,
		    unsigned rcode, size_t len)
{
	account_rcode(a, rcode);
	if (a->rings == NULL)
		return;
	if (rcode == RCODE_SERVFAIL)
		note_question(a, RING_SERVFAIL, to, q);
	if (len > RING_LARGE_ANSWER)
		note_question(a, RING_LARGE_ANSWERS, to, q);
}

void account_timeout(const struct account *a, const struct addr *server)
{
	const struct ring_note note = { .remote = server };

	if (a->rings != NULL)
		rings_note(a->rings, RING_TIMEOUTS, &note);
}

void account_latency(struct account *a, uint64_t us)
{
	double sample = (double)us;

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
	if (sample > a->latency_max)
		sample = a->latency_max;
	a->latency_us = a->latency_us * a->latency_keep + sample * (1 - a->latency_keep);
}

void account_packetcache_hit(struct account *a, const struct client *to, const struct query *q,
			     unsigned rcode, size_t len)
{
	COUNT(a->counters, packetcache_hits);
	account_answer(a, to, q, rcode, len);
	a->latency_us *= a->latency_keep; /* a sample of 0 */
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
