"""tools/graphs: carbon lines in, round-robin files, boards out; and graphs-feed."""

import contextlib
import json
import math
import os
import random
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from live import (Process, Skip, check, env, lab_and_recursor, need_program, run, test,
                  wait_until)

CARBON_PORT = 2003
WEB_PORT = 8083


def need_graphs():
    if not os.path.exists(env.program("graphs")):
        raise Skip("graphs is not built (tools/deps build)")


class Graphs(Process):
    def __init__(self, directory=None, **options):
        need_graphs()
        own = env.new_dir("graphs")
        self.data = directory or os.path.join(own, "data")
        values = {"directory": self.data, "listen": f"127.0.0.1:{CARBON_PORT}",
                  "web": f"127.0.0.1:{WEB_PORT}", **options}
        super().__init__("graphs", [env.program("graphs"), *(
            f"--{name.replace('_', '-')}={value}" for name, value in values.items())], own)
        wait_until(lambda: not self.is_alive() or "the boards are at" in self.log(),
                   what="the graph service")
        check(self.is_alive(), "graphs does not start", self.log())

    def request(self, path, method="GET", **headers):
        """Status, headers and body."""
        question = urllib.request.Request(f"http://127.0.0.1:{WEB_PORT}{path}", method=method,
                                          headers=headers)
        try:
            with urllib.request.urlopen(question, timeout=10) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def ask(self, path, **query):
        status, _, body = self.request(f"/api/{path}?{urllib.parse.urlencode(query)}")
        check(status == 200, f"{path} {query}: {status}", body)
        return json.loads(body)

    def status(self):
        return self.ask("status")

    def refused(self):
        return {why: n for why, n in self.status()["refused"].items() if n}

    def wait_taken(self, n):
        wait_until(lambda: self.status()["taken"] >= n, what=f"{n} values taken")

    def file(self, source, metric):
        return os.path.join(self.data, source, metric + ".rrd")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.end()
        if kind is None:
            check(status == 0, f"graphs ended with {status}", self.log())


def send(data, address="127.0.0.1"):
    with socket.create_connection((address, CARBON_PORT), timeout=5) as s:
        s.sendall(data.encode() if isinstance(data, str) else data)


def history(source, metric, start, values, step=10, end="\r\n"):
    return "".join(f"{source}.{metric} {value} {start + i * step}{end}"
                   for i, value in enumerate(values))


def rrd_values(path, start, end, kind="AVERAGE"):
    """What rrdtool reads: {time: value} of the first data source, without gaps."""
    out = run("rrdtool", "fetch", path, kind, "-s", str(start), "-e", str(end), expect=0).stdout
    rows = re.findall(r"^(\d+): (\S+)", out, re.M)
    return {int(t): float(v) for t, v in rows if "nan" not in v}


def numbers(values):
    return [v for v in values if v is not None]


def start_of_test(seconds):
    """A time so long ago, on a step's edge."""
    now = int(time.time())
    return now - seconds - now % 10


@test
def graphs_keeps_what_it_takes():
    """graphs: counters become rates, gauges stay, read back by rrdtool; a restart is a gap"""
    need_program("rrdtool")
    start = start_of_test(600)
    with Graphs() as graphs:
        source = "pdns.ns1.recursor"
        # 50 a second, then the resolver starts anew, then 20 a second.
        counter = [i * 500 for i in range(20)] + [i * 200 for i in range(20)]
        send(history(source, "questions", start, counter) +
             history(source, "cache-entries", start, [7000 + i for i in range(40)], end="\n") +
             history(source, "a-script-s-own", start, [i * 30 for i in range(40)]))
        graphs.wait_taken(120)
        board = graphs.ask("board", id="queries", source=source, to=start + 400,
                           **{"from": start})  # has it written
        graphs.ask("metric", source=source, metric="cache-entries")
        rates = rrd_values(graphs.file(source, "questions"), start, start + 390)
        check(rates[start + 100] == 50 and rates[start + 300] == 20, "rates", rates)
        check(start + 200 not in rates and set(rates.values()) == {50, 20},
              "the restart is no gap", rates)
        drawn = numbers(board["lines"][0])
        check(set(drawn) == {50, 20}, "the board", board)
        values = rrd_values(graphs.file(source, "cache-entries"), start, start + 390)
        check(values[start + 100] == 7010, "gauge", values)
        unknown = [graphs.ask("metric", source=source, metric="a-script-s-own", rate=rate,
                              to=start + 400, **{"from": start})["lines"][0] for rate in (0, 1)]
        check(max(numbers(unknown[0])) == 39 * 30 and set(numbers(unknown[1])) == {3},
              "a metric of unknown kind", unknown)
        data = graphs.data
    # What was taken is there after a restart, and goes on.
    with Graphs(data) as graphs:
        send(history(source, "questions", start + 400, [200 * 20, 200 * 21]))
        graphs.wait_taken(2)
        board = graphs.ask("board", id="queries", source=source, **{"from": start})
        check(len(numbers(board["lines"][0])) >= 39, "after a restart", board)
        check(graphs.ask("overview")["sources"][0]["last"] == start + 410, "heard last")


