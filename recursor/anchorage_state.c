/* anchorage_state: see anchorage_impl.h. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/anchorage_impl.h"
#include "recursor/resolve/dnssec/verify.h"

enum { LATEST_S = 16 * ROLLOVER_DAY_S };

/* ---- the file ---- */

void anchorage_state_open(struct anchorage *a, const struct settings *s)
{
	int err;

	a->file.dir_fd = -1;
	if (*s->trustanchor_state_file == '\0')
		return;
	err = statefile_open(&a->file, s->trustanchor_state_file, s->chroot);
	if (err == E_OK) {
		a->rollovers = calloc(1, sizeof(*a->rollovers));
		err = a->rollovers == NULL ? E_NOMEM : E_OK;
	}
	if (err != E_OK)
		log_error("trustanchor-state-file '%s' cannot be used: %s",
			  s->trustanchor_state_file, err_why(err));
}

void anchorage_state_close(struct anchorage *a)
{
	if (a->rollovers != NULL)
		rollovers_deinit(a->rollovers);
	free(a->rollovers);
	a->rollovers = NULL;
	statefile_close(&a->file);
}

static void refuse(struct anchorage *a, const char *why)
{
	bool aside = statefile_put_aside(&a->file) == E_OK;

	log_error("trustanchor-state-file '%s' is refused: %s; trust begins with what is "
		  "configured%s",
		  a->file.path, why, aside ? ", and the file is put aside as .bad" : "");
}

void anchorage_state_read(struct anchorage *a)
{
	char why[ROLLOVERFILE_WHY_MAX];
	FILE *f = NULL;
	int err;

	if (a->rollovers == NULL)
		return;
	err = statefile_read(&a->file, &f, why, sizeof(why));
	if (err == E_NOT_FOUND) {
		log_info("trustanchor-state-file '%s' is not there yet", a->file.path);
		return;
	}
	if (err == E_OK)
		err = rolloverfile_read(a->rollovers, f, why);
	if (f != NULL)
		(void)fclose(f);
	if (statefile_is_damaged(err)) {
		refuse(a, why);
	} else if (err != E_OK) {
		a->is_unread = true;
		log_error(
			"trustanchor-state-file '%s' cannot be read: %s; trust begins with what is "
			"configured, and the file stays as it is until the next start",
			a->file.path, why);
	}
}

static int fill(void *ctx, FILE *f)
{
	return rolloverfile_write(f, ctx);
}

void anchorage_state_write(struct anchorage *a)
{
	int err;

	if (a->rollovers == NULL || a->is_unread)
		return;
	err = statefile_replace(&a->file, fill, a->rollovers);
	if (err != E_OK)
		log_error("trustanchor-state-file '%s' cannot be written: %s", a->file.path,
			  err_why(err));
}

/* ---- what is followed ---- */

static void begin(struct anchorage *a, const struct anchor *anchor)
{
	struct rollovers *r = a->rollovers;
	char text[NAME_TEXT_MAX];

	if (r->n == ROLLOVERFILE_ZONES_MAX ||
	    rollover_begin(&r->zones[r->n], anchor->name, anchor->ds) != E_OK) {
		log_error("the keys of %s are not followed: too many",
			  name_to_text(text, anchor->name));
		return;
	}
	r->n++;
}

/* Has an operator put another anchor into its place, or cleared it?  That stays so until what is configured
 * for it changes. */
static bool is_changed_by_hand(const struct anchors *in_force, const struct anchor *configured)
{
	const struct anchor *at = anchors_exact(in_force, configured->name);

	if (at == NULL || at->ds == NULL)
		return at == NULL || at->lost == NULL;
	return rollover_print(at->ds) != rollover_print(configured->ds);
}

static void follow(struct anchorage *a, const struct anchors *in_force, const struct anchor *anchor)
{
	struct rollover *r = rollovers_find(a->rollovers, anchor->name);
	char text[NAME_TEXT_MAX];

	if ((r == NULL || rollover_is_cleared(r)) && is_changed_by_hand(in_force, anchor))
		return;
	if (r == NULL) {
		begin(a, anchor);
		return;
	}
	if (r->print == rollover_print(anchor->ds))
		return;
	(void)name_to_text(text, anchor->name);
	if (!rollover_is_cleared(r))
		log_notice("the trust anchors that are configured for %s are others than before: "
			   "its keys are followed from there on",
			   text);
	if (rollover_restart(r, anchor->ds) != E_OK) {
		log_error("the keys of %s are not followed: too many", text);
		rollovers_drop(a->rollovers, r);
	}
}

