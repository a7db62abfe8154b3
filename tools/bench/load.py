"""The workloads: what is asked, in which order, and what it has cost."""

import itertools
import os
import random
import re
import signal
import subprocess
from dataclasses import dataclass

import signed
import watcher
import world
from process import Trouble, child_setup

HITS_LINES = 200_000
MISSES_A_SECOND = 150_000  # more than a core can be asked
CHECKED = 20


@dataclass(frozen=True)
class Workload:
    about: str
    floor: tuple  # the program of our floor and its mode; () when there is none
    data: str  # the file of questions, see write_questions()
    warm: tuple = ()  # what is asked before
    timed: bool = True  # ends after --seconds; else when all has been asked
    once: bool = False  # the first round is enough
    transport: str = "udp"
    clients: int = 8
    signed: bool = False  # in the signed world, by servers that validate


ECHO, RELAY = "floor_echo", "floor_relay"
WORKLOADS = {
    "hits": Workload("10,000 names in random order, all in the cache", (ECHO, "udp"), "fixed",
                     ("zones", "fixed-once")),
    "misses": Workload("a new name each query; its zone is known, one server has to be asked",
                       (RELAY, "misses"), "new", ("zones",)),
    "memory": Workload("--names new names, then what each has added to the resident memory", (),
                       "names", ("zones",), timed=False, once=True),
    "cold": Workload("empty cache, 100,000 zones, one name of each", (RELAY, "cold"),
                     "delegations", timed=False),
    "tcp-hits": Workload("as hits, over 20 connections", (ECHO, "tcp"), "fixed",
                         ("zones", "fixed-once"), transport="tcp", clients=20),
    "mixed": Workload("80 % as hits, 20 % as misses", (RELAY, "mixed"), "mixed",
                      ("zones", "fixed-once")),
    "signed": Workload("as misses, signed with ECDSA P-256 and validated; the floor verifies one "
                       "signature", (RELAY, "signed"), "signed", ("signed-zones",), signed=True),
    "signed-nodata": Workload("... of a type that is not there: a proof, by NSEC or NSEC3, is "
                              "validated", (RELAY, "signed"), "signed-nodata", ("signed-zones",),
                              signed=True),
}
# Not a load of its own: these with one worker and with two, and what a query costs with each.
THREADS = {"threads-hits": "hits", "threads-misses": "misses"}
THREADS_ABOUT = "hits and misses with two workers, compared with one, on the same cores"
THREADS_CLIENTS = 32  # sockets, to be spread over the workers
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ipfilter.lua")


@dataclass(frozen=True)
class Compared:
    """What a query costs us with a thing and without."""
    about: str
    workload: str
    without: dict  # settings
    given: dict
    watched: bool = False  # somebody looks each second
    tapped: bool = False  # a dnstap reader takes copies


COMPARED = {
    "hits-rings": Compared("hits with all rings on, compared with none; ours only", "hits",
                           {"stats-ringbuffer-entries": 0}, {"stats-ringbuffer-entries": 10000}),
    "hits-ipfilter": Compared("hits with a script that looks senders up in a named ipset, compared "
                              "with none; ours only", "hits", {}, {"lua-dns-script": SCRIPT}),
    "hits-watched": Compared("hits while metrics, statistics and rings are fetched each second and "
                             "sent to carbon, compared with nobody looking; ours only", "hits", {},
                             watcher.SETTINGS, watched=True),
    "hits-dnstap": Compared("hits with a copy of each question and each answer sent to a dnstap "
                            "reader (fstrm_capture), compared with none; ours only", "hits", {},
                            {"dnstap-messages": "client-queries client-responses"}, tapped=True),
}


class Questions:
    """Files of questions for dnsperf, each written when it is first needed."""

    def __init__(self, directory, seconds, names, signed_world):
        self.dir = directory
        self.seconds = seconds
        self.names = names
        self.signed_world = signed_world

    def path(self, kind):
        path = os.path.join(self.dir, f"questions-{kind}")
        if not os.path.exists(path):
            rrtype = "AAAA" if kind == "signed-nodata" else "A"
            with open(path, "w") as f:
                f.writelines(f"{name} {rrtype}\n" for name in self.make(kind))
        return path

    def make(self, kind):
        fixed = [f"w{k}.z{z}.bench" for k in range(world.NAMES) for z in range(world.ZONES)]
        several = MISSES_A_SECOND * self.seconds
        if kind == "zones":
            return (f"w1.z{z}.bench" for z in range(world.ZONES))
        if kind == "fixed":
            return random.choices(fixed, k=HITS_LINES)
        if kind == "fixed-once":
            return random.sample(fixed, len(fixed))
        if kind == "new":
            return (new_name() for _ in range(several))
        if kind == "names":
            return (new_name() for _ in range(self.names))
        if kind == "mixed":
            return (random.choice(fixed) if random.random() < 0.8 else new_name()
                    for _ in range(several))
        if kind == "delegations":
            return (f"w.d{i}.cold"
                    for i in random.sample(range(world.DELEGATIONS), world.DELEGATIONS))
        if kind == "signed-zones":
            return (f"w1.z{z}.signed" for z in range(signed.ZONES))
        if kind in ("signed", "signed-nodata"):
            return self.signed_world.questions()
        raise ValueError(kind)


