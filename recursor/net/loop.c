#include "recursor/net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "common/check.h"

enum { WATCH_EVENTS = 256, WATCHES_FIRST = 64, MAILBOX_FIRST = 64, CLOSING_TURNS = 64 };

struct hook {
	void (*cb)(void *ctx);
	void *ctx;
};

struct message {
	void (*fn)(void *ctx);
	void *ctx;
};

struct signal_handler {
	uv_signal_t handle;
	struct signal_handler *next;
	void (*cb)(void *ctx, int signo);
	void *ctx;
};

struct watch_slot {
	struct loop_watch *watch; /* NULL: free */
	uint32_t generation;      /* of the watch there, or of the next one */
	uint32_t next_free;
};

struct loop {
	uv_loop_t uv;
	uv_async_t wakeup;
	uv_prepare_t prepare;
	uv_poll_t watches;
	bool in_timer;

	struct hook hooks[LOOP_AFTER_TURN_MAX];
	unsigned n_hooks;
	struct signal_handler *signals;

	int epoll_fd;
	struct watch_slot *slots; /* `n_slots`, of which `n_watches` are taken */
	uint32_t n_slots, n_watches;
	uint32_t free_slot; /* n_slots: none */
	struct epoll_event events[WATCH_EVENTS];

	pthread_mutex_t lock; /* guards the mailbox */
	struct message *mailbox;
	size_t head, count, cap; /* a ring */
};

struct loop_timer {
	uv_timer_t handle;
	struct loop *loop;
	void (*cb)(void *ctx);
	void *ctx;
	uint64_t due_ms;   /* what the owner asked for */
	uint64_t armed_ms; /* what libuv was told: never later */
};

struct loop_fd {
	uv_poll_t handle;
	void (*cb)(void *ctx, bool readable, bool writable);
	void *ctx;
	bool read, write;
};

/* ---- the turn ---- */

static void run_hooks(struct loop *l)
{
	for (unsigned i = 0; i < l->n_hooks; i++)
		l->hooks[i].cb(l->hooks[i].ctx);
}

/* libuv's turn is timers, prepare, poll: here everything of the last poll and the timers have
 * been handled, and nothing stands between this and the wait. */
static void on_prepare(uv_prepare_t *handle)
{
	run_hooks(handle->data);
}

int loop_after_turn(struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	if (l->n_hooks == LOOP_AFTER_TURN_MAX)
		return E_LIMIT;
	l->hooks[l->n_hooks++] = (struct hook) { cb, ctx };
	return E_OK;
}

void loop_after_turn_cancel(struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	for (unsigned i = 0; i < l->n_hooks; i++) {
		if (l->hooks[i].cb != cb || l->hooks[i].ctx != ctx)
			continue;
		l->n_hooks--;
		memmove(&l->hooks[i], &l->hooks[i + 1], (l->n_hooks - i) * sizeof(l->hooks[0]));
		return;
	}
}

void loop_run(struct loop *l)
{
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	/* uv_stop() ends a turn before its prepare. */
	run_hooks(l);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

/* ---- the mailbox ---- */

static int grow_mailbox(struct loop *l)
{
	size_t cap = l->cap == 0 ? MAILBOX_FIRST : l->cap * 2;
	struct message *bigger;

	if (cap > LOOP_MAILBOX_MAX)
		return E_LIMIT;
	bigger = malloc(cap * sizeof(*bigger));
	if (bigger == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < l->count; i++)
		bigger[i] = l->mailbox[(l->head + i) % l->cap];
	free(l->mailbox);
	l->mailbox = bigger;
	l->head = 0;
	l->cap = cap;
	return E_OK;
}

int loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	int err = E_OK;

	pthread_mutex_lock(&l->lock);
	if (l->count == l->cap)
		err = grow_mailbox(l);
	if (err == E_OK) {
		l->mailbox[(l->head + l->count) % l->cap] = (struct message) { fn, ctx };
		l->count++;
	}
	pthread_mutex_unlock(&l->lock);
	if (err == E_OK)
		(void)uv_async_send(&l->wakeup);
	return err;
}

static bool take_message(struct loop *l, struct message *out)
{
	bool found;

	pthread_mutex_lock(&l->lock);
	found = l->count > 0;
	if (found) {
		*out = l->mailbox[l->head];
		l->head = (l->head + 1) % l->cap;
		l->count--;
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

static void on_wakeup(uv_async_t *handle)
{
	struct loop *l = handle->data;
	struct message m;
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->count;
	pthread_mutex_unlock(&l->lock);
	/* Those that come meanwhile have sent a wake-up of their own: packets get their turn. */
	while (n-- > 0 && take_message(l, &m))
		m.fn(m.ctx);
}

/* ---- clocks and timers ---- */

uint64_t loop_thread_cpu_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t loop_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t loop_now_ms(struct loop *l)
{
	return uv_now(&l->uv);
}

uint32_t loop_wall_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint32_t)t.tv_sec;
}

