/* What hooks are called with, and what becomes of what they do; test_script.c has their limits. */
#include "common/msg.h"
#include "recursor/policy/lua/api.h"
#include "script_fake.h"

/* ---- every member of dq ---- */

static const struct {
	const char *member, *body; /* of preresolve(dq) */
} uses[] = {
	{ "dq.qname", "eq(dq.qname:toString(), 'www.Example.com.') fails('qname', newDN('a'))" },
	{ "dq.qtype", "eq(dq.qtype, pdns.A) fails('qtype', 2)" },
	{ "dq.rcode", "eq(dq.rcode, 0) dq.rcode = 3 eq(dq.rcode, 3) fails('rcode', 5000) "
		      "fails('rcode', -4)" },
	{ "dq.isTcp", "eq(dq.isTcp, false) fails('isTcp', true)" },
	{ "dq.remoteaddr", "eq(dq.remoteaddr:toStringWithPort(), '192.0.2.7:5353') "
			   "fails('remoteaddr', newCA('::1'))" },
	{ "dq.localaddr", "eq(dq.localaddr:toString(), '127.0.0.1')" },
	{ "dq.interface_remoteaddr", "eq(dq.interface_remoteaddr:toString(), '192.0.2.7')" },
	{ "dq.interface_localaddr", "eq(dq.interface_localaddr:toString(), '127.0.0.1')" },
	{ "dq.variable", "eq(dq.variable, false) dq.variable = true eq(dq.variable, true)" },
	{ "dq.tag", "eq(dq.tag, 0) dq.tag = 4294967295 eq(dq.tag, 4294967295) fails('tag', -1) "
		    "fails('tag', 1 << 32) fails('tag', 'x')" },
	{ "dq.data", "eq(dq.data, nil) dq.data = { a = 1 } eq(dq.data.a, 1)" },
	{ "dq.requestorId", "dq.requestorId = 'a\\0b' eq(dq.requestorId, 'a\\0b')" },
	{ "dq.deviceId", "eq(dq.deviceId, '') dq.deviceId = 'b' eq(dq.deviceId, 'b')" },
	{ "dq.deviceName", "dq.deviceName = 'c' eq(dq.deviceName, 'c') fails('deviceName', {})" },
	{ "dq.routingTag", "dq.routingTag = 'd' eq(dq.routingTag, 'd')" },
	{ "dq.wantsRPZ", "eq(dq.wantsRPZ, true) dq.wantsRPZ = false eq(dq.wantsRPZ, false)" },
	{ "dq.logResponse", "dq.logResponse = false eq(dq.logResponse, false)" },
	{ "dq.addPaddingToResponse", "dq.addPaddingToResponse = false "
				     "eq(dq.addPaddingToResponse, false)" },
	{ "dq.extendedErrorCode", "eq(dq.extendedErrorCode, nil) dq.extendedErrorCode = 15 "
				  "eq(dq.extendedErrorCode, 15) fails('extendedErrorCode', -1)" },
	{ "dq.extendedErrorExtra", "dq.extendedErrorExtra = 'x' eq(dq.extendedErrorExtra, 'x')" },
	{ "dq.validationState", "eq(dq.validationState, pdns.validationstates.Indeterminate)" },
	{ "dq.detailedValidationState", "eq(dq.detailedValidationState, 0)" },
	{ "dq.appliedPolicy", "local p = dq.appliedPolicy p.policyName = 'n' dq.appliedPolicy = p "
			      "eq(dq.appliedPolicy.policyName, 'n') fails('appliedPolicy', {})" },
	{ "dq.followupFunction", "eq(dq.followupFunction, '') "
				 "dq.followupFunction = 'followCNAMERecords' "
				 "eq(dq.followupFunction, 'followCNAMERecords') "
				 "fails('followupFunction', 'x')" },
	{ "dq.followupName", "dq.followupName = 'a.b' eq(dq.followupName, 'a.b')" },
	{ "dq.followupPrefix",
	  "dq.followupPrefix = '64:ff9b::' eq(dq.followupPrefix, '64:ff9b::')" },
	{ "dq.udpQuery", "dq.udpQuery = '\\0' eq(dq.udpQuery, '\\0')" },
	{ "dq.udpQueryDest", "dq.udpQueryDest = newCA('[::1]:5') "
			     "eq(dq.udpQueryDest:getPort(), 5) fails('udpQueryDest', 'x')" },
	{ "dq.udpAnswer", "eq(dq.udpAnswer, '') dq.udpAnswer = 'x' eq(dq.udpAnswer, 'x')" },
	{ "dq.udpCallback", "dq.udpCallback = 'f' eq(dq.udpCallback, 'f') "
			    "fails('udpCallback', ('f'):rep(100))" },
	{ "dq.queryTime", "eq(dq.queryTime.tv_sec, 1000) eq(dq.queryTime.tv_usec, 7)" },
	{ "dq.addAnswer",
	  "dq:addAnswer(pdns.A, '192.0.2.1') dq:addAnswer(pdns.MX, '5 a.b', 7, 'c.d') "
	  "local r = dq:getRecords() eq(#r, 2) eq(r[1].ttl, 3600) eq(r[1].place, 1) "
	  "eq(r[1].name:toString(), 'www.Example.com.') eq(r[2].ttl, 7) "
	  "eq(r[2].name:toString(), 'c.d.') "
	  "assert(not pcall(dq.addAnswer, dq, pdns.A, 'nonsense')) "
	  "assert(not pcall(dq.addAnswer, dq, 70000, '1'))" },
	{ "dq.addRecord",
	  "dq:addRecord(pdns.NS, 'a.b', 2, 9, newDN('c')) local r = dq:getRecords() "
	  "eq(r[1].place, 2) eq(r[1].ttl, 9) eq(r[1].name:toString(), 'c.') "
	  "assert(not pcall(dq.addRecord, dq, pdns.A, '1.2.3.4', 4))" },
	{ "dq.getRecords", "eq(#dq:getRecords(), 0)" },
	{ "dq.setRecords", "dq:addAnswer(pdns.A, '192.0.2.1') local r = dq:getRecords() "
			   "r[1]:changeContent('192.0.2.2') dq:setRecords(r) "
			   "eq(dq:getRecords()[1]:getContent(), '192.0.2.2') dq:setRecords({}) "
			   "eq(#dq:getRecords(), 0) assert(not pcall(dq.setRecords, dq, { 1 }))" },
	{ "dq.addPolicyTag",
	  "dq:addPolicyTag('a') dq:addPolicyTag('a') eq(#dq:getPolicyTags(), 1)" },
	{ "dq.getPolicyTags", "eq(#dq:getPolicyTags(), 0)" },
	{ "dq.setPolicyTags", "dq:addPolicyTag('a') dq:setPolicyTags({ 'b', 'c' }) "
			      "eq(table.concat(dq:getPolicyTags()), 'bc') "
			      "assert(not pcall(dq.setPolicyTags, dq, { {} }))" },
	{ "dq.discardPolicy", "dq:discardPolicy('bad')" },
	{ "dq.getDH", "eq(dq:getDH():getID(), 0x1234) eq(dq:getDH():getRD(), true)" },
	{ "dq.getEDNSFlag", "eq(dq:getEDNSFlag('DO'), true) eq(dq:getEDNSFlag('X'), false)" },
	{ "dq.getEDNSFlags", "eq(table.concat(dq:getEDNSFlags()), 'DO')" },
	{ "dq.getEDNSOption", "eq(dq:getEDNSOption(3), 'id') eq(dq:getEDNSOption(4), nil)" },
	{ "dq.getEDNSOptions", "eq(dq:getEDNSOptions()[3], 'id')" },
	{ "dq.getEDNSSubnet", "eq(tostring(dq:getEDNSSubnet()), '198.51.0.0/16')" },
	{ "dq.getProxyProtocolValues", "eq(#dq:getProxyProtocolValues(), 0)" },
	{ "appliedPolicy.policyKind", "local p = dq.appliedPolicy "
				      "eq(p.policyKind, pdns.policykinds.NoAction) "
				      "assert(not pcall(function() p.policyKind = 6 end))" },
	{ "appliedPolicy.policyName", "dq.appliedPolicy.policyName = 'x' "
				      "eq(dq.appliedPolicy.policyName, 'x')" },
	{ "appliedPolicy.policyType", "dq.appliedPolicy.policyType = 2 "
				      "eq(dq.appliedPolicy.policyType, 2)" },
	{ "appliedPolicy.policyTTL", "eq(dq.appliedPolicy.policyTTL, 5) "
				     "dq.appliedPolicy.policyTTL = 0 "
				     "eq(dq.appliedPolicy.policyTTL, 0)" },
	{ "appliedPolicy.policyCustom", "dq.appliedPolicy.policyCustom = 'a.b' "
					"eq(dq.appliedPolicy.policyCustom, 'a.b')" },
	{ "appliedPolicy.policyTrigger", "dq.appliedPolicy.policyTrigger = 't' "
					 "eq(dq.appliedPolicy.policyTrigger, 't')" },
	{ "appliedPolicy.policyHit", "dq.appliedPolicy.policyHit = 'h' "
				     "eq(dq.appliedPolicy.policyHit, 'h')" },
};

