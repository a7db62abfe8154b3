/*
 * log_form: how a line of the log looks where it goes.
 *
 *     text      Nov 22 13:00:00 the message (3 more like this before)
 *     pairs     msg="the message" subsystem="x" level="0" prio="Info" tid="0" ts="1.234" key="value"
 *     JSON      {"ts":"1.234","prio":"Info","subsystem":"x","tid":0,"msg":"the message","key":1}
 *     journal   systemd's native protocol: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, our keys in capitals
 *
 * A line is one whatever bytes are in it: in text control characters become '?', in pairs and JSON
 * they are escaped, in the journal a field that has some comes with its length.  JSON is UTF-8:
 * bytes that are none become U+FFFD.  What does not fit is cut, never a quote or an escape; JSON says
 * so with "cut":true.
 *
 * Each returns the number of bytes written, with a newline behind those that are lines; no zero
 * follows.  `cap` is at least LOG_FORM_LEAST.
 * Threads: any; it keeps nothing.
 */
#ifndef COMMON_LOG_FORM_H
#define COMMON_LOG_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/log.h"

enum { LOG_FORM_LEAST = 256 };

struct log_record {
	int level;
	const char *subsystem; /* or NULL */
	const char *message;
	const struct log_field *fields;
	size_t n_fields;
	uint64_t held_back; /* lines of this kind before it */
	unsigned thread;
	struct timespec when;
};

size_t log_form_text(char *out, size_t cap, const struct log_record *r, bool timestamp);
size_t log_form_pairs(char *out, size_t cap, const struct log_record *r);
size_t log_form_json(char *out, size_t cap, const struct log_record *r);
size_t log_form_journal(char *out, size_t cap, const struct log_record *r, const char *ident,
			int facility);
/* What stands before a line that goes to syslog's socket. */
size_t log_form_syslog_head(char *out, size_t cap, const struct log_record *r, const char *ident,
			    int facility, int pid);

#endif
