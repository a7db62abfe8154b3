#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/watch/trace_text.h"

static struct trace *t;

static void new_trace(void)
{
	t = calloc(1, sizeof(*t));
	ck_assert_ptr_nonnull(t);
}

static void free_trace(void)
{
	free(t);
}

static uint16_t name(const char *text)
{
	uint8_t wire[NAME_MAX_LEN];
	uint16_t at;

	ck_assert_int_eq(name_from_text(wire, text), E_OK);
	at = trace_add_name(t, wire);
	ck_assert_uint_ne(at, TRACE_NO_NAME);
	return at;
}

enum { NONE = TRACE_NO_NAME };

#define ADD(evkind, evgoal, evname, evother, ...)                                                  \
	trace_add(t, &(struct event) { .kind = (uint8_t)(evkind),                                  \
				       .goal = (evgoal),                                           \
				       .name = (evname),                                           \
				       .other = (evother),                                         \
				       __VA_ARGS__ })

static void expect_text(bool unicode, bool colour, const char *expected)
{
	struct trace_style style = { .unicode = unicode, .colour = colour };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	trace_print(f, t, &style);
	fclose(f);
	ck_assert_str_eq(text, expected);
	free(text);
}

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 53), E_OK);
	return a;
}

/* One of the client's goals (7) that needs another (9). */
static void tell_story(void)
{
	uint16_t www = name("www.example.com."), ns = name("ns.example.org.");

	ADD(EVENT_GOAL, 7, www, NONE, .type = TYPE_A);
	ADD(EVENT_CACHE_MISS, 7, www, NONE);
	ADD(EVENT_CUT, 7, name("com."), NONE, .ttl = 172800);
	ADD(EVENT_GOAL, 9, ns, NONE, .parent = 7, .type = TYPE_AAAA);
	ADD(EVENT_ASKED, 9, ns, name("a.nic.org."), .type = TYPE_AAAA,
	    .server = address("[2001:db8::1]:5300"), .transport = TRANSPORT_TCP, .budget = 49);
	ADD(EVENT_TIMEOUT, 9, NONE, NONE, .server = address("192.0.2.1"), .at_ms = 400);
	ADD(EVENT_DONE, 9, ns, NONE, .rcode = RCODE_NOERROR, .at_ms = 431);
	ADD(EVENT_ANSWERED, 7, NONE, NONE, .server = address("192.0.2.1"), .rcode = RCODE_NXDOMAIN,
	    .us = 12345, .size = 120, .records = { 1, 2, 3 }, .at_ms = 443);
	ADD(EVENT_LIMIT, 7, NONE, NONE, .note = "max-qperq", .at_ms = 443);
}

START_TEST(goals_hang_below_who_wanted_them)
{
	tell_story();
	expect_text(
		false, false,
		"    0 ms  looks for www.example.com. A\n"
		"    0 ms  |- not in the cache: www.example.com.\n"
		"    0 ms  |- closest known zone cut: com., 172800 s left\n"
		"    0 ms  |- looks for ns.example.org. AAAA\n"
		"    0 ms  |  |- asks [2001:db8::1]:5300 (a.nic.org.) for ns.example.org. AAAA "
		"over TCP, 49 left\n"
		"  400 ms  |  |- 192.0.2.1: no answer in time\n"
		"  431 ms  |  `- done: NOERROR\n"
		"  443 ms  |- 192.0.2.1 answered in 12.3 ms: NXDOMAIN, 1+2+3 records, 120 bytes\n"
		"  443 ms  `- a limit was reached: max-qperq\n");
}
END_TEST

START_TEST(signatures_tell_their_key_and_its_ds)
{
	uint16_t zone = name("example.");

	ADD(EVENT_VERIFIED, 1, zone, zone, .type = TYPE_DNSKEY, .rcode = 4711, .records = { 13, 2 },
	    .us = 1700000000, .ttl = 1700086400);
	ADD(EVENT_VERIFIED, 1, name("www.example."), zone, .type = TYPE_A, .rcode = 4712,
	    .records = { 13 }, .us = 1700000000, .ttl = 1700086400);
	expect_text(
		false, false,
		"    0 ms  example. DNSKEY is signed as it should be by example. (key 4711, "
		"algorithm 13), by a DS of digest type 2, valid 20231114221320 to 20231115221320\n"
		"    0 ms  www.example. A is signed as it should be by example. (key 4712, "
		"algorithm 13), valid 20231114221320 to 20231115221320\n");
}
END_TEST

