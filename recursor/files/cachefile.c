/* cachefile: see cachefile.h. */
#include "recursor/files/cachefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/rrset_pack.h"
#include "common/rrtype.h"

enum {
	HEAD_LEN = 32,
	BLOCK_HEAD_LEN = 20,
	BLOCK_FILLED = 64 * 1024, /* then it is written */
	END_LEN = 16,
	SERVER_LEN_MAX = 64 + NAME_MAX_LEN,
};

enum { BLOCK_SETS = 1, BLOCK_SERVERS = 2, BLOCK_END = 3 };

/* Of a server's item. */
enum { SERVER_MEASURED = 1, SERVER_NAMED = 2 };

/* Of a set's. */
enum { SET_DELEGATION = 1, SET_CONFIGURED = 2, SET_HEAD_MAX = 1 + 8 };

_Static_assert(RRSET_PACKED_MAX + SET_HEAD_MAX <= CACHEFILE_BLOCK_MAX - BLOCK_FILLED,
	       "any set has room");

static const char magic[8] = "RECURSOR";

static void put_u64(uint8_t *out, uint64_t v)
{
	wire_put_u32(out, (uint32_t)(v >> 32));
	wire_put_u32(out + 4, (uint32_t)v);
}

static uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)wire_get_u32(p) << 32 | wire_get_u32(p + 4);
}

static uint32_t block_crc(const uint8_t *head, const uint8_t *items, size_t len)
{
	return crc32c(crc32c(0, head, BLOCK_HEAD_LEN - 4), items, len);
}

/* ---- a set, for who reads it and for who writes it ---- */

/* No set outlives its TTL, counted from when it was written at the latest. */
static bool expiry_is_right(const struct rrset *s, uint64_t written_s)
{
	return s->expires_s <= written_s + s->ttl + RRSET_CLOCK_SLACK_S;
}

static bool expiries_are_right(const struct rrset *s, uint64_t written_s)
{
	for (unsigned i = 0; i < s->n_proofs; i++)
		if (!expiry_is_right(rrset_proofs(s)[i], written_s))
			return false;
	return expiry_is_right(s, written_s);
}

static bool can_be_delegation(const struct rrset *s)
{
	return s->kind == RRSET_DATA &&
	       (s->type == TYPE_NS || s->type == TYPE_A || s->type == TYPE_AAAA);
}

static int unpack(struct rrset **out, struct rrset_unpacker *u, struct wire_reader *items,
		  bool delegation, uint64_t written_s)
{
	struct rrset *s = NULL;
	int err = rrset_unpack(&s, u, items);

	if (err != E_OK)
		return err;
	if (s->type == CACHE_DELEGATION || (delegation && !can_be_delegation(s)) ||
	    !expiries_are_right(s, written_s)) {
		rrset_put(s);
		return E_MALFORMED;
	}
	*out = s;
	return E_OK;
}

/* ---- writing ---- */

struct writing {
	FILE *f;
	const struct cachefile_source *from;
	struct cachefile_counts counts;
	uint64_t bytes;
	uint32_t kind, number, n;
	size_t len;
	uint8_t *block; /* head and items */
	struct rrset_unpacker *unpacker;
};

static int write_all(struct writing *w, const void *data, size_t len)
{
	w->bytes += len;
	return fwrite(data, 1, len, w->f) == len ? E_OK : E_SYSTEM;
}

static int write_head(struct writing *w)
{
	uint8_t head[HEAD_LEN] = { 0 };

	memcpy(head, magic, sizeof(magic));
	wire_put_u32(head + 8, CACHEFILE_VERSION);
	put_u64(head + 12, w->from->now_s);
	put_u64(head + 20, w->from->trust);
	wire_put_u32(head + HEAD_LEN - 4, crc32c(0, head, HEAD_LEN - 4));
	return write_all(w, head, sizeof(head));
}

