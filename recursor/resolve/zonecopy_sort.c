/* zonecopy_sort: the records in canonical order, each once.  Runs of a few are sorted by the library, and merged here:
 * a zone of millions takes minutes, and whoever waits for the end of the process does not. */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "recursor/resolve/dnssec/canonical.h"
#include "recursor/resolve/dnssec/zonemd.h"
#include "recursor/resolve/zonecopy_impl.h"

enum { RUN = 1024 };

struct sorting {
	const struct zonecopy *z;
	const struct zonefile_leave *leave;
	uint32_t *other; /* as long as the records */
	uint8_t a[WIRE_MSG_MAX], b[WIRE_MSG_MAX];
};

/* By owner, type, and rdata in their canonical form: RFC 8976 3.3.2 has the types in numeric order. */
static int compare(const void *a, const void *b, void *ctx)
{
	struct sorting *s = ctx;
	struct zonecopy_record x = zonecopy_read(s->z, *(const uint32_t *)a),
			       y = zonecopy_read(s->z, *(const uint32_t *)b);
	int order = name_compare(x.owner, y.owner);
	size_t len = x.rr.len < y.rr.len ? x.rr.len : y.rr.len;

	if (order != 0)
		return order;
	if (x.type != y.type)
		return x.type < y.type ? -1 : 1;
	zonemd_canonical(s->a, x.type, &x.rr);
	zonemd_canonical(s->b, y.type, &y.rr);
	order = len > 0 ? memcmp(s->a, s->b, len) : 0;
	return order != 0 ? order : (int)x.rr.len - (int)y.rr.len;
}

/* Two sorted runs, of which the second begins at `mid`, become one.  The first stays first among equals. */
static int merge(struct sorting *s, const uint32_t *from, uint32_t *to, size_t mid, size_t n)
{
	size_t i = 0, k = mid;

	/* As servers hand them out. */
	if (mid == n || compare(&from[mid - 1], &from[mid], s) <= 0) {
		memcpy(to, from, n * sizeof(to[0]));
		return E_OK;
	}
	for (size_t at = 0; at < n; at++) {
		if (!zonecopy_goes_on(s->leave, at))
			return E_STOPPED;
		if (i < mid && (k == n || compare(&from[i], &from[k], s) <= 0))
			to[at] = from[i++];
		else
			to[at] = from[k++];
	}
	return E_OK;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The order is in `records` or in `other` at last; they change places. */
static int sort_all(struct zonecopy *z, struct sorting *s)
{
	size_t n = z->n_records;

	for (size_t at = 0; at < n; at += RUN) {
		if (!zonecopy_goes_on(s->leave, 0))
			return E_STOPPED;
		qsort_r(z->records + at, least(RUN, n - at), sizeof(z->records[0]), compare, s);
	}
	for (size_t run = RUN; run < n; run *= 2) {
		uint32_t *merged = s->other;

		for (size_t at = 0; at < n; at += 2 * run) {
			size_t len = least(2 * run, n - at);
			int err = merge(s, z->records + at, merged + at, least(run, len), len);

			if (err != E_OK)
				return err;
		}
		s->other = z->records;
		z->records = merged;
	}
	return E_OK;
}

int zonecopy_sort(struct zonecopy *z, const struct zonefile_leave *leave)
{
	struct sorting *s = malloc(sizeof(*s));
	size_t kept = 0;
	int err = E_NOMEM;

	if (s == NULL)
		return err;
	s->z = z;
	s->leave = leave;
	s->other = calloc(z->n_records + 1, sizeof(s->other[0]));
	if (s->other != NULL)
		err = sort_all(z, s);
	/* RFC 8976 3.3.1: whatever its TTL is the second time. */
	for (size_t i = 0; err == E_OK && i < z->n_records; i++) {
		if (!zonecopy_goes_on(leave, i))
			err = E_STOPPED;
		else if (i == 0 || compare(&z->records[kept - 1], &z->records[i], s) != 0)
			z->records[kept++] = z->records[i];
	}
	if (err == E_OK)
		z->n_records = kept;
	free(s->other);
	free(s);
	return err;
}
