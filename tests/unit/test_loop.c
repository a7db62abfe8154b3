#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "recursor/net/loop.h"
#include "tests/unit/turns.h"

static struct turns turns;

static void set_up(void)
{
	turns_init(&turns);
}

static void tear_down(void)
{
	turns_deinit(&turns);
	ck_assert_uint_eq(check_surprises(), 0);
}

static bool is_positive(void *ctx)
{
	return *(int *)ctx > 0;
}

static void count(void *ctx)
{
	++*(int *)ctx;
}

/* ---- timers ---- */

START_TEST(timer_fires_once)
{
	struct loop_timer *t;
	int fired = 0;

	ck_assert_int_eq(loop_timer_new(&t, turns.loop, count, &fired), E_OK);
	loop_timer_at(t, loop_now_ms(turns.loop) + 3);
	ck_assert(turns_until(&turns, is_positive, &fired));
	turns_some(&turns);
	ck_assert_int_eq(fired, 1);
	loop_timer_close(t);
}
END_TEST

struct order {
	char text[8];
	struct loop_timer *a, *b;
};

static void fire_a(void *ctx)
{
	strcat(((struct order *)ctx)->text, "a");
}

static void fire_b(void *ctx)
{
	strcat(((struct order *)ctx)->text, "b");
}

static bool both_fired(void *ctx)
{
	return strlen(((struct order *)ctx)->text) == 2;
}

START_TEST(timer_can_be_moved)
{
	struct order o = { .text = "" };
	uint64_t now = loop_now_ms(turns.loop);

	ck_assert_int_eq(loop_timer_new(&o.a, turns.loop, fire_a, &o), E_OK);
	ck_assert_int_eq(loop_timer_new(&o.b, turns.loop, fire_b, &o), E_OK);
	/* First to be a, b; then a is put off, and b made sooner and later again. */
	loop_timer_at(o.a, now + 2);
	loop_timer_at(o.b, now + 30);
	loop_timer_at(o.a, now + 60);
	loop_timer_at(o.b, now + 1);
	loop_timer_at(o.b, now + 20);
	ck_assert(turns_until(&turns, both_fired, &o));
	ck_assert_str_eq(o.text, "ba");
	loop_timer_close(o.a);
	loop_timer_close(o.b);
}
END_TEST

START_TEST(timer_can_be_stopped)
{
	struct loop_timer *t;
	int fired = 0;

	ck_assert_int_eq(loop_timer_new(&t, turns.loop, count, &fired), E_OK);
	loop_timer_at(t, loop_now_ms(turns.loop) + 1);
	loop_timer_at(t, UINT64_MAX);
	turns_some(&turns);
	ck_assert_int_eq(fired, 0);
	loop_timer_close(t);
}
END_TEST

static void again_now(void *ctx)
{
	struct order *o = ctx;

	loop_timer_at(o->a, loop_now_ms(turns.loop));
}

START_TEST(timer_of_now_lets_others_run)
{
	struct order o = { .text = "" };
	int fired = 0;

	ck_assert_int_eq(loop_timer_new(&o.a, turns.loop, again_now, &o), E_OK);
	loop_timer_at(o.a, 0);
	ck_assert_int_eq(loop_post(turns.loop, count, &fired), E_OK);
	ck_assert(turns_until(&turns, is_positive, &fired));
	loop_timer_close(o.a);
}
END_TEST

START_TEST(clocks_go_with_the_system)
{
	time_t before = time(NULL);
	uint64_t us = loop_now_us();

	ck_assert_int_ge(loop_wall_s(), before);
	/* time(2) reads a coarse clock, which may still stand in the second before. */
	ck_assert_int_le(loop_wall_s(), time(NULL) + 1);
	ck_assert_uint_le(us, loop_now_us());
	/* One origin: the loop's time is that of its turn, so not ahead. */
	ck_assert_uint_le(loop_now_ms(turns.loop), loop_now_us() / 1000);
}
END_TEST

