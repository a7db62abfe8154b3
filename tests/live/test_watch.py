"""rec_control watch: driven by keys in a terminal of the test's own, and what stands on its screen."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

from live import (Lab, Recursor, Skip, check, env, lab_and_recursor, question, run, test, udp_socket,
                  wait_until)

# Where Debian's packages are: python3 may be another one.
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import pyte
except ImportError:
    pyte = None


@contextlib.contextmanager
def traffic(*names):
    """Questions for these names, some hundred a second, until the end."""
    stop = threading.Event()

    def ask():
        with udp_socket() as s:
            s.setblocking(False)
            i = 0
            while not stop.wait(0.01):
                for name in names:
                    i += 1
                    s.sendto(question(name.replace("*", f"n{i}"), ident=i & 0xffff),
                             ("127.0.0.1", env.port))
                with contextlib.suppress(BlockingIOError):
                    while True:
                        s.recv(4096)
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Terminal:
    """A pseudo-terminal with a program in it, and what a person would see there."""

    def __init__(self, *command, columns=80, lines=24, extra_env=None):
        if pyte is None:
            raise Skip("no python3-pyte")
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.all = b""
        self.master, self.slave = pty.openpty()
        self.set_size(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        environment = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        environment.update(extra_env or {})
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=environment, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def set_size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self.set_size(columns, lines)
        self.screen.resize(lines, columns)
        self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds=0.05):
        while select.select([self.master], [], [], seconds)[0]:
            data = os.read(self.master, 65536)
            self.all += data
            self.stream.feed(data)
        return self.screen.display

    def text(self):
        return "\n".join(self.read())

    def row(self, pattern):
        """The match on the first row that has one, or None."""
        return next((m for m in (re.search(pattern, line) for line in self.read()) if m), None)

    def wait(self, pattern, seconds=10):
        try:
            return wait_until(lambda: self.row(pattern), seconds, pattern)
        except Exception:
            print(self.text())
            raise

    def press(self, keys):
        os.write(self.master, keys.encode())

    def ended(self):
        """The exit status; the terminal must be as it was."""
        def over():
            self.read()
            return self.process.poll() is not None
        wait_until(over, what="its end")
        self.read()
        check(termios.tcgetattr(self.slave) == self.before, "the terminal's modes are as they were")
        screens = re.findall(rb"\x1b\[\?(?:1049|47)([hl])", self.all)
        check(screens and screens[-1] == b"l", "and its screen", self.all[-300:])
        cursors = re.findall(rb"\x1b\[\?25([hl])", self.all)
        check(not cursors or cursors[-1] == b"h", "and its cursor", self.all[-300:])
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def watch(recursor, *arguments, **options):
    return Terminal(env.program("rec_control"), "--socket-dir=" + recursor.directory, "watch",
                    *arguments, **options)


@test
def watch_shows_figures_and_rings():
    """The figures move, a ring is a table; keys choose the ring, group, filter and sort it."""
    with lab_and_recursor() as (_, r), \
            traffic("www.city.example", "*.city.example", "a.b.host.lab"), \
            watch(r, "top-queries") as t:
        t.wait(r"recursor \d+\.\d+\.\d+  up 0d 00:00:\d\d +ready")
        t.wait(r"queries +\d\d+(\.\d)?/s")
        t.wait(r"cache hits +\d+\.\d %")
        t.wait(r"latency p99 +\d[\d.]* [um]s")
        t.wait(r"outqueries +\d[\d.]*/s")
        t.wait(r"NXDOMAIN +\d\d+(\.\d)?/s [ \u2581-\u2588]*[\u2581-\u2588]")
        t.wait(r" top-queries, by count, of the last \d+")
        t.wait(r"^ +\d+ +\d+\.\d\d% .* www\.city\.example\. A")
        check(len(t.read()) == 24 and "q quit" in t.read()[23], "24 lines", t.text())
        t.press("g")
        t.wait(r"top-queries by public suffix")
        t.wait(r"^ +\d+ +\d+\.\d\d% .* city\.example\. A")
        t.press("/host\n")
        t.wait(r"with 'host'")
        t.wait(r"host\.lab\. A")
        wait_until(lambda: t.row(r"%.*host\.lab\. A") and not t.row(r"%.*city\.example"),
                   what="only those")
        t.press("\x1b")
        t.wait(r"city\.example\. A")
        t.press("2")
        t.wait(r" top-remotes, by count")
        t.wait(r"100\.00% .*127\.0\.0\.1")
        t.press("c192.0.2.0/24\n")
        t.wait(r"client 192\.0\.2\.0/24")
        t.wait(r"nothing yet|nothing matches")
        t.press("cx\n")
        t.wait(r"is none of client=NETMASK")
        t.press("c\x15127.0.0.0/8\n")
        t.wait(r"100\.00% .*127\.0\.0\.1")
        t.press("s")
        t.wait(r"by name, of the last")
        t.press("?")
        t.wait(r"Shift-Tab")
        t.press("?")
        t.press("\t")
        t.wait(r"top-servfail-queries")
        t.press("q")
        check(t.ended() == 0, "status 0")


@test
def watch_holds_still_and_is_resized():
    """p holds the picture; another size is taken at once, a small one says so."""
    with lab_and_recursor() as (_, r), traffic("www.city.example"), watch(r) as t:
        t.wait(r"queries +\d\d+(\.\d)?/s")
        t.press("p")
        t.wait(r"PAUSED")
        held = t.wait(r"of the last (\d+)").group(1)
        time.sleep(1.5)
        check(t.row(r"of the last (\d+)").group(1) == held, "held", t.text())
        t.resize(120, 40)
        wait_until(lambda: "q quit" in t.read()[39], what="40 lines")
        t.resize(30, 8)
        t.wait(r"too small")
        t.resize(80, 24)
        wait_until(lambda: "q quit" in t.read()[23], what="24 lines again")
        t.press("p")
        wait_until(lambda: t.row(r"of the last (\d+)").group(1) != held, what="it goes on")
        t.press("q")
        check(t.ended() == 0, "status 0")


@test
def watch_leaves_the_terminal_as_it_was():
    """Whatever ends it: ^C, SIGTERM, SIGHUP."""
    with lab_and_recursor() as (_, r):
        endings = ((lambda t: t.press("\x03"), 0),
                   (lambda t: t.process.send_signal(signal.SIGTERM), 143),
                   (lambda t: t.process.send_signal(signal.SIGHUP), 129))
        for end, status in endings:
            with watch(r, "remotes") as t:
                t.wait(r"top-remotes")
                end(t)
                check(t.ended() == status, "its status", t.process.returncode)


@test
def watch_waits_for_the_daemon():
    """It is shown that nobody answers; when the daemon is there again the figures are."""
    with Lab() as lab:
        r = Recursor(lab)
        with watch(r) as t:
            t.wait(r"ready")
            r.end(signal.SIGINT)
            t.wait(r"no daemon behind .*; it is tried again")
            t.wait(r"not heard")
            with Recursor(lab, directory=r.directory) as _, traffic("www.city.example"):
                t.wait(r"recursor \d.* ready")
                t.wait(r"queries +\d\d+(\.\d)?/s")
                check(not t.row("it is tried again"), "no more", t.text())
                t.press("q")
                check(t.ended() == 0, "status 0")


@test
def watch_has_colour_where_it_is_wanted():
    """Not with NO_COLOR, nor on a terminal that has none; ASCII where UTF-8 cannot be shown."""
    def is_coloured(t):
        t.wait(r"queries +\d\d+(\.\d)?/s")
        t.press("q")
        check(t.ended() == 0, "status 0")
        return re.search(rb"\x1b\[[0-9;]*(3[1-6]|4[1-6])m", t.all) is not None

    with lab_and_recursor() as (_, r), traffic("www.city.example"):
        with watch(r) as t:
            check(is_coloured(t), "colour")
        with watch(r, extra_env={"NO_COLOR": "1"}) as t:
            check(not is_coloured(t), "none with NO_COLOR")
        with watch(r, extra_env={"TERM": "xterm-mono", "LC_ALL": "C"}) as t:
            check(not is_coloured(t) and max(t.all) < 0x80, "none on a terminal without")


@test
def watch_needs_a_terminal():
    """Refused with one line where there is none, or no such ring."""
    with lab_and_recursor() as (_, r):
        refused = r.rec("watch", expect=1)
        check(refused.stderr == "rec_control: watch: it needs a terminal\n" and not refused.stdout,
              "one line", refused.stderr)
        refused = r.rec("watch", "top-of-the-pops", expect=1)
        check("'top-of-the-pops' is none of the rings" in refused.stderr, "named", refused.stderr)
        check(len(refused.stderr.splitlines()) == 1, "one line", refused.stderr)
        r.rec("--json", "watch", expect=1)
        # What ncurses had taken when it found that out it keeps.
        leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with Terminal(env.program("rec_control"), "--socket-dir=" + r.directory, "watch",
                      extra_env={"TERM": "no-such-terminal", "ASAN_OPTIONS": leaks}) as t:
            t.wait(r"this terminal \(TERM\) cannot show it")
            check(t.process.wait(5) == 1, "status 1")
        help_text = run(env.program("rec_control"), "--help", expect=0).stdout
        check("  watch [" in help_text, "it is in the list", help_text)
