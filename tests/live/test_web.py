"""The web server: who may, what is refused, and that none of it costs the workers."""

import json
import signal
import subprocess
import time

from live import Recursor, check, check_reply, env, lab_and_recursor, run, test, wait_until

PORT = 8082
PASSWORD, KEY = "sesame", "open"
PLAIN = {"webserver": "yes", "webserver-password": PASSWORD, "api-key": KEY}


class Answer:
    def __init__(self, text):
        if text.startswith("HTTP/1.1 100 "):
            text = text.partition("\n\n")[2]
        head, _, self.body = text.partition("\n\n")
        lines = head.splitlines() or [""]
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.headers.setdefault(name.lower(), []).append(value)

    def __str__(self):
        return f"{self.status} {self.headers} {self.body[:300]}"


def curl(path, *options, key=None, password=None, old=False, port=PORT):
    """One request; its status is None when the connection ended without a reply."""
    options = list(options)
    if key is not None:
        options += ["-H", "X-API-Key: " + key]
    if password is not None:
        options += ["-u", "any:" + password]
    done = run("curl", "-s", "-i", "-m", "20", *options, f"http://127.0.0.1:{port}{path}")
    return Answer(done.stdout)


def check_status(answer, status, what):
    check(answer.status == status, f"{what}: {answer.status}, not {status}", answer)
    return answer


@test
def web_api_key():
    """The key in its header, and nothing else, opens the API; 401 tells of the header."""
    with lab_and_recursor(**PLAIN):
        right = check_status(curl("/api", key=KEY), 200, "the key")
        check(json.loads(right.body) == [{"version": 1, "url": "/api/v1"}], "its reply", right)
        check(right.headers["content-type"] == ["application/json"], "its type", right)
        for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "deny"),
                            ("x-permitted-cross-domain-policies", "none"),
                            ("x-xss-protection", "1; mode=block"), ("connection", "close"),
                            ("content-security-policy",
                             "default-src 'self'; style-src 'self' 'unsafe-inline'")):
            check(right.headers.get(name) == [value], name, right)
        check("access-control-allow-origin" not in right.headers, "no CORS by itself", right)
        for answer in (curl("/api"), curl("/api", key="Open"), curl("/api", key=KEY + "x"),
                       curl("/api", password=PASSWORD), curl("/api?api-key=" + KEY)):
            check_status(answer, 401, "without the key")
            check(answer.headers["www-authenticate"] == ['X-API-Key realm="PowerDNS"'],
                  "what would open it", answer)
        check_status(curl("/api", "-I", key=KEY), 200, "HEAD")
        check(curl("/api", "-I", key=KEY).body == "", "HEAD has no body")


@test
def web_password():
    """What the page shows wants the password, with any user name; the page itself does not."""
    statistics = "/api/v1/servers/localhost/statistics"
    with lab_and_recursor(**PLAIN):
        for answer in (curl(statistics), curl(statistics, password="Sesame")):
            check_status(answer, 401, "without the password")
            check('Basic realm="PowerDNS"' in answer.headers["www-authenticate"],
                  "what would open it", answer)
        check_status(curl(statistics, password=PASSWORD), 200, "the password")
        page = check_status(curl("/"), 200, "the page")
        check("<!doctype html" in page.body.lower(), "the page", page)
        tag = page.headers["etag"][0]
        again = curl("/", "-H", "If-None-Match: " + tag)
        check_status(again, 304, "the same page")
        check(again.body == "", "nothing of it", again)
        packed = curl("/page.js", "-H", "Accept-Encoding: gzip", "--output", "/dev/null", "-D", "-")
        check(packed.headers.get("content-encoding") == ["gzip"], "packed", packed)
        plain = curl("/page.js", "-H", "Accept-Encoding: gzip;q=0")
        check("content-encoding" not in plain.headers, "as it is", plain)


