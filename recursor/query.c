/* query: see query.h. */
#include "recursor/query.h"

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"

enum { OPT_LEN = 11 }; /* root, type, class, TTL, RDLENGTH (RFC 6891 6.1.2) */

static void set_edns(struct query *q, uint16_t payload, uint8_t version, bool dnssec_ok)
{
	q->edns = true;
	/* RFC 6891 6.2.3: values lower than 512 mean 512. */
	q->payload = payload < QUERY_UDP_PLAIN ? QUERY_UDP_PLAIN : payload;
	q->edns_version = version;
	q->dnssec_ok = dnssec_ok;
}

static bool options_are_sound(const uint8_t *p, size_t len)
{
	while (len >= 4) {
		size_t n = 4 + (size_t)wire_get_u16(p + 2);

		if (n > len)
			return false;
		p += n;
		len -= n;
	}
	return len == 0;
}

/* An OPT record that is all there is after the question. */
static bool read_lone_opt(struct query *q, const uint8_t *p, size_t len)
{
	if (len < OPT_LEN || p[0] != 0 || wire_get_u16(p + 1) != TYPE_OPT ||
	    wire_get_u16(p + 9) != len - OPT_LEN || !options_are_sound(p + OPT_LEN, len - OPT_LEN))
		return false;
	set_edns(q, wire_get_u16(p + 3), p[6], (p[7] & 0x80) != 0);
	return true;
}

static int read_whole(struct query *q, const uint8_t *wire, size_t len)
{
	struct msg m;
	int err = msg_open(&m, wire, len);

	if (err != E_OK)
		return err;
	if (m.edns.present) {
		if (!options_are_sound(m.edns.options, m.edns.options_len))
			return E_MALFORMED;
		set_edns(q, m.edns.payload, m.edns.version, m.edns.dnssec_ok);
	}
	return E_OK;
}

void query_dnssec_fill(struct query_dnssec_table *t, enum dnssec_mode mode)
{
	bool validates = mode >= DNSSEC_PROCESS;

	_Static_assert(MSG_CD == 1 << 4 && MSG_AD == 1 << 5, "as query_dnssec_of() reads them");
	for (unsigned i = 0; i < 8; i++) {
		bool cd = i & 1, ad = i & 2, dnssec_ok = i & 4;
		/* RFC 6840 5.7: AD in a query asks for AD as DO does. */
		bool cares = validates && (ad || dnssec_ok);
		unsigned wants = 0;

		if (mode != DNSSEC_OFF && dnssec_ok)
			wants |= QUERY_SIGNED;
		if (cares)
			wants |= QUERY_AD;
		if (!cd && (cares || mode >= DNSSEC_LOG_FAIL))
			wants |= QUERY_VALIDATE;
		if (!cd && (cares || mode == DNSSEC_VALIDATE))
			wants |= QUERY_REFUSE;
		t->row[i] = (uint8_t)wants;
	}
}

int query_read(struct query *q, const uint8_t *wire, size_t len)
{
	uint16_t n_questions = wire_get_u16(wire + 4);
	/* ANCOUNT and NSCOUNT together: not 0 when either is not. */
	uint32_t n_records = wire_get_u32(wire + 6);
	uint16_t n_additional = wire_get_u16(wire + 10);
	size_t name_len, end;
	int err;

	if (n_questions == 0)
		return E_END;
	if (n_questions != 1) /* RFC 9619 */
		return E_MALFORMED;
	err = name_check(wire + WIRE_HEADER_LEN, len - WIRE_HEADER_LEN, &name_len);
	if (err != E_OK)
		return err;
	end = WIRE_HEADER_LEN + name_len + 4;
	if (end > len)
		return E_TRUNCATED;
	*q = (struct query) {
		.wire = wire,
		.name_hash = hash_bytes_lower(wire + WIRE_HEADER_LEN, name_len),
		.question_end = (uint16_t)end,
		.flags = wire_get_u16(wire + 2),
		.type = wire_get_u16(wire + end - 4),
		.class = wire_get_u16(wire + end - 2),
		.payload = QUERY_UDP_PLAIN,
	};
	if (n_records == 0 && n_additional == 0 && end == len)
		return E_OK;
	if (n_records == 0 && n_additional == 1 && read_lone_opt(q, wire + end, len - end))
		return E_OK;
	return read_whole(q, wire, len);
}
