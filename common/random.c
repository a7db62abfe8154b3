/* ChaCha20 after RFC 8439 2.3; fast key erasure: each refill first makes its own next key. */
#include "common/random.h"

#include <string.h>
#include <sys/random.h>

enum {
	BLOCK = 64,
	KEY_LEN = 32,
	POOL_LEN = sizeof(((struct random_source *)0)->pool),
	RESEED_BLOCKS = 1 << 15, /* after 2 MiB */
};

_Static_assert((KEY_LEN + POOL_LEN + BLOCK - 1) / BLOCK * BLOCK >= KEY_LEN + POOL_LEN,
	       "a refill is whole blocks");

static inline uint32_t rotate(uint32_t x, int bits)
{
	return x << bits | x >> (32 - bits);
}

static inline void quarter(uint32_t x[16], int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* The nonce is zero: no key is used twice. */
static void chacha20(const uint8_t key[KEY_LEN], uint32_t counter, uint8_t out[BLOCK])
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, x[16];

	for (int i = 0; i < 8; i++)
		in[4 + i] = get_le32(key + 4 * i);
	in[12] = counter;
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < 10; i++) {
		quarter(x, 0, 4, 8, 12);
		quarter(x, 1, 5, 9, 13);
		quarter(x, 2, 6, 10, 14);
		quarter(x, 3, 7, 11, 15);
		quarter(x, 0, 5, 10, 15);
		quarter(x, 1, 6, 11, 12);
		quarter(x, 2, 7, 8, 13);
		quarter(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		put_le32(out + 4 * i, x[i] + in[i]);
	explicit_bzero(in, sizeof(in));
	explicit_bzero(x, sizeof(x));
}

int random_init(struct random_source *r)
{
	uint8_t key[KEY_LEN];

	/* Up to 256 bytes come whole, whatever the signals (getrandom(2)). */
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return E_SYSTEM;
	memset(r, 0, sizeof(*r));
	memcpy(r->key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return E_OK;
}

static void reseed(struct random_source *r)
{
	uint8_t fresh[KEY_LEN];

	r->blocks = 0;
	/* Without fresh entropy the stream is still as good as its first seed. */
	if (getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) != (ssize_t)sizeof(fresh))
		return;
	for (size_t i = 0; i < KEY_LEN; i++)
		r->key[i] ^= fresh[i];
	explicit_bzero(fresh, sizeof(fresh));
}

static void refill(struct random_source *r)
{
	enum { BLOCKS = (KEY_LEN + POOL_LEN + BLOCK - 1) / BLOCK };
	uint8_t stream[BLOCKS * BLOCK];

	if (r->blocks >= RESEED_BLOCKS)
		reseed(r);
	for (uint32_t i = 0; i < BLOCKS; i++)
		chacha20(r->key, i, stream + i * BLOCK);
	memcpy(r->key, stream, KEY_LEN);
	memcpy(r->pool, stream + KEY_LEN, POOL_LEN);
	explicit_bzero(stream, sizeof(stream));
	r->left = POOL_LEN;
	r->blocks += BLOCKS;
}

void random_bytes(struct random_source *r, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		size_t n;
		uint8_t *from;

		if (r->left == 0)
			refill(r);
		n = len < r->left ? len : r->left;
		from = r->pool + POOL_LEN - r->left;
		memcpy(p, from, n);
		explicit_bzero(from, n);
		r->left -= n;
		p += n;
		len -= n;
	}
}

uint32_t random_below(struct random_source *r, uint32_t bound)
{
	/* The largest multiple of `bound` leaves no remainder that comes up more often. */
	uint32_t rest = bound > 0 ? (UINT32_MAX % bound + 1) % bound : 0, x;

	do
		random_bytes(r, &x, sizeof(x));
	while (x > UINT32_MAX - rest);
	return bound > 0 ? x % bound : 0;
}