void anchorage_state_follow(struct anchorage *a, const struct anchors *in_force)
{
	struct rollovers *r = a->rollovers;

	if (r == NULL)
		return;
	for (size_t i = r->n; i-- > 0;) {
		const struct anchor *have = anchors_exact(a->configured, r->zones[i].zone);

		if ((have == NULL || have->ds == NULL) && !rollover_clear(&r->zones[i]))
			rollovers_drop(r, &r->zones[i]);
	}
	for (size_t i = 0; i < anchors_count(a->configured); i++) {
		const struct anchor *at = anchors_at(a->configured, i);

		if (at->ds != NULL)
			follow(a, in_force, at);
	}
}

/* RFC 5011 5: a zone whose keys are all revoked is as one that never had an anchor. */
static int apply_zone(const struct rollover *r, struct anchors *to)
{
	struct rrset *ds = NULL;
	char text[NAME_TEXT_MAX];
	int err;

	if (rollover_is_cleared(r))
		return E_OK;
	err = rollover_trusted(&ds, r);
	if (err == E_OK)
		err = ds != NULL ? anchors_set(to, r->zone, ds) : anchors_lose(to, r->zone);
	if (err == E_OK && ds == NULL)
		log_error(
			"no key of %s is trusted any more: all are revoked (RFC 5011 5); it is as "
			"without a trust anchor until it is given another",
			name_to_text(text, r->zone));
	rrset_put(ds);
	return err;
}

int anchorage_state_apply(const struct anchorage *a, struct anchors *to)
{
	int err = E_OK;

	for (size_t i = 0; a->rollovers != NULL && i < a->rollovers->n && err == E_OK; i++)
		err = apply_zone(&a->rollovers->zones[i], to);
	return err;
}

/* ---- what an operator changes ---- */

static const struct rrset *ds_at(const struct anchors *anchors, const uint8_t *zone)
{
	const struct anchor *at = anchors_exact(anchors, zone);

	return at == NULL ? NULL : at->ds;
}

static bool has_record(const struct rrset *ds, const struct rdata *wanted)
{
	struct rdata rr;

	for (size_t at = 0; ds != NULL && rrset_next(ds, &at, &rr);)
		if (rr.len == wanted->len && memcmp(rr.data, wanted->data, rr.len) == 0)
			return true;
	return false;
}

static int trust_added(struct rollover *r, const struct rrset *was, const struct rrset *is,
		       bool *changed)
{
	struct rdata rr;
	int err = E_OK;

	for (size_t at = 0; err == E_OK && is != NULL && rrset_next(is, &at, &rr);) {
		if (has_record(was, &rr))
			continue;
		err = rollover_trust(r, &rr);
		*changed = true;
	}
	return err;
}

/* An anchor more for a zone that is followed is followed with the others; a zone that is cleared is
 * followed no more, but which of its keys were revoked is not forgotten.  One whose keys are all revoked has
 * none to clear. */
static int edit_copy(struct rollovers *out, const struct anchorage *a, const struct anchors *now,
		     bool *changed)
{
	int err = E_OK;

	for (size_t i = 0; i < a->rollovers->n && err == E_OK; i++) {
		const struct rollover *from = &a->rollovers->zones[i];
		const struct rrset *was = ds_at(a->current, from->zone);
		const struct rrset *is = ds_at(now, from->zone);
		struct rollover *to = &out->zones[out->n];

		err = rollover_copy(to, from);
		if (err != E_OK)
			break;
		out->n++;
		if (was == NULL || is != NULL) {
			err = trust_added(to, was, is, changed);
			continue;
		}
		*changed = true;
		if (!rollover_clear(to))
			rollovers_drop(out, to);
	}
	return err;
}

int anchorage_state_edited(struct anchorage *a, const struct anchors *now, bool *changed)
{
	struct rollovers *fresh;
	bool differs = false;
	int err;

	*changed = false;
	if (a->rollovers == NULL)
		return E_OK;
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL)
		return E_NOMEM;
	err = edit_copy(fresh, a, now, &differs);
	if (err == E_OK && differs) {
		rollovers_deinit(a->rollovers);
		*a->rollovers = *fresh;
		*changed = true;
	} else {
		rollovers_deinit(fresh);
	}
	free(fresh);
	return err;
}

/* ---- a look at a zone's keys ---- */

