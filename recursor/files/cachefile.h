/*
 * cachefile: the record cache and the server table as a file's bytes, and back.
 *
 *     head:   "RECURSOR" | u32 version | u64 when it was written | u64 trust | u32 CRC
 *     block:  u32 kind | u32 number | u32 items | u32 bytes | u32 CRC of all that | items
 *     ...
 *     end:    a block of its own kind: u64 sets, u64 servers
 *
 * Numbers stand in network order; the CRC is common/crc32c.h.  A set's item is a byte (1: it is the
 * parent's word; 2: it was learnt in a zone that was configured), in the second case a u64 that
 * tells the zone (zones_print()), then common/rrset_pack.h.  `trust` tells by which trust anchors the
 * sets were found to be secure, and so on (anchors_digest()); 0: nobody knows.
 *
 * Reading takes nothing on trust: neither lengths nor counts, nor items whose checksum is right.
 * It asks for every set's expiry to follow from its TTL and the time of writing, and for an end
 * where the end is said to be, so that a file cut short or put together is known for what it is.
 * It stops at the first thing wrong; a reader who wants all or nothing reads twice.  So writing leaves
 * out each set that reading would refuse, whatever made it so.
 *
 * Limits:  blocks of CACHEFILE_BLOCK_MAX bytes.
 * Memory:  some two megabytes while it lasts.
 * Threads: any; the walks of the caches hold their locks for moments (cache_walk()).
 */
#ifndef RECURSOR_CACHEFILE_H
#define RECURSOR_CACHEFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/servers.h"

enum {
	CACHEFILE_VERSION = 1,
	CACHEFILE_BLOCK_MAX = 2 * 1024 * 1024,
	CACHEFILE_SLICE = 256, /* items between two calls of go_on() */
	CACHEFILE_WHY_MAX = 128,
};

struct cachefile_counts {
	uint64_t sets, servers;
};

struct cachefile_source {
	struct cache *cache;     /* NULL: no sets */
	struct servers *servers; /* NULL: none */
	uint32_t now_s, stale_s; /* what expired longer ago is left out */
	uint64_t now_ms, trust;
	/* So many sets, so large it may become; what comes then is left out. */
	uint64_t max_sets, max_bytes;
	/* The configured zone of a set, 0: none.  NULL: there are none. */
	uint64_t (*zone_of)(void *ctx, const struct rrset *s);
	void *ctx;
};

/* Writes all of a file.  E_SYSTEM (errno), E_NOMEM. */
int cachefile_write(FILE *f, const struct cachefile_source *from,
		    struct cachefile_counts *counts) MUST_USE;

struct cachefile_sink {
	void *ctx;
	uint32_t now_s;
	/* What is read, borrowed.  The servers' age_ms and edns_left_s are as of now_s. */
	void (*set)(void *ctx, struct rrset *s, bool as_delegation, uint64_t zone);
	void (*server)(void *ctx, const struct server_dump *server);
	/* Called now and then; false: stop, with E_END.  NULL: never. */
	bool (*go_on)(void *ctx);
};

struct cachefile_info {
	uint64_t written_s, trust;
	struct cachefile_counts counts;
};

/* Reads all of a file, from its beginning.  `why` says what is wrong and where: E_MALFORMED,
 * E_UNSUPPORTED (another version), E_RANGE (from the future), E_NOMEM, E_SYSTEM.  *info is set on
 * success. */
int cachefile_read(FILE *f, const struct cachefile_sink *to, struct cachefile_info *info,
		   char why[CACHEFILE_WHY_MAX]) MUST_USE;

#endif
