/*
 * still_net: a loop whose clock stands still and streams that come in pieces, for targets that read
 * TCP.  It takes loop.c's place in the program; the sockets are the kernel's, one end of a pair
 * each, so that what is written is there at once and every run of an input is the same.
 *
 * Included once in a program, which has a watch_closed().
 */
#ifndef FUZZ_STILL_NET_H
#define FUZZ_STILL_NET_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/wire.h"
#include "recursor/net/loop.h"

enum { STILL_WATCHES = 64, STILL_TIMERS = 8, STILL_TURNS = 10000 };

struct loop_timer {
	void (*cb)(void *ctx);
	void *ctx;
	uint64_t due_ms;
	bool is_open;
};

struct loop {
	uint64_t now_ms;
	struct loop_watch *watches[STILL_WATCHES];
	struct loop_watch *at_work; /* whose callback runs */
	unsigned n_watches;
	struct loop_timer timers[STILL_TIMERS];
	void (*hook)(void *ctx);
	void *hook_ctx;
};

static struct loop still;

/* The descriptor is about to be closed. */
static void watch_closed(int fd);

/* ---- what a reader asks of its loop ---- */

uint64_t loop_now_ms(struct loop *l)
{
	return l->now_ms;
}

int loop_timer_new(struct loop_timer **out, struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	for (unsigned i = 0; i < STILL_TIMERS; i++) {
		if (l->timers[i].is_open)
			continue;
		l->timers[i] = (struct loop_timer) {
			.cb = cb, .ctx = ctx, .due_ms = UINT64_MAX, .is_open = true
		};
		*out = &l->timers[i];
		return E_OK;
	}
	return E_NOMEM;
}

void loop_timer_at(struct loop_timer *t, uint64_t due_ms)
{
	ASSERT(t->is_open);
	t->due_ms = due_ms;
}

void loop_timer_close(struct loop_timer *t)
{
	if (t == NULL)
		return;
	ASSERT(t->is_open);
	*t = (struct loop_timer) { 0 };
}

int loop_after_turn(struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	ASSERT(l->hook == NULL);
	l->hook = cb;
	l->hook_ctx = ctx;
	return E_OK;
}

void loop_after_turn_cancel(struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	ASSERT(l->hook == cb && l->hook_ctx == ctx);
	l->hook = NULL;
}

/* The sockets of UDP are silent. */
int loop_fd_new(struct loop_fd **out, struct loop *l, int fd, bool read, bool write,
		void (*cb)(void *ctx, bool readable, bool writable), void *ctx)
{
	(void)l, (void)fd, (void)read, (void)write, (void)cb, (void)ctx;
	*out = NULL;
	return E_OK;
}

void loop_fd_want(struct loop_fd *f, bool read, bool write)
{
	(void)f, (void)read, (void)write;
}

void loop_fd_close(struct loop_fd *f)
{
	(void)f;
}

int loop_watch_start(struct loop_watch *w, struct loop *l, int fd, unsigned want,
		     void (*cb)(void *ctx, unsigned events), void *ctx)
{
	ASSERT(l->n_watches < STILL_WATCHES);
	*w = (struct loop_watch) { .loop = l, .fd = fd, .want = want, .cb = cb, .ctx = ctx };
	l->watches[l->n_watches++] = w;
	return E_OK;
}

void loop_watch_want(struct loop_watch *w, unsigned want)
{
	w->want = want;
}

void loop_watch_close(struct loop_watch *w)
{
	struct loop *l = w->loop;
	unsigned i = 0;

	if (l == NULL)
		return;
	watch_closed(w->fd);
	(void)close(w->fd);
	while (l->watches[i] != w)
		i++;
	memmove(&l->watches[i], &l->watches[i + 1],
		(--l->n_watches - i) * sizeof(struct loop_watch *));
	*w = (struct loop_watch) { .fd = -1 };
}

/* ---- its turns ---- */

static inline bool still_watches(const struct loop_watch *w, int fd)
{
	for (unsigned i = 0; i < still.n_watches; i++)
		if (still.watches[i] == w && w->fd == fd)
			return true;
	return false;
}

static inline struct loop_watch *still_watch(int fd)
{
	for (unsigned i = 0; i < still.n_watches; i++)
		if (still.watches[i]->fd == fd)
			return still.watches[i];
	return NULL;
}

static inline void still_event(struct loop_watch *w, unsigned events)
{
	still.at_work = w;
	w->cb(w->ctx, events);
	still.at_work = NULL;
}

static inline unsigned still_run_timers(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STILL_TIMERS; i++) {
		struct loop_timer *t = &still.timers[i];

		if (!t->is_open || t->due_ms > still.now_ms)
			continue;
		t->due_ms = UINT64_MAX;
		t->cb(t->ctx);
		n++;
	}
	return n;
}

