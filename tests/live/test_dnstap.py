"""dnstap: what clients and servers say, read by fstrm_capture and decoded by dnstap-ldns."""

import calendar
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from live import (Process, Recursor, check, check_reply, env, lab_and_recursor, need_program, run,
                  test, wait_until)

CONTENT = "protobuf:dnstap.Dnstap"
ADDRESS, PORT = "127.30.13.1", 6000


class Capture(Process):
    """A reader at a Unix socket, or at TCP."""

    def __init__(self, directory=None, tcp=False):
        need_program("fstrm_capture", "dnstap-ldns")
        d = directory or env.new_dir("capture")
        self.socket = os.path.join(d, "dnstap.sock")
        self.file = os.path.join(d, "messages")
        where = ["-a", ADDRESS, "-p", str(PORT)] if tcp else ["-u", self.socket]
        super().__init__("fstrm_capture", ["fstrm_capture", "-t", CONTENT, *where, "-w", self.file],
                         d)
        wait_until(lambda: not self.is_alive() or
                   (tcp and "opened" in self.log()) or os.path.exists(self.socket) or
                   os.path.exists(self.file), 10, "fstrm_capture")

    def messages(self):
        """All of them, as dnstap-ldns reads them, once the reader has ended."""
        self.end()
        text = run("dnstap-ldns", "-y", "-r", self.file, expect=0).stdout
        return [Message(part) for part in re.split(r"(?m)^---$", text) if "type: MESSAGE" in part]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Message:
    def __init__(self, text):
        self.text = text
        self.fields = dict(re.findall(r"(?m)^ *([a-z_]+): ?\"?([^\"\n|]+)\"?$", text))
        self.kind = re.search(r"(?m)^  type: ([A-Z_]+)", text).group(1)
        self.id = int(re.search(r"id: (\d+)", text).group(1))
        found = re.search(r"(?m)^ *;(\S+?)\.?\s+IN\s+(\S+)", text)
        self.question = (found.group(1).lower(), found.group(2)) if found else None

    def __getitem__(self, name):
        return self.fields.get(name)

    def time(self, name):
        found = re.match(r"!!timestamp (\S+ [\d:]+)(\.\d+)", self[name])
        return calendar.timegm(time.strptime(found.group(1), "%Y-%m-%d %H:%M:%S")) + \
            float(found.group(2))

    def __str__(self):
        return self.text


def of_kind(messages, kind):
    return [m for m in messages if m.kind == kind]


def check_client(messages, protocol, name):
    """The query of that name over that protocol, and its response."""
    for kind in "CLIENT_QUERY", "CLIENT_RESPONSE":
        found = [m for m in of_kind(messages, kind)
                 if m.question == (name, "A") and m["socket_protocol"] == protocol]
        check(len(found) == 1, f"one {kind} for {name} over {protocol}", len(found),
              *(m for m in messages))
        m = found[0]
        check(m["socket_family"] == "INET", "family", m)
        check(m["query_address"] == m["response_address"] == "127.0.0.1", "addresses", m)
        check(int(m["response_port"]) == env.port and int(m["query_port"]) > 1023, "ports", m)
        check(m["identity"] == "node7" and m["version"].startswith("recursor "), "who", m)
        yield m


def check_exchange(query, response):
    check(query.id == response.id and query["query_port"] == response["query_port"],
          "they belong together", query, response)
    check(" qr " not in query.text and " qr " in response.text, "one asks, one answers", query,
          response)


