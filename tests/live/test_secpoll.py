"""Security polling: a zone of ours at a real authority, through every transition of the status."""

import os
import signal

from live import (Authority, Recursor, check, env, lab_and_recursor, nsd_server, nsd_zones, run, test,
                  wait_until, write)

ADDRESS, PORT = "127.30.12.1", 5398
ZONE = "sec.test"


class Telling(Authority):
    """NSD with what the zone says of our version."""

    def __init__(self, version, record=None):
        d = env.new_dir("nsd")
        self.owner = f"recursor-{version}.security-status.{ZONE}."
        self.serial = 0
        self.write(d, record)
        super().__init__("nsd", d, nsd_server(d, ADDRESS, port=PORT, more="  xfrd-reload-timeout: 0\n") +
                         nsd_zones({ZONE: f"{d}/zone"}), ADDRESS, ZONE, port=PORT)

    def write(self, directory, record):
        self.serial += 1
        write(os.path.join(directory, "zone"),
              f"$TTL 60\n{ZONE}. IN SOA ns.{ZONE}. h.{ZONE}. {self.serial} 60 60 600 1\n"
              f"{ZONE}. IN NS ns.{ZONE}.\nns.{ZONE}. IN A {ADDRESS}\n" +
              (f"{self.owner} IN {record}\n" if record is not None else ""))

    def say(self, record):
        self.write(self.dir, record)
        self.process.send_signal(signal.SIGHUP)
        self.wait_served(ZONE, self.serial)


# What the zone has: NXDOMAIN, no TXT, no status are each no answer.
NX, OTHER_TYPE, NO_STATUS = None, "A 192.0.2.1", 'TXT "ok"'
OK, RECOMMENDED, MANDATORY = 'TXT "1 OK"', 'TXT "2 Upgrade, see x"', 'TXT "3 Upgrade now"'
# Every edge of the table.
COURSE = [(NX, 0), (OK, 1), (OK, 1), (NX, 0), (RECOMMENDED, 2), (RECOMMENDED, 2), (OTHER_TYPE, 2),
          (MANDATORY, 3), (MANDATORY, 3), (NO_STATUS, 3), (RECOMMENDED, 2), (OK, 1), (MANDATORY, 3),
          (OK, 1), (RECOMMENDED, 2), (OK, 1), (NO_STATUS, 0), (MANDATORY, 3)]


POLLING = {
    "security_poll_suffix": ZONE,
    "security_poll_interval": 1,
    "forward_zones": f"{ZONE}={ADDRESS}:{PORT}",
    "dont_throttle_netmasks": "127.0.0.0/8",
    "network_timeout": 200,
}


def version():
    return run(env.program("recursor"), "--version", expect=0).stdout.split()[1]


def wait_poll(r):
    r.wait_get("security-polls", r.get("security-polls") + 1, 15)


@test
def secpoll_transitions():
    """Every transition of the status, with its line in the log; a lookup that fails hides nothing."""
    with Telling(version()) as authority, \
            lab_and_recursor(**POLLING) as (_, r):
        before = 0
        for said, status in COURSE:
            authority.say(said)
            if status == before:
                wait_poll(r)
                check(r.get("security-status") == status, f"{said}: {before} becomes {status}")
            else:
                wait_until(lambda s=status: r.get("security-status") == s, 15,
                           f"{said}: {before} becomes {status}")
            before = status
        log = r.log()
        check(f"Could not retrieve security status update for '{version()}' on "
              f"'{authority.owner}', RCODE = NXDOMAIN" in log, "NXDOMAIN is told", log)
        check("RCODE = NOERROR" in log, "no TXT is told", log)
        check("the answer is no status" in log, "no status is told", log)
        check("Security Update Recommended: Upgrade, see x" in log, "2 is told", log)
        check("Security Update Mandatory: Upgrade now" in log, "3 is told", log)
        told = log.count(f"version {version()}, no known issues reported: OK")
        check(told == 4, "1 is told, once each time that it becomes so", told, log)
        authority.end()
        wait_poll(r)
        check(r.get("security-status") == 3, "nor does a dead server hide it")
        check("RCODE = SERVFAIL" in r.log(), "a dead server is told", r.log())


@test
def secpoll_log_levels():
    """What has to be done is logged as an error, also when later polls fail; the failures are not."""
    with Telling(version(), RECOMMENDED) as authority, \
            lab_and_recursor(loglevel=3, **POLLING) as (_, r):
        wait_until(lambda: r.get("security-status") == 2, 15, "the first poll")
        authority.end()
        r.wait_get("security-poll-failures", 2, 15)
        log = r.log()
        check(log.count("Security Update Recommended: Upgrade, see x") >= 3, "errors", log)
        check("Could not retrieve" not in log, "no warnings", log)


@test
def secpoll_off_by_default():
    """Without a suffix nobody is asked."""
    with lab_and_recursor(security_poll_interval=1) as (_, r):
        check(r.get("security-status") == 0 == r.get("security-polls"), "no poll")
    bad = Recursor(security_poll_suffix="a..b", ready=False)
    check(bad.process.wait(10) == 1, "a bad suffix is refused")
    check("security-poll-suffix=a..b: not a domain name" in bad.log(), "and told", bad.log())