@test
def web_refusals():
    """404, 405 with what is allowed, 400 for what cannot be read, OPTIONS without a key."""
    with lab_and_recursor(**PLAIN, **{"cross-origin-request-header": "https://a.example"}):
        check_status(curl("/nothing", key=KEY), 404, "no such path")
        check_status(curl("/api/", key=KEY), 404, "no such path")
        check_status(curl("/api%00", key=KEY), 400, "a zero byte")
        check_status(curl("/api?x=%00", key=KEY), 400, "a zero byte in a parameter")
        check_status(curl("/api?" + "&".join("a" * 33), key=KEY), 400, "many parameters")
        wrong = check_status(curl("/api", "-X", "BREW", key=KEY), 405, "no such method")
        check(wrong.headers["allow"] == ["GET"], "what is allowed", wrong)
        check_status(curl("/", "-X", "PUT", password=PASSWORD), 405, "a page is not written")
        options = check_status(curl("/api", "-X", "OPTIONS"), 200, "OPTIONS")
        check(options.headers["access-control-allow-methods"] == ["GET, OPTIONS"], "methods",
              options)
        check(options.headers["access-control-allow-headers"] == ["Content-Type, X-API-Key"],
              "headers", options)
        check(options.headers["access-control-allow-origin"] == ["https://a.example"], "origin",
              options)
        check_status(curl("/nothing", "-X", "OPTIONS"), 404, "OPTIONS of nothing")


@test
def web_metrics():
    """/metrics is Prometheus text, for the password."""
    with lab_and_recursor(**PLAIN):
        check_status(curl("/metrics", key=KEY), 401, "the key is not the password")
        text = check_status(curl("/metrics", password=PASSWORD), 200, "the password")
        check(text.headers["content-type"] == ["text/plain; version=0.0.4"], "its type", text)
        check("\npdns_recursor_questions 0\n" in text.body, "questions", text)
        check("\npdns_recursor_webserver_requests_unauthorized 1\n" in text.body, "what was refused",
              text.body)


@test
def web_health():
    """/ready and /live for anybody who may connect: 503 with the reason while draining, and while the
    test name is not answered."""
    with lab_and_recursor(**PLAIN) as (_, r):
        wait_until(lambda: curl("/ready").status == 200, what="ready")
        check(json.loads(curl("/ready").body) == {"ready": True}, "its words", curl("/ready"))
        check(json.loads(check_status(curl("/live"), 200, "live").body) == {"live": True}, "alive")
        check_status(curl("/ready", "-I"), 200, "HEAD")
        r.rec("drain")
        said = check_status(curl("/ready"), 503, "draining")
        check(json.loads(said.body) == {"ready": False, "reason": "draining"}, "why", said)
        check_status(curl("/live"), 200, "alive all the same")
        r.rec("undrain")
        check_status(curl("/ready"), 200, "ready again")
    with Recursor(None, **PLAIN, **{"forward-zones-recurse": ".=127.0.0.1:5399",
                                    "ready-test-name": "www.city.example A",
                                    "max-total-msec": 500, "hint-file": "no"}) as r:
        wait_until(lambda: "www.city.example" in curl("/ready").body, what="a failed test")
        check_status(curl("/ready"), 503, "nobody answers the test")


@test
def web_drain_grace():
    """SIGTERM: /ready is 503 at once, queries are answered for drain-grace, then it ends; a second one
    ends it without waiting."""
    for seconds, signals in ((2, 1), (60, 2)):
        with lab_and_recursor(**PLAIN, **{"drain-grace": seconds}) as (_, r):
            wait_until(lambda: curl("/ready").status == 200, what="ready")
            began = time.monotonic()
            r.process.send_signal(signal.SIGTERM)
            wait_until(lambda: curl("/ready").status == 503, what="unready")
            check_reply(r.ask("www.city.example"))
            check("draining" in r.rec("get-all").stdout, "commands are heard")
            for _ in range(1, signals):
                r.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not r.is_alive(), 20, "its end")
            took = time.monotonic() - began
            check(signals > 1 or took >= seconds, f"it ended after {took:.1f} s", r.log())


@test
def web_hashed_secrets():
    """rec_control hash-password prints what api-key and webserver-password may be; a plain one is
    hashed in memory when that is wanted."""
    def hashed(secret, *words):
        return subprocess.run([env.program("rec_control"), "hash-password", *words], check=True,
                              input=secret + "\n", stdout=subprocess.PIPE,
                              text=True).stdout.strip()

    settings = dict(PLAIN, **{"api-key": hashed(KEY), "webserver-password": hashed(PASSWORD, "64")})
    with lab_and_recursor(**settings):
        for _ in range(2):
            check_status(curl("/api", key=KEY), 200, "the key")
            check_status(curl("/metrics", password=PASSWORD), 200, "the password")
            check_status(curl("/api", key="wrong"), 401, "another")
            check_status(curl("/api", key=settings["api-key"]), 401, "the hash is not the key")
    with lab_and_recursor(**PLAIN, **{"webserver-hash-plaintext-credentials": "yes"}) as (_, r):
        check_status(curl("/api", key=KEY), 200, "the key")
        check_status(curl("/api", key="wrong"), 401, "another")
        check_status(curl("/metrics", password=PASSWORD), 200, "the password")
        check_status(curl("/metrics", password="wrong"), 401, "another password")
        check("$scrypt$ln=10,p=1,r=8$" in r.rec("get-parameter", "api-key").stdout, "its hash")
    for bad in ("$scrypt$", "$scrypt$ln=99,p=1,r=8$AAAA$AAAA"):
        done = run(env.program("recursor"), "--config-dir=" + env.new_dir("bad"), "--api-key=" + bad,
                   expect=1)
        check("api-key: begins with $scrypt$ and is no hash" in done.stderr, "one line", done.stderr)
        check("ln=99" not in done.stderr, "without the secret", done.stderr)


