"""Floods of names that do not exist: who is attacked, who answers badly, takes nobody else's place.

The daemon has room for 200 queries; each flood alone would fill that several times over.
"""

import random
import time

from live import (Client, check, check_reply, env, lab_and_recursor, question, test,
                  udp_socket)

ATTACKED = "127.20.6.1", "127.20.6.2"
TURN_S = 0.01


def random_name(zone):
    return f"{random.getrandbits(48):x}.{zone}"


def flood(seconds, flooder, flooded, others, per_turn=12):
    """So many random names of a zone each turn, and one of another."""
    until = time.monotonic() + seconds
    due = time.monotonic()
    while time.monotonic() < until:
        for _ in range(per_turn):
            flooder.send(random_name(flooded))
        others.send(random_name("city.example"))
        flooder.read()
        others.read()
        due = max(due + TURN_S, time.monotonic() - TURN_S)
        time.sleep(max(0, due - time.monotonic()))


def others_are_served(*fault, known=0):
    """All of the others' new names are resolved while a zone with this fault is flooded; and of
    ten of its real names so many."""
    with lab_and_recursor(threads=1, max_mthreads=200, max_cache_ttl=1) as (lab, r):
        names = [f"www{i}.fault.example" for i in range(10)]
        for name in names:
            check_reply(r.ask(name), kind="A", data=["192.0.2.6"])
        r.ask("www.city.example")
        for address in ATTACKED:
            lab.fault(address, *fault)
        lab.reset()
        flooder, others, real = Client(), Client(), Client()
        flood(2, flooder, "fault.example", others)
        for name in names:
            real.send(name)
            flood(0.1, flooder, "fault.example", others)
        others.wait(5)
        real.wait(5)
        check(others.good() == len(others.sent),
              f"{others.good()} of {len(others.sent)} other names resolved",
              r.rec("get-all").stdout)
        check(r.get("over-capacity-drops") == 0, "nothing dropped")
        check(r.get("max-inflight-per-zone-reached") > 0, "the limit was met")
        check(real.good() >= known, f"{real.good()} of the zone's real names resolved",
              real.answers, r.rec("get-all").stdout, r.rec("dump-nsspeeds", "-").stdout)
        asked = sum(lab.asked(a) for a in ATTACKED)
        check(asked < len(flooder.sent) / 2,
              f"{asked} questions to the zone for {len(flooder.sent)} of the flood")


@test
def flood_silent():
    """A flood for a zone whose servers are silent."""
    others_are_served("silent")


@test
def flood_limited():
    """A flood for a zone whose servers answer a part; its real names come through."""
    others_are_served("rate", 100, known=8)


@test
def flood_late():
    """A flood for a zone whose servers answer late; its real names come through."""
    others_are_served("delay", 600, known=6)


@test
def flood_one_client():
    """A client that fills all slots gives them up to another, its oldest first."""
    with lab_and_recursor(threads=1, max_mthreads=20, max_inflight_per_zone=0,
                          max_inflight_per_server=0) as (lab, r):
        r.ask("warm.fault.example")
        for address in ATTACKED:
            lab.fault(address, "delay", 700)
        greedy, modest = Client("127.0.0.2"), Client("127.0.0.3")
        for _ in range(30):
            greedy.send(random_name("fault.example"))
        r.wait_get("over-capacity-drops", 10)
        for _ in range(5):
            modest.send(random_name("fault.example"))
        greedy.read(0.2)
        modest.wait(5)
        greedy.read(1)
        check(modest.good() == 5, "the other's are answered", modest.answers)
        check(r.get("fair-share-refusals") == 5, "five gave way")
        first = [greedy.answers.get(i, (None, 9)) for i in range(5)]
        check(all(rcode == 2 and seconds < 0.6 for rcode, seconds in first),
              "the oldest of the greedy one's were refused at once", greedy.answers)
        check(greedy.good() == 15, "the rest of its own answered", greedy.answers)
        check(r.get("over-capacity-drops") == 10, "what was too much is dropped")


@test
def flood_one_prefix():
    """Of IPv6 addresses those of a /56 are one client, which gives up its oldest to another /56, but
    not to itself."""
    env.need_isolation()
    env.need_ipv6()
    with lab_and_recursor(threads=1, max_mthreads=4, max_inflight_per_zone=0,
                          max_inflight_per_server=0, max_total_msec=60000, network_timeout=60000,
                          local_address="::1", allow_from="fd00:53::/32") as (lab, r):
        with udp_socket("::1") as greedy, udp_socket("::1") as same, udp_socket("::1") as other:
            for client, address in ((greedy, "fd00:53::1"), (same, "fd00:53:0:ff::1"),
                                    (other, "fd00:53:0:100::1")):
                client.bind((address, 0))
                client.connect(("::1", env.port))
            greedy.send(question("warm.fault.example"))
            check(greedy.recv(512)[3] & 15 == 0, "an answer")
            for address in ATTACKED:
                lab.fault(address, "silent")
            for i in range(4):
                greedy.send(question(f"n{i}.fault.example", ident=i))
            same.send(question("same.fault.example"))
            r.wait_get("over-capacity-drops", 1)
            check(r.get("fair-share-refusals") == 0, "nobody gives way to itself")
            other.send(question("other.fault.example"))
            r.wait_get("fair-share-refusals", 1)
            check(r.get("over-capacity-drops") == 1, "the other has the place")
            reply = greedy.recv(512)
            check(reply[:2] == b"\0\0" and reply[3] & 15 == 2, "of its oldest", reply)
