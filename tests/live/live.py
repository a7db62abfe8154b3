"""The harness of the live tests: a namespace of our own, processes, clients, results.

A test is a function marked with @test. It raises Failed (see check()) or Skip; every process it
starts belongs to a `with` block, which ends it and looks at how it ended.
"""

import contextlib
import ctypes
import glob
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

TESTS = []
TORTURES = []
HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
WORLD = os.path.join(TREE, "tools/lab/world")
ATTACKS = os.path.join(TREE, "tools/lab/hooks/attacks.lua")


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def test(function):
    """Marks a test; its docstring says what must be so."""
    TESTS.append(function)
    return function


def torture(function):
    """Marks one that takes as many SECONDS as the environment says: `run -t` runs these."""
    TORTURES.append(function)
    return function


def check(condition, what, *about):
    if not condition:
        raise Failed("\n    ".join([what] + [str(a).rstrip().replace("\n", "\n    ")
                                            for a in about]))


class Environment:
    """Where we are: set up once by `run`."""

    def __init__(self):
        self.build = "build"
        self.isolated = False  # in a network namespace of our own, so port 53 is ours
        self.root = False  # truly root, so that privileges can be dropped
        self.dir = None
        self.crashes = []  # what ended by a signal that is a fault of its own
        self.port = 53
        self.lab_port = 5351
        self.serial = 0

    def program(self, name):
        return os.path.join(self.build, name)

    def new_dir(self, name):
        self.serial += 1
        path = os.path.join(self.dir, f"{self.serial:03d}-{name}")
        os.mkdir(path)
        os.chmod(path, 0o755)
        return path

    def need_isolation(self):
        if not self.isolated:
            raise Skip("needs a network namespace of its own (root, or user namespaces)")

    def need_root(self):
        self.need_isolation()
        if not self.root:
            raise Skip("needs root")

    def need_mounts(self):
        """Mounts that nobody else sees; in a plain chroot there are none."""
        self.need_root()
        done = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip("needs a mount namespace: " + done.stderr.strip())

    def need_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                s.bind(("::1", 0))
        except OSError:
            raise Skip("needs IPv6") from None


env = Environment()


def need_program(*names):
    for name in names:
        if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            raise Skip(f"{name} is not installed (tools/deps test)")


def run(*command, timeout=20, expect=None, cwd=None):
    """Runs to the end; checks the exit status when one is expected."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", timeout=timeout, cwd=cwd, check=False)
    if expect is not None:
        check(done.returncode == expect,
              f"{' '.join(command)}: status {done.returncode}, not {expect}",
              done.stdout, done.stderr)
    return done


def wait_until(condition, seconds=10, what="what was waited for"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failed(f"within {seconds} s it did not happen: {what}")


class Process:
    """A server in the foreground, its output in a file."""

    def __init__(self, name, command, directory, extra_env=None):
        self.name = name
        self.dir = directory
        self.log_path = os.path.join(directory, name + ".log")
        environment = dict(os.environ, **(extra_env or {}))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=environment)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def is_alive(self):
        return self.process.poll() is None

    def end(self, sig=signal.SIGTERM, seconds=10):
        """The exit status; negative for a signal."""
        if self.is_alive():
            self.process.send_signal(sig)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} does not end on signal {sig}", self.log()[-2000:]) from None
        if -status in FAULTS:
            env.crashes.append(f"{self.name}: {signal.Signals(-status).name}")
        return status


def write(path, text):
    """The path of a file that has this text now; nobody reads half of it."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".new", path)
    return path


# ---- authorities ----

def root_hints(directory, address, name="a.root."):
    """The path of a file that names one root server."""
    return write(os.path.join(directory, "root.hints"),
                 f". 3600 IN NS {name}\n{name} 3600 IN A {address}\n")


def nsd_server(directory, *addresses, port=53, more=""):
    """The part of an nsd.conf that comes before its zones; with more for its server."""
    return "server:\n" + "".join(f"  ip-address: {a}\n" for a in addresses) + more + f"""  port: {port}
  server-count: 1
  username: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/pid"
  xfrdfile: "{directory}/xfrd"
  zonelistfile: "{directory}/zones"
  xfrdir: "{directory}"
  database: ""
remote-control:
  control-enable: no
"""


def nsd_zones(files):
    """The zones of an nsd.conf, from {zone: path}."""
    return "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n'
                   for zone, path in files.items())


