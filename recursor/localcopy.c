/* localcopy: see localcopy.h. */
#include "recursor/localcopy.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/copyload.h"
#include "recursor/net/loop.h"
#include "recursor/resolve/copies.h"
#include "recursor/settings/settings.h"
#include "recursor/visit.h"
#include "recursor/worker.h"

enum {
	IDLE_MS = 30 * 1000, /* between looks at what has expired; the time of day may jump */
	REFRESH_MIN_S = 60,
};

/* A zone, as it is at hand. */
struct held {
	struct copy_plan plan;
	struct zonecopy *copy; /* or NULL */
	struct copyload_found found;
	uint32_t loaded_s, expires_s; /* time of day */
	uint64_t due_ms;              /* monotonic; UINT64_MAX: never again */
	bool was_expired;             /* which has been told */
	uint64_t loads, errors;
	char error[COPYLOAD_WHY_MAX]; /* of the last try; "": it went well */
};

/* What became of a load, for the log. */
struct news {
	enum { NEWS_NONE, NEWS_LOADED, NEWS_ERROR } what;
	bool is_used; /* after an error: the copy at hand */
	uint32_t serial;
	size_t records;
	struct copy_verdict verdict;
};

struct localcopy {
	struct server *server;
	pthread_mutex_t publish_lock; /* one snapshot after the other; taken first */
	pthread_mutex_t lock;         /* of all that follows */
	pthread_cond_t wake;
	struct copies *current; /* or NULL */
	struct held *held;
	size_t n;
	uint64_t loads, errors; /* of all zones there ever were */
	uint64_t configured;    /* how often */
	bool started, stop;
	pthread_t thread;
	struct copyload *load;
};

struct localcopy_room {
	struct held *held; /* as many as there are plans */
	struct copies *copies;
};

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

/* ---- publishing ---- */

static void adopt(struct worker *w, void *copies)
{
	resolver_set_copies(w->resolver, copies);
}

struct copies *localcopy_get(struct localcopy *l)
{
	struct copies *now;

	pthread_mutex_lock(&l->lock);
	now = copies_get(l->current);
	pthread_mutex_unlock(&l->lock);
	return now;
}

/* What is held, in `fresh`, which is empty; takes the reference. */
static void publish(struct localcopy *l, struct copies *fresh)
{
	struct copies *old;
	bool runs;

	pthread_mutex_lock(&l->publish_lock);
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n;
	     i++) /* zones are different, and no more than it has room for */
		if (l->held[i].copy != NULL)
			(void)EXPECT(copies_add(fresh, l->held[i].copy, l->held[i].expires_s) ==
				     E_OK);
	old = l->current;
	l->current = copies_get(fresh);
	runs = l->started;
	pthread_mutex_unlock(&l->lock);
	/* One that cannot be visited does not run, and gets them when it begins, if ever. */
	for (unsigned i = 0; runs && i < l->server->n_workers; i++)
		if (visit_worker(&l->server->workers[i], adopt, fresh) != E_OK)
			continue;
	copies_put(old);
	copies_put(fresh);
	pthread_mutex_unlock(&l->publish_lock);
}

/* ---- what is configured ---- */

static struct held *find(struct held *held, size_t n, const uint8_t *zone)
{
	for (size_t i = 0; i < n; i++)
		if (name_equal(held[i].plan.zone, zone))
			return &held[i];
	return NULL;
}

/* And what was checked of it is enough now. */
static bool is_same_source(const struct copy_plan *a, const struct copy_plan *b)
{
	return a->is_file == b->is_file && strcmp(a->source, b->source) == 0 &&
	       a->zonemd == b->zonemd && a->dnssec == b->dnssec;
}

int localcopy_room_new(struct localcopy_room **out, const struct copyplans *plans)
{
	struct localcopy_room *room = calloc(1, sizeof(*room));

	if (room == NULL)
		return E_NOMEM;
	if (plans->n > 0)
		room->held = calloc(plans->n, sizeof(*room->held));
	if ((plans->n > 0 && room->held == NULL) || copies_new(&room->copies) != E_OK) {
		free(room->held);
		free(room);
		return E_NOMEM;
	}
	*out = room;
	return E_OK;
}

