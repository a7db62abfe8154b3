/*
 * past: what the flight recorders (recorder.h) of all workers keep, read after the event: the
 * command `explain ... --past` and the API.
 *
 *     struct past_query q = { 0 };
 *     past_query_set(&q, "name", "www.example.com", why);     as often as there are parameters
 *     json = past_json(env, &q);
 *
 * Threads: any but a worker's; workers are visited, each visit for a few stories.
 */
#ifndef WATCH_PAST_H
#define WATCH_PAST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/recorder.h"

enum {
	PAST_LIMIT = 20,
	PAST_LIMIT_MOST = 1000,
	PAST_STEPS_MAX = 262144, /* bytes of steps, of all stories of a reply */
	PAST_WHY_MAX = 256,
};

/* What is asked for; zeroed: the last PAST_LIMIT stories of all kinds. */
struct past_query {
	bool has_name, below;
	uint8_t name[NAME_MAX_LEN];
	uint16_t type; /* 0: any */
	uint8_t kinds; /* bits, 1 << enum recorder_kind; 0: all */
	struct addr client;
	unsigned client_bits;
	size_t limit; /* 0: PAST_LIMIT */
};

/* Parameters: name (with a final $: and all names below), type, client (ADDRESS or ADDRESS/BITS),
 * kind (failed, slow or refused; several times or with commas: any of them), limit.  E_NOT_FOUND: no
 * such parameter.  On error one line in `why`. */
int past_query_set(struct past_query *q, const char *parameter, const char *value,
		   char why[PAST_WHY_MAX]) MUST_USE;

/* {"stories": [...], "is-on": true, "is-cut": false}: the latest that match, the newest first, with
 * their steps when a name was asked for or `with_steps`; is-cut: without older ones, whose steps would
 * have been more than PAST_STEPS_MAX.  NULL: no memory. */
json_t *past_json(const struct watch_env *env, const struct past_query *q, bool with_steps);

/* explain ... --past; the rest of explain's words are in `call`. */
int past_command(struct command_call *call);

#endif
