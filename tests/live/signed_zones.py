"""Small signed zones in great number, for the judges of test_judges.py: what is in each, who signs it
and how, and what is broken in it, all by its number.

A fault is a function of FAULTS: it changes the zone's records after they were signed (or how they are),
the DS records that its parent will have, or what the parent says of it. Its docstring is the line that
is shown for a zone on which verdicts differ.
"""

import base64
import calendar
import hashlib
import os
import random
import re
import struct
import threading
import time

from live import run, write

PAST = ("20200101000000", "20200201000000")
FUTURE = ("20500101000000", "20500201000000")

ALGORITHMS = {5: "RSASHA1", 7: "RSASHA1-NSEC3-SHA1", 8: "RSASHA256", 10: "RSASHA512",
              13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448"}
SIGNERS = ("ldns-signzone", "dnssec-signzone", "kzonesign")
DENIALS = ("nsec", "nsec3", "opt-out")
DIGESTS = {1: hashlib.sha1, 2: hashlib.sha256, 4: hashlib.sha384}

# What may be asked in each zone: a word for it, the name below the zone's and the type.
QUESTIONS = {
    "positive": ("www", "A"), "nodata": ("www", "MX"), "nxdomain": ("nope", "A"),
    "deep nxdomain": ("a.b.c.nope", "A"), "empty non-terminal": ("ent", "A"),
    "wildcard": ("a.b.wild", "A"), "wildcard nodata": ("x.wild", "MX"),
    "wildcard itself": ("*.wild", "A"), "wildcard alias": ("y.wc", "A"),
    "alias": ("alias", "A"), "alias away": ("away", "A"), "wildcard away": ("any.aw", "A"),
    "dname": ("host.dn", "A"), "dname to nothing": ("none.dn", "A"), "apex nodata": ("", "MX"),
    "keys": ("", "DNSKEY"), "ds": ("", "DS"), "below a cut": ("www.plain", "A"),
    "ds of a cut": ("plain", "DS"), "chain": ("chain", "A"),
}
NEGATIVE = ["nodata", "nxdomain", "deep nxdomain", "empty non-terminal", "wildcard nodata",
            "apex nodata", "ds of a cut"]
EXPANDED = ["wildcard", "wildcard alias", "wildcard away"]


class Record:
    def __init__(self, line):
        self.owner, self.ttl, rest = line.split(None, 2)
        if rest.split(None, 1)[0] == "IN":
            rest = rest.split(None, 1)[1]
        self.type, self.data = rest.split(None, 1)
        self.owner, self.data = self.owner.lower(), self.data.split(";")[0].strip()

    def __str__(self):
        return f"{self.owner} {self.ttl} IN {self.type} {self.data}\n"

    def covers(self, kind):
        return self.type == "RRSIG" and self.data.split()[0] == kind


def read(path):
    with open(path, encoding="ascii") as f:
        return [Record(line) for line in f if line.strip() and line[0] not in ";$"]


def seconds_of(text):
    return str(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%S")))


def wire_of_key(record):
    flags, protocol, algorithm, key = record.data.split(None, 3)
    return struct.pack("!HBB", int(flags), int(protocol), int(algorithm)) + base64.b64decode(key)


def tag_of(wire):
    """RFC 4034 B."""
    total = sum(b << 8 if i % 2 == 0 else b for i, b in enumerate(wire))
    return (total + (total >> 16)) & 0xffff


def ds_of(record, digest=2):
    name = b"".join(bytes([len(x)]) + x.encode() for x in record.owner.split(".") if x) + b"\0"
    wire = wire_of_key(record)
    return [tag_of(wire), wire[3], digest, DIGESTS[digest](name + wire).hexdigest()]


class Signer:
    """Programs that sign, and their keys: a few of each algorithm, which the zones share."""

    def __init__(self, directory):
        self.directory, self.pool, self.lock = directory, {}, threading.Lock()

    def new_keys(self, program, algorithm):
        bits = [] if algorithm > 10 else ["-b", "1024"]
        name = ALGORITHMS[algorithm]
        if program == "dnssec-signzone":
            name = {7: "NSEC3RSASHA1"}.get(algorithm, name)
            command, ksk = ["dnssec-keygen", "-q", "-a", name, *bits], ["-f", "KSK"]
        else:
            command, ksk = ["ldns-keygen", "-a", name, *bits, "-r", "/dev/urandom"], ["-k"]
        return [run(*command, *which, "pool.", cwd=self.directory, expect=0).stdout.strip()
                for which in ([], ksk)]

    def keys(self, program, algorithm, turn, name, directory):
        """A ZSK and a KSK of the pool, as files with the zone's name."""
        with self.lock:
            pool = self.pool.setdefault((program, algorithm), [])
            while len(pool) < 2:
                pool.append(self.new_keys(program, algorithm))
        made = []
        for key in pool[turn % len(pool)]:
            new = os.path.join(directory, key.replace("Kpool.", "K" + name))
            for suffix in ".key", ".private":
                with open(os.path.join(self.directory, key + suffix), encoding="ascii") as f:
                    write(new + suffix, re.sub(r"(?m)^pool\.", name, f.read()))
            made.append(new)
        return made

    def sign(self, zone, times=None, turn=None):
        """Its records, signed anew; by other keys with another turn."""
        base = os.path.join(self.directory, zone.name)
        os.makedirs(base, exist_ok=True)
        path = write(base + "/zone", zone.text())
        if zone.signer == "kzonesign":
            self.sign_by_knot(zone, base, times)
        else:
            keys = self.keys(zone.signer, zone.algorithm, zone.number if turn is None else turn,
                             zone.name, base)
            if zone.signer == "ldns-signzone":
                how = {"nsec": [], "nsec3": ["-n", "-s", "aabb"], "opt-out": ["-n", "-p"]}[zone.denial]
                how += ["-t", str(zone.iterations)] if zone.denial != "nsec" else []
                how += ["-i", times[0], "-e", times[1]] if times else []
                run(zone.signer, *how, "-o", zone.name, "-f", base + "/out", path, *keys, expect=0)
            else:
                how = {"nsec": [], "nsec3": ["-3", "aabb"], "opt-out": ["-3", "-", "-A"]}[zone.denial]
                how += ["-H", str(zone.iterations)] if zone.denial != "nsec" else []
                how += ["-s", times[0], "-e", times[1]] if times else []
                with open(path, "a", encoding="ascii") as f:
                    f.writelines(f"$INCLUDE {key}.key\n" for key in keys)
                run(zone.signer, "-P", "-q", "-n", "1", "-x", "-O", "full", *how, "-d", base, "-o",
                    zone.name, "-f", base + "/out", path, *keys, expect=0)
        return read(base + "/out")

    def sign_by_knot(self, zone, base, times):
        keys = base + "/keys" + (times[0] if times else "")
        os.makedirs(keys, exist_ok=True)
        os.makedirs(base + "/signed", exist_ok=True)
        bits = "" if zone.algorithm > 10 else "    ksk-size: 1024\n    zsk-size: 1024\n"
        name = ALGORITHMS[zone.algorithm].lower()
        conf = write(base + "/conf", f"""database:
    storage: "{keys}"
policy:
  - id: p
    algorithm: {name}
{bits}    nsec3: {"off" if zone.denial == "nsec" else "on"}
    nsec3-iterations: {zone.iterations}
    nsec3-opt-out: {"on" if zone.denial == "opt-out" else "off"}
    cds-cdnskey-publish: none
zone:
  - domain: {zone.name}
    storage: "{base}"
    file: zone
    dnssec-signing: on
    dnssec-policy: p
""")
        run("kzonesign", "-c", conf, "-o", base + "/signed", *(["-t", seconds_of(times[0])] if times else []),
            zone.name, expect=0)
        os.replace(base + "/signed/zone", base + "/out")


class Zone:
    """Number `number` of `n`: everything about it follows from the seed."""

    def __init__(self, number, seed, parents, addresses):
        self.random = random.Random(f"{seed} {number}")
        self.number = number
        self.parent = self.random.choice(parents)
        self.name = f"z{number:04d}.{self.parent}."
        self.address = self.random.choice(addresses)
        self.signer = self.random.choice(SIGNERS)
        self.algorithm = self.random.choice(sorted(ALGORITHMS))
        self.denial = "nsec" if self.algorithm == 5 else self.random.choice(DENIALS)  # RFC 5155 2
        self.iterations = self.random.choice((0, 0, 1, 5))
        self.fault = FAULTS[number % len(FAULTS)] if number < len(FAULTS) or number % 7 else nothing
        self.others = []  # whose names its aliases lead to
        self.times = None
        self.records, self.ds = [], []
        self.parent_loses = None
        if (self.fault, self.signer) in CANNOT:
            self.signer = "ldns-signzone"
        if self.fault in NSEC3_ONLY and self.denial == "nsec":
            self.algorithm, self.denial = 13, "nsec3"

    def text(self):
        away = [other.name for other in self.others]
        return f"""$ORIGIN {self.name}
$TTL 300
@ SOA ns h 1 3600 600 86400 60
@ NS ns
ns A {self.address}
www A 192.0.2.{self.number % 250 + 1}
www TXT "zone {self.number}"
*.wild A 192.0.2.251
*.wc CNAME www
*.aw CNAME www.{away[0]}
alias CNAME www
away CNAME www.{away[0]}
chain CNAME alias.{away[1]}
dn DNAME tree.{away[1]}
host.tree A 192.0.2.252
a.ent A 192.0.2.253
plain NS ns.plain
ns.plain A {self.address}
"""

    def cut(self):
        """The zone below it, which nobody has signed."""
        return f"plain.{self.name}", f"""$ORIGIN plain.{self.name}
$TTL 300
@ SOA ns h 1 3600 600 86400 60
@ NS ns
ns A {self.address}
www A 192.0.2.254
"""

    def make(self, signer):
        if self.fault is unsigned:
            self.records = None
            return
        self.fault_options()
        self.records = signer.sign(self, self.times)
        self.signing = signer
        self.ds = [ds_of(key) for key in self.keys(257)]
        self.fault(self)

    def fault_options(self):
        self.times = {expired: PAST, not_yet_valid: FUTURE}.get(self.fault)
        self.iterations = {many_iterations: 100, most_iterations: 500}.get(self.fault,
                                                                          self.iterations)

    def keys(self, flags):
        return [r for r in self.records if r.type == "DNSKEY" and r.data.startswith(f"{flags} ")]

    def find(self, name, kind):
        owner = f"{name}.{self.name}" if name else self.name
        return [r for r in self.records if r.owner == owner and r.type == kind]

    def signatures(self, name, kind):
        owner = f"{name}.{self.name}" if name else self.name
        return [r for r in self.records if r.owner == owner and r.covers(kind)]

    def drop(self, condition):
        self.records = [r for r in self.records if not condition(r)]

    def replace(self, name, kind, records):
        """The signatures of one RRset by those of the same zone signed otherwise."""
        old = self.signatures(name, kind)
        self.records = [r for r in self.records if r not in old]
        owner = f"{name}.{self.name}" if name else self.name
        self.records += [r for r in records if r.owner == owner and r.covers(kind)]

    def asked(self, per_zone):
        """The questions for it: what its fault concerns, then others, by their words."""
        kinds = [k for k in self.fault.asks if k in QUESTIONS]
        if len(kinds) > per_zone - 1:
            kinds = self.random.sample(kinds, per_zone - 1)
        rest = [k for k in QUESTIONS if k not in kinds]
        return kinds + self.random.sample(rest, per_zone - len(kinds))

    def question(self, word):
        name, kind = QUESTIONS[word]
        return (f"{name}.{self.name}" if name else self.name), kind

    def about(self):
        return (f"{self.name} by {self.signer}, algorithm {self.algorithm}, {self.denial}"
                f" ({self.iterations} iterations), {self.fault.__name__}: {self.fault.__doc__}")


# ---- faults ----

FAULTS = []
CANNOT = []  # which program is of no use for which
NSEC3_ONLY = []


def fault(*asks, but="", nsec3=False):
    def add(function):
        function.asks = asks or ("positive",)
        FAULTS.append(function)
        CANNOT.extend((function, program) for program in but.split())
        if nsec3:
            NSEC3_ONLY.append(function)
        return function
    return add


def spoil(record, field):
    """Other bits in base64 or hexadecimal digits."""
    fields = record.data.split()
    text = "".join(fields[field:])
    middle = len(text) // 2
    record.data = " ".join(fields[:field] + [text[:middle] + ("A" if text[middle] != "A" else "B") +
                                             text[middle + 1:]])


def change(record, field, value):
    fields = record.data.split()
    fields[field] = str(value)
    record.data = " ".join(fields)


@fault()
def nothing(zone):
    """Nothing is wrong with it."""


@fault("positive", "nxdomain", "ds")
def unsigned(zone):
    """Not signed, and no DS."""


@fault("positive", "nxdomain", "ds", "keys")
def no_ds(zone):
    """Signed, without a DS at its parent."""
    zone.ds = []


@fault("positive", "ds")
def ds_of_wrong_digest(zone):
    """Its DS has another digest."""
    zone.ds[0][3] = "00" * (len(zone.ds[0][3]) // 2)


@fault("positive", "ds")
def ds_of_wrong_tag(zone):
    """Its DS has another key tag."""
    zone.ds[0][0] = (zone.ds[0][0] + 1) % 65536


@fault("positive")
def ds_of_wrong_algorithm(zone):
    """Its DS has an algorithm that its key has not."""
    zone.ds[0][1] = 13 if zone.algorithm != 13 else 8


@fault("positive", "nxdomain")
def ds_of_unknown_algorithm(zone):
    """Its DS has an algorithm that nobody knows: insecure (RFC 4035 5.2)."""
    zone.ds[0][1] = 200


@fault("positive", "nxdomain")
def ds_of_unknown_digest(zone):
    """Its DS has a digest that nobody knows: insecure (RFC 4035 5.2)."""
    zone.ds[0][2] = 200


@fault()
def ds_beside_unknown(zone):
    """One DS is right, another of an unknown digest, another of an unknown algorithm."""
    zone.ds += [[1, 200, 2, "ab" * 32], [zone.ds[0][0], zone.algorithm, 200, "cd" * 20]]


@fault()
def ds_beside_wrong(zone):
    """One DS is right, another is of no key."""
    zone.ds.append([12345, zone.algorithm, 2, "ab" * 32])


@fault()
def ds_sha1_only(zone):
    """A DS with a SHA-1 digest alone."""
    zone.ds = [ds_of(key, 1) for key in zone.keys(257)]


@fault()
def ds_sha384_only(zone):
    """A DS with a SHA-384 digest alone."""
    zone.ds = [ds_of(key, 4) for key in zone.keys(257)]


@fault()
def ds_sha1_wrong(zone):
    """A right SHA-256 digest, and a wrong one of SHA-1, which is not looked at (RFC 4509 3)."""
    zone.ds.append(zone.ds[0][:2] + [1, "00" * 20])


@fault()
def ds_sha256_wrong(zone):
    """A right SHA-1 digest, and a wrong one of SHA-256: bogus (RFC 4509 3)."""
    zone.ds = [ds_of(key, 1) for key in zone.keys(257)] + [zone.ds[0][:3] + ["00" * 32]]


@fault("positive", "ds")
def ds_not_signed(zone):
    """The parent has no RRSIG for its DS."""
    zone.parent_loses = lambda r: r.owner == zone.name and r.covers("DS")


@fault("positive", "ds")
def ds_stripped(zone):
    """The parent has lost its DS, and denies none."""
    zone.parent_loses = lambda r: r.owner == zone.name and (r.type == "DS" or r.covers("DS"))


@fault("positive", "ds")
def no_proof_of_no_ds(zone):
    """No DS, and the parent has no NSEC of the delegation (those with NSEC)."""
    zone.ds = []
    zone.parent_loses = lambda r: r.owner == zone.name and (r.type == "NSEC" or r.covers("NSEC"))


@fault("positive", "nxdomain", "keys")
def expired(zone):
    """All signatures have expired."""


@fault("positive", "nodata", "keys")
def not_yet_valid(zone):
    """All signatures are of the future."""


@fault("positive", "alias", "wildcard alias", but="kzonesign")
def one_expired(zone):
    """The signature of www A has expired."""
    zone.replace("www", "A", zone.signing.sign(zone, PAST))


@fault("positive", "chain", but="kzonesign")
def one_not_yet_valid(zone):
    """The signature of www A is of the future."""
    zone.replace("www", "A", zone.signing.sign(zone, FUTURE))


@fault("keys", "positive", but="kzonesign")
def keys_expired(zone):
    """The signature of the keys has expired."""
    zone.replace("", "DNSKEY", zone.signing.sign(zone, PAST))


@fault("positive", but="kzonesign")
def one_expired_beside_good(zone):
    """www A has an expired signature and a good one."""
    zone.records += [r for r in zone.signing.sign(zone, PAST)
                     if r.owner == "www." + zone.name and r.covers("A")]


@fault("positive", "alias", but="kzonesign")
def of_other_key(zone):
    """www A is signed by a key that the zone has not."""
    zone.replace("www", "A", zone.signing.sign(zone, None, zone.number + 1))


@fault("positive", but="kzonesign")
def of_other_key_with_the_tag(zone):
    """www A is signed by another key, with the tag of the zone's."""
    tag = zone.signatures("www", "A")[0].data.split()[6]
    of_other_key(zone)
    change(zone.signatures("www", "A")[0], 6, tag)


@fault("positive", "keys", but="kzonesign")
def keys_by_other_key(zone):
    """The keys are signed by one that is none of them."""
    zone.replace("", "DNSKEY", zone.signing.sign(zone, None, zone.number + 1))


@fault("positive", "alias", "nodata")
def no_rrsig(zone):
    """www A has no signature."""
    zone.drop(lambda r: r.owner == "www." + zone.name and r.covers("A"))


@fault("positive", "nxdomain", "wildcard", but="knotd")
def no_rrsigs(zone):
    """Signed once, with a DS, and now without any signature."""
    zone.drop(lambda r: r.type == "RRSIG")


@fault("positive", "nxdomain", "wildcard", "keys", but="knotd")
def not_signed_any_more(zone):
    """A DS, but nothing of DNSSEC in the zone."""
    zone.drop(lambda r: r.type in ("RRSIG", "DNSKEY", "NSEC", "NSEC3", "NSEC3PARAM"))


@fault("positive", "keys")
def keys_not_signed(zone):
    """The keys have no signature."""
    zone.drop(lambda r: r.covers("DNSKEY"))


@fault("nxdomain", "nodata", "positive", but="knotd")
def soa_not_signed(zone):
    """The SOA has no signature."""
    zone.drop(lambda r: r.covers("SOA"))


@fault(*NEGATIVE, *EXPANDED, but="knotd")
def denials_not_signed(zone):
    """NSEC and NSEC3 have no signatures."""
    zone.drop(lambda r: r.covers("NSEC") or r.covers("NSEC3"))


@fault(*NEGATIVE, *EXPANDED, but="knotd")
def denials_stripped(zone):
    """No NSEC nor NSEC3."""
    zone.drop(lambda r: r.type in ("NSEC", "NSEC3") or r.covers("NSEC") or r.covers("NSEC3"))


@fault(*NEGATIVE, but="knotd")
def one_denial_stripped(zone):
    """One NSEC or NSEC3 in two is not there."""
    owners = sorted({r.owner for r in zone.records if r.type in ("NSEC", "NSEC3")})[::2]
    zone.drop(lambda r: r.owner in owners and
              (r.type in ("NSEC", "NSEC3") or r.covers("NSEC") or r.covers("NSEC3")))


@fault("nodata", "nxdomain", "deep nxdomain", "wildcard", but="knotd")
def denial_changed(zone):
    """The types or the next name in NSEC and NSEC3 are not what was signed."""
    for r in zone.records:
        if r.type in ("NSEC", "NSEC3"):
            r.data += " HINFO"


@fault("nodata", "positive", "alias")
def data_changed(zone):
    """www A has another address than was signed."""
    for r in zone.find("www", "A"):
        r.data = "192.0.2.255"


@fault("positive", "alias")
def data_added(zone):
    """www A has one address more than was signed."""
    zone.records.append(Record(f"www.{zone.name} 300 IN A 192.0.2.255"))


@fault("alias", "alias away", "chain")
def alias_changed(zone):
    """The aliases lead elsewhere than was signed."""
    for name in "alias", "away", "chain":
        for r in zone.find(name, "CNAME"):
            r.data = "ns." + zone.name


@fault("dname", "dname to nothing")
def dname_changed(zone):
    """The DNAME leads elsewhere than was signed."""
    for r in zone.find("dn", "DNAME"):
        r.data = "tree." + zone.name


@fault("wildcard", "wildcard nodata", "wildcard itself")
def wildcard_changed(zone):
    """The wildcard's address is not what was signed."""
    for r in zone.find("*.wild", "A"):
        r.data = "192.0.2.255"


@fault("positive")
def signature_changed(zone):
    """Another bit in the signature of www A."""
    spoil(zone.signatures("www", "A")[0], 8)


@fault("keys", "positive")
def key_changed(zone):
    """Another bit in the key that signs data."""
    spoil((zone.keys(256) or zone.keys(257))[0], 3)


@fault("positive")
def signer_changed(zone):
    """The signature of www A says that the parent has made it."""
    change(zone.signatures("www", "A")[0], 7, zone.parent + ".")


@fault("positive")
def labels_changed(zone):
    """The signature of www A says that it is of a wildcard."""
    change(zone.signatures("www", "A")[0], 2, 2)


@fault("wildcard", "wildcard nodata")
def wildcard_at_a_name(zone):
    """The wildcard's records and signature stand at a name of their own: nothing denies a closer one."""
    for r in zone.find("*.wild", "A") + zone.signatures("*.wild", "A"):
        copy = Record(str(r))
        copy.owner = "a.b.wild." + zone.name
        zone.records.append(copy)


@fault("positive")
def ttl_raised(zone):
    """The TTL of www A is longer than what was signed, which is for a cache to mend."""
    for r in zone.find("www", "A") + zone.signatures("www", "A"):
        r.ttl = "600"


@fault("positive")
def original_ttl_changed(zone):
    """The original TTL in the signature of www A is not what was signed."""
    change(zone.signatures("www", "A")[0], 3, 301)


@fault("positive", "nxdomain")
def unknown_algorithm(zone):
    """Keys, signatures and DS are of an algorithm that nobody knows: insecure."""
    for r in zone.records:
        if r.type == "RRSIG":
            change(r, 1, 200)
        elif r.type == "DNSKEY":
            change(r, 2, 200)
    zone.ds = [ds_of(key) for key in zone.keys(257)]


@fault("positive")
def rrsig_of_unknown_algorithm(zone):
    """The only signature of www A is of an algorithm that nobody knows, in a zone of another."""
    change(zone.signatures("www", "A")[0], 1, 200)


@fault("positive")
def rrsig_beside_unknown_algorithm(zone):
    """www A has a good signature, and one of an algorithm that nobody knows."""
    copy = Record(str(zone.signatures("www", "A")[0]))
    change(copy, 1, 200)
    zone.records.append(copy)


@fault("positive", "keys")
def key_of_wrong_protocol(zone):
    """Its keys have the protocol 2, not 3 (RFC 4034 2.1.2), and the DS is of them."""
    for r in zone.records:
        if r.type == "DNSKEY":
            change(r, 1, 2)
    zone.ds = [ds_of(key) for key in zone.keys(257)]


@fault("nxdomain", "nodata", "positive", "wildcard", nsec3=True)
def many_iterations(zone):
    """NSEC3 with 100 iterations."""


@fault("nxdomain", "nodata", "positive", "wildcard", but="dnssec-signzone",
       nsec3=True)
def most_iterations(zone):
    """NSEC3 with 500 iterations: insecure (RFC 9276 3.2)."""


@fault("nxdomain", "nodata", "wildcard", nsec3=True, but="knotd")
def unknown_nsec3_hash(zone):
    """Its NSEC3 records name a hash that nobody knows."""
    for r in zone.records:
        if r.type in ("NSEC3", "NSEC3PARAM"):
            change(r, 0, 6)
