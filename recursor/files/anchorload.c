#include "recursor/files/anchorload.h"

#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/name.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/policy/luaconfig.h"
#include "recursor/resolve/dnssec/key.h"

enum { HOUR_S = 3600 };

struct loading {
	struct anchors *anchors;
	uint32_t interval_s;
	struct copyplans copies;
	char *why;
};

/* ---- files ---- */

struct reading {
	struct anchors *anchors;
	const char *path;
	size_t n;
	char reason[RDATA_TEXT_WHY_MAX];
};

static int take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, uint16_t rdlen)
{
	struct reading *r = ctx;
	const struct rdata rr = { rdata, rdlen };
	char text[NAME_TEXT_MAX];
	struct dnskey key;
	const char *wrong;
	int err;

	(void)ttl;
	if (type != TYPE_DS && type != TYPE_DNSKEY)
		return E_OK;
	if (type == TYPE_DNSKEY && dnskey_read(&key, &rr) == E_OK &&
	    (key.flags & DNSKEY_REVOKE) != 0) {
		log_warning("%s: the key %u of %s is revoked (RFC 5011): it is left out", r->path,
			    dnskey_tag(&rr), name_to_text(text, owner));
		return E_OK;
	}
	err = anchors_add(r->anchors, owner, type, rdata, rdlen);
	wrong = err == E_MALFORMED ? anchors_refuse(type, rdata, rdlen) : NULL;
	if (wrong != NULL)
		(void)snprintf(r->reason, sizeof(r->reason), "%s", wrong);
	r->n += err == E_OK;
	return err;
}

/* The DS and DNSKEY records of a file in a zone file's form, added to `a`; revoked keys are left
 * out, with a line in the log.  E_NOT_FOUND: it has none. */
static int add_file(struct anchors *a, const char *path, char *why, size_t why_cap)
{
	struct reading r = { .anchors = a, .path = path };
	const struct zonefile_options o = { .reason = r.reason };
	int err = zonefile_read_with(path, &o, take_record, &r, why, why_cap);

	if (err != E_OK || r.n > 0)
		return err;
	(void)snprintf(why, why_cap, "%s: no DS or DNSKEY record", path);
	return E_NOT_FOUND;
}

/* In the place of all that were trusted before. */
static int replace_by_file(struct loading *l, const char *path, const char *setting)
{
	char line[SETTINGS_WHY_MAX] = "";
	struct anchors *fresh = NULL;
	int err = anchors_new(&fresh);

	if (err == E_OK)
		err = add_file(fresh, path, line, sizeof(line));
	for (size_t i = 0; err == E_OK && i < anchors_count(l->anchors); i++) {
		const struct nta *nta = anchors_at(l->anchors, i)->nta;

		if (nta != NULL)
			err = anchors_share_nta(fresh, nta);
	}
	if (err == E_OK) {
		anchors_put(l->anchors);
		l->anchors = fresh;
		return E_OK;
	}
	(void)snprintf(l->why, SETTINGS_WHY_MAX, "%s: %.450s", setting,
		       line[0] != '\0' ? line : err_text(err));
	anchors_put(fresh);
	return err;
}

static void read_again_every(struct loading *l, uint32_t hours)
{
	uint32_t s = hours * HOUR_S;

	if (s != 0 && (l->interval_s == 0 || s < l->interval_s))
		l->interval_s = s;
}

/* ---- lua-config-file ---- */

static int refuse(char *why, int err, const char *words)
{
	(void)snprintf(why, LUACONFIG_WHY_MAX, "%s", words);
	return err;
}

static int name_of(uint8_t name[NAME_MAX_LEN], const char *text, char *why)
{
	int err = name_from_text(name, text);

	if (err != E_OK)
		return refuse(why, err, "its first argument is no domain name");
	(void)name_lower(name, name);
	return E_OK;
}

static int lua_add_ta(void *ctx, const char *zone, const char *ds, char *why)
{
	struct loading *l = ctx;
	uint8_t name[NAME_MAX_LEN];
	char reason[RDATA_TEXT_WHY_MAX];
	int err = name_of(name, zone, why);

	if (err != E_OK)
		return err;
	err = anchors_add_text(l->anchors, name, ds, reason);
	return err == E_OK ? E_OK : refuse(why, err, reason);
}

