/*
 * The endpoints of zones: what is configured, and forwards and zones of our own that come and go.
 *
 * A change is three steps, of which one at a time is done: the files in api-config-dir, the reload
 * that reads all files again, and a look whether it is so.  When one fails the files are as before.
 */
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"
#include "recursor/watch/web/api_files.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/api_zone.h"
#include "recursor/watch/web/endpoint_table.h"

/* ---- showing ---- */

struct record {
	const uint8_t *owner;
	uint16_t type;
	uint32_t ttl;
	struct rdata rr;
};

struct records {
	struct record *list;
	size_t n, cap;
	bool failed;
};

static bool note_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			const struct rdata *rr)
{
	struct records *r = ctx;

	r->failed = !grow(&r->list, &r->cap, r->n + 1, sizeof(*r->list), 64);
	if (!r->failed)
		r->list[r->n++] = (struct record) { owner, type, ttl, *rr };
	return !r->failed;
}

/* By name and type, the SOA of a name first: as a zone file is written. */
static int compare_records(const void *x, const void *y)
{
	const struct record *a = x, *b = y;
	int order = name_compare(a->owner, b->owner);

	if (order != 0 || a->type == b->type)
		return order;
	if (a->type == TYPE_SOA || b->type == TYPE_SOA)
		return a->type == TYPE_SOA ? -1 : 1;
	return a->type < b->type ? -1 : 1;
}

static json_t *record_json(const struct record *r)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	char *content = rdata_to_text(r->type, r->rr.data, r->rr.len);
	json_t *json = json_pack("{s:s, s:s, s:I, s:s*}", "name", name_to_text(name, r->owner),
				 "type", rrtype_to_text(r->type, type), "ttl", (json_int_t)r->ttl,
				 "content", content);

	free(content);
	return json;
}

static json_t *records_json(const struct authzone *a)
{
	struct records r = { .n = 0 };
	json_t *list = json_array();

	if (a != NULL)
		authzone_walk(a, note_record, &r);
	if (r.n > 0)
		qsort(r.list, r.n, sizeof(*r.list), compare_records);
	for (size_t i = 0; i < r.n; i++)
		r.failed |= json_array_append_new(list, record_json(&r.list[i])) != 0;
	free(r.list);
	if (!r.failed)
		return list;
	json_decref(list);
	return NULL;
}

json_t *api_zone_json(const struct endpoint_call *c, const struct configured_zone *z,
		      bool with_records)
{
	char id[API_ID_MAX], name[NAME_TEXT_MAX], text[ADDR_TEXT_MAX];
	json_t *servers = json_array(), *json;

	api_zone_id(id, z->name);
	for (size_t i = 0; i < z->n_servers; i++)
		json_array_append_new(servers, json_string(addr_text(text, &z->servers[i])));
	json = json_pack("{s:s, s:o, s:s, s:s, s:o, s:b, s:b}", "id", id, "url",
			 json_sprintf("%s/servers/localhost/zones/%s", api_prefix(c), id), "name",
			 name_to_text(name, z->name), "kind",
			 z->auth != NULL ? "Native" : "Forwarded", "servers", servers,
			 "recursion_desired", z->recurse, "notify_allowed", z->notify);
	if (json == NULL || !with_records ||
	    json_object_set_new(json, "records", records_json(z->auth)) == 0)
		return json;
	json_decref(json);
	return NULL;
}

struct listing {
	const struct endpoint_call *c;
	const struct zones *zones;
	const uint8_t **names;
	size_t n, cap;
};

static int note_zone(void *ctx, const uint8_t *name)
{
	struct listing *l = ctx;

	if (!grow(&l->names, &l->cap, l->n + 1, sizeof(*l->names), 64))
		return E_NOMEM;
	l->names[l->n++] = zones_exact(l->zones, name)->name;
	return E_OK;
}

static int compare_names(const void *x, const void *y)
{
	const uint8_t *const *a = x, *const *b = y;

	return name_compare(*a, *b);
}

/* The zones' names in order; borrowed from `zones`. */
static int list_names(struct listing *l, const struct zones *zones)
{
	int err;

	*l = (struct listing) { .zones = zones };
	err = zones_diff(NULL, zones, note_zone, l);
	if (err == E_OK && l->n > 0)
		qsort(l->names, l->n, sizeof(*l->names), compare_names);
	return err;
}

