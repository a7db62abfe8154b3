#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/watch/recorder.h"
#include "wire_name.h"

static struct recorder *recorder;
static uint64_t now_ms;
static uint8_t bytes[JOURNAL_STORY_MAX];

static void open_recorder(void)
{
	recorder = NULL;
	now_ms = 1000000;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(recorder_new(&recorder, 400000), E_OK);
}

static void close_recorder(void)
{
	recorder_free(recorder);
}

static struct recorder_key key_of(const char *domain, const char *client)
{
	return (struct recorder_key) {
		.kind = RECORDER_FAILED,
		.domain = name_hash(wire(domain)),
		.client = hash_bytes(client, strlen(client)),
	};
}

/* As the pipeline does. */
static bool keep(struct recorder_key key, const char *name, size_t len)
{
	struct recorder_story s = {
		.name = wire(name),
		.type = TYPE_A,
		.at_us = now_ms * 1000,
		.rcode = RCODE_SERVFAIL,
		.ede = EDE_NETWORK_ERROR,
		.text = "no server answers",
		.out_queries = 7,
		.has_steps = len > 0,
		.steps = { .goal = 3, .len = len },
		.step_bytes = bytes,
	};

	ck_assert_int_eq(addr_from_text(&s.client, "192.0.2.77", 53), E_OK);
	return recorder_wants(recorder, &key, now_ms) && recorder_keep(recorder, &key, &s, now_ms);
}

static size_t read_all(const struct recorder_filter *f, struct recorder_copy *out, size_t most)
{
	struct recorder_cursor c = { .before = 0 };
	size_t n = 0;

	while (!c.is_done) {
		struct recorder_copy some[RECORDER_COPIED];
		size_t got = recorder_read(recorder, f, true, &c, some, RECORDER_COPIED);

		for (size_t i = 0; i < got; i++) {
			if (out != NULL && n < most) {
				out[n] = some[i];
				recorder_copy_moved(&out[n]);
			} else {
				free(some[i].memory);
			}
			n++;
		}
	}
	return n;
}

static size_t count(const char *name)
{
	struct recorder_filter f = {
		.name = name == NULL ? NULL : wire(name),
		.below = true,
		.kinds = (1 << RECORDER_KIND_COUNT) - 1,
	};

	return read_all(&f, NULL, 0);
}

START_TEST(what_is_kept_is_read)
{
	static const size_t lens[] = { 0, 1, 200, 504, 505, 4000, JOURNAL_STORY_MAX };
	struct recorder_filter f = { .kinds = 1 << RECORDER_FAILED };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct recorder_copy c;

		ck_assert(keep(key_of("example.org", "a"), "www.Example.org", lens[i]));
		ck_assert_uint_ge(read_all(&f, &c, 1), 1);
		ck_assert(name_equal(c.story.name, wire("www.example.org")));
		ck_assert_str_eq(c.story.text, "no server answers");
		ck_assert_ptr_null(c.story.figures);
		ck_assert_uint_eq(c.story.out_queries, 7);
		ck_assert_uint_eq(c.story.rcode, RCODE_SERVFAIL);
		ck_assert_uint_eq(c.story.steps.len, lens[i]);
		if (lens[i] > 0)
			ck_assert_mem_eq(c.story.step_bytes, bytes, lens[i]);
		free(c.memory);
	}
}
END_TEST

START_TEST(a_filter_lets_some_through)
{
	struct recorder_filter f = { .name = wire("WWW.example.org"), .kinds = 7 };
	struct recorder_copy c[4] = { { .memory = NULL } };

	ck_assert(keep(key_of("example.org", "a"), "www.example.org", 0));
	ck_assert(keep(key_of("example.org", "a"), "ftp.example.org", 0));
	ck_assert(keep(key_of("example.net", "a"), "www.example.net", 0));
	ck_assert_uint_eq(read_all(&f, c, 4), 1);
	f.name = wire("example.org");
	ck_assert_uint_eq(read_all(&f, c, 4), 0);
	f.below = true;
	ck_assert_uint_eq(read_all(&f, c, 4), 2);
	f.type = TYPE_AAAA;
	ck_assert_uint_eq(read_all(&f, c, 4), 0);
	f.type = TYPE_A;
	f.kinds = 1 << RECORDER_SLOW;
	ck_assert_uint_eq(read_all(&f, c, 4), 0);
	f.kinds = 1 << RECORDER_FAILED;
	ck_assert_int_eq(addr_from_text(&f.client, "192.0.2.0", 0), E_OK);
	f.client_bits = 24;
	ck_assert_uint_eq(read_all(&f, c, 4), 2);
	f.client_bits = 32;
	ck_assert_uint_eq(read_all(&f, c, 4), 0);
}
END_TEST

