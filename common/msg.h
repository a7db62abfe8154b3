/*
 * msg: reads a DNS message: header, question, EDNS, then its records one by one.
 *
 * Nothing is copied but names; rdata stay in the packet until msg_rdata() unfolds them.
 * Everything here reads bytes of strangers: an error means the message is malformed (the
 * caller counts it and decides), never an assertion.
 *
 *     struct msg m;
 *     struct msg_rr rr;
 *     int err = msg_open(&m, wire, len);          // header, question, and the OPT record
 *     while (err == E_OK && (err = msg_next(&m, &rr)) == E_OK)
 *             ...;                                // E_END after the last record
 *
 * Memory:  nothing is allocated.  `struct msg` borrows the packet.
 * Limits:  a message of at most 65,535 bytes; more than one question is malformed
 *          (RFC 9619); a second OPT record is malformed (RFC 6891 6.1.1).
 */
#ifndef COMMON_MSG_H
#define COMMON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"
#include "common/wire.h"

enum msg_flag {
	MSG_QR = 0x8000,
	MSG_AA = 0x0400,
	MSG_TC = 0x0200,
	MSG_RD = 0x0100,
	MSG_RA = 0x0080,
	MSG_AD = 0x0020,
	MSG_CD = 0x0010,
};

enum msg_section { SECTION_ANSWER = 1, SECTION_AUTHORITY = 2, SECTION_ADDITIONAL = 3 };

struct msg_edns {
	bool present;
	uint8_t version;
	bool dnssec_ok;         /* DO */
	uint16_t payload;       /* as announced */
	const uint8_t *options; /* borrowed from the packet */
	uint16_t options_len;
};

struct msg {
	const uint8_t *wire;
	size_t len;

	uint16_t id;
	uint16_t flags; /* the second 16 bits of the header as they are */
	uint8_t opcode;
	uint16_t rcode;    /* with the EDNS extension (RFC 6891 6.1.3) */
	uint16_t count[4]; /* QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT */

	bool has_question;
	uint8_t qname[NAME_MAX_LEN]; /* as spelt */
	uint8_t qname_len;
	uint16_t qtype;
	uint16_t qclass;
	size_t question_end; /* offset of the first byte after the question */

	struct msg_edns edns;

	struct wire_reader at; /* msg_next()'s place */
	unsigned section;
	unsigned left; /* records left in that section */
};

struct msg_rr {
	uint8_t owner[NAME_MAX_LEN]; /* lower case */
	uint8_t owner_len;
	uint8_t section; /* enum msg_section */
	uint16_t type;
	uint16_t class;
	uint32_t ttl; /* above 2^31-1 reads as 0 (RFC 2181 8) */
	size_t rdata; /* offset in the message */
	uint16_t rdlen;
};

/* Reads header and question only: all that a client's query needs before the packet cache,
 * and all that is safe to look at in a packet not yet known to answer a question of ours. */
int msg_open_question(struct msg *m, const uint8_t *wire, size_t len) MUST_USE;

/* Reads header and question and finds the OPT record; the whole message is walked once, so
 * that an error in its last byte is known before its first record is used. */
int msg_open(struct msg *m, const uint8_t *wire, size_t len) MUST_USE;
/* The same, of a message whose header and question msg_open_question() has read. */
int msg_open_records(struct msg *m) MUST_USE;

/* The next record, OPT left out.  E_END after the last. */
int msg_next(struct msg *m, struct msg_rr *rr) MUST_USE;

/* The record's rdata with compressed names unfolded (RFC 3597 4), case kept.  Also checks
 * them: an A of 4 bytes, an AAAA of 16, names that end where the rdata end. */
int msg_rdata(const struct msg *m, const struct msg_rr *rr, uint8_t *out, size_t cap,
	      uint16_t *len) MUST_USE;

/* Finds an option in the EDNS option list.  E_NOT_FOUND; E_MALFORMED. */
int msg_edns_option(const struct msg_edns *e, uint16_t code, const uint8_t **data,
		    uint16_t *len) MUST_USE;

#endif
