"""rec_control: commands, exit codes, dumps, explain."""

import contextlib
import itertools
import json
import os
import pty
import re
import select
import socket
import subprocess
import time

from live import (Lab, Recursor, check, check_reply, env, lab_and_recursor, question, run, test,
                  udp_socket, wait_until)


@test
def control_basics():
    """ping, version, help, get, get-all; refusals have status 1, no command 99."""
    with lab_and_recursor() as (_, r):
        check_reply(r.ask("www.city.example"))
        check("pong" in r.rec("ping").stdout, "pong")
        check(r.rec("version").stdout.strip(), "a version")
        check("wipe-cache" in r.rec("help").stdout, "help names the commands")
        check(r.rec("get", "questions").stdout.strip() == "1", "one question")
        lines = dict(x.split("\t") for x in r.rec("get-all").stdout.splitlines())
        check(lines["questions"] == "1" and "cache-entries" in lines, "get-all", lines)
        check(list(lines) == sorted(lines), "sorted by name")
        check(r.rec("no-such-command", expect=None).returncode == 1, "status 1")
        check(r.rec(expect=None).returncode == 99, "status 99 without a command")
        check("UNKNOWN" in r.rec("get", "no-such-metric", expect=None).stdout, "UNKNOWN")


@test
def control_without_daemon():
    """Nobody there: status 1 and a line that says so."""
    done = run(env.program("rec_control"), "--socket-dir=" + env.new_dir("nobody"), "ping", expect=1)
    check(len(done.stderr.splitlines()) >= 1, "a reason", done.stderr)


@test
def control_json():
    """--json: what comes out can be parsed."""
    with lab_and_recursor() as (_, r):
        check_reply(r.ask("www.city.example"))
        for command in (["ping"], ["get-all"], ["get", "questions"], ["current-queries"],
                        ["explain", "www.city.example"]):
            text = r.rec("--json", *command).stdout
            try:
                json.loads(text)
            except ValueError:
                check(False, f"{command}: no JSON", text)


@test
def control_wipe_cache():
    """wipe-cache name, name$, and by type: what is wiped is asked for again, the rest is not."""
    with lab_and_recursor() as (lab, r):
        def asked_for(name, kind="A"):
            lab.reset()
            check_reply(r.ask(name, kind))
            return lab.asked()

        for name in "www.city.example", "mail.city.example", "edge.host.lab":
            asked_for(name)
        check(asked_for("www.city.example") == 0, "from the cache")
        check("wiped" in r.rec("wipe-cache", "www.city.example").stdout, "it says how many")
        check(asked_for("www.city.example") == 1, "asked again")
        check(asked_for("mail.city.example") == 0, "another name stays")
        r.rec("wipe-cache", "city.example$")
        check(asked_for("mail.city.example") >= 1, "the subtree")
        check(asked_for("edge.host.lab") == 0, "another zone stays")


@test
def control_dumps():
    """dump-cache, dump-nsspeeds, dump-throttlemap: to a file and to standard output."""
    with lab_and_recursor() as (lab, r):
        lab.fault("127.20.6.1", "refused")
        lab.fault("127.20.6.2", "refused")
        check_reply(r.ask("www.city.example"))
        check_reply(r.ask("nope.city.example"), "NXDOMAIN")
        r.ask("a.fault.example")
        path = os.path.join(env.new_dir("dump"), "cache")
        r.rec("dump-cache", path)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        check("www.city.example. " in text and "192.0.2.80" in text, "the record", text[:3000])
        check(r.rec("dump-cache", path, expect=None).returncode == 1, "a file is not overwritten")
        check("127.20.3" in r.rec("dump-nsspeeds", "-").stdout, "a server's address")
        check("127.20.6" in r.rec("dump-throttlemap", "-").stdout, "a throttled server")


@test
def control_current_queries():
    """current-queries shows what is being resolved."""
    with lab_and_recursor() as (lab, r):
        r.ask("warm.fault.example")
        lab.fault("127.20.6.1", "silent")
        lab.fault("127.20.6.2", "silent")
        r.ask("waiting.fault.example", wait=1)
        text = r.rec("current-queries").stdout
        check("waiting.fault.example" in text, "the name", text)