@test
def graphs_lines_in_any_pieces():
    """graphs: lines cut anywhere, many connections, an end without LF"""
    start = start_of_test(300)
    with Graphs() as graphs:
        text = "".join(history(f"pdns.n{i}.recursor", "questions", start, range(0, 3000, 100))
                       for i in range(8)).encode()
        sockets = [socket.create_connection(("127.0.0.1", CARBON_PORT)) for _ in range(8)]
        parts = text.split(b"\r\n")[:-1]
        for i, s in enumerate(sockets):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            mine = b"\r\n".join(parts[i * 30:i * 30 + 30]) + b"\r\n"
            at = 0
            while at < len(mine):
                n = random.randint(1, 200)
                s.sendall(mine[at:at + n])
                at += n
        sockets[0].sendall(b"pdns.n0.recursor.questions 99")  # half a line is none
        for s in sockets:
            s.close()
        graphs.wait_taken(240)
        status = graphs.status()
        check(status["taken"] == 240 and status["sources"] == 8 and not graphs.refused(),
              "what was taken", status)


@test
def graphs_sum_of_a_fleet():
    """graphs: the sum of a fleet, by a pattern too; ratios and percentiles of sums"""
    start = start_of_test(600)
    with Graphs() as graphs:
        lines = ""
        for name, rate, part in (("fra1", 100, 0.5), ("fra2", 300, 0.9), ("ams1", 600, 0.1)):
            source = f"pdns.{name}.recursor"
            lines += history(source, "questions", start, [rate * 10 * i for i in range(50)])
            for metric, share in (("packetcache-hits", part), ("cache-hits", 0),
                                  ("cache-misses", 1 - part), ("cumul-clientanswers-le-1000", part),
                                  ("cumul-clientanswers-le-2000", 1),
                                  ("cumul-clientanswers-le-max", 1)):
                lines += history(source, metric, start,
                                 [int(rate * share * 10 * i) for i in range(50)])
            lines += history(source, "qa-latency", start, [rate * 1000] * 50)
            lines += history(f"pdns.{name}.host", "net-rx-bytes", start,
                             [1000 * i for i in range(50)])
        send(lines)
        graphs.wait_taken(50 * 9 * 3)

        def middle(board, line=0, **who):
            answer = graphs.ask("board", id=board, to=start + 450, **{"from": start + 100}, **who)
            values = numbers(answer["lines"][line])
            check(values, f"{board} of {who} is empty", answer)
            return values[len(values) // 2]

        check(middle("queries", fleet="*") == 1000, "the sum of all")
        check(middle("queries", fleet="pdns.fra*") == 400, "the sum of some")
        check(middle("queries", source="pdns.ams1.recursor") == 600, "one")
        check(math.isclose(middle("cache", fleet="*"), 38, rel_tol=0.01), "hits of all",
              middle("cache", fleet="*"))
        check(math.isclose(middle("latency", 3, fleet="pdns.fra*"), 200), "an average")
        # 40 % are below 1 ms, the rest evenly up to 2 ms.
        half = middle("latency", 0, fleet="pdns.*")
        check(math.isclose(half, 1 + 12 / 62, rel_tol=0.01), "half are faster than", half)
        check(middle("host-network", fleet="*") == 3 * 800, "hosts' sum, in bits")
        check(middle("host-network", source="pdns.fra1.recursor") == 800,
              "the host of a resolver")
        empty = graphs.ask("board", id="queries", fleet="nobody*")
        check(empty["sources"] == 0, "nobody", empty)


@test
def graphs_refuses():
    """graphs: hostile lines, each refused under its reason; no file outside, files have a limit"""
    now = int(time.time())
    with Graphs(max_files=20, max_metrics=8) as graphs:
        send("../../../tmp/evil.x 1 %d\n" % now + "..x.y 1 %d\n" % now + "a/b.c 1 %d\n" % now +
             "no-dot 1 %d\n" % now + "a.b nan %d\n" % now + "a.b 1e400 %d\n" % now +
             "a.b 1\n" + "a.b 1 2 3\n" + "a.b 1 x\n" + "x" * 100000 + "\n" +
             f"a.b 1 {now + 4000}\n" + f"a.b 1 {now - 200000}\n" +
             f"a.b 1 {now - 10}\n" + f"a.b 2 {now - 10}\n" + f"a.b 2 {now - 20}\n" +
             f"a.b 3 {now}\r\n")
        send(b"\x00\xff\xfe\n" + os.urandom(5000).replace(b"\n", b"") + b"\n")
        wait_until(lambda: graphs.status()["taken"] >= 2 and
                   graphs.refused().get("line-too-long", 0) >= 2, what="all lines read")
        refused = graphs.refused()
        for why, n in {"line-name": 4, "line-value": 2, "line-time": 1, "time-future": 1,
                       "time-past": 1, "time-duplicate": 1, "time-order": 1}.items():
            check(refused.get(why) == n, f"{why}: not {n}", refused)
        check(refused["line-syntax"] >= 2, "line-syntax", refused)

        send("".join(f"one.m{i} 1 {now}\n" for i in range(30)))
        send("".join(f"s{i}.x 1 {now}\n" for i in range(300)))
        wait_until(lambda: graphs.refused().get("max-files", 0) > 280, what="max-files")
        refused = graphs.refused()
        check(refused["max-metrics"] == 22, "max-metrics", refused)
        check(graphs.status()["metrics"] == 20, "metrics", graphs.status())
        data = graphs.data
    files = [os.path.join(d, f) for d, _, names in os.walk(data) for f in names]
    check(len([f for f in files if f.endswith(".rrd")]) == 20, "files", files)
    check(not os.path.exists("/tmp/evil"), "a file outside")


@test
def graphs_connections():
    """graphs: 1,000 idle connections, strangers, and a resolver that is heard all the same"""
    now = int(time.time())
    with Graphs(max_connections=100, listen="127.0.0.1:%d, 127.0.0.2:%d" %
                (CARBON_PORT, CARBON_PORT), allow="127.0.0.0/8, !127.0.0.66") as graphs:
        idle = []
        with contextlib.ExitStack() as stack:
            for i in range(1000):
                s = stack.enter_context(socket.socket())
                s.settimeout(5)
                s.bind((f"127.0.1.{i % 10 + 1}", 0))
                s.connect(("127.0.0.1", CARBON_PORT))
                idle.append(s)
            send(f"a.b 1 {now}\n", "127.0.0.2")
            graphs.wait_taken(1)
            stranger = stack.enter_context(socket.socket())
            stranger.bind(("127.0.0.66", 0))
            stranger.connect(("127.0.0.1", CARBON_PORT))
            with contextlib.suppress(ConnectionError):
                stranger.sendall(f"a.c 1 {now}\n".encode())
                check(stranger.recv(1) == b"", "a stranger is answered")
            refused = graphs.refused()
        check(refused["max-connections"] + refused.get("max-connections-address", 0) >= 900,
              "connections", refused)
        check(refused["allow"] == 1 and graphs.status()["taken"] == 1, "the stranger", refused)
        # Resolvers behind one address: more than it may have, each in and out at once.
        for i in range(500):
            send(f"n{i}.b 1 {now}\n")
        graphs.wait_taken(501)


@test
def graphs_over_http():
    """graphs: the page and its files, headers, wrong questions, other methods, slow clients"""
    with Graphs() as graphs:
        status, headers, body = graphs.request("/")
        check(status == 200 and b"<title>recursor graphs" in body, "the page", body)
        policy = headers["Content-Security-Policy"]
        check("default-src 'none'" in policy and "unsafe" not in policy, policy)
        check(headers["X-Content-Type-Options"] == "nosniff", "nosniff", headers)
        for path in re.findall(rb'(?:src|href)="([^"?]+)"', body):
            check(b":" not in path, "of another host", path)
            status, headers, part = graphs.request("/" + path.decode())
            check(status == 200 and len(part) > 100, path, status)
            again = graphs.request("/" + path.decode(), **{"If-None-Match": headers["ETag"]})
            check(again[0] == 304, "If-None-Match", path, again[0])
        packed = graphs.request("/graphs.js", **{"Accept-Encoding": "gzip"})
        check(packed[1]["Content-Encoding"] == "gzip" and packed[2][:2] == b"\x1f\x8b", "gzip")
        for path, expected in (("/api/none", 404), ("/../etc/passwd", 404), ("/api/board", 404),
                               ("/api/board?id=queries", 400),
                               ("/api/board?id=queries&source=../x", 400),
                               ("/api/board?id=queries&fleet=*&from=5&to=4", 400),
                               ("/api/board?id=queries&fleet=*&from=x", 400),
                               ("/api/board?id=queries&fleet=*&from=1", 400),
                               ("/api/metric?source=a.b&metric=../../x", 400),
                               ("/api/metrics?source=a.b", 404),
                               ("/" + "x" * 20000, 414)):
            status = graphs.request(path)[0]
            check(status == expected or (len(path) > 10000 and status >= 400),
                  f"{path[:60]}: {status}, not {expected}")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            check(graphs.request("/api/status", method)[0] == 405, method)
        check(len(graphs.ask("boards")) >= 20, "boards")
        slow = [socket.create_connection(("127.0.0.1", WEB_PORT)) for _ in range(40)]
        for s in slow:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        check(graphs.request("/api/status")[0] == 200, "beside slow clients")
        for s in slow:
            s.close()


@test
def graphs_start_is_refused():
    """graphs: what it cannot start with costs one line and its exit code"""
    need_graphs()
    directory = env.new_dir("refused")
    plain = os.path.join(directory, "file")
    with open(plain, "w", encoding="ascii"):
        pass
    for options, status, said in (
            ([f"--directory={plain}/x"], 1, "cannot be made"),
            ([f"--directory={plain}"], 1, "cannot be written to"),
            (["--directory=/proc/graphs"], 1, "cannot be made"),
            (["--step=0"], 2, "--step"), (["--listen=here"], 2, "listen"),
            (["--nothing"], 2, "nothing"), (["--step=100", "--heartbeat=10"], 2, "heartbeat"),
            (["word"], 2, "word"), ([f"--config={plain}x"], 2, plain)):
        done = run(env.program("graphs"), *options, expect=status)
        lines = done.stderr.strip().splitlines()
        check(len(lines) == 1 and said.lstrip("-") in lines[0], f"{options}", done.stderr)
    config = os.path.join(directory, "graphs.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write("step=10\nmax-files=many\n")
    done = run(env.program("graphs"), f"--config={config}", expect=2)
    check(f"{config}:2" in done.stderr and "max-files=many" in done.stderr, "place", done.stderr)
    with Graphs() as graphs:
        second = run(env.program("graphs"), f"--directory={graphs.data}", "--listen=127.0.0.1:2103",
                     "--web=127.0.0.1:8183", expect=1)
        check("another one is at work" in second.stderr, "a second one", second.stderr)
        third = run(env.program("graphs"), f"--directory={graphs.data}x", "--web=127.0.0.1:8183",
                    f"--listen=127.0.0.1:{CARBON_PORT}", expect=1)
        check(f"127.0.0.1:{CARBON_PORT}" in third.stderr, "a port in use", third.stderr)
    check("--max-files" in run(env.program("graphs"), "--help", expect=0).stdout, "--help")


@test
def graphs_feed():
    """graphs-feed: a host's figures, taken by the service; a dead server is said so"""
    feed = env.program("graphs-feed")
    with Graphs() as graphs:
        printed = run(feed, "--print", "--name=h1.example", expect=0).stdout
        check(re.search(r"^pdns\.h1\.example\.host\.load-1 \d+(\.\d+)? \d+$", printed, re.M),
              "lines", printed)
        check(printed.count("\n") > 20, "figures", printed)
        run(feed, f"--server=127.0.0.1:{CARBON_PORT}", "--name=h1", "--once",
            "--interfaces=lo", expect=0)
        graphs.wait_taken(20)
        check(not graphs.refused(), "refused", graphs.refused())
        sources = graphs.ask("overview")["sources"]
        check([(s["name"], s["of"]) for s in sources] == [("pdns.h1.host", "host")], "overview",
              sources)
        names = [m["name"] for m in graphs.ask("metrics", source="pdns.h1.host")]
        check("net-lo-rx-bytes" in names and "cpu-user-msec" in names, "metrics", names)
        check(all(m["kind"] != "unknown"
                  for m in graphs.ask("metrics", source="pdns.h1.host")), "kinds")
        directory = env.new_dir("feed")
        with contextlib.ExitStack() as stack:
            running = Process("feed", [feed, f"--server=127.0.0.1:1, 127.0.0.1:{CARBON_PORT}",
                                       "--name=h2", "--interval=1"], directory)
            stack.callback(running.end)
            wait_until(lambda: graphs.ask("overview")["sources"][-1]["name"] == "pdns.h2.host",
                       what="the second host")
            check("127.0.0.1:1 takes no lines" in running.log(), "the dead one", running.log())
            check(running.end() == 0, "its end")
    check(run(feed, "--server=127.0.0.1:1", "--once").returncode == 1, "a dead server")
    for wrong in ("--interval=0", "--server=x", "--name=a/b", "--nothing", "word"):
        done = run(feed, wrong, expect=2)
        check(len(done.stderr.strip().splitlines()) == 1, wrong, done.stderr)


@test
def graphs_beside_a_recursor():
    """graphs: a recursor pushes by carbon-server; its boards show it"""
    need_program("kdig")
    with Graphs(step=1) as graphs, lab_and_recursor(
            carbon_server=f"127.0.0.1:{CARBON_PORT}", carbon_ourname="ns1", carbon_interval=1) as (
                _, recursor):
        begin = int(time.time())

        def is_drawn():
            recursor.ask("www.city.example")
            board = graphs.ask("board", id="queries", source="pdns.ns1.recursor",
                               **{"from": begin - 5})
            return sum(numbers(board["lines"][0])) > 0

        wait_until(is_drawn, 15, "questions on the board")
        check(not graphs.refused(), "refused", graphs.refused())
        unknown = [m["name"] for m in graphs.ask("metrics", source="pdns.ns1.recursor")
                   if m["kind"] == "unknown"]
        check(not unknown, "metrics of ours whose kind it does not know", unknown)
        wait_until(lambda: numbers(graphs.ask("board", id="memory", source="pdns.ns1.recursor")
                                   ["lines"][0]), what="memory on the board")


@test
def graphs_in_a_browser():
    """graphs: Chromium draws the boards, and its console has nothing to complain of"""
    need_program("chromium")
    start = start_of_test(600)
    with Graphs() as graphs:
        send("".join(history(f"pdns.{name}.recursor", metric, start, range(0, 60000, 1000))
                     for name in ("ns1", "ns2")
                     for metric in ("questions", "noerror-answers", "user-msec")))
        graphs.wait_taken(360)
        profile = env.new_dir("chromium")
        for query, figure in (("", "200"), ("?source=pdns.ns1.recursor&range=10+min", "100")):
            done = run("chromium", "--headless", "--no-sandbox", "--disable-gpu",
                       "--disable-dev-shm-usage", f"--user-data-dir={profile}",
                       "--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom",
                       f"http://127.0.0.1:{WEB_PORT}/{query}", timeout=60, expect=0)
            said = [line for line in done.stderr.splitlines()
                    if "CONSOLE" in line and f"127.0.0.1:{WEB_PORT}" in line]
            check(not said, "the console", "\n".join(said))
            boards = re.findall(r'<section id="board-([a-z-]+)"(.*?)</section>', done.stdout, re.S)
            check(len(boards) >= 20, "boards", len(boards))
            drawn = {name for name, body in boards if "<canvas" in body}
            check({"queries", "answers", "cpu"} <= drawn, "boards that were drawn", drawn)
            queries = dict(boards)["queries"]
            check(f"<b>{figure}</b>" in queries, "the figure of queries", queries[-600:])
            check("2 sources heard" in re.sub("<[^>]*>", "", done.stdout) or
                  "2 silent" in done.stdout, "sources", done.stdout[-500:])
