"""The scripts of lua-examples/, each loaded and seen to do what its header says.

What a script has for its operator to fill in (a network, a domain, a number) is replaced by what the
lab has; a text that is not there any more fails the test.
"""

import contextlib
import os
import re
import struct

from live import (TREE, Failed, Lab, Recursor, check, check_reply, env, question, test, udp_socket,
                  wait_until, write)

EXAMPLES = os.path.join(TREE, "lua-examples")
BAD, GOOD = "127.0.0.7", "127.0.0.8"  # clients
CASES = {}


def example(name, threads=2):
    """Marks what tests a script: a function of the lab, the recursor and load()."""
    def mark(function):
        CASES[name] = (function, threads)
        return function
    return mark


class Loader:
    """Loads a script, filled in."""

    def __init__(self, recursor, name):
        self.recursor = recursor
        with open(os.path.join(EXAMPLES, name), encoding="ascii") as f:
            self.text = f.read()
        self.path = os.path.join(recursor.directory, name)

    def __call__(self, *replacements, expect=0):
        text = self.text
        for old, new in replacements:
            check(old in text, f"{os.path.basename(self.path)} has no '{old}'")
            text = text.replace(old, new)
        with open(self.path, "w", encoding="ascii") as f:
            f.write(text)
        if expect == 0:  # first what the header says to do first; it touches nothing
            before = self.recursor.rec("list-ipsets").stdout
            self.recursor.rec("try-lua-script", self.path)
            check(self.recursor.rec("list-ipsets").stdout == before, "a trial changes no set")
        return self.recursor.rec("reload-lua-script", self.path, expect=expect)


def client(address):
    s = udp_socket()
    s.bind((address, 0))
    s.connect(("127.0.0.1", env.port))
    return s


def ask_udp(name, address, kind=1):
    """The header's flags of the answer."""
    with contextlib.closing(client(address)) as s:
        s.send(question(name, kind))
        return struct.unpack("!6H", s.recv(4096)[:12])[1]


def is_dropped(recursor, name, address):
    """A query of this client is dropped, and counted."""
    before = recursor.get("policy-drops")
    with contextlib.closing(client(address)) as s:
        s.send(question(name))
        recursor.wait_get("policy-drops", before + 1)
        s.setblocking(False)
        try:
            s.recv(4096)
        except BlockingIOError:
            return
        raise Failed(f"{address} was answered, and not dropped")


def is_served(recursor, name, address):
    check_reply(recursor.ask(name, "A", "-b", address), kind="A", data=["192.0.2.80"])


# ---- blocking clients ----

@example("kill-and-block.lua", threads=1)
def kill_and_block(_, r, load):
    load(("192.121.121.0/24", "127.20.6.0/24"))
    is_served(r, "www.city.example", BAD)
    check_reply(r.ask("a.fault.example", "A", "-b", BAD), "SERVFAIL")
    check(f"blocking {BAD}" in r.log(), "the log names him", r.log())
    is_dropped(r, "www.city.example", BAD)
    is_served(r, "www.city.example", GOOD)
    # Ten thousand packets later he has another chance.
    before = r.get("policy-drops")
    with contextlib.closing(client(BAD)) as s:
        packet = question("www.city.example")
        s.settimeout(0.02)

        def is_answered():
            for _ in range(300):
                s.send(packet)
            try:
                return bool(s.recv(4096))
            except TimeoutError:
                return False

        wait_until(is_answered, 30, "he is served again")
    dropped = r.get("policy-drops") - before
    check(9000 <= dropped < 10000, f"{dropped} packets were dropped before")


def is_blocked_everywhere(r):
    for _ in range(8):  # ports, and so workers
        is_dropped(r, "www.city.example", BAD)


