"""lua-dns-script: each hook in both interfaces, and scripts that come and go, over NSD."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

from live import (Recursor, check, check_reply, check_sums, env, is_sanitized, need_program,
                  question, root_hints, run, test, torture, wait_until, write)
from test_authorities import ROOT, ZONE, ZONES, nsd

ZONES["hooks-root"] = (".", f""". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60
. 3600 IN NS a.root.
a.root. 3600 IN A {ROOT}
hooks. 3600 IN NS ns.hooks.
ns.hooks. 3600 IN A {ZONE}
1.5.18.198.in-addr.arpa. 3600 IN PTR www.hooks.
""")
ZONES["hooks"] = ("hooks.", f"""$TTL 300
$ORIGIN hooks.
@ 3600 IN SOA ns hostmaster 1 3600 900 604800 60
@ 3600 IN NS ns
ns 3600 IN A {ZONE}
www IN A 192.0.2.1
two IN A 192.0.2.2
alias IN CNAME www
* .wild IN TXT "x"
text IN TXT "a text"
""".replace("* .wild", "*.wild"))


@contextlib.contextmanager
def hooks(script, **settings):
    """A recursor with a script (a text) over authorities; also what the script prints."""
    env.need_isolation()
    hints = root_hints(env.new_dir("hints"), ROOT)
    path = None
    if script is not None:
        path = write(os.path.join(env.new_dir("script"), "hooks.lua"), script)
    settings = {"threads": 1, **settings}
    with nsd(ROOT, "hooks-root"), nsd(ZONE, "hooks"), \
            Recursor(hint_file=hints, query_local_address="0.0.0.0", lua_dns_script=path,
                     **settings) as r:
        r.script = path
        yield r


def check_silent(reply):
    check(reply.status is None, "there is an answer", reply)


# ---- the classic interface ----

CLASSIC = r"""
blocked = iputils.newipset()
calls = 0

function ipfilter(remoteip)
	calls = calls + 1
	if blocked[remoteip] then return 1 end
	return -1
end

function preresolve(remoteip, domain, qtype)
	if domain == "local.hooks." then return 0, {{qtype=pdns.A, content=getlocaladdress()}} end
	if domain == "client.hooks." then return 0, {{qtype=pdns.TXT, content='"'..remoteip..'"'}} end
	if domain == "refused.hooks." then return pdns.REFUSED, {} end
	if domain == "failing.hooks." then return pdns.SERVFAIL, {} end
	if domain == "sections.hooks." then
		return 0, {
			{qtype=pdns.A, content="192.0.2.10", ttl=30},
			{qtype=pdns.MX, content="25 mail.hooks.", place="1"},
			{qtype=pdns.NS, content="ns.hooks.", place="2", qname="hooks."},
			{qtype=pdns.A, content="192.0.2.9", place="3", qname="ns.hooks."},
		}
	end
	if domain == "drop.hooks." then return pdns.DROP, {} end
	if domain == "error.hooks." then return nothing.at.all end
	if domain == "loop.hooks." then while true do end end
	if domain == "number.hooks." then
		setvariable() calls = calls + 1000
		return 0, {{qtype=pdns.TXT, content='"'..calls..'"'}}
	end
	if domain == "follow.hooks." then
		return "followCNAMERecords", 0, {{qtype=pdns.CNAME, content="www.hooks"}}
	end
	if domain == "broken.hooks." then
		return "followCNAMERecords", 0, {{qtype=pdns.CNAME, content="gone.hooks."}}
	end
	if domain == "block.me.hooks." then blocked[iputils.newca(remoteip)] = 1 end
	return pdns.PASS, {}
end

function nodata(remoteip, domain, qtype, records)
	if qtype == pdns.AAAA and domain == "two.hooks." then
		return "getFakeAAAARecords", domain, "64:ff9b::"
	end
	if qtype == pdns.PTR then return "getFakePTRRecords", domain, "64:ff9b::" end
	if domain == "text.hooks." and qtype == pdns.MX then
		return 0, {{qtype=pdns.MX, content="1 " .. records[1].content:match("^%S+")}}
	end
	return -1, {}
end

