/*
 * heap: what a block from malloc(3) really takes, so that memory limits hold in the process
 * and not only on paper.
 *
 * glibc on 64 bits: 8 bytes of its own before the block, sizes in steps of 16, 32 at least.
 */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

#include <stddef.h>

static inline size_t heap_cost(size_t bytes)
{
	size_t chunk = (bytes + 8 + 15) & ~(size_t)15;

	return chunk < 32 ? 32 : chunk;
}

#endif
