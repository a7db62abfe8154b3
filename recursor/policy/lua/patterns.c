/*
 * patterns: string.find, match, gmatch and gsub, whose steps count as instructions.
 *
 * Lua's own take a time that grows with a power of the subject's length as high as the pattern has
 * repetitions, in C, where nothing ends them: a pattern and a name of 60 bytes are enough for
 * hours.  These mean the same (Lua 5.4 reference manual, 6.4.1) and charge each step.
 *
 * Limits: as many captures as Lua has, 32; DEPTH_MAX items within each other.
 */
#include <ctype.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "common/check.h"
#include "recursor/policy/lua/engine.h"

enum {
	CAPTURES_MAX = 32,
	DEPTH_MAX = 200,
	STEPS_AT_ONCE = 64, /* charged together */
	SCAN_EACH = 16,     /* bytes that memmem() looks at for one instruction */
	CAPTURE_OPEN = -1,
	CAPTURE_PLACE = -2, /* "()" */
};

struct matcher {
	lua_State *L;
	const char *subject, *end;
	const char *pattern_end;
	unsigned depth, steps;
	int n;
	struct {
		const char *at;
		ptrdiff_t len; /* or CAPTURE_ ... */
	} captures[CAPTURES_MAX];
};

static const char *match(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m)
{
	if (++m->steps < STEPS_AT_ONCE)
		return;
	m->steps = 0;
	engine_charge(m->L, STEPS_AT_ONCE);
}

static int byte_at(const char *s)
{
	return (unsigned char)*s;
}

/* ---- one character ---- */

/* Behind the item at `p`: a character, an escape, or a set. */
static const char *item_end(const struct matcher *m, const char *p)
{
	const char *end = m->pattern_end;
	char first = *p++;

	if (first == '%') {
		if (p == end)
			luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 1;
	}
	if (first != '[')
		return p;
	if (p < end && *p == '^')
		p++;
	/* What closes a set is a member of it in the first place. */
	for (bool is_first = true; is_first || p == end || *p != ']'; is_first = false) {
		if (p == end || (*p == '%' && p + 1 == end))
			luaL_error(m->L, "malformed pattern (missing ']')");
		p += *p == '%' ? 2 : 1;
	}
	return p + 1;
}

static bool is_of_class(int c, int class)
{
	bool is;

	switch (tolower(class)) {
	case 'a':
		is = isalpha(c);
		break;
	case 'c':
		is = iscntrl(c);
		break;
	case 'd':
		is = isdigit(c);
		break;
	case 'g':
		is = isgraph(c);
		break;
	case 'l':
		is = islower(c);
		break;
	case 'p':
		is = ispunct(c);
		break;
	case 's':
		is = isspace(c);
		break;
	case 'u':
		is = isupper(c);
		break;
	case 'w':
		is = isalnum(c);
		break;
	case 'x':
		is = isxdigit(c);
		break;
	default:
		return c == class;
	}
	return is != (isupper(class) != 0);
}

/* `set` begins with its bracket, `last` is at the closing one. */
static bool is_in_set(int c, const char *set, const char *last)
{
	bool is_inverse = set[1] == '^';
	const char *p = set + 1 + is_inverse;

	while (p < last) {
		bool is;

		if (*p == '%') {
			is = is_of_class(c, byte_at(p + 1));
			p += 2;
		} else if (p + 2 < last && p[1] == '-') {
			is = byte_at(p) <= c && c <= byte_at(p + 2);
			p += 3;
		} else {
			is = byte_at(p) == c;
			p++;
		}
		if (is)
			return !is_inverse;
	}
	return is_inverse;
}

static bool is_match(struct matcher *m, const char *s, const char *p, const char *p_end)
{
	step(m);
	if (s >= m->end)
		return false;
	switch (*p) {
	case '.':
		return true;
	case '%':
		return is_of_class(byte_at(s), byte_at(p + 1));
	case '[':
		return is_in_set(byte_at(s), p, p_end - 1);
	default:
		return *p == *s;
	}
}

/* ---- repetitions ---- */

/* As many as there are, then fewer. */
static const char *match_most(struct matcher *m, const char *s, const char *p, const char *p_end)
{
	size_t n = 0;

	while (is_match(m, s + n, p, p_end))
		n++;
	for (;; n--) {
		const char *end = match(m, s + n, p_end + 1);

		if (end != NULL || n == 0)
			return end;
	}
}

