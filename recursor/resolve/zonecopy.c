/* zonecopy: see zonecopy.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/grow.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/canonical.h"
#include "recursor/resolve/dnssec/key.h"
#include "recursor/resolve/dnssec/zonemd.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/zonecopy_impl.h"

enum {
	FIXED_LEN = 8, /* type, TTL, length */
	NSEC3PARAM_FIXED = 5,
	NSEC3_SHA1 = 1,
};

static int refuse(char why[ZONECOPY_WHY_MAX], int err, const char *words)
{
	(void)snprintf(why, ZONECOPY_WHY_MAX, "%s", words);
	return err;
}

int zonecopy_new(struct zonecopy **out, const uint8_t *apex, size_t max_bytes)
{
	struct zonecopy *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return E_NOMEM;
	atomic_init(&z->refs, 1);
	z->max_bytes = max_bytes == 0 || max_bytes > ZONECOPY_BYTES_MAX ? ZONECOPY_BYTES_MAX
									: max_bytes;
	(void)name_copy(z->apex, apex);
	z->labels = (uint8_t)name_labels(apex);
	*out = z;
	return E_OK;
}

struct zonecopy *zonecopy_get(struct zonecopy *z)
{
	(void)atomic_fetch_add_explicit(&z->refs, 1, memory_order_relaxed);
	return z;
}

