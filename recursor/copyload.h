/*
 * copyload: one copy of a zone, from its source, and checked: file or transfer, DS, signatures, digest.
 *
 * Threads: one runs it, and blocks meanwhile; copyload_stop() any.
 */
#ifndef RECURSOR_COPYLOAD_H
#define RECURSOR_COPYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/err.h"
#include "recursor/files/copyplan.h"

enum { COPYLOAD_WHY_MAX = 400 };

struct copyload;
struct server;

int copyload_new(struct copyload **out, struct server *server) MUST_USE;
void copyload_free(struct copyload *l); /* accepts NULL */
/* Whatever is loaded, and will be, ends at once. */
void copyload_stop(struct copyload *l);

/* Which file it was. */
struct copyload_file {
	struct timespec modified;
	int64_t size;
	uint64_t number;
};

/* Of the copy at hand. */
struct copyload_known {
	bool has_copy;
	uint32_t serial;
	struct copyload_file file;
};

struct copyload_found {
	struct zonecopy *copy; /* for the caller to put; NULL with E_EXISTS */
	uint32_t fresh_s;      /* when it was known to be the zone: time of day */
	struct copyload_file file;
	struct copy_verdict verdict;
};

/* E_EXISTS: the copy at hand is as new.  Else one line in `why`, and *found holds no copy. */
int copyload_run(struct copyload *l, const struct copy_plan *plan,
		 const struct copyload_known *known, struct copyload_found *found,
		 char why[COPYLOAD_WHY_MAX]) MUST_USE;

#endif
