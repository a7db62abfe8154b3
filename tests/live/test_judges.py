"""Our verdicts beside those of others: unbound-host, delv and drill -S validate the same answers of
generated zones (signed_zones.py), and have to find them secure, insecure or bogus as we do.

unbound-host resolves by itself, from the root; delv and drill take what our daemon answers with CD, so
that they also show whether it hands out all that somebody needs who validates behind it.

SEED and ZONES in the environment: other zones than the usual, and how many of them `make judges` plays.
ONLY: the numbers of a few of them; ZONES as it was, since their aliases lead to others of so many.
"""

import concurrent.futures
import contextlib
import os
import random
import re
import socket
import struct
import subprocess
import time

from live import (Authority, Recursor, check, env, knot_server, knot_zones, need_program,
                  nsd_server, nsd_zones, root_hints, run, test, torture, write)
from signed_zones import CANNOT, EXPANDED, FAULTS, NEGATIVE, QUESTIONS, Signer, Zone, ds_of

ROOT, PARENTS, CHILDREN, KNOT = "127.30.51.1", "127.30.51.2", "127.30.51.3", "127.30.51.4"
# The parents: their signer, algorithm and denial.
TLDS = {"one": ("ldns-signzone", 13, "nsec"), "two": ("kzonesign", 8, "nsec3"),
        "three": ("dnssec-signzone", 15, "opt-out"), "four": ("ldns-signzone", 14, "opt-out")}
SECURE, INSECURE, BOGUS, NOT_SECURE = "secure", "insecure", "bogus", "not secure"
CHAINS = [word for word in QUESTIONS if re.search("alias|away|dname|chain", word)]
SMALL = len(FAULTS)  # as many as play once all that there is to break
TYPES = {"A": 1, "SOA": 6, "MX": 15, "DS": 43, "DNSKEY": 48}


class Parent:
    """The root or a TLD, for Signer.sign()."""

    number, iterations = 0, 0

    def __init__(self, name, address, lines, signer="ldns-signzone", algorithm=13, denial="nsec"):
        self.name, self.signer, self.algorithm, self.denial = name, signer, algorithm, denial
        ns = "ns." + name.lstrip(".")
        self.body = f"$ORIGIN {name}\n$TTL 300\n@ SOA {ns} h. 1 3600 600 86400 60\n@ NS {ns}\n" \
                    f"{ns} A {address}\n" + "".join(lines)

    def text(self):
        return self.body


def delegation(name, address, records=()):
    return [f"{name} 300 IN NS ns.{name}\n", f"ns.{name} 300 IN A {address}\n"] + \
           [f"{name} 300 IN DS {' '.join(map(str, ds))}\n" for ds in records]


def make_zones(directory, seed, total, numbers):
    """These of so many zones, the files to serve as {address: {zone: path}}, and the root's DS."""
    signer = Signer(directory)
    zones = [Zone(i, seed, sorted(TLDS), [PARENTS, CHILDREN, KNOT]) for i in range(total)]
    for zone in zones:
        zone.others = zone.random.sample([z for z in zones if z.address != KNOT or total < 9], 2)
        if (zone.fault, "knotd") in CANNOT and zone.address == KNOT:  # it would crash
            zone.address = CHILDREN
    wanted = set(numbers) | {other.number for i in numbers for other in zones[i].others}
    zones = [zone for zone in zones if zone.number in wanted]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda zone: zone.make(signer), zones))
    served = {ROOT: {}, PARENTS: {}, CHILDREN: {}, KNOT: {}}
    for zone in zones:
        path = os.path.join(directory, zone.name + "zone")
        text = zone.text() if zone.records is None else "".join(map(str, zone.records))
        served[zone.address][zone.name] = write(path, text)
        name, text = zone.cut()
        served[zone.address][name] = write(os.path.join(directory, name + "zone"), text)
    root = []
    for name, how in TLDS.items():
        lines, losses = [], []
        for zone in zones:
            if zone.parent == name:
                lines += delegation(zone.name, zone.address, zone.ds)
                losses += [zone.parent_loses] if zone.parent_loses else []
        tld = Parent(name + ".", PARENTS, lines, *how)
        records = signer.sign(tld)
        records = [r for r in records if not any(lost(r) for lost in losses)]
        served[PARENTS][tld.name] = write(os.path.join(directory, name + ".zone"),
                                          "".join(map(str, records)))
        root += delegation(tld.name, PARENTS, [ds_of(r) for r in records if r.type == "DNSKEY" and
                                               r.data.startswith("257 ")])
    records = signer.sign(Parent(".", ROOT, root))
    served[ROOT]["."] = write(os.path.join(directory, "root.zone"), "".join(map(str, records)))
    keys = [r for r in records if r.type == "DNSKEY" and r.data.startswith("257 ")]
    return [z for z in zones if z.number in numbers], served, keys


