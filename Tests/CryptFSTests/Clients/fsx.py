"""Random operations on one file, checked against a model in memory.

    fsx.py FILE STATE SEED OPERATIONS

STATE keeps the model between runs: first everything is compared with it, so that whatever happens
between two runs (a remount, say) is checked as well. SIZE limits the file (bytes). With ALLOCATES set there are
fallocate, truthful holes and O_DIRECT besides, and the last line says how many operations of each kind were done.
"""
import collections
import ctypes
import mmap
import os
import random
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

PATH, STATE = sys.argv[1:3]
SEED, COUNT = int(sys.argv[3]), int(sys.argv[4])
LIMIT = int(os.environ.get("SIZE", "600000"))
KEEP, PUNCH, ZERO = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)
rng = random.Random(SEED)
log = []


class Subject:
    def __init__(self):
        self.model = bytearray()
        if os.path.exists(STATE):
            with open(STATE, "rb") as file:
                self.model = bytearray(file.read())
        self.file = os.open(PATH, os.O_RDWR | os.O_CREAT)
        self.read(0, LIMIT)
        self.size()

    def check(self, offset, count, found):
        expected = bytes(self.model[offset:offset + count])
        if found == expected:
            return
        both = range(min(len(found), len(expected)))
        first = next((i for i in both if found[i] != expected[i]), len(both))
        sys.exit("seed %d: %d bytes at %d: found %d, expected %d, first difference at %d; after\n%s" % (
            SEED, count, offset, len(found), len(expected), offset + first, "\n".join(log[-40:])))

    def put(self, offset, data):
        if offset > len(self.model):
            self.model.extend(bytes(offset - len(self.model)))
        self.model[offset:offset + len(data)] = data

    def write(self, offset, count):
        data = rng.randbytes(count)
        assert os.pwrite(self.file, data, offset) == count
        self.put(offset, data)

    def append(self, offset, count):
        count = min(count, LIMIT - len(self.model))
        data = rng.randbytes(count)
        file = os.open(PATH, os.O_WRONLY | os.O_APPEND)
        assert os.write(file, data) == count
        os.close(file)
        self.put(len(self.model), data)

    def read(self, offset, count):
        self.check(offset, count, os.pread(self.file, count, offset))

    def cut(self, size):
        if size < len(self.model):
            del self.model[size:]
        else:
            self.model.extend(bytes(size - len(self.model)))

    def truncate(self, offset, count):
        os.truncate(PATH, offset)
        self.cut(offset)

    def ftruncate(self, offset, count):
        os.ftruncate(self.file, offset)
        self.cut(offset)

    def empty(self, offset, count):
        os.close(os.open(PATH, os.O_WRONLY | os.O_TRUNC))
        self.cut(0)

    def map_write(self, offset, count):
        count = min(count, len(self.model) - offset)
        if count <= 0:
            return
        data = rng.randbytes(count)
        with mmap.mmap(self.file, len(self.model)) as memory:
            memory[offset:offset + count] = data
            if rng.random() < .5:
                memory.flush()
        self.put(offset, data)

    def map_read(self, offset, count):
        if offset >= len(self.model):
            return
        with mmap.mmap(self.file, len(self.model)) as memory:
            self.check(offset, count, memory[offset:offset + count])

    def synchronize(self, offset=0, count=0):
        os.fsync(self.file)

    def forget(self, offset, count):
        os.fsync(self.file)
        os.posix_fadvise(self.file, 0, 0, os.POSIX_FADV_DONTNEED)

    def reopen(self, offset, count):
        os.close(self.file)
        self.file = os.open(PATH, os.O_RDWR)

    def move(self, offset, count):
        os.rename(PATH, PATH + "~")
        os.rename(PATH + "~", PATH)

    def replace(self, offset, count):
        with open(PATH + "~", "wb") as file:
            file.write(self.model)
        os.rename(PATH + "~", PATH)
        # What was open is another file now.
        self.reopen(offset, count)

    def allocate(self, mode, offset, count):
        if libc.fallocate(self.file, mode, ctypes.c_long(offset), ctypes.c_long(count)) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")

    def reserve(self, offset, count):
        self.allocate(0, offset, count)
        self.cut(max(len(self.model), offset + count))

    def punch(self, offset, count):
        self.allocate(PUNCH | KEEP, offset, count)
        self.clear(offset, count)

    def zero(self, offset, count):
        self.allocate(ZERO, offset, count)
        self.cut(max(len(self.model), offset + count))
        self.clear(offset, count)

    def clear(self, offset, count):
        count = min(count, len(self.model) - offset)
        if count > 0:
            self.model[offset:offset + count] = bytes(count)

    def holes(self, offset, count):
        """What is told to be a hole has to be zeros; where one ends there is data."""
        while offset < len(self.model):
            try:
                data = os.lseek(self.file, offset, os.SEEK_DATA)
            except OSError:
                data = len(self.model)
            assert data >= offset and not any(self.model[offset:data]), (SEED, offset, data, log[-40:])
            if data == len(self.model):
                break
            offset = os.lseek(self.file, data, os.SEEK_HOLE)
            assert data < offset <= len(self.model), (SEED, data, offset, log[-40:])

    def copy(self, offset, count):
        target = rng.randrange(LIMIT)
        count = min(count, LIMIT - target, max(len(self.model) - offset, 0))
        if count <= 0 or abs(target - offset) < count:
            return
        done = 0
        while done < count:
            done += os.copy_file_range(self.file, self.file, count - done, offset + done, target + done)
        self.put(target, bytes(self.model[offset:offset + count]))

    def direct(self, function, offset, count):
        """Calls with an aligned buffer; an open file of its own, past the kernel's pages."""
        file = os.open(PATH, os.O_RDWR | os.O_DIRECT)
        with mmap.mmap(-1, count) as buffer:
            try:
                return function(file, buffer, offset)
            finally:
                os.close(file)

    def direct_write(self, offset, count):
        offset, count = offset // 4096 * 4096, (count + 4095) // 4096 * 4096
        if offset + count > LIMIT:
            return
        data = rng.randbytes(count)

        def write(file, buffer, offset):
            buffer.write(data)
            assert os.pwritev(file, [buffer], offset) == count

        self.direct(write, offset, count)
        self.put(offset, data)

    def direct_read(self, offset, count):
        def read(file, buffer, offset):
            return buffer[:os.preadv(file, [buffer], offset)]

        offset, count = offset // 4096 * 4096, (count + 4095) // 4096 * 4096
        self.check(offset, count, self.direct(read, offset, count))

    def size(self, offset=0, count=0):
        assert os.fstat(self.file).st_size == os.stat(PATH).st_size == len(self.model)


