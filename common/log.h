/*
 * log: lines for people: stderr or syslog, with levels as syslog has them.
 *
 * Not for the packet's path: what happens to a query is an event (resolve/event.h) or a
 * counter.  A line is written whole; lines longer than LOG_LINE_MAX are cut.  log_limited()
 * lets a place in the code speak at most once a second, and says how many it kept back.
 *
 * Threads: any.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_CRIT = 2,
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum { LOG_LINE_MAX = 1024 };

struct log_options {
	bool use_syslog;
	bool use_stderr;
	bool timestamps;
	int level;    /* messages above it are dropped */
	int facility; /* syslog's LOG_DAEMON, LOG_LOCAL0, ... */
	const char *ident;
};

/* May be called again; before the first call lines go to stderr up to NOTICE. */
void log_configure(const struct log_options *o);
void log_set_level(int level);
int log_level(void);

void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_gate {
	_Atomic uint64_t last_s;
	_Atomic uint64_t held_back;
};
void log_gated(struct log_gate *gate, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_limited(level, ...)                                                                    \
	do {                                                                                       \
		static struct log_gate gate_;                                                      \
		log_gated(&gate_, (level), __VA_ARGS__);                                           \
	} while (0)

#endif
