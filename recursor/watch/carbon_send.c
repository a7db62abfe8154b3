#include "recursor/watch/carbon_send.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "recursor/watch/clock.h"

enum { READ_AT_ONCE = 4096, READS_MAX = 16 };

static void end(struct carbon_peer *p, enum carbon_outcome outcome, int error)
{
	p->outcome = outcome;
	p->error = error;
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
}

static void begin(struct carbon_peer *p)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&p->to, &sa);

	p->outcome = CARBON_UNDER_WAY;
	p->is_connected = false;
	p->sent = 0;
	p->error = 0;
	p->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		end(p, CARBON_ERROR, errno);
	else if (connect(p->fd, (struct sockaddr *)&sa, len) == 0)
		p->is_connected = true;
	else if (errno != EINPROGRESS)
		end(p, CARBON_ERROR, errno);
}

void carbon_connect(struct carbon_peer *peers, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		begin(&peers[i]);
}

/* close(2) with unread bytes in the socket would reset the connection, and the server might lose
 * the end of our text. */
static void finish(struct carbon_peer *p)
{
	char unwanted[READ_AT_ONCE];

	(void)shutdown(p->fd, SHUT_WR);
	for (int i = 0; i < READS_MAX; i++)
		if (recv(p->fd, unwanted, sizeof(unwanted), MSG_DONTWAIT) <= 0)
			break;
	end(p, CARBON_SENT, 0);
}

/* What became of it is told once. */
static void tell(const struct carbon_peer *p, const struct carbon_send_options *o)
{
	if (o->ended != NULL && p->outcome != CARBON_UNDER_WAY)
		o->ended(o->ctx, p);
}

static void go_on(struct carbon_peer *p, const struct carbon_send_options *o, uint64_t now_ms)
{
	int error = 0;
	socklen_t len = sizeof(error);
	ssize_t n;

	if (!p->is_connected) {
		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
		if (error != 0) {
			end(p, CARBON_ERROR, error);
			return;
		}
		p->is_connected = true;
		p->due_ms = now_ms + o->idle_ms;
	}
	while (p->sent < o->len) {
		n = send(p->fd, o->text + p->sent, o->len - p->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			end(p, CARBON_ERROR, errno);
			return;
		}
		p->sent += (size_t)n;
		p->due_ms = now_ms + o->idle_ms;
	}
	finish(p);
}

/* The peers that are waited for, in `fds` and `who`; gives up those whose time is over.
 * *wait_ms: until the next of them. */
static unsigned gather(struct carbon_peer *peers, unsigned n, uint64_t end_ms,
		       const struct carbon_send_options *o, struct pollfd *fds,
		       struct carbon_peer **who, int *wait_ms)
{
	uint64_t now_ms = clock_now_ms(), next_ms = end_ms;
	unsigned waiting = 0;

	for (unsigned i = 0; i < n; i++) {
		struct carbon_peer *p = &peers[i];

		if (p->outcome != CARBON_UNDER_WAY)
			continue;
		if (now_ms >= p->due_ms || now_ms >= end_ms) {
			end(p, CARBON_TIMEOUT, 0);
			tell(p, o);
			continue;
		}
		who[waiting] = p;
		fds[waiting++] = (struct pollfd) { .fd = p->fd, .events = POLLOUT };
		if (p->due_ms < next_ms)
			next_ms = p->due_ms;
	}
	*wait_ms = next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
	return waiting;
}

static void stop_all(struct carbon_peer *peers, unsigned n, const struct carbon_send_options *o)
{
	for (unsigned i = 0; i < n; i++) {
		if (peers[i].outcome != CARBON_UNDER_WAY)
			continue;
		end(&peers[i], CARBON_STOPPED, 0);
		tell(&peers[i], o);
	}
}

void carbon_send(struct carbon_peer *peers, unsigned n, const struct carbon_send_options *o)
{
	struct pollfd fds[CARBON_SERVERS_MAX + 1];
	struct carbon_peer *who[CARBON_SERVERS_MAX];
	uint64_t began_ms = clock_now_ms();
	unsigned waiting;
	int wait_ms;

	ASSERT(n <= CARBON_SERVERS_MAX);
	for (unsigned i = 0; i < n; i++) {
		peers[i].due_ms = began_ms + o->idle_ms;
		tell(&peers[i], o);
	}
	while ((waiting = gather(peers, n, began_ms + o->total_ms, o, fds, who, &wait_ms)) > 0) {
		fds[waiting] = (struct pollfd) { .fd = o->stop_fd, .events = POLLIN };
		if (poll(fds, waiting + 1, wait_ms) < 0 || fds[waiting].revents != 0) {
			stop_all(peers, n, o);
			continue;
		}
		for (unsigned i = 0; i < waiting; i++) {
			if (fds[i].revents == 0)
				continue;
			go_on(who[i], o, clock_now_ms());
			tell(who[i], o);
		}
	}
}
