"""The daemon's life: start, background, privileges, signals, death and rebirth."""

import contextlib
import glob
import os
import pwd
import re
import signal
import socket
import time

from live import (Lab, Recursor, check, check_reply, env, lab_and_recursor, run, test, wait_until,
                  write)


@test
def daemon_ends_cleanly():
    """SIGTERM and SIGINT: status 0, socket and pid file gone."""
    with Lab() as lab:
        for sig in signal.SIGTERM, signal.SIGINT:
            r = Recursor(lab)
            check_reply(r.ask("www.city.example"))
            check(r.end(sig) == 0, f"status 0 after signal {sig}", r.log())
            left = glob.glob(r.directory + "/*.controlsocket") + glob.glob(r.directory + "/*.pid")
            check(not left, "nothing is left behind", left)


def ask_silent(n):
    """Questions that nobody answers for a while."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(n):
            s.sendto(bytes([0, i, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 97, 97 + i % 26, 0, 0, 1, 0,
                            1]), ("127.0.0.1", env.port))


@test
def daemon_ends_while_busy():
    """SIGINT while questions wait for silent servers: it does not wait for them; nor does it after a
    second SIGTERM."""
    for signals in [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]:
        with lab_and_recursor() as (lab, r):
            lab.fault("*", "silent")
            ask_silent(50)
            wait_until(lambda: r.get("concurrent-queries") > 0, what="the questions")
            began = time.monotonic()
            for sig in signals:
                r.process.send_signal(sig)
                time.sleep(0.2)
            check(r.process.wait(5) == 0, "status 0", r.log())
            check(time.monotonic() - began < 3, "at once")


@test
def daemon_ends_nicely():
    """SIGTERM: no new question is taken, what is being resolved is answered, then it ends."""
    with lab_and_recursor() as (lab, r):
        check_reply(r.ask("www.city.example"))
        lab.fault("*", "silent")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0\4mail\4city\7example\0\0\1\0\1",
                     ("127.0.0.1", env.port))
            wait_until(lambda: r.get("concurrent-queries") == 1, what="the question")
            r.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "ending on signal" in r.log(), what="the signal")
            lab.fault("*", "none")
            reply = s.recv(4096)
            check(reply[:2] == b"\1\2" and reply[3] & 15 != 2, "it is answered, not SERVFAIL",
                  reply)
        check(r.process.wait(5) == 0, "status 0", r.log())


def big_zone(directory):
    """The settings for a zone whose big.test TXT is an answer of 10 KB."""
    strings = " ".join('"' + "x" * 250 + '"' for _ in range(40))
    path = write(os.path.join(directory, "test.zone"),
                 f"$TTL 300\n@ SOA a b 1 2 3 4 5\n@ NS ns.other.\nbig TXT {strings}\n")
    return {"auth_zones": f"test={path}", "client_tcp_timeout": "60"}


def ask_big(s, n):
    """n questions at once for answers that s, which has room for few, is slow to read."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.settimeout(10)
    s.connect(("127.0.0.1", env.port))
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0\3big\4test\0\0\x10\0\1"
    s.sendall((len(question).to_bytes(2, "big") + question) * n)


@test
def daemon_ends_when_answers_are_read():
    """SIGTERM: what a TCP client was answered and has not read yet is not cut off."""
    with Lab() as lab, socket.socket() as s, Recursor(lab, **big_zone(lab.dir)) as r:
        ask_big(s, 20)
        wait_until(lambda: r.get("tcp-questions") == 20, what="the questions")
        r.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "ending on signal" in r.log(), what="the signal")
        time.sleep(0.5)  # which it had used for its end
        data = b""
        while piece := s.recv(65536):
            data += piece
        n = 0
        while len(data) >= 2 + int.from_bytes(data[:2], "big"):
            data = data[2 + int.from_bytes(data[:2], "big"):]
            n += 1
        check((n, data) == (20, b""), "all answers, whole", n, len(data))
        check(r.process.wait(5) == 0, "status 0", r.log())


@test
def daemon_ends_without_who_does_not_read():
    """SIGTERM: a TCP client that never reads its answers is waited for as long as a question may take."""
    with Lab() as lab, socket.socket() as s, \
            Recursor(lab, max_total_msec="1000", **big_zone(lab.dir)) as r:
        ask_big(s, 20)
        wait_until(lambda: r.get("tcp-questions") == 20, what="the questions")
        check(r.end() == 0, "status 0", r.log())


@test
def daemon_kill_and_restart():
    """kill -9, and another one starts over what was left."""
    with Lab() as lab:
        r = Recursor(lab)
        check(r.end(signal.SIGKILL) == -9, "killed")
        with Recursor(lab, directory=r.directory) as again:
            check_reply(again.ask("www.city.example"))


