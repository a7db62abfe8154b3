"""What clients see: addresses, transports, EDNS, flags, malformed packets."""

import collections
import socket
import struct
import time

from live import (Client, Failed, ask, check, check_reply, env, lab_and_recursor, n_limited,
                  question, test, udp_socket, wait_until)


def exchange(packet, server="127.0.0.1", wait=3):
    """Sends a packet, returns the reply or None."""
    with udp_socket(server) as s:
        s.settimeout(wait)
        s.sendto(packet, (server, env.port))
        try:
            return s.recv(65535)
        except TimeoutError:
            return None


@test
def client_kdig_and_dig():
    """Both clients get the answer, over UDP and TCP, with and without EDNS."""
    with lab_and_recursor() as (_, recursor):
        for client in "kdig", "dig":
            for options in ([], ["+tcp"], ["+noedns"], ["+tcp", "+noedns"]):
                reply = recursor.ask("www.city.example", "A", *options, client=client)
                check_reply(reply, kind="A", data=["192.0.2.80"])
                check({"qr", "rd", "ra"} <= set(reply.flags), "flags qr rd ra", reply)
                check("aa" not in reply.flags, "no aa: a resolver speaks for no zone", reply)


@test
def client_kinds_of_answers():
    """Aliases, wildcards, DNAME, denials, glueless and deep delegations."""
    with lab_and_recursor() as (_, r):
        check_reply(r.ask("twice.city.example", "AAAA"), kind="AAAA", data=["2001:db8:ed9e::1"])
        check_reply(r.ask("twice.city.example"), kind="CNAME",
                    data=["cdn.city.example.", "edge.host.lab."])
        check_reply(r.ask("x.customers.city.example"), kind="A", data=["192.0.2.99"])
        check_reply(r.ask("alice.customers.city.example"), kind="A", data=[])
        check_reply(r.ask("www.old.example"), kind="A", data=["192.0.2.80"])
        check_reply(r.ask("www.glueless.example"), kind="A", data=["192.0.2.81"])
        check_reply(r.ask("www.c.b.a.deep.example"), kind="A", data=["192.0.2.50"])
        check_reply(r.ask("city.example", "MX"), kind="MX", data=["10 mail.city.example."])
        check_reply(r.ask("_http._tcp.city.example", "SRV"), kind="SRV",
                    data=["0 5 80 www.city.example."])
        check_reply(r.ask("loop.city.example"), "SERVFAIL")
        for name, status in (("nope.city.example", "NXDOMAIN"), ("below.city.example", "NOERROR")):
            reply = check_reply(r.ask(name), status, "A", [])
            check([x[2] for x in reply.authority] == ["SOA"], "the SOA in the authority", reply)


@test
def client_cache_counts_down():
    """The second answer comes from the cache, its TTL lowered; nobody is asked."""
    with lab_and_recursor() as (lab, r):
        first = check_reply(r.ask("www.city.example"))
        lab.reset()
        time.sleep(1.2)
        second = check_reply(r.ask("www.city.example"))
        check(first.answer[0][1] > second.answer[0][1] >= first.answer[0][1] - 5,
              "a lower TTL", first, second)
        check(lab.asked() == 0, "no question left", lab.queries())


@test
def client_truncation():
    """What does not fit comes with TC and nothing else, and whole over TCP."""
    with lab_and_recursor() as (_, r):
        for options, limit in ((["+noedns"], 512), (["+bufsize=600"], 600), ([], 1232)):
            reply = r.ask("many.big.example", "A", "+ignore", *options)
            check("tc" in reply.flags and not reply.answer, "TC and no records", reply)
            check(reply.size <= limit, f"at most {limit} bytes", reply)
        for client in "kdig", "dig":
            reply = r.ask("many.big.example", "A", client=client)
            check(len(reply.data("A")) == 100, "100 records by way of TCP", reply)


@test
def client_tcp_pipelining():
    """Many questions on one connection; the quick ones do not wait for the slow."""
    with lab_and_recursor() as (lab, r):
        r.ask("www.city.example")
        r.ask("warm.fault.example")
        lab.fault("127.20.6.1", "delay", 400)
        lab.fault("127.20.6.2", "delay", 400)
        names = ["slow.fault.example"] + ["www.city.example"] * 5 + ["mail.city.example"]
        with socket.create_connection(("127.0.0.1", env.port), 5) as s:
            s.settimeout(5)
            for i, name in enumerate(names):
                packet = question(name, ident=i)
                s.sendall(struct.pack("!H", len(packet)) + packet)
            order = [read_tcp(s)[0] for _ in names]
        check(sorted(order) == list(range(len(names))), "every question answered", order)
        check(order[-1] == 0, "the slow one last", order)


