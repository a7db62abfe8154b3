"""Trust anchors: files, commands, lua-config-file, and what becomes of them while time passes."""

import os
import signal
import stat
import time

from live import (Authority, Lab, Recursor, check, check_reply, env, lab_and_recursor, ldns_key,
                  ldns_sign_by, need_program, nsd_server, nsd_zones, run, shifted_clock, test, wait_until,
                  write)

ADDRESS, PORT = "127.30.14.1", 5397
ZONE = "signed.test"
ROOT = [20326, 38696]
DIGEST = "00" * 32


def anchors(recursor):
    """{zone: [key tags]} as get-tas has them."""
    found, zone = {}, None
    for line in recursor.rec("get-tas").stdout.splitlines()[1:]:
        if line.startswith("\t\tnone"):
            found.pop(zone)
        elif line.startswith("\t\t"):
            found[zone].append(int(line.split()[0]))
        else:
            zone = line
            found[zone] = []
    return found


def negative(recursor):
    return [line.split("\t")[0] for line in recursor.rec("get-ntas").stdout.splitlines()[1:]]


def texts(recursor, name):
    done = run("dig", "+short", "+time=5", "-p", str(env.port), "@" + recursor.address, "CH", "TXT",
               name)
    return sorted(done.stdout.split("\n")[:-1])


@test
def trust_anchors_are_configured():
    """Files, lua-config-file and commands; what is read again changes what it is about."""
    d = env.new_dir("anchors")
    keys = write(os.path.join(d, "keys"), f"example. IN DS 1 13 2 {DIGEST}\n")
    lua = write(os.path.join(d, "config.lua"), f'addTA("lua.example", "2 13 2 {DIGEST}")\n'
                'addNTA("broken.example", "their DS is old")\nrpzFile("x")\n')
    settings = {"trustanchorfile": keys, "lua_config_file": lua,
                "negative_trustanchors": "internal.example, other.example",
                "allow_trust_anchor_query": "yes", "hint_file": "no",
                "forward_zones": ".=127.0.0.1:1"}
    with Recursor(**settings) as r:
        check(anchors(r) == {"example": [1], "lua.example": [2]}, "trusted", anchors(r))
        check(sorted(negative(r)) == ["broken.example", "internal.example", "other.example"], "not",
              negative(r))
        check("config.lua:3: rpzFile()" in r.log(), "the other functions are known", r.log())
        check(texts(r, "trustanchor.server") == ['"example. 1"', '"lua.example. 2"'], "CH TXT",
              texts(r, "trustanchor.server"))
        check('"broken.example. their DS is old"' in texts(r, "negativetrustanchor.server"),
              "CH TXT")
        check(r.rec("add-ta", "more.example.", "3", "13", "2", DIGEST).stdout ==
              f"Added Trust Anchor for more.example with data 3 13 2 {DIGEST}\n", "add-ta")
        r.rec("clear-nta", "other.example")
        r.rec("add-nta", "mine.example", "a", "reason")
        # What is configured changes; what was said to it besides stays.
        write(keys, f"example. IN DS 4 13 2 {DIGEST}\n")
        check(r.rec("reload-lua-config").stdout ==
              f"Reloaded Lua configuration file '{lua}'\n", "it")
        check(anchors(r) == {"example": [4], "lua.example": [2], "more.example": [3]}, "after",
              anchors(r))
        check(sorted(negative(r)) == ["broken.example", "internal.example", "mine.example"],
              "after", negative(r))
        # What is wrong changes nothing.
        bad = write(os.path.join(d, "bad.lua"), "\nfrobnicate()\n")
        said = r.rec("reload-lua-config", bad, expect=1).stderr
        check(f"Unable to load Lua script from '{bad}': lua-config-file: {bad}:2: " in said, said)
        with open(os.path.join(r.directory, "recursor.conf"), "a", encoding="ascii") as f:
            f.write("frobnicate\n")
        said = r.rec("reload-lua-config", expect=1).stderr
        check("reload-lua-config: nothing changed: " in said and "recursor.conf:" in said, said)
        check(len(anchors(r)) == 3, "as before", anchors(r))
        check(r.rec("clear-ta", ".", expect=1).stderr.startswith("Refusing to remove root"), "root")
    with Recursor() as r:
        check(anchors(r) == {".": ROOT}, "built in", anchors(r))
        check(texts(r, "trustanchor.server") == [], "nobody is told",
              texts(r, "trustanchor.server"))
    write(keys, ". IN DS 1 13 2 00\n")
    r = Recursor(ready=False, **settings)
    check(r.process.wait(10) != 0 and f"trustanchorfile: {keys}:1: " in r.log(), "one line", r.log())


