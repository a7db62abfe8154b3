#include "recursor/policy/lua/engine.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "recursor/policy/lua/api.h"

/* ---- the heap ---- */

#ifdef DEBUG_CHECKS
enum { SMALL_KEPT = 0 }; /* so that a use after free is seen */
#else
enum { SMALL_KEPT = 512 }; /* of each size */
#endif

/* The small blocks of that size; NULL: it is large. */
static struct small_blocks *small_of(struct script *s, size_t size)
{
	return size - 1 < (size_t)SMALL_SIZES * SMALL_STEP ? &s->small[(size - 1) / SMALL_STEP]
							   : NULL;
}

static void *block_take(struct script *s, size_t size)
{
	struct small_blocks *small = small_of(s, size);
	struct small_block *b = small != NULL ? small->first : NULL;

	if (b == NULL)
		return malloc((size + SMALL_STEP - 1) / SMALL_STEP * SMALL_STEP);
	small->first = b->next;
	small->n--;
	return b;
}

static void block_give(struct script *s, void *block, size_t size)
{
	struct small_blocks *small = small_of(s, size);
	struct small_block *b = block;

	if (small == NULL || small->n + 1 > SMALL_KEPT) {
		free(block);
		return;
	}
	b->next = small->first;
	small->first = b;
	small->n++;
}

static void *block_resize(struct script *s, void *block, size_t old, size_t new)
{
	const struct small_blocks *small = small_of(s, old);
	void *moved;

	if (small == NULL && small_of(s, new) == NULL)
		return realloc(block, new);
	if (small != NULL && small == small_of(s, new))
		return block;
	moved = block_take(s, new);
	if (moved == NULL)
		return new < old ? block : NULL; /* Lua has no word for a shrinking that fails */
	memcpy(moved, block, old < new ? old : new);
	block_give(s, block, old);
	return moved;
}

enum {
	LARGE = 4096,
	NS_EACH = 1000, /* no instruction takes as long, with sanitizers either */
};

static void on_count(lua_State *L, lua_Debug *at);

static void small_free(struct script *s)
{
	for (unsigned i = 0; i < SMALL_SIZES; i++) {
		struct small_block *b;

		while ((b = s->small[i].first) != NULL) {
			s->small[i].first = b->next;
			free(b);
		}
		s->small[i].n = 0;
	}
}

/* What is large is long in the making: a copy of it costs as much as so many instructions.  Where
 * that ends the call, it does so at the next instruction. */
static void charge_block(struct script *s, size_t size)
{
	if (size < LARGE || !s->is_limited || s->is_over)
		return;
	s->budget -= (int64_t)(size / ENGINE_BYTES_EACH);
	if (s->budget > 0)
		return;
	s->is_over = true;
	lua_sethook(s->L, on_count, LUA_MASKCOUNT, 1);
}

static void *allocate(void *ctx, void *block, size_t old, size_t new)
{
	struct script *s = ctx;
	void *moved;

	if (block == NULL)
		old = 0; /* it was a kind of object */
	if (new == 0) {
		s->heap -= old;
		if (block != NULL)
			block_give(s, block, old);
		return NULL;
	}
	if (new > old &&new - old > (s->heap_stop > s->heap ? s->heap_stop - s->heap : 0)) {
		s->starved = true;
		return NULL;
	}
	charge_block(s, new);
	moved = block == NULL ? block_take(s, new) : block_resize(s, block, old, new);
	if (moved == NULL)
		return NULL;
	s->heap += new - old;
	if (s->heap > s->heap_most)
		s->heap_most = s->heap;
	return moved;
}

/* ---- instructions ---- */

static void raise_over(lua_State *L, int level)
{
	const struct script *s = script_of(L);

	luaL_where(L, level);
	if (s->is_ended)
		lua_pushliteral(L, "the daemon ends");
	else
		lua_pushfstring(L, "more than %I instructions (lua-hook-instructions)",
				(LUAI_UACINT)s->limits.instructions);
	lua_concat(L, 2);
	lua_error(L);
}

/* The thread's own time: that of others on the machine is no fault of the script's. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The step that ends here; more when it was slow, with instructions that take as long as thousands:
 * two long texts that are compared, a table full of holes that is walked. */
static int64_t step_cost(struct script *s)
{
	uint64_t now = cpu_ns(), us = s->step_ns == 0 ? 0 : (now - s->step_ns) / NS_EACH;

	s->step_ns = now;
	return us > ENGINE_STEP ? (int64_t)us : ENGINE_STEP;
}

