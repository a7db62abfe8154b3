#include "recursor/watch/web/endpoint.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/mdoc.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/web/endpoint_table.h"

static const struct endpoint endpoints[] = {
#define ENDPOINT_ROW(method, path, auth, handler, help)                                            \
	{ method, path, ENDPOINT_##auth, handler, help },
	ENDPOINTS(ENDPOINT_ROW)
#undef ENDPOINT_ROW
};

#define PREFIX "/api/v1"
#define SERVERS "/servers"

size_t endpoints_count(void)
{
	return ARRAY_LEN(endpoints);
}

const struct endpoint *endpoints_at(size_t i)
{
	ASSERT(i < ARRAY_LEN(endpoints));
	return &endpoints[i];
}

void endpoints_print_mdoc(FILE *f)
{
	static const char *const auth[] = {
		[ENDPOINT_OPEN] = "nothing",
		[ENDPOINT_PASSWORD] = "password",
		[ENDPOINT_KEY] = "key",
		[ENDPOINT_KEY_OR_PASSWORD] = "key or password",
	};

	fprintf(f, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];

		fprintf(f, ".It %s Pa ", e->method);
		mdoc_print(f, e->path);
		fprintf(f, "\n%c", toupper((unsigned char)e->help[0]));
		mdoc_print(f, e->help + 1);
		fprintf(f, ".\nWants: %s.\n", auth[e->auth]);
	}
	fprintf(f, ".El\n");
}

/* ---- paths ---- */

/* One part of a path: up to the next '/' or the end. */
static size_t part_len(const char *at)
{
	return strcspn(at, "/");
}

/* Does the path fit the row?  If so, where what stood for `<>` begins. */
static bool fits(const char *pattern, const char *path, const char *args[ENDPOINT_ARGS_MAX])
{
	size_t n = 0;

	while (*pattern == '/' && *path == '/') {
		size_t want = part_len(++pattern), have = part_len(++path);

		if (want == 2 && memcmp(pattern, "<>", 2) == 0) {
			if (have == 0 || n == ENDPOINT_ARGS_MAX)
				return false;
			args[n++] = path;
		} else if (want != have || memcmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return *pattern == '\0' && *path == '\0';
}

static void add_method(struct endpoint_match *m, const char *method)
{
	size_t len = strlen(m->methods);

	(void)snprintf(m->methods + len, sizeof(m->methods) - len, "%s%s", len > 0 ? ", " : "",
		       method);
}

/* Copies each argument, so that it ends where its part does. */
static void take_args(struct endpoint_match *m, const char *args[ENDPOINT_ARGS_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < ENDPOINT_ARGS_MAX; i++) {
		size_t len;

		if (args[i] == NULL)
			continue;
		len = part_len(args[i]);
		ASSERT(used + len < sizeof(m->room));
		memcpy(m->room + used, args[i], len);
		m->room[used + len] = '\0';
		m->args[i] = m->room + used;
		used += len + 1;
	}
}

bool endpoint_find(struct endpoint_match *m, const char *method, const char *path)
{
	bool below_prefix = strncmp(path, PREFIX SERVERS, strlen(PREFIX SERVERS)) == 0;
	const char *rest = below_prefix ? path + strlen(PREFIX) : path;

	*m = (struct endpoint_match) { 0 };
	if (strlen(path) >= ENDPOINT_PATH_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];
		const char *args[ENDPOINT_ARGS_MAX] = { NULL };

		if (!fits(e->path, rest, args))
			continue;
		add_method(m, e->method);
		if (m->endpoint != NULL || strcmp(method, e->method) != 0)
			continue;
		m->endpoint = e;
		m->old_path = !below_prefix && strncmp(e->path, SERVERS, strlen(SERVERS)) == 0;
		take_args(m, args);
	}
	return m->endpoint != NULL;
}

/* ---- calls ---- */

const char *endpoint_parameter(const struct endpoint_call *c, const char *name)
{
	for (size_t i = 0; i < c->n_parameters; i++)
		if (strcmp(c->parameters[i].name, name) == 0)
			return c->parameters[i].value;
	return NULL;
}

static void drop_reply(struct endpoint_call *c)
{
	json_decref(c->json);
	free(c->text);
	c->json = NULL;
	c->text = NULL;
	c->text_len = 0;
	c->content_type = NULL;
}

int endpoint_fail(struct endpoint_call *c, unsigned status, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	drop_reply(c);
	c->status = status;
	c->json = json_pack("{s:o}", "error", command_json_text(text));
	return -1;
}

int endpoint_reply_json(struct endpoint_call *c, json_t *json)
{
	if (json == NULL)
		return endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	drop_reply(c);
	c->json = json;
	return 0;
}

void endpoint_call_free(struct endpoint_call *c)
{
	drop_reply(c);
	json_decref(c->body);
	c->body = NULL;
}
