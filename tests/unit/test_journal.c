#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/journal.h"
#include "wire_name.h"

static struct counters counters;
static struct journals pool;
static struct trace *told;
static uint8_t steps[JOURNAL_STORY_MAX];
static const uint8_t *own;

static void open_pool(void)
{
	memset(&counters, 0, sizeof(counters));
	journals_init(&pool, &counters);
	journals_configure(&pool, 64 * JOURNAL_CHUNK);
	told = malloc(sizeof(*told));
	ck_assert_ptr_nonnull(told);
	own = (const uint8_t *)"\3www\7example\3org";
}

/* Whatever was taken has been given back: journals_deinit() asserts it. */
static void close_pool(void)
{
	ck_assert_uint_eq(pool.used, 0);
	journals_deinit(&pool);
	free(told);
}

static void write_one(struct journal *j, const struct event *e, uint32_t value, const uint8_t *name,
		      const uint8_t *other, uint32_t now_ms)
{
	journal_write(&pool, j,
		      &(struct journal_event) {
			      .e = e,
			      .own = own,
			      .own_len = name_len(own),
			      .name = name,
			      .other = other,
			      .now_ms = now_ms,
			      .value = value,
		      });
}

static void tell(const struct journal *j, uint32_t began_ms)
{
	struct journal_story story = { .goal = 7, .began_ms = began_ms, .ended_ms = began_ms + 99 };

	journal_copy(j, &story, steps, sizeof(steps));
	ck_assert(journal_expand(told, &story, steps, own, TYPE_A));
}

static const char *name_at(uint16_t offset)
{
	static char text[NAME_TEXT_MAX];

	ck_assert_uint_ne(offset, TRACE_NO_NAME);
	return name_to_text(text, trace_name(told, offset));
}

START_TEST(what_is_written_is_told)
{
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_LAME, .goal = 7, .note = "no good" };

	ck_assert_int_eq(addr_from_text(&e.server, "[2001:db8::1]:5300", 0), E_OK);
	write_one(&j, &e, 0, name_suffix(own, 2), (const uint8_t *)"\2ns\4test", 1005);
	e = (struct event) { .kind = EVENT_BAD_RCODE, .goal = 7, .transport = TRANSPORT_TCP };
	write_one(&j, &e, RCODE_REFUSED, NULL, NULL, 1010);
	e = (struct event) {
		.kind = EVENT_ANSWERED, .goal = 7, .size = 99, .rcode = RCODE_NXDOMAIN
	};
	e.records[1] = 2;
	write_one(&j, &e, 4321, NULL, NULL, 1020);
	tell(&j, 1000);
	ck_assert_uint_eq(told->n_events, 4);
	ck_assert_uint_eq(told->events[0].kind, EVENT_GOAL);
	ck_assert_str_eq(name_at(told->events[0].name), "www.example.org.");
	ck_assert_uint_eq(told->events[1].kind, EVENT_LAME);
	ck_assert_uint_eq(told->events[1].at_ms, 5);
	ck_assert_uint_eq(told->events[1].server.port, 5300);
	ck_assert_str_eq(told->events[1].note, "no good");
	ck_assert_str_eq(name_at(told->events[1].name), "example.org.");
	ck_assert_str_eq(name_at(told->events[1].other), "ns.test.");
	ck_assert_uint_eq(told->events[2].rcode, RCODE_REFUSED);
	ck_assert_uint_eq(told->events[2].transport, TRANSPORT_TCP);
	ck_assert_uint_eq(told->events[3].us, 4321);
	ck_assert_uint_eq(told->events[3].size, 99);
	ck_assert_uint_eq(told->events[3].rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(told->events[3].records[1], 2);
	journal_give(&pool, &j);
}
END_TEST

/* The longest names there are, with everything else a step may have. */
START_TEST(the_largest_step_fits)
{
	uint8_t longest[NAME_MAX_LEN], other[NAME_MAX_LEN];
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_ANSWERED, .goal = 7, .note = "x" };

	memset(longest, 'a', sizeof(longest));
	longest[0] = longest[64] = longest[128] = 63;
	longest[192] = 61;
	longest[254] = 0;
	memcpy(other, longest, sizeof(other));
	ck_assert_int_eq(addr_from_text(&e.server, "192.0.2.1", 53), E_OK);
	for (unsigned i = 0; i < 20; i++)
		write_one(&j, &e, i, longest, other, 0);
	tell(&j, 0);
	ck_assert_uint_eq(name_len(trace_name(told, told->events[1].name)), NAME_MAX_LEN);
	ck_assert_int_eq(strncmp(name_at(told->events[1].other), "\\.\\.\\.", 6), 0);
	journal_give(&pool, &j);
}
END_TEST

START_TEST(a_long_one_keeps_its_beginning_and_its_end)
{
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_TIMEOUT, .goal = 7 };
	unsigned n = 5000, left_out = 0, lost = 0;

	for (unsigned i = 0; i < n; i++)
		write_one(&j, &e, 0, NULL, NULL, i);
	ck_assert_uint_le(j.n_chunks, JOURNAL_CHUNKS_MAX);
	tell(&j, 0);
	ck_assert_uint_eq(told->events[1].at_ms, 0);
	ck_assert_uint_eq(told->events[2].at_ms, 1);
	ck_assert_uint_eq(told->events[told->n_events - 1].at_ms, n - 1);
	for (unsigned i = 0; i < told->n_events; i++)
		if (told->events[i].kind == EVENT_LEFT_OUT) {
			left_out++;
			lost = told->events[i].size;
			ck_assert_uint_gt(told->events[i + 1].at_ms, told->events[i - 1].at_ms + 1);
		}
	ck_assert_uint_eq(left_out, 1);
	ck_assert_uint_eq(told->n_events - 2 + lost, n);
	journal_give(&pool, &j);
}
END_TEST

