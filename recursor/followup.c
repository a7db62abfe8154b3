/*
 * followup: what a hook wants done before the client is answered: which question to put to the
 * resolver for it, and what to make of what comes back.
 */
#include <stdio.h>
#include <string.h>

#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/hooks.h"

enum { NIBBLES = 8, PREFIX_BYTES = 12 };

/* The first alias of the answer section: what it points to. */
static bool alias_target(const struct hook_records *r, uint8_t name[NAME_MAX_LEN])
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].type == TYPE_CNAME && r->rows[i].place == PLACE_ANSWER) {
			name_copy(name, r->rows[i].rdata);
			return true;
		}
	return false;
}

static int nibble_of(const uint8_t *label)
{
	if (label[0] != 1)
		return -1;
	if (label[1] >= '0' && label[1] <= '9')
		return label[1] - '0';
	if ((label[1] | 0x20) >= 'a' && (label[1] | 0x20) <= 'f')
		return (label[1] | 0x20) - 'a' + 10;
	return -1;
}

/* The first eight nibbles of a name of ip6.arpa are the last four bytes of an IPv6 address: an IPv4
 * address, whose name in in-addr.arpa this is. */
static bool reverse_of(const uint8_t *name, uint8_t out[NAME_MAX_LEN])
{
	uint8_t bytes[4];
	char text[64];

	if (name_labels(name) < NIBBLES)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		int low = nibble_of(name), high = nibble_of(name_parent(name));

		if (low < 0 || high < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		name = name_parent(name_parent(name));
	}
	(void)snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa.", bytes[0], bytes[1],
		       bytes[2], bytes[3]);
	return name_from_text(out, text) == E_OK;
}

static bool name_of(const struct hook_text *t, uint8_t out[NAME_MAX_LEN])
{
	return t->text != NULL && strlen(t->text) == t->len && name_from_text(out, t->text) == E_OK;
}

/* RFC 6147 5.5: for who sets DO and CD nothing is made, since he will validate it; and where the
 * denial of an AAAA record is bogus nothing takes its place for who is refused what is bogus. */
bool followup_is_allowed(const struct hooked *h)
{
	const struct query *q = &h->cq->q;
	bool is_validator = (q->dnssec & QUERY_SIGNED) && (q->dnssec & QUERY_AD) &&
			    (q->flags & MSG_CD);
	bool is_forged = h->was_found && h->validated.security == SEC_BOGUS &&
			 (q->dnssec & QUERY_REFUSE);

	return h->q.answer.followup != FOLLOWUP_FAKE_AAAA || (!is_validator && !is_forged);
}

bool followup_question(const struct hooked *h, uint8_t name[NAME_MAX_LEN], uint16_t *type)
{
	const struct hook_answer *a = &h->q.answer;

	switch (a->followup) {
	case FOLLOWUP_CNAME:
		*type = h->q.qtype;
		return alias_target(&a->records, name);
	case FOLLOWUP_FAKE_AAAA:
		*type = TYPE_A;
		return name_of(&a->followup_name, name);
	case FOLLOWUP_FAKE_PTR:
		*type = TYPE_PTR;
		return reverse_of(h->q.qname, name);
	case FOLLOWUP_NONE:
	case FOLLOWUP_UDP_RESPONSE:
		break;
	}
	return false;
}

/* ---- what came back ---- */

/* "64:ff9b::", "fe80::21b:77ff:0:0": its first 96 bits. */
static bool prefix_of(const struct hook_answer *a, uint8_t out[PREFIX_BYTES])
{
	struct addr prefix;

	if (a->followup_prefix.text == NULL ||
	    addr_from_text(&prefix, a->followup_prefix.text, 0) != E_OK || prefix.family != 6)
		return false;
	memcpy(out, prefix.ip, PREFIX_BYTES);
	return true;
}

/* What a followup makes of the records that it found; kind NONE: they stay as they are. */
struct maker {
	struct hook_records *to;
	enum hook_followup kind;
	bool has_name, has_prefix;
	bool is_signed; /* with RRSIGs and proofs */
	uint8_t name[NAME_MAX_LEN], prefix[PREFIX_BYTES];
};

/* The same record, or NULL. */
static const struct hook_record *find_row(const struct hook_records *r,
					  const struct hook_record *row)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct hook_record *other = &r->rows[i];

		if (other->type == row->type && other->place == row->place &&
		    other->rdlen == row->rdlen && name_equal(other->name, row->name) &&
		    memcmp(other->rdata, row->rdata, row->rdlen) == 0)
			return other;
	}
	return NULL;
}

/* What has an answer now is not denied as well. */
static void drop_denial(struct hook_records *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct hook_record *row = &r->rows[i];

		if (row->place != PLACE_AUTHORITY ||
		    (row->type != TYPE_SOA && row->type != TYPE_RRSIG &&
		     !rrtype_is_denial(row->type)))
			r->rows[n++] = *row;
	}
	r->n = n;
}

