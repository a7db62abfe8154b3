/*
 * api_impl: what the handlers of the HTTP API (endpoint_table.h) share.  Private to api_*.c.
 */
#ifndef WATCH_WEB_API_IMPL_H
#define WATCH_WEB_API_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "common/name.h"
#include "recursor/resolve/zones.h"
#include "recursor/watch/web/endpoint.h"

/* What stands before /servers in the addresses of a reply: as it was asked. */
const char *api_prefix(const struct endpoint_call *c);

/* ---- zones and what they are called ---- */

/* A name as a part of a path and of a file's name: letters, digits, '.' and '-' stand for themselves,
 * what else its text has is =XX; the root is =2E. */
enum { API_ID_MAX = 3 * NAME_TEXT_MAX };
char *api_zone_id(char out[API_ID_MAX], const uint8_t *name);
/* The other way round, in lower case.  E_MALFORMED: not such an id, or no name. */
int api_zone_name(uint8_t out[NAME_MAX_LEN], const char *id) MUST_USE;

/* A zone as the API shows it; with its records, if they are wanted.  NULL: no memory. */
json_t *api_zone_json(const struct endpoint_call *c, const struct configured_zone *z,
		      bool with_records);

#endif
