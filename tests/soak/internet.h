/*
 * internet: a small random Internet: zones with their records, the hosts that serve them, and
 * what is wrong with some of those; and the truth: what is at a name, as its zone says.
 *
 *     zone --- NS names --- hosts        an NS name's addresses stand in some zone, too
 *
 * What is so changes at times: zones are taken back by their parents, move to other servers, get
 * other records.  Each state is an *epoch*, kept to the end; one of them is in use at a time, and
 * all functions here speak of that.  Whatever the resolver says of a name can so be held against
 * the truth of a time at which it may have learnt it (change.c).  Or how zones are signed changes, and
 * nothing else: keys roll over, chains and algorithms change (rollover.c).
 *
 * A zone is *trusted* when nobody who lies could have a say in it: no host that serves it, none
 * of a zone above it, and none of the zones of its name servers' names.
 * It is *sound* when everything on the way to it works: every server answers, perhaps not at the
 * first attempt.  Questions about sound zones must succeed.
 * It is *reachable* when of the servers that its parent names one works, whatever the others are.
 * Questions about reachable zones must succeed unless a limit ends them.
 *
 * Many zones are signed (tests/signer), some wrongly.  What a validator must find of a zone or a name
 * is its *finding*.  A zone is *shielded* when not even a liar can have a validator believe that
 * something of it is not signed.  For who asks for validated data it has to be *proved* sound or
 * reachable, too: its servers give signatures, and so do those of the zones above it.
 *
 * Memory:  all within struct internet; making another reuses it.
 */
#ifndef SOAK_INTERNET_H
#define SOAK_INTERNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/name.h"
#include "common/rrset.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "tests/signer/zone.h"
#include "tests/soak/rng.h"

enum {
	ZONES_MAX = 16,
	ZONE_NS_MAX = 6,
	HOSTS_MAX = 12,
	NS_NAMES_MAX = 48,
	SETS_MAX = 2048,
	RECORDS_MAX = 4096,
	ARENA_MAX = 256 * 1024,
	SET_NONE = 0xffff,
	EPOCHS_MAX = 12,
	SERVER_PORT = 53,
	SIGNED_KEYS_TTL = 3600, /* of DNSKEY and DS sets */
	HOST_NETWORKS = 100,    /* the first host's, 10.100.0.1 and fd00:0064::1 */
};

/* Records of one owner and type. */
struct model_set {
	const uint8_t *owner; /* lower case */
	uint32_t ttl;
	uint16_t type;
	uint16_t first, n; /* of internet.records */
	uint16_t next;     /* the zone's next set, or SET_NONE */
	uint8_t fault;     /* enum sign_fault: of its signatures */
};

/* What a validator makes of it. */
enum finding { FIND_INSECURE, FIND_SECURE, FIND_BOGUS, FIND_ANYTHING };

struct ns_host {
	const uint8_t *name;
	uint8_t zone; /* where its addresses stand */
	uint8_t host;
};

struct zone {
	const uint8_t *apex;
	uint8_t labels;
	uint8_t parent; /* the root's is itself */
	uint8_t n_ns, n_parent_ns;
	uint8_t ns[ZONE_NS_MAX];        /* what the zone says */
	uint8_t parent_ns[ZONE_NS_MAX]; /* what its parent says, mostly the same */
	uint32_t ns_ttl;
	uint16_t first_set;
	bool gives_glue;   /* for names of the parent's other zones, too */
	bool denies_empty; /* says NXDOMAIN of empty non-terminals */
	bool old_glue;     /* its parent knows one address too many for the first name server */
	bool gone;         /* its parent has taken it back */
	bool is_signed;    /* it has keys, and signatures if asked for */
	bool has_ds;       /* that lead to them */
	bool is_anchor;    /* the resolver knows its keys */
	bool is_nta;       /* the resolver is not to validate it */
	uint8_t digest;    /* of its DS records */
	struct sign_use zsk, ksk; /* the latter does both when there is one key */
	enum finding finding;
	bool shielded;
	bool trusted, sound, reachable, proved_sound, proved_reachable;
	uint8_t depth; /* sub-questions within sub-questions on the way to it */
	uint16_t cost; /* questions, at most, with an empty cache and nothing lost */
};

