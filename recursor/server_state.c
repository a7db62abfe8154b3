#include "recursor/server_state.h"

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

enum server_state server_state(const struct server *s)
{
	if (atomic_load(&s->draining_since_ms) != 0)
		return SERVER_DRAINING;
	switch (atomic_load(&s->priming)) {
	case PRIMING_DONE:
		return SERVER_SERVING;
	case PRIMING_FAILED:
		return SERVER_ROOTLESS;
	default:
		break;
	}
	if (!s->primes)
		return SERVER_SERVING;
	return now_ms() < s->started_ms + SERVER_STARTING_MS ? SERVER_STARTING : SERVER_ROOTLESS;
}

bool server_is_primed(const struct server *s)
{
	return !s->primes || atomic_load(&s->priming) == PRIMING_DONE;
}

static void tell(struct server *s)
{
	if (s->changed != NULL)
		s->changed(s->changed_ctx);
}

void server_on_change(struct server *s, void (*changed)(void *ctx), void *ctx)
{
	s->changed = changed;
	s->changed_ctx = ctx;
}

void server_primed(struct server *s, bool ok)
{
	/* What was fetched once stays: a later failure changes nothing for clients yet. */
	if (!ok && atomic_load(&s->priming) == PRIMING_DONE)
		return;
	atomic_store(&s->priming, ok ? PRIMING_DONE : PRIMING_FAILED);
	tell(s);
}

bool server_set_draining(struct server *s, bool on)
{
	uint64_t now = now_ms() + 1; /* never 0 */
	uint64_t before = 0;
	bool changed;

	if (on)
		changed = atomic_compare_exchange_strong(&s->draining_since_ms, &before, now);
	else
		changed = atomic_exchange(&s->draining_since_ms, 0) != 0;
	if (changed)
		tell(s);
	return changed;
}

uint64_t server_draining_since_ms(const struct server *s)
{
	return atomic_load(&s->draining_since_ms);
}

static void answer_ping(void *ctx)
{
	struct worker *w = ctx;

	atomic_store(&w->ping_waits, false);
}

bool server_is_alive(struct server *s)
{
	bool alive = true;

	for (unsigned i = 0; i < s->n_workers; i++) {
		struct worker *w = &s->workers[i];

		if (atomic_load(&w->ping_waits)) {
			alive = false;
			continue;
		}
		atomic_store(&w->ping_waits, true);
		if (loop_post(w->loop, answer_ping, w) != E_OK) {
			atomic_store(&w->ping_waits, false);
			alive = false;
		}
	}
	return alive;
}
