"""What clients are told of validated answers: DO, AD, CD and the modes of `dnssec`, what is counted,
kept in rings and logged of it, scripts, negative trust anchors, and what outlives a restart."""

import contextlib
import json
import os
import re

from live import (Authority, Recursor, check, check_reply, env, ldns_sign, need_program, nsd_server,
                  nsd_zones, root_hints, test, wait_until, write)

ADDRESS, PORT = "127.30.41.1", 5399
SOA = "@ 600 IN SOA ns h 1 3600 900 604800 60\n@ 600 IN NS ns\nns 600 IN A " + ADDRESS + "\n"
ZONES = {
    "good": "www 600 IN A 192.0.2.1\nalias 600 IN CNAME www\n"
            + "".join(f"{name} 600 IN CNAME www\n" for name in ("later", "long", "read")) +
            "*.wild 600 IN TXT \"made of a wildcard\"\n"
            "away 600 IN CNAME www.late.\nplain 600 IN CNAME www.plain.\n",
    "late": "www 600 IN A 192.0.2.2\n",
    "torn": "www 600 IN A 192.0.2.3\n",
    "plain": "www 600 IN A 192.0.2.4\n",
}


def make_zones(directory):
    """Paths of all zones, and the root's DS."""
    paths, ds = {}, ""
    for zone, text in ZONES.items():
        if zone == "plain":
            paths[zone] = write(os.path.join(directory, "plain.zone"),
                                "$ORIGIN plain.\n" + SOA + text)
        else:
            times = ("-i", "20200101000000", "-e", "20200201000000") if zone == "late" else ()
            paths[zone], its_ds = ldns_sign(directory, zone + ".", f"$ORIGIN {zone}.\n" + SOA + text, *times)
            ds += its_ds
    with open(paths["torn"], encoding="ascii") as f:
        lines = f.readlines()
    write(paths["torn"], "".join(line for line in lines
                                 if not re.match(r"www\.torn\.\s.*\sRRSIG\s+A\s", line)))
    return paths, make_root(directory, paths, ds)


def make_root(directory, paths, ds):
    """Adds the root above these zones; its DS."""
    root = ". 600 IN SOA a.root. h. 1 3600 900 604800 60\n. 600 IN NS a.root.\n" \
           f"a.root. 600 IN A {ADDRESS}\n" + ds + \
           "".join(f"{zone}. 600 IN NS ns.{zone}.\nns.{zone}. 600 IN A {ADDRESS}\n" for zone in paths)
    paths[""], anchor = ldns_sign(directory, ".", root)
    return anchor


@contextlib.contextmanager
def signed_world(make=make_zones):
    need_program("nsd", "ldns-keygen", "ldns-signzone")
    d = env.new_dir("signed")
    paths, anchor = make(d)
    zones = {zone + ".": path for zone, path in paths.items()}
    with Authority("nsd", d, nsd_server(d, ADDRESS, port=PORT) + nsd_zones(zones), ADDRESS, ".", port=PORT):
        yield {"hint_file": root_hints(d, ADDRESS),
               "trustanchorfile": write(os.path.join(d, "anchor"), anchor),
               "outgoing_port": PORT, "threads": 1, "negative_trustanchors": None}


EXPIRED, NO_RRSIG, NTA = 7, 10, 33
PLAIN = ("+noadflag",)  # kdig sets AD


def types(rows):
    return sorted(kind for _, _, kind, _ in rows)


def check_bogus(reply, ede):
    check_reply(reply, "SERVFAIL")
    check(reply.ede == ede, f"no Extended DNS Error {ede}", reply)
    check("ad" not in reply.flags and not reply.answer, "a bogus answer is shown", reply)