@test
def control_explain():
    """explain resolves anew and tells each step: servers, RTTs, referrals, aliases, budget."""
    with lab_and_recursor() as (lab, r):
        text = r.rec("explain", "twice.city.example", "A").stdout
        for word in ("127.20.0.", "127.20.1.", "127.20.3.", "edge.host.lab", "198.51.100.1",
                     "NOERROR"):
            check(word in text, f"it tells of {word}", text)
        lab.reset()
        text = r.rec("explain", "twice.city.example", "A").stdout
        check(lab.asked() >= 1, "the final answer is not taken from the cache", text)
        check(lab.asked() <= 3, "but the zone cuts are", text)
        text = r.rec("explain", "nope.city.example").stdout
        check("NXDOMAIN" in text, "a denial", text)
        lab.fault("*", "silent")
        began = time.monotonic()
        text = r.rec("explain", "x.big.example").stdout
        check("SERVFAIL" in text, "a failure", text)
        check(time.monotonic() - began < 9, "in time")


@test
def control_quit():
    """quit and quit-nicely end the daemon with status 0."""
    with Lab() as lab:
        for command in "quit", "quit-nicely":
            r = Recursor(lab)
            check("bye" in r.rec(command).stdout, "bye")
            check(r.process.wait(5) == 0, f"{command}: status 0", r.log())


@test
def control_socket_mode():
    """The control socket is not for everybody."""
    with lab_and_recursor() as (_, r):
        path = os.path.join(r.directory, "pdns_recursor.controlsocket")
        check(os.stat(path).st_mode & 0o007 == 0, "no access for others", oct(os.stat(path).st_mode))


@test
def control_finds_the_socket():
    """The socket is found by recursor.conf, by its name, and within a chroot."""
    rec_control = env.program("rec_control")
    with Lab() as lab:
        with Recursor(lab) as r:
            run(rec_control, "--config-dir=" + r.directory, "ping", expect=0)
            run(rec_control, "--chroot=" + os.path.dirname(r.directory),
                "--socket-dir=" + os.path.basename(r.directory), "ping", expect=0)
            done = run(rec_control, "--config-dir=/nowhere", "ping", expect=1)
            check("Warning: unable to parse configuration file '/nowhere/recursor.conf'\n"
                  in done.stderr, "a warning", done.stderr)
            done = run(rec_control, "--config-dir=" + r.directory, "--config-name=other",
                       "--socket-dir=" + r.directory, "ping", expect=1)
            check("/pdns_recursor-other.controlsocket': No such file" in done.stderr,
                  "the name of the socket", done.stderr)
        directory = env.new_dir("named")
        with open(os.path.join(directory, "recursor-two.conf"), "w", encoding="ascii") as f:
            f.write(f"socket-dir={directory}\nlocal-port={env.port}\n")
        with Recursor(lab, directory=directory, options=["--config-name=two"], ready=False) as r:
            wait_until(lambda: not r.is_alive() or run(
                rec_control, "--config-dir=" + directory, "--config-name=two", "ping"
                ).returncode == 0, what="ping")
            check(r.is_alive(), "it starts", r.log())