@test
def negative_anchors_expire():
    """ttl= and nta-lifetime; what the caches hold is wiped when one comes and goes."""
    with Recursor(nta_lifetime=3600, hint_file="no", forward_zones=".=127.0.0.1:1",
                  negative_trustanchors="") as r:
        r.rec("add-nta", "long.example")
        r.rec("add-nta", "endless.example", "ttl=0")
        r.rec("add-nta", "short.example", "ttl=5", "soon", "over")
        listed = r.rec("get-ntas").stdout
        check(r.get("negative-trust-anchors") == 3 and r.get("trust-anchors") == 1, "counted")
        check("long.example\t\t(ends in 3" in listed and "endless.example\t\n" in listed, listed)
        wait_until(lambda: "short.example" not in negative(r), 10, "it ends")
        check(sorted(negative(r)) == ["endless.example", "long.example"], "the others stay")
        check("the negative trust anchor of short.example. has expired" in r.log(), r.log())


# ---- a signed zone ----

class Signed(Authority):
    """NSD with a zone that ldns has signed."""

    def __init__(self):
        need_program("ldns-keygen", "ldns-signzone")
        d = env.new_dir("signed")
        self.directory, self.serial = d, 0
        self.ksk, self.zsk = self.key("-k"), self.key()
        path = self.signed_by([self.ksk, self.zsk])
        super().__init__("nsd", d, nsd_server(d, ADDRESS, port=PORT, more="  xfrd-reload-timeout: 0\n") +
                         nsd_zones({ZONE: path}), ADDRESS, ZONE, port=PORT)

    def key(self, *options):
        return ldns_key(self.directory, ZONE, *options)

    def revoked(self, key):
        """The same key with its REVOKE bit."""
        done = run("dnssec-revoke", "-f", key, expect=0)
        return done.stdout.strip()

    def dnskey(self, key):
        with open(key + ".key", encoding="ascii") as f:
            return f.read()

    def tag(self, key):
        return int(key.rsplit("+", 1)[1])

    def signed_by(self, keys, *options):
        """The zone's file, which is a new one, signed so."""
        self.serial += 1
        text = f"$TTL 60\n{ZONE}. IN SOA ns.{ZONE}. h.{ZONE}. {self.serial} 60 60 600 1\n" \
               f"{ZONE}. IN NS ns.{ZONE}.\nns.{ZONE}. IN A {ADDRESS}\n" \
               f"www.{ZONE}. IN A 192.0.2.1\n" + \
               "".join(f"root-key-sentinel-{what}-ta-20326.{ZONE}. IN A 192.0.2.2\n"
                       for what in ("is", "not"))
        return ldns_sign_by(keys, self.directory, ZONE, text, *options)

    def serve(self, keys, *options):
        self.signed_by(keys, *options)
        self.process.send_signal(signal.SIGHUP)
        self.wait_served(ZONE, self.serial)

    def anchor(self, *keys):
        path = os.path.join(self.directory, "anchor")
        return write(path, "".join(self.dnskey(k) for k in keys or [self.ksk]))


def validating(zone, **settings):
    settings.setdefault("trustanchorfile", zone.anchor())
    settings.setdefault("negative_trustanchors", "")
    settings.setdefault("forward_zones", f"{ZONE}={ADDRESS}:{PORT}")
    return Recursor(dnssec="validate", hint_file="no-refresh", dont_throttle_netmasks="127.0.0.0/8",
                    network_timeout=500, **settings)


def is_secure(recursor):
    reply = recursor.ask(f"www.{ZONE}", "A", "+dnssec")
    return reply.status == "NOERROR" and "ad" in reply.flags


