#include "recursor/net/outgoing.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/timers.h"
#include "common/wire.h"
#include "recursor/net/outgoing_impl.h"

enum {
	PORT_TRIES = 32,
	BUCKETS_MIN = 256,
	BUCKETS_MAX = 1 << 18,
};

/* ---- tickets ---- */

/* Tickets are the resolver's own: spread is enough, no key is needed. */
static uint64_t ticket_hash(uint64_t ticket)
{
	return (ticket * 0x9e3779b97f4a7c15U) >> 32;
}

void outgoing_ticket_add(struct outgoing *o, struct question *q)
{
	chains_add(&o->tickets, &q->by_ticket, ticket_hash(q->ticket));
}

struct question *outgoing_ticket_find(const struct outgoing *o, uint64_t ticket)
{
	struct chain_link *l = chains_first(&o->tickets, ticket_hash(ticket));

	while (l != NULL && CONTAINER(l, struct question, by_ticket)->ticket != ticket)
		l = chains_next(l);
	return l != NULL ? CONTAINER(l, struct question, by_ticket) : NULL;
}

void outgoing_ticket_remove(struct outgoing *o, struct question *q)
{
	chains_remove(&o->tickets, &q->by_ticket);
}

/* ---- sockets ---- */

size_t outgoing_server_bucket(const struct outgoing *o, const struct addr *server)
{
	return addr_hash(server) & (o->server_buckets - 1);
}

bool outgoing_make_room(struct outgoing *o)
{
	return o->n_udp + o->n_tcp + o->n_datagrams < o->cfg.max_sockets || outgoing_udp_evict(o) ||
	       outgoing_tcp_evict(o);
}

static bool is_avoided(const struct outgoing *o, uint16_t port)
{
	return (o->avoid[port / 8] >> (port % 8) & 1) != 0;
}

/* Every port that may be used is equally likely. */
static uint16_t random_port(struct outgoing *o)
{
	uint32_t n = (uint32_t)o->cfg.port_max - o->cfg.port_min + 1;
	uint16_t port;

	do
		port = (uint16_t)(o->cfg.port_min + random_below(&o->random, n));
	while (is_avoided(o, port));
	return port;
}

static bool is_any(const struct addr *a)
{
	static const uint8_t zero[sizeof(a->ip)];

	return memcmp(a->ip, zero, sizeof(zero)) == 0;
}

static bool bind_random(struct outgoing *o, int fd, struct addr *local)
{
	struct sockaddr_storage sa;

	for (int i = 0; i < PORT_TRIES; i++) {
		socklen_t len;

		local->port = random_port(o);
		len = addr_to_sockaddr(local, &sa);
		if (bind(fd, (struct sockaddr *)&sa, len) == 0)
			return true;
		/* EACCES: a privileged port in the range. */
		if (errno != EADDRINUSE && errno != EACCES)
			return false;
	}
	return false;
}

/* The kernel chooses the port: TCP's sequence numbers do for it what the port does for UDP. */
static bool bind_address(int fd, struct addr *local)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int on = 1;

	if (is_any(local))
		return true;
	local->port = 0;
	len = addr_to_sockaddr(local, &sa);
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&sa, len) == 0;
}

static int open_bound(struct outgoing *o, const struct addr *server, bool tcp)
{
	bool v4 = server->family == 4;
	unsigned n = v4 ? o->cfg.n_local4 : o->cfg.n_local6;
	struct addr local;
	int fd;

	ASSERT(n > 0);
	local = (v4 ? o->cfg.local4 : o->cfg.local6)[n == 1 ? 0 : random_below(&o->random, n)];
	fd = socket(v4 ? AF_INET : AF_INET6,
		    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!(tcp ? bind_address(fd, &local) : bind_random(o, fd, &local))) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* When there is no descriptor or no port left, an idle socket gives up its own. */
int outgoing_open_bound(struct outgoing *o, const struct addr *server, bool tcp)
{
	int fd = open_bound(o, server, tcp);

	while (fd < 0 && (errno == EADDRINUSE || errno == EMFILE || errno == ENFILE) &&
	       outgoing_udp_evict(o))
		fd = open_bound(o, server, tcp);
	return fd;
}

void outgoing_show(struct outgoing *o, struct question *q, int fd, const struct outgoing_seen *seen)
{
	struct outgoing_seen whole = *seen;
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	uint64_t mark;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0 ||
	    addr_from_sockaddr(&whole.local, (struct sockaddr *)&sa) != E_OK)
		whole.local = (struct addr) { 0 };
	whole.mark = q->mark;
	mark = o->handler.seen(o->handler.ctx, &whole);
	if (!whole.is_answer)
		q->mark = mark;
}

