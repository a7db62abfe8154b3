/*
 * Signed data of any bytes: records, RRSIGs, DNSKEYs with RRSIGs of their own, DS.  Verifying them ends
 * within its limits, with a verdict that has a cause; and what we take for signed, ldns does as well.
 *
 * The first byte chooses the owner, two the type, one the limits; then parts: kind, length (two bytes),
 * rdata.
 */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/verify.h"

enum { NOW = 1700000000, TTL = 300, PARTS_MAX = 64, RECORD_MAX = 65535 + NAME_MAX_LEN + 10 };

enum kind { RECORD, SIG, KEY, KEY_SIG, DS, KIND_N };

static const uint8_t zone[] = "\7example";

struct parts {
	struct rdata at[KIND_N][PARTS_MAX];
	size_t n[KIND_N];
};

static struct keyring *ring;

static void split(struct parts *p, const uint8_t *data, size_t size)
{
	memset(p, 0, sizeof(*p));
	for (size_t at = 0; at + 3 <= size;) {
		enum kind kind = data[at] % KIND_N;
		size_t len = wire_get_u16(data + at + 1);

		at += 3;
		if (len > size - at)
			len = size - at;
		if (p->n[kind] < PARTS_MAX)
			p->at[kind][p->n[kind]++] = (struct rdata) { data + at, (uint16_t)len };
		at += len;
	}
}

static struct rrset *set_of(const uint8_t *owner, uint16_t type, const struct parts *p,
			    enum kind kind, enum kind sigs)
{
	struct rrset *s = NULL;

	ASSERT(rrset_new(&s, owner, type, TTL, NOW, RANK_AUTH_ANSWER, p->at[kind], p->n[kind],
			 p->at[sigs], sigs == kind ? 0 : p->n[sigs]) == E_OK);
	return s;
}

static ldns_rr *as_ldns(const uint8_t *owner, uint16_t type, const struct rdata *rr)
{
	static uint8_t wire[RECORD_MAX];
	size_t len = name_copy(wire, owner), pos = 0;
	ldns_rr *out = NULL;

	wire_put_u16(wire + len, type);
	wire_put_u16(wire + len + 2, CLASS_IN);
	wire_put_u32(wire + len + 4, TTL);
	wire_put_u16(wire + len + 8, rr->len);
	if (rr->len > 0)
		memcpy(wire + len + 10, rr->data, rr->len);
	if (ldns_wire2rr(&out, wire, len + 10 + rr->len, &pos, LDNS_SECTION_ANSWER) !=
	    LDNS_STATUS_OK)
		return NULL;
	return out;
}

/* Does one of the signatures verify with one of the keys?  Of one record only, since ldns has equal
 * ones twice (RFC 4034 6.3), and only of what it can read. */
static bool ldns_agrees(const uint8_t *owner, uint16_t type, const struct parts *p)
{
	ldns_rr_list *set = ldns_rr_list_new(), *keys = ldns_rr_list_new();
	ldns_rr *record = as_ldns(owner, type, &p->at[RECORD][0]);
	bool agrees = record == NULL;

	if (record != NULL)
		ldns_rr_list_push_rr(set, record);
	for (size_t i = 0; i < p->n[KEY]; i++) {
		ldns_rr *key = as_ldns(zone, TYPE_DNSKEY, &p->at[KEY][i]);

		if (key != NULL)
			ldns_rr_list_push_rr(keys, key);
	}
	for (size_t i = 0; i < p->n[SIG] && !agrees; i++) {
		ldns_rr_list *good = ldns_rr_list_new();
		ldns_rr *sig = as_ldns(owner, TYPE_RRSIG, &p->at[SIG][i]);

		agrees = sig != NULL &&
			 ldns_verify_rrsig_keylist_notime(set, sig, keys, good) == LDNS_STATUS_OK;
		ldns_rr_free(sig);
		ldns_rr_list_free(good);
	}
	ldns_rr_list_deep_free(set);
	ldns_rr_list_deep_free(keys);
	return agrees;
}

static void check(enum security verdict, const struct verification *v,
		  const struct dnssec_limits *l, const struct dnssec_work *work)
{
	ASSERT(verdict == SEC_SECURE || verdict == SEC_BOGUS);
	ASSERT((verdict == SEC_SECURE) == (v->why == BOGUS_NONE));
	ASSERT(v->why < BOGUS_N);
	ASSERT(verdict == SEC_BOGUS || !serial_is_before(v->until_s, NOW));
	if (l->max_rrsigs_per_record != 0)
		ASSERT(work->checks <= l->max_rrsigs_per_record * l->max_dnskeys);
	if (l->max_signature_validations != 0)
		ASSERT(work->checks <= l->max_signature_validations);
}

static void verify_each(const uint8_t *owner, uint16_t type, const struct parts *p,
			const struct dnssec_limits *l)
{
	struct rrset *keys = set_of(zone, TYPE_DNSKEY, p, KEY, KEY_SIG);
	struct rrset *ds = set_of(zone, TYPE_DS, p, DS, DS);
	struct rrset *s = set_of(owner, type, p, RECORD, SIG);
	struct dnssec_work work = { .checks = 0 };
	struct verification v;
	enum security verdict;
	struct dnskey k;

	verdict = verify_set(ring, l, s, zone, keys, NOW, &work, &v);
	check(verdict, &v, l, &work);
	if (verdict == SEC_SECURE && p->n[RECORD] == 1)
		ASSERT(ldns_agrees(owner, type, p));
	work = (struct dnssec_work) { .checks = 0 };
	verdict = verify_dnskeys(ring, l, keys, ds, NOW, &work, &v);
	check(verdict, &v, l, &work);
	ASSERT(verdict == SEC_BOGUS || ds_is_usable(ds, l));
	for (size_t i = 0; i < p->n[KEY]; i++) {
		work = (struct dnssec_work) { .checks = 0 };
		if (dnskey_read(&k, &p->at[KEY][i]) == E_OK)
			check(verify_self_signed(ring, l, keys, &k, NOW, &work, &v), &v, l, &work);
	}
	rrset_put(keys);
	rrset_put(ds);
	rrset_put(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t *const owners[] = {
		zone,
		(const uint8_t *)"\3www\7example",
		(const uint8_t *)"\1a\1b\4wild\7example",
		(const uint8_t *)"\1*\4wild\7example",
	};
	struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct parts parts;

	if (size < 4)
		return 0;
	hash_key_set(1, 2);
	ASSERT(keyring_new(&ring, 8) == E_OK);
	if (data[3] & 1)
		limits.max_rrsigs_per_record = limits.max_dnskeys = limits.max_ds_per_zone = 0;
	limits.disabled_algorithms[0] = (uint64_t)(data[3] >> 1) << 8;
	split(&parts, data + 4, size - 4);
	verify_each(owners[data[0] % ARRAY_LEN(owners)], wire_get_u16(data + 1), &parts, &limits);
	ASSERT(keyring_stats(ring).keys <= 8);
	keyring_free(ring);
	return 0;
}
