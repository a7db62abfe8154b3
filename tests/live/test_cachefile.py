"""cache-file: the caches over a restart, and what may happen to the file."""

import os
import pwd
import signal
import stat
import subprocess
import time

from live import Lab, Recursor, check, check_reply, env, run, test, torture, wait_until
from test_memory import Client, n_known

NAMES = ["www.city.example", "mail.city.example", "nope.city.example", "shop.city.example",
         "www.deep.example"]


def keeping(lab, where, **settings):
    settings.setdefault("cache_file", os.path.join(where, "cache"))
    settings.setdefault("cache_file_interval", 0)
    return Recursor(lab, loglevel=6, **settings)


def loaded(recursor):
    wait_until(lambda: "entries loaded" in recursor.log() or "is refused" in recursor.log(),
               what="the file is read")
    return recursor.get("cache-file-loaded")


def statuses(recursor):
    return [recursor.ask(name).status for name in NAMES]


def save(recursor, expect=0):
    """What save-cache says, when the file has been loaded."""
    wait_until(lambda: "still" not in said(recursor, None), what="the file is loaded")
    return said(recursor, expect)


def said(recursor, expect):
    done = recursor.rec("save-cache", expect=expect)
    return done.stdout + done.stderr


def filled_file(lab, directory, **settings):
    """A file with what is known of NAMES; what they were answered."""
    with keeping(lab, directory, **settings) as r:
        answers = statuses(r)
        wait_until(lambda: "not there yet" in r.log())
    path = os.path.join(directory, "cache")
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "its mode", os.stat(path))
    return path, answers


@test
def cachefile_restart():
    """After a restart what was known is answered though every server has gone, and speeds are
    known."""
    directory = env.new_dir("kept")
    with Lab() as lab:
        path, answers = filled_file(lab, directory)
        check("NXDOMAIN" in answers and "NOERROR" in answers, "something was asked", answers)
        hints = lab.hints
    with keeping(None, directory, hint_file=hints, outgoing_port=env.lab_port) as r:
        check(loaded(r) > 10, "entries are loaded", r.log())
        check(statuses(r) == answers, "the same answers", r.log())
        check(r.get("nsspeeds-entries") > 2, "servers are known")
        check(r.get("cache-file-refused") == 0, "nothing was refused")
        before = os.stat(path).st_mtime_ns
        check("wrote" in save(r), "it is written when that is wanted")
        check(os.stat(path).st_mtime_ns > before, "so it was")
        check(abs(r.get("cache-file-time") - time.time()) < 60, "and the time is told")
        check(r.get("cache-file-written") > 10, "and how much")


def wait_written(path, before=0):
    """When the file was written, if that is not when it was before."""
    def written():
        now = os.stat(path).st_mtime_ns if os.path.exists(path) else before
        return now if now != before else None
    return wait_until(written, 20, "the file is written")


@test
def cachefile_from_time_to_time():
    """Each cache-file-interval it is written anew, and serves after a kill -9."""
    directory = env.new_dir("often")
    path = os.path.join(directory, "cache")
    with Lab() as lab:
        with keeping(lab, directory, cache_file_interval=1) as r:
            wrote = wait_written(path)
            answers = statuses(r)
            check("NXDOMAIN" in answers and "NOERROR" in answers, "something was asked", answers)
            for _ in range(2):  # the first of them may have begun before
                wrote = wait_written(path, wrote)
            check(r.get("cache-file-written") > 10, "the daemon lives, and tells how much")
            r.kill()
        hints = lab.hints
    with keeping(None, directory, hint_file=hints, outgoing_port=env.lab_port) as r:
        check(loaded(r) > 10, "entries are loaded", r.log())
        check(statuses(r) == answers, "the same answers", r.log())
        check(r.get("cache-file-refused") == 0, "nothing was refused")


@test
def cachefile_other_zones():
    """What was learnt in a zone that is configured otherwise after the restart is not used; the rest
    is, and so is a forward's own if it is the same still."""
    directory = env.new_dir("kept")
    forward = {"forward_zones_recurse": "city.example=127.30.9.9"}
    with Lab() as lab:
        filled_file(lab, directory)
        with keeping(lab, directory, network_timeout=200, **forward) as r:
            check(loaded(r) > 5, "the rest is loaded", r.log())
            check(r.ask("www.city.example").status == "SERVFAIL", "not out of the file", r.log())
            check(r.get("cache-file-dropped") > 2, "that was dropped")
        forward = {"forward_zones": f"city.example=127.20.3.1:{env.lab_port}"}
        os.unlink(os.path.join(directory, "cache"))
        filled_file(lab, directory, **forward)
        lab.reset()
        with keeping(lab, directory, **forward) as r:
            check(loaded(r) > 5, "all is loaded", r.log())
            check_reply(r.ask("www.city.example"))
            check("127.20.3.1" not in lab.queries(), "out of the file", lab.queries())
        with keeping(lab, directory) as r:
            loaded(r)
            check(r.get("cache-file-dropped") > 2, "a forward's is dropped when it is none")


