/*
 * The reader and the writer of names: at each offset of the input a name is read, and written
 * again, compressed; now and then the writer is taken back.  In the end what was written must
 * read as what it was.
 */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/wire.h"

enum { NAMES_MAX = 400, OUT_MAX = 20000 };

static struct {
	size_t at;
	uint8_t name[NAME_MAX_LEN];
} written[NAMES_MAX];

static uint8_t out[OUT_MAX];

/* Reads a name both ways. */
static bool read_name(const uint8_t *msg, size_t len, size_t pos, uint8_t name[NAME_MAX_LEN],
		      size_t *after)
{
	struct wire_reader r = { .msg = msg, .len = len, .pos = pos };
	struct wire_reader skip = r;
	size_t n = 0, checked = 0;

	if (wire_read_name(&r, name, &n) != E_OK) {
		ASSERT(r.pos == pos);
		return false;
	}
	ASSERT(r.pos > pos && r.pos <= len);
	ASSERT(wire_skip_name(&skip) == E_OK && skip.pos == r.pos);
	ASSERT(name_check(name, n, &checked) == E_OK && checked == n);
	*after = r.pos;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t name[NAME_MAX_LEN];
	struct wire_writer w;
	size_t n = 0, after = 0;

	/* The first two bytes are the buffer's size and where in it the writing begins. */
	if (len < 2)
		return 0;
	wire_writer_init(&w, out, OUT_MAX * (size_t)(data[0] + 1) / 256);
	w.len = w.cap * data[1] / 256;
	for (size_t pos = 2; pos < len && n < NAMES_MAX; pos++) {
		size_t before = w.len;

		if (!read_name(data, len, pos, name, &after))
			continue;
		if (data[pos] % 8 == 7 && n > 0) {
			n = n / 2;
			wire_rewind(&w, written[n].at);
			continue;
		}
		if (data[pos] % 8 == 6) {
			if (wire_write_name_plain(&w, name) == E_OK)
				ASSERT(w.len == before + name_len(name));
			else
				ASSERT(w.len == before && name_len(name) > w.cap - before);
		} else if (wire_write_name(&w, name) != E_OK) {
			ASSERT(w.len == before && name_len(name) > w.cap - before);
		} else {
			ASSERT(w.len <= before + name_len(name));
		}
		if (w.len == before)
			continue;
		written[n].at = before;
		memcpy(written[n++].name, name, name_len(name));
	}
	ASSERT(w.len <= w.cap && w.n_slots <= WIRE_COMPRESS_SLOTS);
	for (size_t i = 0; i < n; i++) {
		ASSERT(read_name(out, w.len, written[i].at, name, &after));
		ASSERT(name_equal(name, written[i].name));
		ASSERT(after == (i + 1 < n ? written[i + 1].at : w.len));
	}
	return 0;
}
