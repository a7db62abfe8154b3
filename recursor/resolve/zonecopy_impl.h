/*
 * zonecopy_impl: what the files of zonecopy share.
 *
 *     zonecopy.c         records, and how they are found
 *     zonecopy_sort.c    their order
 *     zonecopy_reply.c   messages made of them
 */
#ifndef RESOLVE_ZONECOPY_IMPL_H
#define RESOLVE_ZONECOPY_IMPL_H

#include <stdatomic.h>

#include "common/zonefile.h"
#include "recursor/resolve/dnssec/nsec3.h"
#include "recursor/resolve/zonecopy.h"

enum { ZONECOPY_NONE = UINT32_MAX };

/* The records of a name and type: `n` from record number `first` on. */
struct zonecopy_data {
	uint32_t first, n;
	uint16_t type;
};

/* A name that has records: its sets. */
struct zonecopy_node {
	uint32_t first, n;
	uint32_t nsec_before; /* the node before it that has an NSEC, or ZONECOPY_NONE */
};

struct zonecopy {
	atomic_uint refs;
	size_t max_bytes, strays;
	/* owner | type | TTL | length | rdata, one record behind the other */
	uint8_t *bytes;
	size_t n_bytes, bytes_cap;
	uint32_t *records; /* where they begin: in canonical order at last */
	size_t n_records, records_cap;
	struct zonecopy_data *data;
	struct zonecopy_node *nodes;
	uint32_t *nsec3; /* nodes with an NSEC3, in order */
	uint32_t n_data, n_nodes, n_nsec3;
	bool has_param; /* the NSEC3 chain is that of `param` */
	struct nsec3_param param;
	struct soa soa;
	uint8_t labels;
	uint8_t apex[NAME_MAX_LEN];
};

struct zonecopy_record {
	const uint8_t *owner;
	uint32_t ttl;
	uint16_t type;
	struct rdata rr;
};

/* The one that begins there, and the one of that number. */
struct zonecopy_record zonecopy_read(const struct zonecopy *z, uint32_t offset);
struct zonecopy_record zonecopy_record(const struct zonecopy *z, uint32_t number);

/* Asked before each step of a long way. */
static inline bool zonecopy_goes_on(const struct zonefile_leave *leave, size_t step)
{
	return leave == NULL || step % ZONEFILE_SLICE != 0 || leave->go_on(leave->ctx);
}

/* E_NOMEM, E_STOPPED. */
int zonecopy_sort(struct zonecopy *z, const struct zonefile_leave *leave) MUST_USE;

static inline const uint8_t *zonecopy_owner(const struct zonecopy *z,
					    const struct zonecopy_node *node)
{
	return z->bytes + z->records[z->data[node->first].first];
}

/* The first node that does not stand before the name: its own, if it has one (*exact). */
uint32_t zonecopy_seek(const struct zonecopy *z, const uint8_t *name, bool *exact);
const struct zonecopy_node *zonecopy_node(const struct zonecopy *z, const uint8_t *name);
const struct zonecopy_data *zonecopy_data(const struct zonecopy *z,
					  const struct zonecopy_node *node, uint16_t type);

/* The RRSIGs of a name are one set, in canonical order: how many cover the type, from record number *first on.
 * Not a walk: a hostile zone may have millions at one name. */
uint32_t zonecopy_sigs(const struct zonecopy *z, const struct zonecopy_node *node, uint16_t type,
		       uint32_t *first);

/* The node with the NSEC3 of that hash, or, with `before`, that covers it; NULL: there is none. */
const struct zonecopy_node *zonecopy_nsec3(const struct zonecopy *z,
					   const uint8_t hash[NSEC3_HASH_LEN], bool before);

#endif
