"""Subjects of oracle.py: owners, modes, times, attributes, locks."""
import ctypes
import fcntl
import os
import stat
import struct
import time

libc = ctypes.CDLL(None, use_errno=True)
NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2


class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def utimensat(path, accessed, modified, flags=0):
    times = (Time * 2)(Time(*accessed), Time(*modified))
    if libc.utimensat(-100, path.encode(), times, flags) != 0:
        raise OSError(ctypes.get_errno(), "utimensat")


def put(path, text=""):
    with open(path, "w") as file:
        file.write(text)


def mode(path):
    return oct(os.lstat(path).st_mode)


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid, oct(status.st_mode)


def times(notes):
    put("f")
    os.symlink("f", "link")
    begin = time.time()

    def seen(path="f"):
        status = os.lstat(path)
        # What is later than the beginning is now.
        return [value if value < begin * 1e9 - 5e9 else "now" for value in (status.st_atime_ns, status.st_mtime_ns)]

    for accessed, modified in [((1, 2), (3, 4)), ((0, OMIT), (5, 6)), ((7, 8), (0, OMIT)), ((0, OMIT), (0, OMIT)),
                               ((0, NOW), (9, 10)), ((11, 12), (0, NOW)), ((-5, 0), (-1, 999_999_999)),
                               ((0, 1_000_000_000), (0, 0)), ((0, 0), (0, -1)), ((1 << 31, 1), (1 << 33, 1))]:
        notes.attempt("%s %s" % (accessed, modified), utimensat, "f", accessed, modified)
        notes.note("times", seen())
    notes.attempt("of the link", utimensat, "link", (20, 21), (22, 23), 0x100)
    notes.note("link", seen("link"))
    notes.note("file", seen())
    notes.attempt("missing", utimensat, "missing", (1, 1), (1, 1))
    # By somebody else.
    notes.as_user(4242, "other, set", utimensat, "f", (1, 1), (1, 1))
    notes.as_user(4242, "other, now", utimensat, "f", (0, NOW), (0, NOW))
    os.chmod("f", 0o666)
    notes.as_user(4242, "other who may write, set", utimensat, "f", (1, 1), (1, 1))
    notes.as_user(4242, "other who may write, now", utimensat, "f", (0, NOW), (0, NOW))
    notes.as_user(4242, "other, omit", utimensat, "f", (0, OMIT), (0, OMIT))
    for label, action in [
            ("write", lambda: put("f", "x")), ("cut", lambda: os.truncate("f", 0)),
            ("grow", lambda: os.truncate("f", 10)), ("rename", lambda: os.rename("f", "g")), ("back", lambda: os.rename("g", "f")),
            ("mode", lambda: os.chmod("f", 0o600)), ("link", lambda: os.link("f", "h"))]:
        name = "g" if label == "back" else "f"
        utimensat(name, (1, 1), (1, 1))
        action()
        notes.note("after " + label, seen("g" if label == "rename" else "f"))
    os.mkdir("d")
    for label, action in [("create", lambda: put("d/f")), ("rename", lambda: os.rename("d/f", "d/g")),
                          ("unlink", lambda: os.unlink("d/g")), ("mkdir", lambda: os.mkdir("d/s"))]:
        utimensat("d", (1, 1), (1, 1))
        action()
        notes.note("directory after " + label, seen("d")[1])


