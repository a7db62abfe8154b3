/* costing: see costing.h. */
#include "recursor/costing.h"

#include "common/name.h"

enum {
	CHOICE_QUERIES = 200, /* in a tick of a fifth of a second: of more not all are measured */
	CHOICE_MOST = 8,
	STEP_WEIGHT = 64,    /* of the average of steps: one in so many is new */
	OVERHEAD_WEIGHT = 4, /* the same for the overhead */
	PACKETS_LEAST = 50,  /* in a tick; of fewer nothing can be said */
};

static uint64_t average(uint64_t old, uint64_t sample, uint64_t weight)
{
	return old == 0 ? sample : (old * (weight - 1) + sample) / weight;
}

void costing_init(struct costing *c)
{
	*c = (struct costing) { .chance = 1 };
	c->hits = (struct costing_choice) { COSTING_SAMPLE, COSTING_SAMPLE };
	c->queries = (struct costing_choice) { 1, 1 };
	c->servers = (struct costing_choice) { 1, 1 };
}

/* Marsaglia's xorshift: nobody gains from guessing it. */
static unsigned draw(struct costing *c, unsigned below)
{
	c->chance ^= c->chance << 13;
	c->chance ^= c->chance >> 17;
	c->chance ^= c->chance << 5;
	return (unsigned)((uint64_t)c->chance * below >> 32);
}

/* to_next has come to 0.  The gaps are 1 to twice one_in, less one: one_in on average. */
static unsigned choose_again(struct costing *c, struct costing_choice *choice)
{
	choice->to_next = 1 + draw(c, 2 * choice->one_in - 1);
	return c->costs == NULL ? 0 : choice->one_in;
}

bool costing_samples_now(struct costing *c)
{
	return choose_again(c, &c->hits) > 0;
}

static unsigned choose(struct costing *c, struct costing_choice *choice)
{
	return --choice->to_next > 0 ? 0 : choose_again(c, choice);
}

void costing_enter(struct costing *c, uint64_t now_us)
{
	c->entered_us = now_us;
	c->from_us = now_us;
	c->n_ended = 0;
	c->has_ended = false;
	c->answered = 0;
}

unsigned costing_query_came(struct costing *c, uint64_t now_us)
{
	costing_enter(c, now_us);
	c->n_queries++;
	return choose(c, &c->queries);
}

static struct cost times(unsigned n, uint64_t cpu_us, uint64_t outqueries, uint64_t wait_us)
{
	return (struct cost) { n * cpu_us, n * outqueries, n * wait_us };
}

void costing_leave(struct costing *c, uint64_t now_us)
{
	uint64_t us = now_us - c->entered_us;

	if (c->costs == NULL)
		return;
	if (!c->has_ended)
		c->step_ns = average(c->step_ns, us * 1000, STEP_WEIGHT);
	if (c->answered > 0) {
		const struct cost cost = times(c->answered, us, 1, c->server_wait_us);

		costs_charge_server(c->costs, &c->server, &cost);
	}
	c->answered = 0;
}

static uint64_t to_us(uint64_t ns)
{
	return (ns + 500) / 1000;
}

uint64_t costing_hit(struct costing *c, const struct psl *psl, const struct client *to,
		     const uint8_t *name, uint64_t now_us)
{
	uint64_t direct_us = now_us - c->entered_us;
	const struct cost cost = { .cpu_us = direct_us * COSTING_SAMPLE +
					     to_us(c->overhead_ns * COSTING_SAMPLE) };

	if (c->costs == NULL)
		return 0;
	c->charged_us += direct_us * COSTING_SAMPLE;
	costs_charge_client(c->costs, psl, &to->remote, name, &cost);
	return cost.cpu_us / COSTING_SAMPLE;
}

uint64_t costing_begun(struct costing *c, uint64_t now_us)
{
	uint64_t us = now_us - c->from_us;

	c->from_us = now_us;
	return us;
}

uint64_t costing_ended(struct costing *c, const struct psl *psl, const struct costing_query *q,
		       uint64_t now_us)
{
	/* The first answer's question was sent in the beginning, the last answer came now. */
	uint64_t steps = q->outqueries > 1 ? q->outqueries - 1 : 0;
	bool has_waited = q->begun_us > 0;
	uint64_t direct_us = (now_us - c->from_us) / (c->n_ended + 1) +
			     (has_waited ? q->begun_us - 1 : 0) + to_us(steps * c->step_ns);
	uint64_t cpu_us = direct_us + to_us((1 + q->outqueries) * c->overhead_ns);
	const struct cost cost = times(q->weight, cpu_us, q->outqueries,
				       has_waited ? now_us - q->arrived_us : 0);

	c->from_us = now_us;
	c->n_ended = 0;
	c->has_ended = true;
	if (c->costs == NULL)
		return 0;
	c->charged_us += q->weight * direct_us;
	if (q->domain_labels > 0)
		costs_charge_client_of(c->costs, &q->client->remote,
				       name_suffix(q->name, q->domain_labels), &cost);
	else
		costs_charge_client(c->costs, psl, &q->client->remote, q->name, &cost);
	return cpu_us;
}

void costing_server(struct costing *c, const struct addr *server, uint64_t waited_us,
		    bool timed_out)
{
	unsigned weight = choose(c, &c->servers);

	if (timed_out && weight > 0) {
		const struct cost cost = times(weight, 0, 1, waited_us);

		costs_charge_server(c->costs, server, &cost);
	} else if (weight > 0) {
		c->answered = weight;
		c->server = *server;
		c->server_wait_us = waited_us;
	}
}

static void choose_fewer(struct costing *c)
{
	unsigned one_in = 1;

	while (one_in < CHOICE_MOST && c->n_queries > (uint64_t)CHOICE_QUERIES * one_in)
		one_in *= 2;
	c->n_queries = 0;
	c->queries.one_in = one_in;
	c->servers.one_in = one_in;
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
	choose_fewer(c);
	if (c->costs != NULL)
		costs_tick(c->costs, now_ms);
}