@test
def dnstap_unix():
    """Queries and responses of clients and servers, over UDP and TCP, as they were on the wire."""
    with Capture() as capture:
        began = time.time()
        with lab_and_recursor(dnstap_server=capture.socket, dnstap_identity="node7") as (lab, r):
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            check_reply(r.ask("www.city.example"))
            check_reply(r.ask("www.city.example", "A", "+tcp"))
            sent = r.get("all-outqueries")
            r.wait_get("dnstap-frames", 4 + sent)
            check(r.get("dnstap-drops") == 0 == r.get("dnstap-failures"), "nothing is lost")
        messages = capture.messages()
        for protocol in "UDP", "TCP":
            query, response = check_client(messages, protocol, "www.city.example")
            check_exchange(query, response)
            check(re.search(r"www.city.example.\s+\d+\s+IN\s+A\s+\d", response.text),
                  "the answer is there", response)
        asked = of_kind(messages, "RESOLVER_QUERY")
        answered = of_kind(messages, "RESOLVER_RESPONSE")
        check(len(asked) >= sent and len(answered) == len(asked), "servers' messages", len(asked),
              len(answered), sent)
        check(any(m.question == ("www.city.example", "A") for m in asked), "the last question")
        for m in answered:
            mine = [q for q in asked if q.id == m.id and q["query_port"] == m["query_port"]]
            check(len(mine) == 1, "each answer has its question", m)
            check_exchange(mine[0], m)
            check(int(m["response_port"]) == env.lab_port, "the server's port", m)
            check(m["query_address"].startswith("127.") and
                  m["response_address"].startswith("127.20."), "addresses", m)
            check(0 < m.time("response_time") - m.time("query_time") < 10, "both times", m)
        check(all(abs(m.time("query_time") - began) < 60 for m in asked), "the time is now's")


@test
def dnstap_tcp_some():
    """Over TCP, and only what dnstap-messages names."""
    with Capture(tcp=True) as capture:
        with lab_and_recursor(dnstap_server=f"{ADDRESS}:{PORT}", dnstap_identity="", threads=1,
                              dnstap_messages="client-responses") as (_, r):
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            check_reply(r.ask("www.city.example"))
            check_reply(r.ask("no.such.name.example", "AAAA"), "NXDOMAIN")
        messages = capture.messages()
        check([m.kind for m in messages] == ["CLIENT_RESPONSE"] * 2, "two responses",
              *messages)
        check(messages[0]["identity"] is None, "nobody says who", messages[0])


@test
def dnstap_forwarders():
    """What goes to a resolver is told apart from what goes to an authority."""
    with Capture() as capture:
        with lab_and_recursor(dnstap_server=capture.socket,
                              dnstap_messages="resolver-queries resolver-responses",
                              forward_zones_recurse=f"example=127.20.0.1:{env.lab_port}") as (_, r):
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            r.ask("www.city.example")
            r.ask("www.city.test")
        messages = capture.messages()
        for kind in "FORWARDER_QUERY", "FORWARDER_RESPONSE":
            found = of_kind(messages, kind)
            check(found and all(m["response_address"] == "127.20.0.1" for m in found), kind, *found)
        check(not any(m.question and m.question[0].endswith("example")
                      for m in of_kind(messages, "RESOLVER_QUERY")), "authorities", *messages)
        check(not of_kind(messages, "CLIENT_QUERY"), "what is not wanted is not sent")


class Contrary(threading.Thread):
    """A server at an address of its own that answers each question for an A record, with RD the other
    way round than it was asked."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, PORT))

    def run(self):
        while True:
            query, who = self.socket.recvfrom(4096)
            if len(query) < 12:
                return
            end = query.index(b"\0", 12) + 5
            flags = bytes([query[2] & 1 ^ 0x85, 0x80])  # QR, AA, RA
            answer = bytes.fromhex("c00c 0001 0001 0000003c 0004 c0000201")
            self.socket.sendto(query[:2] + flags + bytes.fromhex("0001000100000000") +
                               query[12:end] + answer, who)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.socket.getsockname())
        self.join()
        self.socket.close()


@test
def dnstap_forwarders_by_the_question():
    """Who was asked for recursion is a forwarder, whatever the answer's RD says."""
    authority, resolver = "127.30.13.2", "127.30.13.3"
    with Capture() as capture, Contrary(authority), Contrary(resolver):
        with lab_and_recursor(dnstap_server=capture.socket,
                              dnstap_messages="resolver-queries resolver-responses",
                              forward_zones=f"one.test={authority}:{PORT}",
                              forward_zones_recurse=f"two.test={resolver}:{PORT}") as (_, r):
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            check_reply(r.ask("www.one.test"))
            check_reply(r.ask("www.two.test"))
        messages = capture.messages()
    for address, kind in ((authority, "RESOLVER"), (resolver, "FORWARDER")):
        told = [m.kind for m in messages if m["response_address"] == address]
        check(set(told) == {f"{kind}_QUERY", f"{kind}_RESPONSE"}, address, *messages)
    for m in of_kind(messages, "RESOLVER_RESPONSE") + of_kind(messages, "FORWARDER_RESPONSE"):
        check(0 <= m.time("response_time") - m.time("query_time") < 10, "both times", m)