def offset_of(subject):
    kind = rng.random()
    if kind < .3:
        offset = rng.randrange(LIMIT)
    elif kind < .6:
        offset = 65536 * rng.randrange(LIMIT // 65536 + 1) + rng.randrange(-2, 3)
    elif kind < .8:
        offset = 4096 * rng.randrange(LIMIT // 4096 + 1)
    else:
        offset = len(subject.model)
    return min(max(offset, 0), LIMIT - 1)


def count_of():
    kind = rng.random()
    if kind < .2:
        return rng.randrange(1, 100)
    if kind < .5:
        return 4096 * rng.randrange(1, 5)
    if kind < .8:
        return rng.randrange(1, 70_000)
    return 65536 * rng.randrange(1, 5)


WEIGHTS = {
    "write": 30, "read": 20, "append": 2, "truncate": 2, "ftruncate": 5, "empty": 1,
    "map_write": 10, "map_read": 7, "synchronize": 6, "forget": 4, "reopen": 4, "move": 1,
    "replace": 1, "size": 2,
}
if os.environ.get("ALLOCATES"):
    WEIGHTS.update({"synchronize": 2, "forget": 2, "reserve": 2, "punch": 5, "zero": 3, "holes": 4, "copy": 4, "direct_write": 6, "direct_read": 5})
subject = Subject()
done = collections.Counter()
for index in range(COUNT):
    name = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    offset = offset_of(subject)
    count = min(count_of(), LIMIT - offset)
    log.append("%d %s %d %d" % (index, name, offset, count))
    getattr(subject, name)(offset, count)
    done[name] += 1
subject.read(0, LIMIT)
os.close(subject.file)
with open(STATE, "wb") as file:
    file.write(subject.model)
print(dict(done))
