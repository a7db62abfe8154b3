/*
 * order: an ordered set of byte strings: what stands before a key, what behind it.
 *
 * A treap: a search tree by key, which is a heap by priority; with priorities that nobody chooses it
 * is as deep as some 2.5 times the logarithm of its size, whatever order the keys come in.
 *
 *     order.root -> node { key, priority, left, right }
 *
 * Keys are compared as memcmp(3) does, the shorter of two that begin alike first.
 *
 * Memory:  nothing is allocated: nodes are the owner's, within what he keeps by these keys.
 * Threads: none; the owner locks.
 */
#ifndef COMMON_ORDER_H
#define COMMON_ORDER_H

#include <stdint.h>

struct order_node {
	struct order_node *left, *right; /* the set's */
	const uint8_t *key;
	uint32_t priority; /* random */
	uint16_t key_len;
};

struct order {
	struct order_node *root;
};

int order_compare(const struct order_node *n, const uint8_t *key, uint16_t len);

/* The last one before the key, or NULL; the same or with the key itself. */
struct order_node *order_before(const struct order *o, const uint8_t *key, uint16_t len);
struct order_node *order_at_or_before(const struct order *o, const uint8_t *key, uint16_t len);
/* The first one behind the key, or NULL. */
struct order_node *order_behind(const struct order *o, const uint8_t *key, uint16_t len);
/* The last of all, or NULL. */
struct order_node *order_last(const struct order *o);
struct order_node *order_find(const struct order *o, const uint8_t *key, uint16_t len);

/* Its key is not in the set yet. */
void order_insert(struct order *o, struct order_node *n);
/* It is in the set. */
void order_remove(struct order *o, struct order_node *n);

#endif
