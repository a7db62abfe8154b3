"""Your first attack: every command of lua-examples/first-attack.md, as it stands there, while
tools/attack runs."""

import os
import re
import subprocess

from live import check, env, need_program, test, wait_until

PAGE = "lua-examples/first-attack.md"
# What a command must say: where the page draws a conclusion from it.
MUST_SAY = {
    "top-pub-queries": "city.example.",
    "top-queries": ".city.example.",
    "top-remotes": "127.66.0.",
    "top-cost domains": "city.example.",
    "top-cost remotes": "127.66.0.",
    "defender-show": "city.example.",
    "try-lua-script": "127.66.0.",
    "reload-lua-script": "(re)loaded",
    "dump-ipset": "127.66.0.",
    "remove-from-ipset": "removed 1 ",
    "reload-defender": "ok",
}


def commands():
    with open(PAGE, encoding="utf-8") as f:
        blocks = re.findall(r"^```sh\n(.*?)^```", f.read(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@test
def first_attack():
    """lua-examples/first-attack.md: its commands run, and show what it says that they show."""
    need_program("dnsperf")
    directory = os.path.join(env.build, "attack")
    log_path = os.path.join(env.new_dir("attack"), "log")
    with open(log_path, "w", encoding="utf-8") as log:
        attack = subprocess.Popen(["tools/attack"], stdout=log, stderr=subprocess.STDOUT,
                                  env=dict(os.environ, B=env.build, ATTACK_SECONDS="100"))

    def accused():
        shown = subprocess.run([f"{env.build}/rec_control", f"--socket-dir={directory}",
                                "defender-show"], capture_output=True, text=True, check=False)
        return "city.example." in shown.stdout

    try:
        wait_until(accused, 60, "the flood is noticed")
        for command in commands():
            done = subprocess.run(["bash", "-c", command.replace("build/", env.build + "/")],
                                  capture_output=True, text=True, timeout=60, check=False)
            check(done.returncode == 0, command, done.stdout + done.stderr)
            for word, said in MUST_SAY.items():
                if word in command:
                    check(said in done.stdout, f"{command} says {said}", done.stdout)
        check("refused " in subprocess.run(
            [f"{env.build}/rec_control", f"--socket-dir={directory}", "defender-show"],
            capture_output=True, text=True, check=False).stdout, "the defender has acted")
    finally:
        attack.terminate()
        status = attack.wait(30)
    with open(log_path, encoding="utf-8") as log:
        check(status == 0, "tools/attack ends well", log.read())
