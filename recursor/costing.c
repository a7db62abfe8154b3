/* costing: see costing.h. */
#include "recursor/costing.h"

enum {
	STEP_WEIGHT = 64,    /* of the average of steps: one in so many is new */
	OVERHEAD_WEIGHT = 4, /* the same for the overhead */
	PACKETS_LEAST = 50,  /* in a tick; of fewer nothing can be said */
};

static uint64_t average(uint64_t old, uint64_t sample, uint64_t weight)
{
	return old == 0 ? sample : (old * (weight - 1) + sample) / weight;
}

void costing_enter(struct costing *c, uint64_t now_us)
{
	c->entered_us = now_us;
	c->from_us = now_us;
	c->has_ended = false;
	c->has_answered = false;
}

void costing_leave(struct costing *c, uint64_t now_us)
{
	uint64_t us = now_us - c->entered_us;

	if (c->costs == NULL)
		return;
	if (!c->has_ended)
		c->step_ns = average(c->step_ns, us * 1000, STEP_WEIGHT);
	if (c->has_answered)
		costs_charge_server(c->costs, &c->server,
				    &(struct cost) { .cpu_us = us,
						     .outqueries = 1,
						     .wait_us = c->server_wait_us });
	c->has_answered = false;
}

static uint64_t to_us(uint64_t ns)
{
	return (ns + 500) / 1000;
}

void costing_hit(struct costing *c, const struct psl *psl, const struct client *to,
		 const uint8_t *name, uint64_t now_us)
{
	uint64_t direct_us = (now_us - c->entered_us) * COSTING_SAMPLE;
	struct cost cost = { .cpu_us = direct_us + to_us(c->overhead_ns * COSTING_SAMPLE) };

	if (c->costs == NULL)
		return;
	c->charged_us += direct_us;
	costs_charge_client(c->costs, psl, &to->remote, name, &cost);
}

uint64_t costing_begun(struct costing *c, uint64_t now_us)
{
	uint64_t us = now_us - c->from_us;

	c->from_us = now_us;
	return us;
}

void costing_ended(struct costing *c, const struct costing_query *q, uint64_t now_us)
{
	/* The first answer's question was sent in the beginning, the last answer came now. */
	uint64_t steps = q->outqueries > 1 ? q->outqueries - 1 : 0;
	bool has_waited = q->begun_us > 0;
	uint64_t direct_us = now_us - c->from_us + (has_waited ? q->begun_us - 1 : 0) +
			     to_us(steps * c->step_ns);
	struct cost cost = {
		.cpu_us = direct_us + to_us((1 + q->outqueries) * c->overhead_ns),
		.outqueries = q->outqueries,
		.wait_us = has_waited ? now_us - q->arrived_us : 0,
	};

	c->from_us = now_us;
	c->has_ended = true;
	if (c->costs == NULL)
		return;
	c->charged_us += direct_us;
	costs_charge_client_of(c->costs, &q->client->remote, q->domain, &cost);
}

void costing_server(struct costing *c, const struct addr *server, uint64_t waited_us,
		    bool timed_out)
{
	if (c->costs == NULL)
		return;
	if (timed_out) {
		costs_charge_server(c->costs, server,
				    &(struct cost) { .outqueries = 1, .wait_us = waited_us });
		return;
	}
	c->server = *server;
	c->server_wait_us = waited_us;
	c->has_answered = true;
}

void costing_tick(struct costing *c, const struct counters *counters, uint64_t cpu_us,
		  uint64_t now_ms)
{
	uint64_t packets = counter_get(&counters->questions) +
			   counter_get(&counters->all_outqueries);
	uint64_t n = packets - c->packets, used_us = cpu_us - c->cpu_us;

	if (n >= PACKETS_LEAST) {
		uint64_t left_us = used_us > c->charged_us ? used_us - c->charged_us : 0;

		c->overhead_ns = average(c->overhead_ns, left_us * 1000 / n, OVERHEAD_WEIGHT);
		c->packets = packets;
		c->cpu_us = cpu_us;
		c->charged_us = 0;
	}
	if (c->costs != NULL)
		costs_tick(c->costs, now_ms);
}
