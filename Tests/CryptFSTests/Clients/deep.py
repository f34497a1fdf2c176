"""Trees deeper than a thread's stack, if that took a little for each level.

    deep.py MOUNT DEPTH
"""
import os
import sys

MOUNT, DEPTH = sys.argv[1], int(sys.argv[2])
OTHERS = [f"{MOUNT}/other-{index}" for index in range(300)]


def take_turns(name):
    """Uses so many other directories that none of the trees' is still held open."""
    for other in OTHERS:
        assert not os.path.exists(f"{other}/{name}")


for other in OTHERS:
    os.mkdir(other)
# Several: each of the worker's threads has a stack, and one of them a far larger one.
TREES = [f"{MOUNT}/tree-{index}" for index in range(2)]
for tree in TREES:
    os.mkdir(tree)
    os.chdir(tree)
    for _ in range(DEPTH):
        os.mkdir("d")
        os.chdir("d")
    bottom = os.open(".", os.O_RDONLY)
    os.chdir("/")
    take_turns(os.path.basename(tree) + "-is-opened-again")
    os.mkdir("found", dir_fd=bottom)
    assert os.listdir(bottom) == ["found"]
    os.rmdir("found", dir_fd=bottom)
    os.close(bottom)
    # The kernel forgets them all; the worker still holds the lowest ones, and they what is above them.
    with open("/proc/sys/vm/drop_caches", "w") as caches:
        caches.write("2")
    take_turns(os.path.basename(tree) + "-is-forgotten")
for tree in TREES:
    os.chdir(tree)
    for _ in range(DEPTH):
        os.chdir("d")
    for _ in range(DEPTH):
        os.chdir("..")
        os.rmdir("d")