def attributes(notes):
    put("f")
    os.mkdir("d")
    os.symlink("f", "link")
    os.mkfifo("fifo")
    # Links and special files have none on a volume, not even those that only root may set.
    for path, name in [(path, name) for path in ("f", "d") for name in ("user.a", "trusted.b", "security.x")] + [
            ("link", "user.a"), ("fifo", "user.a")]:
        notes.attempt("set %s of %s" % (name, path), os.setxattr, path, name, b"value", follow_symlinks=False)
        notes.attempt("get %s of %s" % (name, path), os.getxattr, path, name, follow_symlinks=False)
        notes.attempt("remove %s of %s" % (name, path), os.removexattr, path, name, follow_symlinks=False)
        notes.attempt("again", os.removexattr, path, name, follow_symlinks=False)
    for name in ("nonsense", "foo.bar", "user.", ".", "system.other"):
        notes.attempt("set %s" % name, os.setxattr, "f", name, b"value")
    for value in (b"", b"x", bytes(range(256)), b"y" * 3000, b"z" * 65537):
        notes.attempt("a value of %d" % len(value), os.setxattr, "f", "user.v", value)
        notes.attempt("back", os.getxattr, "f", "user.v")
        notes.note("its room", [libc.getxattr(b"f", b"user.v", ctypes.create_string_buffer(room), room)
                                for room in (0, max(len(value) - 1, 0))])
    notes.attempt("create what is there", os.setxattr, "f", "user.v", b"1", os.XATTR_CREATE)
    notes.attempt("replace what is not", os.setxattr, "f", "user.w", b"1", os.XATTR_REPLACE)
    notes.attempt("a name of 255", os.setxattr, "f", "user." + "n" * 100, b"1")
    notes.attempt("a name too long", os.setxattr, "f", "user." + "n" * 251, b"1")
    os.chmod("f", 0o644)
    notes.as_user(4242, "other gets", os.getxattr, "f", "user.v")
    notes.as_user(4242, "other sets", os.setxattr, "f", "user.v", b"2")
    notes.as_user(4242, "other gets trusted", os.getxattr, "f", "trusted.b")
    os.chmod("f", 0o600)
    notes.as_user(4242, "other may not get", os.getxattr, "f", "user.v")
    # On the disk there may be more: this machine's own.
    notes.note("list", sorted(n for n in os.listxattr("f") if n.startswith("user.")))


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def access_control_lists(notes):
    none = 0xffffffff
    put("f", "text")
    os.mkdir("d")
    access = acl((1, 6, none), (2, 6, 4242), (4, 4, none), (16, 6, none), (32, 0, none))
    minimal = acl((1, 6, none), (4, 4, none), (32, 4, none))
    for label, value in [("extended", access), ("minimal", minimal), ("no mask", acl((1, 6, none), (2, 6, 1),
                         (4, 4, none), (32, 0, none))), ("nonsense", b"123"), ("old", struct.pack("<I", 1)),
                         ("extended", access)]:
        notes.attempt("set " + label, os.setxattr, "f", "system.posix_acl_access", value)
        notes.attempt("get", os.getxattr, "f", "system.posix_acl_access")
        notes.note("mode", mode("f"))
    for user in (4242, 4243):
        notes.as_user(user, "%d reads" % user, lambda: open("f").read())
        notes.as_user(user, "%d writes" % user, lambda: open("f", "r+").write("y"))
    os.chmod("f", 0o640)
    notes.attempt("masked", os.getxattr, "f", "system.posix_acl_access")
    notes.as_user(4242, "masked writes", lambda: open("f", "r+").write("z"))
    notes.as_user(4242, "sets it himself", os.setxattr, "f", "system.posix_acl_access", access)
    notes.attempt("default of a file", os.setxattr, "f", "system.posix_acl_default", access)
    notes.attempt("default", os.setxattr, "d", "system.posix_acl_default", access)
    for mask in (0o022, 0o077):
        os.umask(mask)
        put("d/f%o" % mask)
        os.mkdir("d/d%o" % mask)
        os.mkfifo("d/p%o" % mask)
        os.symlink("x", "d/l%o" % mask)
        notes.note("fifo", mode("d/p%o" % mask))
        for name in ("f", "d"):
            path = "d/%s%o" % (name, mask)
            notes.note(path, mode(path))
            notes.attempt("its list", os.getxattr, path, "system.posix_acl_access")
            notes.attempt("its default", os.getxattr, path, "system.posix_acl_default")
    notes.attempt("removed", os.removexattr, "d", "system.posix_acl_default")
    put("d/after")
    notes.note("after", mode("d/after"))


