#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/costs.h"
#include "tests/unit/wire_name.h"

static struct costs *costs;
static struct psl *psl;
static uint64_t now_ms = 1000000;

static void open_costs(void)
{
	char why[256];

	ck_assert_int_eq(psl_new(&psl, "", why, sizeof(why)), E_OK);
	ck_assert_int_eq(costs_new(&costs, 64, now_ms), E_OK);
}

static void close_costs(void)
{
	costs_free(costs);
	costs_free(NULL);
	psl_put(psl);
}

static void charge(const char *remote, const char *name, uint64_t cpu_us, uint64_t outqueries,
		   uint64_t wait_us)
{
	const struct cost c = { cpu_us, outqueries, wait_us };
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, remote, 53), E_OK);
	if (name == NULL)
		costs_charge_server(costs, &a, &c);
	else
		costs_charge_client(costs, psl, &a, wire(name), &c);
}

static void pass(uint64_t ms)
{
	for (uint64_t end = now_ms + ms; now_ms < end;) {
		now_ms += 200;
		costs_tick(costs, now_ms);
	}
}

static struct cost total(enum cost_kind kind, enum cost_window window)
{
	struct cost sum = { 0 };

	for (unsigned i = 0; i < costs_window_slots(window); i++)
		cost_add(&sum, &costs_slot(costs, kind, window, i).heavy->total);
	return sum;
}

/* The keys of the slot that runs: there is one. */
static const uint8_t *only_key(enum cost_kind kind, size_t *len)
{
	const struct heavy *h = costs_slot(costs, kind, COST_TEN_MINUTES, 11).heavy;
	const uint8_t *only = NULL;

	for (unsigned b = 0; b < h->n_buckets; b++) {
		for (unsigned way = 0; way < HEAVY_WAYS; way++) {
			size_t n;
			const uint8_t *key = heavy_key(h, b, way, &n);

			if (key == NULL)
				continue;
			ck_assert_ptr_null(only);
			only = key;
			*len = n;
		}
	}
	return only;
}

START_TEST(what_is_charged_to_whom)
{
	char text[NAME_TEXT_MAX], ip[ADDR_TEXT_MAX];
	const uint8_t *key;
	struct addr a;
	unsigned bits;
	size_t len;

	costs_set_bits(costs, 24, 56);
	charge("192.0.2.77", "a.B.Example.co.uk", 10, 2, 3000);
	charge("192.0.2.78:99", "example.co.uk", 10, 2, 3000);
	charge("2001:db8::53", NULL, 7, 1, 5);
	key = only_key(COST_REMOTES, &len);
	ck_assert_uint_eq(costs_read_remote(key, &a, &bits), len);
	ck_assert_str_eq(addr_ip_text(ip, &a), "192.0.2.0");
	ck_assert_uint_eq(bits, 24);
	key = only_key(COST_DOMAINS, &len);
	ck_assert_str_eq(name_to_text(text, key), "example.co.uk.");
	key = only_key(COST_PAIRS, &len);
	key += costs_read_remote(key, &a, &bits);
	ck_assert_str_eq(addr_ip_text(ip, &a), "192.0.2.0");
	ck_assert_str_eq(name_to_text(text, key), "example.co.uk.");
	key = only_key(COST_SERVERS, &len);
	ck_assert_uint_eq(costs_read_remote(key, &a, &bits), len);
	ck_assert_str_eq(addr_ip_text(ip, &a), "2001:db8::53");
	ck_assert_uint_eq(bits, 128);
	ck_assert_uint_eq(total(COST_PAIRS, COST_HOUR).cpu_us, 20);
	ck_assert_uint_eq(total(COST_SERVERS, COST_HOUR).outqueries, 1);
}
END_TEST

START_TEST(any_number_of_bits)
{
	for (unsigned bits = 0; bits <= 128; bits++) {
		struct addr a;
		unsigned got;
		size_t len;
		const uint8_t *key;

		close_costs();
		open_costs();
		costs_set_bits(costs, bits > 32 ? 32 : bits, bits);
		charge("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a", 1, 0, 0);
		key = only_key(COST_REMOTES, &len);
		ck_assert_uint_eq(costs_read_remote(key, &a, &got), len);
		for (unsigned i = 0; i < 128; i++)
			ck_assert_uint_eq(a.ip[i / 8] >> (7 - i % 8) & 1, i < bits);
	}
}
END_TEST