def read_tcp(s):
    """(id, message) of the next message on a connection."""
    def exactly(n):
        data = b""
        while len(data) < n:
            part = s.recv(n - len(data))
            check(part, "the connection was closed")
            data += part
        return data
    message = exactly(struct.unpack("!H", exactly(2))[0])
    return struct.unpack("!H", message[:2])[0], message


@test
def client_tcp_byte_by_byte():
    """A question that arrives in single bytes is answered; half of one is given up after a time."""
    with lab_and_recursor(client_tcp_timeout=1) as (_, _r):
        packet = question()
        data = struct.pack("!H", len(packet)) + packet
        with socket.create_connection(("127.0.0.1", env.port), 5) as s:
            s.settimeout(5)
            for i in range(len(data)):
                s.sendall(data[i:i + 1])
                time.sleep(0.002)
            check(read_tcp(s)[0] == 0x1234, "an answer")
            s.sendall(data[:5])
            began = time.monotonic()
            try:
                check(s.recv(100) == b"", "closed")
            except ConnectionResetError:
                pass
            check(time.monotonic() - began < 4, "closed soon")


@test
def client_tcp_limits():
    """max-tcp-per-client, max-tcp-clients: what is more than allowed is closed, in any thread."""
    packet = question()
    packet = struct.pack("!H", len(packet)) + packet
    for metric, setting in (("tcp-client-overflow", "max_tcp_per_client"),
                            ("tcp-overflow", "max_tcp_clients")):
        with lab_and_recursor(threads=4, **{setting: 3}) as (_, r):
            held = [socket.create_connection(("127.0.0.1", env.port), 5) for _ in range(3)]
            for s in held:
                s.sendall(packet)
                check(read_tcp(s)[0] == 0x1234, "an answer")
            for i in range(1, 9):  # enough for each thread to have one
                with socket.create_connection(("127.0.0.1", env.port), 5) as s:
                    s.settimeout(3)
                    try:
                        check(s.recv(1) == b"", f"number {3 + i} is closed")
                    except ConnectionResetError:
                        pass
                r.wait_get(metric, i)
            for s in held:
                s.close()
            wait_until(lambda r=r: r.get("tcp-clients") == 0, what="no connection is left")
            with socket.create_connection(("127.0.0.1", env.port), 5) as s:
                s.sendall(packet)
                check(read_tcp(s)[0] == 0x1234, "there is room again")


def answers_from(server, recursor_name):
    """The answer comes from the address that was asked, to a socket that takes any sender."""
    with udp_socket(server) as s:
        s.bind(("::" if ":" in server else "0.0.0.0", 0))
        s.sendto(question(), (server, env.port))
        try:
            data, sender = s.recvfrom(65535)
        except TimeoutError:
            raise Failed(f"no answer from {server} ({recursor_name})") from None
        check(sender[0] == server, f"asked {server}, answered by {sender[0]}")
        check(data[3] & 15 == 0 and data[7] == 1, f"one record from {server}", data.hex())


@test
def client_any_address():
    """Bound to 0.0.0.0 and ::, it answers from the address that was asked, UDP and TCP."""
    env.need_isolation()
    env.need_ipv6()
    with lab_and_recursor(local_address="0.0.0.0, ::",
                          allow_from="127.0.0.0/8, 198.18.0.0/15, ::1, fd00:53::/32") as (_, r):
        for server in ("127.0.0.1", "127.0.0.77", "198.18.0.1", "198.18.0.2", "::1",
                       "fd00:53::1", "fd00:53::2"):
            for _ in range(3):
                answers_from(server, "any")
            for options in [], ["+tcp"]:
                check_reply(r.ask("www.city.example", "A", *options, server=server), kind="A",
                            data=["192.0.2.80"])
            check_reply(r.ask("www.city.example", "A", server=server, client="dig"))


@test
def client_several_addresses():
    """Several addresses of both families, one with a port of its own."""
    env.need_isolation()
    env.need_ipv6()
    with lab_and_recursor(local_address="127.0.0.1, 127.0.0.5:5399, fd00:53::1, [::1]:5398",
                          allow_from="127.0.0.0/8, ::1, fd00:53::/32") as (_, r):
        for server, port in (("127.0.0.1", 53), ("127.0.0.5", 5399), ("fd00:53::1", 53),
                             ("::1", 5398)):
            for options in [], ["+tcp"]:
                check_reply(ask("www.city.example", "A", *options, server=server, port=port))
        check(ask("www.city.example", server="127.0.0.6", wait=1).status is None,
              "nobody else's questions are answered")
        check(r.get("ipv6-questions") >= 4, "counted by family")