@test
def negative_anchor_ends_when_the_zone_validates():
    """RFC 7646 2: a zone whose signatures expired is answered under an NTA, which ends when they
    are renewed."""
    with Signed() as zone:
        zone.serve([zone.ksk, zone.zsk], "-i", "20200101000000", "-e", "20200201000000")
        with validating(zone, nta_recheck_interval=1, nta_extended_error="yes") as r:
            check_reply(r.ask(f"www.{ZONE}"), status="SERVFAIL")
            r.rec("add-nta", ZONE, "signatures", "expired")
            reply = r.ask(f"www.{ZONE}", "A", "+dnssec")
            check_reply(reply, status="NOERROR")
            check("ad" not in reply.flags, "insecure", str(reply))
            zone.serve([zone.ksk, zone.zsk])
            # Said when all is done: the list is without it before what was known under it is wiped.
            wait_until(lambda: "ends: the zone validates again" in r.log(), 15, "the anchor ends")
            check(negative(r) == [], "none is left", negative(r))
            check(is_secure(r), "it is validated", r.ask(f"www.{ZONE}", "A", "+dnssec"))
        # One that is configured is meant to stay; the other is looked at after it.
        with validating(zone, nta_recheck_interval=1, negative_trustanchors=ZONE) as r:
            r.rec("add-nta", f"www.{ZONE}")
            wait_until(lambda: negative(r) == [ZONE], 15, "the other ends")


@test
def probes_go_to_a_resolver():
    """What the daemon asks on its own where names are forwarded to a resolver: the re-check of a
    negative anchor, the signal of trusted keys, the DS of a zone that is copied."""
    copy = write(os.path.join(env.new_dir("copied"), "zone"), f"www.{ZONE}. 60 IN SOA a. h. 1 60 60 600 1\n"
                 f"www.{ZONE}. 60 IN NS ns.{ZONE}.\n")
    lua = write(os.path.join(env.new_dir("lua"), "config.lua"),
                f"zoneToCache('www.{ZONE}', 'file', '{copy}', {{ retryOnErrorPeriod=1 }})\n")
    with Signed() as zone:
        forward = {"forward_zones": None, "forward_zones_recurse": f"{ZONE}={ADDRESS}:{PORT}"}
        with validating(zone, nta_recheck_interval=1, **forward) as r:
            r.rec("add-nta", f"www.{ZONE}", "three", "labels")
            wait_until(lambda: not r.is_alive() or negative(r) == [], 15, "it is looked at again")
            check("ends: the zone validates again" in r.log(), "it is secure", r.log())
        with validating(zone, lua_config_file=lua, **forward) as r:
            wait_until(lambda: not r.is_alive() or "zoneToCache: " in r.log(), 15, "the copy")
            check(f"a copy of www.{ZONE}. is in use" in r.log(), "its DS is proved not to be", r.log())
    with Lab() as lab:
        with Recursor(lab, hint_file="no", trust_anchor_signaling="yes", dnssec="process",
                      forward_zones_recurse=f".=127.20.0.1:{env.lab_port}",
                      trustanchorfile=write(os.path.join(env.new_dir("anchor"), "anchor"),
                                            f"example.com. IN DS 1 13 2 {DIGEST}\n")) as r:
            wait_until(lambda: not r.is_alive() or "_ta-0001.example.com." in lab.queries(), 15,
                       "the zone is told")
            check(r.ping(), "it is there", r.log())