/* What an operator needs where a chain is broken: the DS, the keys, the proof that is not there. */
START_TEST(a_broken_chain_is_told)
{
	static const char *const objects[] = {
		"{\"event\":\"ds\",\"at-ms\":0,\"goal\":1,\"name\":\"example.\",\"key-tag\":4711,"
		"\"algorithm\":13,\"digest-type\":2}",
		"{\"event\":\"dnskey\",\"at-ms\":0,\"goal\":1,\"name\":\"example.\",\"key-tag\":4712,"
		"\"algorithm\":8,\"flags\":257}",
		"{\"event\":\"wanting\",\"at-ms\":0,\"goal\":1,\"name\":\"*.example.\","
		"\"note\":\"why\"}",
	};
	json_t *list;

	ADD(EVENT_DS, 1, name("example."), NONE, .rcode = 4711, .records = { 13, 2 });
	ADD(EVENT_DNSKEY, 1, name("example."), NONE, .rcode = 4712, .records = { 8 }, .size = 257);
	ADD(EVENT_WANTING, 1, name("*.example."), NONE, .note = "why");
	expect_text(false, false,
		    "    0 ms  example. has a DS (key 4711, algorithm 13), digest type 2\n"
		    "    0 ms  example. has a DNSKEY (key 4712, algorithm 8), flags 257\n"
		    "    0 ms  wanting in the proof: *.example.: why\n");
	list = trace_json(t);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		char *text = json_dumps(json_array_get(list, i), JSON_COMPACT);

		ck_assert_str_eq(text, objects[i]);
		free(text);
	}
	json_decref(list);
}
END_TEST

START_TEST(terminals_get_lines_and_colours)
{
	ADD(EVENT_GOAL, 1, name("a."), NONE, .type = TYPE_A);
	ADD(EVENT_GOAL, 2, name("b."), NONE, .parent = 1, .type = TYPE_A);
	ADD(EVENT_FAILED, 2, NONE, NONE, .note = "why");
	ADD(EVENT_ANSWER, 1, name("a."), NONE, .type = TYPE_A, .ttl = 5);
	expect_text(true, false,
		    "    0 ms  looks for a. A\n"
		    "    0 ms  ├─ looks for b. A\n"
		    "    0 ms  │  └─ could not be resolved: why\n"
		    "    0 ms  └─ found a. A, 5 s\n");
	expect_text(false, true,
		    "\33[2m    0 ms  \33[0mlooks for a. A\n"
		    "\33[2m    0 ms  |- \33[0mlooks for b. A\n"
		    "\33[2m    0 ms  |  `- \33[0m\33[31mcould not be resolved: why\33[0m\n"
		    "\33[2m    0 ms  `- \33[0m\33[32mfound a. A, 5 s\33[0m\n");
}
END_TEST

START_TEST(a_goal_is_drawn_once)
{
	uint16_t a = name("a."), b = name("b.");

	ADD(EVENT_GOAL, 1, a, NONE, .type = TYPE_A);
	ADD(EVENT_JOINED, 2, b, NONE, .parent = 1, .type = TYPE_A);
	ADD(EVENT_GOAL, 3, name("c."), NONE, .parent = 1, .type = TYPE_A);
	ADD(EVENT_JOINED, 2, b, NONE, .parent = 3, .type = TYPE_A);
	ADD(EVENT_CACHE_MISS, 2, NONE, NONE);
	/* It cannot be, and must not go round for ever. */
	ADD(EVENT_JOINED, 1, a, NONE, .parent = 2, .type = TYPE_A);
	expect_text(false, false,
		    "    0 ms  looks for a. A\n"
		    "    0 ms  |- b. A: somebody looks for it already: waits with them\n"
		    "    0 ms  |  |- not in the cache\n"
		    "    0 ms  |  `- a. A: somebody looks for it already: waits with them\n"
		    "    0 ms  `- looks for c. A\n"
		    "    0 ms     `- b. A: somebody looks for it already: waits with them\n");
}
END_TEST

START_TEST(what_hangs_on_nothing_is_shown_too)
{
	ADD(EVENT_CACHE_MISS, 5, NONE, NONE);
	ADD(EVENT_GOAL, 6, name("a."), NONE, .parent = 5);
	t->lost = 3;
	expect_text(false, false,
		    "    0 ms  not in the cache\n"
		    "    0 ms  looks for a.\n"
		    "          3 more steps did not fit the trace\n");
}
END_TEST

