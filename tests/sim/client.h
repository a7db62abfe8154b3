/*
 * client: somebody who puts one question to the resolver and keeps the answer, packed and
 * unpacked again as it would have come over the wire (recursor/answer.h).
 *
 * Memory: client_new() and client_free(); a client still waiting is cancelled by the latter.
 */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <ldns/ldns.h>

#include "recursor/query.h"
#include "recursor/resolve/resolver.h"

enum { CLIENT_PAYLOAD = 4096 };

struct network;

/* How it asks, beside what its message says. */
struct client_manner {
	uint64_t route;
	bool known;    /* of the cache alone */
	bool sentinel; /* root-key-sentinel */
	enum dnssec_mode dnssec;
};

struct client {
	struct client *next;
	unsigned number; /* the first is 1 */
	struct network *net;
	struct resolver *resolver;
	struct request *request;
	uint8_t *wire;
	struct query query;
	struct trace trace;

	bool sentinel, answered;
	ldns_pkt *answer;
	uint64_t asked_us, answered_us;
	uint32_t out_queries;
	int ede;
};

/* Asks at once.  NULL when the message cannot be a question. */
struct client *client_new(struct network *net, const ldns_pkt *question,
			  const struct client_manner *manner, unsigned number);
void client_free(struct client *c);

#endif
