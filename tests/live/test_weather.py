"""Our own network goes and comes back: the authorities are in another namespace, behind a link."""

import contextlib
import os
import random
import re
import socket
import subprocess
import threading
import time

from live import (Process, Recursor, Skip, check, check_reply, env, need_program, nsd_server,
                  nsd_zones, run, test, wait_until, write)

NEAR, FAR = "10.200.0.1", "10.200.0.2"
NEAR6, FAR6 = "fd00:200::1", "fd00:200::2"
N_ZONES = 10
CUT_SECONDS = int(os.environ.get("LIVE_CUT_SECONDS", "4"))
QPS = 100


def root_address(i):
    return f"10.{1 + i}.0.1"


def zone_address(i):
    return f"10.{10 + i}.0.1"


class Link:
    """A namespace beyond a pair of interfaces; all is gone with its process."""

    def __init__(self):
        env.need_root()
        need_program("ip", "nsenter", "unshare", "nsd")
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        self.far("ip", "link", "set", "lo", "up", wait=True)
        self.near("link", "add", "near", "type", "veth", "peer", "name", "far", "netns",
                  str(self.holder.pid))
        self.near("address", "add", NEAR + "/24", "dev", "near")
        self.far("ip", "address", "add", FAR + "/24", "dev", "far")
        self.far("ip", "link", "set", "far", "up")
        self.far("sysctl", "-qw", "net.ipv4.ip_forward=1", expect=None)
        self.up()

    def near(self, *words):
        return run("ip", *words, expect=0)

    def far_command(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *words]

    def far(self, *words, wait=False, expect=0):
        if wait:  # for the new process to be in its namespace
            own = os.readlink("/proc/self/ns/net")
            wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own)
        return run(*self.far_command(*words), expect=expect)

    def up(self):
        self.near("link", "set", "near", "up")
        self.near("route", "replace", "default", "via", FAR)

    def down(self):
        self.near("link", "set", "near", "down")

    def swallow(self):
        """What the far side sends back gets nowhere."""
        self.far("ip", "route", "add", "blackhole", NEAR + "/32")

    def let_through(self):
        self.far("ip", "route", "del", "blackhole", NEAR + "/32")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()
        # The pair goes with the namespace, a moment later.
        subprocess.run(["ip", "link", "del", "near"], stderr=subprocess.DEVNULL, check=False)


class Authority(Process):
    """An nsd beyond the link."""

    def __init__(self, link, name, addresses, zones):
        d = env.new_dir(name)
        files = {zone: write(os.path.join(d, (zone.rstrip(".") or "root") + ".zone"), body)
                 for zone, body in zones.items()}
        conf = write(os.path.join(d, "nsd.conf"), nsd_server(d, *addresses) + nsd_zones(files))
        for address in addresses:
            length, options = ("/128", ["nodad"]) if ":" in address else ("/32", [])
            link.far("ip", "address", "add", address + length, "dev", "lo", *options)
        super().__init__(name, link.far_command("nsd", "-d", "-c", conf), d)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


SOA = "@ 3600 IN SOA ns hostmaster 1 3600 900 604800 60\n"


@contextlib.contextmanager
def world(more_delegations="", more_zones=None, **settings):
    """A root, ten zones in networks of their own, and a recursor on this side of the link."""
    root = ". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60\n"
    for i in range(3):
        root += f". 3600 IN NS r{i}.root.\nr{i}.root. 3600 IN A {root_address(i)}\n"
    zones = {}
    for i in range(N_ZONES):
        root += f"z{i}. 3600 IN NS ns.z{i}.\nns.z{i}. 3600 IN A {zone_address(i)}\n"
        zones[f"z{i}."] = SOA + f"""@ 3600 IN NS ns
ns 3600 IN A {zone_address(i)}
www 1 IN A 192.0.2.{i}
* 1 IN A 192.0.2.{100 + i}
"""
    root += more_delegations
    zones.update(more_zones or {})
    # A question for each attempt: a server that does not listen yet is left alone for it.
    first = (f"first{i}.z0" for i in range(1000))
    hints = write(os.path.join(env.new_dir("hints"), "root.hints"), "".join(
        f". 3600 IN NS r{i}.root.\nr{i}.root. 3600 IN A {root_address(i)}\n" for i in range(3)))
    with Link() as link, \
            Authority(link, "root", [root_address(i) for i in range(3)], {".": root}), \
            Authority(link, "zones", [zone_address(i) for i in range(N_ZONES)], zones), \
            Recursor(hint_file=hints, **settings) as r:
        wait_until(lambda: r.ask(next(first), wait=2).status == "NOERROR", 15, "the first answer")
        yield link, r


