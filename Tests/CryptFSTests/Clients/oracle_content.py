"""Subjects of oracle.py: what is in files."""
import ctypes
import mmap
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
KEEP, PUNCH, COLLAPSE, ZERO, INSERT = 1, 2, 8, 16, 32
BLOCK = 4096


def fallocate(file, mode, offset, count):
    if libc.fallocate(file, mode, ctypes.c_long(offset), ctypes.c_long(count)) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def content(path):
    with open(path, "rb") as file:
        return hash(file.read())


def extents(file):
    """Where there is data, as pairs of begin and end."""
    found, offset, size = [], 0, os.fstat(file).st_size
    while offset < size:
        try:
            begin = os.lseek(file, offset, os.SEEK_DATA)
        except OSError:
            break
        offset = os.lseek(file, begin, os.SEEK_HOLE)
        found.append((begin, offset))
    return found


def holes(notes):
    """Holes of several blocks, with what was written still in the kernel's memory."""
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    notes.note("empty", extents(file))
    for whence in (os.SEEK_DATA, os.SEEK_HOLE):
        for offset in (-1, 0, 1):
            notes.attempt("empty %d from %d" % (whence, offset), os.lseek, file, offset, whence)
    os.pwrite(file, b"a" * BLOCK, 0)
    notes.note("one block", extents(file))
    os.pwrite(file, b"b" * 3 * BLOCK, 256 * BLOCK)
    notes.note("two extents", extents(file))
    os.pwrite(file, b"c" * 100, 1000 * BLOCK + 123)
    notes.note("a part at the end", extents(file))
    os.ftruncate(file, 2000 * BLOCK)
    notes.note("grown", extents(file))
    for whence in (os.SEEK_DATA, os.SEEK_HOLE):
        for offset in (-1, 0, 5, BLOCK - 1, BLOCK, BLOCK + 1, 256 * BLOCK + 77, 300 * BLOCK,
                       1001 * BLOCK, 2000 * BLOCK - 1, 2000 * BLOCK, 2000 * BLOCK + 1, 1 << 40):
            notes.attempt("%d from %d" % (whence, offset), os.lseek, file, offset, whence)
    with mmap.mmap(file, 2000 * BLOCK) as memory:
        memory[500 * BLOCK:501 * BLOCK] = b"m" * BLOCK
        notes.note("through memory", extents(file))
    os.pwrite(file, os.urandom(100 * BLOCK), 1500 * BLOCK)
    fallocate(file, PUNCH | KEEP, 1520 * BLOCK, 10 * BLOCK)
    notes.note("punched", extents(file))
    fallocate(file, PUNCH | KEEP, 1550 * BLOCK - 100, 10 * BLOCK + 200)
    notes.note("punched across blocks", extents(file))
    os.fsync(file)
    notes.note("stored", extents(file))
    os.ftruncate(file, 1510 * BLOCK)
    os.ftruncate(file, 1600 * BLOCK)
    notes.note("cut and grown", extents(file))
    # On its way to the disk when it is asked for.
    os.pwrite(file, os.urandom(16 << 20), 4000 * BLOCK)
    libc.sync_file_range(file, ctypes.c_long(0), ctypes.c_long(0), 2)
    notes.note("being written", extents(file))
    os.ftruncate(file, 0)
    notes.note("emptied", extents(file))
    os.close(file)


def appending(notes):
    first = os.open("f", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    second = os.open("f", os.O_RDWR | os.O_APPEND)
    notes.attempt("write", os.write, first, b"one")
    notes.attempt("other", os.write, second, b"two")
    notes.attempt("pwrite appends", os.pwrite, first, b"three", 0)
    notes.attempt("position", os.lseek, first, 0, os.SEEK_CUR)
    notes.attempt("cut", os.ftruncate, second, 4)
    notes.attempt("after the cut", os.write, first, b"four")
    notes.attempt("read", os.pread, second, 100, 0)
    plain = os.open("f", os.O_RDWR)
    notes.attempt("without", os.pwrite, plain, b"X", 0)
    notes.attempt("read", os.pread, first, 100, 0)
    notes.attempt("emptied by opening", os.close, os.open("f", os.O_WRONLY | os.O_TRUNC))
    notes.attempt("at the new end", os.write, first, b"five")
    notes.attempt("read", os.pread, plain, 100, 0)
    notes.attempt("size", lambda: os.stat("f").st_size)
    notes.attempt("emptied for reading", os.close, os.open("f", os.O_RDONLY | os.O_TRUNC))
    notes.attempt("size", lambda: os.fstat(plain).st_size)


def truncating(notes):
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK, 5, 100_000, 3, 0):
        os.pwrite(file, b"x" * 50, max(size - 25, 0))
        notes.attempt("to %d" % size, os.ftruncate, file, size)
        notes.note("size", os.fstat(file).st_size)
        notes.note("content", os.pread(file, 200_000, 0))
    notes.attempt("negative", os.ftruncate, file, -1)
    notes.attempt("for reading", os.ftruncate, os.open("f", os.O_RDONLY), 1)
    notes.attempt("of a directory", os.truncate, ".", 1)
    notes.attempt("of nothing", os.truncate, "missing", 1)


