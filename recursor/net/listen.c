#include "recursor/net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "recursor/net/listen_impl.h"

enum {
	SOCKET_BUFFER = 4 << 20,
	/* What the kernel may keep of one TCP connection; left to itself it is megabytes. */
	TCP_SEND_BUFFER = 64 << 10,
	TCP_RECEIVE_BUFFER = 16 << 10,
	TCP_BACKLOG = 1024,
	QUERY_MAX = 2048,
	ANSWER_MAX = 4096,
	/* A cache line more than a power of two: else the first lines of all packets of a batch
	 * would share one set of the processor's cache. */
	QUERY_STRIDE = QUERY_MAX + 64,
	ANSWER_STRIDE = ANSWER_MAX + 64,
	SEND_TRIES = 3,
	SEND_RETRY_MS = 1,
};

union socket_address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Room for one IP_PKTINFO or IPV6_PKTINFO, of which the latter is the larger. */
union control {
	struct cmsghdr align;
	uint8_t space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_in {
	struct mmsghdr headers[LISTEN_UDP_BATCH];
	struct iovec iov[LISTEN_UDP_BATCH];
	union socket_address from[LISTEN_UDP_BATCH];
	union control control[LISTEN_UDP_BATCH];
	struct client clients[LISTEN_UDP_BATCH];
	uint8_t packets[LISTEN_UDP_BATCH][QUERY_STRIDE];
};

struct udp_out {
	unsigned n;       /* places taken */
	uint64_t waiting; /* a bit for each that has not been sent */
	unsigned tries;
	uint8_t endpoint[LISTEN_UDP_BATCH];
	struct mmsghdr headers[LISTEN_UDP_BATCH];
	struct iovec iov[LISTEN_UDP_BATCH];
	union socket_address to[LISTEN_UDP_BATCH];
	union control control[LISTEN_UDP_BATCH];
	uint8_t packets[LISTEN_UDP_BATCH][ANSWER_STRIDE];
};

/* ---- binding ---- */

static void set_option(int fd, int level, int name, int value)
{
	/* What cannot be had we do without. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static int open_socket(const struct endpoint *e, int type, bool reuseport, bool free_bind)
{
	bool v4 = e->local.family == 4;
	int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (!v4)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (reuseport)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (free_bind)
		set_option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, 1);
	return fd;
}

static void grow_buffer(int fd, int forced, int asked)
{
	int size = SOCKET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) < 0)
		set_option(fd, SOL_SOCKET, asked, size);
}

static void set_udp_options(const struct endpoint *e)
{
	bool v4 = e->local.family == 4;
	int fd = e->udp_fd;

	grow_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	grow_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	/* A forged ICMP message must not make us send in fragments (RFC 9715). */
	if (v4)
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	else
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	/* Only where it is needed: each packet pays for it. */
	if (e->is_any)
		set_option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO,
			   1);
}

