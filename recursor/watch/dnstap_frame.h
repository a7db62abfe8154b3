/*
 * dnstap_frame: a DNS message with its circumstances, as dnstap's schema has it.
 *
 * The schema (dnstap.proto, https://dnstap.info) is Protocol Buffers'; what it holds of one message
 * are a dozen fields in a fixed order, so they are written by a few lines, into the place they are
 * sent from: no object is filled and packed, nothing is allocated, no generator runs at build.
 */
#ifndef WATCH_DNSTAP_FRAME_H
#define WATCH_DNSTAP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* Message.Type */
enum dnstap_type {
	DNSTAP_RESOLVER_QUERY = 3,
	DNSTAP_RESOLVER_RESPONSE = 4,
	DNSTAP_CLIENT_QUERY = 5,
	DNSTAP_CLIENT_RESPONSE = 6,
	DNSTAP_FORWARDER_QUERY = 7, /* to a resolver: it sets RD */
	DNSTAP_FORWARDER_RESPONSE = 8,
};

struct dnstap_message {
	enum dnstap_type type;
	/* Of who asks and who is asked, whichever way the packet goes; NULL: not known. */
	const struct addr *from, *to;
	bool tcp;
	uint64_t query_ns, response_ns; /* since 1970; 0: not told */
	const uint8_t *wire;
	size_t len;
};

enum {
	DNSTAP_WORDS_MAX = 255, /* of identity and version, each */
	DNSTAP_HEAD_MAX = 2 * (DNSTAP_WORDS_MAX + 4) + 2,
	DNSTAP_FRAME_MAX = DNSTAP_HEAD_MAX + 128 + 65535,
};

/* What all frames of a server begin with. */
struct dnstap_head {
	uint8_t bytes[DNSTAP_HEAD_MAX + 8]; /* written a word at a time */
	size_t len;
};
/* Longer texts are cut; empty ones are left out. */
void dnstap_head_make(struct dnstap_head *out, const char *identity, const char *version);

/* It is no longer, and may be written anywhere in it. */
static inline size_t dnstap_frame_room(const struct dnstap_head *head,
				       const struct dnstap_message *m)
{
	return head->len + 128 + m->len;
}

/* Into dnstap_frame_room() bytes; its length. */
size_t dnstap_frame_write(uint8_t *out, const struct dnstap_head *head,
			  const struct dnstap_message *m);

#endif
