#include "recursor/watch/change.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/log.h"

static int show(struct command_call *call, char *(*value_of)(void *ctx, const char *name))
{
	int status = 0;

	for (int i = 0; i < call->argc; i++) {
		const char *name = call->argv[i];
		char *value = value_of(call->env->ctx, name);

		if (value == NULL) {
			fprintf(call->out, "%s not known\n", name);
			status = 1;
			continue;
		}
		fprintf(call->out, "%s=%s\n", name, value);
		json_object_set_new(call->json, name, command_json_text(value));
		free(value);
	}
	return status;
}

int get_parameter(struct command_call *call)
{
	return show(call, call->env->setting);
}

int get_default_parameter(struct command_call *call)
{
	return show(call, call->env->setting_default);
}

/* ---- what there is to warn of ---- */

void command_warn(struct command_call *call, char *lines)
{
	json_t *list;

	if (*lines == '\0')
		return;
	list = json_array();
	for (const char *line; (line = strsep(&lines, "\n")) != NULL;) {
		fprintf(call->out, "warning: %s\n", line);
		json_array_append_new(list, command_json_text(line));
	}
	json_object_set_new(call->json, "warnings", list);
}

/* ---- one number ---- */

/* How the field words it. */
struct wording {
	const char *setting, *needed, *done;
};

static int set_number(struct command_call *call, const struct wording *w)
{
	char why[ENV_WHY_MAX];

	if (call->argc != 1) {
		fprintf(call->out, "Need to supply new %s\n", w->needed);
		return 1;
	}
	if (call->env->change(call->env->ctx, w->setting, call->argv[0], why) != E_OK) {
		fprintf(call->out, "Error parsing the new %s: %s\n", w->needed, why);
		return 1;
	}
	fprintf(call->out, "New %s: %s\n", w->done, call->argv[0]);
	json_object_set_new(call->json, w->setting, json_integer(strtoll(call->argv[0], NULL, 0)));
	command_warn(call, why);
	return 0;
}

int set_minimum_ttl(struct command_call *call)
{
	static const struct wording w = { "minimum-ttl-override", "minimum TTL number",
					  "minimum TTL" };

	return set_number(call, &w);
}

int set_aggr_nsec_cache_size(struct command_call *call)
{
	static const struct wording w = { "aggressive-nsec-cache-size",
					  "aggressive NSEC cache size",
					  "aggressive NSEC cache size" };

	return set_number(call, &w);
}

int set_max_cache_entries(struct command_call *call)
{
	static const struct wording w = { "max-cache-entries", "cache size", "max cache entries" };

	return set_number(call, &w);
}

int set_max_packetcache_entries(struct command_call *call)
{
	static const struct wording w = { "max-packetcache-entries", "packet cache size",
					  "max packetcache entries" };

	return set_number(call, &w);
}

int set_stats_ringbuffer_entries(struct command_call *call)
{
	static const struct wording w = { "stats-ringbuffer-entries", "number of entries",
					  "number of entries of each ring" };

	return set_number(call, &w);
}

int set_max_cache_memory(struct command_call *call)
{
	const struct watch_env *env = call->env;
	char why[ENV_WHY_MAX];

	if (env->change(env->ctx, "max-cache-memory", call->argv[0], why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	fprintf(call->out, "New max cache memory: %llu bytes\n",
		(unsigned long long)env->max_cache_memory(env->ctx));
	json_object_set_new(call->json, "max-cache-memory",
			    json_integer((json_int_t)env->max_cache_memory(env->ctx)));
	command_warn(call, why);
	return 0;
}

/* ---- switches ---- */

int set_quiet(struct command_call *call)
{
	const char *word = call->argv[0];
	bool on = strcasecmp(word, "yes") == 0 || strcasecmp(word, "on") == 0;
	char why[ENV_WHY_MAX];

	if (!on && strcasecmp(word, "no") != 0 && strcasecmp(word, "off") != 0) {
		fprintf(call->out, "set-quiet: '%s' is neither yes nor no\n", word);
		return 1;
	}
	if (call->env->change(call->env->ctx, "quiet", on ? "yes" : "no", why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	fprintf(call->out, "quiet is %s\n", on ? "on" : "off");
	json_object_set_new(call->json, "quiet", json_boolean(on));
	return 0;
}

/* ---- files ---- */

int save_cache(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct watch_cachefile stats;
	char why[ENV_WHY_MAX];

	if (env->save_cache(env->ctx, why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	env->cachefile(env->ctx, &stats);
	fprintf(call->out, "wrote %llu entries\n", (unsigned long long)stats.written);
	json_object_set_new(call->json, "written", json_integer((json_int_t)stats.written));
	return 0;
}

/* What came of a reload; `sorry` comes before the reason. */
static int tell_reload(struct command_call *call, int err, const char *command, const char *sorry,
		       char *why)
{
	if (err != E_OK) {
		log_warning("%s: nothing changed: %s", command, why);
		fprintf(call->out, "%s%s\n", sorry, why);
		return 1;
	}
	fprintf(call->out, "ok\n");
	json_object_set_new(call->json, "result", json_string("ok"));
	command_warn(call, why);
	return 0;
}

/* Who may ask and who may notify. */
static const char *const acls[] = {
	"allow-from",        "allow-from-file",        "allow-notify-for", "allow-notify-for-file",
	"allow-notify-from", "allow-notify-from-file",
};

int reload_acls(struct command_call *call)
{
	char why[ENV_WHY_MAX];
	int err = call->env->reload(call->env->ctx, acls, ARRAY_LEN(acls), why);

	return tell_reload(call, err, "reload-acls", "", why);
}

int reload_public_suffix_list(struct command_call *call)
{
	static const char *const names[] = { "public-suffix-list-file" };
	char why[ENV_WHY_MAX];
	int err = call->env->reload(call->env->ctx, names, ARRAY_LEN(names), why);

	return tell_reload(call, err, "reload-public-suffix-list", "", why);
}

int reload_defender(struct command_call *call)
{
	char why[ENV_WHY_MAX];
	int err = call->env->reload_defender(call->env->ctx, why);

	return tell_reload(call, err, "reload-defender", "", why);
}

int defender_show_command(struct command_call *call)
{
	call->env->defender_show(call->env->ctx, call->out, call->json);
	return 0;
}

int reload_zones(struct command_call *call)
{
	char why[ENV_WHY_MAX];
	int err = call->env->reload_zones(call->env->ctx, NULL, 0, why);

	return tell_reload(call, err, "reload-zones", "reloading failed, see log\n", why);
}

int reload(struct command_call *call)
{
	char why[ENV_WHY_MAX];
	int err = call->env->reload_zones(call->env->ctx, acls, ARRAY_LEN(acls), why);

	return tell_reload(call, err, "reload", "", why);
}
