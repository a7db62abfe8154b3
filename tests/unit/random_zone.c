#include "random_zone.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"

static const uint8_t apex[] = "\7example";

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33) % below;
}

static void name_of_labels(uint8_t out[NAME_MAX_LEN], const char *labels, unsigned n)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		out[at++] = 1;
		out[at++] = (uint8_t)labels[i];
	}
	(void)name_copy(out + at, apex);
}

const uint8_t *random_zone_name(unsigned i, uint8_t out[NAME_MAX_LEN])
{
	static const char letters[] = "abc*";
	char labels[3];
	unsigned n = 0;

	for (unsigned count = 1; i >= count; count *= 4) {
		i -= count;
		n++;
	}
	for (unsigned k = 0; k < n; k++, i /= 4)
		labels[k] = letters[i % 4];
	name_of_labels(out, labels, n);
	return out;
}

/* ---- making ---- */

static void draw_node(struct random_node *node, uint64_t *seed)
{
	char labels[3] = "";
	unsigned n = 1 + draw(seed, 3), kind = draw(seed, 20);
	bool is_wild;

	*node = (struct random_node) { 0 };
	for (unsigned i = 0; i < n; i++)
		labels[i] = draw(seed, i == 0 ? 3 : 8) == 0 ? '*' : (char)('a' + draw(seed, 2));
	name_of_labels(node->name, labels, n);
	is_wild = labels[0] == '*';
	if (kind < 4)
		node->cname = true;
	else if (kind < 6 && !is_wild)
		node->dname = true;
	else if (kind < 9 && !is_wild)
		node->ns = true;
	else if (kind < 11 && !is_wild)
		node->ns = node->ds = true;
	else
		node->a = true;
	if (node->a || node->dname)
		node->txt = draw(seed, 2) == 0;
}

const struct random_node *random_zone_node(const struct random_zone *z, const uint8_t *name)
{
	for (unsigned i = 0; i < z->n; i++)
		if (name_equal(z->nodes[i].name, name))
			return &z->nodes[i];
	return NULL;
}

static bool is_below_kind(const struct random_zone *z, const uint8_t *name, bool of_dname)
{
	for (unsigned i = 1; i < z->n; i++)
		if ((of_dname ? z->nodes[i].dname : z->nodes[i].ns) &&
		    name_is_below(name, z->nodes[i].name))
			return true;
	return false;
}

static void add_records(struct signed_zone *to, const struct random_node *n)
{
	static const uint8_t a[] = { 192, 0, 2, 1 }, txt[] = "\4text";
	static const uint8_t ds[36] = { 0, 1, 13, 2 }, target[] = "\2ns\5other";
	static const uint8_t soa[] = "\2ns\5other\0\4host\5other\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
				     "\0\0\1\54";

	if (n->soa)
		signed_zone_add(to, n->name, TYPE_SOA, RANDOM_ZONE_TTL, soa, sizeof(soa) - 1);
	if (n->ns)
		signed_zone_add(to, n->name, TYPE_NS, RANDOM_ZONE_TTL, target, sizeof(target));
	if (n->ds)
		signed_zone_add(to, n->name, TYPE_DS, RANDOM_ZONE_TTL, ds, sizeof(ds));
	if (n->a)
		signed_zone_add(to, n->name, TYPE_A, RANDOM_ZONE_TTL, a, sizeof(a));
	if (n->txt)
		signed_zone_add(to, n->name, TYPE_TXT, RANDOM_ZONE_TTL, txt, sizeof(txt) - 1);
	if (n->cname)
		signed_zone_add(to, n->name, TYPE_CNAME, RANDOM_ZONE_TTL, target, sizeof(target));
	if (n->dname)
		signed_zone_add(to, n->name, TYPE_DNAME, RANDOM_ZONE_TTL, target, sizeof(target));
}

/* What is below a DNAME goes; what is below a cut is glue, and none of the zone's own names. */
static void settle(struct random_zone *z)
{
	for (unsigned i = 1; i < z->n;) {
		struct random_node *n = &z->nodes[i];

		if (is_below_kind(z, n->name, true) || is_below_kind(z, n->name, false)) {
			if (!is_below_kind(z, n->name, true)) {
				struct random_node glue = { .a = true };

				(void)name_copy(glue.name, n->name);
				add_records(z->z, &glue);
			}
			*n = z->nodes[--z->n];
			i = 1;
			continue;
		}
		i++;
	}
}

void random_zone_write(const struct random_zone *z, FILE *f)
{
	char name[NAME_TEXT_MAX];

	for (unsigned i = 0; i < z->n; i++) {
		const struct random_node *n = &z->nodes[i];

		(void)name_to_text(name, n->name);
		if (n->soa)
			(void)fprintf(f, "%s 3600 IN SOA ns.other. host.other. 1 2 3 4 300\n",
				      name);
		if (n->ns)
			(void)fprintf(f, "%s 3600 IN NS ns.other.\n", name);
		if (n->ds)
			(void)fprintf(f, "%s 3600 IN DS 1 13 2 %064d\n", name, 0);
		if (n->a)
			(void)fprintf(f, "%s 3600 IN A 192.0.2.1\n", name);
		if (n->txt)
			(void)fprintf(f, "%s 3600 IN TXT text\n", name);
		if (n->cname)
			(void)fprintf(f, "%s 3600 IN CNAME ns.other.\n", name);
		if (n->dname)
			(void)fprintf(f, "%s 3600 IN DNAME ns.other.\n", name);
	}
}