enum fate {
	FATE_SOUND, /* answers, with habits of its own */
	FATE_SHAKY, /* has faults */
	FATE_LIAR,
};

enum edns_habit { EDNS_WORKS, EDNS_FORMERR, EDNS_FORMERR_HEADER, EDNS_IGNORED, EDNS_DROPPED };
enum tcp_habit { TCP_WORKS, TCP_CLOSED, TCP_SILENT };
enum lame_habit { LAME_REFUSED, LAME_SERVFAIL, LAME_UPWARD, LAME_EMPTY, LAME_SELF, LAME_HABITS };
enum cut { CUT_SILENT, CUT_UNREACHABLE, CUT_UNROUTED, CUTS };
enum outage { OUTAGE_SILENT, OUTAGE_UNREACHABLE, OUTAGE_REFUSED, OUTAGES };

struct host {
	enum fate fate;
	bool has_v4, has_v6;
	/* bits: zones that it does not serve any more, and answers for as it did in an epoch */
	uint32_t ghosts;
	unsigned stuck;

	/* habits: a resolver must live with them */
	enum edns_habit edns;
	enum lame_habit lame;
	bool lowers_case; /* of the question */
	bool no_soa;      /* in its denials */
	bool talks;       /* adds NS and addresses to every answer */
	bool follows_all; /* aliases through all its zones, not only within one */
	bool truncates;   /* everything over UDP */
	bool compresses;  /* names in rdata, too */
	unsigned delay_ms;
	bool loses_now_and_then; /* but not the same question twice */
	bool oblivious;          /* gives no signatures: older than DNSSEC */

	/* faults */
	enum tcp_habit tcp;
	unsigned loss, garbage, cut, bad_rcode, no_aa, wrong_id, late; /* in 100 */
	unsigned corrupt;                                              /* signatures */
	uint64_t out_from_us, out_until_us;                            /* an outage */
	enum outage outage;

	uint64_t lost[16]; /* questions lost once, by hash */
};

struct epoch {
	uint64_t from_us;
	uint8_t changed; /* the zone that is different since then */
	struct zone zones[ZONES_MAX];
	struct sign_policy policies[ZONES_MAX];
	struct ns_host ns[NS_NAMES_MAX];
	uint32_t serves[HOSTS_MAX]; /* bits: zones */
};

/* How long anything is believed, at most: the largest in force so far. */
struct belief {
	uint32_t min_ttl, max_ttl, stale_s;
};

struct internet {
	struct epoch epochs[EPOCHS_MAX];
	unsigned n_epochs;
	/* of the epoch in use: */
	struct zone *zones;
	struct sign_policy *policies;
	struct ns_host *ns;
	uint32_t *serves;
	struct belief belief;
	bool only_rolls;          /* nothing has changed but how zones are signed */
	uint64_t astray_until_us; /* caches may have what a hasty signer did */
	bool renumbered;          /* a name server has got another address */
	struct host hosts[HOSTS_MAX];
	unsigned n_zones, n_ns, n_hosts;
	uint32_t sign_life_s[ZONES_MAX]; /* of signatures, which are then renewed; 0: for ever */
	struct model_set sets[SETS_MAX];
	unsigned n_sets;
	struct rdata records[RECORDS_MAX];
	unsigned n_records;
	size_t arena_len;
	uint64_t cut_until_us; /* nobody can be reached until then: */
	enum cut cut;          /* all are silent, or what the kernel says */
	bool calm;             /* faults are over; habits and lies stay */
	uint64_t last_loss_us;
	uint8_t arena[ARENA_MAX];
};

/* What the resolver was told that decides which hosts it can reach, and how it asks. */
struct reach {
	bool use_ipv4, use_ipv6;
};

void internet_make(struct internet *net, uint64_t seed);

/* Speaks of another epoch from now on. */
void internet_use(struct internet *net, unsigned epoch);
static inline void internet_use_latest(struct internet *net)
{
	internet_use(net, net->n_epochs - 1);
}

