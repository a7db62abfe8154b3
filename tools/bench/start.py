"""What the benchmarks share: options, servers, cores, a network namespace, how they end."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from process import Trouble, end_all
from servers import OURS, is_installed

MARK = "BENCH_NAMESPACE"
NAME = os.path.splitext(os.path.basename(sys.argv[0]))[0]
PORT = 5390
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def say(text):
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


def words(known):
    """An argument type: words of these, between blanks or commas."""
    def parse(text):
        chosen = text.replace(",", " ").split()
        for word in chosen:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word}: not one of {' '.join(known)}")
        if not chosen:
            raise argparse.ArgumentTypeError("none is named")
        return [word for word in known if word in chosen]
    return parse


def count(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text}: not a number above 0")
    return int(text)


def options(about, epilog, servers, usual, seconds):
    """A parser with what all have: which servers, how long, our programs, what is printed."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog + f"\nservers: {' '.join(servers)}\n"
        "\nexit code: 0 all was measured, 1 something was not, 2 usage, 130 interrupted\n")
    parser.add_argument("--servers", type=words(servers), metavar="LIST",
                        help=f"{usual} that are installed, unless named")
    parser.add_argument("--seconds", type=count, default=5, help=f"{seconds}; 5")
    parser.add_argument("--build", default="build", metavar="DIR", help="where our programs are")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, not a table")
    form.add_argument("--markdown", action="store_true", help="print README's table")
    return parser


def enter_namespace():
    """Starts this script anew in a network namespace; returns only when that cannot be done."""
    for options in (["-n"], ["-r", "-n"]):
        if options == ["-n"] and os.geteuid() != 0:
            continue
        try:
            tried = subprocess.run(["unshare", *options, "true"], stderr=subprocess.DEVNULL,
                                   check=False)
        except FileNotFoundError:
            return
        if tried.returncode == 0:
            os.execvpe("unshare", ["unshare", *options, sys.executable, *sys.argv],
                       dict(os.environ, **{MARK: "1"}))


def servers_choose(named, usual, isolated):
    """Those that can be measured here, and whether all that were named can."""
    chosen = named or usual
    left_out = [] if isolated else [name for name in chosen if name not in OURS]
    if left_out:
        say(f"{', '.join(left_out)} left out: they ask servers at port 53 only, and that takes "
            "a network namespace (root, or user namespaces)")
    missing = [name for name in chosen if name not in left_out and not is_installed(name)]
    if missing:
        say(f"{', '.join(missing)} left out: not installed, see tools/deps bench")
    left = [name for name in chosen if name not in left_out + missing]
    if not left:
        raise Trouble("nothing is left to measure")
    return left, not named or left == named


class Cores:
    """Who runs where: the server alone on its core; clients and authorities beside it."""

    def __init__(self):
        cores = sorted(os.sched_getaffinity(0))
        self.server = cores[:1]
        self.two_workers = cores[:2]
        self.client = cores[1:2] if len(cores) < 3 else cores[2:3]
        self.world = self.client if len(cores) < 4 else cores[3:4]
        if len(cores) == 1:
            self.client = self.world = cores

    def __str__(self):
        shared = "" if self.client != self.server else " (there is but one: all share it)"
        return (f"server on core {self.server[0]} (two workers: {self.two_workers[0]} and "
                f"{self.two_workers[-1]}), client on {self.client[0]}, "
                f"authorities on {self.world[0]}{shared}")


@contextlib.contextmanager
def own_directory():
    """A directory, and the end of all that was started and of what it has written."""
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        yield directory
    finally:
        end_all()
        shutil.rmtree(directory, ignore_errors=True)


def interrupt(*_):
    raise KeyboardInterrupt


def start(chosen, measure_all, stays=False):
    """Measures, in a network namespace unless it stays or there can be none; the exit code."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not stays and MARK not in os.environ:
        enter_namespace()
    isolated = MARK in os.environ and not stays
    if isolated:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    chosen.build = os.path.abspath(chosen.build)
    try:
        return measure_all(chosen, isolated)
    except Trouble as trouble:
        say(trouble)
        return EXIT_FAILED
    except KeyboardInterrupt:
        say("interrupted; all that was started has ended")
        return EXIT_INTERRUPTED