enum { N_USES = sizeof(uses) / sizeof(uses[0]) };

static const uint8_t options[] = { 0, 3, 0, 2, 'i', 'd', 0, 8, 0, 6, 0, 1, 16, 0, 198, 51 };

START_TEST(member_does_what_it_says)
{
	struct script_fake f;
	struct hook_query q;
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "function eq(a, b) if a ~= b then error(tostring(a) .. ' is not ' .. "
		       "tostring(b), 2) end end\n"
		       "function preresolve(dq)\nlocal function fails(name, value) "
		       "assert(not pcall(function() dq[name] = value end), name) end\n%s\n"
		       "return false end",
		       uses[_i].body);
	script_fake_open(&f, text);
	script_fake_query(&q);
	q.edns = true;
	q.edns_flags = 0x8000;
	q.options = options;
	q.options_len = sizeof(options);
	q.time_us = 1000000007;
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
	ck_assert_msg(!script_outcome(f.script)->failed, "%s: %s", uses[_i].member, f.log);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

static bool is_used(const char *object, const char *name)
{
	char member[128];

	(void)snprintf(member, sizeof(member), "%s.%s", object, name);
	for (size_t i = 0; i < N_USES; i++)
		if (strcmp(uses[i].member, member) == 0)
			return true;
	return false;
}

