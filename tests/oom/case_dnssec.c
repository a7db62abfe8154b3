/* The case of signed data: what could not be checked for want of memory is not taken for checked, and
 * says so. */
#include <stdio.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/verify.h"
#include "tests/oom/alloc.h"
#include "tests/oom/oom.h"
#include "tests/signer/zone.h"

enum { NOW = 1700000000, DAY = 86400 };

static const uint8_t apex[] = "\7example";

/* Of a zone. */
struct sets {
	struct rrset *mx, *keys, *ds;
};

static void sets_make(struct sets *s)
{
	struct signed_zone *z;
	uint8_t ds[SIGN_DS_MAX];
	struct rdata rr = { .data = ds };

	alloc_pause(true);
	z = signed_zone_new(apex);
	ASSERT(signed_zone_read(
		z, "example. 60 IN SOA ns.example. host.example. 1 2 3 4 5\n"
		   "example. 60 IN MX 20 B.Example.\nexample. 60 IN MX 10 a.example.\n"));
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = 13,
						    .two_keys = true,
						    .inception_s = NOW - DAY,
						    .expiration_s = NOW + DAY });
	s->mx = signed_set_rrset(signed_zone_find(z, apex, TYPE_MX), NULL, NOW);
	s->keys = signed_set_rrset(signed_zone_find(z, apex, TYPE_DNSKEY), NULL, NOW);
	rr.len = (uint16_t)signed_zone_ds(z, 0, 2, ds);
	ASSERT(rrset_new(&s->ds, apex, TYPE_DS, 60, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0) ==
	       E_OK);
	signed_zone_free(z);
	alloc_pause(false);
}

static void sets_put(struct sets *s)
{
	rrset_put(s->mx);
	rrset_put(s->keys);
	rrset_put(s->ds);
}

static const char *verify(const struct sets *s, struct keyring *ring, bool nothing_fails)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	static char text[128];
	struct verification of_keys, of_set;
	struct dnssec_work work = { .checks = 0 };
	enum security keys, set;

	keys = verify_dnskeys(ring, &limits, s->keys, s->ds, NOW, &work, &of_keys);
	set = verify_set(ring, &limits, s->mx, apex, s->keys, NOW, &work, &of_set);
	if ((keys == SEC_SECURE || (!nothing_fails && of_keys.why == BOGUS_OUT_OF_MEMORY)) &&
	    (set == SEC_SECURE || (!nothing_fails && of_set.why == BOGUS_OUT_OF_MEMORY)))
		return NULL;
	(void)snprintf(text, sizeof(text), "keys: %s; set: %s", bogus_row(of_keys.why)->text,
		       bogus_row(of_set.why)->text);
	return text;
}

const char *oom_dnssec_case(const char *argument, bool nothing_fails)
{
	struct keyring *ring = NULL;
	const char *wrong = NULL;
	struct sets s;

	(void)argument;
	sets_make(&s);
	if (keyring_new(&ring, 1) == E_OK)
		wrong = verify(&s, ring, nothing_fails);
	else if (nothing_fails)
		wrong = "no keyring";
	keyring_free(ring);
	sets_put(&s);
	return wrong;
}