def refused(lab, directory, reason, stays=False):
    path = os.path.join(directory, "cache")
    what = os.lstat(path).st_ino
    with keeping(lab, directory) as r:
        check(loaded(r) == 0, "nothing is loaded")
        lines = [line for line in r.log().splitlines() if "is refused" in line]
        check(len(lines) == 1 and reason in lines[0], f"one line that says '{reason}'", r.log())
        check(r.get("cache-file-refused") == 1, "it is counted")
        check(r.get("cache-entries") < 60, "only what priming brought is there")
        check_reply(r.ask("www.city.example"))
        r.kill()  # or it would write a good one
    if not stays:
        check(not os.path.lexists(path), "it is put aside")
        os.rename(path + ".bad", path)
    check(os.lstat(path).st_ino == what, "nothing is lost")


@test
def cachefile_damaged():
    """A damaged, truncated, foreign or open file is refused with one line, and nothing else
    happens."""
    directory = env.new_dir("damaged")
    with Lab() as lab:
        path, _ = filled_file(lab, directory)
        with open(path, "rb") as f:
            good = f.read()

        def refused_bytes(data, reason):
            with open(path, "wb") as f:
                f.write(data)
            refused(lab, directory, reason)

        middle = len(good) // 2
        refused_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:],
                      "the checksum is wrong")
        refused_bytes(good[:-1], "the file ends too early")
        refused_bytes(b"", "offset 0: the file ends too early")
        refused_bytes(b"#!/bin/sh\n" * 10, "not a file of the cache")
        with open(path, "wb") as f:
            f.write(good)
        os.chmod(path, 0o602)
        refused(lab, directory, "others may write to it")
        os.chmod(path, 0o600)
        if env.root:
            os.chown(path, pwd.getpwnam("nobody").pw_uid, 0)
            refused(lab, directory, "belongs to another user")
            os.chown(path, 0, 0)
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)
        refused(lab, directory, "symbolic links", stays=True)
        os.unlink(path)
        os.mkdir(path)
        refused(lab, directory, "not a plain file", stays=True)
        os.rmdir(path)
        # None of that harmed the file; put back it is good.
        os.rename(path + ".real", path)
        with keeping(lab, directory) as r:
            check(loaded(r) > 10, "the good one is loaded", r.log())


def fill(recursor, n):
    for _ in range(10):  # a busy machine loses some
        with Client() as client:
            for i in range(n):
                client.ask(f"n{i}.customers.city.example")
        if recursor.get("cache-entries") > n * 0.9:
            return
    check(False, "the cache is not filled", recursor.get("cache-entries"))


