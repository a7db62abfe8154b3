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
#include "recursor/resolve/resolver.h"

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
	uint8_t dnssec; /* what it is to have of DNSSEC; not query_read()'s: see below */
};

/* What comes of a client's DO, AD and CD in the mode that the resolver is in: answers depend on no
 * more than this. */
enum query_dnssec {
	QUERY_SIGNED = 1,   /* RRSIGs and proofs, and DO in the answer (RFC 4035 3.2.1) */
	QUERY_AD = 2,       /* AD, if it is secure (RFC 6840 5.7, 5.8) */
	QUERY_VALIDATE = 4, /* is to be validated ... */
	QUERY_REFUSE = 8,   /* ... and SERVFAIL if it is bogus */
	QUERY_DNSSEC_N = 16
};

/* The table that query_dnssec_of() reads from. */
struct query_dnssec_table {
	uint8_t row[8];
};

void query_dnssec_fill(struct query_dnssec_table *t, enum dnssec_mode mode);

static inline uint8_t query_dnssec_of(const struct query_dnssec_table *t, uint16_t flags,
				      bool dnssec_ok)
{
	return t->row[(flags >> 4 & 3U) | (unsigned)dnssec_ok << 2]; /* CD, AD, DO */
}

/* Reads a packet that has a whole header.  E_END: it has no question (QDCOUNT 0); E_MALFORMED,
 * E_TRUNCATED and the like: it is not a DNS query. */
int query_read(struct query *q, const uint8_t *wire, size_t len) MUST_USE;

/* The name as the client spelt it. */
static inline const uint8_t *query_name(const struct query *q)
{
	return q->wire + WIRE_HEADER_LEN;
}

#endif
