"""Delegation trees over real authorities: NSD serves the root, Knot a TLD, pdns_server zones."""

import contextlib
import os
import re
import time

from live import (Authority, Recursor, check, check_reply, env, knot_server, knot_zones, nsd_server,
                  nsd_zones, root_hints, test, write)

ROOT, TLD, ZONE, ZONE2, V6 = "127.30.0.1", "127.30.0.2", "127.30.0.3", "127.30.0.4", "fd00:53::6"

SOA = "@ IN SOA ns hostmaster 1 3600 900 604800 60\n"
BIG = "".join(f'big IN TXT "{i:02d} {"x" * 200}"\n' for i in range(20))

ZONES = {
    "root": (".", f""". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60
. 3600 IN NS a.root.
a.root. 3600 IN A {ROOT}
tree. 3600 IN NS ns.nic.tree.
ns.nic.tree. 3600 IN A {TLD}
"""),
    "tree": ("tree.", "$TTL 3600\n$ORIGIN tree.\n" + SOA.replace(" ns ", " ns.nic ") + f"""@ IN NS ns.nic
ns.nic IN A {TLD}
oak IN NS ns1.oak
oak IN NS ns2.oak
ns1.oak IN A {ZONE}
ns2.oak IN A {ZONE2}
pine IN NS ns1.oak
six IN NS ns.six
ns.six IN AAAA {V6}
ash IN DNAME oak
"""),
    "oak": ("oak.tree.", "$TTL 600\n$ORIGIN oak.tree.\n" + SOA.replace(" ns ", " ns1 ") + f"""@ IN NS ns1
@ IN NS ns2
@ IN MX 10 mail
ns1 IN A {ZONE}
ns2 IN A {ZONE2}
www IN A 192.0.2.1
www IN AAAA 2001:db8::1
mail IN A 192.0.2.25
alias IN CNAME www
away IN CNAME www.pine.tree.
*.wild IN A 192.0.2.77
a.b.c.deep IN A 192.0.2.5
sub IN NS ns.sub
ns.sub IN A {ZONE2}
""" + BIG),
    "pine": ("pine.tree.", "$TTL 600\n$ORIGIN pine.tree.\n" + SOA.replace(" ns ", " ns1.oak.tree. ") +
             "@ IN NS ns1.oak.tree.\nwww IN A 192.0.2.2\n"),
    "sub": ("sub.oak.tree.", "$TTL 600\n$ORIGIN sub.oak.tree.\n" + SOA +
            f"@ IN NS ns\nns IN A {ZONE2}\nwww IN A 192.0.2.3\n"),
    "six": ("six.tree.", "$TTL 600\n$ORIGIN six.tree.\n" + SOA +
            f"@ IN NS ns\nns IN AAAA {V6}\nwww IN AAAA 2001:db8::6\n"),
}


def write_zones(directory, *names):
    """{zone: path}"""
    return {ZONES[n][0]: write(os.path.join(directory, n + ".zone"), ZONES[n][1]) for n in names}


def nsd(address, *zones):
    d = env.new_dir("nsd")
    files = write_zones(d, *zones)
    return Authority("nsd", d, nsd_server(d, address) + nsd_zones(files), address, next(iter(files)))


def knot(address, *zones):
    d = env.new_dir("knot")
    files = write_zones(d, *zones)
    return Authority("knot", d, knot_server(d, address) + knot_zones(d, files), address,
                     next(iter(files)))


def pdns(address, *zones, extra=""):
    d = env.new_dir("pdns")
    files = write_zones(d, *zones)
    named = "".join(f'zone "{name.rstrip(".")}" {{ type master; file "{path}"; }};\n'
                    for name, path in files.items())
    write(os.path.join(d, "named.conf"), named)
    conf = f"""launch=bind
bind-config={d}/named.conf
local-address={address}
local-port=53
socket-dir={d}
daemon=no
guardian=no
disable-syslog=yes
receiver-threads=1
distributor-threads=1
dname-processing=yes
security-poll-suffix=
{extra}"""
    return Authority("pdns", d, conf, address, next(iter(files)))


