#include "recursor/resolve/packetcache.h"

#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/hash.h"
#include "common/heap.h"
#include "common/rrtype.h"
#include "common/sieve.h"
#include "common/wire.h"

enum {
	FLAG_RD = 1,
	FLAG_EDNS = 2,
	FLAG_TCP = 4,
	FLAG_DNSSEC = 8, /* and above: key.dnssec */
};
_Static_assert(FLAG_DNSSEC *PACKETCACHE_DNSSEC <= UINT8_MAX + 1, "all flags in a byte");

enum {
	WIRE_RD = 0x01, /* in the header's third byte */
	WIRE_CD = 0x10, /* in its fourth, as is the next */
	WIRE_RCODE = 0x0f,
};

enum {
	QUESTION_TAIL = 4, /* qtype and qclass */
	VICTIMS_AN_INSERT = 8,
	BYTES_A_VICTIM = 64, /* a large answer may push out more, one for each of these */
	MARKS_MAX = 1 << 16,
	CACHE_LINE = 64,
};

/* One block: the places of the TTLs, then the answer.  The answer's own question is the key's
 * name, type and class. */
struct entry {
	uint32_t stored_s;
	uint32_t ttl;
	uint32_t tag;
	uint32_t note;
	uint16_t len;
	uint16_t n_places;
	uint16_t question_end;
	uint8_t flags;
	bool bogus;
	uint16_t places[];
};

struct packetcache {
	struct sieve map;
	struct packetcache_config cfg;
	size_t entry_bytes;
	uint64_t evicted;
	uint16_t marks[];
};

static size_t entry_size(size_t n_places, size_t len)
{
	return offsetof(struct entry, places) + n_places * sizeof(uint16_t) + len;
}

static uint8_t *answer_of(struct entry *e)
{
	return (uint8_t *)(e->places + e->n_places);
}

static const uint8_t *qname_of(struct entry *e)
{
	return answer_of(e) + WIRE_HEADER_LEN;
}

static uint16_t qtype_of(struct entry *e)
{
	return wire_get_u16(answer_of(e) + e->question_end - QUESTION_TAIL);
}

static struct entry *entry_at(const struct packetcache *pc, uint32_t at)
{
	return pc->map.slots[at].value;
}

/* A clock set back makes an answer look as if it came from the future: it is not used. */
static bool is_expired(const struct entry *e, uint32_t now_s)
{
	return now_s - e->stored_s >= e->ttl;
}

/* --- key ------------------------------------------------------------------------------- */

static uint8_t flags_of(const struct packetcache_key *key)
{
	unsigned flags = key->dnssec * (unsigned)FLAG_DNSSEC;

	flags |= (key->query[2] & WIRE_RD) != 0 ? FLAG_RD : 0;
	flags |= key->edns ? FLAG_EDNS : 0;
	flags |= key->tcp ? FLAG_TCP : 0;
	return (uint8_t)flags;
}

static uint32_t hash_of(const struct packetcache_key *key, uint8_t flags)
{
	const uint8_t *tail = key->query + key->question_end - QUESTION_TAIL;
	uint64_t rest = (uint64_t)wire_get_u32(tail) << 32 | key->tag;

	return (uint32_t)hash_mix(key->name_hash + flags, rest);
}

static bool is_key(struct entry *e, const struct packetcache_key *key, uint8_t flags)
{
	const uint8_t *question = answer_of(e) + WIRE_HEADER_LEN;
	size_t name_len = key->question_end - QUESTION_TAIL - WIRE_HEADER_LEN;

	return e->question_end == key->question_end && e->flags == flags && e->tag == key->tag &&
	       memcmp(question + name_len, key->query + WIRE_HEADER_LEN + name_len,
		      QUESTION_TAIL) == 0 &&
	       ascii_equal(question, key->query + WIRE_HEADER_LEN, name_len);
}

static uint32_t find(const struct packetcache *pc, uint32_t hash, const struct packetcache_key *key,
		     uint8_t flags)
{
	uint32_t at = sieve_first(&pc->map, hash);

	while (at != SIEVE_NONE && !is_key(entry_at(pc, at), key, flags))
		at = sieve_next(&pc->map, at);
	return at;
}

