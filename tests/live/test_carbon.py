"""Carbon: all metrics in a real carbon-cache, read back from its whisper files; and beside it
servers that are dead, slow, or not there any more."""

import contextlib
import json
import os
import socket
import time

from live import (Process, check, check_reply, env, lab_and_recursor, need_program, run, test,
                  wait_until)

ADDRESS, PORT = "127.30.11.1", 2003
OTHER = "127.30.11.2"

READ_WHISPER = """
import json, os, sys, time, whisper
found, top = {}, sys.argv[1]
for directory, _, files in os.walk(top):
    for name in files:
        path = os.path.join(directory, name)
        try:
            (begin, _, step), values = whisper.fetch(path, int(time.time()) - 300)
        except Exception:  # it is being made
            continue
        metric = os.path.relpath(path, top)[:-4].replace("/", ".")
        found[metric] = [(begin + step * i, v) for i, v in enumerate(values) if v is not None]
print(json.dumps(found))
"""


class CarbonCache(Process):
    def __init__(self):
        need_program("carbon-cache", "whisper-fetch")
        d = env.new_dir("carbon")
        with open(os.path.join(d, "carbon.conf"), "w", encoding="ascii") as f:
            f.write(f"""[cache]
STORAGE_DIR = {d}
CONF_DIR = {d}
LOCAL_DATA_DIR = {d}/whisper
WHITELISTS_DIR = {d}
LOG_DIR = {d}
PID_DIR = {d}
USER =
LINE_RECEIVER_INTERFACE = {ADDRESS}
LINE_RECEIVER_PORT = {PORT}
PICKLE_RECEIVER_INTERFACE = {ADDRESS}
PICKLE_RECEIVER_PORT = 2004
CACHE_QUERY_INTERFACE = {ADDRESS}
CACHE_QUERY_PORT = 7002
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
CARBON_METRIC_INTERVAL = 0
ENABLE_LOGROTATION = False
""")
        with open(os.path.join(d, "storage-schemas.conf"), "w", encoding="ascii") as f:
            f.write("[all]\npattern = .*\nretentions = 1s:10m\n")
        super().__init__("carbon-cache", ["carbon-cache", f"--config={d}/carbon.conf", "--nodaemon",
                                          f"--logdir={d}", f"--pidfile={d}/pid", "start"], d,
                         {"GRAPHITE_ROOT": d, "GRAPHITE_CONF_DIR": d, "GRAPHITE_STORAGE_DIR": d})
        wait_until(lambda: not self.is_alive() or self.listens(), 20, "carbon-cache")
        check(self.is_alive(), "carbon-cache does not start", self.log())

    @staticmethod
    def listens():
        with socket.socket() as s:
            return s.connect_ex((ADDRESS, PORT)) == 0

    def stored(self):
        """What the whisper files hold, as {path: [[time, value], ...]}."""
        # The library is the distribution's: so is the interpreter that has it.
        done = run("/usr/bin/python3", "-c", READ_WHISPER, os.path.join(self.dir, "whisper"),
                   expect=0)
        return json.loads(done.stdout)

    def values(self, path):
        return self.stored().get(path, [])

    def last(self, path):
        return (self.values(path) or [(0, None)])[-1][1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


@test
def carbon_values_in_whisper():
    """Every metric of get-all stands in carbon-cache's whisper files, with its value."""
    with CarbonCache() as carbon, lab_and_recursor(carbon_server=ADDRESS, carbon_interval=1,
                                                   carbon_ourname="ns1",
                                                   dnstap_server="/no.where/a") as (_, r):
        for _ in range(7):
            check_reply(r.ask("www.city.example"))
        wait_until(lambda: carbon.last("pdns.ns1.recursor.questions") == 7, 20, "7 questions")
        when, _ = carbon.values("pdns.ns1.recursor.questions")[-1]
        check(abs(when - time.time()) < 60, "the time is now's", when)
        names = [line.split("\t")[0] for line in r.rec("get-all").stdout.splitlines()]
        # Both leave out the same, unless told otherwise.
        check(len(names) > 100 and "remote-logger-count-p-0" in names, "metrics", names)
        stored = carbon.stored()
        missing = [n for n in names if not stored.get("pdns.ns1.recursor." + n)]
        check(not missing, "sent but not stored", missing)
        for name in "cache-entries", "noerror-answers", "packetcache-hits":
            check(carbon.last("pdns.ns1.recursor." + name) == r.get(name), name)
        check(r.get("carbon-pushes") >= 2, "pushes are counted")
        check(r.get("carbon-errors") == 0 == r.get("carbon-timeouts"), "nothing failed")


@test
def carbon_at_run_time():
    """set-carbon-server begins, renames, and ends it, at once; a name without dots by default."""
    with CarbonCache() as carbon, lab_and_recursor(carbon_interval=3600) as (_, r):
        check(r.get("carbon-pushes") == 0, "it is off")
        out = r.rec("set-carbon-server", ADDRESS).stdout
        check(out == f"set carbon-server to '{ADDRESS}'\n", "reply", out)
        host = socket.gethostname().replace(".", "_")
        wait_until(lambda: carbon.last(f"pdns.{host}.recursor.uptime") is not None, 20, "a push")
        out = r.rec("set-carbon-server", f"{ADDRESS}:{PORT}", "a.b", "isp", "res").stdout
        check(out.count("set carbon-") == 4, "reply", out)
        wait_until(lambda: carbon.last("isp.a.b.res.uptime") is not None, 20, "the other name")
        check("carbon-ourname=a.b" in r.rec("get-parameter", "carbon-ourname").stdout, "setting")
        pushes = r.get("carbon-pushes")
        check(pushes == 2, "pushes", pushes)
        bad = r.rec("set-carbon-server", "graphite.example", expect=1)
        check("not an address" in bad.stdout + bad.stderr, "refused", bad.stdout, bad.stderr)
        out = r.rec("set-carbon-server").stdout
        check(out == "cleared carbon-server setting\n", "reply", out)
        time.sleep(0.3)
        check(r.get("carbon-pushes") == pushes, "nobody is sent anything")


@contextlib.contextmanager
def silent_listener(address):
    """A server that answers nobody: its backlog is full."""
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(socket.socket())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, PORT))
        s.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, PORT))
        yield