@test
def daemon_background():
    """daemon=yes: the command ends when queries are served; the pid file names who serves."""
    with Lab() as lab:
        r = Recursor(lab, ready=False, daemon="yes", write_pid="yes")
        check(r.process.wait(10) == 0, "the starting command ends with 0", r.log())
        check_reply(r.ask("www.city.example"))
        files = glob.glob(r.directory + "/*.pid")
        check(len(files) == 1, "one pid file", files)
        with open(files[0], encoding="ascii") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            check(b"recursor" in f.read(), "the pid of the recursor")
        check(os.getsid(pid) != os.getsid(0), "a session of its own")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), what="its end")
        check(not os.path.exists(files[0]), "the pid file is gone")


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@test
def daemon_background_failure():
    """daemon=yes with a port that is taken: the starting command says so and fails."""
    with Lab() as lab, Recursor(lab, threads=1, reuseport="no"):
        r = Recursor(lab, ready=False, daemon="yes", threads=1, reuseport="no")
        check(r.process.wait(10) != 0, "it fails", r.log())


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@test
def daemon_without_descriptors():
    """Too few descriptors to start with: status 1, and the log says what is wanting, wherever that
    is met first."""
    with Lab() as lab:
        directory = env.new_dir("few")
        for n in (*range(10, 34), 64):
            done = run("prlimit", f"--nofile={n}:{n}", env.program("recursor"), "--threads=8",
                       "--config-dir=" + directory, "--socket-dir=" + directory,
                       "--local-address=127.0.0.1", f"--local-port={env.port}", "--webserver=yes",
                       "--hint-file=" + lab.hints, "--disable-syslog=yes", expect=1)
            check("Too many open files" in done.stderr, f"the reason with {n}", done.stderr)


@test
def daemon_drops_privileges():
    """setuid, setgid, chroot: after binding port 53 it is an ordinary user in its root."""
    env.need_root()
    with Lab() as lab:
        user = pwd.getpwnam("nobody")
        directory = env.new_dir("chroot")
        jail = os.path.join(directory, "jail")
        for path in (jail, os.path.join(jail, "run")):
            os.mkdir(path)
            os.chown(path, user.pw_uid, user.pw_gid)
        # The leak sanitizer needs /proc, which a jail does not have.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with Recursor(lab, directory=directory, ready=False, setuid="nobody", setgid="nogroup",
                      chroot=jail, socket_dir="/run", extra_env={"ASAN_OPTIONS": options}) as r:
            r.settings["socket-dir"] = jail + "/run"
            wait_until(lambda: not r.is_alive() or r.ping(), what="ping")
            check(r.is_alive(), "it starts", r.log())
            check_reply(r.ask("www.city.example"))
            status = status_of(r.process.pid)
            check(set(status["Uid"].split()) == {str(user.pw_uid)}, "all user ids", status["Uid"])
            check(set(status["Gid"].split()) == {str(user.pw_gid)}, "all group ids", status["Gid"])
            check(status["Groups"].split() in ([], [str(user.pw_gid)]), "no other groups", status)
            check(status["CapEff"].strip("0") == "", "no capabilities", status["CapEff"])
            check(os.readlink(f"/proc/{r.process.pid}/root") == jail, "its root directory")
            for task in os.listdir(f"/proc/{r.process.pid}/task"):
                check(status_of(task)["Uid"] == status["Uid"], "every thread")
            # Nothing outside the jail is needed any more, not the names of users either.
            r.process.send_signal(signal.SIGUSR2)
            wait_until(lambda: "quiet" in r.log(), what="a line about quiet")
            check("quiet is off now" in r.log(), "SIGUSR2 turns quiet over", r.log())


@test
def daemon_user_with_capability():
    """As the unit starts it: a user who may bind to port 53, and who may no longer once it serves."""
    env.need_root()
    user, may_bind = pwd.getpwnam("nobody"), "-all,+net_bind_service"
    setpriv = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
               "--inh-caps=" + may_bind, "--ambient-caps=" + may_bind, "--bounding-set=" + may_bind,
               "--no-new-privs")
    with Lab() as lab:
        directory = env.new_dir("capability")
        os.chown(directory, user.pw_uid, user.pw_gid)
        with Recursor(lab, directory=directory, wrapper=setpriv) as r:
            check_reply(r.ask("www.city.example"))
            for task in os.listdir(f"/proc/{r.process.pid}/task"):
                status = status_of(task)
                check(set(status["Uid"].split()) == {str(user.pw_uid)}, "the user", status["Uid"])
                for kind in "CapInh", "CapPrm", "CapEff", "CapAmb":
                    check(status[kind].strip("0") == "", "no capability", kind, status[kind])


