#include "fake_env.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/timers.h"
#include "common/wire.h"
#include "recursor/files/zoneload.h"
#include "recursor/ipset_env.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/trial.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/recorder.h"
#include "recursor/watch/tracer.h"

/* ---- the daemon's side ---- */

static const struct counters *counters_of(void *ctx, unsigned worker)
{
	struct fake_env *f = ctx;

	return &f->counters[worker];
}

static const counter *qtypes_of(void *ctx, unsigned worker)
{
	struct fake_env *f = ctx;

	return f->qtypes[worker];
}

static size_t in_flight(void *ctx, unsigned worker)
{
	struct fake_env *f = ctx;

	return f->idle ? 0 : 10 + worker;
}

static size_t tcp_clients(void *ctx, unsigned worker)
{
	(void)ctx;
	return 20 + worker;
}

static size_t flight_stories(void *ctx, unsigned worker)
{
	(void)ctx;
	return 30 + worker;
}

static size_t flight_bytes(void *ctx, unsigned worker)
{
	(void)ctx;
	return 4000 + worker;
}

static size_t packetcache_entries(void *ctx, unsigned worker)
{
	struct fake_env *f = ctx;
	struct packetcache_stats s;

	packetcache_stats(f->packetcache[worker], &s);
	return s.entries;
}

static size_t packetcache_bytes(void *ctx, unsigned worker)
{
	struct fake_env *f = ctx;
	struct packetcache_stats s;

	packetcache_stats(f->packetcache[worker], &s);
	return s.bytes;
}

static size_t key_bytes(void *ctx, unsigned worker)
{
	(void)ctx;
	return 1 + worker;
}

static uint64_t max_cache_memory(void *ctx)
{
	(void)ctx;
	return 123456789;
}

static int save_cache(void *ctx, char *why)
{
	struct fake_env *f = ctx;

	if (!f->refuses)
		return E_OK;
	strcpy(why, "the disk is full");
	return E_SYSTEM;
}

static void shelf(void *ctx, struct watch_shelf *out)
{
	(void)ctx;
	*out = (struct watch_shelf) { .lists = 1, .names = 2, .refused = 3 };
}

static void cachefile(void *ctx, struct watch_cachefile *out)
{
	(void)ctx;
	*out = (struct watch_cachefile) { 11, 12, 13, 14, 15, 16, 17 };
}

static uint64_t latency_us(void *ctx, unsigned worker)
{
	(void)ctx;
	return worker == 0 ? 100 : 500;
}

static const counter *sizes(void *ctx, unsigned worker)
{
	return ((struct fake_env *)ctx)->sizes[worker];
}

static void gauges(void *ctx, unsigned worker, struct watch_gauges *out)
{
	(void)ctx;
	*out = (struct watch_gauges) {
		.our_latency_us = worker == 0 ? 10 : 50,
		.cpu_us = 1500 * (worker + 1),
		.tcp_idle_out = worker + 1,
		.backgrounds = 10 * (worker + 1),
	};
}

static int on_worker(void *ctx, unsigned worker,
		     void (*visit)(void *arg, const struct watch_worker *w), void *arg)
{
	struct fake_env *f = ctx;
	struct watch_worker w = {
		.index = worker,
		.resolver = f->resolver[worker],
		.packetcache = f->packetcache[worker],
		.costs = f->costs[worker],
		.recorder = f->recorder[worker],
		.ctx = &f->trace_rule[worker],
	};

	if (f->is_stopped[worker])
		return E_SYSTEM;
	f->visits++;
	visit(arg, &w);
	return E_OK;
}

static bool client_of(void *ctx, const struct request_view *v, struct watch_client *out)
{
	struct fake_env *f = ctx;

	if (v->ctx != &f->client)
		return false;
	out->tcp = true;
	ASSERT(addr_from_text(&out->remote, "192.0.2.99:4000", 0) == E_OK);
	return true;
}

static struct trace_rule *set_trace_rule(const struct watch_worker *w, struct trace_rule *rule)
{
	struct trace_rule **place = w->ctx, *old = *place;

	*place = rule;
	return old;
}

static void set_query_rules(const struct watch_worker *w, const struct query_rules *rules)
{
	struct trace_rule **first = (struct trace_rule **)w->ctx - w->index;

	CONTAINER(first, struct fake_env, trace_rule)->query_rules[w->index] = *rules;
}

