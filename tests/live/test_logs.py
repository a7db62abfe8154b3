"""Logs: where lines go, in which form, and what keeps them from being too many."""

import contextlib
import json
import os
import pty
import re
import select
import socket
import time

from live import (Lab, Process, Recursor, Skip, check, env, lab_and_recursor, question, run, test,
                  udp_socket, wait_until, write)

JOURNALD = "/lib/systemd/systemd-journald"


def ask_many(name, n, at_once=50):
    """n questions by one client, as many at once as its socket has room for; how many are answered."""
    with udp_socket() as client:
        client.settimeout(2)
        answers = 0
        with contextlib.suppress(socket.timeout):
            for i in range(n):
                client.sendto(question(name, ident=i), ("127.0.0.1", env.port))
                while answers <= i - at_once or (i == n - 1 and answers < n):
                    client.recv(4096)
                    answers += 1
        return answers


def lines_with(recursor, what):
    return [line for line in recursor.log().splitlines() if what in line]


@test
def logs_are_objects():
    """structured-logging-backend=json: each line is one object, whatever a client puts into a name."""
    with lab_and_recursor(structured_logging_backend="json", loglevel=4) as (_, r):
        r.rec("log-queries", "all", "answers")
        odd = [b"a\"b\\\n\x01\xff\xc3", b"city", b"example"]
        check(ask_many(odd, 3) == 3, "answered")
        r.ask("www.city.example")

        def seen():
            objects = [json.loads(line) for line in r.log().splitlines()]
            answers = [o for o in objects if o.get("msg", "").startswith("answer to")]
            return len(answers) >= 4 and objects
        objects = wait_until(seen, what="answers in the log")
        for o in objects:
            check({"ts", "prio", "tid", "subsystem", "msg"} <= set(o), "the keys", o)
        www = [o for o in objects if o.get("qname") == "www.city.example."]
        check(len(www) == 2 and www[0]["client"].startswith("127.0.0.1:"), "the client", www)
        check(www[1]["rcode"] == "NOERROR" and www[1]["outqueries"] > 0, "the answer", www)
        check(www[0]["qid"] == www[1]["qid"] and www[0]["prio"] == "Info", "both halves", www)
    objects = [json.loads(line) for line in r.log().splitlines()]
    check(not [o for o in objects if o["prio"] == "Notice"], "loglevel=4", objects)


@test
def logs_in_pairs_and_in_text():
    """logfmt is PowerDNS's form; structured-logging=no is text whatever the form would be."""
    with lab_and_recursor(structured_logging_backend="logfmt") as (_, r):
        wait_until(lambda: lines_with(r, "ready:"), what="ready")
        line = lines_with(r, "ready:")[0]
        check(re.fullmatch(r'msg="ready: [^"]*" subsystem="readiness" level="0" prio="Notice" '
                           r'tid="0" ts="\d+\.\d{3}"', line), "the form", line)
    with lab_and_recursor(structured_logging="no", structured_logging_backend="json") as (_, r):
        wait_until(lambda: lines_with(r, "ready:"), what="ready")
        check(re.fullmatch(r"\w{3} \d\d \d\d:\d\d:\d\d ready: .*", lines_with(r, "ready:")[0]),
              "text", r.log())


# /dev as the daemon sees it: a few devices, and what the test listens on in the place of syslog.
DEV = """
set -e
mount -t tmpfs none "$1"
for name in null zero random urandom; do
    : >"$1/$name"
    mount --bind "/dev/$name" "$1/$name"
done
ln -s "$2" "$1/log"
mount --rbind "$1" /dev
shift 2
exec "$@"
"""