START_TEST(every_member_is_tested)
{
	for (size_t i = 0; i < lua_members_count(); i++) {
		const struct lua_member *m = lua_members_at(i);

		if (m->object == LUA_DQ || m->object == LUA_POLICY)
			ck_assert_msg(is_used(lua_object_name(m->object), m->name), "%s.%s",
				      lua_object_name(m->object), m->name);
	}
}
END_TEST

/* ---- what a hook says, and what comes of it ---- */

struct outcome {
	const char *script;
	enum hook hook;
	enum script_verdict verdict;
	bool failed;
	int rcode; /* of the answer, when it was taken */
	size_t n;  /* records */
	enum hook_followup followup;
};

#define CURRENT(body) "function preresolve(dq) " body " end"
#define CLASSIC(body) "function preresolve(ip, name, qtype) " body " end"
#define ANY(body) "function preresolve() " body " end"
#define OUT(body) "function preoutquery(ca, name, qtype) " body " end"

static const struct outcome outcomes[] = {
	{ CURRENT("return false"), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CURRENT(""), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("return 0, {}"), HOOK_PRERESOLVE, SCRIPT_PASS, true, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("return {}"), HOOK_PRERESOLVE, SCRIPT_PASS, true, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("error('x')"), HOOK_PRERESOLVE, SCRIPT_PASS, true, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("dq.rcode = 5 dq:addAnswer(1, '192.0.2.1') return true"), HOOK_PRERESOLVE,
	  SCRIPT_TAKEN, false, 5, 1, FOLLOWUP_NONE },
	{ CURRENT("dq.rcode = pdns.DROP return true"), HOOK_PRERESOLVE, SCRIPT_DROP, false, 0, 0,
	  FOLLOWUP_NONE },
	{ CURRENT("dq.rcode = -3 return true"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 2, 0,
	  FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyKind = 1 return false"), HOOK_PRERESOLVE, SCRIPT_DROP,
	  false, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyKind = 2 return false"), HOOK_PRERESOLVE, SCRIPT_TAKEN,
	  false, 3, 0, FOLLOWUP_NONE },
	{ CURRENT("dq:addAnswer(1, '192.0.2.1') dq.appliedPolicy.policyKind = 3 return true"),
	  HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyKind = 5 dq.appliedPolicy.policyCustom = '192.0.2.9' "
		  "return false"),
	  HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 1, FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyKind = 5 dq.appliedPolicy.policyCustom = '::9' "
		  "return false"),
	  HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 0, FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyKind = 5 dq.appliedPolicy.policyCustom = 'a.b' "
		  "return false"),
	  HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 1, FOLLOWUP_CNAME },
	{ CURRENT("dq.appliedPolicy.policyKind = 5 return false"), HOOK_PRERESOLVE, SCRIPT_TAKEN,
	  false, 2, 0, FOLLOWUP_NONE },
	{ CURRENT("dq.appliedPolicy.policyName = 'x' dq.appliedPolicy.policyKind = 1 "
		  "dq:discardPolicy('x') return false"),
	  HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return -1, {}"), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return pdns.PASS"), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return 0, {{content='192.0.2.1'}}"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 1,
	  FOLLOWUP_NONE },
	{ CLASSIC("return 3"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 3, 0, FOLLOWUP_NONE },
	{ CLASSIC("return -2, {}"), HOOK_PRERESOLVE, SCRIPT_DROP, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return -3, {}"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return -4, {}"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return true"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return 0, 'x'"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return 0, {{content='x'}}"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0,
	  FOLLOWUP_NONE },
	{ CLASSIC("return 'nonsense'"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("assert(ip == '192.0.2.7' and name == 'www.Example.com.' and qtype == 1) "
		  "assert(getlocaladdress() == '127.0.0.1') return -1"),
	  HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ CLASSIC("return 'followCNAMERecords', 3, {{qtype=5, content='a.b.'}}"), HOOK_PRERESOLVE,
	  SCRIPT_TAKEN, false, 0, 1, FOLLOWUP_CNAME },
	{ CLASSIC("return 'getFakeAAAARecords', name, '64:ff9b::'"), HOOK_PRERESOLVE, SCRIPT_TAKEN,
	  false, 0, 0, FOLLOWUP_FAKE_AAAA },
	{ CLASSIC("return 'getFakePTRRecords', name"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 0, 0,
	  FOLLOWUP_FAKE_PTR },
	{ CLASSIC("return 'getFakeAAAARecords', 5"), HOOK_PRERESOLVE, SCRIPT_DROP, true, 0, 0,
	  FOLLOWUP_NONE },
	{ ANY("return false"), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ ANY("return -1, {}"), HOOK_PRERESOLVE, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ ANY("return 5, {}"), HOOK_PRERESOLVE, SCRIPT_TAKEN, false, 5, 0, FOLLOWUP_NONE },
	{ "function prerpz(dq) dq.rcode = 5 return true end", HOOK_PRERPZ, SCRIPT_PASS, false, 0, 0,
	  FOLLOWUP_NONE },
	{ OUT("return -1"), HOOK_PREOUTQUERY, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ OUT("return -3, {}"), HOOK_PREOUTQUERY, SCRIPT_KILL, false, 0, 0, FOLLOWUP_NONE },
	{ OUT("return -2, {}"), HOOK_PREOUTQUERY, SCRIPT_DROP, false, 0, 0, FOLLOWUP_NONE },
	{ OUT("return 'followCNAMERecords', 0, {}"), HOOK_PREOUTQUERY, SCRIPT_KILL, true, 0, 0,
	  FOLLOWUP_NONE },
	{ OUT("assert(ca:tostringwithport() == '203.0.113.1:53' and name == 'ns.com.' and "
	      "qtype == 28 and getlocaladdress() == '192.0.2.7') return -1"),
	  HOOK_PREOUTQUERY, SCRIPT_PASS, false, 0, 0, FOLLOWUP_NONE },
	{ "function preoutquery(dq) dq.rcode = -3 return true end", HOOK_PREOUTQUERY, SCRIPT_KILL,
	  false, 0, 0, FOLLOWUP_NONE },
	{ "function preoutquery(dq) error('x') end", HOOK_PREOUTQUERY, SCRIPT_PASS, true, 0, 0,
	  FOLLOWUP_NONE },
};

enum { N_OUTCOMES = sizeof(outcomes) / sizeof(outcomes[0]) };

static const uint8_t out_name[] = "\2ns\3com";

START_TEST(a_hook_means_what_it_returns)
{
	const struct outcome *o = &outcomes[_i];
	struct hook_outquery out = {
		.server = { .family = 4, .port = 53, .ip = { 203, 0, 113, 1 } },
		.qname = out_name,
		.qtype = TYPE_AAAA,
	};
	struct script_fake f;
	struct hook_query q;
	enum script_verdict verdict;

	script_fake_open(&f, o->script);
	script_fake_query(&q);
	if (o->hook == HOOK_PREOUTQUERY)
		q.out = &out;
	verdict = script_call(f.script, o->hook, &q);
	q.out = NULL;
	ck_assert_msg(verdict == o->verdict, "%s: %d, %s", o->script, verdict, f.log);
	ck_assert_msg(script_outcome(f.script)->failed == o->failed, "%s: %s", o->script, f.log);
	if (verdict == SCRIPT_TAKEN) {
		ck_assert_int_eq(q.answer.rcode, o->rcode);
		ck_assert_uint_eq(q.answer.records.n, o->n);
		ck_assert_int_eq(q.answer.followup, o->followup);
	} else {
		ck_assert_int_eq(q.answer.rcode, 0);
		ck_assert_uint_eq(q.answer.records.n, 0);
	}
	hookanswer_clear(&out.reply);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

START_TEST(preoutquery_answers_or_sends_elsewhere)
{
	struct hook_outquery out = { .qname = out_name, .qtype = TYPE_A };
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f, "function preoutquery(dq)\n"
			     "if dq.data == 2 then dq:addAnswer(1, '192.0.2.1') return true end\n"
			     "dq.data = 2 dq.isTcp = true dq.remoteaddr = newCA('192.0.2.2:54')\n"
			     "return false end");
	script_fake_query(&q);
	q.answer.rcode = RCODE_NXDOMAIN;
	q.out = &out;
	ck_assert_int_eq(script_call(f.script, HOOK_PREOUTQUERY, &q), SCRIPT_PASS);
	ck_assert(out.tcp);
	ck_assert_int_eq(out.server.port, 54);
	ck_assert_int_eq(script_call(f.script, HOOK_PREOUTQUERY, &q), SCRIPT_TAKEN);
	ck_assert_uint_eq(out.reply.records.n, 1);
	ck_assert(name_equal(out.reply.records.rows[0].name, out_name));
	/* The client's answer is another. */
	ck_assert_int_eq(q.answer.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(q.answer.records.n, 0);
	hookanswer_clear(&out.reply);
	q.out = NULL;
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

/* ---- ipfilter ---- */

START_TEST(ipfilter_of_both)
{
	static const struct {
		const char *script;
		bool drops;
	} rows[] = {
		{ "function ipfilter(ca) return -1 end", false },
		{ "function ipfilter(ca) return 0 end", true },
		{ "function ipfilter(ca) return 1 end", true },
		{ "function ipfilter(ca) return nil end", true },
		{ "function ipfilter(ca) return true end", true },
		{ "function ipfilter(ca) return false end", false },
		{ "function ipfilter(ca) error('x') end", true },
		{ "function ipfilter(ca) assert(ca:tostring() == '192.0.2.7' and "
		  "getlocaladdress() == '127.0.0.1') return -1 end",
		  false },
		{ "function ipfilter(r, l, dh) return true end", true },
		{ "function ipfilter(r, l, dh) return false end", false },
		{ "function ipfilter(r, l, dh) return 1 end", false },
		{ "function ipfilter(r, l, dh) return nil end", false },
		{ "function ipfilter(r, l, dh) error('x') end", false },
		{ "function ipfilter(r, l, dh) return l:toString() == '127.0.0.1' and "
		  "dh:getID() == 0x1234 and dh:getAD() and not dh:getCD() end",
		  true },
		{ "function ipfilter(...) return select('#', ...) == 3 end", true },
		{ "function ipfilter() return -1 end", false },
	};
	static const struct addr remote = { .family = 4, .port = 5353, .ip = { 192, 0, 2, 7 } };
	static const struct addr local = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } };
	static const uint8_t header[WIRE_HEADER_LEN] = { 0x12, 0x34, 1, 0x20 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script_fake f;

		script_fake_open(&f, rows[i].script);
		for (unsigned n = 0; n < 3; n++)
			ck_assert_msg(script_ipfilter(f.script, &remote, &local, header, false) ==
					      rows[i].drops,
				      "%s: %s", rows[i].script, f.log);
		script_fake_close(&f);
	}
}
END_TEST

/* What it is given may be kept and changed: the next call gets another. */
START_TEST(ipfilter_may_keep_what_it_gets)
{
	static const struct addr local = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } };
	static const uint8_t header[WIRE_HEADER_LEN];
	struct addr remote = { .family = 4, .port = 5353, .ip = { 192, 0, 2, 7 } };
	struct script_fake f;

	script_fake_open(&f, "kept = {}\nfunction ipfilter(r, l, dh)\n"
			     "assert(l:toString() == '127.0.0.1')\nl:truncate(8)\n"
			     "kept[#kept + 1] = r\n"
			     "for i, ca in ipairs(kept) do\n"
			     "assert(ca:toString() == '192.0.2.' .. (6 + i)) end\n"
			     "return false end");
	for (unsigned i = 0; i < 50; i++, remote.ip[3]++) {
		ck_assert(!script_ipfilter(f.script, &remote, &local, header, false));
		ck_assert_msg(!script_outcome(f.script)->failed, "%s", f.log);
	}
	script_fake_close(&f);
}
END_TEST

