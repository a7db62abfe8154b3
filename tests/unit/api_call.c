#include "api_call.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/web/endpoint.h"

/* "a=1&b" in place. */
static size_t split(char *text, struct endpoint_parameter *list)
{
	char *save = NULL;
	size_t n = 0;

	for (char *at = strtok_r(text, "&", &save); at != NULL && n < API_CALL_PARAMETERS_MAX;
	     at = strtok_r(NULL, "&", &save)) {
		char *equal = strchr(at, '=');

		if (equal != NULL)
			*equal = '\0';
		list[n++] = (struct endpoint_parameter) { at, equal == NULL ? "" : equal + 1 };
	}
	return n;
}

static unsigned run(struct endpoint_call *c, const struct endpoint_match *m)
{
	int result = m->endpoint->run(c);

	if (c->status == 0)
		c->status = 200;
	ASSERT((result == 0) == (c->status < 400));
	ASSERT(c->text == NULL);
	return c->status;
}

unsigned api_call(const struct watch_env *env, const char *method, const char *target,
		  const char *body, json_t **out)
{
	struct endpoint_parameter parameters[API_CALL_PARAMETERS_MAX];
	struct endpoint_match m;
	struct endpoint_call c = { .env = env, .method = method, .stop_fd = -1 };
	char *path = strdup(target), *query;
	unsigned status;

	*out = NULL;
	ASSERT(path != NULL);
	query = strchr(path, '?');
	if (query != NULL) {
		*query = '\0';
		c.parameters = parameters;
		c.n_parameters = split(query + 1, parameters);
	}
	if (!endpoint_find(&m, method, path)) {
		status = m.methods[0] == '\0' ? 404 : 405;
		goto out;
	}
	memcpy(c.args, m.args, sizeof(c.args));
	c.old_path = m.old_path;
	c.body = body == NULL ? NULL : json_loads(body, 0, NULL);
	if (body != NULL && c.body == NULL) {
		status = 400;
		goto out;
	}
	status = run(&c, &m);
	*out = json_incref(c.json);
	endpoint_call_free(&c);
out:
	free(path);
	return status;
}
