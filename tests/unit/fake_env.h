/*
 * fake_env: a running daemon as the rooms of watch/ see it, without threads and sockets: real
 * caches, server table and resolvers, two workers that are visited in place, clocks that stand
 * still.  No server can be reached, or, when `deaf`, none ever answers.
 */
#ifndef UNIT_FAKE_ENV_H
#define UNIT_FAKE_ENV_H

#include "recursor/settings/settings.h"
#include "recursor/watch/env.h"
#include "recursor/watch/query_log.h"

enum { FAKE_WORKERS = 2, FAKE_WALL_S = 1700000000, FAKE_NOW_MS = 65000, FAKE_RING_ENTRIES = 100 };

struct fake_env {
	struct watch_env env;
	struct counters counters[FAKE_WORKERS];
	counter *qtypes[FAKE_WORKERS], *sizes[FAKE_WORKERS];
	struct packetcache *packetcache[FAKE_WORKERS];
	struct trace_rule *trace_rule[FAKE_WORKERS];
	struct query_rules query_rules[FAKE_WORKERS];
	struct resolver *resolver[FAKE_WORKERS];
	struct ipsets *ipsets; /* with one named "known" */
	struct ipset *known;
	bool is_stopped[FAKE_WORKERS];
	bool deaf;
	bool idle; /* nothing is in flight */
	uint64_t draining_since_ms;
	uint64_t patience_ms;              /* a question is answered after so long; 7000 */
	bool is_rootless;                  /* the root's name servers were not fetched */
	struct rings *rings[FAKE_WORKERS]; /* FAKE_RING_ENTRIES of each */
	struct costs *costs[FAKE_WORKERS]; /* FAKE_RING_ENTRIES in each slot */
	struct psl *psl;                   /* the system's */
	bool refuses;                      /* a change or reload of settings */
	char warns[128];                   /* of one that is not refused, if there is anything */
	char changed[256];                 /* what was changed or reloaded last */
	char hidden[256];                  /* the value of stats-carbon- and -api-disabled-list */
	char dont_throttle[256];           /* the value of both settings of that name */
	struct settings *settings;         /* fake_env_configure(); else NULL */
	/* 1 MB each */
	struct recorder *recorder[FAKE_WORKERS];
	char config_dir[256];
	struct zones *zones;
	struct anchors *anchors;              /* the root's */
	char client;                          /* its address is the ctx of a client's request */
	_Atomic unsigned quits, quits_nicely; /* from the control server's threads */
	_Atomic unsigned visits;
	const char *x_dnssec_names;        /* the setting's value; NULL: there is none */
	_Atomic unsigned x_dnssec_lookups; /* how often it was read */
};

/* From now on all have one public suffix list, never freed: to read it takes longer than all else of a fake
 * daemon, and fuzzers make many. */
void fake_env_keep_suffixes(void);
void fake_env_open(struct fake_env *f);
void fake_env_close(struct fake_env *f);

/* Has the settings and zones that `dir`/recursor.conf and what it includes say, and reads them anew
 * at each reload. */
void fake_env_configure(struct fake_env *f, const char *dir);

/* A set of one record in the record cache; `rdata` as it stands in a message. */
void fake_env_put(struct fake_env *f, const char *name, uint16_t type, uint32_t ttl, enum rank rank,
		  const void *rdata, size_t len);
void fake_env_put_negative(struct fake_env *f, enum rrset_kind kind, const char *name,
			   uint16_t type, uint32_t ttl);
/* An answer in a worker's packet cache. */
void fake_env_put_packet(struct fake_env *f, unsigned worker, const char *name, uint16_t type,
			 uint32_t ttl, bool tcp);

/* Runs a command line as the socket would; the reply's text is the caller's to free. */
char *fake_env_say(struct fake_env *f, const char *line, int file, int *status);

#endif
