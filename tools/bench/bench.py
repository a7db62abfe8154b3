#!/usr/bin/env python3
"""Measures what a query costs us and other resolvers, side by side on one machine.

Each server in turn is loaded with the same questions about a small Internet (world.py), on one
core and with one worker; what counts is the CPU time of its process for each query, beside that
of a floor which only moves the packets (floor_echo.c, floor_relay.c). In the signed world
(signed.py) all validate, and show that they do before they are measured. Compare figures of one run
only: machines are noisy, and no two are alike.
"""

import argparse
import contextlib
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from attack import ATTACKS, SETTINGS, measure_attack  # noqa: E402
from load import (COMPARED, THREADS, THREADS_ABOUT, THREADS_CLIENTS, WORKLOADS,  # noqa: E402
                  Questions, measure)
from process import Trouble, end_all  # noqa: E402
from report import Report  # noqa: E402
from servers import OURS, SERVERS, Server, Setup, is_installed, version  # noqa: E402
from signed import SignedWorld, check_validation  # noqa: E402
from watcher import Reader, Watcher  # noqa: E402
from world import World  # noqa: E402

MARK = "BENCH_NAMESPACE"
PORT = 5390
PORT_OF_SERVERS = 5391  # where port 53 is not ours
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


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


def options_read():
    workloads = {name: w.about for name, w in (WORKLOADS | COMPARED).items()}
    workloads["threads"] = THREADS_ABOUT
    usual = list(workloads)
    workloads |= {name: a.about for name, a in ATTACKS.items()}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="workloads:\n" + "".join(f"  {name:<15}{about}\n" for name, about in workloads.items())
        + f"\nservers: {' '.join(SERVERS)}\n"
        "\nexit code: 0 all was measured, 1 something was not, 2 usage, 130 interrupted\n")
    parser.add_argument("--workloads", type=words(list(workloads)), default=usual,
                        metavar="LIST", help="all but the attacks, unless named")
    parser.add_argument("--servers", type=words(list(SERVERS)), metavar="LIST",
                        help="all that are installed, unless named")
    parser.add_argument("--seconds", type=count, default=5, help="of each load; 5")
    parser.add_argument("--rounds", type=count, default=3, help="each reports a median; 3")
    parser.add_argument("--flood", type=count, default=5000,
                        help="questions a second of an attack; 5000")
    parser.add_argument("--names", type=count, default=1_000_000,
                        help="that memory asks for; 1000000")
    parser.add_argument("--build", default="build", metavar="DIR", help="where our programs are")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, not a table")
    form.add_argument("--markdown", action="store_true", help="print README's table")
    parser.add_argument("--no-namespace", action="store_true",
                        help="stay on high ports of this host's loopback: without the peers")
    return parser.parse_args()


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


def servers_choose(options, isolated):
    chosen = options.servers or list(SERVERS)
    left_out = [] if isolated else [name for name in chosen if name not in OURS]
    if left_out:
        say(f"{', '.join(left_out)} left out: they ask servers at port 53 only, and that takes "
            "a network namespace (root, or user namespaces)")
    missing = [name for name in chosen if name not in left_out and not is_installed(name)]
    if missing:
        say(f"{', '.join(missing)} left out: not installed, see tools/deps bench")
    complete = not options.servers or not left_out + missing
    return [name for name in chosen if name not in left_out + missing], complete


def workload_of(name):
    """That of a name of a workload; None of those that are made of several."""
    return WORKLOADS.get(THREADS.get(name, name))


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


