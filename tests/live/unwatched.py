"""Starts a program for which the kernel watches no descriptor from a number on: `unwatched.py NUMBER
PROGRAM ARGUMENT...`. epoll_ctl(2) says ENOSPC then, as it does when max_user_watches is met. A filter
of seccomp(2) does that, which the program keeps.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

ARCHITECTURES = {"x86_64": (0xC000003E, 233), "aarch64": (0xC00000B7, 21)}  # and epoll_ctl there
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno.ENOSPC
NUMBER, ARCHITECTURE, OPERATION, DESCRIPTOR = 0, 4, 24, 32  # places in struct seccomp_data
ADD = 1
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2


def is_possible():
    return platform.machine() in ARCHITECTURES


def program(least):
    """The filter: each jump that is not taken goes to the last line but one."""
    architecture, epoll_ctl = ARCHITECTURES[platform.machine()]
    return [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 0, 6, architecture),
            (LOAD, 0, 0, NUMBER), (EQUAL, 0, 4, epoll_ctl),
            (LOAD, 0, 0, OPERATION), (EQUAL, 0, 2, ADD),
            (LOAD, 0, 0, DESCRIPTOR), (AT_LEAST, 1, 0, least),
            (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, FAIL)]


class Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("lines", ctypes.c_char_p)]


def main():
    lines = b"".join(struct.pack("HBBI", *line) for line in program(int(sys.argv[1])))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or prctl(
            PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(Filter(len(lines) // 8, lines)), 0, 0) != 0:
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