static int bind_endpoint(struct endpoint *e, bool reuseport, bool free_bind, const char **what)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&e->local, &sa);

	*what = "UDP";
	e->udp_fd = open_socket(e, SOCK_DGRAM, reuseport, free_bind);
	if (e->udp_fd < 0)
		return E_SYSTEM;
	set_udp_options(e);
	if (bind(e->udp_fd, (struct sockaddr *)&sa, len) < 0)
		return E_SYSTEM;

	*what = "TCP";
	e->tcp_fd = open_socket(e, SOCK_STREAM, reuseport, free_bind);
	if (e->tcp_fd < 0)
		return E_SYSTEM;
	/* Connections of our last life in TIME_WAIT do not keep us from the port. */
	set_option(e->tcp_fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Accepted sockets inherit these. */
	set_option(e->tcp_fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(e->tcp_fd, SOL_SOCKET, SO_SNDBUF, TCP_SEND_BUFFER);
	set_option(e->tcp_fd, SOL_SOCKET, SO_RCVBUF, TCP_RECEIVE_BUFFER);
	if (bind(e->tcp_fd, (struct sockaddr *)&sa, len) < 0 || listen(e->tcp_fd, TCP_BACKLOG) < 0)
		return E_SYSTEM;
	return E_OK;
}

static void free_endpoint(struct endpoint *e)
{
	loop_fd_close(e->udp_watch);
	loop_watch_close(&e->tcp_watch);
	if (e->udp_fd >= 0)
		(void)close(e->udp_fd);
	if (e->tcp_fd >= 0)
		(void)close(e->tcp_fd);
	free(e);
}

static int new_endpoint(struct endpoint **out, const struct addr *a, bool reuseport, bool free_bind,
			char *why, size_t why_cap)
{
	static const uint8_t any[sizeof(a->ip)];
	struct endpoint *e = calloc(1, sizeof(*e));
	char text[ADDR_TEXT_MAX];
	const char *what = "UDP";
	int err;

	if (e == NULL) {
		(void)snprintf(why, why_cap, "cannot listen at %s: %s", addr_text(text, a),
			       err_text(E_NOMEM));
		return E_NOMEM;
	}
	e->local = *a;
	e->is_any = memcmp(a->ip, any, sizeof(any)) == 0;
	e->udp_fd = e->tcp_fd = -1;
	err = bind_endpoint(e, reuseport, free_bind, &what);
	if (err != E_OK) {
		(void)snprintf(why, why_cap, "cannot listen at %s (%s): %s", addr_text(text, a),
			       what, strerror(errno));
		free_endpoint(e);
		return err;
	}
	*out = e;
	return E_OK;
}

int listener_bind(struct listener *l, const struct addr *a, bool reuseport, bool free_bind,
		  char *why, size_t why_cap)
{
	char text[ADDR_TEXT_MAX];
	struct endpoint *e = NULL;
	int err;

	ASSERT(l->loop == NULL);
	if (l->n_endpoints == LISTEN_ADDRESSES_MAX) {
		(void)snprintf(why, why_cap, "cannot listen at %s: more than %d addresses",
			       addr_text(text, a), LISTEN_ADDRESSES_MAX);
		return E_LIMIT;
	}
	err = new_endpoint(&e, a, reuseport, free_bind, why, why_cap);
	if (err != E_OK)
		return err;
	e->l = l;
	e->number = (uint8_t)l->n_endpoints;
	l->endpoints[l->n_endpoints++] = e;
	return E_OK;
}

int listener_probe(const struct addr *a, bool free_bind, char *why, size_t why_cap)
{
	struct endpoint *e = NULL;
	int err = new_endpoint(&e, a, false, free_bind, why, why_cap);

	if (err == E_OK)
		free_endpoint(e);
	return err;
}

/* ---- UDP in ---- */

/* Where a packet to a socket bound to any address was sent to. */
static void read_pktinfo(struct msghdr *m, struct client *c)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(h), sizeof(info));
			memcpy(c->local.ip, &info.ipi_spec_dst, 4);
		} else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(h), sizeof(info));
			memcpy(c->local.ip, &info.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				c->ifindex = info.ipi6_ifindex;
		}
	}
}

static void take_packet(const struct endpoint *e, unsigned i)
{
	struct listener *l = e->l;
	struct mmsghdr *m = &l->in->headers[i];
	const union socket_address *from = &l->in->from[i];
	struct client *c = &l->in->clients[i];

	*c = (struct client) { .local = e->local, .socket = e->number };
	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
		COUNT(l->counters, dropped_queries);
		COUNT(l->counters, truncated_drops);
		return;
	}
	/* Nobody asks from port 0; an answer could not be sent. */
	if (addr_from_sockaddr(&c->remote, &from->sa) != E_OK || c->remote.port == 0) {
		COUNT(l->counters, dropped_queries);
		COUNT(l->counters, client_parse_drops);
		return;
	}
	if (e->is_any)
		read_pktinfo(&m->msg_hdr, c);
	if (c->remote.family == 6 && IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr))
		c->ifindex = from->v6.sin6_scope_id;
	/* For UDP it is all the same whether an answer will come. */
	(void)l->handler.query(l->handler.ctx, c, l->in->packets[i], m->msg_len);
}

static void on_udp(void *ctx, bool readable, bool writable)
{
	const struct endpoint *e = ctx;
	struct listener *l = e->l;
	struct udp_in *in = l->in;

	(void)readable;
	(void)writable;
	l->depth++;
	for (uint32_t batch = 0; batch < l->limits.udp_batches; batch++) {
		int n = recvmmsg(e->udp_fd, in->headers, LISTEN_UDP_BATCH, MSG_DONTWAIT, NULL);

		for (int i = 0; i < n; i++) {
			take_packet(e, (unsigned)i);
			/* The kernel has written how much of it was used. */
			in->headers[i].msg_hdr.msg_namelen = sizeof(in->from[i]);
			in->headers[i].msg_hdr.msg_controllen = sizeof(in->control[i]);
		}
		if (n > 0 && l->handler.taken != NULL)
			l->handler.taken(l->handler.ctx);
		listener_flush(l);
		if (n < LISTEN_UDP_BATCH)
			break;
	}
	l->depth--;
}

