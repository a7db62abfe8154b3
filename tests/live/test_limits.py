"""The budget: attacks cost at most 50 questions and less than 8 s, and end in SERVFAIL.

The lab counts, so retries, fall-backs and both address families are included.
"""

import time

from live import ATTACKS, Client, check, check_reply, env, lab_and_recursor, test

MOST, SECONDS = 50, 8


def costs_at_most(lab, recursor, name, kind="A", status="SERVFAIL"):
    lab.reset()
    began = time.monotonic()
    check_reply(recursor.ask(name, kind), status)
    seconds = time.monotonic() - began
    check(seconds < SECONDS, f"{name}: {seconds:.1f} s")
    time.sleep(0.5)  # what is still to come would be counted
    check(lab.asked() <= MOST, f"{name}: {lab.asked()} questions", lab.queries()[-3000:])
    return lab.asked()


def attack(*names, **settings):
    if env.isolated:
        settings.setdefault("query_local_address", "0.0.0.0, ::")
    with lab_and_recursor("--lua", ATTACKS, **settings) as (lab, r):
        r.ask("www.city.example")  # the root is primed, and so on
        for name in names:
            costs_at_most(lab, r, name)
        lab.reset()
        check_reply(r.ask("mail.city.example"), kind="A", data=["192.0.2.25"])


@test
def limit_endless_delegation():
    """Every label is a zone cut."""
    attack(".".join("x" * 58) + ".endless.example")
    attack(".".join("y" * 58) + ".endless.example", qname_minimization="no")


@test
def limit_endless_glueless():
    """To find a zone's servers takes finding two others', for ever."""
    attack("www.n1-chain.example", "www.n100000-chain.example")


@test
def limit_sixty_names():
    """A referral to sixty names without glue, none of which exists."""
    attack("www.victim.example", "other.victim.example")


@test
def limit_sixty_names_silent():
    """A referral to sixty names whose servers are silent."""
    attack("www.victim6.example")


@test
def limit_endless_aliases():
    """Every name is an alias."""
    attack("www.alias1.example", "www.alias500.example")


@test
def limit_huge_referral():
    """A server of a zone refers everything to two hundred names."""
    with lab_and_recursor() as (lab, r):
        r.ask("www.fault.example")
        lab.fault("127.20.6.1", "huge", 200)
        lab.fault("127.20.6.2", "huge", 200)
        costs_at_most(lab, r, "a.b.fault.example")


@test
def limit_everything_silent():
    """The whole Internet is silent, both families."""
    with lab_and_recursor(query_local_address="0.0.0.0, ::" if env.isolated else "0.0.0.0") as (lab,
                                                                                                 r):
        lab.fault("*", "silent")
        costs_at_most(lab, r, "www.city.example")


@test
def limit_lower_setting():
    """max-qperq=10 means ten."""
    with lab_and_recursor("--lua", ATTACKS, max_qperq=10) as (lab, r):
        check_reply(r.ask("www.city.example"))
        check(costs_at_most(lab, r, "www.n1-chain.example") <= 10, "ten", lab.queries())
        check(r.get("max-qperq-reached") >= 1, "counted")


@test
def limit_is_logged():
    """log-common-errors=yes: who got SERVFAIL, for which name, and which limit it was."""
    with lab_and_recursor("--lua", ATTACKS, log_common_errors="yes") as (_, r):
        check_reply(r.ask("www.n1-chain.example"), "SERVFAIL")
        line = "Sending SERVFAIL to 127.0.0.1 during resolve of 'www.n1-chain.example.|A' because: "
        check(line in r.log(), "a line", r.log())
    with lab_and_recursor("--lua", ATTACKS) as (_, r):
        check_reply(r.ask("www.n1-chain.example"), "SERVFAIL")
        check("Sending SERVFAIL" not in r.log(), "not unless asked for", r.log())


@test
def limit_time():
    """max-total-msec=1000 means one second."""
    with lab_and_recursor(max_total_msec=1000) as (lab, r):
        r.ask("warm.fault.example")
        lab.fault("127.20.6.1", "silent")
        lab.fault("127.20.6.2", "silent")
        began = time.monotonic()
        check_reply(r.ask("never.fault.example"), "SERVFAIL")
        check(time.monotonic() - began < 2, "about a second")


@test
def limit_of_a_chain():
    """max-chain-length: so many queries wait for one answer, and get it; those beyond are refused."""
    with lab_and_recursor(threads=1, max_chain_length=3) as (lab, r):
        r.ask("warm.fault.example")
        lab.fault("127.20.6.1", "delay", 500)
        lab.fault("127.20.6.2", "delay", 500)
        client = Client()
        for _ in range(5):
            client.send("same.fault.example")
        client.wait(10)
        check([client.answers[i][0] for i in range(5)] == [0, 0, 0, 2, 2], "two are refused",
              client.answers)
        check(r.get("chain-limits") == 2 and r.get("error-answers-max-chain-length") == 2,
              "and counted", r.rec("get-all").stdout)
