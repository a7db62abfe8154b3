#include "recursor/reconfigure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/pipeline.h"
#include "recursor/policy/ipset.h"
#include "recursor/visit.h"
#include "recursor/watch/query_log.h"
#include "recursor/watch/rings.h"
#include "recursor/wiring.h"

const struct settings *server_settings_get(struct server *s)
{
	const struct settings *now;

	pthread_mutex_lock(&s->settings_lock);
	now = settings_get(atomic_load(&s->settings));
	pthread_mutex_unlock(&s->settings_lock);
	return now;
}

/* What all workers share and what is the process's own. */
static void adopt_shared(struct server *s, const struct settings *made)
{
	struct aggressive_config aggressive;

	memory_set_limits(&s->memory, made);
	wiring_aggressive_config(&aggressive, made, &s->memory);
	aggressive_configure(s->aggressive, &aggressive);
	cache_set_stale(s->cache, wiring_stale_s(made));
	cache_set_locked(s->cache, made->record_cache_locked_ttl_perc);
	ipsets_configure(s->ipsets, made->ipset_max_sets, made->ipset_max_entries);
	log_set_level((int)made->loglevel);
	log_set_rate(made->log_rate);
	if (query_log_configure(s->query_log, made->query_log_rate, !made->quiet) != E_OK)
		log_error("no thread can be started that writes what quiet=no asks for");
}

/* On the worker's thread: whatever it made of the old snapshot, it makes anew. */
static void adopt(struct worker *w, void *arg)
{
	const struct settings *made = arg;
	struct resolver_config resolver;

	wiring_resolver_config(&resolver, made);
	resolver_configure(w->resolver, &resolver);
	datagrams_configure(w->datagrams, made->max_lua_udp_queries, made->network_timeout_ms);
	pipeline_configure(w->pipeline, made);
	memory_adopt(w);
	if (w->costing.costs != NULL)
		costs_set_bits(w->costing.costs, made->fair_share_ipv4_bits,
			       made->fair_share_ipv6_bits);
}

static void adopt_rings(struct worker *w, void *arg)
{
	pipeline_set_rings(w->pipeline, arg);
}

/* Other rings than before begin empty.  They are made here and not on a visit: their pages take
 * a while. */
static void resize_rings(struct server *s, size_t entries)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct rings *rings = NULL;

		if (entries > 0 && rings_new(&rings, entries) != E_OK) {
			log_warning("stats-ringbuffer-entries: no memory; worker %u keeps what it "
				    "has",
				    i);
			continue;
		}
		/* Who cannot be visited has stopped, and what it noted last may still be read. */
		if (visit_worker(&s->workers[i], adopt_rings, rings) == E_OK)
			rings = ringset_swap(s->rings, i, rings);
		rings_free(rings);
	}
}

/* What the worker has instead is left in the caller's place. */
static void exchange_costs(struct worker *w, void *arg)
{
	struct costs **place = arg, *old = w->costing.costs;

	w->costing.costs = *place;
	*place = old;
}

static void resize_costs(struct server *s, const struct settings *made)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct costs *costs = NULL;

		if (made->top_cost_entries > 0 &&
		    costs_new(&costs, made->top_cost_entries, loop_now_us() / 1000) != E_OK) {
			log_warning("top-cost-entries: no memory; worker %u keeps what it has", i);
			continue;
		}
		if (costs != NULL)
			costs_set_bits(costs, made->fair_share_ipv4_bits,
				       made->fair_share_ipv6_bits);
		if (visit_worker(&s->workers[i], exchange_costs, &costs) != E_OK)
			log_debug("worker %u has stopped", i);
		costs_free(costs);
	}
}

void server_change_begin(struct server *s)
{
	pthread_mutex_lock(&s->change_lock);
}

void server_change_end(struct server *s)
{
	pthread_mutex_unlock(&s->change_lock);
}

void server_reconfigure(struct server *s, const struct settings *made)
{
	const struct settings *old;

	pthread_mutex_lock(&s->settings_lock);
	old = atomic_load(&s->settings);
	atomic_store_explicit(&s->settings, made, memory_order_release);
	pthread_mutex_unlock(&s->settings_lock);
	adopt_shared(s, made);
	/* One that cannot be visited has stopped, and looks at nothing any more. */
	for (unsigned i = 0; i < s->n_workers; i++)
		if (visit_worker(&s->workers[i], adopt, (void *)made) != E_OK)
			continue;
	if (wiring_ring_entries(made) != wiring_ring_entries(old))
		resize_rings(s, wiring_ring_entries(made));
	if (made->top_cost_entries != old->top_cost_entries)
		resize_costs(s, made);
	settings_free(old);
}

/* Into the log, and to the operator whose change it is of: `told` (SETTINGS_WHY_MAX). */
static void say(void *told, const char *line)
{
	size_t len = strlen(told);

	log_line(LOG_LEVEL_WARNING, "settings", NULL, "%s", line);
	(void)snprintf((char *)told + len, SETTINGS_WHY_MAX - len, "%s%s", len > 0 ? "\n" : "",
		       line);
}

/* What start-up would say of it. */
static void tell_of_change(const struct settings *made, const char *name, char *told)
{
	static const char *const memory[] = { "max-cache-memory", "max-cache-entries",
					      "max-packetcache-entries" };
	char line[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(memory); i++)
		if (strcmp(name, memory[i]) == 0 && settings_memory_is_idle(made, line))
			say(told, line);
}

/* Between server_change_begin() and server_change_end(). */
static int change_one(struct server *s, const char *name, const char *value, char *why)
{
	struct settings *made = NULL;
	int err = settings_change(&made, atomic_load(&s->settings), name, value, why);

	if (err != E_OK)
		return err;
	why[0] = '\0';
	tell_of_change(made, name, why);
	server_reconfigure(s, made);
	return E_OK;
}

int server_change(struct server *s, const char *name, const char *value, char *why)
{
	int err;

	server_change_begin(s);
	err = change_one(s, name, value, why);
	server_change_end(s);
	return err;
}

int server_amend(struct server *s, const char *name, char *(*make)(void *arg, const char *now),
		 void *arg, char *why)
{
	char *value;
	int err = E_NOMEM;

	server_change_begin(s);
	value = make(arg, settings_text(atomic_load(&s->settings), name));
	if (value != NULL)
		err = change_one(s, name, value, why);
	else
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
	server_change_end(s);
	free(value);
	return err;
}

int server_reread(struct server *s, struct settings **out, const char *const *names, size_t n,
		  char *told, char *why)
{
	const struct settings *now = atomic_load(&s->settings);

	if (*now->chroot != '\0') {
		(void)snprintf(why, SETTINGS_WHY_MAX, "the files are out of reach after chroot");
		return E_RANGE;
	}
	if (told != NULL)
		told[0] = '\0';
	return settings_reload(out, now, s->argc, s->argv, names, n, told != NULL ? say : NULL,
			       told, why);
}

int server_reload(struct server *s, const char *const *names, size_t n, char *why)
{
	char told[SETTINGS_WHY_MAX] = "";
	struct settings *made = NULL;
	int err;

	server_change_begin(s);
	err = server_reread(s, &made, names, n, told, why);
	if (err == E_OK) {
		server_reconfigure(s, made);
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", told);
	}
	server_change_end(s);
	return err;
}
