"""What is counted: every drop and every error has one reason, and what reads metrics can read ours."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import unwatched
from live import (ATTACKS, TREE, Lab, Recursor, Skip, check, check_reply, check_sums, env,
                  lab_and_recursor, need_program, question, run, test, udp_socket, wait_until,
                  write)
from test_clients import exchange

SCRIPT = """
function ipfilter(remote, localaddr, dh)
	return tostring(remote) == "127.0.0.66"
end
function preresolve(dq)
	local name = dq.qname:toString()
	if name == "drop.city.example." then dq.rcode = pdns.DROP return true end
	if name == "refused.city.example." then dq.rcode = pdns.REFUSED return true end
	if name == "follow.city.example." then
		dq.followupFunction = "followCNAMERecords"
		return true
	end
	return false
end
function preoutquery(dq)
	if dq.qname:equal("kill.city.example") then dq.rcode = -3 return true end
	return false
end
"""


def send(packet, source="127.0.0.1"):
    with udp_socket() as s:
        s.bind((source, 0))
        s.sendto(packet, ("127.0.0.1", env.port))


def notify(zone):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in zone.split("."))
    return struct.pack("!6H", 7, 4 << 11, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 6, 1)


def counted(r, total, **reasons):
    """These reasons, and no others, since the daemon began."""
    for name, value in reasons.items():
        wait_until(lambda: r.get(name.replace("_", "-")) >= value, 5, name)
        check(r.get(name.replace("_", "-")) == value, f"{name}: not {value}",
              r.get(name.replace("_", "-")))
    check(r.get(total) == sum(reasons.values()), f"{total} of {reasons}", r.get(total))
    check_sums(r)


def script(text):
    return write(os.path.join(env.new_dir("script"), "metrics.lua"), text)


@test
def metrics_drops():
    """What is left without an answer is counted in all and by its reason, whatever that is."""
    with lab_and_recursor(allow_from="127.0.0.0/24", allow_notify_for="oak.test",
                          allow_notify_from="127.0.0.1", lua_dns_script=script(SCRIPT), threads=1,
                          max_mthreads=2, max_total_msec=2000) as (lab, r):
        send(question(), "127.0.1.1")
        for _ in range(2):
            send(b"x" * 6000)
        for _ in range(3):
            send(b"short")
        for _ in range(4):
            send(question(flags=0x8180))
        for _ in range(5):
            send(notify("oak.test"), "127.0.0.2")
        for _ in range(6):
            send(notify("elm.test"))
        for _ in range(7):
            send(question(), "127.0.0.66")
        send(question("drop.city.example"))
        with socket.create_connection(("127.0.0.1", env.port), 5) as s:
            s.sendall(b"\0\0")
            check(s.recv(10) == b"", "nothing is no query")
        check_reply(r.ask("www.city.example"), kind="A")
        lab.fault("*", "silent")
        with udp_socket() as s:
            for i in range(6):
                s.sendto(question(f"n{i}.city.example"), ("127.0.0.1", env.port))
            r.wait_get("over-capacity-drops", 4)
        wait_until(lambda: r.get("concurrent-queries") == 0, 20, "the two are given up")
        counted(r, "dropped-queries", unauthorized_udp=1, truncated_drops=2, client_parse_drops=4,
                ignored_packets=4, source_disallowed_notify=5, zone_disallowed_notify=6,
                policy_drops=8, over_capacity_drops=4)
        check(r.get("concurrent-queries-peak") == 2, "max-mthreads was reached")
        check(r.get("client-queries-peak") == 2, "by one client")


@test
def metrics_notify_overflows():
    """NOTIFYs for more zones than may wait to be forgotten are dropped for that reason."""
    addresses = [f"127.0.0.{i}" for i in range(1, 9)]
    with lab_and_recursor(allow_notify_for="test", allow_notify_from="127.0.0.1", threads=1,
                          local_address=",".join(addresses)) as (_, r), udp_socket() as s:
        def flood():
            # Held up, so that they come all at once: faster than any can be forgotten.
            r.process.send_signal(signal.SIGSTOP)
            for i in range(1600):
                s.sendto(notify(f"zone{i}.test"), (addresses[i % 8], env.port))
            r.process.send_signal(signal.SIGCONT)
            return r.get("notify-overflows") > 0
        wait_until(flood, 20, "more than can wait")
        # Some may be on their way still.
        wait_until(lambda: r.get("dropped-queries") == r.get("notify-overflows"), 5,
                   "there is no other reason")
        check_sums(r)


# What the commands that change something are given; one that is not here fails the test.
CHANGES = {
    "add-dont-throttle-names": ["ns.example"],
    "add-dont-throttle-netmasks": ["192.0.2.0/24"],
    "add-nta": ["example.net"],
    "add-ta": ["example.org", "1 13 2 " + 64 * "a"],
    "add-to-ipset": ["marked", "192.0.2.1"],
    "clear-dont-throttle-names": ["*"],
    "clear-dont-throttle-netmasks": ["*"],
    "clear-ipset": ["marked"],
    "clear-nsspeeds": [],
    "clear-nta": ["*"],
    "clear-ta": ["example.org"],
    "clear-throttles": [],
    "load-ipset": ["marked", "/dev/null"],
    "reload": [],
    "reload-acls": [],
    "reload-defender": [],
    "reload-lua-config": ["/dev/null"],
    "reload-lua-script": [],
    "reload-public-suffix-list": [],
    "reload-zones": [],
    "remove-from-ipset": ["marked", "192.0.2.1"],
    "save-cache": [],
    "set-aggr-nsec-cache-size": ["2000"],
    "set-carbon-server": [],
    "set-dnssec-log-bogus": ["yes"],
    "set-max-cache-entries": ["2000"],
    "set-max-cache-memory": ["16M"],
    "set-max-packetcache-entries": ["2000"],
    "set-minimum-ttl": ["2"],
    "set-quiet": ["yes"],
    "set-stats-ringbuffer-entries": ["100"],
    "unload-lua-script": [],
    "wipe-cache": [".$"],
    "wipe-cache-typed": ["A", "www.city.example"],
}
COUNTS = """
local set = iputils.newipset{name="marked"}
getMetric("own-counter"):inc()
function preresolve(dq) return false end
function maintenance() end
"""


def counters():
    """All that may only grow: counters, and what histograms are made of."""
    need_program("curl")
    text = run("curl", "-s", "-m", "20", "-u", "x:sesame",
               f"http://127.0.0.1:{WEB_PORT}/metrics", expect=0).stdout
    grow, found = set(), {}
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["#", "TYPE"] and words[3] in ("counter", "histogram"):
            grow.add(words[2])
        elif words and words[0] != "#":
            name = words[0].split("{")[0]
            if name in grow or re.sub("_(bucket|sum|count)$", "", name) in grow:
                found[words[0]] = float(words[1])
    return found


@test
def metrics_counters_never_fall():
    """No command that reloads, clears, sets or wipes makes a counter smaller."""
    with lab_and_recursor(lua_dns_script=script(COUNTS), threads=2, defender="observe",
                          cache_file=os.path.join(env.new_dir("cache"), "cache"),
                          **WEB) as (lab, r):
        commands = re.findall(r"^  (reload\b\S*|(?:add|clear|load|remove|save|set|unload|wipe)-\S+)",
                              run(env.program("rec_control"), "--help", expect=0).stdout, re.M)
        check(sorted(commands) == sorted(CHANGES), "each has its arguments here", commands)
        r.rec("log-queries", "all")
        r.rec("add-to-ipset", "marked", "192.0.2.7")
        for name in ("www.city.example", "www.city.example", "nothing.city.example"):
            r.ask(name)
            r.ask(name, "A", "+tcp")
        lab.fault("*", "refused")
        check_reply(r.ask("www.town.example"), "SERVFAIL")
        before = counters()
        check(sum(v > 0 for v in before.values()) > 60, "something was counted", before)
        # The script goes last: what it counts is no more asked for then, and must stay.
        for command in sorted(commands, key=lambda c: c == "unload-lua-script"):
            r.rec(command, *CHANGES[command])
            after = counters()
            fell = {k: (v, after.get(k)) for k, v in before.items() if after.get(k, -1) < v}
            check(not fell, f"{command}: counters that fell", fell)
            before = after


@test
def metrics_errors():
    """An answer that is an error is counted by rcode and by its reason."""
    with lab_and_recursor("--lua", ATTACKS, lua_dns_script=script(SCRIPT), threads=1,
                          packetcache_servfail_ttl=60, max_cnames_followed=3,
                          query_local_address="0.0.0.0") as (lab, r):
        r.ask("www.city.example")
        exchange(struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + b"\3www")  # malformed
        exchange(struct.pack("!6H", 1, 0x0100, 0, 0, 0, 0))  # no-question
        exchange(question(flags=5 << 11))  # opcode
        r.ask("www.city.example", "A", "+edns=1")  # edns-version
        r.ask("city.example", "AXFR", "+tcp", "+retry=0")  # not-resolved ...
        exchange(question()[:-1] + b"\4")
        r.ask("www.city.example", "A", "+norec")  # no-rd
        check_reply(r.ask("refused.city.example"), "REFUSED")  # script
        check_reply(r.ask("follow.city.example"), "SERVFAIL")  # script-followup
        check_reply(r.ask("kill.city.example"), "SERVFAIL")  # script-kill
        check_reply(r.ask("www.alias1.example"), "SERVFAIL")  # max-cnames-followed
        check_reply(r.ask(".".join("x" * 58) + ".endless.example"), "SERVFAIL")  # max-qperq
        lab.fault("*", "refused")
        check_reply(r.ask("www.town.example"), "SERVFAIL")  # no-server-answers
        check_reply(r.ask("www.town.example"), "SERVFAIL")  # cached-failure
        check_reply(r.ask("www.town.example"), "SERVFAIL")  # cached-answer
        values = reasons(r)
        once = ("malformed", "no-question", "opcode", "edns-version", "no-rd", "script",
                "script-followup", "script-kill", "max-cnames-followed", "max-qperq",
                "no-server-answers", "cached-failure", "cached-answer")
        check({k: v for k, v in values.items() if v > 0} ==
              {**{k: 1 for k in once}, "not-resolved": 2}, "the reasons", values)
        check(r.get("error-answers") == sum(values.values()), "the total", values)
        check_sums(r)
        check(r.get("query-outqueries-peak") == 50, "max-qperq was reached")


def reasons(r):
    lines = r.rec("get-all").stdout.splitlines()
    return {line.split()[0][len("error-answers-"):]: int(line.split()[1]) for line in lines
            if line.startswith("error-answers-")}


@test
def metrics_connections():
    """So is each TCP connection that is turned away; and marks stay at the highest water."""
    with lab_and_recursor(allow_from="127.0.0.0/24", max_tcp_clients=3, max_tcp_per_client=2,
                          threads=1, client_tcp_timeout=30) as (_, r):
        with contextlib.ExitStack() as stack:
            def connect(source):
                return stack.enter_context(socket.create_connection(
                    ("127.0.0.1", env.port), 5, source_address=(source, 0)))
            connect("127.0.1.1")
            for _ in range(4):
                connect("127.0.0.1")
            wait_until(lambda: r.get("tcp-clients") == 2, 5, "two")
            for source in ("127.0.0.3", "127.0.0.4", "127.0.0.5"):
                connect(source)
            counted(r, "tcp-refused-connections", unauthorized_tcp=1, tcp_client_overflow=2,
                    tcp_overflow=2)
        wait_until(lambda: r.get("tcp-clients") == 0, 5, "they have left")
        check(r.get("tcp-clients-peak") == 3, "three were there")
        check(r.get("tcp-per-client-peak") == 2, "two of one address")


@test
def metrics_connections_without_resources():
    """TCP connections that the kernel watches no more are turned away for that reason; the others,
    and those that come when there is room again, are served."""
    if not unwatched.is_possible():
        raise Skip("the filter is not written for this processor")
    wrapper = (sys.executable, unwatched.__file__, "200")
    with Lab() as lab, Recursor(lab, wrapper=wrapper, threads=1, max_tcp_clients=1000,
                                max_tcp_per_client=0) as r:
        check_reply(r.ask("www.city.example"))
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(socket.create_connection(("127.0.0.1", env.port), 5))
                    for _ in range(300)]
            wait_until(lambda: r.get("tcp-clients") + r.get("tcp-no-resources") == 300, 5, "all")
            refused = r.get("tcp-no-resources")
            check(100 <= refused < 300, "of those beyond the 200th descriptor each", refused)
            counted(r, "tcp-refused-connections", tcp_no_resources=refused)
            check(held[0].send(struct.pack("!H", len(question())) + question()) > 0, "the first asks")
            check(len(held[0].recv(1000)) > 12, "and is answered")
            check(held[-1].recv(1) == b"", "the last was closed")
            check_reply(r.ask("www.city.example"))
        wait_until(lambda: r.get("tcp-clients") == 0, 5, "they have left")
        check_reply(r.ask("www.city.example", "A", "+tcp"))
        check(r.get("tcp-no-resources") == refused, "nobody is refused any more")


WEB_PORT = 8082


def exported():
    """What the web server has for Prometheus: lines, and what promtool says of them."""
    need_program("curl", "promtool")
    text = run("curl", "-s", "-m", "20", "-u", "x:sesame",
               f"http://127.0.0.1:{WEB_PORT}/metrics", expect=0).stdout
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          capture_output=True, timeout=60, check=False)
    return text, done.returncode, (done.stdout + done.stderr).splitlines()


WEB = {"webserver": "yes", "webserver_port": WEB_PORT, "webserver_password": "sesame"}
# What promtool would have otherwise, and the field's names, which ours follow, do not: counters with
# _total, no "ns", which it takes for nanoseconds, _count for histograms.
FIELDS_NAMES = re.compile(r"pdns_recursor_\w+ counter metrics should have \"_total\" suffix|"
                          r"pdns_recursor_max_ns_(address_qperq|per_resolve)_reached metric names "
                          r"should not contain abbreviated units|"
                          r"pdns_recursor_remote_logger_count non-histogram and non-summary metrics "
                          r"should not have \"_count\" suffix")


@test
def metrics_promtool():
    """promtool reads all of it, and has no more to say than of PowerDNS's names."""
    with lab_and_recursor(dnstap_server='/not/there, /not"th\\ere, 192.0.2.1:6000, [::1]:6000',
                          lua_dns_script=script(
            'local m = getMetric("own-hits", {type="gauge", description="a \\\\ b"})\nm:set(3)\n'),
            **WEB) as (_, r):
        for name in ("www.city.example", "nothing.city.example", "www.city.example"):
            r.ask(name)
        text, status, said = exported()
        check(status in (0, 3), "it can be read", status, said)  # 3: what it would have otherwise
        check(status == 0 or len(said) > 0, "it says why", said)
        other = [line for line in said if not FIELDS_NAMES.fullmatch(line)]
        check(not other, "what is ours to mend", other)
        check("\npdns_recursor_own_hits 3\n" in text, "a script's metric")
        check(text.count("\npdns_recursor_remote_logger_count{") == 4 * 4, "four outcomes a server")
        check(re.search(r'^pdns_recursor_cumul_clientanswers_seconds_bucket\{le="\+Inf"\} 3$', text,
                        re.M), "the histogram")
        check(r.get("cumul-clientanswers-count") == 3, "and for rec_control")
        check(r.get("cumul-outqueries-udp4-count") == r.get("cumul-authanswers-count4") > 0,
              "servers' answers")
        # A line that is no metric is told: the check can fail.
        bad = subprocess.run(["promtool", "check", "metrics"], input=text + "a b c\n", text=True,
                             capture_output=True, timeout=60, check=False)
        check(bad.returncode == 1, "what cannot be read", bad.returncode)


