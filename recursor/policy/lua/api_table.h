/*
 * api_table: the one table of what scripts have (api.h says how to read it).
 *
 * To add a member is to add a row and its function; to add an object, a row of LUA_OBJECTS and the
 * rows of its members.
 */
#ifndef POLICY_LUA_API_TABLE_H
#define POLICY_LUA_API_TABLE_H

#include "recursor/policy/lua/dq_table.h"
#include "recursor/policy/lua/shared_table.h"

// clang-format off
/* object, its name, help */
#define LUA_OBJECTS(X)                                                                           \
	X(GLOBAL, "", "functions")                                                               \
	X(PDNS, "pdns", "constants")                                                             \
	X(IPUTILS, "iputils", "the classic interface's addresses")                               \
	X(DNSNAME, "DNSName", "a domain name")                                                   \
	X(SUFFIXES, "DNSSuffixMatchGroup", "a set of names, and all names below them")           \
	X(ADDRESS, "ComboAddress", "an address, IPv4 or IPv6, with a port; the classic ca")      \
	X(ADDRESSES, "ComboAddressSet", "a set of addresses; the port does not matter")          \
	X(IPSET, "ipset", "the classic set of addresses; the port does not matter")              \
	X(NETMASK, "Netmask", "a network; the classic nm")                                       \
	X(NETMASKS, "NetmaskGroup", "networks, of which the longest that matches decides")       \
	X(RECORD, "DNSRecord", "a record of an answer")                                          \
	X(HEADER, "DNSHeader", "the header of a message")                                        \
	X(QTYPE, "QType", "a record type")                                                       \
	X(OPTION, "EDNSOptionView", "the values of one EDNS option of a query")                  \
	X(METRIC, "Metric", "a metric of the script's own")                                      \
	LUA_SHARED_OBJECTS(X)                                                                    \
	X(SLOTS, "address slots", "what holds the members of a set of addresses")                \
	LUA_DQ_OBJECTS(X)                                                                        \
	X(OBJECT_END, "", "")

