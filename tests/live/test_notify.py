"""NOTIFY (RFC 1996): what changes at its primary is forgotten; by real primaries and by hand."""

import os
import signal
import struct

from live import (Authority, check, check_reply, env, knot_server, knot_zones, lab_and_recursor,
                  need_program, nsd_server, nsd_zones, run, test, udp_socket, wait_until, write)

ADDRESS, PORT = "127.30.9.1", 5399


def write_zone(directory, serial, address):
    """{zone: path}"""
    return {"oak.test": write(os.path.join(directory, "oak.zone"), f"""$TTL 600
$ORIGIN oak.test.
@ IN SOA ns h {serial} 3600 900 604800 60
@ IN NS ns
ns IN A {ADDRESS}
www IN A {address}
mail IN A {address}
""")}


class Primary(Authority):
    def __init__(self, kind, directory, conf):
        super().__init__(kind, directory, conf, ADDRESS, "oak.test", port=PORT)

    def change(self, serial, address):
        write_zone(self.dir, serial, address)
        self.process.send_signal(signal.SIGHUP)


def nsd():
    d = env.new_dir("nsd")
    return Primary("nsd", d, nsd_server(d, ADDRESS, port=PORT) +
                   nsd_zones(write_zone(d, 1, "192.0.2.1")) +
                   f"  notify: 127.0.0.1@{env.port} NOKEY\n")


def knot():
    d = env.new_dir("knot")
    remote = f"remote:\n  - id: recursor\n    address: 127.0.0.1@{env.port}\n"
    return Primary("knot", d, knot_server(d, ADDRESS, port=PORT) + remote +
                   knot_zones(d, write_zone(d, 1, "192.0.2.1")) + "    notify: recursor\n")


class Pdns(Primary):
    def change(self, serial, address):
        write_zone(self.dir, serial, address)
        control = ["pdns_control", "--config-dir=" + self.dir, "--socket-dir=" + self.dir]
        run(*control, "bind-reload-now", "oak.test", expect=0)
        run(*control, "notify-host", "oak.test", f"127.0.0.1:{env.port}", expect=0)


def pdns():
    need_program("pdns_control")
    d = env.new_dir("pdns")
    write(os.path.join(d, "named.conf"),
          "".join(f'zone "{zone}" {{ type master; file "{path}"; }};\n'
                  for zone, path in write_zone(d, 1, "192.0.2.1").items()))
    return Pdns("pdns", d, f"launch=bind\nbind-config={d}/named.conf\nlocal-address={ADDRESS}\n"
                f"local-port={PORT}\nsocket-dir={d}\nprimary=yes\nonly-notify=\n"
                "security-poll-suffix=\nzone-cache-refresh-interval=0\n")


def follows(primary):
    with primary as p, lab_and_recursor(forward_zones=f"oak.test={ADDRESS}:{PORT}",
                                        allow_notify_from="127.0.0.0/8",
                                        allow_notify_for="test") as (_, r):
        for name in "www.oak.test", "mail.oak.test":
            check_reply(r.ask(name), kind="A", data=["192.0.2.1"])
            check_reply(r.ask(name), kind="A", data=["192.0.2.1"])
        check_reply(r.ask("www.city.example"))
        p.change(2, "192.0.2.2")
        wait_until(lambda: r.get("notify-wipes") > 0, 15, "the NOTIFY")
        for name in "www.oak.test", "mail.oak.test":
            wait_until(lambda n=name: r.ask(n).data("A") == ["192.0.2.2"], what="the new address")
        check("www.city.example" in r.rec("dump-cache", "-", "r").stdout, "the rest is kept")
        check(r.get("zone-disallowed-notify") == 0 == r.get("source-disallowed-notify"), "heard")


@test
def notify_nsd():
    """A zone changes at NSD: its NOTIFY has the caches forget it."""
    follows(nsd())


@test
def notify_knot():
    """A zone changes at Knot: its NOTIFY has the caches forget it."""
    follows(knot())


@test
def notify_pdns():
    """A zone changes at pdns_server: its NOTIFY has the caches forget it."""
    follows(pdns())


def notify(name, source="127.0.0.1", ident=7, opcode=4):
    """By hand; the response, or None."""
    wire = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    packet = struct.pack(">HHHHHH", ident, opcode << 11 | 0x400, 1, 0, 0, 0) + wire + b"\0" + \
        struct.pack(">HH", 6, 1)
    with udp_socket() as s:
        s.bind((source, 0))
        s.settimeout(0.5)
        s.sendto(packet, ("127.0.0.1", env.port))
        try:
            return s.recv(512)
        except OSError:
            return None


@test
def notify_rules():
    """Who is not allowed to, and for what is not: dropped and counted. The response is that of
    RFC 1996; allow-notify-* are read again; ^ in forward-zones-file allows too."""
    zones = os.path.join(env.new_dir("zones"), "forwards")
    with open(zones, "w", encoding="ascii") as f:
        f.write("^pine.test=127.30.9.9\n")
    with lab_and_recursor(allow_from="127.0.0.1", allow_notify_from="127.0.0.2, 127.0.0.1",
                          allow_notify_for="example", forward_zones_file=zones) as (_, r):
        reply = notify("city.example", "127.0.0.2")  # not in allow-from
        check(reply is not None and reply[:2] == b"\0\7", "an answer", reply)
        check(reply[2:12] == b"\xa4\0\0\1\0\0\0\0\0\0", "QR, NOTIFY, AA, NOERROR, a question", reply)
        check(notify("a.pine.test", "127.0.0.1") is not None, "^")
        check(r.get("notify-wipes") == 2, "heard")
        check(notify("city.example", "127.0.0.3") is None, "another sender")
        check(r.get("source-disallowed-notify") == 1 and r.get("unauthorized-udp") == 0, "counted")
        check(notify("example-city", "127.0.0.2") is None, "another zone")
        check(r.get("zone-disallowed-notify") == 1, "counted")
        check(notify("city.example", "127.0.0.2", opcode=0) is None, "they may not ask")
        check(r.get("unauthorized-udp") == 1, "counted")

        conf = os.path.join(r.directory, "recursor.conf")
        with open(conf, "a", encoding="ascii") as f:
            f.write("allow-notify-for+=city\n")
        r.rec("reload-acls")
        check(notify("example.city", "127.0.0.2") is not None, "heard now")
