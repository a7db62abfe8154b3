#include "recursor/resolve/weather.h"

#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/lock.h"

void weather_init(struct weather *w, const struct weather_config *cfg)
{
	memset(w, 0, sizeof(*w));
	w->cfg = *cfg;
	lock_init(&w->lock);
}

void weather_deinit(struct weather *w)
{
	pthread_mutex_destroy(&w->lock);
}

#define LOAD(member) atomic_load_explicit(&(member), memory_order_relaxed)
#define STORE(member, value) atomic_store_explicit(&(member), (value), memory_order_relaxed)

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Workers' clocks differ by a turn of their loops. */
static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* What one owner is likely to have: /16, /32. */
static uint64_t network_of(const struct addr *a)
{
	uint32_t prefix = 0;

	memcpy(&prefix, a->ip, a->family == 6 ? 4 : 2);
	return hash_mix(prefix, a->family);
}

static unsigned slot_of(uint64_t network)
{
	return (unsigned)(network >> 32) % WEATHER_SLOTS;
}

/* ---- changes of state; the lock is held ---- */

static void cut_begin(struct weather_family *f, uint64_t began_ms, uint64_t now_ms)
{
	unsigned n = LOAD(f->n_cuts);

	f->cuts[n % WEATHER_CUTS] = (struct weather_cut) { began_ms, now_ms, UINT64_MAX };
	/* Kept from wrapping onto 0, which says that there was none. */
	STORE(f->n_cuts, n + 1 < 2 * WEATHER_CUTS ? n + 1 : WEATHER_CUTS);
}

static void cut_end(struct weather_family *f, uint64_t now_ms)
{
	f->cuts[(LOAD(f->n_cuts) - 1) % WEATHER_CUTS].ended_ms = now_ms;
}

static void account(struct weather_family *f, enum weather_state from, uint64_t lasted_ms)
{
	if (from == WEATHER_DOWN)
		f->down_ms += lasted_ms;
	else if (from == WEATHER_UNROUTED)
		f->unrouted_ms += lasted_ms;
}

/* `began_ms`: of the cut, when the new state is one. */
static void change(struct weather *w, struct weather_family *f, enum weather_state to,
		   uint64_t began_ms, uint64_t now_ms, struct weather_change *c)
{
	enum weather_state from = (enum weather_state)LOAD(f->state);

	*c = (struct weather_change) {
		.family = f == &w->families[0] ? 4 : 6,
		.from = from,
		.to = to,
		.lasted_ms = since(f->since_ms, now_ms),
	};
	account(f, from, c->lasted_ms);
	if (from >= WEATHER_DOWN)
		cut_end(f, now_ms);
	if (to >= WEATHER_DOWN)
		cut_begin(f, began_ms, now_ms);
	if (to == WEATHER_FAIR && from >= WEATHER_DOWN)
		f->proved_ms = now_ms;
	f->downs += to == WEATHER_DOWN;
	f->unrouteds += to == WEATHER_UNROUTED;
	f->since_ms = now_ms;
	if (from == WEATHER_FAIR)
		atomic_fetch_add_explicit(&w->clouded, 1, memory_order_relaxed);
	STORE(f->state, to);
	if (to == WEATHER_FAIR)
		atomic_fetch_sub_explicit(&w->clouded, 1, memory_order_relaxed);
}

/* No lock is held.  Nobody is told of a mere suspicion. */
static void tell(struct weather *w, const struct weather_change *c)
{
	bool is_news = c->from >= WEATHER_DOWN || c->to >= WEATHER_DOWN;

	if (c->family != 0 && is_news && w->cfg.changed != NULL)
		w->cfg.changed(w->cfg.ctx, c);
}

/* ---- who answers ---- */

/* When the networks that answered last did so, the last first. */
static void latest_answers(struct weather_family *f, uint64_t latest[WEATHER_LOCAL_MAX + 1])
{
	memset(latest, 0, (WEATHER_LOCAL_MAX + 1) * sizeof(latest[0]));
	for (unsigned i = 0; i < WEATHER_SLOTS; i++) {
		uint64_t at = LOAD(f->answered_ms[i]);

		for (unsigned k = 0; k <= WEATHER_LOCAL_MAX && at != 0; k++)
			if (at > latest[k]) {
				uint64_t t = latest[k];

				latest[k] = at;
				at = t;
			}
	}
}

bool weather_has_answered(struct weather *w, unsigned family)
{
	uint64_t latest[WEATHER_LOCAL_MAX + 1];

	latest_answers(weather_family(w, family), latest);
	return latest[0] != 0;
}