/* What the files say by now. */
static int read_settings(struct fake_env *f, struct settings **out, char *why)
{
	char option[300];
	char *argv[] = { "recursor", option, NULL };

	(void)snprintf(option, sizeof(option), "--config-dir=%s", f->config_dir);
	return settings_load(out, 2, argv, NULL, NULL, why);
}

static void take_settings(struct fake_env *f, struct settings *read)
{
	settings_free(f->settings);
	f->settings = read;
}

static void each_setting(void *ctx, void (*cb)(void *cb_ctx, const char *name, const char *value),
			 void *cb_ctx)
{
	struct fake_env *f = ctx;

	if (f->settings != NULL)
		settings_each(f->settings, cb, cb_ctx);
}

static char *netmasks(void *ctx, const char *name)
{
	struct fake_env *f = ctx;
	const struct netset *set;
	char *text = calloc(1, 100000);

	if (f->settings == NULL || text == NULL)
		return text;
	set = strcmp(name, "allow-from") == 0 ? f->settings->allow_from
					      : f->settings->allow_notify_from;
	(void)netset_text(set, text, 100000);
	return text;
}

static struct zones *get_zones(void *ctx)
{
	struct fake_env *f = ctx;

	return zones_get(f->zones);
}

static char *setting(void *ctx, const char *name)
{
	struct fake_env *f = ctx;

	if (f->settings != NULL) {
		const char *text = settings_text(f->settings, name);

		return text == NULL ? NULL : strdup(text);
	}
	if (strncmp(name, "dont-throttle-", 14) == 0)
		return strdup(f->dont_throttle);
	if (strcmp(name, "stats-carbon-disabled-list") == 0 ||
	    strcmp(name, "stats-api-disabled-list") == 0)
		return strdup(f->hidden);
	if (strcmp(name, "x-dnssec-names") == 0) {
		f->x_dnssec_lookups++;
		return f->x_dnssec_names == NULL ? NULL : strdup(f->x_dnssec_names);
	}
	if (strcmp(name, "max-cache-entries") == 0)
		return strdup("1000000");
	if (strcmp(name, "max-qperq") == 0)
		return strdup("50");
	if (strcmp(name, "version-string") == 0)
		return strdup("say \"\xff\"");
	if (strcmp(name, "stats-rec-control-disabled-list") == 0)
		return strdup("cache-bytes, packetcache-bytes");
	return strcmp(name, "max-total-msec") == 0 ? strdup("0") : NULL;
}

static char *setting_default(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "max-qperq") == 0 ? strdup("60") : NULL;
}

static int change(void *ctx, const char *name, const char *value, char *why)
{
	struct fake_env *f = ctx;

	if (f->refuses) {
		snprintf(why, ENV_WHY_MAX, "%s=%s: must be less", name, value);
		return E_RANGE;
	}
	snprintf(f->changed, sizeof(f->changed), "%s=%s", name, value);
	if (strncmp(name, "dont-throttle-", 14) == 0)
		snprintf(f->dont_throttle, sizeof(f->dont_throttle), "%s", value);
	strcpy(why, f->warns);
	return E_OK;
}

static int amend(void *ctx, const char *name, char *(*make)(void *arg, const char *now), void *arg,
		 char *why)
{
	char *now = setting(ctx, name), *value = make(arg, now != NULL ? now : "");
	int err;

	snprintf(why, ENV_WHY_MAX, "%s", err_text(E_NOMEM));
	err = value != NULL ? change(ctx, name, value, why) : E_NOMEM;
	free(now);
	free(value);
	return err;
}

static int reload(void *ctx, const char *const *names, size_t n, char *why)
{
	struct fake_env *f = ctx;

	if (f->refuses) {
		snprintf(why, ENV_WHY_MAX, "recursor.conf:1: what is that");
		return E_MALFORMED;
	}
	if (f->settings != NULL) {
		struct settings *read = NULL;
		int err = read_settings(f, &read, why);

		if (err != E_OK)
			return err;
		take_settings(f, read);
	}
	f->changed[0] = '\0';
	for (size_t i = 0; i < n; i++)
		strcat(strcat(f->changed, names[i]), " ");
	strcpy(why, f->warns);
	return E_OK;
}

