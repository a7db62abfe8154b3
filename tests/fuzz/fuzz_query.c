/*
 * A client's packet: the short way to read it and msg_open() agree.  The records that it may hold
 * are packed as the answer to it, at several limits: what comes out can be read, fits, and holds
 * the same records or none.
 */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/answer.h"

enum { SETS_MAX = 16, NOW = 1000 };

static uint8_t rdata[WIRE_MSG_MAX], again[WIRE_MSG_MAX], packed[WIRE_MSG_MAX];

static void check_read(const struct query *q, const uint8_t *data, size_t len)
{
	struct msg m;

	ASSERT(msg_open(&m, data, len) == E_OK && m.has_question);
	ASSERT(m.question_end == q->question_end && m.flags == q->flags);
	ASSERT(name_equal_case(m.qname, query_name(q)));
	ASSERT(m.qtype == q->type && m.qclass == q->class);
	ASSERT(m.edns.present == q->edns && m.edns.dnssec_ok == q->dnssec_ok);
	ASSERT(m.edns.version == q->edns_version && q->payload >= QUERY_UDP_PLAIN);
	ASSERT(m.edns.payload <= QUERY_UDP_PLAIN || m.edns.payload == q->payload);
}

/* A set for each record. */
static size_t take_sets(struct rrset **sets, const uint8_t *data, size_t len)
{
	struct msg m;
	struct msg_rr rr;
	size_t n = 0;

	if (msg_open(&m, data, len) != E_OK)
		return 0;
	while (n < SETS_MAX && msg_next(&m, &rr) == E_OK) {
		uint16_t rdlen;

		if (msg_rdata(&m, &rr, rdata, sizeof(rdata), &rdlen) != E_OK)
			continue;
		if (rrset_new(&sets[n], rr.owner, rr.type, rr.ttl, NOW, RANK_ANSWER,
			      &(struct rdata) { rdata, rdlen }, 1, NULL, 0) == E_OK)
			n++;
	}
	return n;
}

static bool is_same_record(struct msg *m, const struct rrset *s)
{
	struct rdata rr;
	struct msg_rr out;
	uint16_t len = 0;
	size_t at = 0;

	ASSERT(rrset_next(s, &at, &rr));
	ASSERT(msg_next(m, &out) == E_OK);
	ASSERT(msg_rdata(m, &out, again, sizeof(again), &len) == E_OK);
	/* Compressed names take the case of those that stand before. */
	return name_equal(out.owner, rrset_owner(s)) && out.type == s->type && len == rr.len;
}

static void check_answer(const struct query *q, struct rrset *const *sets, size_t n, size_t limit)
{
	const struct answer a = { .rcode = RCODE_NOERROR,
				  .ede = EDE_OTHER,
				  .ede_text = "why",
				  .sets = sets,
				  .n_sets = n };
	struct packed to;
	struct msg m;

	answer_pack(&to, packed, limit, q, &a, true, NOW);
	ASSERT(to.len <= limit);
	ASSERT(msg_open(&m, packed, to.len) == E_OK);
	ASSERT(((m.flags & MSG_TC) != 0) == to.truncated && m.edns.present == q->edns);
	ASSERT(name_equal_case(m.qname, query_name(q)));
	ASSERT(m.count[SECTION_ANSWER] == (to.truncated ? 0 : n));
	for (size_t i = 0; i < m.count[SECTION_ANSWER]; i++)
		ASSERT(is_same_record(&m, sets[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t limits[] = { QUERY_UDP_PLAIN, ANSWER_PAYLOAD, WIRE_MSG_MAX };
	struct rrset *sets[SETS_MAX];
	struct query q;
	size_t n;

	hash_key_set(1, 2);
	if (len < WIRE_HEADER_LEN || len > WIRE_MSG_MAX || query_read(&q, data, len) != E_OK)
		return 0;
	check_read(&q, data, len);
	n = take_sets(sets, data, len);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		check_answer(&q, sets, n, limits[i]);
	while (n > 0)
		rrset_put(sets[--n]);
	return 0;
}
