"""Subjects of oracle.py: names, directories, what happens to them."""
import ctypes
import os
import select
import stat
import struct

libc = ctypes.CDLL(None, use_errno=True)
NOREPLACE, EXCHANGE = 1, 2


def rename(old, new, flags):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def put(path, text=""):
    with open(path, "w") as file:
        file.write(text)


def tree():
    found = []
    for path, directories, files in os.walk("."):
        directories.sort()
        for name in sorted(directories + files):
            status = os.lstat(os.path.join(path, name))
            found.append((os.path.join(path, name), stat.S_IFMT(status.st_mode), status.st_nlink))
    return found


def renaming(notes):
    """Every kind of thing over every other, with every flag."""
    kinds = ["file", "other", "link", "empty", "full", "fifo", "missing"]

    def make():
        put("file", "1")
        put("other", "2")
        os.symlink("file", "link")
        os.mkdir("empty")
        os.makedirs("full/in")
        os.mkfifo("fifo")

    put("x")
    notes.attempt("both flags", rename, "x", "y", NOREPLACE | EXCHANGE)
    notes.attempt("a flag that is none", rename, "x", "y", 8)
    for flags in (0, NOREPLACE, EXCHANGE):
        for old in kinds:
            for new in kinds + ["full/in", "full/new", "file/below", "new/"]:
                os.mkdir("d")
                os.chdir("d")
                make()
                notes.attempt("%s to %s with %d" % (old, new, flags), rename, old, new, flags)
                notes.note("tree", tree())
                os.chdir("..")
                os.rename("d", "old")
                for path, directories, files in os.walk("old", topdown=False):
                    for name in files:
                        os.unlink(os.path.join(path, name))
                    for name in directories:
                        whole = os.path.join(path, name)
                        (os.unlink if os.path.islink(whole) else os.rmdir)(whole)
                os.rmdir("old")


def linking(notes):
    put("a", "1")
    os.mkdir("d")
    os.symlink("a", "link")
    os.symlink("d", "to-d")
    for old, new in [("a", "b"), ("a", "b"), ("a", "d/c"), ("d", "e"), ("link", "f"), ("missing", "g"),
                     ("a", "missing/h"), ("a", "a/i"), ("a", "j/"), ("a", ".")]:
        notes.attempt("%s as %s" % (old, new), os.link, old, new, follow_symlinks=False)
        notes.note("tree", tree())
    file = os.open("a", os.O_RDWR)
    for name in ("a", "b", "d/c"):
        notes.attempt("unlink", os.unlink, name)
        notes.note("links", os.fstat(file).st_nlink)
    notes.attempt("still written", os.pwrite, file, b"after all", 0)
    notes.attempt("and read", os.pread, file, 20, 0)
    notes.attempt("and cut", os.ftruncate, file, 5)
    notes.attempt("size", lambda: os.fstat(file).st_size)
    notes.attempt("back", os.link, "/proc/self/fd/%d" % file, "back", follow_symlinks=True)
    for name in ("d", "link", "to-d", "missing", "a/", "d/.", "d/.."):
        notes.attempt("rmdir " + name, os.rmdir, name)
    for name in ("d", "link", "to-d", "missing", "f/", "."):
        notes.attempt("unlink " + name, os.unlink, name)
    notes.note("tree", tree())


def symbolic_links(notes):
    for target in ("a", "a" * 255, "/".join(["b" * 200] * 15), "c" * 3039, " ", "..", "/", "\u00fc"):
        notes.attempt("make", os.symlink, target, "link")
        notes.attempt("read", os.readlink, "link")
        notes.note("length", os.lstat("link").st_size)
        os.unlink("link")
    notes.attempt("empty", os.symlink, "", "link")
    notes.attempt("too long", os.symlink, "t" * 4096, "link")
    os.symlink("loop", "loop")
    notes.attempt("loop", os.stat, "loop")
    notes.attempt("not followed", os.open, "loop", os.O_RDONLY | os.O_NOFOLLOW)
    notes.attempt("made through it", os.open, "loop", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    put("f")
    notes.attempt("of a file", os.readlink, "f")
    notes.attempt("read as a link of a directory", os.readlink, ".")


def opening(notes):
    os.mkdir("d")
    put("f", "text")
    os.mkfifo("fifo")
    os.symlink("nowhere", "dangling")
    R, W, C, X, T, D, N = (os.O_RDONLY, os.O_WRONLY, os.O_CREAT, os.O_EXCL, os.O_TRUNC,
                           os.O_DIRECTORY, os.O_NOFOLLOW)
    for name in ("f", "d", "missing", "dangling", "f/x", "d/", "f/", "missing/", ".", "fifo"):
        for flags in (R, W, C | W, C | X | W, T | W, D, N, R | T, C | D):
            if name == "fifo":
                flags |= os.O_NONBLOCK
            try:
                os.close(os.open(name, flags))
                notes.note("%s %o" % (name, flags), "opens")
            except OSError as error:
                notes.note("%s %o" % (name, flags), error.errno)
            for made in ("missing", "nowhere"):
                if os.path.isfile(made):
                    os.unlink(made)


def name_limits(notes):
    for name in ["n" * 254, "n" * 255, "n" * 256, "\u00e9" * 127, "\u00e9" * 128, "\U0001f389" * 63, "a\nb",
                 "\x01", "-", "...", " ", "\\", "*", "gocryptfs.diriv", "gocryptfs.conf",
                 "gocryptfs.longname.x", "gocryptfs.longname." + "A" * 43, ".secure-store-x"]:
        for function in (os.mkdir, os.rmdir, put, os.stat, os.unlink):
            try:
                function(name)
                notes.note("%s %r" % (function.__name__, name[:20]), "done")
            except OSError as error:
                notes.note("%s %r" % (function.__name__, name[:20]), error.errno)
    notes.note("limit", os.pathconf(".", "PC_NAME_MAX"))
    notes.attempt("a path of 4096", os.stat, "./" * 2048)
    deep = "/".join(["d" * 250] * 15)
    os.makedirs(deep)
    put(deep + "/file", "deep")
    notes.note("deep", os.stat(deep + "/file").st_size)


class Stream:
    """A directory stream of the C library's."""
    libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
    for function in (libc.readdir, libc.telldir, libc.rewinddir, libc.closedir):
        function.argtypes = [ctypes.c_void_p]
    libc.telldir.restype = ctypes.c_long
    libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]

    def __init__(self, path):
        self.stream = libc.opendir(path.encode())

    def next(self):
        entry = libc.readdir(self.stream)
        return ctypes.string_at(entry + 19).decode() if entry else None

    def rest(self):
        return list(iter(self.next, None))


