/*
 * partial: the bytes of a TCP stream that do not make a whole message yet (RFC 1035 4.2.2: a length
 * of two bytes, then the message).
 *
 * A connection reads into a buffer that all share, takes the whole messages out of it, and keeps
 * here what is left; while something is kept, it reads on behind it.  So a connection costs a
 * buffer only while a message of its is on the way.
 *
 * Memory:  one buffer of PARTIAL_BUFFER bytes while anything is kept; partial_free().
 * Limits:  what is kept is at most PARTIAL_BUFFER bytes: a length and the longest message.
 */
#ifndef NET_PARTIAL_H
#define NET_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTIAL_PREFIX = 2, PARTIAL_BUFFER = PARTIAL_PREFIX + 65535 };

/* Zeroed, nothing is kept. */
struct partial {
	uint8_t *buf; /* NULL: nothing is kept */
	size_t len;
};

/* Where to read to: behind what is kept, or into `shared` (PARTIAL_BUFFER bytes). */
static inline uint8_t *partial_buffer(const struct partial *p, uint8_t *shared)
{
	return p->buf != NULL ? p->buf : shared;
}

/* Keeps the bytes of `buf` (of partial_buffer(), `have` bytes in it) from `taken` on.
 * False: no memory; what was kept before still is. */
bool partial_keep(struct partial *p, const uint8_t *buf, size_t taken, size_t have);

/* Keeps nothing. */
void partial_free(struct partial *p);

#endif
