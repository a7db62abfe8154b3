/*
 * full_server: a server whose tables are full: records, packets, servers, throttles and proofs, all of
 * them below fill.
 *
 * What a command has taken away is put back by filling again.
 */
#ifndef TESTS_UNIT_FULL_SERVER_H
#define TESTS_UNIT_FULL_SERVER_H

#include "common/name.h"
#include "recursor/worker.h"
#include "tests/unit/sanitizer.h"

enum {
	FULL_RECORDS = IS_SLOW ? 20000 : 100000,
	FULL_PACKETS = IS_SLOW ? 5000 : 100000, /* of each worker */
	FULL_SERVERS = IS_SLOW ? 5000 : 50000,
	FULL_THROTTLES = FULL_SERVERS,
	FULL_PROOFS = FULL_SERVERS,
};

/* The owner of the i-th record, and the i-th question whose answer is kept. */
void full_server_name(uint8_t out[NAME_MAX_LEN], unsigned i);

/* Fills those that are not full; the workers run. */
void full_server_fill(struct server *s, unsigned records);

/* How full they are. */
struct full_server {
	size_t records, packets, servers, throttles, proofs;
};
void full_server_look(struct server *s, struct full_server *out);

#endif
