#!/usr/bin/env python3
"""The victim of a flood: an authority of victim.bench. that answers what it can.

usage: victim.py ADDRESS PORT MODE VALUE

It has the names w0 to w9, with a TTL of a second, and denies all others. On SIGUSR1 the attack
begins: it answers nothing (MODE silent), VALUE questions a second and not the others (limited), or
VALUE milliseconds later (slow). On SIGTERM it prints how many questions came since then.
"""

import collections
import select
import signal
import socket
import struct
import sys
import time

ZONE = b"\x06victim\x05bench\x00"
REAL = {b"w%d" % i for i in range(10)}
SOA = (b"\x02ns\x00\x04host\x00" + struct.pack(">5I", 1, 7200, 3600, 1209600, 60))


def answer(packet):
    """What is said to a question; None: it is none of ours."""
    label_len = packet[12] if len(packet) > 12 else 0
    name_end = packet.find(b"\0", 12) + 1
    question = packet[12:name_end + 4]
    name, rrtype = question[:-4].lower(), question[-4:-2]
    if not name.endswith(ZONE):
        return None
    header = packet[:2] + b"\x84"
    if name != ZONE and name[1:1 + label_len] not in REAL:
        denial = ZONE + struct.pack(">2HIH", 6, 1, 60, len(SOA)) + SOA
        return header + b"\x03" + struct.pack(">4H", 1, 0, 1, 0) + question + denial
    if name == ZONE or rrtype != b"\0\1":
        denial = ZONE + struct.pack(">2HIH", 6, 1, 60, len(SOA)) + SOA
        return header + b"\x00" + struct.pack(">4H", 1, 0, 1, 0) + question + denial
    data = b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 1, 4) + b"\xc0\0\2\1"
    return header + b"\x00" + struct.pack(">4H", 1, 1, 0, 0) + question + data


class Victim:
    def __init__(self, address, port, mode, value):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((address, port))
        self.mode, self.value = mode, value
        self.attacked, self.ended, self.asked = False, False, 0
        self.late = collections.deque()  # (when, answer, to whom)
        self.tokens, self.counted = 0.0, time.monotonic()

    def may_answer(self, now):
        """A bucket of a tenth of a second."""
        self.tokens = min(self.value / 10, self.tokens + (now - self.counted) * self.value)
        self.counted = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def take(self, packet, client):
        now = time.monotonic()
        reply = answer(packet)
        self.asked += self.attacked
        if reply is None or (self.attacked and self.mode == "silent"):
            return
        if self.attacked and self.mode == "slow":
            self.late.append((now + self.value / 1000, reply, client))
        elif not self.attacked or self.mode != "limited" or self.may_answer(now):
            self.socket.sendto(reply, client)

    def run(self):
        while not self.ended:
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, reply, client = self.late.popleft()
                self.socket.sendto(reply, client)
            patience = min(self.late[0][0] - now, 0.1) if self.late else 0.1
            if select.select([self.socket], [], [], patience)[0]:
                self.take(*self.socket.recvfrom(4096))
        print(self.asked, flush=True)

    def begin(self, *_):
        self.attacked = True

    def end(self, *_):
        self.ended = True


def main():
    if len(sys.argv) != 5:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    address, port, mode, value = sys.argv[1:]
    victim = Victim(address, int(port), mode, int(value))
    signal.signal(signal.SIGUSR1, victim.begin)
    signal.signal(signal.SIGTERM, victim.end)
    victim.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
