#include "common/log.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static atomic_int level_max = LOG_LEVEL_NOTICE;
static atomic_bool to_syslog, timestamps;
static atomic_bool to_stderr = true;

void log_configure(const struct log_options *o)
{
	/* openlog(3) keeps the pointer. */
	static char ident[64];

	/* The clock's zone and the log's socket are opened now: a chroot may hide them. */
	tzset();
	if (o->use_syslog) {
		(void)snprintf(ident, sizeof(ident), "%s",
			       o->ident != NULL ? o->ident : "recursor");
		openlog(ident, LOG_PID | LOG_NDELAY, o->facility);
	} else if (to_syslog) {
		closelog();
	}
	to_syslog = o->use_syslog;
	to_stderr = o->use_stderr;
	timestamps = o->timestamps;
	log_set_level(o->level);
}

void log_set_level(int level)
{
	level_max = level;
}

int log_level(void)
{
	return level_max;
}

/* One write(2) a line, so that threads do not mix theirs. */
static void write_stderr(const char *line)
{
	char out[LOG_LINE_MAX + 64];
	size_t len = 0;
	ssize_t written;
	int n;

	if (timestamps) {
		time_t now = time(NULL);
		struct tm tm;

		if (localtime_r(&now, &tm) != NULL)
			len = strftime(out, sizeof(out), "%b %d %H:%M:%S ", &tm);
	}
	n = snprintf(out + len, sizeof(out) - len, "%s\n", line);
	if (n > 0)
		len += (size_t)n;
	/* Nobody is left to tell when it fails. */
	written = write(STDERR_FILENO, out, len);
	(void)written;
}

static void put(int level, char line[LOG_LINE_MAX])
{
	/* Texts of strangers (names, Lua messages) must not forge lines. */
	for (unsigned char *c = (unsigned char *)line; *c != '\0'; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	if (to_syslog)
		syslog(level, "%s", line);
	if (to_stderr)
		write_stderr(line);
}

void log_line(int level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	if (level > level_max)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	put(level, line);
}

void log_gated(struct log_gate *gate, int level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	struct timespec now;
	uint64_t now_s, last_s, held_back;
	va_list args;
	int n;

	if (level > level_max)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	now_s = (uint64_t)now.tv_sec + 1; /* 0 in the gate: it never spoke */
	last_s = atomic_load(&gate->last_s);
	if (last_s == now_s || !atomic_compare_exchange_strong(&gate->last_s, &last_s, now_s)) {
		atomic_fetch_add(&gate->held_back, 1);
		return;
	}
	held_back = atomic_exchange(&gate->held_back, 0);
	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (held_back > 0 && n >= 0 && (size_t)n < sizeof(line))
		(void)snprintf(line + n, sizeof(line) - (size_t)n, " (%llu more like this before)",
			       (unsigned long long)held_back);
	put(level, line);
}
