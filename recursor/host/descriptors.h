/*
 * descriptors: the process's limit of open files, raised to what the settings ask for; and what has to
 * give way where it cannot be raised so far.
 */
#ifndef RECURSOR_DESCRIPTORS_H
#define RECURSOR_DESCRIPTORS_H

#include <stdint.h>

#include "recursor/settings/settings.h"

enum { DESCRIPTORS_ASKING_LEAST = 80 }; /* sockets for asking, each thread */

struct descriptors {
	uint64_t limit;
	/* What max-tcp-clients has to be: the setting itself, or less. */
	uint32_t tcp_clients;
	/* And webserver-max-connections; 0 without a web server. */
	uint32_t web_connections;
	/* Sockets each thread may ask servers from.  Fewer than max-mthreads do not limit what is
	 * resolved at once: questions share them then (net/outgoing.h). */
	uint32_t asking;
};

/* Needs root to go above the hard limit, so it comes before privileges are dropped. */
void descriptors_raise(const struct settings *s, struct descriptors *out);

#endif