/* object, kind, name, arguments, since, interface, function, function that writes, help */
#define LUA_MEMBERS(X)                                                                           \
	LUA_DQ_MEMBERS(X)                                                                        \
	LUA_SHARED_MEMBERS(X)                                                                    \
	/* ---- functions ---- */                                                                \
	X(GLOBAL, FUNCTION, "newDN", "(text)", "4.0", CURRENT, api_new_name, NULL,               \
	  "a DNSName")                                                                           \
	X(GLOBAL, FUNCTION, "newDS", "()", "4.0", CURRENT, api_new_suffixes, NULL,               \
	  "an empty DNSSuffixMatchGroup")                                                        \
	X(GLOBAL, FUNCTION, "newCA", "(text)", "4.0", CURRENT, api_new_address, NULL,            \
	  "a ComboAddress: address, address:port or [address]:port")                             \
	X(GLOBAL, FUNCTION, "newCAFromRaw", "(bytes, [port])", "4.0", CURRENT,                   \
	  api_new_address_raw, NULL, "a ComboAddress of 4 or 16 bytes")                          \
	X(GLOBAL, FUNCTION, "newCAS", "()", "4.0", CURRENT, api_new_addresses, NULL,             \
	  "an empty set of addresses")                                                           \
	X(GLOBAL, FUNCTION, "newNetmask", "(text)", "4.0", CURRENT, api_new_netmask, NULL,       \
	  "a Netmask")                                                                           \
	X(GLOBAL, FUNCTION, "newNMG", "([table])", "4.0", CURRENT, api_new_netmasks, NULL,       \
	  "a NetmaskGroup, empty or of these masks")                                             \
	X(GLOBAL, FUNCTION, "newDR", "(name, type, ttl, content, place)", "4.0", CURRENT,        \
	  api_new_record, NULL, "a DNSRecord; name a DNSName or text, type a name or number")    \
	X(GLOBAL, FUNCTION, "newQType", "(text)", "4.0", CURRENT, api_new_qtype, NULL,           \
	  "a QType")                                                                             \
	X(GLOBAL, FUNCTION, "pdnslog", "(text, [level], [table])", "3.2", BOTH, api_log, NULL,   \
	  "writes to the log; level is one of pdns.loglevels, else Warning (for a script of the " \
	  "classic interface Info); the table's keys and values follow the text")                \
	X(GLOBAL, FUNCTION, "pdnsrandom", "([max])", "4.0", CURRENT, api_random, NULL,           \
	  "a random number from 0 to max - 1; without max one of 31 bits")                       \
	X(GLOBAL, FUNCTION, "matchnetmask", "(address, mask...)", "3.1.7", BOTH,                 \
	  api_match_netmask, NULL, "is the address in one of the masks, or of a table of them?") \
	X(GLOBAL, FUNCTION, "getregisteredname", "(name)", "3.7", BOTH, api_registered_name,     \
	  NULL, "the registrable domain of a name by the Public Suffix List, with a final dot; " \
	  "a name of two labels or fewer comes back as it is")                                   \
	X(GLOBAL, FUNCTION, "getRecursorThreadId", "()", "4.0", CURRENT, api_thread_id, NULL,    \
	  "the worker's number, from 0")                                                         \
	X(GLOBAL, FUNCTION, "getMetric", "(name, [name for Prometheus or table])", "4.0",        \
	  CURRENT, api_get_metric, NULL, "a metric of the script's own, made when it is not "    \
	  "there; keys of the table: prometheusName, type, description")                         \
	X(GLOBAL, FUNCTION, "getStat", "(name)", "4.1", CURRENT, api_get_stat, NULL,             \
	  "the value of a metric; nil when there is none of that name")                          \
	X(GLOBAL, FUNCTION, "getConfigDirAndName", "()", "5.2.5", CURRENT, api_config_dir, NULL, \
	  "the directory of recursor.conf, and config-name")                                     \
	X(GLOBAL, FUNCTION, "spawnThread", "(file)", "5.2", CURRENT, api_spawn_thread, NULL,     \
	  "runs a script in a thread and a state of its own, where it holds up no worker, needs not " \
	  "count instructions, and ends with the daemon at the latest")                          \
	X(GLOBAL, FUNCTION, "getRecordCacheRecords", "([per shard], [bytes])", "5.2", CURRENT,   \
	  api_dump_records, NULL, "the record cache as a string for putIntoRecordCache(), and how " \
	  "many sets are in it: at most so many of each 1024th part, and so many bytes; 0: all; "  \
	  "in a thread of its own alone")                                                        \
	X(GLOBAL, FUNCTION, "putIntoRecordCache", "(string)", "5.2", CURRENT, api_load_dump,     \
	  NULL, "takes what is still worth something of such a string; how many sets were new; a " \
	  "string that is damaged or of another version is logged, and 0; in a thread of its own " \
	  "alone")                                                                               \
	X(GLOBAL, FUNCTION, "getNSSpeedTable", "([bytes])", "5.3", CURRENT, api_dump_servers,    \
	  NULL, "what is known of servers as a string for putIntoNSSpeedTable(), and how many are " \
	  "in it; in a thread of its own alone")                                                 \
	X(GLOBAL, FUNCTION, "putIntoNSSpeedTable", "(string)", "5.3", CURRENT, api_load_dump,    \
	  NULL, "takes such a string; how many servers were new; in a thread of its own alone")  \
	X(GLOBAL, FUNCTION, "isValidationStateBogus", "(state)", "4.4.2", CURRENT,               \
	  api_is_bogus, NULL, "is it Bogus, or one of the reasons for it?")                      \
	X(GLOBAL, FUNCTION, "print", "(...)", "3.1.7", BOTH, api_print, NULL,                    \
	  "prints to the standard output of the daemon")                                         \
	X(GLOBAL, CONSTANT, "pdns_features", "", "4.3", CURRENT, NULL, NULL,                     \
	  "a table of what this release can do")                                                 \
	/* ---- those that are not there ---- */                                                 \
	X(GLOBAL, FUNCTION, "sendCustomSNMPTrap", "(text)", "4.1", CURRENT, api_no_snmp, NULL,   \
	  "not there: an error")                                                                 \
	/* ---- iputils ---- */                                                                  \
	X(IPUTILS, FUNCTION, "newca", "(text)", "3.7", CLASSIC, api_new_address, NULL,           \
	  "a ComboAddress")                                                                      \
	X(IPUTILS, FUNCTION, "newipset", "([{name=, ttl=, max=}])", "3.7", BOTH, api_new_ipset,  \
	  NULL, "an empty ipset of the classic kind; with a table (own) a shared ipset, the one " \
	  "of that name if it is there: ttl seconds after it was added an address expires (0, "  \
	  "the default: never), and beyond max addresses no more are taken")                     \
	X(IPUTILS, FUNCTION, "newnm", "(text)", "3.7", CLASSIC, api_new_netmask, NULL,           \
	  "a Netmask")                                                                           \
	X(IPUTILS, FUNCTION, "newnmgroup", "()", "3.7", CLASSIC, api_new_netmasks, NULL,         \
	  "an empty NetmaskGroup")                                                               \
	/* ---- DNSName ---- */                                                                  \
	X(DNSNAME, METHOD, "equal", "(name)", "4.0", CURRENT, api_name_equal, NULL,              \
	  "is it that name, a text or DNSName, in any case?")                                    \
	X(DNSNAME, METHOD, "isPartOf", "(name)", "4.0", CURRENT, api_name_is_part_of, NULL,      \
	  "is it that name or one below it?")                                                    \
	X(DNSNAME, METHOD, "makeRelative", "(name)", "4.0", CURRENT, api_name_make_relative,     \
	  NULL, "the labels that it has before that name; that name when it is not below it")    \
	X(DNSNAME, METHOD, "canonCompare", "(name)", "4.0", CURRENT, api_name_less, NULL,        \
	  "does it come before that name in canonical order?")                                   \
	X(DNSNAME, METHOD, "countLabels", "()", "4.0", CURRENT, api_name_count_labels, NULL,     \
	  "labels without the root: 0 for the root")                                             \
	X(DNSNAME, METHOD, "wireLength", "()", "4.0", CURRENT, api_name_wire_length, NULL,       \
	  "bytes in a message, uncompressed")                                                    \
	X(DNSNAME, METHOD, "wirelength", "()", "4.0", CURRENT, api_name_wire_length, NULL,       \
	  "the same")                                                                            \
	X(DNSNAME, METHOD, "getRawLabels", "()", "4.0", CURRENT, api_name_raw_labels, NULL,      \
	  "a table of its labels as they are in a message")                                      \
	X(DNSNAME, METHOD, "chopOff", "()", "4.0", CURRENT, api_name_chop_off, NULL,             \
	  "takes its first label away; false for the root")                                      \
	X(DNSNAME, METHOD, "toString", "()", "4.0", CURRENT, api_name_text, NULL,                \
	  "text, with the final dot")                                                            \
	X(DNSNAME, METHOD, "toStringNoDot", "()", "4.0", CURRENT, api_name_text_no_dot, NULL,    \
	  "text, without the final dot; empty for the root")                                     \
	X(DNSNAME, OPERATOR, "__eq", "", "4.0", CURRENT, api_name_eq, NULL,                      \
	  "equal, in any case")                                                                  \
	X(DNSNAME, OPERATOR, "__lt", "", "4.0", CURRENT, api_name_less, NULL,                    \
	  "before, in canonical order")                                                          \
	X(DNSNAME, OPERATOR, "__tostring", "", "4.0", CURRENT, api_name_text, NULL,              \
	  "as toString")                                                                         \
	/* ---- DNSSuffixMatchGroup ---- */                                                      \
	X(SUFFIXES, METHOD, "add", "(name)", "4.0", CURRENT, api_suffixes_add, NULL,             \
	  "adds a name: a text, a DNSName, or a table of these")                                 \
	X(SUFFIXES, METHOD, "check", "(name)", "4.0", CURRENT, api_suffixes_check, NULL,         \
	  "is the name, or one above it, in the group?")                                         \
	X(SUFFIXES, METHOD, "toString", "()", "4.0", CURRENT, api_suffixes_text, NULL,           \
	  "its names in order, with ', ' between")                                               \
	X(SUFFIXES, OPERATOR, "__tostring", "", "4.0", CURRENT, api_suffixes_text, NULL,         \
	  "as toString")                                                                         \
	/* ---- ComboAddress ---- */                                                             \
	X(ADDRESS, METHOD, "equal", "(address)", "4.0", CURRENT, api_address_equal_ip, NULL,     \
	  "is it that address, whatever the ports?")                                             \
	X(ADDRESS, METHOD, "getPort", "()", "4.0", CURRENT, api_address_port, NULL, "its port")  \
	X(ADDRESS, METHOD, "getRaw", "()", "4.0", CURRENT, api_address_raw, NULL,                \
	  "its 4 or 16 bytes")                                                                   \
	X(ADDRESS, METHOD, "isIPv4", "()", "4.0", CURRENT, api_address_is_ipv4, NULL,            \
	  "is it of IPv4?")                                                                      \
	X(ADDRESS, METHOD, "isIPv6", "()", "4.0", CURRENT, api_address_is_ipv6, NULL,            \
	  "is it of IPv6?")                                                                      \
	X(ADDRESS, METHOD, "isMappedIPv4", "()", "4.0", CURRENT, api_address_is_mapped, NULL,    \
	  "is it of IPv4, mapped into IPv6 (::ffff:0:0/96)?")                                    \
	X(ADDRESS, METHOD, "mapToIPv4", "()", "4.0", CURRENT, api_address_map, NULL,             \
	  "the IPv4 address that is mapped; an error when none is")                              \
	X(ADDRESS, METHOD, "toString", "()", "4.0", CURRENT, api_address_text, NULL,             \
	  "text without the port")                                                               \
	X(ADDRESS, METHOD, "toStringWithPort", "()", "4.0", CURRENT, api_address_text_port,      \
	  NULL, "text with the port")                                                            \
	X(ADDRESS, METHOD, "toStringNoInterface", "()", "5.2", CURRENT, api_address_text,        \
	  NULL, "as toString: addresses here have no interface")                                 \
	X(ADDRESS, METHOD, "toStringReversed", "()", "5.5", CURRENT, api_address_reversed, NULL, \
	  "as in names below in-addr.arpa and ip6.arpa")                                         \
	X(ADDRESS, METHOD, "truncate", "(bits)", "4.0", CURRENT, api_address_truncate, NULL,     \
	  "clears all but its first bits")                                                       \
	X(ADDRESS, METHOD, "tostring", "()", "3.7", CLASSIC, api_address_text, NULL,             \
	  "text without the port")                                                               \
	X(ADDRESS, METHOD, "tostringwithport", "()", "3.7", CLASSIC, api_address_text_port,      \
	  NULL, "text with the port")                                                            \
	X(ADDRESS, OPERATOR, "__eq", "", "3.7", CLASSIC, api_address_equal, NULL,                \
	  "equal, the port too")                                                                 \
	X(ADDRESS, OPERATOR, "__tostring", "", "3.7", BOTH, api_address_text, NULL,              \
	  "as toString")                                                                         \
	/* ---- sets of addresses ---- */                                                        \
	X(ADDRESSES, METHOD, "add", "(address)", "4.0", CURRENT, api_addresses_add, NULL,        \
	  "adds an address: a text, a ComboAddress, or a table of these")                        \
	X(ADDRESSES, METHOD, "check", "(address)", "4.0", CURRENT, api_addresses_check, NULL,    \
	  "is the address in the set?")                                                          \
	X(IPSET, OPERATOR, "__index", "", "3.7", CLASSIC, api_ipset_get, NULL,                   \
	  "set[ca]: true for a member, else nil")                                                \
	X(IPSET, OPERATOR, "__newindex", "", "3.7", CLASSIC, api_ipset_set, NULL,                \
	  "set[ca] = 1 adds, whatever the value; nothing removes")                               \
	/* ---- Netmask ---- */                                                                  \
	X(NETMASK, METHOD, "match", "(address)", "3.7", BOTH, api_netmask_match, NULL,           \
	  "is the address, a text or ComboAddress, in the network?")                             \
	X(NETMASK, METHOD, "getBits", "()", "4.0", CURRENT, api_netmask_bits, NULL,              \
	  "the length of the prefix")                                                            \
	X(NETMASK, METHOD, "getNetwork", "()", "4.0", CURRENT, api_netmask_network, NULL,        \
	  "the address that it was made with")                                                   \
	X(NETMASK, METHOD, "getMaskedNetwork", "()", "4.0", CURRENT, api_netmask_masked, NULL,   \
	  "its first address")                                                                   \
	X(NETMASK, METHOD, "isIPv4", "()", "4.5", CURRENT, api_netmask_is_ipv4, NULL,            \
	  "is it of IPv4?")                                                                      \
	X(NETMASK, METHOD, "isIPv6", "()", "4.5", CURRENT, api_netmask_is_ipv6, NULL,            \
	  "is it of IPv6?")                                                                      \
	X(NETMASK, METHOD, "isIpv4", "()", "4.0", CURRENT, api_netmask_is_ipv4, NULL,            \
	  "the same, as it was called before")                                                   \
	X(NETMASK, METHOD, "isIpv6", "()", "4.0", CURRENT, api_netmask_is_ipv6, NULL,            \
	  "the same, as it was called before")                                                   \
	X(NETMASK, METHOD, "empty", "()", "4.0", CURRENT, api_netmask_empty, NULL,               \
	  "is it no network at all?")                                                            \
	X(NETMASK, METHOD, "toString", "()", "4.0", CURRENT, api_netmask_text, NULL,             \
	  "text: address/bits")                                                                  \
	X(NETMASK, METHOD, "tostring", "()", "3.7", CLASSIC, api_netmask_text, NULL,             \
	  "the same")                                                                            \
	X(NETMASK, OPERATOR, "__eq", "", "4.0", CURRENT, api_netmask_equal, NULL,                \
	  "equal networks")                                                                      \
	X(NETMASK, OPERATOR, "__tostring", "", "3.7", BOTH, api_netmask_text, NULL,              \
	  "as toString")                                                                         \
	/* ---- NetmaskGroup ---- */                                                             \
	X(NETMASKS, METHOD, "addMask", "(text)", "4.0", CURRENT, api_netmasks_add, NULL,         \
	  "adds a network; one that begins with ! is taken out of a shorter one")                \
	X(NETMASKS, METHOD, "addMasks", "(table)", "4.0", CURRENT, api_netmasks_add_table,       \
	  NULL, "adds the networks of a table")                                                  \
	X(NETMASKS, METHOD, "match", "(address)", "3.7", BOTH, api_netmasks_match, NULL,         \
	  "is the address, a text or ComboAddress, in the group?")                               \
	X(NETMASKS, METHOD, "add", "(text)", "3.7", CLASSIC, api_netmasks_add, NULL,             \
	  "as addMask")                                                                          \
	X(NETMASKS, METHOD, "tostring", "()", "3.7", CLASSIC, api_netmasks_text, NULL,           \
	  "its networks in order, with ', ' between")                                            \
	X(NETMASKS, OPERATOR, "__tostring", "", "3.7", BOTH, api_netmasks_text, NULL,            \
	  "as tostring")                                                                         \
	X(NETMASKS, OPERATOR, "__gc", "", "own", BOTH, api_netmasks_gc, NULL,                    \
	  "frees it")                                                                            \
	/* ---- DNSRecord ---- */                                                                \
	X(RECORD, VARIABLE, "name", "", "4.0", CURRENT, api_record_name, api_record_set_name,    \
	  "the owner, a DNSName")                                                                \
	X(RECORD, VARIABLE, "type", "", "4.0", CURRENT, api_record_type, api_record_set_type,    \
	  "the type, a number")                                                                  \
	X(RECORD, VARIABLE, "ttl", "", "4.0", CURRENT, api_record_ttl, api_record_set_ttl,       \
	  "seconds")                                                                             \
	X(RECORD, VARIABLE, "place", "", "4.0", CURRENT, api_record_place,                       \
	  api_record_set_place, "the section, of pdns.place")                                    \
	X(RECORD, METHOD, "getContent", "()", "4.0", CURRENT, api_record_content, NULL,          \
	  "the data as text in a zone file's form")                                              \
	X(RECORD, METHOD, "changeContent", "(text)", "4.0", CURRENT, api_record_change, NULL,    \
	  "other data, of the same type")                                                        \
	X(RECORD, METHOD, "getCA", "()", "4.0", CURRENT, api_record_address, NULL,               \
	  "the ComboAddress of an A or AAAA, else nil")                                          \
	/* ---- DNSHeader ---- */                                                                \
	X(HEADER, METHOD, "getID", "()", "4.0", CURRENT, api_header_id, NULL, "the id")          \
	X(HEADER, METHOD, "getAA", "()", "4.0", CURRENT, api_header_aa, NULL, "the AA bit")      \
	X(HEADER, METHOD, "getAD", "()", "4.0", CURRENT, api_header_ad, NULL, "the AD bit")      \
	X(HEADER, METHOD, "getCD", "()", "4.0", CURRENT, api_header_cd, NULL, "the CD bit")      \
	X(HEADER, METHOD, "getRA", "()", "4.0", CURRENT, api_header_ra, NULL, "the RA bit")      \
	X(HEADER, METHOD, "getRD", "()", "4.0", CURRENT, api_header_rd, NULL, "the RD bit")      \
	X(HEADER, METHOD, "getTC", "()", "4.0", CURRENT, api_header_tc, NULL, "the TC bit")      \
	X(HEADER, METHOD, "getRCODE", "()", "4.0", CURRENT, api_header_rcode, NULL,              \
	  "the rcode")                                                                           \
	X(HEADER, METHOD, "getOPCODE", "()", "4.0", CURRENT, api_header_opcode, NULL,            \
	  "the opcode")                                                                          \
	X(HEADER, METHOD, "getQDCOUNT", "()", "4.0", CURRENT, api_header_qdcount, NULL,          \
	  "questions")                                                                           \
	X(HEADER, METHOD, "getANCOUNT", "()", "4.0", CURRENT, api_header_ancount, NULL,          \
	  "records of the answer section")                                                       \
	X(HEADER, METHOD, "getNSCOUNT", "()", "4.0", CURRENT, api_header_nscount, NULL,          \
	  "records of the authority section")                                                    \
	X(HEADER, METHOD, "getARCOUNT", "()", "4.0", CURRENT, api_header_arcount, NULL,          \
	  "records of the additional section")                                                   \
	/* ---- QType ---- */                                                                    \
	X(QTYPE, METHOD, "getCode", "()", "4.0", CURRENT, api_qtype_code, NULL, "its number")    \
	X(QTYPE, METHOD, "getName", "()", "4.0", CURRENT, api_qtype_name, NULL, "its name")      \
	X(QTYPE, OPERATOR, "__eq", "", "own", CURRENT, api_qtype_equal, NULL, "equal numbers")   \
	X(QTYPE, OPERATOR, "__tostring", "", "own", CURRENT, api_qtype_name, NULL, "its name")   \
	/* ---- EDNSOptionView ---- */                                                           \
	X(OPTION, METHOD, "count", "()", "4.1", CURRENT, api_option_count, NULL,                 \
	  "how often the query has it")                                                          \
	X(OPTION, METHOD, "getValues", "()", "4.1", CURRENT, api_option_values, NULL,            \
	  "a table of its values, in bytes")                                                     \
	X(OPTION, METHOD, "getContent", "()", "4.1", CURRENT, api_option_content, NULL,          \
	  "the first value")                                                                     \
	X(OPTION, FIELD, "size", "", "4.1", CURRENT, api_option_size, NULL,                      \
	  "bytes of the first value")                                                            \
	/* ---- Metric ---- */                                                                   \
	X(METRIC, METHOD, "inc", "()", "4.0", CURRENT, api_metric_inc, NULL, "counts one")       \
	X(METRIC, METHOD, "incBy", "(n)", "4.0", CURRENT, api_metric_inc_by, NULL, "counts n")   \
	X(METRIC, METHOD, "set", "(n)", "4.0", CURRENT, api_metric_set, NULL, "sets it")         \
	X(METRIC, METHOD, "get", "()", "4.0", CURRENT, api_metric_get, NULL, "its value")        \
	/* ---- constants ---- */                                                                \
	X(PDNS, CONSTANT, "PASS", "", "3.1.7", CLASSIC, NULL, NULL,                              \
	  "-1: a hook has no opinion")                                                           \
	X(PDNS, CONSTANT, "DROP", "", "3.6", BOTH, NULL, NULL, "-2: no answer at all")           \
	X(PDNS, CONSTANT, "NOERROR, FORMERR, SERVFAIL ...", "", "3.1.7", BOTH, NULL, NULL,       \
	  "the rcodes up to NOTZONE, and BADVERS")                                               \
	X(PDNS, CONSTANT, "A, NS, CNAME ...", "", "3.1.7", BOTH, NULL, NULL,                     \
	  "the record types")                                                                    \
	X(PDNS, CONSTANT, "loglevels", "", "3.6", BOTH, NULL, NULL,                              \
	  "Emergency, Alert, Critical, Error, Warning, Notice, Info, Debug; All, NTLog, None "   \
	  "as in 3.x; any other name is Error")                                                  \
	X(PDNS, CONSTANT, "place", "", "4.0", CURRENT, NULL, NULL,                               \
	  "QUESTION, ANSWER, AUTHORITY, ADDITIONAL")                                             \
	X(PDNS, CONSTANT, "policykinds", "", "4.0", CURRENT, NULL, NULL,                         \
	  "NoAction, Drop, NXDOMAIN, NODATA, Truncate, Custom")                                  \
	X(PDNS, CONSTANT, "policyactions", "", "4.0", CURRENT, NULL, NULL,                       \
	  "another name for policykinds, which PowerDNS has in its manual alone")                \
	X(PDNS, CONSTANT, "policytypes", "", "4.4", CURRENT, NULL, NULL,                         \
	  "None, QName, ClientIP, ResponseIP, NSDName, NSIP")                                    \
	X(PDNS, CONSTANT, "validationstates", "", "4.1", CURRENT, NULL, NULL,                    \
	  "Indeterminate, Insecure, Secure, Bogus and the Bogus reasons")                        \
	X(PDNS, CONSTANT, "now", "", "4.2", CURRENT, NULL, NULL,                                 \
	  "the time of day: tv_sec, tv_usec")
// clang-format on

#endif