/* Of a clock that was ahead once, a time far from now is not waited for. */
static bool is_due(const struct rollover *r, uint32_t now_s)
{
	if (rollover_is_cleared(r))
		return false;
	return r->next_s <= now_s || r->next_s - now_s > LATEST_S;
}

bool anchorage_state_due(struct anchorage *a, uint32_t now_s, uint8_t zone[NAME_MAX_LEN])
{
	bool found = false;

	if (a->rollovers == NULL)
		return false;
	pthread_mutex_lock(&a->change_lock);
	for (size_t i = 0; i < a->rollovers->n && !found; i++) {
		found = is_due(&a->rollovers->zones[i], now_s);
		if (found)
			(void)name_copy(zone, a->rollovers->zones[i].zone);
	}
	pthread_mutex_unlock(&a->change_lock);
	return found;
}

struct sight {
	struct keyring *keyring;
	const struct rrset *dnskeys;
	const char *zone; /* its text */
	uint32_t now_s;
	unsigned changes;
};

static bool is_self_signed(void *ctx, const struct dnskey *key)
{
	static const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct sight *s = ctx;
	struct dnssec_work work = { 0 };
	struct verification how;

	return verify_self_signed(s->keyring, &limits, s->dnskeys, key, s->now_s, &work, &how) ==
	       SEC_SECURE;
}

/* By which signature the set is good: its original TTL and its end.  Should it not be any more, since
 * the anchors have changed meanwhile or by limits other than the resolver's, the set's own TTL, which
 * is no longer than either. */
static void read_times(struct sight *s, const struct rollover *r, uint32_t *ttl, uint32_t *until_s)
{
	static const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { 0 };
	struct verification how;
	struct rrset *ds = NULL;

	*ttl = s->dnskeys->ttl;
	*until_s = s->now_s + s->dnskeys->ttl;
	if (rollover_trusted(&ds, r) == E_OK && ds != NULL &&
	    verify_dnskeys(s->keyring, &limits, s->dnskeys, ds, s->now_s, &work, &how) ==
		    SEC_SECURE) {
		*ttl = how.ttl_max;
		*until_s = how.until_s;
	}
	rrset_put(ds);
}

static void note_change(void *ctx, uint16_t tag, const char *from, const char *to)
{
	struct sight *s = ctx;

	s->changes++;
	log_notice("the key %u of %s was %s and is %s now (RFC 5011)", tag, s->zone,
		   from != NULL ? from : "not there", to != NULL ? to : "gone");
}

static void bring_in_force(struct anchorage *a, const struct rollover *r, const char *zone)
{
	struct anchors *copy = NULL;
	int err = anchors_copy(&copy, a->current);

	if (err == E_OK)
		err = apply_zone(r, copy);
	if (err != E_OK) {
		log_error("the trust anchors of %s stay as they are: %s", zone, err_text(err));
		anchors_put(copy);
		return;
	}
	anchorage_publish(a, copy);
}

void anchorage_state_see(struct anchorage *a, const uint8_t *zone, struct rrset *dnskeys,
			 bool is_good, uint32_t now_s)
{
	char text[NAME_TEXT_MAX];
	struct sight s = {
		.keyring = a->keyring,
		.dnskeys = dnskeys,
		.zone = name_to_text(text, zone),
		.now_s = now_s,
	};
	struct rollover_look look = {
		.now_s = now_s,
		.is_self_signed = is_self_signed,
		.changed = note_change,
		.ctx = &s,
	};
	struct rollover *r;

	pthread_mutex_lock(&a->change_lock);
	/* It may have been cleared, or dropped, while its servers were asked. */
	r = a->rollovers == NULL ? NULL : rollovers_find(a->rollovers, zone);
	if (r != NULL && !rollover_is_cleared(r)) {
		if (is_good && dnskeys != NULL)
			read_times(&s, r, &look.ttl, &look.until_s);
		if (!is_good && dnskeys != NULL && rollover_see_revoked(r, dnskeys, &look) != E_OK)
			log_error("the keys of %s cannot be looked at: %s", text,
				  err_text(E_NOMEM));
		if (!is_good || dnskeys == NULL || rollover_see(r, dnskeys, &look) != E_OK)
			rollover_miss(r, now_s);
		if (s.changes > 0)
			bring_in_force(a, r, text);
		anchorage_state_write(a);
	}
	pthread_mutex_unlock(&a->change_lock);
}
