/*
 * api_call: asks an endpoint of the HTTP API as a client would, without HTTP: a method, a path with its
 * parameters (not decoded), a body.
 */
#ifndef UNIT_API_CALL_H
#define UNIT_API_CALL_H

#include <jansson.h>

#include "recursor/watch/env.h"

enum { API_CALL_PARAMETERS_MAX = 16 };

/* The status; the reply's JSON is the caller's to json_decref(), NULL when it has none.  404: there is
 * no such path; 405: not with this method; 400: the body is no JSON. */
unsigned api_call(const struct watch_env *env, const char *method, const char *target,
		  const char *body, json_t **out);

#endif
