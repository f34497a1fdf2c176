"""Fills a directory with one of everything, or compares one with what was filled in.

    tree.py fill|check DIRECTORY

FLAGS may have `names` (long and odd names) and `attributes`. Content is the same in every run.
"""
import os
import random
import stat
import sys

os.closerange(3, 4096)
ACTION, ROOT = sys.argv[1:3]
FLAGS = os.environ.get("FLAGS", "").split(",")
SIZES = [0, 1, 15, 16, 4095, 4096, 4097, 8192, 65_536, 131_073, 1_500_000]
NAMES = ["a b", "\u00fcn\u00efc\u00f6d\u00e9", "x" * 175, "y" * 176, "z" * 255, "trailing. ", "-v"]


def content(size):
    return random.Random(size).randbytes(size)


def files():
    for size in SIZES:
        yield "size-%d" % size, content(size)
        yield "folder/inner/size-%d" % size, content(size)
    if "names" in FLAGS:
        for name in NAMES:
            yield name, name.encode()
            yield "n" * 200 + "/" + name, name.encode()


def fill():
    os.makedirs(os.path.join(ROOT, "folder/inner"))
    if "names" in FLAGS:
        os.mkdir(os.path.join(ROOT, "n" * 200))
    for name, data in files():
        with open(os.path.join(ROOT, name), "wb") as file:
            file.write(data)
    with open(os.path.join(ROOT, "changed"), "w+b") as file:
        file.write(content(20_000))
        file.flush()
        file.seek(5_000)
        file.write(b"in the middle")
        file.truncate(17_000)
    with open(os.path.join(ROOT, "sparse"), "wb") as file:
        file.write(b"start")
        file.seek(100_000)
        file.write(b"middle")
        file.truncate(300_001)
    os.link(os.path.join(ROOT, "changed"), os.path.join(ROOT, "hard link"))
    os.symlink("folder/inner", os.path.join(ROOT, "link"))
    os.symlink("t" * 2000, os.path.join(ROOT, "long link"))
    os.mkfifo(os.path.join(ROOT, "fifo"))
    if "attributes" in FLAGS:
        os.setxattr(os.path.join(ROOT, "changed"), "user.comment", b"value")


def check():
    for name, data in files():
        with open(os.path.join(ROOT, name), "rb") as file:
            found = file.read()
        assert found == data, "%s: %d bytes, not %d" % (name, len(found), len(data))
    changed = bytearray(content(20_000)[:17_000])
    changed[5_000:5_013] = b"in the middle"
    sparse = b"start" + bytes(99_995) + b"middle" + bytes(300_001 - 100_006)
    for name, data in [("changed", changed), ("hard link", changed), ("sparse", sparse)]:
        with open(os.path.join(ROOT, name), "rb") as file:
            assert file.read() == data, name
    assert os.stat(os.path.join(ROOT, "hard link")).st_nlink == 2
    assert os.readlink(os.path.join(ROOT, "link")) == "folder/inner"
    assert os.readlink(os.path.join(ROOT, "long link")) == "t" * 2000
    assert os.lstat(os.path.join(ROOT, "long link")).st_size == 2000
    assert stat.S_ISFIFO(os.stat(os.path.join(ROOT, "fifo")).st_mode)
    if "attributes" in FLAGS:
        assert os.getxattr(os.path.join(ROOT, "changed"), "user.comment") == b"value"
    expected = {name.split("/")[0] for name, _ in files()} | {
        "folder", "changed", "sparse", "hard link", "link", "long link", "fifo"}
    assert set(os.listdir(ROOT)) == expected, set(os.listdir(ROOT)) ^ expected


{"fill": fill, "check": check}[ACTION]()