@test
def who_asks_gets_signatures_proofs_and_ad():
    with signed_world() as world, Recursor(**world) as r:
        for turn in range(3):  # resolved; from the record cache; from the packet cache
            plain = r.ask("www.good", "A", *PLAIN)
            check_reply(plain, "NOERROR", "A", ["192.0.2.1"])
            check("ad" not in plain.flags and types(plain.answer) == ["A"], "more than was asked for", plain)
            ad = r.ask("www.good", "A", "+adflag")
            check("ad" in ad.flags and types(ad.answer) == ["A"], f"AD, turn {turn}", ad)
            do = r.ask("www.good", "A", "+dnssec")
            check("ad" in do.flags and types(do.answer) == ["A", "RRSIG"], f"DO, turn {turn}", do)
            cd = r.ask("www.good", "A", "+dnssec", "+cdflag")
            check("cd" in cd.flags and types(cd.answer) == ["A", "RRSIG"], f"CD, turn {turn}", cd)
            missing = r.ask("none.good", "A", "+dnssec")
            check_reply(missing, "NXDOMAIN")
            check("ad" in missing.flags, f"a denial's AD, turn {turn}", missing)
            check({"SOA", "NSEC", "RRSIG"} == set(types(missing.authority)), "its proofs", missing)
            missing = r.ask("none.good", "A", "+adflag")
            check(types(missing.authority) == ["SOA"], "proofs that nobody wants", missing)
            nodata = r.ask("www.good", "MX", "+dnssec")
            check("ad" in nodata.flags and {"SOA", "NSEC", "RRSIG"} ==
                  set(types(nodata.authority)), f"NODATA, turn {turn}", nodata)
            made = r.ask("x.wild.good", "TXT", "+dnssec")
            check("ad" in made.flags and types(made.answer) == ["RRSIG", "TXT"] and
                  set(types(made.authority)) == {"NSEC", "RRSIG"}, f"wildcard, turn {turn}", made)
            chain = r.ask("alias.good", "A", "+dnssec")
            check("ad" in chain.flags and types(chain.answer) == ["A", "CNAME", "RRSIG", "RRSIG"],
                  f"a chain, turn {turn}", chain)
            for name in ("www.plain", "plain.good"):
                insecure = r.ask(name, "A", "+dnssec")
                check_reply(insecure, "NOERROR", "A", ["192.0.2.4"])
                check("ad" not in insecure.flags, f"{name} is not signed", insecure)
        check(r.get("packetcache-hits") > 0, "no answer came from the packet cache")


@test
def what_is_bogus_is_refused_to_who_cares():
    with signed_world() as world, Recursor(**world) as r:
        for turn in range(3):
            for name, ede in (("www.late", EXPIRED), ("www.torn", NO_RRSIG),
                              ("away.good", EXPIRED)):
                check_bogus(r.ask(name, "A", "+dnssec"), ede)
                check_bogus(r.ask(name, "A", "+adflag", "+edns"), ede)
                for options in (PLAIN, PLAIN + ("+cdflag",), ("+dnssec", "+cdflag"), ("+adflag", "+cdflag")):
                    reply = r.ask(name, "A", *options)
                    check_reply(reply, "NOERROR", "A")
                    check("ad" not in reply.flags, f"AD, turn {turn}", reply)
        hits, before = r.get("packetcache-hits"), r.rec("top-bogus-queries").stdout
        check_bogus(r.ask("www.late", "A", "+dnssec"), EXPIRED)
        check(r.get("packetcache-hits") == hits + 1, "what is bogus is no packet")
        check(before != r.rec("top-bogus-queries").stdout, "a hit is not in the ring")
        results = r.get("dnssec-validations")
        check(r.get("dnssec-result-bogus") > 0 and r.get("dnssec-result-bogus-no-rrsig") > 0 and
              r.get("dnssec-result-bogus-signature-expired") > 0, "not counted by its reason")
        total = sum(r.get("dnssec-result-" + kind)
                    for kind in ("secure", "insecure", "indeterminate", "nta", "bogus"))
        check(results == total, f"{results} validations, {total} results")
        top = r.rec("top-bogus-queries").stdout
        check("www.late" in top and "www.torn" in top and "www.good" not in top, top)
        check("127.0.0.1" in r.rec("top-bogus-remotes").stdout, "nobody asked for what is bogus")
        check("late" in r.rec("top-pub-bogus-queries").stdout, "top-pub-bogus-queries")


