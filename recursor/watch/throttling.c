#include "recursor/watch/throttling.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/conf.h"

/* One of the two lists, and how the field words it. */
struct list {
	const char *setting, *what;
};

static const struct list names = { "dont-throttle-names", "nameservers" };
static const struct list netmasks = { "dont-throttle-netmasks", "nameserver netmasks" };

/* The list being put together, and what is to be left out of it. */
struct draft {
	FILE *out;
	size_t n;
	int argc;
	char **argv;
};

static void append(struct draft *d, const char *word, size_t len)
{
	fprintf(d->out, "%s%.*s", d->n++ > 0 ? ", " : "", (int)len, word);
}

/* The final dot of a name may be left out. */
static bool is_same(const char *word, size_t len, const char *argument)
{
	size_t n = strlen(argument);

	if (len > 1 && word[len - 1] == '.')
		len--;
	if (n > 1 && argument[n - 1] == '.')
		n--;
	return len == n && strncasecmp(word, argument, n) == 0;
}

static int keep(void *ctx, const char *word, size_t len)
{
	struct draft *d = ctx;

	for (int i = 0; i < d->argc; i++)
		if (is_same(word, len, d->argv[i]))
			return E_OK;
	append(d, word, len);
	return E_OK;
}

static int show(struct command_call *call, const struct list *list)
{
	char *value = call->env->setting(call->env->ctx, list->setting);

	fprintf(call->out, "%s\n", value != NULL ? value : "");
	json_object_set_new(call->json, list->setting,
			    command_json_text(value != NULL ? value : ""));
	free(value);
	return 0;
}

static int put(struct command_call *call, const struct list *list, const char *value)
{
	char why[ENV_WHY_MAX];

	if (call->env->change(call->env->ctx, list->setting, value, why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	json_object_set_new(call->json, list->setting, command_json_text(value));
	return 0;
}

static void say(struct command_call *call, const char *verb, const char *where,
		const struct list *list)
{
	fprintf(call->out, "%s ", verb);
	for (int i = 0; i < call->argc; i++)
		fprintf(call->out, "%s%s", i > 0 ? ", " : "", call->argv[i]);
	fprintf(call->out, " %s the list of %s that may not be throttled\n", where, list->what);
}

/* What a command makes of a list. */
struct edit {
	struct command_call *call;
	const struct list *list;
	bool adds;
};

/* The list as it is without what argv names, and with it when `adds`. */
static char *edit_list(void *arg, const char *now)
{
	const struct edit *e = arg;
	struct draft d = { .argc = e->call->argc, .argv = e->call->argv };
	char *after = NULL;
	size_t len;
	bool ok;

	d.out = open_memstream(&after, &len);
	ok = d.out != NULL && conf_each_word(now, keep, &d) == E_OK;
	for (int i = 0; ok && e->adds && i < d.argc; i++)
		append(&d, d.argv[i], strlen(d.argv[i]));
	if (d.out != NULL && (fclose(d.out) != 0 || !ok)) {
		free(after);
		after = NULL;
	}
	if (after != NULL)
		json_object_set_new(e->call->json, e->list->setting, command_json_text(after));
	return after;
}

static int change(struct command_call *call, const struct list *list, bool adds)
{
	struct edit e = { call, list, adds };
	char why[ENV_WHY_MAX];

	if (call->env->amend(call->env->ctx, list->setting, edit_list, &e, why) != E_OK) {
		json_object_del(call->json, list->setting);
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	say(call, adds ? "Added" : "Removed", adds ? "to" : "from", list);
	return 0;
}

static int clear(struct command_call *call, const struct list *list)
{
	int status;

	if (call->argc != 1 || strcmp(call->argv[0], "*") != 0)
		return change(call, list, false);
	status = put(call, list, "");
	if (status == 0)
		fprintf(call->out, "Cleared list of %s that may not be throttled\n", list->what);
	return status;
}

int get_dont_throttle_names(struct command_call *call)
{
	return show(call, &names);
}

int add_dont_throttle_names(struct command_call *call)
{
	return change(call, &names, true);
}

int clear_dont_throttle_names(struct command_call *call)
{
	return clear(call, &names);
}

int get_dont_throttle_netmasks(struct command_call *call)
{
	return show(call, &netmasks);
}

int add_dont_throttle_netmasks(struct command_call *call)
{
	return change(call, &netmasks, true);
}

int clear_dont_throttle_netmasks(struct command_call *call)
{
	return clear(call, &netmasks);
}

static int forget(struct command_call *call, bool speeds_too)
{
	size_t n = servers_clear(call->env->servers, speeds_too, call->env->now_ms(call->env->ctx));

	fprintf(call->out, "cleared %zu throttles%s\n", n,
		speeds_too ? " and the speeds of all servers" : "");
	json_object_set_new(call->json, "throttles", json_integer((json_int_t)n));
	return 0;
}

int clear_throttles(struct command_call *call)
{
	return forget(call, false);
}

int clear_nsspeeds(struct command_call *call)
{
	return forget(call, true);
}
