#include "common/netset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"

/* An address as a number, its first bit the highest; IPv4 stands in the highest 32 bits. */
typedef unsigned __int128 bits;

enum { KEY_BITS = 128 };

enum verdict { NO_PREFIX, ALLOW, DENY };

/*
 * A prefix that was added, or a place where two of them part (NO_PREFIX).  Children are longer
 * than their parent and begin with all its bits; the next bit says which child.
 */
struct node {
	bits key;
	uint32_t child[2]; /* 0: none */
	uint8_t len;
	uint8_t verdict;
};

struct netset {
	struct node *nodes; /* nodes[0] is not used */
	uint32_t n_nodes, cap;
	uint32_t root4, root6;
	size_t count;
};

static bits key_of(const struct addr *a)
{
	bits key = 0;
	unsigned n = a->family == 4 ? 4 : 16;

	for (unsigned i = 0; i < n; i++)
		key |= (bits)a->ip[i] << (KEY_BITS - 8 - 8 * i);
	return key;
}

static bits mask(unsigned len)
{
	return len == 0 ? 0 : ~(bits)0 << (KEY_BITS - len);
}

static unsigned bit_at(bits key, unsigned i)
{
	return (unsigned)(key >> (KEY_BITS - 1 - i)) & 1;
}

static unsigned common_bits(bits a, bits b)
{
	bits diff = a ^ b;
	uint64_t high = (uint64_t)(diff >> 64), low = (uint64_t)diff;

	if (high != 0)
		return (unsigned)__builtin_clzll(high);
	return low != 0 ? 64 + (unsigned)__builtin_clzll(low) : KEY_BITS;
}

int netset_new(struct netset **out)
{
	struct netset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	s->n_nodes = 1;
	*out = s;
	return E_OK;
}

void netset_free(struct netset *s)
{
	if (s == NULL)
		return;
	free(s->nodes);
	free(s);
}

/* With room for a prefix more and the branch that it may need. */
static uint32_t next_cap(const struct netset *s)
{
	if (s->n_nodes + 2 <= s->cap)
		return s->cap;
	return s->cap == 0 ? 32 : s->cap * 2;
}

static int reserve(struct netset *s)
{
	uint32_t cap = next_cap(s);
	struct node *nodes;

	if (cap == s->cap)
		return E_OK;
	nodes = realloc(s->nodes, cap * sizeof(*nodes));
	if (nodes == NULL)
		return E_NOMEM;
	s->nodes = nodes;
	s->cap = cap;
	return E_OK;
}

static uint32_t new_node(struct netset *s, bits key, unsigned len, enum verdict verdict)
{
	s->nodes[s->n_nodes] = (struct node) {
		.key = key & mask(len),
		.len = (uint8_t)len,
		.verdict = (uint8_t)verdict,
	};
	return s->n_nodes++;
}

static int add(struct netset *s, uint32_t *root, bits key, unsigned len, enum verdict verdict)
{
	int err = reserve(s);
	uint32_t *at = root;

	if (err != E_OK)
		return err;
	while (*at != 0) {
		struct node *n = &s->nodes[*at];
		unsigned same = common_bits(n->key, key);

		if (same > len)
			same = len;
		if (same < n->len) {
			uint32_t below = *at;
			unsigned side = bit_at(n->key, same);

			*at = new_node(s, key, same, NO_PREFIX);
			s->nodes[*at].child[side] = below;
			n = &s->nodes[*at];
		}
		if (n->len == len) {
			s->count += n->verdict == NO_PREFIX;
			n->verdict = (uint8_t)verdict;
			return E_OK;
		}
		at = &n->child[bit_at(key, n->len)];
	}
	*at = new_node(s, key, len, verdict);
	s->count++;
	return E_OK;
}

int netset_add_text(struct netset *s, const char *text)
{
	bool deny = text[0] == '!';
	struct addr a;
	unsigned len;
	int err = addr_prefix_from_text(&a, &len, text + deny);

	if (err != E_OK)
		return err;
	if (s->count >= NETSET_MAX)
		return E_LIMIT;
	return add(s, a.family == 4 ? &s->root4 : &s->root6, key_of(&a), len, deny ? DENY : ALLOW);
}

struct adding {
	struct netset *set;
	char *bad;
};

static int add_word(void *ctx, const char *word, size_t len)
{
	struct adding *adding = ctx;
	char text[ADDR_TEXT_MAX];
	int err = E_MALFORMED;

	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (len < sizeof(text))
		err = netset_add_text(adding->set, text);
	if (err != E_OK)
		memcpy(adding->bad, text, sizeof(text));
	return err;
}

int netset_add_list(struct netset *s, const char *list, char bad[ADDR_TEXT_MAX])
{
	struct adding adding = { .set = s, .bad = bad };

	return conf_each_word(list, add_word, &adding);
}

bool netset_match(const struct netset *s, const struct addr *a)
{
	uint32_t at = a->family == 4 ? s->root4 : s->root6;
	bits key = key_of(a);
	enum verdict found = NO_PREFIX;

	if (a->family == 0)
		return false;
	while (at != 0) {
		const struct node *n = &s->nodes[at];

		if (((n->key ^ key) & mask(n->len)) != 0)
			break;
		if (n->verdict != NO_PREFIX)
			found = (enum verdict)n->verdict;
		/* A whole address: nothing is longer. */
		if (n->len == KEY_BITS)
			break;
		at = n->child[bit_at(key, n->len)];
	}
	return found == ALLOW;
}

bool netset_is_empty(const struct netset *s)
{
	return s->count == 0;
}

size_t netset_count(const struct netset *s)
{
	return s->count;
}

size_t netset_bytes_next(const struct netset *s)
{
	return sizeof(*s) + next_cap(s) * sizeof(struct node);
}

struct printing {
	const struct netset *set;
	char *out;
	size_t cap, len;
};

static void put(struct printing *p, const char *text)
{
	size_t n = strlen(text);

	if (p->len + n < p->cap)
		memcpy(p->out + p->len, text, n + 1);
	p->len += n;
}

static void print_prefix(struct printing *p, const struct node *n, uint8_t family)
{
	struct addr a = { .family = family };
	char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
	unsigned size = family == 4 ? 4 : 16;

	for (unsigned i = 0; i < size; i++)
		a.ip[i] = (uint8_t)(n->key >> (KEY_BITS - 8 - 8 * i));
	(void)snprintf(text, sizeof(text), "%s%s%s/%u", p->len > 0 ? ", " : "",
		       n->verdict == DENY ? "!" : "", addr_ip_text(ip, &a), (unsigned)n->len);
	put(p, text);
}

/* As deep as a path is long: at most 128 nodes. */
static void print_tree(struct printing *p, uint32_t at, uint8_t family)
{
	const struct node *n;

	if (at == 0)
		return;
	n = &p->set->nodes[at];
	if (n->verdict != NO_PREFIX)
		print_prefix(p, n, family);
	print_tree(p, n->child[0], family);
	print_tree(p, n->child[1], family);
}

size_t netset_text(const struct netset *s, char *out, size_t cap)
{
	struct printing p = { .set = s, .out = out, .cap = cap };

	if (cap > 0)
		out[0] = '\0';
	print_tree(&p, s->root4, 4);
	print_tree(&p, s->root6, 6);
	return p.len;
}
