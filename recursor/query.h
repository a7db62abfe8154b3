/*
 * query: what a client's packet asks: flags, question, EDNS.
 *
 * The common packet (a header, one question, at most one OPT record, nothing else) is read
 * where it lies, without copying a name: the way to the packet cache is short.  Any other
 * goes through msg_open() first, which knows the whole message.
 *
 * Memory:  nothing is allocated; a struct query borrows the packet's header and question.
 */
#ifndef RECURSOR_QUERY_H
#define RECURSOR_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"
#include "common/wire.h"

enum {
	QUERY_UDP_PLAIN = 512, /* RFC 1035 4.2.1: what a client without EDNS takes */
	QUERY_HEAD_MAX = WIRE_HEADER_LEN + NAME_MAX_LEN + 4,
};

struct query {
	const uint8_t *wire;   /* header and question, the name uncompressed at WIRE_HEADER_LEN */
	uint64_t name_hash;    /* name_hash() of the name */
	uint16_t question_end; /* offset after the question */
	uint16_t flags;        /* enum msg_flag, as they stand in the header */
	uint16_t type, class;
	uint16_t payload; /* the largest UDP answer the client takes; at least QUERY_UDP_PLAIN */
	bool edns;
	bool dnssec_ok;
	uint8_t edns_version;
};

/* Reads a packet that has a whole header.  E_END: it has no question (QDCOUNT 0); E_MALFORMED,
 * E_TRUNCATED and the like: it is not a DNS query. */
int query_read(struct query *q, const uint8_t *wire, size_t len) MUST_USE;

/* The name as the client spelt it. */
static inline const uint8_t *query_name(const struct query *q)
{
	return q->wire + WIRE_HEADER_LEN;
}

#endif
