#include "recursor/files/zoneload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/zonefile.h"
#include "recursor/files/hints.h"
#include "recursor/resolve/authzone.h"
#include "recursor/settings/zonelist.h"

struct loading {
	struct zones *zones;
	const struct settings *s;
	const struct zonefile_leave *leave;
	bool recurse; /* the forwards at hand are forward-zones-recurse's */
	char *why;
	bool has_why; /* an error has been told of already */
};

static int refuse(struct loading *l, int err, const char *setting, const char *value,
		  const char *reason)
{
	if (!l->has_why)
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "%s=%.160s: %.300s", setting, value,
			       reason);
	l->has_why = true;
	return err;
}

static int add_forward(struct loading *l, const struct zonelist_item *item)
{
	return zones_add_forward(l->zones, item->name, item->servers, item->n_servers,
				 item->recurse || l->recurse, item->notify);
}

static int take_forward(void *ctx, const struct zonelist_item *item)
{
	return add_forward(ctx, item);
}

static int load_forwards(struct loading *l, const char *setting, const char *value)
{
	char reason[SETTINGS_WHY_MAX] = "";
	int err;

	l->recurse = strcmp(setting, "forward-zones") != 0;
	err = zonelist_read_forwards(value, take_forward, l, reason);
	l->recurse = false;
	if (err == E_OK)
		return E_OK;
	return refuse(l, err, setting, value, *reason != '\0' ? reason : err_text(err));
}

static int take_group(void *ctx, const struct zonelist_item *item)
{
	struct loading *l = ctx;
	int err = zones_add_group(l->zones, item->group, item->servers, item->n_servers);

	if (err == E_EXISTS)
		return refuse(l, err, "forward-groups", item->group, "named twice");
	if (err == E_LIMIT)
		return refuse(l, err, "forward-groups", item->group, "too many groups");
	return err;
}

static int load_groups(struct loading *l)
{
	char reason[SETTINGS_WHY_MAX] = "";
	int err = zonelist_read_groups(l->s->forward_groups, take_group, l, reason);

	if (err == E_OK)
		return E_OK;
	return refuse(l, err, "forward-groups", l->s->forward_groups,
		      *reason != '\0' ? reason : err_text(err));
}

static int load_forward_lines(struct loading *l, const char *path, char *text)
{
	char reason[SETTINGS_WHY_MAX] = "", where[SETTINGS_WHY_MAX];
	struct zonelist_item item;
	unsigned n = 0;
	int err = E_OK;

	for (char *line; err == E_OK && (line = strsep(&text, "\n")) != NULL;) {
		bool found = false;

		n++;
		err = zonelist_read_line(line, &item, &found, reason);
		if (err == E_OK && found)
			err = add_forward(l, &item);
	}
	if (err == E_OK)
		return E_OK;
	(void)snprintf(where, sizeof(where), "line %u: %.300s", n,
		       *reason != '\0' ? reason : err_text(err));
	return refuse(l, err, "forward-zones-file", path, where);
}

static int load_forward_file(struct loading *l, const char *path)
{
	char *text = NULL;
	size_t len;
	int err;

	if (*path == '\0')
		return E_OK;
	err = conf_load_file(path, &text, &len);
	if (err != E_OK)
		return refuse(l, err, "forward-zones-file", path, err_why(err));
	err = memchr(text, '\0', len) != NULL
		      ? refuse(l, E_MALFORMED, "forward-zones-file", path, "a NUL byte in the file")
		      : load_forward_lines(l, path, text);
	free(text);
	return err;
}

/* ---- auth-zones ---- */

struct zone_reading {
	struct authzone *zone;
	char reason[AUTHZONE_WHY_MAX];
};

static int take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, uint16_t rdlen)
{
	struct zone_reading *r = ctx;

	return authzone_add(r->zone, owner, type, ttl, rdata, rdlen, r->reason);
}

