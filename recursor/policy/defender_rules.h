/*
 * defender_rules: the rules of the defender, as defender-config-file has them.
 *
 * A YAML file in the form of DNSdist Defender: a list of rules, each of `type: prsd` (floods of
 * pseudo-random names below a domain), with thresholds, an action, and policies that say otherwise
 * for some clients.  recursor-defender(5) has the keys.  Those that are no file of anybody's are
 * defender_rules_builtin(): the same form, kept in the program.
 *
 * What is not given has the value of DNSdist's documented example.  An unknown key, one given
 * twice, a value out of range: an error, with file, line, key and value; what cannot take effect
 * here (a protocol that is not served) is one line to `warn`.
 *
 * Memory:  rules are read-only once made, but for what rate limits remember, and counted.
 * Limits:  DEFENDER_FILE_MAX bytes, DEFENDER_RULES_MAX rules, DEFENDER_POLICIES_MAX policies of one,
 *          DEFENDER_ITEMS_MAX nodes looked at (an alias counts each time), the depth of the form.
 * Threads: any.
 */
#ifndef POLICY_DEFENDER_RULES_H
#define POLICY_DEFENDER_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/nameset.h"
#include "common/netset.h"
#include "recursor/policy/ratelimit.h"

enum {
	DEFENDER_FILE_MAX = 1024 * 1024,
	DEFENDER_RULES_MAX = 32, /* as many bits */
	DEFENDER_POLICIES_MAX = 256,
	DEFENDER_ITEMS_MAX = 100000,
	DEFENDER_WINDOW_MAX = 3600,
	DEFENDER_POOL_MAX = 64,
	DEFENDER_LIMITS_MAX = 64,       /* actions of type rate-limit */
	DEFENDER_LIMIT_CLIENTS = 16384, /* that one remembers */
	DEFENDER_WHY_MAX = 512,
};

/* What may be done to a query; the first four end it. */
enum defender_effect {
	DEFENDER_REFUSED,
	DEFENDER_DROP,
	DEFENDER_NXDOMAIN,
	DEFENDER_TRUNCATE, /* UDP only: over TCP the client has shown who it is */
	DEFENDER_ALLOW,
	DEFENDER_RATE_LIMIT,
	DEFENDER_SLIP,
	DEFENDER_LOG,
	DEFENDER_ROUTE,
	DEFENDER_EFFECTS,
};

/* The word for it in the file. */
const char *defender_effect_text(enum defender_effect effect);

struct defender_action {
	enum defender_effect effect;
	enum defender_effect otherwise; /* rate-limit: beyond the rate; slip: the others */
	uint32_t qps;                   /* rate-limit */
	uint32_t ipv4_bits, ipv6_bits;  /* rate-limit: a client */
	uint32_t slip;                  /* one in so many passes */
	struct ratelimit *limit;        /* rate-limit: who has used up how much */
	uint64_t route;                 /* route: zones_group_id() of the pool */
	char pool[DEFENDER_POOL_MAX];
};

/* How a query came. */
enum { DEFENDER_UDP = 1, DEFENDER_TCP = 2 };

struct defender_policy {
	unsigned protocols;     /* 0: of any */
	struct netset *subnets; /* NULL: from anywhere */
	bool allow_cache_lookups;
	struct defender_action action;
	unsigned line;
};

/* What counts as a failure: bits. */
enum {
	DEFENDER_FAIL_NXDOMAIN = 1,
	DEFENDER_FAIL_SERVFAIL = 2,
	DEFENDER_FAIL_TIMEOUT = 4,
	DEFENDER_FAIL_OTHER = 8,
};

struct defender_rule {
	uint32_t window_s;
	uint32_t min_labels, min_qps, min_children;
	double max_queries_per_child, max_cache_hit_ratio, min_failure_ratio;
	unsigned failures;
	bool include_domain; /* queries for the domain itself are met too */
	struct nameset *exclude;
	/* Clients that it is for: all but exclude_ranges, but include_ranges; the more specific wins.
	 * NULL: all. */
	struct netset *clients;
	uint32_t ipv4_bits, ipv6_bits, port_bits; /* a client, where clients are told apart */
	struct defender_action action;
	uint32_t duration_s;
	char *comment;
	struct defender_policy *policies;
	size_t n_policies;
	/* our own */
	bool observe;     /* acts on nothing */
	bool known_first; /* names known to exist are not acted on */
	uint32_t unseen_qps;
	unsigned line;
};

struct defender_rules {
	_Atomic unsigned refs;
	char *file; /* NULL: built in */
	struct defender_rule *rules;
	size_t n;
};

/* Reads `text`, which `file` is the name of for errors.  One line in `why` (DEFENDER_WHY_MAX) on
 * error.  `warn` may be NULL. */
int defender_rules_read(struct defender_rules **out, const char *text, size_t len, const char *file,
			void (*warn)(const char *line), char *why) MUST_USE;
/* The same from a file. */
int defender_rules_load(struct defender_rules **out, const char *path,
			void (*warn)(const char *line), char *why) MUST_USE;
/* Those that ship: they observe. */
int defender_rules_builtin(struct defender_rules **out) MUST_USE;

struct defender_rules *defender_rules_get(struct defender_rules *r);
void defender_rules_put(struct defender_rules *r); /* accepts NULL */

/* "refused", "drop", "route best-effort", "rate-limit 10/s per /32, /64, beyond it refused", ... */
enum { DEFENDER_ACTION_TEXT_MAX = 192 };
char *defender_action_text(char out[DEFENDER_ACTION_TEXT_MAX], const struct defender_action *a);

#endif
