"""Zones that are configured: forwards to real resolvers and authorities, zones of our own, the
hosts file, and reload-zones."""

import contextlib
import os
import re
import signal
import subprocess
import time

from live import (Process, Recursor, ask, check, check_reply, env, lab_and_recursor, need_program,
                  root_hints, test, wait_until, write)
from test_authorities import ROOT, TLD, V6, ZONE, ZONE2, check_all, knot, nsd, pdns
from test_runtime import load, write_conf

RESOLVER, PDNS_RESOLVER = "127.30.0.20", "127.30.0.21"


def hints():
    return root_hints(env.new_dir("hints"), ROOT)


class Resolver(Process):
    def __init__(self, name, command, directory, address):
        super().__init__(name, command, directory)
        wait_until(lambda: not self.is_alive() or
                   ask("tree", "SOA", server=address, wait=1).status == "NOERROR", 15, name)
        check(self.is_alive(), f"{name} does not start", self.log())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def unbound():
    """A real resolver, for the tree."""
    need_program("unbound")
    d = env.new_dir("unbound")
    conf = write(os.path.join(d, "unbound.conf"), f"""server:
  interface: {RESOLVER}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  root-hints: "{hints()}"
  directory: "{d}"
  chroot: ""
  username: ""
  pidfile: "{d}/pid"
  use-syslog: no
  module-config: "iterator"
  num-threads: 1
  so-rcvbuf: 0
remote-control:
  control-enable: no
""")
    return Resolver("unbound", ["unbound", "-d", "-c", conf], d, RESOLVER)


def pdns_recursor():
    need_program("pdns_recursor")
    d = env.new_dir("pdns_recursor")
    write(os.path.join(d, "recursor.conf"), f"""local-address={PDNS_RESOLVER}
local-port=53
socket-dir={d}
hint-file={hints()}
dont-query=
daemon=no
disable-syslog=yes
dnssec=off
security-poll-suffix=
write-pid=no
query-local-address=0.0.0.0, ::
""")
    return Resolver("pdns_recursor", ["pdns_recursor", "--config-dir=" + d], d, PDNS_RESOLVER)


@contextlib.contextmanager
def authorities():
    env.need_isolation()
    env.need_ipv6()
    with nsd(ROOT, "root"), knot(TLD, "tree"), pdns(ZONE, "oak", "pine"), \
            knot(ZONE2, "oak", "sub"), nsd(V6, "six"):
        yield


def asked_by(r, name, kind="A"):
    """The servers that an explain of the name asked."""
    return set(re.findall(r"asks ([0-9a-f.:]+)", r.rec("explain", name, kind).stdout))


@test
def zones_forward_to_unbound():
    """Everything is forwarded to a real resolver; no hints, no root of ours."""
    with authorities(), unbound(), \
            Recursor(hint_file="no", forward_zones_recurse=f".={RESOLVER}") as r:
        check_all(r)
        check_all(r)
        reply = check_reply(r.ask("big.oak.tree", "TXT"))
        check(len(reply.data("TXT")) == 20, "all of a large answer", reply)
        check(asked_by(r, "new.wild.oak.tree") == {RESOLVER}, "only the forwarder is asked")
        check("aa" not in r.ask("www.oak.tree").flags, "no authority")


@test
def zones_forward_to_pdns_recursor():
    """The same with the resolver of PowerDNS, which minimises nothing that is asked of it."""
    with authorities(), pdns_recursor(), \
            Recursor(hint_file="no", forward_zones_recurse=f".={PDNS_RESOLVER}:53") as r:
        check_all(r)
        check(asked_by(r, "new.wild.oak.tree") == {PDNS_RESOLVER}, "only the forwarder is asked")