class Checked(Authority):
    """NSD or Knot with the zones of one address, each of which is served from beginning to end."""

    def __init__(self, address, files):
        d = env.new_dir("authority")
        self.zones = files
        kind, conf = ("knot", knot_server(d, address) + knot_zones(d, files)) if address == KNOT else \
                     ("nsd", nsd_server(d, address) + nsd_zones(files))
        super().__init__(kind, d, conf, address, list(files)[-1], seconds=30)

    def check_all(self):
        """It serves each: what is not served would be bogus to everybody."""
        failed = [name for name in self.zones
                  if (asked((self.address, 53), name, "SOA", 0) or (None,))[0] != 0]
        check(self.is_alive() and not failed, f"{self.name} does not serve {' '.join(failed)}",
              self.log()[-1000:])

    def __enter__(self):
        self.check_all()
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check_all()
        finally:
            self.end()


# ---- ours, and the judges ----

def asked(address, name, kind, flags):
    """The code and the flags of an answer to a question with DO; None when there is none."""
    number = random.randrange(65536)
    question = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"
    question += struct.pack("!HH", TYPES[kind], 1)
    packet = struct.pack("!6H", number, flags, 1, 0, 0, 1) + question + \
        b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        try:
            s.connect(address)
            s.send(packet)
            its, flags = struct.unpack("!HH", s.recv(65535)[:4])
        except OSError:
            return None
    return (flags & 0xf, flags) if its == number else None


def our_verdict(name, kind):
    """By the AD bit and the code."""
    code, flags = asked(("127.0.0.1", env.port), name, kind, 0x0100) or ("no answer", 0)
    if code not in (0, 2, 3):
        return str(code)
    return BOGUS if code == 2 else SECURE if flags & 0x20 else INSECURE


class Judges:
    def __init__(self, directory, keys):
        tag, algorithm, digest, value = ds_of(keys[0])
        ds = f". 300 IN DS {tag} {algorithm} {digest} {value}\n"
        self.anchor = write(os.path.join(directory, "anchor"), ds)
        self.key = write(os.path.join(directory, "anchor.key"), "".join(map(str, keys)))
        self.bind_anchor = write(os.path.join(directory, "anchor.bind"),
                                 f'trust-anchors {{ . static-ds {tag} {algorithm} {digest} "{value}"; }};\n')
        self.hints = root_hints(directory, ROOT, "ns.")
        self.unbound_conf = write(os.path.join(directory, "unbound.conf"), f"""server:
  root-hints: "{self.hints}"
  trust-anchor-file: "{self.anchor}"
  do-not-query-localhost: no
  use-syslog: no
  module-config: "validator iterator"
  val-log-level: 2
""")

    def ask(self, judge, name, kind):
        """Its verdict, and what it said."""
        try:
            return getattr(self, judge.replace("-", "_"))(name, kind)
        except subprocess.TimeoutExpired:
            return "?", "no answer"

    def unbound_host(self, name, kind):
        text = run("unbound-host", "-C", self.unbound_conf, "-v", "-t", kind, name, timeout=20).stdout
        for mark, verdict in (("(BOGUS", BOGUS), ("(insecure)", INSECURE), ("(secure)", SECURE)):
            if mark in text:
                return verdict, text
        return BOGUS if "SERVFAIL" in text else "?", text

    def delv(self, name, kind):
        done = run("delv", "@127.0.0.1", "-p", str(env.port), "-a", self.bind_anchor, "+root=.", name,
                   kind, timeout=20)
        text = done.stdout + done.stderr
        if "resolution failed" in text and "resolution failed: ncache" not in text:
            return ("?" if "timed out" in text else BOGUS), text
        return (INSECURE if "unsigned answer" in text else
                SECURE if "fully validated" in text else "?"), text

    def drill(self, name, kind):
        """It knows two verdicts only, and looks no further than the first link of a chain."""
        done = run("drill", "-S", "-k", self.key, "-p", str(env.port), "-o", "CD", "@127.0.0.1", name,
                   kind, timeout=20)
        text = done.stdout + done.stderr
        return (SECURE if "Chase successful" in text else
                NOT_SECURE if "Chase failed" in text else "?"), text