def special_files(notes):
    for label, kind in [("fifo", stat.S_IFIFO), ("socket", stat.S_IFSOCK), ("character", stat.S_IFCHR),
                        ("block", stat.S_IFBLK), ("file", stat.S_IFREG), ("directory", stat.S_IFDIR)]:
        notes.attempt(label, os.mknod, label, kind | 0o640, os.makedev(1, 3))
        notes.attempt("again", os.mknod, label, kind | 0o640, os.makedev(1, 3))
        if os.path.lexists(label):
            status = os.lstat(label)
            notes.note("status", (oct(status.st_mode), status.st_rdev, status.st_size))
            notes.attempt("link", os.link, label, label + "2")
            notes.attempt("owner", os.chown, label, 5, 6)
            notes.note("owner", owner(label))
    notes.as_user(4242, "a device by somebody", os.mknod, "mine", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    notes.as_user(4242, "a fifo by somebody", os.mknod, "pipe", stat.S_IFIFO | 0o600)
    notes.note("names", sorted(os.listdir(".")))


def modes(notes):
    put("f")
    for value in (0, 0o777, 0o7777, 0o4755, 0o2644, 0o1000):
        notes.attempt("%o" % value, os.chmod, "f", value)
        notes.note("mode", mode("f"))
    # Sticky: only the owners of file and directory.
    os.mkdir("sticky")
    os.chmod("sticky", 0o1777)
    put("sticky/f")
    os.chown("sticky/f", 1001, 1001)
    notes.as_user(1002, "other unlinks", os.unlink, "sticky/f")
    notes.as_user(1002, "other renames", os.rename, "sticky/f", "sticky/g")
    notes.as_user(1002, "other makes", os.mkdir, "sticky/his")
    notes.as_user(1001, "other removes his", os.rmdir, "sticky/his")
    notes.as_user(1001, "owner renames", os.rename, "sticky/f", "sticky/g")
    notes.as_user(1001, "owner unlinks", os.unlink, "sticky/g")
    # Set-group-ID directories.
    os.mkdir("shared")
    os.chown("shared", 1001, 2000)
    os.chmod("shared", 0o2777)
    notes.as_user(1001, "file in it", put, "shared/f")
    notes.as_user(1001, "directory in it", os.mkdir, "shared/d")
    notes.as_user(1001, "fifo in it", os.mkfifo, "shared/p")
    notes.as_user(1001, "link in it", os.symlink, "x", "shared/l")
    for name in ("f", "d", "p", "l"):
        notes.note(name, owner("shared/" + name))
    notes.as_user(1001, "set-group-ID of a foreign group", os.chmod, "shared/f", 0o2755)
    notes.note("mode", mode("shared/f"))
    # Privileges go when somebody changes what has them.
    for label, change in [("write", lambda: open("p", "r+").write("x")), ("cut", lambda: os.truncate("p", 0)),
                          ("own", lambda: os.chown("p", 1001, -1)), ("give away", lambda: os.chown("p", 7, -1))]:
        for before in (0o6777, 0o2767, 0o4777):
            put("p", "privileged")
            os.chown("p", 1001, 1001)
            os.chmod("p", before)
            notes.as_user(1001, "%s at %o" % (label, before), change)
            notes.note("mode", mode("p"))
            os.unlink("p")
    for mask in (0, 0o027, 0o777):
        os.umask(mask)
        os.close(os.open("m%o" % mask, os.O_CREAT | os.O_WRONLY, 0o6777))
        os.mkdir("n%o" % mask, 0o1777)
        notes.note("under %o" % mask, (mode("m%o" % mask), mode("n%o" % mask)))


def permissions(notes):
    os.umask(0)
    for value in (0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600, 0o700):
        name = "d%o" % value
        os.mkdir(name)
        put(name + "/f", "x")
        os.chmod(name, value | value >> 3 | value >> 6)
        for label, action in [("list", os.listdir), ("look", lambda d: os.stat(d + "/f").st_size),
                              ("make", lambda d: os.mkdir(d + "/new")), ("unlink", lambda d: os.unlink(d + "/f")),
                              ("enter", os.chdir)]:
            notes.as_user(4242, "%s %o" % (label, value), action, name)
    for value in (0o000, 0o400, 0o200, 0o600):
        put("f", "x")
        os.chmod("f", value >> 6)
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC):
            notes.as_user(4242, "open %o %d" % (value, flags), lambda flags: os.close(os.open("f", flags)), flags)
        notes.as_user(4242, "truncate %o" % value, os.truncate, "f", 0)
        for way in (os.R_OK, os.W_OK, os.X_OK):
            notes.as_user(4242, "access %o %d" % (value, way), os.access, "f", way)
        os.unlink("f")


