/*
 * rng: random numbers that a seed decides: splitmix64, one word of state, so that each matter
 * (the Internet, its servers, the clients) draws from a stream of its own.
 */
#ifndef SOAK_RNG_H
#define SOAK_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A stream of its own for each `matter` of a seed. */
static inline struct rng rng_for(uint64_t seed, uint64_t matter)
{
	struct rng r = { seed * 0xd1342543de82ef95u + matter };

	rng_next(&r);
	return r;
}

/* Uniform in [0, n); n is at least 1. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

static inline uint32_t rng_between(struct rng *r, uint32_t low, uint32_t high)
{
	return low + rng_below(r, high - low + 1);
}

static inline bool rng_chance(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

#define RNG_PICK(r, array) ((array)[rng_below((r), (uint32_t)(sizeof(array) / sizeof((array)[0])))])

#endif
