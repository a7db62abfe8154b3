/* anchorage_watch: see anchorage_impl.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/log.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/anchorage_impl.h"
#include "recursor/net/loop.h"
#include "recursor/probe.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/watch/wipe.h"
#include "recursor/wiring.h"
#include "recursor/worker.h"

enum {
	TURN_MS = 1000, /* while something may expire */
	IDLE_MS = 30 * 1000,
	KEYS = 64,
	SIGNAL_EVERY_MS = 24 * 3600 * 1000,
	SIGNAL_FIRST_MS = 2000,
	TAGS_MAX = 12, /* of which each takes five letters of a label */
};

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

static bool is_stopping(struct anchorage *a)
{
	bool stop;

	pthread_mutex_lock(&a->lock);
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop;
}

/* ---- asking ---- */

/* Under the trust anchors in force and no negative one; the thread's end will find it. */
static struct probe *begin_probe(struct anchorage *a)
{
	struct anchors *now = anchorage_get(a), *bare = NULL;
	struct probe *p = NULL;
	int err = anchors_copy(&bare, now);

	anchors_put(now);
	if (err == E_OK) {
		anchors_clear_all(bare, anchors_clear_nta);
		err = probe_new(&p, a->server, bare);
	}
	anchors_put(bare);
	if (err != E_OK) {
		log_error("trust anchors cannot be looked after: %s", err_why(err));
		return NULL;
	}
	pthread_mutex_lock(&a->lock);
	a->probe = p;
	if (a->stop)
		probe_stop(p);
	pthread_mutex_unlock(&a->lock);
	return p;
}

static void end_probe(struct anchorage *a)
{
	struct probe *p;

	pthread_mutex_lock(&a->lock);
	p = a->probe;
	a->probe = NULL;
	pthread_mutex_unlock(&a->lock);
	probe_free(p);
}

/* ---- negative anchors ---- */

static int drop_expired(void *arg, struct anchors *copy)
{
	const uint32_t *now_s = arg;
	char text[NAME_TEXT_MAX];

	for (size_t i = anchors_count(copy); i-- > 0;) {
		const struct nta *nta = anchors_at(copy, i)->nta;

		if (nta == NULL || anchors_nta_counts(nta, *now_s))
			continue;
		log_notice("the negative trust anchor of %s has expired",
			   name_to_text(text, nta->name));
		(void)anchors_clear_nta(copy, nta->name);
	}
	return E_OK;
}

/* True: some are there that expire. */
static bool expire(struct anchorage *a)
{
	struct anchors *now = anchorage_get(a);
	uint32_t now_s = loop_wall_s();
	bool any = false, due = false;
	char why[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < anchors_count(now); i++) {
		const struct nta *nta = anchors_at(now, i)->nta;

		any |= nta != NULL && nta->expires_s != 0;
		due |= nta != NULL && !anchors_nta_counts(nta, now_s);
	}
	anchors_put(now);
	if (due && anchorage_edit(a, drop_expired, &now_s, why) != E_OK)
		log_error("an expired negative trust anchor stays: %s", why);
	return any;
}

/* The one that was looked at, and not another that took its place meanwhile. */
static int drop_one(void *arg, struct anchors *copy)
{
	const struct nta *nta = arg;
	const struct anchor *is = anchors_exact(copy, nta->name);

	if (is != NULL && is->nta == nta)
		(void)anchors_clear_nta(copy, nta->name);
	return E_OK;
}

static void recheck_one(struct anchorage *a, struct probe *p, const struct nta *nta)
{
	char text[NAME_TEXT_MAX], why[SETTINGS_WHY_MAX];
	struct probe_said said;

	if (probe_ask(p, nta->name, TYPE_SOA, &said) != E_OK)
		return;
	(void)name_to_text(text, nta->name);
	log_debug("negative trust anchor of %s: rcode %u, security %u", text, said.rcode,
		  said.security);
	if (said.rcode == RCODE_NOERROR && said.security == SEC_SECURE) {
		if (anchorage_edit(a, drop_one, (void *)(uintptr_t)nta, why) == E_OK)
			log_notice("the negative trust anchor of %s ends: the zone validates again",
				   text);
		else
			log_error("the negative trust anchor of %s stays: %s", text, why);
	}
	probe_said_put(&said);
}