static int read_zone(struct loading *l, struct zone_reading *r, const struct zonelist_item *item)
{
	const struct zonefile_options o = {
		.origin = item->name,
		.include_dir = l->s->config_dir,
		.max_include_depth = l->s->max_include_depth,
		.max_generate_steps = l->s->max_generate_steps,
		.leave = l->leave,
		.reason = r->reason,
	};
	char line[SETTINGS_WHY_MAX] = "";
	int err = zonefile_read_with(item->file, &o, take_record, r, line, sizeof(line));

	if (err != E_OK) {
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "auth-zones: %.480s", line);
		l->has_why = true;
		return err;
	}
	err = authzone_finish(r->zone, r->reason);
	return err == E_OK ? E_OK : refuse(l, err, "auth-zones", item->file, r->reason);
}

static int take_file(void *ctx, const struct zonelist_item *item)
{
	struct loading *l = ctx;
	struct zone_reading r = { .zone = NULL };
	int err = authzone_new(&r.zone, item->name);

	if (err == E_OK)
		err = read_zone(l, &r, item);
	if (err == E_OK)
		err = zones_add_auth(l->zones, r.zone);
	if (err != E_OK)
		authzone_free(r.zone);
	return err;
}

static int load_auth(struct loading *l)
{
	char reason[SETTINGS_WHY_MAX] = "";
	int err = zonelist_read_files(l->s->auth_zones, take_file, l, reason);

	if (err == E_OK)
		return E_OK;
	return refuse(l, err, "auth-zones", l->s->auth_zones,
		      *reason != '\0' ? reason : err_text(err));
}

static int load_hosts(struct loading *l, const struct hosts_warn *warn)
{
	const char *text = l->s->export_etc_hosts_search_suffix;
	uint8_t suffix[NAME_MAX_LEN] = { 0 };

	if (!l->s->export_etc_hosts)
		return E_OK;
	/* ".example.com" is meant as it is written behind a name. */
	if (text[0] == '.' && text[1] != '\0')
		text++;
	if (*text != '\0' && name_from_text(suffix, text) != E_OK)
		return refuse(l, E_MALFORMED, "export-etc-hosts-search-suffix", text, "not a name");
	(void)name_lower(suffix, suffix);
	return hosts_add(l->zones, l->s->etc_hosts_file, suffix, warn, l->why);
}

/* Without hints somebody else has to know the root. */
static int check_root(struct loading *l)
{
	if (hints_are_used(l->s->hint_file) || zones_exact(l->zones, name_root) != NULL)
		return E_OK;
	return refuse(l, E_NOT_FOUND, "hint-file", l->s->hint_file,
		      "needs a forward or a zone of our own for '.'");
}

int zoneload(struct zones **out, const struct settings *s, const struct hosts_warn *warn,
	     const struct zonefile_leave *leave, char *why)
{
	struct loading l = { .s = s, .leave = leave, .why = why };
	int err = zones_new(&l.zones);

	if (err != E_OK) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
		return err;
	}
	err = load_auth(&l);
	if (err == E_OK)
		err = load_forwards(&l, "forward-zones", s->forward_zones);
	if (err == E_OK)
		err = load_forwards(&l, "forward-zones-recurse", s->forward_zones_recurse);
	if (err == E_OK)
		err = load_forward_file(&l, s->forward_zones_file);
	if (err == E_OK)
		err = load_groups(&l);
	if (err == E_OK)
		err = load_hosts(&l, warn);
	if (err == E_OK)
		err = check_root(&l);
	if (err != E_OK) {
		zones_put(l.zones);
		return err;
	}
	*out = l.zones;
	return E_OK;
}

static void say(void *ctx, const char *line)
{
	(void)ctx;
	log_line(LOG_LEVEL_WARNING, "zones", NULL, "%s", line);
}

int zoneload_said(struct zones **out, const struct settings *s, const struct zonefile_leave *leave,
		  char *why)
{
	static const struct hosts_warn warn = { .line = say };
	int err = zoneload(out, s, &warn, leave, why);
	size_t n;

	if (err != E_OK)
		return err;
	n = zones_count(*out, false) + zones_count(*out, true);
	if (n > 0)
		log_notice("%zu zones are configured: %zu forwards, %zu of our own", n,
			   zones_count(*out, false), zones_count(*out, true));
	if (zones_count_groups(*out) > 0)
		log_notice("%zu groups of forwarders are configured", zones_count_groups(*out));
	return E_OK;
}
