"""The defender: a flood of random names below a domain, over NSD, with dnsperf and people beside."""

import contextlib
import json
import os
import random
import re
import subprocess
import time

from live import (TREE, Client, Recursor, check, check_reply, check_sums, env, need_program,
                  root_hints, run, test, wait_until, write)
from test_authorities import ROOT, ZONE, ZONES, knot, nsd

WWW = [f"www{i}.victim.flooded" for i in range(10)]
NEW = [f"host{i}.calm.flooded" for i in range(600)]

ZONES["flooded-root"] = (".", f""". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60
. 3600 IN NS a.root.
a.root. 3600 IN A {ROOT}
flooded. 3600 IN NS ns.flooded.
ns.flooded. 3600 IN A {ZONE}
""")
ZONES["flooded"] = ("flooded.", "\n".join([
    "$TTL 3600", "@ IN SOA ns.flooded. hostmaster.flooded. 1 3600 900 604800 60",
    f"@ IN NS ns.flooded.\nns.flooded. IN A {ZONE}",
    "victim.flooded. IN NS ns.flooded.\ncalm.flooded. IN NS ns.flooded.\n"]))
ZONES["victim"] = ("victim.flooded.", "\n".join([
    "$TTL 1", "@ IN SOA ns.flooded. hostmaster.flooded. 1 3600 900 604800 1",
    "@ 3600 IN NS ns.flooded.", "below IN NS ns.flooded.", *(f"{name}. IN A 192.0.2.1" for name in WWW), ""]))
ZONES["below"] = ("below.victim.flooded.", "\n".join([
    "$TTL 3600", "@ IN SOA ns.flooded. hostmaster.flooded. 1 3600 900 604800 1",
    "@ IN NS ns.flooded.", "www IN A 192.0.2.3", ""]))
ZONES["calm"] = ("calm.flooded.", "\n".join([
    "$TTL 3600", "@ IN SOA ns.flooded. hostmaster.flooded. 1 3600 900 604800 60",
    "@ IN NS ns.flooded.", "* IN A 192.0.2.2", ""]))

RULE = """- type: prsd
  comment: a test's
  window: 1
  minimum_number_of_qps: 100
  minimum_number_of_children: 100
  action: refused
  action_duration: 2
"""


def rules(text):
    return write(os.path.join(env.new_dir("rules"), "defender.yml"), text)


def manual_examples():
    with open(os.path.join(TREE, "man/recursor-defender.5"), encoding="ascii") as f:
        found = re.findall(r"^\.Bd -literal.*\n(- type: (?:.*\n)*?)\.Ed$", f.read(), re.M)
    check(len(found) >= 2, "examples of rules")
    return found


@contextlib.contextmanager
def flooded(**settings):
    env.need_isolation()
    need_program("dnsperf")
    hints = root_hints(env.new_dir("hints"), ROOT)
    with nsd(ROOT, "flooded-root"), knot(ZONE, "flooded", "victim", "below", "calm"), \
            Recursor(hint_file=hints, query_local_address="0.0.0.0", **settings) as r:
        for name in WWW:
            check_reply(r.ask(name), kind="A", data=["192.0.2.1"])
        time.sleep(1.2)  # their TTL
        try:
            yield r
        finally:
            while attacks:
                attacks.pop().kill()


attacks = []  # that flooded() ends when its test has failed


