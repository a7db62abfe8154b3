"""The flight recorder: what is told of queries after the event, with no trace switched on."""

import json

from live import check, check_reply, lab_and_recursor, test

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
