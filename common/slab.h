/*
 * slab: objects of one size, taken and given back without malloc once warm.
 *
 * Memory:  pages of SLAB_PAGE_OBJECTS objects; pages stay until slab_deinit().
 * Limits:  `max` objects in use; slab_take() returns NULL beyond it (the caller counts it).
 * Threads: one slab, one thread.
 * Under ASan objects given back are poisoned, so a use after give is caught.
 */
#ifndef COMMON_SLAB_H
#define COMMON_SLAB_H

#include <stdbool.h>
#include <stddef.h>

enum { SLAB_PAGE_OBJECTS = 64 };

struct slab {
	size_t object_size;
	size_t max;
	size_t used;
	size_t peak;
	void *free_list;
	void *pages;
};

void slab_init(struct slab *s, size_t object_size, size_t max);
/* Frees the pages; every object must have been given back. */
void slab_deinit(struct slab *s);

/* Zeroed.  NULL at the limit or out of memory. */
void *slab_take(struct slab *s);
/* Only its first bytes are zeroed: for large objects whose end is not read before it is written. */
void *slab_take_part(struct slab *s, size_t zeroed);
void slab_give(struct slab *s, void *object);

#endif
