"""Rings and costs: what came last, and who costs us, of real traffic."""

import json
import os
import re
import subprocess

from live import (Lab, Recursor, check, check_reply, env, lab_and_recursor, need_program, run, test,
                  wait_until, write)

NOTHING = "No qualifying data available\n"


def rows(text):
    """A top's entries and rows, as (percentage, key); its form is looked at."""
    lines = text.splitlines()
    found = re.fullmatch(r"Over last (\d+) entries:", lines[0])
    check(found is not None, "the first line", text)
    check(lines[-2] == "" and re.fullmatch(r"\d+\.\d\d%\trest", lines[-1]), "the rest", text)
    for line in lines[1:-2]:
        check(re.fullmatch(r"\d+\.\d\d%\t\S+", line), "a row", line)
    return int(found.group(1)), [tuple(line.split("\t")) for line in lines[1:-2]]


def suffix_list(lines):
    return write(os.path.join(env.new_dir("suffixes"), "list"), lines)


@test
def rings_questions():
    """top-queries and top-pub-queries: of all workers, in lower case, packet-cache hits too."""
    path = suffix_list("example\ncity.example\n")
    with lab_and_recursor(public_suffix_list_file=path) as (_, r):
        check(r.rec("top-queries").stdout == NOTHING, "nothing yet")
        for name in "www.city.example", "WWW.City.Example", "www.city.example":
            check_reply(r.ask(name))
        check_reply(r.ask("mail.city.example"))
        check_reply(r.ask("www.city.example", "A", "+tcp"))
        check(rows(r.rec("top-queries").stdout) == (5, [("80.00%", "www.city.example.|A"),
                                                        ("20.00%", "mail.city.example.|A")]),
              "names and types", r.rec("top-queries").stdout)
        check(len(rows(r.rec("top-pub-queries").stdout)[1]) == 2, "city.example is a suffix")
        write(path, "example\n")
        check(r.rec("reload-public-suffix-list").stdout == "ok\n", "it is read again")
        check(rows(r.rec("top-pub-queries").stdout) == (5, [("100.00%", "city.example.|A")]),
              "now it is none", r.rec("top-pub-queries").stdout)
        write(path, "// nothing\n")
        done = r.rec("reload-public-suffix-list", expect=1)
        check("public-suffix-list-file" in done.stderr and "no public suffix" in done.stderr,
              "one line says what is wrong", done.stderr)
        check(rows(r.rec("top-pub-queries").stdout)[1] == [("100.00%", "city.example.|A")],
              "the list before stays")
        found = json.loads(r.rec("--json", "top-queries").stdout)
        check(found["top"][0] == {"count": 4, "name": "www.city.example.", "type": "A"}, "JSON",
              found)


@test
def rings_clients():
    """top-remotes: packets before allow-from, connections over TCP; large answers' clients."""
    with lab_and_recursor(allow_from="127.0.0.1/32") as (_, r):
        check_reply(r.ask("www.city.example"))
        check(r.ask("www.city.example", "A", "-b", "127.0.0.9", wait=1).status is None, "refused")
        check(r.ask("www.city.example", "A", "-b", "127.0.0.9", wait=1).status is None, "refused")
        check(rows(r.rec("top-remotes").stdout) == (3, [("66.67%", "127.0.0.9"),
                                                        ("33.33%", "127.0.0.1")]),
              "who may not ask is counted", r.rec("top-remotes").stdout)
        check(rows(r.rec("top-queries").stdout)[0] == 1, "but was not heard")
        check(r.rec("top-largeanswer-remotes").stdout == NOTHING, "no large answers")
        for _ in range(2):
            check_reply(r.ask("many.big.example", "A", "+tcp"))
        check(rows(r.rec("top-remotes").stdout)[0] == 5, "two connections")
        check(rows(r.rec("top-largeanswer-remotes").stdout) == (2, [("100.00%", "127.0.0.1")]),
              "more than 1000 bytes")


@test
def rings_failures():
    """top-servfail-*, out of the packet cache too; top-timeouts names the servers."""
    with lab_and_recursor(max_total_msec=1000) as (lab, r):
        lab.fault("127.20.6.1", "silent")
        lab.fault("127.20.6.2", "silent")
        for _ in range(4):
            check_reply(r.ask("a.fault.example"), "SERVFAIL")
        check(rows(r.rec("top-servfail-queries").stdout) ==
              (4, [("100.00%", "a.fault.example.|A")]), "the question")
        check(rows(r.rec("top-pub-servfail-queries").stdout) ==
              (4, [("100.00%", "fault.example.|A")]), "its domain")
        check(rows(r.rec("top-servfail-remotes").stdout) == (4, [("100.00%", "127.0.0.1")]),
              "the client")
        servers = {key for _, key in rows(r.rec("top-timeouts").stdout)[1]}
        check(servers and servers <= {"127.20.6.1", "127.20.6.2"}, "the servers", servers)
        for command in "top-bogus-queries", "top-pub-bogus-queries", "top-bogus-remotes":
            check(r.rec(command).stdout == NOTHING, f"{command}: nothing is validated yet")


