#include "common/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/check.h"

int order_compare(const struct order_node *n, const uint8_t *key, uint16_t len)
{
	uint16_t shorter = n->key_len < len ? n->key_len : len;
	int diff = shorter > 0 ? memcmp(n->key, key, shorter) : 0;

	return diff != 0 ? diff : (int)n->key_len - (int)len;
}

/* The last node whose order to the key is less than `below`. */
static struct order_node *last_below(const struct order *o, const uint8_t *key, uint16_t len,
				     int below)
{
	struct order_node *n = o->root, *found = NULL;

	while (n != NULL) {
		if (order_compare(n, key, len) < below) {
			found = n;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return found;
}

struct order_node *order_before(const struct order *o, const uint8_t *key, uint16_t len)
{
	return last_below(o, key, len, 0);
}

struct order_node *order_at_or_before(const struct order *o, const uint8_t *key, uint16_t len)
{
	return last_below(o, key, len, 1);
}

struct order_node *order_behind(const struct order *o, const uint8_t *key, uint16_t len)
{
	struct order_node *n = o->root, *found = NULL;

	while (n != NULL) {
		if (order_compare(n, key, len) > 0) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

struct order_node *order_last(const struct order *o)
{
	struct order_node *n = o->root;

	while (n != NULL && n->right != NULL)
		n = n->right;
	return n;
}

struct order_node *order_find(const struct order *o, const uint8_t *key, uint16_t len)
{
	struct order_node *n = order_at_or_before(o, key, len);

	return n != NULL && order_compare(n, key, len) == 0 ? n : NULL;
}

void order_insert(struct order *o, struct order_node *n)
{
	struct order_node **at = &o->root, **left = &n->left, **right = &n->right;
	struct order_node *rest;

	while (*at != NULL && (*at)->priority >= n->priority)
		at = order_compare(*at, n->key, n->key_len) < 0 ? &(*at)->right : &(*at)->left;
	/* What stood here is taken apart: what is before the key to the left, the rest to the right. */
	rest = *at;
	*at = n;
	while (rest != NULL) {
		int diff = order_compare(rest, n->key, n->key_len);

		ASSERT(diff != 0);
		if (diff < 0) {
			*left = rest;
			left = &rest->right;
			rest = rest->right;
		} else {
			*right = rest;
			right = &rest->left;
			rest = rest->left;
		}
	}
	*left = NULL;
	*right = NULL;
}

void order_remove(struct order *o, struct order_node *n)
{
	struct order_node **at = &o->root, *left = n->left, *right = n->right;

	while (*at != n) {
		ASSERT(*at != NULL);
		at = order_compare(*at, n->key, n->key_len) < 0 ? &(*at)->right : &(*at)->left;
	}
	while (left != NULL && right != NULL) {
		bool is_left = left->priority >= right->priority;

		*at = is_left ? left : right;
		at = is_left ? &left->right : &right->left;
		if (is_left)
			left = *at;
		else
			right = *at;
	}
	*at = left != NULL ? left : right;
}
