"""Copies of zones (zoneToCache): a local root (RFC 8806) by transfer and by file, what is refused of
them (ZONEMD, RFC 8976; DNSSEC), and what becomes of them when their source is gone."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import threading
import time

from live import (Authority, Failed, Recursor, ask, check, check_reply, env, knot_server, ldns_key,
                  ldns_sign, ldns_sign_by, need_program, nsd_server, nsd_zones, question, root_hints,
                  shifted_clock, test, torture, udp_socket, wait_until, write)

PRIMARY, ROOT, TLD, PORT = "127.30.43.1", "127.30.43.2", "127.30.43.3", 5399
TIMES = "3600 900 {expire} 60"
SECRET = "c2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXMgbG9uZw=="


def root_text(serial, expire, more=""):
    return f". 600 IN SOA a.root. h. {serial} {TIMES.format(expire=expire)}\n. 600 IN NS a.root.\n" \
           f"a.root. 600 IN A {ROOT}\ntld. 600 IN NS ns.tld.\nns.tld. 600 IN A {TLD}\n" + more


class World:
    """A signed root at a primary, which nobody but the copies asks, a root server that counts who asks it, and
    a top-level domain."""

    def __init__(self, directory, keys):
        self.directory, self.keys = directory, keys

    def sign(self, serial=1, expire=604800, more="", *options):
        return self.sign_text(root_text(serial, expire, more), *options)

    def sign_text(self, text, *options):
        options = options or ("-z", "sha384", "-z", "sha512")
        return ldns_sign_by(self.keys, self.directory, ".", text, *options)

    def lua(self, *copies):
        return write(os.path.join(self.directory, "config.lua"), "\n".join(copies) + "\n")

    def settings(self, *copies, **more):
        return {"hint_file": os.path.join(self.directory, "root.hints"),
                "trustanchorfile": self.keys[0] + ".ds", "lua_config_file": self.lua(*copies),
                "negative_trustanchors": "tld", "threads": 2, "outgoing_port": PORT,
                "dnssec": "validate", **more}


class Counter(threading.Thread):
    """Stands before the root server: counts the questions."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ROOT, PORT))
        self.onwards = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.onwards.settimeout(2)
        self.asked = 0

    def run(self):
        while True:
            try:
                question, client = self.socket.recvfrom(4096)
                if not question:
                    return
                self.asked += 1
                self.onwards.sendto(question, (PRIMARY, PORT + 1))
                self.socket.sendto(self.onwards.recv(65535), client)
            except socket.timeout:
                continue
            except OSError:
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", (ROOT, PORT))
        self.join()
        self.socket.close()
        self.onwards.close()


@contextlib.contextmanager
def world():
    need_program("nsd", "ldns-keygen", "ldns-signzone")
    d, t = env.new_dir("root"), env.new_dir("tld")
    w = World(d, [ldns_key(d, ".", "-k")])
    root_hints(d, ROOT)
    tld = write(os.path.join(t, "zone"), "tld. 600 IN SOA ns.tld. h. 1 3600 900 604800 60\n"
                f"tld. 600 IN NS ns.tld.\nns.tld. 600 IN A {TLD}\n*.tld. 600 IN A 192.0.2.7\n")
    behind = nsd_server(t, PRIMARY, port=PORT + 1) + nsd_zones({".": w.sign()})
    b = env.new_dir("behind")
    with Authority("nsd", b, behind.replace(t, b), PRIMARY, ".", port=PORT + 1), \
            Authority("nsd", t, nsd_server(t, TLD, port=PORT) + nsd_zones({"tld.": tld}), TLD, "tld.",
                      port=PORT), Counter() as counter:
        w.counter = counter
        yield w


@contextlib.contextmanager
def primary(path):
    """Hands out the root by transfer, with a secret."""
    d = env.new_dir("primary")
    conf = nsd_server(d, PRIMARY, port=PORT) + \
        f'key:\n  name: "k."\n  algorithm: hmac-sha256\n  secret: "{SECRET}"\n' + \
        f'zone:\n  name: "."\n  zonefile: "{path}"\n  provide-xfr: 127.0.0.0/8 k.\n'
    with Authority("nsd", d, conf, PRIMARY, ".", port=PORT) as p:
        yield p


def axfr(more="", tsig=True, source=f"'{PRIMARY}:{PORT}'", zone="."):
    key = f"tsigname='k', tsigalgo='hmac-sha256', tsigsecret='{SECRET}', " if tsig else ""
    return f"zoneToCache('{zone}', 'axfr', {source}, {{ {key}retryOnErrorPeriod=1, {more} }})"