@test
def client_not_allowed():
    """Who is not in allow-from gets no answer, over neither transport."""
    env.need_isolation()
    with lab_and_recursor(local_address="0.0.0.0", allow_from="127.0.0.0/8") as (_, r):
        reply = ask("www.city.example", "A", "-b", "198.18.0.1", server="198.18.0.2", wait=1)
        check(reply.status is None, "silence", reply)
        reply = ask("www.city.example", "A", "-b", "198.18.0.1", "+tcp", server="198.18.0.2",
                    wait=1)
        check(reply.status is None, "closed", reply)
        check_reply(r.ask("www.city.example"))
        check(r.get("unauthorized-udp") >= 1 and r.get("unauthorized-tcp") >= 1, "counted")


@test
def client_odd_questions():
    """Other opcodes, EDNS versions, classes; ANY; questions about the server itself."""
    with lab_and_recursor() as (_, r):
        check_reply(r.ask("www.city.example", "A", "+edns=1"), "BADVERS")
        check_reply(r.ask("www.city.example", "A", "+opcode=2", client="dig"), "NOTIMP")
        check_reply(r.ask("www.city.example", "A", "+nord", client="dig"), "REFUSED")
        check_reply(r.ask("version.bind", "TXT", "CH", client="dig"))
        check("tc" in r.ask("www.city.example", "ANY", "+ignore").flags, "ANY: over TCP")
        check(r.ask("www.city.example", "ANY", "+tcp").answer, "ANY over TCP has an answer")
        check_reply(r.ask("localhost", "A"), kind="A", data=["127.0.0.1"])
        check_reply(r.ask("www.example.onion", "A"), "NXDOMAIN")
        check_reply(r.ask("1.1.168.192.in-addr.arpa", "PTR"), "NXDOMAIN")


@test
def client_spelling_is_kept():
    """The question comes back as the client spelt it, from the caches, too."""
    with lab_and_recursor() as (_, _r):
        for name in "www.city.example", "WWW.City.eXample", "wWw.cItY.ExAmPlE":
            packet = question(name)
            reply = exchange(packet)
            check(reply is not None and reply[12:len(packet)] == packet[12:], "as spelt", reply)


@test
def client_malformed():
    """Rubbish gets FORMERR with a header alone, or nothing; it goes on serving."""
    with lab_and_recursor() as (_, r):
        good = question()
        for rubbish in (b"", b"\0", good[:11], good[:12], good[:20], good[:-1],
                        good[:4] + b"\0\7" + good[6:], good + b"rubbish",
                        good[:12] + b"\xff" * 40, good[:12] + b"\xc0\x0c" + good[-4:],
                        question(arcount=1), question(flags=0x8180),
                        good[:12] + b"\x3f" + b"a" * 63 + good[12:]):
            reply = exchange(rubbish, wait=0.2)
            if reply is None:
                continue
            check(reply[:2] == rubbish[:2], "its id", rubbish.hex(), reply.hex())
            check(reply[3] & 15 in (0, 1, 3, 4), "FORMERR or an answer", rubbish.hex(), reply.hex())
            if reply[3] & 15 == 1:
                check(len(reply) == 12 or reply[4:12] == b"\0\1\0\0\0\0\0\0", "a header alone",
                      reply.hex())
        check_reply(r.ask("www.city.example"))


@test
def client_many_at_once():
    """A thousand different names in a burst are all answered, hardly one at a second try."""
    with lab_and_recursor(threads=2) as (_, r):
        client, end = Client(tries=5), time.monotonic() + 40
        for i in range(1000):
            client.send(f"n{i}.customers.city.example")
            client.wait(end - time.monotonic(), most=199)
        client.wait(end - time.monotonic())
        rcodes = collections.Counter(rcode for rcode, _ in client.answers.values())
        check(rcodes == {0: 1000}, f"rcodes {dict(rcodes)} of 1000", r.rec("get-all").stdout)
        limited = n_limited(r)
        check(client.asked_again() - limited < 100,
              f"{client.asked_again()} are asked again, {limited} of them refused by the limit",
              r.rec("get-all").stdout)


