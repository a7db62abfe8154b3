/*
 * addr: an address and port as a plain value of 20 bytes, comparable with memcmp.
 *
 * Zeroed, it is "no address".  Unused bytes of `ip` are zero, always.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

struct addr {
	uint8_t family; /* 4, 6, or 0: none */
	uint8_t zero;
	uint16_t port;  /* host order; 0: none */
	uint8_t ip[16]; /* network order; IPv4 in the first four */
};

enum { ADDR_TEXT_MAX = 64 };

/* "192.0.2.1", "192.0.2.1:5300", "2001:db8::1", "[2001:db8::1]:5300".  E_MALFORMED. */
int addr_from_text(struct addr *out, const char *text, uint16_t default_port) MUST_USE;

/* "192.0.2.0/24", or an address alone, which is all of its bits; no port, no brackets.  The bits
 * behind the prefix stay.  E_MALFORMED, E_RANGE (of the length). */
int addr_prefix_from_text(struct addr *out, unsigned *bits, const char *text) MUST_USE;

/* Without the port. */
char *addr_ip_text(char out[ADDR_TEXT_MAX], const struct addr *a);
/* With the port: "192.0.2.1:53", "[2001:db8::1]:53". */
char *addr_text(char out[ADDR_TEXT_MAX], const struct addr *a);

/* E_UNSUPPORTED for a family other than IPv4 and IPv6; an IPv4-mapped IPv6 address
 * (::ffff:0:0/96) becomes IPv4. */
int addr_from_sockaddr(struct addr *out, const struct sockaddr *sa) MUST_USE;
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);

/* From the rdata of an A (4 bytes) or AAAA (16 bytes) record.  E_MALFORMED. */
int addr_from_rdata(struct addr *out, const uint8_t *rdata, size_t len, uint16_t port) MUST_USE;

/* Clears all bits of the address behind the first `bits`; the port stays. */
void addr_truncate(struct addr *a, unsigned bits);

bool addr_equal(const struct addr *a, const struct addr *b); /* port included */
bool addr_equal_ip(const struct addr *a, const struct addr *b);
uint64_t addr_hash(const struct addr *a);

#endif
