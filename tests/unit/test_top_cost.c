#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/top_cost.h"
#include "tests/unit/fake_env.h"
#include "tests/unit/wire_name.h"

static struct fake_env fake;
static char *reply;
static int status;

static void open_env(void)
{
	fake_env_open(&fake);
	reply = NULL;
}

static void close_env(void)
{
	fake_env_close(&fake);
	free(reply);
}

static const char *say(const char *line)
{
	free(reply);
	reply = fake_env_say(&fake, line, -1, &status);
	return reply;
}

static void charge(unsigned worker, const char *remote, const char *name, uint64_t cpu_us,
		   uint64_t outqueries, uint64_t wait_us)
{
	const struct cost c = { cpu_us, outqueries, wait_us };
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, remote, 53), E_OK);
	if (name == NULL)
		costs_charge_server(fake.costs[worker], &a, &c);
	else
		costs_charge_client(fake.costs[worker], fake.psl, &a, wire(name), &c);
}

START_TEST(nothing_has_cost_anything)
{
	ck_assert_str_eq(
		say("top-cost servers 1m"),
		"Over the last 5 seconds: 0.0 ms of CPU, 0 outqueries, 0.0 s of waiting\n"
		"    cpu         ms     out    queries    wait          s  servers\n"
		"No figure is too low by more than 0.0 ms, 0 outqueries, 0.0 s; who is not "
		"known cost no more.\n");
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(workers_are_put_together)
{
	charge(0, "192.0.2.1", "a.example.com", 1000, 10, 5000000);
	charge(1, "192.0.2.1", "B.Example.com", 2000, 20, 0);
	charge(1, "192.0.2.2", "other.net", 1000, 70, 5000000);
	ck_assert_str_eq(
		say("top-cost remotes-domains cpu 10m"),
		"Over the last 5 seconds: 4.0 ms of CPU, 100 outqueries, 10.0 s of "
		"waiting\n"
		"    cpu         ms     out    queries    wait          s  "
		"remotes-domains\n"
		" 75.00%        3.0  30.00%         30  50.00%        5.0  "
		"192.0.2.1 example.com.\n"
		" 25.00%        1.0  70.00%         70  50.00%        5.0  "
		"192.0.2.2 other.net.\n"
		"No figure is too low by more than 0.0 ms, 0 outqueries, 0.0 s; who is not "
		"known cost no more.\n");
	ck_assert_ptr_nonnull(
		strstr(say("top-cost domains 1h outqueries"), " other.net.\n 75.00%"));
	/* Without a measure: who has the largest share of anything. */
	ck_assert_ptr_nonnull(strstr(say("top-cost domains 1h"), " example.com.\n 25.00%"));
}
END_TEST

START_TEST(three_windows_in_json)
{
	json_t *root, *window;

	charge(0, "2001:db8::53", NULL, 7, 1, 1500000);
	root = json_loads(say("--json top-cost servers"), 0, NULL);
	ck_assert_ptr_nonnull(root);
	ck_assert_uint_eq(json_array_size(json_object_get(root, "windows")), 3);
	for (size_t i = 0; i < 3; i++) {
		char *text;

		window = json_array_get(json_object_get(root, "windows"), i);
		ck_assert_int_eq(json_integer_value(json_object_get(window, "seconds")), 5);
		text = json_dumps(json_object_get(window, "top"), JSON_COMPACT);
		ck_assert_str_eq(text, "[{\"cpu-usec\":7,\"outqueries\":1,\"wait-usec\":1500000,"
				       "\"server\":\"2001:db8::53\",\"missed\":{\"cpu-usec\":0,"
				       "\"outqueries\":0,\"wait-usec\":0}}]");
		free(text);
	}
	json_decref(root);
}
END_TEST

/* Each worker has seen more clients than it has places: what is missed is told. */
START_TEST(bounds_are_shown)
{
	json_t *root, *missed;

	for (unsigned i = 0; i < 20000; i++) {
		char remote[32];

		(void)snprintf(remote, sizeof(remote), "10.%u.%u.1", i / 256 % 256, i % 256);
		charge(i % 2, remote, "example.com", 10, 1, 0);
		charge(i % 2, "192.0.2.1", "example.com", 10, 1, 0);
	}
	ck_assert_ptr_nonnull(strstr(say("top-cost remotes 1m"), " 192.0.2.1\n"));
	root = json_loads(say("--json top-cost remotes 1m"), 0, NULL);
	missed = json_object_get(json_array_get(json_object_get(root, "windows"), 0), "missed");
	ck_assert_int_gt(json_integer_value(json_object_get(missed, "outqueries")), 0);
	ck_assert_int_lt(json_integer_value(json_object_get(missed, "outqueries")), 5000);
	json_decref(root);
}
END_TEST

START_TEST(clients_are_counted_by_prefix)
{
	costs_set_bits(fake.costs[0], 32, 56);
	charge(0, "2001:db8::1", "example.com", 10, 1, 0);
	charge(0, "2001:db8::2", "example.com", 10, 1, 0);
	ck_assert_ptr_nonnull(strstr(say("top-cost remotes"), "          2   0.00%        0.0  "
							      "2001:db8::/56\n"));
}
END_TEST

START_TEST(workers_that_cannot_tell)
{
	charge(1, "192.0.2.1", "example.com", 10, 1, 0);
	costs_free(fake.costs[0]);
	fake.costs[0] = NULL;
	ck_assert_ptr_nonnull(strstr(say("top-cost domains 1m"), "example.com.\n"));
	fake.is_stopped[1] = true;
	ck_assert_ptr_null(strstr(say("top-cost domains 1m"), "example.com.\n"));
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(what_it_does_not_know)
{
	static const char *const lines[] = {
		"top-cost queries",
		"top-cost remotes memory",
		"top-cost remotes 2m",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		ck_assert_ptr_nonnull(strstr(say(lines[i]), "usage: top-cost remotes|"));
		ck_assert_int_eq(status, 1);
	}
}
END_TEST

Suite *suite_top_cost(void)
{
	Suite *s = suite_create("top_cost");
	TCase *tc = tcase_create("top_cost");

	tcase_add_checked_fixture(tc, open_env, close_env);
	tcase_add_test(tc, nothing_has_cost_anything);
	tcase_add_test(tc, workers_are_put_together);
	tcase_add_test(tc, three_windows_in_json);
	tcase_add_test(tc, bounds_are_shown);
	tcase_add_test(tc, clients_are_counted_by_prefix);
	tcase_add_test(tc, workers_that_cannot_tell);
	tcase_add_test(tc, what_it_does_not_know);
	suite_add_tcase(s, tc);
	return s;
}
