#include "recursor/policy/lua/constants.h"

#include <lauxlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/policy/hookquery.h"
#include "recursor/policy/lua/api.h"

struct constant {
	const char *name;
	lua_Integer value;
};

static const struct constant plain[] = {
#define RCODE_CONSTANT(name, number) { #name, (number) },
	RCODE_TABLE(RCODE_CONSTANT)
#undef RCODE_CONSTANT
#define TYPE_CONSTANT(name, number, layout) { #name, (number) },
		RRTYPE_TABLE(TYPE_CONSTANT)
#undef TYPE_CONSTANT
			{ "PASS", -1 },
	{ "DROP", HOOK_RCODE_DROP },
};

static const struct constant place[] = {
	{ "QUESTION", PLACE_QUESTION },
	{ "ANSWER", PLACE_ANSWER },
	{ "AUTHORITY", PLACE_AUTHORITY },
	{ "ADDITIONAL", PLACE_ADDITIONAL },
};

static const struct constant loglevels[] = {
	{ "All", 99999 }, { "NTLog", 12345 }, { "None", -1 }, { "Emergency", 0 },
	{ "Alert", 1 },   { "Critical", 2 },  { "Error", 3 }, { "Warning", 4 },
	{ "Notice", 5 },  { "Info", 6 },      { "Debug", 7 },
};

static const struct constant policykinds[] = {
	{ "NoAction", POLICY_NO_ACTION }, { "Drop", POLICY_DROP },
	{ "NXDOMAIN", POLICY_NXDOMAIN },  { "NODATA", POLICY_NODATA },
	{ "Truncate", POLICY_TRUNCATE },  { "Custom", POLICY_CUSTOM },
};

static const struct constant policytypes[] = {
	{ "None", 0 },       { "QName", 1 },   { "ClientIP", 2 },
	{ "ResponseIP", 3 }, { "NSDName", 4 }, { "NSIP", 5 },
};

/* Bogus and its reasons, in PowerDNS's order: see api_is_bogus(). */
static const struct constant validationstates[] = {
	{ "Indeterminate", 0 },
	{ "Insecure", 1 },
	{ "Secure", 2 },
	{ "BogusNoValidDNSKEY", 3 },
	{ "BogusInvalidDenial", 4 },
	{ "BogusUnableToGetDSs", 5 },
	{ "BogusUnableToGetDNSKEYs", 6 },
	{ "BogusSelfSignedDS", 7 },
	{ "BogusNoRRSIG", 8 },
	{ "BogusNoValidRRSIG", 9 },
	{ "BogusMissingNegativeIndication", 10 },
	{ "BogusSignatureNotYetValid", 11 },
	{ "BogusSignatureExpired", 12 },
	{ "BogusUnsupportedDNSKEYAlgo", 13 },
	{ "BogusUnsupportedDSDigestType", 14 },
	{ "BogusNoZoneKeyBitSet", 15 },
	{ "BogusRevokedDNSKEY", 16 },
	{ "BogusInvalidDNSKEYProtocol", 17 },
	{ "Bogus", 255 },
};

enum { FIRST_BOGUS = 3, LAST_BOGUS = 17, BOGUS = 255, ERROR_LEVEL = 3 };

static void set_constants(lua_State *L, const struct constant *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lua_pushinteger(L, list[i].value);
		lua_setfield(L, -2, list[i].name);
	}
}

#define SET_CONSTANTS(L, list) set_constants(L, (list), sizeof(list) / sizeof((list)[0]))
#define ADD_TABLE_AS(L, name, list)                                                                \
	(lua_newtable(L), SET_CONSTANTS(L, list), lua_setfield(L, -2, (name)))
#define ADD_TABLE(L, list) ADD_TABLE_AS(L, #list, list)

/* pdns.loglevels[unknown], as in 3.x. */
static int unknown_level(lua_State *L)
{
	lua_pushinteger(L, ERROR_LEVEL);
	return 1;
}

/* __index of pdns: its member `now` is looked at when it is asked for. */
static int read_now(lua_State *L)
{
	const struct lua_host *host = lua_host_of(L);
	int64_t s = 0;
	int32_t us = 0;

	if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "now") != 0)
		return 0;
	host->to->wall(host->to->ctx, &s, &us);
	lua_createtable(L, 0, 2);
	lua_pushinteger(L, (lua_Integer)s);
	lua_setfield(L, -2, "tv_sec");
	lua_pushinteger(L, (lua_Integer)us);
	lua_setfield(L, -2, "tv_usec");
	return 1;
}

/* Gives the table on top of the stack a metatable with that __index. */
static void set_index(lua_State *L, lua_CFunction index)
{
	lua_newtable(L);
	lua_pushcfunction(L, index);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

static void open_features(lua_State *L)
{
	lua_newtable(L);
	lua_pushboolean(L, true);
	lua_setfield(L, -2, "PR8001_devicename");
	lua_setglobal(L, "pdns_features");
}

void lua_open_constants(lua_State *L)
{
	lua_newtable(L);
	SET_CONSTANTS(L, plain);
	ADD_TABLE(L, place);
	ADD_TABLE(L, policykinds);
	/* PowerDNS's manual says so of policyCustom and policyTTL; its code has the other name alone. */
	ADD_TABLE_AS(L, "policyactions", policykinds);
	ADD_TABLE(L, policytypes);
	ADD_TABLE(L, validationstates);
	lua_newtable(L);
	SET_CONSTANTS(L, loglevels);
	set_index(L, unknown_level);
	lua_setfield(L, -2, "loglevels");
	set_index(L, read_now);
	lua_setglobal(L, "pdns");
	open_features(L);
}

int api_is_bogus(lua_State *L)
{
	lua_Integer state = luaL_checkinteger(L, 1);

	lua_pushboolean(L, state == BOGUS || (state >= FIRST_BOGUS && state <= LAST_BOGUS));
	return 1;
}
