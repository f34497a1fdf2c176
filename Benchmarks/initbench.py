"""initbench.py KEY CHILD SECURE-INIT QUICK: measures entrypoints and prints a table. Called by Benchmarks/init."""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

key, child, secure_init, quick = sys.argv[1:5]
ORPHANS = 2000 if quick else 10000
SIGNALS = 500 if quick else 3000
STARTS = 200 if quick else 1500
INITS = {
    "nothing": [],
    "tini": ["tini", "--"],
    "dumb-init": ["dumb-init", "--single-child"],
    "catatonit": ["catatonit", "--"],
    "secure-init": [secure_init, "--log-level", "error", "--env-only", "--"],
}


class ProcessOne:
    """An entrypoint around a command, as process 1 of its own namespace; nothing around it for an empty one."""

    def __init__(self, entrypoint, *command):
        around = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL", *entrypoint]
        self.process = subprocess.Popen(
            (around if entrypoint else []) + list(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0)
        self.pid = self.process.pid
        self.output = os.fdopen(os.dup(self.process.stdout.fileno()), "r", buffering=1)
        if entrypoint:
            name = os.path.basename(entrypoint[0])
            while True:
                found = [p for p in self.children(self.pid) if self.read(p, "comm").strip() == name]
                if found:
                    self.pid = found[0]
                    return
                time.sleep(0.005)

    @staticmethod
    def read(pid, name):
        try:
            with open(f"/proc/{pid}/{name}") as file:
                return file.read()
        except OSError:
            return ""

    @classmethod
    def children(cls, pid):
        return [int(p) for p in cls.read(pid, f"task/{pid}/children").split()]

    def cpu_nanoseconds(self):
        return int(self.read(self.pid, "schedstat").split()[0])

    def memory(self, field):
        lines = self.read(self.pid, "smaps_rollup").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()
        self.process.stdout.close()


def forget(program):
    """Has the kernel read a program from the disk again, as after a boot. Where it has just been written it lies in the
    cache in pieces of megabytes, and Linux from 6.18 maps such a piece whole for each byte touched."""
    path = shutil.which(program)
    subprocess.run(["sync", "-d", path], check=True)
    subprocess.run(["dd", "if=" + path, "iflag=nocache", "count=0", "status=none"], check=True)


def start_times():
    """Milliseconds from the start to the end of /bin/true under each by name."""
    around = {name: list(entrypoint) for name, entrypoint in INITS.items()}
    around["tini"].insert(1, "-s")
    around["secure-init"][-1:-1] = ["--key-source", "file:" + key]
    taken = {name: [] for name in INITS}
    for _ in range(STARTS):
        for name, entrypoint in around.items():
            began = time.monotonic_ns()
            command = entrypoint + ["/bin/true"]
            _, status = os.waitpid(os.posix_spawnp(command[0], command, os.environ), 0)
            taken[name].append((time.monotonic_ns() - began) / 1e6)
            if status != 0:
                sys.exit(f"initbench: {name} failed")
    return {name: statistics.median(times) for name, times in taken.items()}


def memory(entrypoint):
    forget(entrypoint[0])
    with ProcessOne(entrypoint, "sleep", "600") as one:
        time.sleep(2)
        return one.memory("Rss"), one.memory("Pss")


def cpu_of_orphan(entrypoint):
    with ProcessOne(entrypoint, child, "orphans", str(ORPHANS)) as one:
        # A start is over long before the last of so many; what it took is measured by one without any.
        while one.output.readline() != "made\n":
            pass
        while len(one.children(one.pid)) > 1:
            time.sleep(0.01)
        total = one.cpu_nanoseconds()
    with ProcessOne(entrypoint, child, "orphans", "0") as one:
        while one.output.readline() != "made\n":
            pass
        return (total - one.cpu_nanoseconds()) / ORPHANS / 1000


def signal_latencies():
    """Of each by name; all run at the same time and are sent signals in turn, so that what else the machine does hits
    all alike."""
    taken = {name: [] for name in INITS}
    with contextlib.ExitStack() as stack:
        ones = {n: stack.enter_context(ProcessOne(i, child, "signals")) for n, i in INITS.items()}
        for one in ones.values():
            while one.output.readline() != "ready\n":
                pass
        for _ in range(SIGNALS):
            for name, one in ones.items():
                # As rare as signals are: everybody sleeps when it comes.
                time.sleep(0.0005)
                sent = time.monotonic_ns()
                os.kill(one.pid, signal.SIGUSR1)
                taken[name].append((int(one.output.readline()) - sent) / 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def cell(value, reference, form):
    if value is None:
        return "–"
    return form % value + (" (%.2f ×)" % (value / reference) if reference else "")


starts = start_times()
# From here on there is nothing to decrypt.
del os.environ["ENCRYPTED_TESTVAR"]
latencies = signal_latencies()
rows = {}
for name, entrypoint in INITS.items():
    rss, pss = memory(entrypoint) if entrypoint else (None, None)
    orphan = cpu_of_orphan(entrypoint) if entrypoint else None
    rows[name] = (starts[name], rss, pss, orphan, latencies[name])
print("| entrypoint | start, ms | Rss, KiB | Pss, KiB | CPU an orphan, µs | signal, µs |")
print("| --- | ---: | ---: | ---: | ---: | ---: |")
for name, row in rows.items():
    forms = ("%.2f", "%d", "%d", "%.1f", "%.0f")
    print("| %s | %s |" % (name, " | ".join(cell(*c) for c in zip(row, rows["tini"], forms))))