def lines_of(board, key):
    with open(os.path.join(TREE, "tools/grafana", board), encoding="utf-8") as f:
        panels = json.load(f)["panels"]
    lines = [target[key] for panel in panels for target in panel["targets"]]
    check(len(lines) > 60, "a dashboard has lines", lines)
    return lines


@test
def metrics_dashboards():
    """Each metric that a dashboard for Grafana shows is there; the dashboards are of one table."""
    run(os.path.join(TREE, "tools/grafana/make"), "--check", expect=0)
    with lab_and_recursor(**WEB) as (_, r):
        r.ask("www.city.example")
        text, _, _ = exported()
        series = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[0] != "#"}
        for line in lines_of("prometheus.json", "expr"):
            for name in re.findall(r"pdns_recursor_\w+", line):
                check(name in series, "a series of the dashboard for Prometheus", name)
        sent = {line.split()[0] for line in r.rec("get-all").stdout.splitlines()}
        for line in lines_of("graphite.json", "target"):
            for name in re.findall(r"\.recursor\.([\w*-]+)", line):
                pattern = re.escape(name).replace(r"\*", r"[\w-]+")
                check(any(re.fullmatch(pattern, other) for other in sent),
                      "a series of the dashboard for Graphite", name)


@test
def metrics_maps_of_the_api():
    """The API tells answers by type, rcode and size, those out of the packet cache too."""
    with lab_and_recursor(api_key="open", **WEB) as (_, r):
        for _ in range(3):
            reply = r.ask("www.city.example")
        r.ask("nothing.city.example", "MX")
        maps = {}
        for name in ("response-by-qtype", "response-by-rcode", "response-sizes"):
            text = run("curl", "-s", "-m", "20", "-H", "X-API-Key: open", f"http://127.0.0.1:{WEB_PORT}"
                       f"/api/v1/servers/localhost/statistics?statistic={name}", expect=0).stdout
            maps[name] = {x["name"]: x["value"] for x in json.loads(text)[0]["value"]}
        check(maps["response-by-qtype"] == {"A": "3", "MX": "1"}, "by type", maps)
        check(maps["response-by-rcode"] == {"No Error": "3", "Non-Existent domain": "1"}, "by rcode",
              maps)
        sizes = maps["response-sizes"]
        check(sum(int(n) for n in sizes.values()) == 4, "by size", maps)
        most = min(int(size) for size in (20, 40, 60, 80, 100, 150, 200) if size >= reply.size)
        check(int(sizes[str(most)]) >= 3, f"an answer of {reply.size} bytes", maps)


@test
def metrics_get_all():
    """get-all is in order, with numbers as numbers; what it leaves out get shows."""
    with lab_and_recursor(threads=2, stats_rec_control_disabled_list="questions, cpu-msec") as (_, r):
        r.ask("www.city.example")
        names = [line.split("\t")[0] for line in r.rec("get-all").stdout.splitlines()]
        check("questions" not in names and "cpu-msec-thread-0" not in names, "what is hidden")
        at = names.index("cumul-clientanswers-le-50")
        check(names[at - 2:at + 2] == [f"cumul-clientanswers-le-{n}" for n in (10, 20, 50, 100)],
              "the order", names)
        check(r.rec("get", "questions", "cpu-msec-thread-1", "cpu-msec-thread-2").stdout.split()[::2]
              == ["1", "UNKNOWN"], "get")
        time.sleep(0.5)
        check(r.get("maintenance-calls") > 0 and r.get("special-memory-usage") > 1000000,
              "housekeeping and memory are measured")
