"""Replaces a file's whole content again and again: each time another letter, then fsync.

    rewrite.py FILE BYTES

Prints the letter before it begins, and `done` once it is durable.
"""
import itertools
import os
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

path, count = sys.argv[1], int(sys.argv[2])
for letter in itertools.cycle(b"abcdefghijklmnopqrstuvwxyz"):
    print(chr(letter), flush=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.pwrite(file, bytes([letter]) * count, 0)
    os.fsync(file)
    os.close(file)
    print("done", flush=True)
