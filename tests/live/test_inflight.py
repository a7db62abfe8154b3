"""Very many questions to silent servers at once: others are served, and each costs little.

2,000 of them as a part of `make live`, where what does not grow with them takes its part of the
measure; `make inflight` has 100,000, and says what each took.
"""

import os
import resource
import socket
import time

from live import TREE, Client, Skip, check, env, lab_and_recursor, test
from test_flood import random_name

SILENT = os.path.join(TREE, "tools/lab/hooks/silent.lua")
QUESTIONS = int(os.environ.get("INFLIGHT", "2000"))
FEW = QUESTIONS < 20000
EACH_MOST = (4 if FEW else 3) * 1024
NAMES_A_ZONE = 10
OTHERS = 200


def listen_only():
    """Sockets at which everything arrives and nothing is read."""
    found = []
    for n in range(500):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.bind((f"127.21.{n // 250}.{n % 250 + 1}", env.lab_port))
        found.append(s)
    return found


def rss(process):
    with open(f"/proc/{process.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) * 1024


def fill(recursor, clients, first, n):
    """Sends n questions, no faster than they are taken; returns when they are in flight."""
    for i in range(first, first + n):
        clients[i % len(clients)].send(f"q{i}.z{i // NAMES_A_ZONE}.example")
        if i % 500 == 0:
            end = time.monotonic() + 20
            while recursor.get("concurrent-queries") < i - 1500 and time.monotonic() < end:
                time.sleep(0.01)
    end = time.monotonic() + 20
    while recursor.get("concurrent-queries") < first + n and time.monotonic() < end:
        time.sleep(0.05)


def others_are_answered():
    other = Client("127.0.0.9")
    for _ in range(OTHERS):
        other.send(random_name("city.example"))
        other.read(0.005)
    other.wait(5)
    return other


@test
def inflight_silent():
    """So many questions to silent servers; nobody else is dropped; at most 3 KB each, 4 of few."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 700:
        raise Skip("needs 700 descriptors")
    with lab_and_recursor("--lua", SILENT, threads=1, max_mthreads=QUESTIONS + 5000,
                          max_goals=2 * QUESTIONS + 10000, network_timeout=20000,
                          max_total_msec=60000, max_inflight_per_server=0,
                          max_inflight_per_zone=0,
                          server_down_max_fails=0) as (_, r):
        sockets = listen_only()
        r.ask("www.city.example")
        clients = [Client(f"127.0.1.{i + 1}") for i in range(QUESTIONS // 20000 + 1)]
        # Tables and the first pages are there before anything is measured.
        warm = min(1000, QUESTIONS // 10)
        fill(r, clients, 0, warm)
        before = rss(r)
        began = time.monotonic()
        fill(r, clients, warm, QUESTIONS)
        after, seconds = rss(r), time.monotonic() - began
        inflight = r.get("concurrent-queries")
        other = others_are_answered()
        still = r.get("concurrent-queries")
        each = (after - before) / QUESTIONS
        print(f"    {inflight} in flight after {seconds:.1f} s, {still} when the others had been "
              f"asked: {each:.0f} bytes each; {other.good()} of {OTHERS} others answered, "
              f"{r.get('shared-socket-outqueries')} questions shared a socket, "
              f"worker held {r.get('control-visit-max-usec')} us", flush=True)
        check(inflight >= QUESTIONS, "all of them in flight", r.rec("get-all").stdout)
        check(other.good() == OTHERS, "the others are served", other.answers)
        check(r.get("over-capacity-drops") == 0 and r.get("resource-limits") == 0, "no drop")
        # A sanitizer keeps what is freed, and more beside each block.
        plain = os.path.basename(env.build) not in ("sanitize", "tsan")
        check(each <= EACH_MOST or not plain, f"{each:.0f} bytes each")
        for s in sockets:
            s.close()