/* --- entries --------------------------------------------------------------------------- */

static void entry_remove(struct packetcache *pc, uint32_t at)
{
	struct entry *e = sieve_remove(&pc->map, at);

	pc->entry_bytes -= heap_cost(entry_size(e->n_places, e->len));
	free(e);
}

static size_t own_size(const struct packetcache_config *cfg)
{
	return sizeof(struct packetcache) + cfg->marks * sizeof(uint16_t);
}

static size_t bytes_used(const struct packetcache *pc)
{
	return heap_cost(own_size(&pc->cfg)) + sieve_bytes(&pc->map) + pc->entry_bytes;
}

/* Was something of that hash put before, not so long ago that its mark is gone?  Marks it. */
static bool is_first_time(struct packetcache *pc, uint32_t hash)
{
	uint16_t *place = &pc->marks[hash & (pc->cfg.marks - 1)];
	uint16_t mark = (uint16_t)(hash >> 16 | 1); /* 0: none */
	bool first = *place != mark;

	*place = mark;
	return first;
}

static bool exceeds(const struct packetcache *pc, size_t more_entries, size_t more_bytes)
{
	size_t entries = pc->map.n + more_entries;

	if (entries > SIEVE_MAX_SLOTS ||
	    (pc->cfg.max_entries != 0 && entries > pc->cfg.max_entries))
		return true;
	return pc->cfg.max_bytes != 0 && bytes_used(pc) + more_bytes > pc->cfg.max_bytes;
}

static bool is_over(const struct packetcache *pc, size_t more)
{
	return exceeds(pc, 1, sieve_growth(&pc->map) + more);
}

/* Evicts until one more entry of `more` bytes has room.  Bounded, so that limits set lower are
 * reached over many inserts: then true as long as more goes than comes. */
static bool make_room(struct packetcache *pc, size_t more)
{
	size_t budget = VICTIMS_AN_INSERT + more / BYTES_A_VICTIM;
	size_t before = bytes_used(pc);

	for (size_t gone = 0; is_over(pc, more); gone++) {
		uint32_t at = sieve_victim(&pc->map);

		if (at == SIEVE_NONE)
			return false;
		if (gone == budget)
			return before - bytes_used(pc) >= more;
		entry_remove(pc, at);
		pc->evicted++;
	}
	return true;
}

int packetcache_new(struct packetcache **out, const struct packetcache_config *cfg)
{
	struct packetcache *pc;

	if ((cfg->marks & (cfg->marks - 1)) != 0 || cfg->marks > MARKS_MAX)
		return E_RANGE;
	pc = calloc(1, own_size(cfg));
	if (pc == NULL)
		return E_NOMEM;
	sieve_init(&pc->map);
	pc->cfg = *cfg;
	*out = pc;
	return E_OK;
}

void packetcache_free(struct packetcache *pc)
{
	if (pc == NULL)
		return;
	for (uint32_t at = 0; at < pc->map.n; at++)
		free(entry_at(pc, at));
	sieve_deinit(&pc->map);
	free(pc);
}

/* --- getting --------------------------------------------------------------------------- */

static void lower_ttls(uint8_t *out, const struct entry *e, uint32_t age_s)
{
	for (unsigned i = 0; i < e->n_places; i++) {
		uint8_t *place = out + e->places[i];
		uint32_t ttl = wire_get_u32(place);

		wire_put_u32(place, ttl > age_s ? ttl - age_s : 0);
	}
}

uint32_t packetcache_hash(const struct packetcache_key *key)
{
	return hash_of(key, flags_of(key));
}

bool packetcache_fetch(const struct packetcache *pc, uint32_t hash, enum packetcache_fetch what)
{
	uint32_t at;

	switch (what) {
	case PACKETCACHE_BUCKET:
		sieve_fetch_bucket(&pc->map, hash);
		return true;
	case PACKETCACHE_SLOT:
		sieve_fetch_slot(&pc->map, hash);
		return true;
	case PACKETCACHE_ENTRY:
		break;
	}
	at = sieve_first(&pc->map, hash);
	if (at == SIEVE_NONE)
		return false;
	/* Most answers take two lines. */
	__builtin_prefetch(entry_at(pc, at));
	__builtin_prefetch((const char *)entry_at(pc, at) + CACHE_LINE);
	return true;
}

