/*
 * Messages: the input is a packet.  What can be read of it is packed again as one record a
 * message, which must read the same; becomes an rrset; and becomes text.
 */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrset.h"
#include "common/rrtype.h"

static uint8_t rdata[WIRE_MSG_MAX], again[WIRE_MSG_MAX], packed[WIRE_MSG_MAX];
static char text[8 * WIRE_MSG_MAX];

/* The record alone in a message, its rdata unfolded. */
static int pack(struct wire_writer *w, const struct msg_rr *rr, uint16_t len)
{
	static const uint8_t header[WIRE_HEADER_LEN] = { [7] = 1 };
	int err = wire_write_bytes(w, header, sizeof(header));

	if (err == E_OK)
		err = wire_write_name(w, rr->owner);
	if (err == E_OK)
		err = wire_write_u16(w, rr->type);
	if (err == E_OK)
		err = wire_write_u16(w, rr->class);
	if (err == E_OK)
		err = wire_write_u32(w, rr->ttl);
	if (err == E_OK)
		err = wire_write_u16(w, len);
	return err == E_OK ? wire_write_bytes(w, rdata, len) : err;
}

static void check_again(const struct msg_rr *rr, uint16_t len)
{
	struct wire_writer w;
	struct msg m;
	struct msg_rr same;
	uint16_t same_len = 0;

	wire_writer_init(&w, packed, sizeof(packed));
	if (pack(&w, rr, len) != E_OK)
		return;
	ASSERT(msg_open(&m, packed, w.len) == E_OK);
	ASSERT(msg_next(&m, &same) == E_OK);
	ASSERT(name_equal_case(same.owner, rr->owner) && same.owner_len == rr->owner_len);
	ASSERT(same.type == rr->type && same.class == rr->class && same.ttl == rr->ttl);
	ASSERT(msg_rdata(&m, &same, again, sizeof(again), &same_len) == E_OK);
	ASSERT(same_len == len && memcmp(again, rdata, len) == 0);
	ASSERT(msg_next(&m, &same) == E_END);
}

static void check_set(const struct msg_rr *rr, uint16_t len)
{
	struct rdata twice[2] = { { rdata, len }, { rdata, len } }, got;
	struct rrset *s = NULL;
	size_t at = 0;

	ASSERT(rr->ttl <= INT32_MAX);
	if (rrset_new(&s, rr->owner, rr->type, rr->ttl, 1000, RANK_ANSWER, twice, 2, twice, 1) !=
	    E_OK)
		return;
	ASSERT(s->n_rr == 1 && s->n_sig == 1);
	ASSERT(rrset_next(s, &at, &got) && got.len == len && memcmp(got.data, rdata, len) == 0);
	ASSERT(!rrset_next(s, &at, &got));
	if (rrset_record_text(s, &got, rr->ttl, text, sizeof(text)) == E_OK)
		ASSERT(strchr(text, '\n') == NULL);
	rrset_put(s);
}

static void check_question(const struct msg *m, const uint8_t *data, size_t len)
{
	struct msg q;

	ASSERT(msg_open_question(&q, data, len) == E_OK);
	ASSERT(q.has_question == m->has_question && q.question_end == m->question_end);
	ASSERT(name_equal_case(q.qname, m->qname) && q.qname_len == name_len(m->qname));
	ASSERT(q.qtype == m->qtype && q.qclass == m->qclass && q.id == m->id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *option;
	uint16_t n = 0;
	unsigned records = 0;
	struct msg m;
	struct msg_rr rr;

	hash_key_set(1, 2);
	if (msg_open(&m, data, len) != E_OK)
		return 0;
	check_question(&m, data, len);
	for (uint16_t code = 0; code < 20; code++)
		if (msg_edns_option(&m.edns, code, &option, &n) == E_OK)
			ASSERT(option >= m.edns.options &&
			       option + n <= m.edns.options + m.edns.options_len);
	while (msg_next(&m, &rr) == E_OK) {
		ASSERT(rr.section >= SECTION_ANSWER && rr.section <= SECTION_ADDITIONAL);
		ASSERT(rr.type != TYPE_OPT && rr.rdata + rr.rdlen <= len);
		ASSERT(++records <= (unsigned)m.count[1] + m.count[2] + m.count[3]);
		if (msg_rdata(&m, &rr, rdata, sizeof(rdata), &n) != E_OK)
			continue;
		check_again(&rr, n);
		/* ldns is slow: a few of each input will do. */
		if (records <= 20)
			check_set(&rr, n);
	}
	return 0;
}
