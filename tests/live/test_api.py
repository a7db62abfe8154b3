"""The JSON API: zones that come and go, lists of clients, caches, numbers and rings, by curl."""

import json
import os
import re
import subprocess

from live import (TREE, Lab, Recursor, ask, check, check_reply, env, is_sanitized,
                  lab_and_recursor, run, test)
from test_web import PORT, check_status, curl

KEY = "open"
V1 = "/api/v1/servers/localhost"


def api_settings(name, port=PORT, **more):
    """A web server with an API that may write, to a directory of its own."""
    directory = env.new_dir("api-" + name)
    return {"webserver": "yes", "webserver-port": port, "api-key": KEY, "auth-zones": "",
            "forward-zones": "", "forward-zones-recurse": "", "allow-notify-from": "",
            "include-dir": directory, "api-config-dir": directory,
            **{k.replace("_", "-"): v for k, v in more.items()}}


def api(method, path, body=None, status=200, port=PORT, options=()):
    """The reply's JSON, None when it is empty."""
    options = ["-X", method, *options]
    if body is not None:
        options += ["-d", body if isinstance(body, str) else json.dumps(body)]
    answer = check_status(curl(path, *options, key=KEY, port=port), status, f"{method} {path}")
    return json.loads(answer.body) if answer.body.strip() else None


def native(name, target=None):
    return {"name": name, "kind": "Native", "servers": [], "recursion_desired": False,
            **({"single_target_ip": target} if target else {})}


def files(settings):
    """What stands in api-config-dir, as name and content."""
    found = {}
    for name in sorted(os.listdir(settings["api-config-dir"])):
        with open(os.path.join(settings["api-config-dir"], name), encoding="utf-8") as f:
            found[name] = f.read()
    return found


def nothing_changes(settings, recursor):
    """A context in which neither files nor zones may change."""
    class Context:
        def __enter__(self):
            self.before = (files(settings), api("GET", V1 + "/zones"))

        def __exit__(self, kind, *_):
            if kind is None:
                after = (files(settings), api("GET", V1 + "/zones"))
                check(after == self.before, "something has changed", self.before, after)
                check(recursor.ping(), "the daemon answers")
    return Context()


@test
def api_zones():
    """A forward and a zone of our own are made through the API, resolve, and outlive a restart."""
    env.need_isolation()
    with Lab() as lab:
        ours, other = api_settings("ours"), api_settings("other", PORT + 1)
        with Recursor(lab, "resolver", local_address="127.0.0.2", **other) as resolver:
            resolver.address = "127.0.0.2"
            check_reply(ask("www.private.test", server="127.0.0.2"), "NXDOMAIN")
            made = api("POST", V1 + "/zones", native("Private.TEST.", "192.0.2.7"), 201, PORT + 1)
            check(made["id"] == "private.test." and made["kind"] == "Native" and
                  len(made["records"]) == 3, "the zone", made)
            check_reply(ask("www.private.test", server="127.0.0.2"), data=["192.0.2.7"], kind="A")
            forward = {"name": "private.test.", "kind": "Forwarded",
                       "servers": [f"127.0.0.2:{env.port}"], "recursion_desired": True}
            with Recursor(lab, **ours) as r:
                check_reply(r.ask("www.private.test"), "NXDOMAIN")
                made = api("POST", V1 + "/zones", forward, 201)
                check(made["servers"] == forward["servers"], "the forward", made)
                # What was known of the name before is forgotten.
                check_reply(r.ask("www.private.test"), data=["192.0.2.7"], kind="A")
                check(api("POST", V1 + "/zones", forward, 422)["error"] == "Zone already exists",
                      "once only")
                check(set(files(ours)) == {"zone-private.test..conf"}, "one file", files(ours))
                shown = api("GET", V1 + "/zones")
                check([z["name"] for z in shown] == ["private.test."], "the list", shown)
                directory = r.directory
                held_us = r.get("control-visit-max-usec")
                check(held_us < 1000 or is_sanitized(), f"a worker was held for {held_us} us")
            with Recursor(lab, directory=directory, **ours) as r:
                check_reply(r.ask("www.private.test"), data=["192.0.2.7"], kind="A")
                api("PUT", V1 + "/zones/private.test.", native("private.test.", "192.0.2.8"), 204)
                check_reply(r.ask("www.private.test"), data=["192.0.2.8"], kind="A")
                check(set(files(ours)) == {"zone-private.test..conf", "zone-private.test..zone"},
                      "two files", files(ours))
                # 3.7's path, which answers with the zone.
                changed = api("PUT", "/servers/localhost/zones/private.test.", forward)
                check(changed["url"] == "/servers/localhost/zones/private.test.", "its address",
                      changed)
                check_reply(r.ask("www.private.test"), data=["192.0.2.7"], kind="A")
                api("DELETE", V1 + "/zones/private.test.", status=204)
                check_reply(r.ask("www.private.test"), "NXDOMAIN")
                api("GET", V1 + "/zones/private.test.", status=422)
                check(files(ours) == {}, "no files", files(ours))


