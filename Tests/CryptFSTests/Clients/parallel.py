"""Several processes at once: files of their own, and parts of one they share.

    parallel.py DIRECTORY WORKERS
"""
import multiprocessing
import os
import random
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

HOME, COUNT = sys.argv[1], int(sys.argv[2])
PART = 300_000
SHARED = os.path.join(HOME, "shared")


def work(number):
    rng = random.Random(number)
    contents = {}
    mine = os.path.join(HOME, "d%d" % number)
    os.mkdir(mine)
    shared = os.open(SHARED, os.O_RDWR)
    part = bytearray(PART)
    for _ in range(120):
        kind = rng.random()
        name = os.path.join(mine, "f%d" % rng.randrange(12))
        if kind < .4:
            contents[name] = rng.randbytes(rng.randrange(150_000))
            with open(name, "wb") as file:
                file.write(contents[name])
        elif kind < .5 and name in contents:
            os.unlink(name)
            del contents[name]
        elif kind < .6 and name in contents:
            other = os.path.join(mine, "f%d" % rng.randrange(12))
            os.rename(name, other)
            contents[other] = contents[name]
            if other != name:
                del contents[name]
        elif kind < .8:
            offset = rng.randrange(PART)
            data = rng.randbytes(rng.randrange(1, PART - offset + 1))
            os.pwrite(shared, data, number * PART + offset)
            part[offset:offset + len(data)] = data
        elif kind < .85:
            os.fsync(shared)
        elif name in contents:
            with open(name, "rb") as file:
                assert file.read() == contents[name], name
        assert os.pread(shared, PART, number * PART) == part
    assert sorted(os.listdir(mine)) == sorted(os.path.basename(n) for n in contents)
    os.close(shared)
    return number, bytes(part), contents


with open(SHARED, "wb") as file:
    file.truncate(PART * COUNT)
with multiprocessing.Pool(COUNT) as pool:
    results = pool.map(work, range(COUNT))
with open(SHARED, "rb") as file:
    whole = file.read()
for number, part, contents in results:
    assert whole[number * PART:(number + 1) * PART] == part, number
    for name, content in contents.items():
        with open(name, "rb") as file:
            assert file.read() == content, name
