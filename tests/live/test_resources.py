"""What runs out: memory for answers nobody reads, connections, descriptors; and reloads under load."""

import contextlib
import os
import re
import resource
import select
import socket
import struct
import subprocess
import time

from live import (Lab, Recursor, Skip, check, check_reply, env, is_sanitized, lab_and_recursor, n_limited,
                  need_program, question, test, torture, udp_socket, wait_until)

MIB = 1 << 20


def need_descriptors(n):
    """For this process and what it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        raise Skip(f"needs {n} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (n if hard == resource.RLIM_INFINITY else hard, hard))


@contextlib.contextmanager
def connections(n, receive=None):
    """So many TCP connections of one client."""
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(n):
            s = stack.enter_context(socket.socket())
            if receive is not None:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            s.settimeout(5)
            s.connect(("127.0.0.1", env.port))
            held.append(s)
        yield held


def others_are_served(r, number):
    check_reply(r.ask("www.city.example"))
    check_reply(r.ask("www.city.example", "A", "+tcp"))
    check_reply(r.ask(f"new{number}.customers.city.example"))


@test
def resources_slow_readers():
    """Eight hundred TCP clients ask for large answers without end and read none of them."""
    need_descriptors(3000)
    packet = question("txt.big.example", 16)
    packet = struct.pack("!H", len(packet)) + packet
    with lab_and_recursor(max_tcp_clients=1000, client_tcp_timeout=3) as (_, r):
        check_reply(r.ask("txt.big.example", "TXT", "+tcp"))
        before = most = r.get("real-memory-usage")
        with connections(800, receive=4096) as held:
            for s in held:
                s.setblocking(False)
            end = time.monotonic() + 2.5
            number = 0
            while time.monotonic() < end:
                for s in select.select([], held, [], 0.1)[1]:
                    with contextlib.suppress(OSError):
                        s.send(packet * 500)
                most = max(most, r.get("real-memory-usage"))
                others_are_served(r, number)
                number += 1
            print(f"    {(most - before) / MIB:.0f} MiB")
            check(most - before < 100 * MIB or is_sanitized(), "100 MiB at most")
            wait_until(lambda: r.get("tcp-clients") == 0, 20, "the end of their connections")
        others_are_served(r, number)


@test
def resources_idle_connections():
    """Ten thousand idle TCP connections: others are served, and after a time they are closed."""
    count = 10000
    need_descriptors(count + 500)
    with lab_and_recursor(max_tcp_clients=count + 100, client_tcp_timeout=6) as (_, r):
        others_are_served(r, 0)
        before = r.get("real-memory-usage")
        with connections(count):
            wait_until(lambda: r.get("tcp-clients") == count, 5, "all of them")
            others_are_served(r, 1)
            each = (r.get("real-memory-usage") - before) / count
            print(f"    {each:.0f} bytes each")
            check(each < 1024 or is_sanitized(), "a kilobyte each")
            wait_until(lambda: r.get("tcp-clients") == 0, 30, "their end")
            check(r.get("tcp-client-timeouts") >= count, "counted")
            others_are_served(r, 2)


@test
def resources_few_descriptors():
    """Eighty descriptors, silent servers, and more TCP clients than that: others are served, and
    afterwards everybody is."""
    with Lab() as lab, Recursor(lab, wrapper=("prlimit", "--nofile=80:80"), threads=1) as r:
        others_are_served(r, 0)
        for address in "127.20.6.1", "127.20.6.2":
            lab.fault(address, "silent")
        with connections(200), udp_socket() as flood:
            flood.bind(("127.0.0.2", 0))
            for i in range(300):
                flood.sendto(question(f"x{i}.fault.example", ident=i), ("127.0.0.1", env.port))
            time.sleep(0.2)
            check(r.get("fd-usage") <= 80, "within the limit")
            for i in range(5):
                check_reply(r.ask("www.city.example"))
                check_reply(r.ask(f"new{i}.customers.city.example"))
        for address in "127.20.6.1", "127.20.6.2":
            lab.fault(address, "none")
        wait_until(lambda: r.get("tcp-clients") == 0, what="the end of their connections")
        others_are_served(r, 9)
        wait_until(lambda: r.ask("again.fault.example").status == "NOERROR", 70, "recovery")


@test
def resources_no_descriptor():
    """Without a descriptor to ask from: the client and the log are told so, no name and no server is
    blamed, and with the first that is free all is well."""
    with lab_and_recursor(threads=1) as (_, r):
        limits = resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE, (1, limits[1]))
        try:
            replies = [r.ask(f"new{i}.customers.city.example", "A", "+edns") for i in range(2)]
        finally:
            resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE, limits)
        for reply in replies:
            check(reply.status == "SERVFAIL" and reply.ede == 0, "a cause of its own", reply)
        check_reply(r.ask("new0.customers.city.example"))
        check(r.get("resource-limits") >= 2 and r.get("error-answers-no-resources") == 2, "counted")
        check(r.log().count("no descriptor, port or memory is left") == 1, "told once", r.log())


@test
def resources_few_descriptors_and_web():
    """More connections to the web server than there are descriptors: questions are answered as if
    there were none."""
    settings = {"webserver": "yes", "webserver-max-connections": 2000,
                "webserver-max-connections-per-client": 2000}
    with Lab() as lab, Recursor(lab, wrapper=("prlimit", "--nofile=256:256"), **settings) as r:
        with contextlib.ExitStack() as idle:
            for _ in range(300):
                s = idle.enter_context(socket.socket())
                s.settimeout(5)
                s.connect(("127.0.0.1", 8082))
            check(r.get("webserver-connections-peak") < 200, "they have a part")
            others_are_served(r, 0)
            for i in range(5):
                check_reply(r.ask(f"new{i}.customers.city.example"))


def reloads_under_load(seconds):
    """dnsperf as fast as it goes, and all that an operator may say meanwhile, in a loop."""
    need_program("dnsperf")
    names = os.path.join(env.new_dir("names"), "names")
    with open(names, "w", encoding="ascii") as f:
        f.writelines(f"n{i}.customers.city.example A\n" for i in range(2000))
    commands = (["reload-acls"], ["reload-zones"], ["wipe-cache", "city.example$"],
                ["set-max-cache-entries", "1000"],
                ["set-max-cache-entries", "1000000"], ["dump-cache", "-"], ["get-all"],
                ["wipe-cache", "$"])
    with lab_and_recursor() as (_, r):
        others_are_served(r, 0)
        with subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(env.port), "-d", names,
                               "-l", str(seconds), "-c", "4", "-q", "50"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as load:
            done = 0
            while load.poll() is None:
                r.rec(*commands[done % len(commands)])
                done += 1
            text = load.stdout.read()
        print(f"    {done} commands, {re.search(r'Queries completed: *([0-9]+)', text).group(1)} queries")
        check(re.search(r"Queries lost: +0 ", text), "none is lost", text)
        codes = re.search(r"Response codes: +NOERROR \d+ \(\S+\)(?:, SERVFAIL (\d+) \(\S+\))?\n", text)
        check(codes and int(codes.group(1) or 0) <= n_limited(r), "all are answered", text)
        check(done > len(commands), "commands", done)


@test
def resources_reload_under_load():
    """Reloads, wipes and dumps in a loop while questions come as fast as they can: none is lost."""
    reloads_under_load(3)


@torture
def torture_reload():
    """The same for SECONDS (60 at most)."""
    reloads_under_load(min(60, int(os.environ.get("SECONDS", "60"))))
