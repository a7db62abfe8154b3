"""Everything at once, for the sanitizers and memcheck to look on: traffic over UDP and TCP, floods of
random names, packets that are none, faults that come and go, and all that an operator may say.

LOAD_WRAPPER in the environment is a command to run the daemon under."""

import os
import random
import shlex
import subprocess
import time

from live import Lab, Recursor, check, check_reply, env, need_program, test, torture, udp_socket, \
    wait_until

FAULTS = ("silent", "loss 30", "servfail", "refused", "truncated", "lame", "formerr", "garbled",
          "mismatch", "huge 30", "spoofed 5", "rate 20", "lowercase", "no-tcp", "none")
COMMANDS = (["get-all"], ["dump-cache", "-"], ["dump-nsspeeds", "-"], ["dump-throttlemap", "-"],
            ["current-queries"], ["wipe-cache", "example$"], ["wipe-cache", "$"], ["reload-acls"],
            ["reload-zones"], ["set-max-cache-entries", "200"],
            ["set-max-cache-entries", "1000000"], ["explain", "www.city.example"],
            ["--json", "get-all"], ["ping"], ["get-parameter", "max-qperq"])


def write_names(rng):
    path = os.path.join(env.new_dir("names"), "names")
    zones = ("customers.city.example", "fault.example", "city.example", "nowhere.example",
             "attacked.example", "no-such-tld")
    types = ("A", "AAAA", "TXT", "MX", "NS", "SOA", "DS", "ANY", "PTR")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(f"n{rng.randrange(3000)}.{rng.choice(zones)} {rng.choice(types)}\n"
                     for _ in range(6000))
    return path


def dnsperf(names, seconds, *options):
    return subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", names,
                             "-l", str(seconds), "-t", "1", "-c", "4", *options],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def send_garbage(rng, socket):
    for _ in range(50):
        packet = bytearray(rng.randbytes(rng.randrange(80)))
        if rng.random() < 0.7 and len(packet) >= 12:
            packet[2:12] = b"\1\0\0\1\0\0\0\0\0\0"
        socket.sendto(packet, ("127.0.0.1", env.port))


def one_round(r, lab, rng, socket):
    command = rng.choice(COMMANDS)
    done = r.rec(*command, expect=None, timeout=60)
    check(done.returncode in (0, 1), f"{command}: status {done.returncode}", done.stderr)
    send_garbage(rng, socket)
    if rng.random() < 0.3:
        lab.fault(rng.choice(("127.20.6.1", "127.20.6.2", "*")), *rng.choice(FAULTS).split())
    check(r.is_alive(), "the daemon has ended", r.log()[-3000:])


def load(seconds):
    need_program("dnsperf")
    rng = random.Random(1)
    names = write_names(rng)
    wrapper = shlex.split(os.environ.get("LOAD_WRAPPER", ""))
    with Lab() as lab, Recursor(lab, wrapper=wrapper, threads=2, max_total_msec=2000,
                                max_cache_entries=2000, max_packetcache_entries=500) as r:
        check_reply(r.ask("www.city.example"))
        with udp_socket() as socket, dnsperf(names, seconds, "-q", "100") as udp, \
                dnsperf(names, seconds, "-m", "tcp", "-q", "20"):
            end = time.monotonic() + seconds
            while time.monotonic() < end and udp.poll() is None:
                one_round(r, lab, rng, socket)
        lab.fault("*", "none")
        r.rec("wipe-cache", "$", timeout=60)
        wait_until(lambda: r.ask("www.city.example", wait=30).status == "NOERROR", 90,
                   "an answer afterwards")


@test
def load_of_everything():
    """Traffic, garbage, faults and commands together, for some seconds."""
    load(3)


@torture
def torture_load():
    """The same for SECONDS; `make torture-sanitized` and `make valgrind` run it."""
    load(int(os.environ.get("SECONDS", "60")))