/* ---- the mailbox ---- */

enum { POSTS = 1000 };

static struct {
	int got[POSTS];
	int n;
} mail;

static void take_mail(void *ctx)
{
	mail.got[mail.n++] = (int)(intptr_t)ctx;
}

static void *post_all(void *ctx)
{
	for (intptr_t i = 0; i < POSTS; i++)
		if (loop_post(ctx, take_mail, (void *)i) != E_OK)
			return ctx;
	return NULL;
}

static bool all_posted(void *ctx)
{
	(void)ctx;
	return mail.n == POSTS;
}

START_TEST(messages_of_another_thread_come_in_order)
{
	pthread_t thread;
	void *failed;

	mail.n = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, post_all, turns.loop), 0);
	ck_assert(turns_until(&turns, all_posted, NULL));
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	for (int i = 0; i < POSTS; i++)
		ck_assert_int_eq(mail.got[i], i);
}
END_TEST

START_TEST(mailbox_has_a_limit)
{
	int n = 0;

	for (int i = 0; i < LOOP_MAILBOX_MAX; i++)
		ck_assert_int_eq(loop_post(turns.loop, count, &n), E_OK);
	ck_assert_int_eq(loop_post(turns.loop, count, &n), E_LIMIT);
	ck_assert(turns_until(&turns, is_positive, &n));
	ck_assert_int_eq(n, LOOP_MAILBOX_MAX);
	ck_assert_int_eq(loop_post(turns.loop, count, &n), E_OK);
}
END_TEST

static void post_again(void *ctx)
{
	count(ctx);
	ck_assert_int_eq(loop_post(turns.loop, post_again, ctx), E_OK);
}

START_TEST(posting_to_oneself_lets_others_run)
{
	int n = 0;

	post_again(&n);
	turns_some(&turns); /* or never */
	ck_assert_int_gt(n, 1);
}
END_TEST

static void stop(void *ctx)
{
	loop_stop(ctx);
}

START_TEST(stop_from_the_mailbox)
{
	ck_assert_int_eq(loop_post(turns.loop, stop, turns.loop), E_OK);
	loop_run(turns.loop);
}
END_TEST

/* ---- after each turn ---- */

START_TEST(hook_runs_after_a_turn_of_timers_alone)
{
	struct loop_timer *t;
	int hooks = 0;

	ck_assert_int_eq(loop_after_turn(turns.loop, count, &hooks), E_OK);
	ck_assert_int_eq(loop_timer_new(&t, turns.loop, stop, turns.loop), E_OK);
	loop_timer_at(t, 0);
	loop_run(turns.loop);
	ck_assert_int_gt(hooks, 0);
	loop_timer_close(t);
}
END_TEST

START_TEST(hook_can_be_cancelled)
{
	int a = 0, b = 0;

	ck_assert_int_eq(loop_after_turn(turns.loop, count, &a), E_OK);
	ck_assert_int_eq(loop_after_turn(turns.loop, count, &b), E_OK);
	loop_after_turn_cancel(turns.loop, count, &a);
	turns_some(&turns);
	ck_assert_int_eq(a, 0);
	ck_assert_int_gt(b, 0);
}
END_TEST

START_TEST(hooks_have_a_limit)
{
	int n = 0;

	for (int i = 0; i < LOOP_AFTER_TURN_MAX; i++)
		ck_assert_int_eq(loop_after_turn(turns.loop, count, &n), E_OK);
	ck_assert_int_eq(loop_after_turn(turns.loop, count, &n), E_LIMIT);
}
END_TEST

/* ---- descriptors ---- */

struct end {
	struct loop_watch watch;
	struct end *other; /* closed by the callback */
	int peer;
	int called;
	unsigned events;
};

static void on_end(void *ctx, unsigned events)
{
	struct end *e = ctx;
	char byte;

	e->called++;
	e->events |= events;
	if ((events & LOOP_READ) != 0)
		(void)!read(e->watch.fd, &byte, 1);
	if (e->other != NULL) {
		loop_watch_close(&e->other->watch);
		e->other->other = NULL;
	}
}