def dnsperf(names, qps, *options):
    path = write(os.path.join(env.new_dir("names"), "names"), "".join(f"{n} A\n" for n in names))
    attacks.append(subprocess.Popen(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", path, "-n", "1", "-Q", str(qps),
         "-q", "10000", "-t", "3", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    return attacks[-1]


def flood(seconds, qps=1000, zone="victim.flooded"):
    return dnsperf((f"{random.getrandbits(48):x}.{zone}" for _ in range(seconds * qps)), qps)


def codes(process):
    """The answers by their codes, with "lost" for those that did not come."""
    text = process.communicate()[0]
    found = {code: int(n) for code, n in re.findall(r"(\w+) (\d+) \([\d.]+%\)", text)}
    found["lost"] = int(re.search(r"Queries lost:\s+(\d+)", text).group(1))
    return found


def show(r):
    return json.loads(r.rec("--json", "defender-show").stdout)


def wait_accused(r, n=1, seconds=6):
    wait_until(lambda: len(show(r)["accused"]) == n, seconds, f"{n} accused")


@test
def defender_acts():
    """A flooded domain is accused in time; its known names, and all of others, keep resolving;
    evidence is shown; the accusation ends by itself."""
    with flooded(defender_config_file=rules(RULE), threads=2) as r:
        attack = flood(4)
        wait_accused(r)
        time.sleep(0.6)  # each thread looks at who is accused five times a second
        people = dnsperf(NEW, 300)
        for name in WWW:
            check_reply(r.ask(name), kind="A", data=["192.0.2.1"])
        wait_until(lambda: [a for a in show(r)["accused"] if a["queries"]["known"] >= 8], 3,
                   "known names are told of")
        served = codes(people)
        check(served.get("NOERROR") == 600, "all others are served", served)
        shown = show(r)["accused"][0]
        done = shown["queries"]
        check(shown["domain"] == "victim.flooded." and shown["class"] == "domain", "it", shown)
        check(shown["comment"] == "a test's" and not shown["observe"], "by the rule", shown)
        check(done["refused"] > 500 and done["known"] >= 8, "what was done", shown)
        check(done["probed"] > 0, "some unseen names are let through", shown)
        check(shown["figures"]["qps"]["when-accused"] >= shown["figures"]["qps"]["minimum"] == 100,
              "figures", shown)
        check(shown["clients"][0]["client"] == "127.0.0.1" and len(shown["names"]) > 3,
              "names and clients", shown)
        text = r.rec("defender-show").stdout
        check("failure-ratio" in text and "victim.flooded.  rule 1  a test's  refused" in text,
              "the same as text", text)
        ended = codes(attack)
        check(ended.get("REFUSED", 0) > 1500 and ended["lost"] == 0, "the flood is refused", ended)
        check(r.get("defender-domain-refused") >= ended["REFUSED"], "and counted")
        check(r.get("defender-accused") == 1, "one accused")
        wait_accused(r, 0, 15)
        ended = show(r)["ended"]
        check(ended and ended[0]["domain"] == "victim.flooded.", "it has ended", ended)
        log = r.log()
        check("victim.flooded. is accused by rule 1 (a test's)" in log, "said", log)
        check("victim.flooded. is no longer accused by rule 1" in log, "said", log)
        check_reply(r.ask("unseen.victim.flooded"), "NXDOMAIN")


@test
def defender_observes():
    """What ships observes: a flood is accused and logged, and nothing is done. defender=act makes
    it act, reload-defender puts that in force."""
    with flooded(threads=1) as r:
        attack = flood(4)
        wait_accused(r)
        time.sleep(1)
        shown = show(r)["accused"][0]
        check(shown["observe"] and shown["queries"]["observed"] > 100, "it is observed", shown)
        found = codes(attack)
        check(found.get("REFUSED", 0) == 0 and found.get("NXDOMAIN", 0) > 3000, "nothing done", found)
        check(r.get("defender-domain-observed") >= shown["queries"]["observed"], "counted")
        conf = os.path.join(r.directory, "recursor.conf")
        with open(conf, "a", encoding="ascii") as f:
            f.write("defender=act\n")
        r.rec("reload-defender")
        attack = flood(4)
        wait_accused(r)
        time.sleep(1)
        check_reply(r.ask(WWW[0]), kind="A", data=["192.0.2.1"])
        check(codes(attack).get("REFUSED", 0) > 500, "now it acts", show(r))


@test
def defender_leaves_wildcards_alone():
    """A zone that answers every name is asked for as many, and not accused."""
    with flooded(defender_config_file=rules(RULE)) as r:
        found = codes(flood(3, 1000, "calm.flooded"))
        check(found.get("NOERROR", 0) > 2900, "all answered", found)
        check(show(r)["accused"] == [], "nobody is accused", r.rec("defender-show").stdout)


@test
def defender_reload():
    """A bad file is refused with its file, line and key, and the old rules hold; a good one is in
    force at once; at the start a bad one ends it."""
    path = rules(RULE)
    with flooded(defender_config_file=path) as r:
        attack = flood(6)
        wait_accused(r)
        write(path, RULE.replace("window: 1", "window: 1s"))
        done = r.rec("reload-defender", expect=1)
        check(f"{path}:3: window: '1s'" in done.stdout + done.stderr, "why", done.stdout,
              done.stderr)
        check(len(show(r)["accused"]) == 1, "the accusation stands", show(r))
        write(path, RULE.replace("action: refused", "action: nxdomain"))
        check("ok" in r.rec("reload-defender").stdout, "reloaded")
        wait_accused(r)
        check(show(r)["accused"][0]["action"] == "nxdomain", "the new rule", show(r))
        check(codes(attack).get("NXDOMAIN", 0) > 1000, "and its action")
        for example in manual_examples():
            write(path, example)
            check("ok" in r.rec("reload-defender").stdout, "the manual's example", example)
        write(path, "- type: prsd\n  thresholds: 1\n")
        done = run(env.program("recursor"), f"--config-dir={r.directory}", "--local-port=5399",
                   f"--socket-dir={env.new_dir('bad')}")
        check(done.returncode == 1 and f"{path}:2: rule: 'thresholds'" in done.stderr, "no start",
              done.stdout, done.stderr)
        done = run(env.program("recursor"), f"--config-dir={r.directory}", "--config=check", expect=1)
        check(f"{path}:2: rule: 'thresholds'" in done.stderr, "and a check says so before", done.stderr)
        write(path, RULE)
        run(env.program("recursor"), f"--config-dir={r.directory}", "--config=check", expect=0)


@test
def defender_policies():
    """Policies by client and protocol: TCP passes, a subnet is rate-limited, another is sent to a
    group of forwarders, the rest is dropped."""
    text = RULE.replace("action: refused", "action: drop") + """  unseen_qps: 0
  policies:
    - protocols: [DoTCP]
      action: {type: allow}
    - subnets: [127.0.0.16/28]
      options: {allow_cache_lookups: true}
      action: {type: rate-limit, ipv4_mask: 32, ipv6_mask: 64, qps: 5, rate_exceeded_action: refused}
    - subnets: [127.0.0.32/28]
      action: {type: route, pool: best-effort}
    - subnets: [127.0.0.48/28]
      action: {type: slip, slip: 1000000, action: truncate}
"""
    with flooded(defender_config_file=rules(text), allow_from="127.0.0.0/8",
                 forward_groups="best-effort=127.0.0.99:9") as r:
        attack = flood(5)
        wait_accused(r)
        time.sleep(0.6)  # each thread looks at who is accused five times a second
        check_reply(r.ask("t.victim.flooded", "A", "+tcp"), "NXDOMAIN")
        limited = Client("127.0.0.17")
        for i in range(50):
            limited.send(f"l{i}.victim.flooded")
        limited.wait(5)
        rcodes = [rcode for rcode, _ in limited.answers.values()]
        check(rcodes.count(3) >= 5 and rcodes.count(5) >= 20, "a rate", rcodes)
        check_reply(r.ask("s.victim.flooded", "A", "+ignore", "-b", "127.0.0.49", client="dig"),
                    "NOERROR")
        check_reply(r.ask("r.victim.flooded", "A", "-b", "127.0.0.33", client="dig"), "SERVFAIL")
        check(r.ask("d.victim.flooded", wait=1).status is None, "dropped")
        before = r.get("defender-drops")
        check(before > 100, "drops are counted")
        done = show(r)["accused"][0]["queries"]
        check(done["allowed"] >= 6 and done["routed"] >= 1 and done["truncated"] >= 1, "done", done)
        check(codes(attack)["lost"] > 1000, "the flood is not answered")
        check_sums(r)


@test
def defender_zone_below():
    """A zone below the domain is accused in the domain's stead."""
    with flooded(defender_config_file=rules(RULE), threads=1) as r:
        r.ask("www.below.victim.flooded")
        time.sleep(2)  # what else was asked of the domain is out of the window, or it alone may have enough
        attack = flood(4, 1000, "below.victim.flooded")
        wait_accused(r)
        shown = show(r)["accused"][0]
        check(shown["domain"] == "below.victim.flooded." and shown["class"] == "zone", "it", shown)
        check_reply(r.ask("unseen.victim.flooded"), "NXDOMAIN")
        codes(attack)
        check(r.get("defender-zone-refused") > 500, "counted as a zone's")
        check(r.get("defender-domain-refused") == 0, "and not as a domain's")


@test
def defender_counts_what_scripts_answer():
    """Names that a script denies without asking anybody are counted as any other's."""
    script = write(os.path.join(env.new_dir("script"), "deny.lua"), """
function preresolve(dq)
	if not dq.qname:isPartOf(newDN("denied.flooded")) then return false end
	dq.rcode = pdns.NXDOMAIN
	return true
end
""")
    with flooded(defender_config_file=rules(RULE), threads=1, lua_dns_script=script) as r:
        before = r.get("all-outqueries")
        attack = dnsperf((f"{random.getrandbits(48):x}.denied.flooded" for _ in range(2000)), 500)
        attack.communicate(timeout=60)
        check(r.get("defender-accusations") >= 1, "the domain is accused", r.rec("defender-show").stdout)
        check(r.get("all-outqueries") == before, "without a question to anybody")
