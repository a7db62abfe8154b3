"""The small Internet that is asked: zones, and the knotds that serve them.

    .        127.10.0.1
    bench.   127.10.0.2      delegates z0.bench. to z499.bench.
    cold.    127.10.0.2      delegates d0.cold. to d99999.cold.
    below    127.10.1.1-16   zone i at the address i % 16
    victim.bench. 127.10.2.1 not knotd's: who is flooded has a server of his own (attack.py)

Each level has a knotd of its own, so that a parent refers and does not answer for its children.
The zones of bench. have twenty fixed names, w0 to w19, and a wildcard. Those of cold. are one
zone for knotd, which answers for them as a hundred thousand zones would: with AA, from a wildcard
of each.
"""

import os
import random
import socket
import struct
import time

from process import Process, Trouble

ROOT = "127.10.0.1"
TLDS = "127.10.0.2"
VICTIM = "127.10.2.1"
SERVERS = [f"127.10.1.{i}" for i in range(1, 17)]
ZONES = 500
NAMES = 20
DELEGATIONS = 100_000
TYPE_A, TYPE_SOA = 1, 6
RECURSION_DESIRED = 0x0100

SOA = "@ 86400 IN SOA ns.invalid. host.invalid. 1 7200 3600 1209600 60\n"


def query_packet(name, rrtype, flags=RECURSION_DESIRED):
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    packet = struct.pack(">6H", random.getrandbits(16), flags, 1, 0, 0, 0) + question
    return packet + struct.pack(">BHH", 0, rrtype, 1)


def exchange(address, port, packet, transport="udp", patience=0.3):
    """Asks once; the answer, or None when none has come within so many seconds."""
    kind = socket.SOCK_DGRAM
    if transport == "tcp":
        kind = socket.SOCK_STREAM
        packet = struct.pack(">H", len(packet)) + packet
    with socket.socket(socket.AF_INET, kind) as s:
        s.settimeout(patience)
        try:
            s.connect((address, port))
            s.send(packet)
            answer = s.recv(4096)
        except OSError:
            time.sleep(0.1)  # a closed port refuses at once
            return None
    answer = answer[2:] if transport == "tcp" else answer
    return answer if len(answer) >= 12 else None


def query(address, port, name, rrtype=TYPE_A, **how):
    """Asks once. How many records the answer has when it is NOERROR, or None."""
    answer = exchange(address, port, query_packet(name, rrtype), **how)
    if answer is None or answer[3] & 15 != 0:
        return None
    return struct.unpack_from(">H", answer, 6)[0]


def server_of(i):
    return SERVERS[i % len(SERVERS)]


class Internet:
    """Zones on loopback, a knotd for each level."""

    def __init__(self, directory, port, cores):
        self.dir = directory
        self.port = port
        self.cores = cores
        self.hints = os.path.join(directory, "root.hints")
        self.anchor = None  # a file with the root's DS, where it is signed

    def serve(self, levels):
        """Starts a knotd for each (name, addresses, [(zone, its file)]), and waits until they
        answer."""
        for name, addresses, zones in levels:
            config = self.write_config(name, addresses, zones)
            knotd = Process(["knotd", "-c", config], self.cores,
                            os.path.join(self.dir, f"{name}.log"))
            for address in addresses:
                for zone in (zones[0][0], zones[-1][0]):
                    self.wait_for(knotd, address, zone)

    def wait_for(self, knotd, address, zone):
        end = time.monotonic() + 60
        while not query(address, self.port, zone, TYPE_SOA):
            if knotd.has_ended() or time.monotonic() > end:
                raise Trouble(f"knotd does not serve {zone} at {address}\n{knotd.last_words()}")

    def write(self, name, lines):
        with open(os.path.join(self.dir, name), "w") as f:
            f.writelines(lines)

    def write_config(self, name, addresses, zones):
        rundir = os.path.join(self.dir, name)
        os.mkdir(rundir)
        listen = "".join(f"  listen: {address}@{self.port}\n" for address in addresses)
        served = "".join(f"  - domain: {domain}\n    file: {file}.zone\n" for domain, file in zones)
        self.write(f"{name}.conf", f"""\
server:
  rundir: {rundir}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
{listen}database:
  storage: {rundir}
log:
  - target: stderr
    any: error
template:
  - id: default
    storage: {self.dir}
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
{served}""")
        return os.path.join(self.dir, f"{name}.conf")


class World(Internet):
    def start(self):
        self.write_zones()
        self.serve([
            ("root", [ROOT], [(".", "root")]),
            ("tlds", [TLDS], [("bench.", "bench"), ("cold.", "cold")]),
            ("zones", SERVERS, [("cold.", "cold-below")] +
             [(f"z{i}.bench.", f"z{i}") for i in range(ZONES)]),
        ])

    def write_zones(self):
        ns = f". 518400 IN NS a.root-servers.net.\na.root-servers.net. 518400 IN A {ROOT}\n"
        self.write("root.hints", ns)
        self.write("root.zone", [
            "$ORIGIN .\n", SOA, ns,
            "".join(f"{tld}. 172800 IN NS ns.{tld}.\nns.{tld}. 172800 IN A {TLDS}\n"
                    for tld in ("bench", "cold"))])
        self.write_parent("bench", "z", ZONES, [
            f"victim 172800 IN NS ns.victim\nns.victim 172800 IN A {VICTIM}\n"])
        self.write_parent("cold", "d", DELEGATIONS)
        self.write("cold-below.zone", [
            "$ORIGIN cold.\n", SOA, f"@ 172800 IN NS ns\nns 172800 IN A {TLDS}\n"] + [
                f"ns.d{i} 172800 IN A {server_of(i)}\n*.d{i} 3600 IN A 192.0.2.1\n"
                for i in range(DELEGATIONS)])
        for i in range(ZONES):
            self.write(f"z{i}.zone", [
                f"$ORIGIN z{i}.bench.\n", SOA,
                f"@ 172800 IN NS ns\nns 172800 IN A {server_of(i)}\n* 3600 IN A 192.0.2.1\n"] + [
                    f"w{k} 3600 IN A 192.0.2.{k}\n" for k in range(NAMES)])

    def write_parent(self, tld, letter, count, more=()):
        self.write(f"{tld}.zone", [
            f"$ORIGIN {tld}.\n", SOA, f"@ 172800 IN NS ns\nns 172800 IN A {TLDS}\n"] + [
                f"{letter}{i} 172800 IN NS ns.{letter}{i}\n"
                f"ns.{letter}{i} 172800 IN A {server_of(i)}\n" for i in range(count)] +
            list(more))