static int load_script(void *ctx, const char *path, char *loaded, char *why)
{
	(void)ctx;
	(void)snprintf(loaded, ENV_WHY_MAX, "%s", path == NULL ? "/etc/recursor/hooks.lua" : path);
	if (strcmp(loaded, "/bad.lua") != 0)
		return E_OK;
	(void)snprintf(why, ENV_WHY_MAX, "/bad.lua:3: no");
	return E_MALFORMED;
}

static int reload_defender(void *ctx, char *why)
{
	static const char *const defender[] = { "defender" };

	return reload(ctx, defender, 1, why);
}

static struct anchors *get_anchors(void *ctx)
{
	struct fake_env *f = ctx;

	return anchors_get(f->anchors);
}

static int edit_anchors(void *ctx, int (*edit)(void *arg, struct anchors *copy), void *arg,
			char *why)
{
	struct fake_env *f = ctx;
	struct anchors *copy = NULL;
	int err = f->refuses ? E_LIMIT : anchors_copy(&copy, f->anchors);

	if (err == E_OK)
		err = edit(arg, copy);
	if (err != E_OK) {
		anchors_put(copy);
		(void)snprintf(why, ENV_WHY_MAX, "%s", err_text(err));
		return err;
	}
	anchors_put(f->anchors);
	f->anchors = copy;
	return E_OK;
}

/* A root that is in use, and a zone that was refused. */
static int get_copies(void *ctx, struct watch_copy **out, size_t *n)
{
	struct fake_env *f = ctx;
	struct watch_copy *c = f->idle ? NULL : calloc(2, sizeof(*c));

	*n = c != NULL ? 2 : 0;
	*out = c;
	if (c == NULL)
		return E_OK;
	c[0] = (struct watch_copy) {
		.source = "192.0.2.1",
		.has_copy = true,
		.is_digested = true,
		.is_signed = true,
		.serial = 2026112200,
		.loaded_s = 1700000000,
		.expires_s = 1700604800,
		.records = 24800,
		.bytes = 2000000,
		.loads = 3,
	};
	c[1] = (struct watch_copy) {
		.zone = "\7example",
		.is_file = true,
		.source = "/var/lib/zone",
		.error = "refused: its ZONEMD digest is wrong",
		.errors = 2,
	};
	return E_OK;
}

static void copies_stats(void *ctx, struct watch_copies *out)
{
	const struct fake_env *f = ctx;

	*out = (struct watch_copies) { .loads = 3, .errors = 2 };
	if (!f->idle)
		*out = (struct watch_copies) { 1, 24800, 2000000, 3, 2 };
}

static int reload_anchors(void *ctx, const char *file, char *path, char *why)
{
	static const char *const anchors[] = { "anchors" };
	const struct fake_env *f = ctx;
	const char *configured = f->refuses ? "" : "/etc/config.lua"; /* recursor.conf is wrong */

	(void)snprintf(path, ENV_WHY_MAX, "%s", file == NULL ? configured : file);
	return reload(ctx, anchors, 1, why);
}

static void defender_show(void *ctx, FILE *out, struct json_t *json)
{
	(void)ctx;
	fprintf(out, "nobody is accused\n");
	if (json != NULL)
		json_object_set_new(json, "accused", json_array());
}

static void defender_stats(void *ctx, struct watch_defender *out)
{
	(void)ctx;
	*out = (struct watch_defender) { .accused = 2, .known = 3 };
}

static int reload_zones(void *ctx, const char *const *more, size_t n, char *why)
{
	const char *names[16] = { "zones" };
	struct fake_env *f = ctx;
	struct settings *read = NULL;
	struct zones *zones = NULL;
	int err;

	ASSERT(n < ARRAY_LEN(names));
	for (size_t i = 0; i < n; i++)
		names[i + 1] = more[i];
	if (f->settings == NULL || f->refuses)
		return reload(ctx, names, n + 1, why);
	err = read_settings(f, &read, why);
	if (err == E_OK)
		err = zoneload(&zones, read, NULL, NULL, why);
	if (err != E_OK) {
		settings_free(read);
		return err;
	}
	take_settings(f, read);
	zones_put(f->zones);
	f->zones = zones;
	strcpy(why, f->warns);
	return E_OK;
}

