/*
 * script: the operator's Lua script, as everybody but recursor/policy/lua/ sees it.
 *
 *     script_code_load(&code, &files, why);               compiled, once
 *     script_new(&script, code, &limits, &host, why);     a state for each worker, its body run
 *     if (script_has(script, HOOK_PRERESOLVE))
 *             verdict = script_call(script, HOOK_PRERESOLVE, q);
 *     script_put(script);
 *
 * Hooks of both of PowerDNS's interfaces are known, told apart by the number of parameters that
 * the function declares (hook_table below).  Every call is protected: an error of the script, a
 * loop without end or a heap without bound ends the call and nothing else.  What a query then
 * gets stands in HOOK_TABLE's last column: it goes on as if the hook were not there, or it is
 * dropped (the classic interface, where an error has always cost the query its answer).
 *
 * Bounds of a call: instructions (a hook of Lua's counts them, in coroutines too; what pcall()
 * catches is raised again until the call has ended), bytes that it adds to the state's heap, and
 * bytes of the heap in all.  Finalizers (__gc) cannot be counted and are refused.  Loading has
 * SCRIPT_LOAD_FACTOR times, maintenance() SCRIPT_MAINTENANCE_FACTOR times the instructions of a hook.
 *
 * A query keeps the script that it began with: its later hooks and dq.data are of one state.  A
 * script that was replaced goes when the last of its queries has ended.  It is then handed to
 * host.retired(), since to free a large heap takes longer than a worker may be held.
 *
 * Threads: a state, one thread at a time: it is made by another than the one that uses it.  Code is
 *          constant once loaded and may be used by several threads.
 */
#ifndef POLICY_SCRIPT_H
#define POLICY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "common/metrics.h"
#include "recursor/policy/hookquery.h"

enum {
	SCRIPT_WHY_MAX = 512,
	SCRIPT_FILES_MAX = 256,
	SCRIPT_FILE_BYTES = 64 << 20,
	SCRIPT_LOAD_FACTOR = 1000,
	SCRIPT_MAINTENANCE_FACTOR = 10,
};

/* enum, its function, member of the counters, fewest and most parameters by which a function is of
 * the classic interface (9, 0: there is none). */
/* clang-format off */
#define HOOK_TABLE(X)                                                                            \
	X(IPFILTER, "ipfilter", ipfilter, 1, 1)                                                  \
	X(GETTAG, "gettag", gettag, 9, 0)                                                        \
	X(PRERPZ, "prerpz", prerpz, 9, 0)                                                        \
	X(PRERESOLVE, "preresolve", preresolve, 2, 9)                                            \
	X(NXDOMAIN, "nxdomain", nxdomain, 2, 9)                                                  \
	X(NOERROR, "noerror", noerror, 2, 9)                                                     \
	X(NODATA, "nodata", nodata, 2, 9)                                                        \
	X(POSTRESOLVE, "postresolve", postresolve, 2, 9)                                         \
	X(PREOUTQUERY, "preoutquery", preoutquery, 2, 9)                                         \
	X(CALLBACK, "udpCallback", callback, 9, 0)                                               \
	X(MAINTENANCE, "maintenance", maintenance, 9, 0)
/* clang-format on */

enum hook {
#define HOOK_ENUM(name, function, member, least, most) HOOK_##name,
	HOOK_TABLE(HOOK_ENUM)
#undef HOOK_ENUM
		HOOKS
};

const char *hook_name(enum hook hook);

/* ---- code ---- */

struct script_files {
	const char *path;
	const char *
		include_dir; /* its *.lua are run first, in order of their names; "" or NULL: none */
};

struct script_code;

/* Compiles; source or luac's output.  One line with file:line in `why` (SCRIPT_WHY_MAX).
 * E_SYSTEM (it cannot be read), E_NOT_FILE, E_LIMIT (it is too large), E_MALFORMED, E_NOMEM. */
int script_code_load(struct script_code **out, const struct script_files *files,
		     char *why) MUST_USE;
void script_code_free(struct script_code *code);
const char *script_code_path(const struct script_code *code);

/* ---- states ---- */

struct script_limits {
	uint64_t instructions; /* of a call; 0: no limit */
	uint64_t call_bytes;   /* that a call may add to the heap; 0: no limit */
	uint64_t heap_bytes;   /* of the state; 0: no limit */
};

struct script;
struct custom_metrics;
struct ipsets;
struct ipset_reader;
struct shelf;

/* For scripts that run in a thread of their own: a worker would be held up. */
struct script_caches {
	/* The record cache, or the table of servers, as bytes for free(): so many sets, so many bytes,
	 * 0: all.  *n: how many are in it.  On error one line in `why` (SCRIPT_WHY_MAX). */
	int (*dump)(void *ctx, bool servers, uint64_t sets, uint64_t bytes, char **out, size_t *len,
		    uint64_t *n, char *why);
	/* What such bytes hold and the caches have room for; *n: how many were taken. */
	int (*load)(void *ctx, const char *data, size_t len, uint64_t *n, char *why);
};

