"""The web server under people who mean it no good: they get their error, or nothing; whoever asks as
he should is served, and so are the clients of the resolver."""

import base64
import contextlib
import select
import signal
import socket
import struct
import threading
import time

from live import check, check_reply, env, lab_and_recursor, test, wait_until
from test_web import KEY, PASSWORD, PLAIN, PORT, check_status, curl

HASHED = "MDEyMzQ1Njc4OWFiY2RlZg==$ApdFWK8NumyY29Er9pEt++7OZiECvcqPQXeIayRc7Ck="
QUICK = dict(PLAIN, **{"webserver-loglevel": "none"})


def connect(source="127.0.0.1"):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.bind((source, 0))
    s.settimeout(10)
    s.connect(("127.0.0.1", PORT))
    return s


def rest_of(s):
    """What comes until the end of the connection."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    return got


class Clients:
    """Asks the resolver all the while; every question must be answered."""

    def __init__(self, r):
        self.r = r
        self.asked = self.answered = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        name = b"\3www\4city\7example\0"
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(3)
        s.connect(("127.0.0.1", env.port))
        while not self.stop.is_set():
            self.asked += 1
            s.send(struct.pack(">HHHHHH", self.asked & 0xffff, 0x100, 1, 0, 0, 0) + name +
                   b"\0\1\0\1")
            with contextlib.suppress(socket.timeout):
                self.answered += s.recv(2000)[3] & 15 == 0
            time.sleep(0.002)
        s.close()

    def __enter__(self):
        check_reply(self.r.ask("www.city.example"))
        self.visit_us = self.r.get("control-visit-max-usec")
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if kind is None:
            check(self.asked > 1 and self.asked == self.answered,
                  f"of {self.asked} questions {self.answered} were answered meanwhile")
            longest_us = self.r.get("control-visit-max-usec")
            check(longest_us == self.visit_us or longest_us < 1000, "no worker was held", longest_us)


@test
def web_a_thousand_idle():
    """1,000 connections that say nothing: whoever comes later is served at once, from there and from
    elsewhere; those that are too many, and those that wait too long, get a 408."""
    settings = dict(QUICK, **{"webserver-idle-timeout": 2, "webserver-allow-from": "127.0.0.0/8"})
    with lab_and_recursor(**settings) as (_, r), Clients(r), contextlib.ExitStack() as open_ones:
        idle = [open_ones.enter_context(connect()) for _ in range(1000)]
        began = time.monotonic()
        check_status(curl("/api", key=KEY), 200, "from the same address")
        check_status(curl("/api", "--interface", "127.0.0.2", key=KEY), 200, "from another")
        check(time.monotonic() - began < 5, "without waiting")
        check(r.get("webserver-connections-peak") <= 128, "no more than there may be")
        wait_until(lambda: r.get("webserver-connections") == 0, what="their end")
        check(r.get("webserver-connections-displaced") >= 1000 - 32, "those that gave way")
        check(r.get("webserver-connections-late") > 0, "those that were late")
        check(rest_of(idle[0]).startswith(b"HTTP/1.1 408 "), "what the first is told")
        check(rest_of(idle[999]).startswith(b"HTTP/1.1 408 "), "what the last is told")


@test
def web_crowded_from_many_addresses():
    """All connections taken, each from an address of its own: another one is served."""
    settings = dict(QUICK, **{"webserver-max-connections": 20, "webserver-allow-from": "127.0.0.0/8"})
    with lab_and_recursor(**settings) as (_, r), Clients(r), contextlib.ExitStack() as open_ones:
        for i in range(60):
            open_ones.enter_context(connect(f"127.0.1.{i + 1}"))
        check_status(curl("/api", key=KEY), 200, "one more")
        check(r.get("webserver-connections-displaced") >= 40, "room was made")


@test
def web_byte_by_byte():
    """Requests that come a byte at a time, first line, headers or body: ended when
    webserver-request-timeout is over, though something always came."""
    settings = dict(QUICK, **{"webserver-request-timeout": 2, "webserver-idle-timeout": 1})
    starts = (b"", b"GET /api HTTP/1.1\r\n",
              b"PUT /servers/localhost/config/allow-from HTTP/1.1\r\nHost: x\r\nX-API-Key: open\r\n"
              b"Content-Length: 100000\r\n\r\n{")
    with lab_and_recursor(**settings) as (_, r), Clients(r), contextlib.ExitStack() as open_ones:
        slow = [open_ones.enter_context(connect()) for _ in starts]
        for s, start in zip(slow, starts):
            s.sendall(start)
        began, ended = time.monotonic(), {}
        while len(ended) < len(slow) and time.monotonic() < began + 10:
            left = [s for s in slow if s not in ended]
            for s in select.select(left, [], [], 0.1)[0]:
                ended[s] = (time.monotonic() - began, rest_of(s))
            for s in left:
                with contextlib.suppress(OSError):
                    s.send(b"x")
            check_status(curl("/api", key=KEY), 200, "meanwhile")
        check(len(ended) == len(slow), f"{len(ended)} of {len(slow)} were ended")
        for took, said in ended.values():
            check(took > 1.5, f"not before its time: {took}", said)
            check(said.startswith(b"HTTP/1.1 408 "), "what it is told", said)
        check(r.get("webserver-connections-late") >= len(slow), "counted")


@test
def web_reply_not_taken():
    """Somebody asks for much and does not read: closed, when webserver-request-timeout is over."""
    settings = dict(QUICK, **{"webserver-request-timeout": 1})
    with lab_and_recursor(**settings) as (_, r), Clients(r), contextlib.ExitStack() as open_ones:
        for _ in range(10):
            s = open_ones.enter_context(socket.socket())
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            s.connect(("127.0.0.1", PORT))
            s.sendall(b"GET /dygraph.min.js HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " +
                      base64.b64encode(b"x:" + PASSWORD.encode()) + b"\r\n\r\n")
        wait_until(lambda: r.get("webserver-requests") == 10, what="the replies")
        wait_until(lambda: r.get("webserver-connections-late") == 10, what="their end")
        wait_until(lambda: r.get("webserver-connections") == 0, what="that they are gone")


@test
def web_too_large():
    """Bodies and headers that are too long: 413 and 431, announced or not, with the key or without
    (then 401, and nothing of the body is waited for)."""
    path = "/api/v1/servers/localhost/config/allow-from"
    settings = dict(QUICK, **{"webserver-max-request-size": 1})
    with lab_and_recursor(**settings) as (_, r), Clients(r):
        before_kb = r.get("real-memory-usage") // 1024
        for size in (1 << 20, (1 << 20) + 1, (3 << 19), 64 << 20):
            body = env.new_dir("body") + "/body"
            with open(body, "wb") as f:
                f.truncate(size)
            expected = 400 if size == 1 << 20 else 413
            put = ("-X", "PUT", "--data-binary", "@" + body)
            check_status(curl(path, *put, key=KEY), expected, f"{size} bytes")
            # Who sends all the same may find the connection closed, and never read why.
            refused = curl(path, *put, "-H", "Expect: 100-continue")
            check_status(refused, 401, f"{size} bytes without the key")
            chunked = curl(path, *put, "-H", "Transfer-Encoding: chunked", key=KEY)
            check_status(chunked, expected, f"{size} bytes in chunks")
        check_status(curl("/api", "-H", "X: " + "x" * 40000, key=KEY), 431, "a long header")
        check_status(curl("/api?" + "x" * 40000, key=KEY), 414, "a long path")
        check(r.get("webserver-requests-too-large") >= 6, "counted")
        grown_kb = r.get("real-memory-usage") // 1024 - before_kb
        check(grown_kb < 32 << 10, f"what it grew by: {grown_kb} KB")


@test
def web_wrong_keys():
    """Wrong keys by the hundred against a dear hash: 401 or 429; the right one, once it was seen, is
    never made to wait."""
    settings = dict(QUICK, **{"api-key": "$scrypt$ln=14,p=1,r=8$" + HASHED})
    with lab_and_recursor(**settings) as (_, r), Clients(r):
        check_status(curl("/api", key="password"), 200, "the right one")
        seen = {}
        began = time.monotonic()
        for i in range(100):
            with connect() as s:
                s.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: wrong%d\r\n\r\n" % i)
                status = rest_of(s).split(b" ")[1]
            seen[status] = seen.get(status, 0) + 1
        took = time.monotonic() - began
        check(set(seen) == {b"401", b"429"}, "what they get", seen)
        check(seen[b"401"] <= 4 * (took + 2), f"tries in {took:.1f} s", seen)
        check_status(curl("/api", key="password"), 200, "the right one again")
        check(r.get("webserver-requests-unauthorized") == 100, "counted")


@test
def web_secrets_while_it_ends():
    """Secrets that come to be tried when the end has begun, and somebody is slow to take a reply: the
    end is as always."""
    settings = dict(QUICK, **{"api-key": "$scrypt$ln=14,p=1,r=8$" + HASHED, "webserver-password": "",
                              "webserver-allow-from": "127.0.0.0/8"})
    with lab_and_recursor(**settings) as (_, r), contextlib.ExitStack() as open_ones:
        slow = open_ones.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        slow.connect(("127.0.0.1", PORT))
        slow.sendall(b"GET /dygraph.min.js HTTP/1.1\r\nHost: x\r\n\r\n")
        late = [open_ones.enter_context(connect(f"127.0.1.{i + 1}")) for i in range(40)]
        for s in late:
            s.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: wrong\r\n")
        wait_until(lambda: r.get("webserver-connections") == 41, what="their connections")
        r.process.send_signal(signal.SIGTERM)
        for s in late:
            time.sleep(0.01)
            with contextlib.suppress(OSError):
                s.sendall(b"\r\n")


@test
def web_strangers():
    """From outside webserver-allow-from: the connection is closed, nothing is read, nothing is said."""
    with lab_and_recursor(**QUICK) as (_, r), Clients(r):
        for _ in range(100):
            with connect("127.0.0.7") as s:
                with contextlib.suppress(OSError):
                    s.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
                check(rest_of(s) == b"", "nothing is said")
        check(r.get("webserver-connections-forbidden") == 100, "counted")
        check(r.get("webserver-requests") == 0, "none was read")


@test
def web_garbage():
    """What is no HTTP gets a 400 or the end of its connection; the server goes on."""
    pieces = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"\0" * 5000, b"GET\r\n\r\n",
              b"GET / HTTP/9.9\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
              b"PUT /api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
              b"PUT /api HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
              b"GET /%zz%0 HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n" * 3000,
              b"GET /metrics HTTP/1.1\r\nAuthorization: Basic ====\r\nHost: x\r\n\r\n",
              b"GET /metrics HTTP/1.1\r\nAuthorization: Basic " + b"A" * 8000 + b"\r\nHost: x\r\n\r\n")
    with lab_and_recursor(**dict(QUICK, **{"webserver-idle-timeout": 1})) as (_, r), Clients(r):
        for piece in pieces:
            with connect() as s:
                with contextlib.suppress(OSError):
                    s.sendall(piece)
                said = rest_of(s)
                check(said == b"" or said[9:10] in b"45", "what it is told", piece[:60], said)
        check_status(curl("/", password=PASSWORD), 200, "it goes on")
        check(r.ping(), "and so does the daemon")
