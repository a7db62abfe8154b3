"""DNSKEYs that share a key tag, and signatures that name it and verify with none of them (KeyTrap,
CVE-2023-50387): nothing is signed, but to find that out takes a check the whole of its time.
"""

import base64
import itertools
import random
import struct
import time

P384, P384_LEN = 14, 48  # ECDSAP384SHA384 (RFC 6605)
P = 2**384 - 2**128 - 2**96 + 2**32 - 1
GX = int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
         "5502f25dbf55296c3a545e3872760ab7", 16)
GY = int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
         "0a60b1ce1d7e819d7a431d7c90ea0e5f", 16)
ZONE_KEY, REVOKED, UNUSED = 0x0100, 0x0080, 0xC000
TAG = 12345


def add(a, b):
    """Points of the curve, different ones."""
    slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def double(a):
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    x = (slope * slope - 2 * a[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def points():
    """3G, 4G and so on: each is somebody's public key."""
    point = double((GX, GY))
    while True:
        point = add(point, (GX, GY))
        yield point[0].to_bytes(P384_LEN, "big") + point[1].to_bytes(P384_LEN, "big")


def tag_of(rdata):
    """RFC 4034 B."""
    total = sum(b << 8 if i % 2 == 0 else b for i, b in enumerate(rdata))
    return (total + (total >> 16)) & 0xffff


def with_tag(rest):
    """DNSKEY rdata whose flags, of which most mean nothing, make up for the tag; None: they cannot."""
    guess = (TAG - tag_of(b"\0\0" + rest)) & 0xffff
    for flags in (guess, (guess - 1) & 0xffff):
        rdata = struct.pack(">H", flags) + rest
        if flags & (ZONE_KEY | REVOKED | UNUSED) == ZONE_KEY and tag_of(rdata) == TAG:
            return rdata
    return None


def dnskeys(owner, count, are_points=True):
    """Lines of a zone file. What is no point of the curve costs a digest as much."""
    keys = points() if are_points else (random.randbytes(2 * P384_LEN) for _ in itertools.count())
    found = filter(None, (with_tag(bytes([3, P384]) + key) for key in keys))
    return [f"{owner} 3600 IN DNSKEY {struct.unpack_from('>H', rdata)[0]} 3 {P384} "
            f"{base64.b64encode(rdata[4:]).decode()}\n" for rdata in itertools.islice(found, count)]


def garbage(owner, covered, labels, signer, count):
    """RRSIGs, lines of a zone file."""
    day = 86400
    inception, expiration = [time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + shift))
                             for shift in (-day, 30 * day)]
    return [f"{owner} 3600 IN RRSIG {covered} {P384} {labels} 3600 {expiration} {inception} {TAG} "
            f"{signer} {base64.b64encode(random.randbytes(2 * P384_LEN)).decode()}\n"
            for _ in range(count)]


def strange_ds(owner, count):
    """DS records of no key, lines of a zone file."""
    return [f"{owner} 3600 IN DS {TAG} {P384} 2 {random.randbytes(32).hex()}\n"
            for _ in range(count)]
