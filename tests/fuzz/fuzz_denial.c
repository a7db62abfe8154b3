/* NSEC and NSEC3 sets, byte for byte, as a signed zone of an enemy's would have them: what is said of
 * them breaks nothing, costs no more than the limits, and agrees with itself; and what the aggressive
 * cache makes of them is proved by what it gives with it.
 *
 *     2 bytes: the names asked for; then sets: owner, type, length of rdata, rdata
 *
 * Types from 128 up have an RRSIG as it should be, else one of the set's bytes. */
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/denial.h"
#include "recursor/resolve/dnssec/nsec3.h"

enum { SETS_MAX = 8, NOW = 1700000000, RRSIG_FIXED = 18 };

static const uint8_t zone[] = "\7example";

static const uint8_t *const names[] = {
	zone,
	(const uint8_t *)"\1a\7example",
	(const uint8_t *)"\1*\7example",
	(const uint8_t *)"\1b\1a\7example",
	(const uint8_t *)"\1*\1a\7example",
	(const uint8_t *)"\1z\7example",
	(const uint8_t *)"\0",
	(const uint8_t *)"\1c\1b\1a\7example",
	(const uint8_t *)"\4like\5other",
};

static const uint16_t types[] = { TYPE_NSEC, TYPE_NSEC3, TYPE_A, TYPE_CNAME };

/* Of an NSEC3: the hash of a name of the list, or bytes. */
static const uint8_t *owner_of(uint8_t choice, uint16_t type, uint8_t out[NAME_MAX_LEN])
{
	static const struct nsec3_param param = { .salt = (const uint8_t *)"" };
	uint8_t hash[NSEC3_HASH_LEN];

	if (type != TYPE_NSEC3)
		return names[choice % ARRAY_LEN(names)];
	memset(hash, choice, sizeof(hash));
	if (choice % 2 == 0)
		(void)!nsec3_hash(hash, &param, names[choice / 2 % ARRAY_LEN(names)]);
	out[0] = NSEC3_LABEL_LEN;
	nsec3_label_write(out + 1, hash);
	(void)name_copy(out + 1 + NSEC3_LABEL_LEN, zone);
	return out;
}

static struct rrset *set_of(uint8_t choice, uint8_t kind, const uint8_t *data, size_t len)
{
	const uint16_t type = types[kind % ARRAY_LEN(types)];
	uint8_t owner[NAME_MAX_LEN], bytes[RRSIG_FIXED + sizeof(zone) + 8] = { 0 };
	const uint8_t *name = owner_of(choice, type, owner);
	struct rdata rr = { .data = data, .len = (uint16_t)len }, sig = rr;
	struct rrset *s = NULL;

	if (kind >= 128) {
		wire_put_u16(bytes, type);
		bytes[3] = (uint8_t)(name_labels(name) - (name[0] == 1 && name[1] == '*'));
		/* Data may be made of a wildcard. */
		if (type != TYPE_NSEC && type != TYPE_NSEC3 && kind >= 192 && bytes[3] > 1)
			bytes[3]--;
		wire_put_u32(bytes + 8, NOW + 100);
		(void)name_copy(bytes + RRSIG_FIXED, zone);
		sig = (struct rdata) { .data = bytes, .len = sizeof(bytes) };
	}
	if (rrset_new(&s, name, type, 300, NOW, RANK_AUTH_AUTHORITY, &rr, 1, &sig, 1) != E_OK)
		return NULL;
	rrset_set_security(s, SEC_SECURE, 0);
	return s;
}

static void judge(const struct denial_proof *p, const uint8_t *name)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { 0 };
	bool is_absent = denial_nxdomain(&limits, p, name, &work) == DENIAL_PROVED;
	bool is_empty = denial_nodata(&limits, p, name, TYPE_CAA, &work) == DENIAL_PROVED;
	enum ds_denial ds = denial_ds(&limits, p, name, &work);

	for (unsigned labels = 0; labels <= name_labels(name); labels++)
		(void)denial_wildcard(&limits, p, name, labels, &work);
	ASSERT(work.hashes <= limits.max_nsec3_hashes);
	ASSERT(p->n > 0 || (!is_absent && !is_empty && ds == DS_DENIAL_NOT_PROVED));
	ASSERT(name_is_within(name, zone) || (!is_absent && !is_empty));
}

/* With the proof that it gives, so that it is true if that is. */
static void judge_cached(struct aggressive *cache, const uint8_t *name, uint16_t type)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { 0 };
	struct rrset *out = NULL;
	struct denial_proof p = { .zone = zone };
	struct rdata sig;
	size_t at = 0;

	if (aggressive_look(cache, name, type, NOW + 10, NULL, &out) == AGGRESSIVE_NONE)
		return;
	ASSERT(name_equal(rrset_owner(out), name) && out->ttl <= 90);
	p.sets = rrset_proofs(out);
	p.n = out->n_proofs;
	if (out->kind == RRSET_NXDOMAIN)
		ASSERT(denial_nxdomain(&limits, &p, name, &work) == DENIAL_PROVED);
	else if (out->kind == RRSET_NODATA)
		ASSERT(denial_nodata(&limits, &p, name, type, &work) == DENIAL_PROVED);
	else
		ASSERT(rrset_next_sig(out, &at, &sig) &&
		       denial_wildcard(&limits, &p, name, sig.data[3], &work) == DENIAL_PROVED);
	rrset_put(out);
}

static void put_all(struct aggressive *cache, const struct denial_proof *p)
{
	static const uint8_t soa[] = "\2ns\0\4host\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\1\54";
	struct rrset *s = NULL;
	const uint8_t sig[12] = { 0, TYPE_SOA, 13, 1, 0, 0, 1, 44, 0x7f };

	if (rrset_new(&s, zone, TYPE_SOA, 300, NOW, RANK_AUTH_AUTHORITY,
		      &(struct rdata) { .data = soa, .len = sizeof(soa) - 1 }, 1,
		      &(struct rdata) { .data = sig, .len = sizeof(sig) }, 1) != E_OK)
		return;
	rrset_set_security(s, SEC_SECURE, 0);
	for (size_t i = 0; i < p->n; i++)
		aggressive_put(cache, zone, p->sets[i], s, NOW);
	rrset_put(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct aggressive_config cfg = { .max_entries = 5,
					       .min_nsec3_hit_ratio = 2000,
					       .max_nsec3_iterations = 50,
					       .max_nsec3_hash_cost = 150 };
	struct rrset *sets[SETS_MAX];
	struct denial_proof p = { .zone = zone, .sets = sets };
	struct aggressive *cache = NULL;
	size_t at = 2;

	if (size < 2)
		return 0;
	hash_key_set(1, 2);
	while (p.n < SETS_MAX && size - at > 3 && data[at + 2] <= size - at - 3) {
		sets[p.n] = set_of(data[at], data[at + 1], data + at + 3, data[at + 2]);
		at += 3 + (size_t)data[at + 2];
		if (sets[p.n] != NULL)
			p.n++;
	}
	judge(&p, names[data[0] % ARRAY_LEN(names)]);
	judge(&p, names[data[1] % ARRAY_LEN(names)]);
	if (aggressive_new(&cache, &cfg) == E_OK) {
		put_all(cache, &p);
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			judge_cached(cache, names[i], TYPE_CAA);
			judge_cached(cache, names[i], TYPE_A);
		}
		(void)aggressive_wipe(cache, names[data[0] % ARRAY_LEN(names)], data[1] % 2 == 0);
	}
	aggressive_free(cache);
	while (p.n > 0)
		rrset_put(sets[--p.n]);
	return 0;
}
