"""Serving stale (RFC 8767) and renewal, over NSD for the root and Knot for a zone with short TTLs."""

import contextlib
import signal
import time

from live import Recursor, check, check_reply, env, root_hints, test, wait_until
from test_authorities import ROOT, ZONE, ZONES, knot, nsd

TTL = 2

ZONES["brief-root"] = (".", f""". 3600 IN SOA a.root. hostmaster.root. 1 3600 900 604800 60
. 3600 IN NS a.root.
a.root. 3600 IN A {ROOT}
brief. 3600 IN NS ns.brief.
ns.brief. 3600 IN A {ZONE}
""")
ZONES["brief"] = ("brief.", f"""$TTL {TTL}
$ORIGIN brief.
@ 3600 IN SOA ns hostmaster 1 3600 900 604800 {TTL}
@ 3600 IN NS ns
ns 3600 IN A {ZONE}
www IN A 192.0.2.1
new IN A 192.0.2.2
alias 3600 IN CNAME www
""")


@contextlib.contextmanager
def brief(**settings):
    env.need_isolation()
    hints = root_hints(env.new_dir("hints"), ROOT)
    with nsd(ROOT, "brief-root"), knot(ZONE, "brief") as authority, \
            Recursor(hint_file=hints, query_local_address="0.0.0.0", **settings) as r:
        yield r, authority


def check_stale(r, name, status="NOERROR", data=("192.0.2.1",), ede=3):
    reply = check_reply(r.ask(name, "A", "+edns"), status, "A" if data else None, list(data))
    records = reply.answer + reply.authority
    check(reply.ede == ede, f"{name}: EDE {ede}", reply)
    check(25 <= min(x[1] for x in records) <= 30, f"{name}: a TTL of 30", reply)


@test
def stale_authority_stopped():
    """An authority that is silent, then back, then gone: clients go on being answered."""
    with brief(serve_stale_extensions=120, serve_stale_client_timeout=300,
               resolution_failure_ttl=1) as (r, authority):
        for name in "www.brief", "alias.brief":
            check(check_reply(r.ask(name, "A", "+edns"), data=["192.0.2.1"], kind="A").ede is None, "fresh")
        check_reply(r.ask("none.brief"), "NXDOMAIN")
        time.sleep(TTL + 1)

        # silent: the client gets old data after a while, and the resolution goes on
        authority.process.send_signal(signal.SIGSTOP)
        try:
            check_stale(r, "www.brief")
            check(r.get("stale-after-timeout") == 1, "the client's patience was over")
            for line in r.rec("current-queries").stdout.splitlines():
                check("127.0.0.1" not in line, "no client waits for what goes on", line)
        finally:
            authority.process.send_signal(signal.SIGCONT)
        wait_until(lambda: r.ask("www.brief", "A", "+edns").ede is None, 10, "an answer that is not stale")
        time.sleep(TTL + 1)

        # gone: refused, and remembered to be
        authority.end(signal.SIGKILL)
        check_stale(r, "www.brief")
        check_stale(r, "www.brief")
        check_stale(r, "alias.brief")
        check_stale(r, "none.brief", "NXDOMAIN", (), 19)
        story = r.rec("explain", "www.brief").stdout
        check("served stale" in story and "expired" in story, "explain says so", story)

        # what is wiped is not served
        r.rec("wipe-cache", "www.brief")
        check(r.ask("www.brief").status == "SERVFAIL", "wiped")

        # and the next one is asked again, for what it was not just asked in vain
        with knot(ZONE, "brief"):
            check_reply(r.ask("new.brief"), kind="A", data=["192.0.2.2"])
            check_stale(r, "none.brief", "NXDOMAIN", (), 19)


@test
def stale_off():
    """The default: an authority that is gone takes its names with it."""
    with brief() as (r, authority):
        check_reply(r.ask("www.brief"), kind="A", data=["192.0.2.1"])
        authority.end(signal.SIGKILL)
        time.sleep(TTL + 1)
        check(r.ask("www.brief").status == "SERVFAIL", "nothing stale")
        check(r.get("stale-answers") == 0, "none counted")


@test
def refresh_popular():
    """With refresh-on-ttl-perc a name that is asked for often is always in the cache."""
    with brief(refresh_on_ttl_perc=50, threads=1) as (r, _):
        check_reply(r.ask("www.brief"), kind="A", data=["192.0.2.1"])
        misses = r.get("cache-misses")
        for _ in range(30):
            check_reply(r.ask("www.brief"), kind="A", data=["192.0.2.1"])
            time.sleep(0.2)
        check(r.get("almost-expired-run") >= 2, "it was renewed", r.get("almost-expired-run"))
        check(r.get("cache-misses") == misses, "nobody waited for it", r.get("cache-misses"))
        check(r.get("packetcache-hits") >= 5, "and the packet cache was of use",
              r.get("packetcache-hits"))