class Bench:
    def __init__(self, options, directory, isolated, cores):
        self.options = options
        self.dir = directory
        self.cores = cores
        self.world = World(directory, 53 if isolated else PORT_OF_SERVERS, cores.world)
        self.signed_world = SignedWorld(directory, self.world.port, cores.world, options.seconds)
        self.questions = Questions(directory, options.seconds, options.names, self.signed_world)

    def start_worlds(self):
        """Those that are asked."""
        wanted = {bool(w and w.signed) for w in map(workload_of, self.options.workloads)}
        if False in wanted:
            self.world.start()
        if True in wanted:
            say("signing zones")
            self.signed_world.start()

    def load(self, name, workload, workers, cores, clients=None, settings=None, attack=None,
             watched=False, tapped=False):
        """One server, started for this load, or attack, alone; its result."""
        directory = tempfile.mkdtemp(prefix=f"{name}-", dir=self.dir)
        internet = self.signed_world if workload.signed else self.world
        reader = Reader(directory, self.cores.client) if tapped else None
        if reader:
            settings = {**settings, "dnstap-server": reader.socket}
        setup = Setup(directory, PORT, internet, workers, self.options.build, settings)
        floor = [*workload.floor, str(PORT), str(workers)]
        if workload.floor and workload.floor[0] == "floor_relay":
            floor.insert(-1, str(self.world.port))
        server = Server(name, setup, floor, cores)
        try:
            server.wait("w1.z1.signed" if workload.signed else "w1.z1.bench", workload.transport)
            if workload.signed and name != "floor":
                check_validation(server)
            if attack:
                return measure_attack(server, attack, directory, self)
            with Watcher() if watched else contextlib.nullcontext():
                result = measure(server, workload, self.questions, self.cores.client,
                                 self.options.seconds, clients)
            if reader:
                reader.check()
            return result
        finally:
            server.end()
            if reader:
                reader.end()
            shutil.rmtree(directory, ignore_errors=True)

    def threads(self, name, workload):
        cores = self.cores.two_workers
        one = self.load(name, workload, 1, cores, THREADS_CLIENTS)
        two = self.load(name, workload, 2, cores, THREADS_CLIENTS)
        two["cpu_us_one_worker"] = one["cpu_us"]
        two["x_one_worker"] = two["cpu_us"] / one["cpu_us"]
        return two

    def compared(self, name, what):
        workload = WORKLOADS[what.workload]
        bare = self.load(name, workload, 1, self.cores.server, settings=what.without)
        result = self.load(name, workload, 1, self.cores.server, settings=what.given,
                           watched=what.watched, tapped=what.tapped)
        result["cpu_us_without"] = bare["cpu_us"]
        result["x_without"] = result["cpu_us"] / bare["cpu_us"]
        return result

    def attacked(self, name, attack):
        return self.load(name, WORKLOADS["misses"], 1, self.cores.server, settings=SETTINGS,
                         attack=attack)

    def run(self, servers, report):
        for turn in range(self.options.rounds):
            for name in self.workload_names():
                workload = workload_of(name)
                if workload and workload.once and turn > 0:
                    continue
                for server in servers:
                    if server == "floor" and not (workload and workload.floor):
                        continue
                    if name in COMPARED and server != "recursor":
                        continue
                    say(f"round {turn + 1} of {self.options.rounds}: {name}, {server}")
                    self.measure(name, workload, server, turn, report)

    def measure(self, name, workload, server, turn, report):
        try:
            if name in THREADS:
                result = self.threads(server, workload)
            elif name in COMPARED:
                result = self.compared(server, COMPARED[name])
            elif name in ATTACKS:
                result = self.attacked(server, ATTACKS[name])
            else:
                result = self.load(server, workload, 1, self.cores.server)
        except Trouble as trouble:
            say(f"{name}, {server}: {trouble}")
            report.failures.append(f"{name}, {server}: {str(trouble).splitlines()[0]}")
        else:
            report.add(name, server, turn, result)

    def workload_names(self):
        names = [name for name in self.options.workloads if name != "threads"]
        return names + (list(THREADS) if "threads" in self.options.workloads else [])


def about(options, servers, cores):
    versions = ", ".join(f"{name} {version(name)}" for name in servers if version(name))
    return {"servers": versions or "ours", "kernel": platform.release(), "cores": str(cores),
            "rounds": f"{options.rounds} of {options.seconds} s"}


def bench(options, isolated):
    cores = Cores()
    servers, complete = servers_choose(options, isolated)
    if not servers:
        say("nothing is left to measure")
        return EXIT_FAILED
    report = Report(about(options, servers, cores))
    say(report.about["cores"])
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        run = Bench(options, directory, isolated, cores)
        run.start_worlds()
        run.run(servers, report)
    finally:
        end_all()
        shutil.rmtree(directory, ignore_errors=True)
    if options.json:
        report.print_json()
    elif options.markdown:
        report.print_markdown()
    else:
        report.print_table()
    for failure in report.failures:
        say(f"not measured: {failure}")
    return EXIT_DONE if complete and not report.failures else EXIT_FAILED


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    options = options_read()
    if not options.no_namespace and MARK not in os.environ:
        enter_namespace()
    isolated = MARK in os.environ and not options.no_namespace
    if isolated:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    options.build = os.path.abspath(options.build)
    try:
        return bench(options, isolated)
    except Trouble as trouble:
        say(trouble)
        return EXIT_FAILED
    except KeyboardInterrupt:
        say("interrupted; all that was started has ended")
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
