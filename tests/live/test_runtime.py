"""What changes while the daemon runs: settings, ACLs, limits, by rec_control."""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from live import (check, check_reply, env, lab_and_recursor, question, test, udp_socket, wait_until,
                  write)


def is_answered(source, name="www.city.example", wait=0.5):
    """Does a client at that address get an answer?"""
    with udp_socket() as s:
        s.bind((source, 0))
        s.settimeout(wait)
        s.sendto(question(name), ("127.0.0.1", env.port))
        try:
            s.recv(4096)
            return True
        except socket.timeout:
            return False


@contextlib.contextmanager
def load(names):
    """Questions without end, one after the other; yields what became of them."""
    counts = {"asked": 0, "answered": 0}
    stop = threading.Event()

    def run():
        with udp_socket() as s:
            while not stop.is_set():
                counts["asked"] += 1
                ident = counts["asked"] % 65536
                s.sendto(question(names(counts["asked"]), ident=ident), ("127.0.0.1", env.port))
                try:
                    while s.recv(4096)[:2] != struct.pack(">H", ident):
                        pass
                    counts["answered"] += 1
                except socket.timeout:
                    pass

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()


def write_conf(r, **changes):
    """Other settings in recursor.conf: written beside it and moved, as an editor does."""
    values = dict(r.settings, **{k.replace("_", "-"): v for k, v in changes.items()})
    write(os.path.join(r.directory, "recursor.conf"),
          "".join(f"{k}={v}\n" for k, v in values.items()))


@test
def runtime_reload_acls():
    """reload-acls: the new list holds, other settings of the file do not; what is wrong is refused
    with a line, and the old list stays."""
    with lab_and_recursor(allow_from="127.0.0.0/8") as (_, r), contextlib.ExitStack() as stack:
        check(is_answered("127.0.0.2"), "allowed at first")
        framed = struct.pack(">H", len(question())) + question()
        other = stack.enter_context(socket.create_connection(("127.0.0.1", env.port), 5,
                                                             source_address=("127.0.0.2", 0)))
        other.sendall(framed)
        check(len(other.recv(4096)) > 12, "over TCP, too")
        write_conf(r, allow_from="127.0.0.1", threads=7)
        check(r.rec("reload-acls").stdout == "ok\n", "ok")
        check(is_answered("127.0.0.1") and not is_answered("127.0.0.2"), "not any more")
        other.sendall(framed)
        check(other.recv(100) == b"", "nor over the connection that it has")
        check(r.get("unauthorized-tcp-queries") == 1, "counted")
        check(r.rec("get-parameter", "allow-from", "threads").stdout ==
              "allow-from=127.0.0.1\nthreads=2\n", "only that")

        acl = os.path.join(r.directory, "acl")
        with open(acl, "w", encoding="ascii") as f:
            f.write("127.0.0.2 # one\n")
        write_conf(r, allow_from_file=acl)
        r.rec("reload-acls")
        check(is_answered("127.0.0.2") and not is_answered("127.0.0.1"), "from the file")

        with open(acl, "w", encoding="ascii") as f:
            f.write("127.0.0.1\n127.0.0.x\n")
        refused = r.rec("reload-acls", expect=1).stderr
        check("acl: line 2: '127.0.0.x' is not a netmask" in refused and
              len(refused.splitlines()) == 1, "one line", refused)
        check(is_answered("127.0.0.2") and not is_answered("127.0.0.1"), "as it was")
        r.rec("set-quiet", "no")  # a change of something else does not read the file
        r.rec("set-quiet", "yes")
        os.unlink(os.path.join(r.directory, "recursor.conf"))
        refused = r.rec("reload-acls", expect=1).stderr
        check("No such file" in refused, "the file is gone", refused)
        check(is_answered("127.0.0.2") and not is_answered("127.0.0.1"), "as it was, again")