@test
def dnstap_reader_comes_and_goes():
    """Queries are served while no reader is there; one that comes gets what waited; one that goes
    comes again."""
    d = env.new_dir("capture")
    with lab_and_recursor(dnstap_server=os.path.join(d, "dnstap.sock"), threads=1,
                          dnstap_reopen_interval=1) as (_, r):
        check_reply(r.ask("www.city.example"))
        r.wait_get("dnstap-failures", 1)
        with Capture(d) as capture:
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            r.wait_get("dnstap-frames", 2)
            check(any(m.kind == "CLIENT_RESPONSE" for m in capture.messages()), "what waited")
        os.unlink(capture.file)
        check_reply(r.ask("mail.city.example", "MX"))
        wait_until(lambda: r.get("dnstap-failures") >= 2, 10, "the end is noticed")
        with Capture(d) as capture:
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            wait_until(lambda: r.get("dnstap-drops") == 0, 1, "nothing was dropped")
            time.sleep(0.2)
            names = {m.question[0] for m in of_kind(capture.messages(), "CLIENT_QUERY")}
            check("mail.city.example" in names, "what waited", names)
        check("dnstap: " in r.log() and "connected" in r.log(), "the log tells", r.log())


@test
def dnstap_dead_reader():
    """A reader that reads nothing costs no query; what it misses is counted; the end is prompt."""
    with Capture() as capture:
        with lab_and_recursor(dnstap_server=capture.socket, threads=1,
                              dnstap_queue_size="131072") as (_, r):
            check_reply(r.ask("www.city.example"))
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            capture.process.send_signal(signal.SIGSTOP)
            answered, asked = 0, 0
            query = bytes.fromhex("0001010000010000000000000377777704636974790765"
                                  "78616d706c650000010001")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.connect(("127.0.0.1", env.port))
                while asked < 20000 and (asked % 1000 or r.get("dnstap-drops") < 100):
                    s.send(query)
                    answered += len(s.recv(512)) > 12
                    asked += 1
            check(answered == asked, "every query is answered", answered, asked)
            check(r.get("dnstap-drops") >= 100, "what it misses is counted", asked)
            began = time.monotonic()
        check(time.monotonic() - began < 8, "the end does not wait")
        capture.process.send_signal(signal.SIGCONT)


