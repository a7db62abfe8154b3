/* policy: what the operator's policy makes of a question that is about to leave (preoutquery); the
 * rules stand in world.h. */
#include "recursor/resolve/asking.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"

/* ---- the clients to speak for, the oldest first ---- */

static struct request *merge(struct request *a, struct request *b)
{
	struct request *first = NULL, **end = &first;

	while (a != NULL && b != NULL) {
		struct request **from = a->serial < b->serial ? &a : &b;

		*end = *from;
		end = &(*end)->doomed_next;
		*from = *end;
	}
	*end = a != NULL ? a : b;
	return first;
}

/* Merge sort of a list: runs[i] has 2^i of it, or nothing. */
static struct request *sort(struct request *list)
{
	struct request *runs[32] = { NULL }, *sorted = NULL;

	while (list != NULL) {
		struct request *run = list;
		unsigned i = 0;

		list = run->doomed_next;
		run->doomed_next = NULL;
		for (; i + 1 < ARRAY_LEN(runs) && runs[i] != NULL; i++) {
			run = merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = merge(runs[i], run);
	}
	for (unsigned i = 0; i < ARRAY_LEN(runs); i++)
		sorted = merge(runs[i], sorted);
	return sorted;
}

/* From now on who is answered meanwhile leaves the list by itself (request_detach()). */
static void collect(struct resolver *r, struct goal *g, struct request **list)
{
	*list = NULL;
	goal_collect_policed(r, g, list);
	*list = sort(*list);
	for (struct request **at = list; *at != NULL; at = &(*at)->doomed_next)
		(*at)->doomed_prev = at;
}

static struct request *take_first(struct request **list)
{
	struct request *req = *list;

	*list = req->doomed_next;
	if (*list != NULL)
		(*list)->doomed_prev = list;
	req->doomed_next = NULL;
	req->doomed_prev = NULL;
	return req;
}

/* True: there was somebody on it. */
static bool disperse(struct request **list)
{
	bool any = *list != NULL;

	while (*list != NULL)
		(void)take_first(list);
	return any;
}

/* ---- asking ---- */

void policy_plan_clear(struct outquery_plan *plan)
{
	while (plan->n_sets > 0)
		rrset_put(plan->sets[--plan->n_sets].set);
}

/* What was blocked is not answered by what expired either. */
static void kill_request(struct resolver *r, struct goal *g, struct request *req,
			 const struct addr *server)
{
	COUNT(r->counters, policy_kills);
	GOAL_EVENT(r, g, EVENT_POLICY, NULL, NULL, .server = *server,
		   .note = "a client's query ends");
	req->no_stale = true;
	request_end(r, req, CAUSE_SCRIPT_KILL);
}

static enum policy_result result_of(enum outquery_verdict verdict)
{
	switch (verdict) {
	case OUTQUERY_ANSWERED:
		return POLICY_ANSWERED;
	case OUTQUERY_TIMEOUT:
		return POLICY_TIMEOUT;
	case OUTQUERY_NO_RESOURCES:
		return POLICY_NO_RESOURCES;
	case OUTQUERY_GO:
	case OUTQUERY_KILL:
		break;
	}
	return POLICY_GO;
}

enum policy_result policy_ask(struct resolver *r, struct goal *g, struct outquery_plan *plan)
{
	const struct addr server = plan->server;
	const enum transport transport = plan->transport;
	struct request *clients;
	bool any_killed = false;

	collect(r, g, &clients);
	while (clients != NULL) {
		struct request *req = take_first(&clients);
		enum outquery_verdict verdict;

		verdict = r->world.preoutquery(r->world.ctx, req->ctx, plan);
		if (verdict != OUTQUERY_KILL) {
			(void)disperse(&clients);
			return result_of(verdict);
		}
		policy_plan_clear(plan);
		plan->server = server;
		plan->transport = transport;
		kill_request(r, g, req, &server);
		any_killed = true;
	}
	if (!any_killed)
		return POLICY_GO;
	if (g->state == GOAL_DEAD)
		return POLICY_NOBODY;
	/* Who came to wait while others were told. */
	collect(r, g, &clients);
	return disperse(&clients) ? POLICY_ANEW : POLICY_GO;
}

/* ---- its records as a server's message ---- */

static bool is_in(const struct outquery_set *s, unsigned section)
{
	return s->section == section && s->set->kind == RRSET_DATA;
}

static size_t set_size(const struct rrset *s)
{
	size_t size = 0, at = 0;
	struct rdata rr;

	while (rrset_next(s, &at, &rr))
		size += (size_t)s->owner_len + WIRE_RR_FIXED + rr.len;
	return size;
}

static uint8_t *set_write(uint8_t *out, const struct rrset *s, uint8_t *count)
{
	struct rdata rr;
	size_t at = 0;

	while (rrset_next(s, &at, &rr)) {
		out += name_copy(out, rrset_owner(s));
		out = wire_put_fixed(out, s->type, s->ttl, rr.len);
		memcpy(out, rr.data, rr.len);
		out += rr.len;
		wire_put_u16(count, (uint16_t)(wire_get_u16(count) + 1));
	}
	return out;
}

uint8_t *policy_reply_make(const struct goal *g, const struct outquery_plan *plan, size_t *len)
{
	size_t size = WIRE_HEADER_LEN + NAME_MAX_LEN + 4;
	uint8_t *wire, *out;

	for (unsigned i = 0; i < plan->n_sets; i++)
		size += set_size(plan->sets[i].set);
	wire = size > WIRE_MSG_MAX ? NULL : calloc(1, size);
	if (wire == NULL)
		return NULL;
	/* An rcode that has no room in the header says no more than that it failed. */
	wire_put_u16(wire + 2, (uint16_t)(MSG_QR | MSG_AA |
					  (plan->rcode > 15 ? RCODE_SERVFAIL : plan->rcode)));
	wire[5] = 1; /* QDCOUNT */
	out = wire + WIRE_HEADER_LEN;
	out += name_copy(out, ask_name(g));
	out = wire_put_asked(out, g->asked_type);
	for (unsigned section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++)
		for (unsigned i = 0; i < plan->n_sets; i++)
			if (is_in(&plan->sets[i], section))
				out = set_write(out, plan->sets[i].set, wire + 4 + 2 * section);
	*len = (size_t)(out - wire);
	return wire;
}
