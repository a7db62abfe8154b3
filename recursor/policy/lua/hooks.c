/* script: see script.h.  States, and the calls of their hooks. */
#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/call.h"
#include "recursor/policy/lua/dq.h"
#include "recursor/policy/lua/messages.h"

/* ---- the table of hooks ---- */

static const struct {
	const char *function;
	unsigned char classic_least, classic_most; /* parameters */
	size_t calls, errors, overruns, nsec;      /* in struct counters */
} table[HOOKS] = {
#define HOOK_ROW(name, f, member, least, most)                                                     \
	[HOOK_##name] = {                                                                          \
		.function = (f),                                                                   \
		.classic_least = (least),                                                          \
		.classic_most = (most),                                                            \
		.calls = offsetof(struct counters, lua_##member##_calls),                          \
		.errors = offsetof(struct counters, lua_##member##_errors),                        \
		.overruns = offsetof(struct counters, lua_##member##_overruns),                    \
		.nsec = offsetof(struct counters, lua_##member##_nsec),                            \
	},
	HOOK_TABLE(HOOK_ROW)
#undef HOOK_ROW
};

const char *hook_name(enum hook hook)
{
	return table[hook].function;
}

/* ---- life ---- */

/* An operator who loads one of these thinks that it works. */
static void tell_uncalled(lua_State *L, struct script *s)
{
	static const struct {
		const char *function, *why;
	} rows[] = {
		{ "gettag_ffi", "there is no FFI" },
		{ "policyEventFilter", "there are no response policies" },
		{ "postresolve_ffi", "there is no FFI" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[LOG_LINE_MAX];

		if (lua_getglobal(L, rows[i].function) == LUA_TFUNCTION) {
			(void)snprintf(text, sizeof(text), "%s() will not be called: %s",
				       rows[i].function, rows[i].why);
			lua_host_tell(&s->outer, LOG_LEVEL_WARNING, text);
		}
		lua_pop(L, 1);
	}
}

static int find_hooks(lua_State *L)
{
	struct script *s = lua_touserdata(L, 1);
	unsigned n_classic = 0, n_current = 0;

	for (unsigned i = 0; i < HOOKS; i++) {
		struct script_hook *h = &s->hooks[i];
		lua_Debug about;

		/* A callback's name comes with each call. */
		if (i == HOOK_CALLBACK || lua_getglobal(L, table[i].function) != LUA_TFUNCTION)
			continue;
		lua_pushvalue(L, -1);
		(void)lua_getinfo(L, ">u", &about);
		h->is_classic = about.nparams >= table[i].classic_least &&
				about.nparams <= table[i].classic_most;
		h->is_either = about.nparams == 0;
		h->ref = luaL_ref(L, LUA_REGISTRYINDEX);
		n_classic += h->is_classic;
		n_current += !h->is_classic && i != HOOK_MAINTENANCE;
	}
	s->host.is_classic = n_classic > 0 && n_current == 0;
	tell_uncalled(L, s);
	return 0;
}

int script_new(struct script **out, const struct script_code *code,
	       const struct script_limits *limits, const struct script_host *host, char *why)
{
	struct script *s = calloc(1, sizeof(*s));
	int err = E_NOMEM;

	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(err));
	if (s == NULL)
		return err;
	s->refs = 1;
	s->outer = *host;
	s->limits = *limits;
	s->local_ref = LUA_NOREF;
	for (unsigned i = 0; i < HOOKS; i++)
		s->hooks[i].ref = LUA_NOREF;
	s->host.to = &s->outer;
	s->host.native_max = limits->heap_bytes;
	err = engine_open(s);
	if (err == E_OK)
		err = engine_run(s, code_run, (void *)code, SCRIPT_LOAD_FACTOR);
	if (err == E_OK)
		err = engine_run(s, find_hooks, s, SCRIPT_LOAD_FACTOR);
	if (err == E_OK) {
		s->host.reader = s->outer.ipset_reader;
		*out = s;
		return E_OK;
	}
	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", s->outcome.why);
	script_free(s);
	return err;
}

void script_free(struct script *s)
{
	if (s == NULL)
		return;
	engine_close(s);
	free(s);
}

struct script *script_get(struct script *s)
{
	s->refs++;
	return s;
}

void script_put(struct script *s)
{
	if (s == NULL)
		return;
	ASSERT(s->refs > 0);
	if (--s->refs > 0)
		return;
	if (s->outer.retired != NULL)
		s->outer.retired(s->outer.ctx, s);
	else
		script_free(s);
}

void script_configure(struct script *s, const struct script_limits *limits)
{
	s->limits = *limits;
	s->host.native_max = limits->heap_bytes;
}

size_t script_bytes(const struct script *s)
{
	return s->heap + s->host.native_bytes;
}

bool script_has(const struct script *s, enum hook hook)
{
	return s->hooks[hook].ref != LUA_NOREF;
}

bool script_has_query_hooks(const struct script *s)
{
	for (unsigned i = HOOK_PRERPZ; i <= HOOK_PREOUTQUERY; i++)
		if (script_has(s, (enum hook)i))
			return true;
	return false;
}

const struct script_outcome *script_outcome(const struct script *s)
{
	return &s->outcome;
}

/* ---- a call ---- */

static void count(const struct script *s, size_t member, uint64_t n)
{
	if (s->outer.counters != NULL)
		counter_add((counter *)((char *)s->outer.counters + member), n);
}

static void tell_error(struct script *s, const struct call *c)
{
	char name[NAME_TEXT_MAX] = "", type[RRTYPE_TEXT_MAX], text[LOG_LINE_MAX];

	if (c->query != NULL)
		(void)snprintf(text, sizeof(text),
			       "lua error in '%s' while processing query for '%s|%s': %s",
			       table[c->hook].function, name_to_text(name, c->query->qname),
			       rrtype_to_text(c->query->qtype, type), s->outcome.why);
	else
		(void)snprintf(text, sizeof(text), "lua error in '%s': %s", table[c->hook].function,
			       s->outcome.why);
	if (s->outer.log != NULL)
		s->outer.log(s->outer.ctx, LOG_LEVEL_ERROR, text);
	else
		log_limited_with(LOG_LEVEL_ERROR,
				 LOG_FIELDS(LOG_TEXT("hook", table[c->hook].function),
					    LOG_TEXT("qname", c->query != NULL ? name : NULL),
					    LOG_TEXT("error", s->outcome.why)),
				 "%s", text);
}

static void count_most(const struct script *s, unsigned factor)
{
	struct counters *c = s->outer.counters;

	if (c == NULL)
		return;
	counter_max(&c->peak_lua_objects, s->host.native_bytes);
	if (factor > 1) /* other limits */
		return;
	counter_max(&c->peak_lua_hook_bytes, s->heap_most - s->heap_began);
	counter_max(&c->peak_lua_hook_spent, (uint64_t)s->spent);
}

/* False: it failed. */
static bool run(struct script *s, lua_CFunction fn, struct call *c, unsigned factor)
{
	uint64_t began_ns = s->outer.now_ns(s->outer.ctx);
	int err;

	s->current = c;
	err = engine_run(s, fn, c, factor);
	s->current = NULL;
	s->outcome.ns = s->outer.now_ns(s->outer.ctx) - began_ns;
	s->outcome.failed = err != E_OK;
	count_most(s, factor);
	count(s, table[c->hook].calls, 1);
	count(s, table[c->hook].nsec, s->outcome.ns);
	if (err == E_OK)
		return true;
	count(s, err == E_LIMIT ? table[c->hook].overruns : table[c->hook].errors, 1);
	tell_error(s, c);
	return false;
}

void call_push_function(lua_State *L, const struct call *c)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, c->script->hooks[c->hook].ref);
}

/* ---- ipfilter ---- */

/* The address that clients reach us at is nearly always the same one. */
static void push_local(lua_State *L, struct script *s, const struct addr *local)
{
	if (s->local_ref != LUA_NOREF) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, s->local_ref);
		if (addr_equal(lua_check_address(L, -1), local))
			return;
		lua_pop(L, 1);
		luaL_unref(L, LUA_REGISTRYINDEX, s->local_ref);
		s->local_ref = LUA_NOREF;
	}
	lua_push_address(L, local);
	lua_pushvalue(L, -1);
	s->local_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static int run_ipfilter(lua_State *L)
{
	struct call *c = lua_touserdata(L, 1);
	const struct script_hook *h = &c->script->hooks[HOOK_IPFILTER];

	call_push_function(L, c);
	lua_push_address(L, c->remote);
	if (h->is_classic) {
		lua_call(L, 1, 1);
	} else {
		push_local(L, c->script, c->local);
		lua_push_header(L, c->header);
		lua_call(L, 3, 1);
	}
	if (lua_isboolean(L, -1))
		c->is_dropped = lua_toboolean(L, -1);
	else if (h->is_classic || h->is_either)
		c->is_dropped = !lua_isnumber(L, -1) || lua_tonumber(L, -1) != -1;
	else
		return luaL_error(L, "ipfilter must return true or false, not a %s",
				  luaL_typename(L, -1));
	return 0;
}

bool script_ipfilter(struct script *s, const struct addr *remote, const struct addr *local,
		     const uint8_t *header, bool tcp)
{
	struct call c = {
		.script = s,
		.hook = HOOK_IPFILTER,
		.remote = remote,
		.local = local,
		.header = header,
	};

	(void)tcp;
	if (!run(s, run_ipfilter, &c, 1))
		return s->hooks[HOOK_IPFILTER].is_classic;
	return c.is_dropped;
}

/* ---- the hooks of a query ---- */

static int run_gettag(lua_State *L)
{
	current_call_gettag(L, lua_touserdata(L, 1));
	return 0;
}

static int run_hook(lua_State *L)
{
	struct call *c = lua_touserdata(L, 1);

	if (c->hook != HOOK_CALLBACK && c->script->hooks[c->hook].is_classic)
		classic_call(L, c);
	else
		current_call(L, c);
	return 0;
}

static void adopt(struct script *s, struct hook_query *q)
{
	ASSERT(q->script == NULL || q->script == s);
	if (q->script == NULL)
		q->script = script_get(s);
}

void script_gettag(struct script *s, struct hook_query *q)
{
	struct call c = { .script = s, .hook = HOOK_GETTAG, .query = q };

	adopt(s, q);
	if (!run(s, run_gettag, &c, 1))
		q->tag = 0;
}

/* preoutquery's answer is the server's and not the client's. */
static enum script_verdict call_preoutquery(struct call *c)
{
	struct hook_query *q = c->query;
	struct hook_answer client = q->answer;

	q->answer = (struct hook_answer) { .has_records = true, .ede = -1 };
	hookquery_begin(q);
	if (!run(c->script, run_hook, c, 1))
		c->verdict = c->script->hooks[c->hook].is_classic ? SCRIPT_KILL : SCRIPT_PASS;
	else if (c->verdict == SCRIPT_TAKEN && q->draft.rcode < 0)
		c->verdict = q->draft.rcode == HOOK_RCODE_KILL ? SCRIPT_KILL : SCRIPT_DROP;
	if (c->verdict == SCRIPT_TAKEN)
		hookquery_commit(q);
	else
		hookquery_discard(q);
	q->out->reply = q->answer;
	q->answer = client;
	return c->verdict;
}

static enum script_verdict call_query(struct script *s, enum hook hook, struct hook_query *q)
{
	struct call c = { .script = s, .hook = hook, .query = q, .verdict = SCRIPT_PASS };
	bool is_classic = hook != HOOK_CALLBACK && s->hooks[hook].is_classic;

	adopt(s, q);
	if (hook == HOOK_PREOUTQUERY)
		return call_preoutquery(&c);
	hookquery_begin(q);
	if (!run(s, run_hook, &c, 1)) {
		hookquery_discard(q);
		return is_classic ? SCRIPT_DROP : SCRIPT_PASS;
	}
	call_apply_policy(&c);
	if (c.verdict == SCRIPT_TAKEN && hookquery_keep(q) != E_OK) {
		hookquery_discard(q);
		return is_classic ? SCRIPT_DROP : SCRIPT_PASS;
	}
	if (c.verdict == SCRIPT_TAKEN)
		hookquery_commit(q);
	else
		hookquery_discard(q);
	return c.verdict;
}

enum script_verdict script_call(struct script *s, enum hook hook, struct hook_query *q)
{
	ASSERT(hook >= HOOK_PRERPZ && hook <= HOOK_PREOUTQUERY && script_has(s, hook));
	return call_query(s, hook, q);
}

enum script_verdict script_callback(struct script *s, struct hook_query *q)
{
	return call_query(s, HOOK_CALLBACK, q);
}

/* ---- maintenance ---- */

static int run_maintenance(lua_State *L)
{
	call_push_function(L, lua_touserdata(L, 1));
	lua_call(L, 0, 0);
	return 0;
}

void script_maintain(struct script *s)
{
	struct call c = { .script = s, .hook = HOOK_MAINTENANCE };

	(void)run(s, run_maintenance, &c, SCRIPT_MAINTENANCE_FACTOR);
}

/* ---- any function ---- */

struct function {
	const char *name;
	bool is_there;
};

static int run_function(lua_State *L)
{
	struct function *f = lua_touserdata(L, 1);

	f->is_there = lua_getglobal(L, f->name) == LUA_TFUNCTION;
	if (f->is_there)
		lua_call(L, 0, 0);
	return 0;
}

int script_run(struct script *s, const char *name, char *why)
{
	struct function f = { .name = name };
	int err = engine_run(s, run_function, &f, 1);

	if (err != E_OK)
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", s->outcome.why);
	return err == E_OK && !f.is_there ? E_NOT_FOUND : err;
}

/* ---- the end of a query ---- */

void script_query_end(struct hook_query *q)
{
	struct script *s = q->script;

	if (s == NULL)
		return;
	if (q->dq != NULL)
		dq_end(s->L, q);
	q->script = NULL;
	script_put(s);
}

void script_print_mdoc(FILE *f)
{
	lua_api_print_mdoc(f);
}