static struct anchors *get_configured(struct anchorage *a)
{
	struct anchors *configured;

	pthread_mutex_lock(&a->change_lock);
	configured = anchors_get(a->configured);
	pthread_mutex_unlock(&a->change_lock);
	return configured;
}

/* What is configured is meant to stay: a zone with unsigned ones of its own inside, for one. */
static bool is_configured(const struct anchors *configured, const struct nta *nta)
{
	const struct anchor *is = anchors_exact(configured, nta->name);

	return is != NULL && is->nta == nta;
}

/* RFC 7646 2: an anchor that is not needed any more should not stay. */
static void recheck(struct anchorage *a)
{
	struct anchors *now = anchorage_get(a), *configured = get_configured(a);
	struct probe *p = NULL;

	for (size_t i = 0; i < anchors_count(now) && !is_stopping(a); i++) {
		const struct nta *nta = anchors_at(now, i)->nta;

		if (nta == NULL || is_configured(configured, nta))
			continue;
		if (p == NULL)
			p = begin_probe(a);
		if (p == NULL)
			break;
		recheck_one(a, p, nta);
		(void)expire(a);
	}
	end_probe(a);
	anchors_put(configured);
	anchors_put(now);
}

/* ---- rollovers ---- */

static void follow_rollovers(struct anchorage *a)
{
	uint8_t zone[NAME_MAX_LEN];

	while (!is_stopping(a) && anchorage_state_due(a, loop_wall_s(), zone)) {
		struct probe_said said = { 0 };
		struct probe *p = begin_probe(a);
		bool is_good = false;

		if (p != NULL && probe_ask(p, zone, TYPE_DNSKEY, &said) == E_OK)
			is_good = said.rcode == RCODE_NOERROR && said.security == SEC_SECURE;
		if (p != NULL && !is_good && !is_stopping(a)) {
			/* Nor do they validate when all that is trusted has been revoked. */
			probe_said_put(&said);
			if (probe_ask_unchecked(p, zone, TYPE_DNSKEY, &said) != E_OK)
				probe_said_put(&said);
		}
		if (!is_stopping(a))
			anchorage_state_see(a, zone, said.set, is_good, loop_wall_s());
		probe_said_put(&said);
		end_probe(a);
	}
}

/* ---- telling which keys are trusted (RFC 8145 5) ---- */

