"""A large file, written and then rewritten in place: large.py PATH MIB.

Prints `written`, `rewritten` (both after fsync) and `right`; with a third argument it is a process that
has the whole file in memory, and waits.
"""
import os
import sys
import time

path, count = sys.argv[1], int(sys.argv[2])
piece = 1 << 20


def content(generation, index):
    return bytes([(generation * 31 + index) % 251]) * piece


def write(generation, flags):
    fd = os.open(path, flags, 0o644)
    for index in range(count):
        os.pwrite(fd, content(generation, index), index * piece)
    if generation == 1:
        # Pieces of pages, too: the old content around them stays.
        for index in range(0, count, 7):
            os.pwrite(fd, b"x" * 100, index * piece + 5000)
    os.fsync(fd)
    os.close(fd)


if len(sys.argv) > 3:
    held = open(path, "rb").read()
    print("held", len(held), flush=True)
    time.sleep(60)
    sys.exit()
write(0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
print("written", flush=True)
write(1, os.O_WRONLY)
print("rewritten", flush=True)
with open(path, "rb") as file:
    for index in range(count):
        expected = bytearray(content(1, index))
        if index % 7 == 0:
            expected[5000:5100] = b"x" * 100
        assert file.read(piece) == expected, index
print("right", flush=True)
