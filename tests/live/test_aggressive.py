"""Random names below signed zones are answered from proofs (RFC 8198): zones that ldns-signzone has
signed, on Knot, which counts what it is asked; floods by dnsperf."""

import contextlib
import os
import random
import re

from live import (Authority, Recursor, check, check_reply, env, knot_server, knot_zones, ldns_sign,
                  need_program, nsd_server, nsd_zones, root_hints, run, test, write)

ROOT, AUTHORITY = "127.31.0.1", "127.31.0.2"
NAMES = 40
FLOOD = 3000
ZONES = {"nsec.example": (), "nsec3.example": ("-n",)}


def zone_text(zone, ttl):
    text = f"""$ORIGIN {zone}.
$TTL {ttl}
@ IN SOA ns hostmaster 1 3600 900 604800 {ttl}
@ IN NS ns
ns IN A {AUTHORITY}
*.wild IN A 192.0.2.77
"""
    return text + "".join(f"name{i:02d} IN A 192.0.2.{i + 1}\n" for i in range(NAMES))


class Counting(Authority):
    """Knot with these zones."""

    def __init__(self, files):
        need_program("knotc")
        d = env.new_dir("knot")
        counts = """mod-stats:
  - id: counts
    request-protocol: on
template:
  - id: default
    global-module: mod-stats/counts
"""
        super().__init__("knot", d, knot_server(d, AUTHORITY) + counts + knot_zones(d, files),
                         AUTHORITY, *files)

    def asked(self):
        text = run("knotc", "-s", os.path.join(self.dir, "knot.sock"), "stats",
                   expect=0).stdout
        return sum(int(n) for n in re.findall(r"request-protocol\[\S+\] = (\d+)", text))


@contextlib.contextmanager
def world(ttl=300, **settings):
    """A root, the signed zones, and a recursor that trusts their keys."""
    env.need_isolation()
    need_program("nsd", "ldns-keygen", "ldns-signzone", "dnsperf")
    signed = env.new_dir("signed")
    files, anchors = {}, ""
    delegations = ""
    for zone, options in ZONES.items():
        files[zone], ds = ldns_sign(signed, zone, zone_text(zone, ttl), *options)
        anchors += ds
        delegations += f"{zone}. 3600 IN NS ns.{zone}.\nns.{zone}. 3600 IN A {AUTHORITY}\n"
    d = env.new_dir("nsd")
    root = write(os.path.join(d, "root.zone"),
                 ". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60\n"
                 f". 3600 IN NS a.root.\na.root. 3600 IN A {ROOT}\n" + delegations)
    hints = root_hints(d, ROOT)
    with Counting(files) as authority, \
            Authority("nsd", d, nsd_server(d, ROOT) + nsd_zones({".": root}), ROOT, "."), \
            Recursor(hint_file=hints, query_local_address="0.0.0.0",
                     trustanchorfile=write(os.path.join(signed, "anchors"), anchors), **settings) as r:
        yield authority, r


def flood(zone, *options, n=FLOOD, status="NXDOMAIN"):
    """As many different names, which nobody has heard of; all are to have that status."""
    draw = random.Random(zone)
    names = write(os.path.join(env.new_dir("flood"), "names"),
                  "".join(f"name{draw.randrange(NAMES):02d}{draw.getrandbits(60):x}.{zone} A\n"
                          for _ in range(n)))
    done = run("dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", names, "-c", "4",
               "-q", "20", "-n", "1", *options, timeout=60, expect=0)
    check(re.search(rf"{status} {n} \(100", done.stdout), f"{zone}: all {status}", done.stdout)


def hits(r, kind):
    return r.get(f"aggressive-nsec-cache-{kind}-hits")


