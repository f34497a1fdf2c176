"""Writes over blocks of a file, past every cache, until the mount is gone.

    overwrite.py FILE within    over a few blocks at a time
    overwrite.py FILE behind    at the end, which makes the last block a longer one
"""
import mmap
import os
import random
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

SIZE, BLOCK = 256 << 10, 4096
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
room = mmap.mmap(-1, SIZE)
room.write(os.urandom(SIZE))
view = memoryview(room)
end = SIZE
os.pwrite(file, room, 0)
print("writing", flush=True)
while True:
    if sys.argv[2] == "within":
        first = random.randrange(SIZE // BLOCK)
        count = random.randrange(1, min(12, SIZE // BLOCK - first) + 1)
        os.pwrite(file, view[: count * BLOCK], first * BLOCK)
    else:
        end += os.pwrite(file, view[: random.randrange(1, 3 * BLOCK)], end)