/* ---- gettag ---- */

START_TEST(gettag_fills_in)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(
		&f,
		"function gettag(remote, subnet, loc, qname, qtype, options, tcp, proxy)\n"
		"assert(remote:toString() == '192.0.2.7' and loc:toString() == '127.0.0.1')\n"
		"assert(tostring(subnet) == '198.51.0.0/16' and qname:equal('www.example.com'))\n"
		"assert(qtype == 1 and tcp == false and #proxy == 0)\n"
		"assert(options[3]:getContent() == 'id')\n"
		"return 42, { 'a', 'b' }, { x = 7 }, 'r', 'd', 'n', 't' end\n"
		"function preresolve(dq) assert(dq.data.x == 7 and dq.tag == 42)\n"
		"assert(dq:getPolicyTags()[2] == 'b') end");
	script_fake_query(&q);
	q.edns = q.shows_options = true;
	q.options = options;
	q.options_len = sizeof(options);
	script_gettag(f.script, &q);
	ck_assert_msg(!script_outcome(f.script)->failed, "%s", f.log);
	ck_assert_uint_eq(q.tag, 42);
	ck_assert_str_eq(q.requestor_id.text, "r");
	ck_assert_str_eq(q.device_id.text, "d");
	ck_assert_str_eq(q.device_name.text, "n");
	ck_assert_str_eq(q.routing_tag.text, "t");
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
	ck_assert_msg(!script_outcome(f.script)->failed, "%s", f.log);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

