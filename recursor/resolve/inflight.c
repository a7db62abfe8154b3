#include "recursor/resolve/inflight.h"

#include "common/check.h"
#include "common/timers.h"

struct inflight_zone {
	struct chain_link by_name;
	TAILQ_ENTRY(inflight_zone) idle_link; /* while it is held for nobody */
	uint64_t idle_ms;
	uint32_t goals; /* that hold on to it */
	uint32_t held;
	uint32_t places, reserved; /* those taken, without and out of the reserve */
	uint32_t window;           /* never above inflight.max for long: see inflight_window() */
	uint32_t srtt_us;          /* of its answers, smoothed; 0: none yet */
	bool is_common;            /* everybody is there at times */
	bool is_idle;
};

/* ---- windows ---- */

static uint32_t least(uint32_t max)
{
	return max < INFLIGHT_LEAST ? max : INFLIGHT_LEAST;
}

uint32_t inflight_window(uint32_t max, uint32_t window, uint32_t rtt_us)
{
	uint32_t cap = max;

	if (rtt_us > INFLIGHT_PROMPT_US)
		cap = (uint32_t)((uint64_t)max * INFLIGHT_PROMPT_US / rtt_us);
	if (window > cap)
		window = cap;
	return window < least(max) ? least(max) : window;
}

uint32_t inflight_reserve(uint32_t max, uint32_t window)
{
	uint32_t part = window / INFLIGHT_RESERVE, least_part = max / INFLIGHT_RESERVE;

	if (least_part > INFLIGHT_RESERVE_LEAST)
		least_part = INFLIGHT_RESERVE_LEAST;
	return part > least_part ? part : least_part;
}

uint32_t inflight_grow(uint32_t max, uint32_t window)
{
	return window < max ? window + 1 : max;
}

uint32_t inflight_shrink(uint32_t max, uint32_t window, uint32_t one_in)
{
	if (window > max)
		window = max;
	window -= (window + one_in - 1) / one_in;
	return window < least(max) ? least(max) : window;
}

/* ---- the table ---- */

int inflight_init(struct inflight *in, uint32_t max)
{
	*in = (struct inflight) { .max = max };
	slab_init(&in->zones, sizeof(struct inflight_zone), SIZE_MAX);
	TAILQ_INIT(&in->idle);
	return chains_init(&in->by_name);
}

static void leave_idle(struct inflight *in, struct inflight_zone *z)
{
	if (!z->is_idle)
		return;
	TAILQ_REMOVE(&in->idle, z, idle_link);
	z->is_idle = false;
	in->n_idle--;
}

static void forget(struct inflight *in, struct inflight_zone *z)
{
	leave_idle(in, z);
	chains_remove(&in->by_name, &z->by_name);
	slab_give(&in->zones, z);
}

void inflight_deinit(struct inflight *in)
{
	struct inflight_zone *z;

	while (in->n_idle > 0 && (z = TAILQ_FIRST(&in->idle)) != NULL)
		forget(in, z);
	slab_deinit(&in->zones);
	chains_deinit(&in->by_name);
}

size_t inflight_bytes(const struct inflight *in)
{
	return in->zones.peak * sizeof(struct inflight_zone) + chains_bytes(&in->by_name);
}

void inflight_configure(struct inflight *in, uint32_t max)
{
	in->max = max;
}

static struct inflight_zone *find(struct inflight *in, uint64_t hash)
{
	struct chain_link *l = chains_first(&in->by_name, hash);

	return l != NULL ? CONTAINER(l, struct inflight_zone, by_name) : NULL;
}

static struct inflight_zone *make(struct inflight *in, uint64_t hash)
{
	struct inflight_zone *z = slab_take(&in->zones);

	if (z == NULL)
		return NULL;
	z->window = in->max;
	chains_add(&in->by_name, &z->by_name, hash);
	return z;
}