void localcopy_configure(struct localcopy *l, const struct copyplans *plans,
			 struct localcopy_room *room)
{
	struct held *fresh = room->held, *old;
	size_t n_old;

	pthread_mutex_lock(&l->lock);
	old = l->held;
	n_old = l->n;
	for (size_t i = 0; fresh != NULL && i < plans->n; i++) {
		struct held *before = find(old, n_old, plans->plans[i].zone);

		if (before != NULL && is_same_source(&before->plan, &plans->plans[i])) {
			fresh[i] = *before;
			before->copy = NULL;
		}
		fresh[i].plan = plans->plans[i];
		fresh[i].due_ms = 0;
	}
	l->held = fresh;
	l->n = plans->n;
	l->configured++;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	publish(l, room->copies);
	free(room);
	for (size_t i = 0; old != NULL && i < n_old; i++)
		zonecopy_put(old[i].copy);
	free(old);
}

/* ---- loading ---- */

/* When the zone is looked at again, after all went well. */
static uint64_t next_due(const struct held *h)
{
	struct soa soa;
	uint32_t after_s = h->plan.refresh_s;

	if (after_s == 0)
		return UINT64_MAX;
	zonecopy_soa(h->copy, &soa);
	if (!h->plan.is_file && soa.refresh_s < after_s)
		after_s = soa.refresh_s > REFRESH_MIN_S ? soa.refresh_s : REFRESH_MIN_S;
	if (after_s > h->plan.refresh_s)
		after_s = h->plan.refresh_s;
	return now_ms() + after_s * 1000ULL;
}

static struct news loaded_news(const struct held *h)
{
	struct soa soa;

	zonecopy_soa(h->copy, &soa);
	return (struct news) {
		.what = NEWS_LOADED,
		.serial = soa.serial,
		.records = zonecopy_records(h->copy),
		.verdict = h->found.verdict,
	};
}

static bool is_used(const struct held *h)
{
	return h->copy != NULL && loop_wall_s() < h->expires_s;
}

/* Without `lock`, for which others would wait as long as for the log. */
static void tell(const struct news *news, const struct copy_plan *plan, const char *why)
{
	char zone[NAME_TEXT_MAX];

	(void)name_to_text(zone, plan->zone);
	if (news->what == NEWS_LOADED)
		log_notice("zoneToCache: a copy of %s is in use: serial %u, %zu records from %s, "
			   "%s, %s",
			   zone, news->serial, news->records, plan->source,
			   news->verdict.is_digested ? "ZONEMD verified" : "no ZONEMD verified",
			   news->verdict.is_signed ? "signed" : "not known to be signed");
	else if (news->what == NEWS_ERROR)
		log_warning("zoneToCache: %s from %s: %s; %s", zone, plan->source, why,
			    news->is_used ? "the copy at hand stays" : "its servers are asked");
}

static uint32_t expiry(const struct held *h)
{
	struct soa soa;
	uint64_t at;

	zonecopy_soa(h->copy, &soa);
	at = (uint64_t)h->found.fresh_s + soa.expire_s;
	return at > UINT32_MAX ? UINT32_MAX : (uint32_t)at;
}

/* With `lock`.  True: another copy is to be published. */
static bool take_result(struct localcopy *l, struct held *h, int err, struct copyload_found *found,
			const char *why, struct news *news)
{
	struct zonecopy *before = h->copy;

	if (err != E_OK && err != E_EXISTS) {
		bool is_news = strcmp(h->error, why) != 0;

		l->errors++;
		h->errors++;
		h->due_ms = now_ms() + h->plan.retry_s * 1000ULL;
		(void)snprintf(h->error, sizeof(h->error), "%s", why);
		if (is_news)
			*news = (struct news) { .what = NEWS_ERROR, .is_used = is_used(h) };
		return false;
	}
	h->error[0] = '\0';
	if (err == E_EXISTS) {
		h->found.fresh_s = found->fresh_s;
		h->expires_s = expiry(h);
		if (l->current != NULL)
			(void)copies_set_expiry(l->current, h->plan.zone, h->expires_s);
		h->due_ms = next_due(h);
		h->was_expired = false;
		return false;
	}
	l->loads++;
	h->loads++;
	h->copy = found->copy;
	found->copy = before;
	h->found = *found;
	h->found.copy = NULL;
	h->loaded_s = loop_wall_s();
	h->expires_s = expiry(h);
	h->due_ms = next_due(h);
	h->was_expired = false;
	*news = loaded_news(h);
	return true;
}