static struct rrset *secure(const struct signed_set *s)
{
	struct rrset *out = signed_set_rrset(s, NULL, RANDOM_ZONE_NOW_S);

	rrset_set_security(out, SEC_SECURE, 0);
	return out;
}

void random_zone_make(struct random_zone *out, uint64_t seed, enum sign_denial denial)
{
	struct sign_policy policy = {
		.algorithm = 15,
		.denial = denial,
		.iterations = (uint16_t)(seed % 3),
		.salt_len = (uint8_t)(seed % 2 * 4),
		.salt = { 1, 2, 3, 4 },
		.inception_s = RANDOM_ZONE_NOW_S - 3600,
		.expiration_s = RANDOM_ZONE_UNTIL_S,
	};
	unsigned wanted;

	*out = (struct random_zone) { .apex = apex, .denial = denial, .n = 1 };
	out->z = signed_zone_new(apex);
	(void)name_copy(out->nodes[0].name, apex);
	out->nodes[0].soa = out->nodes[0].ns = true;
	wanted = 1 + draw(&seed, RANDOM_ZONE_NODES - 1);
	while (wanted-- > 0) {
		struct random_node node;

		draw_node(&node, &seed);
		if (random_zone_node(out, node.name) == NULL)
			out->nodes[out->n++] = node;
	}
	settle(out);
	for (unsigned i = 0; i < out->n; i++)
		add_records(out->z, &out->nodes[i]);
	signed_zone_sign(out->z, &policy);
	out->soa = secure(signed_zone_find(out->z, apex, TYPE_SOA));
	for (const struct signed_set *s; (s = signed_zone_chain(out->z, out->n_chain)) != NULL;) {
		ck_assert_uint_lt(out->n_chain, RANDOM_ZONE_CHAIN);
		out->chain[out->n_chain++] = secure(s);
	}
}

void random_zone_free(struct random_zone *z)
{
	while (z->n_chain > 0)
		rrset_put(z->chain[--z->n_chain]);
	rrset_put(z->soa);
	signed_zone_free(z->z);
}

unsigned random_zone_prove(const struct random_zone *z, const uint8_t *name, uint16_t type,
			   struct rrset *out[SIGNED_PROOFS_MAX])
{
	const struct signed_set *sets[SIGNED_PROOFS_MAX];
	unsigned n = (unsigned)signed_zone_prove(z->z, name, type, sets);

	for (unsigned i = 0; i < n; i++)
		out[i] = secure(sets[i]);
	return n;
}

/* ---- the truth ---- */

bool random_zone_has(const struct random_zone *z, const uint8_t *name)
{
	for (unsigned i = 0; i < z->n; i++)
		if (name_is_within(z->nodes[i].name, name))
			return true;
	return false;
}

bool random_zone_is_cut_off(const struct random_zone *z, const uint8_t *name)
{
	return is_below_kind(z, name, true) || is_below_kind(z, name, false);
}

static bool has_type(const struct random_zone *z, const struct random_node *n, uint16_t type)
{
	switch (type) {
	case TYPE_A:
		return n->a;
	case TYPE_TXT:
		return n->txt;
	case TYPE_CNAME:
		return n->cname;
	case TYPE_DNAME:
		return n->dname;
	case TYPE_NS:
		return n->ns;
	case TYPE_DS:
		return n->ds;
	case TYPE_SOA:
	case TYPE_DNSKEY:
		return n->soa;
	case TYPE_NSEC:
		return z->denial == SIGN_NSEC;
	case TYPE_ANY:
		return true;
	default:
		return false;
	}
}

enum truth random_zone_truth(const struct random_zone *z, const uint8_t *name, uint16_t type)
{
	const uint8_t *encloser = name;
	uint8_t wildcard[NAME_MAX_LEN];
	const struct random_node *n = random_zone_node(z, name);

	if (random_zone_is_cut_off(z, name) || (n != NULL && n->ns && !n->soa && type != TYPE_DS) ||
	    (n != NULL && n->soa && type == TYPE_DS))
		return TRUTH_ELSEWHERE;
	if (n != NULL)
		return has_type(z, n, type) || n->cname ? TRUTH_DATA : TRUTH_NODATA;
	if (random_zone_has(z, name))
		return TRUTH_NODATA;
	do
		encloser = name_parent(encloser);
	while (!random_zone_has(z, encloser));
	wildcard[0] = 1;
	wildcard[1] = '*';
	(void)name_copy(wildcard + 2, encloser);
	n = random_zone_node(z, wildcard);
	if (n != NULL)
		return has_type(z, n, type) || n->cname ? TRUTH_WILDCARD : TRUTH_WILDCARD_NODATA;
	return random_zone_has(z, wildcard) ? TRUTH_WILDCARD_NODATA : TRUTH_NXDOMAIN;
}
