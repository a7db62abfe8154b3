/*
 * ascii: letters to lower case as DNS means it (RFC 4343): A-Z alone, whatever the locale.
 *
 * The length bytes of a name in wire form are at most 63 and 'A' is 65, so a whole name may
 * be lowered, hashed or compared as plain bytes, eight at a time.
 */
#ifndef COMMON_ASCII_H
#define COMMON_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint8_t ascii_lower(uint8_t c)
{
	return (uint8_t)((unsigned)c - 'A' < 26 ? c + 32 : c);
}

/* Eight bytes in one word, in any byte order. */
static inline uint64_t ascii_lower8(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
	uint64_t low7 = w & ~high;
	uint64_t from_a = low7 + ones * (0x80 - 'A');      /* high bit: 'A' or above */
	uint64_t above_z = low7 + ones * (0x80 - 'Z' - 1); /* high bit: above 'Z' */

	return w | ((from_a ^ above_z) & ~w & high) >> 2;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Equal but for the case of letters. */
static inline bool ascii_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint64_t x, y;

	for (; len >= sizeof(x); len -= sizeof(x), a += sizeof(x), b += sizeof(x)) {
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		if (x != y && ascii_lower8(x) != ascii_lower8(y))
			return false;
	}
	for (; len > 0; len--, a++, b++)
		if (ascii_lower(*a) != ascii_lower(*b))
			return false;
	return true;
}

#endif