# What is broken, for explain: records, the signer's options, which lines of the signed zone are taken out.
BROKEN = {
    "holed": ("www 600 IN A 192.0.2.5\nzzz 600 IN A 192.0.2.6\n", (),
              r"holed\.\s.*\s(NSEC|RRSIG\s+NSEC)\s"),
    "hashed": ("www 600 IN A 192.0.2.5\n", ("-n", "-t", "0"), r"3ko8bq.*\s(NSEC3|RRSIG\s+NSEC3)\s"),
    "mute": ("www 600 IN A 192.0.2.5\n", (), r".*\s(NSEC|RRSIG\s+NSEC)\s"),
    "badds": ("www 600 IN A 192.0.2.7\n", (), None),
    "keyless": ("www 600 IN A 192.0.2.8\n", (), r".*\sRRSIG\s+DNSKEY\s"),
    "stale": ("www 600 IN A 192.0.2.9\n", ("-i", "20200101000000", "-e", "20200201000000"), None),
}


def make_broken(directory):
    paths, ds = {}, ""
    for zone, (text, options, gone) in BROKEN.items():
        paths[zone], its_ds = ldns_sign(directory, zone + ".", f"$ORIGIN {zone}.\n" + SOA + text, *options)
        if gone is not None:
            with open(paths[zone], encoding="ascii") as f:
                lines = f.readlines()
            write(paths[zone], "".join(line for line in lines if not re.match(gone, line)))
        if zone == "badds":
            words = its_ds.split()
            words[-1] = words[-1][:-1] + ("0" if words[-1][-1] != "0" else "1")
            its_ds = " ".join(words) + "\n"
        ds += its_ds
    return paths, make_root(directory, paths, ds)


@test
def explain_tells_which_link_is_wanting():
    key = r"key \d+, algorithm 13"
    for_all = (
        ("x.holed", "wanting in the proof: *.holed.: no NSEC or NSEC3 covers this wildcard"),
        ("x.hashed", "wanting in the proof: x.hashed.: no NSEC or NSEC3 covers this next closer name"),
        ("y.hashed", "wanting in the proof: *.hashed.: no NSEC or NSEC3 covers this wildcard"),
        ("x.mute", re.compile(r"bogus: x\.mute\.: no NSEC or NSEC3$", re.M)),
        ("www.badds", re.compile(rf"badds\. has a DS \({key}\), digest type 2$", re.M)),
        ("www.badds", re.compile(rf"badds\. has a DNSKEY \({key}\), flags 257$", re.M)),
        ("www.badds", "no DNSKEY matches the DS"),
        ("www.keyless", re.compile(rf"keyless\. has a DNSKEY \({key}\)")),
        ("www.keyless", "DNSKEY is not signed as it should be by keyless.: no RRSIG"),
        ("www.stale", re.compile(rf"by stale\. \({key}\), valid 20200101000000 to 20200201000000: .* expired")),
    )
    with signed_world(make_broken) as world, Recursor(**world, dnssec="validate") as recursor:
        for name, told in for_all:
            said = recursor.rec("explain", name, "A").stdout
            check(told in said if isinstance(told, str) else told.search(said), f"{told} is not told", said)
        events = json.loads(recursor.rec("--json", "explain", "www.badds", "A").stdout)["events"]
        found = {e["event"]: e for e in events if e["event"] in ("ds", "dnskey")}
        check(found["ds"]["digest-type"] == 2 and found["dnskey"]["flags"] == 257 and
              found["ds"]["key-tag"] == found["dnskey"]["key-tag"] and
              found["ds"]["algorithm"] == found["dnskey"]["algorithm"] == 13, "DS and DNSKEY", found)
        events = json.loads(recursor.rec("--json", "explain", "x.holed", "A").stdout)["events"]
        check([e["name"] for e in events if e["event"] == "wanting"] == ["*.holed."], "wanting", events)


