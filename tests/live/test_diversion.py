"""A zone under a flood of random names moves it elsewhere, by an NS set with a short TTL in each of
its servers' answers, and has it back when they give no such answers any more."""

import contextlib
import os
import random
import subprocess
import time

from live import (TREE, Lab, Recursor, ask, check, env, need_program, root_hints, run, test,
                  torture, write)
from test_authorities import ROOT, TLD, ZONE, knot, nsd, pdns

DIVERT = os.path.join(TREE, "tools/lab/hooks/divert.lua")
OFFLOAD = "127.30.0.7"

PREQUERY = """
local zone, signal = "pine.tree", "%s"

local function is_within(name)
	name = "." .. name:lower():gsub("%%.$", "")
	return name:sub(-#zone - 1) == "." .. zone
end

function prequery(packet)
	local qname = packet:getQuestion()
	local f = io.open(signal)
	local ttl = f and f:read("n")
	if f then
		f:close()
	end
	if not ttl or not is_within(tostring(qname)) then
		return false
	end
	packet:setRcode(3)
	packet:addRecords({
		newDR(newDN(zone), "NS", ttl, "off." .. zone, 2),
		newDR(newDN("off." .. zone), "A", ttl, "%s", 3),
	})
	return true
end
"""


@contextlib.contextmanager
def flood(zone, seconds, rate):
    """Random names of the zone, each asked once, at that rate."""
    need_program("dnsperf")
    path = write(os.path.join(env.new_dir("flood"), "names"), "".join(
        f"{random.getrandbits(48):012x}.{zone} A\n" for _ in range(seconds * rate)))
    with subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", path,
                           "-Q", str(rate), "-l", str(seconds), "-c", "4", "-q", "20"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        try:
            yield
        finally:
            process.kill()


class LabZone:
    """fault.example of the lab."""
    zone = "fault.example"

    def __init__(self, lab):
        self.lab = lab

    def divert(self, ttl):
        ask(f"divert-on-{ttl}.{self.zone}", server="127.20.6.1", port=env.lab_port)

    def stop(self):
        ask(f"divert-off.{self.zone}", server="127.20.6.1", port=env.lab_port)

    def counts(self):
        """Questions so far: the zone's own servers, and the others."""
        return tuple(sum(self.lab.asked(f"127.20.{n}.{i}") for i in (1, 2)) for n in (6, 7))


class PowerDnsZone:
    """pine.tree of pdns_server, with a lua-prequery-script."""
    zone = "pine.tree"

    def __init__(self, own, other, signal):
        self.servers, self.signal = (own, other), signal

    def divert(self, ttl):
        write(self.signal, str(ttl))

    def stop(self):
        os.unlink(self.signal)

    def counts(self):
        return tuple(int(run("pdns_control", "--config-dir=" + s.dir, "show", "udp-queries",
                             expect=0).stdout) for s in self.servers)


@contextlib.contextmanager
def lab_zone():
    with Lab("--lua", DIVERT) as lab, Recursor(lab):
        yield LabZone(lab)


@contextlib.contextmanager
def powerdns_zone():
    env.need_isolation()
    directory = env.new_dir("prequery")
    signal = os.path.join(directory, "ttl")
    script = write(os.path.join(directory, "divert.lua"), PREQUERY % (signal, OFFLOAD))
    hints = root_hints(directory, ROOT)
    with nsd(ROOT, "root"), knot(TLD, "tree"), \
            pdns(ZONE, "oak", "pine", extra=f"lua-prequery-script={script}\n") as own, \
            pdns(OFFLOAD, "pine") as other, Recursor(hint_file=hints):
        yield PowerDnsZone(own, other, signal)


def share_elsewhere(target, seconds):
    """What part of the questions of that time the zone's own servers do not get."""
    before = target.counts()
    time.sleep(seconds)
    own, other = (now - then for now, then in zip(target.counts(), before))
    check(own + other > 0, "there is a flood")
    return other / (own + other), own, other


# A question goes home when the NS set has ended, with those that are under way then: on a machine
# that stood still, many.  So a short while may be looked at again; who never moves never passes.
LOOKS = 5


def expect_share(target, seconds, looks, is_right, what):
    for _ in range(looks):
        share, own, other = share_elsewhere(target, seconds)
        print(f"    {own} questions at home, {other} elsewhere: {share:.4%}")
        if is_right(share):
            return
    check(False, what, share, own, other)


def diversion(target, ttl, rate, seconds, looks=1):
    slow = os.path.basename(env.build) in ("sanitize", "tsan")
    most_at_home = 0.05 if slow else 0.001
    with flood(target.zone, 3 * ttl + (looks + 1) * (seconds + 1) + 20, rate):
        time.sleep(1)
        share, *what = share_elsewhere(target, 1)
        check(share == 0, "at first all of it is at home", share, what)
        target.divert(ttl)
        time.sleep(ttl)
        expect_share(target, seconds, looks, lambda share: 1 - share <= most_at_home,
                     "a TTL later it is elsewhere")
        target.stop()
        time.sleep(ttl + 1)
        expect_share(target, 1, looks, lambda share: share <= most_at_home,
                     "and a TTL later at home again")


@test
def diversion_lab():
    """Of 2,000 questions of a flood 99.9 % follow a zone's new NS set, and come back (the lab's hook)."""
    with lab_zone() as target:
        diversion(target, ttl=2, rate=1000, seconds=2, looks=LOOKS)


@test
def diversion_powerdns():
    """The same with pdns_server and its lua-prequery-script."""
    with powerdns_zone() as target:
        diversion(target, ttl=2, rate=1000, seconds=2, looks=LOOKS)


@torture
def torture_diversion():
    """More than 99.9 % of a flood moves with a TTL of 30 s, and comes back."""
    for zone in lab_zone, powerdns_zone:
        with zone() as target:
            diversion(target, ttl=30, rate=2000, seconds=65)
