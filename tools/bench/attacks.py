#!/usr/bin/env python3
"""Measures what hostile signed zones (hostile.py) cost a validating resolver, and everybody else.

Each server in turn, on one core and with one worker, is asked a few harmless questions: for signed
names that it has in its cache, and for signed names that are new. Then an attacker asks for names of
a hostile zone besides, RATE a second. What counts is the latency of the harmless ones, with and
without that, and how much of its core the server uses. Compare figures of one run only.
"""

import json
import math
import random
import select
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import start  # noqa: E402
from hostile import HOSTILE, HostileWorld, question  # noqa: E402
from process import Trouble  # noqa: E402
from servers import SERVERS, Server, Setup, version  # noqa: E402
from signed import ZONES, check_validation  # noqa: E402
from start import PORT, Cores, say  # noqa: E402
from world import TYPE_A, query, query_packet  # noqa: E402

PROBES = 100  # harmless questions a second, half of them for new names
PATIENCE = 2  # seconds
SERVFAIL = 2
USUAL = ["unbound", "pdns_recursor", "recursor"]


def options_read():
    parser = start.options(
        __doc__, "attacks:\n" + "".join(f"  {name:<12}{h.about}\n" for name, h in HOSTILE.items()),
        [name for name in SERVERS if name != "floor"], f"those of {', '.join(USUAL)}",
        "with the attack, and as long without")
    parser.add_argument("--attacks", type=start.words(list(HOSTILE)), default=list(HOSTILE),
                        metavar="LIST")
    parser.add_argument("--rate", type=start.count, default=100,
                        help="the attacker's questions a second; 100")
    return parser.parse_args()


class Asker:
    """A socket with questions on their way."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.waiting = {}  # id: when it was asked, and what it is

    def ask(self, name, rrtype, what):
        packet = query_packet(name, rrtype)
        self.waiting[packet[:2]] = (time.perf_counter(), what)
        self.socket.send(packet)

    def answers(self):
        """Those that are there: what it is, its latency in ms, its rcode."""
        while True:
            try:
                packet = self.socket.recv(65535)
            except BlockingIOError:
                return
            now = time.perf_counter()
            if len(packet) >= 12 and packet[:2] in self.waiting:
                asked, what = self.waiting.pop(packet[:2])
                yield what, (now - asked) * 1e3, packet[3] & 15


class Round:
    """Harmless questions for some seconds, and perhaps the attacker's."""

    def __init__(self, server, names, kind=None, rate=0):
        self.server, self.cpu = server, 0
        self.harmless, self.attacker = Asker(server.port), Asker(server.port)
        self.names, self.kind, self.rate = names, kind, rate
        self.seen = {"known": [], "new": []}  # latencies
        self.asked, self.failed = {"known": 0, "new": 0}, {"known": 0, "new": 0}
        self.attacks, self.refused = 0, 0

    def take(self):
        """What comes within a moment."""
        select.select([self.harmless.socket, self.attacker.socket], [], [], 0.0005)
        for what, ms, rcode in self.harmless.answers():
            if rcode == 0:
                self.seen[what].append(ms)
        for _, _, rcode in self.attacker.answers():
            self.refused += rcode == SERVFAIL

    def ask_harmless(self, number):
        what = "new" if number % 2 else "known"
        name = self.names.pop() if number % 2 else f"w1.z{random.randrange(ZONES)}.signed"
        self.asked[what] += 1
        self.harmless.ask(name, TYPE_A, what)

    def run(self, seconds):
        """Asks; then late answers are waited for, which the CPU time leaves out."""
        began = time.perf_counter()
        cpu, probes, attack_at = self.server.cpu_seconds(), 0, began
        while (now := time.perf_counter()) < began + seconds:
            if now - began >= probes / PROBES:
                self.ask_harmless(probes)
                probes += 1
            elif self.kind and attack_at <= now:
                self.attacker.ask(*question(self.kind, self.attacks), "attack")
                self.attacks += 1
                attack_at += random.expovariate(self.rate)  # in step with nobody
            else:
                self.take()
        self.cpu = (self.server.cpu_seconds() - cpu) / (now - began)
        end = now + PATIENCE
        while (self.harmless.waiting or self.attacker.waiting) and time.perf_counter() < end:
            self.take()
        self.harmless.socket.close()
        self.attacker.socket.close()

    def result(self):
        found = {"cpu": self.cpu}
        for what, seen in self.seen.items():
            seen.sort()
            found[what] = {"answered": len(seen) / self.asked[what],
                           **{f"p{q}": percentile(seen, q) for q in (50, 99, 100)}}
        found["refused"] = self.refused / self.attacks if self.attacks else 0
        return found


