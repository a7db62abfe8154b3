/*
 * algorithm: the signature algorithms of DNSKEY and RRSIG records, and the digests of DS.
 *
 * One table each (RFC 8624 3.1, 3.3).  What is not in it, what OpenSSL has not, and what the
 * system's policy forbids, SHA-1 above all, is unsupported: a zone that has nothing else counts
 * as insecure (RFC 4035 5.2), not as bogus.
 *
 * Threads: any.
 */
#ifndef RESOLVE_DNSSEC_ALGORITHM_H
#define RESOLVE_DNSSEC_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recursor/resolve/dnssec/limits.h"

enum hash { HASH_NONE, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_N };

enum key_kind { KEY_RSA, KEY_ECDSA, KEY_EDDSA };

/* symbol, number, mnemonic, kind of key, hash of what is signed, OpenSSL's group or key type,
 * bytes of a signature, microseconds that a check takes on a machine of 2020 with OpenSSL 3.0; of RSA
 * the key says both.  RFC 3110, 5155, 5702, 6605, 8080. */
/* clang-format off */
#define ALGORITHMS(X)                                                                            \
	X(RSASHA1, 5, "RSASHA1", RSA, SHA1, "RSA", 0, 0)                                         \
	X(RSASHA1_NSEC3, 7, "RSASHA1-NSEC3-SHA1", RSA, SHA1, "RSA", 0, 0)                        \
	X(RSASHA256, 8, "RSASHA256", RSA, SHA256, "RSA", 0, 0)                                   \
	X(RSASHA512, 10, "RSASHA512", RSA, SHA512, "RSA", 0, 0)                                  \
	X(ECDSAP256SHA256, 13, "ECDSAP256SHA256", ECDSA, SHA256, "prime256v1", 64, 70)           \
	X(ECDSAP384SHA384, 14, "ECDSAP384SHA384", ECDSA, SHA384, "secp384r1", 96, 700)           \
	X(ED25519, 15, "ED25519", EDDSA, NONE, "ED25519", 64, 120)                               \
	X(ED448, 16, "ED448", EDDSA, NONE, "ED448", 114, 250)

/* symbol, number, mnemonic, hash */
#define DIGESTS(X)                                                                               \
	X(SHA1, 1, "SHA-1", SHA1)                                                                \
	X(SHA256, 2, "SHA-256", SHA256) /* RFC 4509 */                                           \
	X(SHA384, 4, "SHA-384", SHA384) /* RFC 6605 */
/* clang-format on */

enum {
#define ALGORITHM_ENUM(symbol, number, ...) ALGORITHM_##symbol = (number),
	ALGORITHMS(ALGORITHM_ENUM)
#undef ALGORITHM_ENUM
};

enum {
#define DIGEST_ENUM(symbol, number, ...) DIGEST_##symbol = (number),
	DIGESTS(DIGEST_ENUM)
#undef DIGEST_ENUM
};

enum { HASH_MAX_LEN = 64 };

struct algorithm {
	const char *text;
	const char *openssl;
	uint8_t number, kind, hash;
	uint8_t signature_len;
	uint16_t check_us;
};

struct digest {
	const char *text;
	uint8_t number, hash;
};

/* NULL for an algorithm or digest type that is not in the table.  Borrowed, for good. */
const struct algorithm *algorithm_find(unsigned number);
const struct digest *digest_find(unsigned number);

/* "ECDSAP256SHA256"; also the names of those that nobody uses any more; "unknown". */
const char *algorithm_text(unsigned number);

/* What OpenSSL calls a hash, and its length. */
const char *hash_name(enum hash h);
size_t hash_len(enum hash h);

/* Bit n: number n can be validated here; the first call tries them out, with a real signature where
 * a policy may forbid it, and takes some 100 us. */
uint32_t algorithms_usable(void);
uint32_t digests_usable(void);

/* Is a signature of that algorithm, a DS of that digest type validated?  Else it counts as not
 * there. */
bool algorithm_is_usable(unsigned number, const struct dnssec_limits *limits);
bool digest_is_usable(unsigned number);

#endif