@test
def aggressive_flood():
    """A flood of random names with DO: the authority sees about one question for each gap between
    its names, the metric says how many were answered from proofs; with NSEC and NSEC3."""
    with world() as (authority, r):
        for zone, kind in ("nsec.example", "nsec"), ("nsec3.example", "nsec3"):
            reply = check_reply(r.ask("first." + zone, "A", "+dnssec"), "NXDOMAIN")
            check("ad" in reply.flags, "validated", reply)
            before, answered = authority.asked(), hits(r, kind)
            flood(zone, "-D")
            asked, answered = authority.asked() - before, hits(r, kind) - answered
            check(answered >= FLOOD * 9 // 10, f"{zone}: {answered} answered from proofs")
            check(asked <= 5 * NAMES, f"{zone}: the authority was asked {asked} questions")
            reply = check_reply(r.ask("last." + zone, "A", "+dnssec"), "NXDOMAIN")
            check("ad" in reply.flags and "NSEC" in str(reply.authority), "with proofs", reply)
            check_reply(r.ask("name07." + zone), kind="A", data=["192.0.2.8"])
        entries = r.get("aggressive-nsec-cache-entries")
        check(NAMES < entries < 4 * NAMES, f"{entries} entries")
        r.wait_get("aggressive-nsec-cache-entries-peak", entries)


@test
def aggressive_flood_without_do():
    """The same without DO, in mode process, where nobody wants anything validated: the zone's proofs
    are validated in the background, and answer as well."""
    with world() as (authority, r):
        for zone, kind in ("nsec.example", "nsec"), ("nsec3.example", "nsec3"):
            before, answered = authority.asked(), hits(r, kind)
            # Not faster than proofs are validated at: a second's worth at least comes before.
            flood(zone, "-Q", "1500")
            asked, answered = authority.asked() - before, hits(r, kind) - answered
            check(answered >= FLOOD * 6 // 10, f"{zone}: {answered} answered from proofs")
            check(asked <= FLOOD * 4 // 10, f"{zone}: the authority was asked {asked} questions")
        done = r.get("aggressive-cache-validations")
        check(NAMES // 2 <= done <= 8 * NAMES, f"{done} validated for it")


@test
def aggressive_without_background():
    """aggressive-cache-max-validations=0: who does not ask for validation fills nothing; and a few
    denials are no flood."""
    with world(aggressive_cache_max_validations=0) as (authority, r):
        flood("nsec.example", n=300)
        check(hits(r, "nsec") == 0 and r.get("aggressive-nsec-cache-entries") == 0, "nothing")
        check(authority.asked() >= 300, "all were asked")
    with world(threads=1) as (authority, r):
        flood("nsec.example", n=8)
        check(r.get("aggressive-cache-validations") == 0, "eight are no flood")


@test
def aggressive_commands():
    """dump-cache a, wipe-cache, set-aggr-nsec-cache-size; wildcards are answered from proofs, too."""
    with world() as (authority, r):
        for zone in ZONES:
            r.ask("first." + zone, "A", "+dnssec")
            flood("wild." + zone, "-D", n=200, status="NOERROR")
            check_reply(r.ask("one.wild." + zone), kind="A", data=["192.0.2.77"])
        for kind in "nsec-wc", "nsec3-wc":
            check(hits(r, kind) >= 100, f"{hits(r, kind)} by {kind}")
        entries = r.get("aggressive-nsec-cache-entries")
        dump = r.rec("dump-cache", "-", "a").stdout
        check(len(re.findall(r"IN NSEC3? ", dump)) >= entries // 2, "dumped", dump)
        check("*.wild.nsec.example." in dump and "zone=nsec3.example." in dump, "dumped", dump)
        r.rec("wipe-cache", "nsec.example$")
        left = r.get("aggressive-nsec-cache-entries")
        check(0 < left < entries, f"{entries} before the wipe, {left} behind it")
        check("nsec.example." not in r.rec("dump-cache", "-", "a").stdout.replace(
            "nsec3.example.", ""), "nothing of the wiped")
        before = authority.asked()
        check_reply(r.ask("first.nsec.example", "A", "+dnssec"), "NXDOMAIN")
        check(authority.asked() > before, "asked anew")
        reply = r.rec("set-aggr-nsec-cache-size", "0").stdout
        check(reply == "New aggressive NSEC cache size: 0\n", reply)
        check(r.get("aggressive-nsec-cache-entries") == 0, "none is left")
        check_reply(r.ask("second.nsec3.example", "A", "+dnssec"), "NXDOMAIN")
        check(r.get("aggressive-nsec-cache-entries") == 0, "none is kept")


@test
def aggressive_gives_way_to_other_zones():
    """reload-zones forgets the proofs of a zone that is forwarded no longer, or from now on; others'
    stay, and of many zones at once all go."""
    forwards = write(os.path.join(env.new_dir("forwards"), "zones"), f"nsec.example={AUTHORITY}\n")

    def zones_of_proofs(r):
        return set(re.findall(r"zone=(\S+)", r.rec("dump-cache", "-", "a").stdout))

    def ask_all(r):
        for zone in ZONES:
            check_reply(r.ask("first." + zone, "A", "+dnssec"), "NXDOMAIN")
        check(zones_of_proofs(r) == {"nsec.example.", "nsec3.example."}, "kept", zones_of_proofs(r))

    with world(forward_zones_file=forwards) as (_, r):
        for text in "", f"nsec.example={AUTHORITY}\n":
            ask_all(r)
            write(forwards, text)
            r.rec("reload-zones")
            check(zones_of_proofs(r) == {"nsec3.example."}, "the one's alone", zones_of_proofs(r))
        ask_all(r)
        write(forwards, "".join(f"{i}.other.test={AUTHORITY}\n" for i in range(20)))
        r.rec("reload-zones")
        check(zones_of_proofs(r) == set(), "all", zones_of_proofs(r))
