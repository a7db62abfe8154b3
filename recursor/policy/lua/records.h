/*
 * records: DNSRecord, and the classic interface's tables of records, from and to the neutral rows
 * of hookquery.h.
 *
 * Texts of rdata are in a zone file's form.  What a script gives is checked: a row that is no
 * record is a Lua error that names the row and the field.  Rows that were read before it are then
 * in `to`, which its owner clears.
 *
 * Memory:  objects and tables are Lua's; a hook_records belongs to whoever brought it.
 * Limits:  hookquery.h's; a record's text has RECORD_TEXT_MAX bytes at most.
 */
#ifndef POLICY_LUA_RECORDS_H
#define POLICY_LUA_RECORDS_H

#include <lua.h>

#include "recursor/policy/hookquery.h"

enum { RECORD_TEXT_MAX = 256 * 1024 };

/* A type as a script may give it: a number, a name, a QType. */
uint16_t lua_check_type(lua_State *L, int index);

/* A DNSRecord with a copy of the row, on top of the stack. */
void lua_push_record(lua_State *L, const struct hook_record *row);

/* The DNSRecord at `index` as a row: borrowed, as long as the object is on the stack and the script
 * does not run. */
void lua_check_record(lua_State *L, int index, struct hook_record *row);

/* A record of text: appends to `to`; an error of the text, or of the limits, is a Lua error. */
void lua_add_record_text(lua_State *L, struct hook_records *to, const uint8_t *name, uint16_t type,
			 uint32_t ttl, enum hook_place place, const char *content);

/* dq:getRecords() and dq:setRecords(): a table of DNSRecord, read up to its first hole.  `to` is
 * emptied first. */
void lua_push_records(lua_State *L, const struct hook_records *from);
void lua_check_records(lua_State *L, int index, struct hook_records *to);

/* The classic table (lua.md A.5): rows with content, qtype, qname, ttl, place, qclass.  Read into
 * `to`, emptied first; `qname` is the default owner.  Anything but a table is no records. */
void lua_push_classic_records(lua_State *L, const struct hook_records *from);
void lua_check_classic_records(lua_State *L, int index, const uint8_t *qname,
			       struct hook_records *to);

#endif
