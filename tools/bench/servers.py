"""The servers that are measured. All are set up alike: validation in the signed world (signed.py)
and nowhere else, IPv4 only, cache enough for all that is asked, as many workers as told, and for
the rest their own defaults. A peer is started as its Debian package has it.
"""

import os
import re
import shutil
import subprocess
import time

from process import Process, Trouble
from world import query

CACHE_ENTRIES = 4_000_000
START_SECONDS = 30


class Setup:
    """What a server is started with."""

    def __init__(self, directory, port, world, workers, build, settings=None):
        self.dir = directory
        self.port = port
        self.world = world
        self.workers = workers
        self.build = build
        self.settings = settings or {}  # more of them, for the recursor
        self.validates = world.anchor is not None

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path


def pdns_settings(s):
    """recursor.conf as pdns_recursor and we both read it."""
    return f"""\
local-address=127.0.0.1
local-port={s.port}
query-local-address=127.0.0.1
allow-from=127.0.0.0/8
dont-query=
hint-file={s.world.hints}
socket-dir={s.dir}
threads={s.workers}
reuseport=yes
dnssec={'validate' if s.validates else 'off'}
max-cache-entries={CACHE_ENTRIES}
max-packetcache-entries={CACHE_ENTRIES}
security-poll-suffix=
loglevel=3
quiet=yes
daemon=no
"""


def recursor(s):
    more = {"outgoing-port": s.world.port, **s.settings}
    if s.validates:
        more["trustanchorfile"] = s.world.anchor
    s.write("recursor.conf", pdns_settings(s) + "".join(f"{k}={v}\n" for k, v in more.items()))
    return [[os.path.join(s.build, "recursor"), f"--config-dir={s.dir}"]]


def pdns(s):
    more = "pdns-distributes-queries=no\n"
    if s.validates:
        lua = s.write("trust.lua", "clearTA('.')\n"
                      f"addTA('.', '{' '.join(s.world.anchor_fields())}')\n")
        more += f"lua-config-file={lua}\n"
    s.write("recursor.conf", pdns_settings(s) + more)
    return [["pdns_recursor", f"--config-dir={s.dir}"]]


def unbound(s):
    trust = 'module-config: "iterator"'
    if s.validates:
        trust = f'module-config: "validator iterator"\n  trust-anchor-file: {s.world.anchor}'
    config = s.write("unbound.conf", f"""\
server:
  interface: 127.0.0.1@{s.port}
  access-control: 127.0.0.0/8 allow
  num-threads: {s.workers}
  do-ip6: no
  do-not-query-localhost: no
  root-hints: {s.world.hints}
  {trust}
  msg-cache-size: 1g
  rrset-cache-size: 2g
  incoming-num-tcp: 100
  directory: {s.dir}
  pidfile: {s.dir}/pid
  chroot: ""
  username: ""
  use-syslog: no
remote-control:
  control-enable: no
""")
    return [["unbound", "-d", "-c", config]]


def named(s):
    trust = ""
    if s.validates:
        tag, algorithm, digest_type, digest = s.world.anchor_fields()
        trust = ("trust-anchors { . static-ds "
                 f'{tag} {algorithm} {digest_type} "{digest}"; }};\n')
    config = s.write("named.conf", f"""\
options {{
	directory "{s.dir}";
	pid-file "{s.dir}/pid";
	session-keyfile "{s.dir}/key";
	listen-on port {s.port} {{ 127.0.0.1; }};
	listen-on-v6 {{ none; }};
	recursion yes;
	allow-query {{ any; }};
	dnssec-validation {'yes' if s.validates else 'no'};
	empty-zones-enable no;
	max-cache-size 4g;
	querylog no;
}};
zone "." {{ type hint; file "{s.world.hints}"; }};
{trust}\
controls {{ }};
logging {{ category default {{ null; }}; }};
""")
    return [["named", "-f", "-4", "-n", str(s.workers), "-c", config]]


def kresd(s):
    """A kresd is one thread: more workers are more processes, which share cache and port."""
    trust = f"trust_anchors.add_file('{s.world.anchor}', true)\n" if s.validates else ""
    config = s.write("kresd.conf", f"""\
net.ipv6 = false
net.listen('127.0.0.1', {s.port}, {{ kind = 'dns' }})
modules.load('hints')
hints.root_file('{s.world.hints}')
trust_anchors.remove('.')
{trust}\
option('ALLOW_LOCAL', true)
cache.size = 2 * GB
for _, name in ipairs({{ 'ta_update', 'ta_signal_query', 'priming', 'detect_time_skew',
                        'detect_time_jump' }}) do
	pcall(modules.unload, name)
end
log_level('crit')
""")
    return [["kresd", "-n", "-c", config, s.dir]] * s.workers


# name: how it is started, and how it tells its version
SERVERS = {
    "floor": (None, None),
    "unbound": (unbound, ["unbound", "-V"]),
    "pdns_recursor": (pdns, ["pdns_recursor", "--version"]),
    "named": (named, ["named", "-v"]),
    "kresd": (kresd, ["kresd", "--version"]),
    "recursor": (recursor, None),
}
OURS = ("floor", "recursor")


def is_installed(name):
    return name in OURS or shutil.which(name) is not None


def version(name):
    """As "1.17.1"; None of what is ours."""
    command = SERVERS[name][1]
    if not command:
        return None
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False).stdout
    found = re.search(r"(?:version|Version|Recursor|BIND) (\d+(?:\.\d+)+)", output)
    return found[1] if found else "?"


class Server:
    """A server that runs, as one process or several."""

    def __init__(self, name, setup, floor, cores):
        if name == "floor":
            program, *modes = floor
            commands = [[os.path.join(setup.build, "bench", program), *modes]]
        else:
            commands = SERVERS[name][0](setup)
        self.port = setup.port
        self.name = name
        self.processes = []
        for i, argv in enumerate(commands):
            self.processes.append(Process(argv, cores, os.path.join(setup.dir, f"log{i}")))

    def wait(self, name, transport="udp"):
        """Until it answers for that name, over this transport."""
        end = time.monotonic() + START_SECONDS
        while query("127.0.0.1", self.port, name, transport=transport) is None:
            if self.has_ended():
                raise Trouble(f"{self.name} ended\n{self.last_words()}")
            if time.monotonic() > end:
                raise Trouble(f"{self.name} does not answer\n{self.last_words()}")

    def has_ended(self):
        return any(p.has_ended() for p in self.processes)

    def last_words(self):
        return "".join(p.last_words() for p in self.processes)

    def cpu_seconds(self):
        return sum(p.cpu_seconds() for p in self.processes)

    def resident_bytes(self):
        return sum(p.resident_bytes() for p in self.processes)

    def end(self):
        for p in self.processes:
            p.end()
