/*
 * scenario: one `.rpl` file in memory: what the pretended servers of the Internet answer, what
 * the client asks, and what it must get.
 *
 * The format is Unbound's and Deckard's; what we add to it stands in scenarios/README.md.
 *
 * Memory:  scenario_free() frees everything; entries hold their message as an ldns_pkt.
 * Limits:  none: the files are ours or our neighbours', and a wrong one is refused by line.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ldns/ldns.h>

#include "common/addr.h"
#include "common/err.h"
#include "tools/lab/zone.h"

/* word, what must be equal for two messages to match; the second line is ours */
#define MATCH_TABLE(X)                                                                             \
	X(OPCODE, "opcode")                                                                        \
	X(RCODE, "rcode")                                                                          \
	X(QTYPE, "qtype")                                                                          \
	X(QNAME, "qname")                                                                          \
	X(QCASE, "qcase")                                                                          \
	X(SUBDOMAIN, "subdomain")                                                                  \
	X(FLAGS, "flags")                                                                          \
	X(ANSWER, "answer")                                                                        \
	X(AUTHORITY, "authority")                                                                  \
	X(ADDITIONAL, "additional")                                                                \
	X(EDNS, "edns")                                                                            \
	X(UDP, "udp")                                                                              \
	X(TCP, "tcp")                                                                              \
	X(HAS_EDNS, "has_edns")                                                                    \
	X(NO_EDNS, "no_edns")                                                                      \
	X(HAS_RD, "has_rd")                                                                        \
	X(NO_RD, "no_rd")                                                                          \
	X(TTL, "ttl")

/* word, how a stored answer is fitted to a question; from ID_ONLY on they are ours */
#define ADJUST_TABLE(X)                                                                            \
	X(COPY_ID, "copy_id")                                                                      \
	X(COPY_QUERY, "copy_query")                                                                \
	X(RAW_ID, "raw_id")                                                                        \
	X(SILENT, "do_not_answer")                                                                 \
	X(ID_ONLY, "id_only")                                                                      \
	X(WRONG_ID, "wrong_id")                                                                    \
	X(NO_OPT, "no_opt")                                                                        \
	X(UNREACHABLE, "unreachable")                                                              \
	X(CLOSE, "close")                                                                          \
	X(ZONE, "zone")

enum {
#define MATCH_BIT(name, word) MATCH_BIT_##name,
	MATCH_TABLE(MATCH_BIT)
#undef MATCH_BIT
#define ADJUST_BIT(name, word) ADJUST_BIT_##name,
		ADJUST_TABLE(ADJUST_BIT)
#undef ADJUST_BIT
};

enum match {
#define MATCH_ENUM(name, word) MATCH_##name = 1 << MATCH_BIT_##name,
	MATCH_TABLE(MATCH_ENUM)
#undef MATCH_ENUM
		MATCH_QUESTION = MATCH_QTYPE | MATCH_QNAME,
	MATCH_ALL = MATCH_OPCODE | MATCH_QUESTION | MATCH_FLAGS | MATCH_RCODE | MATCH_ANSWER |
		    MATCH_AUTHORITY | MATCH_ADDITIONAL,
};

enum adjust {
#define ADJUST_ENUM(name, word) ADJUST_##name = 1 << ADJUST_BIT_##name,
	ADJUST_TABLE(ADJUST_ENUM)
#undef ADJUST_ENUM
};

struct entry {
	unsigned line;
	unsigned match;    /* enum match */
	unsigned adjust;   /* enum adjust */
	unsigned delay_ms; /* added to the network's own */
	unsigned spoofs;   /* packets with a wrong id that come first */
	bool mandatory;
	unsigned used;
	unsigned uses_max; /* 0: no limit */
	unsigned ttl;      /* of all records of a zone's answer */
	unsigned ttl_line; /* where that is said; 0: nowhere */
	ldns_pkt *pkt;
	uint8_t *raw;
	size_t raw_len;
};

struct range {
	unsigned line;
	unsigned first, last;
	struct addr *addrs;
	size_t n_addrs;
	bool everywhere; /* ADDRESS * */
	char *generate;  /* the name of a programmed server and its arguments, or NULL */
	struct entry **entries;
	size_t n_entries;
	struct zone **zones; /* speak when no entry fits */
	size_t n_zones;
};

#define STEP_TABLE(X)                                                                              \
	X(QUERY, "QUERY", true)                                                                    \
	X(CHECK_ANSWER, "CHECK_ANSWER", true)                                                      \
	X(TIME_PASSES, "TIME_PASSES", false)                                                       \
	X(REPLY, "REPLY", true)                                                                    \
	X(CHECK_OUT_QUERY, "CHECK_OUT_QUERY", true)                                                \
	X(PRIME, "PRIME", false)                                                                   \
	X(CLOCK, "CLOCK", false)                                                                   \
	X(WIPE, "WIPE", false)                                                                     \
	X(NETWORK, "NETWORK", false)                                                               \
	X(POLICY, "POLICY", true)                                                                  \
	X(CHECK_ASKED, "CHECK_ASKED", false)                                                       \
	X(CHECK_COUNTER, "CHECK_COUNTER", false)                                                   \
	X(CHECK_COST, "CHECK_COST", false)                                                         \
	X(CHECK_EDE, "CHECK_EDE", false)                                                           \
	X(CHECK_EVENT, "CHECK_EVENT", false)

enum step_kind {
#define STEP_ENUM(name, word, has_entry) STEP_##name,
	STEP_TABLE(STEP_ENUM)
#undef STEP_ENUM
		STEP_KINDS
};

const char *step_word(enum step_kind kind);

struct step {
	unsigned line;
	unsigned number;
	enum step_kind kind;
	char *argument; /* what follows the kind, blanks trimmed */
	struct entry *entry;
};

struct header_key {
	unsigned line;
	char *name, *value; /* quotes taken off */
};

struct scenario {
	char *path;
	char *name; /* the file's name without directory and suffix */
	char *title;
	struct header_key *options;
	size_t n_options;
	struct range *ranges;
	size_t n_ranges;
	struct step *steps;
	size_t n_steps;
};

enum { SCENARIO_WHY_MAX = 512 };

/* Reads a file.  E_SYSTEM, E_MALFORMED, E_NOMEM with one line in `why`. */
int scenario_read(struct scenario **out, const char *path, char why[SCENARIO_WHY_MAX]) MUST_USE;
void scenario_free(struct scenario *s);

/* The last value of a header key, or NULL. */
const char *scenario_option(const struct scenario *s, const char *name);

/* As the player does before each run. */
void scenario_reset(struct scenario *s);

#endif
