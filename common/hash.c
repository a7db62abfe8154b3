/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"). */
#include "common/hash.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "common/ascii.h"
#include "common/check.h"

static uint64_t key[2];

void hash_key_init(void)
{
	/* 16 bytes are never cut short by a signal (getrandom(2)). */
	ASSERT(getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key));
}

void hash_key_set(uint64_t k0, uint64_t k1)
{
	key[0] = k0;
	key[1] = k1;
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline void mix_round(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	mix_round(s);
	s->v0 ^= word;
}

static inline uint64_t siphash(const uint8_t *data, size_t len, bool lower)
{
	struct state s = {
		key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573,
	};
	uint64_t last = (uint64_t)len << 56, word;

	for (; len >= sizeof(word); len -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		absorb(&s, le64toh(lower ? ascii_lower8(word) : word));
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)(lower ? ascii_lower(data[i]) : data[i]) << (8 * i);
	absorb(&s, last);
	s.v2 ^= 0xff;
	mix_round(&s);
	mix_round(&s);
	mix_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_bytes(const void *data, size_t len)
{
	return siphash(data, len, false);
}

uint64_t hash_bytes_lower(const void *data, size_t len)
{
	return siphash(data, len, true);
}

/* The halves of the full product of two words: each bit of the result depends on all of theirs. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
	uint64_t half = fold(a ^ key[0], b ^ key[1]);

	return fold(half ^ key[1], key[0] ^ 0x9e3779b97f4a7c15);
}

/* FNV-1a. */
uint64_t hash_lasting(uint64_t before, const void *data, size_t len)
{
	uint64_t h = before == 0 ? 0xcbf29ce484222325 : before;

	for (const uint8_t *p = data; len > 0; p++, len--)
		h = (h ^ *p) * 0x100000001b3;
	return h;
}
