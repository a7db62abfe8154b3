/* Each member of the table is used here: one that is not fails the walk over them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recursor/policy/lua/messages.h"
#include "tests/unit/lua_state.h"
#include "tests/unit/sanitizer.h"

/* What every chunk may use.  fails(f, ...): the error that it raises. */
static const char prelude[] =
	"function fails(f, ...)\n"
	"	local ok, why = pcall(f, ...)\n"
	"	assert(not ok, 'no error')\n"
	"	assert(type(why) == 'string', 'the error is a ' .. type(why))\n"
	"	return why\n"
	"end\n"
	"function says(text, f, ...)\n"
	"	local why = fails(f, ...)\n"
	"	assert(why:find(text, 1, true), why)\n"
	"end\n"
	"function eq(a, b)\n"
	"	assert(a == b, tostring(a) .. ' is not ' .. tostring(b))\n"
	"end\n";

static const struct {
	const char *member; /* "object.name" */
	const char *chunk;
} uses[] = {
	/* DNSName */
	{ ".newDN", "eq(newDN('www.Example.org'):toString(), 'www.Example.org.')\n"
		    "eq(newDN(newDN('a.')):toString(), 'a.') eq(newDN('.'):toString(), '.')\n"
		    "says(\"'a..b' is no domain name\", newDN, 'a..b')\n"
		    "says('domain name', newDN, ('x'):rep(64))\n"
		    "says('domain name', newDN, 'a\\0b')\n"
		    "says('DNSName or string expected', newDN, {})\n"
		    "says('DNSName or string expected', newDN)" },
	{ "DNSName.equal",
	  "local d = newDN('www.example.org')\n"
	  "assert(d:equal('WWW.example.ORG')) assert(d:equal('www.example.org.'))\n"
	  "assert(d:equal(newDN('www.example.org'))) assert(not d:equal('example.org'))\n"
	  "says('DNSName expected', d.equal, 'x', 'x')\n"
	  "says('DNSName expected', d.equal, newCA('::1'), 'x')" },
	{ "DNSName.isPartOf",
	  "local d = newDN('www.example.org')\n"
	  "assert(d:isPartOf(newDN('Example.org'))) assert(d:isPartOf(d))\n"
	  "assert(d:isPartOf(newDN('.'))) assert(not d:isPartOf(newDN('ample.org')))\n"
	  "assert(not newDN('org'):isPartOf(d)) assert(d:isPartOf('org'))" },
	{ "DNSName.makeRelative",
	  "local d = newDN('www.example.org')\n"
	  "eq(d:makeRelative(newDN('org')):toString(), 'www.example.')\n"
	  "eq(d:makeRelative(d):toString(), '.') eq(d:toString(), 'www.example.org.')\n"
	  "eq(d:makeRelative(newDN('net')):toString(), 'net.')" },
	{ "DNSName.canonCompare",
	  "local a, b = newDN('z.a.example'), newDN('a.z.example')\n"
	  "assert(a:canonCompare(b)) assert(not b:canonCompare(a)) assert(not a:canonCompare(a))" },
	{ "DNSName.countLabels",
	  "eq(newDN('a.b.c'):countLabels(), 3) eq(newDN('.'):countLabels(), 0)" },
	{ "DNSName.wireLength", "eq(newDN('a.bc'):wireLength(), 6)" },
	{ "DNSName.wirelength", "eq(newDN('.'):wirelength(), 1)" },
	{ "DNSName.getRawLabels", "local l = newDN('a\\\\.b.c\\\\000d.'):getRawLabels()\n"
				  "eq(#l, 2) eq(l[1], 'a.b') eq(l[2], 'c\\0d')\n"
				  "eq(#newDN('.'):getRawLabels(), 0)" },
	{ "DNSName.chopOff",
	  "local d = newDN('www.example.org')\n"
	  "eq(d:chopOff(), true) eq(d:toString(), 'example.org.')\n"
	  "d:chopOff() d:chopOff() eq(d:toString(), '.') eq(d:chopOff(), false)" },
	{ "DNSName.toString", "eq(newDN('a\\\\032b'):toString(), 'a\\\\032b.')" },
	{ "DNSName.toStringNoDot", "eq(newDN('a.b'):toStringNoDot(), 'a.b')\n"
				   "eq(newDN('.'):toStringNoDot(), '')" },
	{ "DNSName.__eq", "assert(newDN('A.b') == newDN('a.B')) assert(newDN('a') ~= newDN('b'))\n"
			  "assert(newDN('a') ~= newCA('::1')) assert(newDN('a') ~= 'a.')" },
	{ "DNSName.__lt",
	  "assert(newDN('a.b') < newDN('B.b')) assert(not (newDN('b') < newDN('b')))\n"
	  "says('DNSName expected', function() return newDN('b') < 1 end)" },
	{ "DNSName.__tostring", "eq(tostring(newDN('a.b')), 'a.b.')" },
	/* DNSSuffixMatchGroup */
	{ ".newDS", "assert(not newDS():check(newDN('a')))" },
	{ "DNSSuffixMatchGroup.add",
	  "local s = newDS() s:add('a.example') s:add(newDN('B.example')) s:add({'c.', newDN('d')})\n"
	  "for _, n in ipairs({'a.example', 'x.b.EXAMPLE', 'c', 'y.d'}) do assert(s:check(newDN(n)), n) end\n"
	  "says('no domain name', s.add, s, 'a..b') says('string expected', s.add, s, {{}})\n"
	  "says('string expected', s.add, s) says('DNSSuffixMatchGroup expected', s.add, 1, 'a')" },
	{ "DNSSuffixMatchGroup.check",
	  "local s = newDS() s:add('example.org')\n"
	  "assert(s:check(newDN('www.example.org'))) assert(s:check(newDN('EXAMPLE.org')))\n"
	  "assert(not s:check(newDN('anexample.org'))) assert(not s:check(newDN('org')))\n"
	  "assert(s:check('x.example.org')) s:add('.') assert(s:check(newDN('any')))\n"
	  "says('string expected', s.check, s, 1)" },
	{ "DNSSuffixMatchGroup.toString",
	  "local s = newDS() eq(s:toString(), '') s:add({'z.example', 'A.example', 'b.a.example', '.'})\n"
	  "eq(s:toString(), '., a.example., b.a.example., z.example.')" },
	{ "DNSSuffixMatchGroup.__tostring", "local s = newDS() s:add('a') eq(tostring(s), 'a.')" },
	/* ComboAddress */
	{ ".newCA",
	  "eq(newCA('192.0.2.1'):toString(), '192.0.2.1') eq(newCA('192.0.2.1:53'):getPort(), 53)\n"
	  "eq(newCA('[2001:db8::1]:5300'):toStringWithPort(), '[2001:db8::1]:5300')\n"
	  "says(\"'nonsense' is no address\", newCA, 'nonsense')\n"
	  "says('no address', newCA, '1.2.3.4:70000') says('no address', newCA, '1.2.3.4\\0')\n"
	  "says('string expected', newCA) says('string expected', newCA, newDN('a'))" },
	{ ".newCAFromRaw",
	  "eq(newCAFromRaw('\\1\\2\\3\\4', 53):toStringWithPort(), '1.2.3.4:53')\n"
	  "eq(newCAFromRaw(('\\0'):rep(15) .. '\\1'):toString(), '::1')\n"
	  "says('4 or 16 bytes', newCAFromRaw, 'abc')\n"
	  "says('port', newCAFromRaw, 'abcd', 65536) says('port', newCAFromRaw, 'abcd', -1)" },
	{ "ComboAddress.equal",
	  "local a = newCA('192.0.2.1:53') assert(a:equal(newCA('192.0.2.1:54')))\n"
	  "assert(not a:equal(newCA('192.0.2.2:53'))) assert(a:equal('192.0.2.1'))\n"
	  "says('string expected', a.equal, a, {})" },
	{ "ComboAddress.getPort", "eq(newCA('1.2.3.4'):getPort(), 0)" },
	{ "ComboAddress.getRaw",
	  "eq(newCA('1.2.3.4'):getRaw(), '\\1\\2\\3\\4') eq(#newCA('::1'):getRaw(), 16)" },
	{ "ComboAddress.isIPv4",
	  "assert(newCA('1.2.3.4'):isIPv4()) assert(not newCA('::1'):isIPv4())" },
	{ "ComboAddress.isIPv6",
	  "assert(newCA('::1'):isIPv6()) assert(not newCA('1.2.3.4'):isIPv6())" },
	{ "ComboAddress.isMappedIPv4",
	  "assert(newCA('::ffff:1.2.3.4'):isMappedIPv4()) assert(not newCA('::1'):isMappedIPv4())\n"
	  "assert(not newCA('1.2.3.4'):isMappedIPv4())" },
	{ "ComboAddress.mapToIPv4",
	  "eq(newCA('[::ffff:1.2.3.4]:53'):mapToIPv4():toStringWithPort(), '1.2.3.4:53')\n"
	  "says('no IPv4 address', function() newCA('::1'):mapToIPv4() end)" },
	{ "ComboAddress.toString", "eq(newCA('[::1]:53'):toString(), '::1')" },
	{ "ComboAddress.toStringWithPort", "eq(newCA('[::1]:53'):toStringWithPort(), '[::1]:53')" },
	{ "ComboAddress.toStringNoInterface", "eq(newCA('::1'):toStringNoInterface(), '::1')" },
	{ "ComboAddress.toStringReversed",
	  "eq(newCA('1.2.3.4'):toStringReversed(), '4.3.2.1')\n"
	  "eq(newCA('2001:db8::1'):toStringReversed(),\n"
	  "'1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2')" },
	{ "ComboAddress.truncate",
	  "local a = newCA('192.0.2.255:53') a:truncate(25) eq(a:toStringWithPort(), '192.0.2.128:53')\n"
	  "a:truncate(0) eq(a:toString(), '0.0.0.0') local b = newCA('2001:db8:ffff::1')\n"
	  "b:truncate(200) eq(b:toString(), '2001:db8:ffff::1') b:truncate(36)\n"
	  "eq(b:toString(), '2001:db8:f000::') says('not negative', b.truncate, b, -1)" },
	{ "ComboAddress.tostring", "eq(iputils.newca('1.2.3.4:5'):tostring(), '1.2.3.4')" },
	{ "ComboAddress.tostringwithport",
	  "eq(iputils.newca('1.2.3.4'):tostringwithport(), '1.2.3.4:0')" },
	{ "ComboAddress.__eq", "assert(iputils.newca('1.2.3.4:5') == iputils.newca('1.2.3.4:5'))\n"
			       "assert(iputils.newca('1.2.3.4:5') ~= iputils.newca('1.2.3.4:6'))\n"
			       "assert(newCA('::1') ~= newNetmask('::1'))" },
	{ "ComboAddress.__tostring", "eq(tostring(newCA('1.2.3.4:5')), '1.2.3.4')" },
	/* sets */
	{ ".newCAS", "assert(not newCAS():check(newCA('1.2.3.4')))" },
	{ "ComboAddressSet.add",
	  "local s = newCAS() s:add('1.2.3.4') s:add(newCA('[::1]:53')) s:add({'0.0.0.0', newCA('::')})\n"
	  "for _, a in ipairs({'1.2.3.4:5', '::1', '0.0.0.0', '::'}) do assert(s:check(newCA(a)), a) end\n"
	  "assert(not s:check(newCA('::2'))) says('no address', s.add, s, 'x')\n"
	  "says('string expected', s.add, s) says('string expected', s.add, s, {1})\n"
	  "for i = 0, 9999 do s:add('10.0.' .. i // 256 .. '.' .. i % 256) end\n"
	  "for i = 0, 9999 do assert(s:check('10.0.' .. i // 256 .. '.' .. i % 256)) end\n"
	  "assert(not s:check('10.1.0.0')) assert(s:check('1.2.3.4'))" },
	{ "ComboAddressSet.check",
	  "local s = newCAS() s:add('1.2.3.4') assert(s:check('1.2.3.4:9'))\n"
	  "assert(not s:check(newCA('::102:304'))) says('string expected', s.check, s)" },
	{ "iputils.newca", "eq(iputils.newca('[::1]:53'):tostringwithport(), '[::1]:53')" },
	{ "iputils.newipset", "eq(iputils.newipset()[iputils.newca('1.2.3.4')], nil)" },
	/* what all workers' scripts share */
	{ "shared ipset.add",
	  "local s = iputils.newipset{name='a', max=2}\n"
	  "eq(s:add(newCA('192.0.2.1')), true) eq(s:add('2001:db8::1', 5), true)\n"
	  "eq(s:add('192.0.2.3'), false) eq(s:add('192.0.2.1'), true)\n"
	  "says('no address', s.add, s, 'x') says('a ttl is', s.add, s, '::1', -1)\n"
	  "says('shared ipset expected', s.add, iputils.newipset(), '::1')" },
	{ "shared ipset.check",
	  "local s = iputils.newipset{} s:add('192.0.2.1')\n"
	  "eq(s:check('192.0.2.1'), true) eq(s:check(newCA('192.0.2.1:53')), true)\n"
	  "eq(s:check('192.0.2.2'), false) says('expected', s.check, s, {})" },
	{ "shared ipset.clear",
	  "local s = iputils.newipset{} s:add('192.0.2.1') s:clear() eq(#s, 0)\n"
	  "eq(s:check('192.0.2.1'), false)" },
	{ "shared ipset.count", "local s = iputils.newipset{} eq(s:count(), 0)\n"
				"s:add('::1') s:add('::2') eq(s:count(), 2)" },
	{ "shared ipset.remove",
	  "local s = iputils.newipset{} s:add('::1') eq(s:remove('::1'), true)\n"
	  "eq(s:remove('::1'), false) eq(#s, 0)" },
	{ "shared ipset.__index",
	  "local s, ca = iputils.newipset{name='b'}, iputils.newca('192.0.2.1')\n"
	  "eq(s[ca], nil) s[ca] = 1 eq(s[ca], true) eq(s[newCA('192.0.2.1:9')], true)\n"
	  "eq(iputils.newipset{name='b'}[ca], true) eq(iputils.newipset{}[ca], nil)\n"
	  "says(\"no method '192.0.2.1'\", function() return s['192.0.2.1'] end)\n"
	  "says('ComboAddress expected', function() return s[1] end)" },
	{ "shared ipset.__newindex",
	  "local s, ca = iputils.newipset{}, newCA('192.0.2.1')\n"
	  "s[ca] = 1 s[ca] = 1 eq(#s, 1) s[ca] = nil s[ca] = nil eq(#s, 0)\n"
	  "s[ca] = false eq(#s, 1)\n"
	  "says('ComboAddress expected', function() s['192.0.2.1'] = 1 end)" },
	{ "shared ipset.__len", "local s = iputils.newipset{} s:add('::1') eq(#s, 1)" },
	{ "shared ipset.__tostring",
	  "eq(tostring(iputils.newipset{name='c'}), 'ipset c: 0 addresses')" },
	{ "shared ipset.__gc",
	  "local s = iputils.newipset{} local gc = debug.getmetatable(s).__gc gc(s) gc(s) gc(1)\n"
	  "says('is closed', function() return #s end)" },
	{ ".newDSFromFile",
	  "says('/nonexistent/x: No such file', newDSFromFile, '/nonexistent/x')\n"
	  "says('/etc/recursor/nonexistent', newDSFromFile, 'nonexistent')\n"
	  "says('string expected', newDSFromFile)" },
	{ "name list.check",
	  "local l = newDSFromFile('/dev/null') eq(l:check('a.b'), false)\n"
	  "eq(l:check(newDN('a.b')), false) says('no domain name', l.check, l, 'a..b')" },
	{ "name list.count", "eq(newDSFromFile('/dev/null'):count(), 0)" },
	{ "name list.__gc",
	  "local l = newDSFromFile('/dev/null') local gc = debug.getmetatable(l).__gc\n"
	  "gc(l) gc(l) gc(newDN('a')) says('is closed', l.count, l)" },
	{ ".newRateLimiter",
	  "says('wants qps', newRateLimiter, {}) says('table expected', newRateLimiter, 1)\n"
	  "says(\"no option 'pqs'\", newRateLimiter, {pqs=1})\n"
	  "says('from 0.001', newRateLimiter, {qps=0}) says('from 0.001', newRateLimiter, {qps=0/0})\n"
	  "says('ipv4_mask wants a whole number', newRateLimiter, {qps=1, ipv4_mask=33})\n"
	  "says('burst wants a whole number', newRateLimiter, {qps=1, burst=1.5})\n"
	  "says('name wants a text', newRateLimiter, {qps=1, name={}})" },
	{ "rate limit.allows",
	  "local r = newRateLimiter{qps=1, burst=2, name='r', ipv6_mask=32, max=10}\n"
	  "local same = newRateLimiter{qps=1, burst=2, name='r', ipv6_mask=32, max=10}\n"
	  "eq(r:allows('192.0.2.1'), true) eq(same:allows(newCA('192.0.2.1')), true)\n"
	  "eq(r:allows('192.0.2.1'), false) eq(r:allows('192.0.2.2'), true)\n"
	  "says('no address', r.allows, r, 'x')" },
	{ "rate limit.__gc",
	  "local r = newRateLimiter{qps=1, max=10} local gc = debug.getmetatable(r).__gc\n"
	  "gc(r) gc(r) gc(nil) says('is closed', r.allows, r, '::1')" },
	{ "ipset.__index",
	  "local s = iputils.newipset() s[iputils.newca('1.2.3.4:53')] = 1\n"
	  "eq(s[iputils.newca('1.2.3.4:99')], true) eq(s[iputils.newca('1.2.3.5')], nil)\n"
	  "says('ComboAddress expected', function() return s['1.2.3.4'] end)" },
	{ "ipset.__newindex",
	  "local s, c = iputils.newipset(), iputils.newca\n"
	  "\ns[c('1.2.3.4')] = nil s[c('::1')] = false s[c('0.0.0.0')] = 'x'\n"
	  "eq(s[c('1.2.3.4')], true) eq(s[c('::1')], true) eq(s[c('0.0.0.0')], true)\n"
	  "eq(s[c('::')], nil)\n"
	  "says('ComboAddress expected', function() s['1.2.3.4'] = 1 end)" },
	/* Netmask */
	{ ".newNetmask",
	  "eq(newNetmask('10.1.2.3/8'):toString(), '10.1.2.3/8')\n"
	  "eq(newNetmask('::1'):toString(), '::1/128')\n"
	  "for _, m in ipairs({'10.0.0.0/33', '::/129', '10.0.0.0/', '10/8', '', '1.2.3.4/x',\n"
	  "'1.2.3.4/-1', '1.2.3.4:53/8', '[::1]/8', '1.2.3.4/8\\0', '1.2.3.4/08 '}) do\n"
	  "	says('no netmask', newNetmask, m)\n"
	  "end says('string expected', newNetmask, {})" },
	{ "Netmask.match", "local m = newNetmask('10.0.0.0/8') assert(m:match('10.255.0.1'))\n"
			   "assert(not m:match('11.0.0.0')) assert(m:match(newCA('10.0.0.1:53')))\n"
			   "assert(not m:match('a00::1')) assert(newNetmask('::/0'):match('::1'))\n"
			   "assert(iputils.newnm('10.0.0.0/8'):match(iputils.newca('10.1.1.1')))\n"
			   "says('no address', m.match, m, 'x')" },
	{ "Netmask.getBits", "eq(newNetmask('10.0.0.0/8'):getBits(), 8)" },
	{ "Netmask.getNetwork",
	  "eq(newNetmask('10.1.2.3/8'):getNetwork():toString(), '10.1.2.3')" },
	{ "Netmask.getMaskedNetwork",
	  "eq(newNetmask('10.1.2.3/8'):getMaskedNetwork():toString(), '10.0.0.0')" },
	{ "Netmask.isIPv4", "assert(newNetmask('10.0.0.0/8'):isIPv4())" },
	{ "Netmask.isIPv6", "assert(newNetmask('::/8'):isIPv6())" },
	{ "Netmask.isIpv4", "assert(not newNetmask('::/8'):isIpv4())" },
	{ "Netmask.isIpv6", "assert(not newNetmask('10.0.0.0/8'):isIpv6())" },
	{ "Netmask.empty", "assert(not newNetmask('0.0.0.0/0'):empty())" },
	{ "Netmask.toString", "eq(newNetmask('2001:db8::/32'):toString(), '2001:db8::/32')" },
	{ "Netmask.tostring", "eq(iputils.newnm('10.0.0.0/8'):tostring(), '10.0.0.0/8')" },
	{ "Netmask.__eq", "assert(newNetmask('10.1.0.0/8') == newNetmask('10.0.0.0/8'))\n"
			  "assert(newNetmask('10.0.0.0/8') ~= newNetmask('10.0.0.0/9'))\n"
			  "assert(newNetmask('0.0.0.0/0') ~= newNetmask('::/0'))" },
	{ "Netmask.__tostring", "eq(tostring(newNetmask('10.0.0.0/8')), '10.0.0.0/8')" },
	{ "iputils.newnm", "eq(iputils.newnm('10.0.0.0/8'):getBits(), 8)" },
	/* NetmaskGroup */
	{ ".newNMG",
	  "local g = newNMG({'10.0.0.0/8', '!10.1.0.0/16'}) assert(g:match(newCA('10.2.0.1')))\n"
	  "assert(not g:match(newCA('10.1.0.1'))) says('table expected', newNMG, 'x')\n"
	  "says('no netmask', newNMG, {'x'}) says('text, not a table', newNMG, {{}})" },
	{ "NetmaskGroup.addMask",
	  "local g = newNMG() g:addMask('10.0.0.0/8') g:addMask('!10.1.0.0/16') g:addMask('10.1.2.0/24')\n"
	  "assert(g:match(newCA('10.1.2.3'))) assert(not g:match(newCA('10.1.3.3')))\n"
	  "says(\"'10.0.0.0/40' is no netmask\", g.addMask, g, '10.0.0.0/40')\n"
	  "says('no netmask', g.addMask, g, '10.0.0.0/8\\0') says('not a nil', g.addMask, g, nil)" },
	{ "NetmaskGroup.addMasks",
	  "local g = newNMG() g:addMasks({'10.0.0.0/8', '::/0'})\n"
	  "assert(g:match(newCA('::5'))) says('table expected', g.addMasks, g, 'x')" },
	{ "NetmaskGroup.match",
	  "local g = newNMG({'10.0.0.0/8'}) assert(g:match('10.0.0.1'))\n"
	  "assert(not g:match(newCA('11.0.0.1'))) says('string expected', g.match, g, 1)" },
	{ "NetmaskGroup.add", "local g = iputils.newnmgroup() g:add('10.0.0.0/8')\n"
			      "assert(g:match(iputils.newca('10.0.0.1')))" },
	{ "NetmaskGroup.tostring",
	  "local g = iputils.newnmgroup() eq(g:tostring(), '')\n"
	  "g:add('10.0.0.0/8') g:add('!10.1.0.0/16') eq(g:tostring(), '10.0.0.0/8, !10.1.0.0/16')" },
	{ "NetmaskGroup.__tostring", "eq(tostring(newNMG({'::/0'})), '::/0')" },
	{ "NetmaskGroup.__gc",
	  "local g = newNMG({'::/0'}) local gc = debug.getmetatable(g).__gc gc(g) gc(g) gc(1)\n"
	  "says('is gone', g.match, g, '::1')" },
	{ "iputils.newnmgroup",
	  "assert(not iputils.newnmgroup():match(iputils.newca('1.2.3.4')))" },
	/* DNSRecord */
	{ ".newDR",
	  "local r = newDR(newDN('a.example'), 'A', 60, '192.0.2.1', pdns.place.ANSWER)\n"
	  "eq(r:getContent(), '192.0.2.1') eq(newDR('b', pdns.MX, 0, '10 mx.example.'):getContent(), '10 mx.example.')\n"
	  "eq(newDR('b', newQType('TXT'), 0, '\"hello\"'):getContent(), '\"hello\"')\n"
	  "says(\"content: '300.0.0.1'\", newDR, 'a', 'A', 60, '300.0.0.1')\n"
	  "says(\"'NONE' is no record type\", newDR, 'a', 'NONE', 60, 'x') says('TTL', newDR, 'a', 'A', -1, '1.2.3.4')\n"
	  "says('pdns.place', newDR, 'a', 'A', 0, '1.2.3.4', 4) says('no records of type 255', newDR, 'a', 'ANY', 0, '')\n"
	  "says('no domain name', newDR, 'a..', 'A', 0, '1.2.3.4') says('not a nil', newDR, 'a', 'A', 0)\n"
	  "says('control character', newDR, 'a', 'TXT', 0, 'a\\nb') says('65536', newDR, 'a', 65536, 0, '')\n"
	  "says('record type expected', newDR, 'a', {}, 0, '')" },
	{ "DNSRecord.name",
	  "local r = newDR('a.example', 'A', 60, '192.0.2.1', 1) assert(r.name:equal('a.example'))\n"
	  "r.name = newDN('b') eq(tostring(r.name), 'b.') r.name = 'c' eq(tostring(r.name), 'c.')\n"
	  "says('string expected', function() r.name = 1 end) eq(r.nothing, nil)\n"
	  "says(\"DNSRecord has no member 'nothing'\", function() r.nothing = 1 end)" },
	{ "DNSRecord.type",
	  "local r = newDR('a', 'A', 60, '192.0.2.1', 1) eq(r.type, pdns.A) r.type = pdns.A\n"
	  "says('not of type 28', function() r.type = pdns.AAAA end)\n"
	  "says('not of type 41', function() r.type = pdns.OPT end) eq(r.type, 1)" },
	{ "DNSRecord.ttl",
	  "local r = newDR('a', 'A', 60, '192.0.2.1', 1) eq(r.ttl, 60) r.ttl = 0 eq(r.ttl, 0)\n"
	  "says('TTL', function() r.ttl = 1 << 31 end)" },
	{ "DNSRecord.place",
	  "local r = newDR('a', 'A', 60, '192.0.2.1', pdns.place.ADDITIONAL) eq(r.place, 3)\n"
	  "r.place = pdns.place.AUTHORITY eq(r.place, 2) says('pdns.place', function() r.place = 9 end)" },
	{ "DNSRecord.getContent",
	  "eq(newDR('a', 'CNAME', 60, 'www.Example.'):getContent(), 'www.Example.')\n"
	  "eq(newDR('a', 'CNAME', 60, 'www'):getContent(), 'www.')\n"
	  "eq(newDR('a', 'TYPE65280', 60, '\\\\# 2 abcd'):getContent():lower(), '\\\\# 2 abcd')" },
	{ "DNSRecord.changeContent",
	  "local r = newDR('a', 'A', 60, '192.0.2.1') r:changeContent('192.0.2.2') eq(r:getContent(), '192.0.2.2')\n"
	  "says(\"'::1'\", r.changeContent, r, '::1') eq(r:getContent(), '192.0.2.2')\n"
	  "says('text is needed', r.changeContent, r)" },
	{ "DNSRecord.getCA",
	  "eq(newDR('a', 'AAAA', 60, '2001:db8::1'):getCA():toString(), '2001:db8::1')\n"
	  "eq(newDR('a', 'TXT', 60, 'x'):getCA(), nil)" },
	/* DNSHeader: id 0x1234; RD, CD; opcode 4, rcode 5 */
	{ "DNSHeader.getID", "eq(header:getID(), 0x1234)" },
	{ "DNSHeader.getAA", "eq(header:getAA(), false)" },
	{ "DNSHeader.getAD", "eq(header:getAD(), false)" },
	{ "DNSHeader.getCD", "eq(header:getCD(), true)" },
	{ "DNSHeader.getRA", "eq(header:getRA(), false)" },
	{ "DNSHeader.getRD", "eq(header:getRD(), true)" },
	{ "DNSHeader.getTC", "eq(header:getTC(), false)" },
	{ "DNSHeader.getRCODE", "eq(header:getRCODE(), pdns.REFUSED)" },
	{ "DNSHeader.getOPCODE",
	  "eq(header:getOPCODE(), 4) says('DNSHeader expected', header.getOPCODE, newDN('a'))" },
	{ "DNSHeader.getQDCOUNT", "eq(header:getQDCOUNT(), 1)" },
	{ "DNSHeader.getANCOUNT", "eq(header:getANCOUNT(), 2)" },
	{ "DNSHeader.getNSCOUNT", "eq(header:getNSCOUNT(), 3)" },
	{ "DNSHeader.getARCOUNT", "eq(header:getARCOUNT(), 0x0405)" },
	/* QType */
	{ ".newQType", "eq(newQType('aaaa'):getCode(), 28) says('no record type', newQType, 'x')" },
	{ "QType.getCode", "eq(newQType('TYPE65280'):getCode(), 65280)" },
	{ "QType.getName",
	  "eq(newQType('TYPE1'):getName(), 'A') eq(newQType('TYPE65280'):getName(), 'TYPE65280')" },
	{ "QType.__eq",
	  "assert(newQType('A') == newQType('TYPE1')) assert(newQType('A') ~= newQType('NS'))" },
	{ "QType.__tostring", "eq(tostring(newQType('A')), 'A')" },
	/* EDNSOptionView: option 10 twice, 'ab' and ''; option 3 once, 'xyz' */
	{ "EDNSOptionView.count",
	  "eq(options[10]:count(), 2) eq(options[3]:count(), 1) eq(options[4], nil)" },
	{ "EDNSOptionView.getValues",
	  "local v = options[10]:getValues() eq(#v, 2) eq(v[1], 'ab') eq(v[2], '')\n"
	  "v[1] = 'changed' eq(options[10]:getContent(), 'ab')" },
	{ "EDNSOptionView.getContent", "eq(options[3]:getContent(), 'xyz')" },
	{ "EDNSOptionView.size",
	  "eq(options[3].size, 3) eq(options[10].size, 2) eq(options[3].other, nil)" },
	/* Metric */
	{ ".getMetric",
	  "getMetric('a'):inc() eq(getMetric('a'):get(), 1) eq(getMetric('b', 'b_total'):get(), 0)\n"
	  "getMetric('c', {prometheusName='c_c', type='gauge', description='what it is'})\n"
	  "says('no name for a metric', getMetric, 'a b') says('no name', getMetric, '')\n"
	  "says('type is counter or gauge', getMetric, 'd', {type='x'}) says('at most 100', getMetric, ('x'):rep(101))\n"
	  "says('table expected', getMetric, 'd', 1) says('at most', getMetric, 'd', {description={}})\n"
	  "for i = 1, 2000 do local ok = pcall(getMetric, 'many' .. i) if not ok then return end end error('no limit')" },
	{ "Metric.inc", "local m = getMetric('inc') m:inc() m:inc() eq(m:get(), 2)" },
	{ "Metric.incBy",
	  "local m = getMetric('by') m:incBy(5) eq(m:get(), 5) says('number expected', m.incBy, m)" },
	{ "Metric.set", "local m = getMetric('set') m:set(7) eq(m:get(), 7)" },
	{ "Metric.get",
	  "eq(getMetric('get'):get(), 0) says('Metric expected', getMetric('get').get, newDN('a'))" },
	/* functions */
	{ ".pdnslog",
	  "pdnslog('x') pdnslog('y', pdns.loglevels.Error, {key='v'}) pdnslog('z', pdns.loglevels.None)\n"
	  "says('number expected', pdnslog, 'x', 'loud') says('table expected', pdnslog, 'x', 3, 4)" },
	{ ".pdnsrandom", "for i = 1, 50 do local n = pdnsrandom(10) assert(n >= 0 and n < 10) end\n"
			 "assert(pdnsrandom() < 1 << 31) says('at least 1', pdnsrandom, 0)" },
	{ ".matchnetmask",
	  "assert(matchnetmask('10.0.0.1', '192.0.2.0/24', '10.0.0.0/8')) assert(not matchnetmask('10.0.0.1', '::/0'))\n"
	  "assert(matchnetmask('::1', {'10.0.0.0/8', '::/0'})) assert(not matchnetmask('::1', {}))\n"
	  "assert(not matchnetmask('::1')) assert(matchnetmask(newCA('10.0.0.1'), '10.0.0.0/8'))\n"
	  "says('no netmask', matchnetmask, '::1', 'x') says('no address', matchnetmask, 'x', '::/0')\n"
	  "says('string expected', matchnetmask, '::1', {{}})" },
	{ ".getregisteredname",
	  "eq(getregisteredname('www.PowerDNS.com'), 'powerdns.com.') eq(getregisteredname('a.b.co.uk.'), 'b.co.uk.')\n"
	  "eq(getregisteredname('PowerDNS.com'), 'PowerDNS.com') eq(getregisteredname('com'), 'com')\n"
	  "eq(getregisteredname(newDN('www.powerdns.com')), 'powerdns.com.') says('domain name', getregisteredname, '..')" },
	{ ".getRecursorThreadId", "eq(getRecursorThreadId(), 3)" },
	{ ".getStat",
	  "eq(getStat('questions'), 42) eq(getStat('nothing'), nil) getMetric('own'):set(5) eq(getStat('own'), 5)" },
	{ ".getConfigDirAndName",
	  "local d, n = getConfigDirAndName() eq(d, '/etc/recursor') eq(n, 'one')" },
	{ ".isValidationStateBogus",
	  "assert(isValidationStateBogus(pdns.validationstates.Bogus)) assert(not isValidationStateBogus(pdns.validationstates.Secure))\n"
	  "assert(isValidationStateBogus(pdns.validationstates.BogusNoRRSIG)) says('number expected', isValidationStateBogus)" },
	{ ".print", "print('a', 1, nil, newDN('b')) print()" },
	{ ".pdns_features", "assert(pdns_features.PR8001_devicename)" },
	{ ".sendCustomSNMPTrap", "says('no SNMP', sendCustomSNMPTrap, 'x')" },
	{ ".spawnThread",
	  "spawnThread('good.lua') says('cannot', spawnThread, 'bad.lua') says('string expected', spawnThread)" },
	{ ".getRecordCacheRecords",
	  "local s, n = getRecordCacheRecords(2, 300) eq(s, 'sets 2048 300') eq(n, 13)\n"
	  "s = getRecordCacheRecords() eq(s, 'sets 0 0') says('0 or more', getRecordCacheRecords, -1)\n"
	  "says('no room', getRecordCacheRecords, 0, 1)" },
	{ ".putIntoRecordCache",
	  "eq(putIntoRecordCache('four'), 4) eq(putIntoRecordCache('a\\0b'), 3) eq(putIntoRecordCache(''), 0)\n"
	  "says('string expected', putIntoRecordCache)" },
	{ ".getNSSpeedTable",
	  "local s, n = getNSSpeedTable(300) eq(s, 'servers 0 300') eq(n, 13) says('0 or more', getNSSpeedTable, -1)" },
	{ ".putIntoNSSpeedTable", "eq(putIntoNSSpeedTable('four'), 4)" },
	/* constants */
	{ "pdns.PASS", "eq(pdns.PASS, -1)" },
	{ "pdns.DROP", "eq(pdns.DROP, -2)" },
	{ "pdns.NOERROR, FORMERR, SERVFAIL ...",
	  "eq(pdns.NOERROR, 0) eq(pdns.FORMERR, 1) eq(pdns.SERVFAIL, 2) eq(pdns.NXDOMAIN, 3) eq(pdns.NOTIMP, 4) eq(pdns.REFUSED, 5)\n"
	  "eq(pdns.YXDOMAIN, 6) eq(pdns.NOTZONE, 10)" },
	{ "pdns.A, NS, CNAME ...",
	  "eq(pdns.A, 1) eq(pdns.NS, 2) eq(pdns.CNAME, 5) eq(pdns.SOA, 6) eq(pdns.PTR, 12) eq(pdns.MX, 15) eq(pdns.TXT, 16)\n"
	  "eq(pdns.AAAA, 28) eq(pdns.SRV, 33) eq(pdns.NAPTR, 35) eq(pdns.DNAME, 39) eq(pdns.DS, 43) eq(pdns.RRSIG, 46)\n"
	  "eq(pdns.NSEC, 47) eq(pdns.DNSKEY, 48) eq(pdns.TLSA, 52) eq(pdns.SPF, 99) eq(pdns.ANY, 255) eq(pdns.NOSUCH, nil)" },
	{ "pdns.loglevels",
	  "local l = pdns.loglevels eq(l.All, 99999) eq(l.NTLog, 12345) eq(l.Alert, 1) eq(l.Critical, 2) eq(l.Error, 3)\n"
	  "eq(l.Warning, 4) eq(l.Notice, 5) eq(l.Info, 6) eq(l.Debug, 7) eq(l.None, -1) eq(l.Emergency, 0) eq(l.Unknown, 3)" },
	{ "pdns.place",
	  "local p = pdns.place eq(p.QUESTION, 0) eq(p.ANSWER, 1) eq(p.AUTHORITY, 2) eq(p.ADDITIONAL, 3)" },
	{ "pdns.policykinds",
	  "local k = pdns.policykinds eq(k.NoAction, 0) eq(k.Drop, 1) eq(k.NXDOMAIN, 2) eq(k.NODATA, 3) eq(k.Truncate, 4) eq(k.Custom, 5)" },
	{ "pdns.policyactions",
	  "local n = 0 for name, k in pairs(pdns.policyactions) do n = n + 1 eq(k, pdns.policykinds[name]) end eq(n, 6)" },
	{ "pdns.policytypes",
	  "local t = pdns.policytypes eq(t.None, 0) eq(t.QName, 1) eq(t.ClientIP, 2) eq(t.ResponseIP, 3) eq(t.NSDName, 4) eq(t.NSIP, 5)" },
	{ "pdns.validationstates",
	  "local v = pdns.validationstates eq(v.Indeterminate, 0) eq(v.Insecure, 1) eq(v.Secure, 2) eq(v.Bogus, 255)" },
	{ "pdns.now", "eq(pdns.now.tv_sec, 1000000000) eq(pdns.now.tv_usec, 5)" },
};

