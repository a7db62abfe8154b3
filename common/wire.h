/*
 * wire: a bounds-checked reader and writer for DNS messages (RFC 1035 4.1).
 *
 * Reader: `pos` never passes `len`; each read returns E_TRUNCATED instead of reading past
 * the end and then leaves `pos` where it was.  Names are decompressed into the caller's
 * buffer; a pointer must point strictly before the place it is met at, so a chain of
 * pointers ends (RFC 1035 4.1.4), and at most WIRE_MAX_POINTERS are followed.
 *
 * Writer: writes into a buffer of fixed size and remembers where names stand, so that later
 * ones are compressed.  A write that does not fit returns E_TOO_LONG and leaves the buffer
 * as it was: that is how an answer is truncated at an RRset.
 *
 * Memory:  nothing is allocated.
 * Threads: one reader or writer, one thread.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"
#include "common/rrtype.h"

enum {
	WIRE_HEADER_LEN = 12,
	WIRE_MSG_MAX = 65535,
	WIRE_MAX_POINTERS = 64,
	WIRE_COMPRESS_SLOTS = 64,
};

struct wire_reader {
	const uint8_t *msg; /* the whole message: pointers count from here */
	size_t len;
	size_t pos;
};

static inline uint16_t wire_get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}
static inline uint32_t wire_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void wire_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void wire_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

enum { WIRE_RR_FIXED = 10 }; /* between a record's owner and its rdata */

/* What follows the name of a question, and the owner of a record, in class IN: for who has made room, and compresses
 * nothing.  Both return where to go on. */
static inline uint8_t *wire_put_asked(uint8_t *p, uint16_t type)
{
	wire_put_u16(p, type);
	wire_put_u16(p + 2, CLASS_IN);
	return p + 4;
}
static inline uint8_t *wire_put_fixed(uint8_t *p, uint16_t type, uint32_t ttl, uint16_t rdlen)
{
	p = wire_put_asked(p, type);
	wire_put_u32(p, ttl);
	wire_put_u16(p + 4, rdlen);
	return p + 6;
}

int wire_read_u8(struct wire_reader *r, uint8_t *out) MUST_USE;
int wire_read_u16(struct wire_reader *r, uint16_t *out) MUST_USE;
int wire_read_u32(struct wire_reader *r, uint32_t *out) MUST_USE;

/* Moves past `n` bytes. */
int wire_skip(struct wire_reader *r, size_t n) MUST_USE;

/* Reads a name, decompressed, case kept.  Sets *len to its uncompressed length. */
int wire_read_name(struct wire_reader *r, uint8_t out[NAME_MAX_LEN], size_t *len) MUST_USE;

/* Moves past a name without following its pointer. */
int wire_skip_name(struct wire_reader *r) MUST_USE;

struct wire_writer {
	uint8_t *buf;
	size_t cap;
	size_t len;
	uint16_t slots[WIRE_COMPRESS_SLOTS]; /* offsets of names written so far; 0: free */
	unsigned n_slots;
};

/* Starts with an empty buffer of `cap` bytes (at most WIRE_MSG_MAX). */
void wire_writer_init(struct wire_writer *w, uint8_t *buf, size_t cap);

int wire_write_u8(struct wire_writer *w, uint8_t v) MUST_USE;
int wire_write_u16(struct wire_writer *w, uint16_t v) MUST_USE;
int wire_write_u32(struct wire_writer *w, uint32_t v) MUST_USE;
int wire_write_bytes(struct wire_writer *w, const void *data, size_t n) MUST_USE;

/* Writes a name as a pointer to an equal suffix already written, where there is one
 * (compared regardless of case, RFC 4343), and remembers it for later ones. */
int wire_write_name(struct wire_writer *w, const uint8_t *name) MUST_USE;

/* Writes a name in full and does not offer it to later ones. */
int wire_write_name_plain(struct wire_writer *w, const uint8_t *name) MUST_USE;

/* Takes the writer back to an earlier `len`, forgetting names written since. */
void wire_rewind(struct wire_writer *w, size_t len);

#endif
