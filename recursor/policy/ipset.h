/*
 * ipset: sets of addresses that forget by themselves, shared by all workers.
 *
 *     ipsets_new(&all, &cfg);                            once, for the process
 *     ipsets_open(all, &set, &(struct ipset_options) { .name = "blocked", .ttl_s = 60 });
 *     ipset_add(set, &client, IPSET_TTL_OF_SET, now_s);  a hook, a command
 *     if (ipset_has(set, reader, &client, now_s)) ...    every query
 *     ipset_put(set);
 *
 * A set is 1024 tables for each family, open addressing, by a keyed hash.  A slot of an IPv4 address
 * is one word, address and expiry together; an IPv6 address has two words more, which are written
 * before the first and never changed in that table.  So a reader needs no lock: it says which table
 * it looks at (a hazard pointer of its own, on a cache line of its own) and probes.  A writer holds
 * the lock of its table.  A table that is two thirds full, expired entries included, is copied
 * into another; the old one is freed when no reader looks at it any more.
 *
 * The same name is the same set for everybody, whatever script opened it; it stays until all have
 * let go of it, it is empty, and another one wants its place.  What was said last of ttl and max is
 * in force.  A set without a name is its owner's.
 *
 * An overlay (ipsets_new_overlay) sees the sets below it and keeps every change to itself: what a
 * script that is only tried gets in place of the real ones.
 *
 * Memory:  12 to 16 bytes an IPv4 address, three times that an IPv6 one, and 50 KB a set.
 * Limits:  entries of a set (`max`, then ipset_add() refuses) and of all sets (cfg.max_entries),
 *          named sets (cfg.max_sets); each refusal is counted.
 * Threads: any.  A reader is for one thread at a time; without one (NULL) ipset_has() takes a lock.
 * Clock:   the caller's, in seconds, the same and never backwards for all (the monotonic one).
 */
#ifndef POLICY_IPSET_H
#define POLICY_IPSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/err.h"

struct ipsets;
struct ipset;
struct ipset_reader;

enum {
	IPSET_NAME_MAX = 64, /* with its closing zero */
	IPSET_WHY_MAX = 512,
	IPSET_TTL_MAX = 1000000000, /* seconds */
};
#define IPSET_TTL_OF_SET UINT32_MAX /* for a ttl: what the set has; 0: never expires */

struct ipsets_config {
	unsigned n_readers;
	uint32_t max_sets;    /* with a name */
	uint64_t max_entries; /* of all sets together */
};

int ipsets_new(struct ipsets **out, const struct ipsets_config *cfg) MUST_USE;
/* `below` outlives it. */
int ipsets_new_overlay(struct ipsets **out, struct ipsets *below) MUST_USE;
/* Nobody holds a set any more. */
void ipsets_free(struct ipsets *r); /* accepts NULL */
/* What is there stays. */
void ipsets_configure(struct ipsets *r, uint32_t max_sets, uint64_t max_entries);
struct ipset_reader *ipsets_reader(struct ipsets *r, unsigned i);

/* What a set takes before it has an entry. */
size_t ipset_bytes_empty(void);

struct ipset_options {
	const char *name; /* NULL or "": none */
	bool has_ttl, has_max;
	uint32_t ttl_s; /* of an entry; 0: it does not expire */
	uint64_t max;   /* entries; 0: as many as all sets together may have */
};

/* True: 1 to 63 letters, digits, '-', '_' and '.'. */
bool ipset_name_is_good(const char *name);

/* The set of that name, made if need be, or a new one without a name; a reference, to be put back.
 * E_MALFORMED (the name), E_LIMIT (max_sets), E_NOMEM. */
int ipsets_open(struct ipsets *r, struct ipset **out, const struct ipset_options *o) MUST_USE;
/* A reference, or NULL: there is none of that name. */
struct ipset *ipsets_find(struct ipsets *r, const char *name);
void ipset_put(struct ipset *s); /* accepts NULL */

/* Frees what expired and what readers no longer look at, a piece at each call; some times a second. */
void ipsets_tidy(struct ipsets *r, uint32_t now_s);

/* An IPv6-mapped IPv4 address is that IPv4 address; ports do not count. */
bool ipset_has(const struct ipset *s, struct ipset_reader *reader, const struct addr *a,
	       uint32_t now_s);
/* Adds, or renews.  E_LIMIT, E_NOMEM: refused and counted. */
int ipset_add(struct ipset *s, const struct addr *a, uint32_t ttl_s, uint32_t now_s) MUST_USE;
/* False: it was not in. */
bool ipset_remove(struct ipset *s, const struct addr *a, uint32_t now_s);
void ipset_clear(struct ipset *s);
/* What expired in the last seconds may be among them. */
uint64_t ipset_count(const struct ipset *s);
const char *ipset_name(const struct ipset *s); /* "": none */

/* Each entry that has not expired; `left_s` 0: it does not.  Nothing is locked while `each` runs;
 * entries that come or go meanwhile are in or not.  Stops at an error and returns it. */
int ipset_walk(struct ipset *s, uint32_t now_s,
	       int (*each)(void *ctx, const struct addr *a, uint32_t left_s), void *ctx) MUST_USE;

/* A line an entry: the address and, when it expires, the seconds left.  E_SYSTEM (errno). */
int ipset_write(struct ipset *s, FILE *f, uint32_t now_s, size_t *n) MUST_USE;
/* The set holds what the file says from then on, and nothing else; a line without seconds gets the
 * set's ttl, 0 seconds is for ever.  On error one line in `why` (IPSET_WHY_MAX), with `file` and the
 * line's number, and the set is as it was.  The file is read to its end, so what a pipe's writer
 * takes is the caller's patience. */
int ipset_read(struct ipset *s, FILE *f, const char *file, uint32_t now_s, size_t *n,
	       char *why) MUST_USE;

struct ipset_stats {
	char name[IPSET_NAME_MAX];
	uint32_t ttl_s;
	uint64_t max;
	uint64_t entries, bytes;
	uint64_t adds, removals, refusals, expirations;
};

void ipset_stats(const struct ipset *s, struct ipset_stats *out);
/* Of all sets with a name, in order of name; the array is the caller's to free.  E_NOMEM. */
int ipsets_list(struct ipsets *r, struct ipset_stats **out, size_t *n) MUST_USE;

struct ipsets_stats {
	uint64_t sets, entries, bytes; /* what is there; the next ones were, ever */
	uint64_t adds, removals, refusals, expirations, sets_refused;
	uint64_t most_sets;
};

void ipsets_stats(struct ipsets *r, struct ipsets_stats *out);
/* Of all sets; takes no lock. */
uint64_t ipsets_entries(const struct ipsets *r);

#endif
