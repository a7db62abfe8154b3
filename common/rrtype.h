/*
 * rrtype: record types, classes, rcodes, opcodes and EDE codes: numbers and texts.
 *
 * One table of the types that have a mnemonic; others read and print as TYPEnnn
 * (RFC 3597 5).  The table also says which types carry names in their rdata that may be
 * compressed in a message and must be unfolded before they are kept (RFC 3597 4).
 */
#ifndef COMMON_RRTYPE_H
#define COMMON_RRTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* name, number, rdata layout.  Layout: a string of field codes up to the last name:
 * 'n' a name, '2' two bytes, '6' six bytes (and so on), 's' a character string, '*' the rest
 * as it is.  "*" alone: nothing to unfold.  An upper-case 'N' is a name that we may also
 * compress when we write (RFC 1035 types only). */
/* clang-format off */
#define RRTYPE_TABLE(X)                                                                          \
	X(A, 1, "*")                                                                             \
	X(NS, 2, "N")                                                                            \
	X(MD, 3, "N")                                                                            \
	X(MF, 4, "N")                                                                            \
	X(CNAME, 5, "N")                                                                         \
	X(SOA, 6, "NN*")                                                                         \
	X(MB, 7, "N")                                                                            \
	X(MG, 8, "N")                                                                            \
	X(MR, 9, "N")                                                                            \
	X(NULL, 10, "*")                                                                         \
	X(WKS, 11, "*")                                                                          \
	X(PTR, 12, "N")                                                                          \
	X(HINFO, 13, "*")                                                                        \
	X(MINFO, 14, "NN")                                                                       \
	X(MX, 15, "2N")                                                                          \
	X(TXT, 16, "*")                                                                          \
	X(RP, 17, "nn")                                                                          \
	X(AFSDB, 18, "2n")                                                                       \
	X(X25, 19, "*")                                                                          \
	X(ISDN, 20, "*")                                                                         \
	X(RT, 21, "2n")                                                                          \
	X(NSAP, 22, "*")                                                                         \
	X(SIG, 24, "2224442n*")                                                                  \
	X(KEY, 25, "*")                                                                          \
	X(PX, 26, "2nn")                                                                         \
	X(AAAA, 28, "*")                                                                         \
	X(LOC, 29, "*")                                                                          \
	X(NXT, 30, "n*")                                                                         \
	X(SRV, 33, "222n")                                                                       \
	X(NAPTR, 35, "22sssn")                                                                   \
	X(KX, 36, "2n")                                                                          \
	X(CERT, 37, "*")                                                                         \
	X(DNAME, 39, "n")                                                                        \
	X(OPT, 41, "*")                                                                          \
	X(APL, 42, "*")                                                                          \
	X(DS, 43, "*")                                                                           \
	X(SSHFP, 44, "*")                                                                        \
	X(IPSECKEY, 45, "*")                                                                     \
	X(RRSIG, 46, "*")                                                                        \
	X(NSEC, 47, "*")                                                                         \
	X(DNSKEY, 48, "*")                                                                       \
	X(DHCID, 49, "*")                                                                        \
	X(NSEC3, 50, "*")                                                                        \
	X(NSEC3PARAM, 51, "*")                                                                   \
	X(TLSA, 52, "*")                                                                         \
	X(SMIMEA, 53, "*")                                                                       \
	X(HIP, 55, "*")                                                                          \
	X(CDS, 59, "*")                                                                          \
	X(CDNSKEY, 60, "*")                                                                      \
	X(OPENPGPKEY, 61, "*")                                                                   \
	X(CSYNC, 62, "*")                                                                        \
	X(ZONEMD, 63, "*")                                                                       \
	X(SVCB, 64, "*")                                                                         \
	X(HTTPS, 65, "*")                                                                        \
	X(SPF, 99, "*")                                                                          \
	X(NID, 104, "*")                                                                         \
	X(L32, 105, "*")                                                                         \
	X(L64, 106, "*")                                                                         \
	X(LP, 107, "*")                                                                          \
	X(EUI48, 108, "*")                                                                       \
	X(EUI64, 109, "*")                                                                       \
	X(TKEY, 249, "*")                                                                        \
	X(TSIG, 250, "*")                                                                        \
	X(IXFR, 251, "*")                                                                        \
	X(AXFR, 252, "*")                                                                        \
	X(MAILB, 253, "*")                                                                       \
	X(MAILA, 254, "*")                                                                       \
	X(ANY, 255, "*")                                                                         \
	X(URI, 256, "*")                                                                         \
	X(CAA, 257, "*")                                                                         \
	X(AVC, 258, "*")                                                                         \
	X(RESINFO, 261, "*")                                                                     \
	X(DLV, 32769, "*")
/* clang-format on */

enum rrtype {
#define RRTYPE_ENUM(name, number, layout) TYPE_##name = (number),
	RRTYPE_TABLE(RRTYPE_ENUM)
#undef RRTYPE_ENUM
};