/* The one that has been due longest; its plan and what is known of its copy go along.  An expired copy is
 * as none: what is served now may be older, and is better. */
static struct held *pick_due(struct localcopy *l, struct copy_plan *plan,
			     struct copyload_known *known)
{
	struct soa soa;
	struct held *h = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (h == NULL || l->held[i].due_ms < h->due_ms)
			h = &l->held[i];
	if (h == NULL || h->due_ms > now_ms())
		return NULL;
	*plan = h->plan;
	*known = (struct copyload_known) { .has_copy = is_used(h) };
	if (known->has_copy) {
		zonecopy_soa(h->copy, &soa);
		known->serial = soa.serial;
		known->file = h->found.file;
	}
	return h;
}

/* False: nothing is due. */
static bool load_one(struct localcopy *l)
{
	struct copyload_found found = { .copy = NULL };
	struct copies *fresh = NULL;
	char why[COPYLOAD_WHY_MAX] = "";
	struct copyload_known known;
	struct copy_plan plan;
	struct news news = { .what = NEWS_NONE };
	struct held *h = NULL;
	uint64_t configured;
	bool is_new = false;
	int err;

	pthread_mutex_lock(&l->lock);
	configured = l->configured;
	if (!l->stop)
		h = pick_due(l, &plan, &known);
	pthread_mutex_unlock(&l->lock);
	if (h == NULL)
		return false;
	err = copyload_run(l->load, &plan, &known, &found, why);
	/* Before it is taken: one that is held is one that was published. */
	if (err == E_OK && copies_new(&fresh) != E_OK) {
		err = E_NOMEM;
		(void)snprintf(why, sizeof(why), "%s", err_text(err));
	}
	pthread_mutex_lock(&l->lock);
	/* Whatever was configured meanwhile is due by itself. */
	if (l->configured == configured && !l->stop)
		is_new = take_result(l, h, err, &found, why, &news);
	pthread_mutex_unlock(&l->lock);
	if (is_new)
		publish(l, fresh);
	else
		copies_put(fresh);
	tell(&news, &plan, why);
	zonecopy_put(found.copy); /* the one before, or one that nobody wants any more */
	return true;
}

/* With `lock`.  One that has expired and was not told of; false: there is none. */
static bool find_expired(struct localcopy *l, uint8_t zone[NAME_MAX_LEN])
{
	uint32_t now_s = loop_wall_s();

	for (size_t i = 0; i < l->n; i++) {
		struct held *h = &l->held[i];

		if (h->copy == NULL || h->was_expired || now_s < h->expires_s)
			continue;
		h->was_expired = true;
		(void)name_copy(zone, h->plan.zone);
		return true;
	}
	return false;
}

/* With `lock`, which nobody has to wait for while the log is waited for. */
static void tell_expired(struct localcopy *l)
{
	uint8_t zone[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX];

	while (find_expired(l, zone)) {
		pthread_mutex_unlock(&l->lock);
		log_warning("zoneToCache: the copy of %s has expired; its servers are asked",
			    name_to_text(text, zone));
		pthread_mutex_lock(&l->lock);
	}
}

/* ---- the thread ---- */

/* With `lock`. */
static uint64_t wake_at(const struct localcopy *l)
{
	uint64_t now = now_ms(), at = now + IDLE_MS;
	uint32_t now_s = loop_wall_s();

	for (size_t i = 0; i < l->n; i++) {
		const struct held *h = &l->held[i];
		uint64_t left_ms;

		if (h->due_ms < at)
			at = h->due_ms;
		if (h->copy == NULL || h->was_expired)
			continue;
		left_ms = h->expires_s > now_s ? (h->expires_s - now_s) * 1000ULL : 0;
		if (now + left_ms < at)
			at = now + left_ms;
	}
	return at;
}