@test
def carbon_dead_and_slow_beside_good():
    """A dead server and one that reads nothing cost the good one and the queries nothing."""
    with silent_listener(OTHER), CarbonCache() as carbon, \
            lab_and_recursor(carbon_server=f"{OTHER}, 127.30.11.3, {ADDRESS}", carbon_interval=6,
                             network_timeout=3000, carbon_ourname="x") as (_, r):
        r.wait_get("carbon-pushes", 1)
        check(r.get("carbon-timeouts") == 0, "the good one has all while the slow one is tried")
        check_reply(r.ask("www.city.example"))
        wait_until(lambda: carbon.values("pdns.x.recursor.uptime"), 20, "the first push")
        r.wait_get("carbon-timeouts", 1, 15)
        r.wait_get("carbon-pushes", 2, 15)
        log = r.log()
        check("Error writing carbon data to 127.30.11.3:2003: Connection refused" in log,
              "the dead one is told", log)
        check(f"Timeout connecting/writing carbon data to {OTHER}:2003" in log,
              "the slow one is told", log)


@test
def carbon_slow_does_not_hold_the_end():
    """The daemon ends at once although a carbon server is waited for."""
    with silent_listener(OTHER):
        with lab_and_recursor(carbon_server=OTHER, carbon_interval=3600,
                              network_timeout=60000) as (_, r):
            check_reply(r.ask("www.city.example"))
            began = time.monotonic()
        check(time.monotonic() - began < 30, "it ends long before the minute is over")