@test
def a_key_rolls_over():
    """RFC 5011: a second key is trusted after 30 days, the first revoked then; through restarts,
    and a file that is damaged."""
    need_program("dnssec-revoke")
    preload = shifted_clock()
    directory = env.new_dir("rollover")
    state = os.path.join(directory, "state")

    def at(days, zone):
        fake = {"LD_PRELOAD": preload, "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1"}
        return validating(zone, extra_env=fake, trustanchor_state_file=state)

    def lines():
        if not os.path.exists(state):
            return []
        with open(state, encoding="ascii") as f:
            return [line.split()[1] for line in f if line.startswith("key ")]

    with Signed() as zone:
        new = zone.key("-k")
        old_tag, new_tag = zone.tag(zone.ksk), zone.tag(new)
        both = [zone.ksk, new, zone.zsk]
        long = ["-e", "20600101000000"]
        zone.serve([zone.ksk, zone.zsk], *long)
        with at(0, zone) as r:
            wait_until(lambda: lines() == ["trusted"], 15, "the key is seen")
            check(stat.S_IMODE(os.stat(state).st_mode) == 0o600, "its mode", os.stat(state))
        zone.serve(both, *long)
        with at(1, zone) as r:
            wait_until(lambda: lines() == ["trusted", "adding"], 15, "the new one is there")
            check(anchors(r) == {ZONE: [old_tag]}, "not trusted yet", anchors(r))
        with at(30, zone) as r:
            check(is_secure(r), "30 days")
            check(anchors(r) == {ZONE: [old_tag]}, "not yet", anchors(r))
        with at(32, zone) as r:
            wait_until(lambda: lines() == ["trusted", "trusted"], 15, "trusted")
            check(sorted(anchors(r)[ZONE]) == sorted([old_tag, new_tag]), "both", anchors(r))
        # The old one alone is configured, and its holder revokes it.
        zone.serve([zone.revoked(zone.ksk), new, zone.zsk], *long)
        with at(33, zone) as r:
            wait_until(lambda: lines() == ["revoked", "trusted"], 15, "revoked")
            check(anchors(r) == {ZONE: [new_tag]}, "the new one alone", anchors(r))
            check("was trusted and is revoked now (RFC 5011)" in r.log(), r.log())
            check(is_secure(r), "33 days")
        zone.serve([new, zone.zsk], *long)
        with at(64, zone) as r:
            check(is_secure(r), "signed by the new key alone")
            wait_until(lambda: lines() == ["removed", "trusted"], 15, "removed")
        # Damage: refused in one line, and trust begins with what is configured.
        with open(state, "r+b") as f:
            f.seek(40)
            f.write(b"x")
        with at(64, zone) as r:
            wait_until(lambda: "is refused: its checksum is wrong" in r.log(), 5, "it is refused")
            check(anchors(r) == {ZONE: [old_tag]}, "as configured", anchors(r))
            check(os.path.exists(state + ".bad"), "the file is kept")
            check_reply(r.ask(f"www.{ZONE}"), status="SERVFAIL")


@test
def an_added_key_of_a_followed_zone_is_kept():
    """add-ta to a zone whose rollovers are followed is in the file when the command is back, and
    after kill -9; so is clear-ta."""
    state = os.path.join(env.new_dir("kept"), "state")

    def keys():
        if not os.path.exists(state):
            return 0
        with open(state, encoding="ascii") as f:
            return sum(line.startswith("key ") for line in f)

    with Signed() as zone:
        tag, other = zone.tag(zone.ksk), zone.tag(zone.ksk) ^ 1
        # What is looked at once is not looked at again within the hour.
        with validating(zone, trustanchor_state_file=state) as r:
            wait_until(lambda: keys() == 1, 15, "the key is seen")
            r.rec("add-ta", ZONE, str(other), "13", "2", DIGEST)
            check(keys() == 2, "both are in the file", keys())
            r.kill()
        with validating(zone, trustanchor_state_file=state) as r:
            check(sorted(anchors(r)[ZONE]) == sorted([tag, other]), "both", anchors(r))
            check(is_secure(r), "one of them has signed")
            r.rec("add-ta", "other.example", "1", "13", "2", DIGEST)
            check(keys() == 2, "which is not followed", keys())
            r.rec("clear-ta", ZONE)
            check(keys() == 0, "cleared", keys())


def crc32c(data):
    sum_ = 0xffffffff
    for byte in data:
        sum_ ^= byte
        for _ in range(8):
            sum_ = sum_ >> 1 ^ (0x82f63b78 if sum_ & 1 else 0)
    return sum_ ^ 0xffffffff


def check_lost(recursor):
    """The operator sees that all keys of the zone are revoked; it is as without an anchor (RFC 5011 5)."""
    text = recursor.rec("get-tas").stdout
    check(f"{ZONE}\n\t\tnone: all its keys are revoked\n" in text, text)
    check(recursor.get("trust-anchors-revoked") == 1, "the metric")
    check(f"no key of {ZONE}. is trusted any more: all are revoked" in recursor.log(), recursor.log())
    reply = recursor.ask(f"www.{ZONE}", "A", "+dnssec")
    check(reply.status == "NOERROR" and "ad" not in reply.flags, "no anchor, no AD", reply)