static void open_end(struct end *e, unsigned want)
{
	int fds[2];

	*e = (struct end) { 0 };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(loop_watch_start(&e->watch, turns.loop, fds[0], want, on_end, e), E_OK);
	e->peer = fds[1];
}

static void close_end(struct end *e)
{
	loop_watch_close(&e->watch);
	ck_assert_int_eq(close(e->peer), 0);
}

START_TEST(watch_tells_what_is_wanted)
{
	struct end e;

	open_end(&e, LOOP_READ);
	turns_some(&turns);
	ck_assert_int_eq(e.called, 0);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(turns_until(&turns, is_positive, &e.called));
	ck_assert_uint_eq(e.events, LOOP_READ);

	e.called = 0;
	e.events = 0;
	loop_watch_want(&e.watch, LOOP_WRITE);
	ck_assert_int_eq(write(e.peer, "x", 1), 1);
	ck_assert(turns_until(&turns, is_positive, &e.called));
	ck_assert_uint_eq(e.events, LOOP_WRITE);

	loop_watch_want(&e.watch, 0);
	e.called = 0;
	turns_some(&turns);
	ck_assert_int_eq(e.called, 0);
	close_end(&e);
}
END_TEST

START_TEST(watch_tells_of_a_broken_peer_unasked)
{
	struct end e;

	open_end(&e, 0);
	ck_assert_int_eq(shutdown(e.peer, SHUT_RDWR), 0);
	ck_assert(turns_until(&turns, is_positive, &e.called));
	ck_assert_uint_eq(e.events & LOOP_BROKEN, LOOP_BROKEN);
	close_end(&e);
}
END_TEST

/* Both have an event in the same turn; whichever comes first closes the other, whose event must
 * then not come. */
START_TEST(closed_watch_gets_no_event_of_the_turn)
{
	struct end a, b;

	open_end(&a, LOOP_READ);
	open_end(&b, LOOP_READ);
	a.other = &b;
	b.other = &a;
	ck_assert_int_eq(write(a.peer, "x", 1), 1);
	ck_assert_int_eq(write(b.peer, "x", 1), 1);
	turns_some(&turns);
	ck_assert_int_eq(a.called + b.called, 1);
	close_end(&a);
	close_end(&b);
}
END_TEST

/* What a process that is being spawned does to us: until its exec it has a copy of each
 * descriptor, and so closing ours takes nothing out of the epoll set. */
static void close_while_copied(struct end *e, int *copy)
{
	*copy = dup(e->watch.fd);
	ck_assert_int_ge(*copy, 0);
	ck_assert_int_eq(write(e->peer, "x", 1), 1);
	loop_watch_close(&e->watch);
}

START_TEST(closed_watch_gets_no_event_of_a_copy)
{
	struct end e;
	int peer, copy;

	open_end(&e, LOOP_READ);
	peer = e.peer;
	close_while_copied(&e, &copy);
	memset(&e, 0xa5, sizeof(e)); /* as memory that is another's now */
	turns_some(&turns);
	ck_assert_int_eq(close(copy), 0);
	ck_assert_int_eq(close(peer), 0);
}
END_TEST

/* Whoever comes next, with the same descriptor and in the same memory, is another one. */
START_TEST(next_watch_gets_no_event_of_a_copy)
{
	struct end first, next;
	int peer, copy;

	for (int i = 0; i < 3; i++) {
		open_end(&first, LOOP_READ);
		peer = first.peer;
		close_while_copied(&first, &copy);
		open_end(&first, LOOP_READ);
		open_end(&next, LOOP_READ);
		turns_some(&turns);
		ck_assert_int_eq(first.called + next.called, 0);
		ck_assert_int_eq(write(first.peer, "x", 1), 1);
		ck_assert(turns_until(&turns, is_positive, &first.called));
		ck_assert_int_eq(next.called, 0);
		close_end(&next);
		close_end(&first);
		ck_assert_int_eq(close(copy), 0);
		ck_assert_int_eq(close(peer), 0);
	}
}
END_TEST