static int write_block(struct writing *w)
{
	if (w->n == 0)
		return E_OK;
	wire_put_u32(w->block, w->kind);
	wire_put_u32(w->block + 4, w->number++);
	wire_put_u32(w->block + 8, w->n);
	wire_put_u32(w->block + 12, (uint32_t)w->len);
	wire_put_u32(w->block + 16, block_crc(w->block, w->block + BLOCK_HEAD_LEN, w->len));
	w->n = 0;
	return write_all(w, w->block, BLOCK_HEAD_LEN + w->len);
}

static uint8_t *place(struct writing *w)
{
	if (w->n == 0)
		w->len = 0;
	return w->block + BLOCK_HEAD_LEN + w->len;
}

/* With it, with the head of its block and with the end. */
static bool has_room(const struct writing *w, size_t len)
{
	uint64_t others = w->bytes + w->len + 2 * BLOCK_HEAD_LEN + END_LEN;

	return others <= w->from->max_bytes && len <= w->from->max_bytes - others;
}

/* The item that stands at place() belongs to the block, if there is room. */
static int item_add(struct writing *w, size_t len)
{
	if (!has_room(w, len))
		return E_LIMIT;
	w->len += len;
	w->n++;
	return w->len >= BLOCK_FILLED ? write_block(w) : E_OK;
}

static bool is_worth_it(const struct rrset *s, const struct cachefile_source *from)
{
	if (!rrset_is_packable(s))
		return false;
	return !rrset_is_expired(s, from->now_s) || rrset_is_stale(s, from->now_s, from->stale_s);
}

/* The file is refused as a whole: no zone shall be able to have one of its sets in it that the reader does
 * not take, nor a worker that finds another verdict at this moment. */
static int check_set(const struct writing *w, const uint8_t *at, size_t head, size_t len,
		     bool delegation)
{
	struct wire_reader items = { .msg = at, .len = head + len, .pos = head };
	struct rrset *s = NULL;
	int err = unpack(&s, w->unpacker, &items, delegation, w->from->now_s);

	rrset_put(s);
	return err;
}

static int write_set(void *ctx, const struct rrset *s, bool delegation)
{
	struct writing *w = ctx;
	uint8_t *at = place(w);
	size_t len = 0, head = 1;
	uint64_t zone;
	int err;

	if (w->counts.sets >= w->from->max_sets)
		return E_LIMIT;
	if (!is_worth_it(s, w->from))
		return E_OK;
	zone = w->from->zone_of != NULL ? w->from->zone_of(w->from->ctx, s) : 0;
	at[0] = delegation ? SET_DELEGATION : 0;
	if (zone != 0) {
		at[0] |= SET_CONFIGURED;
		put_u64(at + 1, zone);
		head = SET_HEAD_MAX;
	}
	if (rrset_pack(s, at + head, RRSET_PACKED_MAX, &len) != E_OK)
		return E_OK; /* none is so large */
	err = check_set(w, at, head, len, delegation);
	if (err != E_OK)
		return err == E_NOMEM ? err : E_OK;
	err = item_add(w, head + len);
	w->counts.sets += err == E_OK;
	return err;
}

static int write_server(void *ctx, const struct server_dump *s)
{
	struct writing *w = ctx;
	uint8_t *at = place(w);
	size_t ip_len = s->addr.family == 4 ? 4 : 16;
	uint64_t age_s = s->age_ms / 1000;
	int err;

	*at++ = s->addr.family;
	wire_put_u16(at, s->addr.port);
	memcpy(at + 2, s->addr.ip, ip_len);
	at += 2 + ip_len;
	*at++ = (uint8_t)((s->view.measured ? SERVER_MEASURED : 0) |
			  (s->ns_name != NULL ? SERVER_NAMED : 0));
	*at++ = (uint8_t)s->view.edns;
	wire_put_u32(at, s->edns_left_s);
	wire_put_u32(at + 4, s->srtt_us);
	wire_put_u32(at + 8, s->rttvar_us);
	wire_put_u32(at + 12, s->lost_us);
	wire_put_u32(at + 16, age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX);
	at += 20;
	if (s->ns_name != NULL)
		at += name_lower(at, s->ns_name);
	err = item_add(w, (size_t)(at - place(w)));
	w->counts.servers += err == E_OK;
	return err;
}