@test
def web_old_paths():
    """Paths of 3.7 are known, and there alone the key may be a parameter; its settings are aliases."""
    old = {"experimental-webserver": "yes", "experimental-webserver-address": "127.0.0.1",
           "experimental-webserver-port": 8099, "experimental-api-key": KEY,
           "experimental-api-readonly": "yes"}
    with lab_and_recursor(**old) as (_, r):
        def get(path, *options, key=None):
            return curl(path, *options, key=key, port=8099)

        check_status(get("/servers/localhost/config", key=KEY), 200, "the old path")
        check_status(get("/servers/localhost/config?api-key=" + KEY), 200, "the key in it")
        check_status(get("/servers/localhost/config?api-key=x"), 401, "a wrong one")
        check_status(get("/api/v1/servers/localhost/config?api-key=" + KEY), 401, "not today")
        put = get("/servers/localhost/flush-cache?domain=x.", "-X", "PUT", key=KEY)
        check_status(put, 405, "read only")
        check("setting 'experimental-api-key' is called 'api-key' now" in r.log(), "a warning")


@test
def web_log():
    """A line a request, none, or the headers too; secrets are in none of them."""
    for level, lines, headers in (("none", 0, 0), ("normal", 3, 0), ("detailed", 3, 3)):
        with lab_and_recursor(**PLAIN, **{"webserver-loglevel": level, "loglevel": 6}) as (_, r):
            check_status(curl("/api?api-key=hidden", "-H", "X-Mark: x", key=KEY), 200, "the key")
            check_status(curl("/", "-H", "X-Mark: x", password=PASSWORD), 200, "the page")
            check_status(curl("/no\\%0aline", "-H", "X-Mark: x"), 404, "no such path")
            log = r.log()
            found = [x for x in log.splitlines() if 'webserver: 127.0.0.1:' in x]
            check(len(found) == lines, f"{level}: lines", log)
            check(log.count("X-Mark: x") == headers, f"{level}: headers", log)
            check(lines == 0 or '"GET /api" 200 31' in log and '"GET /no..line" 404 ' in log,
                  "what they say", log)
            for secret in (KEY + "\n", "hidden", PASSWORD, "Basic YW55"):
                check(secret not in log, "no secret", log)


@test
def web_addresses():
    """Several addresses, IPv6 among them, each with a port of its own; one that is taken ends the start
    with a line."""
    env.need_ipv6()
    where = {"webserver-address": "127.0.0.1:8083, [::1]:8084"}
    with lab_and_recursor(**PLAIN, **where) as (_, r):
        check_status(curl("/live", port=8083), 200, "IPv4")
        check("HTTP/1.1 200" in run("curl", "-s", "-i", "-g", "http://[::1]:8084/live").stdout, "IPv6")
        done = run(env.program("recursor"), "--config-dir=" + env.new_dir("second"),
                   "--socket-dir=" + env.new_dir("socket"), "--local-port=5399", "--webserver=yes",
                   "--webserver-address=127.0.0.1:8083", "--hint-file=" + r.settings["hint-file"],
                   "--disable-syslog=yes", expect=1)
        check("webserver: cannot listen on 127.0.0.1:8083: " in done.stderr, "a line", done.stderr)


@test
def web_drain_takes_its_grace():
    """rec_control drain is not done before drain-grace is over; then the end needs no more of it."""
    with lab_and_recursor(**{"drain-grace": 2}) as (_, r):
        began = time.monotonic()
        check(r.rec("drain").stdout.startswith("drained: "), "drained")
        check(time.monotonic() - began >= 1.9, "the grace")
        r.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not r.is_alive(), what="its end")
        check("draining for" not in r.log(), "once is enough", r.log())
