#include "recursor/tapping.h"

#include "common/msg.h"
#include "common/wire.h"

int tapping_make(struct dnstap **out, const struct settings *s)
{
	const struct dnstap_options o = {
		.servers = s->dnstap_server,
		.messages = s->dnstap_messages,
		.identity = s->dnstap_identity,
		.version = s->dnstap_version,
		.queue_size = s->dnstap_queue_size,
		.reopen_interval_s = s->dnstap_reopen_interval_s,
		.n_workers = s->threads,
	};

	return dnstap_new(out, &o);
}

void tapping_show_client(struct worker *w, enum dnstap_type type, const struct client *c,
			 const uint8_t *wire, size_t len, uint64_t at_ns)
{
	struct dnstap_message m = {
		.type = type,
		.from = &c->remote,
		.to = &c->local,
		.tcp = c->tcp,
		.wire = wire,
		.len = len,
	};

	if (!dnstap_wants(w->tap, type))
		return;
	if (at_ns == 0)
		at_ns = dnstap_time_ns();
	if (type == DNSTAP_CLIENT_QUERY)
		m.query_ns = at_ns;
	else
		m.response_ns = at_ns;
	dnstap_see(w->tap, &m);
}

/* A question's mark, which comes back with its answers: its time, and whether it asked for
 * recursion.  Who is asked for that is a resolver, whatever RD says in what comes back. */
static uint64_t mark_of(uint64_t asked_ns, bool forwards)
{
	return asked_ns << 1 | forwards;
}

static uint64_t show_server(void *ctx, const struct outgoing_seen *seen)
{
	struct worker *w = ctx;
	uint64_t now_ns = dnstap_time_ns();
	uint64_t mark = seen->mark;
	struct dnstap_message m = {
		.from = &seen->local,
		.to = &seen->server,
		.tcp = seen->tcp,
		.response_ns = seen->is_answer ? now_ns : 0,
		.wire = seen->wire,
		.len = seen->len,
	};

	if (!seen->is_answer)
		mark = mark_of(now_ns, (wire_get_u16(seen->wire + 2) & MSG_RD) != 0);
	m.query_ns = mark >> 1;
	if (seen->is_answer)
		m.type = mark & 1 ? DNSTAP_FORWARDER_RESPONSE : DNSTAP_RESOLVER_RESPONSE;
	else
		m.type = mark & 1 ? DNSTAP_FORWARDER_QUERY : DNSTAP_RESOLVER_QUERY;
	dnstap_see(w->tap, &m);
	return mark;
}

void tapping_open(struct worker *w, struct outgoing_handler *servers)
{
	w->tap = dnstap_tap_of(w->server->dnstap, w->index);
	if (w->tap != NULL && (dnstap_wants(w->tap, DNSTAP_RESOLVER_QUERY) ||
			       dnstap_wants(w->tap, DNSTAP_RESOLVER_RESPONSE)))
		servers->seen = show_server;
}
