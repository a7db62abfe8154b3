/* answer: see answer.h. */
#include "recursor/answer.h"

#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"

enum {
	OPT_LEN = 11,
	EDE_LEN = 6, /* without its text */
	OPTIONS_MAX = 2 * EDE_LEN + ANSWER_EDE_TEXT_MAX,
	OPTION_EDE = 15, /* RFC 8914 2 */
	OPCODE_BITS = 0x7800,
	POINTER = 0xc000, /* RFC 1035 4.1.4 */
	POINTER_REACH = 0x3fff,
};

size_t answer_limit(const struct query *q, bool tcp, uint32_t threshold)
{
	size_t limit = q->payload;

	if (tcp)
		return WIRE_MSG_MAX;
	if (limit > threshold)
		limit = threshold;
	return limit < QUERY_UDP_PLAIN ? QUERY_UDP_PLAIN : limit;
}

/* The set's owner: in full the first time, later as a pointer to it. */
static int write_owner(struct wire_writer *w, const uint8_t *owner, uint16_t *pointer)
{
	size_t at = w->len;
	int err;

	if (*pointer != 0)
		return wire_write_u16(w, *pointer);
	err = wire_write_name(w, owner);
	if (err != E_OK)
		return err;
	if ((w->buf[at] & 0xc0) == 0xc0)
		*pointer = wire_get_u16(w->buf + at);
	else if (w->buf[at] != 0 && at <= POINTER_REACH)
		*pointer = (uint16_t)(POINTER | at);
	return E_OK;
}

/* Rdata with names that RFC 3597 4 lets us compress; `layout` as in rrtype.h. */
static int write_fields(struct wire_writer *w, const char *layout, const struct rdata *rr)
{
	size_t at = 0;
	int err = E_OK;

	for (; *layout != '\0' && *layout != '*' && err == E_OK; layout++) {
		size_t n;

		if (*layout == 'N' || *layout == 'n') {
			n = name_len(rr->data + at);
			err = *layout == 'N' ? wire_write_name(w, rr->data + at)
					     : wire_write_name_plain(w, rr->data + at);
		} else {
			n = *layout == 's' ? 1 + (size_t)rr->data[at] : (size_t)(*layout - '0');
			err = wire_write_bytes(w, rr->data + at, n);
		}
		at += n;
	}
	ASSERT(at <= rr->len);
	if (err != E_OK)
		return err;
	return wire_write_bytes(w, rr->data + at, rr->len - at);
}

static int write_record(struct wire_writer *w, const struct rrset *s, uint16_t type, uint16_t class,
			uint32_t ttl, const char *layout, const struct rdata *rr, uint16_t *pointer)
{
	uint8_t fixed[10]; /* type, class, TTL, RDLENGTH */
	size_t at;
	int err = write_owner(w, rrset_owner(s), pointer);

	if (err != E_OK)
		return err;
	wire_put_u16(fixed, type);
	wire_put_u16(fixed + 2, class);
	wire_put_u32(fixed + 4, ttl);
	wire_put_u16(fixed + 8, rr->len);
	err = wire_write_bytes(w, fixed, sizeof(fixed));
	if (err != E_OK)
		return err;
	at = w->len;
	if (layout == NULL)
		return wire_write_bytes(w, rr->data, rr->len);
	err = write_fields(w, layout, rr);
	if (err == E_OK)
		wire_put_u16(w->buf + at - 2, (uint16_t)(w->len - at));
	return err;
}

/* Where the question has it, the owner of most records. */
static uint16_t owner_in_question(const struct rrset *s, const struct query *q)
{
	const uint8_t *owner = rrset_owner(s);

	return *owner != 0 && name_equal(owner, query_name(q)) ? POINTER | WIRE_HEADER_LEN : 0;
}

static int write_row(struct wire_writer *w, const struct hook_record *row)
{
	const char *layout = rrtype_layout(row->type);
	const struct rdata rr = { .data = row->rdata, .len = row->rdlen };
	uint8_t fixed[10]; /* type, class, TTL, RDLENGTH */
	size_t at;
	int err = wire_write_name(w, row->name);

	if (err != E_OK)
		return err;
	wire_put_u16(fixed, row->type);
	wire_put_u16(fixed + 2, row->class);
	wire_put_u32(fixed + 4, row->ttl);
	wire_put_u16(fixed + 8, rr.len);
	err = wire_write_bytes(w, fixed, sizeof(fixed));
	if (err != E_OK)
		return err;
	if (strchr(layout, 'N') == NULL)
		return wire_write_bytes(w, rr.data, rr.len);
	at = w->len;
	err = write_fields(w, layout, &rr);
	if (err == E_OK)
		wire_put_u16(w->buf + at - 2, (uint16_t)(w->len - at));
	return err;
}

/* Where an answer grows. */
struct packing {
	struct wire_writer w;
	const struct query *q;
	uint32_t now_s;
	uint32_t min_ttl;  /* of what has been written */
	uint16_t count[3]; /* records of answer, authority, additional */
};