/* As libuv: timers, the end of the turn before, what has come since.  How much that was. */
static inline unsigned still_turn(void)
{
	struct loop_watch *asked[STILL_WATCHES];
	struct pollfd fds[STILL_WATCHES];
	unsigned n, done = still_run_timers();

	if (still.hook != NULL)
		still.hook(still.hook_ctx);
	n = still.n_watches;
	for (unsigned i = 0; i < n; i++) {
		asked[i] = still.watches[i];
		fds[i] = (struct pollfd) {
			.fd = asked[i]->fd,
			.events = (short)((asked[i]->want & LOOP_READ ? POLLIN : 0) |
					  (asked[i]->want & LOOP_WRITE ? POLLOUT : 0))
		};
	}
	while (poll(fds, n, 0) < 0)
		ASSERT(errno == EINTR);
	for (unsigned i = 0; i < n; i++) {
		short e = fds[i].revents;

		if (e == 0 || !still_watches(asked[i], fds[i].fd))
			continue;
		still_event(asked[i], (e & POLLIN ? LOOP_READ : 0U) |
					      (e & POLLOUT ? LOOP_WRITE : 0U) |
					      (e & (POLLERR | POLLHUP) ? LOOP_BROKEN : 0U));
		done++;
	}
	return done;
}

/* Until nothing more happens, as it must.  False: nothing has. */
static inline bool still_settle(void)
{
	unsigned turns = 0;

	while (still_turn() > 0)
		ASSERT(++turns < STILL_TURNS);
	return turns > 0;
}

/* A turn, or until nothing more happens; then what is settled is checked. */
static inline void still_go_on(bool to_the_end, void (*check)(void))
{
	if (!to_the_end) {
		(void)still_turn();
		return;
	}
	(void)still_settle();
	check();
}

static inline void still_pass(unsigned ms)
{
	still.now_ms += ms;
	(void)still_turn();
}

static inline void still_start(void)
{
	memset(&still, 0, sizeof(still));
	still.now_ms = 1000;
}

static inline bool still_is_empty(void)
{
	for (unsigned i = 0; i < STILL_TIMERS; i++)
		if (still.timers[i].is_open)
			return false;
	return still.n_watches == 0 && still.hook == NULL;
}

/* ---- streams ---- */

enum { STREAM_MAX = 192 * 1024 };

/* The bytes that one end writes, and how far they have come. */
struct stream {
	uint8_t bytes[STREAM_MAX];
	size_t made;
	size_t sent;  /* of them the kernel has taken */
	size_t taken; /* of them have been handed up, as whole messages */
};

static inline void stream_start(struct stream *s)
{
	s->made = s->sent = s->taken = 0;
}

static inline void stream_add(struct stream *s, const uint8_t *data, size_t len)
{
	if (len > STREAM_MAX - s->made)
		return;
	memcpy(s->bytes + s->made, data, len);
	s->made += len;
}

static inline void stream_add_message(struct stream *s, const uint8_t *wire, size_t len)
{
	uint8_t prefix[2];

	if (2 + len > STREAM_MAX - s->made)
		return;
	wire_put_u16(prefix, (uint16_t)len);
	stream_add(s, prefix, sizeof(prefix));
	stream_add(s, wire, len);
}

/* Writes a piece of it. */
static inline void stream_send(struct stream *s, int fd, size_t most)
{
	size_t rest = s->made - s->sent;
	ssize_t n = send(fd, s->bytes + s->sent, rest < most ? rest : most,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		s->sent += (size_t)n;
}

/* Has all of the next message been sent? */
static inline bool stream_has_message(const struct stream *s, size_t *len)
{
	size_t there = s->sent - s->taken;

	if (there < 2)
		return false;
	*len = wire_get_u16(s->bytes + s->taken);
	return there - 2 >= *len;
}

/* It is this one and no other that comes up. */
static inline void stream_take(struct stream *s, const uint8_t *wire, size_t len)
{
	size_t expected = 0;

	ASSERT(stream_has_message(s, &expected) && len == expected);
	ASSERT(memcmp(wire, s->bytes + s->taken + 2, len) == 0);
	s->taken += 2 + len;
}

/* How much of it the other end, which has the descriptor `fd`, has read. */
static inline size_t stream_read(const struct stream *s, int fd)
{
	int waiting = 0;

	ASSERT(ioctl(fd, FIONREAD, &waiting) == 0);
	return s->sent - (size_t)waiting;
}

/* ---- what to do ---- */

struct input {
	const uint8_t *at, *end;
};

static inline uint8_t input_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline uint16_t input_u16(struct input *in)
{
	uint8_t high = input_byte(in);

	return (uint16_t)(high << 8 | input_byte(in));
}

/* Of the 32 that a step can say: 1 to 16, then powers of two up to 128 KB. */
static inline size_t input_size(unsigned arg)
{
	return arg < 16 ? arg + 1 : (size_t)1 << (arg - 14);
}

/* Bytes of the input as they are. */
static inline void stream_add_input(struct stream *s, struct input *in, size_t most)
{
	size_t len = (size_t)(in->end - in->at);

	if (len > most)
		len = most;
	stream_add(s, in->at, len);
	in->at += len;
}

#endif