def listing_changes(notes):
    """What is there all the time is listed exactly once, whatever happens to the rest."""
    os.mkdir("d")
    count = int(os.environ.get("ENTRIES", "3000"))
    steady = {"steady%06d" % index for index in range(count)}
    passing = ["passing%06d" % index for index in range(count)]
    for name in sorted(steady) + passing:
        put("d/" + name)
    stream = Stream("d")
    seen = [stream.next() for _ in range(count // 2)]
    place = libc.telldir(stream.stream)
    for name in passing:
        os.unlink("d/" + name)
    for index in range(count // 2):
        put("d/new%06d" % index)
    rest = stream.rest()
    found = [name for name in seen + rest if name in steady]
    notes.note("each once", (len(found), set(found) == steady))
    libc.seekdir(stream.stream, place)
    again = stream.rest()
    # Only what is new, or gone, may make a difference.
    notes.note("again from there", [n for n in again if n in steady] == [n for n in rest if n in steady])
    libc.rewinddir(stream.stream)
    notes.note("from the beginning", sorted(stream.rest()) == sorted([".", ".."] + os.listdir("d")))
    notes.note("number", len(os.listdir("d")))
    libc.closedir(stream.stream)
    # Removed while it is listed, as rm -r does.
    stream = Stream("d")
    while (name := stream.next()) is not None:
        if name not in (".", ".."):
            os.unlink("d/" + name)
    libc.closedir(stream.stream)
    notes.note("left", os.listdir("d"))
    notes.attempt("rmdir", os.rmdir, "d")


def listed_numbers(notes):
    """What a listing says of a file without looking is what the file says."""
    os.mkdir("d")
    put("d/file")
    os.symlink("file", "d/link")
    os.mkdir("d/d")
    for index in range(2000):
        put("d/%d" % index)
    with os.scandir("d") as entries:
        for entry in entries:
            status = os.lstat(entry.path)
            same = entry.inode() == status.st_ino
            if not same or not entry.name.isdigit():
                notes.note(entry.name, (same, entry.is_dir(), entry.is_symlink()))
    notes.lines.sort()


def removed_directory(notes):
    os.mkdir("d")
    place = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
    os.rmdir("d")
    notes.attempt("list", os.listdir, place)
    notes.attempt("make in it", os.mkdir, "x", dir_fd=place)
    notes.attempt("create in it", os.open, "x", os.O_CREAT | os.O_WRONLY, dir_fd=place)
    notes.attempt("look in it", os.stat, "x", dir_fd=place)
    notes.note("links", os.fstat(place).st_nlink)
    notes.attempt("synchronise", os.fsync, place)


def watching(notes):
    """inotify: what happens through the mount is told."""
    os.mkdir("d")
    put("d/f", "1")
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, b"d", 0xfff) >= 0
    for label, action in [
            ("create", lambda: put("d/new")), ("write", lambda: put("d/f", "22")),
            ("read", lambda: open("d/f").read()), ("mode", lambda: os.chmod("d/f", 0o600)),
            ("rename", lambda: os.rename("d/f", "d/g")), ("away", lambda: os.rename("d/g", "g")),
            ("into", lambda: os.rename("g", "d/h")), ("cut", lambda: os.truncate("d/h", 0)),
            ("directory", lambda: os.mkdir("d/sub")), ("unlink", lambda: os.unlink("d/h")),
            ("rmdir", lambda: os.rmdir("d/sub")), ("link", lambda: os.link("d/new", "d/linked")),
            ("list", lambda: os.listdir("d"))]:
        action()
        events = []
        while select.select([watch], [], [], 0)[0]:
            data = os.read(watch, 65536)
            while data:
                _, mask, _, length = struct.unpack_from("iIII", data)
                events.append((hex(mask), data[16:16 + length].rstrip(b"\0").decode()))
                data = data[16 + length:]
        notes.note(label, events)
    os.close(watch)


SUBJECTS = {subject.__name__: subject for subject in (
    renaming, linking, symbolic_links, opening, name_limits, listing_changes, listed_numbers,
    removed_directory, watching)}