/* Those that have been idle for long are as good as new. */
static void tidy(struct inflight *in, uint64_t now_ms)
{
	struct inflight_zone *z = TAILQ_FIRST(&in->idle);

	if (z != NULL &&
	    (in->n_idle > INFLIGHT_IDLE_MAX || now_ms - z->idle_ms >= INFLIGHT_IDLE_MS))
		forget(in, z);
}

static bool is_unlimited(const struct inflight *in, const struct inflight_zone *z)
{
	return in->max == 0 || (z->is_common && z->window > in->max / 2);
}

bool inflight_may_join(const struct inflight *in, const struct inflight_zone *z, bool is_known)
{
	uint32_t reserve = is_known ? 0 : inflight_reserve(in->max, in->max);

	return is_unlimited(in, z) || z->held < in->max - reserve;
}

struct inflight_zone *inflight_hold(struct inflight *in, uint64_t zone, bool is_common,
				    uint32_t waiters, bool is_known, uint64_t now_ms, bool *limited)
{
	struct inflight_zone *z;

	*limited = false;
	if (in->max == 0)
		return NULL;
	tidy(in, now_ms);
	z = find(in, zone);
	if (z == NULL)
		z = make(in, zone);
	if (z == NULL)
		return NULL;
	z->is_common = is_common;
	/* With nobody there, the first comes in however many wait for it. */
	if (z->held > 0 && !inflight_may_join(in, z, is_known)) {
		*limited = true;
		return NULL;
	}
	leave_idle(in, z);
	z->goals++;
	z->held += waiters;
	return z;
}

void inflight_waiters(struct inflight_zone *z, int change)
{
	ASSERT(change > 0 || z->held > 0);
	z->held += (uint32_t)change;
}

void inflight_let_go(struct inflight *in, struct inflight_zone *z, uint32_t waiters,
		     uint64_t now_ms)
{
	ASSERT(z->held >= waiters && z->goals > 0);
	z->held -= waiters;
	if (--z->goals > 0)
		return;
	ASSERT(z->held == 0 && z->places == 0 && z->reserved == 0);
	if (z->window >= in->max && z->srtt_us <= INFLIGHT_PROMPT_US) {
		forget(in, z);
		return;
	}
	z->is_idle = true;
	z->idle_ms = now_ms;
	TAILQ_INSERT_TAIL(&in->idle, z, idle_link);
	in->n_idle++;
}

/* ---- asking ---- */

/* What is reserved stays so, however many others are there: they were let in when the window was
 * large. */
enum inflight_place inflight_take_place(const struct inflight *in, struct inflight_zone *z,
					bool is_known)
{
	uint32_t window = inflight_window(in->max, z->window, z->srtt_us);
	uint32_t reserve = inflight_reserve(in->max, window);

	if (is_unlimited(in, z) || z->places < window - reserve) {
		z->places++;
		return INFLIGHT_PLACE;
	}
	if (!is_known || z->reserved >= reserve)
		return INFLIGHT_NO_PLACE;
	z->reserved++;
	return INFLIGHT_RESERVED;
}

uint32_t inflight_places(const struct inflight_zone *z)
{
	return z->places + z->reserved;
}

void inflight_give_place(struct inflight_zone *z, enum inflight_place place)
{
	uint32_t *taken = place == INFLIGHT_RESERVED ? &z->reserved : &z->places;

	ASSERT(place != INFLIGHT_NO_PLACE && *taken > 0);
	--*taken;
}

void inflight_answered(const struct inflight *in, struct inflight_zone *z, uint32_t rtt_us)
{
	z->window = inflight_grow(in->max, z->window);
	z->srtt_us = z->srtt_us == 0 ? rtt_us : z->srtt_us - z->srtt_us / 8 + rtt_us / 8;
}

void inflight_timed_out(const struct inflight *in, struct inflight_zone *z)
{
	z->window = inflight_shrink(in->max, z->window, INFLIGHT_ZONE_CUT);
}