/* As few as will do. */
static const char *match_least(struct matcher *m, const char *s, const char *p, const char *p_end)
{
	for (;; s++) {
		const char *end = match(m, s, p_end + 1);

		if (end != NULL)
			return end;
		if (!is_match(m, s, p, p_end))
			return NULL;
	}
}

/* ---- captures ---- */

static const char *open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t len)
{
	const char *end;

	if (m->n == CAPTURES_MAX)
		luaL_error(m->L, "too many captures");
	m->captures[m->n].at = s;
	m->captures[m->n].len = len;
	m->n++;
	end = match(m, s, p);
	if (end == NULL)
		m->n--;
	return end;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p)
{
	const char *end;
	int i = m->n - 1;

	while (i >= 0 && m->captures[i].len != CAPTURE_OPEN)
		i--;
	if (i < 0)
		luaL_error(m->L, "invalid pattern capture");
	m->captures[i].len = s - m->captures[i].at;
	end = match(m, s, p);
	if (end == NULL)
		m->captures[i].len = CAPTURE_OPEN;
	return end;
}

static const char *match_again(const struct matcher *m, const char *s, int digit)
{
	int i = digit - '1';
	size_t len;

	if (i < 0 || i >= m->n || m->captures[i].len == CAPTURE_OPEN)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	if (m->captures[i].len < 0) /* a place has no text */
		return NULL;
	len = (size_t)m->captures[i].len;
	if ((size_t)(m->end - s) < len || memcmp(m->captures[i].at, s, len) != 0)
		return NULL;
	return s + len;
}

/* ---- %b and %f ---- */

static const char *match_balance(struct matcher *m, const char *s, const char *p)
{
	unsigned long open = 1;

	if (m->pattern_end - p < 2)
		luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	if (s >= m->end || *s != p[0])
		return NULL;
	while (++s < m->end) {
		step(m);
		if (*s == p[1]) {
			if (--open == 0)
				return s + 1;
		} else if (*s == p[0]) {
			open++;
		}
	}
	return NULL;
}

static bool is_frontier(const struct matcher *m, const char *s, const char *p, const char *p_end)
{
	int before = s == m->subject ? 0 : byte_at(s - 1), here = s < m->end ? byte_at(s) : 0;

	return !is_in_set(before, p, p_end - 1) && is_in_set(here, p, p_end - 1);
}

/* ---- the whole ---- */

/* An escape that is more than a character; *is_done when it was one. */
static const char *match_escape(struct matcher *m, const char **s, const char **p, bool *is_done)
{
	const char *at = *p + 1, *p_end;

	*is_done = true;
	if (at < m->pattern_end && *at == 'b') {
		*s = match_balance(m, *s, at + 1);
		*p = at + 3;
		return *s;
	}
	if (at < m->pattern_end && *at == 'f') {
		if (++at >= m->pattern_end || *at != '[')
			luaL_error(m->L, "missing '[' after '%%f' in pattern");
		p_end = item_end(m, at);
		*p = p_end;
		return is_frontier(m, *s, at, p_end) ? *s : NULL;
	}
	if (at < m->pattern_end && isdigit(byte_at(at))) {
		*s = match_again(m, *s, *at);
		*p = at + 1;
		return *s;
	}
	*is_done = false;
	return *s;
}

static const char *match_items(struct matcher *m, const char *s, const char *p)
{
	while (p < m->pattern_end) {
		const char *p_end, *end;
		bool is_done = false;
		char suffix;

		step(m);
		if (*p == '(' && p + 1 < m->pattern_end && p[1] == ')')
			return open_capture(m, s, p + 2, CAPTURE_PLACE);
		if (*p == '(')
			return open_capture(m, s, p + 1, CAPTURE_OPEN);
		if (*p == ')')
			return close_capture(m, s, p + 1);
		if (*p == '$' && p + 1 == m->pattern_end)
			return s == m->end ? s : NULL;
		if (*p == '%') {
			if (match_escape(m, &s, &p, &is_done) == NULL)
				return NULL;
			if (is_done)
				continue;
		}
		p_end = item_end(m, p);
		suffix = p_end < m->pattern_end ? *p_end : '\0';
		switch (suffix) {
		case '*':
			return match_most(m, s, p, p_end);
		case '+':
			return is_match(m, s, p, p_end) ? match_most(m, s + 1, p, p_end) : NULL;
		case '-':
			return match_least(m, s, p, p_end);
		case '?':
			if (is_match(m, s, p, p_end)) {
				end = match(m, s + 1, p_end + 1);
				if (end != NULL)
					return end;
			}
			p = p_end + 1;
			break;
		default:
			if (!is_match(m, s, p, p_end))
				return NULL;
			s++;
			p = p_end;
		}
	}
	return s;
}

