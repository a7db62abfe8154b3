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
uint64_t loop_now_ms(struct loop *l);
/* Seconds since 1970, read through libc (clock_gettime), so that libfaketime can shift it. */
uint32_t loop_wall_s(void);

/* A one-shot timer that is moved, not made anew. */
struct loop_timer;
int loop_timer_new(struct loop_timer **out, struct loop *l, void (*cb)(void *ctx), void *ctx) MUST_USE;
void loop_timer_at(struct loop_timer *t, uint64_t due_ms); /* UINT64_MAX: stop */
void loop_timer_close(struct loop_timer *t);

/* Called once after each turn of the loop in which anything happened: where batches of answers
 * are sent. */
int loop_after_turn(struct loop *l, void (*cb)(void *ctx), void *ctx) MUST_USE;

/* A mailbox: any thread posts, the loop's thread gets each message in order.  At most
 * LOOP_MAILBOX_MAX are waiting; E_LIMIT beyond. */
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

#endif
