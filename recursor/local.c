/* local: see local.h. */
#include "recursor/local.h"

#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/resolver.h"

enum { ANY_TTL_S = 3600, TEXT_MAX = 1020 };

static struct rrset *make_set(const struct query *q, uint16_t type, uint32_t ttl, uint32_t now_s,
			      const uint8_t *data, size_t len)
{
	const struct rdata rr = { .data = data, .len = (uint16_t)len };
	uint8_t owner[NAME_MAX_LEN];
	struct rrset *set = NULL;

	name_lower(owner, query_name(q));
	if (rrset_new(&set, owner, type, ttl, now_s, RANK_LOCAL, &rr, 1, NULL, 0) != E_OK)
		return NULL;
	return set;
}

/* TXT rdata: character strings of at most 255 bytes (RFC 1035 3.3.14). */
static size_t put_text(uint8_t out[TEXT_MAX + TEXT_MAX / 255 + 1], const char *text)
{
	size_t left = strnlen(text, TEXT_MAX), len = 0;

	do {
		size_t n = left < 255 ? left : 255;

		out[len++] = (uint8_t)n;
		memcpy(out + len, text, n);
		len += n;
		text += n;
		left -= n;
	} while (left > 0);
	return len;
}

static const char *chaos_text(const uint8_t *name, const struct settings *s)
{
	const char *text = NULL;

	if (name_equal(name, (const uint8_t *)"\7version\4bind") ||
	    name_equal(name, (const uint8_t *)"\7version\4pdns"))
		text = s->version_string;
	else if (name_equal(name, (const uint8_t *)"\2id\6server") ||
		 name_equal(name, (const uint8_t *)"\10hostname\4bind"))
		text = s->server_id;
	if (text == NULL || text[0] == '\0' || strcmp(text, "disabled") == 0)
		return NULL;
	return text;
}

static void answer_chaos(struct local_answer *out, const struct query *q, const struct settings *s,
			 uint32_t now_s)
{
	const char *text = chaos_text(query_name(q), s);
	uint8_t rdata[TEXT_MAX + TEXT_MAX / 255 + 1];

	if (text == NULL) {
		out->rcode = RCODE_REFUSED;
		out->cause = CAUSE_CHAOS;
		return;
	}
	if (q->type != TYPE_TXT && q->type != TYPE_ANY)
		return;
	out->set = make_set(q, TYPE_TXT, 0, now_s, rdata, put_text(rdata, text));
	if (out->set == NULL) {
		out->rcode = RCODE_SERVFAIL;
		out->cause = CAUSE_MEMORY;
	}
}

static enum local_verdict refuse(struct local_answer *out, uint16_t rcode, enum cause cause)
{
	out->rcode = rcode;
	out->cause = cause;
	return LOCAL_ANSWER;
}

/* Types that no zone has (RFC 6895 3.1). */
static enum local_verdict refuse_type(struct local_answer *out, uint16_t type)
{
	switch (type) {
	case TYPE_AXFR:
	case TYPE_IXFR:
		return refuse(out, RCODE_REFUSED, CAUSE_TRANSFER);
	case TYPE_MAILA:
	case TYPE_MAILB:
	case CACHE_DELEGATION:
		return refuse(out, RCODE_NOTIMP, CAUSE_TYPE);
	default:
		return refuse(out, RCODE_FORMERR, CAUSE_META_TYPE);
	}
}

enum local_verdict local_look(struct local_answer *out, const struct query *q, bool tcp,
			      const struct settings *s, uint32_t now_s)
{
	*out = (struct local_answer) { .rcode = RCODE_NOERROR, .cause = CAUSE_NONE };
	if (q->class == CLASS_CH) {
		answer_chaos(out, q, s, now_s);
		return LOCAL_ANSWER;
	}
	if (q->class != CLASS_IN)
		return refuse(out, RCODE_REFUSED, CAUSE_CLASS);
	if (q->type == TYPE_ANY)
		return !tcp && s->any_to_tcp ? LOCAL_TRUNCATE : LOCAL_RESOLVE;
	if (!resolver_seeks(q->type))
		return refuse_type(out, q->type);
	return LOCAL_RESOLVE;
}

struct rrset *local_any(const struct query *q, uint32_t now_s)
{
	static const uint8_t rdata[] = "\7RFC8482"; /* and the string's own zero: an empty OS */

	return make_set(q, TYPE_HINFO, ANY_TTL_S, now_s, rdata, sizeof(rdata));
}
