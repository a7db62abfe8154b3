/*
 * hash: a keyed hash for tables whose keys strangers choose.
 *
 * SipHash-1-3 over bytes, and a quick mix for fixed-size keys.  The key is drawn from the
 * system once at start (or set, by tests that must repeat).
 *
 * Threads: the key is written before threads start, then only read.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws the key from getrandom(2).  Call once, before any table is filled. */
void hash_key_init(void);

/* Sets the key: for the simulator and for tests. */
void hash_key_set(uint64_t k0, uint64_t k1);

uint64_t hash_bytes(const void *data, size_t len);

/* The hash of the same bytes with ASCII letters in lower case. */
uint64_t hash_bytes_lower(const void *data, size_t len);

/* Two 64-bit halves into one, keyed. */
uint64_t hash_mix(uint64_t a, uint64_t b);

/* Continues a hash that is the same in every process, for what outlives one; begin with 0.  Not for
 * tables, and not for what strangers choose. */
uint64_t hash_lasting(uint64_t before, const void *data, size_t len);

#endif