# ---- the comparison ----

# Where a judge may differ, and why we are right: judges, their verdicts, ours (None: any), when, the
# rule.
JUSTIFIED = (
    ("unbound-host", INSECURE, None, lambda v: any(z.algorithm == 16 for z in v.zones()),
     "Debian's libunbound, with nettle, has no Ed448, which counts as unknown then (RFC 4035 5.2)"),
    ("unbound-host drill", None, BOGUS, lambda v: v.has("ds_sha256_wrong"),
     "a SHA-1 digest is not to be looked at beside one of SHA-256 (RFC 4509 3)"),
    ("unbound-host delv", None, None,
     lambda v: v.ours != BOGUS and (v.is_denied() or v.word == "below a cut") and
     v.has("soa_not_signed"),
     "they want a signed SOA beside the records that prove a denial (RFC 4035 5.4)"),
    ("delv drill", SECURE, INSECURE, lambda v: v.is_denied() and v.meets_opt_out(),
     "a span of opt-out proves nothing to be secure (RFC 5155 9.2)"),
    ("delv drill", None, SECURE, lambda v: v.has("one_expired_beside_good"),
     "one signature that verifies is enough (RFC 4035 5.3.3): they end at the first that does not"),
    ("unbound-host delv drill", SECURE, INSECURE, lambda v: v.has("many_iterations"),
     "more than 50 iterations of NSEC3: others begin later to refuse them (RFC 9276 3.2)"),
    ("drill", SECURE, INSECURE, lambda v: v.has("most_iterations"),
     "drill has no limit to the iterations of NSEC3 (RFC 9276 3.2)"),
    ("drill", SECURE, BOGUS, lambda v: v.word in EXPANDED,
     "drill looks for no denial of what is closer than a wildcard (RFC 4035 5.3.4)"),
    ("drill", SECURE, BOGUS, lambda v: v.word in NEGATIVE and v.has("one_denial_stripped"),
     "drill is content with half of a denial (RFC 4035 5.4)"),
    ("drill", NOT_SECURE, SECURE, lambda v: v.word == "empty non-terminal",
     "drill takes an empty non-terminal for a name that is not there (RFC 4592 2.2.2)"),
    ("drill", SECURE, None, lambda v: v.word == "keys" or v.has("keys_expired") or
     v.has("keys_by_other_key"),
     "drill needs no signature of the keys beside their DS (RFC 4035 5.2)"),
)


class Verdict:
    """One judge on one question."""

    def __init__(self, zone, word, judge, its, ours, text):
        self.zone, self.word, self.judge, self.its, self.ours = zone, word, judge, its, ours
        self.text = text

    def agrees(self):
        if self.its == NOT_SECURE:
            return self.ours in (INSECURE, BOGUS)
        return self.its == self.ours

    def rule(self):
        """Why it may differ, or None."""
        for judges, its, ours, when, why in JUSTIFIED:
            if self.judge in judges.split() and its in (None, self.its) and \
                    ours in (None, self.ours) and when(self):
                return why
        return None

    def zones(self):
        """Those that the answer is of."""
        return [self.zone, *self.zone.others] if self.word in CHAINS else [self.zone]

    def has(self, fault):
        return any(z.fault.__name__ == fault for z in self.zones())

    def is_denied(self):
        """By NSEC or NSEC3, or made of a wildcard, which needs a denial, too."""
        return self.word in NEGATIVE + EXPANDED or self.word in ("ds", "dname to nothing")

    def meets_opt_out(self):
        return any(z.denial == "opt-out" for z in self.zones()) or \
            self.word == "ds" and TLDS[self.zone.parent][2] == "opt-out"

    def __str__(self):
        name, kind = self.zone.question(self.word)
        return f"{name} {kind} ({self.word}): {self.judge} says {self.its}, we {self.ours}; " \
               f"{self.zone.about()}"


