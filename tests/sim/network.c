#include "tests/sim/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/msg.h"

enum { LATENCY_MIN_US = 1000, LATENCY_SPREAD_US = 19000 };

/* xoroshiro128+: good enough to choose ports of a network that does not exist. */
static uint64_t draw(uint64_t state[2])
{
	uint64_t a = state[0], b = state[1], sum = a + b;

	b ^= a;
	state[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
	state[1] = (b << 37) | (b >> 27);
	return sum;
}

static void seed_state(uint64_t state[2], uint64_t seed)
{
	for (int i = 0; i < 2; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		state[i] = z ^ (z >> 31);
	}
}

static void breach(struct network *n, const char *what)
{
	if (n->breach[0] == '\0')
		snprintf(n->breach, sizeof(n->breach), "%s", what);
}

/* ---- events in order of time ---- */

static bool is_earlier(const struct delivery *a, const struct delivery *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

static void swap(struct delivery *a, struct delivery *b)
{
	struct delivery t = *a;

	*a = *b;
	*b = t;
}

static void push(struct network *n, struct delivery d)
{
	size_t i = n->n_queue;

	if (i == NETWORK_EVENTS_MAX) {
		breach(n, "too many packets in flight");
		free(d.wire);
		return;
	}
	d.seq = n->seq++;
	n->queue[n->n_queue++] = d;
	for (; i > 0 && is_earlier(&n->queue[i], &n->queue[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&n->queue[i], &n->queue[(i - 1) / 2]);
}

static struct delivery pop(struct network *n)
{
	struct delivery first = n->queue[0];
	size_t i = 0;

	n->queue[0] = n->queue[--n->n_queue];
	for (;;) {
		size_t least = i;

		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < n->n_queue; c++)
			if (is_earlier(&n->queue[c], &n->queue[least]))
				least = c;
		if (least == i)
			return first;
		swap(&n->queue[i], &n->queue[least]);
		i = least;
	}
}

static uint64_t latency_us(struct network *n, unsigned delay_ms)
{
	return LATENCY_MIN_US + draw(n->latency_state) % LATENCY_SPREAD_US + delay_ms * 1000u;
}

/* ---- tickets ---- */

static size_t ticket_find(const struct network *n, uint64_t ticket)
{
	for (size_t i = 0; i < n->n_pending; i++)
		if (n->pending[i] == ticket)
			return i;
	return SIZE_MAX;
}

static void ticket_drop(struct network *n, uint64_t ticket)
{
	size_t i = ticket_find(n, ticket);

	if (i != SIZE_MAX)
		n->pending[i] = n->pending[--n->n_pending];
}

/* ---- what the resolver sees ---- */

static uint64_t world_now_ms(void *ctx)
{
	return ((struct network *)ctx)->now_us / 1000;
}

static uint64_t world_now_us(void *ctx)
{
	return ((struct network *)ctx)->now_us;
}

static uint32_t world_wall_s(void *ctx)
{
	struct network *n = ctx;

	return (uint32_t)((int64_t)(n->now_us / 1000000) + n->wall_offset_s);
}

static void world_random(void *ctx, void *buf, size_t len)
{
	struct network *n = ctx;
	uint8_t *out = buf;
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++, word >>= 8) {
		if (i % 8 == 0)
			word = draw(n->random_state);
		out[i] = (uint8_t)word;
	}
}

static bool is_sound(struct network *n, const struct outquery *q)
{
	struct msg m;

	if (q->ticket == 0 || ticket_find(n, q->ticket) != SIZE_MAX)
		breach(n, "a ticket that is 0 or in use");
	else if (msg_open(&m, q->wire, q->len) != E_OK || !m.has_question)
		breach(n, "a question that is no DNS message");
	else if (m.id != 0 || m.flags & MSG_QR)
		breach(n, "a question with an id, or that is an answer");
	else if (q->server.family == 0 || q->server.port == 0)
		breach(n, "a question to no address");
	else if (n->n_pending == NETWORK_PENDING_MAX)
		breach(n, "too many questions in flight");
	else
		return true;
	return false;
}

static enum send_result world_send(void *ctx, const struct outquery *q)
{
	struct network *n = ctx;
	uint8_t wire[WIRE_MSG_MAX];
	enum send_result result;

	if (!is_sound(n, q))
		return SEND_NO_RESOURCES;
	if (q->transport == TRANSPORT_TCP)
		n->sent_tcp++;
	else
		n->sent_udp++;
	memcpy(wire, q->wire, q->len);
	wire_put_u16(wire, (uint16_t)draw(n->latency_state));
	n->pending[n->n_pending++] = q->ticket;
	result = n->serve(n->serve_ctx, n, q, wire, q->len);
	if (result != SEND_OK)
		ticket_drop(n, q->ticket);
	return result;
}

static void world_cancel(void *ctx, uint64_t ticket)
{
	ticket_drop(ctx, ticket);
}

static void world_wake_at(void *ctx, uint64_t due_ms)
{
	((struct network *)ctx)->wake_ms = due_ms;
}

enum outquery_verdict network_preoutquery(void *ctx, void *client, struct outquery_plan *plan)
{
	struct network *n = ctx;

	if (client == NULL)
		breach(n, "the policy is asked for nobody");
	else if (plan->server.port == 0 || plan->n_sets != 0)
		breach(n, "the policy is asked of no server, or has said something before");
	return n->policy(n->policy_ctx, client, plan);
}

/* ---- what the player and its servers call ---- */

int network_init(struct network *n, uint64_t seed, uint32_t wall_s)
{
	memset(n, 0, sizeof(*n));
	n->now_us = 1000000; /* so that nobody gets away with taking 0 for a time */
	n->wall_offset_s = (int64_t)wall_s - 1;
	n->wake_ms = UINT64_MAX;
	seed_state(n->random_state, seed);
	seed_state(n->latency_state, seed ^ 0x6c6174656e637921u);
	n->world = (struct world) {
		.ctx = n,
		.now_ms = world_now_ms,
		.now_us = world_now_us,
		.wall_s = world_wall_s,
		.random = world_random,
		.send = world_send,
		.cancel = world_cancel,
		.wake_at = world_wake_at,
	};
	n->queue = calloc(NETWORK_EVENTS_MAX, sizeof(*n->queue));
	n->pending = calloc(NETWORK_PENDING_MAX, sizeof(*n->pending));
	if (n->queue == NULL || n->pending == NULL) {
		network_deinit(n);
		return E_NOMEM;
	}
	return E_OK;
}

void network_deinit(struct network *n)
{
	for (size_t i = 0; n->queue != NULL && i < n->n_queue; i++)
		free(n->queue[i].wire);
	free(n->queue);
	free(n->pending);
	n->queue = NULL;
	n->pending = NULL;
	n->n_queue = n->n_pending = 0;
}

void network_deliver(struct network *n, uint64_t ticket, const uint8_t *wire, size_t len,
		     unsigned delay_ms)
{
	struct delivery d = { .at_us = n->now_us + latency_us(n, delay_ms),
			      .ticket = ticket,
			      .kind = DELIVER_PACKET,
			      .len = len };

	d.wire = malloc(len + 1);
	ASSERT(d.wire != NULL);
	memcpy(d.wire, wire, len);
	push(n, d);
}

void network_near_miss(struct network *n, uint64_t ticket, unsigned delay_ms)
{
	push(n, (struct delivery) { .at_us = n->now_us + delay_ms * 1000u + LATENCY_MIN_US / 2,
				    .ticket = ticket,
				    .kind = DELIVER_NEAR_MISS });
}

void network_fail(struct network *n, uint64_t ticket, enum net_failure why, unsigned delay_ms)
{
	push(n, (struct delivery) { .at_us = n->now_us + latency_us(n, delay_ms),
				    .ticket = ticket,
				    .kind = DELIVER_FAILURE,
				    .failure = why });
}

/* A late packet is thrown away: the world has counted it as unexpected. */
static void hand_over(struct network *n, struct delivery *d)
{
	if (ticket_find(n, d->ticket) == SIZE_MAX)
		return;
	switch (d->kind) {
	case DELIVER_PACKET:
		n->received_bytes += d->len;
		if (resolver_reply(n->resolver, d->ticket, d->wire, d->len))
			ticket_drop(n, d->ticket);
		break;
	case DELIVER_NEAR_MISS:
		resolver_near_miss(n->resolver, d->ticket);
		break;
	case DELIVER_FAILURE:
		ticket_drop(n, d->ticket);
		resolver_failed(n->resolver, d->ticket, d->failure);
		break;
	}
}

static uint64_t packet_us(const struct network *n)
{
	return n->n_queue > 0 ? n->queue[0].at_us : UINT64_MAX;
}

static uint64_t wake_us(const struct network *n)
{
	return n->wake_ms == UINT64_MAX ? UINT64_MAX : n->wake_ms * 1000;
}

uint64_t network_next_us(const struct network *n)
{
	uint64_t packet = packet_us(n), wake = wake_us(n);

	return packet < wake ? packet : wake;
}

bool network_step(struct network *n, uint64_t until_us)
{
	uint64_t next_us = network_next_us(n);
	bool is_packet = packet_us(n) <= wake_us(n);

	if (n->breach[0] != '\0' || next_us > until_us || next_us == UINT64_MAX) {
		if (n->now_us < until_us && until_us != UINT64_MAX)
			n->now_us = until_us;
		return false;
	}
	if (next_us > n->now_us) {
		n->now_us = next_us;
		n->spin = 0;
	} else if (++n->spin > NETWORK_SPIN_MAX) {
		breach(n, "it spins: no time passes, and it is never done");
		return false;
	}
	if (is_packet) {
		struct delivery d = pop(n);

		hand_over(n, &d);
		free(d.wire);
	} else {
		n->wake_ms = UINT64_MAX;
		resolver_tick(n->resolver);
	}
	return true;
}

bool network_is_busy(const struct network *n)
{
	return n->n_queue > 0 || n->wake_ms != UINT64_MAX;
}

uint32_t network_random_below(struct network *n, uint32_t bound)
{
	return (uint32_t)(draw(n->latency_state) % bound);
}