static struct udp_in *new_udp_in(void)
{
	struct udp_in *in = calloc(1, sizeof(*in));

	for (unsigned i = 0; in != NULL && i < LISTEN_UDP_BATCH; i++) {
		in->iov[i] = (struct iovec) { in->packets[i], QUERY_MAX };
		in->headers[i].msg_hdr = (struct msghdr) {
			.msg_name = &in->from[i],
			.msg_namelen = sizeof(in->from[i]),
			.msg_iov = &in->iov[i],
			.msg_iovlen = 1,
			.msg_control = &in->control[i],
			.msg_controllen = sizeof(in->control[i]),
		};
	}
	return in;
}

/* ---- UDP out ---- */

/* Sends the answers of the mask, all of one socket.  Returns those that the kernel has no room
 * for; one that it refuses is lost alone. */
static uint64_t send_from(struct listener *l, int fd, uint64_t mask)
{
	struct mmsghdr batch[LISTEN_UDP_BATCH];
	uint64_t rest = mask;
	unsigned n = 0, sent = 0;

	for (; rest != 0; rest &= rest - 1)
		batch[n++] = l->out->headers[__builtin_ctzll(rest)];
	for (rest = mask; sent < n;) {
		int did = sendmmsg(fd, batch + sent, n - sent, MSG_DONTWAIT);

		if (did < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
				return rest;
			COUNT(l->counters, send_errors);
			did = 1;
		}
		sent += (unsigned)did;
		while (did-- > 0)
			rest &= rest - 1;
	}
	return 0;
}

void listener_flush(struct listener *l)
{
	struct udp_out *out = l->out;
	uint64_t todo, blocked = 0;

	if (out == NULL || out->n == 0)
		return;
	for (todo = out->waiting; todo != 0;) {
		uint8_t endpoint = out->endpoint[__builtin_ctzll(todo)];
		uint64_t mask = 0;

		for (uint64_t rest = todo; rest != 0; rest &= rest - 1)
			if (out->endpoint[__builtin_ctzll(rest)] == endpoint)
				mask |= rest & -rest;
		blocked |= send_from(l, l->endpoints[endpoint]->udp_fd, mask);
		todo &= ~mask;
	}
	if (blocked != 0 && ++out->tries < SEND_TRIES && out->n < LISTEN_UDP_BATCH) {
		out->waiting = blocked;
		loop_timer_at(l->send_timer, loop_now_ms(l->loop) + SEND_RETRY_MS);
		return;
	}
	counter_add(&l->counters->send_errors, (uint64_t)__builtin_popcountll(blocked));
	out->waiting = 0;
	out->n = 0;
	out->tries = 0;
}

static void retry_sending(void *ctx)
{
	listener_flush(ctx);
}

static socklen_t put_remote(union socket_address *sa, const struct client *to)
{
	if (to->remote.family == 4) {
		sa->v4 = (struct sockaddr_in) { .sin_family = AF_INET,
						.sin_port = htons(to->remote.port) };
		memcpy(&sa->v4.sin_addr, to->remote.ip, 4);
		return sizeof(sa->v4);
	}
	sa->v6 = (struct sockaddr_in6) { .sin6_family = AF_INET6,
					 .sin6_port = htons(to->remote.port) };
	memcpy(&sa->v6.sin6_addr, to->remote.ip, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&sa->v6.sin6_addr))
		sa->v6.sin6_scope_id = to->ifindex;
	return sizeof(sa->v6);
}

/* The answer leaves from the address that was asked. */
static void put_pktinfo(struct msghdr *m, union control *control, const struct client *to)
{
	bool v4 = to->local.family == 4;
	size_t size = v4 ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);
	struct cmsghdr *h = &control->align;

	m->msg_control = control;
	m->msg_controllen = CMSG_SPACE(size);
	h->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	h->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	h->cmsg_len = CMSG_LEN(size);
	if (v4) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, to->local.ip, 4);
		memcpy(CMSG_DATA(h), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { 0 };

		memcpy(&info.ipi6_addr, to->local.ip, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = to->ifindex;
		memcpy(CMSG_DATA(h), &info, sizeof(info));
	}
}

