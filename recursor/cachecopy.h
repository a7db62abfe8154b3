/*
 * cachecopy: the daemon's caches as a stream of cachefile's, and such a stream back into them: for
 * cache-file (keeper.h) and for scripts (errands.h).
 *
 * What comes back is looked at whole before anything of it is used.  TTLs are capped as the
 * settings say now, what was learnt under other zones than those configured now is left out, and what
 * is known newer stays.
 *
 * Threads: any but a worker's, while the caches are there.
 */
#ifndef RECURSOR_CACHECOPY_H
#define RECURSOR_CACHECOPY_H

#include "recursor/files/cachefile.h"
#include "recursor/worker.h"

struct cachecopy_choice {
	bool sets, servers;
	uint64_t max_sets, max_bytes; /* UINT64_MAX: all */
};

/* E_SYSTEM (errno), E_NOMEM. */
int cachecopy_write(struct server *s, FILE *f, const struct cachecopy_choice *choice,
		    struct cachefile_counts *counts) MUST_USE;

struct cachecopy_counts {
	uint64_t loaded, dropped; /* expired, newer known, no room, another zone's */
};

/* The file is read twice, from its beginning.  `go_on` is asked now and then; false: E_END, and
 * what was taken stays.  Else errors as of cachefile_read().  *counts is set in any case. */
int cachecopy_read(struct server *s, FILE *f, bool (*go_on)(void *ctx), void *ctx,
		   struct cachecopy_counts *counts, char why[CACHEFILE_WHY_MAX]) MUST_USE;

#endif