static void on_count(lua_State *L, lua_Debug *at)
{
	struct script *s = script_of(L);

	(void)at;
	if (!s->is_over && s->outer.must_end != NULL && s->outer.must_end(s->outer.ctx))
		s->is_ended = s->is_over = true;
	if (!s->is_over) {
		s->budget -= step_cost(s);
		if (s->budget > 0 || !s->is_limited)
			return;
		s->is_over = true;
	}
	/* Who catches it meets it again at once. */
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	raise_over(L, 0);
}

void engine_charge(lua_State *L, uint64_t n)
{
	struct script *s = script_of(L);

	if (!s->is_limited)
		return;
	if (s->is_over || s->budget <= 0 || n >= (uint64_t)s->budget) {
		s->budget = 0;
		s->is_over = true;
		lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
		raise_over(L, 1);
	}
	s->budget -= (int64_t)n;
}

/* ---- a call ---- */

static uint64_t times(uint64_t n, unsigned factor)
{
	return n > INT64_MAX / factor ? INT64_MAX : n * factor;
}

static void set_bounds(struct script *s, unsigned factor)
{
	const struct script_limits *l = &s->limits;
	size_t most = l->heap_bytes == 0 ? SIZE_MAX : l->heap_bytes;
	size_t room = most > s->heap ? most - s->heap : 0;

	s->starved = s->is_ended = false;
	s->heap_began = s->heap_most = s->heap;
	s->step_ns = 0;
	s->host.charge = engine_charge;
	s->is_limited = l->instructions != 0;
	s->spent = s->budget = (int64_t)times(l->instructions, factor);
	/* What runs in one go for long may also fill the heap. */
	s->heap_stop = factor > 1 || l->call_bytes == 0 || l->call_bytes > room
			       ? most
			       : s->heap + l->call_bytes;
	if (s->is_over) {
		s->is_over = false;
		lua_sethook(s->L, on_count, LUA_MASKCOUNT, ENGINE_STEP);
	}
}

/* Between calls there is no bound: what comes in C, a few words, has to go through. */
static void lift_bounds(struct script *s)
{
	s->heap_stop = SIZE_MAX;
}

static void note_most(struct script *s)
{
	_Atomic uint64_t *most = s->outer.most_heap;
	uint64_t seen = most == NULL ? UINT64_MAX
				     : atomic_load_explicit(most, memory_order_relaxed);

	s->spent -= s->budget;
	while (s->heap_most > seen &&
	       !atomic_compare_exchange_weak_explicit(most, &seen, s->heap_most,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

static void tell(struct script *s, const char *text)
{
	(void)snprintf(s->outcome.why, sizeof(s->outcome.why), "%s", text);
}

int engine_run(struct script *s, lua_CFunction fn, void *arg, unsigned factor)
{
	lua_State *L = s->L;
	int rc;

	set_bounds(s, factor);
	lua_pushcfunction(L, fn);
	lua_pushlightuserdata(L, arg);
	rc = lua_pcall(L, 1, 0, 0);
	lift_bounds(s);
	note_most(s);
	if (rc == LUA_OK)
		return E_OK;
	if (rc == LUA_ERRMEM)
		tell(s, "not enough memory (lua-hook-memory, lua-memory-limit)");
	else if (lua_type(L, -1) == LUA_TSTRING)
		tell(s, lua_tostring(L, -1));
	else
		(void)snprintf(s->outcome.why, sizeof(s->outcome.why), "error is a %s",
			       luaL_typename(L, -1));
	lua_settop(L, 0);
	return rc == LUA_ERRMEM || s->is_over ? E_LIMIT : E_MALFORMED;
}

/* ---- life ---- */

static int open_libraries(lua_State *L)
{
	luaL_openlibs(L);
	sandbox_open(L);
	lua_api_open(L, lua_host_of(L));
	lua_sethook(L, on_count, LUA_MASKCOUNT, ENGINE_STEP);
	return 0;
}

static int on_panic(lua_State *L)
{
	bool is_in_engine_run = false;

	(void)L;
	ASSERT(is_in_engine_run);
	return 0;
}

int engine_open(struct script *s)
{
	lift_bounds(s);
	s->L = lua_newstate(allocate, s);
	if (s->L == NULL)
		return E_NOMEM;
	lua_atpanic(s->L, on_panic);
	*(struct lua_host **)lua_getextraspace(s->L) = &s->host;
	return engine_run(s, open_libraries, NULL, SCRIPT_LOAD_FACTOR);
}

void engine_close(struct script *s)
{
	lift_bounds(s);
	if (s->L != NULL)
		lua_close(s->L);
	s->L = NULL;
	small_free(s); /* what a state that could not be made gave back is there, too */
	ASSERT(s->heap == 0);
}
