#include "recursor/resolve/event.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

static struct trace *trace_of(void)
{
	struct trace *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	return t;
}

START_TEST(every_kind_has_texts_of_its_own)
{
	for (int i = 0; i < EVENT_KINDS; i++) {
		ck_assert_str_ne(event_word((enum event_kind)i), "");
		ck_assert_str_ne(event_sentence((enum event_kind)i), "");
		ck_assert_ptr_null(strpbrk(event_word((enum event_kind)i), " \t\n\"\\"));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(event_word((enum event_kind)i),
					 event_word((enum event_kind)j));
	}
	ck_assert_str_eq(event_word(EVENT_OUT_OF_BAILIWICK), "out-of-bailiwick");
	ck_assert_str_eq(event_word(EVENT_KINDS), "unknown");
}
END_TEST

START_TEST(names_are_kept_once)
{
	struct trace *t = trace_of();
	uint16_t a = trace_add_name(t, (const uint8_t *)"\1a\3com");
	uint16_t root = trace_add_name(t, name_root);
	uint16_t com = trace_add_name(t, (const uint8_t *)"\3com");

	ck_assert_uint_eq(a, 0);
	ck_assert(a != root && root != com && a != com);
	ck_assert_uint_eq(trace_add_name(t, (const uint8_t *)"\1a\3com"), a);
	ck_assert_uint_eq(trace_add_name(t, (const uint8_t *)"\3com"), com);
	ck_assert_uint_eq(trace_add_name(t, name_root), root);
	ck_assert(name_equal(trace_name(t, com), (const uint8_t *)"\3com"));
	ck_assert_ptr_null(trace_name(t, TRACE_NO_NAME));
	free(t);
}
END_TEST

START_TEST(names_until_full)
{
	struct trace *t = trace_of();
	uint8_t name[NAME_MAX_LEN];
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 1 : 'x';
	name[254] = 0;
	for (;; n++) {
		uint16_t at;

		name[1] = (uint8_t)n;
		name[3] = (uint8_t)(n >> 8);
		at = trace_add_name(t, name);
		if (at == TRACE_NO_NAME)
			break;
		ck_assert(name_equal_case(trace_name(t, at), name));
	}
	ck_assert_uint_eq(n, TRACE_NAMES_MAX / NAME_MAX_LEN);
	ck_assert_uint_le(t->names_len, TRACE_NAMES_MAX);
	/* A short one still fits, up to the last byte. */
	ck_assert_uint_ne(trace_add_name(t, name_root), TRACE_NO_NAME);
	free(t);
}
END_TEST

START_TEST(events_until_full)
{
	struct trace *t = trace_of();
	struct event e = { .kind = EVENT_ASKED };

	for (unsigned i = 0; i < TRACE_EVENTS_MAX + 5; i++) {
		e.goal = (uint16_t)i;
		trace_add(t, &e);
	}
	ck_assert_uint_eq(t->n_events, TRACE_EVENTS_MAX);
	ck_assert_uint_eq(t->lost, 5);
	for (unsigned i = 0; i < TRACE_EVENTS_MAX; i++)
		ck_assert_uint_eq(t->events[i].goal, i);
	ck_assert_uint_eq(t->events[7].kind, EVENT_ASKED);
	ck_assert_uint_eq(t->names_len, 0);
	free(t);
}
END_TEST

Suite *suite_event(void)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");

	tcase_add_test(t, every_kind_has_texts_of_its_own);
	tcase_add_test(t, names_are_kept_once);
	tcase_add_test(t, names_until_full);
	tcase_add_test(t, events_until_full);
	suite_add_tcase(s, t);
	return s;
}