static int write_end(struct writing *w)
{
	uint8_t *at;

	w->kind = BLOCK_END;
	at = place(w);
	put_u64(at, w->counts.sets);
	put_u64(at + 8, w->counts.servers);
	w->len = END_LEN;
	w->n = 1;
	return write_block(w);
}

/* A walk that has reached the limit of bytes has done what it could. */
static int walked(struct writing *w, int err)
{
	return err == E_OK || err == E_LIMIT ? write_block(w) : err;
}

int cachefile_write(FILE *f, const struct cachefile_source *from, struct cachefile_counts *counts)
{
	struct writing w = { .f = f, .from = from };
	int err = E_NOMEM;

	w.block = malloc(BLOCK_HEAD_LEN + CACHEFILE_BLOCK_MAX);
	w.unpacker = malloc(sizeof(*w.unpacker));
	if (w.block == NULL || w.unpacker == NULL)
		goto out;
	err = write_head(&w);
	w.kind = BLOCK_SERVERS;
	if (err == E_OK && from->servers != NULL)
		err = walked(&w, servers_walk(from->servers, write_server, &w, from->now_ms));
	w.kind = BLOCK_SETS;
	if (err == E_OK && from->cache != NULL)
		err = walked(&w, cache_walk(from->cache, write_set, &w));
	if (err == E_OK)
		err = write_end(&w);
	if (err == E_OK && fflush(f) != 0)
		err = E_SYSTEM;
	if (err == E_OK)
		*counts = w.counts;
out:
	free(w.unpacker);
	free(w.block);
	return err;
}

/* ---- reading ---- */

struct reading {
	FILE *f;
	const struct cachefile_sink *to;
	struct cachefile_info info;
	uint64_t at; /* of the block on hand */
	uint32_t number, since_pause;
	bool ended;
	char *why;
	uint8_t *block;
	struct rrset_unpacker unpacker;
};

static int refuse(struct reading *r, int err, const char *what)
{
	(void)snprintf(r->why, CACHEFILE_WHY_MAX, "offset %llu: %s", (unsigned long long)r->at,
		       what);
	return err;
}

static int read_all(struct reading *r, uint8_t *out, size_t len)
{
	if (fread(out, 1, len, r->f) == len)
		return E_OK;
	if (ferror(r->f))
		return refuse(r, E_SYSTEM, strerror(errno));
	return refuse(r, E_MALFORMED, "the file ends too early");
}

static int read_head(struct reading *r)
{
	uint8_t head[HEAD_LEN];
	int err = read_all(r, head, sizeof(head));

	if (err != E_OK)
		return err;
	if (memcmp(head, magic, sizeof(magic)) != 0)
		return refuse(r, E_MALFORMED, "not a file of the cache");
	if (wire_get_u32(head + 8) != CACHEFILE_VERSION)
		return refuse(r, E_UNSUPPORTED, "written by another version");
	if (crc32c(0, head, HEAD_LEN - 4) != wire_get_u32(head + HEAD_LEN - 4))
		return refuse(r, E_MALFORMED, "the checksum is wrong");
	r->info.written_s = get_u64(head + 12);
	r->info.trust = get_u64(head + 20);
	if (r->info.written_s > (uint64_t)r->to->now_s + RRSET_CLOCK_SLACK_S)
		return refuse(r, E_RANGE, "written in the future: is the clock right?");
	return E_OK;
}

/* Between two items. */
static int pause_or_stop(struct reading *r)
{
	if (r->to->go_on == NULL || ++r->since_pause < CACHEFILE_SLICE)
		return E_OK;
	r->since_pause = 0;
	return r->to->go_on(r->to->ctx) ? E_OK : E_END;
}

