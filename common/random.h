/*
 * random: unpredictable numbers for ids, ports and choices: a ChaCha20 stream a thread, seeded
 * and reseeded from getrandom(2) with forgetting of what was handed out (fast key erasure).
 *
 * Threads: one struct random_source, one thread.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct random_source {
	uint8_t key[32];
	uint8_t pool[512];
	size_t left;     /* bytes of the pool not handed out yet */
	uint64_t blocks; /* since the last reseeding */
};

/* E_SYSTEM when the kernel has no entropy to give. */
int random_init(struct random_source *r) MUST_USE;
void random_bytes(struct random_source *r, void *out, size_t len);
/* Uniform in [0, bound): bound is at least 1. */
uint32_t random_below(struct random_source *r, uint32_t bound);

#endif