/* Also where the step before the hole is longer than others. */
START_TEST(what_is_left_out_stands_in_its_place)
{
	const uint8_t *ns = (const uint8_t *)"\3ns1\7\xff\xff\xff\xff\xff\xff\xff";
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_TIMEOUT, .goal = 7 };
	unsigned at = 0;

	for (unsigned i = 0; i < 2000; i++)
		write_one(&j, &e, 0, NULL, ns, 1000 + i);
	tell(&j, 0);
	while (at < told->n_events && told->events[at].kind != EVENT_LEFT_OUT)
		at++;
	ck_assert_uint_lt(at + 1, told->n_events);
	ck_assert_uint_ge(told->events[at].at_ms, 1000);
	ck_assert_uint_eq(told->events[at].at_ms, told->events[at - 1].at_ms);
	ck_assert_uint_gt(told->events[at + 1].at_ms, told->events[at].at_ms);
	journal_give(&pool, &j);
}
END_TEST

START_TEST(memory_is_bounded)
{
	struct journal j[80] = { { .n_chunks = 0 } };
	struct event e = { .kind = EVENT_TIMEOUT, .goal = 7 };

	for (unsigned i = 0; i < 80; i++)
		write_one(&j[i], &e, 0, NULL, NULL, i);
	ck_assert_uint_eq(pool.used, 64);
	ck_assert_uint_eq(pool.chunks.used, 64);
	ck_assert_uint_eq(counter_get(&counters.flight_unrecorded), 16);
	/* Counted once; and one that has a chunk gets no second when others may want a first. */
	for (unsigned i = 0; i < 100; i++) {
		write_one(&j[79], &e, 0, NULL, NULL, i);
		write_one(&j[0], &e, 0, NULL, NULL, i);
	}
	ck_assert_uint_eq(counter_get(&counters.flight_unrecorded), 16);
	ck_assert_uint_eq(j[0].n_chunks, 1);
	tell(&j[0], 0);
	ck_assert_uint_eq(told->events[told->n_events - 1].kind, EVENT_LEFT_OUT);
	for (unsigned i = 0; i < 80; i++)
		journal_give(&pool, &j[i]);
}
END_TEST

START_TEST(off_is_off)
{
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_TIMEOUT, .goal = 7 };

	journals_configure(&pool, 0);
	ck_assert(!pool.is_on);
	write_one(&j, &e, 0, NULL, NULL, 0);
	ck_assert_ptr_null(j.first);
	ck_assert_uint_eq(counter_get(&counters.flight_unrecorded), 0);
}
END_TEST

/* What two goals took from a third is told once, and at its time. */
START_TEST(what_others_did_is_told_once)
{
	struct journal j = { .n_chunks = 0 }, child = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_GOAL, .goal = 8, .type = TYPE_A };

	write_one(&j, &e, 7, (const uint8_t *)"\2ns\4test", NULL, 10);
	e = (struct event) { .kind = EVENT_TIMEOUT, .goal = 8 };
	write_one(&child, &e, 0, NULL, NULL, 12);
	e = (struct event) { .kind = EVENT_LIMIT, .goal = 7 };
	write_one(&j, &e, 0, NULL, NULL, 15);
	journal_take(&pool, &j, &child);
	journal_take(&pool, &j, &child);
	tell(&j, 0);
	ck_assert_uint_eq(told->n_events, 4);
	ck_assert_uint_eq(told->events[1].parent, 7);
	ck_assert_uint_eq(told->events[2].kind, EVENT_TIMEOUT);
	ck_assert_uint_eq(told->events[2].goal, 8);
	ck_assert_uint_eq(told->events[3].kind, EVENT_LIMIT);
	journal_give(&pool, &j);
	journal_give(&pool, &child);
}
END_TEST

START_TEST(damage_is_found)
{
	struct journal j = { .n_chunks = 0 };
	struct event e = { .kind = EVENT_TIMEOUT, .goal = 7, .note = "x" };
	struct journal_story story = { .goal = 7 };

	write_one(&j, &e, 0, (const uint8_t *)"\4test", NULL, 0);
	journal_copy(&j, &story, steps, sizeof(steps));
	for (size_t len = 1; len < story.len; len++) {
		struct journal_story cut = { .goal = 7, .len = len };

		ck_assert(!journal_expand(told, &cut, steps, own, TYPE_A));
	}
	steps[0] = EVENT_KINDS;
	ck_assert(!journal_expand(told, &story, steps, own, TYPE_A));
	journal_give(&pool, &j);
}
END_TEST

Suite *suite_journal(void)
{
	Suite *s = suite_create("journal");
	TCase *t = tcase_create("journal");

	tcase_add_checked_fixture(t, open_pool, close_pool);
	tcase_add_test(t, what_is_written_is_told);
	tcase_add_test(t, the_largest_step_fits);
	tcase_add_test(t, a_long_one_keeps_its_beginning_and_its_end);
	tcase_add_test(t, what_is_left_out_stands_in_its_place);
	tcase_add_test(t, memory_is_bounded);
	tcase_add_test(t, off_is_off);
	tcase_add_test(t, what_others_did_is_told_once);
	tcase_add_test(t, damage_is_found);
	suite_add_tcase(s, t);
	return s;
}
