#include "common/timers.h"

#include <stdlib.h>

#include "common/check.h"

enum { WORD_BITS = 64, WORDS = TIMERS_SLOTS / WORD_BITS, BUSY_WORDS = WORDS / WORD_BITS };

_Static_assert((TIMERS_SLOTS & (TIMERS_SLOTS - 1)) == 0, "a slot is found by masking");

struct timers {
	uint64_t now_ms; /* nothing pending is due before it but what waits in its own slot */
	size_t count;
	uint64_t busy[WORDS];            /* a bit a slot: it holds a timer */
	uint64_t busy_words[BUSY_WORDS]; /* a bit a word of `busy`: it is not 0 */
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

static void set_bit(uint64_t *words, size_t at)
{
	words[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

static void clear_bit(uint64_t *words, size_t at)
{
	words[at / WORD_BITS] &= ~(UINT64_C(1) << at % WORD_BITS);
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
	set_bit(w->busy, slot);
	set_bit(w->busy_words, slot / WORD_BITS);
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

	if (offset >= sizeof(w->slots))
		return;
	clear_bit(w->busy, slot);
	if (w->busy[slot / WORD_BITS] == 0)
		clear_bit(w->busy_words, slot / WORD_BITS);
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

/* The first bit set from `from` on, among so many words; their number of bits when there is none. */
static size_t bit_from(const uint64_t *words, size_t n_words, size_t from)
{
	uint64_t mask = ~UINT64_C(0) << from % WORD_BITS;

	for (size_t i = from / WORD_BITS; i < n_words; i++, mask = ~UINT64_C(0))
		if ((words[i] & mask) != 0)
			return i * WORD_BITS + (size_t)__builtin_ctzll(words[i] & mask);
	return n_words * WORD_BITS;
}

/* The first busy slot from `from` on; TIMERS_SLOTS: none. */
static size_t busy_from(const struct timers *w, size_t from)
{
	size_t word = from / WORD_BITS;
	uint64_t here = w->busy[word] & ~UINT64_C(0) << from % WORD_BITS;

	if (here != 0)
		return word * WORD_BITS + (size_t)__builtin_ctzll(here);
	word = word + 1 < WORDS ? bit_from(w->busy_words, BUSY_WORDS, word + 1) : WORDS;
	return word == WORDS ? TIMERS_SLOTS
			     : word * WORD_BITS + (size_t)__builtin_ctzll(w->busy[word]);
}

/* How many milliseconds after now_ms the first busy slot stands; TIMERS_SLOTS: there is none. */
static size_t first_busy(const struct timers *w)
{
	size_t start = w->now_ms % TIMERS_SLOTS, slot = busy_from(w, start);

	if (slot == TIMERS_SLOTS)
		slot = busy_from(w, 0); /* once round */
	return slot == TIMERS_SLOTS ? TIMERS_SLOTS : (slot - start) % TIMERS_SLOTS;
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