@test
def zones_forward_to_authorities():
    """Zones of NSD and Knot with RD=0: their delegations are followed, the root is not asked."""
    with authorities(), \
            Recursor(hint_file=hints(), forward_zones=f"oak.tree={ZONE2};{ZONE}, six.tree=[{V6}]:53",
                     query_local_address="0.0.0.0, ::") as r:
        check_all(r)
        check(asked_by(r, "other.wild.oak.tree") <= {ZONE, ZONE2}, "the forwarders")
        check(V6 in asked_by(r, "other.six.tree"), "over IPv6")
        check(ROOT not in asked_by(r, "no.sub.oak.tree"), "nobody above")


@test
def zones_forwarders_die():
    """One of two forwarders dies, then both: SERVFAIL with an extended error, never the Internet."""
    with authorities(), unbound() as one, pdns_recursor() as other, \
            Recursor(hint_file=hints(), network_timeout=300, forward_zones_recurse=
                     f"oak.tree={RESOLVER};{PDNS_RESOLVER}") as r:
        check_reply(r.ask("www.oak.tree"))
        one.end()
        for i in range(6):
            check_reply(r.ask(f"n{i}.wild.oak.tree"), kind="A", data=["192.0.2.77"])
        other.end()
        reply = check_reply(r.ask("m.wild.oak.tree", "A", "+edns"), "SERVFAIL")
        check(reply.ede == 22, "No Reachable Authority", reply)
        check_reply(r.ask("nope.tree"), "NXDOMAIN")  # the rest of the Internet is there


OWN = """$TTL 600
@ IN SOA ns hostmaster 1 3600 900 604800 60
@ IN NS ns
ns A 127.0.0.1
www A 192.0.2.11
alias CNAME www
out CNAME www.city.example.
*.wild A 192.0.2.12
dn DNAME city.example.
$GENERATE 1-3 host-$ A 192.0.2.$
"""


@test
def zones_of_our_own():
    """auth-zones: answers with AA and the zone's TTL, out of the zone and beyond; nobody is asked."""
    directory = env.new_dir("zones")
    zone = write(os.path.join(directory, "own"), OWN + f"$INCLUDE {directory}/more\n")
    write(os.path.join(directory, "more"), "included A 192.0.2.13\n")
    with lab_and_recursor(auth_zones=f"own.example={zone}") as (lab, r):
        lab.reset()
        for name, data in (("www", "192.0.2.11"), ("alias", "192.0.2.11"), ("x.wild", "192.0.2.12"),
                           ("host-3", "192.0.2.3"), ("included", "192.0.2.13")):
            for _ in range(3):  # the last of them out of the packet cache
                reply = check_reply(r.ask(name + ".own.example"), kind="A", data=[data])
                check("aa" in reply.flags, "AA", reply)
        reply = check_reply(r.ask("no.own.example"), "NXDOMAIN")
        check("aa" in reply.flags and reply.authority[0][1] <= 60, "the negative TTL", reply)
        check(r.get("auth-zone-queries") >= 6, "they are counted")
        check(lab.asked() == 0 or r.get("root-primings") > 0, "nobody was asked")
        for name in "out.own.example", "www.dn.own.example":
            reply = check_reply(r.ask(name))
            check("aa" in reply.flags and reply.data("A"), "goes on outside", reply)
        check("answered from a zone of ours" in r.rec("explain", "www.own.example").stdout, "told")


@test
def zones_delegate():
    """A zone of our own delegates to real authorities, glue and all."""
    directory = env.new_dir("zones")
    zone = write(os.path.join(directory, "tree"),
                 f"@ 60 SOA ns h 1 2 3 4 5\noak NS ns1.oak\nns1.oak A {ZONE}\nwww A 192.0.2.99\n")
    with authorities(), Recursor(hint_file=hints(), auth_zones=f"tree={zone}") as r:
        check_reply(r.ask("www.tree"), kind="A", data=["192.0.2.99"])
        check_reply(r.ask("www.oak.tree"), kind="A", data=["192.0.2.1"])
        check_reply(r.ask("www.sub.oak.tree"), kind="A", data=["192.0.2.3"])
        check_reply(r.ask("www.pine.tree"), "NXDOMAIN")
        check(asked_by(r, "new.wild.oak.tree") <= {ZONE, ZONE2}, "not the real ones above")


