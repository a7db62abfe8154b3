/*
 * engine: a script's state from within: heap, instructions, and the call of a hook.
 *
 * Private to recursor/policy/lua/.  A call of Lua goes through engine_run(), with a C function that
 * pushes the arguments, calls, and reads the results: whatever of it runs out of memory or is
 * wrong ends in engine_run(), and nothing in a panic.
 *
 * Heap: every byte of Lua's goes through one allocator, which refuses what passes the bounds;
 * Lua then collects what is garbage, and when that is not enough raises an error.
 *
 * Instructions: Lua calls on_count() after each ENGINE_STEP of them, in every coroutine.  When the
 * budget of the call is used up it raises an error, and from then on at every instruction, so that
 * a script that catches it gets no further.  What C functions of Lua's library do in a loop counts
 * too (engine_charge()), and so does every large block that Lua takes.
 */
#ifndef POLICY_LUA_ENGINE_H
#define POLICY_LUA_ENGINE_H

#include <lua.h>

#include "recursor/policy/lua/host.h"
#include "recursor/policy/script.h"

enum {
	ENGINE_STEP = 1000,
	ENGINE_BYTES_EACH = 64, /* copied, or looked at, take as long as one */
};

struct call;

struct script_hook {
	int ref; /* LUA_NOREF: there is none */
	bool is_classic;
	bool is_either; /* it has no parameters: what it returns tells */
};

/* Small blocks that Lua has given back: most hooks make a few objects a call and forget them. */
enum { SMALL_SIZES = 8, SMALL_STEP = 16 };
struct small_block {
	struct small_block *next;
};
struct small_blocks {
	struct small_block *first;
	unsigned n;
};

struct script {
	struct lua_host host; /* first: what a state's extra space points to */
	struct script_host outer;
	struct script_limits limits;
	lua_State *L;
	unsigned refs;
	/* the heap */
	struct small_blocks small[SMALL_SIZES];
	size_t heap;                  /* bytes in use */
	size_t heap_began, heap_most; /* when this call began, and the most since then */
	size_t heap_stop;             /* no more than so many, in this call */
	bool starved;                 /* this call was refused some */
	/* instructions */
	int64_t budget;   /* left to this call */
	int64_t spent;    /* by the last one, to a step */
	uint64_t step_ns; /* the thread's time at the last count; 0: there was none in this call */
	bool is_limited;
	bool is_over;  /* this call has used up all, */
	bool is_ended; /* or is to end because of host.must_end() */
	/* hooks */
	struct script_hook hooks[HOOKS];
	struct call *current; /* the hook being called, or NULL */
	struct addr local;    /* what local_ref is the ComboAddress of */
	int local_ref;
	struct script_outcome outcome;
};

static inline struct script *script_of(lua_State *L)
{
	return (struct script *)lua_host_of(L);
}

/* A new state with libraries and API, nothing run in it yet.  E_NOMEM. */
int engine_open(struct script *s) MUST_USE;
void engine_close(struct script *s);

/* Runs `fn` with the light userdata `arg` as its argument, within the limits times `factor`.  On an error
 * s->outcome.why has it: E_MALFORMED (the script's), E_LIMIT (instructions or memory). */
int engine_run(struct script *s, lua_CFunction fn, void *arg, unsigned factor) MUST_USE;

/* Counts as so many instructions; raises an error when that is too many. */
void engine_charge(lua_State *L, uint64_t n);

/* Takes from Lua's libraries what would get around the limits. */
void sandbox_open(lua_State *L);

/* string.find and its kin, with steps that count. */
void patterns_open(lua_State *L);

/* os.execute() that leaves the daemon's signals alone. */
int shell_execute(lua_State *L);

/* Loads each file's code and runs it; for engine_run(). */
int code_run(lua_State *L);

#endif
