#include "common/order.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 600, KEY_MAX = 3 };

struct item {
	struct order_node node;
	uint8_t key[KEY_MAX];
	bool is_in;
};

static struct item items[KEYS];
static uint64_t seed;

static uint32_t draw(void)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33);
}

/* All keys of up to three bytes out of a few, each once. */
static void setup(void)
{
	static const uint8_t bytes[] = { 0, 1, 2, 'a', 'b', 'y', 'z', 255 };
	unsigned n = 0;

	seed = 7;
	memset(items, 0, sizeof(items));
	for (unsigned code = 0; code < 9 * 9 * 9; code++) {
		unsigned digits[KEY_MAX] = { code / 81, code / 9 % 9, code % 9 };
		unsigned len = 0;

		/* A digit 0 ends the key; behind the end there is no other digit. */
		while (len < KEY_MAX && digits[len] != 0)
			len++;
		if ((len < 1 && (digits[1] | digits[2]) != 0) || (len == 1 && digits[2] != 0))
			continue;
		for (unsigned i = 0; i < len; i++)
			items[n].key[i] = bytes[digits[i] - 1];
		items[n].node.key = items[n].key;
		items[n].node.key_len = (uint16_t)len;
		n++;
	}
	ck_assert_uint_eq(n, 585);
}

/* What the set must say, by looking at every item. */
static struct order_node *expect(const struct item *key, int from, int to, bool want_last)
{
	struct order_node *best = NULL;

	for (unsigned i = 0; i < 585; i++) {
		struct order_node *n = &items[i].node;
		int diff = order_compare(n, key->key, key->node.key_len);

		diff = (diff > 0) - (diff < 0);
		if (!items[i].is_in || diff < from || diff > to)
			continue;
		if (best == NULL || (order_compare(best, n->key, n->key_len) < 0) == want_last)
			best = n;
	}
	return best;
}

static unsigned depth_of(const struct order_node *n)
{
	unsigned left, right;

	if (n == NULL)
		return 0;
	left = depth_of(n->left);
	right = depth_of(n->right);
	return 1 + (left > right ? left : right);
}

START_TEST(finds_neighbours_whatever_comes_and_goes)
{
	struct order o = { NULL };

	for (unsigned round = 0; round < 4000; round++) {
		struct item *i = &items[draw() % 585];
		const struct item *k = &items[draw() % 585];

		if (i->is_in) {
			order_remove(&o, &i->node);
		} else {
			i->node.priority = draw();
			order_insert(&o, &i->node);
		}
		i->is_in = !i->is_in;
		ck_assert_ptr_eq(order_find(&o, k->key, k->node.key_len),
				 k->is_in ? &k->node : NULL);
		ck_assert_ptr_eq(order_before(&o, k->key, k->node.key_len),
				 expect(k, -1, -1, true));
		ck_assert_ptr_eq(order_at_or_before(&o, k->key, k->node.key_len),
				 expect(k, -1, 0, true));
		ck_assert_ptr_eq(order_behind(&o, k->key, k->node.key_len), expect(k, 1, 1, false));
		ck_assert_ptr_eq(order_last(&o), expect(k, -1, 1, true));
	}
	for (unsigned i = 0; i < 585; i++)
		if (items[i].is_in)
			order_remove(&o, &items[i].node);
	ck_assert_ptr_null(o.root);
}
END_TEST

START_TEST(stays_shallow_with_keys_in_order)
{
	struct order o = { NULL };

	for (unsigned i = 0; i < 585; i++) {
		items[i].node.priority = draw();
		order_insert(&o, &items[i].node);
	}
	ck_assert_uint_lt(depth_of(o.root), 40);
}
END_TEST

Suite *suite_order(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, finds_neighbours_whatever_comes_and_goes);
	tcase_add_test(t, stays_shallow_with_keys_in_order);
	suite_add_tcase(s, t);
	return s;
}
