/*
 * server: the hosts of the Internet: they answer for their zones, with habits and faults, or they
 * lie; and somebody on the way forges answers.
 *
 * Memory:  nothing is kept; answers are built in one static buffer (one thread).
 */
#ifndef SOAK_SERVER_H
#define SOAK_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/msg.h"
#include "common/wire.h"
#include "tests/sim/network.h"
#include "tests/soak/internet.h"

struct servers_ctx {
	struct internet *net;
	struct rng rng;
	bool use_0x20;         /* the resolver checks the case: forgers cannot know it */
	unsigned forged;       /* in 100: questions over UDP that a forger answers, too */
	unsigned no_resources; /* in 1000: our own kernel refuses */
	FILE *out;             /* tells of each packet, or NULL */
	uint64_t asked;        /* questions that left */
	char breach[256];      /* "" while nobody asks what he should not */
};

enum send_result servers_serve(void *ctx, struct network *n, const struct outquery *q,
			       const uint8_t *wire, size_t len);

/* ---- an answer in the making ---- */

/* What becomes of signatures on their way out. */
enum corruption {
	CORRUPT_NOTHING,
	CORRUPT_STRIPPED,
	CORRUPT_GARBLED,
	CORRUPT_NO_PROOFS,
	CORRUPTIONS
};

struct reply_writer {
	struct wire_writer w;
	uint16_t count[4];
	bool full;       /* something did not fit */
	bool compresses; /* names in rdata */
	enum corruption corruption;
};

void reply_begin(struct reply_writer *b, uint8_t *buf, size_t cap, const struct msg *query,
		 unsigned flags);
/* Sections in order: 1 answer, 2 authority, 3 additional. */
void reply_record(struct reply_writer *b, unsigned section, const uint8_t *owner, uint16_t type,
		  uint32_t ttl, const uint8_t *rdata, size_t len);
void reply_set(struct reply_writer *b, unsigned section, const struct internet *net,
	       const struct model_set *s, const uint8_t *owner);
size_t reply_finish(struct reply_writer *b, bool with_opt);

/* ---- honest.c: what a host says when asked for what it serves ---- */

/* Flags and rcode of the answer; records go into `b`. */
unsigned honest_answer(struct reply_writer *b, const struct internet *net, unsigned host,
		       const struct msg *query);

/* ---- liar.c ---- */

/* A whole answer of a liar's; returns its length. */
size_t liar_answer(struct servers_ctx *s, int host, const struct msg *query, uint8_t *buf,
		   size_t cap);

#endif