/* A flood of one domain's failures, from many clients, or of one client's in many domains. */
START_TEST(a_flood_leaves_the_others)
{
	char text[64];

	ck_assert(keep(key_of("quiet.test", "user"), "www.quiet.test", 800));
	for (unsigned i = 0; i < 20000; i++) {
		now_ms += i % 3 == 0;
		(void)snprintf(text, sizeof(text), "x%u.flooded.test", i);
		(void)keep(key_of("flooded.test", text), text, 800);
	}
	ck_assert_uint_eq(count("flooded.test"), RECORDER_DOMAIN_MAX);
	/* The newest win. */
	ck_assert_uint_eq(count("x0.flooded.test"), 0);
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "x%u.test", i);
		(void)keep(key_of(text, "attacker"), text, 800);
	}
	ck_assert_uint_eq(count("x19999.test"), 1);
	ck_assert_uint_eq(count("quiet.test"), 1);
}
END_TEST

/* After its share a domain has one each RECORDER_PAUSE_MS. */
START_TEST(a_flooded_domain_pauses)
{
	struct recorder_key key = key_of("flooded.test", "a");

	for (unsigned i = 0; i < RECORDER_DOMAIN_MAX; i++)
		ck_assert(keep(key, "a.flooded.test", 0));
	ck_assert(!recorder_wants(recorder, &key, now_ms));
	ck_assert(!recorder_wants(recorder, &key, now_ms + RECORDER_PAUSE_MS - 1));
	now_ms += RECORDER_PAUSE_MS;
	ck_assert(keep(key, "b.flooded.test", 0));
	ck_assert_uint_eq(count("b.flooded.test"), 1);
	ck_assert_uint_eq(count("flooded.test"), RECORDER_DOMAIN_MAX);
	/* Another reason, another kind: shares of their own. */
	key.reason = RECORDER_SCRIPT;
	ck_assert(recorder_wants(recorder, &key, now_ms));
	key.reason = RECORDER_RESOLVED;
	key.kind = RECORDER_SLOW;
	ck_assert(recorder_wants(recorder, &key, now_ms));
}
END_TEST

START_TEST(memory_is_fixed)
{
	struct recorder_stats stats;
	char text[64];

	for (unsigned i = 0; i < 5000; i++) {
		struct recorder_key key;

		(void)snprintf(text, sizeof(text), "x%u.test", i);
		key = key_of(text, text);
		key.kind = (enum recorder_kind)(i % RECORDER_KIND_COUNT);
		ck_assert(keep(key, text, i * 37 % JOURNAL_STORY_MAX));
	}
	recorder_stats(recorder, &stats);
	ck_assert_uint_le(stats.blocks_used, stats.blocks);
	ck_assert_uint_le(stats.bytes, 400000 + 40000); /* with the tables */
	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++)
		ck_assert_uint_gt(stats.stories[i], 3);
	/* And smaller. */
	recorder_set_bytes(recorder, 40000);
	for (unsigned i = 0; i < 30; i++) {
		(void)snprintf(text, sizeof(text), "y%u.test", i);
		(void)keep(key_of(text, text), text, 500);
	}
	recorder_stats(recorder, &stats);
	ck_assert_uint_le(stats.stories[RECORDER_FAILED], 28);
	ck_assert_uint_eq(count("y29.test"), 1);
}
END_TEST

/* No call looks at more than a visit may, and together they see all. */
START_TEST(reading_is_sliced)
{
	struct recorder_filter f = { .kinds = 7, .name = wire("x3.test") };
	struct recorder_cursor c = { .before = 0 };
	struct recorder_copy out[RECORDER_COPIED];
	unsigned calls = 0, found = 0;
	char text[64];

	recorder_set_bytes(recorder, 10000000);
	for (unsigned i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof(text), "x%u.test", i);
		ck_assert(keep(key_of(text, text), text, 0));
	}
	for (; !c.is_done; calls++)
		found += (unsigned)recorder_read(recorder, &f, false, &c, out, RECORDER_COPIED);
	ck_assert_uint_eq(found, 1);
	ck_assert_uint_ge(calls, 3000 / RECORDER_LOOKED_AT);
	ck_assert_uint_eq(count(NULL), 3000);
}
END_TEST

Suite *suite_recorder(void)
{
	Suite *s = suite_create("recorder");
	TCase *t = tcase_create("recorder");

	tcase_add_checked_fixture(t, open_recorder, close_recorder);
	tcase_add_test(t, what_is_kept_is_read);
	tcase_add_test(t, a_filter_lets_some_through);
	tcase_add_test(t, a_flood_leaves_the_others);
	tcase_add_test(t, a_flooded_domain_pauses);
	tcase_add_test(t, memory_is_fixed);
	tcase_add_test(t, reading_is_sliced);
	suite_add_tcase(s, t);
	return s;
}