def knot_server(directory, address, port=53):
    """The part of a knot.conf that comes before its zones."""
    return f"""server:
    rundir: "{directory}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{directory}"
log:
  - target: stderr
    any: warning
"""


def knot_zones(directory, files):
    """The zones of a knot.conf, from {zone: path}."""
    return "zone:\n" + "".join(f'  - domain: {zone}\n    file: "{path}"\n    storage: "{directory}"\n'
                               for zone, path in files.items())


# How each is started with what is in a directory: its configuration has this name and `.conf`.
AUTHORITIES = {"bind": ("named", "-g", "-n", "1", "-c", "{}/bind.conf"),
               "nsd": ("nsd", "-d", "-c", "{}/nsd.conf"),
               "knot": ("knotd", "-c", "{}/knot.conf"),
               "pdns": ("pdns_server", "--config-dir={}")}


class Authority(Process):
    """A server with this configuration, which answers for these zones when it has been started."""

    def __init__(self, kind, directory, conf, address, *zones, port=53, seconds=15):
        program, *options = AUTHORITIES[kind]
        need_program(program)
        write(os.path.join(directory, kind + ".conf"), conf)
        super().__init__(program, [program, *(o.format(directory) for o in options)], directory)
        self.address, self.port = address, port
        for zone in zones:
            self.wait_served(zone, seconds=seconds)

    def wait_served(self, zone, serial=None, seconds=15):
        """Until it answers for the zone; with this serial."""
        def serves():
            if not self.is_alive():
                return True
            reply = ask(zone, "SOA", "+norec", server=self.address, port=self.port, wait=1)
            return reply.status == "NOERROR" and (serial is None or f" {serial} " in str(reply))
        wait_until(serves, seconds, f"{self.name} at {self.address} serves {zone}")
        check(self.is_alive(), f"{self.name} does not live", self.log())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def ldns_key(directory, zone, *options):
    """A new key: the path of its files, without what they end in."""
    made = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-r", "/dev/urandom", *options, zone,
               cwd=directory, expect=0)
    return os.path.join(directory, made.stdout.strip())


def ldns_sign_by(keys, directory, zone, text, *options):
    """The file of a zone that these keys have signed."""
    path = os.path.join(directory, (zone.rstrip(".") or "root") + ".zone")
    run("ldns-signzone", "-o", zone, "-f", path + ".signing", *options, write(path, text), *keys, expect=0)
    os.rename(path + ".signing", path + ".signed")
    return path + ".signed"


def ldns_sign(directory, zone, text, *options):
    """The file of a zone that a key of its own has signed, and its DS."""
    key = ldns_key(directory, zone, "-k")
    with open(key + ".ds", encoding="ascii") as f:
        return ldns_sign_by([key], directory, zone, text, *options), f.read()


# ---- the lab ----

class Lab(Process):
    def __init__(self, *options, config=WORLD):
        directory = env.new_dir("lab")
        self.socket = os.path.join(directory, "control")
        super().__init__("lab", [env.program("lab"), "--config", config, "--port",
                                 str(env.lab_port), "--control", self.socket, *options], directory)
        self.hints = write(os.path.join(directory, "root.hints"), run(
            env.program("lab"), "--config", config, "--hints", expect=0).stdout)
        wait_until(lambda: not self.is_alive() or os.path.exists(self.socket), what="the lab")
        check(self.is_alive(), "the lab does not start", self.log())

    def ctl(self, *words):
        return run(env.program("lab"), "ctl", self.socket, *words, expect=0).stdout

    def fault(self, address, *fault):
        self.ctl("fault", address, *(str(f) for f in fault))

    def asked(self, address=None):
        """Questions received since the last reset, by all servers or one."""
        text = self.ctl("counters", *([address] if address else []))
        return int(re.search(r"all (\d+)", text).group(1))

    def reset(self):
        self.ctl("counters", "reset")

    def queries(self):
        return self.ctl("queries")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.end()
        if kind is None:
            check(status == 0, f"the lab ended with {status}", self.log())


# ---- the recursor ----