function noerror(remoteip, domain, qtype, records)
	if domain == "alias.hooks." then
		local what = {}
		for _, r in ipairs(records) do what[#what + 1] = r.qtype .. ":" .. r.content end
		return 0, {{qtype=pdns.TXT, content='"'..table.concat(what, " ")..'"'}}
	end
	return -1, {}
end

function nxdomain(remoteip, domain, qtype)
	if domain == "wrong.hooks." then return 0, {{content="192.0.2.99"}} end
	if domain == "reverse.ip6.arpa." then return -1, {} end
	if domain:match("ip6.arpa.$") then return "getFakePTRRecords", domain, "64:ff9b::" end
	if domain == "dropped.hooks." or domain == "revived.hooks." then return -2, {} end
	return -1, {}
end

function postresolve(remoteip, domain, qtype, records, origrcode)
	if domain == "revived.hooks." then
		return 0, {{qtype=pdns.TXT, content='"rcode '..origrcode..'"'}}
	end
	if domain == "failing.hooks." then
		return 0, {{qtype=pdns.TXT, content='"rcode '..origrcode..'"'}}
	end
	return -1, {}
end

function preoutquery(remoteip, domain, qtype)
	if domain == "kill.hooks." then return -3, {} end
	if domain == "answered.hooks." then
		return 0, {{qtype=pdns.A, qname=domain, content="192.0.2.77"}}
	end
	if domain == "who.hooks." then
		return 1, {{qtype=pdns.TXT, content='"'..tostring(remoteip)..' '..getlocaladdress()..'"'}}
	end
	return -1, {}
end
"""


@test
def lua_classic():
    """The hooks of 3.x: what they are called with, and what each of their returns makes."""
    with hooks(CLASSIC, disable_packetcache="no") as r:
        check_reply(r.ask("local.hooks"), kind="A", data=["127.0.0.1"])
        check_reply(r.ask("client.hooks", "TXT"), kind="TXT", data=['"127.0.0.1"'])
        check_reply(r.ask("refused.hooks"), "REFUSED", "A", [])
        reply = check_reply(r.ask("sections.hooks"), kind="A", data=["192.0.2.10"])
        check([x[:3] for x in reply.answer] == [("sections.hooks.", 30, "A"),
                                                ("sections.hooks.", 3600, "MX")] and
              [x[2] for x in reply.authority] == ["NS"] and
              [x[3] for x in reply.sections["ADDITIONAL"]] == ["192.0.2.9"], "sections", reply)
        check_silent(r.ask("drop.hooks", wait=1))
        check_silent(r.ask("error.hooks", wait=1))
        check("hooks.lua:" in r.log() and "lua error in 'preresolve' while processing query for "
              "'error.hooks.|A'" in r.log(), "the error is logged with its line", r.log()[-2000:])
        check_silent(r.ask("loop.hooks", wait=1))
        check(r.get("lua-preresolve-errors") == 1 and r.get("lua-preresolve-overruns") == 1 and
              r.get("policy-drops") == 3, "they are counted", r.rec("get-all").stdout)
        reply = check_reply(r.ask("follow.hooks"), kind="A", data=["192.0.2.1"])
        check([x[2] for x in reply.answer] == ["CNAME", "A"], "alias and target", reply)
        check_reply(r.ask("broken.hooks"), "NXDOMAIN")
        check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1"])
        check_reply(r.ask("two.hooks", "AAAA"), kind="AAAA", data=["64:ff9b::c000:202"])
        check_reply(r.ask("text.hooks", "MX"), kind="MX", data=["1 ns.hooks."])
        check_reply(r.ask("alias.hooks"), kind="TXT", data=['"5:www.hooks. 1:192.0.2.1"'])
        check_reply(r.ask("wrong.hooks"), kind="A", data=["192.0.2.99"])
        fake = "1.0.5.0.2.1.6.c." + "0." * 16 + "b.9.f.f.4.6.0.0.ip6.arpa"
        reply = check_reply(r.ask(fake, "PTR"), kind="PTR", data=["www.hooks."])
        check(reply.answer[0][0] == fake + ".", "the owner is the name asked", reply)
        check_reply(r.ask("3.2.1.ip6.arpa", "PTR"), "SERVFAIL")
        check_silent(r.ask("dropped.hooks", wait=1))
        check_reply(r.ask("revived.hooks", "TXT"), kind="TXT", data=['"rcode -2"'])
        reply = check_reply(r.ask("kill.hooks", "A", "+edns"), "SERVFAIL")
        check_reply(r.ask("answered.hooks"), kind="A", data=["192.0.2.77"])
        check_reply(r.ask("who.hooks", "TXT"), kind="TXT", data=[f'"{ZONE} 127.0.0.1"'])
        check_sums(r)


@test
def lua_classic_block():
    """ipfilter sees every packet, over UDP and TCP, packet-cache hits included, and drops members."""
    with hooks(CLASSIC) as r:
        for _ in range(3):
            check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1"])
        check_reply(r.ask("www.hooks", "A", "+tcp"), kind="A", data=["192.0.2.1"])
        check(r.get("lua-ipfilter-calls") == 4 and r.get("packetcache-hits") > 0, "each is seen",
              r.rec("get-all").stdout)
        check_reply(r.ask("block.me.hooks"), "NXDOMAIN")
        before = r.get("policy-drops")
        check_silent(r.ask("www.hooks", wait=1))
        check_silent(r.ask("www.hooks", "A", "+tcp", wait=1))
        r.wait_get("policy-drops", before + 2)
        check_sums(r)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            # A header and nothing else: dropped all the same, before anything else is read.
            s.sendto(bytes([0, 1, 1, 0, 0, 1] + [0] * 6), (r.address, env.port))
        r.wait_get("policy-drops", before + 3)


@test
def lua_variable():
    """setvariable() and dq.variable keep an answer out of the packet cache; else it is kept, for no
    longer than packetcache-ttl."""
    with hooks(CLASSIC, packetcache_ttl=20) as r:
        answers = {tuple(r.ask("number.hooks", "TXT").data("TXT")) for _ in range(3)}
        check(len(answers) == 3, "made anew each time", answers)
        calls = r.get("lua-preresolve-calls")
        for _ in range(3):
            check_reply(r.ask("local.hooks"), kind="A", data=["127.0.0.1"])
        check(r.get("lua-preresolve-calls") == calls + 1, "kept", r.rec("get-all").stdout)
        check_reply(r.ask("refused.hooks"), "REFUSED")
        check_reply(r.ask("failing.hooks"), "SERVFAIL")
        packets = [line.split() for line in r.rec("dump-cache", "-", "p").stdout.splitlines()
                   if ".hooks." in line]
        check(len(packets) == 3 and all(int(ttl) <= 20 for _, ttl, *_ in packets), "so long", packets)
        # In no record cache: over TCP the packet cache has another place.
        r.rec("unload-lua-script")
        check_reply(r.ask("local.hooks"), kind="A", data=["127.0.0.1"])
        check_reply(r.ask("local.hooks", "A", "+tcp"), "NXDOMAIN")


CACHES = """
function ipfilter(remote, loc, dh) return false end
function gettag(remote) return remote:toString() == "127.0.0.9" and 9 or 0 end

local function change(dq, hook)
	local asked = dq.qname:toStringNoDot():lower()
	if not asked:find(hook, 1, true) then return false end
	if asked:find("vary") then dq.variable = true return false end
	if asked:find("tag") then dq.tag = 9 return false end
	if asked:find("udp") or asked:find("ask") then
		dq.followupFunction = "udpQueryResponse"
		dq.udpCallback = asked:find("udp") and "answered" or "no_opinion"
		dq.udpQueryDest = newCA("127.0.0.1:1")
		dq.udpQuery = "x"
		return true
	end
	dq:setRecords({ newDR(dq.qname, "A", 60, "192.0.2.50", 1) })
	dq.rcode = 0
	return true
end

function no_opinion(dq) return false end
function answered(dq) dq:addAnswer(pdns.A, "192.0.2.51") dq.rcode = 0 return true end
function preresolve(dq) return change(dq, "preresolve") end
function nxdomain(dq) return change(dq, "nxdomain") end
function noerror(dq) return change(dq, "noerror") end
function nodata(dq) return change(dq, "nodata") end
function postresolve(dq) return change(dq, "postresolve") end
"""
CHANGERS = ("preresolve", "nxdomain", "noerror", "nodata", "postresolve")
ZONES["hooks"] = (ZONES["hooks"][0], ZONES["hooks"][1] + "".join(
    f"{hook}{how} IN {'TXT x' if hook == 'nodata' else 'A 192.0.2.3'}\n"
    for hook in CHANGERS if hook != "nxdomain" for how in ("", "-vary", "-tag", "-udp", "-ask")))


@test
def lua_caches():
    """What each hook changes is in no record cache; and in the packet cache as recursor-lua(7) says."""
    with hooks(CACHES, network_timeout=300) as r:
        def calls_of(hook, name, times, *options):
            before = r.get(f"lua-{hook}-calls")
            for _ in range(times):
                r.ask(name, "A", *options)
            return r.get(f"lua-{hook}-calls") - before

        for hook in CHANGERS:
            r.ask(f"{hook}.hooks")  # not all of it was in a cache; the next one is kept
            for _ in range(2):
                check_reply(r.ask(f"{hook}.hooks"), kind="A", data=["192.0.2.50"])
            filtered, tagged = r.get("lua-ipfilter-calls"), r.get("lua-gettag-calls")
            check(calls_of(hook, f"{hook}.hooks", 3) == 0, f"{hook}: a change is kept")
            check(r.get("lua-ipfilter-calls") - filtered == 3 and r.get("lua-gettag-calls") - tagged == 3,
                  "ipfilter and gettag come before the packet cache")
            check(calls_of(hook, f"{hook}.hooks", 1, "-b", "127.0.0.9") == 1, f"{hook}: for its tag alone")
            r.ask(f"{hook}-vary.hooks")
            check(calls_of(hook, f"{hook}-vary.hooks", 4) == 4, f"{hook}: what varies is not kept")
            # The tag that a hook gives is the place, which those with another tag do not find.
            r.ask(f"{hook}-tag.hooks")
            check(calls_of(hook, f"{hook}-tag.hooks", 3) == 3, f"{hook}: under another tag")
            check(calls_of(hook, f"{hook}-tag.hooks", 3, "-b", "127.0.0.9") == 0, f"{hook}: under its tag")
            for how in "udp", "ask":  # whatever the callback says
                r.ask(f"{hook}-{how}.hooks")
                check(calls_of(hook, f"{hook}-{how}.hooks", 3) == 3, f"{hook}-{how}: never after udpQueryResponse")
        r.rec("unload-lua-script")
        for hook in CHANGERS:
            # Over TCP the packet cache has another place: this is the record cache's, or the servers'.
            data = {"nodata": [], "nxdomain": []}.get(hook, ["192.0.2.3"])
            check_reply(r.ask(f"{hook}.hooks", "A", "+tcp"),
                        "NXDOMAIN" if hook == "nxdomain" else "NOERROR", "A", data)
            check_reply(r.ask(f"{hook}.hooks"), kind="A", data=["192.0.2.50"])
        r.rec("wipe-cache", ".$")
        check_reply(r.ask("preresolve.hooks"), kind="A", data=["192.0.2.3"])


# ---- today's interface ----

CURRENT = r"""
function ipfilter(remote, loc, dh)
	return dh:getCD() and remote:isIPv4() and loc:toString() == "127.0.0.1"
end

function gettag(remote, ednssubnet, loc, qname, qtype, ednsoptions, tcp, proxy)
	local data = { names = qname:toString() }
	if qname:equal("tagged.hooks") then
		local cookie = ednsoptions[65001]
		return tcp and 2 or 1, { "tcp-" .. tostring(tcp) }, data, "me", "device", "name", "route"
	end
	if qname:equal("tag-error.hooks") then return "nonsense" end
	return 0, nil, data
end

function prerpz(dq)
	if dq.qname:equal("pre.hooks") then
		dq.appliedPolicy.policyKind = pdns.policykinds.NXDOMAIN
	end
	return true
end

function preresolve(dq)
	local n = dq.qname:toString():lower()
	if n == "tagged.hooks." then
		dq:addAnswer(pdns.TXT, '"' .. dq.tag .. " " .. dq:getPolicyTags()[1] .. " " ..
			dq.data.names .. " " .. dq.requestorId .. dq.deviceId .. dq.deviceName ..
			dq.routingTag .. '"')
		dq.rcode = 0
		return true
	end
	if n == "plain.hooks." then
		dq:addAnswer(pdns.A, "192.0.2.20")
		dq:addRecord(pdns.NS, "ns.hooks.", pdns.place.AUTHORITY, 60, newDN("hooks."))
		return true
	end
	if n == "untrue.hooks." then
		dq.rcode = pdns.REFUSED
		dq:addAnswer(pdns.A, "192.0.2.21")
		return false
	end
	if n == "follow.hooks." then
		dq:addAnswer(pdns.CNAME, "www.hooks.")
		dq.rcode = 0
		dq.followupFunction = "followCNAMERecords"
		return true
	end
	if n == "error.hooks." then dq.nothing.at = 1 end
	if n == "drop.hooks." then dq.appliedPolicy.policyKind = pdns.policykinds.Drop return false end
	if n == "olddrop.hooks." then dq.rcode = pdns.DROP return true end
	if n == "nodata.hooks." then dq.appliedPolicy.policyKind = pdns.policykinds.NODATA return false end
	if n == "truncate.hooks." then
		dq.appliedPolicy.policyKind = pdns.policykinds.Truncate return false
	end
	if n == "custom.hooks." then
		dq.appliedPolicy.policyKind = pdns.policykinds.Custom
		dq.appliedPolicy.policyCustom = "two.hooks"
		dq.appliedPolicy.policyTTL = 17
		return false
	end
	if n == "ede.hooks." then
		dq.rcode = pdns.REFUSED
		dq.extendedErrorCode = 15
		dq.extendedErrorExtra = "by the script"
		return true
	end
	if n == "udp.hooks." then
		dq.followupFunction = "udpQueryResponse"
		dq.udpCallback = "answered"
		dq.udpQueryDest = newCA("127.0.0.1:PORT")
		dq.udpQuery = "what is " .. n
		return true
	end
	if n == "silent.hooks." then
		dq.followupFunction = "udpQueryResponse"
		dq.udpCallback = "answered"
		dq.udpQueryDest = newCA("127.0.0.1:PORT")
		dq.udpQuery = "say nothing"
		return true
	end
	if n == "stranger.hooks." then
		dq.followupFunction = "udpQueryResponse"
		dq.udpCallback = "no_such_function"
		dq.udpQueryDest = newCA("127.0.0.1:PORT")
		dq.udpQuery = "what is it"
		return true
	end
	if n == "edns.hooks." then
		local option = dq:getEDNSOption(65001)
		dq:addAnswer(pdns.TXT, '"' .. tostring(dq:getEDNSFlag("DO")) .. " " .. (option or "none") ..
			" " .. tostring(dq:getEDNSSubnet()) .. " " .. tostring(dq.isTcp) .. '"')
		dq.variable = true
		return true
	end
	if n == "endless.hooks." then
		dq:addAnswer(pdns.CNAME, "www.hooks.")
		dq.followupFunction = "udpQueryResponse"
		dq.udpCallback = "again"
		dq.udpQueryDest = newCA("127.0.0.1:PORT")
		dq.udpQuery = "again"
		return true
	end
	if dq.data then dq.data.pre = true end
	return false
end

function again(dq)
	dq.followupFunction = "udpQueryResponse"
	dq.udpCallback = "again"
	dq.udpQueryDest = newCA("127.0.0.1:PORT")
	dq.udpQuery = "again"
	return true
end

function answered(dq)
	if dq.udpAnswer == "" then return false end
	dq:addAnswer(pdns.TXT, '"' .. dq.udpAnswer .. '"')
	dq.rcode = 0
	return true
end

function nodata(dq)
	if dq.qtype == pdns.AAAA and dq.qname:equal("two.hooks") then
		dq.followupFunction = "getFakeAAAARecords"
		dq.followupName = dq.qname:toString()
		dq.followupPrefix = "fe80::21b:77ff:0:0"
		return true
	end
	return false
end

function nxdomain(dq)
	if dq.qname:equal("wrong.hooks") then
		dq.rcode = 0
		dq:setRecords({ newDR(dq.qname, "A", 60, "192.0.2.98", 1) })
		return true
	end
	if dq.qname:isPartOf(newDN("ip6.arpa")) then
		dq.followupFunction = "getFakePTRRecords"
		dq.followupName = dq.qname:toString()
		return true
	end
	return false
end

function noerror(dq)
	if dq.qname:equal("text.hooks") then dq.data.noerror = true end
	return false
end

function postresolve(dq)
	if dq.qname:equal("www.hooks") then
		local records = dq:getRecords()
		for _, r in pairs(records) do
			if r.type == pdns.A then r:changeContent("192.0.2.111") end
		end
		dq:setRecords(records)
		return true
	end
	if dq.qname:equal("text.hooks") and dq.qtype == pdns.TXT then
		dq:addAnswer(pdns.TXT, '"' .. tostring(dq.data.pre) .. tostring(dq.data.noerror) ..
			tostring(dq.data.out) .. '"')
		return true
	end
	return false
end

function preoutquery(dq)
	if dq.data then dq.data.out = dq.localaddr:toString() .. dq.remoteaddr:toString() end
	if dq.qname:equal("kill.hooks") then dq.rcode = -3 return true end
	if dq.qname:equal("tcp.hooks") then dq.isTcp = true return false end
	if dq.qname:equal("elsewhere.hooks") then
		dq.remoteaddr = newCA("127.0.0.1:PORT")
		return false
	end
	if dq.qname:equal("answered.hooks") then
		dq:addAnswer(pdns.A, "192.0.2.78")
		return true
	end
	return false
end

local n = 0
function maintenance()
	n = n + 1
	getMetric("maintained"):set(n)
end
"""


class Service(threading.Thread):
    """What udpQueryResponse asks: says a text back, or nothing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []

    def run(self):
        while True:
            query, who = self.socket.recvfrom(4096)
            if query == b"end":
                return
            self.asked.append(query)
            if query != b"say nothing":
                self.socket.sendto(query.upper(), who)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", ("127.0.0.1", self.port))
        self.join()
        self.socket.close()


@test
def lua_current():
    """The hooks of 4.x and 5.x: dq, its followups, policy kinds, tags, and their effects."""
    with Service() as service, \
            hooks(CURRENT.replace("PORT", str(service.port)), network_timeout=300) as r:
        check_silent(r.ask("www.hooks", "A", "+cdflag", wait=1))
        check_reply(r.ask("plain.hooks"), kind="A", data=["192.0.2.20"])
        check_reply(r.ask("pre.hooks"), "NXDOMAIN")
        check_reply(r.ask("untrue.hooks"), "NXDOMAIN", "A", [])
        for _ in range(2):
            check_reply(r.ask("tagged.hooks", "TXT"), kind="TXT",
                        data=['"1 tcp-false tagged.hooks. medevicenameroute"'])
        check_reply(r.ask("tagged.hooks", "TXT", "+tcp"), kind="TXT",
                    data=['"2 tcp-true tagged.hooks. medevicenameroute"'])
        check_reply(r.ask("tag-error.hooks"), "NXDOMAIN")
        check(r.get("lua-gettag-errors") == 1, "gettag's error is counted")
        check_reply(r.ask("error.hooks"), "NXDOMAIN")
        check(r.get("lua-preresolve-errors") == 1, "an error lets the query go on")
        reply = check_reply(r.ask("follow.hooks"), kind="A", data=["192.0.2.1"])
        check([x[2] for x in reply.answer] == ["CNAME", "A"], "alias and target", reply)
        check_silent(r.ask("drop.hooks", wait=1))
        check_silent(r.ask("olddrop.hooks", wait=1))
        check_reply(r.ask("nodata.hooks"), "NOERROR", "A", [])
        reply = r.ask("truncate.hooks", "A", "+ignore")
        check("tc" in reply.flags and reply.status == "NOERROR", "truncated", reply)
        check_reply(r.ask("truncate.hooks", "A", "+tcp"), "NXDOMAIN")
        reply = check_reply(r.ask("custom.hooks"), kind="A", data=["192.0.2.2"])
        check(reply.answer[0][1:] == (17, "CNAME", "two.hooks."), "the policy's alias", reply)
        reply = check_reply(r.ask("ede.hooks", "A", "+edns"), "REFUSED")
        check(reply.ede == 15 and "by the script" in reply.text, "the extended error", reply)
        check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.111"])
        check_reply(r.ask("two.hooks", "AAAA"), kind="AAAA", data=["fe80::21b:77ff:c000:202"])
        check_reply(r.ask("wrong.hooks"), kind="A", data=["192.0.2.98"])
        check_reply(r.ask("text.hooks", "TXT"), kind="TXT",
                    data=['"a text"', f'"truetrue127.0.0.1{ZONE}"'])
        check_reply(r.ask("kill.hooks"), "SERVFAIL")
        check_reply(r.ask("answered.hooks"), kind="A", data=["192.0.2.78"])
        before = r.get("tcp-outqueries")
        check_reply(r.ask("tcp.hooks"), "NXDOMAIN")
        check(r.get("tcp-outqueries") > before, "asked over TCP")
        check_reply(r.ask("elsewhere.hooks"), "SERVFAIL")
        check(any(b"elsewhere" in q for q in service.asked), "another server was asked", service.asked)
        reply = r.ask("edns.hooks", "TXT", "+dnssec", "+ednsopt=65001:6869",
                      "+subnet=192.0.2.0/24")
        check_reply(reply, kind="TXT", data=['"true hi 192.0.2.0/24 false"'])
        check_sums(r)
        wait_until(lambda: r.get("lua-maintenance-calls") > 0, what="maintenance")
        check(r.get("policy-result-drop") == 1 and r.get("policy-result-nxdomain") == 1 and
              r.get("policy-result-nodata") == 1 and r.get("policy-result-truncate") == 1 and
              r.get("policy-result-custom") == 1 and r.get("policy-result-noaction") > 5,
              "policies are counted", r.rec("get-all").stdout)


@test
def lua_udp_response():
    """udpQueryResponse: an answer, silence, a callback that is not there, one without end."""
    with Service() as service, \
            hooks(CURRENT.replace("PORT", str(service.port)), network_timeout=300) as r:
        check_reply(r.ask("udp.hooks", "TXT"), kind="TXT", data=['"WHAT IS UDP.HOOKS."'])
        check_reply(r.ask("silent.hooks"), "NXDOMAIN")
        check_reply(r.ask("stranger.hooks"), "NXDOMAIN")
        check("no_such_function" in r.log(), "it is named", r.log()[-2000:])
        check_reply(r.ask("endless.hooks"), "SERVFAIL")
        check(service.asked.count(b"again") == 10, "ten times and no more", service.asked)
        check(r.get("lua-followup-limits") == 1, "and counted")
        check(r.get("concurrent-queries") == 0, "nobody waits")
        check_sums(r)


@test
def lua_udp_response_when_full():
    """Who comes when all slots are taken, and is given one by a followup, is resolved after it."""
    script = """
function preresolve(dq)
	dq.followupFunction = "udpQueryResponse"
	dq.udpCallback = "pass"
	dq.udpQueryDest = newCA("127.0.0.1:PORT")
	dq.udpQuery = dq.qname:equal("www.hooks") and "answer" or "say nothing"
	return true
end
function pass(dq) return false end
"""
    with Service() as service, \
            hooks(script.replace("PORT", str(service.port)), network_timeout=2000,
                  max_mthreads=4) as r, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for i in range(4):
            flood.sendto(question(f"n{i}.hooks", ident=i), ("127.0.0.1", env.port))
        r.wait_get("concurrent-queries", 4)
        check_reply(r.ask("www.hooks", "A", "-b", "127.0.0.2"), kind="A", data=["192.0.2.1"])
        check(r.get("fair-share-refusals") == 1, "one has made room")
        wait_until(lambda: r.get("concurrent-queries") == 0, what="the others' end")
        check_sums(r)


def silent_authority():
    """A socket that never answers, unless the test does."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.bind(("127.0.0.1", 0))
    return s


@test
def lua_followup_of_who_gave_way():
    """Who has to give its slot to another client keeps it for no followup of a postresolve."""
    script = """
function postresolve(dq)
	if dq.qname:equal("www.hooks") then return false end
	dq.followupFunction = "udpQueryResponse"
	dq.udpCallback = "pass"
	dq.udpQueryDest = newCA("127.0.0.1:PORT")
	dq.udpQuery = "say nothing"
	return true
end
function pass(dq) return false end
"""
    with Service() as service, silent_authority() as silent, \
            hooks(script.replace("PORT", str(service.port)), max_mthreads=4,
                  forward_zones=f"silent=127.0.0.1:{silent.getsockname()[1]}") as r, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for i in range(4):
            flood.sendto(question(f"n{i}.silent", ident=i), ("127.0.0.1", env.port))
        r.wait_get("concurrent-queries", 4)
        check_reply(r.ask("www.hooks", "A", "-b", "127.0.0.2"), kind="A", data=["192.0.2.1"])
        check(r.get("fair-share-refusals") == 1, "one has made room")
        check(service.asked == [], "and waits for nothing else")
        check(r.get("over-capacity-drops") == 0, "nobody is dropped")


@test
def lua_ends_in_a_long_turn():
    """SIGTERM while a hook takes its time: the question that it holds up is resolved and answered."""
    script = """
function preresolve(dq)
	os.execute("kill -TERM $PPID; sleep 0.3")
	return false
end
"""
    with silent_authority() as authority, \
            hooks(script, forward_zones_recurse=f"late=127.0.0.1:{authority.getsockname()[1]}") as r, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        client.sendto(question("a.late", ident=7), ("127.0.0.1", env.port))
        reply = None
        while reply is None:  # the first answer may be too late, after that turn
            asked, who = authority.recvfrom(4096)
            wait_until(lambda: "ending on signal" in r.log(), what="the signal")
            authority.sendto(asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question("a.late")[12:] +
                             b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\xc0\0\2\1", who)
            with contextlib.suppress(TimeoutError):
                reply = client.recv(4096)
        check(reply[:2] == b"\0\7" and reply[3] & 15 == 0, "it is answered, and not SERVFAIL", reply)
        check(r.process.wait(5) == 0, "status 0", r.log())


@test
def lua_drops_in_the_query_log():
    """log-queries says of a query that a hook dropped that it was."""
    script = """
function preresolve(dq)
	dq.rcode = pdns.DROP
	return true
end
"""
    with hooks(script, loglevel=6) as r:
        r.rec("log-queries", "all", "answers")
        check_silent(r.ask("www.hooks", wait=1))
        wait_until(lambda: "none, it was dropped" in r.log(), what="a line")


@test
def lua_reload_holds_no_signal_up():
    """SIGUSR2 while a script that takes its time is loaded: signals after it are handled at once."""
    directory = env.new_dir("scripts")
    began, go = (os.path.join(directory, name) for name in ("began", "go"))
    slow = write(os.path.join(directory, "slow.lua"),
                 f"os.execute('touch {began}; until test -e {go}; do sleep 0.05; done')\n")
    with hooks("function ipfilter(ca) return -1 end") as r:
        reload = threading.Thread(target=lambda: r.rec("reload-lua-script", slow, expect=None))
        reload.start()
        try:
            wait_until(lambda: os.path.exists(began), what="the script")
            r.process.send_signal(signal.SIGUSR2)
            r.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "ending on signal" in r.log(), what="the signal")
        finally:
            write(go, "")
            reload.join()
        check(r.process.wait(10) == 0, "status 0", r.log())
        check("quiet is off now" in r.log(), "and quiet is turned over", r.log())


@test
def lua_looks_before_there_is_something():
    """A hook that reads the records before there are any does not hide them from the later ones."""
    script = """
function preresolve(dq)
	if dq.qname:equal("two.hooks") then dq:addAnswer(pdns.A, "192.0.2.66") end
	seen = #dq:getRecords()
	return false
end
function nodata(dq) dq:addAnswer(pdns.A, "192.0.2.67") return true end
function postresolve(dq)
	dq:addAnswer(pdns.A, "192.0.2." .. 100 + #dq:getRecords())
	return true
end
"""
    with hooks(script, disable_packetcache="yes") as r:
        for _ in range(2):
            check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1", "192.0.2.101"])
        check_reply(r.ask("two.hooks"), kind="A", data=["192.0.2.101", "192.0.2.2"])


# ---- scripts that come and go ----

@test
def lua_reload():
    """reload-lua-script, unload-lua-script: the field's texts; an error leaves what there is."""
    with hooks("function ipfilter(ca) return -1 end", threads=2) as r:
        directory = env.new_dir("scripts")
        answers = "function preresolve(dq) dq:addAnswer(pdns.A, '192.0.2.%d') return true end\n"
        one = write(os.path.join(directory, "one.lua"), answers % 1)
        bad = write(os.path.join(directory, "bad.lua"), "\n\nx = = 1\n")
        fails = write(os.path.join(directory, "fails.lua"), "function preresolve(dq) end\nnil_value()\n")
        done = r.rec("reload-lua-script", one)
        check(done.stdout == f"(re)loaded '{one}'\n" * 2, "what it says", done.stdout)
        check_reply(r.ask("a.hooks"), kind="A", data=["192.0.2.1"])
        check(r.rec("get-parameter", "lua-dns-script").stdout == f"lua-dns-script={one}\n", "the setting")
        done = r.rec("reload-lua-script", bad, expect=1)
        check(f"retaining current script, error from '{bad}': {bad}:3:" in done.stderr,
              "it says where", done.stderr)
        done = r.rec("reload-lua-script", fails, expect=1)
        check(f"{fails}:2:" in done.stderr, "it says where", done.stderr)
        check(r.rec("reload-lua-script", "/nonexistent.lua", expect=1).stderr ==
              "retaining current script, error from '/nonexistent.lua': /nonexistent.lua: "
              "No such file or directory\n", "what it says")
        check_reply(r.ask("b.hooks"), kind="A", data=["192.0.2.1"])
        write(one, answers % 2)
        r.rec("reload-lua-script")
        check_reply(r.ask("c.hooks"), kind="A", data=["192.0.2.2"])
        check(r.rec("unload-lua-script").stdout == "unloaded\nunloaded\n", "what it says")
        check_reply(r.ask("d.hooks"), "NXDOMAIN")
        check(r.rec("reload-lua-script").stdout == "unloaded\nunloaded\n", "there is none")
        check(r.get("control-visit-max-usec") < 1000 or is_sanitized(), "no worker was held")


@test
def lua_broken_at_start():
    """A script that does not load at the start ends it, with status 99 and its line."""
    path = write(os.path.join(env.new_dir("script"), "broken.lua"), "x = 1\nreturn +\n")
    for daemon in "no", "yes":
        directory = env.new_dir("recursor")
        done = run(env.program("recursor"), "--config-dir=" + directory, "--socket-dir=" + directory,
                   f"--local-port={env.port}", "--local-address=127.0.0.1", "--disable-syslog=yes",
                   "--daemon=" + daemon, "--lua-dns-script=" + path, expect=99)
        check(f"{path}:2:" in done.stderr, "the line is named", done.stderr)
    for setting in "lua-dns-script", "lua-start-stop-script":
        done = run(env.program("recursor"), "--config-dir=" + env.new_dir("recursor"), "--config=check",
                   f"--{setting}={path}", expect=1)
        check(f"{setting}: {path}:2:" in done.stderr, "a check says so before", done.stderr)


@test
def lua_limits():
    """A script that loops or grows without end stops neither a worker nor other clients."""
    script = """
kept = {}
function preresolve(dq)
	if dq.qname:equal("loop.hooks") then while true do pcall(error) end end
	if dq.qname:equal("grow.hooks") then while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end end
	if dq.qname:equal("rep.hooks") then return ("x"):rep(1 << 30) == "" end
	return false
end
function maintenance() while true do end end
"""
    with hooks(script, lua_memory_limit="4M", lua_hook_memory="1M",
               disable_packetcache="yes") as r:
        for name in "loop", "grow", "rep":
            began = time.monotonic()
            for i in range(3):
                check_reply(r.ask(f"{name}.hooks"), "NXDOMAIN")
            check(time.monotonic() - began < 5, f"{name} ends")
        check(r.get("lua-preresolve-overruns") == 9, "they are counted", r.rec("get-all").stdout)
        r.wait_get("lua-maintenance-overruns", 1)
        check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1"])


# ---- scripts beside the threads ----

START_STOP = """
local file = "FILE"

function on_recursor_start()
	for line in io.lines("SPAWN") do spawnThread(line) end
	local f = io.open(file, "rb")
	if not f then return end
	pdnslog("taken: "..putIntoRecordCache(f:read("a")))
	pdnslog("damaged: "..putIntoRecordCache("nonsense"))
	f:close()
	f = assert(io.open(file..".servers", "rb"))
	pdnslog("servers taken: "..putIntoNSSpeedTable(f:read("a")))
	f:close()
end

function on_recursor_stop()
	local f = assert(io.open(file, "wb"))
	local records, n = getRecordCacheRecords(0, 100000)
	f:write(records)
	f:close()
	pdnslog("kept: "..n)
	f = assert(io.open(file..".servers", "wb"))
	f:write((getNSSpeedTable()))
	f:close()
END
end
"""


def start_stop(directory, spawned=(), end=""):
    file, spawn = os.path.join(directory, "warm"), os.path.join(directory, "spawn")
    write(spawn, "".join(f"{path}\n" for path in spawned))
    text = START_STOP.replace("FILE", file).replace("SPAWN", spawn).replace("END", end)
    return write(os.path.join(directory, "start-stop.lua"), text)


@test
def lua_start_stop():
    """lua-start-stop-script keeps the cache over a restart; the end waits for no loop of it."""
    directory = env.new_dir("start-stop")
    with hooks(None, lua_start_stop_script=start_stop(directory, end="while true do end")) as r:
        check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1"])
        check(r.end(seconds=20) == 0, "its loop is ended", r.log()[-2000:])
        check("kept: " in r.log() and "the daemon ends" in r.log(), "it was called", r.log()[-2000:])
    with hooks(None, lua_start_stop_script=start_stop(directory)) as r:
        wait_until(lambda: "servers taken: " in r.log(), what="the start's function has ended")
        check("taken: 0" not in r.log(), "something was new", r.log()[-2000:])
        check("damaged: 0" in r.log() and "refused" in r.log(), "nonsense is refused", r.log())
        before = r.get("all-outqueries")
        check_reply(r.ask("www.hooks"), kind="A", data=["192.0.2.1"])
        check(r.get("all-outqueries") == before, "and was known without a question")
    broken = write(os.path.join(directory, "broken.lua"), "function on_recursor_start(")
    r = Recursor(lua_start_stop_script=broken, ready=False)
    check(r.process.wait(10) == 99, "one that does not compile ends the start", r.log())
    check("broken.lua:1:" in r.log(), "with its line", r.log())


@test
def lua_spawn_thread():
    """spawnThread(): from hooks and from the start; so many and no more; the end ends them."""
    directory = env.new_dir("spawn")
    loops = [write(os.path.join(directory, f"loop{i}.lua"),
                   f"pdnslog('loop {i}') while true do os.execute('sleep 0.1') end") for i in range(17)]
    once = write(os.path.join(directory, "once.lua"),
                 "getMetric('spawned'):inc() pcall(spawnThread, 'nowhere.lua')")
    script = f"""function preresolve(dq)
        if dq.qname:equal("spawn.hooks.") then
            spawnThread("{once}")
        elseif dq.qname:equal("caches.hooks.") then
            getRecordCacheRecords(1, 1)
        end
        return false
    end"""
    with hooks(script, lua_start_stop_script=start_stop(directory, loops)) as r:
        wait_until(lambda: "threads already" in r.log(), what="the last one is refused")
        wait_until(lambda: r.log().count("its thread begins") == 15, what="15 beside the one of the start")
        check_reply(r.ask("caches.hooks"), "NXDOMAIN")
        check("a worker would be held up" in r.log(), "a hook may not have the caches", r.log()[-900:])
        check_reply(r.ask("spawn.hooks"), "NXDOMAIN")
        wait_until(lambda: "once.lua': its thread has ended" in r.log(), what="it has counted")
        r.wait_get("spawned", 1)
        check(r.log().count("its thread begins") == 16, "15 and the one that has counted", r.log())
        # One command after the other runs, and none of them keeps the interrupt from the daemon.
        check(r.end(signal.SIGINT, 15) == 0, "they end with the daemon", r.log()[-2000:])


def soak(r, seconds, paths):
    """Questions without a break, while one script follows the other."""
    end = time.monotonic() + seconds
    reloads = 0
    need_program("dnsperf")
    names = os.path.join(env.new_dir("names"), "names")
    with open(names, "w", encoding="utf-8") as f:
        for i in range(500):
            f.write(f"n{i}.wild.hooks TXT\nwww.hooks A\nudp.hooks TXT\nfollow.hooks A\n"
                    f"tagged.hooks TXT\nx{i}.hooks A\n")
    load = subprocess.Popen(["dnsperf", "-s", r.address, "-p", str(env.port), "-d", names, "-c", "8",
                             "-q", "50", "-Q", "2000", "-l", str(seconds), "-t", "3"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while time.monotonic() < end - 0.5:
        path = paths[reloads % len(paths)]
        if path is None:
            r.rec("unload-lua-script", timeout=60)
        else:
            r.rec("reload-lua-script", path, expect=None, timeout=60)
        reloads += 1
    out, _ = load.communicate(timeout=seconds + 60)
    return reloads, out


def reload_under_load(seconds):
    with Service() as service, \
            hooks(None, threads=2, network_timeout=300, log_common_errors="no") as r:
        directory = env.new_dir("scripts")
        current = write(os.path.join(directory, "current.lua"),
                        CURRENT.replace("PORT", str(service.port)))
        classic = write(os.path.join(directory, "classic.lua"), CLASSIC)
        broken = write(os.path.join(directory, "broken.lua"), "error('broken')")
        reloads, out = soak(r, seconds, [current, classic, broken, current, None])
        check(reloads > 5, "scripts were loaded", reloads)
        lost = [line for line in out.splitlines() if "Queries lost" in line]
        check(lost and int(lost[0].split()[2]) == 0, "every question is answered", out)
        check_reply(r.ask("two.hooks"), kind="A", data=["192.0.2.2"])
        wait_until(lambda: r.get("concurrent-queries") == 0, what="nobody waits")
        check_sums(r)


@test
def lua_reload_under_load():
    """Scripts of both interfaces come and go under load, and every question is answered."""
    reload_under_load(3)


@torture
def torture_lua():
    """The same for SECONDS: with the sanitizers on, `make torture-lua`."""
    reload_under_load(int(os.environ.get("SECONDS", "60")))
