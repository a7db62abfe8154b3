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
			 const uint8_t *wire, size_t len)
{
	struct dnstap_message m = {
		.type = type,
		.from = c->remote,
		.to = c->local,
		.tcp = c->tcp,
		.wire = wire,
		.len = len,
	};

	if (!dnstap_wants(w->tap, type))
		return;
	if (type == DNSTAP_CLIENT_QUERY)
		m.query_ns = dnstap_time_ns();
	else
		m.response_ns = dnstap_time_ns();
	dnstap_see(w->tap, &m);
}

/* Who is asked for recursion is a resolver. */
static enum dnstap_type type_of(const struct outgoing_seen *seen)
{
	bool forwards = (wire_get_u16(seen->wire + 2) & MSG_RD) != 0;

	if (seen->is_answer)
		return forwards ? DNSTAP_FORWARDER_RESPONSE : DNSTAP_RESOLVER_RESPONSE;
	return forwards ? DNSTAP_FORWARDER_QUERY : DNSTAP_RESOLVER_QUERY;
}

/* What it returns of a question, its time, comes back with the answer. */
static uint64_t show_server(void *ctx, const struct outgoing_seen *seen)
{
	struct worker *w = ctx;
	uint64_t now_ns = dnstap_time_ns();
	const struct dnstap_message m = {
		.type = type_of(seen),
		.from = seen->local,
		.to = seen->server,
		.tcp = seen->tcp,
		.query_ns = seen->is_answer ? seen->mark : now_ns,
		.response_ns = seen->is_answer ? now_ns : 0,
		.wire = seen->wire,
		.len = seen->len,
	};

	dnstap_see(w->tap, &m);
	return now_ns;
}

void tapping_open(struct worker *w, struct outgoing_handler *servers)
{
	w->tap = dnstap_tap_of(w->server->dnstap, w->index);
	if (w->tap != NULL && (dnstap_wants(w->tap, DNSTAP_RESOLVER_QUERY) ||
			       dnstap_wants(w->tap, DNSTAP_RESOLVER_RESPONSE)))
		servers->seen = show_server;
}
