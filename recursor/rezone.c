#include "recursor/rezone.h"

#include <stdio.h>

#include "common/check.h"
#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/files/zoneload.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/visit.h"

/* What PowerDNS reads again at reload-zones. */
static const char *const names[] = {
	"auth-zones",         "etc-hosts-file",
	"export-etc-hosts",   "export-etc-hosts-search-suffix",
	"forward-groups",     "forward-zones",
	"forward-zones-file", "forward-zones-recurse",
	"max-generate-steps", "max-include-depth",
	"serve-rfc1918",      "serve-rfc6303",
};

static void adopt(struct worker *w, void *zones)
{
	resolver_set_zones(w->resolver, zones);
}

/* So many answers are looked at in one visit. */
enum { PACKETS_A_VISIT = 256 };

struct packet_wipe {
	size_t cursor, wiped;
	bool more;
};

static void wipe_packets(struct worker *w, void *arg)
{
	struct packet_wipe *wipe = arg;

	wipe->more = packetcache_wipe_some(w->packetcache, &wipe->cursor, PACKETS_A_VISIT,
					   name_root, 0, true, &wipe->wiped);
}

/* To every worker; one that cannot be visited has stopped, and answers nobody any more. */
static void give_to_workers(struct server *s, struct zones *zones)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (visit_worker(&s->workers[i], adopt, zones) != E_OK)
			continue;
}

struct change {
	const struct zones *from, *to;
	size_t n;
};

static int note_zone(void *ctx, const uint8_t *name)
{
	struct change *c = ctx;

	(void)name;
	c->n++;
	return E_OK;
}

static bool differs(const struct change *c, const uint8_t *name, uint16_t type)
{
	return zones_print(zones_find_for(c->from, name, type)) !=
	       zones_print(zones_find_for(c->to, name, type));
}

/* A zone's DS is its parent's to tell (RFC 4035 3.1.4.1), and that may be another zone of ours. */
static bool has_changed(void *ctx, const uint8_t *name)
{
	const struct change *c = ctx;

	return differs(c, name, TYPE_A) || (!name_is_root(name) && differs(c, name, TYPE_DS));
}

/* Each zone is looked for among all proofs: of many at once all are forgotten. */
enum { PROOF_WIPES_MAX = 16 };

static int wipe_proofs(void *ctx, const uint8_t *name)
{
	(void)aggressive_wipe(ctx, name, true);
	return E_OK;
}

static void forget_proofs(struct server *s, const struct change *c)
{
	int err = c->n > PROOF_WIPES_MAX ? wipe_proofs(s->aggressive, name_root)
					 : zones_diff(c->from, c->to, wipe_proofs, s->aggressive);

	ASSERT(err == E_OK);
}

static void forget(struct server *s, struct change *c)
{
	struct cache_wiped wiped = cache_wipe_where(s->cache, has_changed, c);
	size_t packets = 0;

	forget_proofs(s, c);
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct packet_wipe wipe = { .cursor = SIZE_MAX, .more = true };

		while (wipe.more && visit_worker(&s->workers[i], wipe_packets, &wipe) == E_OK)
			continue;
		packets += wipe.wiped;
	}
	log_info("reload-zones: wiped %zu records, %zu negative records, %zu packets",
		 wiped.records, wiped.negative, packets);
}

struct zones *server_zones_get(struct server *s)
{
	struct zones *zones;

	server_change_begin(s);
	zones = zones_get(s->zones);
	server_change_end(s);
	return zones;
}

static bool special_changed(const struct settings *a, const struct settings *b)
{
	return a->serve_rfc1918 != b->serve_rfc1918 || a->serve_rfc6303 != b->serve_rfc6303;
}

static bool go_on(void *ctx)
{
	struct server *s = ctx;

	return !atomic_load(&s->ends);
}

/* What the files say of them by now. */
static int reread(struct server *s, struct settings **read, char *told, char *why)
{
	int err;

	server_change_begin(s);
	err = server_reread(s, read, names, ARRAY_LEN(names), told, why);
	server_change_end(s);
	return err;
}

/* The settings to come.  While the zones were read others may have changed `more`: what the files say
 * of them is looked up only now. */
static int make_settings(struct server *s, struct settings **out, const struct settings *read,
			 const char *const *more, size_t n_more, char *told, char *why)
{
	struct settings *fresh = NULL;
	int err = n_more > 0 ? server_reread(s, &fresh, more, n_more, told, why) : E_OK;

	if (err == E_OK)
		err = settings_merge(out, fresh != NULL ? fresh : atomic_load(&s->settings), read,
				     names, ARRAY_LEN(names), why);
	settings_free(fresh);
	return err;
}

/* Puts what was read in force. */
static int adopt_read(struct server *s, const struct settings *read, struct zones *zones,
		      const char *const *more, size_t n_more, char *told, char *why)
{
	struct change c = { .from = s->zones, .to = zones };
	bool special = special_changed(atomic_load(&s->settings), read);
	struct settings *made = NULL;
	int err = make_settings(s, &made, read, more, n_more, told, why);

	if (err != E_OK)
		return err;
	err = zones_diff(c.from, c.to, note_zone, &c);
	ASSERT(err == E_OK);
	server_reconfigure(s, made);
	give_to_workers(s, zones);
	if (c.n > 0 || special)
		forget(s, &c);
	log_notice("reload-zones: %zu zones have changed", c.n);
	zones_put(s->zones);
	s->zones = zones_get(zones);
	return E_OK;
}

int server_reload_zones(struct server *s, const char *const *more, size_t n_more, char *why)
{
	const struct zonefile_leave leave = { go_on, s };
	char told[SETTINGS_WHY_MAX] = "";
	struct settings *read = NULL;
	struct zones *zones = NULL;
	int err;

	pthread_mutex_lock(&s->zones_lock);
	/* With `more` the files are read once again, and that tells what there is to warn of. */
	err = reread(s, &read, n_more > 0 ? NULL : told, why);
	/* It takes as long as the zones are large, and other changes are not held up. */
	if (err == E_OK)
		err = zoneload_said(&zones, read, &leave, why);
	if (err == E_OK) {
		server_change_begin(s);
		err = adopt_read(s, read, zones, more, n_more, told, why);
		server_change_end(s);
	}
	if (err == E_OK)
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", told);
	pthread_mutex_unlock(&s->zones_lock);
	zones_put(zones);
	settings_free(read);
	return err;
}
