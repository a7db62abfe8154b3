/* anchorage: see anchorage.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/anchorage_impl.h"
#include "recursor/files/anchorload.h"
#include "recursor/localcopy.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/visit.h"
#include "recursor/watch/wipe.h"
#include "recursor/worker.h"

/* ---- publishing ---- */

struct anchors *anchorage_get(struct anchorage *a)
{
	struct anchors *now;

	pthread_mutex_lock(&a->lock);
	now = anchors_get(a->current);
	pthread_mutex_unlock(&a->lock);
	return now;
}

static void adopt(struct worker *w, void *anchors)
{
	resolver_set_anchors(w->resolver, anchors);
}

void anchorage_wipe(struct anchorage *a, const uint8_t *name, struct wiped *sum)
{
	wipe_name(&a->server->own_env, name, true, 0, sum);
}

/* Of many at once the caches are emptied: each name is looked for in all of them. */
struct changed {
	unsigned n;
	uint8_t names[ANCHORAGE_WIPES_MAX][NAME_MAX_LEN];
};

static void note_changed(void *ctx, const uint8_t *name)
{
	struct changed *c = ctx;

	if (c->n < ANCHORAGE_WIPES_MAX)
		(void)name_copy(c->names[c->n], name);
	else
		c->names[0][0] = 0; /* the root */
	c->n++;
}

static void wipe_later(struct anchorage *a, const uint8_t *name)
{
	const struct settings *s = server_settings_get(a->server);
	uint64_t patience_ms = server_patience_ms(s);

	settings_free(s);
	pthread_mutex_lock(&a->lock);
	if (a->n_again == ANCHORAGE_WIPES_MAX) {
		a->n_again = 0;
		name = name_root;
	}
	(void)name_copy(a->again[a->n_again++], name);
	a->again_at_ms = loop_now_us() / 1000 + patience_ms;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

static void wipe_changed(struct anchorage *a, const struct changed *c)
{
	unsigned n = c->n > ANCHORAGE_WIPES_MAX ? 1 : c->n;
	char text[NAME_TEXT_MAX];

	for (unsigned i = 0; i < n; i++) {
		struct wiped sum = { 0 };

		anchorage_wipe(a, c->names[i], &sum);
		log_info("trust anchors of %s have changed: wiped %zu records, %zu negative "
			 "records, %zu packets",
			 name_to_text(text, c->names[i]), sum.records, sum.negative, sum.packets);
		wipe_later(a, c->names[i]);
	}
}

/* Workers first: what the caches hold after a wipe was judged anew. */
void anchorage_publish(struct anchorage *a, struct anchors *fresh)
{
	struct anchors *old = a->current;
	struct changed changed = { 0 };

	pthread_mutex_lock(&a->lock);
	a->current = fresh;
	pthread_mutex_unlock(&a->lock);
	/* One that cannot be visited does not run, and gets them when it begins, if ever. */
	for (unsigned i = 0; i < a->server->n_workers; i++)
		if (visit_worker(&a->server->workers[i], adopt, fresh) != E_OK)
			continue;
	anchors_diff(old, fresh, note_changed, &changed);
	wipe_changed(a, &changed);
	anchors_put(old);
}

int anchorage_edit(struct anchorage *a, int (*change)(void *arg, struct anchors *copy), void *arg,
		   char *why)
{
	struct anchors *copy = NULL;
	bool follows_others = false;
	int err;

	pthread_mutex_lock(&a->change_lock);
	err = anchors_copy(&copy, a->current);
	if (err == E_OK)
		err = change(arg, copy);
	if (err == E_OK)
		err = anchorage_state_edited(a, copy, &follows_others);
	if (err == E_OK)
		anchorage_publish(a, copy);
	else
		anchors_put(copy);
	if (follows_others)
		anchorage_state_write(a);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->change_lock);
	if (err != E_OK)
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s",
			       err == E_EXISTS
				       ? "the key has been revoked (RFC 5011); nothing was added"
				       : err_text(err));
	return err;
}

/* ---- what is configured ---- */

struct difference {
	struct anchors *to; /* a copy of those in force */
	const struct anchors *configured;
	int err;
};

/* The name gets what is configured for it now, nothing else. */
static void take_over(void *ctx, const uint8_t *name)
{
	struct difference *d = ctx;
	const struct anchor *now = anchors_exact(d->configured, name);
	uint8_t copy[NAME_MAX_LEN];

	(void)name_copy(copy, name);
	if (d->err == E_OK)
		d->err = anchors_set(d->to, copy, now == NULL ? NULL : now->ds);
	if (now == NULL || now->nta == NULL)
		(void)anchors_clear_nta(d->to, copy);
	else if (d->err == E_OK)
		d->err = anchors_share_nta(d->to, now->nta);
}