@test
def zones_hosts():
    """export-etc-hosts: names, addresses, the suffix; a changed file holds after reload-zones."""
    hosts = write(os.path.join(env.new_dir("hosts"), "hosts"),
                  "192.0.2.21 pc printer.lan # two\nbad line\n2001:db8::21 pc\n")
    with lab_and_recursor(export_etc_hosts="yes", etc_hosts_file=hosts,
                          export_etc_hosts_search_suffix="home.example") as (_, r):
        check("bad" in r.log() and ":2: 'bad' is no address" in r.log(), "a warning", r.log())
        check_reply(r.ask("pc.home.example"), kind="A", data=["192.0.2.21"])
        check_reply(r.ask("pc.home.example", "AAAA"), kind="AAAA", data=["2001:db8::21"])
        check_reply(r.ask("printer.lan"), kind="A", data=["192.0.2.21"])
        check_reply(r.ask("21.2.0.192.in-addr.arpa", "PTR"), kind="PTR", data=["pc.home.example."])
        write(hosts, "192.0.2.22 pc\n")
        check_reply(r.ask("pc.home.example"), kind="A", data=["192.0.2.21"])
        check(r.rec("reload-zones").stdout == "ok\n", "ok")
        check_reply(r.ask("pc.home.example"), kind="A", data=["192.0.2.22"])
        check_reply(r.ask("printer.lan"), "NXDOMAIN")


@test
def zones_wrong_at_the_start():
    """What is wrong is refused with one line that says where."""
    directory = env.new_dir("wrong")
    forwards = write(os.path.join(directory, "forwards"), "# one\na=192.0.2.1\nb=here\n")
    zone = write(os.path.join(directory, "zone"), "@ SOA ns h 1 2 3 4 5\na CNAME b\na A 192.0.2.1\n")
    for settings, line in (
            ({"forward_zones": "a=192.0.2.1;x"}, r"recursor.conf:\d+: forward-zones=a=192.0.2.1;x: "
                                                 "'x' is no address of a server"),
            ({"forward_zones_file": forwards}, "forward-zones-file=.*/forwards: line 3: 'here' is "
                                               "no address of a server"),
            ({"auth_zones": "a=" + zone}, "auth-zones: .*/zone:3: other data beside a CNAME"),
            ({"hint_file": "no"}, "hint-file=no: needs a forward or a zone of our own for '.'")):
        r = Recursor(ready=False, **settings)
        check(r.process.wait(10) == 1, "it does not start", r.log())
        check(re.search(line, r.log()), line, r.log())


@test
def zones_reload_under_load():
    """reload-zones in a loop with good and bad files while questions come: what the files say holds
    at once, cached or not; a bad one changes nothing; every question is answered."""
    directory = env.new_dir("zones")
    forwards = os.path.join(directory, "forwards")
    zone = os.path.join(directory, "zone")

    def write_files(n, bad=False):
        many = "".join(f"z{i}.example=192.0.2.1\n" for i in range(2000))
        write(forwards, many + (f"+net.example=127.30.0.{n}\n" if n % 2 else ""))
        write(zone, f"@ 60 SOA ns h {n} 2 3 4 5\nwww 60 A 192.0.2.{n}\n" +
              ("www CNAME x\n" if bad else ""))

    write_files(0)
    with lab_and_recursor(forward_zones_file=forwards, auth_zones=f"own.example={zone}") as (_, r), \
            load(lambda n: f"n{n % 500}.city.example") as counts:
        for n in range(1, 25):
            bad = n % 4 == 3
            write_files(n, bad)
            if bad:
                refused = r.rec("reload-zones", expect=1).stderr
                check(refused.startswith("reloading failed, see log\n") and
                      "a CNAME record beside other data" in refused, "why", refused)
                check_reply(r.ask("www.own.example"), kind="A", data=[f"192.0.2.{n - 1}"])
                continue
            check(r.rec("reload-zones").stdout == "ok\n", "ok")
            check_reply(r.ask("www.own.example"), kind="A", data=[f"192.0.2.{n}"])
            check_reply(r.ask("www.own.example"), kind="A", data=[f"192.0.2.{n}"])
        write_conf(r, auth_zones="")
        r.rec("reload-zones")
        check_reply(r.ask("www.own.example"), "NXDOMAIN")
        check(r.rec("get-parameter", "auth-zones").stdout == "auth-zones=\n", "as the file says")
        wait_until(lambda: counts["answered"] > 300, what="the load")
    check(counts["asked"] == counts["answered"], "every question is answered", counts)


