"""Floods of random names below one domain, and how everybody else fares meanwhile."""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass

import world
from load import dnsperf, new_name
from process import Process, Trouble

LEGITIMATE = 500  # new names a second of everybody else
KNOWN = [f"w{i}.victim.bench" for i in range(10)]
VICTIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "victim.py")


@dataclass(frozen=True)
class Attack:
    about: str
    mode: str
    value: int


ATTACKS = {
    "attack-silent": Attack("a flood of names of a domain whose server says nothing", "silent", 0),
    "attack-limited": Attack("... whose server answers 500 questions a second", "limited", 500),
    "attack-slow": Attack("... whose server answers after 0.8 seconds", "slow", 800),
}
SETTINGS = {"defender": "act"}  # ours


def write(directory, name, names):
    path = os.path.join(directory, name)
    with open(path, "w") as f:
        f.writelines(f"{n} A\n" for n in names)
    return path


def known_names(server):
    return sum(bool(world.query("127.0.0.1", server.port, name)) for name in KNOWN)


def flood(server, directory, cores, options):
    """Bots and everybody else at once; what dnsperf has seen of each."""
    seen = {}

    def ask(who, rate, names):
        seen[who] = dnsperf(server.port, write(directory, who, names), cores, "-n", "1", "-Q",
                            str(rate), "-q", "60000", "-c", "4", "-t", "2")

    bots = threading.Thread(target=ask, args=(
        "bots", options.flood, [f"{random.getrandbits(48):x}.victim.bench"
                                for _ in range(options.flood * options.seconds)]))
    bots.start()
    ask("others", LEGITIMATE, [new_name() for _ in range(LEGITIMATE * options.seconds)])
    bots.join()
    if "bots" not in seen:
        raise Trouble("the flood did not run")
    return seen["bots"], seen["others"]


def measure_attack(server, attack, directory, bench):
    """A server that answers, under attack; as a dict."""
    cores, options = bench.cores, bench.options
    log = os.path.join(directory, "victim.log")
    victim = Process([sys.executable, VICTIM, world.VICTIM, str(bench.world.port), attack.mode,
                      str(attack.value)], cores.world, log)
    try:
        for i in range(world.ZONES):
            world.query("127.0.0.1", server.port, f"w1.z{i}.bench")
        end = time.monotonic() + 5
        while known_names(server) < len(KNOWN):
            if time.monotonic() > end:
                raise Trouble(f"{server.name} does not resolve the victim's names")
        time.sleep(1.5)  # their TTL
        victim.child.send_signal(signal.SIGUSR1)
        memory, cpu = server.resident_bytes(), server.cpu_seconds()
        bots, others = flood(server, directory, cores.client, options)
        cpu = server.cpu_seconds() - cpu
        memory = server.resident_bytes() - memory
        known = known_names(server)
    finally:
        victim.end()
    return {
        "cpu_us": cpu / (bots.sent + others.sent) * 1e6,
        "others_answered": others.good / others.sent,
        "latency_ms": others.latency_ms,
        "known": known,
        "to_victim": int(victim.last_words()) / bots.sent,
        "growth_mb": memory / 1e6,
    }
