/*
 * clock: the monotonic clock, for threads that have no loop to ask; the time of day as people read it.
 */
#ifndef WATCH_CLOCK_H
#define WATCH_CLOCK_H

#include <stdint.h>
#include <string.h>
#include <time.h>

enum { CLOCK_TEXT_MAX = 32 };

static inline uint64_t clock_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* "2026-11-22T12:00:00Z"; "-" when there is no such time. */
static inline const char *clock_text(char out[CLOCK_TEXT_MAX], time_t t)
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, CLOCK_TEXT_MAX, "%FT%TZ", &tm) == 0)
		strcpy(out, "-");
	return out;
}

#endif
