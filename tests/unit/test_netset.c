#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/netset.h"

static struct netset *make(const char *list)
{
	struct netset *s = NULL;
	char bad[ADDR_TEXT_MAX];

	ck_assert_int_eq(netset_new(&s), E_OK);
	ck_assert_msg(netset_add_list(s, list, bad) == E_OK, "refused: %s", bad);
	return s;
}

static bool has(const struct netset *s, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return netset_match(s, &a);
}

START_TEST(empty_matches_nothing)
{
	struct netset *s = make(" , \t,");
	struct addr none = { 0 };

	ck_assert(netset_is_empty(s));
	ck_assert_uint_eq(netset_count(s), 0);
	ck_assert(!has(s, "127.0.0.1"));
	ck_assert(!has(s, "::1"));
	ck_assert(!netset_match(s, &none));
	netset_free(s);
	netset_free(NULL);
}
END_TEST

START_TEST(longest_match_decides)
{
	struct netset *s = make("10.0.0.0/8, !10.1.0.0/16 10.1.2.0/24,!10.1.2.3, 2001:db8::/32");

	ck_assert(has(s, "10.0.0.1"));
	ck_assert(has(s, "10.255.255.255"));
	ck_assert(!has(s, "10.1.0.1"));
	ck_assert(has(s, "10.1.2.2"));
	ck_assert(!has(s, "10.1.2.3"));
	ck_assert(has(s, "10.1.2.4"));
	ck_assert(!has(s, "11.0.0.0"));
	ck_assert(!has(s, "9.255.255.255"));
	ck_assert(has(s, "2001:db8:ffff::"));
	ck_assert(!has(s, "2001:db9::"));
	ck_assert(!has(s, "a00::")); /* the bits of 10.0.0.0, in the other family */
	netset_free(s);
}
END_TEST

START_TEST(whole_families)
{
	struct netset *four = make("0.0.0.0/0"), *six = make("::/0,!::/1");

	ck_assert(has(four, "0.0.0.0"));
	ck_assert(has(four, "255.255.255.255"));
	ck_assert(!has(four, "::"));
	ck_assert(has(six, "8000::"));
	ck_assert(!has(six, "7fff::"));
	ck_assert(!has(six, "1.2.3.4"));
	netset_free(four);
	netset_free(six);
}
END_TEST

START_TEST(last_of_equals_wins)
{
	struct netset *s = make("192.0.2.0/24, !192.0.2.99/24");

	ck_assert_uint_eq(netset_count(s), 1);
	ck_assert(!has(s, "192.0.2.1"));
	netset_free(s);
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "192.0.2.0/33", E_RANGE },       { "::/129", E_RANGE },
		{ "192.0.2.0/999", E_RANGE },      { "192.0.2.0/", E_MALFORMED },
		{ "192.0.2.0/x", E_MALFORMED },    { "192.0.2.0/-1", E_MALFORMED },
		{ "192.0.2.0/+8", E_MALFORMED },   { "192.0.2.0/24/24", E_MALFORMED },
		{ "192.0.2.1:53", E_MALFORMED },   { "[::1]", E_MALFORMED },
		{ "[::1]:53", E_MALFORMED },       { "!", E_MALFORMED },
		{ "!!10.0.0.0/8", E_MALFORMED },   { "10/8", E_MALFORMED },
		{ "192.0.2.0/0024", E_MALFORMED }, { "", E_MALFORMED },
	};
	struct netset *s = make("");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(netset_add_text(s, rows[i].text) == rows[i].err, "%s", rows[i].text);
	ck_assert(netset_is_empty(s));
	netset_free(s);
}
END_TEST

START_TEST(names_the_bad_item)
{
	char bad[ADDR_TEXT_MAX], longer[200];
	struct netset *s = make("");

	ck_assert_int_eq(netset_add_list(s, "10.0.0.0/8, 192.0.2.0/40, x", bad), E_RANGE);
	ck_assert_str_eq(bad, "192.0.2.0/40");
	ck_assert_uint_eq(netset_count(s), 1);

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(netset_add_list(s, longer, bad), E_MALFORMED);
	ck_assert_uint_eq(strlen(bad), ADDR_TEXT_MAX - 1);
	netset_free(s);
}
END_TEST

START_TEST(prints_in_order)
{
	static const char expected[] =
		"10.0.0.0/8, !10.1.0.0/16, 192.0.2.1/32, ::1/128, 2001:db8::/32";
	struct netset *s = make("2001:db8::/32 192.0.2.1 ::1 !10.1.0.0/16 10.99.0.0/8");
	char text[200], cut[20];

	ck_assert_uint_eq(netset_text(s, text, sizeof(text)), strlen(expected));
	ck_assert_str_eq(text, expected);
	ck_assert_uint_eq(netset_text(s, cut, sizeof(cut)), strlen(expected));
	ck_assert(strlen(cut) < sizeof(cut));
	ck_assert_uint_eq(netset_text(s, NULL, 0), strlen(expected));
	netset_free(s);
}
END_TEST

