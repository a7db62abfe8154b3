#include "recursor/net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/slab.h"
#include "recursor/net/outgoing_impl.h"

struct datagram {
	struct datagrams *owner;
	TAILQ_ENTRY(datagram) by_due;
	struct loop_watch watch;
	struct addr to;
	uint64_t due_ms;
	datagram_done_cb done;
	void *ctx;
};

TAILQ_HEAD(datagram_list, datagram);

struct datagrams {
	struct loop *loop;
	struct loop_timer *timer;
	struct outgoing *outgoing;
	struct counters *counters;
	struct slab slab;
	struct datagram_list flying; /* the first to be due first */
	uint32_t max, timeout_ms;
	uint8_t in[DATAGRAM_MAX];
};

static void arrange_timer(struct datagrams *ds)
{
	const struct datagram *first = TAILQ_FIRST(&ds->flying);

	loop_timer_at(ds->timer, first != NULL ? first->due_ms : UINT64_MAX);
}

static void forget(struct datagram *d)
{
	struct datagrams *ds = d->owner;

	TAILQ_REMOVE(&ds->flying, d, by_due);
	loop_watch_close(&d->watch);
	ASSERT(ds->outgoing->n_datagrams > 0);
	ds->outgoing->n_datagrams--;
	slab_give(&ds->slab, d);
}

static void finish(struct datagram *d, enum datagram_end how, const uint8_t *reply, size_t len)
{
	datagram_done_cb done = d->done;
	void *ctx = d->ctx;

	forget(d);
	done(ctx, how, reply, len);
}

static void on_timer(void *ctx)
{
	struct datagrams *ds = ctx;
	uint64_t now_ms = loop_now_ms(ds->loop);
	struct datagram *d;

	while ((d = TAILQ_FIRST(&ds->flying)) != NULL && d->due_ms <= now_ms) {
		COUNT(ds->counters, lua_udp_timeouts);
		finish(d, DATAGRAM_TIMEOUT, NULL, 0);
	}
	arrange_timer(ds);
}

/* Before connect(2), when the socket had its port already, anybody could send to it. */
static bool is_from_there(const struct datagram *d, const struct sockaddr_storage *sa)
{
	struct addr from;

	return addr_from_sockaddr(&from, (const struct sockaddr *)sa) == E_OK &&
	       addr_equal(&from, &d->to);
}

static void on_readable(void *ctx, unsigned events)
{
	struct datagram *d = ctx;
	struct datagrams *ds = d->owner;

	(void)events;
	for (;;) {
		struct sockaddr_storage sa;
		socklen_t sa_len = sizeof(sa);
		ssize_t n = recvfrom(d->watch.fd, ds->in, sizeof(ds->in), MSG_DONTWAIT,
				     (struct sockaddr *)&sa, &sa_len);

		if (n >= 0 && is_from_there(d, &sa)) {
			finish(d, DATAGRAM_REPLY, ds->in, (size_t)n);
			return;
		}
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			COUNT(ds->counters, lua_udp_failures);
			finish(d, DATAGRAM_FAILED, NULL, 0);
			return;
		}
	}
}

/* A connected socket, or an error. */
static int open_to(struct datagrams *ds, const struct addr *to, int *out)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	int fd;

	if (!outgoing_make_room(ds->outgoing))
		return E_LIMIT;
	fd = outgoing_open_bound(ds->outgoing, to, false);
	if (fd < 0)
		return outgoing_open_failure(errno) == OUTGOING_NO_RESOURCES ? E_LIMIT : E_SYSTEM;
	if (connect(fd, (struct sockaddr *)&sa, len) < 0) {
		(void)close(fd);
		return E_SYSTEM;
	}
	*out = fd;
	return E_OK;
}

static int write_to(int fd, const void *bytes, size_t len)
{
	while (send(fd, bytes, len, MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return E_SYSTEM;
	return E_OK;
}

/* By the time it is due; with equal patience that is the end of the list. */
static void enlist(struct datagrams *ds, struct datagram *d)
{
	struct datagram *before = TAILQ_LAST(&ds->flying, datagram_list);

	while (before != NULL && before->due_ms > d->due_ms)
		before = TAILQ_PREV(before, datagram_list, by_due);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&ds->flying, before, d, by_due);
	else
		TAILQ_INSERT_HEAD(&ds->flying, d, by_due);
	arrange_timer(ds);
}

static int launch(struct datagrams *ds, struct datagram *d, const void *bytes, size_t len)
{
	int fd = -1, err;

	err = open_to(ds, &d->to, &fd);
	if (err == E_OK)
		err = write_to(fd, bytes, len);
	if (err == E_OK)
		err = loop_watch_start(&d->watch, ds->loop, fd, LOOP_READ, on_readable, d);
	if (err != E_OK && fd >= 0)
		(void)close(fd);
	return err;
}

int datagram_send(struct datagram **out, struct datagrams *ds, const struct addr *to,
		  const void *bytes, size_t len, datagram_done_cb done, void *ctx)
{
	struct datagram *d = NULL;
	int err = E_LIMIT;

	if (!outgoing_may_send(ds->outgoing, to) || len > DATAGRAM_MAX)
		return E_RANGE;
	if (ds->outgoing->n_datagrams < ds->max)
		d = slab_take(&ds->slab);
	if (d != NULL) {
		d->owner = ds;
		d->to = *to;
		d->done = done;
		d->ctx = ctx;
		d->due_ms = loop_now_ms(ds->loop) + ds->timeout_ms;
		err = launch(ds, d, bytes, len);
	}
	if (err != E_OK) {
		if (err == E_LIMIT)
			COUNT(ds->counters, lua_udp_limits);
		else
			COUNT(ds->counters, lua_udp_failures);
		if (d != NULL)
			slab_give(&ds->slab, d);
		return err;
	}
	ds->outgoing->n_datagrams++;
	counter_max(&ds->counters->peak_lua_udp, ds->outgoing->n_datagrams);
	COUNT(ds->counters, lua_udp_queries);
	enlist(ds, d);
	*out = d;
	return E_OK;
}

void datagram_cancel(struct datagram *d)
{
	struct datagrams *ds = d->owner;

	forget(d);
	arrange_timer(ds);
}

size_t datagrams_in_flight(const struct datagrams *ds)
{
	return ds->outgoing->n_datagrams;
}

void datagrams_configure(struct datagrams *ds, uint32_t max, uint32_t timeout_ms)
{
	ds->max = max;
	ds->timeout_ms = timeout_ms;
}

int datagrams_new(struct datagrams **out, struct loop *loop, struct outgoing *outgoing,
		  struct counters *counters)
{
	struct datagrams *ds = calloc(1, sizeof(*ds));
	int err;

	if (ds == NULL)
		return E_NOMEM;
	ds->loop = loop;
	ds->outgoing = outgoing;
	ds->counters = counters;
	TAILQ_INIT(&ds->flying);
	slab_init(&ds->slab, sizeof(struct datagram), SIZE_MAX);
	err = loop_timer_new(&ds->timer, loop, on_timer, ds);
	if (err != E_OK) {
		free(ds);
		return err;
	}
	*out = ds;
	return E_OK;
}

void datagrams_free(struct datagrams *ds)
{
	struct datagram *d;

	if (ds == NULL)
		return;
	while ((d = TAILQ_FIRST(&ds->flying)) != NULL)
		forget(d);
	loop_timer_close(ds->timer);
	slab_deinit(&ds->slab);
	free(ds);
}
