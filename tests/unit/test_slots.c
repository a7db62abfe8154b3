#include "recursor/policy/slots.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 100 };

static const struct slots_config ordinary = { .max = MAX, .ipv4_bits = 32, .ipv6_bits = 56 };

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 1234), E_OK);
	return a;
}

static struct slots *make(const struct slots_config *cfg)
{
	struct slots *s;

	ck_assert_int_eq(slots_new(&s, cfg), E_OK);
	return s;
}

START_TEST(one_may_have_all)
{
	struct slots *s = make(&ordinary);
	struct addr a = address("192.0.2.1"), b = address("192.0.2.2");
	struct slot slot[MAX + 1];

	memset(slot, 0, sizeof(slot));
	for (int i = 0; i < MAX; i++) {
		ck_assert(!slots_are_full(s));
		slots_take(s, &slot[i], &a);
	}
	ck_assert(slots_are_full(s));
	/* It gets no more by asking; another gets the oldest. */
	ck_assert_ptr_null(slots_victim(s, &a));
	ck_assert_ptr_eq(slots_victim(s, &b), &slot[0]);
	slots_give(s, &slot[0]);
	slots_take(s, &slot[MAX], &b);
	ck_assert_ptr_eq(slots_victim(s, &b), &slot[1]);
	for (int i = 0; i <= MAX; i++)
		slots_give(s, &slot[i]); /* the first for the second time: no harm */
	ck_assert_uint_eq(slots_used(s), 0);
	slots_free(s);
}
END_TEST

/* Clients that want more than their part come to have equal parts, the modest what they want. */
START_TEST(shares_become_equal)
{
	enum { CLIENTS = 5, MODEST = 4, WANTS = 10, ROUNDS = 1000 };
	struct slots *s = make(&ordinary);
	struct slot *slots = calloc(ROUNDS, sizeof(*slots));
	unsigned n[CLIENTS] = { 0 }, owner[ROUNDS], next = 0, refused = 0;
	struct addr a[CLIENTS];

	ck_assert_ptr_nonnull(slots);
	for (unsigned i = 0; i < CLIENTS; i++) {
		a[i] = address("192.0.2.1");
		a[i].ip[3] = (uint8_t)i;
	}
	/* The first has all before the others come. */
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned i = round < MAX ? 0 : round % CLIENTS;
		struct slot *victim = NULL;

		if (i == MODEST && n[i] == WANTS)
			continue;
		if (slots_are_full(s)) {
			victim = slots_victim(s, &a[i]);
			refused += victim == NULL;
			if (victim == NULL)
				continue;
			n[owner[victim - slots]]--;
			slots_give(s, victim);
		}
		slots_take(s, &slots[next], &a[i]);
		owner[next++] = i;
		n[i]++;
	}
	ck_assert_uint_eq(n[MODEST], WANTS);
	for (unsigned i = 0; i < MODEST; i++) {
		ck_assert_uint_ge(n[i], 22);
		ck_assert_uint_le(n[i], 23);
	}
	ck_assert_uint_gt(refused, 0);
	for (unsigned i = 0; i < next; i++)
		slots_give(s, &slots[i]);
	slots_free(s);
	free(slots);
}
END_TEST

START_TEST(forged_sources_are_no_share)
{
	struct slots *s = make(&ordinary);
	struct slot slot[MAX];
	struct addr a = address("192.0.2.1"), b = address("198.51.100.1");

	memset(slot, 0, sizeof(slot));
	for (unsigned i = 0; i < MAX; i++) {
		a.ip[3] = (uint8_t)i;
		slots_take(s, &slot[i], &a);
	}
	ck_assert_ptr_null(slots_victim(s, &b));
	for (unsigned i = 0; i < MAX; i++)
		slots_give(s, &slot[i]);
	slots_free(s);
}
END_TEST