uint32_t packetcache_note(const struct packetcache *pc, uint32_t hash)
{
	uint32_t at = sieve_first(&pc->map, hash);

	return at != SIEVE_NONE ? entry_at(pc, at)->note : 0;
}

size_t packetcache_get(struct packetcache *pc, const struct packetcache_key *key, uint32_t now_s,
		       uint8_t *out, size_t cap, struct packetcache_hit *hit)
{
	uint8_t flags = flags_of(key);
	uint32_t at = find(pc, hash_of(key, flags), key, flags);
	struct entry *e;

	if (at == SIEVE_NONE)
		return 0;
	e = entry_at(pc, at);
	if (is_expired(e, now_s)) {
		entry_remove(pc, at);
		return 0;
	}
	if (e->len > cap || (!key->tcp && e->len > key->payload))
		return 0;
	pc->map.slots[at].visited = 1;
	memcpy(out, answer_of(e), e->len);
	memcpy(out, key->query, 2);
	memcpy(out + WIRE_HEADER_LEN, key->query + WIRE_HEADER_LEN,
	       key->question_end - WIRE_HEADER_LEN);
	out[2] = (uint8_t)((out[2] & ~WIRE_RD) | (key->query[2] & WIRE_RD));
	out[3] = (uint8_t)((out[3] & ~WIRE_CD) | (key->query[3] & WIRE_CD));
	hit->rcode = out[3] & WIRE_RCODE;
	hit->bogus = e->bogus;
	hit->note = e->note;
	if (now_s != e->stored_s)
		lower_ttls(out, e, now_s - e->stored_s);
	return e->len;
}

/* --- putting --------------------------------------------------------------------------- */

/* Reads past one record.  *place is where its TTL stands, or 0 where there is none to lower:
 * OPT's holds flags (RFC 6891 6.1.3). */
static int read_ttl_place(struct wire_reader *r, uint16_t *place)
{
	uint16_t type, rdata_len;
	size_t ttl_at;
	int err = wire_skip_name(r);

	if (err == E_OK)
		err = wire_read_u16(r, &type);
	if (err == E_OK)
		err = wire_skip(r, 2);
	ttl_at = r->pos;
	if (err == E_OK)
		err = wire_skip(r, 4);
	if (err == E_OK)
		err = wire_read_u16(r, &rdata_len);
	if (err == E_OK)
		err = wire_skip(r, rdata_len);
	if (err == E_OK)
		*place = type == TYPE_OPT ? 0 : (uint16_t)ttl_at;
	return err;
}

/* Finds the TTLs of an answer of ours; `places` NULL: counts them only. */
static int find_ttls(const uint8_t *answer, size_t len, size_t question_end, uint16_t *places,
		     uint16_t *n)
{
	struct wire_reader r = { .msg = answer, .len = len, .pos = question_end };
	unsigned records = 0;
	uint16_t found = 0;

	for (size_t count = 6; count < WIRE_HEADER_LEN; count += 2)
		records += wire_get_u16(answer + count);
	while (records-- > 0) {
		uint16_t place;
		int err = read_ttl_place(&r, &place);

		if (err != E_OK)
			return err;
		if (place == 0)
			continue;
		if (places != NULL)
			places[found] = place;
		found++;
	}
	if (r.pos != len)
		return E_MALFORMED;
	*n = found;
	return E_OK;
}

static struct entry *entry_new(const struct packetcache_key *key, const uint8_t *answer, size_t len)
{
	struct entry *e;
	uint16_t n;

	if (find_ttls(answer, len, key->question_end, NULL, &n) != E_OK)
		return NULL;
	e = malloc(entry_size(n, len));
	if (e == NULL)
		return NULL;
	*e = (struct entry) {
		.tag = key->tag,
		.len = (uint16_t)len,
		.n_places = n,
		.question_end = (uint16_t)key->question_end,
		.flags = flags_of(key),
	};
	if (find_ttls(answer, len, key->question_end, e->places, &n) != E_OK) {
		free(e);
		return NULL;
	}
	memcpy(answer_of(e), answer, len);
	return e;
}

