#include "tools/graphs/receiver.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"

enum { IDLE_S = 600, READ_MAX = 65536, READS_AT_ONCE = 4, EVENTS_MAX = 64, ACCEPTS_MAX = 64 };
enum { BACKLOG = 256, TRIES_MAX = 16 };

enum watched { WATCHED_LISTENER, WATCHED_CONNECTION, WATCHED_STOP };

/* What epoll hands back: a socket, and what it is. */
struct watch {
	enum watched what;
	int fd;
};

struct connection {
	struct watch watch; /* first: epoll's pointer is to it */
	struct addr peer;
	int64_t heard_s;
	struct line_reader reader;
	TAILQ_ENTRY(connection) by_silence;
};
TAILQ_HEAD(connections, connection);

struct receiver {
	struct store *store;
	const struct netset *allow;
	int epoll_fd;
	struct watch listeners[RECEIVER_LISTENERS_MAX], stop;
	size_t n_listeners, n_connections, max_connections;
	struct connections connections; /* who was silent longest stands first */
	int64_t now_s;                  /* monotonic */
	char data[READ_MAX];
};

static int64_t clock_s(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec;
}

static int watch_fd(struct receiver *r, struct watch *w)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = w };

	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, w->fd, &e) == 0 ? E_OK : E_SYSTEM;
}

/* ---- connections ---- */

static void close_connection(struct receiver *r, struct connection *c)
{
	TAILQ_REMOVE(&r->connections, c, by_silence);
	r->n_connections--;
	close(c->watch.fd);
	free(c);
}

/* ---- lines ---- */

static void on_line(void *ctx, const char *text, size_t len)
{
	struct receiver *r = ctx;
	int64_t now_s = clock_s(CLOCK_REALTIME);
	enum refusal why;
	struct line l;

	if (text == NULL) {
		store_refuse(r->store, REFUSAL_TOO_LONG);
		return;
	}
	why = line_parse(&l, text, len, now_s);
	if (why == REFUSAL_NONE)
		(void)store_take(r->store, &l, now_s); /* it counts what it refuses */
	else
		store_refuse(r->store, why);
}

enum heard { HEARD_NOTHING, HEARD_LINES, HEARD_END };

/* A part of what there is: the others wait as well.  After HEARD_END the connection is gone. */
static enum heard read_some(struct receiver *r, struct connection *c)
{
	enum heard heard = HEARD_NOTHING;

	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t n = read(c->watch.fd, r->data, sizeof(r->data));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			/* What stands there without its end may be half a number. */
			close_connection(r, c);
			return HEARD_END;
		}
		heard = HEARD_LINES;
		line_read(&c->reader, r->data, (size_t)n, on_line, r);
	}
	if (heard == HEARD_LINES) {
		c->heard_s = r->now_s;
		TAILQ_REMOVE(&r->connections, c, by_silence);
		TAILQ_INSERT_TAIL(&r->connections, c, by_silence);
	}
	return heard;
}

/* ---- who comes ---- */

static size_t count_of_address(const struct receiver *r, const struct addr *a)
{
	const struct connection *c;
	size_t n = 0;

	TAILQ_FOREACH (c, &r->connections, by_silence)
		if (addr_equal_ip(&c->peer, a))
			n++;
	return n;
}

/* Has one of them go (of that address, or of all: NULL): who has ended, or has nothing to say.  A
 * hundred resolvers behind one address push in the same moment, and nobody's lines are lost. */
static bool make_place(struct receiver *r, const struct addr *of, enum refusal why)
{
	struct connection *c = TAILQ_FIRST(&r->connections), *next;

	for (int tries = 0; c != NULL && tries < TRIES_MAX; c = next) {
		next = TAILQ_NEXT(c, by_silence);
		if (of != NULL && !addr_equal_ip(&c->peer, of))
			continue;
		tries++;
		switch (read_some(r, c)) {
		case HEARD_NOTHING:
			store_refuse(r->store, why);
			close_connection(r, c);
			return true;
		case HEARD_END:
			return true;
		case HEARD_LINES:
			break;
		}
	}
	store_refuse(r->store, why);
	return false;
}

static bool is_welcome(struct receiver *r, const struct addr *peer)
{
	size_t most = r->max_connections / 4;

	if (!netset_match(r->allow, peer)) {
		char text[ADDR_TEXT_MAX];

		store_refuse(r->store, REFUSAL_ALLOW);
		log_limited(LOG_LEVEL_WARNING, "a connection from %s, which allow does not name",
			    addr_ip_text(text, peer));
		return false;
	}
	if (count_of_address(r, peer) >= most && !make_place(r, peer, REFUSAL_ADDRESS))
		return false;
	return r->n_connections < r->max_connections || make_place(r, NULL, REFUSAL_CONNECTIONS);
}

