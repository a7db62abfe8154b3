#include "recursor/reasons.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"

/* In order of text. */
static const struct said {
	const char *text;
	enum metrics_reason reason;
} table[] = {
	{ "Query killed by policy", REASON_SCRIPT_KILL },
	{ "alias loop", REASON_ALIAS },
	{ "empty alias", REASON_ALIAS },
	{ "failed a moment ago", REASON_CACHED_FAILURE },
	{ "gave way to another client", REASON_FAIR_SHARE },
	{ "max-bytesperq", REASON_BYTES },
	{ "max-chain-length", REASON_CHAIN },
	{ "max-cnames-followed", REASON_CNAMES },
	{ "max-inflight-per-server", REASON_SERVER },
	{ "max-inflight-per-zone", REASON_ZONE },
	{ "max-qperq", REASON_QPERQ },
	{ "max-total-msec", REASON_TIME },
	{ "max-total-msec reached in a script's followup", REASON_TIME },
	{ "no forwarder of the zone answers", REASON_NO_ANSWER },
	{ "no memory", REASON_GOALS },
	{ "no server of the zone answers", REASON_NO_ANSWER },
	{ "no such group in forward-groups", REASON_GROUP },
	{ "our own network is down", REASON_NETWORK },
	{ "out of memory", REASON_GOALS },
	{ "shutting down", REASON_STOPPING },
	{ "the script's followup cannot be done", REASON_SCRIPT_FOLLOWUP },
	{ "too many followups of a script", REASON_SCRIPT_FOLLOWUP },
	{ "too many queries wait", REASON_SCRIPT_FOLLOWUP },
	{ "too many referrals", REASON_REFERRALS },
	{ "too much to do", REASON_GOALS },
};

static int compare(const void *text, const void *row)
{
	return strcmp(text, ((const struct said *)row)->text);
}

static const struct said *look(const char *text)
{
	return text == NULL ? NULL
			    : bsearch(text, table, ARRAY_LEN(table), sizeof(table[0]), compare);
}

enum metrics_reason reason_of_answer(uint16_t rcode, int ede, const char *ede_text)
{
	const struct said *s = look(ede_text);

	if (s != NULL)
		return s->reason;
	if (rcode == RCODE_REFUSED && ede == EDE_NOT_AUTHORITATIVE)
		return REASON_NO_RECURSION; /* the cache alone may answer, and does not know */
	if (rcode == RCODE_YXDOMAIN)
		return REASON_ALIAS; /* RFC 6672 2.2: the name became too long */
	return REASON_OTHER;
}

enum metrics_reason reason_of_script(uint16_t rcode, int ede, const char *ede_text)
{
	enum metrics_reason reason = reason_of_answer(rcode, ede, ede_text);

	return reason == REASON_OTHER ? REASON_SCRIPT : reason;
}