def new_name():
    return f"{random.getrandbits(48):012x}.z{random.randrange(world.ZONES)}.bench"


@dataclass
class Load:
    """What dnsperf has seen."""
    sent: int
    completed: int
    good: int
    seconds: float
    latency_ms: float


def number(pattern, text):
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def dnsperf(port, data, cores, *options):
    """Runs dnsperf; it ends with us, whatever becomes of us."""
    argv = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", data, "-t", "3", "-q", "200",
            "-b", "1024", *options]
    try:
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True,
                              preexec_fn=child_setup(cores)) as child:
            try:
                out = child.communicate()[0]
            except BaseException:
                child.send_signal(signal.SIGKILL)
                raise
    except OSError as error:
        raise Trouble(f"dnsperf: {error.strerror}") from error
    if "Queries sent:" not in out:
        raise Trouble(f"dnsperf failed\n{out[-1000:]}")
    return Load(int(number(r"Queries sent:\s+(\d+)", out)),
                int(number(r"Queries completed:\s+(\d+)", out)),
                int(number(r"Response codes:.*NOERROR (\d+)", out)),
                number(r"Run time \(s\):\s+([\d.]+)", out),
                number(r"Average Latency \(s\):\s+([\d.]+)", out) * 1e3)


def udp_datagrams():
    """Sent so far by everybody in this network namespace."""
    with open("/proc/self/net/snmp") as f:
        names, values = [line.split() for line in f if line.startswith("Udp:")]
    return int(values[names.index("OutDatagrams")])


def kept(server, data, cores, common):
    """The share of names that are still in the cache: no server is asked for them again."""
    datagrams = udp_datagrams()
    load = dnsperf(server.port, data, cores, "-n", "1", *common)
    asked = (udp_datagrams() - datagrams - load.sent - load.completed) / 2
    return 1 - asked / load.sent


def check_answers(server, data, transport):
    """dnsperf counts NOERROR only: of some names, looks whether there is an address too."""
    with open(data) as f:
        names = [line.split()[0] for line in itertools.islice(f, CHECKED)]
    for name in names:
        if not world.query("127.0.0.1", server.port, name, transport=transport):
            raise Trouble(f"{server.name} does not answer {name} with an address")


def measure(server, workload, questions, cores, seconds, clients=None):
    """Loads a server that answers; what a query has cost it, as a dict."""
    common = ["-m", workload.transport, "-c", str(clients or workload.clients)]
    if server.name != "floor":
        for kind in workload.warm:
            # More than once: what was asked once need not be in a packet cache, and with two
            # workers both have one.
            dnsperf(server.port, questions.path(kind), cores, "-n", "4", *common)
    data = questions.path(workload.data)
    limits = ["-l", str(seconds)] if workload.timed else []
    if workload.data != "fixed":
        limits += ["-n", "1"]
    memory, datagrams, cpu = server.resident_bytes(), udp_datagrams(), server.cpu_seconds()
    load = dnsperf(server.port, data, cores, *common, *limits)
    if server.has_ended():
        raise Trouble(f"{server.name} ended under load\n{server.last_words()}")
    cpu, datagrams = server.cpu_seconds() - cpu, udp_datagrams() - datagrams
    memory = server.resident_bytes() - memory
    if load.good == 0:
        raise Trouble(f"{server.name} answered none of {load.sent} queries well\n"
                      f"{server.last_words()}")
    if server.name != "floor" and workload.data != "signed-nodata":
        check_answers(server, data, workload.transport)
    if workload.transport == "udp":
        datagrams -= load.sent + load.completed
    result = {
        "queries": load.completed,
        "cpu_us": cpu / load.good * 1e6,
        "answered": load.good / load.sent,
        "latency_ms": load.latency_ms,
        "queries_per_second": load.completed / load.seconds,
        "outqueries": datagrams / 2 / load.sent,
    }
    if workload.data == "names":
        result["bytes_per_name"] = memory / load.good
        result["kept"] = kept(server, data, cores, common)
    return result
