/*
 * defender_sketch: how many distinct names, in 128 bytes (HyperLogLog; small numbers by linear
 * counting).  Off by a tenth; two sketches are united by their registers' maxima.
 *
 * The hash is keyed (common/hash.h): nobody can choose names that count as one, or as millions.
 */
#ifndef POLICY_DEFENDER_SKETCH_H
#define POLICY_DEFENDER_SKETCH_H

#include <math.h>
#include <stdint.h>

enum { SKETCH_REGISTERS = 128, SKETCH_BITS = 7 };

struct sketch {
	uint8_t at[SKETCH_REGISTERS];
};

static inline void sketch_add(struct sketch *s, uint64_t hash)
{
	uint64_t rest = hash >> SKETCH_BITS | 1ULL << (64 - SKETCH_BITS);
	uint8_t rank = (uint8_t)(__builtin_ctzll(rest) + 1);
	uint8_t *at = &s->at[hash & (SKETCH_REGISTERS - 1)];

	if (rank > *at)
		*at = rank;
}

static inline void sketch_unite(struct sketch *to, const struct sketch *from)
{
	for (unsigned i = 0; i < SKETCH_REGISTERS; i++)
		to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
}

static inline double sketch_count(const struct sketch *s)
{
	const double m = SKETCH_REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
	double sum = 0, estimate;
	unsigned empty = 0;

	for (unsigned i = 0; i < SKETCH_REGISTERS; i++) {
		sum += 1 / (double)(1ULL << s->at[i]);
		empty += s->at[i] == 0;
	}
	estimate = alpha * m * m / sum;
	if (empty > 0 && estimate <= 2.5 * m)
		return m * log(m / empty);
	return estimate;
}

#endif
