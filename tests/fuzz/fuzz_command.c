/*
 * A request of the control socket, from any bytes: read, run on empty caches without workers, and
 * answered.  What is asked for in JSON is answered in JSON.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/ctl.h"
#include "recursor/watch/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "threads") == 0 ? strdup("2") : NULL;
}

static int change(void *ctx, const char *name, const char *value, char *why)
{
	(void)ctx;
	snprintf(why, ENV_WHY_MAX, "%s=%s: not now", name, value);
	return E_RANGE;
}

static int reload(void *ctx, const char *const *names, size_t n, char *why)
{
	(void)ctx;
	(void)names;
	(void)n;
	(void)why;
	return E_OK;
}

static int reload_zones(void *ctx, char *why)
{
	return reload(ctx, NULL, 0, why);
}

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return 1000;
}

static uint32_t wall_s(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

static bool drain(void *ctx, bool on)
{
	(void)ctx;
	return on;
}

/* Made once: no command adds anything. */
static const struct watch_env *make_env(void)
{
	static const struct cache_config cache = { .max_set_bytes = 4096, .shards = 1 };
	static const struct servers_config servers = { .network_timeout_ms = 1500 };
	static struct watch_env env = {
		.setting = setting,
		.setting_default = setting,
		.change = change,
		.reload = reload,
		.reload_zones = reload_zones,
		.is_ready = yes,
		.drain = drain,
		.draining_since_ms = now_ms,
		.patience_ms = now_ms,
		.now_ms = now_ms,
		.wall_s = wall_s,
	};

	if (env.cache == NULL) {
		ASSERT(cache_new(&env.cache, &cache) == E_OK);
		ASSERT(servers_new(&env.servers, &servers) == E_OK);
	}
	return &env;
}

static void check_reply(const struct command_request *rq, const struct command_reply *reply)
{
	json_t *json;

	ASSERT(reply->text != NULL && strlen(reply->text) == reply->len);
	ASSERT(reply->status == 0 || reply->status == 1);
	ASSERT(reply->status == 0 || rq->command == NULL || reply->len > 0);
	if (!rq->json)
		return;
	json = json_loads(reply->text, 0, NULL);
	ASSERT(json_is_object(json));
	ASSERT((json_object_get(json, "error") != NULL) >= (reply->status != 0));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command_request *rq = malloc(sizeof(*rq));
	struct command_reply reply;
	char *text;

	if (size > CTL_REQUEST_MAX)
		size = CTL_REQUEST_MAX;
	text = malloc(size + 1);
	ASSERT(rq != NULL && text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';

	command_parse(rq, text, size);
	command_run(make_env(), rq, &reply);
	check_reply(rq, &reply);

	command_reply_free(&reply);
	free(text);
	free(rq);
	return 0;
}
