/*
 * alloc: the allocations of the product, in the hands of a test: one of them fails, and what is
 * not given back is known.
 *
 * The Makefile makes a copy of the library whose calls of malloc() and its kin, mmap() among them,
 * are calls of oom_malloc() and its kin; what tests, libraries and the C library allocate is none of
 * it.
 *
 *     alloc_begin(n, ALLOC_ONE);  ...  leaked = alloc_end();
 *
 * Threads: one at a time; alloc_relent() any.
 */
#ifndef OOM_ALLOC_H
#define OOM_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alloc_failure {
	ALLOC_ONE,     /* the n-th fails, */
	ALLOC_FROM_ON, /* and all after it */
};

/* From here on the n-th allocation fails; 0: none. */
void alloc_begin(uint64_t n, enum alloc_failure how);
/* No more shall fail. */
void alloc_relent(void);
/* NULL, or a word on the blocks taken since alloc_begin() that have not been given back: how many,
 * how large, and where the first was taken.  A string that lasts until the next call. */
const char *alloc_end(void);

uint64_t alloc_count(void); /* attempts since alloc_begin() */

/* malloc() and free() for libraries that can be told which to use. */
void *oom_malloc(size_t len);
void oom_free(void *p);

/* What the test itself does meanwhile with functions of the product neither fails nor counts. */
void alloc_pause(bool is_paused);

#endif