START_TEST(gettag_that_fails_is_tag_0)
{
	static const char *const bodies[] = {
		"return 'x'",        "return -1",  "return 1 << 32", "return 1, 5",
		"return 1, { {} }",  "error('x')", "return 1.5",     "return 7, nil, nil, {}",
		"while true do end",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct script_fake f;
		struct hook_query q;
		char text[256];

		(void)snprintf(text, sizeof(text), "function gettag(r) %s end", bodies[i]);
		script_fake_open(&f, text);
		script_fake_query(&q);
		script_gettag(f.script, &q);
		ck_assert_uint_eq(q.tag, 0);
		ck_assert_msg(script_outcome(f.script)->failed, "%s", bodies[i]);
		script_fake_query_end(&q);
		script_fake_close(&f);
	}
}
END_TEST

/* ---- what outlives what ---- */

START_TEST(a_dq_ends_with_its_query)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f, "function preresolve(dq)\n"
			     "if old then assert(not pcall(function() return old.qname end))\n"
			     "assert(not pcall(function() policy.policyKind = 1 end))\n"
			     "assert(not pcall(old.getRecords, old)) end\n"
			     "old = dq policy = dq.appliedPolicy return false end");
	for (unsigned i = 0; i < 3; i++) {
		script_fake_query(&q);
		ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
		ck_assert_msg(!script_outcome(f.script)->failed, "%s", f.log);
		script_fake_query_end(&q);
	}
	script_fake_close(&f);
}
END_TEST

