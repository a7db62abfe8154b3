/*
 * shared_table: the part of api_table.h's table that all workers' scripts share.
 */
#ifndef POLICY_LUA_SHARED_TABLE_H
#define POLICY_LUA_SHARED_TABLE_H

// clang-format off
#define LUA_SHARED_OBJECTS(X)                                                                    \
	X(SHARED_SET, "shared ipset", "addresses that expire by themselves; with a name one set "  \
	  "for all workers, which stays over reloads and which rec_control sees (list-ipsets)")  \
	X(NAMELIST, "name list", "the names of a file, and all names below them; one copy for all " \
	  "workers, 12 bytes a name beside its letters")                                         \
	X(RATELIMIT, "rate limit", "so many queries a second for each client, in memory of a fixed " \
	  "size")

#define LUA_SHARED_MEMBERS(X)                                                                    \
	X(GLOBAL, FUNCTION, "newDSFromFile", "(path)", "own", BOTH, api_new_namelist, NULL,      \
	  "a name list of a file with a name a line; a path that does not begin with / is below " \
	  "config-dir; a line that is no name is an error that tells its number")                \
	X(GLOBAL, FUNCTION, "newRateLimiter", "{qps=, [burst=, ipv4_mask=32, ipv6_mask=64, "      \
	  "max=100000, name=]}", "own", BOTH, api_new_ratelimit, NULL,                           \
	  "a rate limit: after a rest a client has burst queries at once (qps of them unless "   \
	  "given), then qps a second; max clients are remembered, 16 bytes each; with a name it " \
	  "is one for all workers")                                                              \
	X(SHARED_SET, METHOD, "add", "(address, [ttl])", "own", BOTH, api_shared_set_add, NULL,  \
	  "adds or renews; ttl in seconds, 0: for ever; false when the set is full")                \
	X(SHARED_SET, METHOD, "check", "(address)", "own", BOTH, api_shared_set_check, NULL,     \
	  "is it in?")                                                                           \
	X(SHARED_SET, METHOD, "clear", "()", "own", BOTH, api_shared_set_clear, NULL,            \
	  "removes all")                                                                         \
	X(SHARED_SET, METHOD, "count", "()", "own", BOTH, api_shared_set_count, NULL,            \
	  "how many are in; what expired in the last seconds may be among them")                 \
	X(SHARED_SET, METHOD, "remove", "(address)", "own", BOTH, api_shared_set_remove, NULL,   \
	  "removes; false: it was not in")                                                       \
	X(SHARED_SET, OPERATOR, "__index", "", "own", BOTH, api_shared_set_get, NULL,            \
	  "true when the address, a ComboAddress, is in, else nil")                              \
	X(SHARED_SET, OPERATOR, "__newindex", "", "own", BOTH, api_shared_set_put, NULL,         \
	  "adds the address with the set's ttl; nil removes it")                                 \
	X(SHARED_SET, OPERATOR, "__len", "", "own", BOTH, api_shared_set_count, NULL, "as count") \
	X(SHARED_SET, OPERATOR, "__tostring", "", "own", BOTH, api_shared_set_text, NULL,        \
	  "name and count")                                                                      \
	X(SHARED_SET, OPERATOR, "__gc", "", "own", BOTH, api_shared_set_gc, NULL, "")            \
	X(NAMELIST, METHOD, "check", "(name)", "own", BOTH, api_namelist_check, NULL,            \
	  "is the name, or one above it, in the list?")                                          \
	X(NAMELIST, METHOD, "count", "()", "own", BOTH, api_namelist_count, NULL,                \
	  "how many names the list has")                                                         \
	X(NAMELIST, OPERATOR, "__gc", "", "own", BOTH, api_namelist_gc, NULL, "")                \
	X(RATELIMIT, METHOD, "allows", "(address)", "own", BOTH, api_ratelimit_allows, NULL,     \
	  "counts a query of this client; false: it has had too many")                           \
	X(RATELIMIT, OPERATOR, "__gc", "", "own", BOTH, api_ratelimit_gc, NULL, "")
// clang-format on

#endif