def from_file(path, more="", zone="."):
    return f"zoneToCache('{zone}', 'file', '{path}', {{ retryOnErrorPeriod=1, refreshPeriod=1, {more} }})"


def state(r):
    return json.loads(r.rec("--json", "get-zone-copies").stdout)["zone-copies"][0]


def wait_state(r, wanted, seconds=10):
    wait_until(lambda: state(r)["state"] == wanted, seconds, f"a copy that is {wanted}")
    return state(r)


def check_served_from_copy(w, r):
    """Nobody asks the root for anything."""
    before = w.counter.asked
    for i in range(5):
        reply = r.ask(f"www{i}.tld", "A")
        check_reply(reply, "NOERROR", "A", ["192.0.2.7"])
        junk = r.ask(f"host.junk{i}", "A", "+dnssec")
        check_reply(junk, "NXDOMAIN")
        check("ad" in junk.flags, "junk is denied by proofs", junk)
    for kind in ("NS", "SOA", "DNSKEY", "ZONEMD"):
        reply = r.ask(".", kind, "+dnssec")
        check("ad" in reply.flags and reply.data(kind), f"the root's {kind}", reply)
    check(w.counter.asked == before, f"the root was asked {w.counter.asked - before} times")
    check(r.get("zone-copy-answers") > 2, "nothing came of the copy")


@test
def a_local_root_by_transfer():
    """With a copy of the root from NSD no root server is asked; nothing is transferred twice."""
    with world() as w, primary(w.sign(serial=7)), \
            Recursor(**w.settings(axfr("zonemd='require', dnssec='require'"))) as r:
        s = wait_state(r, "in use")
        check(s["serial"] == 7 and s["zonemd-verified"] and s["signed"], "what vouches for it", s)
        check_served_from_copy(w, r)
        check(r.get("zone-copies") == 1 and r.get("zone-copy-loads") == 1 and
              r.get("zone-copy-records") > 10 and r.get("zone-copy-errors") == 0, "metrics")
        explained = r.rec("explain", "tld", "DS").stdout
        check("answered from a copy of the zone" in explained,
              "what explain says", explained)
        text = r.rec("get-zone-copies").stdout
        check("in use" in text and "serial 7" in text and "ZONEMD verified" in text, "the command", text)
        check("zoneToCache: a copy of . is in use: serial 7" in r.log(), "the log", r.log())
        # The same is read again: there is nothing newer, and nothing is transferred.
        time.sleep(1.1)
        r.rec("reload-lua-config")
        wait_until(lambda: state(r)["expires"] > s["expires"], what="a look at the serial")
        check(r.get("zone-copy-loads") == 1, "transferred again")
        # Not wanted any more.
        w.lua()
        r.rec("reload-lua-config")
        check(r.get("zone-copies") == 0, "a copy that nobody wants")
        check(r.get("zone-copy-loads") == 1, "a counter that falls")
        check("No copies" in r.rec("get-zone-copies").stdout, "the command")
        check_reply(r.ask("again.junk-of-another-kind", "A"), "NXDOMAIN")


@test
def a_local_root_from_a_file():
    """The root from a zone file: the same, and a changed file is read anew."""
    with world() as w:
        path = w.sign(serial=7)
        with Recursor(**w.settings(from_file(path, "zonemd='require'"))) as r:
            wait_state(r, "in use")
            check_served_from_copy(w, r)
            # A newer one is taken; a damaged one is not.
            w.sign(serial=8)
            wait_until(lambda: state(r)["serial"] == 8, what="serial 8")
            with open(path, encoding="ascii") as f:
                good = f.read()
            write(path, good + "late. 600 IN NS ns.tld.\n")
            wait_until(lambda: state(r)["errors"] > 0, what="an error")
            s = state(r)
            check(s["serial"] == 8 and s["state"] == "in use" and "ZONEMD digest is wrong" in s["last-error"],
                  "a damaged copy", s)
            check("the copy at hand stays" in r.log(), "the log", r.log())
            check_served_from_copy(w, r)
            write(path, good)
            wait_until(lambda: state(r)["last-error"] == "", what="all is well")


