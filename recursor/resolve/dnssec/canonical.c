#include "recursor/resolve/dnssec/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/grow.h"
#include "common/rrtype.h"
#include "common/wire.h"

void canonical_deinit(struct canonical *c)
{
	free(c->form);
	free(c->rr);
	free(c->lower);
	*c = (struct canonical) { .form = NULL };
}

/* The types whose rdata we unfold, since they may be compressed, are those of RFC 4034 6.2.  Those
 * that it names besides: HINFO has no names, RRSIG is not signed, NSEC's keeps its case (RFC 6840
 * 5.1), and A6 is historic (RFC 6563). */
static bool has_names(uint16_t type)
{
	return strpbrk(rrtype_layout(type), "nN") != NULL;
}

static void lower(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = ascii_lower(p[i]);
}

void canonical_rdata(uint8_t *out, uint16_t type, const struct rdata *rr)
{
	size_t at = 0, len;

	if (rr->len == 0)
		return;
	memcpy(out, rr->data, rr->len);
	if (!has_names(type))
		return;
	/* Rdata that do not fit their type's layout were signed as they are, if at all. */
	for (const char *code = rrtype_layout(type); *code != '\0' && at < rr->len; code++) {
		switch (*code) {
		case 'n':
		case 'N':
			if (name_check(out + at, rr->len - at, &len) != E_OK)
				return;
			lower(out + at, len);
			at += len;
			break;
		case 's':
			at += 1 + (size_t)out[at];
			break;
		case '*':
			return;
		default:
			at += (size_t)(*code - '0');
			break;
		}
	}
}

/* RFC 4034 6.3: as left-justified unsigned octet sequences; what ends first is less. */
static int compare(const void *a, const void *b)
{
	const struct rdata *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = len > 0 ? memcmp(x->data, y->data, len) : 0;

	return order != 0 ? order : (int)x->len - (int)y->len;
}

static void sort(struct canonical *c)
{
	size_t kept = 0;

	if (c->n < 2)
		return;
	qsort(c->rr, c->n, sizeof(c->rr[0]), compare);
	/* Names that differ in case only made different records. */
	for (size_t i = 0; i < c->n; i++)
		if (i == 0 || compare(&c->rr[kept - 1], &c->rr[i]) != 0)
			c->rr[kept++] = c->rr[i];
	c->n = kept;
}

int canonical_load(struct canonical *c, const struct rrset *s)
{
	size_t at = 0, used = 0;
	bool lowers = has_names(s->type);
	struct rdata rr;

	if (!grow(&c->rr, &c->rr_cap, s->n_rr, sizeof(c->rr[0]), 16) ||
	    (lowers && !grow(&c->lower, &c->lower_cap, s->size, 1, 1024)))
		return E_NOMEM;
	c->n = 0;
	c->type = s->type;
	while (rrset_next(s, &at, &rr)) {
		if (lowers) {
			canonical_rdata(c->lower + used, s->type, &rr);
			rr.data = c->lower + used;
			used += rr.len;
		}
		c->rr[c->n++] = rr;
	}
	sort(c);
	return E_OK;
}

void canonical_start(struct canonical *c)
{
	c->form_len = 0;
}

static int make_room(struct canonical *c, size_t more)
{
	if (more > CANONICAL_MAX_BYTES - c->form_len)
		return E_LIMIT;
	if (!grow(&c->form, &c->form_cap, c->form_len + more, 1, 2048))
		return E_NOMEM;
	return E_OK;
}

int canonical_put(struct canonical *c, const void *data, size_t len)
{
	int err = make_room(c, len);

	if (err != E_OK)
		return err;
	memcpy(c->form + c->form_len, data, len);
	c->form_len += len;
	return E_OK;
}

int canonical_put_set(struct canonical *c, const uint8_t *owner, uint32_t ttl)
{
	size_t owner_len = name_len(owner), need = 0;
	uint8_t *p;
	int err;

	for (size_t i = 0; i < c->n; i++)
		need += owner_len + WIRE_RR_FIXED + c->rr[i].len;
	err = make_room(c, need);
	if (err != E_OK)
		return err;
	p = c->form + c->form_len;
	for (size_t i = 0; i < c->n; i++) {
		memcpy(p, owner, owner_len);
		p += owner_len;
		p = wire_put_fixed(p, c->type, ttl, c->rr[i].len);
		if (c->rr[i].len > 0)
			memcpy(p, c->rr[i].data, c->rr[i].len);
		p += c->rr[i].len;
	}
	c->form_len += need;
	return E_OK;
}