@example("block-expiring.lua")
def block_expiring(_, r, load):
    fill_in = (("192.121.121.0/24", "127.20.6.0/24"), ("ttl = 60", "ttl = 2"))
    load(*fill_in)
    is_served(r, "www.city.example", BAD)
    check_reply(r.ask("b.fault.example", "A", "-b", BAD), "SERVFAIL")
    is_dropped(r, "www.city.example", BAD)
    check(BAD in r.rec("dump-ipset", "blocked", "-").stdout, "he is in the set")
    load(*fill_in)  # the set outlives the script
    is_dropped(r, "www.city.example", BAD)
    is_served(r, "www.city.example", GOOD)
    wait_until(lambda: BAD not in r.rec("dump-ipset", "blocked", "-").stdout, 5, "he is forgotten")
    is_served(r, "www.city.example", BAD)
    r.rec("add-to-ipset", "blocked", "ttl=60", BAD)
    is_blocked_everywhere(r)
    r.rec("remove-from-ipset", "blocked", BAD)
    is_served(r, "www.city.example", BAD)


@example("block-expiring-classic.lua")
def block_expiring_classic(_, r, load):
    load(("192.121.121.0/24", "127.20.6.0/24"))
    check_reply(r.ask("c.fault.example", "A", "-b", BAD), "SERVFAIL")
    is_blocked_everywhere(r)
    is_served(r, "www.city.example", GOOD)
    found = re.search(r"^blocked +(\d+) +(\d+) +(\d+) ", r.rec("list-ipsets").stdout, re.M)
    check(found and found.groups() == ("1", "1000000", "60"), "list-ipsets shows it", found)
    check(r.rec("clear-ipset", "blocked").stdout == "removed 1 from ipset blocked\n", "cleared")
    is_served(r, "www.city.example", BAD)


@example("block-list.lua")
def block_list(_, r, load):
    load()
    path = write(os.path.join(r.directory, "addresses"),
                 f"# bots\n{BAD}\n2001:db8::1\n192.0.2.1 60\n")
    check(r.rec("load-ipset", "infected", path).stdout == "loaded 3 into ipset infected\n", "loaded")
    is_blocked_everywhere(r)
    is_served(r, "www.city.example", GOOD)
    with open(path, "a", encoding="ascii") as f:
        f.write("10.0.0.0/8\n")
    said = r.rec("load-ipset", "infected", path, expect=1).stderr
    check(said == f"{path}:5: an ipset holds addresses, no netmasks: '10.0.0.0/8'\n", "why", said)
    is_dropped(r, "www.city.example", BAD)
    r.rec("clear-ipset", "infected")
    is_served(r, "www.city.example", BAD)
    check(r.get("ipset-entries") == 0 and r.get("ipset-sets") >= 1, "counted")


@example("rate-limit.lua")
def rate_limit(_, r, load):
    load(("qps = 50, burst = 100", "qps = 0.1, burst = 3"),
         ("qps = 200, burst = 400", "qps = 0.1, burst = 6"))
    flags = [ask_udp(f"r{i}.customers.city.example", BAD) for i in range(6)]
    truncated = [bool(f & 0x0200) for f in flags]
    check(truncated == [False] * 3 + [True] * 3, "three pass, then TC", truncated)
    is_dropped(r, "www.city.example", BAD)
    is_served(r, "www.city.example", GOOD)
    check(r.get("ratelimit-refusals") >= 4, "counted")


# ---- names ----

@example("block-names.lua")
def block_names(lab, r, load):
    path = write(os.path.join(r.directory, "bad-names"),
                 "".join(f"malware{i}.example\n" for i in range(500000)) +
                 "Customers.City.example  # a wildcard\n")
    load(("/etc/recursor/bad-names", path))
    check(r.get("script-list-names") == 500001, "one copy for all workers")
    check(r.get("script-shared-bytes") < 500001 * 50, "fifty bytes a name")
    lab.reset()
    for name in ("malware0.example", "www.MALWARE499999.example", "x.customers.city.example"):
        check_reply(r.ask(name), "NXDOMAIN")
    check(lab.asked() == 0, "nobody was asked")
    is_served(r, "www.city.example", BAD)
    check(r.get("blocked-names") == 3, "counted")
    with open(path, "a", encoding="ascii") as f:
        f.write("no..name\n")
    said = load(("/etc/recursor/bad-names", path), expect=1).stderr
    check(f"{path}:500002: 'no..name': not a name" in said, "file and line", said)
    check_reply(r.ask("www.malware7.example"), "NXDOMAIN")  # the old one stays


