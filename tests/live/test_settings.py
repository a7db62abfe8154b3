"""Settings that are wrong end the start with one line; those of PowerDNS that we lack do not."""

import os
import subprocess

from live import Failed, Lab, Recursor, check, check_reply, env, run, test


def start(lines, *options):
    """Runs the daemon with a recursor.conf of these lines; it must not start."""
    directory = env.new_dir("settings")
    path = os.path.join(directory, "recursor.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(["local-address=127.0.0.1", f"local-port={env.port}",
                           f"socket-dir={directory}", "disable-syslog=yes", *lines]) + "\n")
    try:
        return path, run(env.program("recursor"), "--config-dir=" + directory, *options, timeout=3)
    except subprocess.TimeoutExpired:
        raise Failed(f"it starts with {lines} {options}") from None


@test
def settings_refused():
    """Unknown keys and bad values: one line with file, line, key and value; status not 0."""
    for line, words in (
            ("no-such-setting=7", ["no-such-setting"]),
            ("local-port=70000", ["local-port", "70000"]),
            ("local-port=many", ["local-port", "many"]),
            ("threads=0", ["threads", "0"]),
            ("threads=-3", ["threads", "-3"]),
            ("allow-from=127.0.0.0/8, 300.1.2.3", ["allow-from", "300.1.2.3"]),
            ("local-address=not.an.address", ["local-address", "not.an.address"]),
            ("dont-query=10.0.0.0/33", ["dont-query", "10.0.0.0/33"]),
            ("max-qperq=fifty", ["max-qperq", "fifty"]),
            ("nothing-below-nxdomain=perhaps", ["nothing-below-nxdomain", "perhaps"])):
        path, done = start([line])
        check(done.returncode != 0, "it fails", line, done.stderr)
        text = [x for x in done.stderr.splitlines() if words[0] in x]
        check(len(text) == 1, "one line about it", line, done.stderr)
        for word in [*words, path]:
            check(word in text[0], f"the line has {word}", text[0])
        check(":5" in text[0] or "line 5" in text[0], "and the line's number", text[0])


@test
def settings_refused_on_the_command_line():
    """The same for --key=value."""
    _, done = start([], "--threads=none")
    check(done.returncode != 0, "it fails", done.stderr)
    check("threads" in done.stderr and "none" in done.stderr, "key and value", done.stderr)
    _, done = start([], "--no-such-setting=1")
    check(done.returncode != 0 and "no-such-setting" in done.stderr, "unknown", done.stderr)


@test
def settings_of_powerdns_that_we_lack():
    """A key that PowerDNS has and we do not is warned of, and start-up goes on."""
    with Lab() as lab, Recursor(lab, cpu_map="0=0", webserver="no") as r:
        check_reply(r.ask("www.city.example"))
        check("cpu-map" in r.log(), "a warning names it", r.log())


@test
def settings_of_ecs():
    """Keys of ECS: one warning each, which says that it is left out by design, not for now."""
    keys = ("ecs-add-for=0.0.0.0/0", "ecs-ipv4-bits=24", "ecs-ipv6-cache-bits=56",
            "ecs-scope-zero-address=192.0.2.1", "edns-subnet-allow-list=example.com",
            "edns-subnet-whitelist=example.org", "edns-subnet-harden=yes",
            "use-incoming-edns-subnet=yes")
    with Lab() as lab, Recursor(lab, **dict(k.split("=") for k in keys)) as r:
        check_reply(r.ask("www.city.example"))
        for key in keys:
            lines = [x for x in r.log().splitlines() if f"'{key.split('=')[0]}'" in x]
            check(len(lines) == 1 and "left out by design" in lines[0] and
                  "yet" not in lines[0], "one warning", key, lines)


@test
def settings_query_address_of_another():
    """query-local-address that this host has not: one line at the start, not failures later."""
    _, done = start(["query-local-address=127.0.0.1, 192.0.2.77"])
    check(done.returncode == 1, "it fails", done.stderr)
    check("query-local-address=192.0.2.77: cannot ask from there: " in done.stderr, "why",
          done.stderr)


@test
def settings_files_and_order():
    """include-dir adds files in order; += appends; the command line comes last."""
    with Lab() as lab:
        directory = env.new_dir("include")
        include = os.path.join(directory, "d")
        os.mkdir(include)
        for name, text in (("10-first.conf", "max-qperq=20\nallow-from=127.0.0.1\n"),
                           ("20-second.conf", "max-qperq=30\nallow-from+=127.0.0.2\n"),
                           ("ignored.txt", "max-qperq=5\n")):
            with open(os.path.join(include, name), "w", encoding="ascii") as f:
                f.write(text)
        with Recursor(lab, directory=directory, include_dir=include,
                      options=["--max-total-msec=5000"]) as r:
            check("30" in r.rec("get-parameter", "max-qperq", expect=None).stdout or
                  "Unknown" in r.rec("get-parameter", "max-qperq", expect=None).stderr,
                  "the last file counts")
            check_reply(r.ask("www.city.example"))
            done = run(env.program("recursor"), "--config-dir=" + directory, "--config=diff",
                       "--max-total-msec=5000", expect=0).stdout
            for text in "max-qperq=30", "max-total-msec=5000":
                check(text in done.replace(" ", ""), text, done)


@test
def settings_port_taken():
    """A port that is in use ends the start with a line that names the address."""
    for settings in {"reuseport": "no", "threads": 1}, {"threads": 1}, {"threads": 2}:
        with Lab() as lab, Recursor(lab, **settings):
            second = Recursor(lab, ready=False, **settings)
            check(second.process.wait(10) == 1, "it fails", second.log())
            check(f"127.0.0.1:{env.port}" in second.log() and "in use" in second.log(),
                  "address and reason", second.log())


@test
def settings_example():
    """The example of a recursor.conf, and the template, are right as they stand."""
    example = os.path.join(os.path.dirname(__file__), "../../recursor/recursor.conf.example")
    with open(example, encoding="utf-8") as f:
        texts = [f.read(), run(env.program("recursor"), "--config=default", expect=0).stdout]
    for text in texts:
        directory = env.new_dir("example")
        with open(os.path.join(directory, "recursor.conf"), "w", encoding="utf-8") as f:
            f.write(text)
        done = run(env.program("recursor"), "--config-dir=" + directory, "--config=check", expect=0)
        check(not done.stderr and not done.stdout, "nothing is said of it", done)
