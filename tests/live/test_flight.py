"""The flight recorder: what is told of queries after the event, with no trace switched on."""

import collections
import json
import os
import random
import time

from live import (check, check_reply, env, lab_and_recursor, question, test, udp_socket, wait_until,
                  write)

BROKEN = ("--fault", "127.20.6.1 lame", "--fault", "127.20.6.2 refused")


def past(r, *words):
    return json.loads(r.rec("--json", "explain", *words, "--past").stdout)["stories"]


def events(story, *kinds):
    return [e for e in story["events"] if e["event"] in kinds]


@test
def flight_lame():
    """A lame domain: which servers were asked and what they said."""
    with lab_and_recursor(*BROKEN) as (_, r):
        check(past(r) == [], "a story before the first question")
        check_reply(r.ask("www.lame.fault.example"), "SERVFAIL")
        story = past(r, "WWW.lame.fault.example", "A")[0]
        check(story["kind"] == "failed" and story["rcode"] == "SERVFAIL" and
              story["client"].startswith("127.0.0.1:") and story["out-queries"] >= 4 and
              story["ede"] == "No Reachable Authority", "how it ended", story)
        asked = {e["server"].split(":")[0] for e in events(story, "asked")}
        check({"127.20.6.1", "127.20.6.2"} <= asked, "who was asked", asked)
        check(any(e["server"].startswith("127.20.6.2:") and e["rcode"] == "REFUSED"
                  for e in events(story, "answered")), "what the one said", story)
        check(any(e["server"].startswith("127.20.6.1:") for e in events(story, "lame")),
              "what the other said", story)
        check(story["events"][-1]["event"] == "failed", "the end", story["events"][-1])
        text = r.rec("explain", "www.lame.fault.example", "--past").stdout
        check("does not serve the zone fault.example." in text and
              "cannot or will not answer: REFUSED" in text and
              "SERVFAIL (No Reachable Authority: no server of the zone answers)" in text,
              "the story as text", text)
        check(past(r, "www.lame.fault.example", "AAAA") == [] and past(r, "lame.fault.example") == []
              and len(past(r, "fault.example$")) == 1, "other questions")
        check(r.get("flight-recorder-failed") == 1, "flight-recorder-failed")


def send(names, address="127.0.0.1"):
    """From one client; nobody waits for the answers."""
    s = udp_socket()
    s.bind((address, 0))
    for name in names:
        s.sendto(question(name, ident=random.getrandbits(16)), ("127.0.0.1", env.port))
    return s


def script(text):
    return write(os.path.join(env.new_dir("script"), "hooks.lua"), text)


@test
def flight_slow():
    """A slow answer is on record, a fast one is not."""
    delays = ("--fault", "127.20.6.1 delay 700", "--fault", "127.20.6.2 delay 700")
    with lab_and_recursor(*delays, flight_recorder_slow_msec=500) as (_, r):
        check_reply(r.ask("www.city.example"))
        check_reply(r.ask("www.fault.example"), data=["192.0.2.6"], kind="A")
        stories = past(r, "--steps")
        check([s["name"] for s in stories] == ["www.fault.example."], "who is slow", stories)
        check(stories[0]["kind"] == "slow" and stories[0]["rcode"] == "NOERROR" and
              stories[0]["usec"] > 500000, "how it ended", stories[0])
        check(any(e["rtt-us"] > 500000 for e in events(stories[0], "answered")), "why", stories[0])
        check(len(past(r, "--slow")) == 1 and past(r, "--failed") == [] and
              past(r, "--client=192.0.2.1") == [] and
              len(past(r, "--client=127.0.0.0/8")) == 1, "filters")


@test
def flight_flood():
    """A thousand failures in one domain leave another's story, and memory is bounded."""
    with lab_and_recursor(*BROKEN, "--fault", "127.20.4.1 refused",
                          flight_recorder_memory="1M") as (_, r):
        check_reply(r.ask("www.big.example"), "SERVFAIL")
        first = [f"x{i}.fault.example" for i in range(3000)]
        done = 0
        while done < len(first):
            socket = send(first[done:done + 100])
            for _ in range(100):
                socket.recv(999)
            socket.close()
            done += 100
        shares = collections.Counter((story["kind"], story["reason"])
                                     for story in past(r, "fault.example$", "--limit=1000"))
        check(max(shares.values()) <= 2 * 8, "a share for a domain", shares)
        check(events(past(r, "www.big.example")[0], "asked"), "the other's story")
        check(r.get("flight-recorder-skipped") > 2000, "flight-recorder-skipped")
        wait_until(lambda: r.get("flight-recorder-bytes") > 0, 3, "flight-recorder-bytes")
        check(r.get("flight-recorder-bytes") < 1200000, "bytes", r.get("flight-recorder-bytes"))