/* The denial led by the same aliases as the answer. */
static int add_made(const struct maker *m, struct hook_record row)
{
	uint8_t ip[16];

	if (m->kind == FOLLOWUP_FAKE_AAAA && row.type != TYPE_A && find_row(m->to, &row) != NULL)
		return E_OK;
	if (m->kind == FOLLOWUP_FAKE_AAAA && row.type == TYPE_A && row.rdlen == 4 &&
	    row.place == PLACE_ANSWER) {
		if (!m->has_prefix)
			return E_MALFORMED;
		memcpy(ip, m->prefix, PREFIX_BYTES);
		memcpy(ip + PREFIX_BYTES, row.rdata, 4);
		row.type = TYPE_AAAA;
		row.rdata = ip;
		row.rdlen = sizeof(ip);
	}
	if (m->kind == FOLLOWUP_FAKE_PTR && row.type == TYPE_PTR && m->has_name)
		row.name = m->name;
	return hookrecords_add(m->to, &row);
}

static int add_set(const struct maker *m, const struct rrset *set, enum hook_place place,
		   uint32_t now_s)
{
	struct hook_record row = {
		.name = rrset_owner(set),
		.type = set->type,
		.class = CLASS_IN,
		.ttl = rrset_ttl_left(set, now_s),
		.place = (uint8_t)place,
	};
	struct rdata rr;
	int err = E_OK;

	for (size_t at = 0; err == E_OK && rrset_next(set, &at, &rr);) {
		row.rdata = rr.data;
		row.rdlen = rr.len;
		err = add_made(m, row);
	}
	row.type = TYPE_RRSIG;
	for (size_t at = 0; m->is_signed && err == E_OK && rrset_next_sig(set, &at, &rr);) {
		row.rdata = rr.data;
		row.rdlen = rr.len;
		err = add_made(m, row);
	}
	return err;
}

static int add_answer(const struct maker *m, const struct answer *a, uint32_t now_s)
{
	size_t n_authority = m->is_signed ? a->n_authority : answer_soa(a) != NULL;
	int err = E_OK;

	for (size_t i = 0; i < a->n_sets && err == E_OK; i++)
		err = add_set(m, a->sets[i], PLACE_ANSWER, now_s);
	for (size_t i = 0; i < n_authority && err == E_OK; i++)
		err = add_set(m, a->authority[i], PLACE_AUTHORITY, now_s);
	return err;
}

int followup_rows(struct hook_records *to, const struct answer *a, bool is_signed, uint32_t now_s)
{
	const struct maker m = { .to = to, .kind = FOLLOWUP_NONE, .is_signed = is_signed };

	return add_answer(&m, a, now_s);
}

void followup_say(struct hook_answer *to, const struct answer *a)
{
	to->rcode = a->rcode;
	to->ede = a->ede;
	to->cause = a->cause;
	to->is_remembered = a->is_remembered;
	if (a->ede_text != NULL)
		hooktext_put(&to->ede_text, a->ede_text, strlen(a->ede_text));
}

/* Nothing was added, and nothing is to live longer. */
static bool are_all_of(const struct hook_records *r, const struct hook_records *before)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct hook_record *was = find_row(before, &r->rows[i]);

		if (was == NULL || was->ttl < r->rows[i].ttl)
			return false;
	}
	return true;
}

static bool has_type(const struct hook_records *r, uint16_t type)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].type == type && r->rows[i].place == PLACE_ANSWER)
			return true;
	return false;
}

/* RFC 6147 5.5: where the denial of AAAA records and the A records are secure, so is what is made of
 * them.  Only as long as no hook had a hand in it: what stands in the answer before is what the
 * resolver found there (hookquery_keep()), or less of it. */
static bool is_made_of_secure(const struct hooked *h, const struct maker *m, const struct answer *a)
{
	const struct hook_query *q = &h->q;

	return m->kind == FOLLOWUP_FAKE_AAAA && m->has_name && name_equal(m->name, q->qname) &&
	       q->qtype == TYPE_AAAA && !(h->cq->q.flags & MSG_CD) && h->was_found &&
	       !h->was_changed && q->has_before && h->validated.security == SEC_SECURE &&
	       !h->validated.is_stale && q->before.rcode == RCODE_NOERROR &&
	       !has_type(&q->before.records, TYPE_AAAA) &&
	       are_all_of(&q->answer.records, &q->before.records) && a->security == SEC_SECURE &&
	       !a->is_stale && a->rcode == RCODE_NOERROR;
}

void followup_take(struct hooked *h, const struct answer *a)
{
	uint32_t now_s = worker_wall_s(h->cq->pipeline->worker);
	struct hook_answer *to = &h->q.answer;
	struct maker m = {
		.to = &to->records,
		.kind = to->followup,
		.is_signed = to->followup == FOLLOWUP_CNAME && (h->cq->q.dnssec & QUERY_SIGNED),
	};
	bool is_secure;

	m.has_name = name_of(&to->followup_name, m.name);
	m.has_prefix = prefix_of(to, m.prefix);
	is_secure = is_made_of_secure(h, &m, a);
	to->followup = FOLLOWUP_NONE;
	to->has_records = true;
	followup_say(to, a);
	if (add_answer(&m, a, now_s) != E_OK) {
		hookrecords_clear(&to->records);
		to->rcode = RCODE_SERVFAIL;
	} else if (m.kind == FOLLOWUP_FAKE_AAAA && a->n_sets > 0 &&
		   a->sets[a->n_sets - 1]->type == TYPE_A) {
		drop_denial(&to->records);
		h->is_made_of_secure = is_secure;
	}
	h->is_kept = h->is_kept && a->from_cache && a->cacheable && !a->is_stale;
}
