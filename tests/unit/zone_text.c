#include "tests/unit/zone_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/check.h"
#include "common/grow.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "common/zonefile.h"
#include "tests/unit/wire_name.h"

struct record {
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type; /* that it is of, or that it covers */
	bool is_sig;
	uint32_t ttl;
	struct rdata rdata;
};

struct reading {
	struct record *records;
	size_t n, cap;
};

static int take(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		uint16_t rdlen)
{
	struct reading *r = ctx;
	struct record *to;
	uint8_t *copy = malloc(rdlen + 1U);

	ASSERT(copy != NULL && grow(&r->records, &r->cap, r->n + 1, sizeof(*r->records), 64));
	memcpy(copy, rdata, rdlen);
	to = &r->records[r->n++];
	*to = (struct record) {
		.type = type == TYPE_RRSIG ? wire_get_u16(rdata) : type,
		.is_sig = type == TYPE_RRSIG,
		.ttl = ttl,
		.rdata = { .data = copy, .len = rdlen },
	};
	(void)name_copy(to->owner, owner);
	return E_OK;
}

static int compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = name_compare(x->owner, y->owner);

	if (order != 0)
		return order;
	return x->type != y->type ? (int)x->type - (int)y->type : (int)x->is_sig - (int)y->is_sig;
}

/* The records of one owner and type, those that cover it at the end. */
static struct rrset *make_set(const struct record *first, size_t n, uint32_t now_s)
{
	struct rdata *rr = calloc(n, sizeof(*rr));
	struct rrset *s = NULL;
	size_t n_rr = 0;

	ASSERT(rr != NULL);
	for (size_t i = 0; i < n; i++) {
		rr[i] = first[i].rdata;
		n_rr += !first[i].is_sig;
	}
	ck_assert_int_eq(rrset_new(&s, first->owner, first->type, first->ttl, now_s,
				   RANK_AUTH_ANSWER, rr, n_rr, rr + n_rr, n - n_rr),
			 E_OK);
	free(rr);
	return s;
}

static void gather(struct zone_text *z, struct reading *r, uint32_t now_s)
{
	size_t n;

	qsort(r->records, r->n, sizeof(*r->records), compare);
	z->sets = calloc(r->n, sizeof(*z->sets));
	ASSERT(z->sets != NULL);
	z->n = 0;
	for (size_t i = 0; i < r->n; i += n) {
		const struct record *first = &r->records[i];

		for (n = 1; i + n < r->n && r->records[i + n].type == first->type &&
			    name_equal(r->records[i + n].owner, first->owner);
		     n++)
			;
		z->sets[z->n++] = make_set(first, n, now_s);
	}
	for (size_t i = 0; i < r->n; i++)
		free((void *)r->records[i].rdata.data);
	free(r->records);
}

void zone_text_read_file(struct zone_text *z, const char *path, const uint8_t *origin,
			 uint32_t now_s)
{
	struct reading r = { .n = 0 };
	char why[512] = "";

	ck_assert_msg(zonefile_read(path, origin, take, &r, why, sizeof(why)) == E_OK, "%s", why);
	gather(z, &r, now_s);
}

void zone_text_read(struct zone_text *z, const char *text, uint32_t now_s)
{
	int fd = memfd_create("zone", MFD_CLOEXEC);
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	zone_text_read_file(z, path, name_root, now_s);
	close(fd);
}

void zone_text_free(struct zone_text *z)
{
	for (size_t i = 0; i < z->n; i++)
		rrset_put(z->sets[i]);
	free(z->sets);
	*z = (struct zone_text) { .sets = NULL };
}

struct rrset *zone_text_find(const struct zone_text *z, const char *owner, uint16_t type)
{
	const uint8_t *name = wire(owner);

	for (size_t i = 0; i < z->n; i++)
		if (z->sets[i]->type == type && name_equal(rrset_owner(z->sets[i]), name))
			return z->sets[i];
	return NULL;
}
