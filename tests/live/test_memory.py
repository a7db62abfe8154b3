"""The memory of the caches: what max-cache-memory promises, under floods of names asked once."""

import os
import random
import socket
import time

from live import check, check_reply, env, lab_and_recursor, question, test, torture, wait_until

POPULAR = 300
PADDING = "-in-the-name-of-so-many-more-bytes"
AT_ONCE = 64  # questions under way
EVICTED = 5000  # so many sets had to go: the cache was full, and more has come since


class Client:
    """Asks as fast as answers come."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(1)
        self.socket.connect(("127.0.0.1", env.port))
        self.under_way = 0
        self.ident = 0
        self.answers = 0  # with data, or a denial

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.finish()
        self.socket.close()

    def take(self):
        try:
            self.answers += self.socket.recv(4096)[3] & 0xf in (0, 3)
            self.under_way -= 1
        except socket.timeout:
            self.under_way = 0  # lost

    def ask(self, name):
        while self.under_way >= AT_ONCE:
            self.take()
        self.ident = (self.ident + 1) & 0xffff
        self.socket.send(question(name, ident=self.ident))
        self.under_way += 1

    def finish(self):
        while self.under_way > 0:
            self.take()


def popular(i):
    return f"popular{i % POPULAR}.customers.city.example"


def one_time(number):
    """Half of them exist, by a wildcard; the others are denied."""
    zone = "customers.city.example" if number % 2 else "city.example"
    return f"{random.getrandbits(40):x}{number:x}{PADDING}." + zone


def ask_popular(client, times):
    for _ in range(times):
        for i in range(POPULAR):
            client.ask(popular(i))
        client.finish()


def flood(client, until, watch, enough=lambda: False):
    """Names asked once, and one of the popular ones for each ten; watch() now and then."""
    n = 0
    while time.monotonic() < until and not enough():
        for _ in range(1000):
            n += 1
            client.ask(one_time(n))
            if n % 10 == 0:
                client.ask(popular(n // 10))
        watch()
    client.finish()
    return n


class Watch:
    def __init__(self, recursor):
        self.recursor = recursor
        self.resident = recursor.get("real-memory-usage")
        self.most_resident = self.most_cached = 0

    def __call__(self):
        cached = self.recursor.get("cache-memory")
        most = self.recursor.get("max-cache-memory")
        check(cached <= most, f"the caches take {cached} bytes of {most}")
        self.most_cached = max(self.most_cached, cached)
        self.most_resident = max(self.most_resident,
                                 self.recursor.get("real-memory-usage") - self.resident)


def n_known(lab, client, names):
    """How many of the names are answered without asking their servers."""
    lab.reset()
    before = client.answers
    for name in names:
        client.ask(name)
    client.finish()
    return client.answers - before - lab.asked()


def has_evicted(recursor):
    return recursor.get("record-cache-evicted") > EVICTED


@test
def memory_is_bounded():
    """A flood of names asked once: the caches stay within max-cache-memory, and popular names in
    them."""
    with lab_and_recursor(max_cache_memory="8M") as (lab, r), Client() as client:
        ask_popular(client, 3)
        watch = Watch(r)
        flood(client, time.monotonic() + 60, watch, lambda: has_evicted(r))
        check(has_evicted(r), "something had to go")
        check(watch.most_cached > 7 << 20, "and not too early", watch.most_cached)
        known = n_known(lab, client, map(popular, range(POPULAR)))
        check(known >= POPULAR * 0.9, f"{known} of {POPULAR} popular names are known still")
        # With less: in time they shrink to it, without a question.  With more they may grow.
        r.rec("set-max-cache-memory", "12M")
        check(r.get("max-cache-memory") == 12 << 20, "more")
        flood(client, time.monotonic() + 60, watch, lambda: r.get("cache-memory") > 9 << 20)
        check(r.get("cache-memory") > 8 << 20, "more is used", r.get("cache-memory"))
        r.rec("set-max-cache-memory", "8M")
        wait_until(lambda: r.get("cache-memory") <= 8 << 20, 20, "what is too much has gone")
        r.rec("set-max-cache-memory", "8388607", expect=1)
        check(r.rec("get-parameter", "max-cache-memory").stdout == "max-cache-memory=8M\n",
              "what is refused changes nothing")


@test
def memory_packetcache_is_for_the_second_time():
    """An answer that had to be asked for does not enter the packet cache; when it is asked for
    again it does."""
    with lab_and_recursor(threads=1) as (_, r):
        for expected in (0, 1, 1):
            r.ask("www.city.example")
            check(r.get("packetcache-entries") == expected, f"{expected} answers are kept",
                  r.get("packetcache-entries"))
        check(r.get("packetcache-hits") == 1, "the third time it is found there")


@test
def memory_packetcache_of_denials():
    """packetcache-negative-ttl: so long a denial stays in the packet cache, and with 0 in the record
    cache alone; what is there does not mind."""
    with lab_and_recursor(threads=1, packetcache_negative_ttl=0) as (lab, r):
        r.ask("nope.city.example")
        lab.reset()
        for _ in range(2):
            check_reply(r.ask("nope.city.example"), "NXDOMAIN")
        check(r.get("packetcache-entries") == 0 and lab.asked() == 0, "in the record cache alone")
        for _ in range(3):
            check_reply(r.ask("www.city.example"))
        check(r.get("packetcache-hits") == 1, "but for what is there", r.get("packetcache-hits"))


@torture
def torture_memory():
    """SECONDS of a flood of names asked once: memory stays bounded, popular names known."""
    seconds = float(os.environ.get("SECONDS") or 600)
    patience = max(seconds, 300)  # for what is to be full, however few SECONDS are
    budget = 32 << 20
    # Nothing expires meanwhile: what is not known at the end was pushed out.
    with lab_and_recursor(max_cache_memory=budget, minimum_ttl_override=7200) as (lab, r), \
            Client() as client:
        ask_popular(client, 3)
        watch = Watch(r)
        began = time.monotonic()
        asked = spent = 0
        while spent < seconds or (spent < patience and not has_evicted(r)):
            until = time.monotonic() + min(10, max(seconds - spent, 1))
            asked += flood(client, until, watch)
            spent = time.monotonic() - began
            print(f"# {spent:.0f} s: {asked} names, "
                  f"{r.get('cache-memory') >> 10} KB in caches, "
                  f"{watch.most_resident >> 10} KB more resident, "
                  f"{r.get('cache-entries')} sets, {r.get('packetcache-entries')} answers",
                  flush=True)
        known = n_known(lab, client, map(popular, range(POPULAR)))
        print(f"# {known} of {POPULAR} popular names are known still", flush=True)
        check(known >= POPULAR * 0.9, f"{known} of {POPULAR} popular names are known still")
        check(watch.most_resident <= budget * 3 // 2, "resident memory grew by more than half "
              "again of max-cache-memory", watch.most_resident)
        check(has_evicted(r), "something had to go", f"{asked} names")
        check(watch.most_cached > budget * 0.9, "and not too early", watch.most_cached)