@test
def flight_refused():
    """What was turned away has a short story: by allow-from, by hooks, for want of a place."""
    silent = ("--fault", "127.20.6.1 silent", "--fault", "127.20.6.2 silent")
    hooks = script("function ipfilter(remote) return remote:toString() == '127.0.0.8' end\n"
                   "function preresolve(q)\n"
                   "  if q.qname:equal('drop.city.example') then\n"
                   "    q.appliedPolicy.policyKind = pdns.policykinds.Drop\n"
                   "    return true\n  end\n  return false\nend\n")
    with lab_and_recursor(*silent, threads=1, max_mthreads=3, lua_dns_script=hooks,
                          max_inflight_per_zone=0,
                          allow_from="127.0.0.1, 127.0.0.8, 127.0.0.7") as (_, r):
        check_reply(r.ask("www.city.example"))
        send(["acl.city.example"], "127.0.0.9").close()
        time.sleep(0.05)
        send(["filter.city.example"], "127.0.0.8").close()
        send(["drop.city.example"]).close()
        waiting = send([f"y{i}.fault.example" for i in range(4)])
        time.sleep(0.3)
        other = send(["z.fault.example"], "127.0.0.7")
        wait_until(lambda: len(past(r, "--refused")) >= 5, 5, "five stories")
        told = {s["reason"]: s for s in past(r, "--refused")}
        for reason, name, client in (
                ("allow-from", "acl.city.example.", "127.0.0.9"),
                ("ipfilter", "filter.city.example.", "127.0.0.8"),
                ("policy-drop", "drop.city.example.", "127.0.0.1"),
                ("over-capacity", "y3.fault.example.", "127.0.0.1"),
                ("fair-share", "y0.fault.example.", "127.0.0.1")):
            s = told.get(reason, {})
            check(s.get("name") == name and s["client"].startswith(client + ":"), reason, told)
        check("preresolve" in told["policy-drop"]["figures"], "which hook", told)
        check("3 queries" in told["over-capacity"]["figures"] and
              told["over-capacity"]["rcode"] is None, "how many", told)
        check("held 3 of 3 places" in told["fair-share"]["figures"] and
              told["fair-share"]["rcode"] == "SERVFAIL", "whose places", told)
        asked = past(r, "y0.fault.example", "--refused")[0]
        check(events(asked, "asked") and asked["events"][-1]["event"] == "failed",
              "its steps", asked)
        waiting.close()
        other.close()


@test
def flight_defender():
    """What the defender turned away says so, and by which rule."""
    rules = write(os.path.join(env.new_dir("rules"), "defender.yml"),
                  "- type: prsd\n  window: 1\n  minimum_number_of_qps: 20\n"
                  "  minimum_number_of_children: 20\n  action: refused\n  action_duration: 5\n")
    with lab_and_recursor(threads=1, defender="rules", defender_config_file=rules) as (_, r):
        end = time.monotonic() + 10
        while not past(r, "--refused") and time.monotonic() < end:
            send([f"n{random.getrandbits(40)}.city.example" for _ in range(50)]).close()
            time.sleep(0.1)
        s = past(r, "--refused")[0]
        check(s["reason"] == "defender" and s["rcode"] == "REFUSED" and s["ede"] == "Blocked" and
              "city.example. accused by defender-prsd-1" in s["figures"], "the refusal", s)


@test
def flight_off():
    """flight-recorder-memory=0: nothing is recorded, and the command says so."""
    with lab_and_recursor(*BROKEN, flight_recorder_memory=0) as (_, r):
        check_reply(r.ask("www.fault.example"), "SERVFAIL")
        check(r.rec("explain", "--past").stdout ==
              "nothing is recorded: flight-recorder-memory is 0\n", "it says so")
