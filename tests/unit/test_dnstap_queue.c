#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "recursor/watch/dnstap_queue.h"

static struct dnstap_queue q;

static void open_queue(void)
{
	ck_assert_int_eq(dnstap_queue_init(&q, 0), E_OK);
}

static void close_queue(void)
{
	dnstap_queue_deinit(&q);
}

/* A frame of `len` bytes that all are `n`, of which it reserves some more. */
static bool put(size_t len, uint8_t n)
{
	uint8_t *place = dnstap_queue_reserve(&q, len + 10);

	if (place == NULL)
		return false;
	memset(place, n, len);
	dnstap_queue_commit(&q, len);
	return true;
}

/* The frame at *at alone; its bytes. */
static bool next(size_t *at, uint8_t **frame, size_t *len)
{
	struct dnstap_run run;

	if (!dnstap_queue_run(&q, at, 1, &run))
		return false;
	ck_assert_uint_eq(run.n_frames, 1);
	*len = wire_get_u32(run.bytes);
	*frame = run.bytes + 4;
	ck_assert_uint_eq(run.len, 4 + *len);
	return true;
}

static void check_frame(const uint8_t *frame, size_t len, size_t expected, uint8_t n)
{
	ck_assert_uint_eq(len, expected);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(frame[i], n);
}

START_TEST(first_in_first_out)
{
	size_t at = dnstap_queue_begin(&q), len;
	uint8_t *frame;

	ck_assert(!next(&at, &frame, &len));
	ck_assert_uint_eq(dnstap_queue_most(&q), 0);
	ck_assert(put(1, 1) && put(0, 2) && put(70000, 3));
	ck_assert(next(&at, &frame, &len));
	check_frame(frame, len, 1, 1);
	ck_assert(next(&at, &frame, &len));
	check_frame(frame, len, 0, 2);
	ck_assert(next(&at, &frame, &len));
	check_frame(frame, len, 70000, 3);
	ck_assert(!next(&at, &frame, &len));
	/* What is not released comes again. */
	at = dnstap_queue_begin(&q);
	ck_assert(next(&at, &frame, &len));
	check_frame(frame, len, 1, 1);
}
END_TEST

START_TEST(full_is_counted)
{
	size_t at, len, n = 0;
	uint8_t *frame;

	while (put(1000, (uint8_t)n))
		n++;
	ck_assert_uint_ge(n, DNSTAP_QUEUE_LEAST / 1024 - 1);
	ck_assert(!put(1000, 0));
	ck_assert_uint_eq(q.dropped, 2);
	at = dnstap_queue_begin(&q);
	for (size_t i = 0; i < n; i++) {
		ck_assert(next(&at, &frame, &len));
		check_frame(frame, len, 1000, (uint8_t)i);
	}
	ck_assert(!put(1000, 0));
	dnstap_queue_release(&q, at);
	ck_assert_uint_eq(dnstap_queue_most(&q), n * 1004); /* with their lengths */
	ck_assert(put(1000, 0));
	ck_assert_uint_eq(dnstap_queue_most(&q), n * 1004);
	ck_assert_uint_eq(q.dropped, 3);
	ck_assert_uint_eq(q.queued, n + 1);
	/* One that is larger than the ring never fits. */
	ck_assert(!put(2 * DNSTAP_QUEUE_LEAST, 0));
	ck_assert_uint_eq(q.too_large, 1);
	ck_assert_uint_eq(q.dropped, 3);
}
END_TEST

/* A frame stands in one piece: behind the middle one of more than half of the ring does not fit,
 * though nothing else waits. */
START_TEST(too_large_for_its_place_is_counted)
{
	size_t at, len;
	uint8_t *frame;

	ck_assert(put(DNSTAP_QUEUE_LEAST / 2, 1));
	at = dnstap_queue_begin(&q);
	ck_assert(next(&at, &frame, &len));
	dnstap_queue_release(&q, at);
	ck_assert(!put(DNSTAP_QUEUE_LEAST / 2 + 100, 2));
	ck_assert_uint_eq(q.too_large, 1);
	ck_assert_uint_eq(q.dropped, 0);
	ck_assert(put(DNSTAP_QUEUE_LEAST / 2 - 100, 3));
	ck_assert_uint_eq(q.queued, 2);
}
END_TEST

/* What follows each other leaves in one piece, up to the most that is wanted, and to the end of the
 * ring. */