def refused(w, text, more="", **settings):
    """What is said of a root with this text, which is not used."""
    path = write(os.path.join(w.directory, "other.zone"), text)
    with Recursor(**w.settings(from_file(path, more), **settings)) as r:
        wait_until(lambda: state(r)["errors"] > 0, what="an error")
        check(r.get("zone-copies") == 0, "it is used", text)
        check_reply(r.ask("www.tld", "A"), "NOERROR", "A", ["192.0.2.7"])
        check(w.counter.asked > 0, "the root's servers are not asked")
        return state(r)["last-error"]


@test
def damaged_roots_are_refused():
    """A copy that ZONEMD or DNSSEC does not vouch for is refused, with one line that says why."""
    with world() as w:
        with open(w.sign(serial=7), encoding="ascii") as f:
            good = f.read()
        zonemd = re.compile(r"^\.\s.*\s(RRSIG\s+)?ZONEMD\s.*\n", re.M)
        for text, more, why in (
                (good.replace("127.30.43.3", "127.30.43.9"), "", "ZONEMD digest is wrong"),
                (zonemd.sub("", good), "", "no ZONEMD record, which is not proved"),
                (zonemd.sub("", good), "dnssec='ignore', zonemd='require'", "has no ZONEMD record"),
                (re.sub(r"^\.\s.*\sDNSKEY\s.*\n", "", good, flags=re.M), "", "DNSKEY"),
                (re.sub(r"^\.\s.*\sRRSIG\s+SOA\s.*\n", "", good, flags=re.M), "", "SOA"),
                (re.sub(r"(SOA\s.*\s)604800(\s)", r"\g<1>0\g<2>", good), "", "expired"),
                (good.replace("SOA", "TXT", 1), "", ""),
                ("", "", "no SOA"),
                (good + "x 600 CH TXT y\n", "", "")):
            said = refused(w, text, more)
            check(why in said, f"not {why!r}", said)
        said = refused(w, root_text(7, 604800), "dnssec='require'", trustanchorfile="",
                       negative_trustanchors=".")
        check("no trust anchor or DS says so" in said, "an unsigned root", said)


@test
def a_root_goes_on_until_it_expires():
    """The primary dies: the copy serves until it expires, then the root is asked."""
    with world() as w:
        with primary(w.sign(serial=7, expire=6)) as p, \
                Recursor(**w.settings(axfr("refreshPeriod=1"))) as r:
            wait_state(r, "in use")
            p.end()
            wait_until(lambda: state(r)["errors"] > 0, what="a dead primary")
            check("cannot connect" in state(r)["last-error"], "what is wrong", state(r))
            if state(r)["state"] == "in use":
                before = w.counter.asked
                check_reply(r.ask("host.gone", "A"), "NXDOMAIN")
                check(w.counter.asked == before, "the root was asked while there was a copy")
            wait_state(r, "expired")
            wait_until(lambda: "the copy of . has expired" in r.log(), what="a line in the log")
            before = w.counter.asked
            check_reply(r.ask("www.other", "TXT"), "NXDOMAIN")
            check_reply(r.ask("tld", "DS"), "NOERROR")
            check(w.counter.asked > before, "the root's servers are asked again")


@test
def transfers_that_are_refused():
    """A transfer without its key, from nobody, or of nothing: one line, and the root is asked."""
    with world() as w, primary(w.sign(serial=7)):
        for copy, why in ((axfr(tsig=False), "the server answers"),
                          (axfr().replace(SECRET, "A" * 44), "TSIG"),
                          (axfr("maxReceivedMBytes=1").replace(str(PORT), str(PORT + 7)), "cannot connect")):
            with Recursor(**w.settings(copy)) as r:
                wait_until(lambda: state(r)["errors"] > 0, what="an error")
                check(why in state(r)["last-error"], f"not {why!r}", state(r))


