/* rollover: see rollover.h. */
#include "recursor/resolve/dnssec/rollover.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/anchors.h"

enum {
	INTERVAL_MAX_S = 15 * ROLLOVER_DAY_S, /* RFC 5011 2.3 */
	FLAGS_LOW = 1,                        /* the byte of the flags that has the REVOKE bit */
	NOT_VALIDATED = 0, /* in the place of the time that a key is held: only revocations count */
};

const char *rollover_state_text(enum rollover_state state)
{
	static const char *const texts[] = {
#define ROLLOVER_TEXT(symbol, text) text,
		ROLLOVER_STATES(ROLLOVER_TEXT)
#undef ROLLOVER_TEXT
	};

	return texts[state];
}

/* ---- keys ---- */

static void forget(struct rollover *r, size_t i)
{
	free(r->keys[i].rdata);
	r->n--;
	memmove(&r->keys[i], &r->keys[i + 1], (r->n - i) * sizeof(r->keys[0]));
}

/* Room for one more, if need be of the one that was removed longest ago. */
static bool make_room(struct rollover *r)
{
	size_t oldest = r->n;

	if (r->n < ROLLOVER_KEYS_MAX)
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (r->keys[i].state == ROLLOVER_REMOVED &&
		    (oldest == r->n || r->keys[i].since_s < r->keys[oldest].since_s))
			oldest = i;
	if (oldest == r->n)
		return false;
	forget(r, oldest);
	return true;
}

int rollover_add(struct rollover *r, const struct rollover_key *key)
{
	uint8_t *rdata;

	if (key->len < 4 || key->len > ROLLOVER_RDATA_MAX || !make_room(r))
		return E_LIMIT;
	rdata = malloc(key->len);
	if (rdata == NULL)
		return E_NOMEM;
	memcpy(rdata, key->rdata, key->len);
	r->keys[r->n] = *key;
	r->keys[r->n++].rdata = rdata;
	return E_OK;
}

static uint16_t tag_of(const struct rollover_key *k)
{
	const struct rdata rr = { k->rdata, k->len };

	return k->is_dnskey ? dnskey_tag(&rr) : wire_get_u16(k->rdata);
}

static bool matches_ds(const struct rollover *r, const struct rollover_key *k, const uint8_t *rdata,
		       uint16_t len)
{
	const struct rdata ds_rdata = { k->rdata, k->len }, key_rdata = { rdata, len };
	struct dnskey key;
	struct ds ds;

	return ds_read(&ds, &ds_rdata) == E_OK && dnskey_read(&key, &key_rdata) == E_OK &&
	       ds_matches(&ds, r->zone, &key);
}

static struct rollover_key *find(struct rollover *r, const uint8_t *rdata, uint16_t len)
{
	for (size_t i = 0; i < r->n; i++) {
		struct rollover_key *k = &r->keys[i];

		if (k->is_dnskey && k->len == len && memcmp(k->rdata, rdata, len) == 0)
			return k;
	}
	return NULL;
}

static void move_to(struct rollover_key *k, enum rollover_state state, uint32_t until_s,
		    const struct rollover_look *look)
{
	look->changed(look->ctx, tag_of(k), rollover_state_text(k->state),
		      rollover_state_text(state));
	k->state = state;
	k->since_s = look->now_s;
	k->until_s = until_s;
}

/* A key that was known by one or more DS is known by itself from now on; and is trusted as they are, though
 * it be one that is held. */
static int learn(struct rollover *r, const uint8_t *rdata, uint16_t len,
		 const struct rollover_look *look)
{
	struct rollover_key *known = find(r, rdata, len);

	for (size_t i = r->n; i-- > 0;) {
		struct rollover_key *k = &r->keys[i];
		uint8_t *copy;

		if (k->is_dnskey || !matches_ds(r, k, rdata, len))
			continue;
		if (known != NULL) {
			if (known->state == ROLLOVER_ADDING && k->state == ROLLOVER_TRUSTED)
				move_to(known, ROLLOVER_TRUSTED, 0, look);
			forget(r, i);
			known = find(r, rdata, len);
			continue;
		}
		copy = malloc(len);
		if (copy == NULL)
			return E_NOMEM;
		memcpy(copy, rdata, len);
		free(k->rdata);
		k->rdata = copy;
		k->len = len;
		k->is_dnskey = true;
		known = k;
	}
	return E_OK;
}

/* ---- beginning ---- */

uint64_t rollover_print(const struct rrset *ds)
{
	uint64_t print = 0;
	struct rdata rr;

	for (size_t at = 0; rrset_next(ds, &at, &rr);)
		print += hash_lasting(1, rr.data, rr.len);
	return print;
}