static int lua_clear(struct loading *l, const char *zone, char *why,
		     bool (*clear)(struct anchors *a, const uint8_t *name))
{
	uint8_t name[NAME_MAX_LEN];
	int err = E_OK;

	if (zone != NULL) {
		err = name_of(name, zone, why);
		if (err == E_OK)
			(void)clear(l->anchors, name);
		return err;
	}
	anchors_clear_all(l->anchors, clear);
	return err;
}

static int lua_clear_ta(void *ctx, const char *zone, char *why)
{
	return lua_clear(ctx, zone, why, anchors_clear);
}

static int lua_clear_nta(void *ctx, const char *zone, char *why)
{
	return lua_clear(ctx, zone, why, anchors_clear_nta);
}

static int lua_add_nta(void *ctx, const char *zone, const char *reason, char *why)
{
	struct loading *l = ctx;
	uint8_t name[NAME_MAX_LEN];
	int err = name_of(name, zone, why);

	if (err != E_OK)
		return err;
	err = anchors_add_nta(l->anchors, name, reason, 0);
	return err == E_OK ? E_OK : refuse(why, err, err_text(err));
}

static int lua_read_file(void *ctx, const char *path, uint32_t hours, char *why)
{
	struct loading *l = ctx;
	int err = replace_by_file(l, path, "readTrustAnchorsFromFile");

	if (err != E_OK)
		return refuse(why, err, l->why);
	read_again_every(l, hours);
	return E_OK;
}

static int lua_add_copy(void *ctx, const struct luaconfig_copy *copy, char *why)
{
	struct loading *l = ctx;

	return copyplans_add(&l->copies, copy, why);
}

static void lua_say(void *ctx, int level, const char *line)
{
	(void)ctx;
	log_line(level, "lua-config", NULL, "%s", line);
}

static int run_lua(struct loading *l, const char *path)
{
	const struct luaconfig to = {
		.ctx = l,
		.add_ta = lua_add_ta,
		.clear_ta = lua_clear_ta,
		.add_nta = lua_add_nta,
		.clear_nta = lua_clear_nta,
		.read_file = lua_read_file,
		.add_copy = lua_add_copy,
		.log = lua_say,
	};
	char line[LUACONFIG_WHY_MAX] = "";
	int err = luaconfig_run(path, &to, line);

	if (err != E_OK)
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "lua-config-file: %.480s", line);
	return err;
}

/* ---- the whole ---- */

static int take_nta(void *ctx, const char *word, size_t len)
{
	struct loading *l = ctx;
	uint8_t name[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX];
	int err = E_TOO_LONG;

	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = '\0';
		err = name_from_text(name, text);
	}
	if (err == E_OK)
		err = anchors_add_nta(l->anchors, name, "", 0);
	if (err != E_OK)
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "negative-trustanchors=%.*s: %s",
			       len < 300 ? (int)len : 300, word, err_text(err));
	return err;
}

int anchorload(struct anchorload *out, const struct settings *s, char *why)
{
	struct loading l = { .why = why };
	int err = anchors_new_builtin(&l.anchors);

	(void)snprintf(why, SETTINGS_WHY_MAX, "trust anchors: %s", err_text(err));
	if (err == E_OK && *s->trustanchorfile != '\0') {
		err = replace_by_file(&l, s->trustanchorfile, "trustanchorfile");
		read_again_every(&l, s->trustanchorfile_interval_h);
	}
	if (err == E_OK && *s->lua_config_file != '\0')
		err = run_lua(&l, s->lua_config_file);
	if (err == E_OK)
		err = conf_each_word(s->negative_trustanchors, take_nta, &l);
	if (err != E_OK) {
		anchors_put(l.anchors);
		copyplans_clear(&l.copies);
		return err;
	}
	*out = (struct anchorload) { l.anchors, l.interval_s, l.copies };
	return E_OK;
}

void anchorload_clear(struct anchorload *read)
{
	anchors_put(read->anchors);
	copyplans_clear(&read->copies);
}
