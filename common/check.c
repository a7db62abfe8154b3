#include "common/check.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOG_EVERY_S = 60 };

static atomic_ulong surprises;
static _Atomic uint64_t next_log_s;
static void (*_Atomic teller)(char *line, size_t len);

void check_set_teller(void (*tell)(char *line, size_t len))
{
	atomic_store(&teller, tell);
}

/* Speaks by itself: the log may be what is broken. */
static void say(const char *kind, const char *what, const char *file, int line)
{
	void (*tell)(char *line, size_t len) = atomic_load(&teller);
	char text[512];
	int n = snprintf(text, sizeof(text), "%s: %s at %s:%d\n", kind, what, file, line);

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = (int)sizeof(text) - 1;
	if (tell != NULL)
		tell(text, (size_t)n);
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		return; /* nowhere left to say it */
}

void check_fail(const char *what, const char *file, int line)
{
	say("assertion failed", what, file, line);
	abort();
}

bool check_unexpected(const char *what, const char *file, int line)
{
	struct timespec now = { 0 };
	uint64_t due = atomic_load_explicit(&next_log_s, memory_order_relaxed);
	uint64_t now_s;

	atomic_fetch_add_explicit(&surprises, 1, memory_order_relaxed);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	now_s = (uint64_t)now.tv_sec;
	if (now_s >= due && atomic_compare_exchange_strong(&next_log_s, &due, now_s + LOG_EVERY_S))
		say("unexpected", what, file, line);
	return false;
}

unsigned long check_surprises(void)
{
	return atomic_load_explicit(&surprises, memory_order_relaxed);
}
