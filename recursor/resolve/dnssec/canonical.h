/*
 * canonical: an RRset as signatures and zone digests cover it (RFC 4034 6).
 *
 * A struct canonical is a place to work in, used for one set after another: load a set, which puts
 * its rdata into canonical form and order, then write what is to be hashed.
 *
 *     canonical_load(&c, set);
 *     canonical_start(&c);
 *     canonical_put(&c, head, len);               what stands before, as often as wanted
 *     canonical_put_set(&c, owner, ttl);          owner | type | class | TTL | length | rdata ...
 *     ... c.form, c.form_len
 *
 * Memory:  three arrays that grow to what the largest set so far took: some 100 bytes a record.
 * Limits:  CANONICAL_MAX_BYTES of form.
 * Threads: one at a time.
 */
#ifndef RESOLVE_DNSSEC_CANONICAL_H
#define RESOLVE_DNSSEC_CANONICAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"

/* More than a message can hold, but for owners that are compressed and records that are many. */
enum { CANONICAL_MAX_BYTES = 256 * 1024 };

struct canonical {
	uint8_t *form;
	size_t form_len, form_cap;
	uint16_t type;
	size_t n;
	struct rdata *rr; /* of the set that is loaded, in order, each once */
	size_t rr_cap;
	uint8_t *lower; /* rdata with names in lower case */
	size_t lower_cap;
};

/* Of zeroed memory.  Frees the arrays. */
void canonical_deinit(struct canonical *c);

/* The set must stay while it is worked with.  E_NOMEM. */
int canonical_load(struct canonical *c, const struct rrset *s) MUST_USE;

void canonical_start(struct canonical *c);
/* E_NOMEM, E_LIMIT. */
int canonical_put(struct canonical *c, const void *data, size_t len) MUST_USE;
/* All records of the loaded set.  `owner` is lower case. */
int canonical_put_set(struct canonical *c, const uint8_t *owner, uint32_t ttl) MUST_USE;

/* Copies rdata to `out`, which has room for them, names in lower case where RFC 4034 6.2 and RFC
 * 6840 5.1 say so. */
void canonical_rdata(uint8_t *out, uint16_t type, const struct rdata *rr);

#endif
