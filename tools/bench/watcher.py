"""Whoever watches: fetches metrics, statistics and rings each second, and takes carbon's lines;
or reads dnstap.
"""

import contextlib
import os
import socket
import subprocess
import threading
import time
import urllib.request

from process import Process, Trouble

KEY = "bench"
WEB_PORT = 5392
CARBON_PORT = 5393
PAGES = ["/metrics", "/api/v1/servers/localhost/statistics",
         "/jsonstat?command=get-query-ring&name=queries&public-filtered=1",
         "/jsonstat?command=get-remote-ring&name=remotes"]
SETTINGS = {
    "webserver": "yes",
    "webserver-port": WEB_PORT,
    "webserver-loglevel": "none",
    "api-key": KEY,
    "carbon-server": f"127.0.0.1:{CARBON_PORT}",
    "carbon-interval": 1,
}


class Watcher(threading.Thread):
    def __init__(self):
        super().__init__()
        self.ended = threading.Event()
        self.carbon = socket.create_server(("127.0.0.1", CARBON_PORT))
        self.carbon.settimeout(0.1)
        self.fetched = self.lines = 0
        self.failures = []

    def fetch(self, page):
        request = urllib.request.Request(f"http://127.0.0.1:{WEB_PORT}{page}",
                                         headers={"X-API-Key": KEY})
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                self.fetched += len(reply.read()) > 0
        except OSError as error:
            self.failures.append(f"{page}: {error}")

    def take_lines(self):
        with contextlib.suppress(TimeoutError):
            peer, _ = self.carbon.accept()
            with peer:
                peer.settimeout(1)
                while data := peer.recv(1 << 16):
                    self.lines += data.count(b"\n")

    def run(self):
        while not self.ended.wait(0.9):
            for page in PAGES:
                self.fetch(page)
            self.take_lines()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.join()
        self.carbon.close()
        if kind is None and (self.fetched == 0 or self.failures or self.lines == 0):
            raise Trouble(f"watching: {self.fetched} pages, {self.lines} lines of carbon, "
                          f"{len(self.failures)} failures: {' '.join(self.failures[:1])}")


class Reader:
    """A dnstap reader at a socket of its own, which throws away what it takes."""

    def __init__(self, directory, cores):
        self.socket = os.path.join(directory, "dnstap.sock")
        self.process = Process(["fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", self.socket,
                                "-w", "/dev/null"], cores, os.path.join(directory, "reader"))
        end = time.monotonic() + 5
        while not os.path.exists(self.socket):
            if self.process.has_ended() or time.monotonic() > end:
                raise Trouble(f"fstrm_capture does not start\n{self.process.last_words()}")
            time.sleep(0.01)

    def check(self, setup, queries):
        """Both messages of so many queries have been sent to it, by the daemon's own count."""
        command = [os.path.join(setup.build, "rec_control"), f"--socket-dir={setup.dir}", "get",
                   "dnstap-frames", "dnstap-drops"]
        told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=10, check=False).stdout.split()
        if len(told) != 2 or not told[0].isdecimal() or int(told[0]) < 2 * queries:
            raise Trouble(f"dnstap-frames and dnstap-drops of {queries} queries: {' '.join(told)}\n"
                          f"{self.process.last_words()}")

    def end(self):
        self.process.end()