void packetcache_put(struct packetcache *pc, const struct packetcache_key *key,
		     const uint8_t *answer, size_t len, uint32_t ttl, uint32_t note, bool bogus,
		     uint32_t now_s)
{
	uint8_t flags = flags_of(key);
	uint32_t hash = hash_of(key, flags);
	struct entry *e;
	size_t cost;
	uint32_t at;

	if (ttl == 0 || len < key->question_end || len > WIRE_MSG_MAX ||
	    (pc->cfg.max_packet != 0 && len > pc->cfg.max_packet))
		return;
	at = find(pc, hash, key, flags);
	if (at != SIEVE_NONE)
		entry_remove(pc, at);
	else if (pc->cfg.marks != 0 && is_first_time(pc, hash))
		return;
	e = entry_new(key, answer, len);
	if (e == NULL)
		return;
	e->stored_s = now_s;
	e->ttl = ttl;
	e->note = note;
	e->bogus = bogus;
	cost = heap_cost(entry_size(e->n_places, len));
	if (!make_room(pc, cost) || sieve_insert(&pc->map, hash, e, &at) != E_OK) {
		free(e);
		return;
	}
	pc->entry_bytes += cost;
}

/* --- the whole cache ------------------------------------------------------------------- */

static bool is_wiped(struct entry *e, const uint8_t *name, uint16_t type, bool subtree)
{
	if (type != 0 && type != qtype_of(e))
		return false;
	return subtree ? name_is_within(qname_of(e), name) : name_equal(qname_of(e), name);
}

/* From the last slot down: a removal moves the last one into the gap, one that was looked at. */
static uint32_t slice_begin(const struct packetcache *pc, size_t cursor)
{
	return cursor < pc->map.n ? (uint32_t)cursor : pc->map.n;
}

bool packetcache_wipe_some(struct packetcache *pc, size_t *cursor, size_t n, const uint8_t *name,
			   uint16_t type, bool subtree, size_t *wiped)
{
	uint32_t at = slice_begin(pc, *cursor);

	for (; at > 0 && n > 0; n--) {
		if (!is_wiped(entry_at(pc, --at), name, type, subtree))
			continue;
		entry_remove(pc, at);
		++*wiped;
	}
	*cursor = at;
	return at > 0;
}

static int show(struct entry *e, int (*cb)(void *ctx, const struct packetcache_view *v), void *ctx,
		uint32_t now_s)
{
	uint8_t qname[NAME_MAX_LEN];

	if (is_expired(e, now_s))
		return E_OK;
	name_lower(qname, qname_of(e));
	return cb(ctx, &(struct packetcache_view) {
			       .qname = qname,
			       .qtype = qtype_of(e),
			       .tcp = (e->flags & FLAG_TCP) != 0,
			       .ttl_left = e->ttl - (now_s - e->stored_s),
			       .tag = e->tag,
		       });
}

bool packetcache_walk_some(struct packetcache *pc, size_t *cursor, size_t n,
			   int (*cb)(void *ctx, const struct packetcache_view *v), void *ctx,
			   uint32_t now_s)
{
	uint32_t at = slice_begin(pc, *cursor);

	for (; at > 0 && n > 0; n--)
		if (show(entry_at(pc, --at), cb, ctx, now_s) < 0)
			at = 0;
	*cursor = at;
	return at > 0;
}

void packetcache_stats(const struct packetcache *pc, struct packetcache_stats *out)
{
	*out = (struct packetcache_stats) {
		.entries = pc->map.n,
		.bytes = bytes_used(pc),
		.evicted = pc->evicted,
	};
}

void packetcache_set_limits(struct packetcache *pc, size_t max_entries, size_t max_bytes)
{
	pc->cfg.max_entries = max_entries;
	pc->cfg.max_bytes = max_bytes;
}

size_t packetcache_shrink_some(struct packetcache *pc, size_t n)
{
	size_t gone = 0;

	for (; gone < n && pc->map.n > 0 && exceeds(pc, 0, 0); gone++) {
		entry_remove(pc, sieve_victim(&pc->map));
		pc->evicted++;
	}
	return gone;
}