bool weather_has_answered_from(struct weather *w, const struct addr *a)
{
	struct weather_family *f = weather_family(w, a->family);

	return LOAD(f->answered_ms[slot_of(network_of(a))]) != 0;
}

static void down_is_over(struct weather *w, struct weather_family *f, unsigned slot,
			 uint64_t now_ms)
{
	struct weather_change c = { 0 };

	pthread_mutex_lock(&w->lock);
	if (LOAD(f->state) == WEATHER_DOWN && (LOAD(f->local) >> slot & 1) == 0)
		change(w, f, WEATHER_FAIR, 0, now_ms, &c);
	pthread_mutex_unlock(&w->lock);
	tell(w, &c);
}

void weather_answered(struct weather *w, const struct addr *a, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, a->family);
	unsigned slot = slot_of(network_of(a));

	/* A busy server's cache line would else go from worker to worker with each answer. */
	if (now_ms - LOAD(f->answered_ms[slot]) >= WEATHER_GRAIN_MS)
		STORE(f->answered_ms[slot], now_ms);
	if (LOAD(f->state) == WEATHER_DOWN)
		down_is_over(w, f, slot, now_ms);
}

/* ---- who fails; the lock is held ---- */

static void witness_note(struct weather_family *f, const struct addr *a, const uint8_t *zone,
			 uint64_t now_ms)
{
	uint64_t network = network_of(a);
	struct weather_witness *x = &f->witnesses[0];

	for (unsigned i = 0; i < WEATHER_WITNESSES; i++) {
		struct weather_witness *at = &f->witnesses[i];

		if (at->addr.family != 0 && at->network == network) {
			x = at;
			break;
		}
		if (at->at_ms < x->at_ms)
			x = at;
	}
	x->addr = *a;
	x->network = network;
	x->at_ms = now_ms;
	name_lower(x->zone, zone);
	x->zone_hash = name_hash(x->zone);
}

/* It failed after that, and nobody of its network has answered since. */
static bool is_witness(struct weather_family *f, const struct weather_witness *x, uint64_t after_ms)
{
	return x->addr.family != 0 && x->at_ms > after_ms &&
	       LOAD(f->answered_ms[slot_of(x->network)]) <= x->at_ms;
}

struct count {
	unsigned networks, zones;
};

static void count_witnesses(struct weather_family *f, uint64_t after_ms, struct count *out)
{
	*out = (struct count) { 0 };
	for (unsigned i = 0; i < WEATHER_WITNESSES; i++) {
		const struct weather_witness *x = &f->witnesses[i];
		bool is_new = true;

		if (!is_witness(f, x, after_ms))
			continue;
		out->networks++;
		for (unsigned k = 0; k < i && is_new; k++)
			is_new = !is_witness(f, &f->witnesses[k], after_ms) ||
				 f->witnesses[k].zone_hash != x->zone_hash;
		out->zones += is_new;
	}
}

static uint64_t local_slots(struct weather_family *f, uint64_t after_ms)
{
	uint64_t slots = 0;

	for (unsigned i = 0; i < WEATHER_SLOTS; i++)
		if (LOAD(f->answered_ms[i]) > after_ms)
			slots |= (uint64_t)1 << i;
	return slots;
}

/* Do so many fail, and so few answer, that it must be the network? */
static bool is_dark(struct weather *w, struct weather_family *f, uint64_t now_ms,
		    struct count *count, uint64_t *local)
{
	uint64_t latest[WEATHER_LOCAL_MAX + 1];
	uint64_t floor_ms = now_ms > WEATHER_WINDOW_MS ? now_ms - WEATHER_WINDOW_MS : 0;

	latest_answers(f, latest);
	for (unsigned n_local = 0; n_local <= WEATHER_LOCAL_MAX; n_local++) {
		uint64_t after_ms = later(later(latest[n_local], f->proved_ms), floor_ms);

		if (since(after_ms, now_ms) < WEATHER_QUIET_MS)
			continue;
		count_witnesses(f, after_ms, count);
		if (count->networks < w->cfg.min_servers + n_local * WEATHER_LOCAL_MORE ||
		    count->zones < (w->cfg.min_servers + 1) / 2)
			continue;
		*local = local_slots(f, after_ms);
		/* Answers take no lock: more may have come since they were looked at. */
		return (unsigned)__builtin_popcountll(*local) <= n_local;
	}
	return false;
}

static uint64_t quiet_since(struct weather_family *f, uint64_t now_ms)
{
	uint64_t latest[WEATHER_LOCAL_MAX + 1];

	latest_answers(f, latest);
	return later(latest[WEATHER_LOCAL_MAX],
		     now_ms > WEATHER_WINDOW_MS ? now_ms - WEATHER_WINDOW_MS : 0);
}