int rollover_trust(struct rollover *r, const struct rdata *ds)
{
	const struct rollover_key key = {
		.state = ROLLOVER_TRUSTED,
		.len = ds->len,
		.rdata = (uint8_t *)(uintptr_t)ds->data,
	};

	for (size_t i = 0; i < r->n; i++) {
		const struct rollover_key *k = &r->keys[i];

		if ((k->state == ROLLOVER_REVOKED || k->state == ROLLOVER_REMOVED) &&
		    k->is_dnskey && matches_ds(r, &key, k->rdata, k->len))
			return E_EXISTS;
	}
	return rollover_is_cleared(r) ? E_OK : rollover_add(r, &key);
}

static int trust_configured(struct rollover *r, const struct rrset *ds)
{
	struct rdata rr;
	int err = E_OK;

	r->print = rollover_print(ds);
	for (size_t at = 0; err == E_OK && rrset_next(ds, &at, &rr);) {
		err = rollover_trust(r, &rr);
		if (err == E_EXISTS)
			err = E_OK;
	}
	return err;
}

int rollover_begin(struct rollover *r, const uint8_t *zone, const struct rrset *ds)
{
	int err;

	*r = (struct rollover) { 0 };
	(void)name_lower(r->zone, zone);
	err = trust_configured(r, ds);
	if (err != E_OK)
		rollover_deinit(r);
	return err;
}

int rollover_copy(struct rollover *out, const struct rollover *from)
{
	int err = E_OK;

	*out = *from;
	out->n = 0;
	for (size_t i = 0; i < from->n && err == E_OK; i++)
		err = rollover_add(out, &from->keys[i]);
	if (err != E_OK)
		rollover_deinit(out);
	return err;
}

void rollover_deinit(struct rollover *r)
{
	while (r->n > 0)
		forget(r, r->n - 1);
}

bool rollover_clear(struct rollover *r)
{
	for (size_t i = r->n; i-- > 0;)
		if (r->keys[i].state != ROLLOVER_REVOKED && r->keys[i].state != ROLLOVER_REMOVED)
			forget(r, i);
	r->print = 0;
	r->next_s = r->seen_s = r->interval_s = 0;
	return r->n > 0;
}

bool rollover_is_cleared(const struct rollover *r)
{
	return r->print == 0;
}

int rollover_restart(struct rollover *r, const struct rrset *ds)
{
	(void)rollover_clear(r);
	return trust_configured(r, ds);
}

/* ---- a set is seen ---- */

static void drop(struct rollover *r, struct rollover_key *k, const struct rollover_look *look)
{
	look->changed(look->ctx, tag_of(k), rollover_state_text(k->state), NULL);
	forget(r, (size_t)(k - r->keys));
}

static int take_up(struct rollover *r, const uint8_t *rdata, uint16_t len, uint32_t hold_s,
		   const struct rollover_look *look)
{
	const struct rollover_key key = {
		.state = ROLLOVER_ADDING,
		.since_s = look->now_s,
		.until_s = look->now_s + hold_s,
		.seen = true,
		.is_dnskey = true,
		.len = len,
		.rdata = (uint8_t *)(uintptr_t)rdata,
	};
	int err = rollover_add(r, &key);

	if (err == E_OK)
		look->changed(look->ctx, tag_of(&key), NULL, rollover_state_text(key.state));
	return err == E_LIMIT ? E_OK : err;
}

static void see_key(struct rollover *r, struct rollover_key *k, const struct dnskey *key,
		    uint32_t hold_s, const struct rollover_look *look)
{
	if ((key->flags & DNSKEY_REVOKE) != 0) {
		/* Anybody can set the bit, but only the key's holder can sign with it (2.1). */
		if (!look->is_self_signed(look->ctx, key))
			return;
		k->seen = true;
		if (k->state == ROLLOVER_ADDING)
			drop(r, k, look);
		else if (k->state == ROLLOVER_TRUSTED || k->state == ROLLOVER_MISSING)
			move_to(k, ROLLOVER_REVOKED, look->now_s + ROLLOVER_HOLD_S, look);
		return;
	}
	k->seen = true;
	/* The clock was ahead when it was seen first, and has been set right; or it is held for longer
	 * than anything is. */
	if (k->state == ROLLOVER_ADDING &&
	    (k->since_s > look->now_s || k->until_s - k->since_s > ROLLOVER_HOLD_MAX_S)) {
		if (k->since_s > look->now_s)
			k->since_s = look->now_s;
		k->until_s = k->since_s + hold_s;
	}
	if (k->state == ROLLOVER_MISSING ||
	    (k->state == ROLLOVER_ADDING && look->now_s >= k->until_s))
		move_to(k, ROLLOVER_TRUSTED, 0, look);
}