@test
def modes_of_dnssec():
    with signed_world() as world:
        for mode, plain, with_do in (("off", "NOERROR", "NOERROR"),
                                     ("process-no-validate", "NOERROR", "NOERROR"),
                                     ("process", "NOERROR", "SERVFAIL"),
                                     ("log-fail", "NOERROR", "SERVFAIL"),
                                     ("validate", "SERVFAIL", "SERVFAIL")):
            with Recursor(**world, dnssec=mode, name="recursor-" + mode) as r:
                for _ in range(3):
                    check_reply(r.ask("www.late", "A", *PLAIN), plain)
                    check_reply(r.ask("www.late", "A", "+dnssec"), with_do)
                    check_reply(r.ask("www.late", "A", "+dnssec", "+cdflag"), "NOERROR")
                good = r.ask("www.good", "A", "+dnssec")
                check(("ad" in good.flags) == (mode not in ("off", "process-no-validate")), mode, good)
                check(("RRSIG" in types(good.answer)) == (mode != "off"), mode, good)
                check(bool("; flags: do;" in str(good)) == (mode != "off"),
                      f"{mode}: DO", good)
                log = "Answer to www.late.|A for 127.0.0.1 validates as Bogus"
                check((log in r.log()) == (mode == "log-fail"), f"{mode}: its log", r.log())
                check((r.get("dnssec-validations") > 0) == (mode in ("process", "log-fail", "validate")),
                      mode)


@test
def bogus_is_logged_where_it_is_wanted_and_counted_apart():
    with signed_world() as world, Recursor(**world, x_dnssec_names="late") as r:
        check_bogus(r.ask("www.torn", "A", "+dnssec"), NO_RRSIG)
        check("validates as Bogus" not in r.log(), "logged unasked", r.log())
        check("enabled" in r.rec("set-dnssec-log-bogus", "yes").stdout, "set-dnssec-log-bogus")
        check_bogus(r.ask("www.late", "A", "+dnssec"), EXPIRED)
        wait_until(lambda: "www.late.|A for 127.0.0.1 validates as Bogus" in r.log(), 5, "a line")
        check(r.get("x-dnssec-result-bogus-signature-expired") == 1 and
              r.get("x-dnssec-result-bogus") == 1, "of late. nothing is counted apart")
        check(r.get("dnssec-result-bogus") == 1, "www.torn is counted in the common results")


@test
def negative_trust_anchors():
    with signed_world() as world, Recursor(**world, nta_extended_error="yes") as r:
        check_bogus(r.ask("www.late", "A", "+dnssec"), EXPIRED)
        r.rec("add-nta", "late", "they know")
        for _ in range(3):
            reply = r.ask("www.late", "A", "+dnssec")
            check_reply(reply, "NOERROR", "A", ["192.0.2.2"])
            check("ad" not in reply.flags and reply.ede == NTA, "EDE 33", reply)
        check(r.get("dnssec-result-nta") > 0, "not counted")
        r.rec("clear-nta", "late")
        check_bogus(r.ask("www.late", "A", "+dnssec"), EXPIRED)


SCRIPT = """
function postresolve(dq)
  dq:addAnswer(pdns.TXT, '"' .. dq.validationState .. ' ' .. dq.detailedValidationState .. ' ' ..
    tostring(isValidationStateBogus(dq.detailedValidationState)) .. '"', 0)
  return dq.qname:equal("www.good") or dq.qname:equal("www.plain") or dq.qname:equal("www.torn")
end
"""