START_TEST(hooks_share_data_and_changes)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f, "function preresolve(dq) dq.data = { n = 1 } return false end\n"
			     "function nodata(dq) dq.data.n = dq.data.n + 1\n"
			     "dq:addAnswer(1, '192.0.2.1') return true end\n"
			     "function postresolve(dq) assert(dq.data.n == 2)\n"
			     "assert(#dq:getRecords() == 1)\n"
			     "dq:addAnswer(1, '192.0.2.2') return false end");
	script_fake_query(&q);
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
	ck_assert_int_eq(script_call(f.script, HOOK_NODATA, &q), SCRIPT_TAKEN);
	ck_assert_int_eq(script_call(f.script, HOOK_POSTRESOLVE, &q), SCRIPT_PASS);
	ck_assert_msg(!script_outcome(f.script)->failed, "%s", f.log);
	ck_assert_uint_eq(q.answer.records.n, 1);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

START_TEST(a_callback_is_called_by_name)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f,
			 "function preresolve(dq) dq.followupFunction = 'udpQueryResponse'\n"
			 "dq.udpCallback = 'back' dq.udpQuery = 'q'\n"
			 "dq.udpQueryDest = newCA('127.0.0.1:9') return true end\n"
			 "function back(dq) assert(dq.followupFunction == '')\n"
			 "dq:addAnswer(pdns.TXT, '\"' .. dq.udpAnswer .. '\"') return true end");
	script_fake_query(&q);
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_TAKEN);
	ck_assert_int_eq(q.answer.followup, FOLLOWUP_UDP_RESPONSE);
	ck_assert_int_eq(q.answer.udp_dest.port, 9);
	ck_assert_str_eq(q.answer.udp_query.text, "q");
	ck_assert_int_eq(hooktext_set(&q.udp_answer, "hello", 5), E_OK);
	ck_assert_int_eq(script_callback(f.script, &q), SCRIPT_TAKEN);
	ck_assert_uint_eq(q.answer.records.n, 1);
	ck_assert_int_eq(q.answer.followup, FOLLOWUP_NONE);
	ck_assert_uint_eq(counter_get(&f.counters.lua_callback_calls), 1);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