static const char *match(struct matcher *m, const char *s, const char *p)
{
	const char *end;

	if (++m->depth > DEPTH_MAX)
		luaL_error(m->L, "pattern too complex");
	end = match_items(m, s, p);
	m->depth--;
	return end;
}

static void matcher_init(struct matcher *m, lua_State *L, const char *subject, size_t len,
			 const char *pattern, size_t pattern_len)
{
	m->L = L;
	m->subject = subject;
	m->end = subject + len;
	m->pattern_end = pattern + pattern_len;
	m->steps = 0;
}

static const char *match_at(struct matcher *m, const char *s, const char *pattern)
{
	m->n = 0;
	m->depth = 0;
	return match(m, s, pattern);
}

/* ---- results ---- */

static void push_capture(const struct matcher *m, int i, const char *from, const char *to)
{
	if (i >= m->n) {
		if (i != 0)
			luaL_error(m->L, "invalid capture index %%%d", i + 1);
		lua_pushlstring(m->L, from, (size_t)(to - from));
	} else if (m->captures[i].len == CAPTURE_PLACE) {
		lua_pushinteger(m->L, m->captures[i].at - m->subject + 1);
	} else if (m->captures[i].len == CAPTURE_OPEN) {
		luaL_error(m->L, "unfinished capture");
	} else {
		lua_pushlstring(m->L, m->captures[i].at, (size_t)m->captures[i].len);
	}
}

/* All captures; the whole match when there are none, unless `from` is NULL. */
static int push_captures(const struct matcher *m, const char *from, const char *to)
{
	int n = m->n == 0 && from != NULL ? 1 : m->n;

	luaL_checkstack(m->L, n, "too many captures");
	for (int i = 0; i < n; i++)
		push_capture(m, i, from, to);
	return n;
}

/* Where a search begins: an argument that counts from 1, or backwards from -1. */
static size_t start_of(lua_State *L, int index, size_t len)
{
	lua_Integer at = luaL_optinteger(L, index, 1);

	if (at > 0)
		return (size_t)at - 1;
	if (at == 0 || at < -(lua_Integer)len)
		return 0;
	return len - (size_t)-at;
}

static bool is_plain(const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (memchr("^$*+?.([%-", pattern[i], 10) != NULL)
			return false;
	return true;
}

static int find_plain(lua_State *L, const char *s, size_t len, size_t at, const char *what,
		      size_t what_len)
{
	const char *found;

	engine_charge(L, (len - at) / SCAN_EACH);
	found = memmem(s + at, len - at, what, what_len);
	if (found == NULL) {
		luaL_pushfail(L);
		return 1;
	}
	lua_pushinteger(L, found - s + 1);
	lua_pushinteger(L, found - s + (lua_Integer)what_len);
	return 2;
}

static int search(lua_State *L, bool is_find)
{
	size_t len, pattern_len, at;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *pattern = luaL_checklstring(L, 2, &pattern_len);
	bool is_anchored;
	struct matcher m;

	at = start_of(L, 3, len);
	if (at > len) {
		luaL_pushfail(L);
		return 1;
	}
	if (is_find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_len)))
		return find_plain(L, s, len, at, pattern, pattern_len);
	is_anchored = pattern_len > 0 && *pattern == '^';
	matcher_init(&m, L, s, len, pattern, pattern_len);
	for (const char *from = s + at; from <= m.end; from++) {
		const char *to = match_at(&m, from, pattern + is_anchored);

		if (to == NULL && is_anchored)
			break;
		if (to == NULL)
			continue;
		if (!is_find)
			return push_captures(&m, from, to);
		lua_pushinteger(L, from - s + 1);
		lua_pushinteger(L, to - s);
		return push_captures(&m, NULL, NULL) + 2;
	}
	luaL_pushfail(L);
	return 1;
}