/* A set's RRSIGs have its TTL (RFC 4034 3). */
static int write_sigs(struct packing *p, const struct rrset *s, uint32_t ttl, uint16_t *pointer,
		      unsigned section)
{
	struct rdata sig;
	int err = E_OK;

	for (size_t at = 0; err == E_OK && rrset_next_sig(s, &at, &sig); p->count[section - 1]++)
		err = write_record(&p->w, s, TYPE_RRSIG, p->q->class, ttl, NULL, &sig, pointer);
	return err;
}

/* Writes a set's records from the `first`-th on, then those before it, and its RRSIGs for who wants
 * them. */
static int write_set(struct packing *p, const struct rrset *s, unsigned first, unsigned section)
{
	const struct query *q = p->q;
	const char *layout = rrtype_layout(s->type);
	uint32_t ttl = rrset_ttl_left(s, p->now_s);
	uint16_t pointer = owner_in_question(s, q);
	struct rdata rr;
	size_t at = 0;

	if (strchr(layout, 'N') == NULL)
		layout = NULL;
	if (ttl < p->min_ttl)
		p->min_ttl = ttl;
	for (unsigned i = 0; i < first; i++)
		(void)rrset_next(s, &at, &rr);
	for (unsigned i = 0; i < s->n_rr; i++) {
		int err;

		if (!rrset_next(s, &at, &rr)) {
			at = 0;
			if (!rrset_next(s, &at, &rr))
				break;
		}
		err = write_record(&p->w, s, s->type, q->class, ttl, layout, &rr, &pointer);
		if (err != E_OK)
			return err;
	}
	p->count[section - 1] = (uint16_t)(p->count[section - 1] + s->n_rr);
	return q->dnssec & QUERY_SIGNED ? write_sigs(p, s, ttl, &pointer, section) : E_OK;
}

/* What a script made.  The sections stand in their order, whatever the rows' order is. */
static int write_rows(struct packing *p, const struct hook_records *rows)
{
	for (unsigned place = PLACE_ANSWER; place <= PLACE_ADDITIONAL; place++)
		for (size_t i = 0; i < rows->n; i++) {
			const struct hook_record *row = &rows->rows[i];
			int err;

			if (row->place != place)
				continue;
			err = write_row(&p->w, row);
			if (err != E_OK)
				return err;
			p->count[place - 1]++;
			if (row->ttl < p->min_ttl)
				p->min_ttl = row->ttl;
		}
	return E_OK;
}

/* RFC 4035 3.2.1: nobody gets RRSIGs and proofs who has not asked for them; a denial's SOA stands
 * before its proofs. */
static int write_authority(struct packing *p, const struct answer *a)
{
	size_t n = p->q->dnssec & QUERY_SIGNED ? a->n_authority : answer_soa(a) != NULL;
	int err = E_OK;

	for (size_t i = 0; i < n && err == E_OK; i++)
		if (a->authority[i]->n_rr != 0)
			err = write_set(p, a->authority[i], 0, SECTION_AUTHORITY);
	return err;
}

static int write_sections(struct packing *p, const struct answer *a)
{
	unsigned id = wire_get_u16(p->q->wire);

	for (size_t i = 0; i < a->n_sets; i++) {
		const struct rrset *s = a->sets[i];
		int err;

		if (s->n_rr == 0)
			continue;
		err = write_set(p, s, id % s->n_rr, SECTION_ANSWER);
		if (err != E_OK)
			return err;
	}
	return a->n_authority == 0 ? E_OK : write_authority(p, a);
}

/* An Extended DNS Error (RFC 8914 2); returns its length. */
static size_t put_ede(uint8_t *at, int ede, const char *text, size_t text_len)
{
	wire_put_u16(at, OPTION_EDE);
	wire_put_u16(at + 2, (uint16_t)(2 + text_len));
	wire_put_u16(at + 4, (uint16_t)ede);
	memcpy(at + EDE_LEN, text, text_len);
	return EDE_LEN + text_len;
}

/* The errors that the client is told: why, and that it was so a moment ago already. */
static size_t put_errors(uint8_t out[OPTIONS_MAX], const struct answer *a)
{
	const char *text = a->ede_text == NULL ? "" : a->ede_text;
	size_t len = 0;

	if (a->ede != EDE_NONE)
		len += put_ede(out, a->ede, text, strnlen(text, ANSWER_EDE_TEXT_MAX));
	if (a->is_remembered)
		len += put_ede(out + len, EDE_CACHED_ERROR, "", 0);
	return len;
}

static int write_opt(struct wire_writer *w, const struct query *q, uint16_t rcode,
		     const uint8_t *options, size_t options_len)
{
	uint8_t opt[OPT_LEN] = { 0 };
	int err;

	wire_put_u16(opt + 1, TYPE_OPT);
	wire_put_u16(opt + 3, ANSWER_PAYLOAD);
	opt[5] = (uint8_t)(rcode >> 4);
	opt[7] = q->dnssec & QUERY_SIGNED ? 0x80 : 0; /* RFC 3225 3: copied */
	wire_put_u16(opt + 9, (uint16_t)options_len);
	err = wire_write_bytes(w, opt, sizeof(opt));
	return err == E_OK ? wire_write_bytes(w, options, options_len) : err;
}

