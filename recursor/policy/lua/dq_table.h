/*
 * dq_table: the part of api_table.h's table that belongs to a query: hooks, dq, its appliedPolicy,
 * and the classic interface's functions that ask about the query in hand.
 */
#ifndef POLICY_LUA_DQ_TABLE_H
#define POLICY_LUA_DQ_TABLE_H

// clang-format off
#define LUA_DQ_OBJECTS(X)                                                                        \
	X(DQ, "dq", "a query, as hooks see it")                                                  \
	X(POLICY, "appliedPolicy", "what a policy does with a query; a member of dq")

#define LUA_DQ_MEMBERS(X)                                                                        \
	/* ---- hooks ---- */                                                                    \
	X(GLOBAL, HOOK, "ipfilter", "(ca), (remote, local, dh)", "3.7", BOTH, NULL, NULL,        \
	  "for each packet, before anything of it but its header is read")                       \
	X(GLOBAL, HOOK, "gettag", "(remote, ednssubnet, local, qname, qtype, ednsoptions, tcp, " \
	  "proxyprotocolvalues)", "4.0", CURRENT, NULL, NULL,                                    \
	  "before the packet cache; returns tag, policy tags, data, requestorId, deviceId, "     \
	  "deviceName, routingTag")                                                              \
	X(GLOBAL, HOOK, "prerpz", "(dq)", "4.0", CURRENT, NULL, NULL,                            \
	  "before preresolve; what it returns is ignored")                                       \
	X(GLOBAL, HOOK, "preresolve", "(remoteip, domain, qtype), (dq)", "3.1.7", BOTH, NULL,    \
	  NULL, "before a name is resolved")                                                     \
	X(GLOBAL, HOOK, "nxdomain", "(remoteip, domain, qtype), (dq)", "3.1.7", BOTH, NULL,      \
	  NULL, "after it was: there is no such name")                                           \
	X(GLOBAL, HOOK, "noerror", "(remoteip, domain, qtype, records), (dq)", "own", BOTH,      \
	  NULL, NULL, "after it was: NOERROR, with or without an answer")                        \
	X(GLOBAL, HOOK, "nodata", "(remoteip, domain, qtype, records), (dq)", "3.4", BOTH, NULL, \
	  NULL, "after it was: NOERROR, and no record of the type asked for")                    \
	X(GLOBAL, HOOK, "postresolve", "(remoteip, domain, qtype, records, origrcode), (dq)",    \
	  "3.4", BOTH, NULL, NULL, "after those, whatever the result")                           \
	X(GLOBAL, HOOK, "preoutquery", "(ca, domain, qtype), (dq)", "3.7", BOTH, NULL, NULL,     \
	  "before a server is asked")                                                            \
	X(GLOBAL, HOOK, "maintenance", "()", "4.2", CURRENT, NULL, NULL,                         \
	  "every lua-maintenance-interval")                                                      \
	/* ---- about the query in hand ---- */                                                  \
	X(GLOBAL, FUNCTION, "getlocaladdress", "()", "3.2", CLASSIC, classic_local_address, NULL, \
	  "the address that the query came in on, a text; in preoutquery the client's")          \
	X(GLOBAL, FUNCTION, "setvariable", "()", "3.3", CLASSIC, classic_set_variable, NULL,     \
	  "the answer is not to be kept in the packet cache")                                    \
	/* ---- dq ---- */                                                                       \
	X(DQ, FIELD, "qname", "", "4.0", CURRENT, dq_qname, NULL, "the name, a DNSName")         \
	X(DQ, FIELD, "qtype", "", "4.0", CURRENT, dq_qtype, NULL, "the type, a number")          \
	X(DQ, VARIABLE, "rcode", "", "4.0", CURRENT, dq_rcode, dq_set_rcode,                     \
	  "the answer's rcode; in preoutquery -3 ends the query with SERVFAIL")                  \
	X(DQ, VARIABLE, "isTcp", "", "4.0", CURRENT, dq_is_tcp, dq_set_is_tcp,                   \
	  "did it come over TCP; in preoutquery: is the server asked over TCP, where true may "  \
	  "be set, and counts even when the hook returns false")                              \
	X(DQ, VARIABLE, "remoteaddr", "", "4.0", CURRENT, dq_remote, dq_set_remote,              \
	  "the client, a ComboAddress; in preoutquery the server, where another may be set, "    \
	  "and counts even when the hook returns false")                                         \
	X(DQ, FIELD, "localaddr", "", "4.0", CURRENT, dq_local, NULL,                            \
	  "the address that it came in on; in preoutquery the client's")                         \
	X(DQ, FIELD, "interface_remoteaddr", "", "4.4", CURRENT, dq_remote, NULL,                \
	  "as remoteaddr: there is no PROXY protocol here")                                      \
	X(DQ, FIELD, "interface_localaddr", "", "4.4", CURRENT, dq_local, NULL, "as localaddr")  \
	X(DQ, VARIABLE, "variable", "", "4.0", CURRENT, dq_variable, dq_set_variable,            \
	  "the answer is not to be kept in the packet cache; counts even when the hook returns " \
	  "false")                                                                               \
	X(DQ, VARIABLE, "tag", "", "4.0", CURRENT, dq_tag, dq_set_tag,                           \
	  "packet-cache tag: the answer is for queries to which gettag gives the same")          \
	X(DQ, VARIABLE, "data", "", "4.0", CURRENT, dq_data, dq_set_data_field,                  \
	  "whatever the hooks of this query want to tell each other")                            \
	X(DQ, VARIABLE, "requestorId", "", "4.1", CURRENT, dq_requestor_id, dq_set_requestor_id, \
	  "a text, kept for the script")                                                         \
	X(DQ, VARIABLE, "deviceId", "", "4.1", CURRENT, dq_device_id, dq_set_device_id,          \
	  "a text, kept for the script")                                                         \
	X(DQ, VARIABLE, "deviceName", "", "4.3", CURRENT, dq_device_name, dq_set_device_name,    \
	  "a text, kept for the script")                                                         \
	X(DQ, VARIABLE, "routingTag", "", "4.4", CURRENT, dq_routing_tag, dq_set_routing_tag,    \
	  "a text, kept for the script")                                                         \
	X(DQ, VARIABLE, "wantsRPZ", "", "4.0", CURRENT, dq_wants_rpz, dq_set_wants_rpz,          \
	  "kept for the script: there are no response policies here")                            \
	X(DQ, VARIABLE, "logResponse", "", "4.2", CURRENT, dq_log_response, dq_set_log_response, \
	  "kept for the script: nothing is exported here")                                       \
	X(DQ, VARIABLE, "addPaddingToResponse", "", "4.5", CURRENT, dq_padding, dq_set_padding,  \
	  "kept for the script: answers are not padded here")                                    \
	X(DQ, VARIABLE, "extendedErrorCode", "", "4.5", CURRENT, dq_ede, dq_set_ede,             \
	  "the Extended DNS Error of the answer, or nil")                                        \
	X(DQ, VARIABLE, "extendedErrorExtra", "", "4.5", CURRENT, dq_ede_text, dq_set_ede_text,  \
	  "its text")                                                                            \
	X(DQ, FIELD, "validationState", "", "4.1", CURRENT, dq_validation, NULL,                 \
	  "of pdns.validationstates")                                                            \
	X(DQ, FIELD, "detailedValidationState", "", "4.4.2", CURRENT, dq_detailed_validation, NULL, \
	  "of pdns.validationstates, with the reason where it is Bogus")                         \
	X(DQ, VARIABLE, "appliedPolicy", "", "4.0", CURRENT, dq_policy, dq_set_policy,           \
	  "what is to become of the query; set its members and return false")                    \
	X(DQ, VARIABLE, "followupFunction", "", "4.0", CURRENT, dq_followup, dq_set_followup,    \
	  "what to do next when the hook returns true: followCNAMERecords, getFakeAAAARecords, " \
	  "getFakePTRRecords or udpQueryResponse")                                               \
	X(DQ, VARIABLE, "followupName", "", "4.0", CURRENT, dq_followup_name,                    \
	  dq_set_followup_name, "the name that the fake records are for, a DNSName or a text")                        \
	X(DQ, VARIABLE, "followupPrefix", "", "4.0", CURRENT, dq_followup_prefix,                \
	  dq_set_followup_prefix, "the prefix of fake AAAA records, a text")                     \
	X(DQ, VARIABLE, "udpQuery", "", "4.0", CURRENT, dq_udp_query, dq_set_udp_query,          \
	  "what udpQueryResponse sends")                                                         \
	X(DQ, VARIABLE, "udpQueryDest", "", "4.0", CURRENT, dq_udp_dest, dq_set_udp_dest,        \
	  "and where to, a ComboAddress with a port")                                            \
	X(DQ, VARIABLE, "udpAnswer", "", "4.0", CURRENT, dq_udp_answer, dq_set_udp_answer,       \
	  "what came back; empty when nothing did")                                              \
	X(DQ, VARIABLE, "udpCallback", "", "4.0", CURRENT, dq_udp_callback,                      \
	  dq_set_udp_callback, "the name of the function that is called then, with dq")          \
	X(DQ, FIELD, "queryTime", "", "4.8", CURRENT, dq_query_time, NULL,                       \
	  "when it came: tv_sec, tv_usec")                                                       \
	X(DQ, METHOD, "addAnswer", "(type, content, [ttl], [name])", "4.0", CURRENT,             \
	  dq_add_answer, NULL, "adds a record to the answer section; a TTL of 3600 and the "     \
	  "query's name unless given")                                                           \
	X(DQ, METHOD, "addRecord", "(type, content, place, [ttl], [name])", "4.0", CURRENT,      \
	  dq_add_record, NULL, "adds a record to a section of pdns.place")                       \
	X(DQ, METHOD, "getRecords", "()", "4.0", CURRENT, dq_get_records, NULL,                  \
	  "a table of the answer's records, which are copies")                                   \
	X(DQ, METHOD, "setRecords", "(table)", "4.0", CURRENT, dq_set_records, NULL,             \
	  "replaces them all")                                                                   \
	X(DQ, METHOD, "addPolicyTag", "(text)", "4.0", CURRENT, dq_add_policy_tag, NULL,         \
	  "adds a policy tag")                                                                   \
	X(DQ, METHOD, "getPolicyTags", "()", "4.0", CURRENT, dq_get_policy_tags, NULL,           \
	  "a table of the policy tags")                                                          \
	X(DQ, METHOD, "setPolicyTags", "(table)", "4.0", CURRENT, dq_set_policy_tags, NULL,      \
	  "replaces them all")                                                                   \
	X(DQ, METHOD, "discardPolicy", "(name)", "4.0", CURRENT, dq_discard_policy, NULL,        \
	  "the policy of that name is not applied to this query")                                \
	X(DQ, METHOD, "getDH", "()", "4.0", CURRENT, dq_get_dh, NULL,                            \
	  "the DNSHeader of the query's packet")                                                 \
	X(DQ, METHOD, "getEDNSFlag", "(name)", "4.0", CURRENT, dq_get_edns_flag, NULL,           \
	  "is that flag (DO) set?")                                                              \
	X(DQ, METHOD, "getEDNSFlags", "()", "4.0", CURRENT, dq_get_edns_flags, NULL,             \
	  "a table of the names of flags that are set")                                          \
	X(DQ, METHOD, "getEDNSOption", "(code)", "4.0", CURRENT, dq_get_edns_option, NULL,       \
	  "the bytes of that option's first value, or nil")                                      \
	X(DQ, METHOD, "getEDNSOptions", "()", "4.0", CURRENT, dq_get_edns_options, NULL,         \
	  "a table of the options' first values by their codes")                                 \
	X(DQ, METHOD, "getEDNSSubnet", "()", "4.0", CURRENT, dq_get_edns_subnet, NULL,           \
	  "the Netmask of the client-subnet option, or nil")                                     \
	X(DQ, METHOD, "getProxyProtocolValues", "()", "4.4", CURRENT, dq_get_proxy_values, NULL, \
	  "an empty table: there is no PROXY protocol here")                                     \
	/* ---- appliedPolicy ---- */                                                            \
	X(POLICY, VARIABLE, "policyKind", "", "4.0", CURRENT, policy_kind, policy_set_kind,      \
	  "of pdns.policykinds")                                                                 \
	X(POLICY, VARIABLE, "policyName", "", "4.0", CURRENT, policy_name, policy_set_name,      \
	  "the policy's name, a text")                                                           \
	X(POLICY, VARIABLE, "policyType", "", "4.4", CURRENT, policy_type, policy_set_type,      \
	  "of pdns.policytypes")                                                                 \
	X(POLICY, VARIABLE, "policyTTL", "", "4.0", CURRENT, policy_ttl, policy_set_ttl,         \
	  "the TTL of what a Custom policy answers; 5 unless set")                               \
	X(POLICY, VARIABLE, "policyCustom", "", "4.0", CURRENT, policy_custom,                   \
	  policy_set_custom, "what a Custom policy answers: an address, or the name of an "      \
	  "alias, which is followed")                                                            \
	X(POLICY, VARIABLE, "policyTrigger", "", "4.4", CURRENT, policy_trigger,                 \
	  policy_set_trigger, "a text, kept for the script")                                     \
	X(POLICY, VARIABLE, "policyHit", "", "4.4", CURRENT, policy_hit, policy_set_hit,         \
	  "a text, kept for the script")
// clang-format on

#endif
