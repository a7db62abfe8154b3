/*
 * ctl: the control socket's protocol, spoken by rec_control and the daemon.
 *
 * A Unix stream socket, one request a connection:
 *
 *     request   int32 status (0) | uint64 length | text        } host byte order, as the
 *     reply     int32 status     | uint64 length | text        } field's tools do it
 *
 * The text of a request is the command and its arguments, a blank between.  A command that
 * writes a file gets the open descriptor from the client by SCM_RIGHTS, with one byte 'X'
 * that follows the request, so that the daemon opens no path for a stranger.  Status 0: done;
 * anything else: refused, and the text says why.
 *
 * A socket that is passed for what has no end of its own (trace-regex) may have CTL_END_MARK waiting in it.
 * The daemon takes that out when it ends in order.  Otherwise it is closed with the mark in it, and its
 * other end is told of a reset (ECONNRESET) behind what was written.
 *
 * Limits: CTL_REQUEST_MAX, CTL_REPLY_MAX bytes.  The reader checks the length before it
 * allocates.
 */
#ifndef COMMON_CTL_H
#define COMMON_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	CTL_REQUEST_MAX = 64 * 1024,
	CTL_REPLY_MAX = 64 * 1024 * 1024,
	CTL_HEADER_LEN = 12,
};

#define CTL_END_MARK "rec_control waits for the end"

struct ctl_header {
	int32_t status;
	uint64_t length;
};

void ctl_put_header(uint8_t out[CTL_HEADER_LEN], const struct ctl_header *h);

/* E_RANGE when the length is above `max`. */
int ctl_get_header(const uint8_t in[CTL_HEADER_LEN], size_t max, struct ctl_header *h) MUST_USE;

/* `<dir>/pdns_recursor[-<config_name>].controlsocket`, the name that the field's tools know.
 * E_TOO_LONG when it does not fit a sockaddr_un. */
int ctl_socket_path(char *out, size_t cap, const char *dir, const char *config_name) MUST_USE;

/* Splits a request into words (in place, blanks and tabs; the first in lower case).
 * Returns how many, at most `max`; E_LIMIT beyond. */
int ctl_split(char *text, char **words, int max) MUST_USE;

#endif
