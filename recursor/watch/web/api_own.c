/*
 * Endpoints that show what rec_control's commands of the same names do, in the same JSON.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recursor/watch/change.h"
#include "recursor/watch/explain.h"
#include "recursor/watch/top_cost.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/endpoint_table.h"

/* `with_text`: what the command prints is there too, as a member. */
static int run_command(struct endpoint_call *c, int (*run)(struct command_call *call), int argc,
		       char **argv, bool with_text)
{
	char *text = NULL;
	size_t len = 0;
	struct command_call call = {
		.env = c->env,
		.argc = argc,
		.argv = argv,
		.file = -1,
		.unicode = with_text,
		.stop_fd = c->stop_fd,
		.client_fd = -1,
		.out = open_memstream(&text, &len),
		.json = json_object(),
	};
	int status = 1;

	if (call.out != NULL && call.json != NULL)
		status = run(&call);
	if (call.out != NULL && fclose(call.out) != 0)
		status = 1;
	if (status != 0 && len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	if (status == 0 && with_text)
		json_object_set_new(call.json, "text", command_json_text(text));
	if (status == 0)
		status = endpoint_reply_json(c, json_incref(call.json));
	else if (text == NULL || *text == '\0')
		status = endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	else
		status = endpoint_fail(c, 422, "%s", text);
	json_decref(call.json);
	free(text);
	return status;
}

/* The handler waits until the question is answered, and others want to be served meanwhile: half of
 * the threads that run handlers (web.h). */
enum { EXPLAINS_MAX = 2 };

int api_explain(struct endpoint_call *c)
{
	static _Atomic unsigned running;
	const char *name = endpoint_parameter(c, "name"), *type = endpoint_parameter(c, "type");
	char *argv[2] = { (char *)name, (char *)type };
	int result;

	if (name == NULL || *name == '\0')
		return endpoint_fail(c, 422, "'name' is missing");
	if (atomic_fetch_add(&running, 1) >= EXPLAINS_MAX)
		result = endpoint_fail(c, 503, "%d questions are being explained already",
				       EXPLAINS_MAX);
	else
		result = run_command(c, explain_command, type == NULL || *type == '\0' ? 1 : 2,
				     argv, true);
	atomic_fetch_sub(&running, 1);
	return result;
}

int api_defender(struct endpoint_call *c)
{
	return run_command(c, defender_show_command, 0, NULL, false);
}

int api_top_cost(struct endpoint_call *c)
{
	static const char *const names[] = { "of", "by", "window" };
	char *argv[3] = { "remotes" };
	int argc = 1;

	for (size_t i = 0; i < 3; i++) {
		const char *value = endpoint_parameter(c, names[i]);

		if (value != NULL && *value != '\0')
			argv[i == 0 ? 0 : argc++] = (char *)value;
	}
	return run_command(c, top_cost, argc, argv, false);
}