@test
def scripts_see_the_state():
    with signed_world() as world:
        path = write(os.path.join(env.new_dir("script"), "state.lua"), SCRIPT)
        with Recursor(**world, lua_dns_script=path) as r:
            for name, text in (("www.good", "2 2 false"), ("www.plain", "1 1 false"),
                               ("www.torn", "255 8 true")):
                reply = r.ask(name, "A", "+dnssec")
                check(text in str(reply), f"{name}: not {text}", reply)
                check("ad" not in reply.flags, "AD on what a script has changed", reply)
            check_bogus(r.ask("www.late", "A", "+dnssec"), EXPIRED)
            # And in a trial, as far as the cache knows: the keys of www.late were bogus, nobody looked at it.
            path = write(os.path.join(env.new_dir("script"), "trial.lua"), "function postresolve(dq) pdnslog("
                         "dq.qname:toString() .. dq.detailedValidationState) return false end")
            said = r.rec("try-lua-script", path, expect=0).stdout
            for line in ("www.good.2", "www.plain.1", "www.torn.8", "www.late.0"):
                check(line in said, f"{line} in a trial", said)


MEETING = """
-- What asks another service and then leaves the answer as it is, after the resolver or before it.
local function consult(dq)
  dq:addAnswer(pdns.TXT, '"not to be seen"', 0)
  dq.rcode = pdns.REFUSED
  dq.followupFunction = "udpQueryResponse"
  dq.udpCallback = "leave_it"
  dq.udpQuery = "is it good?"
  dq.udpQueryDest = newCA("127.0.0.1:1")
  return true
end

function leave_it(dq) return false end

function preresolve(dq)
  if dq.qname:equal("made.good") then
    dq:addAnswer(pdns.A, "192.0.2.66")
    return true
  end
  return dq.qname:equal("alias.good") and consult(dq)
end

function postresolve(dq)
  return (dq.qname:equal("www.good") or dq.qname:equal("www.torn") or dq.qname:equal("none.good")) and
    consult(dq)
end

function preoutquery(dq)
  if dq.qtype == pdns.DNSKEY then getMetric("keys-asked"):inc() end
  if (dq.qname:equal("instead.good") or dq.qname:equal("instead.plain")) and dq.qtype == pdns.A then
    dq:addAnswer(pdns.A, "192.0.2.67")
    return true
  end
  return false
end
"""


@test
def scripts_meet_validation():
    """What a script has made has no AD; what it leaves alone, after however long, is as it was."""
    with signed_world() as world:
        path = write(os.path.join(env.new_dir("script"), "meeting.lua"), MEETING)
        with Recursor(**world, lua_dns_script=path, network_timeout=300) as r:
            # What is said in a server's place nobody has signed.  (First, or the denial of another name
            # would answer.)
            for options in (PLAIN, ("+dnssec",), ("+dnssec", "+cdflag")):
                instead = check_reply(r.ask("instead.good", "A", *options), "NOERROR", "A", ["192.0.2.67"])
                check("ad" not in instead.flags, "AD on what a script has said", instead)
            plain = check_reply(r.ask("instead.plain", "A", "+dnssec"), "NOERROR", "A", ["192.0.2.67"])
            check("ad" not in plain.flags, "AD below an insecure delegation", plain)
            for _ in range(2):
                made = check_reply(r.ask("made.good", "A", "+dnssec"), "NOERROR", "A", ["192.0.2.66"])
                check("ad" not in made.flags, "AD on what a script has made", made)
                for name, rows in (("www.good", ["A", "RRSIG"]),
                                   ("alias.good", ["A", "CNAME", "RRSIG", "RRSIG"])):
                    good = check_reply(r.ask(name, "A", "+dnssec"), "NOERROR", "A", ["192.0.2.1"])
                    check("ad" in good.flags and types(good.answer) == rows, "not as it was", good)
                none = check_reply(r.ask("none.good", "A", "+dnssec"), "NXDOMAIN")
                check("ad" in none.flags and {"SOA", "NSEC", "RRSIG"} == set(types(none.authority)),
                      "a denial is not as it was", none)
                check_bogus(r.ask("www.torn", "A", "+dnssec"), NO_RRSIG)
                torn = check_reply(r.ask("www.torn", "A", *PLAIN), "NOERROR", "A", ["192.0.2.3"])
                check("ad" not in torn.flags, "AD on what is bogus", torn)
            check(r.get("keys-asked") > 0, "preoutquery does not see what validation asks")
            # It was said to who asked then: no cache has it.
            r.rec("unload-lua-script")
            check_reply(r.ask("instead.good", "A", "+dnssec"), "NXDOMAIN")


