/*
 * log: lines for people and for what collects them.
 *
 *     log_notice("ready: %s", status);
 *     log_with(LOG_LEVEL_NOTICE, LOG_FIELDS(LOG_TEXT("domain", name), LOG_NUMBER("rule", rule)),
 *              "defender: %s is accused by rule %u", name, rule);
 *     log_limited(LOG_LEVEL_INFO, "%s asks for '%s'", client, name);
 *
 * The message is a whole sentence, with all that a reader needs.  The fields say the same to a
 * program: JSON and the journal have them beside the message, lines of text do not.  The subsystem
 * is the name of the source file.
 *
 * Where lines go: to stderr, to syslog, or to the journal; see log_form.h for how they look there.
 * A destination that takes nothing at the moment (a pipe that nobody reads, a syslogd that hangs; a
 * terminal too, see log_terminal.h) is waited for LOG_PATIENCE_MS, once, and by a worker not at all;
 * a line that no destination took is counted (log_stats()).
 *
 * Each place in the code (a site) may speak so many times a second, log_rate of the settings and
 * once a second for log_limited(): what strangers can cause goes through the latter.  What it says
 * beyond is held back and counted; the count stands behind its next line, or is told by log_tick().
 * log_line() alone is held back by nobody: for lists of what the operator wrote.
 *
 * Not for the packet's path: what happens to a query is an event (resolve/event.h), a counter, or a
 * line of the query log (recursor/watch/query_log.h).
 *
 * Limits:  a message longer than LOG_LINE_MAX is cut; so are fields beyond LOG_RECORD_MAX in all.
 * Memory:  none is allocated: what says that there is none must not need any.
 * Threads: any.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_CRIT = 2,
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum { LOG_LINE_MAX = 1024, LOG_RECORD_MAX = 4096, LOG_PATIENCE_MS = 500 };

enum log_form {
	LOG_FORM_TEXT,  /* the message */
	LOG_FORM_PAIRS, /* msg="..." subsystem="..." ...: PowerDNS's structured form */
	LOG_FORM_JSON,  /* an object a line */
};

struct log_options {
	bool use_syslog;
	bool use_stderr;
	bool use_journal; /* in the place of both, unless it cannot be reached */
	enum log_form form;
	bool timestamps; /* in front of text on stderr */
	int level;       /* messages above it are dropped */
	int facility;    /* syslog's LOG_DAEMON, LOG_LOCAL0, ... */
	unsigned rate;   /* lines a second of one site; 0: no limit */
	const char *ident;
	/* Their sockets; NULL: where the system has them.  They are connected to now, so a chroot
	 * does not hide them. */
	const char *syslog_path, *journal_path;
};

/* May be called again; before the first call lines go to stderr up to NOTICE. */
void log_configure(const struct log_options *o);
void log_set_level(int level);
int log_level(void);
void log_set_rate(unsigned rate);

/* The calling thread answers clients: it never waits for a destination.  `id`, from 1 on, stands in
 * its lines; threads that did not call it have 0. */
void log_thread_is_worker(unsigned id);

struct log_stats {
	uint64_t lines;     /* written */
	uint64_t held_back; /* by the limit of their site */
	uint64_t lost;      /* no destination took them */
};
void log_stats(struct log_stats *out);

/* Tells of lines that were held back and whose site has been silent since; once a second. */
void log_tick(void);

/* ---- fields ---- */

struct log_field {
	const char *key; /* small letters, digits, _ */
	enum { LOG_FIELD_TEXT, LOG_FIELD_NUMBER, LOG_FIELD_REAL, LOG_FIELD_BOOL } kind;
	union {
		const char *text; /* any bytes; NULL: the field is left out */
		uint64_t number;
		double real;
		bool flag;
	};
};

struct log_fields {
	const struct log_field *list;
	size_t n;
};

#define LOG_TEXT(name, value)                                                                      \
	{                                                                                          \
		.key = (name), .kind = LOG_FIELD_TEXT, .text = (value)                             \
	}
#define LOG_NUMBER(name, value)                                                                    \
	{                                                                                          \
		.key = (name), .kind = LOG_FIELD_NUMBER, .number = (value)                         \
	}
#define LOG_REAL(name, value)                                                                      \
	{                                                                                          \
		.key = (name), .kind = LOG_FIELD_REAL, .real = (value)                             \
	}
#define LOG_BOOL(name, value)                                                                      \
	{                                                                                          \
		.key = (name), .kind = LOG_FIELD_BOOL, .flag = (value)                             \
	}
#define LOG_FIELDS(...)                                                                            \
	(&(const struct log_fields) {                                                              \
		(const struct log_field[]) { __VA_ARGS__ },                                        \
		sizeof((const struct log_field[]) { __VA_ARGS__ }) / sizeof(struct log_field),     \
	})

/* ---- speaking ---- */

struct log_site {
	const char *file;
	bool is_limited;              /* once a second, whatever the settings say */
	_Atomic uint64_t window;      /* a second, and behind it the lines in it */
	_Atomic uint64_t held_back;   /* and not told yet */
	_Atomic int level;            /* of what was held back */
	_Atomic(const char *) format; /* and what it was like */
	atomic_bool is_listed;        /* for log_tick() */
	struct log_site *next;
};

/* `fields` may be NULL. */
void log_say(struct log_site *site, int level, const struct log_fields *fields, const char *format,
	     ...) __attribute__((format(printf, 4, 5)));

/* Whatever the level: an operator has asked for this very line. */
void log_asked_for(const char *subsystem, const struct log_fields *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Held back by nobody; `subsystem` and `fields` may be NULL. */
void log_line(int level, const char *subsystem, const struct log_fields *fields, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));

#define LOG_AT_SITE(limited, level, fields, ...)                                                   \
	do {                                                                                       \
		static struct log_site site_ = { .file = __FILE__, .is_limited = (limited) };      \
		log_say(&site_, (level), (fields), __VA_ARGS__);                                   \
	} while (0)

#define log_with(level, fields, ...) LOG_AT_SITE(false, level, fields, __VA_ARGS__)
#define log_limited_with(level, fields, ...) LOG_AT_SITE(true, level, fields, __VA_ARGS__)
#define log_limited(level, ...) LOG_AT_SITE(true, level, NULL, __VA_ARGS__)
#define log_error(...) LOG_AT_SITE(false, LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) LOG_AT_SITE(false, LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) LOG_AT_SITE(false, LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) LOG_AT_SITE(false, LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) LOG_AT_SITE(false, LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

#endif