static struct psl *suffixes; /* fake_env_keep_suffixes() */

static struct psl *get_psl(void *ctx)
{
	struct fake_env *f = ctx;

	return psl_get(f->psl);
}

static bool is_primed(void *ctx)
{
	const struct fake_env *f = ctx;

	return !f->is_rootless;
}

static bool is_ready(void *ctx)
{
	struct fake_env *f = ctx;

	return f->draining_since_ms == 0;
}

static bool drain(void *ctx, bool on)
{
	struct fake_env *f = ctx;
	bool was = f->draining_since_ms != 0;

	f->draining_since_ms = !on ? 0 : was ? f->draining_since_ms : FAKE_NOW_MS;
	return was != on;
}

static uint64_t draining_since_ms(void *ctx)
{
	struct fake_env *f = ctx;

	return f->draining_since_ms;
}

static uint64_t patience_ms(void *ctx)
{
	const struct fake_env *f = ctx;

	return f->patience_ms;
}

static void quit(void *ctx, bool nicely)
{
	struct fake_env *f = ctx;

	f->quits += !nicely;
	f->quits_nicely += nicely;
}

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return FAKE_NOW_MS;
}

static uint32_t wall_s(void *ctx)
{
	(void)ctx;
	return FAKE_WALL_S;
}

/* ---- the resolver's world ---- */

static int try_script(void *ctx, const struct try_request *rq, struct try_report *out, char *why)
{
	struct fake_env *f = ctx;
	const struct trial_options o = {
		.limits = { .instructions = 10000, .heap_bytes = 8 << 20 },
		.config_dir = "",
		.config_name = "",
		.local = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } },
		.ipsets = f->ipsets,
	};

	return trial_run(&f->env, &o, rq, out, why);
}

static uint64_t now_us(void *ctx)
{
	return now_ms(ctx) * 1000;
}

static void random_bytes_of_world(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 4, len);
}

static enum send_result send_nowhere(void *ctx, const struct outquery *q)
{
	struct fake_env *f = ctx;

	(void)q;
	return f->deaf ? SEND_OK : SEND_UNREACHABLE;
}

static void cancel(void *ctx, uint64_t ticket)
{
	(void)ctx;
	(void)ticket;
}

static void wake_at(void *ctx, uint64_t due_ms)
{
	(void)ctx;
	(void)due_ms;
}

static void open_worker(struct fake_env *f, unsigned i, const struct world *world)
{
	static const struct packetcache_config packets = { .max_packet = 4096 };
	struct resolver_config cfg;

	resolver_config_defaults(&cfg);
	f->qtypes[i] = calloc(65536, sizeof(counter));
	ASSERT(f->qtypes[i] != NULL);
	f->sizes[i] = calloc(METRICS_SIZES, sizeof(counter));
	ASSERT(f->sizes[i] != NULL);
	ASSERT(packetcache_new(&f->packetcache[i], &packets) == E_OK);
	ASSERT(resolver_new(&f->resolver[i], &cfg, f->env.cache, f->env.servers, &f->counters[i],
			    world) == E_OK);
	ASSERT(rings_new(&f->rings[i], FAKE_RING_ENTRIES) == E_OK);
	ASSERT(ringset_swap(f->env.rings, i, f->rings[i]) == NULL);
	ASSERT(costs_new(&f->costs[i], FAKE_RING_ENTRIES, FAKE_NOW_MS - 5000) == E_OK);
	ASSERT(recorder_new(&f->recorder[i], 1000000) == E_OK);
}

void fake_env_keep_suffixes(void)
{
	char why[ENV_WHY_MAX];

	if (suffixes == NULL)
		ASSERT(psl_new(&suffixes, "", why, sizeof(why)) == E_OK);
}