static void udp_reply(struct listener *l, const struct client *to, const uint8_t *wire, size_t len)
{
	struct udp_out *out = l->out;
	unsigned i = out->n;
	struct msghdr *m = &out->headers[i].msg_hdr;

	if (!EXPECT(len <= ANSWER_MAX) || !EXPECT(to->socket < l->n_endpoints)) {
		COUNT(l->counters, send_errors);
		return;
	}
	if (wire != out->packets[i])
		memcpy(out->packets[i], wire, len);
	out->iov[i] = (struct iovec) { out->packets[i], len };
	*m = (struct msghdr) { .msg_name = &out->to[i],
			       .msg_namelen = put_remote(&out->to[i], to),
			       .msg_iov = &out->iov[i],
			       .msg_iovlen = 1 };
	if (l->endpoints[to->socket]->is_any)
		put_pktinfo(m, &out->control[i], to);
	out->endpoint[i] = to->socket;
	out->waiting |= (uint64_t)1 << i;
	out->n++;
	if (out->n == LISTEN_UDP_BATCH)
		listener_flush(l);
}

void listen_reply(struct listener *l, const struct client *to, const uint8_t *wire, size_t len)
{
	if (to->tcp)
		listen_tcp_reply(l, to, wire, len);
	else
		udp_reply(l, to, wire, len);
}

uint8_t *listen_reply_buffer(struct listener *l, const struct client *to, size_t need)
{
	if (to->tcp || need > ANSWER_MAX)
		return NULL;
	return l->out->packets[l->out->n];
}

void listen_drop(struct listener *l, const struct client *to)
{
	if (to->tcp)
		listen_tcp_drop(l, to);
}

/* ---- life ---- */

static void on_after_turn(void *ctx)
{
	struct listener *l = ctx;

	listen_tcp_resume(l);
	listener_flush(l);
}

static void free_listener(struct listener *l)
{
	listen_tcp_deinit(l);
	for (unsigned i = 0; i < l->n_endpoints; i++)
		free_endpoint(l->endpoints[i]);
	loop_timer_close(l->send_timer);
	free(l->in);
	free(l->out);
	free(l);
}

int listener_new(struct listener **out, const struct listen_limits *limits,
		 struct counters *counters)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return E_NOMEM;
	l->limits = *limits;
	l->counters = counters;
	if (l->limits.tcp_write_backlog == 0)
		l->limits.tcp_write_backlog = LISTEN_WRITE_BACKLOG;
	if (l->limits.tcp_write_total == 0)
		l->limits.tcp_write_total = LISTEN_WRITE_TOTAL;
	if (l->limits.udp_batches == 0)
		l->limits.udp_batches = 1;
	if (l->limits.tcp_queries_at_once == 0)
		l->limits.tcp_queries_at_once = 1;
	if (l->limits.tcp_idle_ms == 0)
		l->limits.tcp_idle_ms = 1;
	l->in = new_udp_in();
	l->out = calloc(1, sizeof(*l->out));
	if (l->in == NULL || l->out == NULL || listen_tcp_init(l) != E_OK) {
		free_listener(l);
		return E_NOMEM;
	}
	*out = l;
	return E_OK;
}

int listener_start(struct listener *l, struct loop *loop, const struct listen_handler *h)
{
	int err = E_OK;

	ASSERT(l->loop == NULL);
	l->handler = *h;
	err = loop_after_turn(loop, on_after_turn, l);
	if (err != E_OK)
		return err;
	l->loop = loop;
	err = loop_timer_new(&l->send_timer, loop, retry_sending, l);
	for (unsigned i = 0; err == E_OK && i < l->n_endpoints; i++) {
		struct endpoint *e = l->endpoints[i];

		err = loop_fd_new(&e->udp_watch, loop, e->udp_fd, true, false, on_udp, e);
	}
	if (err == E_OK)
		err = listen_tcp_start(l);
	return err;
}

void listener_stop(struct listener *l)
{
	if (l->loop == NULL || l->is_stopped)
		return;
	l->is_stopped = true;
	for (unsigned i = 0; i < l->n_endpoints; i++)
		if (l->endpoints[i]->udp_watch != NULL)
			loop_fd_want(l->endpoints[i]->udp_watch, false, false);
	listen_tcp_stop(l);
}

void listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	ASSERT(l->depth == 0);
	listener_flush(l);
	if (l->loop != NULL)
		loop_after_turn_cancel(l->loop, on_after_turn, l);
	free_listener(l);
}

bool listener_owes(const struct listener *l)
{
	return listen_tcp_owes(l);
}

size_t listener_tcp_clients(const struct listener *l)
{
	return l->n_clients;
}
