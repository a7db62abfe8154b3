#include "tests/sim/client.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/answer.h"
#include "recursor/sentinel.h"
#include "tests/sim/network.h"

static void done(void *ctx, const struct answer *a)
{
	static uint8_t out[WIRE_MSG_MAX];
	static const struct answer denied = { .rcode = RCODE_SERVFAIL, .ede = EDE_NONE };
	struct client *c = ctx;
	struct packed packed;

	ASSERT(!c->answered);
	/* As the pipeline does it. */
	if (c->sentinel && a->security == SEC_SECURE &&
	    sentinel_denies(resolver_anchors(c->resolver), query_name(&c->query), c->query.type))
		a = &denied;
	answer_pack(&packed, out, answer_limit(&c->query, false, CLIENT_PAYLOAD), &c->query, a,
		    true, c->net->world.wall_s(c->net->world.ctx));
	if (ldns_wire2pkt(&c->answer, out, packed.len) != LDNS_STATUS_OK)
		c->answer = NULL;
	c->answered = true;
	c->request = NULL;
	c->answered_us = c->net->now_us;
	c->out_queries = a->out_queries;
	c->ede = a->ede;
}

static int read_question(struct client *c, const ldns_pkt *question)
{
	ldns_pkt *p = ldns_pkt_clone(question);
	size_t len = 0;
	int err = E_MALFORMED;

	ASSERT(p != NULL);
	ldns_pkt_set_id(p, 4711);
	if (ldns_pkt2wire(&c->wire, p, &len) == LDNS_STATUS_OK)
		err = query_read(&c->query, c->wire, len);
	ldns_pkt_free(p);
	return err;
}

struct client *client_new(struct network *net, const ldns_pkt *question,
			  const struct client_manner *manner, unsigned number)
{
	struct client *c = calloc(1, sizeof(*c));
	struct query_dnssec_table dnssec;
	struct request *request;
	struct question q;
	bool asks_cache;

	ASSERT(c != NULL);
	c->net = net;
	c->number = number;
	c->resolver = net->resolver;
	c->sentinel = manner->sentinel;
	c->ede = EDE_NONE;
	if (read_question(c, question) != E_OK) {
		client_free(c);
		return NULL;
	}
	query_dnssec_fill(&dnssec, manner->dnssec);
	c->query.dnssec = query_dnssec_of(&dnssec, c->query.flags, c->query.dnssec_ok);
	c->asked_us = c->trace.began_us = net->now_us;
	c->trace.next_goal = 1;
	asks_cache = (c->query.flags & MSG_RD) == 0;
	q = (struct question) {
		.name = query_name(&c->query),
		.type = c->query.type,
		.cache_only = asks_cache || manner->known,
		.no_stale = asks_cache,
		.validate = (c->query.dnssec & QUERY_VALIDATE) != 0,
		.route = manner->route,
		.policed = true,
		.trace = &c->trace,
	};
	request = resolver_ask(net->resolver, &q, done, c);
	if (!c->answered)
		c->request = request;
	return c;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	if (c->request != NULL)
		resolver_cancel(c->resolver, c->request);
	ldns_pkt_free(c->answer);
	free(c->wire);
	free(c);
}