START_TEST(long_names_are_cut_at_a_label)
{
	static const char label[] =
		"123456789012345678901234567890123456789012345678901234567890123";
	char name[256], text[NAME_TEXT_MAX];
	size_t len;

	/* A suffix that has a label of any length: *.ck. */
	(void)snprintf(name, sizeof(name), "www.%s.%s.ck", label, label);
	charge("192.0.2.1", name, 1, 0, 0);
	(void)snprintf(name, sizeof(name), "%s.ck.", label);
	ck_assert_str_eq(name_to_text(text, only_key(COST_DOMAINS, &len)), name);
}
END_TEST

/* What was charged is in each window for as long as that says, and in none twice. */
START_TEST(windows_move_on)
{
	charge("192.0.2.1", "a.example", 1, 0, 0);
	for (unsigned s = 0; s < 3600 + 800; s++) {
		uint64_t minute = total(COST_DOMAINS, COST_MINUTE).cpu_us;
		uint64_t ten = total(COST_DOMAINS, COST_TEN_MINUTES).cpu_us;
		uint64_t hour = total(COST_DOMAINS, COST_HOUR).cpu_us;

		ck_assert_uint_le(minute, 1);
		ck_assert_uint_le(ten, 1);
		ck_assert_uint_le(hour, 1);
		if (s <= 60)
			ck_assert_uint_eq(minute, 1);
		if (s >= 75)
			ck_assert_uint_eq(minute, 0);
		if (s <= 600)
			ck_assert_uint_eq(ten, 1);
		if (s >= 700)
			ck_assert_uint_eq(ten, 0);
		if (s <= 3600)
			ck_assert_uint_eq(hour, 1);
		if (s >= 4350)
			ck_assert_uint_eq(hour, 0);
		pass(1000);
	}
}
END_TEST

/* Charged without an end: the windows hold as much as falls into them. */
START_TEST(windows_hold_what_they_say)
{
	for (unsigned s = 0; s < 5000; s++) {
		charge("192.0.2.1", "a.example", 1, 0, 0);
		pass(1000);
	}
	ck_assert_uint_ge(total(COST_REMOTES, COST_MINUTE).cpu_us, 60);
	ck_assert_uint_le(total(COST_REMOTES, COST_MINUTE).cpu_us, 75);
	ck_assert_uint_ge(total(COST_REMOTES, COST_TEN_MINUTES).cpu_us, 600);
	ck_assert_uint_le(total(COST_REMOTES, COST_TEN_MINUTES).cpu_us, 700);
	ck_assert_uint_ge(total(COST_REMOTES, COST_HOUR).cpu_us, 3600);
	ck_assert_uint_le(total(COST_REMOTES, COST_HOUR).cpu_us, 4350);
}
END_TEST

START_TEST(slots_tell_since_when)
{
	uint64_t begun = now_ms, serial = costs_slot(costs, COST_PAIRS, COST_HOUR, 0).serial;

	ck_assert_uint_eq(costs_slot(costs, COST_PAIRS, COST_HOUR, 0).began_ms, begun);
	ck_assert_uint_eq(costs_slot(costs, COST_PAIRS, COST_HOUR, 1).began_ms, UINT64_MAX);
	pass(5000);
	ck_assert_uint_eq(costs_slot(costs, COST_PAIRS, COST_HOUR, 0).serial, serial);
	pass(10000);
	ck_assert_uint_ne(costs_slot(costs, COST_PAIRS, COST_HOUR, 0).serial, serial);
	ck_assert_uint_ge(costs_slot(costs, COST_PAIRS, COST_MINUTE, 1).began_ms, begun + 10000);
}
END_TEST

Suite *suite_costs(void)
{
	Suite *s = suite_create("costs");
	TCase *tc = tcase_create("costs");

	tcase_add_checked_fixture(tc, open_costs, close_costs);
	tcase_add_test(tc, what_is_charged_to_whom);
	tcase_add_test(tc, any_number_of_bits);
	tcase_add_test(tc, long_names_are_cut_at_a_label);
	tcase_add_test(tc, windows_move_on);
	tcase_add_test(tc, windows_hold_what_they_say);
	tcase_add_test(tc, slots_tell_since_when);
	suite_add_tcase(s, tc);
	return s;
}
