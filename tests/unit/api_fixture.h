/*
 * api_fixture: a daemon that is none (fake_env.h) with a directory for what the API writes, and the
 * last reply of the API; a suite's own, for each of its tests.
 */
#ifndef UNIT_API_FIXTURE_H
#define UNIT_API_FIXTURE_H

#include "api_call.h"
#include "api_dir.h"
#include "fake_env.h"

static struct fake_env fake;
static struct api_dir dir;
static json_t *reply;
static char *printed;

static void setup(void)
{
	api_dir_open(&dir);
	fake_env_open(&fake);
	fake_env_configure(&fake, dir.top);
}

static void teardown(void)
{
	json_decref(reply);
	reply = NULL;
	free(printed);
	printed = NULL;
	fake_env_close(&fake);
	api_dir_close(&dir);
}

/* The status. */
static unsigned ask(const char *method, const char *target, const char *body)
{
	json_decref(reply);
	return api_call(&fake.env, method, target, body, &reply);
}

/* The reply, in one line; "": there is none.  Borrowed until the next. */
static const char *text(void)
{
	free(printed);
	printed = json_dumps(reply, JSON_COMPACT | JSON_SORT_KEYS);
	return printed == NULL ? "" : printed;
}

static const char *error(void)
{
	const char *found = json_string_value(json_object_get(reply, "error"));

	return found == NULL ? "" : found;
}

#endif