void fake_env_open(struct fake_env *f)
{
	static const struct aggressive_config aggressive = { .max_entries = 1000,
							     .min_nsec3_hit_ratio = 2000,
							     .max_nsec3_hash_cost = 150 };
	static const struct cache_config cache = { .max_set_bytes = 65536, .shards = 4 };
	static const struct servers_config servers = { .down_max_fails = 2,
						       .down_time_s = 60,
						       .max_throttles = 1000,
						       .unresolved_max_fails = 5,
						       .unresolved_time_s = 60,
						       .network_timeout_ms = 1500 };
	static const struct ipsets_config ipsets = { .max_sets = 4, .max_entries = 1000 };
	static const struct ipset_options known = { .name = "known", .has_ttl = true, .ttl_s = 60 };
	struct world world = {
		.ctx = f,
		.now_ms = now_ms,
		.now_us = now_us,
		.wall_s = wall_s,
		.random = random_bytes_of_world,
		.send = send_nowhere,
		.cancel = cancel,
		.wake_at = wake_at,
	};

	char why[ENV_WHY_MAX];

	memset(f, 0, sizeof(*f));
	f->env = (struct watch_env) {
		.ctx = f,
		.n_workers = FAKE_WORKERS,
		.started_ms = FAKE_NOW_MS - 42999,
		.counters = counters_of,
		.qtypes = qtypes_of,
		.in_flight = in_flight,
		.tcp_clients = tcp_clients,
		.flight_stories = flight_stories,
		.flight_bytes = flight_bytes,
		.packetcache_entries = packetcache_entries,
		.packetcache_bytes = packetcache_bytes,
		.key_bytes = key_bytes,
		.max_cache_memory = max_cache_memory,
		.save_cache = save_cache,
		.cachefile = cachefile,
		.latency_us = latency_us,
		.sizes = sizes,
		.gauges = gauges,
		.on_worker = on_worker,
		.client_of = client_of,
		.set_trace_rule = set_trace_rule,
		.set_query_rules = set_query_rules,
		.setting = setting,
		.setting_default = setting_default,
		.psl = get_psl,
		.each_setting = each_setting,
		.netmasks = netmasks,
		.zones = get_zones,
		.anchors = get_anchors,
		.edit_anchors = edit_anchors,
		.reload_anchors = reload_anchors,
		.copies = get_copies,
		.copies_stats = copies_stats,
		.change = change,
		.amend = amend,
		.reload = reload,
		.reload_zones = reload_zones,
		.reload_defender = reload_defender,
		.load_script = load_script,
		.defender_show = defender_show,
		.try_script = try_script,
		.defender_stats = defender_stats,
		.is_primed = is_primed,
		.is_ready = is_ready,
		.drain = drain,
		.draining_since_ms = draining_since_ms,
		.patience_ms = patience_ms,
		.quit = quit,
		.now_ms = now_ms,
		.wall_s = wall_s,
	};
	f->patience_ms = 7000;
	ASSERT(anchors_new_builtin(&f->anchors) == E_OK);
	ASSERT(cache_new(&f->env.cache, &cache) == E_OK);
	ASSERT(aggressive_new(&f->env.aggressive, &aggressive) == E_OK);
	ASSERT(servers_new(&f->env.servers, &servers) == E_OK);
	ASSERT(ringset_new(&f->env.rings, FAKE_WORKERS) == E_OK);
	ASSERT(custom_metrics_new(&f->env.custom_metrics) == E_OK);
	ASSERT(query_log_new(&f->env.query_log, FAKE_WORKERS) == E_OK);
	if (suffixes != NULL)
		f->psl = psl_get(suffixes);
	else
		ASSERT(psl_new(&f->psl, "", why, sizeof(why)) == E_OK);
	ASSERT(ipsets_new(&f->ipsets, &ipsets) == E_OK);
	ASSERT(ipsets_open(f->ipsets, &f->known, &known) == E_OK);
	ipset_env_fill(&f->env.ipsets, f->ipsets);
	f->env.shelf = shelf;
	for (unsigned i = 0; i < FAKE_WORKERS; i++)
		open_worker(f, i, &world);
}

void fake_env_close(struct fake_env *f)
{
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		resolver_free(f->resolver[i]);
		packetcache_free(f->packetcache[i]);
		free(f->qtypes[i]);
		free(f->sizes[i]);
		costs_free(f->costs[i]);
		recorder_free(f->recorder[i]);
		trace_rule_free(f->trace_rule[i]);
	}
	ringset_free(f->env.rings);
	custom_metrics_free(f->env.custom_metrics);
	query_log_free(f->env.query_log);
	psl_put(f->psl);
	zones_put(f->zones);
	anchors_put(f->anchors);
	settings_free(f->settings);
	ipset_put(f->known);
	ipsets_free(f->ipsets);
	servers_free(f->env.servers);
	cache_free(f->env.cache);
	aggressive_free(f->env.aggressive);
}