/* What stands before a set. */
static int read_set_head(struct wire_reader *items, bool *delegation, uint64_t *zone)
{
	uint32_t halves[2] = { 0, 0 };
	uint8_t flags = 0;
	int err = wire_read_u8(items, &flags);

	if (err != E_OK)
		return err;
	if (flags & ~(SET_DELEGATION | SET_CONFIGURED))
		return E_MALFORMED;
	*delegation = flags & SET_DELEGATION;
	*zone = 0;
	if (!(flags & SET_CONFIGURED))
		return E_OK;
	err = wire_read_u32(items, &halves[0]);
	if (err == E_OK)
		err = wire_read_u32(items, &halves[1]);
	*zone = (uint64_t)halves[0] << 32 | halves[1];
	return err == E_OK && *zone == 0 ? E_MALFORMED : err;
}

static int read_set(struct reading *r, struct wire_reader *items)
{
	struct rrset *s = NULL;
	bool delegation = false;
	uint64_t zone = 0;
	int err = read_set_head(items, &delegation, &zone);

	if (err == E_OK)
		err = unpack(&s, &r->unpacker, items, delegation, r->info.written_s);
	if (err == E_OK) {
		r->info.counts.sets++;
		if (r->to->set != NULL)
			r->to->set(r->to->ctx, s, delegation, zone);
	}
	rrset_put(s);
	return err;
}

static int read_addr(struct wire_reader *items, struct addr *a)
{
	size_t len;
	int err = wire_read_u8(items, &a->family);

	if (err == E_OK && a->family != 4 && a->family != 6)
		err = E_MALFORMED;
	if (err == E_OK)
		err = wire_read_u16(items, &a->port);
	if (err == E_OK && a->port == 0)
		err = E_MALFORMED;
	len = a->family == 4 ? 4 : 16;
	if (err == E_OK)
		err = wire_skip(items, len);
	if (err == E_OK)
		memcpy(a->ip, items->msg + items->pos - len, len);
	return err;
}

static int read_server_name(struct wire_reader *items, uint8_t out[NAME_MAX_LEN])
{
	size_t len;
	int err = name_check(items->msg + items->pos, items->len - items->pos, &len);

	if (err == E_OK)
		(void)name_lower(out, items->msg + items->pos);
	return err == E_OK ? wire_skip(items, len) : err;
}

static int read_server_numbers(struct wire_reader *items, struct server_dump *s, uint32_t *age_s)
{
	int err = wire_read_u32(items, &s->edns_left_s);

	if (err == E_OK)
		err = wire_read_u32(items, &s->srtt_us);
	if (err == E_OK)
		err = wire_read_u32(items, &s->rttvar_us);
	if (err == E_OK)
		err = wire_read_u32(items, &s->lost_us);
	if (err == E_OK)
		err = wire_read_u32(items, age_s);
	if (err == E_OK &&
	    (s->srtt_us > SERVERS_RTT_MAX_US || s->rttvar_us > SERVERS_RTT_MAX_US ||
	     s->lost_us > SERVERS_RTT_MAX_US || s->edns_left_s > SERVERS_EDNS_NONE_S))
		err = E_MALFORMED;
	return err;
}

/* Time goes on while nobody runs. */
static void age_by_the_file(const struct reading *r, struct server_dump *s, uint32_t age_s)
{
	uint64_t now_s = r->to->now_s;
	uint64_t more_s = now_s > r->info.written_s ? now_s - r->info.written_s : 0;

	s->age_ms = (age_s + more_s) * 1000;
	s->edns_left_s = s->edns_left_s > more_s ? s->edns_left_s - (uint32_t)more_s : 0;
}