static bool wait_for_turn(struct localcopy *l)
{
	struct timespec until;
	uint64_t at;
	bool goes_on;

	pthread_mutex_lock(&l->lock);
	tell_expired(l);
	at = wake_at(l);
	until = (struct timespec) { (time_t)(at / 1000), (long)(at % 1000) * 1000000L };
	if (!l->stop && l->n == 0)
		(void)pthread_cond_wait(&l->wake, &l->lock);
	else if (!l->stop && at > now_ms())
		(void)pthread_cond_timedwait(&l->wake, &l->lock, &until);
	goes_on = !l->stop;
	pthread_mutex_unlock(&l->lock);
	return goes_on;
}

static void *run(void *ctx)
{
	struct localcopy *l = ctx;

	do {
		while (load_one(l))
			continue;
	} while (wait_for_turn(l));
	return NULL;
}

/* ---- its life ---- */

int localcopy_new(struct localcopy **out, struct server *server)
{
	struct localcopy *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL)
		return E_NOMEM;
	l->server = server;
	pthread_mutex_init(&l->publish_lock, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	*out = l;
	return E_OK;
}

int localcopy_start(struct localcopy *l)
{
	sigset_t all, before;
	int rc, err = copyload_new(&l->load, l->server);

	if (err != E_OK)
		return err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&l->lock);
	rc = pthread_create(&l->thread, NULL, run, l);
	l->started = rc == 0;
	pthread_mutex_unlock(&l->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return E_SYSTEM;
	}
	(void)pthread_setname_np(l->thread, "rec/copies");
	return E_OK;
}

void localcopy_stop(struct localcopy *l)
{
	if (!l->started)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	copyload_stop(l->load);
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	pthread_mutex_lock(&l->lock);
	l->started = false;
	pthread_mutex_unlock(&l->lock);
}

void localcopy_free(struct localcopy *l)
{
	if (l == NULL)
		return;
	localcopy_stop(l);
	copyload_free(l->load);
	for (size_t i = 0; i < l->n; i++)
		zonecopy_put(l->held[i].copy);
	free(l->held);
	copies_put(l->current);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->publish_lock);
	free(l);
}

/* ---- how they are ---- */

static void describe(const struct held *h, struct watch_copy *out)
{
	struct soa soa = { 0 };

	(void)name_copy(out->zone, h->plan.zone);
	out->is_file = h->plan.is_file;
	(void)snprintf(out->source, sizeof(out->source), "%s", h->plan.source);
	(void)snprintf(out->error, sizeof(out->error), "%s", h->error);
	out->loads = h->loads;
	out->errors = h->errors;
	out->has_copy = h->copy != NULL;
	if (h->copy == NULL)
		return;
	zonecopy_soa(h->copy, &soa);
	out->serial = soa.serial;
	out->records = zonecopy_records(h->copy);
	out->bytes = zonecopy_bytes(h->copy);
	out->loaded_s = h->loaded_s;
	out->expires_s = h->expires_s;
	out->is_expired = !is_used(h);
	out->is_signed = h->found.verdict.is_signed;
	out->is_digested = h->found.verdict.is_digested;
}

int localcopy_states(struct localcopy *l, struct watch_copy **out, size_t *n)
{
	struct watch_copy *made = NULL;
	int err = E_OK;

	pthread_mutex_lock(&l->lock);
	if (l->n > 0) {
		made = calloc(l->n, sizeof(*made));
		err = made == NULL ? E_NOMEM : E_OK;
	}
	for (size_t i = 0; made != NULL && i < l->n; i++)
		describe(&l->held[i], &made[i]);
	if (err == E_OK) {
		*out = made;
		*n = l->n;
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

void localcopy_stats(struct localcopy *l, struct watch_copies *out)
{
	pthread_mutex_lock(&l->lock);
	*out = (struct watch_copies) { .loads = l->loads, .errors = l->errors };
	for (size_t i = 0; i < l->n; i++) {
		const struct held *h = &l->held[i];

		out->used += is_used(h);
		if (h->copy == NULL)
			continue;
		out->records += zonecopy_records(h->copy);
		out->bytes += zonecopy_bytes(h->copy);
	}
	pthread_mutex_unlock(&l->lock);
}