class Load(threading.Thread):
    """Clients that ask for new names, QPS a second; what became of each."""

    def __init__(self, r):
        super().__init__()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((r.address, env.port))
        self.socket.setblocking(False)
        self.asked = {}  # id: (when, name)
        self.results = []  # (when asked, name, rcode)
        self.twice = 0
        self.stopping = False
        self.serial = random.randrange(1000000)

    def ask(self, number):
        name = f"n{self.serial + number}.z{number % N_ZONES}"
        wire = (number % 65536).to_bytes(2, "big") + bytes.fromhex("01000001000000000000")
        for label in name.split("."):
            wire += bytes([len(label)]) + label.encode()
        self.asked[number % 65536] = (time.monotonic(), name)
        self.socket.send(wire + b"\0" + bytes.fromhex("00010001"))

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                wire = self.socket.recv(4096)
                question = self.asked.pop(int.from_bytes(wire[:2], "big"), None)
                if question is None:
                    self.twice += 1
                else:
                    self.results.append((*question, wire[3] & 15))

    def run(self):
        began = time.monotonic()
        number = 0
        while not self.stopping:
            while number < (time.monotonic() - began) * QPS:
                self.ask(number)
                number += 1
            self.read()
            time.sleep(0.005)
        until = time.monotonic() + 10
        while self.asked and time.monotonic() < until:
            self.read()
            time.sleep(0.01)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        self.socket.close()


def cut_and_return(link, r, cut, mend, gauge):
    """Cuts the link under load and mends it; what must be so of any cut."""
    for i in range(N_ZONES):
        check_reply(r.ask(f"www.z{i}"), kind="A", data=[f"192.0.2.{i}"])
    with Load(r) as load:
        time.sleep(2)
        cut()
        cut_at = time.monotonic()
        wait_until(lambda: r.get(gauge) >= 1, 10, f"{gauge} says so")
        noticed = time.monotonic() - cut_at
        sent, down_at = r.get("all-outqueries"), time.monotonic()
        for i in range(N_ZONES):
            began = time.monotonic()
            reply = check_reply(r.ask(f"www.z{i}", "A", "+edns"), kind="A",
                                data=[f"192.0.2.{i}"])
            check(reply.ede == 3, "it says that it is an old answer", reply)
            check(time.monotonic() - began < 2, "at once")
        reply = check_reply(r.ask("never-asked.z3", "A", "+edns"), "SERVFAIL")
        check(reply.ede == 23, "a network error", reply)
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - cut_at)))
        seconds = time.monotonic() - down_at
        sent = r.get("all-outqueries") - sent
        mend()
        back_at = time.monotonic()
        wait_until(lambda: r.get(gauge) == 0, 30, f"{gauge} is 0 again")
        time.sleep(4)
    lost = [x for x in load.results if x[2] != 0]
    check(not load.asked, f"{len(load.asked)} questions were not answered")
    check(load.twice == 0, f"{load.twice} answers that nobody waited for")
    check(lost, "some could not be resolved")
    check(min(x[0] for x in lost) > cut_at - 2, "not before the cut", lost[0])
    last = max(x[0] for x in lost) - back_at
    print(f"    noticed after {noticed:.2f} s; {sent / seconds:.1f} questions a second left of "
          f"{QPS}; the last that failed was asked {last:.2f} s after the return", flush=True)
    check(sent / seconds < 30, f"{sent} questions left within {seconds:.1f} s")
    check(last < 10, f"all is well only {last:.1f} s after the return")
    # The names that failed are not remembered as failing; nobody is throttled.
    for _, name, _ in random.sample(lost, min(20, len(lost))):
        check_reply(r.ask(name))
    check(r.rec("dump-throttlemap", "-").stdout.count("timeout") == 0, "nobody is throttled",
          r.rec("dump-throttlemap", "-").stdout)