static int read_server(struct reading *r, struct wire_reader *items)
{
	struct server_dump s = { 0 };
	uint8_t name[NAME_MAX_LEN], flags = 0, edns = 0;
	uint32_t age_s = 0;
	int err = read_addr(items, &s.addr);

	if (err == E_OK)
		err = wire_read_u8(items, &flags);
	if (err == E_OK)
		err = wire_read_u8(items, &edns);
	if (err == E_OK && ((flags & ~(SERVER_MEASURED | SERVER_NAMED)) != 0 || edns > EDNS_NONE))
		err = E_MALFORMED;
	if (err == E_OK)
		err = read_server_numbers(items, &s, &age_s);
	if (err == E_OK && (flags & SERVER_NAMED)) {
		err = read_server_name(items, name);
		s.ns_name = name;
	}
	if (err != E_OK)
		return err;
	s.view.measured = (flags & SERVER_MEASURED) != 0;
	s.view.edns = (enum edns_state)edns;
	age_by_the_file(r, &s, age_s);
	r->info.counts.servers++;
	if (r->to->server != NULL)
		r->to->server(r->to->ctx, &s);
	return E_OK;
}

static int read_end(struct reading *r, struct wire_reader *items)
{
	const uint8_t *p = items->msg + items->pos;

	if (wire_skip(items, END_LEN) != E_OK || get_u64(p) != r->info.counts.sets ||
	    get_u64(p + 8) != r->info.counts.servers)
		return E_MALFORMED;
	r->ended = true;
	return E_OK;
}

static int read_items(struct reading *r, uint32_t kind, uint32_t n, size_t len)
{
	struct wire_reader items = { .msg = r->block + BLOCK_HEAD_LEN, .len = len };
	int err = E_OK;

	if (kind == BLOCK_END && n != 1)
		return refuse(r, E_MALFORMED, "a block that makes no sense");
	for (uint32_t i = 0; i < n && err == E_OK; i++) {
		size_t before = items.pos;

		err = kind == BLOCK_SETS      ? read_set(r, &items)
		      : kind == BLOCK_SERVERS ? read_server(r, &items)
					      : read_end(r, &items);
		if (err != E_OK) {
			r->at += BLOCK_HEAD_LEN + before;
			return err == E_NOMEM ? refuse(r, err, err_text(err))
					      : refuse(r, E_MALFORMED, "an entry that cannot be");
		}
		err = pause_or_stop(r);
	}
	if (err == E_OK && items.pos != len)
		return refuse(r, E_MALFORMED, "a block with something behind its entries");
	return err;
}

static int read_block(struct reading *r)
{
	uint8_t *items = r->block + BLOCK_HEAD_LEN;
	uint32_t kind, n, len;
	int err = read_all(r, r->block, BLOCK_HEAD_LEN);

	if (err != E_OK)
		return err;
	kind = wire_get_u32(r->block);
	n = wire_get_u32(r->block + 8);
	len = wire_get_u32(r->block + 12);
	if (kind < BLOCK_SETS || kind > BLOCK_END || len > CACHEFILE_BLOCK_MAX || n == 0 ||
	    wire_get_u32(r->block + 4) != r->number)
		return refuse(r, E_MALFORMED, "a block that makes no sense");
	err = read_all(r, items, len);
	if (err != E_OK)
		return err;
	if (block_crc(r->block, items, len) != wire_get_u32(r->block + 16))
		return refuse(r, E_MALFORMED, "the checksum is wrong");
	err = read_items(r, kind, n, len);
	r->number++;
	r->at += BLOCK_HEAD_LEN + len;
	return err;
}

int cachefile_read(FILE *f, const struct cachefile_sink *to, struct cachefile_info *info,
		   char why[CACHEFILE_WHY_MAX])
{
	struct reading *r = calloc(1, sizeof(*r));
	int err = E_NOMEM;

	(void)snprintf(why, CACHEFILE_WHY_MAX, "%s", err_text(err));
	if (r == NULL)
		return err;
	r->f = f;
	r->to = to;
	r->why = why;
	r->block = malloc(BLOCK_HEAD_LEN + CACHEFILE_BLOCK_MAX);
	if (r->block == NULL)
		goto out;
	err = read_head(r);
	r->at = HEAD_LEN;
	while (err == E_OK && !r->ended)
		err = read_block(r);
	if (err == E_OK && fgetc(f) != EOF)
		err = refuse(r, E_MALFORMED, "something stands behind the end");
	if (err == E_OK)
		*info = r->info;
out:
	free(r->block);
	free(r);
	return err;
}
