/*
 * api_zone: a zone as a client of the API describes it, and the files that say the same to the daemon.
 *
 *     {"name": "example.com.", "kind": "Forwarded", "servers": ["192.0.2.1"], "recursion_desired": true}
 *
 * becomes zone-example.com..conf with a line `forward-zones-recurse+=example.com.=192.0.2.1:53`.
 *
 * What a client says never goes into a file as it came: a name is read, limited to letters, digits and
 * `-_./`, and printed again; an address too.  Nothing of what is left can end a line, a value of a list
 * or a record (CVE-2017-15093).
 */
#ifndef WATCH_WEB_API_ZONE_H
#define WATCH_WEB_API_ZONE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"
#include "recursor/resolve/zones.h"
#include "recursor/watch/web/api_files.h"

struct api_zone {
	uint8_t name[NAME_MAX_LEN]; /* lower case */
	bool is_forward, recurse, notify;
	struct addr servers[ZONES_SERVERS_MAX];
	size_t n_servers;
	struct addr target; /* family 0: none */
};

/* `name`: the zone's, or NULL when the body has to say it.  One line in `why` (ENV_WHY_MAX). */
int api_zone_read(struct api_zone *z, const json_t *body, const uint8_t *name, char *why) MUST_USE;

/* Writes its files, and removes the one that it has not. */
int api_zone_write(const struct api_zone *z, struct api_files *f, char *why) MUST_USE;
/* Did the API write this one? */
bool api_zone_is_ours(const struct api_files *f, const uint8_t *name);
int api_zone_remove(const uint8_t *name, struct api_files *f, char *why) MUST_USE;

/* Is it that which is configured? */
bool api_zone_is(const struct api_zone *z, const struct configured_zone *configured);

#endif