@contextlib.contextmanager
def tree(**settings):
    """The whole tree, and a recursor that knows its root."""
    env.need_isolation()
    env.need_ipv6()
    hints = root_hints(env.new_dir("hints"), ROOT)
    with nsd(ROOT, "root"), knot(TLD, "tree"), pdns(ZONE, "oak", "pine"), \
            knot(ZONE2, "oak", "sub"), nsd(V6, "six"):
        with Recursor(hint_file=hints, query_local_address="0.0.0.0, ::", **settings) as r:
            yield r


def check_all(r):
    for name, kind, want, data in (
            ("www.oak.tree", "A", "A", ["192.0.2.1"]),
            ("www.oak.tree", "AAAA", "AAAA", ["2001:db8::1"]),
            ("oak.tree", "MX", "MX", ["10 mail.oak.tree."]),
            ("alias.oak.tree", "A", "A", ["192.0.2.1"]),
            ("away.oak.tree", "A", "A", ["192.0.2.2"]),
            ("any.thing.wild.oak.tree", "A", "A", ["192.0.2.77"]),
            ("a.b.c.deep.oak.tree", "A", "A", ["192.0.2.5"]),
            ("b.c.deep.oak.tree", "A", "A", []),
            ("www.sub.oak.tree", "A", "A", ["192.0.2.3"]),
            ("www.pine.tree", "A", "A", ["192.0.2.2"]),
            ("www.six.tree", "AAAA", "AAAA", ["2001:db8::6"]),
            ("www.ash.tree", "A", "A", ["192.0.2.1"]),
            ("oak.tree", "NS", "NS", ["ns1.oak.tree.", "ns2.oak.tree."]),
            (".", "NS", "NS", ["a.root."])):
        check_reply(r.ask(name, kind), kind=want, data=data)
    for name in "nope.oak.tree", "nope.tree", "nope", "x.www.oak.tree":
        reply = check_reply(r.ask(name), "NXDOMAIN")
        check([x[2] for x in reply.authority] == ["SOA"], f"{name}: its SOA", reply)
    reply = check_reply(r.ask("www.oak.tree", "TXT"), kind="TXT", data=[])
    check([x[2] for x in reply.authority] == ["SOA"], "NODATA: its SOA", reply)


@test
def authorities_tree():
    """Delegations, aliases, wildcards, DNAME, denials, IPv6, over NSD, Knot and PowerDNS."""
    with tree() as r:
        check_all(r)
        check_all(r)
        check(r.get("ipv6-outqueries") >= 1, "asked over IPv6")


@test
def authorities_tree_without_minimisation():
    """The same with whole names in each question."""
    with tree(qname_minimization="no") as r:
        check_all(r)


@test
def authorities_tree_0x20():
    """The same with 0x20: all of them keep the case."""
    with tree(use_0x20="yes") as r:
        check_all(r)
        check(r.get("case-mismatches") == 0, "no mismatch")


@test
def authorities_tcp():
    """Truncated by the authority, fetched over TCP, delivered by TCP."""
    with tree() as r:
        for client in "kdig", "dig":
            reply = check_reply(r.ask("big.oak.tree", "TXT", client=client))
            check(len(reply.data("TXT")) == 20, "all twenty", reply)
        check(r.get("tcp-outqueries") >= 1, "asked over TCP")


@test
def authorities_one_dies():
    """One of a zone's servers is stopped: the other answers."""
    env.need_isolation()
    hints = root_hints(env.new_dir("hints"), ROOT)
    with nsd(ROOT, "root"), knot(TLD, "tree"), pdns(ZONE, "oak", "pine") as dies, \
            knot(ZONE2, "oak", "sub"), Recursor(hint_file=hints) as r:
        check_reply(r.ask("www.oak.tree"))
        dies.end()
        for i in range(6):
            began = time.monotonic()
            check_reply(r.ask(f"n{i}.wild.oak.tree"), kind="A", data=["192.0.2.77"])
            check(time.monotonic() - began < 3, "soon")
        check(r.get("unreachables") >= 0, "counted")


@test
def authorities_agree():
    """explain's account of the way to a name names each authority on it."""
    with tree() as r:
        text = r.rec("explain", "www.sub.oak.tree").stdout
        for address in ROOT, TLD, ZONE2:
            check(re.search(re.escape(address), text), f"{address} was asked", text)
