/* validation: see validation.h. */
#include "recursor/validation.h"

#include <assert.h>

#include "common/log.h"
#include "recursor/resolve/dnssec/bogus.h"
#include "recursor/wiring.h"

static_assert((int)METRICS_DNSSEC_BOGUS_REASONS == (int)BOGUS_REASON_N,
	      "a counter for each reason, in their order");

static enum metrics_dnssec result_of(const struct answer *a)
{
	switch (a->security) {
	case SEC_SECURE:
		return METRICS_DNSSEC_SECURE;
	case SEC_INSECURE:
		return a->is_under_nta ? METRICS_DNSSEC_NTA : METRICS_DNSSEC_INSECURE;
	case SEC_BOGUS:
		return METRICS_DNSSEC_FIRST_BOGUS + bogus_row(a->bogus)->reason;
	case SEC_UNCHECKED:
	case SEC_INDETERMINATE:
		break;
	}
	return METRICS_DNSSEC_INDETERMINATE;
}

static void count(struct counters *counters, const struct client_query *cq,
		  const struct settings *s, const struct answer *a)
{
	bool is_apart = nameset_count(s->x_dnssec_names) > 0 &&
			nameset_encloses(s->x_dnssec_names, query_name(&cq->q));
	counter *results = is_apart ? counters->x_dnssec_results : counters->dnssec_results;

	COUNT(counters, dnssec_validations);
	counter_add(&results[result_of(a)], 1);
}

/* Which limit makes it what it is. */
static void count_limit(struct counters *counters, const struct answer *a)
{
	switch (a->security == SEC_BOGUS || a->security == SEC_INSECURE ? a->bogus : BOGUS_NONE) {
	case BOGUS_MAX_RRSIGS:
		COUNT(counters, limit_rrsigs);
		break;
	case BOGUS_MAX_DNSKEYS:
		COUNT(counters, limit_dnskeys);
		break;
	case BOGUS_MAX_DS:
		COUNT(counters, limit_ds);
		break;
	case BOGUS_MAX_DS_LOOKUPS:
		COUNT(counters, limit_ds_lookups);
		break;
	case BOGUS_MAX_NSEC3S:
		COUNT(counters, limit_nsec3s);
		break;
	case BOGUS_MAX_ITERATIONS:
		COUNT(counters, limit_iterations);
		break;
	default:
		break;
	}
}

static void log_bogus(const struct client_query *cq, const struct answer *a)
{
	const struct bogus_row *why = bogus_row(a->bogus);
	char name[NAME_TEXT_MAX], buf[RRTYPE_TEXT_MAX], addr[ADDR_TEXT_MAX];
	const char *type = rrtype_to_text(cq->q.type, buf);
	const char *reason = bogus_reason_text((enum bogus_reason)why->reason);

	(void)name_to_text(name, query_name(&cq->q));
	(void)addr_ip_text(addr, &cq->client.remote);
	log_with(LOG_LEVEL_NOTICE,
		 LOG_FIELDS(LOG_TEXT("client", addr), LOG_TEXT("qname", name),
			    LOG_TEXT("qtype", type), LOG_TEXT("reason", reason),
			    LOG_TEXT("error", why->text)),
		 "Answer to %s|%s for %s validates as Bogus: %s (%s)", name, type, addr, why->text,
		 reason);
}

void validation_note(struct client_query *cq, const struct settings *s, const struct answer *a)
{
	struct account *account = &cq->pipeline->account;

	if (a->security == SEC_UNCHECKED || !(cq->q.dnssec & QUERY_VALIDATE))
		return;
	count(account->counters, cq, s, a);
	count_limit(account->counters, a);
	if (a->security != SEC_BOGUS)
		return;
	account_bogus(account, &cq->client, &cq->q);
	if (s->dnssec_log_bogus || wiring_dnssec_mode(s) == DNSSEC_LOG_FAIL)
		log_bogus(cq, a);
}

bool validation_asks_anew(struct client_query *cq, const struct answer *a)
{
	if (a->security != SEC_BOGUS || a->rcode != RCODE_SERVFAIL || a->n_sets > 0 ||
	    (cq->q.dnssec & QUERY_REFUSE) || cq->takes_bogus)
		return false;
	cq->takes_bogus = true;
	return true;
}

/* RFC 4035 5.5. */
static void refuse(struct answer *a)
{
	a->rcode = RCODE_SERVFAIL;
	answer_blame_bogus(a, a->bogus);
	a->n_sets = a->n_authority = 0;
	a->authoritative = false;
}

void validation_apply(const struct client_query *cq, const struct settings *s, struct answer *a)
{
	if (a->security == SEC_BOGUS && (cq->q.dnssec & QUERY_REFUSE) && a->rcode != RCODE_SERVFAIL)
		refuse(a);
	else if (a->is_under_nta && s->nta_extended_error && a->ede == EDE_NONE)
		a->ede = EDE_NEGATIVE_TRUST_ANCHOR;
}

unsigned validation_state(const struct answer *a)
{
	enum { INDETERMINATE, INSECURE, SECURE };

	switch (a->security) {
	case SEC_SECURE:
		return SECURE;
	case SEC_INSECURE:
		return INSECURE;
	case SEC_BOGUS:
		return HOOK_FIRST_BOGUS + bogus_row(a->bogus)->reason;
	case SEC_UNCHECKED:
	case SEC_INDETERMINATE:
		break;
	}
	return INDETERMINATE;
}

const char *validation_text(const struct answer *a)
{
	return a->security == SEC_UNCHECKED ? NULL : security_text(a->security);
}
