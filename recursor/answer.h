/*
 * answer: packs an answer for a client.
 *
 * Always: QR and RA set, RD and CD as asked, AA clear but for names of auth-zones, AD on what is
 * secure for who cares (RFC 6840 5.8), the question as the client spelt it.  Answers are minimal: the
 * answer section, and for a negative answer the zone's SOA (RFC 2308 3); with DO the RRSIGs of both,
 * and the proofs (RFC 4035 3.1); no other authority, no additional data but OPT, which is there when
 * the query had one (RFC 6891 7).
 *
 * What does not fit the limit is not sent in part: the answer then has TC set and no records
 * (RFC 2181 9), and the client comes back over TCP.
 *
 * The records of a set start at another one for each message id, so that clients that take the
 * first address are spread over all (RFC 1794).
 *
 * Memory:  nothing is allocated.
 */
#ifndef RECURSOR_ANSWER_H
#define RECURSOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recursor/policy/hookquery.h"
#include "recursor/query.h"
#include "recursor/resolve/resolver.h"

enum {
	ANSWER_PAYLOAD = 1232, /* the query size we announce: one that no path fragments */
	ANSWER_EDE_TEXT_MAX = 96,
};

/* The largest answer for a query: all of 65,535 bytes over TCP; over UDP what the client takes,
 * but no more than `threshold` (udp-truncation-threshold). */
size_t answer_limit(const struct query *q, bool tcp, uint32_t threshold);

struct packed {
	size_t len;
	uint32_t min_ttl; /* of all records; 0 when there are none */
	bool truncated;
};

/* Packs `a` into `out`, which has room for `limit` bytes (at least QUERY_UDP_PLAIN).
 * `extended_errors`: say why, when it failed and the client speaks EDNS (RFC 8914). */
void answer_pack(struct packed *to, uint8_t *out, size_t limit, const struct query *q,
		 const struct answer *a, bool extended_errors, uint32_t now_s);

/* The same with records that a script made; `a` has the rcode and what else is said. */
void answer_pack_rows(struct packed *to, uint8_t *out, size_t limit, const struct query *q,
		      const struct answer *a, const struct hook_records *rows,
		      bool extended_errors);

/* "Ask again over TCP": TC, and no records. */
void answer_pack_truncated(struct packed *to, uint8_t *out, size_t limit, const struct query *q);

/* A header alone, for a packet of which no more than its header is trusted. */
size_t answer_pack_header(uint8_t out[WIRE_HEADER_LEN], const uint8_t *query_header,
			  uint16_t rcode);

#endif
