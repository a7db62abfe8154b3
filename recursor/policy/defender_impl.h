/*
 * defender_impl: what defender.c (accusations), defender_worker.c (a worker's side) and
 * defender_show.c (evidence) share.  Private to them.
 */
#ifndef POLICY_DEFENDER_IMPL_H
#define POLICY_DEFENDER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/name.h"
#include "recursor/policy/defender.h"
#include "recursor/policy/defender_watch.h"

enum {
	EVIDENCE_NAMES = 6,
	EVIDENCE_CLIENTS = 12,
	ENDED_KEPT = 16,
};

/* Clients that were acted on most: who is not among them takes the place of the last, with its
 * number (space-saving). */
struct evidence_client {
	struct addr client; /* family 0: none */
	uint64_t n;
};

struct evidence {
	uint64_t done[DEFENDER_DONES];
	uint64_t n_names; /* offered */
	uint8_t names[EVIDENCE_NAMES][NAME_MAX_LEN];
	struct evidence_client clients[EVIDENCE_CLIENTS];
};

void evidence_name(struct evidence *e, const uint8_t *name);
void evidence_client(struct evidence *e, const struct addr *client, uint64_t n);
void evidence_unite(struct evidence *to, const struct evidence *from);

struct accusation {
	uint64_t hash; /* of the name */
	uint32_t id;
	unsigned rule; /* its place among the rules */
	unsigned labels;
	bool is_zone; /* below a registrable domain */
	bool acts;
	uint64_t since_ms, until_ms;
	uint32_t since_s, until_s; /* for people */
	struct defender_figures begun;
	struct evidence evidence;
	uint8_t name[NAME_MAX_LEN];
};

/* The accusations as queries look at them: never changed, replaced. */
struct accused_entry {
	uint64_t hash; /* of the name */
	uint32_t id;
	uint16_t rule, labels;
	bool is_zone, acts;
	uint16_t next; /* in its bucket: place + 1 */
};

struct defender_accused {
	_Atomic unsigned refs;
	struct defender_rules *rules; /* a reference */
	bool before_cache;
	uint64_t labels[2];  /* a bit for each number of labels that there is */
	size_t n, n_buckets; /* buckets: a power of two */
	uint16_t *buckets;   /* of places + 1 */
	struct accused_entry *entries;
};

struct defender_accused *accused_get(struct defender_accused *a);
void accused_put(struct defender_accused *a); /* accepts NULL */

struct defender {
	pthread_mutex_t lock; /* of all that follows but `known`'s bits */
	struct defender_config cfg;
	enum defender_mode mode;
	struct defender_rules *rules;
	struct defender_watch *watch;
	struct defender_known *known;
	struct accusation *accusations[DEFENDER_ACCUSATIONS_MAX];
	size_t n, most;
	struct accusation *ended[ENDED_KEPT]; /* the youngest at (n_ended - 1) % ENDED_KEPT */
	size_t n_ended;
	struct defender_accused *accused; /* NULL: nobody */
	uint64_t generation;              /* of `accused` */
	bool is_stale;                    /* `accused` is to be made anew */
	uint32_t last_id;
	uint64_t begun, refused, evicted, known_left_out;
	size_t tally_bytes;
};

/* With the lock held. */
void defender_bring(struct defender *d, const struct defender_row *row,
		    const struct defender_zone *zone, uint64_t now_ms, uint32_t wall_s);
/* Ends what is over, and makes `accused` anew when it must be. */
void defender_settle(struct defender *d, uint64_t now_ms, uint32_t wall_s);
/* What the window says now. */
bool defender_look(struct defender *d, const struct accusation *a, uint64_t now_ms,
		   struct defender_figures *out);

#endif