@contextlib.contextmanager
def syslog():
    """A socket in the place of syslog's, and what puts a daemon before it."""
    env.need_mounts()
    directory = env.new_dir("syslog")
    path = os.path.join(directory, "socket")
    os.mkdir(os.path.join(directory, "dev"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(5)
        yield listening, ["unshare", "-m", "sh", "-c", DEV, "sh", os.path.join(directory, "dev"), path]


@test
def logs_go_to_syslog():
    """With its priority and facility, and to stderr too."""
    with syslog() as (listening, wrapper), Lab() as lab, \
            Recursor(lab, wrapper=wrapper, disable_syslog="no", logging_facility=3) as r:
        lines = []
        while not any("ready:" in line for line in lines):
            lines.append(listening.recv(10000).decode())
        for line in lines:  # LOCAL3 is 19
            check(re.match(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d recursor\[%d\]: " % r.process.pid,
                           line) and int(line[1:line.index(">")]) >> 3 == 19, "the head", line)
        check(f"<{19 << 3 | 5}>" in lines[-1], "a notice", lines[-1])
        wait_until(lambda: lines_with(r, "ready:"), what="the same on stderr")


@test
def a_syslog_that_hangs():
    """Nobody reads what is logged: clients are served all the same."""
    with syslog() as (_, wrapper), Lab() as lab, \
            Recursor(lab, wrapper=wrapper, disable_syslog="no", quiet="no", query_log_rate=0,
                     log_common_errors="yes") as r:
        check(r.ask("www.city.example").status == "NOERROR", "resolved")
        check(ask_many([b"www", b"city", b"example"], 500) >= 490, "answered")
        check(r.ping(), "and commanded")


@test
def a_pipe_that_nobody_reads():
    """stderr takes nothing more: clients are served, and what was lost is counted."""
    directory = env.new_dir("fifo")
    path = os.path.join(directory, "stderr")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        with Lab() as lab, Recursor(lab, wrapper=["sh", "-c", 'exec "$@" 2>"$0"', path], quiet="no",
                                    query_log_rate=0) as r:
            for _ in range(20):
                check(ask_many([b"www", b"city", b"example"], 100) >= 95, "answered")
            wait_until(lambda: r.get("log-lines-lost") > 0, what="lines that were lost")
            check(r.ask("www.city.example").status == "NOERROR", "served")
    finally:
        os.close(reader)


@contextlib.contextmanager
def terminal():
    """The end that is read, and what starts a program with the other one as its stderr."""
    master, slave = pty.openpty()
    try:
        yield master, ["sh", "-c", 'exec "$@" 2>"$0"', os.ttyname(slave)]
    finally:
        os.close(slave)
        os.close(master)


@test
def a_terminal_that_nobody_reads():
    """stderr is a terminal that is stuck: clients are served, and it ends."""
    with Lab() as lab:
        with terminal() as (_, wrapper), \
                Recursor(lab, wrapper=wrapper, quiet="no", query_log_rate=0) as r:
            for _ in range(100):
                check(ask_many([b"www", b"city", b"example"], 200) >= 190, "answered")
                if r.get("log-lines-lost") > 0:
                    break
            check(r.get("log-lines-lost") > 0, "lines are lost")
            check(r.ask("www.city.example").status == "NOERROR", "served")
            r.rec("quit")
            check(r.process.wait(10) == 0, "it ends")
        with terminal() as (master, wrapper), Recursor(lab, wrapper=wrapper) as r:
            r.rec("quit")
            check(r.process.wait(10) == 0, "it ends")
            text = b""
            while select.select([master], [], [], 0)[0]:
                text += os.read(master, 65536)
            check(b"serves with 2 threads" in text and text.endswith(b" has ended\r\n"), "all lines", text)


@test
def a_terminal_that_nobody_reads_in_the_background():
    """daemon=yes: until it serves its lines go to a terminal that is stuck; it serves all the same."""
    directory = env.new_dir("talk")
    script = os.path.join(directory, "talk.lua")
    write(script, 'for i = 1, 2000 do pdnslog(string.rep("x", 200), pdns.loglevels.Error) end\n')
    with Lab() as lab, terminal() as (_, wrapper):
        r = Recursor(lab, ready=False, wrapper=wrapper, daemon="yes", log_rate=0, lua_dns_script=script)
        try:
            check(r.process.wait(10) == 0, "the starting command ends with 0")
            check(r.get("log-lines-lost") > 0, "lines are lost")
            check(r.ask("www.city.example").status == "NOERROR", "served")
        finally:
            r.rec("quit", expect=None)
            wait_until(lambda: not r.ping(), what="its end")


@contextlib.contextmanager
def journal():
    """A journald of our own: what enters its namespace, and a function that reads from it."""
    env.need_mounts()
    if not os.path.exists(JOURNALD):
        raise Skip("no systemd-journald")
    directory = env.new_dir("journal")
    kept = os.path.join(directory, "kept")
    os.mkdir(kept)
    script = ('mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal &&'
              f' mount --bind "{kept}" /run/log/journal && exec {JOURNALD}')
    daemon = Process("journald", ["unshare", "-m", "sh", "-c", script], directory)

    def read(*match):
        done = run("journalctl", "-q", "-D", kept, "-o", "json", "--all", *match)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def started():
        return not daemon.is_alive() or read("SYSLOG_IDENTIFIER=systemd-journald")

    try:
        wait_until(started, what="the journal")
        if not daemon.is_alive():
            raise Skip("systemd-journald does not run here: " + daemon.log()[-200:])
        of = f"/proc/{daemon.process.pid}"
        # With its root: without that, whoever is in a chroot leaves it.
        yield ["nsenter", f"--mount={of}/ns/mnt", f"--root={of}/root"], read
    finally:
        daemon.end()


@test
def logs_go_to_the_journal():
    """A real journald has our fields, any bytes in them, and after chroot too."""
    jail = env.new_dir("jail")
    # The leak sanitizer needs /proc, which a jail does not have.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with journal() as (wrapper, read), Lab() as lab, \
            Recursor(lab, wrapper=wrapper, structured_logging_backend="systemd-journal",
                     chroot=jail, socket_dir="/", ready=False,
                     extra_env={"ASAN_OPTIONS": options}) as r:
        r.settings["socket-dir"] = jail
        wait_until(lambda: not r.is_alive() or r.ping(), what="rec_control ping")
        r.rec("log-queries", "client=127.0.0.0/8", "answers")
        check(r.ask("www.city.example").status == "NOERROR", "resolved")
        check(ask_many([b"a\nUID=0", b"city", b"example"], 1) == 1, "answered")
        entries = wait_until(lambda: read("QNAME=www.city.example.", "RCODE=NOERROR"),
                             what="the answer in the journal")
        check(len(entries) == 1 and entries[0]["PRIORITY"] == "6", "once", entries)
        entry = entries[0]
        check(entry["SYSLOG_IDENTIFIER"] == "recursor" and entry["SUBSYSTEM"] == "queries" and
              entry["_TRANSPORT"] == "journal" and entry["CLIENT"].startswith("127.0.0.1:") and
              entry["MESSAGE"].startswith("answer to question 'www.city.example.|A'"),
              "our fields", entry)
        check(read("SUBSYSTEM=readiness")[0]["PRIORITY"] == "5", "the level")
        check(wait_until(lambda: [e for e in read("SUBSYSTEM=queries") if "UID=0" in e["QNAME"]]),
              "an odd name")
        check(not lines_with(r, "answer to"), "not on stderr as well", r.log())


@test
def queries_are_logged_for_a_time():
    """rec_control log-queries: a client, a suffix; it ends by itself and says so."""
    www = [b"www", b"city", b"example"]
    with lab_and_recursor(query_log_rate=0, threads=1) as (_, r):
        check(r.rec("log-queries").stdout == "no rules\n", "nothing at first")
        ask_many(www, 4, at_once=1)  # it is a packet by then
        said = r.rec("log-queries", "client=127.0.0.1", "suffix=city.example", "for=2", "answers")
        check(said.stdout.startswith("rule 1: questions and answers of 127.0.0.1/32 below "
                                     "city.example., for 2 s"), "what it does", said.stdout)
        shown = json.loads(r.rec("--json", "log-queries", "show").stdout)["rules"]
        check(len(shown) == 1 and shown[0]["client"] == "127.0.0.1/32", "shown", shown)
        ask_many(www, 1)
        r.ask("txt.city.example", "TXT")
        r.ask("example", "SOA")
        wait_until(lambda: len(lines_with(r, "answer to question '")) == 2, what="two answers")
        check(len(lines_with(r, "question for '")) == 2, "and their questions", r.log())
        check(lines_with(r, "NOERROR, from the packet cache"), "whence it came", r.log())
        wait_until(lambda: lines_with(r, "log-queries: rule 1 has ended: 4 lines were written, 0"),
                   what="its end")
        r.ask("www.city.example")
        check(r.rec("log-queries").stdout == "no rules\n", "and none is left")
        time.sleep(0.2)
        check(len(lines_with(r, "answer to question '")) == 2, "nothing more", r.log())
        check(lines_with(r, "control: log-queries, from user"), "who asked for it")
        r.rec("log-queries", "suffix=..", expect=1)
        check(r.get("query-log-lines") == 4 and r.get("query-log-rules") == 0, "counted")


@test
def a_flood_of_queries_is_not_all_logged():
    """Lines a second are limited, all are answered, and what was not written is told."""
    with lab_and_recursor(query_log_rate=20) as (_, r):
        r.ask("www.city.example")
        r.rec("log-queries", "all")
        check(ask_many([b"www", b"city", b"example"], 400) >= 390, "answered")
        wait_until(lambda: lines_with(r, "were not written (query-log-rate=20 a second)"),
                   what="what was held back")
        lines = len(lines_with(r, "question for '"))
        # A flood of one moment may touch two seconds, or three on a slow machine.
        check(20 <= lines <= 100, "limited", lines)
        written, held_back, dropped = (r.get("query-log-" + name)
                                       for name in ("lines", "held-back", "drops"))
        check(written == lines and written + held_back + dropped >= 400, "all counted",
              written, held_back, dropped)


@test
def a_site_says_what_it_held_back():
    """SERVFAILs are logged once a second, with how many were not."""
    with lab_and_recursor(log_common_errors="yes", forward_zones="dead.example=127.0.0.1:1") as (_, r):
        for i in range(60):
            check(ask_many([b"n%d" % i, b"dead", b"example"], 1) == 1, "answered")
        check(r.get("servfail-answers") == 60, "with SERVFAIL")
        pattern = r"(\d+) more (?:like this before|lines like \"Sending SERVFAIL)"
        lines = wait_until(lambda: re.findall(pattern, r.log()), what="a count")
        wait_until(lambda: sum(int(n) for n in re.findall(pattern, r.log())) +
                   len(lines_with(r, "Sending SERVFAIL to 127")) == 60, what="the sum")
        check(r.get("log-lines-held-back") == sum(int(n) for n in re.findall(pattern, r.log())),
              "counted", lines)
