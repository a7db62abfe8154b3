/*
 * name: domain names in wire form (RFC 1035 3.1), uncompressed.
 *
 * A name is a run of labels, each a length byte and that many bytes, closed by the root's
 * zero byte: "\3www\7example\0".  Its length is found by walking it, so a `const uint8_t *`
 * alone is a name.  Every function here but name_check() and name_from_text() trusts its
 * input to be a valid name: what comes from a packet passes wire_read_name() or
 * name_check() first.
 *
 * Names that serve as keys (caches, goals) are lower case; comparing ignores the case of
 * ASCII letters everywhere (RFC 4343), so a name as a client spelt it may be compared too.
 *
 * Limits:  NAME_MAX_LEN bytes, NAME_MAX_LABELS labels (without the root).
 * Memory:  nothing is allocated; callers bring the buffers.
 * Threads: pure functions.
 */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	NAME_MAX_LEN = 255,
	NAME_MAX_LABELS = 127,
	NAME_MAX_LABEL = 63,
	NAME_TEXT_MAX = 1016, /* every byte as \DDD, the dots, the closing zero */
};

extern const uint8_t name_root[1];

/* Length in bytes, the root's zero byte included: 1 for the root. */
size_t name_len(const uint8_t *name);

/* Labels without the root: 0 for the root, 2 for example.com. */
unsigned name_labels(const uint8_t *name);

/* Checks that a valid uncompressed name stands at `data` and ends within `avail` bytes.
 * Sets *len to its length.  E_TRUNCATED, E_MALFORMED (a pointer or a bad length byte),
 * E_TOO_LONG. */
int name_check(const uint8_t *data, size_t avail, size_t *len) MUST_USE;

static inline bool name_is_root(const uint8_t *name)
{
	return name[0] == 0;
}

/* "*" below another name, or the root (RFC 4592 2.1.1). */
static inline bool name_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

/* Labels as an RRSIG counts them of an owner that no wildcard made (RFC 4034 3.1.3): without an asterisk
 * in the first place. */
unsigned name_signed_labels(const uint8_t *name);

/* The name without its first label; borrowed, within `name`.  The root's parent is the root. */
const uint8_t *name_parent(const uint8_t *name);

/* The last `labels` labels of the name; borrowed.  The whole name when it has no more. */
const uint8_t *name_suffix(const uint8_t *name, unsigned labels);

/* ASCII letters to lower case; `dst` may be `src`.  Returns the length. */
size_t name_lower(uint8_t *dst, const uint8_t *src);

/* Copies; returns the length. */
size_t name_copy(uint8_t *dst, const uint8_t *src);

/* Equal but for the case of ASCII letters. */
bool name_equal(const uint8_t *a, const uint8_t *b);

/* Equal to the byte: the check of 0x20 answers. */
bool name_equal_case(const uint8_t *a, const uint8_t *b);

/* True if `name` is `zone` or below it. */
bool name_is_within(const uint8_t *name, const uint8_t *zone);

/* True if `name` is below `zone` and not `zone` itself. */
bool name_is_below(const uint8_t *name, const uint8_t *zone);

/* Labels that both end with, the root not counted. */
unsigned name_common_labels(const uint8_t *a, const uint8_t *b);

/* Canonical order (RFC 4034 6.1): negative, zero, positive. */
int name_compare(const uint8_t *a, const uint8_t *b);

/* A keyed hash that ignores case; the key is drawn once a process (hash_key_init()), so
 * that nobody can aim names at one bucket. */
uint64_t name_hash(const uint8_t *name);

/* Presentation form (RFC 1035 5.1: \. and \DDD understood; a final dot or none) to wire.
 * E_MALFORMED (empty label, bad escape), E_TOO_LONG.  Case is kept. */
int name_from_text(uint8_t out[NAME_MAX_LEN], const char *text) MUST_USE;

/* To presentation form with the final dot; "." for the root.  `out` holds at least
 * NAME_TEXT_MAX bytes.  Returns `out`. */
char *name_to_text(char out[NAME_TEXT_MAX], const uint8_t *name);
/* The same without the final dot, as logs have it; "." for the root. */
char *name_to_text_undotted(char out[NAME_TEXT_MAX], const uint8_t *name);

#endif