def killed_while_writing(recursor, path, least):
    """Has the file written, and kills the daemon in the midst, when so many bytes are there; False
    when it was done before it could be stopped: then it goes on."""
    before, pid = os.stat(path).st_ino, recursor.process.pid
    with subprocess.Popen(recursor.rec_command("save-cache"), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as saving:
        while True:
            try:
                if os.stat(path + ".new").st_size >= least:
                    break
            except FileNotFoundError:
                if saving.poll() is not None:
                    return False
        os.kill(pid, signal.SIGSTOP)
        # Until no thread of it goes on.
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if not os.path.exists(path + ".new"):
            os.kill(pid, signal.SIGCONT)
            return False
        recursor.kill()
    check(os.path.exists(path + ".new"), "the new one is there, and not whole")
    check(os.stat(path).st_ino == before, "and the file is the old one")
    return True


@test
def cachefile_killed_while_writing():
    """kill -9 in the middle of writing: the file is the old one and whole, and what was half
    written is no hindrance."""
    directory = env.new_dir("killed")
    path = os.path.join(directory, "cache")
    written = 0
    with Lab() as lab:
        for attempt in range(4):
            with keeping(lab, directory, threads=1) as r:
                if attempt > 0:
                    check(loaded(r) > written * 0.99, "what was written before is loaded", r.log())
                    check("is refused" not in r.log(), "it is whole", r.log())
                fill(r, 20000)
                written = int(save(r).split()[1])
                least = os.stat(path).st_size * attempt // 4
                check(any(killed_while_writing(r, path, least) for _ in range(100)),
                      f"it is met with {least} bytes written")
        with keeping(lab, directory) as r:
            check(loaded(r) > written * 0.99, "the last one is whole too", r.log())
        check(not os.path.exists(path + ".new"), "nothing is left behind")


@test
def cachefile_full_disk():
    """No room for the file: one line, the old file stays, and queries are answered."""
    env.need_root()
    directory = env.new_dir("full")
    if run("mount", "-t", "tmpfs", "-o", "size=64k", "none", directory).returncode != 0:
        limit = True  # no mounts here: a limit of the file's size does the same
    else:
        limit = False
    try:
        with Lab() as lab:
            path, _ = filled_file(lab, directory)
            with open(path, "rb") as f:
                before = f.read()
            with keeping(lab, directory) as r:
                if limit:
                    run("prlimit", f"--pid={r.process.pid}", "--fsize=65536", expect=0)
                loaded(r)
                fill(r, 3000)
                reason = "File too large" if limit else "No space left on device"
                check(reason in save(r, expect=1), "the operator is told")
                check(r.get("cache-file-errors") >= 1, "it is counted")
                with open(path, "rb") as f:
                    check(f.read() == before, "the old file is there")
                check(os.listdir(directory) == ["cache"], "and nothing else", os.listdir(directory))
                check_reply(r.ask("mail.city.example"))
            with open(path, "rb") as f:
                check(f.read() == before, "at the end as well")
    finally:
        if not limit:
            run("umount", directory)


@test
def cachefile_in_a_jail():
    """chroot and setuid: the file is within, and it is the user's."""
    env.need_root()
    user = pwd.getpwnam("nobody")
    directory = env.new_dir("jailed")
    jail = os.path.join(directory, "jail")
    for path in (jail, os.path.join(jail, "run"), os.path.join(jail, "kept")):
        os.mkdir(path)
        os.chown(path, user.pw_uid, user.pw_gid)
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with Lab() as lab:
        for first in (True, False):
            with keeping(lab, directory, directory=directory, ready=False, setuid="nobody",
                         setgid="nogroup", chroot=jail, socket_dir="/run", cache_file="/kept/cache",
                         extra_env={"ASAN_OPTIONS": options}) as r:
                r.settings["socket-dir"] = jail + "/run"
                wait_until(lambda: not r.is_alive() or r.ping(), what="ping")
                if not first:
                    # What the daemon has asked for by then is not wanted any more.
                    check(loaded(r) > 0, "it is loaded", r.log())
                check_reply(r.ask("www.city.example"))
            check(os.stat(jail + "/kept/cache").st_uid == user.pw_uid, "the file is there", r.log())


@test
def cachefile_without_a_directory():
    """A directory that is not there: one line, and the daemon serves."""
    with Lab() as lab, Recursor(lab, cache_file="/nowhere/at/all") as r:
        check(r.log().count("cannot be used: No such file or directory") == 1, "one line", r.log())
        check_reply(r.ask("www.city.example"))
        check("no cache-file is set" in said(r, 1), "and no saving")


@torture
def torture_cachefile():
    """A million entries: queries are answered at once while they are loaded."""
    directory = env.new_dir("million")
    million = 1000000
    with Lab() as lab:
        with keeping(lab, directory, max_cache_entries=2 * million) as r:
            fill(r, million)
            print("#", save(r).strip(), flush=True)
        with keeping(lab, directory, max_cache_entries=2 * million) as r:
            slowest, asked = 0.0, 0
            with Client() as client:
                while "entries loaded" not in r.log():
                    check("is refused" not in r.log(), "it is whole", r.log())
                    for _ in range(200):
                        began = time.monotonic()
                        client.ask("www.city.example")
                        client.finish()
                        slowest = max(slowest, time.monotonic() - began)
                        asked += 1
            lines = [line for line in r.log().splitlines() if "entries loaded" in line]
            print(f"# {lines[0]}\n# {asked} queries meanwhile, the slowest {slowest * 1000:.1f} ms",
                  flush=True)
            check(asked > 200, "it is loaded in the background")
            check(r.get("cache-file-loaded") >= million * 0.99, "all are there")
            names = [f"n{i}.customers.city.example" for i in range(0, million, 1000)]
            with Client() as client:
                known = n_known(lab, client, names)
            check(known >= len(names) - 10, f"{known} of {len(names)} are known")
