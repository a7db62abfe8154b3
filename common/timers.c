#include "common/timers.h"

#include <stdlib.h>

#include "common/check.h"

enum { WORD_BITS = 64, WORDS = TIMERS_SLOTS / WORD_BITS };

_Static_assert((TIMERS_SLOTS & (TIMERS_SLOTS - 1)) == 0, "a slot is found by masking");

struct timers {
	uint64_t now_ms; /* nothing pending is due before it but what waits in its own slot */
	size_t count;
	uint64_t busy[WORDS]; /* a bit a slot: it holds a timer */
	struct timer *slots[TIMERS_SLOTS];
};

struct timers *timers_new(uint64_t now_ms)
{
	struct timers *w = calloc(1, sizeof(*w));

	if (w != NULL)
		w->now_ms = now_ms;
	return w;
}

void timers_free(struct timers *w)
{
	ASSERT(w == NULL || w->count == 0);
	free(w);
}

static void put(struct timers *w, struct timer *t)
{
	uint64_t ahead = t->due_ms > w->now_ms ? t->due_ms - w->now_ms : 0;
	size_t slot;

	if (ahead >= TIMERS_SLOTS)
		ahead = TIMERS_SLOTS - 1;
	slot = (w->now_ms + ahead) % TIMERS_SLOTS;
	t->next = w->slots[slot];
	t->prev = &w->slots[slot];
	if (t->next != NULL)
		t->next->prev = &t->next;
	w->slots[slot] = t;
	w->busy[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
	w->count++;
}

void timers_start(struct timers *w, struct timer *t, uint64_t due_ms)
{
	timers_stop(w, t);
	t->due_ms = due_ms;
	put(w, t);
}

/* `link` is the head of a slot, or some timer's `next` if others are left in the slot.  Most
 * timers are stopped before they are due: a bit left behind would be a wake-up for nothing. */
static void clear_if_empty(struct timers *w, struct timer *const *link)
{
	uintptr_t offset = (uintptr_t)link - (uintptr_t)w->slots;
	size_t slot = offset / sizeof(w->slots[0]);

	if (offset < sizeof(w->slots))
		w->busy[slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
}

void timers_stop(struct timers *w, struct timer *t)
{
	if (t->prev == NULL)
		return;
	*t->prev = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	else
		clear_if_empty(w, t->prev);
	t->next = NULL;
	t->prev = NULL;
	w->count--;
}

/* How many milliseconds after now_ms the first slot stands whose bit is set; TIMERS_SLOTS: none. */
static size_t first_busy(const struct timers *w)
{
	size_t start = w->now_ms % TIMERS_SLOTS;
	size_t word = start / WORD_BITS;
	uint64_t bits = w->busy[word] & ~UINT64_C(0) << start % WORD_BITS;

	/* The first word is looked at twice: its upper part first, its lower part last. */
	for (size_t i = 0; i <= WORDS; i++) {
		if (bits != 0) {
			size_t slot = word * WORD_BITS + (size_t)__builtin_ctzll(bits);

			return (slot - start) % TIMERS_SLOTS;
		}
		word = (word + 1) % WORDS;
		bits = w->busy[word];
	}
	return TIMERS_SLOTS;
}

/* The time leapt over the whole wheel: puts every timer back as seen from now. */
static void leap(struct timers *w, uint64_t now_ms)
{
	struct timer *all = NULL;

	for (size_t slot = 0; slot < TIMERS_SLOTS; slot++) {
		while (w->slots[slot] != NULL) {
			struct timer *t = w->slots[slot];

			timers_stop(w, t);
			t->next = all;
			all = t;
		}
	}
	w->now_ms = now_ms;
	while (all != NULL) {
		struct timer *t = all;

		all = t->next;
		put(w, t);
	}
}

struct timer *timers_take(struct timers *w, uint64_t now_ms)
{
	if (w->count == 0) {
		if (now_ms > w->now_ms)
			w->now_ms = now_ms;
		return NULL;
	}
	if (now_ms >= w->now_ms && now_ms - w->now_ms >= TIMERS_SLOTS)
		leap(w, now_ms);
	while (w->now_ms <= now_ms) {
		size_t ahead = first_busy(w);
		struct timer *t;

		if (ahead > now_ms - w->now_ms) {
			w->now_ms = now_ms;
			break;
		}
		w->now_ms += ahead;
		t = w->slots[w->now_ms % TIMERS_SLOTS];
		timers_stop(w, t);
		if (t->due_ms <= now_ms)
			return t;
		put(w, t); /* it was further ahead than the wheel reaches */
	}
	return NULL;
}

uint64_t timers_next(const struct timers *w)
{
	return w->count == 0 ? UINT64_MAX : w->now_ms + first_busy(w);
}

size_t timers_count(const struct timers *w)
{
	return w->count;
}