enum outgoing_result outgoing_open_failure(int error)
{
	/* A kernel without IPv6, an address that an interface has lost; anything else is our own
	 * want. */
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL ? OUTGOING_UNROUTED
							       : OUTGOING_NO_RESOURCES;
}

enum outgoing_result outgoing_result_of(int error)
{
	switch (error) {
	case 0:
		return OUTGOING_OK;
	case EAGAIN:
	case ENOMEM:
	case ENOBUFS:
		return OUTGOING_NO_RESOURCES;
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
		return OUTGOING_UNROUTED;
	default:
		return OUTGOING_UNREACHABLE;
	}
}

enum outgoing_failure outgoing_failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return OUTGOING_FAIL_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return OUTGOING_FAIL_CLOSED;
	case ENOMEM:
	case ENOBUFS:
		return OUTGOING_FAIL_RESOURCES;
	default:
		return OUTGOING_FAIL_UNREACHABLE;
	}
}

/* ---- time ---- */

void outgoing_wake_by(struct outgoing *o, uint64_t due_ms)
{
	if (due_ms < o->due_ms) {
		o->due_ms = due_ms;
		loop_timer_at(o->timer, due_ms);
	}
}

static void on_timer(void *ctx)
{
	struct outgoing *o = ctx;
	uint64_t now = loop_now_ms(o->loop);

	o->due_ms = UINT64_MAX;
	o->depth++;
	outgoing_udp_tick(o, now);
	outgoing_tcp_tick(o, now);
	o->depth--;
}

/* ---- the public side ---- */

/* ::ffff:192.0.2.1 would leave as IPv4, past all that is said about 192.0.2.1. */
static bool is_mapped(const struct addr *server)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return server->family == 6 && memcmp(server->ip, prefix, sizeof(prefix)) == 0;
}

bool outgoing_may_send(const struct outgoing *o, const struct addr *to)
{
	unsigned n_local = to->family == 4   ? o->cfg.n_local4
			   : to->family == 6 ? o->cfg.n_local6
					     : 0;

	return n_local != 0 && to->port != 0 && !is_mapped(to);
}

enum outgoing_result outgoing_send(struct outgoing *o, uint64_t ticket, const struct addr *server,
				   bool tcp, const uint8_t *wire, size_t len)
{
	if (!outgoing_may_send(o, server))
		return OUTGOING_UNREACHABLE;
	if (!EXPECT(len >= WIRE_HEADER_LEN && len <= WIRE_MSG_MAX) ||
	    !EXPECT(ticket != 0 && outgoing_ticket_find(o, ticket) == NULL))
		return OUTGOING_NO_RESOURCES;
	return (tcp ? outgoing_tcp_send : outgoing_udp_send)(o, ticket, server, wire, len);
}

void outgoing_cancel(struct outgoing *o, uint64_t ticket)
{
	struct question *q = outgoing_ticket_find(o, ticket);

	if (q == NULL)
		return;
	if (q->tcp != NULL)
		outgoing_tcp_cancel(o, q);
	else if (q->shared != NULL)
		outgoing_shared_cancel(q);
	else
		outgoing_udp_cancel(o, q);
}

