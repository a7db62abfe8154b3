/*
 * endpoint: what can be asked over HTTP (the table: endpoint_table.h), apart from how it travels.
 *
 *     struct endpoint_match m;
 *     endpoint_find(&m, "GET", path, room);         a row, or why there is none
 *     struct endpoint_call c = { .env = env, .method = ..., .args = m.args, ... };
 *     m.endpoint->run(&c);
 *     ... send c.status with c.json, or c.text as c.content_type ...
 *     endpoint_call_free(&c);
 *
 * Paths:   a row's path has `<>` where any one part may stand; what stood there comes as args[].
 *          A row whose path begins with /servers is served below /api/v1 too, which is where 4.0 and
 *          later have it; `old_path` says that it was asked for as 3.7 did.
 * A reply: either `json` or `text`, both the call's to free; neither is an empty body.  `status` 0
 *          means 200.
 *
 * Threads: several of the web server's at once.  A handler may wait, and run long; one of a row that
 *          is ENDPOINT_OPEN is run by the thread that moves the bytes, and may do neither.  No
 *          worker is held longer than 1 ms: long work is done in slices (env.h).
 */
#ifndef WATCH_WEB_ENDPOINT_H
#define WATCH_WEB_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum { ENDPOINT_ARGS_MAX = 2, ENDPOINT_PATH_MAX = 1024 };

enum endpoint_auth {
	ENDPOINT_OPEN,            /* anybody who may connect */
	ENDPOINT_PASSWORD,        /* webserver-password; anybody when it is empty */
	ENDPOINT_KEY,             /* api-key; nobody when it is empty */
	ENDPOINT_KEY_OR_PASSWORD, /* either */
};

/* Of the query string: decoded, without zero bytes. */
struct endpoint_parameter {
	const char *name, *value;
};

struct endpoint_call {
	const struct watch_env *env;
	const char *method; /* as in the row: HEAD comes as GET */
	const char *args[ENDPOINT_ARGS_MAX];
	bool old_path;
	json_t *body; /* a JSON object or array; NULL: none was sent */
	const struct endpoint_parameter *parameters;
	size_t n_parameters;
	int stop_fd; /* readable when the daemon ends: who waits for long, waits for it too; or -1 */
	/* the reply */
	unsigned status;
	json_t *json;
	char *text;
	size_t text_len;
	const char *content_type; /* of `text`; a constant.  NULL: plain text */
};

struct endpoint {
	const char *method, *path;
	enum endpoint_auth auth;
	int (*run)(struct endpoint_call *c); /* 0, or what endpoint_fail() returned */
	const char *help;
};

size_t endpoints_count(void);
const struct endpoint *endpoints_at(size_t i);
/* The rows as mdoc, for recursor-api(5). */
void endpoints_print_mdoc(FILE *f);

/* The value of a parameter, the first if there are several; NULL when it was not given. */
const char *endpoint_parameter(const struct endpoint_call *c, const char *name);

/* Makes {"error": "..."} the reply, in place of what was there.  Returns -1. */
int endpoint_fail(struct endpoint_call *c, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes `json` the reply; takes the reference.  NULL is want of memory: a 500. */
int endpoint_reply_json(struct endpoint_call *c, json_t *json);

/* Frees body and reply. */
void endpoint_call_free(struct endpoint_call *c);

struct endpoint_match {
	const struct endpoint *endpoint; /* NULL: see `methods` */
	bool old_path;
	const char *args[ENDPOINT_ARGS_MAX]; /* into `room` */
	char methods[64]; /* of the path: "GET, PUT"; "": there is no such path */
	char room[ENDPOINT_PATH_MAX];
};

/* `path` is decoded.  True when there is a row for it and the method.  m->methods is set in any
 * case. */
bool endpoint_find(struct endpoint_match *m, const char *method, const char *path);

#endif
