/* special: the table of special-use names; see special.h. */
#include "recursor/resolve/special.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/resolver.h"

enum special_kind {
	LOOPBACK, /* A 127.0.0.1, AAAA ::1 at and below it: RFC 6761 6.3 */
	NOTHING,  /* the name and all below it do not exist: RFC 6761 6.4, 7686 2 */
	RFC1918,  /* an empty zone; serve-rfc1918 */
	RFC6303,  /* an empty zone; serve-rfc6303 */
	EMPTY,    /* an empty zone, always: RFC 8375 4 */
};

static const struct {
	const char *name;
	enum special_kind kind;
} table[] = {
	{ "localhost.", LOOPBACK },
	{ "invalid.", NOTHING },
	{ "test.", NOTHING }, /* RFC 6761 6.2: by default no look-ups */
	{ "onion.", NOTHING },
	{ "home.arpa.", EMPTY },
	{ "10.in-addr.arpa.", RFC1918 },
	{ "168.192.in-addr.arpa.", RFC1918 },
	{ "16.172.in-addr.arpa.", RFC1918 },
	{ "17.172.in-addr.arpa.", RFC1918 },
	{ "18.172.in-addr.arpa.", RFC1918 },
	{ "19.172.in-addr.arpa.", RFC1918 },
	{ "20.172.in-addr.arpa.", RFC1918 },
	{ "21.172.in-addr.arpa.", RFC1918 },
	{ "22.172.in-addr.arpa.", RFC1918 },
	{ "23.172.in-addr.arpa.", RFC1918 },
	{ "24.172.in-addr.arpa.", RFC1918 },
	{ "25.172.in-addr.arpa.", RFC1918 },
	{ "26.172.in-addr.arpa.", RFC1918 },
	{ "27.172.in-addr.arpa.", RFC1918 },
	{ "28.172.in-addr.arpa.", RFC1918 },
	{ "29.172.in-addr.arpa.", RFC1918 },
	{ "30.172.in-addr.arpa.", RFC1918 },
	{ "31.172.in-addr.arpa.", RFC1918 },
	{ "0.in-addr.arpa.", RFC6303 },
	{ "127.in-addr.arpa.", RFC6303 },
	{ "254.169.in-addr.arpa.", RFC6303 },
	{ "2.0.192.in-addr.arpa.", RFC6303 },
	{ "100.51.198.in-addr.arpa.", RFC6303 },
	{ "113.0.203.in-addr.arpa.", RFC6303 },
	{ "255.255.255.255.in-addr.arpa.", RFC6303 },
	{ "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", RFC6303 },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", RFC6303 },
	{ "d.f.ip6.arpa.", RFC6303 },
	{ "8.e.f.ip6.arpa.", RFC6303 },
	{ "9.e.f.ip6.arpa.", RFC6303 },
	{ "a.e.f.ip6.arpa.", RFC6303 },
	{ "b.e.f.ip6.arpa.", RFC6303 },
	{ "8.b.d.0.1.0.0.2.ip6.arpa.", RFC6303 },
};

enum { N_ZONES = ARRAY_LEN(table), SPECIAL_TTL = 10800 };

struct special_zone {
	uint8_t name[NAME_MAX_LEN];
	enum special_kind kind;
};

struct special {
	struct special_zone zones[N_ZONES];
	uint8_t soa_rdata[64]; /* RFC 6303 3: localhost. nobody.invalid. 1 3600 1200 604800 10800 */
	uint16_t soa_len;
};

int special_new(struct special **out)
{
	struct special *s = calloc(1, sizeof(*s));
	static const uint32_t numbers[5] = { 1, 3600, 1200, 604800, SPECIAL_TTL };
	uint8_t name[NAME_MAX_LEN];
	int err = E_OK;

	if (s == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < N_ZONES && err == E_OK; i++) {
		err = name_from_text(s->zones[i].name, table[i].name);
		s->zones[i].kind = table[i].kind;
	}
	if (err == E_OK)
		err = name_from_text(name, "localhost.");
	if (err == E_OK) {
		s->soa_len = (uint16_t)name_copy(s->soa_rdata, name);
		err = name_from_text(name, "nobody.invalid.");
	}
	if (err == E_OK) {
		s->soa_len = (uint16_t)(s->soa_len + name_copy(s->soa_rdata + s->soa_len, name));
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++, s->soa_len += 4)
			wire_put_u32(s->soa_rdata + s->soa_len, numbers[i]);
		*out = s;
		return E_OK;
	}
	free(s);
	return err;
}

