/*
 * luaconfig: lua-config-file, a script of functions that configure, run once and forgotten.
 *
 *     addTA("example.com", "44030 8 2 D4C3...")        addDS() is the same
 *     clearTA("example.com"), clearTA()                clearDS() too
 *     addNTA("example.net", "their DS is wrong")
 *     clearNTA("example.net"), clearNTA()
 *     readTrustAnchorsFromFile("/usr/share/dns/root.key", 24)
 *     zoneToCache(".", "axfr", "192.0.2.1", { zonemd = "require" })
 *     pdnslog("text", pdns.loglevels.Warning)
 *
 * PowerDNS's other functions of that file are known by name: a line says that they do nothing here,
 * once for each.  It may be run as root, and so it gets nothing that writes, runs programs or loads
 * C: of Lua's libraries base, string, table, math, utf8, coroutine and the clock's part of os.
 *
 * Limits:  LUACONFIG_INSTRUCTIONS and LUACONFIG_BYTES; the file, CONF_FILE_MAX.
 * Threads: any, each with a state of its own.
 */
#ifndef POLICY_LUACONFIG_H
#define POLICY_LUACONFIG_H

#include <stdint.h>

#include "common/err.h"

enum {
	LUACONFIG_WHY_MAX = 512,
	LUACONFIG_SOURCES_MAX = 8, /* of a zoneToCache() */
	LUACONFIG_INSTRUCTIONS = 100 * 1000 * 1000,
	LUACONFIG_BYTES = 64 << 20,
};

/* zoneToCache()'s words, borrowed for the call; NULL: there is none. */
struct luaconfig_copy {
	const char *zone, *method;
	const char *source; /* several: with a space between them */
	unsigned sources;
	const char *tsig_name, *tsig_algorithm, *tsig_secret, *local_address;
	const char *zonemd, *dnssec;
	uint32_t timeout_s, refresh_s, retry_s, max_megabytes;
};

/* Who is told.  An error's words go to `why` (LUACONFIG_WHY_MAX), and end the script. */
struct luaconfig {
	void *ctx;
	int (*add_ta)(void *ctx, const char *zone, const char *ds, char *why);
	int (*clear_ta)(void *ctx, const char *zone, char *why); /* NULL: all */
	int (*add_nta)(void *ctx, const char *zone, const char *reason, char *why);
	int (*clear_nta)(void *ctx, const char *zone, char *why);
	int (*read_file)(void *ctx, const char *path, uint32_t hours, char *why);
	int (*add_copy)(void *ctx, const struct luaconfig_copy *copy, char *why);
	void (*log)(void *ctx, int level, const char *line);
};

/* On error one line in `why` (LUACONFIG_WHY_MAX) that begins with file:line where it is the script's.
 * E_SYSTEM, E_NOT_FILE (it cannot be read), E_MALFORMED (the script), E_LIMIT, E_NOMEM. */
int luaconfig_run(const char *path, const struct luaconfig *to, char *why) MUST_USE;

#endif