/* A query without memory for its records is not answered in part. */
START_TEST(what_is_too_much_is_an_error)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f,
			 "function preresolve(dq) for i = 1, 5000 do\n"
			 "dq:addAnswer(1, '192.0.2.1') end return true end\n"
			 "function nodata(dq) for i = 1, 100 do dq:addPolicyTag('t' .. i) end end");
	f.limits.instructions = 0;
	script_configure(f.script, &f.limits);
	script_fake_query(&q);
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
	ck_assert(script_outcome(f.script)->failed);
	ck_assert_uint_eq(q.answer.records.n, 0);
	ck_assert_int_eq(script_call(f.script, HOOK_NODATA, &q), SCRIPT_PASS);
	ck_assert(script_outcome(f.script)->failed);
	ck_assert_uint_eq(q.tags.n, HOOK_TAGS_MAX);
	script_fake_query_end(&q);
	script_fake_close(&f);
}
END_TEST

Suite *suite_hooks(void)
{
	Suite *s = suite_create("hooks");
	TCase *t = tcase_create("hooks");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, member_does_what_it_says, 0, N_USES);
	tcase_add_test(t, every_member_is_tested);
	tcase_add_loop_test(t, a_hook_means_what_it_returns, 0, N_OUTCOMES);
	tcase_add_test(t, preoutquery_answers_or_sends_elsewhere);
	tcase_add_test(t, ipfilter_of_both);
	tcase_add_test(t, ipfilter_may_keep_what_it_gets);
	tcase_add_test(t, gettag_fills_in);
	tcase_add_test(t, gettag_that_fails_is_tag_0);
	tcase_add_test(t, a_dq_ends_with_its_query);
	tcase_add_test(t, hooks_share_data_and_changes);
	tcase_add_test(t, a_callback_is_called_by_name);
	tcase_add_test(t, what_is_too_much_is_an_error);
	suite_add_tcase(s, t);
	return s;
}
