/* alloc: see alloc.h. */
#include "tests/oom/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/check.h"

enum { LIVE_SLOTS = 1 << 18 }; /* a power of two */

/* In use.  `from` is behind the call that took it. */
struct block {
	void *p;
	size_t len;
	const char *from;
	uint64_t number; /* of those taken since alloc_begin() */
};

static struct {
	uint64_t n;
	_Atomic uint64_t fails_at;
	enum alloc_failure how;
	bool is_paused;
	uint64_t n_taken;
	size_t n_live;
	struct block live[LIVE_SLOTS]; /* open addressing */
} state;

/* ---- the blocks in use ---- */

static size_t slot_of(const void *p)
{
	return (size_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 40) & (LIVE_SLOTS - 1);
}

static void *note(void *p, size_t len, const void *from)
{
	size_t i = slot_of(p);

	if (p == NULL)
		return NULL;
	ASSERT(state.n_live < LIVE_SLOTS / 2);
	while (state.live[i].p != NULL)
		i = (i + 1) & (LIVE_SLOTS - 1);
	state.live[i] = (struct block) { p, len, from, ++state.n_taken };
	state.n_live++;
	return p;
}

/* False: a library's. */
static bool forget(const void *p)
{
	size_t i = slot_of(p), hole;

	while (state.live[i].p != p) {
		if (state.live[i].p == NULL)
			return false;
		i = (i + 1) & (LIVE_SLOTS - 1);
	}
	/* Those after it that the hole would part from their place move up. */
	for (hole = i; state.live[i = (i + 1) & (LIVE_SLOTS - 1)].p != NULL;) {
		size_t home = slot_of(state.live[i].p);

		if (((i - home) & (LIVE_SLOTS - 1)) < ((i - hole) & (LIVE_SLOTS - 1)))
			continue;
		state.live[hole] = state.live[i];
		hole = i;
	}
	state.live[hole].p = NULL;
	state.n_live--;
	return true;
}

/* ---- whose turn it is to fail ---- */

static bool is_to_fail(void)
{
	if (state.is_paused)
		return false;
	state.n++;
	if (state.fails_at == 0 || state.n < state.fails_at ||
	    (state.how == ALLOC_ONE && state.n > state.fails_at))
		return false;
	errno = ENOMEM;
	return true;
}

void alloc_begin(uint64_t n, enum alloc_failure how)
{
	ASSERT(state.n_live == 0);
	state.n = state.n_taken = 0;
	state.fails_at = n;
	state.how = how;
	state.is_paused = false;
}

void alloc_relent(void)
{
	state.fails_at = 0;
}

/* As addr2line takes it. */
static size_t place_of(const struct block *b)
{
	extern const char __executable_start[];

	return (size_t)(b->from - 1 - __executable_start);
}

static const char *left_text(void)
{
	static char text[160];
	const struct block *first = NULL;
	size_t bytes = 0;

	for (size_t i = 0; i < LIVE_SLOTS; i++) {
		const struct block *b = &state.live[i];

		if (b->p == NULL)
			continue;
		bytes += b->len;
		if (first == NULL || b->number < first->number)
			first = b;
	}
	ASSERT(first != NULL);
	snprintf(text, sizeof(text),
		 "blocks leaked: %zu, of %zu bytes; the first, of %zu, was taken at %#zx "
		 "(addr2line -fie PROGRAM)",
		 state.n_live, bytes, first->len, place_of(first));
	return text;
}

const char *alloc_end(void)
{
	const char *left = NULL;

	state.fails_at = 0;
	if (state.n_live > 0) {
		left = left_text();
		memset(state.live, 0, sizeof(state.live));
	}
	state.n_live = 0;
	return left;
}

uint64_t alloc_count(void)
{
	return state.n;
}

void alloc_pause(bool is_paused)
{
	state.is_paused = is_paused;
}

/* ---- what the product calls: the names are those that the Makefile puts in ---- */

#define CALLER __builtin_return_address(0)

void *oom_calloc(size_t n, size_t len);
void *oom_realloc(void *p, size_t len);
void *oom_aligned_alloc(size_t alignment, size_t len);
char *oom_strdup(const char *s);
char *oom_strndup(const char *s, size_t n);
int oom_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int oom_asprintf_chk(char **out, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
FILE *oom_open_memstream(char **out, size_t *len);
void *oom_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *oom_mremap(void *p, size_t before, size_t len, int flags, ...);
int oom_munmap(void *p, size_t len);

void *oom_malloc(size_t len)
{
	return is_to_fail() ? NULL : note(malloc(len), len, CALLER);
}

void *oom_calloc(size_t n, size_t len)
{
	return is_to_fail() ? NULL : note(calloc(n, len), n * len, CALLER);
}

void *oom_realloc(void *p, size_t len)
{
	void *moved;

	if (is_to_fail())
		return NULL;
	if (p != NULL)
		forget(p);
	moved = realloc(p, len);
	return note(moved, len, CALLER);
}

void *oom_aligned_alloc(size_t alignment, size_t len)
{
	return is_to_fail() ? NULL : note(aligned_alloc(alignment, len), len, CALLER);
}

void oom_free(void *p)
{
	if (p != NULL)
		forget(p);
	free(p);
}

char *oom_strdup(const char *s)
{
	return is_to_fail() ? NULL : note(strdup(s), strlen(s) + 1, CALLER);
}

char *oom_strndup(const char *s, size_t n)
{
	return is_to_fail() ? NULL : note(strndup(s, n), strnlen(s, n) + 1, CALLER);
}

static int format_new(char **out, const char *format, va_list args, const void *from)
{
	int len = is_to_fail() ? -1 : vasprintf(out, format, args);

	if (len >= 0)
		note(*out, (size_t)len + 1, from);
	return len;
}

int oom_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = format_new(out, format, args, CALLER);
	va_end(args);
	return len;
}

int oom_asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = format_new(out, format, args, CALLER);
	va_end(args);
	return len;
}

/* Its buffer is the C library's; that it was given back the sanitizers see. */
FILE *oom_open_memstream(char **out, size_t *len)
{
	return is_to_fail() ? NULL : open_memstream(out, len);
}

/* A mapping is a block like the others: whole, taken once and given back once. */
void *oom_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = is_to_fail() ? MAP_FAILED : mmap(at, len, prot, flags, fd, offset);

	return p == MAP_FAILED ? p : note(p, len, CALLER);
}

/* Nobody names the address that it shall move to. */
void *oom_mremap(void *p, size_t before, size_t len, int flags, ...)
{
	void *moved;

	ASSERT((flags & MREMAP_FIXED) == 0);
	moved = is_to_fail() ? MAP_FAILED : mremap(p, before, len, flags);
	if (moved != MAP_FAILED) {
		forget(p);
		note(moved, len, CALLER);
	}
	return moved;
}

int oom_munmap(void *p, size_t len)
{
	forget(p);
	return munmap(p, len);
}