static void write_question(struct wire_writer *w, const struct query *q)
{
	static const uint8_t header[WIRE_HEADER_LEN];
	int err = wire_write_bytes(w, header, sizeof(header));

	if (err == E_OK)
		err = wire_write_name(w, query_name(q));
	if (err == E_OK)
		err = wire_write_bytes(w, q->wire + q->question_end - 4, 4);
	ASSERT(err == E_OK); /* QUERY_HEAD_MAX is below QUERY_UDP_PLAIN */
}

static bool holds_something(uint16_t rcode)
{
	return rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN || rcode == RCODE_YXDOMAIN;
}

static unsigned header_bits(const struct query *q, const struct answer *a, uint16_t rcode,
			    bool truncated)
{
	unsigned bits = MSG_QR | MSG_RA | (q->flags & (MSG_RD | MSG_CD)) | (rcode & 15U);

	if (a->authoritative)
		bits |= MSG_AA;
	if (truncated)
		bits |= MSG_TC;
	/* RFC 4035 3.2.3: of all that answer and authority section hold; an error holds nothing, and the
	 * signatures of what has expired may have ended. */
	if (a->security == SEC_SECURE && !a->is_stale && (q->dnssec & QUERY_AD) &&
	    holds_something(rcode))
		bits |= MSG_AD;
	return bits;
}

static void put_header(uint8_t *out, const struct query *q, unsigned bits, const uint16_t count[3])
{
	memcpy(out, q->wire, 2);
	wire_put_u16(out + 2, (uint16_t)bits);
	wire_put_u16(out + 4, 1);
	wire_put_u16(out + 6, count[0]);
	wire_put_u16(out + 8, count[1]);
	wire_put_u16(out + 10, (uint16_t)(count[2] + q->edns));
}

/* `rows`: in the place of the answer's sets; or NULL. */
static void pack(struct packed *to, uint8_t *out, size_t limit, const struct query *q,
		 const struct answer *a, const struct hook_records *rows, bool extended_errors,
		 bool truncated, uint32_t now_s)
{
	struct packing p = { .q = q, .now_s = now_s, .min_ttl = UINT32_MAX };
	uint8_t options[OPTIONS_MAX];
	size_t options_len = 0, opt_len = 0, question_end;
	uint16_t rcode = a->rcode;

	ASSERT(limit >= QUERY_UDP_PLAIN);
	if (q->edns && extended_errors)
		options_len = put_errors(options, a);
	if (q->edns)
		opt_len = OPT_LEN + options_len;
	else if (rcode > 15)
		rcode = RCODE_SERVFAIL;
	/* The records must leave room for OPT. */
	wire_writer_init(&p.w, out, limit - opt_len);
	write_question(&p.w, q);
	question_end = p.w.len;
	if (!truncated && (rows != NULL ? write_rows(&p, rows) : write_sections(&p, a)) != E_OK)
		truncated = true;
	if (truncated) {
		wire_rewind(&p.w, question_end);
		memset(p.count, 0, sizeof(p.count));
		p.min_ttl = UINT32_MAX;
	}
	p.w.cap = limit;
	if (q->edns) {
		int err = write_opt(&p.w, q, rcode, options, options_len);

		ASSERT(err == E_OK);
	}
	put_header(out, q, header_bits(q, a, rcode, truncated), p.count);
	*to = (struct packed) {
		.len = p.w.len,
		.min_ttl = p.min_ttl == UINT32_MAX ? 0 : p.min_ttl,
		.truncated = truncated,
	};
}

void answer_pack(struct packed *to, uint8_t *out, size_t limit, const struct query *q,
		 const struct answer *a, bool extended_errors, uint32_t now_s)
{
	pack(to, out, limit, q, a, NULL, extended_errors, false, now_s);
}

void answer_pack_truncated(struct packed *to, uint8_t *out, size_t limit, const struct query *q)
{
	static const struct answer nothing = { .rcode = RCODE_NOERROR, .ede = EDE_NONE };

	pack(to, out, limit, q, &nothing, NULL, false, true, 0);
}

void answer_pack_rows(struct packed *to, uint8_t *out, size_t limit, const struct query *q,
		      const struct answer *a, const struct hook_records *rows, bool extended_errors)
{
	pack(to, out, limit, q, a, rows, extended_errors, false, 0);
}

size_t answer_pack_header(uint8_t out[WIRE_HEADER_LEN], const uint8_t *query_header, uint16_t rcode)
{
	unsigned flags = wire_get_u16(query_header + 2) & (OPCODE_BITS | MSG_RD);

	memset(out, 0, WIRE_HEADER_LEN);
	memcpy(out, query_header, 2);
	wire_put_u16(out + 2, (uint16_t)(flags | MSG_QR | MSG_RA | rcode));
	return WIRE_HEADER_LEN;
}
