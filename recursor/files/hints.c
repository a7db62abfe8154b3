#include "recursor/files/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/settings/settings.h"

enum { SETS_MAX = 2 * HINTS_RECORDS_MAX + 1 };

struct record {
	uint8_t owner[NAME_MAX_LEN];
	uint8_t rdata[NAME_MAX_LEN];
	uint16_t len, type;
};

struct reading {
	const char *path;
	uint32_t now_s;
	char *why;
	struct record *records;
	size_t n;
};

static int refuse(const struct reading *r, int err, const char *reason)
{
	(void)snprintf(r->why, SETTINGS_WHY_MAX, "hint-file: %.200s: %.200s", r->path, reason);
	return err;
}

/* Keeps the root's NS records and every address; the rest does not matter. */
static int take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, uint16_t rdlen)
{
	struct reading *r = ctx;
	struct record *record = &r->records[r->n];

	(void)ttl;
	if (type != TYPE_A && type != TYPE_AAAA && (type != TYPE_NS || !name_is_root(owner)))
		return E_OK;
	if (r->n == HINTS_RECORDS_MAX)
		return E_LIMIT;
	if (rdlen > sizeof(record->rdata))
		return E_TOO_LONG;
	(void)name_copy(record->owner, owner);
	if (type == TYPE_NS)
		(void)name_lower(record->rdata, rdata);
	else
		memcpy(record->rdata, rdata, rdlen);
	record->len = rdlen;
	record->type = type;
	r->n++;
	return E_OK;
}

/* One set of the records of a name and type; none is no error, and nothing is added. */
static int make_set(const struct reading *r, const uint8_t *owner, uint16_t type,
		    struct rrset **sets, size_t *n)
{
	/* The resolver keeps hints for as long as it lives, whatever their TTL. */
	enum { HINTS_TTL = 3600000 };
	struct rdata rr[HINTS_RECORDS_MAX];
	size_t n_rr = 0;
	int err;

	for (size_t i = 0; i < r->n; i++) {
		const struct record *record = &r->records[i];

		if (record->type == type && name_equal(record->owner, owner))
			rr[n_rr++] = (struct rdata) { record->rdata, record->len };
	}
	if (n_rr == 0)
		return E_OK;
	err = rrset_new(&sets[*n], owner, type, HINTS_TTL, r->now_s, RANK_LOCAL, rr, n_rr, NULL, 0);
	*n += err == E_OK;
	return err;
}

static bool is_repeated(const struct reading *r, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (r->records[k].type == TYPE_NS &&
		    name_equal(r->records[k].rdata, r->records[i].rdata))
			return true;
	}
	return false;
}

static int make_sets(const struct reading *r, struct rrset **sets, size_t *n)
{
	int err = make_set(r, name_root, TYPE_NS, sets, n);

	if (err == E_OK && *n == 0)
		return refuse(r, E_NOT_FOUND, "no NS record of the root");
	for (size_t i = 0; i < r->n && err == E_OK; i++) {
		if (r->records[i].type != TYPE_NS || is_repeated(r, i))
			continue;
		err = make_set(r, r->records[i].rdata, TYPE_A, sets, n);
		if (err == E_OK)
			err = make_set(r, r->records[i].rdata, TYPE_AAAA, sets, n);
	}
	if (err != E_OK)
		return refuse(r, err, err_text(err));
	if (*n == 1)
		return refuse(r, E_NOT_FOUND, "no address of a name server of the root");
	return E_OK;
}

static int load_file(struct rrset ***out, size_t *n_out, const char *path, uint32_t now_s,
		     char *why)
{
	struct reading r = { .path = path, .now_s = now_s, .why = why };
	struct rrset **sets = calloc(SETS_MAX, sizeof(*sets));
	char reason[SETTINGS_WHY_MAX];
	size_t n = 0;
	int err;

	r.records = calloc(HINTS_RECORDS_MAX, sizeof(*r.records));
	if (sets == NULL || r.records == NULL) {
		err = refuse(&r, E_NOMEM, err_text(E_NOMEM));
		goto out;
	}
	err = zonefile_read(path, NULL, take_record, &r, reason, sizeof(reason));
	if (err != E_OK) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "hint-file: %.400s", reason);
		goto out;
	}
	err = make_sets(&r, sets, &n);
	if (err != E_OK)
		goto out;
	*out = sets;
	*n_out = n;
	sets = NULL;
	n = 0;
out:
	hints_free(sets, n);
	free(r.records);
	return err;
}

int hints_load(struct rrset ***out, size_t *n, const char *hint_file, uint32_t now_s, char *why)
{
	if (*hint_file != '\0' && hints_are_refreshed(hint_file))
		return load_file(out, n, hint_file, now_s, why);
	*out = NULL;
	*n = 0;
	return E_OK;
}

void hints_free(struct rrset **sets, size_t n)
{
	for (size_t i = 0; sets != NULL && i < n; i++)
		rrset_put(sets[i]);
	free(sets);
}

bool hints_are_refreshed(const char *hint_file)
{
	return strcmp(hint_file, "no-refresh") != 0 && hints_are_used(hint_file);
}

bool hints_are_used(const char *hint_file)
{
	return strcmp(hint_file, "no") != 0;
}