/* A small generator, so that a failure repeats. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct naive {
	struct addr a;
	unsigned len;
	bool deny;
};

static bool same_prefix(const struct addr *a, const struct addr *b, unsigned len)
{
	for (unsigned i = 0; i < len; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		if ((a->ip[i / 8] & bit) != (b->ip[i / 8] & bit))
			return false;
	}
	return true;
}

static bool naive_match(const struct naive *list, size_t n, const struct addr *a)
{
	int best = -1;
	bool found = false;

	/* Of equals the later one stands. */
	for (size_t i = 0; i < n; i++) {
		if (list[i].a.family == a->family && (int)list[i].len >= best &&
		    same_prefix(&list[i].a, a, list[i].len)) {
			best = (int)list[i].len;
			found = !list[i].deny;
		}
	}
	return found;
}

/* Few distinct bits, so that prefixes overlap and part at all depths. */
static struct addr random_addr(uint32_t *state)
{
	struct addr a = { .family = next_random(state) % 2 == 0 ? 4 : 6 };
	unsigned n = a.family == 4 ? 4 : 16;

	for (unsigned i = 0; i < n; i++)
		a.ip[i] = next_random(state) % 3 == 0 ? (uint8_t)next_random(state) : 0;
	return a;
}

START_TEST(agrees_with_a_list)
{
	enum { N = 60, PROBES = 400 };
	uint32_t state = 0x9e3779b9u * ((uint32_t)_i + 1);
	struct netset *s = make("");
	struct naive list[N];

	for (size_t i = 0; i < N; i++) {
		char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
		unsigned max;

		list[i].a = random_addr(&state);
		max = list[i].a.family == 4 ? 32 : 128;
		list[i].len = next_random(&state) % (max + 1);
		list[i].deny = next_random(&state) % 3 == 0;
		(void)snprintf(text, sizeof(text), "%s%s/%u", list[i].deny ? "!" : "",
			       addr_ip_text(ip, &list[i].a), list[i].len);
		ck_assert_int_eq(netset_add_text(s, text), E_OK);
	}
	for (size_t i = 0; i < PROBES; i++) {
		struct addr a = random_addr(&state);
		char ip[ADDR_TEXT_MAX];

		/* Half of them near a prefix that is in the set. */
		if (i % 2 == 0) {
			a = list[next_random(&state) % N].a;
			a.ip[next_random(&state) % (a.family == 4 ? 4 : 16)] ^=
				(uint8_t)(1u << next_random(&state) % 8);
		}
		ck_assert_msg(netset_match(s, &a) == naive_match(list, N, &a), "seed %d: %s", _i,
			      addr_ip_text(ip, &a));
	}
	netset_free(s);
}
END_TEST

START_TEST(printed_means_the_same)
{
	uint32_t state = 0x1234567u * ((uint32_t)_i + 1);
	struct netset *s = make(""), *copy = NULL;
	char text[8192];

	for (int i = 0; i < 50; i++) {
		struct addr a = random_addr(&state);
		char ip[ADDR_TEXT_MAX], item[ADDR_TEXT_MAX + 8];

		(void)snprintf(item, sizeof(item), "%s%s/%u",
			       next_random(&state) % 4 == 0 ? "!" : "", addr_ip_text(ip, &a),
			       next_random(&state) % (a.family == 4 ? 33 : 129));
		ck_assert_int_eq(netset_add_text(s, item), E_OK);
	}
	ck_assert_uint_lt(netset_text(s, text, sizeof(text)), sizeof(text));
	copy = make(text);
	ck_assert_uint_eq(netset_count(s), netset_count(copy));
	for (int i = 0; i < 200; i++) {
		struct addr a = random_addr(&state);

		ck_assert(netset_match(s, &a) == netset_match(copy, &a));
	}
	netset_free(s);
	netset_free(copy);
}
END_TEST

Suite *suite_netset(void)
{
	Suite *s = suite_create("netset");
	TCase *tc = tcase_create("netset");

	tcase_add_test(tc, empty_matches_nothing);
	tcase_add_test(tc, longest_match_decides);
	tcase_add_test(tc, whole_families);
	tcase_add_test(tc, last_of_equals_wins);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, names_the_bad_item);
	tcase_add_test(tc, prints_in_order);
	tcase_add_loop_test(tc, agrees_with_a_list, 0, 50);
	tcase_add_loop_test(tc, printed_means_the_same, 0, 10);
	suite_add_tcase(s, tc);
	return s;
}
