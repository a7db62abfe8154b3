"""Copies of zones (zoneToCache): a local root (RFC 8806) by transfer and by file, what is refused of
them (ZONEMD, RFC 8976; DNSSEC), and what becomes of them when their source is gone."""

import contextlib
import json
import os
import re
import socket
import threading
import time

from live import (Authority, Recursor, ask, check, check_reply, env, knot_server, ldns_key,
                  ldns_sign_by, need_program, nsd_server, nsd_zones, root_hints, test, wait_until,
                  write)

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
        options = options or ("-z", "sha384", "-z", "sha512")
        return ldns_sign_by(self.keys, self.directory, ".", root_text(serial, expire, more), *options)

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


def axfr(more="", tsig=True):
    key = f"tsigname='k', tsigalgo='hmac-sha256', tsigsecret='{SECRET}', " if tsig else ""
    return f"zoneToCache('.', 'axfr', '{PRIMARY}:{PORT}', {{ {key}retryOnErrorPeriod=1, {more} }})"


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