@test
def control_client_options():
    """rec_control's own options, and what it says of wrong ones."""
    rec_control = env.program("rec_control")
    text = run(rec_control, "--version", expect=0).stdout
    check(re.fullmatch(r"rec_control version \S+\n", text), "a version", text)
    check("--socket-dir" in run(rec_control, "--help", expect=0).stdout, "options")
    check("wipe-cache" in run(rec_control, expect=99).stdout, "usage")
    for wrong in "--frob", "--timeout=soon", "--color=blue":
        done = run(rec_control, wrong, "ping", expect=1)
        check(wrong.split("=", 1)[0] in done.stderr, "it names the option", done.stderr)
    with lab_and_recursor() as (lab, r):
        done = r.rec("dump-cache", expect=1)
        check("needs a file" in done.stderr, "a file is missed", done.stderr)
        done = r.rec("no-such-command", expect=1)
        check(done.stdout == "" and "Unknown command" in done.stderr, "refusals go to stderr")
        path = os.path.join(r.directory, "refused")
        r.rec("dump-cache", path, "x", expect=1)
        check(not os.path.exists(path), "a refused dump leaves no file")
        with open("/dev/full", "wb") as full:
            dump = subprocess.run(r.rec_command("dump-cache", path), stdout=full, check=False)
        check(dump.returncode == 1 and os.path.exists(path), "a dump stays whose reply is lost")
        for command in ["ping"], ["get-all"], ["dump-cache", "-"]:
            done = run("sh", "-c", 'exec "$@" >&-', "sh", *r.rec_command(*command), expect=1)
            check(len(done.stderr.splitlines()) == 1 and "Bad file descriptor" in done.stderr,
                  f"{command} without a standard output", done.stderr)
        for local in ["--version"], ["--help"], [], ["hash-password"]:
            with open("/dev/full", "wb") as full:
                done = subprocess.run([rec_control, *local], input=b"secret\n", stdout=full,
                                      stderr=subprocess.PIPE, check=False)
            check(done.returncode == 1 and b"No space left" in done.stderr,
                  f"{local} on a full standard output", done.stderr)
        lab.fault("*", "silent")
        began = time.monotonic()
        done = r.rec("--timeout=1", "explain", "www.big.example", expect=1)
        check("Timeout waiting for control channel data" in done.stderr, "time-out", done.stderr)
        check(time.monotonic() - began < 4, "after a second")
        check("\33[" in r.rec("--color=always", "explain", "localhost").stdout, "colours")
        check("\33[" not in r.rec("explain", "localhost").stdout, "no colours in a file")


@test
def control_busy_connections():
    """Silent connections, and an explain that takes long, keep no other command waiting."""
    with lab_and_recursor() as (lab, r):
        lab.fault("*", "silent")
        path = os.path.join(r.directory, "pdns_recursor.controlsocket")
        silent = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for s in silent:
            s.connect(path)
        with subprocess.Popen(r.rec_command("explain", "www.city.example"),
                              stdout=subprocess.DEVNULL) as explain:
            wait_until(lambda: "www.city.example" in r.rec("current-queries").stdout,
                       what="the explain")
            check(explain.poll() is None, "it takes long")
            check(explain.wait(10) == 0, "it ends")
        for s in silent:
            s.close()


@test
def control_dumps_that_nobody_reads():
    """They take all threads but one, one more is refused, and each ends with its rec_control."""
    with lab_and_recursor() as (_, r), contextlib.ExitStack() as stack:
        r.ask("www.city.example")
        reads, writes = os.pipe()
        stack.callback(os.close, reads)
        os.set_blocking(writes, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writes, bytes(4096))
        os.set_blocking(writes, True)
        dumps = [subprocess.Popen(r.rec_command("dump-cache", "-"), stdout=writes, text=True,
                                  stderr=subprocess.PIPE) for _ in range(4)]
        os.close(writes)
        for dump in dumps:
            stack.enter_context(dump)
            stack.callback(dump.kill)
        # One of them is refused; the daemon has begun with the others before.
        wait_until(lambda: any(dump.poll() is not None for dump in dumps), 10, "the one too many")
        refused, = (dump for dump in dumps if dump.poll() is not None)
        check(refused.returncode == 1 and "3 commands are at their files" in refused.stderr.read(), "why")
        check("pong" in r.rec("ping").stdout, "another thread is left")
        check(r.get("control-file-refusals") == 1, "counted")
        for dump in dumps:
            dump.kill()
        wait_until(lambda: r.rec("dump-nsspeeds", "-", expect=None).returncode == 0, 10,
                   "the dumps' end")


@test
def control_nobody_accepts():
    """A daemon that is stuck, with as many waiting as its socket takes: --timeout holds."""
    directory = env.new_dir("stuck")
    path = os.path.join(directory, "pdns_recursor.controlsocket")
    with contextlib.ExitStack() as stack:
        stuck = stack.enter_context(socket.socket(socket.AF_UNIX))
        stuck.bind(path)
        stuck.listen(1)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(path)
        done = run(env.program("rec_control"), "--socket-dir=" + directory, "--timeout=1", "ping",
                   expect=1)
        check("timed out" in done.stderr, "it says why", done.stderr)