def percentile(ordered, q):
    return ordered[max(0, math.ceil(len(ordered) * q / 100) - 1)] if ordered else math.inf


def measure(server, world, options, kind):
    """Without the attack, and with it."""
    names = world.questions()
    for z in range(ZONES):  # twice: what was asked once need not be in a packet cache
        for _ in range(2):
            query("127.0.0.1", server.port, f"w1.z{z}.signed")
    results = []
    for attack in (None, kind):
        turn = Round(server, names, attack, options.rate)
        turn.run(options.seconds)
        if server.has_ended():
            raise Trouble(f"{server.name} ended\n{server.last_words()}")
        results.append(turn.result())
    return {"attack": kind, "server": server.name, "without": results[0], "with": results[1]}


def measure_all(options, servers, world, cores, directory):
    rows, complete = [], True
    for kind in options.attacks:
        for name in servers:
            say(f"{kind}, {name}")
            own = tempfile.mkdtemp(prefix=f"{name}-", dir=directory)
            server = Server(name, Setup(own, PORT, world, 1, options.build), [],
                            cores.server)
            try:
                server.wait("w1.z1.signed")
                check_validation(server)
                rows.append(measure(server, world, options, kind))
            except Trouble as trouble:
                say(f"not measured: {kind}, {name}: {trouble}")
                complete = False
            finally:
                server.end()
    return rows, complete


def cells(row):
    yield "{:.0f} / {:.0f}".format(row["without"]["cpu"] * 100, row["with"]["cpu"] * 100)
    for kind in ("known", "new"):
        for q in ("p50", "p99", "p100"):
            yield "{:.1f} / {:.1f}".format(row["without"][kind][q], row["with"][kind][q])
        yield "{:.3f}".format(row["with"][kind]["answered"])
    yield "{:.2f}".format(row["with"]["refused"])


def print_table(rows):
    table = [["attack", "server", "CPU %", "known p50", "p99", "max ms", "answered", "new p50",
              "p99", "max ms", "answered", "SERVFAIL"]]
    table += [[row["attack"], row["server"], *cells(row)] for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print("  ".join(text.ljust(width) if i < 2 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(line, widths))))
    print("""
CPU %     of its core that the server uses; in each pair first without, then with the attack
known     latency of harmless names that are in the cache; new: of those that are not; all signed
SERVFAIL  the attacker's share of it""")


def print_markdown(rows):
    """README's table: CPU, and the 99th percentiles, each with the attack."""
    found = {(row["attack"], row["server"]): row["with"] for row in rows}
    servers = list(dict.fromkeys(server for _, server in found))
    print("| | " + " | ".join(servers) + " |")
    print("| --- " * (len(servers) + 1) + "|")
    for attack in dict.fromkeys(attack for attack, _ in found):
        print(f"| {attack} | " + " | ".join(brief(found.get((attack, server)))
                                            for server in servers) + " |")


def brief(result):
    if not result:
        return ""
    return "{:.0f} %, {:.1f}, {:.1f} ms".format(result["cpu"] * 100, result["known"]["p99"],
                                               result["new"]["p99"])


def attack(options, isolated):
    if not isolated:
        say("this takes a network namespace: root, or user namespaces")
        return start.EXIT_FAILED
    cores = Cores()
    servers, complete = start.servers_choose(options.servers, USUAL, isolated)
    with start.own_directory() as directory:
        world = HostileWorld(directory, 53, cores.world, 1, options.attacks)
        say("signing zones")
        world.start()
        rows, measured = measure_all(options, servers, world, cores, directory)
    about = {name: version(name) or "ours" for name in servers}
    about |= {"rate": options.rate, "seconds": options.seconds, "cores": str(cores)}
    if options.json:
        json.dump({**about, "results": rows}, sys.stdout, indent=2)
        print()
    elif options.markdown:
        print_markdown(rows)
    else:
        print(", ".join(f"{key} {value}" for key, value in about.items()) + "\n")
        print_table(rows)
    return start.EXIT_DONE if complete and measured else start.EXIT_FAILED


if __name__ == "__main__":
    sys.exit(start.start(options_read(), attack))
