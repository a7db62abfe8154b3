/*
 * code: the script's files, compiled once, to be run in each worker's state.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "recursor/policy/lua/engine.h"

struct code_file {
	char *name; /* "@" and the path, as Lua wants it */
	char *bytes;
	size_t len, room;
};

struct script_code {
	struct code_file files[SCRIPT_FILES_MAX];
	size_t n; /* the last is the script itself */
};

/* ---- compiling ---- */

static int keep_bytes(lua_State *L, const void *bytes, size_t len, void *ctx)
{
	struct code_file *f = ctx;

	(void)L;
	if (f->room - f->len < len) {
		size_t room = 2 * f->room + len;
		char *more = realloc(f->bytes, room);

		if (more == NULL)
			return 1;
		f->bytes = more;
		f->room = room;
	}
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
	return 0;
}

/* A first line of "#!" is for the shell; the lines' numbers stay. */
static void skip_first_line(const char **text, size_t *len)
{
	const char *end;

	if (*len == 0 || (*text)[0] != '#')
		return;
	end = memchr(*text, '\n', *len);
	if (end == NULL)
		end = *text + *len;
	*len -= (size_t)(end - *text);
	*text = end;
}

static int compile(struct code_file *f, const char *text, size_t len, char *why)
{
	lua_State *L = luaL_newstate();
	int err = E_NOMEM;

	if (L == NULL)
		goto out;
	skip_first_line(&text, &len);
	switch (luaL_loadbufferx(L, text, len, f->name, "bt")) {
	case LUA_OK:
		/* Not stripped: errors name the line. */
		err = lua_dump(L, keep_bytes, f, 0) == 0 ? E_OK : E_NOMEM;
		break;
	case LUA_ERRMEM:
		break;
	default:
		err = E_MALFORMED;
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", lua_tostring(L, -1));
	}
out:
	if (err == E_NOMEM)
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s: %s", f->name + 1, err_text(err));
	if (L != NULL)
		lua_close(L);
	return err;
}

static int add_file(struct script_code *code, const char *path, char *why)
{
	struct code_file *f = &code->files[code->n];
	char *text = NULL;
	size_t len = 0;
	int err = conf_load_file(path, &text, &len);

	if (err != E_OK) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s: %s", path, err_why(err));
		return err;
	}
	if (asprintf(&f->name, "@%s", path) < 0) {
		f->name = NULL;
		free(text);
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	code->n++;
	err = compile(f, text, len, why);
	free(text);
	return err;
}

/* ---- the directory of what is run first ---- */

static int is_lua_name(const struct dirent *entry)
{
	return fnmatch("*.lua", entry->d_name, FNM_PERIOD) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct script_code *code, const char *dir, char *why)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_lua_name, by_name), err = E_OK;

	if (n < 0) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "lua-global-include-dir=%s: %s", dir,
			       strerror(errno));
		return E_SYSTEM;
	}
	for (int i = 0; i < n; i++) {
		char path[4096];

		if (err == E_OK && code->n + 1 >= SCRIPT_FILES_MAX) {
			(void)snprintf(why, SCRIPT_WHY_MAX,
				       "lua-global-include-dir=%s: more than %d files", dir,
				       SCRIPT_FILES_MAX - 1);
			err = E_LIMIT;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (err == E_OK)
			err = add_file(code, path, why);
		free(entries[i]);
	}
	free(entries);
	return err;
}

int script_code_load(struct script_code **out, const struct script_files *files, char *why)
{
	struct script_code *code = calloc(1, sizeof(*code));
	int err = E_OK;

	if (code == NULL) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	if (files->include_dir != NULL && *files->include_dir != '\0')
		err = add_directory(code, files->include_dir, why);
	if (err == E_OK)
		err = add_file(code, files->path, why);
	if (err == E_OK)
		*out = code;
	else
		script_code_free(code);
	return err;
}

void script_code_free(struct script_code *code)
{
	if (code == NULL)
		return;
	for (size_t i = 0; i < code->n; i++) {
		free(code->files[i].name);
		free(code->files[i].bytes);
	}
	free(code);
}

const char *script_code_path(const struct script_code *code)
{
	ASSERT(code->n > 0);
	return code->files[code->n - 1].name + 1;
}

/* ---- running ---- */

int code_run(lua_State *L)
{
	const struct script_code *code = lua_touserdata(L, 1);

	for (size_t i = 0; i < code->n; i++) {
		const struct code_file *f = &code->files[i];

		if (luaL_loadbufferx(L, f->bytes, f->len, f->name, "b") != LUA_OK)
			return lua_error(L);
		lua_call(L, 0, 0);
	}
	return 0;
}
