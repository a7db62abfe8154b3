#!/usr/bin/env python3
"""Measures what a query costs us and other resolvers, side by side on one machine.

Each server in turn is loaded with the same questions about a small Internet (world.py), on one
core and with one worker; what counts is the CPU time of its process for each query, beside that
of a floor which only moves the packets (floor_echo.c, floor_relay.c). In the signed world
(signed.py) all validate, and show that they do before they are measured. Compare figures of one run
only: machines are noisy, and no two are alike.
"""

import contextlib
import platform
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import start  # noqa: E402
from attack import ATTACKS, SETTINGS, measure_attack  # noqa: E402
from load import (COMPARED, THREADS, THREADS_ABOUT, THREADS_CLIENTS, WORKLOADS,  # noqa: E402
                  Questions, measure)
from process import Trouble  # noqa: E402
from report import Report  # noqa: E402
from servers import SERVERS, Server, Setup, version  # noqa: E402
from signed import SignedWorld, check_validation  # noqa: E402
from start import PORT, Cores, say  # noqa: E402
from watcher import Reader, Watcher  # noqa: E402
from world import World  # noqa: E402

PORT_OF_SERVERS = 5391  # where port 53 is not ours


def options_read():
    workloads = {name: w.about for name, w in (WORKLOADS | COMPARED).items()}
    workloads["threads"] = THREADS_ABOUT
    usual = list(workloads)
    workloads |= {name: a.about for name, a in ATTACKS.items()}
    parser = start.options(
        __doc__,
        "workloads:\n" + "".join(f"  {name:<15}{text}\n" for name, text in workloads.items()),
        list(SERVERS), "all", "of each load")
    parser.add_argument("--workloads", type=start.words(list(workloads)), default=usual,
                        metavar="LIST", help="all but the attacks, unless named")
    parser.add_argument("--rounds", type=start.count, default=3, help="each reports a median; 3")
    parser.add_argument("--flood", type=start.count, default=5000,
                        help="questions a second of an attack; 5000")
    parser.add_argument("--names", type=start.count, default=1_000_000,
                        help="that memory asks for; 1000000")
    parser.add_argument("--no-namespace", action="store_true",
                        help="stay on high ports of this host's loopback: without the peers")
    return parser.parse_args()


def workload_of(name):
    """That of a name of a workload; None of those that are made of several."""
    return WORKLOADS.get(THREADS.get(name, name))


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
                reader.check(setup, result["queries"])
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
    servers, complete = start.servers_choose(options.servers, list(SERVERS), isolated)
    report = Report(about(options, servers, cores))
    say(report.about["cores"])
    with start.own_directory() as directory:
        run = Bench(options, directory, isolated, cores)
        run.start_worlds()
        run.run(servers, report)
    if options.json:
        report.print_json()
    elif options.markdown:
        report.print_markdown()
    else:
        report.print_table()
    for failure in report.failures:
        say(f"not measured: {failure}")
    return start.EXIT_DONE if complete and not report.failures else start.EXIT_FAILED


if __name__ == "__main__":
    chosen = options_read()
    sys.exit(start.start(chosen, bench, stays=chosen.no_namespace))