@test
def client_same_question_many_clients():
    """A hundred clients that ask the same at once cost the work of one."""
    with lab_and_recursor() as (lab, r):
        r.ask("warm.fault.example")
        lab.fault("127.20.6.1", "delay", 300)
        lab.fault("127.20.6.2", "delay", 300)
        lab.reset()
        sockets = [udp_socket() for _ in range(100)]
        for s in sockets:
            s.sendto(question("same.fault.example"), ("127.0.0.1", env.port))
        for s in sockets:
            check(s.recv(512)[3] & 15 == 0, "an answer")
            s.close()
        asked = lab.asked("127.20.6.1") + lab.asked("127.20.6.2")
        threads = 2
        check(asked <= 2 * threads, f"asked {asked} times", lab.queries())


@test
def client_ipv6_only_server():
    """A zone that is served over IPv6 alone."""
    env.need_ipv6()
    with lab_and_recursor(query_local_address="0.0.0.0, ::") as (lab, r):
        if "not bound" in lab.ctl("servers"):
            return
        check_reply(r.ask("www.v6.example", "A"), kind="A", data=["192.0.2.66"])
        check(r.get("ipv6-outqueries") >= 1, "asked over IPv6")


@test
def client_query_local_address():
    """query-local-address: questions leave from there."""
    with lab_and_recursor(query_local_address="127.0.0.9") as (_, r):
        check_reply(r.ask("www.city.example"))


@test
def client_without_the_internet():
    """No root answers: SERVFAIL with an extended error, in time, and it stays up."""
    with lab_and_recursor() as (lab, r):
        lab.fault("*", "silent")
        began = time.monotonic()
        reply = check_reply(r.ask("www.city.example", "A", "+edns"), "SERVFAIL")
        check(time.monotonic() - began < 8, "within 8 s")
        check(reply.ede is not None, "an extended error", reply)
        lab.fault("*", "none")
        check_reply(r.ask("edge.host.lab"))


def opt_record(*options):
    """An OPT record with these options, of (code, data)."""
    data = b"".join(struct.pack("!2H", code, len(d)) + d for code, d in options)
    return b"\0" + struct.pack("!2HIH", 41, 1232, 0, len(data)) + data


def option_codes(packet):
    """The codes of the options in its OPT record."""
    def after_name(at):
        while 0 < packet[at] < 0xc0:
            at += 1 + packet[at]
        return at + (1 if packet[at] == 0 else 2)

    questions, *records = struct.unpack("!4H", packet[4:12])
    at, codes = 12, None
    for _ in range(questions):
        at = after_name(at) + 4
    for _ in range(sum(records)):
        at = after_name(at) + 10
        kind, size = struct.unpack("!H6xH", packet[at - 10:at])
        end = at + size
        if kind == 41:
            codes = []
            while at < end:
                code, length = struct.unpack("!2H", packet[at:at + 4])
                codes.append(code)
                at += 4 + length
        at = end
    check(codes is not None, "an OPT record", packet.hex())
    return codes


@test
def client_subnet_is_told_to_nobody():
    """A client's subnet (RFC 7871) goes to no server, and is in no answer, though the server speaks
    of one: neither in what was resolved, nor out of the caches."""
    subnet = 8
    option = struct.pack("!H2B3s", 1, 24, 0, b"\xc6\x33\x64")
    with udp_socket() as server:
        server.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{server.getsockname()[1]}"
        with lab_and_recursor(threads=1, forward_zones="city.example=" + at,
                              forward_zones_recurse="deep.example=" + at) as (_, r), \
                udp_socket() as client:
            client.connect(("127.0.0.1", env.port))
            for name in "www.city.example", "www.deep.example":
                for i in range(3):
                    client.send(question(name, arcount=1, extra=opt_record((subnet, option))))
                    if i == 0:
                        asked, sender = server.recvfrom(512)
                        check(option_codes(asked) == [], "none in the question", asked.hex())
                        end = 12 + len(name) + 6
                        server.sendto(asked[:2] + b"\x84\0\0\1\0\1\0\0\0\1" + asked[12:end] +
                                      b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x50" +
                                      opt_record((subnet, option[:3] + b"\x18" + option[4:])),
                                      sender)
                    answer = client.recv(1232)
                    check(answer[3] & 15 == 0 and answer[7] == 1, "an answer", answer.hex())
                    check(option_codes(answer) == [], "none in the answer", answer.hex())
            check(r.get("packetcache-hits") == 2, "out of each cache")