# DNS64 that is more, or something else, than made of what was denied and what is there.
OTHER_DNS64 = """
function take(dq, name)
  dq.followupFunction, dq.followupName, dq.followupPrefix = "getFakeAAAARecords", name, "64:ff9b::"
  return true
end
function preresolve(dq)
  return dq.qname:equal("early.good") and take(dq, newDN("www.good"))
end
function nodata(dq)
  if dq.qtype ~= pdns.AAAA then return false end
  if dq.qname:equal("alias.good") then dq:addRecord(pdns.TXT, '"added"', 3) end
  if dq.qname:equal("ns.good") then return take(dq, newDN("www.good")) end
  if dq.qname:equal("read.good") then dq:getRecords() end
  if dq.qname:equal("long.good") then
    local rows = dq:getRecords()
    for _, row in ipairs(rows) do row.ttl = 86400 end
    dq:setRecords(rows)
  end
  return take(dq, dq.qname)
end
function postresolve(dq)
  if dq.qname:equal("later.good") then dq.rcode = 0 return true end
  return false
end
"""

CLASSIC_DNS64 = """
function nodata(remoteip, domain, qtype, records)
  if qtype == pdns.AAAA then return "getFakeAAAARecords", domain, "64:ff9b::" end
  return -1, {}
end
"""


@test
def dns64_meets_validation():
    """RFC 6147 5.5: nothing is made for who validates by himself (CD and DO), nor of what is bogus; what is
    made of what is secure alone has AD."""
    with open(os.path.join(os.path.dirname(__file__), "../../lua-examples/dns64.lua"), encoding="ascii") as f:
        current = f.read()
    made = "64:ff9b::c000:20"
    with signed_world() as world:
        path = write(os.path.join(env.new_dir("script"), "dns64.lua"), current)
        with Recursor(**world, lua_dns_script=path) as r:
            for script in (current, CLASSIC_DNS64):
                write(path, script)
                r.rec("reload-lua-script", expect=0)
                r.rec("wipe-cache", "$")
                for _ in range(2):
                    for options in (PLAIN, ("+dnssec",), ("+adflag",), PLAIN + ("+cdflag",),
                                    ("+adflag", "+cdflag")):
                        for name, data in (("www.good", "1"), ("alias.good", "1"), ("www.plain", "4")):
                            reply = check_reply(r.ask(name, "AAAA", *options), "NOERROR", "AAAA", [made + data])
                            is_secure = name != "www.plain" and options in (("+dnssec",), ("+adflag",))
                            check(("ad" in reply.flags) == is_secure, f"AD on what was made, {options}", reply)
                            check(types(reply.answer).count("CNAME") == (name == "alias.good"), "its alias", reply)
                            check(not reply.authority, "an answer and its denial", reply)
                    for name in ("www.good", "alias.good"):
                        reply = check_reply(r.ask(name, "AAAA", "+dnssec", "+cdflag"), "NOERROR", "AAAA", [])
                        check({"SOA", "NSEC", "RRSIG"} == set(types(reply.authority)), "its proofs", reply)
                    # The denial of an AAAA record is bogus; the A record is; neither is to who does not care.
                    check_bogus(r.ask("www.late", "AAAA", "+dnssec"), EXPIRED)
                    check_bogus(r.ask("www.torn", "AAAA", "+dnssec"), NO_RRSIG)
                    check_reply(r.ask("www.late", "AAAA", *PLAIN), "NOERROR", "AAAA", [made + "2"])
                    check_reply(r.ask("none.good", "AAAA", "+dnssec"), "NXDOMAIN")
                    # What its alias leads to is insecure.
                    reply = check_reply(r.ask("plain.good", "AAAA", "+dnssec"), "NOERROR", "AAAA", [made + "4"])
                    check("ad" not in reply.flags, "AD on what is insecure", reply)
            write(path, OTHER_DNS64)
            r.rec("reload-lua-script", expect=0)
            r.rec("wipe-cache", "$")
            for name in ("early", "alias", "ns", "long", "later", "www", "read"):
                reply = check_reply(r.ask(name + ".good", "AAAA", "+dnssec"), "NOERROR", "AAAA", [made + "1"])
                check(("ad" in reply.flags) == (name in ("www", "read")), "AD", reply)