@test
def dnstap_strangers():
    """A server that is none of Frame Streams is called that, whether it answers at once or not, and is
    not said to be slow."""
    path = os.path.join(env.new_dir("stranger"), "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(10)
        with lab_and_recursor(dnstap_server=path, dnstap_reopen_interval=1) as (_, r):
            with listener.accept()[0] as stranger:
                stranger.recv(100)
                time.sleep(0.1)
                stranger.sendall(b"220 ready\r\n" * 10)
                wait_until(lambda: f"dnstap: {path}: " in r.log(), 10, "its line")
            check(f"{path}: it speaks no Frame Streams of dnstap; it is tried again every 1 s"
                  in r.log(), "why", r.log())


def loggers(r):
    """What get-remotelogger-stats tells of each server: the columns, and the same as JSON."""
    lines = r.rec("get-remotelogger-stats").stdout.splitlines()
    check(lines[:2] == ["Queued\tPipe-\tToo-\tOther-\tAddress\tType", "\tFull\tLarge\terror"],
          "two lines of heading", *lines)
    return ([line.split("\t") for line in lines[2:]],
            json.loads(r.rec("--json", "get-remotelogger-stats").stdout)["remote-loggers"])


@test
def dnstap_dead_beside_living():
    """What became of messages is told for each server: one lives and gets all, one is dead, so that its
    queue fills and the rest is dropped; in rec_control, and for Prometheus as promtool reads it."""
    need_program("curl", "promtool")
    dead = env.new_dir("dead") + '/not"there.sock'
    with Capture() as capture:
        with lab_and_recursor(dnstap_server=f"{capture.socket} {dead}", threads=1, webserver="yes",
                              dnstap_queue_size="131072", dnstap_reopen_interval=1,
                              dnstap_messages="client-responses", webserver_port=8082) as (_, r):
            wait_until(lambda: r.get("dnstap-connected") == 1, 10, "the connection")
            check_reply(r.ask("www.city.example"))
            r.wait_get("remote-logger-count-o-1", 1)
            check(loggers(r)[0][1][:3] == ["1", "0", "0"], "it waits for the dead", loggers(r))
            asked = 1
            query = bytes.fromhex("0001010000010000000000000377777704636974790765"
                                  "78616d706c650000010001")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.connect(("127.0.0.1", env.port))
                while asked < 20000 and r.get("remote-logger-count-p-1") < 10:
                    for _ in range(100):
                        s.send(query)
                        s.recv(512)
                    asked += 100
                    r.wait_get("dnstap-frames", asked)  # the living has taken them
            (lives, died), told = loggers(r)
            check(lives == [str(asked), "0", "0", "0", capture.socket, "dnstapFrameStream"],
                  "the living got all", lives, asked)
            check(died[4:] == [dead, "dnstapFrameStream"] and int(died[1]) >= 10 and
                  int(died[0]) + int(died[1]) == asked and int(died[3]) >= 1 and died[2] == "0",
                  "the dead did not", died, asked)
            check([t["is-connected"] for t in told] == [True, False] and
                  [t["sent"] for t in told] == [asked, 0], "what else JSON tells", told)
            check([r.get(f"remote-logger-count-{o}-1") for o in "qpt"] == [int(n) for n in died[:3]],
                  "the metrics", died)
            check(r.get("dnstap-drops") == int(died[1]), "the sums")
            names = [line.split("\t")[0] for line in r.rec("get-all").stdout.splitlines()]
            check([n for n in names if n.startswith("remote-logger")] ==
                  [f"remote-logger-count-{o}-{i}" for o in "opqt" for i in (0, 1)], "get-all", names)
            text = run("curl", "-s", "-m", "20", "http://127.0.0.1:8082/metrics", expect=0).stdout
            label = dead.replace('"', '\\"')
            check(f'pdns_recursor_remote_logger_count{{address="{label}",type="dnstapFrameStream",'
                  f'count="pipeFull"}} {died[1]}\n' in text, "for Prometheus", text)
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, timeout=60, check=False)
            check(done.returncode in (0, 3), "promtool reads it", done.stderr)
        messages = capture.messages()
        check(len(messages) == asked, "the reader has them", len(messages), asked)


@test
def dnstap_settings():
    """What is no server or no kind of message is refused at the start."""
    for name, value, why in (
            ("dnstap-server", "here", "neither the path of a socket nor an address with a port"),
            ("dnstap-server", "127.0.0.1", "neither the path of a socket"),
            ("dnstap-server", "/a, /b, /a", "'/a' is there twice"),
            ("dnstap-messages", "client-queries all", "'all' is none of client-queries")):
        r = Recursor(ready=False, **{name.replace("-", "_"): value})
        check(r.process.wait(10) == 1, "it does not start", r.log())
        check(f"{name}={value}: " in r.log() and why in r.log(), "and tells", r.log())