int api_zones(struct endpoint_call *c)
{
	struct zones *zones = c->env->zones(c->env->ctx);
	json_t *list = json_array();
	struct listing l;
	int err = list_names(&l, zones);

	for (size_t i = 0; err == E_OK && i < l.n; i++)
		json_array_append_new(list,
				      api_zone_json(c, zones_exact(zones, l.names[i]), false));
	free(l.names);
	zones_put(zones);
	if (err == E_OK)
		return endpoint_reply_json(c, list);
	json_decref(list);
	return endpoint_fail(c, 500, "%s", err_text(err));
}

static int unknown_zone(struct endpoint_call *c)
{
	return endpoint_fail(c, 422, "Could not find domain '%s'", c->args[0]);
}

static int reply_zone(struct endpoint_call *c, const uint8_t *name)
{
	struct zones *zones = c->env->zones(c->env->ctx);
	const struct configured_zone *z = zones_exact(zones, name);
	int result = z == NULL ? unknown_zone(c)
			       : endpoint_reply_json(c, api_zone_json(c, z, true));

	zones_put(zones);
	return result;
}

static int read_id(struct endpoint_call *c, uint8_t name[NAME_MAX_LEN])
{
	if (api_zone_name(name, c->args[0]) == E_OK)
		return 0;
	return endpoint_fail(c, 400, "'%s' is no id of a zone", c->args[0]);
}

int api_zone(struct endpoint_call *c)
{
	uint8_t name[NAME_MAX_LEN];

	return read_id(c, name) == 0 ? reply_zone(c, name) : -1;
}

/* ---- changing ---- */

static bool is_configured(const struct watch_env *env, const uint8_t *name)
{
	struct zones *zones = env->zones(env->ctx);
	bool found = zones_exact(zones, name) != NULL;

	zones_put(zones);
	return found;
}

/* After the reload: is the zone what was wanted, or gone (`wanted` NULL)? */
static bool has_come_true(const struct watch_env *env, const uint8_t *name,
			  const struct api_zone *wanted)
{
	struct zones *zones = env->zones(env->ctx);
	const struct configured_zone *z = zones_exact(zones, name);
	bool is_true = wanted == NULL ? z == NULL : api_zone_is(wanted, z);

	zones_put(zones);
	return is_true;
}

/* The files are changed; has them read. */
static int put_in_force(struct endpoint_call *c, struct api_files *f, const uint8_t *name,
			const struct api_zone *wanted)
{
	const struct watch_env *env = c->env;
	char why[ENV_WHY_MAX], text[NAME_TEXT_MAX];

	if (env->reload_zones(env->ctx, NULL, 0, why) != E_OK) {
		api_files_undo(f);
		return endpoint_fail(c, 422, "Reloading the zones failed, nothing changed: %s",
				     why);
	}
	if (has_come_true(env, name, wanted)) {
		log_notice("API: zone %s is %s", name_to_text(text, name),
			   wanted == NULL ? "removed" : "configured");
		return 0;
	}
	api_files_undo(f);
	if (env->reload_zones(env->ctx, NULL, 0, why) != E_OK)
		log_error("API: the zones could not be read again: %s", why);
	return endpoint_fail(c, 422,
			     "Nothing changed: the zone is configured elsewhere too, or a setting "
			     "of zones is given on the command line");
}

static int change_failed(struct endpoint_call *c, struct api_files *f, const char *why)
{
	api_files_end(f, false);
	return endpoint_fail(c, 422, "%s", why);
}

static int create(struct endpoint_call *c, struct api_files *f, const struct api_zone *z)
{
	char why[ENV_WHY_MAX];
	int result;

	if (is_configured(c->env, z->name))
		return change_failed(c, f, "Zone already exists");
	if (api_zone_write(z, f, why) != E_OK)
		return change_failed(c, f, why);
	result = put_in_force(c, f, z->name, z);
	api_files_end(f, result == 0);
	return result;
}

int api_zone_create(struct endpoint_call *c)
{
	char why[ENV_WHY_MAX];
	struct api_files f;
	struct api_zone z;
	int result;

	if (api_zone_read(&z, c->body, NULL, why) != E_OK ||
	    api_files_begin(&f, c->env, why) != E_OK)
		return endpoint_fail(c, 422, "%s", why);
	result = create(c, &f, &z);
	if (result == 0)
		result = reply_zone(c, z.name);
	if (result == 0)
		c->status = 201;
	return result;
}