enum rrclass { CLASS_IN = 1, CLASS_CH = 3, CLASS_NONE = 254, CLASS_ANY = 255 };

enum opcode {
	OPCODE_QUERY = 0,
	OPCODE_IQUERY = 1,
	OPCODE_STATUS = 2,
	OPCODE_NOTIFY = 4,
	OPCODE_UPDATE = 5
};

/* clang-format off */
#define RCODE_TABLE(X)                                                                           \
	X(NOERROR, 0)                                                                            \
	X(FORMERR, 1)                                                                            \
	X(SERVFAIL, 2)                                                                           \
	X(NXDOMAIN, 3)                                                                           \
	X(NOTIMP, 4)                                                                             \
	X(REFUSED, 5)                                                                            \
	X(YXDOMAIN, 6)                                                                           \
	X(YXRRSET, 7)                                                                            \
	X(NXRRSET, 8)                                                                            \
	X(NOTAUTH, 9)                                                                            \
	X(NOTZONE, 10)                                                                           \
	X(BADVERS, 16)                                                                           \
	X(BADCOOKIE, 23)
/* clang-format on */

enum rcode {
#define RCODE_ENUM(name, number) RCODE_##name = (number),
	RCODE_TABLE(RCODE_ENUM)
#undef RCODE_ENUM
};

/* Extended DNS Errors (RFC 8914 4), as far as we send them. */
/* clang-format off */
#define EDE_TABLE(X)                                                                             \
	X(NONE, -1, "none")                                                                      \
	X(OTHER, 0, "Other")                                                                     \
	X(UNSUPPORTED_DNSKEY_ALGO, 1, "Unsupported DNSKEY Algorithm")                            \
	X(UNSUPPORTED_DS_DIGEST_TYPE, 2, "Unsupported DS Digest Type")                           \
	X(STALE_ANSWER, 3, "Stale Answer")                                                       \
	X(DNSSEC_INDETERMINATE, 5, "DNSSEC Indeterminate")                                       \
	X(DNSSEC_BOGUS, 6, "DNSSEC Bogus")                                                       \
	X(SIGNATURE_EXPIRED, 7, "Signature Expired")                                             \
	X(SIGNATURE_NOT_YET_VALID, 8, "Signature Not Yet Valid")                                 \
	X(DNSKEY_MISSING, 9, "DNSKEY Missing")                                                   \
	X(RRSIGS_MISSING, 10, "RRSIGs Missing")                                                  \
	X(NO_ZONE_KEY_BIT_SET, 11, "No Zone Key Bit Set")                                        \
	X(NSEC_MISSING, 12, "NSEC Missing")                                                      \
	X(CACHED_ERROR, 13, "Cached Error")                                                      \
	X(NOT_READY, 14, "Not Ready")                                                            \
	X(BLOCKED, 15, "Blocked")                                                                \
	X(STALE_NXDOMAIN_ANSWER, 19, "Stale NXDOMAIN Answer")                                    \
	X(NOT_AUTHORITATIVE, 20, "Not Authoritative")                                            \
	X(NOT_SUPPORTED, 21, "Not Supported")                                                    \
	X(NO_REACHABLE_AUTHORITY, 22, "No Reachable Authority")                                  \
	X(NETWORK_ERROR, 23, "Network Error")                                                    \
	X(INVALID_DATA, 24, "Invalid Data")                                                      \
	X(SIGNATURE_EXPIRED_BEFORE_VALID, 25, "Signature Expired before Valid")                  \
	X(UNSUPPORTED_NSEC3_ITERATIONS, 27, "Unsupported NSEC3 Iterations Value")                \
	X(NEGATIVE_TRUST_ANCHOR, 33, "Negative Trust Anchor")
/* clang-format on */

enum ede {
#define EDE_ENUM(name, number, text) EDE_##name = (number),
	EDE_TABLE(EDE_ENUM)
#undef EDE_ENUM
};

enum { RRTYPE_TEXT_MAX = 12 };

/* "AAAA", or "TYPE65280" written into `buf` when there is no mnemonic. */
const char *rrtype_to_text(uint16_t type, char buf[RRTYPE_TEXT_MAX]);

/* Mnemonic (any case) or TYPEnnn.  E_MALFORMED. */
int rrtype_from_text(const char *text, uint16_t *type) MUST_USE;

/* The rdata layout of the table; "*" for a type that is not in it. */
const char *rrtype_layout(uint16_t type);

/* Types that are no data of a zone: OPT, TSIG, TKEY, 128-255 (RFC 6895 3.1). */
bool rrtype_is_meta(uint16_t type);

/* Those that prove what is not there: NSEC, NSEC3. */
static inline bool rrtype_is_denial(uint16_t type)
{
	return type == TYPE_NSEC || type == TYPE_NSEC3;
}

/* "NOERROR"; "RCODE17" into `buf` for the unnamed. */
const char *rcode_to_text(unsigned rcode, char buf[RRTYPE_TEXT_MAX]);

const char *ede_to_text(int code);

#endif