def locks(notes):
    put("f", "0123456789")
    first, second = os.open("f", os.O_RDWR), os.open("f", os.O_RDWR)

    def elsewhere(label, function, *arguments):
        notes.as_user(0, label, function, *arguments)

    def reopened(kind):
        file = os.open("f", os.O_RDWR)
        fcntl.flock(file, kind | fcntl.LOCK_NB)

    def held(kind, begin, count):
        file = os.open("f", os.O_RDWR)
        return struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(
            "hhqqi4x", kind, 0, begin, count, 0)))[:4]

    notes.attempt("shared", fcntl.flock, first, fcntl.LOCK_SH)
    notes.attempt("shared too", fcntl.flock, second, fcntl.LOCK_SH | fcntl.LOCK_NB)
    notes.attempt("alone", fcntl.flock, second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elsewhere("elsewhere shared", reopened, fcntl.LOCK_SH)
    elsewhere("elsewhere alone", reopened, fcntl.LOCK_EX)
    os.close(second)
    elsewhere("closed", reopened, fcntl.LOCK_EX)
    os.close(os.dup(first))
    elsewhere("a copy closed", reopened, fcntl.LOCK_EX)
    fcntl.flock(first, fcntl.LOCK_UN)
    elsewhere("free", reopened, fcntl.LOCK_EX)
    fcntl.lockf(first, fcntl.LOCK_EX, 4, 2)
    for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK):
        for begin, count in ((0, 2), (0, 3), (5, 1), (6, 1), (0, 0)):
            elsewhere("held %d %d %d" % (kind, begin, count), held, kind, begin, count)
    fcntl.lockf(first, fcntl.LOCK_UN, 2, 3)
    elsewhere("split", held, fcntl.F_WRLCK, 0, 0)
    # Any descriptor's closing frees a process's own.
    os.close(os.open("f", os.O_RDONLY))
    elsewhere("freed by closing another", held, fcntl.F_WRLCK, 0, 0)
    own = 37  # F_OFD_SETLK
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 5, 0)
    notes.attempt("of the opening", lambda: bool(fcntl.fcntl(first, own, lock)))
    third = os.open("f", os.O_RDWR)
    notes.attempt("of another opening", fcntl.fcntl, third, own, lock)
    notes.attempt("for reading only", fcntl.lockf, os.open("f", os.O_RDONLY), fcntl.LOCK_EX)


def sizes(notes):
    """What statfs and stat tell of room."""
    whole = os.statvfs(".")
    notes.note("limit", whole.f_namemax)
    notes.note("same disk", (whole.f_blocks * whole.f_frsize, whole.f_bsize, whole.f_files))
    put("f", "x" * 100_000)
    status = os.stat("f")
    notes.note("file", (status.st_size, status.st_blksize))
    os.sync()
    # Nonces and tags take less than one part in a hundred.
    notes.note("its room", round(os.stat("f").st_blocks * 512 / 100_000))
    os.mkdir("d")
    os.mkdir("d/e")
    notes.note("links of directories", (os.stat("d").st_nlink, os.stat("d/e").st_nlink))


SUBJECTS = {subject.__name__: subject for subject in (
    times, attributes, access_control_lists, special_files, modes, permissions, locks, sizes)}
