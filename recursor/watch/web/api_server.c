/*
 * The endpoints about the server itself: what it is, and how it is set up.
 */
#include <string.h>

#include "config.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/endpoint_table.h"

const char *api_prefix(const struct endpoint_call *c)
{
	return c->old_path ? "" : "/api/v1";
}

static json_t *server_json(const struct endpoint_call *c)
{
	const char *prefix = api_prefix(c);

	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o}", "type", "Server", "id", "localhost",
			 "url", json_sprintf("%s/servers/localhost", prefix), "daemon_type",
			 "recursor", "version", PACKAGE_VERSION, "config_url",
			 json_sprintf("%s/servers/localhost/config{/config_setting}", prefix),
			 "zones_url", json_sprintf("%s/servers/localhost/zones{/zone}", prefix));
}

int api_servers(struct endpoint_call *c)
{
	return endpoint_reply_json(c, json_pack("[o]", server_json(c)));
}

int api_server(struct endpoint_call *c)
{
	return endpoint_reply_json(c, server_json(c));
}

/* ---- its settings ---- */

static bool is_secret(const char *name)
{
	size_t len = strlen(name);

	return strstr(name, "password") != NULL ||
	       (len >= 7 && strcmp(name + len - 7, "api-key") == 0);
}

static void add_setting(void *ctx, const char *name, const char *value)
{
	json_t *list = ctx;

	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "type", "ConfigSetting", "name",
					      name, "value",
					      command_json_text(is_secret(name) ? "***" : value)));
}

int api_config(struct endpoint_call *c)
{
	json_t *list = json_array();

	if (list != NULL)
		c->env->each_setting(c->env->ctx, add_setting, list);
	return endpoint_reply_json(c, list);
}
