"""Processes of a measurement: each on the cores it is given, and none outlives us."""

import ctypes
import os
import re
import signal
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
RUNNING = []


class Trouble(Exception):
    """What could not be measured, and why: one line, and perhaps a log below it."""


class Process:
    """A program that runs until end(). What it prints goes to a file."""

    def __init__(self, argv, cores, log):
        self.name = os.path.basename(argv[0])
        self.log = log
        with open(log, "wb") as output:
            try:
                self.child = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    start_new_session=True, preexec_fn=child_setup(cores))
            except OSError as error:
                raise Trouble(f"{argv[0]}: {error.strerror}") from error
        RUNNING.append(self)

    def has_ended(self):
        return self.child.poll() is not None

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-10:])

    def cpu_seconds(self):
        """User and system time of all its threads."""
        with open(f"/proc/{self.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.child.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024

    def end(self):
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self in RUNNING:
            RUNNING.remove(self)


def child_setup(cores):
    """What a child does before it becomes its program: to its cores, and to die with us."""
    def setup():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cores)
    return setup


def end_all():
    for process in list(RUNNING):
        process.end()