@example("refuse-any.lua")
def refuse_any(_, r, load):
    load()
    flags = ask_udp("www.city.example", BAD, 255)
    check(flags & 15 == 5, f"REFUSED over UDP, flags {flags:04x}")
    reply = check_reply(r.ask("www.city.example", "ANY", "+tcp", "+edns"), "REFUSED")
    check(reply.ede == 21, "and over TCP, with the reason", reply)
    is_served(r, "www.city.example", BAD)
    check(r.get("refused-any") == 2, "counted")


@example("truncate-domain.lua")
def truncate_domain(_, r, load):
    load(("example.org", "city.example"))
    check(ask_udp("new.customers.city.example", BAD) & 0x0200, "TC over UDP")
    check_reply(r.ask("new.customers.city.example", "A", "+tcp"), kind="A", data=["192.0.2.99"])
    check(not ask_udp("d.fault.example", BAD) & 0x0200, "others as ever")


@example("entropy.lua")
def entropy(lab, r, load):
    load()
    lab.reset()
    for name in ("qx7h2kd9zvw3.example", "www.Qx7h2Kd9zvw3b.example"):
        check_reply(r.ask(name), "NXDOMAIN")
    check(lab.asked() == 0, "nobody was asked")
    is_served(r, "www.city.example", BAD)
    for name in ("internationalisation.example", "a.b.qx7h2kd9zvw3.city.example"):
        r.ask(name)
    check(r.get("generated-names") == 2, "words and lower labels are let through")


@example("known-names.lua")
def known_names(lab, r, load):
    load(("example.org", "city.example"))
    lab.reset()
    check_reply(r.ask("x7f3.city.example"), "REFUSED")
    check(lab.asked() == 0, "nobody was asked")
    is_served(r, "www.city.example", BAD)
    is_served(r, "city.example", BAD)
    check_reply(r.ask("mail.city.example"), kind="A", data=["192.0.2.25"])
    check_reply(r.ask("e.fault.example"), kind="A", data=["192.0.2.6"])
    check(r.get("refused-random") == 1, "counted")


# ---- other answers ----

@example("dns64.lua")
def dns64(_, r, load):
    load()
    reply = check_reply(r.ask("six.customers.city.example", "AAAA"))
    check(reply.data("AAAA") == ["64:ff9b::c000:263"], "made of 192.0.2.99", reply)
    check_reply(r.ask("www.city.example", "AAAA"), kind="AAAA", data=["2001:db8:80::1"])
    reverse = "0.5.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa"
    check_reply(r.ask(reverse, "PTR"), kind="PTR", data=["www.city.example."])


@example("split-horizon.lua")
def split_horizon(_, r, load):
    load(("10.0.0.0/8", BAD), ("www.example.org.", "www.city.example."))
    for _ in range(3):
        check_reply(r.ask("www.city.example", "A", "-b", BAD), kind="A", data=["10.1.2.4"])
        is_served(r, "WWW.city.example", GOOD)
    check_reply(r.ask("www.city.example", "AAAA", "-b", BAD), kind="AAAA", data=[])


# ---- questions to servers ----

@example("tcp-for-domain.lua")
def tcp_for_domain(_, r, load):
    load(("example.org", "city.example"))
    before = r.get("tcp-outqueries")
    is_served(r, "www.city.example", BAD)
    asked = r.get("tcp-outqueries") - before
    check(asked > 0, "over TCP")
    check_reply(r.ask("f.fault.example"), kind="A", data=["192.0.2.6"])
    check(r.get("tcp-outqueries") == before + asked, "the others over UDP")