/* Begins a change of a zone that is there and that the API made. */
static int begin_change(struct endpoint_call *c, struct api_files *f, const uint8_t *name)
{
	char why[ENV_WHY_MAX];

	if (!is_configured(c->env, name))
		return unknown_zone(c);
	if (api_files_begin(f, c->env, why) != E_OK)
		return endpoint_fail(c, 422, "%s", why);
	if (api_zone_is_ours(f, name))
		return 0;
	api_files_end(f, false);
	return endpoint_fail(c, 422, "Zone '%s' was not made by the API, and is not changed by it",
			     c->args[0]);
}

int api_zone_replace(struct endpoint_call *c)
{
	uint8_t name[NAME_MAX_LEN];
	char why[ENV_WHY_MAX];
	struct api_files f;
	struct api_zone z;
	int result = read_id(c, name);

	if (result == 0 && !is_configured(c->env, name))
		return unknown_zone(c);
	if (result == 0 && api_zone_read(&z, c->body, name, why) != E_OK)
		return endpoint_fail(c, 422, "%s", why);
	if (result == 0)
		result = begin_change(c, &f, name);
	if (result != 0)
		return result;
	if (api_zone_write(&z, &f, why) != E_OK)
		return change_failed(c, &f, why);
	result = put_in_force(c, &f, name, &z);
	api_files_end(&f, result == 0);
	if (result != 0 || c->old_path)
		return result != 0 ? result : reply_zone(c, name);
	c->status = 204;
	return 0;
}

int api_zone_delete(struct endpoint_call *c)
{
	uint8_t name[NAME_MAX_LEN];
	char why[ENV_WHY_MAX];
	struct api_files f;
	int result = read_id(c, name);

	if (result == 0)
		result = begin_change(c, &f, name);
	if (result != 0)
		return result;
	if (api_zone_remove(name, &f, why) != E_OK)
		return change_failed(c, &f, why);
	result = put_in_force(c, &f, name, NULL);
	api_files_end(&f, result == 0);
	if (result == 0)
		c->status = 204;
	return result;
}

/* ---- searching ---- */

enum { FOUND_MAX = 10000 };

struct search {
	const char *text;
	char id[API_ID_MAX], zone_name[NAME_TEXT_MAX];
	json_t *list;
};

static bool search_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			  const struct rdata *rr)
{
	struct search *s = ctx;
	char name[NAME_TEXT_MAX];
	char *content = rdata_to_text(type, rr->data, rr->len);

	(void)ttl;
	name_to_text(name, owner);
	if (content != NULL &&
	    (strcasestr(name, s->text) != NULL || strcasestr(content, s->text) != NULL))
		json_array_append_new(s->list,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "record",
						"zone_id", s->id, "zone_name", s->zone_name, "name",
						name, "content", content));
	free(content);
	return json_array_size(s->list) < FOUND_MAX;
}

static void search_zone(struct search *s, const struct configured_zone *z)
{
	uint8_t asked[NAME_MAX_LEN];

	api_zone_id(s->id, z->name);
	name_to_text(s->zone_name, z->name);
	if (strcasestr(s->zone_name, s->text) != NULL)
		json_array_append_new(s->list, json_pack("{s:s, s:s, s:s}", "type", "zone",
							 "zone_id", s->id, "name", s->zone_name));
	/* Who names a zone wants that, and not all that is in it. */
	if (name_from_text(asked, s->text) == E_OK && name_equal(asked, z->name))
		return;
	if (z->auth != NULL)
		authzone_walk(z->auth, search_record, s);
}

int api_search_data(struct endpoint_call *c)
{
	struct search s = { .text = endpoint_parameter(c, "q") };
	struct zones *zones;
	struct listing l;
	int err;

	if (s.text == NULL || *s.text == '\0')
		return endpoint_fail(c, 422, "Query q can't be blank");
	zones = c->env->zones(c->env->ctx);
	s.list = json_array();
	err = list_names(&l, zones);
	for (size_t i = 0; err == E_OK && i < l.n && json_array_size(s.list) < FOUND_MAX; i++)
		search_zone(&s, zones_exact(zones, l.names[i]));
	free(l.names);
	zones_put(zones);
	if (err == E_OK)
		return endpoint_reply_json(c, s.list);
	json_decref(s.list);
	return endpoint_fail(c, 500, "%s", err_text(err));
}