class Recursor(Process):
    """Started with the settings given, `-` in names written as `_`."""

    def __init__(self, lab=None, name="recursor", extra_env=None, directory=None, ready=True,
                 options=(), wrapper=(), **settings):
        self.directory = directory or env.new_dir(name)
        values = {
            "local-address": "127.0.0.1",
            "local-port": env.port,
            "socket-dir": self.directory,
            "disable-syslog": "yes",
            "dont-query": "",
            "negative-trustanchors": ".",  # nobody has signed the lab
            "threads": 2,
        }
        if lab is not None:
            values.update({"hint-file": lab.hints, "outgoing-port": env.lab_port})
        values.update({k.replace("_", "-"): v for k, v in settings.items()})
        self.settings = values
        self.address = "127.0.0.1"
        self.was_killed = False
        write(os.path.join(self.directory, "recursor.conf"),
              "".join(f"{k}={v}\n" for k, v in values.items() if v is not None))
        super().__init__(name, [*wrapper, env.program("recursor"),
                                "--config-dir=" + self.directory, *options],
                         self.directory, extra_env)
        if ready:
            wait_until(lambda: not self.is_alive() or self.ping(), what="rec_control ping")
            check(self.is_alive(), "the recursor does not start", self.log())

    def rec_command(self, *words):
        return [env.program("rec_control"), "--socket-dir=" + self.settings["socket-dir"], *words]

    def rec(self, *words, expect=0, timeout=20):
        return run(*self.rec_command(*words), expect=expect, timeout=timeout)

    def ping(self):
        return self.rec("ping", expect=None).returncode == 0

    def get(self, name):
        return int(self.rec("get", name).stdout.split()[0])

    def wait_get(self, name, least, seconds=5):
        wait_until(lambda: self.get(name) >= least, seconds, f"{name} of at least {least}")

    def ask(self, name, kind="A", *options, **more):
        return ask(name, kind, *options, server=more.pop("server", self.address), **more)

    def kill(self):
        """Ends it as a crash of the machine does: it has no time to write anything."""
        self.was_killed = True
        self.end(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.end(signal.SIGINT)  # at once: questions may wait for silent servers
        if kind is None and not self.was_killed:
            check(status == 0, f"the recursor ended with status {status}", self.log()[-3000:])


def is_sanitized():
    """A sanitizer's own memory says nothing about the daemon's, nor do its times."""
    with open(env.program("recursor"), "rb") as f:
        text = f.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def shifted_clock():
    """What is to be preloaded for another time of day.  It takes the place of pthread_cond_timedwait(), so
    that the thread sanitizer sees nobody let go of a lock who waits."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not found:
        raise Skip("faketime is not installed (tools/deps test)")
    done = run("env", "LD_PRELOAD=" + found[0], env.program("recursor"), "--version")
    if done.returncode != 0 or is_sanitized():
        raise Skip("nothing can be preloaded into a build with sanitizers")
    return found[0]


@contextlib.contextmanager
def lab_and_recursor(*lab_options, **settings):
    with Lab(*lab_options) as lab, Recursor(lab, **settings) as recursor:
        yield lab, recursor


# What must add up when nothing is being resolved: recursor/watch/metrics_table.c has the same.
SUMS = (
    ("questions", "packetcache-hits answers0-1 answers1-10 answers10-100 answers100-1000 "
                  "answers-slow over-capacity-drops defender-drops policy-drops"),
    ("dropped-queries", "unauthorized-udp truncated-drops client-parse-drops ignored-packets "
                        "source-disallowed-notify zone-disallowed-notify notify-overflows "
                        "over-capacity-drops defender-drops policy-drops unauthorized-tcp-queries"),
    ("error-answers", "servfail-answers other-rcode-answers"),
    ("tcp-refused-connections", "unauthorized-tcp tcp-overflow tcp-client-overflow "
                                "tcp-no-resources"),
)


def check_sums(recursor):
    """Each question, drop, error and connection is counted in all and by one reason."""
    for total, parts in SUMS:
        values = [int(v) for v in recursor.rec("get", total, *parts.split()).stdout.split()]
        check(values[0] == sum(values[1:]), f"{total} is {values[0]}, the reasons are {values[1:]}",
              parts)
    lines = recursor.rec("get-all").stdout.splitlines()
    reasons = {line.split()[0]: int(line.split()[1]) for line in lines
               if line.startswith("error-answers-")}
    check(recursor.get("error-answers") == sum(reasons.values()), "errors have reasons", reasons)
    check(reasons["error-answers-other"] == 0, "the reasons are known", reasons)


# ---- clients ----

class Reply:
    """What kdig or dig understood of a reply."""

    def __init__(self, text):
        self.text = text
        found = re.search(r"status: (\w+)", text)
        self.status = found.group(1) if found else None
        found = re.search(r"[Ff]lags: ([a-z ]*);", text)
        self.flags = found.group(1).split() if found else []
        found = re.search(r"EDE: (\d+)", text)
        self.ede = int(found.group(1)) if found else None
        found = re.search(r"[Rr]eceived (\d+)|MSG SIZE +rcvd: (\d+)", text)
        self.size = int(found.group(1) or found.group(2)) if found else 0
        self.sections = {"ANSWER": [], "AUTHORITY": [], "ADDITIONAL": []}
        section = None
        for line in text.splitlines():
            found = re.match(r";; (\w+) (PSEUDO)?SECTION", line)
            if found:
                section = self.sections.get(found.group(1))
            elif line and not line.startswith(";") and section is not None:
                fields = line.split(None, 4)
                if len(fields) == 5:
                    section.append((fields[0].lower(), int(fields[1]), fields[3], fields[4]))

    @property
    def answer(self):
        return self.sections["ANSWER"]

    @property
    def authority(self):
        return self.sections["AUTHORITY"]

    def data(self, kind):
        return sorted(r[3] for r in self.answer if r[2] == kind)

    def __str__(self):
        return self.text


def ask(name, kind="A", *options, server="127.0.0.1", client="kdig", port=None, wait=12):
    """One question; the reply, status None when there was none."""
    need_program(client)
    port = env.port if port is None else port
    patience = [f"+timeout={wait}", "+retry=0"] if client == "kdig" else \
               [f"+timeout={wait}", "+tries=1"]
    command = [client, "-p", str(port), "@" + server, name, kind, *patience, *options]
    if client == "dig":
        command.insert(1, "+nocookie")
    done = run(*command, timeout=wait + 5)
    return Reply(done.stdout + done.stderr)


def check_reply(reply, status="NOERROR", kind=None, data=None):
    check(reply.status == status, f"status {reply.status}, not {status}", reply)
    if data is not None:
        check(reply.data(kind) == sorted(data), f"{kind}: {reply.data(kind)}, not {data}", reply)
    return reply


def udp_socket(address="127.0.0.1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(3)
    return s


def question(name="www.city.example", kind=1, ident=0x1234, flags=0x0100, extra=b"", arcount=0):
    """A query as it stands in a packet; a name is text, or a list of labels of any bytes."""
    labels = name
    if isinstance(name, str):
        labels = [label.encode() for label in name.split(".") if label]
    return (struct.pack("!6H", ident, flags, 1, 0, 0, arcount) +
            b"".join(bytes([len(label)]) + label for label in labels) + b"\0" +
            struct.pack("!2H", kind, 1) + extra)


class Client:
    """Sends questions without waiting; tells them apart by their ids.  With tries it asks again,
    REFUSED_S after a question that got SERVFAIL: where there are more processes than CPUs a sound
    server, too, may come too late, and its zone be limited for a moment.  One without an answer is
    asked again when it is lost: after SILENT_S, by which the daemon has long given up."""

    REFUSED_S = 1
    SILENT_S = 10

    def __init__(self, address="127.0.0.1", tries=1):
        self.socket = udp_socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", env.port))
        self.socket.setblocking(False)
        self.tries = tries
        self.names = []
        self.sent = {}
        self.n_sent = {}
        self.refused = set()  # SERVFAIL, and to be asked again
        self.answers = {}  # id: (rcode, seconds)

    def send(self, name):
        self.names.append(name)
        self.ask(len(self.names) - 1)

    def ask(self, ident):
        self.sent[ident] = time.monotonic()
        self.n_sent[ident] = self.n_sent.get(ident, 0) + 1
        self.refused.discard(ident)
        self.socket.send(question(self.names[ident], ident=ident))

    def n_waiting(self):
        return len(self.sent) - len(self.answers)

    def read(self, seconds=0.0):
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            packet = self.socket.recv(4096)
            ident, rcode = struct.unpack("!H", packet[:2])[0], packet[3] & 15
            if rcode != 2 or self.n_sent[ident] >= self.tries:
                self.answers.setdefault(ident, (rcode, time.monotonic() - self.sent[ident]))
            else:
                self.refused.add(ident)
        if self.tries > 1:
            self.ask_again()

    def ask_again(self):
        now = time.monotonic()
        for ident, when in self.sent.items():
            patience = self.REFUSED_S if ident in self.refused else self.SILENT_S
            if now - when > patience and ident not in self.answers and \
                    self.n_sent[ident] < self.tries:
                self.ask(ident)

    def wait(self, seconds, most=0):
        """Until no more than so many wait for their answer."""
        end = time.monotonic() + seconds
        while self.n_waiting() > most and time.monotonic() < end:
            self.read(0.05)

    def good(self):
        return sum(rcode in (0, 3) for rcode, _ in self.answers.values())

    def asked_again(self):
        """How many questions were further tries."""
        return sum(n - 1 for n in self.n_sent.values())


def n_limited(r):
    """How many queries the limit of a zone has refused.  The lab may get no processor for a while; what
    is late is limited, and what is not is not."""
    limited = r.get("error-answers-max-inflight-per-zone")
    late = sum(map(r.get, ("outgoing-timeouts", "auth4-answers100-1000", "auth4-answers-slow")))
    check(limited == 0 or late > 0, f"{limited} are refused, though none was late",
          r.rec("get-all").stdout)
    return limited


PR_SET_CHILD_SUBREAPER = 36
FAULTS = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
REPORT = re.compile("(Address|Leak|Thread|Memory)Sanitizer|runtime error:|^==[0-9]+== [A-Z]", re.M)


def adopt_orphans():
    """A daemon that outlives its test becomes our child, so that leftovers() finds it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def orphans():
    """The living processes that have become our children, as (pid, command line)."""
    found = []
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as f:
        pids = [int(pid) for pid in f.read().split()]
    for pid in pids:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            command = f.read().replace(b"\0", b" ").decode()
        if command:
            found.append((pid, command))
        else:  # it has ended, and waits to be waited for
            os.waitpid(pid, 0)
    return found


def leftovers(patience_s=5):
    """Ends what a test left behind; the command lines. A server's own helpers (nsd has several)
    may end a moment after it."""
    until = time.monotonic() + patience_s
    left = orphans()
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = orphans()
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return [command for _, command in left]


def first_failure(error):
    """The Failed that came first of those behind one another."""
    found = at = error
    while (at := at.__context__) is not None:
        if isinstance(at, Failed):
            found = at
    return found


def reports(since):
    """Logs of the tests from directory number `since` on in which a checker reports a fault."""
    found = []
    for name in os.listdir(env.dir):
        if not name[:3].isdigit() or int(name.split("-")[0]) <= since:
            continue
        for path in glob.glob(os.path.join(glob.escape(os.path.join(env.dir, name)), "*.log")):
            with open(path, encoding="utf-8", errors="replace") as f:
                if REPORT.search(f.read()):
                    found.append(path)
    return found


def run_all(functions, names):
    """Runs the tests (those whose names are given); (passed, failed, skipped), and those of the
    failed that a slow machine may have made fail: a check did, nothing crashed, no checker
    complained, and no process was left behind."""
    adopt_orphans()
    counts = {"ok": 0, "not ok": 0, "skip": 0}
    maybe_slow = []
    for function in functions:
        name = function.__name__
        if names and not any(n in name for n in names):
            continue
        began, serial, crashes = time.monotonic(), env.serial, len(env.crashes)
        result, why, is_check = "ok", "", False
        try:
            function()
        except Skip as e:
            result, why = "skip", str(e)
        except Failed as e:
            result, why, is_check = "not ok", str(e), True
            if first_failure(e) is not e:  # a daemon that does not end hides what came before
                why += f"\n    after: {first_failure(e)}"
        except (OSError, subprocess.SubprocessError, ValueError, AttributeError, IndexError,
                KeyError, TypeError) as e:
            result, why = "not ok", f"{type(e).__name__}: {e}"
        left = leftovers()
        if left and result == "ok":
            result, why = "not ok", "left behind: " + ", ".join(left)
        counts[result] += 1
        if is_check and not left and len(env.crashes) == crashes and not reports(serial):
            maybe_slow.append(name)
        seconds = time.monotonic() - began
        text = (function.__doc__ or "").strip().split("\n")[0]
        print(f"{result} {name}: {text} ({seconds:.1f} s)" + (f"\n    {why}" if why else ""),
              flush=True)
    return (counts["ok"], counts["not ok"], counts["skip"]), maybe_slow


def temporary_directory():
    env.dir = tempfile.mkdtemp(prefix="recursor-live-")
    os.chmod(env.dir, 0o755)
    return env.dir