@test
def a_root_by_transfer_from_knot():
    """The same from Knot, with NSEC3, SHA-512 and its own ZONEMD."""
    with world() as w:
        need_program("knotd")
        d = env.new_dir("knot")
        path = write(os.path.join(d, "root.zone"), root_text(9, 604800))
        conf = knot_server(d, PRIMARY, PORT) + f"""
key:
  - id: k
    algorithm: hmac-sha512
    secret: {SECRET}
acl:
  - id: out
    action: transfer
    key: k
policy:
  - id: p
    algorithm: ecdsap256sha256
    nsec3: on
    nsec3-iterations: 0
zone:
  - domain: .
    file: "{path}"
    storage: "{d}"
    acl: out
    dnssec-signing: on
    dnssec-policy: p
    zonemd-generate: zonemd-sha512
"""
        with Authority("knot", d, conf, PRIMARY, ".", port=PORT):
            keys = [data for data in ask(".", "DNSKEY", server=PRIMARY, port=PORT).data("DNSKEY")
                    if data.startswith("257 ")]
            check(keys, "Knot's key")
            anchor = write(os.path.join(d, "anchor"), f". 600 IN DNSKEY {keys[0]}\n")
            copy = axfr("zonemd='require', dnssec='require'").replace("sha256", "sha512")
            with Recursor(**w.settings(copy, trustanchorfile=anchor)) as r:
                s = wait_state(r, "in use")
                check(s["zonemd-verified"] and s["signed"], "what vouches for it", s)
                before = w.counter.asked
                for name in ("junk", "a.junk2", "host.junk3"):
                    reply = r.ask(name, "A", "+dnssec")
                    check_reply(reply, "NXDOMAIN")
                    check("ad" in reply.flags, "denied by NSEC3", reply)
                check_reply(r.ask("www.tld", "A"), "NOERROR", "A", ["192.0.2.7"])
                check(w.counter.asked == before, "the root was asked")


# ---- other sources ----

def unsigned_text(zone, serial=1):
    return f"{zone}. 600 IN SOA ns.{zone}. h. {serial} 3600 900 604800 60\n{zone}. 600 IN NS ns.{zone}.\n" \
           f"ns.{zone}. 600 IN A {TLD}\nwww.{zone}. 600 IN A 192.0.2.7\n"


def states(r):
    return {s["zone"].rstrip("."): s for s in json.loads(r.rec("--json", "get-zone-copies").stdout)["zone-copies"]}


@test
def copies_below_trust_anchors():
    """A zone with a trust anchor of its own, and one below it whose DS is asked for; a wrong DS is no copy."""
    need_program("nsd", "ldns-keygen", "ldns-signzone")
    d = env.new_dir("below")
    files, ds = {}, {}
    for zone in ("good.own", "bad.own"):
        files[zone], ds[zone] = ldns_sign(d, zone, unsigned_text(zone), "-z", "sha384")
    ds["bad.own"] = ds["good.own"].replace("good.own", "bad.own")
    cuts = "".join(f"{zone}. 600 IN NS ns.{zone}.\nns.{zone}. 600 IN A {TLD}\n" + ds[zone] for zone in files)
    files["own"], anchor = ldns_sign(d, "own", unsigned_text("own") + cuts, "-z", "sha384")
    root = write(os.path.join(d, "root"), f". 600 IN SOA a.root. h. 1 3600 900 604800 60\n. 600 IN NS a.root.\n"
                 f"a.root. 600 IN A {TLD}\nown. 600 IN NS ns.own.\nns.own. 600 IN A {TLD}\n")
    root_hints(d, TLD)
    copies = [from_file(path, "zonemd='require', dnssec='require'", zone) for zone, path in files.items()]
    with Authority("nsd", d, nsd_server(d, TLD, port=PORT) + nsd_zones({".": root, **files}), TLD, "own",
                   port=PORT), \
            Recursor(hint_file=os.path.join(d, "root.hints"), dnssec="validate", outgoing_port=PORT,
                     trustanchorfile=write(os.path.join(d, "anchor"), anchor), negative_trustanchors="",
                     lua_config_file=write(os.path.join(d, "config.lua"), "\n".join(copies) + "\n")) as r:
        wait_until(lambda: states(r)["bad.own"]["errors"] > 0 and states(r)["good.own"]["state"] == "in use",
                   what="all of them")
        found = states(r)
        check("its DNSKEY records" in found["bad.own"]["last-error"], "a wrong DS", found)
        for zone in ("own", "good.own"):
            check(found[zone]["state"] == "in use" and found[zone]["signed"] and found[zone]["zonemd-verified"],
                  "what vouches for it", found[zone])
            reply = r.ask("www." + zone, "A", "+dnssec")
            check_reply(reply, "NOERROR", "A", ["192.0.2.7"])
            check("ad" in reply.flags, "secure out of the copy", reply)
        check(r.get("zone-copy-answers") >= 2, "out of the copies")
        check(r.ask("www.bad.own").status == "SERVFAIL", "a wrong DS")