START_TEST(of_many_addresses_a_few_are_drawn)
{
	ADD(EVENT_GOAL, 1, name("a."), NONE);
	for (unsigned i = 0; i < 13; i++)
		ADD(EVENT_ADDRESS_KNOWN, 1, name("ns."), NONE, .server = address("192.0.2.1"));
	ADD(EVENT_CACHE_MISS, 1, NONE, NONE);
	for (unsigned i = 0; i < 4; i++)
		ADD(EVENT_ADDRESS_KNOWN, 1, NONE, NONE, .server = address("192.0.2.2"));
	expect_text(false, false,
		    "    0 ms  looks for a.\n"
		    "    0 ms  |- address of a name server, from the cache: ns.: 192.0.2.1\n"
		    "    0 ms  |- address of a name server, from the cache: ns.: 192.0.2.1\n"
		    "    0 ms  |- address of a name server, from the cache: ns.: 192.0.2.1\n"
		    "    0 ms  |- and 10 more addresses\n"
		    "    0 ms  |- not in the cache\n"
		    "    0 ms  |- address of a name server, from the cache: 192.0.2.2\n"
		    "    0 ms  |- address of a name server, from the cache: 192.0.2.2\n"
		    "    0 ms  |- address of a name server, from the cache: 192.0.2.2\n"
		    "    0 ms  `- address of a name server, from the cache: 192.0.2.2\n");
}
END_TEST

/* Whatever stands in an event, each kind has its line: no layout is forgotten, none reads what
 * is not there. */
START_TEST(every_kind_has_a_line)
{
	struct trace_style style = { 0 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	unsigned lines = 0;

	for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
		uint16_t n = name("x.example.");

		ADD(kind, 0, NONE, NONE);
		ADD(kind, 0, n, n, .type = TYPE_A, .ttl = 1, .note = "note",
		    .server = address("192.0.2.1"), .parent = kind == EVENT_GOAL ? 0 : 1);
	}
	trace_print(f, t, &style);
	fclose(f);
	for (const char *p = strchr(text, '\n'); p != NULL; p = strchr(p + 1, '\n')) {
		ck_assert_msg(p[-1] != ' ', "a line ends in a blank");
		lines++;
	}
	ck_assert_uint_eq(lines, 2 * EVENT_KINDS);
	ck_assert_ptr_null(strchr(text, '%'));
	ck_assert_ptr_null(strchr(text, '['));
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		ck_assert_msg(strstr(text, event_sentence(kind)) != NULL, "no line for '%s'",
			      event_word(kind));
	free(text);
}
END_TEST

START_TEST(a_full_trace_is_drawn)
{
	struct trace_style style = { 0 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	/* Each goal wants the next: as deep as a trace can be. */
	for (unsigned i = 0; i < TRACE_EVENTS_MAX + 5; i++)
		ADD(EVENT_GOAL, (uint16_t)(i + 1), name("a."), NONE, .parent = (uint16_t)i);
	ck_assert_uint_eq(t->lost, 5);
	trace_print(f, t, &style);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "5 more steps"));
	free(text);
}
END_TEST

START_TEST(machines_get_a_list)
{
	json_t *list, *e;
	char *text;

	tell_story();
	list = trace_json(t);
	ck_assert_uint_eq(json_array_size(list), 9);
	text = json_dumps(json_array_get(list, 4), JSON_COMPACT);
	ck_assert_str_eq(text, "{\"event\":\"asked\",\"at-ms\":0,\"goal\":9,"
			       "\"name\":\"ns.example.org.\",\"other\":\"a.nic.org.\","
			       "\"type\":\"AAAA\",\"server\":\"[2001:db8::1]:5300\","
			       "\"transport\":\"TCP\",\"budget\":49}");
	free(text);
	text = json_dumps(json_array_get(list, 7), JSON_COMPACT);
	ck_assert_str_eq(text, "{\"event\":\"answered\",\"at-ms\":443,\"goal\":7,"
			       "\"server\":\"192.0.2.1:53\",\"transport\":\"UDP\","
			       "\"rtt-us\":12345,\"bytes\":120,\"records\":[1,2,3],"
			       "\"rcode\":\"NXDOMAIN\"}");
	free(text);
	e = json_array_get(list, 3);
	ck_assert_int_eq(json_integer_value(json_object_get(e, "parent")), 7);
	json_decref(list);
}
END_TEST

Suite *suite_trace_text(void)
{
	Suite *s = suite_create("trace_text");
	TCase *tc = tcase_create("trace_text");

	tcase_add_checked_fixture(tc, new_trace, free_trace);
	tcase_add_test(tc, goals_hang_below_who_wanted_them);
	tcase_add_test(tc, signatures_tell_their_key_and_its_ds);
	tcase_add_test(tc, a_broken_chain_is_told);
	tcase_add_test(tc, terminals_get_lines_and_colours);
	tcase_add_test(tc, a_goal_is_drawn_once);
	tcase_add_test(tc, what_hangs_on_nothing_is_shown_too);
	tcase_add_test(tc, of_many_addresses_a_few_are_drawn);
	tcase_add_test(tc, every_kind_has_a_line);
	tcase_add_test(tc, a_full_trace_is_drawn);
	tcase_add_test(tc, machines_get_a_list);
	suite_add_tcase(s, tc);
	return s;
}
