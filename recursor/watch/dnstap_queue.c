/*
 * A frame stands in one piece: its length in 4 bytes, its bytes, and padding to the next multiple of 4.
 * Where the end of the ring leaves no room for one, REST says so and it goes to the beginning.
 */
#include "recursor/watch/dnstap_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum { PREFIX = 4 };
static const uint32_t REST = UINT32_MAX;

static size_t padded(size_t len)
{
	return (PREFIX + len + 3) & ~(size_t)3;
}

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

static void put_prefix(struct dnstap_queue *q, size_t at, uint32_t prefix)
{
	memcpy(q->bytes + (at & (q->size - 1)), &prefix, PREFIX);
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
	size_t need = padded(len), to_end = q->size - (written & (q->size - 1));
	size_t skip = to_end < need ? to_end : 0;

	if (!has_room(q, written, skip + need)) {
		count(skip + need > q->size ? &q->too_large : &q->dropped);
		return NULL;
	}
	if (skip > 0)
		put_prefix(q, written, REST);
	q->reserved = written + skip;
	return q->bytes + (q->reserved & (q->size - 1)) + PREFIX;
}

void dnstap_queue_commit(struct dnstap_queue *q, size_t len)
{
	put_prefix(q, q->reserved, (uint32_t)len);
	atomic_store_explicit(&q->written, q->reserved + padded(len), memory_order_release);
	count(&q->queued);
}

size_t dnstap_queue_begin(const struct dnstap_queue *q)
{
	return atomic_load_explicit(&q->freed, memory_order_relaxed);
}

bool dnstap_queue_next(const struct dnstap_queue *q, size_t *at, uint8_t **frame, size_t *len)
{
	uint32_t prefix;

	if (*at == atomic_load_explicit(&q->written, memory_order_acquire))
		return false;
	memcpy(&prefix, q->bytes + (*at & (q->size - 1)), PREFIX);
	if (prefix == REST) {
		*at += q->size - (*at & (q->size - 1));
		memcpy(&prefix, q->bytes, PREFIX);
	}
	*frame = q->bytes + (*at & (q->size - 1)) + PREFIX;
	*len = prefix;
	*at += padded(prefix);
	return true;
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