@test
def rings_change_their_size():
    """stats-ringbuffer-entries: none, some, other ones while the daemon runs; rows in order."""
    with lab_and_recursor(stats_ringbuffer_entries=0, threads=1) as (_, r):
        check_reply(r.ask("www.city.example"))
        check(r.rec("top-queries").stdout == NOTHING and r.rec("top-remotes").stdout == NOTHING,
              "there are none")
        check("5" in r.rec("set-stats-ringbuffer-entries", "5").stdout, "five")
        for i in range(7):
            check_reply(r.ask(f"n{6 - i}.customers.city.example"))
        check(rows(r.rec("top-queries").stdout) ==
              (5, [("20.00%", f"n{i}.customers.city.example.|A") for i in range(5)]),
              "the last five, ties by name", r.rec("top-queries").stdout)
        r.rec("set-stats-ringbuffer-entries", "100")
        check(r.rec("top-queries").stdout == NOTHING, "they begin anew")
        for i in range(30):
            check_reply(r.ask(f"n{i}.customers.city.example"))
        entries, top = rows(r.rec("top-queries").stdout)
        check((entries, len(top)) == (30, 20), "twenty rows", top)
        check(r.rec("top-queries").stdout.endswith("\n\n33.33%\trest\n"), "and the rest")
        check(r.rec("set-stats-ringbuffer-entries", "-1", expect=1).stderr, "refused")


@test
def rings_under_load():
    """All that reads and changes rings and costs, as fast as it goes, while questions come."""
    need_program("dnsperf")
    names = os.path.join(env.new_dir("names"), "names")
    with open(names, "w", encoding="ascii") as f:
        f.writelines(f"n{i % 700}.{zone} A\n" for i in range(3000)
                     for zone in ("customers.city.example", "fault.example"))
    with Lab() as lab, Recursor(lab, threads=2, max_total_msec=500,
                                stats_ringbuffer_entries=1000) as r:
        lab.fault("127.20.6.1", "silent")
        with subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", names,
                               "-l", "4", "-t", "1", "-q", "50"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as load:
            wait_until(lambda: r.get("questions") > 100, what="some questions")
            turn = 0
            while load.poll() is None:
                turn += 1
                for what in "top-queries", "top-remotes", "top-pub-servfail-queries", "top-timeouts":
                    text = r.rec(what).stdout
                    check(text == NOTHING or rows(text)[0] <= 1000, what, text)
                for kind in "remotes", "domains", "servers", "remotes-domains":
                    r.rec("top-cost", kind)
                r.rec("set-stats-ringbuffer-entries", str(turn % 3 * 500))
        check_reply(r.ask("www.city.example"))


@test
def rings_who_costs():
    """top-cost: who is flooded is first, with all it cost; the sums are those of the metrics."""
    with lab_and_recursor(max_total_msec=500, threads=2) as (lab, r):
        lab.fault("127.20.6.1", "silent")
        lab.fault("127.20.6.2", "silent")
        for i in range(10):
            check_reply(r.ask(f"n{i}.customers.city.example"))
        for i in range(3):
            check_reply(r.ask(f"n{i}.fault.example", "A", "-b", "127.0.0.9"), "SERVFAIL")
        found = json.loads(r.rec("--json", "top-cost", "domains", "wait").stdout)
        check([w["window"] for w in found["windows"]] == ["1m", "10m", "1h"], "windows", found)
        for window in found["windows"]:
            first = window["top"][0]
            check(first["domain"] == "fault.example.", "who made us wait", window)
            check(first["wait-usec"] > 3 * 300000, "so long", first)
            check(window["total"]["cpu-usec"] > 0, "CPU time", window)
        found = json.loads(r.rec("--json", "top-cost", "servers", "1m").stdout)
        servers = {row["server"] for row in found["windows"][0]["top"]}
        check(servers & {"127.20.6.1", "127.20.6.2"}, "servers", servers)
        total = found["windows"][0]["total"]["outqueries"]
        sent = r.get("all-outqueries")
        check(total <= sent, f"{total} of {sent} questions to servers")
        text = r.rec("top-cost", "remotes-domains", "1m", "wait").stdout
        check("127.0.0.9 fault.example." in text.splitlines()[2], "the pair comes first", text)
        check("usage" in r.rec("top-cost", "friends", expect=1).stderr, "usage")


@test
def rings_who_costs_nothing():
    """top-cost-entries=0: nothing is measured, and the command says so by nothing."""
    with lab_and_recursor(top_cost_entries=0) as (_, r):
        check_reply(r.ask("www.city.example"))
        text = r.rec("top-cost", "domains", "1m").stdout
        check("0.0 ms of CPU, 0 outqueries" in text, "nothing", text)
    done = run(env.program("recursor"), "--config-dir=/nonexistent", "--top-cost-entries=5000",
               "--config=check")
    check(done.returncode != 0 and "top-cost-entries=5000" in done.stderr + done.stdout,
          "too many are refused", done.stderr, done.stdout)