/* ---- what the tests put in and say ---- */

void fake_env_configure(struct fake_env *f, const char *dir)
{
	char why[ENV_WHY_MAX];

	(void)snprintf(f->config_dir, sizeof(f->config_dir), "%s", dir);
	ASSERT(read_settings(f, &f->settings, why) == E_OK);
	ASSERT(reload_zones(f, NULL, 0, why) == E_OK);
}

static void read_name(uint8_t out[NAME_MAX_LEN], const char *name)
{
	ASSERT(name_from_text(out, name) == E_OK);
	name_lower(out, out);
}

void fake_env_put(struct fake_env *f, const char *name, uint16_t type, uint32_t ttl, enum rank rank,
		  const void *rdata, size_t len)
{
	struct rdata rr = { .data = rdata, .len = (uint16_t)len };
	struct rrset *s = NULL;
	uint8_t owner[NAME_MAX_LEN];

	read_name(owner, name);
	ASSERT(rrset_new(&s, owner, type, ttl, FAKE_WALL_S, rank, &rr, 1, NULL, 0) == E_OK);
	s->zone_labels = 1;
	ASSERT(cache_put(f->env.cache, s, false, FAKE_WALL_S) == CACHE_STORED);
	rrset_put(s);
}

void fake_env_put_negative(struct fake_env *f, enum rrset_kind kind, const char *name,
			   uint16_t type, uint32_t ttl)
{
	static const uint8_t soa_rdata[22] = { 0 };
	struct rdata rr = { .data = soa_rdata, .len = sizeof(soa_rdata) };
	struct rrset *soa = NULL, *s = NULL;
	uint8_t owner[NAME_MAX_LEN], zone[NAME_MAX_LEN];
	size_t n_proofs = kind == RRSET_FAILURE ? 0 : 1;

	read_name(owner, name);
	name_copy(zone, name_suffix(owner, 1));
	ASSERT(rrset_new(&soa, zone, TYPE_SOA, ttl, FAKE_WALL_S, RANK_AUTH_AUTHORITY, &rr, 1, NULL,
			 0) == E_OK);
	ASSERT(rrset_new_negative(&s, kind, owner, type, ttl, FAKE_WALL_S, RANK_AUTH_ANSWER, &soa,
				  n_proofs,
				  kind == RRSET_FAILURE ? CAUSE_NETWORK : CAUSE_NONE) == E_OK);
	ASSERT(cache_put(f->env.cache, s, false, FAKE_WALL_S) == CACHE_STORED);
	rrset_put(s);
	rrset_put(soa);
}

void fake_env_put_packet(struct fake_env *f, unsigned worker, const char *name, uint16_t type,
			 uint32_t ttl, bool tcp)
{
	uint8_t wire[512] = { 0 };
	struct packetcache_key key = { .query = wire, .tcp = tcp, .payload = 512 };
	size_t len = WIRE_HEADER_LEN;

	wire_put_u16(wire + 4, 1);
	ASSERT(name_from_text(wire + len, name) == E_OK);
	key.name_hash = name_hash(wire + len);
	len += name_len(wire + len);
	wire_put_u16(wire + len, type);
	wire_put_u16(wire + len + 2, CLASS_IN);
	key.question_end = len + 4;
	packetcache_put(f->packetcache[worker], &key, wire, key.question_end, ttl, 0, false,
			FAKE_WALL_S);
}

char *fake_env_say(struct fake_env *f, const char *line, int file, int *status)
{
	struct command_request *rq = malloc(sizeof(*rq));
	struct command_reply reply;
	char *text = strdup(line);

	ASSERT(rq != NULL);
	ASSERT(text != NULL);
	command_parse(rq, text, strlen(line));
	rq->file = file;
	command_run(&f->env, rq, &reply);
	ASSERT(reply.text != NULL);
	ASSERT(strlen(reply.text) == reply.len);
	*status = reply.status;
	free(text);
	free(rq);
	return reply.text;
}