@contextlib.contextmanager
def world(seed, total, numbers):
    need_program("nsd", "knotd", "ldns-signzone", "dnssec-signzone", "kzonesign", "unbound-host",
                 "delv", "drill")
    env.need_isolation()
    directory = env.new_dir("zones")
    zones, served, keys = make_zones(directory, seed, total, numbers)
    judges = Judges(directory, keys)
    with contextlib.ExitStack() as stack:
        for address, its in served.items():
            if its:
                stack.enter_context(Checked(address, its))
        yield zones, judges, stack.enter_context(
            Recursor(hint_file=judges.hints, trustanchorfile=judges.anchor, threads=1,
                     negative_trustanchors=None))


def judge_all(zones, judges, per_zone, by_all):
    """All verdicts. unbound-host is asked each question, the slower two the first and the last, or as
    many as `by_all`."""
    questions = [(zone, word, i in (0, per_zone - 1)[:by_all]) for zone in zones
                 for i, word in enumerate(zone.asked(per_zone))]
    random.Random(len(questions)).shuffle(questions)

    def by(judge, zone, word, ours):
        """Asked a second time where it differs: a busy machine loses packets."""
        for _ in range(2):
            its, text = judges.ask(judge, *zone.question(word))
            verdict = Verdict(zone, word, judge, its, ours, text)
            if verdict.agrees():
                break
        return verdict

    def judge_one(question):
        zone, word, by_all = question
        ours = our_verdict(*zone.question(word))
        who = ["unbound-host"]
        if by_all:
            who += ["delv"] if word in CHAINS else ["delv", "drill"]
        verdicts = [by(judge, zone, word, ours) for judge in who]
        again = our_verdict(*zone.question(word))
        return verdicts + [Verdict(zone, word, "our cache", again, ours, "")]

    with concurrent.futures.ThreadPoolExecutor(2 + (os.cpu_count() or 2)) as pool:
        return [v for verdicts in pool.map(judge_one, questions) for v in verdicts]


def compare(seed, total, numbers, per_zone=4, by_all=2):
    began = time.monotonic()
    with world(seed, total, numbers) as (zones, judges, _):
        made = time.monotonic()
        verdicts = judge_all(zones, judges, per_zone, by_all)
        print(f"# {len(zones)} zones made and served in {made - began:.0f} s, judged in "
              f"{time.monotonic() - made:.0f} s")
    report(verdicts)


def alone(verdicts):
    """Of the questions that went to several judges those on which each differs from us, by the
    rules."""
    questions, found = {}, {}
    for v in verdicts:
        if v.judge != "our cache":
            questions.setdefault((v.zone.number, v.word), []).append(v)
    for those in questions.values():
        if len(those) > 1 and not any(v.agrees() for v in those):
            whys = "; ".join(sorted({v.rule() or "no rule" for v in those}))
            found[whys] = found.get(whys, 0) + 1
    return found


def report(verdicts):
    wrong, rules = [], {}
    for v in verdicts:
        if not v.agrees():
            why = v.rule()
            if why is None:
                wrong.append(v)
            else:
                rules.setdefault((v.judge, why), []).append(v)
    for judge in ("unbound-host", "delv", "drill"):
        its = [v for v in verdicts if v.judge == judge]
        ours = ", ".join(f"{sum(v.ours == x for v in its)} {x}" for x in (SECURE, INSECURE, BOGUS))
        print(f"# {judge}: {sum(v.agrees() for v in its)} of {len(its)} verdicts are ours ({ours})")
    for (judge, why), those in sorted(rules.items()):
        print(f"# {judge} differs in {len(those)}: {why}")
    for why, n in sorted(alone(verdicts).items()):
        print(f"# nobody who was asked agrees in {n}: {why}")
    check(not wrong, f"{len(wrong)} verdicts differ from ours",
          *(f"{v}\n{v.text}" for v in wrong[:200]))


@test
def judges_agree_on_signed_zones():
    """unbound-host, delv and drill find what we find: one zone of each fault, signed by one of three."""
    compare(1, SMALL, range(SMALL), 2, 1)


@torture
def judges_agree_on_a_thousand():
    """The same on a thousand zones."""
    total = int(os.environ.get("ZONES", "1000"))
    numbers = [int(n) for n in os.environ.get("ONLY", "").split()] or range(total)
    compare(int(os.environ.get("SEED", "1")), total, numbers)