@test
def zones_reload_moves_a_zone():
    """A zone goes from the Internet to a forwarder and back: neither's records outlive the change."""
    with lab_and_recursor() as (_, r):
        def moved():
            return r.ask("www.city.example").data("A")

        there = moved()
        alias = r.ask("shop.city.example").answer
        zone = write(os.path.join(r.directory, "zone"), "@ SOA ns h 1 2 3 4 5\nwww A 192.0.2.200\n")
        write_conf(r, auth_zones=f"city.example={zone}")
        r.rec("reload-zones")
        check(moved() == ["192.0.2.200"], "ours")
        check_reply(r.ask("shop.city.example"), "NXDOMAIN")
        write_conf(r)
        r.rec("reload-zones")
        check(moved() == there, "theirs again")
        check(r.ask("shop.city.example").answer != [] or alias == [], "all of it")


@test
def zones_many_forwards():
    """100,000 forwards: loaded and reloaded in a moment."""
    forwards = os.path.join(env.new_dir("zones"), "forwards")
    write(forwards, "".join(f"z{i}.example=192.0.2.1, 192.0.2.2\n" for i in range(100000)))
    with lab_and_recursor(forward_zones_file=forwards) as (_, r):
        check("100000 forwards" in r.log(), "all of them", r.log())
        check_reply(r.ask("www.city.example"))
        r.rec("reload-zones", timeout=60)
        write(forwards, "z1.example=192.0.2.1\n")
        r.rec("reload-zones", timeout=60)
        held_us = r.get("control-visit-max-usec")
        slow = os.path.basename(env.build) in ("sanitize", "tsan")
        check(slow or held_us < 1000, "no worker was held for a millisecond", held_us)


@test
def zones_without_end():
    """A $GENERATE that would be read for hours holds up no other command, nor the daemon's end: while
    it runs, and while it starts."""
    directory = env.new_dir("zones")
    zone = write(os.path.join(directory, "zone"), "@ 60 SOA ns h 1 2 3 4 5\n")
    endless = "$GENERATE 0-2147483647 h$ 60 A 192.0.2.1\n"
    with lab_and_recursor(auth_zones=f"own.example={zone}") as (_, r):
        write(zone, endless)
        reload = subprocess.Popen(r.rec_command("reload-zones"), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        time.sleep(0.5)
        r.rec("set-minimum-ttl", "7")
        check("7" in r.rec("get-parameter", "minimum-ttl-override").stdout, "it holds")
        check_reply(r.ask("own.example", "SOA"), kind="SOA")
        check(reload.poll() is None, "it reads on", reload)
        r.process.send_signal(signal.SIGTERM)
        check(r.process.wait(20) == 0, "the daemon ends", r.log())
        said = reload.communicate(timeout=20)[0]
        check("broken off" in said and reload.returncode == 1, "the operator is told", said)
        check("broken off" in r.log(), "and the log", r.log())
    r = Recursor(ready=False, hint_file=hints(), auth_zones=f"own.example={zone}")
    time.sleep(0.5)
    check(r.is_alive(), "it reads", r.log())
    r.process.send_signal(signal.SIGTERM)
    check(r.process.wait(20) == 1 and "broken off" in r.log(), "it does not start", r.log())
