/* The cases of tables so large that they are mapped: what is in stays in when they cannot grow or
 * shrink, and nothing else is found. */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/sieve.h"
#include "recursor/policy/ipset_impl.h"
#include "tests/oom/oom.h"

/* Enough that a sieve has both its arrays mapped, and one table of a set its own; 16 KB. */
enum { SIEVE_VALUES = 5000, SIEVE_KEPT = 500, SET_ADDRESSES = 600, NOW_S = 1000 };

static char values[SIEVE_VALUES];
static bool is_in[SIEVE_VALUES];

static uint32_t hash_of(uint32_t i)
{
	return i * 0x9e3779b1u;
}

static uint32_t find(const struct sieve *s, uint32_t i)
{
	uint32_t at = sieve_first(s, hash_of(i));

	while (at != SIEVE_NONE && s->slots[at].value != &values[i])
		at = sieve_next(s, at);
	return at;
}

static bool is_sound(const struct sieve *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SIEVE_VALUES; i++) {
		if ((find(s, i) != SIEVE_NONE) != is_in[i])
			return false;
		n += is_in[i];
	}
	return n == s->n;
}

static void fill(struct sieve *s, bool nothing_fails)
{
	uint32_t at;

	for (uint32_t i = 0; i < SIEVE_VALUES; i++) {
		is_in[i] = sieve_insert(s, hash_of(i), &values[i], &at) == E_OK;
		ASSERT(is_in[i] || !nothing_fails);
	}
}

const char *oom_sieve_case(const char *argument, bool nothing_fails)
{
	const char *why = NULL;
	struct sieve s;

	(void)argument;
	sieve_init(&s);
	fill(&s, nothing_fails);
	if (!is_sound(&s))
		why = "a table that grew";
	for (uint32_t i = SIEVE_KEPT; i < SIEVE_VALUES && why == NULL; i++) {
		if (is_in[i] && sieve_remove(&s, find(&s, i)) != &values[i])
			why = "another one is removed";
		is_in[i] = false;
	}
	if (why == NULL && !is_sound(&s))
		why = "a table that shrank";
	sieve_deinit(&s);
	return why;
}

/* The next address from *n on that the first table of IPv6 has (ipset.c): only so is one of them
 * large where there are a thousand. */
static struct addr next_of_one_table(uint32_t *n)
{
	struct addr a = { .family = 6, .ip = { 0x20, 0x01, 0x0d, 0xb8 } };
	uint64_t words[2];

	do {
		memcpy(a.ip + 12, n, sizeof(*n));
		++*n;
		memcpy(words, a.ip, sizeof(words));
	} while (hash_mix(words[0], words[1]) >> (64 - IPSET_SHARD_BITS) != 0);
	return a;
}

static const char *fill_set(struct ipset *s, bool nothing_fails)
{
	uint32_t next = 0, n_in = 0;

	for (unsigned i = 0; i < SET_ADDRESSES; i++) {
		struct addr a = next_of_one_table(&next);

		is_in[i] = ipset_add(s, &a, IPSET_TTL_OF_SET, NOW_S) == E_OK;
		n_in += is_in[i];
	}
	if (nothing_fails && n_in < SET_ADDRESSES)
		return "it is refused";
	next = 0;
	for (unsigned i = 0; i < SET_ADDRESSES; i++) {
		struct addr a = next_of_one_table(&next);

		if (ipset_has(s, NULL, &a, NOW_S) != is_in[i])
			return is_in[i] ? "it is not in the set" : "it is in the set";
	}
	return n_in == ipset_count(s) ? NULL : "their number";
}

const char *oom_large_set_case(const char *argument, bool nothing_fails)
{
	static const struct ipsets_config cfg = { .n_readers = 1,
						  .max_sets = 1,
						  .max_entries = SET_ADDRESSES };
	const struct ipset_options o = { .name = "a" };
	struct ipset_stats stats;
	struct ipsets *all = NULL;
	struct ipset *s = NULL;
	const char *why = NULL;
	int err;

	(void)argument;
	err = ipsets_new(&all, &cfg);
	if (err == E_OK)
		err = ipsets_open(all, &s, &o);
	if (err == E_OK) {
		why = fill_set(s, nothing_fails);
		ipset_stats(s, &stats);
		ipset_clear(s);
		ipsets_tidy(all, NOW_S);
	}
	if (nothing_fails && why == NULL &&
	    (err != E_OK || stats.bytes < ipset_bytes_empty() + 16 * 1024))
		why = "no table is large";
	ipset_put(s);
	ipsets_free(all);
	return why;
}