static int add_connection(struct receiver *r, int fd, const struct addr *peer)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return E_NOMEM;
	c->watch = (struct watch) { WATCHED_CONNECTION, fd };
	c->peer = *peer;
	c->heard_s = r->now_s;
	if (watch_fd(r, &c->watch) != E_OK) {
		free(c);
		return E_SYSTEM;
	}
	TAILQ_INSERT_TAIL(&r->connections, c, by_silence);
	r->n_connections++;
	store_count_connection(r->store);
	return E_OK;
}

/* Without descriptors the kernel would call us again and again: who is silent longest makes room. */
static void make_room(struct receiver *r)
{
	log_limited(LOG_LEVEL_ERROR, "a connection cannot be accepted: %s", strerror(errno));
	(void)make_place(r, NULL, REFUSAL_CONNECTIONS);
}

static void accept_some(struct receiver *r, int listener)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		struct addr peer;
		int fd = accept4(listener, (struct sockaddr *)&sa, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				make_room(r);
			return;
		}
		if (addr_from_sockaddr(&peer, (struct sockaddr *)&sa) != E_OK ||
		    !is_welcome(r, &peer) || add_connection(r, fd, &peer) != E_OK)
			close(fd);
	}
}

static void close_silent(struct receiver *r)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&r->connections)) != NULL && c->heard_s + IDLE_S <= r->now_s) {
		store_refuse(r->store, REFUSAL_IDLE);
		close_connection(r, c);
	}
}

/* ---- start and end ---- */

int receiver_listen(const struct addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa);
	int one = 1, err;
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return E_SYSTEM;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return E_SYSTEM;
}

int receiver_new(struct receiver **out, struct store *store, const struct netset *allow,
		 const struct addr *listen, size_t n_listen, size_t max_connections,
		 const struct addr **bad)
{
	struct receiver *r = calloc(1, sizeof(*r));
	int err = E_SYSTEM;

	ASSERT(n_listen > 0 && n_listen <= RECEIVER_LISTENERS_MAX && max_connections > 0);
	*bad = &listen[0];
	if (r == NULL)
		return E_NOMEM;
	r->store = store;
	r->allow = allow;
	r->max_connections = max_connections;
	TAILQ_INIT(&r->connections);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		goto out;
	for (; r->n_listeners < n_listen; r->n_listeners++) {
		struct watch *w = &r->listeners[r->n_listeners];

		*bad = &listen[r->n_listeners];
		w->what = WATCHED_LISTENER;
		w->fd = receiver_listen(*bad);
		if (w->fd < 0 || watch_fd(r, w) != E_OK)
			goto out;
	}
	err = E_OK;
	*out = r;
	r = NULL;
out:
	receiver_free(r);
	return err;
}

void receiver_free(struct receiver *r)
{
	if (r == NULL)
		return;
	while (!TAILQ_EMPTY(&r->connections))
		close_connection(r, TAILQ_FIRST(&r->connections));
	for (size_t i = 0; i < r->n_listeners; i++)
		close(r->listeners[i].fd);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	free(r);
}

int receiver_run(struct receiver *r, int stop_fd)
{
	struct epoll_event events[EVENTS_MAX];

	r->stop = (struct watch) { WATCHED_STOP, stop_fd };
	if (watch_fd(r, &r->stop) != E_OK)
		return E_SYSTEM;
	for (;;) {
		int n = epoll_wait(r->epoll_fd, events, EVENTS_MAX, 1000);
		bool wants_accept[RECEIVER_LISTENERS_MAX] = { false };

		if (n < 0 && errno != EINTR)
			return E_SYSTEM;
		r->now_s = clock_s(CLOCK_MONOTONIC);
		for (int i = 0; i < n; i++) {
			struct watch *w = events[i].data.ptr;

			if (w->what == WATCHED_STOP)
				return E_OK;
			if (w->what == WATCHED_CONNECTION)
				(void)read_some(r, (struct connection *)w);
			else
				wants_accept[w - r->listeners] = true;
		}
		/* Last: it may close connections that stand in `events`. */
		for (size_t i = 0; i < r->n_listeners; i++)
			if (wants_accept[i])
				accept_some(r, r->listeners[i].fd);
		close_silent(r);
	}
}
