/*
 * grow: room for more in an array that its owner appends to.
 *
 * Memory:  the array is malloc'ed and stays its owner's, also when there is no more room.
 */
#ifndef COMMON_GROW_H
#define COMMON_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Makes room for `need` elements of `size` bytes in the array that `*array` points to and that has
 * room for `*cap`: `first` of them, then twice as many each time.  False: out of memory. */
static inline bool grow(void *array, size_t *cap, size_t need, size_t size, size_t first)
{
	void **place = array;
	size_t more = *cap == 0 ? first : *cap;
	void *bigger;

	while (more < need)
		more *= 2;
	if (more == *cap)
		return true;
	bigger = realloc(*place, more * size);
	if (bigger == NULL)
		return false;
	*place = bigger;
	*cap = more;
	return true;
}

#endif
