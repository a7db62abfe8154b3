#include "recursor/readiness.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "recursor/host/notify.h"
#include "recursor/server_state.h"

struct readiness {
	struct loop *loop;
	struct server *server;
	struct loop_timer *late;     /* the root's servers may take no longer */
	struct loop_timer *watchdog; /* NULL: nobody watches */
	uint64_t watchdog_ms;
	bool told_ready, stopping;
	const char *status; /* as told last; a constant */
};

static const char *status_of(const struct server *s)
{
	switch (server_state(s)) {
	case SERVER_STARTING:
		return "fetching the root's name servers";
	case SERVER_SERVING:
		return "serving";
	case SERVER_ROOTLESS:
		return "serving, but the root's name servers cannot be reached";
	case SERVER_DRAINING:
		return "draining: serving, but nobody new should come";
	}
	return "";
}

static void tell(void *ctx)
{
	struct readiness *r = ctx;
	const char *status = status_of(r->server);

	if (r->stopping || status == r->status)
		return;
	r->status = status;
	notify_status(status);
	if (r->told_ready || server_state(r->server) == SERVER_STARTING)
		return;
	r->told_ready = true;
	notify_ready();
	log_notice("ready: %s", status);
}

/* From any thread. */
static void on_change(void *ctx)
{
	struct readiness *r = ctx;

	if (loop_post(r->loop, tell, r) != E_OK)
		log_error("cannot tell of a change: too many messages wait");
}

static void keep_alive(void *ctx)
{
	struct readiness *r = ctx;

	if (server_is_alive(r->server))
		notify_watchdog();
	loop_timer_at(r->watchdog, loop_now_ms(r->loop) + r->watchdog_ms);
}

int readiness_new(struct readiness **out, struct loop *l, struct server *s)
{
	uint64_t watchdog_us = notify_watchdog_us();
	struct readiness *r = calloc(1, sizeof(*r));
	int err = E_NOMEM;

	if (r == NULL)
		return err;
	r->loop = l;
	r->server = s;
	/* As sd_watchdog_enabled(3) advises: twice in the time given, and a worker may be late. */
	r->watchdog_ms = watchdog_us / 1000 / 4 + 1;
	err = loop_timer_new(&r->late, l, tell, r);
	if (err == E_OK && watchdog_us > 0)
		err = loop_timer_new(&r->watchdog, l, keep_alive, r);
	if (err != E_OK) {
		readiness_free(r);
		return err;
	}
	server_on_change(s, on_change, r);
	*out = r;
	return E_OK;
}

void readiness_start(struct readiness *r)
{
	/* A moment later than the state changes. */
	loop_timer_at(r->late, loop_now_ms(r->loop) + SERVER_STARTING_MS + 10);
	if (r->watchdog != NULL)
		keep_alive(r);
	tell(r);
}

void readiness_stopping(struct readiness *r)
{
	if (r->stopping)
		return;
	r->stopping = true;
	notify_stopping();
}

void readiness_free(struct readiness *r)
{
	if (r == NULL)
		return;
	server_on_change(r->server, NULL, NULL);
	if (r->late != NULL)
		loop_timer_close(r->late);
	if (r->watchdog != NULL)
		loop_timer_close(r->watchdog);
	free(r);
}