static int pattern_find(lua_State *L)
{
	return search(L, true);
}

static int pattern_match(lua_State *L)
{
	return search(L, false);
}

/* ---- gmatch ---- */

/* Upvalues: subject, pattern, where to go on, where the last match ended (0: there was none). */
static int next_match(lua_State *L)
{
	size_t len, pattern_len;
	const char *s = lua_tolstring(L, lua_upvalueindex(1), &len);
	const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_len);
	lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
	struct matcher m;

	matcher_init(&m, L, s, len, pattern, pattern_len);
	for (const char *from = s + lua_tointeger(L, lua_upvalueindex(3)); from <= m.end; from++) {
		const char *to = match_at(&m, from, pattern);

		/* Not the empty one where the last ended. */
		if (to == NULL || to - s + 1 == last)
			continue;
		lua_pushinteger(L, to - s);
		lua_replace(L, lua_upvalueindex(3));
		lua_pushinteger(L, to - s + 1);
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(&m, from, to);
	}
	return 0;
}

static int pattern_gmatch(lua_State *L)
{
	size_t len, at;

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_checkstring(L, 2);
	at = start_of(L, 3, len);
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)(at > len ? len + 1 : at));
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_match, 4);
	return 1;
}

/* ---- gsub ---- */

static void add_text(struct matcher *m, luaL_Buffer *b, const char *from, const char *to)
{
	size_t len;
	const char *text = lua_tolstring(m->L, 3, &len);

	for (size_t i = 0; i < len; i++) {
		step(m);
		if (text[i] != '%') {
			luaL_addchar(b, text[i]);
			continue;
		}
		i++;
		if (i < len && text[i] == '%') {
			luaL_addchar(b, '%');
		} else if (i < len && text[i] == '0') {
			luaL_addlstring(b, from, (size_t)(to - from));
		} else if (i < len && isdigit(byte_at(text + i))) {
			push_capture(m, text[i] - '1', from, to);
			luaL_tolstring(m->L, -1, NULL);
			lua_remove(m->L, -2);
			luaL_addvalue(b);
		} else {
			luaL_error(m->L, "invalid use of '%%' in replacement string");
		}
	}
}

/* What takes the place of a match. */
static void add_replacement(struct matcher *m, luaL_Buffer *b, const char *from, const char *to)
{
	lua_State *L = m->L;

	switch (lua_type(L, 3)) {
	case LUA_TFUNCTION:
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(m, from, to), 1);
		break;
	case LUA_TTABLE:
		push_capture(m, 0, from, to);
		(void)lua_gettable(L, 3);
		break;
	default:
		add_text(m, b, from, to);
		return;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, from, (size_t)(to - from));
		return;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(b);
}

static int pattern_gsub(lua_State *L)
{
	size_t len, pattern_len;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *pattern = luaL_checklstring(L, 2, &pattern_len);
	lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)len + 1), n = 0;
	bool is_anchored = pattern_len > 0 && *pattern == '^';
	const char *from = s, *last = NULL;
	struct matcher m;
	luaL_Buffer b;
	int type = lua_type(L, 3);

	if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TFUNCTION &&
	    type != LUA_TTABLE)
		return luaL_typeerror(L, 3, "string/function/table");
	ASSERT(s != NULL);
	matcher_init(&m, L, s, len, pattern, pattern_len);
	luaL_buffinit(L, &b);
	while (n < most) {
		const char *to = match_at(&m, from, pattern + is_anchored);

		if (to != NULL && to != last) {
			n++;
			add_replacement(&m, &b, from, to);
			from = last = to;
		} else if (from < m.end) {
			luaL_addchar(&b, *from++);
		} else {
			break;
		}
		if (is_anchored)
			break;
	}
	luaL_addlstring(&b, from, (size_t)(m.end - from));
	luaL_pushresult(&b);
	lua_pushinteger(L, n);
	return 2;
}

void patterns_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "find", pattern_find },
		{ "match", pattern_match },
		{ "gmatch", pattern_gmatch },
		{ "gsub", pattern_gsub },
		{ NULL, NULL },
	};

	(void)lua_getglobal(L, "string");
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