/* What a state may ask of whoever runs it.  Copied by script_new(); what it points to lives longer. */
struct script_host {
	void *ctx;
	unsigned thread;             /* the worker's index */
	bool is_trial;               /* nothing outside of the state may change */
	struct counters *counters;   /* calls, errors, overruns, time are counted here; or NULL */
	_Atomic uint64_t *most_heap; /* bytes: raised to what was in use; or NULL */
	const char *config_dir, *config_name;
	struct custom_metrics *metrics;    /* of getMetric(): all workers' */
	struct ipsets *ipsets;             /* NULL: there are none */
	struct ipset_reader *ipset_reader; /* used by hooks, not while the body runs */
	struct shelf *shelf;           /* of lists of names and rate limits; NULL: there are none */
	uint64_t (*now_ns)(void *ctx); /* monotonic */
	void (*wall)(void *ctx, int64_t *s, int32_t *us);
	void (*random)(void *ctx, void *buf, size_t len);
	/* A line of pdnslog(), or an error of a hook; NULL: to the log. */
	void (*log)(void *ctx, int level, const char *text);
	void (*print)(void *ctx, const char *text, size_t len);     /* NULL: the standard output */
	bool (*stat)(void *ctx, const char *name, uint64_t *value); /* NULL: none is known */
	/* How many labels at the end of a name (lower case) are its registrable domain; NULL: two. */
	unsigned (*registrable)(void *ctx, const uint8_t *name);
	const struct script_caches *caches; /* NULL: a worker's, or a trial's */
	/* Runs the script `path` in a thread of its own; on error one line in `why`
	 * (SCRIPT_WHY_MAX).  NULL: it may not. */
	int (*spawn)(void *ctx, const char *path, char *why);
	/* Asked every thousand instructions or so: true ends the call with an error.  NULL: never. */
	bool (*must_end)(void *ctx);
	/* Nobody uses it any more, and script_free() is due, at leisure.  NULL: it is freed at once. */
	void (*retired)(void *ctx, struct script *s);
};

/* Makes a state and runs the script in it.  One reference.  `why` has file:line.  E_MALFORMED,
 * E_LIMIT (it ran too long or took too much), E_NOMEM. */
int script_new(struct script **out, const struct script_code *code,
	       const struct script_limits *limits, const struct script_host *host,
	       char *why) MUST_USE;
struct script *script_get(struct script *s);
void script_put(struct script *s); /* accepts NULL */
/* For who was told of a retired one. */
void script_free(struct script *s);
/* Other limits for the calls from now on. */
void script_configure(struct script *s, const struct script_limits *limits);
size_t script_bytes(const struct script *s);

bool script_has(const struct script *s, enum hook hook);
/* Is there any that is called for a query which is resolved? */
bool script_has_query_hooks(const struct script *s);

/* ---- calls ---- */

enum script_verdict {
	SCRIPT_PASS,  /* as if there were no hook; also when it failed */
	SCRIPT_TAKEN, /* q->answer is changed, and is the client's answer; look at its followup */
	SCRIPT_DROP,  /* no answer; also when a classic hook failed */
	SCRIPT_KILL,  /* preoutquery: the client's query ends, with SERVFAIL */
};

/* What a call of any hook came to, for who wants to know more. */
struct script_outcome {
	bool failed;
	uint64_t ns;
	char why[SCRIPT_WHY_MAX]; /* file:line and what, when it failed */
};
/* Of the last call; borrowed. */
const struct script_outcome *script_outcome(const struct script *s);

/* True: drop it.  Looks at addresses and the header's WIRE_HEADER_LEN bytes, nothing else. */
bool script_ipfilter(struct script *s, const struct addr *remote, const struct addr *local,
		     const uint8_t *header, bool tcp);

/* Fills in tag, policy tags, data and the ids of q. */
void script_gettag(struct script *s, struct hook_query *q);

/* prerpz, preresolve, nxdomain, noerror, nodata, postresolve, preoutquery. */
enum script_verdict script_call(struct script *s, enum hook hook, struct hook_query *q);

/* The udpCallback that q->answer names, with q->udp_answer. */
enum script_verdict script_callback(struct script *s, struct hook_query *q);

void script_maintain(struct script *s);

/* Calls the global function `name` without arguments.  E_NOT_FOUND: there is none.  E_MALFORMED,
 * E_LIMIT: one line in `why` (SCRIPT_WHY_MAX). */
int script_run(struct script *s, const char *name, char *why) MUST_USE;

/* The query ends: what it had of the state is given back, q->script too. */
void script_query_end(struct hook_query *q);

/* Hooks, objects, functions and constants as mdoc, for recursor-lua(7). */
void script_print_mdoc(FILE *f);

#endif