def stub(copy, **more):
    """Settings of a recursor that knows a copy, and nothing else."""
    d = env.new_dir("stub")
    return {"hint_file": root_hints(d, ROOT), "outgoing_port": PORT + 1,
            "lua_config_file": write(os.path.join(d, "config.lua"), copy + "\n"), **more}


def refusal(copy, **more):
    """What is said of a copy that is refused; it stands in the log once."""
    with Recursor(**stub(copy, **more)) as r:
        wait_until(lambda: state(r)["errors"] > 0, what="an error")
        lines = [line for line in r.log().splitlines() if "zoneToCache" in line]
        check(len(lines) == 1 and state(r)["last-error"] in lines[0], "one line", lines)
        return state(r)["last-error"]


@contextlib.contextmanager
def bind():
    """BIND, at the addresses of `lo`, has a zone for who has the key."""
    need_program("named")
    d = env.new_dir("bind")
    path = write(os.path.join(d, "zone"), unsigned_text("bind.kind", 7))
    conf = f"""options {{
  directory "{d}"; pid-file none; session-keyfile none; recursion no; notify no; dnssec-validation no;
  listen-on port {PORT} {{ 127.0.0.1; }}; listen-on-v6 port {PORT} {{ ::1; }};
}};
controls {{ }};
key k {{ algorithm hmac-sha256; secret "{SECRET}"; }};
zone "bind.kind" {{ type primary; file "{path}"; allow-transfer {{ key k; }}; }};
"""
    with Authority("bind", d, conf, "127.0.0.1", "bind.kind", port=PORT):
        yield f"'127.0.0.1:{PORT}'"


@test
def copies_from_bind():
    """By transfer from BIND with TSIG, over IPv4 and IPv6; a wrong key or secret is one clear line."""
    env.need_ipv6()
    with bind() as at_v4:
        for source in (at_v4, f"'[::1]:{PORT}'"):
            with Recursor(**stub(axfr(source=source, zone="bind.kind"))) as r:
                s = wait_state(r, "in use")
                check(s["serial"] == 7 and s["source"] == source.strip("'"), "the copy", s)
                check_reply(r.ask("www.bind.kind"), "NOERROR", "A", ["192.0.2.7"])
        good = axfr(source=at_v4, zone="bind.kind")
        said = refusal(good.replace("tsigname='k'", "tsigname='other'"))
        check("does not know our key (TSIG)" in said, "a key it does not have", said)
        said = refusal(good.replace(SECRET, "A" * 44))
        check("takes our signature (TSIG) for wrong" in said, "a wrong secret", said)


