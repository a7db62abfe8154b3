#include "recursor/watch/script_command.h"

/* The field's texts, a line for each worker. */
static int load(struct command_call *call, const char *path)
{
	const struct watch_env *env = call->env;
	char loaded[ENV_WHY_MAX], why[ENV_WHY_MAX];

	if (env->load_script(env->ctx, path, loaded, why) != E_OK) {
		fprintf(call->out, "retaining current script, error from '%s': %s\n", loaded, why);
		return 1;
	}
	for (unsigned i = 0; i < env->n_workers; i++)
		if (*loaded == '\0')
			fprintf(call->out, "unloaded\n");
		else
			fprintf(call->out, "(re)loaded '%s'\n", loaded);
	json_object_set_new(call->json, "script", command_json_text(loaded));
	json_object_set_new(call->json, "workers", json_integer(env->n_workers));
	return 0;
}

int reload_lua_script(struct command_call *call)
{
	return load(call, call->argc > 0 ? call->argv[0] : NULL);
}

int unload_lua_script(struct command_call *call)
{
	return load(call, "");
}
