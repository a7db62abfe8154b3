/*
 * copycheck: may a copy of a zone be used?  ZONEMD and what of DNSSEC vouches for it (RFC 8976 4).
 *
 * Where the zone is signed, as far as the DS set at hand says: its DNSKEY set has to be signed by a key that a
 * DS vouches for, its SOA by one of those keys, and its ZONEMD set too, or the zone's NSEC or NSEC3
 * has to prove that there is none (so that nobody takes it out).  Then the digest is compared.
 * The other signatures are not looked at here: each set is validated when it is used, as any server's.
 *
 * Threads: any but a worker's: a root of 26,000 records with two digests takes some 20 ms from the
 *          wire into force, most of which is here (`make torture-root-copy`).
 */
#ifndef RESOLVE_COPYCHECK_H
#define RESOLVE_COPYCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/resolve/dnssec/limits.h"
#include "recursor/resolve/zonecopy.h"

enum { COPYCHECK_WHY_MAX = 200 };

/* What zoneToCache()'s "zonemd" and "dnssec" say. */
enum copy_wish {
	COPY_IGNORE,
	COPY_VALIDATE, /* what is there has to be right */
	COPY_REQUIRE,  /* and it has to be there */
};

struct copycheck {
	const struct zonecopy *copy;
	enum copy_wish zonemd, dnssec;
	const struct rrset *ds; /* known to be good; NULL: nothing says that the zone is signed */
	struct keyring *keyring;
	const struct dnssec_limits *limits;
	uint32_t now_s;
	const struct zonefile_leave *leave; /* or NULL */
};

struct copy_verdict {
	bool is_signed;   /* and its SOA validates */
	bool is_digested; /* a ZONEMD record matched */
};

/* E_OK: it may be.  E_MALFORMED: not; E_NOMEM, E_STOPPED; then one line stands in `why`. */
int copycheck(const struct copycheck *c, struct copy_verdict *out,
	      char why[COPYCHECK_WHY_MAX]) MUST_USE;

#endif