/* All that can fail comes first. */
static int adopt_configured(struct anchorage *a, const struct anchorload *read)
{
	struct localcopy_room *room = NULL;
	struct difference d = { .configured = read->anchors };
	int err = anchors_copy(&d.to, a->current);

	if (err == E_OK) {
		anchors_diff(a->configured, read->anchors, take_over, &d);
		err = d.err;
	}
	if (err == E_OK)
		err = localcopy_room_new(&room, &read->copies);
	if (err != E_OK) {
		anchors_put(d.to);
		return err;
	}
	anchors_put(a->configured);
	a->configured = anchors_get(read->anchors);
	atomic_store(&a->interval_s, read->interval_s);
	anchorage_state_follow(a, d.to);
	err = anchorage_state_apply(a, d.to);
	if (err != E_OK)
		log_error("rollovers of trusted keys are left out of account: %s", err_text(err));
	anchorage_publish(a, d.to);
	anchorage_state_write(a);
	localcopy_configure(a->server->localcopy, &read->copies, room);
	return E_OK;
}

int anchorage_reload(struct anchorage *a, const struct settings *s, char *why)
{
	struct anchorload read = { 0 };
	int err;

	pthread_mutex_lock(&a->change_lock);
	err = anchorload(&read, s, why);
	if (err == E_OK) {
		err = adopt_configured(a, &read);
		if (err != E_OK)
			(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
	}
	pthread_mutex_unlock(&a->change_lock);
	anchorload_clear(&read);
	return err;
}

/* What is read anew. */
static const char *const names[] = {
	"lua-config-file",
	"negative-trustanchors",
	"trustanchorfile",
	"trustanchorfile-interval",
};

static int make_settings(struct server *s, const char *file, struct settings **out, char *told,
			 char *why)
{
	struct settings *read = NULL, *made = NULL, *other = NULL;
	int err = server_reread(s, &read, names, ARRAY_LEN(names), told, why);

	if (err == E_OK)
		err = settings_merge(&made, atomic_load(&s->settings), read, names,
				     ARRAY_LEN(names), why);
	if (err == E_OK && file != NULL) {
		err = settings_change(&other, made, "lua-config-file", file, why);
		settings_free(made);
		made = other;
	}
	settings_free(read);
	if (err == E_OK)
		*out = made;
	return err;
}

int server_reload_anchors(struct server *s, const char *file, char *path, char *why)
{
	char told[SETTINGS_WHY_MAX] = "";
	struct settings *made = NULL;
	int err;

	(void)snprintf(path, SETTINGS_WHY_MAX, "%s", file == NULL ? "" : file);
	server_change_begin(s);
	err = make_settings(s, file, &made, told, why);
	if (err == E_OK) {
		(void)snprintf(path, SETTINGS_WHY_MAX, "%s", made->lua_config_file);
		err = anchorage_reload(s->anchorage, made, why);
	}
	if (err == E_OK) {
		server_reconfigure(s, made);
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", told);
	} else {
		settings_free(made);
	}
	server_change_end(s);
	return err;
}

/* ---- its life ---- */

int anchorage_open(struct anchorage **out, struct server *server, const struct settings *s,
		   char *why)
{
	struct anchorage *a = calloc(1, sizeof(*a));
	struct localcopy_room *room = NULL;
	pthread_condattr_t attr;
	struct anchorload read;
	int err = E_NOMEM;

	if (a == NULL) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
		return err;
	}
	err = anchorload(&read, s, why);
	if (err != E_OK) {
		free(a);
		return err;
	}
	err = localcopy_room_new(&room, &read.copies);
	if (err != E_OK) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
		anchorload_clear(&read);
		free(a);
		return err;
	}
	a->server = server;
	a->configured = anchors_get(read.anchors);
	a->current = anchors_get(read.anchors);
	atomic_init(&a->interval_s, read.interval_s);
	anchorage_state_open(a, s);
	pthread_mutex_init(&a->change_lock, NULL);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_condattr_destroy(&attr);
	localcopy_configure(server->localcopy, &read.copies, room);
	anchorload_clear(&read);
	*out = a;
	return E_OK;
}

void anchorage_prepare(struct anchorage *a)
{
	struct anchors *copy = NULL;
	int err;

	pthread_mutex_lock(&a->change_lock);
	anchorage_state_read(a);
	anchorage_state_follow(a, a->current);
	err = anchors_copy(&copy, a->current);
	if (err == E_OK)
		err = anchorage_state_apply(a, copy);
	if (err == E_OK) {
		anchors_put(a->current);
		a->current = copy;
	} else {
		log_error("trustanchor-state-file '%s' is left out of account: %s", a->file.path,
			  err_text(err));
		anchors_put(copy);
	}
	pthread_mutex_unlock(&a->change_lock);
}

void anchorage_free(struct anchorage *a)
{
	if (a == NULL)
		return;
	anchorage_stop(a);
	keyring_free(a->keyring);
	anchorage_state_close(a);
	anchors_put(a->current);
	anchors_put(a->configured);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->change_lock);
	free(a);
}