@test
def runtime_reload_is_all_or_nothing():
    """reload: lists and zones hold, or neither do, whichever is wrong."""
    directory = env.new_dir("reload")
    zone, acl = os.path.join(directory, "zone"), os.path.join(directory, "acl")

    def write_files(last, allowed, more=""):
        write(zone, f"@ 60 SOA ns h 1 2 3 4 5\nwww 60 A 192.0.2.{last}\n{more}")
        write(acl, allowed + "\n")

    write_files(1, "127.0.0.1")
    with lab_and_recursor(auth_zones=f"own.example={zone}", allow_from_file=acl) as (_, r):
        def holds(last, other):
            check(is_answered("127.0.0.2") == other, "may another client ask?", other)
            check_reply(r.ask("www.own.example"), kind="A", data=[f"192.0.2.{last}"])

        holds(1, False)
        write_files(2, "127.0.0.0/8", "www 60 CNAME x\n")
        refused = r.rec("reload", expect=1).stderr
        check("zone:3: a CNAME record beside other data" in refused and
              len(refused.splitlines()) == 1, "one line", refused)
        holds(1, False)
        write_files(2, "127.0.0.0/8\n127.0.0.x")
        refused = r.rec("reload", expect=1).stderr
        check("acl: line 2: '127.0.0.x' is not a netmask" in refused, "why", refused)
        holds(1, False)
        write_files(2, "127.0.0.0/8")
        check(r.rec("reload").stdout == "ok\n", "ok")
        holds(2, True)


@test
def runtime_reload_under_load():
    """reload-acls and set-* in a loop, with good and bad files, while questions come: every one is
    answered, and each list holds at once."""
    with lab_and_recursor(allow_from="127.0.0.0/8") as (_, r), \
            load(lambda n: f"n{n % 500}.city.example") as counts:
        for i in range(60):
            kind = i % 4
            if kind == 3:
                write_conf(r, allow_from="127.0.0.300")
                r.rec("reload-acls", expect=1)
                r.rec("set-minimum-ttl", "never", expect=1)
                continue
            write_conf(r, allow_from="127.0.0.0/8" if kind == 1 else "127.0.0.1")
            r.rec("reload-acls")
            r.rec("set-minimum-ttl", str(i))
            r.rec("set-max-cache-entries", str(1000 + i))
            r.rec("set-max-packetcache-entries", str(1000 + i))
            check(is_answered("127.0.0.2", wait=2 if kind == 1 else 0.05) == (kind == 1),
                  f"the list of round {i}")
        wait_until(lambda: counts["answered"] > 500, what="the load")
    check(counts["asked"] - counts["answered"] == 0, "every question is answered", counts)


@test
def runtime_changes_at_once():
    """Changes from several operators at once come one after the other."""
    with lab_and_recursor() as (_, r), load(lambda n: f"n{n % 50}.city.example") as counts:
        def change(words):
            for _ in range(15):
                r.rec(*words)

        threads = [threading.Thread(target=change, args=(words,)) for words in
                   (["reload-acls"], ["set-minimum-ttl", "5"], ["set-quiet", "yes"],
                    ["get-parameter", "allow-from", "minimum-ttl-override"])]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        check(r.rec("get-parameter", "minimum-ttl-override").stdout == "minimum-ttl-override=5\n",
              "the last holds")
    check(counts["answered"] == counts["asked"], "every question is answered", counts)


@test
def runtime_minimum_ttl():
    """set-minimum-ttl holds for what is learnt from then on."""
    with lab_and_recursor() as (_, r):
        check_reply(r.ask("www.city.example"))
        check(r.rec("set-minimum-ttl", "5000").stdout == "New minimum TTL: 5000\n", "the reply")
        check(r.rec("set-minimum-ttl", expect=1).stderr ==
              "Need to supply new minimum TTL number\n", "none")
        r.rec("wipe-cache", "www.city.example")
        reply = check_reply(r.ask("www.city.example"))
        check(all(ttl > 4000 for _, ttl, _, _ in reply.answer), "raised", reply)


