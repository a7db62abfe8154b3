"""Floods of random names below one domain, and how everybody else fares meanwhile."""

import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import world
from load import dnsperf, new_name
from process import Process, Trouble

LEGITIMATE = 500  # new names a second of everybody else
KNOWN = [f"w{i}.victim.bench" for i in range(10)]
PATIENCE = 2  # seconds, of who asks for these: a slow server takes 0.8
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
    """How many resolve, all asked for at once."""
    def ask(name):
        return bool(world.query("127.0.0.1", server.port, name, patience=PATIENCE))

    with ThreadPoolExecutor(len(KNOWN)) as askers:
        return sum(askers.map(ask, KNOWN))


def flood(server, directory, cores, options):
    """Bots and everybody else at once: what dnsperf has seen of each, and how many of the known
    names resolve in the midst of it."""
    def ask(who, rate, names):
        return dnsperf(server.port, write(directory, who, names), cores, "-n", "1", "-Q", str(rate),
                       "-q", "60000", "-c", "4", "-t", "2")

    def ask_known():
        time.sleep(options.seconds / 2)
        return known_names(server)

    with ThreadPoolExecutor(2) as beside:
        bots = beside.submit(ask, "bots", options.flood, [
            f"{random.getrandbits(48):x}.victim.bench"
            for _ in range(options.flood * options.seconds)])
        known = beside.submit(ask_known)
        others = ask("others", LEGITIMATE,
                     [new_name() for _ in range(LEGITIMATE * options.seconds)])
        return bots.result(), others, known.result()


def wait_until(is_done, trouble):
    end = time.monotonic() + 5
    while not is_done():
        if time.monotonic() > end:
            raise Trouble(trouble)


def measure_attack(server, attack, directory, bench):
    """A server that answers, under attack; as a dict."""
    cores, options = bench.cores, bench.options
    log = os.path.join(directory, "victim.log")
    victim = Process([sys.executable, VICTIM, world.VICTIM, str(bench.world.port), attack.mode,
                      str(attack.value)], cores.world, log)
    try:
        # Asked before it listens, it would be unreachable, and not be asked again for a minute.
        wait_until(lambda: world.query(world.VICTIM, bench.world.port, KNOWN[0]),
                   "the victim's server does not answer")
        for i in range(world.ZONES):
            world.query("127.0.0.1", server.port, f"w1.z{i}.bench")
        wait_until(lambda: known_names(server) == len(KNOWN),
                   f"{server.name} does not resolve the victim's names")
        time.sleep(1.5)  # their TTL
        victim.child.send_signal(signal.SIGUSR1)
        memory, cpu = server.resident_bytes(), server.cpu_seconds()
        bots, others, known = flood(server, directory, cores.client, options)
        cpu = server.cpu_seconds() - cpu
        memory = server.resident_bytes() - memory
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