INJECTIONS = [
    {"name": "a.\nquiet=no\n", "kind": "Native"},
    {"name": "a.\rquiet=no", "kind": "Native"},
    {"name": "a.=/etc/passwd, b", "kind": "Native"},
    {"name": "../../etc/cron.d/x.", "kind": "Native", "single_target_ip": "1.2.3.4\nx A 1.1.1.1"},
    {"name": "a.", "kind": "Forwarded", "servers": ["192.0.2.1\nquiet=no"]},
    {"name": "a.", "kind": "Forwarded", "servers": ["192.0.2.1;192.0.2.2, b=192.0.2.3"]},
    {"name": "a.", "kind": "Forwarded\nquiet=no", "servers": ["192.0.2.1"]},
    {"name": "a\\010quiet=no.", "kind": "Native"},
    {"name": "a.", "kind": "Native", "single_target_ip": "192.0.2.1 ; x"},
]


@test
def api_injections():
    """What would write a line of its own into a file is refused, and nothing changes."""
    settings = api_settings("injections")
    with lab_and_recursor(**settings) as (_, r):
        api("POST", V1 + "/zones", native("kept.test.", "192.0.2.7"), 201)
        with nothing_changes(settings, r):
            for body in INJECTIONS:
                check("error" in api("POST", V1 + "/zones", body, 422), "why", body)
            for mask in "192.0.2.1\nquiet=no", "192.0.2.1, 0.0.0.0/0", "192.0.2.1 # x", "", 7:
                api("PUT", V1 + "/config/allow-from", {"name": "allow-from", "value": [mask]}, 422)
            for zone in "=0A", "kept.test.%0Aquiet=no", "=", "..%2f..%2fetc":
                answer = curl(V1 + "/zones/" + zone, "-X", "DELETE", key=KEY)
                check(answer.status in (400, 404, 422), "an id", zone, answer)
        check(r.rec("get-parameter", "quiet").stdout == "quiet=yes\n", "the setting")
        # A slash in a name is no part of a path.
        made = api("POST", V1 + "/zones", native("0/26.2.0.192.in-addr.arpa."), 201)
        check(made["id"] == "0=2F26.2.0.192.in-addr.arpa.", "its id", made)
        api("DELETE", V1 + "/zones/" + made["id"], status=204)


@test
def api_bodies():
    """Bodies that are no JSON, of the wrong shape, chunked, or too long get their error."""
    settings = api_settings("bodies", webserver_max_request_size=1)
    zones = V1 + "/zones"
    with lab_and_recursor(**settings) as (_, r):
        with nothing_changes(settings, r):
            for body in "", "{", "{}x", "nonsense", '"text"', "\xff\xfe", "[" * 100000, "{" * 70:
                answer = curl(zones, "-X", "POST", "--data-binary", body, key=KEY)
                check(answer.status in (400, 422), "no JSON", body[:20], answer)
            for body in [], [1], {"name": []}, {"kind": "Native"}, {"name": "a.", "kind": 7}:
                api("POST", zones, body, 422)
            api("PATCH", zones, {}, 405)
            path = os.path.join(env.new_dir("bodies"), "long")
            with open(path, "w", encoding="ascii") as f:
                f.write('{"name": "' + "a" * (1 << 20) + '"}')
            for options in [], ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]:
                answer = curl(zones, "-X", "POST", *options, "--data-binary", "@" + path, key=KEY)
                check(answer.status == 413, "too long", answer)
        chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/json",
                   "-H", "Expect:"]
        api("POST", zones, native("a.test."), 201, options=chunked)
        api("DELETE", zones + "/a.test.", status=204)


