"""What was measured, as a table or as JSON."""

import json
import os
import statistics
import sys

# heading, key of a summary, how its value is written
COLUMNS = [
    ("CPU us", "cpu_us", "{:.2f}"),
    ("min-max", None, None),
    ("x floor", "x_floor", "{:.2f}"),
    ("x one", "x_one_worker", "{:.2f}"),
    ("x without", "x_without", "{:.3f}"),
    ("bytes/name", "bytes_per_name", "{:.0f}"),
    ("kept", "kept", "{:.4f}"),
    ("others", "others_answered", "{:.4f}"),
    ("known", "known", "{:.0f}"),
    ("to victim", "to_victim", "{:.2f}"),
    ("growth MB", "growth_mb", "{:+.0f}"),
    ("asked", "outqueries", "{:.2f}"),
    ("answered", "answered", "{:.4f}"),
    ("latency ms", "latency_ms", "{:.2f}"),
    ("queries/s", "queries_per_second", "{:.0f}"),
]
LEGEND = """\
CPU us    user and system time of the server's process for each query answered with NOERROR;
          median of the rounds, then their least and greatest
x floor   that, over the floor's of the same round: what the kernel alone asks
x one     that with two workers, over that with one, on the same cores
x without that with the thing, over that without it, in the same round
kept      of the names of memory, those for which no server was asked again afterwards
others    under attack: the share of everybody else's questions that were answered well
known     of ten names of the victim, which were asked before, those that resolve during the flood
to victim questions to its server for each of the flood's
asked     packets to servers for each query (TCP's are not counted)
"""
BOLD, GREEN, YELLOW, PLAIN = "\033[1m", "\033[32m", "\033[33m", "\033[0m"


class Report:
    def __init__(self, about):
        self.about = about  # of the whole run: a dict of strings
        self.results = {}  # (workload, server): {round: what measure() found}
        self.failures = []

    def add(self, workload, server, turn, result):
        self.results.setdefault((workload, server), {})[turn] = result

    def summary(self, workload, server):
        """The median of each value, and the least and greatest of the CPU time."""
        rounds = self.results[workload, server]
        floors = self.results.get((workload, "floor"), {})
        values = {key: [r[key] for r in rounds.values()] for key in next(iter(rounds.values()))}
        values["x_floor"] = [r["cpu_us"] / floors[turn]["cpu_us"] for turn, r in rounds.items()
                             if turn in floors]
        row = {"workload": workload, "server": server, "rounds": len(rounds)}
        row.update({key: statistics.median(some) for key, some in values.items() if some})
        row["cpu_us_min"] = min(values["cpu_us"])
        row["cpu_us_max"] = max(values["cpu_us"])
        return row

    def rows(self):
        return [self.summary(*key) for key in self.results]

    def print_json(self):
        json.dump({**self.about, "results": self.rows(), "failures": self.failures}, sys.stdout,
                  indent=2)
        print()

    def print_markdown(self):
        """README's table: CPU time a query, and in brackets what it is a multiple of."""
        rows = {(row["workload"], row["server"]): row for row in self.rows()}
        workloads = list(dict.fromkeys(workload for workload, _ in rows))
        servers = list(dict.fromkeys(server for _, server in rows))
        print("| | " + " | ".join(servers) + " |")
        print("| --- " * (len(servers) + 1) + "|")
        for workload in workloads:
            cells = (brief(rows.get((workload, server), {})) for server in servers)
            print(f"| {workload} | " + " | ".join(cells) + " |")

    def print_table(self):
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        rows = self.rows()
        table = [["workload", "server"] + [heading for heading, _, _ in COLUMNS]]
        table += [[row["workload"], row["server"]] + [cell(row, *column) for column in COLUMNS]
                  for row in rows]
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        lines = ["  ".join(text.ljust(width) if i < 2 else text.rjust(width)
                           for i, (text, width) in enumerate(zip(line, widths))).rstrip()
                 for line in table]
        if colour:
            lines = [BOLD + lines[0] + PLAIN] + [
                shade(row, rows) + line + PLAIN for row, line in zip(rows, lines[1:])]
        for key, value in self.about.items():
            print(f"{key}: {value}")
        print()
        print("\n".join(lines))
        print()
        print(LEGEND, end="")


def cell(row, heading, key, form):
    if heading == "min-max":
        return "{cpu_us_min:.2f}-{cpu_us_max:.2f}".format(**row)
    return form.format(row[key]) if key in row else "-"


def brief(row):
    if not row:
        return ""
    if "bytes_per_name" in row:
        return "{bytes_per_name:.0f} bytes".format(**row)
    if "to_victim" in row:
        return ("{others_answered:.4f}, {latency_ms:.1f} ms, {known:.0f}/10, {to_victim:.2f}, "
                "{growth_mb:+.0f} MB".format(**row))
    value = "{:.2f}" if row["cpu_us"] < 10 else "{:.1f}"
    text = value.format(row["cpu_us"])
    for key in ("x_one_worker", "x_without", "x_floor"):
        if key in row and not (key == "x_floor" and row["server"] == "floor"):
            return f"{text} ({row[key]:.2f})"
    return text


def shade(row, rows):
    """Ours is green where no peer is cheaper, yellow elsewhere."""
    if row["server"] != "recursor":
        return ""
    key = "bytes_per_name" if "bytes_per_name" in row else "cpu_us"
    peers = [r[key] for r in rows if r["workload"] == row["workload"]
             and r["server"] not in ("floor", "recursor")]
    return GREEN if all(row[key] < value for value in peers) else YELLOW