@contextlib.contextmanager
def systemd():
    """A socket for sd_notify(3), its path, and a function that reads up to a message."""
    path = os.path.join(env.new_dir("notify"), "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        os.chmod(path, 0o777)
        s.settimeout(10)

        def until(wanted):
            said = []
            while wanted not in "\n".join(said):
                said.append(s.recv(4096).decode())
            return "\n".join(said)

        yield path, until


@test
def daemon_sd_notify():
    """NOTIFY_SOCKET: READY=1 when the root's servers are known, STOPPING=1 at the end."""
    with Lab() as lab, systemd() as (path, until):
        with Recursor(lab, extra_env={"NOTIFY_SOCKET": path}) as r:
            said = until("READY=1")
            check("STATUS=serving\n" in said, "a status", said)
            check(r.get("root-primings") == 1 and r.get("ready") == 1, "primed")
            check_reply(r.ask("www.city.example"))
            r.rec("drain")
            check("READY" not in until("STATUS=draining"), "a status again")
            check(r.rec("get", "ready", "draining").stdout == "0\n1\n", "and metrics")
            check_reply(r.ask("www.city.example", "TXT"))  # it serves all the same
            r.rec("undrain")
            until("STATUS=serving")
            check(r.rec("get", "ready", "draining").stdout == "1\n0\n", "and metrics again")
        until("STOPPING=1")


@test
def daemon_ready_without_root():
    """The root cannot be reached: ready all the same after a while, with a status that says so."""
    with Lab() as lab, systemd() as (path, until):
        lab.fault("*", "silent")
        with Recursor(lab, extra_env={"NOTIFY_SOCKET": path}, max_total_msec=2000) as r:
            check(r.get("ready") == 0, "not yet")
            began = time.monotonic()
            said = until("READY=1")
            check("STATUS=serving, but the root's name servers cannot be reached" in said,
                  "why", said)
            check(time.monotonic() - began < 8, "a bounded time")
            check(r.get("ready") == 1, "ready")


@test
def daemon_watchdog():
    """WATCHDOG_USEC: WATCHDOG=1 comes as long as the workers answer."""
    with Lab() as lab, systemd() as (path, until):
        watched = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        with Recursor(lab, extra_env=watched):
            for _ in range(3):
                until("WATCHDOG=1")


@test
def daemon_many_threads():
    """threads=8: all serve, and all end."""
    with lab_and_recursor(threads=8) as (_, r):
        for i in range(40):
            check_reply(r.ask(f"t{i}.customers.city.example"))
        check(r.get("questions") >= 40, "counted over all threads")


@test
def daemon_primes_once():
    """The root is asked for its servers once, at the start."""
    with lab_and_recursor() as (lab, r):
        for name in "www.city.example", "edge.host.lab", "nothing.at.all":
            r.ask(name)
        primings = [x for x in lab.queries().splitlines() if " . NS " in x]
        check(len(primings) == 1, "once", lab.queries())


@test
def daemon_ports_and_ids():
    """Source ports and ids of questions cannot be guessed."""
    with lab_and_recursor() as (lab, r):
        for i in range(150):
            r.ask(f"p{i}.fault.example")
        seen = re.findall(r"fault\.example\. \w+ port (\d+) id (\d+)", lab.queries())
        ports, ids = {int(x[0]) for x in seen}, [int(x[1]) for x in seen]
        check(len(seen) >= 150, "each was asked", len(seen))
        # A connected socket may put 32 questions at most.
        check(len(ports) >= len(seen) // 32, f"{len(ports)} ports", sorted(ports))
        check(max(ports) - min(ports) > 2000, "spread", sorted(ports))
        check(len(set(ids)) > len(ids) * 0.95, f"{len(set(ids))} ids")
        steps = [(b - a) % 65536 for a, b in zip(ids, ids[1:])]
        check(len(set(steps)) > len(steps) * 0.9, "no pattern", ids)


@test
def daemon_version_and_help():
    """--version, --help, --config end with 0 and say something."""
    for option in "--version", "--help", "--help=max-", "--config", "--config=default":
        done = run(env.program("recursor"), "--config-dir=" + env.new_dir("empty"), option, expect=0)
        check(done.stdout or done.stderr, option)


@test
def daemon_hint_file_errors():
    """A hint file that is missing, empty or wrong ends the start with one line that names it."""
    with Lab() as lab:
        directory = env.new_dir("hints")
        for name, text in (("missing", None), ("empty", ""), ("wrong", ". IN NS not a name\n")):
            path = os.path.join(directory, name)
            if text is not None:
                with open(path, "w", encoding="ascii") as f:
                    f.write(text)
            r = Recursor(lab, ready=False, hint_file=path)
            check(r.process.wait(10) != 0, f"{name}: it fails", r.log())
            check(path in r.log(), f"{name}: the line names the file", r.log())
