/* local: see local.h. */
#include "recursor/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/resolver.h"

enum { ANY_TTL_S = 3600, TEXT_MAX = 1020, TXT_MAX = TEXT_MAX + TEXT_MAX / 255 + 1 };

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
static size_t put_text(uint8_t out[TXT_MAX], const char *text)
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

static void fail(struct local_answer *out)
{
	out->rcode = RCODE_SERVFAIL;
	out->cause = CAUSE_MEMORY;
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
	uint8_t rdata[TXT_MAX];

	if (text == NULL) {
		out->rcode = RCODE_REFUSED;
		out->cause = CAUSE_CHAOS;
		return;
	}
	if (q->type != TYPE_TXT && q->type != TYPE_ANY)
		return;
	out->set = make_set(q, TYPE_TXT, 0, now_s, rdata, put_text(rdata, text));
	if (out->set == NULL)
		fail(out);
}

/* ---- trust anchors ---- */

enum { ANCHORS_SHOWN_MAX = 256 };

/* "zone 20326 38696", or "zone reason".  False: this one is of the other kind. */
static bool anchor_text(char out[TEXT_MAX + 1], const struct anchor *a, bool negative)
{
	char name[NAME_TEXT_MAX];
	struct rdata rr;
	size_t len;

	if (negative ? a->nta == NULL : a->ds == NULL)
		return false;
	len = (size_t)snprintf(out, TEXT_MAX + 1, "%.900s", name_to_text(name, a->name));
	if (negative && a->nta->reason[0] != '\0')
		(void)snprintf(out + len, TEXT_MAX + 1 - len, " %s", a->nta->reason);
	for (size_t at = 0; !negative && rrset_next(a->ds, &at, &rr) && len + 7 < TEXT_MAX;)
		len += (size_t)snprintf(out + len, TEXT_MAX + 1 - len, " %u",
					(unsigned)wire_get_u16(rr.data));
	return true;
}

/* *out is NULL when there are none. */
static int anchors_set_of(struct rrset **out, const struct query *q, const struct anchors *anchors,
			  bool negative, uint32_t now_s)
{
	struct rdata rr[ANCHORS_SHOWN_MAX];
	uint8_t owner[NAME_MAX_LEN], *bytes = malloc((size_t)ANCHORS_SHOWN_MAX * TXT_MAX);
	struct rrset *set = NULL;
	size_t n = 0, len = 0;
	int err = E_OK;

	if (bytes == NULL)
		return E_NOMEM;
	(void)name_lower(owner, query_name(q));
	for (size_t i = 0; i < anchors_count(anchors) && n < ANCHORS_SHOWN_MAX; i++) {
		char text[TEXT_MAX + 1];

		if (!anchor_text(text, anchors_at(anchors, i), negative))
			continue;
		rr[n].data = bytes + len;
		rr[n].len = (uint16_t)put_text(bytes + len, text);
		len += rr[n++].len;
	}
	if (n > 0)
		err = rrset_new(&set, owner, TYPE_TXT, 0, now_s, RANK_LOCAL, rr, n, NULL, 0);
	free(bytes);
	if (err == E_OK)
		*out = set;
	return err;
}

/* False: it is another name, or nobody is to be told. */
static bool answer_anchors(struct local_answer *out, const struct query *q,
			   const struct settings *s, const struct anchors *anchors, uint32_t now_s)
{
	bool negative = name_equal(query_name(q),
				   (const uint8_t *)"\23negativetrustanchor\6server");

	if (!s->allow_trust_anchor_query ||
	    (!negative && !name_equal(query_name(q), (const uint8_t *)"\13trustanchor\6server")))
		return false;
	if ((q->type == TYPE_TXT || q->type == TYPE_ANY) &&
	    anchors_set_of(&out->set, q, anchors, negative, now_s) != E_OK)
		fail(out);
	return true;
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
			      const struct settings *s, const struct anchors *anchors,
			      uint32_t now_s)
{
	*out = (struct local_answer) { .rcode = RCODE_NOERROR, .cause = CAUSE_NONE };
	if (q->class == CLASS_CH) {
		if (!answer_anchors(out, q, s, anchors, now_s))
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