@test
def api_reload_fails():
    """A reload that cannot be done leaves files and zones as they were."""
    settings = api_settings("fails")
    broken = os.path.join(settings["include-dir"], "broken.conf")
    with lab_and_recursor(**settings) as (_, r):
        api("POST", V1 + "/zones", native("kept.test.", "192.0.2.7"), 201)
        with open(broken, "w", encoding="ascii") as f:
            f.write("no-such-setting=1\n")
        with nothing_changes(settings, r):
            error = api("POST", V1 + "/zones", native("new.test."), 422)["error"]
            check("no-such-setting" in error, "why", error)
            api("PUT", V1 + "/zones/kept.test.", native("kept.test.", "192.0.2.8"), 422)
            api("DELETE", V1 + "/zones/kept.test.", status=422)
            api("PUT", V1 + "/config/allow-from", {"value": ["127.0.0.0/8"]}, 422)
        check_reply(r.ask("x.kept.test"), data=["192.0.2.7"], kind="A")
        os.unlink(broken)
        api("DELETE", V1 + "/zones/kept.test.", status=204)


@test
def api_allow_from():
    """A new list of clients holds at once and after a restart; a wrong one changes nothing."""
    settings = api_settings("acl")
    path = V1 + "/config/allow-from"
    with lab_and_recursor(**settings) as (lab, r):
        check_reply(r.ask("www.city.example", "A", "-b", "127.0.0.9"))
        check("127.0.0.0/8" in api("GET", path)["value"], "what holds")
        done = api("PUT", path, {"name": "allow-from", "value": ["127.0.0.1", "!127.0.0.1/8"]})
        check(done == {"name": "allow-from", "value": ["!127.0.0.0/8", "127.0.0.1/32"]}, "the list",
              done)
        check(r.ask("www.city.example", "A", "-b", "127.0.0.9", wait=1).status is None, "refused")
        api("PUT", path, {"name": "allow-from", "value": ["127.0.0.1/33"]}, 422)
        check(api("GET", path) == done, "as before")
        api("PUT", V1 + "/config/allow-notify-from", {"value": ["127.0.0.3"]})
        directory = r.directory
        r.end()
        with Recursor(lab, directory=directory, **settings) as again:
            check(api("GET", path) == done, "after a restart")
            check(api("GET", V1 + "/config/allow-notify-from")["value"] == ["127.0.0.3/32"],
                  "that, too")
            check(again.ask("www.city.example", "A", "-b", "127.0.0.9", wait=1).status is None,
                  "refused still")


@test
def api_reads():
    """Server, settings, statistics, search, flush and the rings show what is so."""
    settings = api_settings("reads")
    with lab_and_recursor(**settings) as (_, r):
        server = api("GET", V1)
        check(server["version"] == r.rec("version").stdout.strip() and
              server["daemon_type"] == "recursor", "the server", server)
        config = {s["name"]: s["value"] for s in api("GET", V1 + "/config")}
        check(config["api-key"] == config["webserver-password"] == "***", "secrets", config)
        check(config["threads"] == "2", "a setting", config)
        for _ in range(3):
            check_reply(r.ask("www.city.example"))
        check_reply(r.ask("mail.city.example"))
        items = api("GET", V1 + "/statistics")
        values = {i["name"]: i["value"] for i in items}
        check(values["questions"] == "4", "questions", values["questions"])
        names = [i["name"] for i in items if i["type"] == "StatisticItem"]
        check("cache-bytes" not in names and len(names) > 150, "what is left out", len(names))
        check(api("GET", V1 + "/statistics?statistic=questions")[0]["value"] == "4", "one")
        maps = {i["name"]: i["value"] for i in items if i["type"] == "MapStatisticItem"}
        check({"name": "A", "value": "4"} in maps["response-by-qtype"], "by type", maps)
        check(maps["response-by-rcode"] == [{"name": "No Error", "value": "4"}], "by rcode", maps)
        sizes = maps["response-sizes"]
        check(sum(int(s["value"]) for s in sizes) == 4 and int(sizes[0]["name"]) in (60, 80),
              "by size", sizes)
        api("GET", V1 + "/statistics?statistic=nothing", status=422)

        ring = api("GET", "/jsonstat?command=get-query-ring&name=queries")
        check(ring == {"entries": [[3, "www.city.example", "A"], [1, "mail.city.example", "A"]]},
              "queries", ring)
        ring = api("GET", "/jsonstat?command=get-remote-ring&name=remotes")
        check(ring == {"entries": [[4, "127.0.0.1"]]}, "remotes", ring)
        api("GET", "/jsonstat?command=nothing", status=404)
        ring = api("GET", V1 + "/rings/queries?group=suffix&client=127.0.0.0/8&limit=1")
        check(ring == {"entries": 4, "different": 1, "rest": 0, "rows": [
            {"count": 4, "key": "city.example.", "type": "A", "share": 1.0}]}, "by suffix", ring)
        check(api("GET", V1 + "/rings/queries?client=192.0.2.1")["rows"] == [], "somebody else")

        flushed = api("PUT", V1 + "/cache/flush?domain=city.example.&subtree=true")
        check(flushed["count"] > 0 and flushed["result"] == "Flushed cache.", "flushed", flushed)
        flushed = api("PUT", "/servers/localhost/flush-cache?domain=www.city.example")
        check(flushed["count"] == "0", "nothing left, as a string", flushed)
        misses = r.get("packetcache-misses")
        check_reply(r.ask("www.city.example"))
        check(r.get("packetcache-misses") == misses + 1, "it is asked for anew")

        said = json.loads(r.rec("--json", "explain", "www.city.example").stdout)
        shown = api("GET", V1 + "/explain?name=www.city.example&type=A")
        check(set(shown) == set(said) | {"text"} and shown["answer"] == said["answer"] and
              len(shown["events"]) > 3, "explain", shown)
        check("accused" in json.dumps(api("GET", V1 + "/defender")), "the defender")
        check(len(api("GET", V1 + "/top-cost?of=domains")["windows"]) == 3, "costs")
        held_us = r.get("control-visit-max-usec")
        check(held_us < 1000 or is_sanitized(), f"a worker was held for {held_us} us")