static struct lua_test t;

static void open_state(void)
{
	static const uint8_t header[WIRE_HEADER_LEN] = {
		0x12, 0x34, 0x21, 0x15, 0, 1, 0, 2, 0, 3, 4, 5,
	};
	static const uint8_t options[] = {
		0, 10, 0, 2, 'a', 'b', 0, 3, 0, 3, 'x', 'y', 'z', 0, 10, 0, 0, 0, 4, 0, 9, 'x',
	};

	lua_test_open(&t);
	lua_push_header(t.L, header);
	lua_setglobal(t.L, "header");
	lua_push_options(t.L, options, sizeof(options));
	lua_setglobal(t.L, "options");
	ck_assert_ptr_null(lua_test_run(&t, prelude));
}

static void close_state(void)
{
	lua_test_close(&t);
}

START_TEST(member_does_what_it_says)
{
	const char *why = lua_test_run(&t, uses[_i].chunk);

	ck_assert_msg(why == NULL, "%s: %s", uses[_i].member, why);
}
END_TEST

static bool is_used(const char *object, const char *name)
{
	char member[128];

	(void)snprintf(member, sizeof(member), "%s.%s", object, name);
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (strcmp(uses[i].member, member) == 0)
			return true;
	return false;
}

START_TEST(every_member_is_tested)
{
	for (size_t i = 0; i < lua_members_count(); i++) {
		const struct lua_member *m = lua_members_at(i);

		/* Those of a query are tested with it, in test_hooks.c. */
		if (m->kind == LUA_MEMBER_HOOK || m->object == LUA_DQ || m->object == LUA_POLICY ||
		    m->call == classic_local_address || m->call == classic_set_variable)
			continue;
		ck_assert_msg(is_used(lua_object_name(m->object), m->name),
			      "%s.%s has no test in test_lua_objects.c", lua_object_name(m->object),
			      m->name);
	}
}
END_TEST