@example("divert.lua")
def divert(lab, r, load):
    # The first one is the quicker one, so that it would be asked.
    r.rec("clear-nsspeeds")
    lab.fault("127.20.6.2", "delay", 40)
    for i in range(10):
        r.ask(f"h{i}.fault.example")
    load(("192.0.2.53", "127.20.6.1"), ("198.51.100.53:53", f"127.20.6.2:{env.lab_port}"))
    lab.fault("127.20.6.2", "delay", "30")
    lab.reset()
    for i in range(20):
        r.rec("clear-nsspeeds")  # of two that nobody knows either may be asked
        check_reply(r.ask(f"g{i}.fault.example"), kind="A", data=["192.0.2.6"])
    lab.fault("127.20.6.2", "none")
    check(lab.asked("127.20.6.1") == 0, "the first one is not asked")
    lab.fault("127.20.6.2", "none")
    check(r.get("diverted-questions") > 0, "counted")


@example("log-and-sample.lua")
def log_and_sample(_, r, load):
    load(("ONE_OF = 1000", "ONE_OF = 1"), ("example.org", "host.lab"))
    is_served(r, "www.city.example", BAD)
    check_reply(r.ask("none.host.lab", "A", "-b", BAD), "NXDOMAIN")
    check(f"sample: {BAD} www.city.example. 1" in r.log(), "sampled", r.log())
    check(f"nxdomain: {BAD} none.host.lab. 1" in r.log(), "and every denial", r.log())
    check(r.get("sampled-queries") >= 2 and r.get("sampled-nxdomains") == 1, "counted")


# ---- all of them ----

def run_examples(threads):
    """Each in a daemon that has run the others before; caches and sets are as new."""
    with Lab() as lab:
        directory = env.new_dir("recursor")
        zone = write(os.path.join(directory, "reverse.zone"),
                     "@ 60 SOA ns hostmaster 1 2 3 4 5\n@ 60 NS ns.host.lab.\n"
                     "80 60 PTR www.city.example.\n")
        with Recursor(lab, directory=directory, threads=threads, any_to_tcp="no",
                      auth_zones=f"2.0.192.in-addr.arpa={zone}") as r:
            for name, (function, wanted) in CASES.items():
                if wanted != threads:
                    continue
                r.rec("wipe-cache", ".$")
                try:
                    function(lab, r, Loader(r, name))
                except Failed as e:
                    raise Failed(f"{name}: {e}") from None
                check("lua error in" not in r.log(), f"{name}: an error in the log", r.log())
            r.rec("unload-lua-script")
            is_served(r, "www.city.example", BAD)


@test
def examples_of_one_worker():
    """Scripts of lua-examples that keep their lists for themselves."""
    run_examples(1)


@test
def examples():
    """Scripts of lua-examples: each does what its header says."""
    run_examples(2)


@test
def examples_are_explained():
    """Each has a header that says which attack, how to load it and how to see it work; and a test."""
    names = sorted(name for name in os.listdir(EXAMPLES) if name.endswith(".lua"))
    check(len(names) >= 10, "at least ten")
    # test_first_attack.py has the one that its page is about.
    tested = {*CASES, "first-attack.lua"}
    check(set(names) == tested, "each has a test", set(names) ^ tested)
    for name in names:
        with open(os.path.join(EXAMPLES, name), encoding="ascii") as f:
            text = f.read()
        header = text[:text.index("\n\n")]
        for what in ("Attack: |Purpose:", "Does:   ", "Load:   ", "See:    "):
            check(re.search(rf"^-- ({what}) ", header, re.M), f"{name} does not say {what}", header)
        check(all(line.startswith("--") for line in header.splitlines()), f"{name}: a header")
