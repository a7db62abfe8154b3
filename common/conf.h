/*
 * conf: the syntax of recursor.conf: lines `name=value`, `name+=value`, comments,
 * continuation; and the same as `--name=value` on a command line.
 *
 * Syntax only: what a name means is recursor/settings/settings.h's business.  Each setting found is
 * handed to the caller with the place where it stands; the caller's error ends the reading.
 *
 * Rules (reference: PowerDNS): blanks around the name and before and after the value go;
 * `#` opens a comment at the start of a line or after a blank; a final backslash joins the
 * next line; a line without `=` is a name with an empty value.
 *
 * Limits: CONF_LINE_MAX bytes a line after joining; a NUL byte in a file is malformed.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/err.h"

/* The file's limit is there for a device given as a file: it shall not fill the memory. */
enum { CONF_LINE_MAX = 65536, CONF_FILE_MAX = 64 * 1024 * 1024 };

struct conf_item {
	const char *name;
	const char *value; /* "" when there is none */
	bool append;       /* += */
	const char *file;  /* or "command line" */
	unsigned line;     /* 0 on the command line */
};

/* Called for each item in order; a negative return ends the reading and is returned. */
typedef int (*conf_item_cb)(void *ctx, const struct conf_item *item);

/* Opens a file to read, for the caller to close; behind the byte order mark of UTF-8, if it begins with
 * one.  Whoever reads a FIFO waits for its writer, a daemon that reloads perhaps for ever: E_NOT_FILE.
 * E_SYSTEM: errno is set. */
int conf_open_file(FILE **out, const char *path) MUST_USE;

/* The whole file, for the caller to free, and a NUL after it.  E_SYSTEM (errno set), E_NOT_FILE,
 * E_TOO_LONG: more than CONF_FILE_MAX bytes, E_NOMEM. */
int conf_load_file(const char *path, char **out, size_t *out_len) MUST_USE;

/* Reads a file.  E_SYSTEM (errno set), E_NOT_FILE, E_MALFORMED or E_TOO_LONG with one line into `why`. */
int conf_read_file(const char *path, conf_item_cb cb, void *ctx, char *why,
		   size_t why_cap) MUST_USE;

/* The same from memory; `file` is what items and errors call it. */
int conf_read_text(const char *text, size_t len, const char *file, conf_item_cb cb, void *ctx,
		   char *why, size_t why_cap) MUST_USE;

/* Reads options out of argv[1..]; words without a dash are kept, in order, in `words` (as many
 * as argc), their number in *n_words. */
int conf_read_args(int argc, char *const argv[], conf_item_cb cb, void *ctx, const char **words,
		   int *n_words) MUST_USE;

/* Splits a list at commas, blanks, tabs: calls back with each item; stops at an error. */
int conf_each_word(const char *list, int (*cb)(void *ctx, const char *word, size_t len),
		   void *ctx) MUST_USE;

/* The values' readers: PowerDNS's rules.  "no" and "off" are off, the rest is on. */
bool conf_bool(const char *value);
/* strtol with base 0; trailing junk is refused here (they ignore it: a slip of theirs). */
int conf_int(const char *value, long long min, long long max, long long *out) MUST_USE;
/* The same for bytes, in units of 1024 with k, M, G or T behind the number. */
int conf_size(const char *value, long long min, long long max, long long *out) MUST_USE;

#endif
