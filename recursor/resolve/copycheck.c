/* copycheck: see copycheck.h. */
#include "recursor/resolve/copycheck.h"

#include <stdio.h>

#include "common/rrtype.h"
#include "recursor/resolve/dnssec/bogus.h"
#include "recursor/resolve/dnssec/denial.h"
#include "recursor/resolve/dnssec/verify.h"
#include "recursor/resolve/dnssec/zonemd.h"

/* What is checked, and what it is checked with. */
struct checking {
	const struct copycheck *c;
	struct rrset *keys;
	struct dnssec_work work;
	char *why;
};

static int refuse(struct checking *x, int err, const char *what, const char *words)
{
	(void)snprintf(x->why, COPYCHECK_WHY_MAX, "%s%s%s", what, *what != '\0' ? ": " : "", words);
	return err;
}

static int find(struct checking *x, uint16_t type, struct rrset **out)
{
	const struct zonecopy *z = x->c->copy;
	int err = zonecopy_set(z, zonecopy_apex(z), type, x->c->now_s, out);

	return err == E_NOT_FOUND ? E_OK : err;
}

static int verify(struct checking *x, const struct rrset *s, const char *what)
{
	struct verification v;

	if (verify_set(x->c->keyring, x->c->limits, s, zonecopy_apex(x->c->copy), x->keys,
		       x->c->now_s, &x->work, &v) == SEC_SECURE)
		return E_OK;
	return refuse(x, E_MALFORMED, what, bogus_row(v.why)->text);
}

static int check_keys(struct checking *x)
{
	struct verification v;
	int err = find(x, TYPE_DNSKEY, &x->keys);

	if (err != E_OK)
		return refuse(x, err, "its DNSKEY records", err_text(err));
	if (x->keys == NULL)
		return refuse(x, E_MALFORMED, "", "it should be signed, and has no DNSKEY record");
	if (verify_dnskeys(x->c->keyring, x->c->limits, x->keys, x->c->ds, x->c->now_s, &x->work,
			   &v) != SEC_SECURE)
		return refuse(x, E_MALFORMED, "its DNSKEY records", bogus_row(v.why)->text);
	return E_OK;
}

static int check_soa(struct checking *x)
{
	struct rrset *soa = NULL;
	int err = find(x, TYPE_SOA, &soa);

	if (err != E_OK)
		return refuse(x, err, "its SOA record", err_text(err));
	err = verify(x, soa, "its SOA record");
	rrset_put(soa);
	return err;
}

/* That there is no ZONEMD record: RFC 8976 4, step 2. */
static int check_absence(struct checking *x)
{
	static const char what[] = "it has no ZONEMD record, which is not proved";
	const uint8_t *apex = zonecopy_apex(x->c->copy);
	struct denial_proof proof = { .zone = apex, .n = 1 };
	struct rrset *set = NULL;
	enum denial denied;
	int err = zonecopy_apex_denial(x->c->copy, x->c->limits, x->c->now_s, &set);

	/* With more iterations than are heard of nothing is proved; nor would anything be that it says. */
	if (err == E_UNSUPPORTED)
		return refuse(
			x, err, "",
			"it has more NSEC3 iterations than are heard of (nsec3-max-iterations)");
	if (err != E_OK)
		return refuse(x, err == E_NOMEM ? err : E_MALFORMED, what, err_text(err));
	err = verify(x, set, what);
	if (err == E_OK) {
		proof.sets = &set;
		denied = denial_nodata(x->c->limits, &proof, apex, TYPE_ZONEMD, &x->work);
		if (denied != DENIAL_PROVED)
			err = refuse(x, E_MALFORMED, "", what);
	}
	rrset_put(set);
	return err;
}

static int check_chain(struct checking *x, const struct rrset *zonemd, struct copy_verdict *out)
{
	int err = check_keys(x);

	if (err == E_OK)
		err = check_soa(x);
	if (err == E_OK && x->c->zonemd != COPY_IGNORE)
		err = zonemd != NULL ? verify(x, zonemd, "its ZONEMD record") : check_absence(x);
	out->is_signed = err == E_OK;
	return err;
}

static void take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			const struct rdata *rr)
{
	zonemd_record(ctx, owner, type, ttl, rr);
}

static int check_digest(struct checking *x, const struct rrset *set, struct copy_verdict *out)
{
	struct zonemd_digest *m = NULL;
	struct soa soa;
	enum zonemd verdict;
	int err;

	zonecopy_soa(x->c->copy, &soa);
	err = zonemd_new(&m, zonecopy_apex(x->c->copy), soa.serial, set);
	if (err != E_OK)
		return refuse(x, err, "its ZONEMD record", err_text(err));
	if (zonemd_wants_records(m))
		err = zonecopy_walk(x->c->copy, x->c->leave, take_record, m);
	if (err != E_OK) {
		zonemd_free(m);
		return refuse(x, err, "", err_text(err));
	}
	verdict = zonemd_end(m);
	out->is_digested = verdict == ZONEMD_MATCHES;
	if (out->is_digested)
		return E_OK;
	/* RFC 8976 4: what cannot be verified may be used where verification is not asked for. */
	if (x->c->zonemd != COPY_REQUIRE &&
	    (verdict == ZONEMD_NONE || verdict == ZONEMD_UNSUPPORTED))
		return E_OK;
	return refuse(x, E_MALFORMED, "", zonemd_text(verdict));
}

int copycheck(const struct copycheck *c, struct copy_verdict *out, char why[COPYCHECK_WHY_MAX])
{
	struct checking x = { .c = c, .why = why };
	struct copy_verdict verdict = { false, false };
	struct rrset *zonemd = NULL;
	bool is_to_be_signed = c->dnssec != COPY_IGNORE && c->ds != NULL &&
			       ds_is_usable(c->ds, c->limits);
	int err = find(&x, TYPE_ZONEMD, &zonemd);

	if (err != E_OK)
		err = refuse(&x, err, "its ZONEMD record", err_text(err));
	else if (is_to_be_signed)
		err = check_chain(&x, zonemd, &verdict);
	else if (c->dnssec == COPY_REQUIRE)
		err = refuse(&x, E_MALFORMED, "",
			     "it is to be signed, and no trust anchor or DS says so");
	if (err == E_OK && c->zonemd != COPY_IGNORE)
		err = check_digest(&x, zonemd, &verdict);
	rrset_put(zonemd);
	rrset_put(x.keys);
	if (err == E_OK)
		*out = verdict;
	return err;
}