@test
def runtime_cache_limits():
    """set-max-cache-entries and set-max-packetcache-entries: the caches shrink, a few entries an
    insert."""
    with lab_and_recursor(threads=1, record_cache_shards=4) as (_, r):
        def fill(first, n):
            with udp_socket() as s:
                for i in range(first, first + n):
                    for _ in range(2):
                        s.sendto(question(f"n{i}.big.example"), ("127.0.0.1", env.port))
                        s.recv(4096)

        fill(0, 400)
        check(r.get("cache-entries") > 400, "filled")
        before = r.get("packetcache-entries")
        r.rec("set-max-cache-entries", "100")
        r.rec("set-max-packetcache-entries", "50")
        check(r.get("max-cache-entries") == 100 and r.get("max-packetcache-entries") == 50,
              "the metrics tell")
        fill(1000, 300)
        check(r.get("cache-entries") <= 100, "shrunk", r.get("cache-entries"))
        check(before > 50 >= r.get("packetcache-entries"), "the packet cache too", before)


@test
def runtime_qtypelist():
    """get-qtypelist counts every question by its type, hits of the packet cache too."""
    with lab_and_recursor() as (_, r):
        for _ in range(3):
            r.ask("www.city.example")
        r.ask("www.city.example", "AAAA")
        check(r.rec("get-qtypelist").stdout == "A\t3\nAAAA\t1\n", "the list",
              r.rec("get-qtypelist").stdout)
        check(r.rec("get-default-parameter", "threads").stdout == "threads=2\n", "a default")


@test
def runtime_drain():
    """drain: everything is answered as before; it waits for what is in flight, and with a number
    until fewer questions come, telling how it goes; undrain takes it back."""
    with lab_and_recursor(max_total_msec=4000) as (lab, r):
        check(r.rec("drain").stdout == "drained: 0 questions in flight, 0 a second come\n",
              "nothing to wait for")
        check("drained" in json.loads(r.rec("--json", "drain").stdout), "JSON")
        with load(lambda n: f"n{n % 50}.city.example") as counts:
            refused = r.rec("--timeout=3", "drain", "3", expect=1)
            check("draining: " in refused.stdout + refused.stderr, "how it goes", refused.stderr)
            check(len(refused.stderr.splitlines()) >= 1, "every 2 s", refused.stderr)
        check(counts["answered"] == counts["asked"], "all are answered", counts)
        check(r.rec("drain", "3").stdout.startswith("drained: "), "they have gone")

        r.rec("undrain")
        r.rec("wipe-cache", "$")
        lab.fault("*", "silent")
        with udp_socket() as s:
            s.sendto(question("late.city.example"), ("127.0.0.1", env.port))
            wait_until(lambda: r.get("concurrent-queries") == 1, what="the question")
            began = time.monotonic()
            done = r.rec("drain")
            check(time.monotonic() - began > 1, "it waits for the question")
            check("drained: 0 questions in flight" in done.stdout, "until it is answered",
                  done.stdout)
            check("draining: 1 questions in flight" in done.stderr, "progress", done.stderr)
            check(len(s.recv(4096)) > 12, "it was")
        check(r.rec("undrain").stdout == "ready again\n" and r.get("ready") == 1, "back")
        check(r.rec("undrain").stdout == "was not draining\n", "twice")

        with udp_socket() as s:
            s.sendto(question("later.city.example"), ("127.0.0.1", env.port))
            wait_until(lambda: r.get("concurrent-queries") == 1, what="the question")
            with subprocess.Popen(r.rec_command("drain"), text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as waiting:
                wait_until(lambda: r.get("draining") == 1, what="the mark")
                check(r.rec("undrain").stdout == "ready again\n", "somebody takes it back")
                said = waiting.communicate(timeout=10)
            check("not draining" in said[0] + said[1], "who waits is told", said)
            check(waiting.returncode == 1 and r.get("draining") == 0, "and marks nothing again")


@test
def runtime_drain_in_a_hurry():
    """A second SIGTERM spares the rest of drain-grace, and not the questions in flight."""
    with lab_and_recursor(max_total_msec=7000, drain_grace=2) as (lab, r):
        lab.fault("*", "silent")
        with udp_socket() as s:
            s.settimeout(10)
            s.sendto(question("late.city.example"), ("127.0.0.1", env.port))
            wait_until(lambda: r.get("concurrent-queries") == 1, what="the question")
            r.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "draining for" in r.log(), what="the grace")
            r.process.send_signal(signal.SIGTERM)
            time.sleep(2.5)  # the grace would be over
            lab.fault("*", "none")
            check(s.recv(4096)[3] & 15 != 2, "it is answered, and not given up")
        wait_until(lambda: not r.is_alive(), 20, "its end")