/* ---- change.c ---- */

/* The zone that was changed last. */
static inline unsigned internet_changed(const struct internet *net)
{
	return net->epochs[net->n_epochs - 1].changed;
}

/* Something is different from now on, and an epoch begins; false: there is no room for more. */
bool internet_change(struct internet *net, struct rng *r, const struct reach *reach,
		     uint64_t now_us);
/* May what was learnt of the name at `at_us` be of the epoch in use?  For a while after its end: as
 * long as the delegations that led there may be believed. */
bool epoch_counts(const struct internet *net, const uint8_t *name, uint64_t at_us);

/* Finds out which zones are trusted, sound, and what they cost. */
void internet_judge(struct internet *net, const struct reach *reach);

/* The address of family 4 or 6 of a host; false: it has none of that family. */
bool host_addr(const struct internet *net, unsigned host, unsigned family, struct addr *out);
/* The host at an address, or -1. */
int host_find(const struct internet *net, const struct addr *a);
/* Addresses that only liars give away. */
bool addr_is_evil(const struct addr *a);
/* Those that random records have. */
bool addr_is_of_records(const struct addr *a);
/* Where no server is any more: glue that a parent has too many. */
void addr_old(const struct internet *net, const struct zone *z, struct addr *out);
bool addr_is_old(const struct addr *a);

/* ---- signed.c ---- */

/* The zone with its signatures; NULL: it has none. */
struct signed_zone *signed_of(const struct internet *net, const struct zone *z);
/* The time of day at which servers are asked: some sign for a short time only. */
void signed_at(uint32_t now_s);
/* Frees them. */
void signed_forget(void);
/* Adds the zone to where trust begins, or does not. */
int signed_anchor(const struct internet *net, const struct zone *z, struct anchors *a) MUST_USE;
/* Finds out what a validator must find. */
void signed_judge(struct internet *net);

/* ---- print.c ---- */

void internet_print(FILE *f, const struct internet *net);

/* ---- truth.c ---- */

enum truth_kind {
	TRUTH_DATA,
	TRUTH_CNAME,
	TRUTH_DNAME,
	TRUTH_NODATA,
	TRUTH_NXDOMAIN,
	TRUTH_REFERRAL, /* only of truth_in_zone() */
};

struct truth {
	enum truth_kind kind;
	const struct zone *zone;     /* that says so */
	const struct model_set *set; /* DATA, CNAME, DNAME */
	const struct zone *child;    /* REFERRAL */
	bool empty;                  /* NODATA: an empty non-terminal */
	bool is_wildcard;            /* a wildcard stands in for the name */
};

/* The zone that a name is in: the deepest; a DS is its parent's (RFC 4035 3.1.4.1).  `mask`: only
 * zones whose bit is set; NULL: none holds it. */
const struct zone *zone_of(const struct internet *net, const uint8_t *name, uint16_t type,
			   uint32_t mask);

/* What a server of `z` says of a name in it (RFC 1034 4.3.2). */
void truth_in_zone(const struct internet *net, const struct zone *z, const uint8_t *name,
		   uint16_t type, struct truth *out);

/* What is so. */
void truth_of(const struct internet *net, const uint8_t *name, uint16_t type, struct truth *out);

/* The target of an alias found for `name`; false: it is too long to be a name. */
bool truth_target(const struct internet *net, const struct truth *t, const uint8_t *name,
		  uint8_t out[NAME_MAX_LEN]);

/* What a validator must find of it, when it is not lied to. */
enum finding finding_of(const struct internet *net, const struct truth *t, const uint8_t *name,
			uint16_t type);
/* Must a validator believe nothing else, whoever lies? */
bool is_protected(const struct internet *net, const struct truth *t, const uint8_t *name,
		  uint16_t type);

/* Has the set exactly these records? */
bool truth_has(const struct internet *net, const struct model_set *m, const struct rrset *s);

static inline const struct rdata *model_record(const struct internet *net,
					       const struct model_set *m, unsigned i)
{
	return &net->records[m->first + i];
}

#endif