class Terminal:
    """A terminal for rec_control's output or input, and what stands there."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.text = ""

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536).decode()
        return self.text

    def wait(self, text):
        wait_until(lambda: text in self.read(), what=text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.slave)
        os.close(self.master)


@test
def control_terminals():
    """What a command writes to a terminal or reads from it is carried by rec_control."""
    script = os.path.abspath("lua-examples/block-expiring.lua")
    with lab_and_recursor(lua_dns_script=script) as (_, r), Terminal() as t:
        def start(*words, **ends):
            return subprocess.Popen(r.rec_command(*words), text=True, stderr=subprocess.PIPE, **ends)

        r.ask("www.city.example")
        with start("dump-cache", "-", "r", stdout=t.slave) as dump:
            said = dump.communicate(timeout=10)[1]
            check(dump.returncode == 0, "done", said)
        check(re.fullmatch(r"dumped \d+ records\n", said), "and told", said)
        check(re.search(r"www.city.example. .*\n; main record cache: \d+ records\r\n$", t.read(), re.S),
              "all of it", t.text)
        with start("load-ipset", "blocked", "-", stdin=t.slave, stdout=subprocess.PIPE) as load:
            os.write(t.master, b"192.0.2.77\n\4")
            said = load.communicate(timeout=10)
            check(load.returncode == 0, "loaded", said)
        check("192.0.2.77" in r.rec("dump-ipset", "blocked", "-").stdout, "it is in the set")
        with start("trace-regex", "mail", "-", stdout=t.slave) as trace:
            check(trace.stderr.readline() == "ok\n", "it begins")
            r.ask("mail.city.example")
            t.wait("mail.city.example. A from")
            r.rec("trace-regex")
            check(trace.wait(10) == 0, "it ends with the traces")


@test
def control_a_terminal_that_nobody_reads():
    """It holds up rec_control, not the daemon: traces to it are given up, which rec_control says once it
    is read again, and the daemon ends."""
    with Lab() as lab, Recursor(lab) as r, Terminal() as t, udp_socket() as client:
        with subprocess.Popen(r.rec_command("trace-regex", ".", "-"), stdout=t.slave, text=True,
                              stderr=subprocess.PIPE) as trace:
            check(trace.stderr.readline() == "ok\n", "it begins")
            number = itertools.count()

            def given_up():
                for n in itertools.islice(number, 20):
                    client.sendto(question([b"n%d" % n, b"city", b"example"]), ("127.0.0.1", env.port))
                return "nothing more is written to its file" in r.log()
            wait_until(given_up, 20, "the traces' end")

            def ended():
                t.read()
                return trace.poll() is not None
            try:
                wait_until(ended, 10, "rec_control's end")
            finally:
                trace.kill()
            said = trace.stderr.read()
            check(trace.returncode == 1 and "has given up the traces: its log says why" in said, "and why",
                  said)
            r.rec("quit")
            check(r.process.wait(10) == 0, "the daemon's end")


@test
def control_man_page():
    """rec_control(1) names every command, and its examples run."""
    with open(os.path.join(env.build, "man/rec_control.1"), encoding="utf-8") as f:
        page = f.read()
    check("@" not in page, "every list is in its place")
    # An example is about the set that this script opens.
    script = os.path.abspath("lua-examples/block-expiring.lua")
    with lab_and_recursor(lua_dns_script=script) as (_, r):
        listed = json.loads(r.rec("--json", "help").stdout)["commands"]
        for command in listed:
            check(re.search(rf"^\.It Cm {command['command']}( |$)", page, re.M),
                  f"{command['command']} has its place")
        examples = re.findall(r"^(?:\.Dl )?\$ rec_control ([^|\n]*)", page, re.M)
        check(len(examples) >= 6, "examples", examples)
        for example in examples:
            words = example.split("&&", maxsplit=1)[0].split()
            # It wants a terminal, which it has in test_watch.py.
            r.rec(*words, expect=1 if words[0] == "watch" else 0)
