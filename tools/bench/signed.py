"""The signed Internet: what is asked by those who validate, and whether they do.

    .            127.11.0.1
    signed.      127.11.0.2      delegates z0.signed. to z63.signed., and broken.signed.
    below        127.11.1.1-16   zone i at the address i % 16

All zones are signed with ECDSA P-256, by a key of their own that is entry point too, and before
anything is measured: knotd only serves them. Zones of even numbers have NSEC, the others NSEC3
without salt and iterations (RFC 9276 3.1). Each has the names w0 to w19 and n0, n1 and so on, as
many as can be asked in a load: real ones, since for a wildcard's a server that uses proofs for
other names (RFC 8198) need not ask at all. In broken.signed. an address was changed after signing.
"""

import os
import random
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

from process import Trouble
from world import NAMES, RECURSION_DESIRED, SOA, TYPE_A, Internet, exchange, query_packet

ROOT = "127.11.0.1"
TLDS = "127.11.0.2"
SERVERS = [f"127.11.1.{i}" for i in range(1, 17)]
ZONES = 64
NAMES_A_SECOND = 20_000  # more than a core can verify
TYPE_AAAA = 28
AUTHENTIC, UNCHECKED = 0x0020, 0x0010
NOERROR, SERVFAIL = 0, 2
BROKEN = "broken.signed."
ALGORITHM = "ECDSAP256SHA256"


def run(*argv, cwd):
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(argv)} failed\n{done.stderr}")
    return done.stdout.strip()


def server_of(i):
    return SERVERS[i % len(SERVERS)]


def delegation(label, server, ds):
    return f"{label} 172800 IN NS ns.{label}\nns.{label} 172800 IN A {server}\n{ds}"


class Signer:
    """Signs zones with a new key each; ldns's programs do it."""

    def __init__(self, directory):
        self.dir = directory

    def sign(self, origin, name, lines, iterations=None):
        """Writes NAME.zone, with NSEC3 of so many iterations or with NSEC; returns the DS record of
        its key, a line."""
        unsigned = os.path.join(self.dir, f"{name}.unsigned")
        with open(unsigned, "w") as f:
            f.writelines([f"$ORIGIN {origin}\n", *lines])
        key = run("ldns-keygen", "-a", ALGORITHM, "-r", "/dev/urandom", origin, cwd=self.dir)
        how = [] if iterations is None else ["-n", "-t", str(iterations)]
        run("ldns-signzone", *how, "-o", origin, "-f", f"{name}.zone", unsigned, key, cwd=self.dir)
        os.unlink(unsigned)
        return run("ldns-key2ds", "-f", "-n", "-2", f"{key}.key", cwd=self.dir) + "\n"

    def change(self, name, old, new):
        """Of a zone that is signed."""
        self.edit(name, lambda lines: [line.replace(old, new) for line in lines])

    def edit(self, name, change):
        """What change() makes of its lines."""
        path = os.path.join(self.dir, f"{name}.zone")
        with open(path) as f:
            lines = f.readlines()
        with open(path, "w") as f:
            f.writelines(change(lines))


class SignedWorld(Internet):
    def __init__(self, directory, port, cores, seconds):
        super().__init__(os.path.join(directory, "signed-world"), port, cores)
        os.mkdir(self.dir)
        self.anchor = os.path.join(self.dir, "anchor")
        self.names = NAMES_A_SECOND * seconds // ZONES
        self.signer = Signer(self.dir)

    def start(self):
        self.sign_parents(self.sign_zones())
        self.serve(self.levels())

    def levels(self):
        return [
            ("root", [ROOT], [(".", "root")]),
            ("tlds", [TLDS], [("signed.", "signed")]),
            ("zones", SERVERS, [(f"z{i}.signed.", f"z{i}") for i in range(ZONES)] +
             [(BROKEN, "broken")]),
        ]

    def sign_zones(self):
        """The leaves; what their parent has of them."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ds = list(pool.map(self.sign_zone, range(ZONES)))
        ds.append(self.signer.sign(BROKEN, "broken", [
            SOA, f"@ 172800 IN NS ns\nns 172800 IN A {server_of(0)}\nw0 3600 IN A 192.0.2.66\n"]))
        self.signer.change("broken", "192.0.2.66", "192.0.2.67")
        labels = [f"z{i}" for i in range(ZONES)] + ["broken"]
        servers = [server_of(i) for i in range(ZONES)] + [server_of(0)]
        return [delegation(*of_zone) for of_zone in zip(labels, servers, ds)]

    def sign_zone(self, i):
        return self.signer.sign(
            f"z{i}.signed.", f"z{i}",
            [SOA, f"@ 172800 IN NS ns\nns 172800 IN A {server_of(i)}\n"] +
            [f"w{k} 3600 IN A 192.0.2.{k}\n" for k in range(NAMES)] +
            [f"n{k} 3600 IN A 192.0.2.1\n" for k in range(self.names)], iterations=0 if i % 2 == 1 else None)

    def sign_parents(self, delegations):
        ds = self.signer.sign("signed.", "signed", [
            SOA, f"@ 172800 IN NS ns\nns 172800 IN A {TLDS}\n", *delegations], iterations=0)
        ns = f". 518400 IN NS a.root-servers.net.\na.root-servers.net. 518400 IN A {ROOT}\n"
        self.write("root.hints", ns)
        self.write("anchor", self.signer.sign(".", "root", [
            SOA, ns, f"signed. 172800 IN NS ns.signed.\nns.signed. 172800 IN A {TLDS}\n", ds]))

    def anchor_fields(self):
        """Key tag, algorithm, digest type and digest."""
        with open(self.anchor) as f:
            return f.read().split()[4:8]

    def questions(self):
        """All names that nobody has asked for, in random order."""
        names = [f"n{k}.z{z}.signed" for z in range(ZONES) for k in range(self.names)]
        random.shuffle(names)
        return names


def ask(server, name, rrtype=TYPE_A, flags=AUTHENTIC):
    """Its rcode, whether it says that the data are authentic, and how many they are; a server that
    is still busy gets several tries."""
    for _ in range(10):
        packet = exchange("127.0.0.1", server.port, query_packet(name, rrtype,
                                                                 RECURSION_DESIRED | flags))
        if packet:
            said, _, answers = struct.unpack_from(">3H", packet, 2)
            return said & 15, bool(said & AUTHENTIC), answers
    raise Trouble(f"{server.name} does not answer {name}")


def check_validation(server):
    """Who believes what it should not, or tells nobody what it believes, is not measured."""
    expected = [
        ("w2.z0.signed", TYPE_A, AUTHENTIC, (NOERROR, True, 1), "with NSEC"),
        ("w2.z1.signed", TYPE_A, AUTHENTIC, (NOERROR, True, 1), "with NSEC3"),
        ("w2.z0.signed", TYPE_AAAA, AUTHENTIC, (NOERROR, True, 0), "denied with NSEC"),
        ("w2.z1.signed", TYPE_AAAA, AUTHENTIC, (NOERROR, True, 0), "denied with NSEC3"),
        ("w0.broken.signed", TYPE_A, AUTHENTIC, (SERVFAIL, False, 0), "with a broken signature"),
        ("w0.broken.signed", TYPE_A, UNCHECKED, (NOERROR, False, 1), "the same, CD set"),
    ]
    for name, rrtype, flags, right, what in expected:
        got = ask(server, name, rrtype, flags)
        if got != right:
            raise Trouble(f"{server.name} does not validate as it should: {name} ({what}): rcode, "
                          f"AD and records are {got}, not {right}")
