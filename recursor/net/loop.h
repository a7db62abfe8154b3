/*
 * loop: libuv, as little of it as we need.
 *
 * One loop a thread.  It counts what is open, so that a thread can close everything and end
 * with nothing leaked.  libuv's rule that a handle's memory may be freed only in its close
 * callback is kept inside net/: no header of this room hands out a handle.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct loop;

int loop_new(struct loop **out) MUST_USE;
/* Runs what is still closing, then frees.  Everything opened on it must have been closed. */
void loop_free(struct loop *l);

/* Runs until loop_stop(). */
void loop_run(struct loop *l);
/* From the loop's own thread. */
void loop_stop(struct loop *l);

/* Monotonic, read anew or as of this turn of the loop. */
uint64_t loop_now_us(void);
/* CPU time of the calling thread. */
uint64_t loop_thread_cpu_us(void);
uint64_t loop_now_ms(struct loop *l);
/* Seconds since 1970, read through libc (clock_gettime), so that libfaketime can shift it. */
uint32_t loop_wall_s(void);

/* A one-shot timer that is moved, not made anew; to move it costs little.  A time that is past
 * fires in the next turn. */
struct loop_timer;
int loop_timer_new(struct loop_timer **out, struct loop *l, void (*cb)(void *ctx),
		   void *ctx) MUST_USE;
void loop_timer_at(struct loop_timer *t, uint64_t due_ms); /* UINT64_MAX: stop */
void loop_timer_close(struct loop_timer *t);

/* Called once in each turn of the loop, when its events and timers have been handled and before
 * it waits again: where batches of answers are sent.  E_LIMIT beyond LOOP_AFTER_TURN_MAX. */
enum { LOOP_AFTER_TURN_MAX = 8 };
int loop_after_turn(struct loop *l, void (*cb)(void *ctx), void *ctx) MUST_USE;
void loop_after_turn_cancel(struct loop *l, void (*cb)(void *ctx), void *ctx);

/* A mailbox: any thread posts, the loop's thread gets each message in order.  At most
 * LOOP_MAILBOX_MAX are waiting; E_LIMIT beyond.  What waits when the loop is freed is dropped. */
enum { LOOP_MAILBOX_MAX = 65536 };
int loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx) MUST_USE;

/* Unix signals to the loop's thread. */
int loop_on_signal(struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx) MUST_USE;

/* A descriptor watched for reading (control and web servers). */
struct loop_fd;
int loop_fd_new(struct loop_fd **out, struct loop *l, int fd, bool read, bool write,
		void (*cb)(void *ctx, bool readable, bool writable), void *ctx) MUST_USE;
void loop_fd_want(struct loop_fd *f, bool read, bool write);
void loop_fd_close(struct loop_fd *f); /* the descriptor stays open: its owner closes it */

/*
 * A watch: as loop_fd, for descriptors that come and go by the thousand.  The owner embeds it
 * and may free it as soon as loop_watch_close() returns, in its own callback too; to begin costs
 * one system call, to end costs none beside close(2).  (libuv's own handle takes four, and its
 * memory must wait for the end of the turn.)  All watches of a loop share an epoll instance that
 * libuv polls.
 */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_BROKEN = 4 };
struct loop_watch {
	struct loop *loop; /* NULL: not watched */
	uint32_t slot;
	int fd;
	unsigned want; /* LOOP_READ, LOOP_WRITE */
	/* LOOP_BROKEN: an error waits on the socket, or both directions are shut.  It comes whether
	 * wanted or not, and again until the descriptor is closed or the error is read. */
	void (*cb)(void *ctx, unsigned events);
	void *ctx;
};

/* Takes the descriptor when it succeeds; E_SYSTEM or E_NOMEM otherwise. */
int loop_watch_start(struct loop_watch *w, struct loop *l, int fd, unsigned want,
		     void (*cb)(void *ctx, unsigned events), void *ctx) MUST_USE;
void loop_watch_want(struct loop_watch *w, unsigned want);
void loop_watch_close(struct loop_watch *w); /* closes the descriptor; may be closed already */

#endif