/* Whatever a method is called with, it is an error or a result, never a crash. */
START_TEST(hostile_arguments)
{
	static const char chunk[] =
		"local junk = {nil, true, 0, -1, 1 << 62, 0/0, '', 'a', ('x'):rep(300), {}, {{}}, print,"
		" newDN('a'), newCA('::1'), newCAS(), newDS(), newNMG(), newNetmask('::1'), io.stdout,"
		" iputils.newipset(), newQType('A'), newDR('a', 'A', 0, '1.2.3.4'), header, options[3],"
		" getMetric('m'), coroutine.create(print)}\n"
		"for _, object in pairs(junk) do\n"
		"	if type(object) == 'userdata' and object ~= io.stdout then\n"
		"		for key, f in pairs(debug.getmetatable(object)) do\n"
		"			for a = 1, 26, step do for b = 1, 26, step do\n"
		"				if type(f) == 'function' and key ~= '__gc' then\n"
		"					pcall(f, junk[a], junk[b]) end\n"
		"				if type(f) == 'table' then for _, g in pairs(f) do\n"
		"					pcall(g, junk[a], junk[b]) end end\n"
		"			end end\n"
		"		end\n"
		"	end\n"
		"end\n"
		"for _, name in ipairs({'newDN', 'newDS', 'newCA', 'newCAFromRaw', 'newCAS', 'newNMG', 'newDR',"
		" 'newQType', 'pdnslog', 'matchnetmask', 'getMetric', 'getStat', 'getregisteredname'}) do\n"
		"	for a = 1, 26, step do for b = 1, 26, step do for c = 1, 26, step do\n"
		"		pcall(_G[name], junk[a], junk[b], junk[c]) end end end\n"
		"end";
	const char *why = lua_test_run(&t, IS_TSAN ? "step = 5" : "step = 1");

	if (why == NULL)
		why = lua_test_run(&t, chunk);
	ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

/* What the debug library can do to an object must not lead into the wrong memory. */
START_TEST(broken_objects)
{
	static const char chunk[] =
		"local function swap(o, v) for i = 1, 2 do debug.setuservalue(o, v, i) end return o end\n"
		"for _, v in ipairs({1, 'x', {}, io.stdout, newDN('a'), newCAS()}) do\n"
		"	local s = newCAS() s:add('1.2.3.4') s:add('::1') swap(s, v)\n"
		"	pcall(s.check, s, '1.2.3.4') pcall(s.add, s, '1.2.3.4')\n"
		"	local d = newDS() d:add('a') swap(d, v) pcall(d.check, d, 'a') pcall(d.add, d, 'b')\n"
		"	pcall(d.toString, d)\n"
		"	d = newDS() d:add('a') local t = debug.getuservalue(d, 1)\n"
		"	t['?x'] = 1 t[5] = 1 t['\\200'] = 1 t['a\\0b'] = 1 eq(d:toString(), 'a.')\n"
		"	local r = swap(newDR('a', 'MX', 0, '1 a.'), v)\n"
		"	says('broken', r.getContent, r) says('broken', function() return r.name end)\n"
		"	local e = swap(options[3], v) pcall(e.count, e) pcall(e.getValues, e)\n"
		"	pcall(e.getContent, e) pcall(function() return e.size end)\n"
		"end\n"
		"local s = newCAS() s:add('1.2.3.4') local slots = debug.getuservalue(s, 1)\n"
		"local u = newCAS() debug.setuservalue(u, slots, 2) u:add('::5') assert(u:check('::5'))\n"
		"local name = newDN('a') debug.setmetatable(io.stdout, debug.getmetatable(name))\n"
		"says('DNSName expected', function() return io.stdout:toString() end)\n"
		"eq(getmetatable(name), false)";
	const char *why = lua_test_run(&t, chunk);

	ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

START_TEST(native_memory_is_bounded)
{
	const char *why;

	t.host.native_max = 1000000;
	/* As many as one likes, one after the other... */
	why = lua_test_run(&t, "for i = 1, 5000 do local g = newNMG()\n"
			       "for k = 0, 9 do g:addMask('10.' .. k .. '.0.0/16') end end");
	ck_assert_msg(why == NULL, "%s", why);
	ck_assert_uint_le(t.host.native_bytes, 1000000);
	why = lua_test_run(&t, "for i = 1, 500 do local s = iputils.newipset{ttl=1}\n"
			       "s:add('::1') s = newRateLimiter{qps=1, max=1000} end");
	ck_assert_msg(why == NULL, "%s", why);
	ck_assert_uint_le(t.host.native_bytes, 1000000);
	why = lua_test_run(&t, "local l = {} for i = 1, 50 do l[i] = iputils.newipset{ttl=1} end");
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_nonnull(strstr(why, "may not hold more than 1000000 bytes"));
	why = lua_test_run(&t, "newRateLimiter{qps=1, max=100000}");
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_nonnull(strstr(why, "may not hold more than 1000000 bytes"));
	/* ... but not all at once, nor one without end. */
	why = lua_test_run(&t, "local all = {} for i = 1, 5000 do all[i] = newNMG({'::1'}) end");
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_nonnull(strstr(why, "may not hold more than 1000000 bytes"));
	why = lua_test_run(
		&t,
		"local g = newNMG() for i = 0, 99999 do\n"
		"g:addMask('10.' .. i // 256 % 256 .. '.' .. i % 256 .. '.' .. i // 65536) end");
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_null(lua_test_run(&t, "collectgarbage() newNMG({'::1'})"));
}
END_TEST

START_TEST(log_lines)
{
	ck_assert_ptr_null(
		lua_test_run(&t, "pdnslog('plain') pdnslog('loud', pdns.loglevels.Error)\n"
				 "pdnslog('a\\nb', 0) pdnslog('quiet', pdns.loglevels.None)\n"
				 "pdnslog('all', pdns.loglevels.All) pdnslog('with', 6, {k='v'})\n"
				 "pdnslog(('x'):rep(5000)) pdnslog(newDN('d'))"));
	ck_assert_ptr_nonnull(strstr(t.said, "4: From Lua script: plain\n"
					     "3: From Lua script: loud\n"
					     "2: From Lua script: a?b\n"
					     "7: From Lua script: all\n"
					     "6: From Lua script: with k=\"v\"\n"
					     "4: From Lua script: xxxx"));
	ck_assert_ptr_nonnull(strstr(t.said, "x\n4: From Lua script: d.\n"));
	t.said[0] = '\0';
	t.host.is_classic = true;
	ck_assert_ptr_null(lua_test_run(&t, "pdnslog('3.x') pdnslog('level', 4)"));
	ck_assert_str_eq(t.said, "6: From Lua script: 3.x\n4: From Lua script: level\n");
}
END_TEST

START_TEST(printing)
{
	ck_assert_ptr_null(lua_test_run(&t, "print('a', 1, nil, newDN('b')) print()"));
	ck_assert_str_eq(t.said, "a\t1\tnil\tb.\n\n");
}
END_TEST

START_TEST(coroutines_have_the_host_too)
{
	const char *why = lua_test_run(
		&t,
		"local c = coroutine.create(function() coroutine.yield(getRecursorThreadId()) end)\n"
		"local ok, id = coroutine.resume(c) assert(ok) eq(id, 3)");

	ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

START_TEST(manual_has_every_member)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	lua_api_print_mdoc(f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, ".It Li \"newDN(text)\" Pq 4.0, current\n"));
	ck_assert_ptr_null(strstr(text, "__"));
	for (size_t i = 0; i < lua_members_count(); i++)
		if (lua_members_at(i)->kind != LUA_MEMBER_OPERATOR)
			ck_assert_msg(strstr(text, lua_members_at(i)->name) != NULL, "%s",
				      lua_members_at(i)->name);
	free(text);
}
END_TEST

Suite *suite_lua_objects(void)
{
	Suite *s = suite_create("lua_objects");
	TCase *c = tcase_create("lua_objects");

	tcase_add_checked_fixture(c, open_state, close_state);
	tcase_add_loop_test(c, member_does_what_it_says, 0, ARRAY_LEN(uses));
	tcase_add_test(c, every_member_is_tested);
	tcase_add_test(c, hostile_arguments);
	tcase_add_test(c, broken_objects);
	tcase_add_test(c, native_memory_is_bounded);
	tcase_add_test(c, log_lines);
	tcase_add_test(c, printing);
	tcase_add_test(c, coroutines_have_the_host_too);
	tcase_add_test(c, manual_has_every_member);
	suite_add_tcase(s, c);
	return s;
}