void zonecopy_put(struct zonecopy *z)
{
	if (z == NULL || atomic_fetch_sub_explicit(&z->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(z->bytes);
	free(z->records);
	free(z->data);
	free(z->nodes);
	free(z->nsec3);
	free(z);
}

/* ---- building ---- */

static const char too_large[] = "the zone is larger than it may be (maxReceivedMBytes)";

/* With what of its index is known before all is there: room for one record more. */
static size_t least_size(const struct zonecopy *z)
{
	size_t size = z->n_bytes + (z->n_records + 1) * sizeof(z->records[0]);

	return size < z->max_bytes ? size : z->max_bytes;
}

int zonecopy_add(struct zonecopy *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
		 const uint8_t *rdata, uint16_t rdlen, char why[ZONECOPY_WHY_MAX])
{
	size_t owner_len = name_len(owner), len = owner_len + FIXED_LEN + rdlen;
	uint8_t *p;

	if (!resolver_seeks(type))
		return refuse(why, E_MALFORMED, "a record of a type that no zone has");
	if (!name_is_within(owner, z->apex)) {
		z->strays++;
		return E_OK;
	}
	if (len > z->max_bytes - least_size(z))
		return refuse(why, E_LIMIT, too_large);
	if (!grow(&z->bytes, &z->bytes_cap, z->n_bytes + len, 1, 64 * 1024) ||
	    !grow(&z->records, &z->records_cap, z->n_records + 1, sizeof(z->records[0]), 1024))
		return refuse(why, E_NOMEM, err_text(E_NOMEM));
	z->records[z->n_records++] = (uint32_t)z->n_bytes;
	p = z->bytes + z->n_bytes;
	memcpy(p, owner, owner_len);
	p += owner_len;
	wire_put_u16(p, type);
	wire_put_u32(p + 2, ttl);
	wire_put_u16(p + 6, rdlen);
	if (rdlen > 0)
		memcpy(p + FIXED_LEN, rdata, rdlen);
	z->n_bytes += len;
	return E_OK;
}

struct zonecopy_record zonecopy_read(const struct zonecopy *z, uint32_t offset)
{
	const uint8_t *owner = z->bytes + offset, *p = owner + name_len(owner);

	return (struct zonecopy_record) {
		.owner = owner,
		.type = wire_get_u16(p),
		.ttl = wire_get_u32(p + 2),
		.rr = { p + FIXED_LEN, wire_get_u16(p + 6) },
	};
}

struct zonecopy_record zonecopy_record(const struct zonecopy *z, uint32_t number)
{
	return zonecopy_read(z, z->records[number]);
}

static bool begins_node(const struct zonecopy *z, uint32_t i)
{
	return i == 0 || !name_equal_case(z->bytes + z->records[i - 1], z->bytes + z->records[i]);
}

static bool begins_data(const struct zonecopy *z, uint32_t i)
{
	return begins_node(z, i) || zonecopy_record(z, i - 1).type != zonecopy_record(z, i).type;
}

/* What was grown for more, and what was there twice, is given back; what cannot be stays. */
static void trim(struct zonecopy *z)
{
	uint8_t *bytes = realloc(z->bytes, z->n_bytes + 1);
	uint32_t *records = realloc(z->records, (z->n_records + 1) * sizeof(records[0]));

	if (bytes != NULL) {
		z->bytes = bytes;
		z->bytes_cap = z->n_bytes + 1;
	}
	if (records != NULL) {
		z->records = records;
		z->records_cap = z->n_records + 1;
	}
}

static int make_index(struct zonecopy *z, const struct zonefile_leave *leave)
{
	uint32_t n_data = 0, n_nodes = 0, n_nsec3 = 0, nsec = ZONECOPY_NONE;

	for (uint32_t i = 0; i < z->n_records; i++) {
		if (!zonecopy_goes_on(leave, i))
			return E_STOPPED;
		n_nodes += begins_node(z, i);
		if (begins_data(z, i)) {
			n_data++;
			n_nsec3 += zonecopy_record(z, i).type == TYPE_NSEC3;
		}
	}
	if (n_data * sizeof(z->data[0]) + n_nodes * sizeof(z->nodes[0]) +
		    n_nsec3 * sizeof(z->nsec3[0]) >
	    z->max_bytes - least_size(z))
		return E_LIMIT;
	z->data = calloc(n_data + 1, sizeof(z->data[0]));
	z->nodes = calloc(n_nodes + 1, sizeof(z->nodes[0]));
	z->nsec3 = calloc(n_nsec3 + 1, sizeof(z->nsec3[0]));
	if (z->data == NULL || z->nodes == NULL || z->nsec3 == NULL)
		return E_NOMEM;
	for (uint32_t i = 0; i < z->n_records; i++) {
		if (!zonecopy_goes_on(leave, i))
			return E_STOPPED;
		if (begins_node(z, i)) {
			z->nodes[z->n_nodes] = (struct zonecopy_node) { z->n_data, 0, nsec };
			z->n_nodes++;
		}
		if (begins_data(z, i)) {
			uint16_t type = zonecopy_record(z, i).type;

			z->data[z->n_data++] = (struct zonecopy_data) { i, 0, type };
			z->nodes[z->n_nodes - 1].n++;
			if (type == TYPE_NSEC)
				nsec = z->n_nodes - 1;
			if (type == TYPE_NSEC3)
				z->nsec3[z->n_nsec3++] = z->n_nodes - 1;
		}
		z->data[z->n_data - 1].n++;
	}
	return E_OK;
}

/* RFC 5155 4: of several chains any will do. */
static void take_param(struct zonecopy *z, const struct zonecopy_node *apex)
{
	const struct zonecopy_data *d = zonecopy_data(z, apex, TYPE_NSEC3PARAM);

	for (uint32_t i = 0; d != NULL && i < d->n && !z->has_param; i++) {
		struct rdata rr = zonecopy_record(z, d->first + i).rr;

		if (rr.len < NSEC3PARAM_FIXED || rr.data[0] != NSEC3_SHA1 || rr.data[1] != 0 ||
		    rr.len < NSEC3PARAM_FIXED + rr.data[4])
			continue;
		z->has_param = true;
		z->param = (struct nsec3_param) {
			.iterations = wire_get_u16(rr.data + 2),
			.salt_len = rr.data[4],
			.salt = rr.data + NSEC3PARAM_FIXED,
		};
	}
}

int zonecopy_finish(struct zonecopy *z, const struct zonefile_leave *leave,
		    char why[ZONECOPY_WHY_MAX])
{
	const struct zonecopy_node *apex;
	const struct zonecopy_data *soa;
	struct rdata rr;
	int err = zonecopy_sort(z, leave);

	if (err == E_OK)
		err = make_index(z, leave);
	if (err != E_OK)
		return refuse(why, err, err == E_LIMIT ? too_large : err_text(err));
	trim(z);
	apex = zonecopy_node(z, z->apex);
	soa = apex == NULL ? NULL : zonecopy_data(z, apex, TYPE_SOA);
	if (soa == NULL)
		return refuse(why, E_MALFORMED, "the zone has no SOA record");
	rr = zonecopy_record(z, soa->first).rr;
	if (soa->n != 1 || !soa_read(&z->soa, &rr))
		return refuse(why, E_MALFORMED, "the zone has two SOA records, or a malformed one");
	if (zonecopy_data(z, apex, TYPE_NS) == NULL)
		return refuse(why, E_MALFORMED, "the zone has no NS records");
	take_param(z, apex);
	return E_OK;
}

/* ---- what is in it ---- */

const uint8_t *zonecopy_apex(const struct zonecopy *z)
{
	return z->apex;
}

void zonecopy_soa(const struct zonecopy *z, struct soa *out)
{
	*out = z->soa;
}

size_t zonecopy_records(const struct zonecopy *z)
{
	return z->n_records;
}

size_t zonecopy_bytes(const struct zonecopy *z)
{
	return sizeof(*z) + z->bytes_cap + z->records_cap * sizeof(z->records[0]) +
	       z->n_data * sizeof(z->data[0]) + z->n_nodes * sizeof(z->nodes[0]) +
	       z->n_nsec3 * sizeof(z->nsec3[0]);
}

size_t zonecopy_strays(const struct zonecopy *z)
{
	return z->strays;
}

int zonecopy_walk(const struct zonecopy *z, const struct zonefile_leave *leave,
		  zonecopy_record_cb cb, void *ctx)
{
	for (uint32_t i = 0; i < z->n_records; i++) {
		struct zonecopy_record r = zonecopy_record(z, i);

		if (!zonecopy_goes_on(leave, i))
			return E_STOPPED;
		cb(ctx, r.owner, r.type, r.ttl, &r.rr);
	}
	return E_OK;
}

uint32_t zonecopy_seek(const struct zonecopy *z, const uint8_t *name, bool *exact)
{
	uint32_t low = 0, high = z->n_nodes;

	*exact = false;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = name_compare(zonecopy_owner(z, &z->nodes[mid]), name);

		if (order == 0) {
			*exact = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct zonecopy_node *zonecopy_node(const struct zonecopy *z, const uint8_t *name)
{
	bool exact;
	uint32_t at = zonecopy_seek(z, name, &exact);

	return exact ? &z->nodes[at] : NULL;
}

const struct zonecopy_data *zonecopy_data(const struct zonecopy *z,
					  const struct zonecopy_node *node, uint16_t type)
{
	const struct zonecopy_data *low = &z->data[node->first];
	uint32_t n = node->n;

	while (n > 0) {
		uint32_t half = n / 2;

		if (low[half].type == type)
			return &low[half];
		if (low[half].type < type) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return NULL;
}

/* What an RRSIG covers; one that is cut short stands where its bytes would. */
static unsigned covered(const struct rdata *rr)
{
	return rr->len >= 2 ? wire_get_u16(rr->data) : rr->len == 1 ? rr->data[0] * 256U : 0U;
}

uint32_t zonecopy_sigs(const struct zonecopy *z, const struct zonecopy_node *node, uint16_t type,
		       uint32_t *first)
{
	const struct zonecopy_data *sigs = zonecopy_data(z, node, TYPE_RRSIG);
	uint32_t bounds[2];

	if (sigs == NULL)
		return 0;
	/* The first that covers the type, and the first that covers a later one. */
	for (unsigned i = 0; i < 2; i++) {
		uint32_t low = sigs->first, n = sigs->n;

		while (n > 0) {
			struct rdata rr = zonecopy_record(z, low + n / 2).rr;

			if (covered(&rr) < type + i) {
				low += n / 2 + 1;
				n -= n / 2 + 1;
			} else {
				n /= 2;
			}
		}
		bounds[i] = low;
	}
	*first = bounds[0];
	return bounds[1] - bounds[0];
}

const struct zonecopy_node *zonecopy_nsec3(const struct zonecopy *z,
					   const uint8_t hash[NSEC3_HASH_LEN], bool before)
{
	uint8_t name[NAME_MAX_LEN] = { NSEC3_LABEL_LEN };
	uint32_t low = 0, high = z->n_nsec3;

	if (1 + NSEC3_LABEL_LEN + name_len(z->apex) > sizeof(name) || high == 0)
		return NULL;
	nsec3_label_write(name + 1, hash);
	(void)name_copy(name + 1 + NSEC3_LABEL_LEN, z->apex);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct zonecopy_node *node = &z->nodes[z->nsec3[mid]];
		int order = name_compare(zonecopy_owner(z, node), name);

		if (order == 0)
			return before ? NULL : node;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!before)
		return NULL;
	/* What stands before the first hash is in the gap behind the last (RFC 5155 3.1.7). */
	return &z->nodes[z->nsec3[low == 0 ? z->n_nsec3 - 1 : low - 1]];
}

static size_t pick_sigs(const struct zonecopy *z, const struct zonecopy_node *node, uint16_t type,
			struct rdata out[RRSET_MAX_SIGS])
{
	uint32_t first = 0, found = zonecopy_sigs(z, node, type, &first);
	size_t n = 0;

	for (uint32_t i = 0; i < found && n < RRSET_MAX_SIGS; i++) {
		struct rdata rr = zonecopy_record(z, first + i).rr;

		if (rr.len >= RRSIG_HEAD_LEN)
			out[n++] = rr;
	}
	return n;
}

static int set_of(const struct zonecopy *z, const struct zonecopy_node *node, uint16_t type,
		  uint32_t now_s, struct rrset **out)
{
	const struct zonecopy_data *d = zonecopy_data(z, node, type);
	struct rdata sigs[RRSET_MAX_SIGS], *rr;
	uint32_t ttl = UINT32_MAX;
	size_t n_sigs;
	int err;

	if (d == NULL)
		return E_NOT_FOUND;
	if (d->n > RRSET_MAX_RECORDS)
		return E_LIMIT;
	rr = calloc(d->n, sizeof(rr[0]));
	if (rr == NULL)
		return E_NOMEM;
	for (uint32_t i = 0; i < d->n; i++) {
		struct zonecopy_record r = zonecopy_record(z, d->first + i);

		rr[i] = r.rr;
		/* RFC 2181 5.2: the TTLs of a set are equal; if not, the lowest is the safe one. */
		ttl = r.ttl < ttl ? r.ttl : ttl;
	}
	n_sigs = pick_sigs(z, node, type, sigs);
	err = rrset_new(out, zonecopy_owner(z, node), type, ttl, now_s, RANK_AUTH_ANSWER, rr, d->n,
			sigs, n_sigs);
	free(rr);
	if (err == E_OK)
		(*out)->zone_labels = z->labels;
	return err;
}

int zonecopy_set(const struct zonecopy *z, const uint8_t *name, uint16_t type, uint32_t now_s,
		 struct rrset **out)
{
	const struct zonecopy_node *node = zonecopy_node(z, name);

	return node == NULL ? E_NOT_FOUND : set_of(z, node, type, now_s, out);
}

int zonecopy_apex_denial(const struct zonecopy *z, const struct dnssec_limits *limits,
			 uint32_t now_s, struct rrset **out)
{
	uint8_t hash[NSEC3_HASH_LEN];
	const struct zonecopy_node *node;
	int err;

	if (!z->has_param)
		return zonecopy_set(z, z->apex, TYPE_NSEC, now_s, out);
	if (nsec3_is_too_many(limits, z->param.iterations))
		return E_UNSUPPORTED;
	err = nsec3_hash(hash, &z->param, z->apex);
	if (err != E_OK)
		return err;
	node = zonecopy_nsec3(z, hash, false);
	return node == NULL ? E_NOT_FOUND : set_of(z, node, TYPE_NSEC3, now_s, out);
}
