"""Servers that misbehave, one way at a time; the lab counts what they were asked."""

import re
import time

from live import ask, check, check_reply, lab_and_recursor, test

ONE, OTHER = "127.20.6.1", "127.20.6.2"
NAMES = [f"q{i}.fault.example" for i in range(12)]


def answers_all(lab, recursor, fault, names=None, seconds=4):
    """One of the zone's two servers has the fault: every name is answered nevertheless."""
    lab.fault(ONE, *fault)
    for name in NAMES if names is None else names:
        began = time.monotonic()
        check_reply(recursor.ask(name), kind="A", data=["192.0.2.6"])
        check(time.monotonic() - began < seconds, f"{name} took too long")


def one_of_two(*fault):
    with lab_and_recursor() as (lab, r):
        answers_all(lab, r, fault)
        check(lab.asked(ONE) + lab.asked(OTHER) < 60, "not asked too often", lab.queries())


@test
def fault_silent():
    """One server is silent: found out once, then avoided."""
    with lab_and_recursor() as (lab, r):
        answers_all(lab, r, ["silent"])
        check(lab.asked(ONE) <= 4, "the silent one is left alone", lab.queries())
        lab.fault(ONE, "none")


@test
def fault_refused():
    """One server refuses."""
    one_of_two("refused")


@test
def fault_servfail():
    """One server fails."""
    one_of_two("servfail")


@test
def fault_lame():
    """One server is lame."""
    with lab_and_recursor() as (lab, r):
        answers_all(lab, r, ["lame"])
        check(r.get("lame-answers") >= 1 or lab.asked(ONE) == 0, "counted")


@test
def fault_garbled():
    """One server sends rubbish."""
    one_of_two("garbled")


@test
def fault_mismatch():
    """One server answers other questions than were asked."""
    one_of_two("mismatch")


@test
def fault_loss():
    """A fifth of all packets of both servers are lost."""
    with lab_and_recursor() as (lab, r):
        lab.fault(OTHER, "loss", 20)
        answers_all(lab, r, ["loss", 20], seconds=7)


@test
def fault_rate_limited():
    """Servers that answer five questions a second."""
    with lab_and_recursor() as (lab, r):
        lab.fault(OTHER, "rate", 5)
        answers_all(lab, r, ["rate", 5], seconds=7)


@test
def fault_formerr():
    """Servers that answer FORMERR to EDNS: asked without, and remembered."""
    with lab_and_recursor() as (lab, r):
        lab.fault(OTHER, "formerr")
        answers_all(lab, r, ["formerr"])
        check(r.get("edns-fallbacks") >= 1, "counted")
        check(lab.asked(ONE) + lab.asked(OTHER) <= len(NAMES) + 8, "remembered", lab.queries())


@test
def fault_truncated():
    """Every answer over UDP is truncated: everything goes over TCP."""
    with lab_and_recursor() as (lab, r):
        lab.fault(OTHER, "truncated")
        answers_all(lab, r, ["truncated"])
        check(r.get("tcp-outqueries") >= len(NAMES), "over TCP")


@test
def fault_truncated_reuses_connections():
    """Questions over TCP share connections."""
    with lab_and_recursor(threads=1) as (lab, r):
        for server in ONE, OTHER:
            lab.fault(server, "truncated")
        r.ask("first.fault.example")
        lab.reset()
        for name in NAMES:
            check_reply(r.ask(name), kind="A", data=["192.0.2.6"])
        connections = sum(int(x) for x in re.findall(r"connections (\d+)", lab.ctl("counters")))
        check(connections <= 3, f"{connections} connections for {len(NAMES)} questions",
              lab.ctl("counters"))


@test
def fault_connection_goes_away():
    """The lab closes idle connections, or dies and comes back: asked anew over a fresh one."""
    with lab_and_recursor(threads=1) as (lab, r):
        for server in ONE, OTHER:
            lab.fault(server, "truncated")
        check_reply(r.ask(NAMES[0]), kind="A", data=["192.0.2.6"])
        lab.ctl("hangup")
        check_reply(r.ask(NAMES[1]), kind="A", data=["192.0.2.6"])


@test
def fault_truncated_without_tcp():
    """TC, and no TCP to come back to: the other server."""
    with lab_and_recursor() as (lab, r):
        lab.fault(ONE, "no-tcp")
        answers_all(lab, r, ["truncated"])


@test
def fault_spoofed():
    """A forger who guesses ids gets there first: over TCP, and the truth is told."""
    with lab_and_recursor(spoof_nearmiss_max=5) as (lab, r):
        lab.fault(OTHER, "spoofed", 20)
        answers_all(lab, r, ["spoofed", 20])
        check(r.get("spoof-prevents") >= 1, "counted")
        check(r.get("tcp-outqueries") >= 1, "over TCP")


@test
def fault_near_miss():
    """One wrong id is no reason for anything."""
    with lab_and_recursor(spoof_nearmiss_max=5) as (lab, r):
        lab.fault(OTHER, "spoofed", 1)
        answers_all(lab, r, ["spoofed", 1])
        check(r.get("spoof-nearmisses") >= 1 and r.get("spoof-prevents") == 0, "counted as misses")


@test
def fault_slow_server():
    """One of two servers is slow: most questions go to the quick one."""
    with lab_and_recursor() as (lab, r):
        lab.fault(ONE, "delay", 300)
        for i in range(30):
            check_reply(r.ask(f"s{i}.fault.example"))
        check(lab.asked(ONE) < 10, "the slow one is asked seldom", lab.ctl("counters"))
        check(lab.asked(OTHER) > 20, "the quick one often", lab.ctl("counters"))


@test
def fault_server_comes_back():
    """A server that was dead and is back is used again when the other dies."""
    with lab_and_recursor() as (lab, r):
        answers_all(lab, r, ["silent"], NAMES[:4])
        lab.fault(ONE, "none")
        lab.fault(OTHER, "silent")
        for name in NAMES[4:8]:
            check_reply(r.ask(name), kind="A", data=["192.0.2.6"])


@test
def fault_all_silent():
    """Both are silent: SERVFAIL in less than 8 s, remembered, no load on anybody."""
    with lab_and_recursor() as (lab, r):
        lab.fault(ONE, "silent")
        lab.fault(OTHER, "silent")
        began = time.monotonic()
        reply = check_reply(r.ask("dead.fault.example", "A", "+edns"), "SERVFAIL")
        check(time.monotonic() - began < 8, "in time")
        check(reply.ede in (22, 23), "an extended error", reply)
        lab.reset()
        check_reply(r.ask("dead.fault.example"), "SERVFAIL")
        check(lab.asked() == 0, "remembered", lab.queries())


@test
def fault_others_do_not_wait():
    """While one zone's servers are silent, other names are answered as quickly as ever."""
    with lab_and_recursor() as (lab, r):
        r.ask("www.city.example")
        lab.fault(ONE, "silent")
        lab.fault(OTHER, "silent")
        for i in range(5):
            ask(f"stuck{i}.fault.example", wait=0.1)
        began = time.monotonic()
        check_reply(r.ask("mail.city.example"))
        check(time.monotonic() - began < 1, "at once")


@test
def fault_lowercase_0x20():
    """use-0x20 with servers that do not keep the case: answered all the same."""
    with lab_and_recursor(use_0x20="yes") as (lab, r):
        check_reply(r.ask("www.city.example"), kind="A", data=["192.0.2.80"])
        lab.fault(OTHER, "lowercase")
        answers_all(lab, r, ["lowercase"], NAMES[:2], seconds=8)
