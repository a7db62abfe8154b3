#include "common/wire.h"

#include <string.h>

#include "common/ascii.h"
#include "common/check.h"

enum {
	POINTER = 0xc0,
	POINTER_REACH = 0x4000, /* the first offset that a pointer cannot say */
};

static size_t left(const struct wire_reader *r)
{
	return r->pos < r->len ? r->len - r->pos : 0;
}

int wire_read_u8(struct wire_reader *r, uint8_t *out)
{
	if (left(r) < 1)
		return E_TRUNCATED;
	*out = r->msg[r->pos++];
	return E_OK;
}

int wire_read_u16(struct wire_reader *r, uint16_t *out)
{
	if (left(r) < 2)
		return E_TRUNCATED;
	*out = wire_get_u16(r->msg + r->pos);
	r->pos += 2;
	return E_OK;
}

int wire_read_u32(struct wire_reader *r, uint32_t *out)
{
	if (left(r) < 4)
		return E_TRUNCATED;
	*out = wire_get_u32(r->msg + r->pos);
	r->pos += 4;
	return E_OK;
}

int wire_skip(struct wire_reader *r, size_t n)
{
	if (left(r) < n)
		return E_TRUNCATED;
	r->pos += n;
	return E_OK;
}

int wire_read_name(struct wire_reader *r, uint8_t out[NAME_MAX_LEN], size_t *len)
{
	size_t pos = r->pos, run = pos; /* `run`: where the labels being read begin */
	size_t after = 0;               /* behind the first pointer; 0: none met yet */
	size_t n = 0;
	unsigned pointers = 0;

	for (;;) {
		uint8_t c;

		if (pos >= r->len)
			return E_TRUNCATED;
		c = r->msg[pos];
		if (c == 0)
			break;
		if (c <= NAME_MAX_LABEL) {
			size_t label = 1 + (size_t)c;

			if (n + label > NAME_MAX_LEN - 1)
				return E_TOO_LONG;
			if (r->len - pos < label)
				return E_TRUNCATED;
			memcpy(out + n, r->msg + pos, label);
			n += label;
			pos += label;
			continue;
		}
		if (c < POINTER)
			return E_MALFORMED;
		if (r->len - pos < 2)
			return E_TRUNCATED;
		if (after == 0)
			after = pos + 2;
		pos = wire_get_u16(r->msg + pos) & (POINTER_REACH - 1);
		/* Before these labels, not just before the pointer: else they could be met again. */
		if (pos >= run || ++pointers > WIRE_MAX_POINTERS)
			return E_MALFORMED;
		run = pos;
	}
	out[n] = 0;
	r->pos = after != 0 ? after : pos + 1;
	*len = n + 1;
	return E_OK;
}

int wire_skip_name(struct wire_reader *r)
{
	size_t pos = r->pos;

	for (;;) {
		uint8_t c;

		if (pos >= r->len)
			return E_TRUNCATED;
		c = r->msg[pos];
		if (c == 0) {
			pos++;
			break;
		}
		if (c >= POINTER) {
			if (r->len - pos < 2)
				return E_TRUNCATED;
			pos += 2;
			break;
		}
		if (c > NAME_MAX_LABEL)
			return E_MALFORMED;
		pos += 1 + (size_t)c;
		if (pos - r->pos > NAME_MAX_LEN - 1)
			return E_TOO_LONG;
	}
	r->pos = pos;
	return E_OK;
}

void wire_writer_init(struct wire_writer *w, uint8_t *buf, size_t cap)
{
	ASSERT(cap <= WIRE_MSG_MAX);
	w->buf = buf;
	w->cap = cap;
	w->len = 0;
	w->n_slots = 0;
}

int wire_write_bytes(struct wire_writer *w, const void *data, size_t n)
{
	if (n > w->cap - w->len)
		return E_TOO_LONG;
	if (n > 0)
		memcpy(w->buf + w->len, data, n);
	w->len += n;
	return E_OK;
}

int wire_write_u8(struct wire_writer *w, uint8_t v)
{
	return wire_write_bytes(w, &v, 1);
}

int wire_write_u16(struct wire_writer *w, uint16_t v)
{
	uint8_t bytes[2];

	wire_put_u16(bytes, v);
	return wire_write_bytes(w, bytes, sizeof(bytes));
}

int wire_write_u32(struct wire_writer *w, uint32_t v)
{
	uint8_t bytes[4];

	wire_put_u32(bytes, v);
	return wire_write_bytes(w, bytes, sizeof(bytes));
}

/* Follows the pointers of our own that stand at `pos`. */
static size_t resolve_pointer(const struct wire_writer *w, size_t pos)
{
	while (w->buf[pos] >= POINTER)
		pos = wire_get_u16(w->buf + pos) & (POINTER_REACH - 1);
	return pos;
}

/* True if the name that we wrote at `pos` is `name`. */
static bool is_written_at(const struct wire_writer *w, size_t pos, const uint8_t *name)
{
	for (;; name += 1 + *name, pos += 1 + (size_t)w->buf[pos]) {
		pos = resolve_pointer(w, pos);
		if (w->buf[pos] != *name)
			return false;
		if (*name == 0)
			return true;
		if (!ascii_equal(w->buf + pos + 1, name + 1, *name))
			return false;
	}
}

/* The offset at which `name` stands already; 0 when it does not. */
static unsigned find_written(const struct wire_writer *w, const uint8_t *name)
{
	for (unsigned i = 0; i < w->n_slots; i++) {
		if (w->buf[w->slots[i]] == *name && is_written_at(w, w->slots[i], name))
			return w->slots[i];
	}
	return 0;
}

static void remember(struct wire_writer *w, size_t offset)
{
	if (offset > 0 && offset < POINTER_REACH && w->n_slots < WIRE_COMPRESS_SLOTS)
		w->slots[w->n_slots++] = (uint16_t)offset;
}

int wire_write_name(struct wire_writer *w, const uint8_t *name)
{
	const uint8_t *rest = name;
	size_t start = w->len, full;
	unsigned target = 0;
	int err;

	for (; *rest != 0; rest += 1 + *rest) {
		target = find_written(w, rest);
		if (target != 0)
			break;
	}
	full = (size_t)(rest - name);
	if (full + (target != 0 ? 2 : 1) > w->cap - w->len)
		return E_TOO_LONG;
	err = wire_write_bytes(w, name, full);
	if (err == E_OK && target != 0)
		err = wire_write_u16(w, (uint16_t)(POINTER << 8 | target));
	else if (err == E_OK)
		err = wire_write_u8(w, 0);
	for (size_t at = 0; err == E_OK && at < full; at += 1 + (size_t)name[at])
		remember(w, start + at);
	return err;
}

int wire_write_name_plain(struct wire_writer *w, const uint8_t *name)
{
	return wire_write_bytes(w, name, name_len(name));
}

void wire_rewind(struct wire_writer *w, size_t len)
{
	ASSERT(len <= w->len);
	w->len = len;
	while (w->n_slots > 0 && w->slots[w->n_slots - 1] >= len)
		w->n_slots--;
}