@test
def runtime_trace_regex():
    """trace-regex: the steps of questions that match stand in the file, or in the log, until it is
    unset; an answer of the packet cache takes no steps."""
    with lab_and_recursor() as (_, r):
        path = os.path.join(r.directory, "trace")

        def traced():
            with open(path, encoding="utf-8") as f:
                return f.read()

        check(r.rec("trace-regex", "^MAIL.*", path).stdout == "ok\nok\n", "a line a worker")
        r.ask("www.city.example")
        r.ask("mail.city.example")
        wait_until(lambda: "out-queries" in traced(), what="the trace")
        text = traced()
        check(text.startswith("mail.city.example. A from 127.0.0.1: ") and
              "looks for mail.city.example. A" in text and "asks 127.20." in text, "steps", text)
        check("www.city.example" not in text, "of no other", text)
        r.rec("trace-regex", "other", path, expect=1)  # it is there already
        check("is no regular expression" in r.rec("trace-regex", "(", expect=1).stderr, "why")

        check(r.rec("trace-regex").stdout == "unset\nunset\n", "unset")
        r.rec("wipe-cache", "$")
        r.ask("mail.city.example")
        check(traced() == text and "trace: " not in r.log(), "no more")

        r.rec("trace-regex", "city")
        r.ask("txt.city.example", "TXT")
        wait_until(lambda: "trace: txt.city.example. TXT from 127.0.0.1: " in r.log(),
                   what="the log")


@test
def runtime_trace_setting():
    """trace=fail logs the steps of what ends in SERVFAIL, trace=yes of all."""
    with lab_and_recursor(trace="fail", max_total_msec=600) as (lab, r):
        check_reply(r.ask("www.city.example"))
        lab.fault("*", "silent")
        check_reply(r.ask("fresh.city.example"), "SERVFAIL")
        wait_until(lambda: "trace: fresh.city.example. A from" in r.log(), what="the log")
        check("trace: www" not in r.log() and "no answer in time" in r.log(), "only that")
    with lab_and_recursor(trace="yes") as (_, r):
        check_reply(r.ask("www.city.example"))
        wait_until(lambda: "trace: www.city.example. A from" in r.log(), what="the log")


@test
def runtime_trace_flood():
    """A trace of everything under load loses traces, not answers."""
    with lab_and_recursor() as (_, r), load(lambda n: f"n{n}.city.example") as counts:
        r.rec("trace-regex", ".", os.path.join(r.directory, "trace"))
        for i in range(20):
            r.rec("trace-regex", "city" if i % 2 else "example")
        r.rec("trace-regex")
        wait_until(lambda: counts["answered"] > 500, what="the load")
    check(counts["asked"] == counts["answered"], "every question is answered", counts)


@test
def runtime_metrics_hidden_and_kernel():
    """stats-rec-control-disabled-list hides from get-all, not from get; what the kernel counts of
    UDP is told."""
    with lab_and_recursor(stats_rec_control_disabled_list="questions, udp-in-errors") as (_, r):
        listed = dict(x.split("\t") for x in r.rec("get-all").stdout.splitlines())
        check("questions" not in listed and "udp-in-errors" not in listed, "hidden")
        check("cache-bytes" in listed and "udp-noport-errors" in listed, "the rest is not")
        check(r.get("questions") == 0, "get shows it")
        before = r.get("udp-noport-errors")
        with udp_socket() as s:
            for _ in range(5):
                s.sendto(b"x", ("127.0.0.9", 9))
        wait_until(lambda: r.get("udp-noport-errors") >= before + 5, what="the kernel's counter")
    with lab_and_recursor() as (_, r):
        check("\ncache-bytes\t" not in r.rec("get-all").stdout, "hidden by default")