void outgoing_stats(const struct outgoing *o, struct outgoing_stats *out)
{
	*out = (struct outgoing_stats) {
		.udp_sockets = o->n_udp,
		.shared_sockets = o->n_shared,
		.tcp_connections = o->n_tcp,
		.tcp_idle = o->n_tcp_idle,
		.pending = o->tickets.n,
		.most_tcp_idle = o->most_tcp_idle,
		.most_tcp_idle_server = o->most_tcp_idle_server,
		.most_tcp_asked = o->most_tcp_asked,
	};
}

static size_t power_of_two(size_t at_least)
{
	size_t n = BUCKETS_MIN;

	while (n < at_least && n < BUCKETS_MAX)
		n *= 2;
	return n;
}

static int init_ports(struct outgoing *o)
{
	for (unsigned i = 0; i < o->cfg.n_avoid; i++)
		o->avoid[o->cfg.avoid[i] / 8] |= (uint8_t)(1U << (o->cfg.avoid[i] % 8));
	o->avoid[0] |= 1; /* port 0 would let the kernel choose */
	for (uint32_t port = o->cfg.port_min; port <= o->cfg.port_max; port++)
		if (!is_avoided(o, (uint16_t)port))
			return E_OK;
	return E_RANGE;
}

static void free_tables(struct outgoing *o)
{
	loop_timer_close(o->timer);
	chains_deinit(&o->tickets);
	chains_deinit(&o->shared_servers);
	free(o->shared);
	free(o->udp);
	free(o->tcp);
	free(o);
}

bool outgoing_can_use(const struct addr *local)
{
	static const uint8_t any[16];
	struct addr a = *local;
	struct sockaddr_storage ss;
	int fd, saved;
	bool ok;

	if (memcmp(a.ip, any, a.family == 4 ? 4 : 16) == 0)
		return true;
	a.port = 0;
	fd = socket(a.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ok = bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&a, &ss)) == 0;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return ok;
}

int outgoing_new(struct outgoing **out, struct loop *loop, const struct outgoing_config *cfg,
		 const struct outgoing_handler *h)
{
	struct outgoing *o = calloc(1, sizeof(*o));
	int err;

	if (o == NULL)
		return E_NOMEM;
	ASSERT(cfg->n_local4 <= ARRAY_LEN(cfg->local4) && cfg->n_local6 <= ARRAY_LEN(cfg->local6));
	ASSERT(cfg->n_avoid <= ARRAY_LEN(cfg->avoid));
	o->loop = loop;
	o->cfg = *cfg;
	o->handler = *h;
	o->due_ms = UINT64_MAX;
	o->server_buckets = power_of_two(cfg->max_sockets);

	err = init_ports(o);
	if (err != E_OK)
		goto out;
	err = random_init(&o->random);
	if (err != E_OK)
		goto out;
	o->udp = calloc(o->server_buckets, sizeof(o->udp[0]));
	o->tcp = calloc(o->server_buckets, sizeof(o->tcp[0]));
	err = o->udp == NULL || o->tcp == NULL ? E_NOMEM : chains_init(&o->tickets);
	if (err == E_OK)
		err = loop_timer_new(&o->timer, loop, on_timer, o);
	if (err != E_OK)
		goto out;
	err = outgoing_shared_init(o);
	if (err == E_OK)
		err = outgoing_udp_init(o);
	if (err != E_OK)
		goto out;
	outgoing_tcp_init(o);
	*out = o;
	return E_OK;
out:
	free_tables(o);
	return err;
}

void outgoing_close(struct outgoing *o)
{
	struct chain_link *l;

	if (o == NULL)
		return;
	ASSERT(o->depth == 0);
	for (size_t i = 0; i < o->tickets.n_buckets; i++)
		while ((l = o->tickets.buckets[i]) != NULL)
			outgoing_cancel(o, CONTAINER(l, struct question, by_ticket)->ticket);
	outgoing_tcp_deinit(o);
	outgoing_udp_deinit(o);
	outgoing_shared_deinit(o);
	free_tables(o);
}
