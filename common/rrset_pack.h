/*
 * rrset_pack: a record set as bytes, for a file, and back.
 *
 *     u8 kind, and 0x80: no_stale | u8 rank | u8 security | u8 labels of the zone | u16 type | u32 TTL | u32 expiry |
 *     owner | data:   u16 records, u16 RRSIGs, then each of both as u16 length and rdata
 *           | denial: u8 number of proofs, then each of them as a set of data
 *
 * What is read is taken for hostile: each name, length, type and number is checked, rdata after
 * their type's layout, and that the parts fit each other (a denial is of a zone above its name,
 * and that zone's SOA proves it).  Whether it is true is another matter: a file is as good as
 * whoever may write to it.
 *
 * Not for failures, nor for what is ours (RANK_LOCAL).
 *
 * Time:    `ttl` and `expires_s` come back as they were; what they may be is the caller's concern.
 * Memory:  an unpacker is 200 KB, for one thread; the set belongs to the caller.
 */
#ifndef COMMON_RRSET_PACK_H
#define COMMON_RRSET_PACK_H

#include "common/rrset.h"
#include "common/wire.h"

/* More than any set with its proofs takes. */
enum { RRSET_PACKED_MAX = (RRSET_MAX_PROOFS + 1) * (RRSET_MAX_BYTES + 64) };

/* Is it of a kind that can be packed? */
bool rrset_is_packable(const struct rrset *s);

/* Writes a set.  E_TOO_LONG: it does not fit into `cap` bytes. */
int rrset_pack(const struct rrset *s, uint8_t *out, size_t cap, size_t *len) MUST_USE;

struct rrset_unpacker {
	struct rdata rr[RRSET_MAX_RECORDS], sig[RRSET_MAX_RECORDS];
	uint8_t scratch[WIRE_MSG_MAX];
};

/* Reads a set at the reader's place and moves it behind.  One reference, for the caller.
 * E_TRUNCATED, E_MALFORMED, E_LIMIT, E_NOMEM. */
int rrset_unpack(struct rrset **out, struct rrset_unpacker *u, struct wire_reader *r) MUST_USE;

#endif