@test
def types_of_dnssec_and_any():
    with signed_world() as world, Recursor(**world) as r:
        for _ in range(2):
            for name, kind in (("good", "DNSKEY"), ("good", "DS"), ("www.good", "NSEC")):
                reply = r.ask(name, kind, "+dnssec")
                check_reply(reply, "NOERROR", kind)
                check("ad" in reply.flags and types(reply.answer) == sorted([kind, "RRSIG"]), kind, reply)
                reply = r.ask(name, kind, *PLAIN)
                check(types(reply.answer) == [kind], kind, reply)
            reply = r.ask("www.good", "RRSIG", *PLAIN)
            check_reply(reply, "NOERROR", "RRSIG")
            reply = r.ask("www.good", "RRSIG", "+dnssec")
            check_reply(reply, "NOERROR", "RRSIG")
            check("ad" not in reply.flags, "nobody signs signatures", reply)
            reply = r.ask("www.good", "ANY", "+dnssec", "+tcp")
            check("ad" in reply.flags and types(reply.answer) == ["A", "RRSIG"], "ANY", reply)
            reply = r.ask("late", "ANY", "+dnssec", "+tcp")
            check_bogus(reply, EXPIRED)


@test
def the_state_is_dumped_and_outlives_a_restart():
    with signed_world() as world:
        path = os.path.join(env.new_dir("cache"), "cache")
        with Recursor(**world, cache_file=path) as r:
            for name in ("www.good", "none.good", "www.plain"):
                r.ask(name, "A", "+dnssec")
            check_bogus(r.ask("www.torn", "A", "+dnssec"), NO_RRSIG)
            dump = r.rec("dump-cache", "-").stdout
            for line in (r"www\.good\..*\bA\b.*\(Secure\)", r"www\.plain\..*\bA\b.*\(Insecure\)",
                         r"none\.good\..*\(Secure\)", r"www\.torn\..*\bA\b.*\(Bogus"):
                check(re.search(line, dump), f"no {line}", dump)
        with Recursor(**world, cache_file=path, name="again") as r:
            r.wait_get("cache-file-loaded", 3)
            before = r.get("all-outqueries")
            good = r.ask("www.good", "A", "+dnssec")
            check("ad" in good.flags and "RRSIG" in types(good.answer), "what was secure", good)
            check(r.get("all-outqueries") == before, "it was asked for again")
            check_bogus(r.ask("www.torn", "A", "+dnssec"), NO_RRSIG)
        # By another key nothing of it is secure, whatever the file says.
        with open(world["trustanchorfile"], encoding="ascii") as f:
            key = f.read().split()
        digest = key[-1]
        write(world["trustanchorfile"],
              " ".join([*key[:-1], ("0" if digest[0] != "0" else "1") + digest[1:]]) + "\n")
        with Recursor(**world, cache_file=path, name="other") as r:
            r.wait_get("cache-file-loaded", 3)
            reply = r.ask("www.good", "A", "+dnssec")
            check_reply(reply, "SERVFAIL")