START_TEST(a_prefix_is_a_client)
{
	struct slots_config cfg = { .max = 4, .ipv4_bits = 20, .ipv6_bits = 56 };
	static const char *const same[][2] = {
		{ "2001:db8:0:1100::1", "2001:db8:0:11ff:ffff::2" },
		{ "192.0.32.1", "192.0.47.255" },
	};
	static const char *const others[][2] = {
		{ "2001:db8:0:1100::1", "2001:db8:0:1200::1" },
		{ "192.0.32.1", "192.0.48.1" },
	};

	for (int i = 0; i < 2; i++) {
		struct slots *s = make(&cfg);
		struct addr a = address(same[i][0]), b = address(same[i][1]);
		struct addr c = address(others[i][1]);
		struct slot slot[4];

		memset(slot, 0, sizeof(slot));
		for (int k = 0; k < 4; k++)
			slots_take(s, &slot[k], &a);
		ck_assert_ptr_null(slots_victim(s, &b));
		ck_assert_ptr_nonnull(slots_victim(s, &c));
		for (int k = 0; k < 4; k++)
			slots_give(s, &slot[k]);
		slots_free(s);
	}
}
END_TEST

START_TEST(limits_may_change)
{
	struct slots *s = make(&ordinary);
	struct slots_config more = { .max = 3 * MAX, .ipv4_bits = 24, .ipv6_bits = 56 };
	struct slots_config fewer = { .max = 2, .ipv4_bits = 32, .ipv6_bits = 56 };
	struct addr a = address("192.0.2.1"), b = address("192.0.2.2");
	struct slot slot[3 * MAX];

	memset(slot, 0, sizeof(slot));
	for (int i = 0; i < MAX; i++)
		slots_take(s, &slot[i], &a);
	slots_configure(s, &more);
	for (int i = MAX; i < 3 * MAX; i++) {
		ck_assert(!slots_are_full(s));
		slots_take(s, &slot[i], &b);
	}
	slots_configure(s, &fewer);
	ck_assert(slots_are_full(s));
	ck_assert_ptr_nonnull(slots_victim(s, &b));
	for (int i = 0; i < 3 * MAX; i++)
		slots_give(s, &slot[i]);
	ck_assert(!slots_are_full(s));
	slots_free(s);
}
END_TEST

/* The number that the greedy hold is known whoever comes and goes. */
START_TEST(agrees_with_a_model)
{
	enum { CLIENTS = 9, STEPS = 20000 };
	struct slots *s = make(&ordinary);
	struct slot slot[MAX];
	unsigned n[CLIENTS] = { 0 }, owner[MAX], seed = 1;

	memset(slot, 0, sizeof(slot));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned at, who, most = 0;
		struct addr a = address("192.0.2.1");
		struct slot *victim;

		seed = seed * 1103515245 + 12345;
		at = seed >> 16 & 127;
		who = (seed >> 8) % CLIENTS;
		a.ip[3] = (uint8_t)who;
		for (unsigned i = 0; i < CLIENTS; i++)
			most = n[i] > most ? n[i] : most;
		victim = slots_victim(s, &a);
		ck_assert_int_eq(victim != NULL, most >= n[who] + 2);
		if (victim != NULL)
			ck_assert_uint_eq(n[owner[victim - slot]], most);
		if (at >= MAX)
			continue;
		if (slot[at].is_taken) {
			slots_give(s, &slot[at]);
			n[owner[at]]--;
		} else {
			slots_take(s, &slot[at], &a);
			owner[at] = who;
			n[who]++;
		}
	}
	for (unsigned i = 0; i < MAX; i++)
		slots_give(s, &slot[i]);
	slots_free(s);
}
END_TEST

Suite *suite_slots(void);

Suite *suite_slots(void)
{
	Suite *s = suite_create("slots");
	TCase *tc = tcase_create("slots");

	tcase_add_test(tc, one_may_have_all);
	tcase_add_test(tc, shares_become_equal);
	tcase_add_test(tc, forged_sources_are_no_share);
	tcase_add_test(tc, a_prefix_is_a_client);
	tcase_add_test(tc, limits_may_change);
	tcase_add_test(tc, agrees_with_a_model);
	suite_add_tcase(s, tc);
	return s;
}
