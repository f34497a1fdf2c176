"""churn.py DIRECTORY SECONDS: makes, changes, reads, renames and removes files in a directory for so long, and prints how
many rounds ended with an error, the first of which it tells. Called by Benchmarks/memory; what a file holds matters as
little as the order."""

import os
import random
import shutil
import sys
import time

MANY, LARGE = 300, 64 << 20

directory, seconds = sys.argv[1], float(sys.argv[2])
end = time.monotonic() + seconds
rng = random.Random(1)
content = os.urandom(1 << 20)
large = os.path.join(directory, "large")
tree = os.path.join(directory, "tree")


def write_large():
    with open(large, "wb") as file:
        for _ in range(LARGE >> 20):
            file.write(content)
    descriptor = os.open(large, os.O_RDWR)
    for _ in range(500):
        os.pwrite(descriptor, content[:4096], rng.randrange(LARGE - 4096))
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(descriptor, 1 << 20):
        pass
    os.close(descriptor)
    os.unlink(large)


def make_and_remove_many():
    for number in range(MANY):
        folder = os.path.join(tree, str(number % 20))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, str(number)), "wb") as file:
            file.write(content[:rng.randrange(64 << 10)])
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            os.rename(path, path + "-renamed")
            with open(path + "-renamed", "rb") as file:
                file.read()
    shutil.rmtree(tree)


errors = 0
while time.monotonic() < end:
    try:
        write_large()
        make_and_remove_many()
    except OSError as error:
        if errors == 0:
            print(f"churn.py: {directory}: {error}", file=sys.stderr)
        errors += 1
        # What is left must not be what the next round stumbles over.
        shutil.rmtree(tree, ignore_errors=True)
print(errors)
