/*
 * copyplan: which zones the operator wants copies of, and how: zoneToCache() of lua-config-file.
 *
 *     zoneToCache(".", "axfr", "192.0.32.132", { zonemd = "require", dnssec = "require" })
 *     zoneToCache(".", "axfr", { "192.0.32.132", "2620:0:2d0:202::132" })
 *     zoneToCache(".", "file", "/var/lib/recursor/root.zone", { refreshPeriod = 3600 })
 *
 * Names and defaults are PowerDNS's.  The method "url" is known, and refused with a line that says what does
 * it: a download has its own program, which a timer runs, and "file" reads what it wrote.
 *
 * Memory:  a list is its owner's; the plans in it are plain data.
 * Limits:  COPIES_MAX zones, COPY_PRIMARIES_MAX servers of each.
 * Threads: one at a time.
 */
#ifndef RECURSOR_COPYPLAN_H
#define RECURSOR_COPYPLAN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"
#include "recursor/policy/luaconfig.h"
#include "recursor/resolve/copies.h"
#include "recursor/resolve/copycheck.h"
#include "recursor/resolve/dnssec/tsig.h"

enum { COPY_PRIMARIES_MAX = LUACONFIG_SOURCES_MAX };

struct copy_plan {
	uint8_t zone[NAME_MAX_LEN]; /* lower case */
	bool is_file;
	char source[PATH_MAX]; /* as written */
	struct addr primaries[COPY_PRIMARIES_MAX];
	unsigned n_primaries;
	struct addr local;    /* family 0: none is given */
	struct tsig_key tsig; /* ->secret_len 0: none */
	uint32_t timeout_s, refresh_s, retry_s;
	size_t max_bytes;
	enum copy_wish zonemd, dnssec;
};

struct copyplans {
	size_t n;
	struct copy_plan *plans;
};

/* E_MALFORMED, E_LIMIT, E_EXISTS, E_UNSUPPORTED, E_NOMEM: what is wrong stands in `why`
 * (LUACONFIG_WHY_MAX). */
int copyplans_add(struct copyplans *to, const struct luaconfig_copy *wanted, char *why) MUST_USE;
void copyplans_clear(struct copyplans *p);

#endif
