/*
 * The packet cache with any query and any message for an answer: the input is the query's length
 * (two bytes), the query, and the answer.  What is kept comes back with the query's id and spelling
 * and at most its length.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/answer.h"
#include "recursor/query.h"
#include "recursor/resolve/packetcache.h"

enum { NOW_S = 1000, TTL_S = 60 };

static void put_and_get(struct packetcache *pc, const struct query *q, const uint8_t *wire,
			const uint8_t *answer, size_t len)
{
	static uint8_t out[WIRE_MSG_MAX];
	struct packetcache_key key = {
		.query = wire,
		.question_end = q->question_end,
		.name_hash = q->name_hash,
		.edns = q->edns,
		.dnssec = q->dnssec_ok ? QUERY_SIGNED : 0,
		.payload = (uint16_t)answer_limit(q, false, ANSWER_PAYLOAD),
	};
	struct packetcache_hit hit;
	size_t got;

	packetcache_put(pc, &key, answer, len, TTL_S, 0, false, NOW_S);
	got = packetcache_get(pc, &key, NOW_S + 1, out, sizeof(out), &hit);
	ASSERT(got == 0 || (got == len && got <= key.payload));
	if (got > 0)
		ASSERT(memcmp(out, wire, 2) == 0 && hit.rcode == (out[3] & 15) &&
		       memcmp(out + WIRE_HEADER_LEN, wire + WIRE_HEADER_LEN,
			      q->question_end - WIRE_HEADER_LEN) == 0);
	ASSERT(packetcache_get(pc, &key, NOW_S + TTL_S, out, sizeof(out), &hit) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct packetcache_config cfg = { .max_entries = 10, .max_packet = 4096 };
	struct packetcache *pc = NULL;
	uint8_t *wire, *answer;
	struct query q;
	size_t len;

	if (size < 2 || (len = (size_t)data[0] << 8 | data[1]) > size - 2 ||
	    len < WIRE_HEADER_LEN || size - 2 - len > WIRE_MSG_MAX)
		return 0;
	/* Copies, so that a byte too far is seen. */
	wire = malloc(len);
	answer = malloc(size - 2 - len + 1);
	ASSERT(wire != NULL && answer != NULL && packetcache_new(&pc, &cfg) == E_OK);
	memcpy(wire, data + 2, len);
	memcpy(answer, data + 2 + len, size - 2 - len);
	if (query_read(&q, wire, len) == E_OK)
		put_and_get(pc, &q, wire, answer, size - 2 - len);
	packetcache_free(pc);
	free(answer);
	free(wire);
	return 0;
}
