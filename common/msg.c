#include "common/msg.h"

#include <string.h>

#include "common/rrtype.h"

enum {
	RR_FIXED_LEN = 10, /* type, class, TTL, length (RFC 1035 4.1.3) */
	EDNS_DO = 0x8000,
};

int msg_open_question(struct msg *m, const uint8_t *wire, size_t len)
{
	size_t qname_len;
	int err;

	if (len < WIRE_HEADER_LEN)
		return E_TRUNCATED;
	if (len > WIRE_MSG_MAX)
		return E_TOO_LONG;
	m->wire = wire;
	m->len = len;
	m->id = wire_get_u16(wire);
	m->flags = wire_get_u16(wire + 2);
	m->opcode = (uint8_t)(m->flags >> 11 & 0xf);
	m->rcode = m->flags & 0xf;
	for (unsigned i = 0; i < 4; i++)
		m->count[i] = wire_get_u16(wire + 4 + 2 * i);
	m->has_question = false;
	m->qname[0] = 0;
	m->qname_len = 1;
	m->qtype = 0;
	m->qclass = 0;
	m->edns = (struct msg_edns) { 0 };
	m->at = (struct wire_reader) { .msg = wire, .len = len, .pos = WIRE_HEADER_LEN };
	m->section = SECTION_ADDITIONAL;
	m->left = 0;
	m->question_end = m->at.pos;
	if (m->count[0] == 0)
		return E_OK;
	if (m->count[0] > 1)
		return E_MALFORMED;

	err = wire_read_name(&m->at, m->qname, &qname_len);
	if (err == E_OK)
		err = wire_read_u16(&m->at, &m->qtype);
	if (err == E_OK)
		err = wire_read_u16(&m->at, &m->qclass);
	if (err != E_OK)
		return err;
	m->qname_len = (uint8_t)qname_len;
	m->has_question = true;
	m->question_end = m->at.pos;
	return E_OK;
}

/* The part of a record after its owner's name; the reader stands at the rdata's end after it. */
static int read_fixed(struct wire_reader *r, struct msg_rr *rr)
{
	const uint8_t *p = r->msg + r->pos;
	size_t rdata = r->pos + RR_FIXED_LEN;
	int err = wire_skip(r, RR_FIXED_LEN);

	if (err != E_OK)
		return err;
	rr->type = wire_get_u16(p);
	rr->class = wire_get_u16(p + 2);
	rr->ttl = wire_get_u32(p + 4);
	rr->rdlen = wire_get_u16(p + 8);
	rr->rdata = rdata;
	return wire_skip(r, rr->rdlen);
}

/* RFC 6891 6.1.1 to 6.1.3. */
static int take_opt(struct msg *m, size_t owner, const struct msg_rr *rr, unsigned section)
{
	if (section != SECTION_ADDITIONAL || m->wire[owner] != 0 || m->edns.present)
		return E_MALFORMED;
	m->edns.present = true;
	m->edns.version = (uint8_t)(rr->ttl >> 16);
	m->edns.dnssec_ok = (rr->ttl & EDNS_DO) != 0;
	m->edns.payload = rr->class;
	m->edns.options = m->wire + rr->rdata;
	m->edns.options_len = rr->rdlen;
	m->rcode = (uint16_t)(rr->ttl >> 24 << 4 | (m->flags & 0xf));
	return E_OK;
}

int msg_open(struct msg *m, const uint8_t *wire, size_t len)
{
	int err = msg_open_question(m, wire, len);

	return err == E_OK ? msg_open_records(m) : err;
}

int msg_open_records(struct msg *m)
{
	struct wire_reader r = m->at;
	int err;

	for (unsigned section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++) {
		for (unsigned i = 0; i < m->count[section]; i++) {
			size_t owner = r.pos;
			struct msg_rr rr;

			err = wire_skip_name(&r);
			if (err == E_OK)
				err = read_fixed(&r, &rr);
			if (err == E_OK && rr.type == TYPE_OPT)
				err = take_opt(m, owner, &rr, section);
			if (err != E_OK)
				return err;
		}
	}
	/* Bytes behind the last record are common in the wild and mean nothing. */
	m->section = SECTION_ANSWER;
	m->left = m->count[SECTION_ANSWER];
	return E_OK;
}

int msg_next(struct msg *m, struct msg_rr *rr)
{
	size_t owner_len;
	int err;

	do {
		while (m->left == 0) {
			if (m->section >= SECTION_ADDITIONAL)
				return E_END;
			m->section++;
			m->left = m->count[m->section];
		}
		m->left--;
		err = wire_read_name(&m->at, rr->owner, &owner_len);
		if (err == E_OK)
			err = read_fixed(&m->at, rr);
		if (err != E_OK)
			return err;
	} while (rr->type == TYPE_OPT);
	(void)name_lower(rr->owner, rr->owner);
	rr->owner_len = (uint8_t)owner_len;
	rr->section = (uint8_t)m->section;
	if (rr->ttl > INT32_MAX)
		rr->ttl = 0;
	return E_OK;
}

/* Copies one field of an rdata layout; the reader ends where the rdata end. */
static int unfold_field(struct wire_reader *r, struct wire_writer *w, char code)
{
	uint8_t name[NAME_MAX_LEN];
	size_t start = r->pos, n;
	int err;

	switch (code) {
	case 'n':
	case 'N':
		err = wire_read_name(r, name, &n);
		return err != E_OK ? E_MALFORMED : wire_write_bytes(w, name, n);
	case 's':
		if (start >= r->len)
			return E_MALFORMED;
		n = 1 + (size_t)r->msg[start];
		break;
	case '*':
		n = r->len - start;
		break;
	default:
		n = (size_t)(code - '0');
		break;
	}
	if (wire_skip(r, n) != E_OK)
		return E_MALFORMED;
	return wire_write_bytes(w, r->msg + start, n);
}

int msg_rdata(const struct msg *m, const struct msg_rr *rr, uint8_t *out, size_t cap, uint16_t *len)
{
	struct wire_reader r = { .msg = m->wire, .len = rr->rdata + rr->rdlen, .pos = rr->rdata };
	struct wire_writer w;

	if ((rr->type == TYPE_A && rr->rdlen != 4) || (rr->type == TYPE_AAAA && rr->rdlen != 16))
		return E_MALFORMED;
	wire_writer_init(&w, out, cap < WIRE_MSG_MAX ? cap : WIRE_MSG_MAX);
	for (const char *code = rrtype_layout(rr->type); *code != '\0'; code++) {
		int err = unfold_field(&r, &w, *code);

		if (err != E_OK)
			return err;
	}
	if (r.pos != r.len)
		return E_MALFORMED;
	*len = (uint16_t)w.len;
	return E_OK;
}

int msg_edns_option(const struct msg_edns *e, uint16_t code, const uint8_t **data, uint16_t *len)
{
	struct wire_reader r = { .msg = e->options, .len = e->options_len };

	while (r.pos < r.len) {
		uint16_t found = 0, n = 0;

		if (wire_read_u16(&r, &found) != E_OK || wire_read_u16(&r, &n) != E_OK ||
		    wire_skip(&r, n) != E_OK)
			return E_MALFORMED;
		if (found == code) {
			*data = r.msg + r.pos - n;
			*len = n;
			return E_OK;
		}
	}
	return E_NOT_FOUND;
}
