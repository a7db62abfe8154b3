/* still_world: see still_world.h. */
#include "still_world.h"

#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/wire.h"

struct still_world still;

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return (still.now_us - still.late_us) / 1000;
}

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return still.now_us;
}

static uint32_t wall_s(void *ctx)
{
	(void)ctx;
	return still.wall_s;
}

static void fill_random(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		still.random = still.random * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(still.random >> 56);
	}
}

static enum send_result send_note(void *ctx, const struct outquery *q)
{
	struct sent *s = &still.sent[still.n_sent];

	(void)ctx;
	if (still.send_result != SEND_OK)
		return still.send_result;
	ck_assert_uint_lt(still.n_sent, STILL_SENT_MAX);
	ck_assert_uint_le(q->len, sizeof(s->wire));
	*s = (struct sent) { .q = *q };
	memcpy(s->wire, q->wire, q->len);
	still.n_sent++;
	return SEND_OK;
}

static void cancel_note(void *ctx, uint64_t ticket)
{
	(void)ctx;
	for (unsigned i = 0; i < still.n_sent; i++)
		if (still.sent[i].q.ticket == ticket)
			still.sent[i].cancelled = true;
}

static void wake_note(void *ctx, uint64_t due_ms)
{
	(void)ctx;
	still.wake_at_ms = due_ms;
}

static void ended_note(void *ctx, const struct addr *server, uint64_t waited_us,
		       enum outquery_end end)
{
	(void)ctx, (void)server, (void)end;
	still.waited_us = waited_us;
}

void still_open(void)
{
	struct cache_config cc = { .max_entries = 1000, .max_set_bytes = 8192, .shards = 4 };
	struct servers_config sc = { .max_servers = 1000,
				     .max_throttles = 1000,
				     .down_max_fails = 64,
				     .down_time_s = 60,
				     .network_timeout_ms = 1500 };

	memset(&still, 0, sizeof(still));
	hash_key_set(1, 2);
	still.now_us = 1000000;
	still.wall_s = 1700000000;
	still.random = 1;
	resolver_config_defaults(&still.cfg);
	still.cfg.use_ipv6 = false;
	still.cfg.qname_minimisation = false;
	ck_assert_int_eq(cache_new(&still.cache, &cc), E_OK);
	ck_assert_int_eq(servers_new(&still.servers, &sc), E_OK);
}

void still_resolver(enum outquery_verdict (*policy)(void *ctx, void *client,
						    struct outquery_plan *plan))
{
	const struct world world = {
		.now_ms = now_ms,
		.now_us = now_us,
		.wall_s = wall_s,
		.random = fill_random,
		.send = send_note,
		.cancel = cancel_note,
		.wake_at = wake_note,
		.ended = ended_note,
		.domain_labels = still.domain_labels,
		.preoutquery = policy,
	};

	ck_assert_int_eq(resolver_new(&still.r, &still.cfg, still.cache, still.servers,
				      &still.counters, &world),
			 E_OK);
}

void still_close(void)
{
	resolver_free(still.r);
	servers_free(still.servers);
	cache_free(still.cache);
}

size_t still_answer(const struct sent *s, uint8_t *out, unsigned flags, bool with_data)
{
	struct wire_writer w;
	size_t question = WIRE_HEADER_LEN + name_len(s->wire + WIRE_HEADER_LEN) + 4;

	wire_writer_init(&w, out, STILL_MESSAGE);
	ck_assert_int_eq(wire_write_bytes(&w, s->wire, question), E_OK);
	wire_put_u16(out + 2, (uint16_t)(MSG_QR | MSG_AA | flags));
	memset(out + 6, 0, 6);
	if (with_data) {
		static const uint8_t rr[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1";

		ck_assert_int_eq(wire_write_bytes(&w, rr, sizeof(rr) - 1), E_OK);
		wire_put_u16(out + 6, 1);
	}
	return w.len;
}

bool still_reply(const struct sent *s, unsigned flags, bool with_data)
{
	uint8_t wire[STILL_MESSAGE];
	size_t len = still_answer(s, wire, flags, with_data);

	return resolver_reply(still.r, s->q.ticket, wire, len);
}

void still_turn(void (*reply)(const struct sent *s))
{
	still.now_us += 1000;
	resolver_tick(still.r);
	while (still.n_sent > 0) {
		struct sent all[STILL_SENT_MAX];
		unsigned n = still.n_sent;

		memcpy(all, still.sent, n * sizeof(all[0]));
		still.n_sent = 0;
		for (unsigned i = 0; i < n; i++)
			if (!all[i].cancelled)
				reply(&all[i]);
	}
}

void still_expect_idle(void)
{
	struct resolver_stats st;

	resolver_stats(still.r, &st);
	ck_assert_uint_eq(st.requests, 0);
	ck_assert_uint_eq(st.goals, 0);
	ck_assert_uint_eq(st.edges, 0);
	ck_assert_uint_eq(st.timers, 0);
}
