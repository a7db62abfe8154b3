/*
 * psl: the registrable domain of a name: its public suffix (publicsuffix.org) and one label more.
 *
 *     psl_registrable(p, "www.example.co.uk") == 3, and
 *     name_suffix(name, 3) is example.co.uk
 *
 * libpsl knows the rules.  They come from a file, or are the newer of the distribution's own
 * (Debian's package publicsuffix) and what libpsl was built with.
 *
 * PowerDNS's grouping (top-pub-*, getregisteredname) is followed: a name of two labels or fewer
 * stays as it is, even if it is a suffix; a name that is itself a suffix of three labels or more
 * comes back whole; where no rule matches, the last two labels are taken.  Where PowerDNS looks
 * whole entries up and so misses wildcards (`*.ck`) and exceptions (`!www.ck`), they hold here.
 *
 * Owns:    the rules.  Counted: psl_get(), psl_put(); read-only once made.
 * Limits:  only the last PSL_LABELS_MAX labels can be a suffix; a file has CONF_FILE_MAX bytes.
 * Cost:    a question of libpsl for each label but the last, about 1 us each.  Who asks for each
 *          query brings a memo, and most questions are spared by psl_filter.h where the list was read
 *          as text and leaves no doubt: a random name below a domain seen of late costs a hash.
 * Threads: any number may share a psl; a memo is one thread's.
 */
#ifndef COMMON_PSL_H
#define COMMON_PSL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { PSL_LABELS_MAX = 8 };

struct psl;

/* `path`: a list in text form; "": the distribution's or libpsl's own.  On error one line in `why`, without the
 * path: E_SYSTEM (errno set), E_NOT_FILE, E_TOO_LONG, E_MALFORMED (no rule in it), E_NOMEM. */
int psl_new(struct psl **out, const char *path, char *why, size_t why_cap) MUST_USE;
struct psl *psl_get(struct psl *p); /* another reference */
void psl_put(struct psl *p);        /* accepts NULL */

/* How many labels at the end of `name` are its registrable domain: for name_suffix(). */
unsigned psl_registrable(const struct psl *p, const uint8_t *name);

/* What was found of late: direct-mapped, 32 KB.  It may be asked about another psl at any time: it
 * then begins anew. */
struct psl_memo;

int psl_memo_new(struct psl_memo **out) MUST_USE;
void psl_memo_free(struct psl_memo *m); /* accepts NULL */
/* The same as psl_registrable(), with the name's name_hash() at hand. */
unsigned psl_registrable_memo(struct psl_memo *m, const struct psl *p, const uint8_t *name,
			      uint64_t hash);

#endif