@test
def a_primary_of_another_time():
    """A clock that is an hour ahead is one clear line."""
    clock = {"LD_PRELOAD": shifted_clock(), "FAKETIME": "+1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with bind() as source:
        said = refusal(axfr(source=source, zone="bind.kind"), extra_env=clock)
        check("the server's clock and ours differ (TSIG)" in said, "another time", said)


@test
def copies_from_several_primaries():
    """The first fails, in several ways, and the second has it; localAddress is who asks."""
    need_program("nsd")
    d = env.new_dir("several")
    path = write(os.path.join(d, "zone"), unsigned_text("two.kind", 9))
    conf = nsd_server(d, PRIMARY, port=PORT) + \
        f'zone:\n  name: "two.kind"\n  zonefile: "{path}"\n  provide-xfr: 127.30.43.9 NOKEY\n'
    with Authority("nsd", d, conf, PRIMARY, "two.kind", port=PORT), Primary("two.kind") as other:
        other.mode = "broken"
        for first in (f"{PRIMARY}:{PORT + 7}", f"{TLD}:{PORT}"):
            both = f"{{ '{first}', '{PRIMARY}:{PORT}' }}"
            with Recursor(**stub(axfr("localAddress='127.30.43.9'", False, both, "two.kind"))) as r:
                s = wait_state(r, "in use")
                check(s["serial"] == 9 and s["errors"] == 0, "from the second", s)
                check_reply(r.ask("www.two.kind"), "NOERROR", "A", ["192.0.2.7"])
        check(other.asked == ["SOA", "AXFR"], "the first was asked", other.asked)
        said = refusal(axfr("localAddress='127.30.43.8'", False, both, "two.kind"))
        check(f"{TLD}: " in said and f"; {PRIMARY}: the server answers REFUSED" in said, "both", said)


# ---- primaries that do what they should not ----

def record(name, kind, rdata):
    return question(name, kind)[12:] + struct.pack("!IH", 600, len(rdata)) + rdata


def encoded(name):
    return question(name)[12:-4]


class Primary(threading.Thread):
    """Hands out a small zone over TCP at TLD, in the way that `mode` says when it is asked."""

    def __init__(self, zone):
        super().__init__(daemon=True)
        self.zone, self.serial, self.mode = zone, 1, "good"
        self.asked = []
        self.ended = threading.Event()
        self.socket = socket.create_server((TLD, PORT))

    def soa(self):
        return record(self.zone, 6, encoded("ns") + encoded("h") +
                      struct.pack("!5I", self.serial, 3600, 900, 604800, 60))

    def message(self, asked, *records):
        wire = asked[:2] + struct.pack("!5H", 0x8400, 1, len(records), 0, 0) + \
            asked[12:] + b"".join(records)
        return struct.pack("!H", len(wire)) + wire

    def transfer(self, asked):
        """In pieces; the end of them is the end of the connection, None that it stays."""
        names = record(self.zone, 2, encoded("ns." + self.zone)), \
            record("www." + self.zone, 1, socket.inet_aton("192.0.2.7"))
        whole = self.message(asked, self.soa(), *names, self.soa())
        if self.mode == "good":
            yield whole
        elif self.mode == "broken":
            yield self.message(asked, *names, self.soa())
        elif self.mode == "stalls":
            yield whole[:len(whole) // 2]
            yield None
        else:
            yield self.message(asked, self.soa(), *names)
            for i in range(1 << 30):
                yield self.message(asked, *[record(f"{i}-{j}.{self.zone}", 16, b"\xff" + b"x" * 255)
                                            for j in range(40)])

    def serve(self, client):
        while head := client.recv(2):
            asked = client.recv(struct.unpack("!H", head)[0])
            is_soa = asked[-3] == 6
            self.asked.append("SOA" if is_soa else "AXFR")
            for piece in [self.message(asked, self.soa())] if is_soa else self.transfer(asked):
                if piece is None:
                    self.ended.wait(30)
                    return
                client.sendall(piece)

    def run(self):
        while True:
            client, _ = self.socket.accept()
            if self.ended.is_set():
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(30)
                self.serve(client)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        socket.create_connection((TLD, PORT)).close()
        self.join()
        self.socket.close()


def from_primary(more=""):
    return axfr(f"refreshPeriod=1, {more}", False, f"'{TLD}:{PORT}'", "odd.kind")


@test
def a_primary_that_stalls():
    """It sends half of the zone: the time-out is counted, the old copy stays, the workers answer, and SIGTERM
    ends the process at once."""
    with Primary("odd.kind") as p, Recursor(**stub(from_primary("timeout=1"))) as r:
        wait_state(r, "in use")
        p.mode, p.serial = "stalls", 2
        r.rec("reload-lua-config")
        wait_until(lambda: p.asked[-1] == "AXFR" and len(p.asked) > 2, what="the second transfer")
        while state(r)["errors"] == 0:
            began = time.monotonic()
            check_reply(r.ask("www.odd.kind", wait=2), "NOERROR", "A", ["192.0.2.7"])
            check(time.monotonic() - began < 1, "an answer that waits for a transfer")
        s = state(r)
        check(s["state"] == "in use" and s["serial"] == 1 and s["last-error"] == "the time is over", "kept", s)
        check(r.get("zone-copy-errors") > 0 and r.get("zone-copies") == 1, "counted")
        check("the time is over; the copy at hand stays" in r.log(), "the log", r.log())
        p.ended.set()
    for mode in ("stalls", "endless"):
        with Primary("odd.kind") as p, Recursor(**stub(from_primary("timeout=60"))) as r:
            p.mode = mode
            wait_until(lambda: "AXFR" in p.asked, what="a transfer")
            began = time.monotonic()
            status = r.end(signal.SIGTERM)
            check(status == 0 and time.monotonic() - began < 2, "it ends at once", status, r.log())
            p.ended.set()


@test
def a_primary_without_end():
    """It never stops: maxReceivedMBytes ends it, which is counted."""
    with Primary("odd.kind") as p, Recursor(**stub(from_primary("maxReceivedMBytes=2"))) as r:
        wait_state(r, "in use")
        p.mode, p.serial = "endless", 2
        r.rec("reload-lua-config")
        wait_until(lambda: state(r)["errors"] > 0, what="an error")
        s = state(r)
        check(s["state"] == "in use" and "larger than it may be (maxReceivedMBytes)" in s["last-error"], "refused", s)
        check(r.get("zone-copy-errors") > 0, "counted")
        check_reply(r.ask("www.odd.kind"), "NOERROR", "A", ["192.0.2.7"])


# ---- a zone of the root's size ----

TLDS = 1450


def large_root_text(serial=1):
    """As many delegations, servers, addresses and DS records as the root has in 2026."""
    lines = [root_text(serial, 604800)]
    for i in range(TLDS):
        name = f"tld{i:04d}."
        for n in range(6):
            lines.append(f"{name} 172800 IN NS ns{n}.nic.{name}\n")
            if n < 4:
                lines.append(f"ns{n}.nic.{name} 172800 IN A 198.51.{i % 256}.{n + 1}\n"
                             f"ns{n}.nic.{name} 172800 IN AAAA 2001:db8:{i:x}::{n + 1:x}\n")
        if i % 15:
            lines.append(f"{name} 86400 IN DS {i} 8 2 {i:064x}\n")
    return "".join(lines)


class Asker(threading.Thread):
    """Asks what is known, one question after the other; how long the longest took."""

    def __init__(self, r):
        super().__init__(daemon=True)
        check_reply(r.ask("www.tld"), "NOERROR")
        self.longest_s, self.n, self.stop = 0, 0, threading.Event()

    def run(self):
        with udp_socket() as s:
            s.connect(("127.0.0.1", env.port))
            while not self.stop.wait(0.0005):
                began = time.monotonic()
                s.send(question("www.tld"))
                s.recv(4096)
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.n += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()


def loader_ms(r):
    """CPU time that the loading thread has had."""
    tasks = f"/proc/{r.process.pid}/task"
    for tid in os.listdir(tasks):
        with open(f"{tasks}/{tid}/comm", encoding="ascii") as comm, \
                open(f"{tasks}/{tid}/schedstat", encoding="ascii") as stat:
            if comm.read().startswith("rec/copies"):
                return int(stat.read().split()[0]) / 1e6
    raise Failed("no thread loads copies")


def resident_kb(r):
    with open(f"/proc/{r.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def load_root(w, r, copy, serial):
    """Loads it while known answers are asked for: a line of figures."""
    before_ms, before_kb, began = loader_ms(r), resident_kb(r), time.monotonic()
    with Asker(r) as asker:
        w.lua(copy)
        r.rec("reload-lua-config")
        wait_until(lambda: state(r).get("serial") == serial, 20, f"serial {serial}")
        took = time.monotonic() - began
    s, held_us = state(r), r.get("control-visit-max-usec")
    check(s["state"] == "in use" and s["signed"] and s["zonemd-verified"], "what vouches for it", s)
    check(s["records"] > 25000 and s["bytes"] < 4 << 20, "its size", s)
    # CPU time of a worker's thread, whatever else runs.
    check(held_us < 5000, f"a worker was held for {held_us} us")
    return f"{s['records']} records, {s['bytes'] >> 10} KB, resident {resident_kb(r) - before_kb} KB more, " \
        f"loaded within {took:.2f} s by {loader_ms(r) - before_ms:.0f} ms of CPU, a worker held {held_us} us, " \
        f"{asker.n} others answered within {asker.longest_s * 1000:.1f} ms"


def load_large_root(w, *options):
    """By transfer, and a newer one from a file."""
    with Recursor(**w.settings("")) as r:
        wishes = "zonemd='require', dnssec='require'"
        with primary(w.sign_text(large_root_text(1), *options)):
            transferred = load_root(w, r, axfr(wishes), 1)
        path = w.sign_text(large_root_text(2), *options)
        read = load_root(w, r, from_file(path, wishes), 2)
        check_reply(r.ask("host.tld0007.x"), "NXDOMAIN")
        check(r.get("zone-copy-answers") > 0, "out of the copy")
        return transferred, read


@test
def a_root_of_its_real_size():
    """Some 26,000 records by transfer and from a file, signatures and digest: no worker is held for 5 ms."""
    with world() as w:
        load_large_root(w)


@torture
def torture_root_copy():
    """The same with figures: NSEC with two digests, NSEC3 with one."""
    with world() as w:
        for kind, options in (("NSEC", ()), ("NSEC3", ("-n", "-z", "sha384"))):
            transferred, read = load_large_root(w, *options)
            print(f"# {kind}, transfer: {transferred}\n# {kind}, file: {read}", flush=True)
