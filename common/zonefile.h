/*
 * zonefile: reads records from a file in the form of RFC 1035 5.1: hints, zones.
 *
 * Owner, TTL, class, type and the directives are read here ($ORIGIN, $TTL, $INCLUDE where the
 * caller allows it, $GENERATE: see generate.h); the rdata by ldns.
 * A record is handed to the caller as wire bytes.  The first thing wrong ends the reading with
 * one line: the file, the line where the record begins, what is wrong.
 *
 * Rules:   TTL and class come in any order; without a TTL it is $TTL's (RFC 2308 4), else that
 *          of the record before, else an hour; units as in 1w2d3h4m5s; a TTL is at most 2^31-1
 *          (RFC 2181 8).  Class IN only, no types that are no data (OPT, ANY, ...).
 *          A relative $ORIGIN is relative to the one before.  An included file begins with the
 *          origin at hand, or that given; afterwards origin and owner are what they were.
 * Limits:  ZONEFILE_RECORD_MAX bytes of text a record; those of struct zonefile_options.
 * Threads: any; nothing is shared.
 */
#ifndef COMMON_ZONEFILE_H
#define COMMON_ZONEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	ZONEFILE_RECORD_MAX = 512 * 1024,
	ZONEFILE_DEFAULT_TTL = 3600,
	ZONEFILE_SLICE = 1024, /* records between two calls of go_on() */
};

/* One $GENERATE may stand for billions of records: who reads may be told to stop. */
struct zonefile_leave {
	bool (*go_on)(void *ctx); /* false: the reading ends with E_STOPPED */
	void *ctx;
};

/* Called for each record in order; everything is borrowed for the call.  `owner` is lower case.
 * A negative return ends the reading and is returned. */
typedef int (*zonefile_record_cb)(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
				  const uint8_t *rdata, uint16_t rdlen);

struct zonefile_options {
	const uint8_t *origin;   /* NULL: the root */
	const char *include_dir; /* where relative names of $INCLUDE begin; NULL: it is refused */
	uint32_t max_include_depth;         /* files within files */
	uint32_t max_generate_steps;        /* of one $GENERATE; 0: no limit */
	const struct zonefile_leave *leave; /* or NULL */
	const char *
		reason; /* the callback's words on a record that it refuses; NULL or "": err_text() */
};

/* E_SYSTEM, E_MALFORMED, E_TOO_LONG, E_LIMIT, E_UNSUPPORTED, E_NOMEM, E_STOPPED or what the callback
 * returned; then one line stands in `why`. */
int zonefile_read_with(const char *path, const struct zonefile_options *o, zonefile_record_cb cb,
		       void *ctx, char *why, size_t why_cap) MUST_USE;

/* Without $INCLUDE. */
int zonefile_read(const char *path, const uint8_t *origin, zonefile_record_cb cb, void *ctx,
		  char *why, size_t why_cap) MUST_USE;

#endif