void special_free(struct special *s)
{
	free(s);
}

static const struct special_zone *zone_find(const struct special *s, const uint8_t *name)
{
	const uint8_t *top;
	unsigned labels = name_labels(name);

	if (labels == 0)
		return NULL;
	/* Nearly every name fails here: its last label is none of these. */
	top = name_suffix(name, 1);
	if (top[0] < 4 || top[0] > 9 || strchr("aliot", top[1]) == NULL)
		return NULL;
	for (size_t i = 0; i < N_ZONES; i++)
		if (name_is_within(name, s->zones[i].name))
			return &s->zones[i];
	return NULL;
}

static bool is_served(const struct special_zone *z, const struct resolver_config *cfg)
{
	switch (z->kind) {
	case RFC1918:
		return cfg->serve_rfc1918;
	case RFC6303:
		return cfg->serve_rfc6303;
	case LOOPBACK:
	case NOTHING:
	case EMPTY:
		break;
	}
	return cfg->serve_special;
}

static struct rrset *one_record(const uint8_t *name, uint16_t type, const uint8_t *data,
				uint16_t len, uint32_t now_s)
{
	struct rdata rr = { data, len };
	struct rrset *set = NULL;

	return rrset_new(&set, name, type, SPECIAL_TTL, now_s, RANK_LOCAL, &rr, 1, NULL, 0) == E_OK
		       ? set
		       : NULL;
}

static struct rrset *denial(const struct special *s, const struct special_zone *z,
			    enum rrset_kind kind, const uint8_t *name, uint16_t type,
			    uint32_t now_s)
{
	struct rrset *soa = one_record(z->name, TYPE_SOA, s->soa_rdata, s->soa_len, now_s);
	struct rrset *set = NULL;

	if (soa == NULL)
		return NULL;
	if (rrset_new_negative(&set, kind, name, kind == RRSET_NXDOMAIN ? 0 : type, SPECIAL_TTL,
			       now_s, RANK_LOCAL, &soa, 1, CAUSE_NONE) != E_OK)
		set = NULL;
	rrset_put(soa);
	return set;
}

static struct rrset *loopback(const struct special *s, const struct special_zone *z,
			      const uint8_t *name, uint16_t type, uint32_t now_s)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };

	if (type == TYPE_A)
		return one_record(name, type, v4, sizeof(v4), now_s);
	if (type == TYPE_AAAA)
		return one_record(name, type, v6, sizeof(v6), now_s);
	return denial(s, z, RRSET_NODATA, name, type, now_s);
}

static struct rrset *empty_zone(const struct special *s, const struct special_zone *z,
				const uint8_t *name, uint16_t type, uint32_t now_s)
{
	static const uint8_t ns[] = "\11localhost"; /* RFC 6303 3 */

	if (!name_equal(name, z->name))
		return denial(s, z, RRSET_NXDOMAIN, name, type, now_s);
	if (type == TYPE_SOA)
		return one_record(name, type, s->soa_rdata, s->soa_len, now_s);
	if (type == TYPE_NS)
		return one_record(name, type, ns, sizeof(ns), now_s);
	return denial(s, z, RRSET_NODATA, name, type, now_s);
}

static struct rrset *answer_make(const struct special *s, const struct special_zone *z,
				 const uint8_t *name, uint16_t type, uint32_t now_s)
{
	switch (z->kind) {
	case LOOPBACK:
		return loopback(s, z, name, type, now_s);
	case NOTHING:
		return denial(s, z, RRSET_NXDOMAIN, name, type, now_s);
	case RFC1918:
	case RFC6303:
	case EMPTY:
		break;
	}
	return empty_zone(s, z, name, type, now_s);
}

bool special_look(struct rrset **out, const struct special *s, const struct resolver_config *cfg,
		  const uint8_t *name, uint16_t type, unsigned least_labels, uint32_t now_s)
{
	const struct special_zone *z = zone_find(s, name);

	if (z == NULL || !is_served(z, cfg) || name_labels(z->name) < least_labels)
		return false;
	/* DS is the parent's to answer (RFC 8375 4: home.arpa's must be asked for). */
	if (type == TYPE_DS && name_equal(name, z->name))
		return false;
	*out = answer_make(s, z, name, type, now_s);
	return true;
}
