"""Floods of names that do not exist: who is attacked, who answers badly, takes nobody else's place.

The daemon has room for 200 queries; each flood alone would fill that several times over.
"""

import random
import select
import struct
import time

from live import check, check_reply, env, lab_and_recursor, test, udp_socket

ATTACKED = "127.20.6.1", "127.20.6.2"
TURN_S = 0.01


def question(name, ident):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


class Client:
    """Sends questions without waiting; tells them apart by their ids.  As a stub does it may ask
    again after SERVFAIL or some time without an answer: where there are more processes than CPUs a
    sound server, too, may come too late, and its zone be limited for a moment."""

    PATIENCE_S = 1

    def __init__(self, address="127.0.0.1", tries=1):
        self.socket = udp_socket()
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", env.port))
        self.socket.setblocking(False)
        self.tries = tries
        self.names = []
        self.sent = {}
        self.n_sent = {}
        self.answers = {}  # id: (rcode, seconds)

    def send(self, name):
        self.names.append(name)
        self.ask(len(self.names) - 1)

    def ask(self, ident):
        self.sent[ident] = time.monotonic()
        self.n_sent[ident] = self.n_sent.get(ident, 0) + 1
        self.socket.send(question(self.names[ident], ident))

    def waiting(self):
        return [i for i in self.sent if i not in self.answers]

    def read(self, seconds=0.0):
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            packet = self.socket.recv(4096)
            ident, rcode = struct.unpack("!H", packet[:2])[0], packet[3] & 15
            if rcode != 2 or self.n_sent[ident] >= self.tries:
                self.answers.setdefault(ident, (rcode, time.monotonic() - self.sent[ident]))
        if self.tries > 1:
            self.ask_again()

    def ask_again(self):
        late = time.monotonic() - self.PATIENCE_S
        for ident in self.waiting():
            if self.sent[ident] < late and self.n_sent[ident] < self.tries:
                self.ask(ident)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while len(self.answers) < len(self.sent) and time.monotonic() < end:
            self.read(0.05)

    def good(self):
        return sum(rcode in (0, 3) for rcode, _ in self.answers.values())


def random_name(zone):
    return f"{random.getrandbits(48):x}.{zone}"


def flood(seconds, flooder, flooded, others, real, per_turn=12):
    """So many random names of a zone each turn, and one of another."""
    until = time.monotonic() + seconds
    due = time.monotonic()
    while time.monotonic() < until:
        for _ in range(per_turn):
            flooder.send(random_name(flooded))
        others.send(random_name("city.example"))
        for client in flooder, others, real:
            client.read()
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
        flooder, others, real = Client(), Client(tries=4), Client(tries=4)
        flood(2, flooder, "fault.example", others, real)
        for name in names:
            real.send(name)
            flood(0.1, flooder, "fault.example", others, real)
        for _ in range(50):  # who asks again does so while the flood goes on
            if known and real.waiting():
                flood(0.1, flooder, "fault.example", others, real)
        others.wait(5)
        check(others.good() == len(others.sent),
              f"{others.good()} of {len(others.sent)} other names resolved",
              r.rec("get-all").stdout)
        # With no limit most of the flood is dropped.
        check(r.get("over-capacity-drops") < len(flooder.sent) / 10, "hardly anything is dropped")
        check(r.get("max-inflight-per-zone-reached") > 0, "the limit was met")
        check(real.good() >= known, f"{real.good()} of the zone's real names resolved",
              real.answers, real.n_sent, r.rec("get-all").stdout,
              r.rec("dump-nsspeeds", "-").stdout)
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