/* FAIR or SUSPECT: which is it, or is it DOWN by now? */
static void judge(struct weather *w, struct weather_family *f, uint64_t now_ms,
		  struct weather_change *c)
{
	enum weather_state state = (enum weather_state)LOAD(f->state);
	struct count count;
	uint64_t local;

	if (state >= WEATHER_DOWN)
		return;
	if (!is_dark(w, f, now_ms, &count, &local)) {
		if (state == WEATHER_SUSPECT)
			change(w, f, WEATHER_FAIR, 0, now_ms, c);
	} else if (state == WEATHER_FAIR) {
		STORE(f->next_probe_ms, 0);
		change(w, f, WEATHER_SUSPECT, 0, now_ms, c);
	} else if (since(f->since_ms, now_ms) >= WEATHER_SUSPECT_MS) {
		STORE(f->local, local);
		change(w, f, WEATHER_DOWN, quiet_since(f, now_ms), now_ms, c);
		c->witnesses = count.networks;
	}
}

void weather_failed(struct weather *w, const struct addr *a, const uint8_t *zone, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, a->family);
	struct weather_change c = { 0 };

	if (w->cfg.min_servers == 0 || LOAD(f->state) >= WEATHER_DOWN ||
	    since(quiet_since(f, now_ms), now_ms) < WEATHER_QUIET_MS)
		return;
	pthread_mutex_lock(&w->lock);
	witness_note(f, a, zone, now_ms);
	/* Thousands of questions may time out within that second. */
	if (LOAD(f->state) == WEATHER_FAIR || since(f->since_ms, now_ms) >= WEATHER_SUSPECT_MS)
		judge(w, f, now_ms, &c);
	pthread_mutex_unlock(&w->lock);
	tell(w, &c);
}

/* ---- routes ---- */

void weather_way_found(struct weather *w, unsigned family, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, family);
	struct weather_change c = { 0 };

	pthread_mutex_lock(&w->lock);
	STORE(f->unsent, 0);
	if (LOAD(f->state) == WEATHER_UNROUTED)
		change(w, f, WEATHER_FAIR, 0, now_ms, &c);
	pthread_mutex_unlock(&w->lock);
	tell(w, &c);
}

/* The lock is held: how many networks it are by now, with this one. */
static unsigned unsent_note(struct weather_family *f, uint64_t network)
{
	unsigned n = LOAD(f->unsent);

	for (unsigned i = 0; i < n; i++)
		if (f->unsent_networks[i] == network)
			return n;
	if (n == WEATHER_UNSENT)
		return n;
	f->unsent_networks[n] = network;
	STORE(f->unsent, n + 1);
	return n + 1;
}

void weather_unsent(struct weather *w, const struct addr *a, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, a->family);
	uint64_t latest[WEATHER_LOCAL_MAX + 1];
	struct weather_change c = { 0 };

	if (LOAD(f->state) == WEATHER_UNROUTED)
		return;
	pthread_mutex_lock(&w->lock);
	if (unsent_note(f, network_of(a)) < WEATHER_UNSENT || LOAD(f->state) == WEATHER_UNROUTED)
		goto out;
	/* A host without a default route knows ways to some, and none to others. */
	latest_answers(f, latest);
	if (latest[0] != 0 && since(latest[0], now_ms) < WEATHER_ROUTED_MS)
		goto out;
	STORE(f->next_recheck_ms, now_ms + WEATHER_RECHECK_MS);
	change(w, f, WEATHER_UNROUTED, quiet_since(f, now_ms), now_ms, &c);
out:
	pthread_mutex_unlock(&w->lock);
	tell(w, &c);
}

/* ---- what follows ---- */

/* One caller gets it, once in the interval. */
static bool take(_Atomic uint64_t *next_ms, unsigned interval_ms, uint64_t now_ms)
{
	uint64_t next = LOAD(*next_ms);

	return now_ms >= next &&
	       atomic_compare_exchange_strong_explicit(next_ms, &next, now_ms + interval_ms,
						       memory_order_relaxed, memory_order_relaxed);
}

bool weather_may_ask(struct weather *w, const struct addr *a)
{
	struct weather_family *f = weather_family(w, a->family);
	enum weather_state state = (enum weather_state)LOAD(f->state);

	if (state == WEATHER_DOWN)
		return (LOAD(f->local) >> slot_of(network_of(a)) & 1) != 0;
	return state != WEATHER_UNROUTED;
}