static int by_tag(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

_Static_assert(3 + 5 * TAGS_MAX <= NAME_MAX_LABEL, "_ta and so many tags are one label");

/* _ta-4f66-9728 before the zone's name: tags in order, each once (5.1).  False: it does not fit. */
static bool signal_name(uint8_t out[NAME_MAX_LEN], const struct rrset *ds)
{
	uint16_t tags[TAGS_MAX];
	size_t n = 0, len, zone_len = name_len(rrset_owner(ds));
	char label[NAME_MAX_LABEL + 2];
	struct rdata rr;

	for (size_t at = 0; n < TAGS_MAX && rrset_next(ds, &at, &rr);)
		tags[n++] = wire_get_u16(rr.data);
	qsort(tags, n, sizeof(tags[0]), by_tag);
	len = (size_t)snprintf(label, sizeof(label), "_ta");
	for (size_t i = 0; i < n; i++)
		if (i == 0 || tags[i] != tags[i - 1])
			len += (size_t)snprintf(label + len, sizeof(label) - len, "-%04x", tags[i]);
	if (1 + len + zone_len > NAME_MAX_LEN)
		return false;
	out[0] = (uint8_t)len;
	memcpy(out + 1, label, len);
	memcpy(out + 1 + len, rrset_owner(ds), zone_len);
	return true;
}

static void signal_trust(struct anchorage *a)
{
	struct anchors *now = anchorage_get(a);
	struct probe *p = begin_probe(a);

	for (size_t i = 0; p != NULL && i < anchors_count(now) && !is_stopping(a); i++) {
		const struct rrset *ds = anchors_at(now, i)->ds;
		uint8_t name[NAME_MAX_LEN];
		struct probe_said said;

		/* Whatever is answered: the question is the message. */
		if (ds != NULL && signal_name(name, ds) &&
		    probe_ask(p, name, TYPE_NULL, &said) == E_OK)
			probe_said_put(&said);
	}
	end_probe(a);
	anchors_put(now);
}

/* ---- the thread ---- */

static void reload(struct anchorage *a)
{
	const struct settings *now;
	char why[SETTINGS_WHY_MAX];

	/* What rec_control reload-lua-config is about to put in force is read, or comes after this. */
	server_change_begin(a->server);
	now = server_settings_get(a->server);
	if (*now->chroot != '\0')
		log_info(
			"trust anchors are not read again: the files are out of reach after chroot");
	else if (anchorage_reload(a, now, why) != E_OK)
		log_error("trust anchors stay as they are: %s", why);
	settings_free(now);
	server_change_end(a->server);
}

/* Is it time for what is due every so often?  `every_ms` 0: never. */
static bool is_time(struct anchorage *a, uint64_t *at_ms, uint64_t every_ms)
{
	uint64_t now = now_ms();
	bool is_now;

	if (every_ms == 0) {
		*at_ms = 0;
		return false;
	}
	if (*at_ms == 0 || *at_ms > now + every_ms)
		*at_ms = now + every_ms;
	is_now = now >= *at_ms;
	if (is_now)
		*at_ms = now + every_ms;
	if (*at_ms < a->turn_at_ms)
		a->turn_at_ms = *at_ms;
	return is_now;
}

static void wipe_again(struct anchorage *a)
{
	uint8_t names[ANCHORAGE_WIPES_MAX][NAME_MAX_LEN];
	struct wiped sum = { 0 };
	unsigned n = 0;

	pthread_mutex_lock(&a->lock);
	if (a->n_again > 0 && now_ms() >= a->again_at_ms) {
		n = a->n_again;
		memcpy(names, a->again, sizeof(names));
		a->n_again = 0;
	} else if (a->n_again > 0 && a->again_at_ms < a->turn_at_ms) {
		a->turn_at_ms = a->again_at_ms;
	}
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < n; i++)
		anchorage_wipe(a, names[i], &sum);
}

static void take_turn(struct anchorage *a)
{
	const struct settings *s = server_settings_get(a->server);
	bool validates = wiring_dnssec_mode(s) != DNSSEC_OFF;

	a->turn_at_ms = now_ms() + (expire(a) ? TURN_MS : IDLE_MS);
	if (is_time(a, &a->reload_at_ms, atomic_load(&a->interval_s) * 1000ULL))
		reload(a);
	if (validates && is_time(a, &a->recheck_at_ms, s->nta_recheck_interval_s * 1000ULL))
		recheck(a);
	if (validates)
		follow_rollovers(a);
	if (validates && s->trust_anchor_signaling && is_time(a, &a->signal_at_ms, SIGNAL_EVERY_MS))
		signal_trust(a);
	wipe_again(a);
	settings_free(s);
}

static void wait_for_turn(struct anchorage *a)
{
	struct timespec until = { (time_t)(a->turn_at_ms / 1000),
				  (long)(a->turn_at_ms % 1000) * 1000000L };

	pthread_mutex_lock(&a->lock);
	if (!a->stop)
		(void)pthread_cond_timedwait(&a->wake, &a->lock, &until);
	pthread_mutex_unlock(&a->lock);
}

static void *run(void *ctx)
{
	struct anchorage *a = ctx;

	a->signal_at_ms = now_ms() + SIGNAL_FIRST_MS;
	while (!is_stopping(a)) {
		take_turn(a);
		wait_for_turn(a);
	}
	return NULL;
}

int anchorage_start(struct anchorage *a)
{
	sigset_t all, before;
	int rc, err = keyring_new(&a->keyring, KEYS);

	if (err != E_OK)
		return err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return E_SYSTEM;
	}
	a->started = true;
	(void)pthread_setname_np(a->thread, "rec/anchors");
	return E_OK;
}

void anchorage_stop(struct anchorage *a)
{
	if (!a->started)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	if (a->probe != NULL)
		probe_stop(a->probe);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	a->started = false;
}