STALE = {"serve_stale_extensions": 100, "packetcache_ttl": 1, "packetcache_servfail_ttl": 1}


@test
def network_link_goes_down():
    """The link goes down under load, routes and all, and comes back."""
    with world(**STALE) as (link, r):
        cut_and_return(link, r, link.down, link.up, "network-unrouted")
        check(re.search("IPv4: no route", r.log()), "told once", r.log())
        check(len(re.findall("IPv4: there is a route again", r.log())) == 1, "and of its end",
              r.log())


@test
def network_answers_vanish():
    """Answers get lost, all of them, in silence, for a while."""
    with world(**STALE) as (link, r):
        cut_and_return(link, r, link.swallow, link.let_through, "network-down")
        check(len(re.findall("our own network is down", r.log())) == 1, "told once", r.log())
        check(len(re.findall("our own network answers again", r.log())) == 1, "and of its end",
              r.log())
        check(r.get("network-down-events") == 1, "counted")
        check(r.get("network-down-msec") > 1000, "and measured")


@test
def network_without_ipv6():
    """Servers have IPv6 addresses, this host has no route there: it costs nothing."""
    env.need_ipv6()
    delegations, zones = "", {}
    for i in range(N_ZONES):
        delegations += f"six{i}. 3600 IN NS ns.z{i}.\n"
        zones[f"six{i}."] = SOA + f"@ 3600 IN NS ns.z{i}.\n* 1 IN A 192.0.2.{i}\n"
        for k in range(4):
            delegations += f"six{i}. 3600 IN NS n{k}.six{i}.\n" \
                f"n{k}.six{i}. 3600 IN AAAA fd00:{0x77 + i:x}::{k + 1:x}\n"
    with world(more_delegations=delegations, more_zones=zones,
               query_local_address="0.0.0.0, ::") as (_, r):
        timeouts = r.get("outgoing-timeouts")
        for i in range(40):
            check_reply(r.ask(f"a{i}.six{i % N_ZONES}"))
        check(r.get("network-unrouted") == 1, "it is known that there is no route")
        check(r.get("ipv6-outqueries") == 0, "nothing was sent that way")
        check(3 <= r.get("unrouted-outqueries") <= 20, "few were tried",
              r.get("unrouted-outqueries"))
        check(r.get("outgoing-timeouts") == timeouts, "nobody was waited for")
        check(r.get("max-qperq-reached") == 0, "no budget was spent")
        check(len(re.findall("IPv6: no route", r.log())) == 1, "told once", r.log())


@test
def network_says_unreachable():
    """A router says that one of a zone's servers cannot be reached: no time-out is waited for."""
    delegation = "".join(f"two. 3600 IN NS ns{i}.two.\n" for i in range(2)) + \
        f"ns0.two. 3600 IN A 10.66.0.1\nns1.two. 3600 IN A {zone_address(0)}\n"
    with world(more_delegations=delegation) as (link, r):
        if link.far("sysctl", "-n", "net.ipv4.ip_forward").stdout.strip() != "1":
            raise Skip("cannot forward")
        link.far("ip", "route", "add", "unreachable", "10.66.0.0/16")
        timeouts = r.get("outgoing-timeouts")
        # The other one refuses: it does not serve the zone.  Both are asked in the end.
        check_reply(r.ask("a.two"), "SERVFAIL")
        check(r.get("unreachables") >= 1, "the network has said so")
        check(r.get("outgoing-timeouts") == timeouts, "nobody was waited for")