@test
def the_last_key_is_revoked():
    """By its own signature alone, since nothing that is trusted is left to sign the keys with; the log
    says it, get-tas and a metric, after a restart as well, until another key is trusted."""
    need_program("dnssec-revoke")
    directory = env.new_dir("last")
    state = os.path.join(directory, "state")
    with Signed() as zone:
        with validating(zone, trustanchor_state_file=state) as r:
            wait_until(lambda: os.path.exists(state), 15, "the key is seen")
            check(is_secure(r), "as configured")
            check(r.get("trust-anchors-revoked") == 0, "none is lost")
        os.unlink(state)
        anchor = zone.anchor()
        zone.serve([zone.revoked(zone.ksk), zone.zsk])
        with validating(zone, trustanchorfile=anchor, trustanchor_state_file=state) as r:
            wait_until(lambda: anchors(r) == {}, 15, "the revocation is seen")
            check("was trusted and is revoked now (RFC 5011)" in r.log(), r.log())
            check_lost(r)
        with validating(zone, trustanchorfile=anchor, trustanchor_state_file=state) as r:
            check_lost(r)
            new = zone.key("-k")
            zone.serve([new, zone.zsk])
            with open(new + ".ds", encoding="ascii") as f:
                r.rec("add-ta", ZONE, *f.read().split()[-4:])
            check(anchors(r) == {ZONE: [zone.tag(new)]}, "another one", anchors(r))
            check(r.get("trust-anchors-revoked") == 0, "it has one again")
            wait_until(lambda: is_secure(r), 10, "by the new key")


@test
def revoked_keys_are_not_forgotten():
    """An operator's change to another name leaves a zone whose keys are all revoked as it is; and add-ta
    of a revoked key is refused after clear-ta as well, and after a restart."""
    state = os.path.join(env.new_dir("revoked"), "state")

    def read():
        if not os.path.exists(state):
            return ""
        with open(state, encoding="ascii") as f:
            return f.read()

    with Signed() as zone:
        with validating(zone, trustanchor_state_file=state) as r:
            wait_until(lambda: "key trusted" in read(), 15, "the key is seen")
        text = read().replace("key trusted", "key revoked").rsplit("end ", 1)[0]
        write(state, f"{text}end {crc32c(text.encode()):08x}\n")
        os.chmod(state, 0o600)
        for _ in range(2):
            with validating(zone, trustanchor_state_file=state) as r:
                check(anchors(r) == {}, "none is trusted", anchors(r))
                check_lost(r)
                r.rec("add-ta", "other.example", "1", "13", "2", DIGEST)
                check("key revoked" in read(), "it is still known", read())
                r.rec("clear-ta", "other.example")
        # With another key configured: that is trusted, and cleared.
        other = zone.key("-k")
        both = write(os.path.join(env.new_dir("both"), "anchor"), zone.dnskey(zone.ksk) + zone.dnskey(other))
        with open(zone.ksk + ".ds", encoding="ascii") as f:
            revoked = f.read().split()[-4:]
        for _ in range(2):
            with validating(zone, trustanchorfile=both, trustanchor_state_file=state) as r:
                check(anchors(r) == {ZONE: [zone.tag(other)]}, "the other alone", anchors(r))
                r.rec("clear-ta", ZONE)
                check("has been revoked" in r.rec("add-ta", ZONE, *revoked, expect=1).stderr, "refused")
                check(anchors(r) == {}, "cleared", anchors(r))
                check(f"zone {ZONE}. {0:016x} " in read() and "key revoked" in read(), read())


@test
def others_learn_which_keys_are_trusted():
    """RFC 8509: names that tell of a key of the root.  RFC 8145: the root is told."""
    with Signed() as zone:
        with validating(zone, root_key_sentinel="yes") as r:
            # No key of the root is trusted here: trustanchorfile has the zone's alone.
            check_reply(r.ask(f"root-key-sentinel-is-ta-20326.{ZONE}", "A", "+dnssec"),
                        status="SERVFAIL")
            check_reply(r.ask(f"root-key-sentinel-not-ta-20326.{ZONE}", "A", "+dnssec"),
                        status="NOERROR")
            # Who checks for himself gets the zone's answer.
            check_reply(r.ask(f"root-key-sentinel-is-ta-20326.{ZONE}", "A", "+dnssec", "+cdflag"),
                        status="NOERROR")
        with validating(zone) as r:
            check_reply(r.ask(f"root-key-sentinel-is-ta-20326.{ZONE}", "A", "+dnssec"),
                        status="NOERROR")
    with lab_and_recursor(trust_anchor_signaling="yes", dnssec="process") as (lab, _):
        wait_until(lambda: "_ta-4f66-9728." in lab.queries(), 15, "the root is told")
    # Unasked it is not: twice as long after the start as it would be by then.
    with lab_and_recursor(dnssec="process") as (lab, _):
        wait_until(lab.queries, 15, "the root is asked")
        time.sleep(4)
        check("_ta-" not in lab.queries(), "the root is told unasked", lab.queries())
