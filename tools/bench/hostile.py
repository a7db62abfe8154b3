"""Zones made to cost a validator as much as they can: many keys of one tag and many signatures that
name it (KeyTrap, CVE-2023-50387), DS records of no key, NSEC3 of many iterations below names of many
labels (CVE-2023-50868), answers of many signed sets, answers without signatures at names of many labels, each
of which might be an insecure delegation. They stand below signed., beside harmless ones,
at 127.11.2.1; their keys and signatures, where they are to cost, are ECDSA P-384, the slowest that
OpenSSL 3.0 has.
"""

import random
from dataclasses import dataclass

import colliding
from signed import SOA, TYPE_A, SignedWorld, delegation

SERVER = "127.11.2.1"
MANY = 200  # keys, signatures, DS records
TRAPS_OF_DS = 300  # zones; keys that were refused once need not be looked at again
SETS = 40
LABELS = 110
TYPE_ANY = 255


@dataclass(frozen=True)
class Hostile:
    about: str
    keys: int = 0  # of one tag, beside the one that signs
    signatures: int = 0  # that name it, in the place of the good one
    ds: int = 0
    iterations: int = None  # of NSEC3
    sets: int = 0
    labels: int = 0  # of what is asked
    unsigned: bool = False  # the answer has no signatures
    dense: bool = False  # each name above it has records, and so a denial of its own


HOSTILE = {
    "keysigtrap": Hostile(f"{MANY} keys of one tag, {MANY} signatures by it", keys=MANY,
                          signatures=MANY),
    "sigjam": Hostile(f"one key, {MANY} signatures", keys=1, signatures=MANY),
    "lockcram": Hostile(f"{MANY} keys of one tag, one signature", keys=MANY, signatures=1),
    "hashtrap": Hostile(f"{MANY} DS records of one tag, {MANY} keys of it", keys=MANY, ds=MANY),
    "nsec3-50": Hostile(f"50 iterations, names of {LABELS} labels", iterations=50, labels=LABELS),
    "nsec3-150": Hostile("... of 150 iterations", iterations=150, labels=LABELS),
    "nsec3-2500": Hostile("... of 2500 iterations", iterations=2500, labels=LABELS),
    "many-sets": Hostile(f"ANY of a name with {SETS} sets, each signed", sets=SETS),
    "long-walk": Hostile(f"no signature at names of {LABELS} labels", labels=LABELS,
                         unsigned=True),
    "dense-walk": Hostile("... each of which has records", labels=LABELS, unsigned=True,
                          dense=True),
}


class HostileWorld(SignedWorld):
    """The signed Internet, and those of its zones that `kinds` names."""

    def __init__(self, directory, port, cores, seconds, kinds):
        super().__init__(directory, port, cores, seconds)
        self.kinds = kinds
        self.hostile_zones = []

    def levels(self):
        return super().levels() + [("hostile", [SERVER], self.hostile_zones)]

    def sign_zones(self):
        delegations = super().sign_zones()
        for kind in self.kinds:
            h = HOSTILE[kind]
            delegations += self.add_traps_of_ds(h) if h.ds else [self.add(kind, h)]
        return delegations

    def add(self, kind, h):
        zone = f"{kind}.signed."
        lines = [SOA, f"@ 172800 IN NS ns\nns 172800 IN A {SERVER}\n"]
        lines += colliding.dnskeys("@", h.keys) if h.keys else []
        lines += ["* 3600 IN A 192.0.2.1\n"] if h.signatures else []
        lines += [f"* 3600 IN TYPE{65280 + i} \\# 4 c0000201\n" for i in range(h.sets)]
        if h.unsigned:
            lines += [f"*.{deep_of(h)} 3600 IN A 192.0.2.1\n"]
        if h.dense:
            lines += [f"{deep_of(h)[2 * i:]} 3600 IN A 192.0.2.1\n" for i in range(h.labels - 3)]
        ds = self.signer.sign(zone, kind, lines, iterations=h.iterations)
        if h.unsigned:
            self.signer.edit(kind, lambda lines: [
                line for line in lines if not is_signature(line, f"*.{deep_of(h)}.{zone}", "A")])
        if h.signatures:
            def spoil(lines):
                good = [line for line in lines if not is_signature(line, f"*.{zone}", "A")]
                return good + colliding.garbage(f"*.{zone}", "A", 2, zone, h.signatures)
            self.signer.edit(kind, spoil)
        self.hostile_zones.append((zone, kind))
        return delegation(kind, SERVER, ds)

    def add_traps_of_ds(self, h):
        """Of one content, and of names that are relative."""
        self.write("hashtrap.zone", [
            SOA, f"@ 172800 IN NS ns\nns 172800 IN A {SERVER}\n* 3600 IN A 192.0.2.1\n",
            *colliding.dnskeys("@", h.keys, are_points=False),
            *colliding.garbage("@", "DNSKEY", 2, "@", 2)])
        self.hostile_zones += [(f"hashtrap{i}.signed.", "hashtrap") for i in range(TRAPS_OF_DS)]
        return [delegation(f"hashtrap{i}", SERVER,
                           "".join(colliding.strange_ds(f"hashtrap{i}", h.ds)))
                for i in range(TRAPS_OF_DS)]


def deep_of(h):
    """Labels of what is asked, but the first and the zone's."""
    return ".".join(["a"] * (h.labels - 3))


def is_signature(line, owner, covered):
    fields = line.split()
    return len(fields) > 4 and fields[0] == owner and fields[3:5] == ["RRSIG", covered]


def question(kind, number):
    """What the attacker asks, the number-th time: its name and type."""
    h, first = HOSTILE[kind], f"{random.getrandbits(48):012x}"
    if h.ds:
        return f"{first}.hashtrap{number % TRAPS_OF_DS}.signed", TYPE_A
    deep = deep_of(h) + "." if h.labels else ""
    return f"{first}.{deep}{kind}.signed", TYPE_ANY if h.sets else TYPE_A