static int see_record(struct rollover *r, const struct rdata *rr, uint32_t hold_s,
		      const struct rollover_look *look)
{
	uint8_t plain[ROLLOVER_RDATA_MAX];
	struct rollover_key *k;
	struct dnskey key;
	int err;

	if (rr->len > sizeof(plain) || dnskey_read(&key, rr) != E_OK ||
	    (key.flags & DNSKEY_ZONE) == 0 || key.protocol != DNSKEY_PROTOCOL)
		return E_OK;
	memcpy(plain, rr->data, rr->len);
	plain[FLAGS_LOW] &= (uint8_t)~DNSKEY_REVOKE;
	err = learn(r, plain, rr->len, look);
	if (err != E_OK)
		return err;
	k = find(r, plain, rr->len);
	if (k != NULL && (hold_s != NOT_VALIDATED || (key.flags & DNSKEY_REVOKE) != 0))
		see_key(r, k, &key, hold_s, look);
	else if (k == NULL && hold_s != NOT_VALIDATED &&
		 (key.flags & (DNSKEY_SEP | DNSKEY_REVOKE)) == DNSKEY_SEP)
		return take_up(r, plain, rr->len, hold_s, look);
	return E_OK;
}

static void miss_key(struct rollover *r, struct rollover_key *k, const struct rollover_look *look)
{
	if (k->state == ROLLOVER_REVOKED && look->now_s >= k->until_s)
		move_to(k, ROLLOVER_REMOVED, 0, look);
	if (k->seen || !k->is_dnskey)
		return;
	if (k->state == ROLLOVER_ADDING)
		drop(r, k, look);
	else if (k->state == ROLLOVER_TRUSTED)
		move_to(k, ROLLOVER_MISSING, 0, look);
}

/* The lesser of the two; what is 0 or less is the least. */
static uint32_t least(uint32_t a, int64_t b)
{
	if (b <= 0)
		return 0;
	return b < (int64_t)a ? (uint32_t)b : a;
}

int rollover_see(struct rollover *r, const struct rrset *dnskeys, const struct rollover_look *look)
{
	uint32_t expires = least(UINT32_MAX, (int32_t)(look->until_s - look->now_s));
	uint32_t hold_s = ROLLOVER_HOLD_S;
	struct rdata rr;
	int err = E_OK;

	if (look->ttl > hold_s) /* 2.4.1 */
		hold_s = least(ROLLOVER_HOLD_MAX_S, look->ttl);
	for (size_t i = 0; i < r->n; i++)
		r->keys[i].seen = false;
	for (size_t at = 0; err == E_OK && rrset_next(dnskeys, &at, &rr);)
		err = see_record(r, &rr, hold_s, look);
	if (err != E_OK)
		return err;
	for (size_t i = r->n; i-- > 0;)
		miss_key(r, &r->keys[i], look);
	/* 2.3: half of how long it may be relied on, by its TTL and by its signature. */
	r->interval_s = least(least(INTERVAL_MAX_S, look->ttl / 2), expires / 2);
	if (r->interval_s < ROLLOVER_HOUR_S)
		r->interval_s = ROLLOVER_HOUR_S;
	r->seen_s = look->now_s;
	r->next_s = look->now_s + r->interval_s;
	return E_OK;
}

int rollover_see_revoked(struct rollover *r, const struct rrset *dnskeys,
			 const struct rollover_look *look)
{
	struct rdata rr;
	int err = E_OK;

	for (size_t at = 0; err == E_OK && rrset_next(dnskeys, &at, &rr);)
		err = see_record(r, &rr, NOT_VALIDATED, look);
	return err;
}

void rollover_miss(struct rollover *r, uint32_t now_s)
{
	/* A tenth of what half was waited for. */
	uint32_t wait_s = least(ROLLOVER_DAY_S, r->interval_s / 5);

	if (wait_s < ROLLOVER_HOUR_S)
		wait_s = ROLLOVER_HOUR_S;
	r->next_s = now_s + wait_s;
}

/* ---- what is trusted ---- */

int rollover_trusted(struct rrset **out, const struct rollover *r)
{
	uint8_t made[ROLLOVER_KEYS_MAX][ANCHORS_DS_LEN];
	struct rdata rr[ROLLOVER_KEYS_MAX];
	struct rrset *set = NULL;
	size_t n = 0;
	int err = E_OK;

	for (size_t i = 0; i < r->n && err == E_OK; i++) {
		const struct rollover_key *k = &r->keys[i];

		if (k->state != ROLLOVER_TRUSTED && k->state != ROLLOVER_MISSING)
			continue;
		rr[n] = (struct rdata) { k->rdata, k->len };
		if (k->is_dnskey) {
			err = anchors_ds_of(made[n], r->zone, k->rdata, k->len);
			rr[n] = (struct rdata) { made[n], ANCHORS_DS_LEN };
		}
		n++;
	}
	if (err == E_OK && n > 0)
		err = rrset_new(&set, r->zone, TYPE_DS, UINT32_MAX, 0, RANK_LOCAL, rr, n, NULL, 0);
	if (err == E_OK)
		*out = set;
	return err;
}