@test
def api_explains_wait_elsewhere():
    """Explaining what nobody answers holds up neither workers nor other requests; it was kept."""
    settings = api_settings("waits", max_total_msec=2000)
    with lab_and_recursor(**settings) as (lab, r):
        lab.fault("*", "silent")
        waiting = []
        try:
            for i in range(8):
                waiting.append(subprocess.Popen(
                    ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                     "X-API-Key: " + KEY,
                     f"http://127.0.0.1:{PORT}{V1}/explain?name=a{i}.city.example"],
                    stdout=subprocess.PIPE))
            for _ in range(20):
                check(r.ask("localhost", wait=2).status == "NOERROR", "clients are answered")
                api("GET", V1)
            codes = [p.communicate(timeout=20)[0].decode() for p in waiting]
            check(set(codes) <= {"200", "422", "503"} and "503" in codes, "some are told to wait",
                  codes)
        finally:
            for p in waiting:
                p.kill()
                p.wait()
        check_reply(r.ask("x.city.example"), "SERVFAIL")
        kept = api("GET", V1 + "/past?name=x.city.example&kind=failed")["stories"]
        check(len(kept) == 1, "what was kept of it", kept)
        check(len(json.dumps(kept[0])) > 500, "its steps", kept)
        held_us = r.get("control-visit-max-usec")
        check(held_us < 1000 or is_sanitized(), f"a worker was held for {held_us} us")



def manual_examples():
    """The blocks of recursor-api(5) that call curl, as a shell reads them."""
    with open(os.path.join(TREE, "man/recursor-api.5"), encoding="utf-8") as f:
        text = f.read().replace(r"\(aq", "'").replace(r"\e", "\\")
    return [block for block in re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", text, re.DOTALL)
            if "curl" in block]


@test
def api_manual():
    """The examples of recursor-api(5) run, one after the other, and each answers with JSON."""
    settings = api_settings("manual")
    with lab_and_recursor(**settings) as (_, r):
        api("PUT", V1 + "/config/allow-from", {"value": ["127.0.0.0/8"]})
        blocks = manual_examples()
        check(len(blocks) >= 9, "examples", blocks)
        for block in blocks:
            script = (f'API=http://127.0.0.1:{PORT}{V1}; KEY="X-API-Key: {KEY}"; set -e\n'
                      'curl() { command curl -S -m 20 --fail-with-body "$@"; echo; }\n' + block)
            done = run("bash", "-c", script, expect=0)
            for line in filter(None, done.stdout.splitlines()):
                json.loads(line)
        check(set(files(settings)) == {"allow-from.conf"}, "what is left", files(settings))
        check(r.ping(), "the daemon answers")