START_TEST(runs)
{
	struct dnstap_run run;
	size_t at = dnstap_queue_begin(&q), rest;

	ck_assert(!dnstap_queue_run(&q, &at, 1000, &run));
	ck_assert(put(96, 1) && put(95, 2) && put(500, 3));
	ck_assert(dnstap_queue_run(&q, &at, 199, &run));
	ck_assert_uint_eq(run.n_frames, 2);
	ck_assert_uint_eq(run.len, 199);
	ck_assert(!run.is_last);
	check_frame(run.bytes + 4, wire_get_u32(run.bytes), 96, 1);
	check_frame(run.bytes + 104, wire_get_u32(run.bytes + 100), 95, 2);
	ck_assert(dnstap_queue_run(&q, &at, 199, &run)); /* one in any case */
	ck_assert_uint_eq(run.n_frames, 1);
	ck_assert(run.is_last);
	dnstap_queue_release(&q, at);
	/* Every length of what remains at the ring's end: with and without room for a mark. */
	for (rest = 0; rest < 20; rest++) {
		size_t before = q.size - (q.written & (q.size - 1)) - rest - 4;
		size_t half = before / 2, begin = at;

		for (unsigned i = 0; i < 2; i++, half = before - before / 2 - 4) {
			uint8_t *place = dnstap_queue_reserve(&q, half);

			ck_assert_ptr_nonnull(place);
			memset(place, (uint8_t)i, half);
			dnstap_queue_commit(&q, half);
			ck_assert(dnstap_queue_run(&q, &at, q.size, &run));
			dnstap_queue_release(&q, at);
		}
		ck_assert_uint_eq(at - begin, before + 4);
		/* Neither has room there. */
		ck_assert(put(10, 4) && put(30, 5));
		ck_assert(dnstap_queue_run(&q, &at, q.size, &run));
		ck_assert_ptr_eq(run.bytes, q.bytes);
		ck_assert_uint_eq(run.n_frames, 2);
		ck_assert(run.is_last);
		check_frame(run.bytes + 4, wire_get_u32(run.bytes), 10, 4);
		check_frame(run.bytes + 18, wire_get_u32(run.bytes + 14), 30, 5);
		dnstap_queue_release(&q, at);
	}
	ck_assert_uint_eq(q.dropped + q.too_large, 0);
}
END_TEST

enum { MANY = 300000 };

static void *write_many(void *ctx)
{
	unsigned *sent = ctx;

	for (unsigned i = 0; i < MANY; i++) {
		uint8_t *place = dnstap_queue_reserve(&q, 4 + i % 1237);

		if (place == NULL) {
			(void)sched_yield();
			continue;
		}
		memset(place, (uint8_t)i, 4 + i % 1237);
		memcpy(place, &i, 4);
		dnstap_queue_commit(&q, 4 + i % 1237);
		(*sent)++;
	}
	return NULL;
}

START_TEST(one_writes_one_reads)
{
	unsigned sent = 0, received = 0, last = 0, n;
	bool is_over = false;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, write_many, &sent), 0);
	while (!is_over || dnstap_queue_begin(&q) != q.written) {
		size_t at = dnstap_queue_begin(&q), len;
		uint8_t *frame;

		while (next(&at, &frame, &len)) {
			memcpy(&n, frame, 4);
			ck_assert(received == 0 || n > last);
			ck_assert_uint_eq(len, 4 + n % 1237);
			for (size_t i = 4; i < len; i++)
				if (frame[i] != (uint8_t)n)
					ck_abort_msg("frame %u is mixed up at %zu", n, i);
			last = n;
			received++;
			dnstap_queue_release(&q, at);
		}
		if (!is_over)
			is_over = pthread_tryjoin_np(thread, NULL) == 0;
	}
	ck_assert_uint_eq(received, sent);
	ck_assert_uint_eq(q.queued, sent);
	ck_assert_uint_eq(sent + q.dropped, MANY);
}
END_TEST

Suite *suite_dnstap_queue(void)
{
	Suite *s = suite_create("dnstap_queue");
	TCase *t = tcase_create("dnstap_queue");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, open_queue, close_queue);
	tcase_add_test(t, first_in_first_out);
	tcase_add_test(t, full_is_counted);
	tcase_add_test(t, too_large_for_its_place_is_counted);
	tcase_add_test(t, runs);
	tcase_add_test(t, one_writes_one_reads);
	suite_add_tcase(s, t);
	return s;
}