bool weather_take_recheck(struct weather *w, unsigned family, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, family);

	return LOAD(f->state) == WEATHER_UNROUTED &&
	       take(&f->next_recheck_ms, WEATHER_RECHECK_MS, now_ms);
}

bool weather_take_try(struct weather *w, unsigned family, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, family);
	bool is_down = LOAD(f->state) == WEATHER_DOWN;

	return take(&f->next_try_ms, is_down ? WEATHER_TRY_DOWN_MS : WEATHER_TRY_UNROUTED_MS,
		    now_ms);
}

/* Is there a cut that holds the time?  `early`: in the part before it was noticed. */
static bool any_cut(struct weather *w, struct weather_family *f, uint64_t at_ms, bool early)
{
	unsigned n = LOAD(f->n_cuts);
	bool found = false;

	if (n == 0)
		return false;
	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < WEATHER_CUTS && i < n && !found; i++) {
		const struct weather_cut *cut = &f->cuts[i];

		found = at_ms >= cut->began_ms &&
			at_ms <= (early ? cut->noticed_ms : cut->ended_ms);
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

bool weather_was_cut(struct weather *w, unsigned family, uint64_t sent_ms)
{
	return any_cut(w, weather_family(w, family), sent_ms, false);
}

bool weather_was_early(struct weather *w, unsigned family, uint64_t at_ms)
{
	if (family != 0)
		return any_cut(w, weather_family(w, family), at_ms, true);
	return any_cut(w, &w->families[0], at_ms, true) || any_cut(w, &w->families[1], at_ms, true);
}

uint64_t weather_quiet_since(struct weather *w, unsigned family, uint64_t now_ms)
{
	return quiet_since(weather_family(w, family), now_ms);
}

/* ---- probes ---- */

bool weather_take_probe(struct weather *w, unsigned family, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, family);
	struct weather_change c = { 0 };

	if (LOAD(f->state) == WEATHER_SUSPECT) {
		pthread_mutex_lock(&w->lock);
		judge(w, f, now_ms, &c);
		pthread_mutex_unlock(&w->lock);
		tell(w, &c);
	}
	switch ((enum weather_state)LOAD(f->state)) {
	case WEATHER_SUSPECT:
		return take(&f->next_probe_ms, WEATHER_PROBE_SUSPECT_MS, now_ms);
	case WEATHER_DOWN:
	case WEATHER_UNROUTED:
		return take(&f->next_probe_ms, WEATHER_PROBE_DOWN_MS, now_ms);
	case WEATHER_FAIR:
		break;
	}
	return false;
}

bool weather_witness_pick(struct weather *w, unsigned family, uint32_t dice, struct addr *a,
			  uint8_t zone[NAME_MAX_LEN])
{
	struct weather_family *f = weather_family(w, family);
	unsigned n = 0;

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < WEATHER_WITNESSES; i++)
		n += f->witnesses[i].addr.family != 0;
	for (unsigned i = 0, left = n == 0 ? 0 : dice % n; i < WEATHER_WITNESSES && n > 0; i++) {
		const struct weather_witness *x = &f->witnesses[i];

		if (x->addr.family == 0 || left-- > 0)
			continue;
		*a = x->addr;
		name_copy(zone, x->zone);
		break;
	}
	pthread_mutex_unlock(&w->lock);
	return n > 0;
}

void weather_probe_answered(struct weather *w, const struct addr *a, uint64_t now_ms)
{
	struct weather_family *f = weather_family(w, a->family);
	struct weather_change c = { 0 };

	weather_answered(w, a, now_ms);
	if (LOAD(f->state) != WEATHER_SUSPECT)
		return;
	pthread_mutex_lock(&w->lock);
	if (LOAD(f->state) == WEATHER_SUSPECT) {
		f->proved_ms = now_ms;
		change(w, f, WEATHER_FAIR, 0, now_ms, &c);
	}
	pthread_mutex_unlock(&w->lock);
	tell(w, &c);
}

void weather_stats(struct weather *w, unsigned family, uint64_t now_ms, struct weather_stats *out)
{
	struct weather_family *f = weather_family(w, family);

	pthread_mutex_lock(&w->lock);
	*out = (struct weather_stats) {
		.state = (enum weather_state)LOAD(f->state),
		.downs = f->downs,
		.unrouteds = f->unrouteds,
		.down_ms = f->down_ms,
		.unrouted_ms = f->unrouted_ms,
	};
	if (out->state == WEATHER_DOWN)
		out->down_ms += since(f->since_ms, now_ms);
	else if (out->state == WEATHER_UNROUTED)
		out->unrouted_ms += since(f->since_ms, now_ms);
	pthread_mutex_unlock(&w->lock);
}
