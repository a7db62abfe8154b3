/*
 * A frame stands in one piece: its length in 4 bytes, then its bytes.  Where the end of the ring leaves
 * no room for one, REST says so, if there is room for that, and it goes to the beginning.
 */
#include "recursor/watch/dnstap_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/wire.h"

enum { PREFIX = 4 };
static const uint32_t REST = UINT32_MAX;

int dnstap_queue_init(struct dnstap_queue *q, size_t size)
{
	size_t power = DNSTAP_QUEUE_LEAST;

	while (power <= size / 2)
		power *= 2;
	memset(q, 0, sizeof(*q));
	q->bytes = malloc(power);
	q->size = power;
	return q->bytes == NULL ? E_NOMEM : E_OK;
}

void dnstap_queue_deinit(struct dnstap_queue *q)
{
	free(q->bytes);
	q->bytes = NULL;
}

static size_t to_end(const struct dnstap_queue *q, size_t at)
{
	return q->size - (at & (q->size - 1));
}

static uint8_t *place(const struct dnstap_queue *q, size_t at)
{
	return q->bytes + (at & (q->size - 1));
}

/* Is there room from `written` on? */
static bool has_room(struct dnstap_queue *q, size_t written, size_t need)
{
	if (written + need - q->freed_seen <= q->size)
		return true;
	q->freed_seen = atomic_load_explicit(&q->freed, memory_order_acquire);
	return written + need - q->freed_seen <= q->size;
}

/* By the one who writes: no other adds to it. */
static void count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

uint8_t *dnstap_queue_reserve(struct dnstap_queue *q, size_t len)
{
	size_t written = atomic_load_explicit(&q->written, memory_order_relaxed);
	size_t need = PREFIX + len, rest = to_end(q, written);
	size_t skip = rest < need ? rest : 0;

	if (!has_room(q, written, skip + need)) {
		count(skip + need > q->size ? &q->too_large : &q->dropped);
		return NULL;
	}
	if (skip >= PREFIX)
		wire_put_u32(place(q, written), REST);
	q->reserved = written + skip;
	return place(q, q->reserved) + PREFIX;
}

void dnstap_queue_commit(struct dnstap_queue *q, size_t len)
{
	wire_put_u32(place(q, q->reserved), (uint32_t)len);
	atomic_store_explicit(&q->written, q->reserved + PREFIX + len, memory_order_release);
	count(&q->queued);
}

size_t dnstap_queue_begin(const struct dnstap_queue *q)
{
	return atomic_load_explicit(&q->freed, memory_order_relaxed);
}

/* Does what is there from `at` on begin at the ring's beginning? */
static bool is_rest(const struct dnstap_queue *q, size_t at)
{
	return to_end(q, at) < PREFIX || wire_get_u32(place(q, at)) == REST;
}

bool dnstap_queue_run(const struct dnstap_queue *q, size_t *at, size_t max, struct dnstap_run *run)
{
	size_t written = atomic_load_explicit(&q->written, memory_order_acquire);
	size_t from = *at;

	if (from != written && is_rest(q, from))
		from += to_end(q, from);
	*run = (struct dnstap_run) { .bytes = place(q, from) };
	while (from + run->len != written) {
		size_t next = from + run->len, len;

		if (run->len > 0 && (to_end(q, next) == q->size || is_rest(q, next)))
			break;
		len = PREFIX + wire_get_u32(place(q, next));
		if (run->len > 0 && run->len + len > max)
			break;
		run->len += len;
		run->n_frames++;
	}
	*at = from + run->len;
	run->is_last = *at == written;
	return run->len > 0;
}

/* `freed` is looked at last: as it grows, it may be ahead of what was read of `written`. */
static size_t waiting(const struct dnstap_queue *q)
{
	size_t written = atomic_load_explicit(&q->written, memory_order_acquire);
	size_t freed = atomic_load_explicit(&q->freed, memory_order_acquire);

	return written - freed <= q->size ? written - freed : 0;
}

/* What waits only grows until the next release, so it is noted there. */
void dnstap_queue_release(struct dnstap_queue *q, size_t at)
{
	atomic_store_explicit(&q->most, dnstap_queue_most(q), memory_order_relaxed);
	atomic_store_explicit(&q->freed, at, memory_order_release);
}

size_t dnstap_queue_most(const struct dnstap_queue *q)
{
	size_t now = waiting(q), most = atomic_load_explicit(&q->most, memory_order_relaxed);

	return now > most ? now : most;
}