/* Far more than there was room for at first; each hears of its own, also when others have gone. */
START_TEST(watches_by_the_hundred)
{
	enum { N = 400 };
	static struct end ends[N];

	for (int i = 0; i < N; i++)
		open_end(&ends[i], LOOP_READ);
	for (int i = 0; i < N; i += 3) {
		close_end(&ends[i]);
		open_end(&ends[i], LOOP_READ);
	}
	for (int i = 0; i < N; i += 2)
		ck_assert_int_eq(write(ends[i].peer, "x", 1), 1);
	turns_some(&turns);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ends[i].called, i % 2 == 0);
	for (int i = 0; i < N; i++)
		close_end(&ends[i]);
}
END_TEST

struct seen {
	int readable, writable;
};

static void on_fd(void *ctx, bool readable, bool writable)
{
	struct seen *seen = ctx;

	seen->readable += readable;
	seen->writable += writable;
}

START_TEST(fd_tells_what_is_wanted)
{
	struct seen seen = { 0 };
	struct loop_fd *f;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(loop_fd_new(&f, turns.loop, fds[0], true, false, on_fd, &seen), E_OK);
	turns_some(&turns);
	ck_assert_int_eq(seen.readable, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert(turns_until(&turns, is_positive, &seen.readable));
	ck_assert_int_eq(seen.writable, 0);

	loop_fd_want(f, false, true);
	seen.readable = 0;
	ck_assert(turns_until(&turns, is_positive, &seen.writable));
	ck_assert_int_eq(seen.readable, 0);
	loop_fd_close(f);
	ck_assert_int_eq(close(fds[0]), 0);
	ck_assert_int_eq(close(fds[1]), 0);
}
END_TEST

static void on_usr1(void *ctx, int signo)
{
	*(int *)ctx = signo;
}

START_TEST(signals_come_to_the_loop)
{
	int got = 0;

	ck_assert_int_eq(loop_on_signal(turns.loop, SIGUSR1, on_usr1, &got), E_OK);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert(turns_until(&turns, is_positive, &got));
	ck_assert_int_eq(got, SIGUSR1);
}
END_TEST

Suite *suite_loop(void);
Suite *suite_loop(void)
{
	Suite *s = suite_create("loop");
	TCase *c = tcase_create("loop");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, timer_fires_once);
	tcase_add_test(c, timer_can_be_moved);
	tcase_add_test(c, timer_can_be_stopped);
	tcase_add_test(c, timer_of_now_lets_others_run);
	tcase_add_test(c, clocks_go_with_the_system);
	tcase_add_test(c, messages_of_another_thread_come_in_order);
	tcase_add_test(c, mailbox_has_a_limit);
	tcase_add_test(c, posting_to_oneself_lets_others_run);
	tcase_add_test(c, stop_from_the_mailbox);
	tcase_add_test(c, hook_runs_after_a_turn_of_timers_alone);
	tcase_add_test(c, hook_can_be_cancelled);
	tcase_add_test(c, hooks_have_a_limit);
	tcase_add_test(c, watch_tells_what_is_wanted);
	tcase_add_test(c, watch_tells_of_a_broken_peer_unasked);
	tcase_add_test(c, closed_watch_gets_no_event_of_the_turn);
	tcase_add_test(c, closed_watch_gets_no_event_of_a_copy);
	tcase_add_test(c, next_watch_gets_no_event_of_a_copy);
	tcase_add_test(c, watches_by_the_hundred);
	tcase_add_test(c, fd_tells_what_is_wanted);
	tcase_add_test(c, signals_come_to_the_loop);
	suite_add_tcase(s, c);
	return s;
}