def direct_access(notes):
    buffer = mmap.mmap(-1, 1 << 20)
    buffer.write(bytes(range(256)) * (1 << 12))
    file = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    notes.attempt("write", os.pwritev, file, [buffer], 0)
    notes.attempt("a block", os.pwritev, file, [memoryview(buffer)[4096:8192]], 8 * BLOCK)
    cached = os.open("f", os.O_RDWR)
    notes.attempt("seen by others", os.pread, cached, 2 * BLOCK, 7 * BLOCK)
    notes.attempt("written by others", os.pwrite, cached, b"Z" * 100, 100 * BLOCK + 50)
    into = mmap.mmap(-1, 1 << 20)
    notes.attempt("read", os.preadv, file, [into], 0)
    notes.note("content", hash(into[:]))
    notes.attempt("across the end", os.preadv, file, [into], (1 << 20) - BLOCK)
    notes.attempt("behind the end", os.preadv, file, [into], 1 << 20)
    with mmap.mmap(cached, 1 << 20) as memory:
        memory[3 * BLOCK:3 * BLOCK + 5] = b"mmap!"
        notes.attempt("read under memory", os.preadv, file, [into], 0)
        notes.note("content", into[3 * BLOCK:3 * BLOCK + 5])


def mapped_files(notes):
    with open("f", "wb") as file:
        file.write(b"m" * 3 * BLOCK)
    file = os.open("f", os.O_RDWR)
    memory = mmap.mmap(file, 3 * BLOCK)
    private = mmap.mmap(file, 3 * BLOCK, flags=mmap.MAP_PRIVATE)
    os.pwrite(file, b"written", 10)
    notes.note("written is seen", memory[8:20])
    memory[BLOCK:BLOCK + 6] = b"mapped"
    notes.note("mapped is read", os.pread(file, 10, BLOCK))
    private[0:5] = b"PRIVA"
    notes.note("private is not", os.pread(file, 5, 0))
    os.ftruncate(file, BLOCK + 3)

    def touches(offset):
        child = os.fork()
        if child == 0:
            memory[offset]
            os._exit(0)
        return os.waitpid(child, 0)[1]

    notes.note("before the end", touches(BLOCK + 2))
    notes.note("behind it, in its page", memory[BLOCK + 3:BLOCK + 8])
    notes.note("behind its page", touches(2 * BLOCK) == signal.SIGBUS)
    os.ftruncate(file, 3 * BLOCK)
    notes.note("zeros again", memory[BLOCK:BLOCK + 10])
    reading = os.open("f", os.O_RDONLY)
    notes.attempt("shared, for writing, of what is read", lambda: bool(mmap.mmap(reading, BLOCK)))
    os.unlink("f")
    memory[0:4] = b"gone"
    notes.note("removed", os.pread(file, 4, 0))


def allocation(notes):
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(range(1, 251)) * 400)
    for mode, offset, count in [
            (0, 0, 100_000), (KEEP, 0, 1 << 20), (0, 99_000, 5_000), (0, 0, 0), (0, -1, 10), (0, 10, -1),
            (KEEP | PUNCH, 5_000, 20_000), (KEEP | PUNCH, 4096, 8192), (KEEP | PUNCH, 100, 10),
            (KEEP | PUNCH, 103_000, 50_000), (KEEP | PUNCH, 1 << 21, 100), (PUNCH, 0, 4096),
            (ZERO, 30_000, 1_000), (ZERO | KEEP, 40_000, 20_000), (ZERO, 103_500, 10_000),
            (ZERO | KEEP, 113_000, 10_000), (ZERO | PUNCH, 0, 10), (0, 1 << 62, 1 << 62)]:
        notes.attempt("mode %d, %d from %d" % (mode, count, offset), fallocate, file, mode, offset, count)
        notes.note("size", os.fstat(file).st_size)
        notes.note("content", hash(os.pread(file, 1 << 18, 0)))
    notes.attempt("for reading", fallocate, os.open("f", os.O_RDONLY), 0, 0, 10)
    notes.attempt("posix_fallocate", os.posix_fallocate, file, 200_000, 1)
    notes.note("size", os.fstat(file).st_size)


def copying(notes):
    data = bytes(range(256)) * 1000
    with open("a", "wb") as file:
        file.write(data)
    source, target = os.open("a", os.O_RDWR), os.open("b", os.O_RDWR | os.O_CREAT)
    notes.attempt("some", os.copy_file_range, source, target, 10_000, 5, 77)
    notes.attempt("all", os.copy_file_range, source, target, len(data), 0, 0)
    notes.note("content", content("b"))
    notes.attempt("behind the end", os.copy_file_range, source, target, 10, 1 << 20, 0)
    notes.attempt("within a file", os.copy_file_range, source, source, 1000, 0, 100_000)
    notes.attempt("over itself", os.copy_file_range, source, source, 1000, 0, 500)
    notes.note("content", content("a"))
    notes.attempt("nothing", os.copy_file_range, source, target, 0)
    reading = os.open("b", os.O_RDONLY)
    notes.attempt("for reading", os.copy_file_range, source, reading, 10)
    appending = os.open("b", os.O_WRONLY | os.O_APPEND)
    notes.attempt("appending", os.copy_file_range, source, appending, 10)
    notes.attempt("sendfile", os.sendfile, target, source, 100, 5000)
    notes.note("content", content("b"))


SUBJECTS = {subject.__name__: subject for subject in (
    holes, appending, truncating, direct_access, mapped_files, allocation, copying)}