static void on_timer(uv_timer_t *handle);

static void arm(struct loop_timer *t)
{
	uint64_t now = uv_now(&t->loop->uv), wait = 0;

	/* libuv runs a timer of 0 ms started by a timer in the same turn: one that starts itself
	 * again would keep all else from its turn. */
	if (t->due_ms > now)
		wait = t->due_ms - now;
	else if (t->loop->in_timer)
		wait = 1;
	t->armed_ms = t->due_ms;
	(void)uv_timer_start(&t->handle, on_timer, wait, 0);
}

static void on_timer(uv_timer_t *handle)
{
	struct loop_timer *t = handle->data;
	struct loop *l = t->loop;

	t->armed_ms = UINT64_MAX;
	l->in_timer = true;
	if (t->due_ms <= uv_now(&l->uv)) {
		t->due_ms = UINT64_MAX;
		t->cb(t->ctx);
	} else if (t->due_ms != UINT64_MAX) {
		arm(t);
	}
	l->in_timer = false;
}

int loop_timer_new(struct loop_timer **out, struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return E_NOMEM;
	(void)uv_timer_init(&l->uv, &t->handle);
	t->handle.data = t;
	t->loop = l;
	t->cb = cb;
	t->ctx = ctx;
	t->due_ms = t->armed_ms = UINT64_MAX;
	*out = t;
	return E_OK;
}

void loop_timer_at(struct loop_timer *t, uint64_t due_ms)
{
	/* Moved to a later time, it fires once in vain: cheaper than to move it in libuv's heap
	 * each time. */
	t->due_ms = due_ms;
	if (due_ms < t->armed_ms)
		arm(t);
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void loop_timer_close(struct loop_timer *t)
{
	if (t != NULL)
		uv_close((uv_handle_t *)&t->handle, free_closed);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int signo)
{
	struct signal_handler *s = handle->data;

	s->cb(s->ctx, signo);
}

int loop_on_signal(struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx)
{
	struct signal_handler *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return E_NOMEM;
	(void)uv_signal_init(&l->uv, &s->handle);
	s->handle.data = s;
	s->cb = cb;
	s->ctx = ctx;
	err = uv_signal_start(&s->handle, on_signal, signo);
	if (err < 0) {
		uv_close((uv_handle_t *)&s->handle, free_closed);
		errno = -err;
		return E_SYSTEM;
	}
	s->next = l->signals;
	l->signals = s;
	return E_OK;
}

/* ---- single descriptors ---- */

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct loop_fd *f = handle->data;

	if (status < 0) {
		/* libuv has stopped the handle; what the error is the owner learns by reading or
		 * writing. */
		loop_fd_want(f, f->read, f->write);
		f->cb(f->ctx, true, true);
		return;
	}
	f->cb(f->ctx, (events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

int loop_fd_new(struct loop_fd **out, struct loop *l, int fd, bool read, bool write,
		void (*cb)(void *ctx, bool readable, bool writable), void *ctx)
{
	struct loop_fd *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return E_NOMEM;
	err = uv_poll_init(&l->uv, &f->handle, fd);
	if (err < 0) {
		free(f);
		errno = -err;
		return E_SYSTEM;
	}
	f->handle.data = f;
	f->cb = cb;
	f->ctx = ctx;
	loop_fd_want(f, read, write);
	*out = f;
	return E_OK;
}

void loop_fd_want(struct loop_fd *f, bool read, bool write)
{
	f->read = read;
	f->write = write;
	if (read || write)
		(void)uv_poll_start(&f->handle,
				    (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0), on_poll);
	else
		(void)uv_poll_stop(&f->handle);
}

void loop_fd_close(struct loop_fd *f)
{
	if (f != NULL)
		uv_close((uv_handle_t *)&f->handle, free_closed);
}

/* ---- watches ---- */

/* An event tells slot and generation, never an address: it may come when its watch is closed and
 * its memory another's.  That may be in the same turn.  And a process that is being spawned, by
 * whichever thread or library, has a copy of every descriptor until its exec: what is closed
 * meanwhile stays in the epoll set, and its events come until then. */
static uint64_t event_data(const struct loop *l, uint32_t slot)
{
	return (uint64_t)l->slots[slot].generation << 32 | slot;
}

/* NULL: it has gone. */
static struct loop_watch *watch_of(const struct loop *l, uint64_t data)
{
	uint32_t slot = (uint32_t)data;

	return event_data(l, slot) == data ? l->slots[slot].watch : NULL;
}

static int grow_slots(struct loop *l)
{
	uint32_t n = l->n_slots == 0 ? WATCHES_FIRST : l->n_slots * 2;
	struct watch_slot *bigger = realloc(l->slots, n * sizeof(*bigger));

	if (bigger == NULL)
		return E_NOMEM;
	for (uint32_t i = l->n_slots; i < n; i++)
		bigger[i] = (struct watch_slot) { .next_free = i + 1 };
	/* The first free one is the first of the new ones. */
	l->slots = bigger;
	l->n_slots = n;
	return E_OK;
}

static uint32_t epoll_mask(unsigned want)
{
	return ((want & LOOP_READ) ? (uint32_t)EPOLLIN : 0) |
	       ((want & LOOP_WRITE) ? (uint32_t)EPOLLOUT : 0);
}

int loop_watch_start(struct loop_watch *w, struct loop *l, int fd, unsigned want,
		     void (*cb)(void *ctx, unsigned events), void *ctx)
{
	struct epoll_event e = { .events = epoll_mask(want) };
	uint32_t slot = l->free_slot;

	if (slot == l->n_slots && grow_slots(l) != E_OK)
		return E_NOMEM;
	e.data.u64 = event_data(l, slot);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return E_SYSTEM;
	*w = (struct loop_watch) {
		.loop = l, .slot = slot, .fd = fd, .want = want, .cb = cb, .ctx = ctx
	};
	l->free_slot = l->slots[slot].next_free;
	l->slots[slot].watch = w;
	l->n_watches++;
	return E_OK;
}

void loop_watch_want(struct loop_watch *w, unsigned want)
{
	struct epoll_event e = { .events = epoll_mask(want) };

	if (w->loop == NULL || w->want == want)
		return;
	w->want = want;
	e.data.u64 = event_data(w->loop, w->slot);
	/* Only a descriptor that is not watched could make it fail. */
	(void)EXPECT(epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &e) == 0);
}

void loop_watch_close(struct loop_watch *w)
{
	struct loop *l = w->loop;
	struct watch_slot *slot;

	if (l == NULL)
		return;
	/* The kernel takes a descriptor that is closed out of the set, at once or when nobody has a
	 * copy of it any more. */
	(void)close(w->fd);
	slot = &l->slots[w->slot];
	slot->watch = NULL;
	slot->generation++;
	slot->next_free = l->free_slot;
	l->free_slot = w->slot;
	w->loop = NULL;
	w->fd = -1;
	l->n_watches--;
}

static void on_watches(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;
	int n = epoll_wait(l->epoll_fd, l->events, WATCH_EVENTS, 0);

	(void)status;
	(void)events;
	for (int i = 0; i < n; i++) {
		const struct epoll_event *e = &l->events[i];
		const struct loop_watch *w = watch_of(l, e->data.u64);

		if (w != NULL)
			w->cb(w->ctx,
			      ((e->events & EPOLLIN) ? LOOP_READ : 0U) |
				      ((e->events & EPOLLOUT) ? LOOP_WRITE : 0U) |
				      ((e->events & (EPOLLERR | EPOLLHUP)) ? LOOP_BROKEN : 0U));
	}
}

/* ---- life ---- */

static void close_handles(struct loop *l)
{
	struct signal_handler *s;

	while ((s = l->signals) != NULL) {
		l->signals = s->next;
		uv_close((uv_handle_t *)&s->handle, free_closed);
	}
	uv_close((uv_handle_t *)&l->wakeup, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->watches, NULL);
}

static int open_handles(struct loop *l)
{
	int err = uv_async_init(&l->uv, &l->wakeup, on_wakeup);

	if (err < 0)
		return err;
	err = uv_poll_init(&l->uv, &l->watches, l->epoll_fd);
	if (err < 0) {
		uv_close((uv_handle_t *)&l->wakeup, NULL);
		return err;
	}
	(void)uv_prepare_init(&l->uv, &l->prepare);
	l->wakeup.data = l->prepare.data = l->watches.data = l;
	(void)uv_prepare_start(&l->prepare, on_prepare);
	(void)uv_poll_start(&l->watches, UV_READABLE, on_watches);
	return 0;
}

int loop_new(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (l == NULL)
		return E_NOMEM;
	(void)pthread_mutex_init(&l->lock, NULL);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = l->epoll_fd < 0 ? -errno : uv_loop_init(&l->uv);
	if (err == 0) {
		err = open_handles(l);
		if (err < 0) {
			(void)uv_run(&l->uv, UV_RUN_DEFAULT);
			(void)uv_loop_close(&l->uv);
		}
	}
	if (err == 0) {
		*out = l;
		return E_OK;
	}
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
	errno = -err;
	return err == -ENOMEM ? E_NOMEM : E_SYSTEM;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	close_handles(l);
	for (int turn = 0; turn < CLOSING_TURNS && uv_loop_alive(&l->uv); turn++)
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	/* What an owner has forgotten to close is left, with the loop it points into. */
	if (!EXPECT(l->n_watches == 0) || !EXPECT(uv_loop_close(&l->uv) == 0))
		return;
	(void)close(l->epoll_fd);
	(void)pthread_mutex_destroy(&l->lock);
	free(l->mailbox);
	free(l->slots);
	free(l);
}
