"""Debian's PostgreSQL in a directory of its own, as it comes, with durable commits; and a store in it that grows."""

import contextlib
import glob
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from fleet.servers import succeed


class Cluster:
    """A running PostgreSQL, of the user postgres where we are root; in a directory that it can reach."""

    def __init__(self):
        self.directory = directory = tempfile.mkdtemp(prefix="secure-store-bench-", dir="/var/tmp")
        self.own = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            self.own = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        if not programs:
            raise RuntimeError("no PostgreSQL: install Debian's postgresql")
        binaries = os.path.dirname(programs[-1])
        data = os.path.join(directory, "data")
        succeed(*self.own, f"{binaries}/initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C",
                "--auth=trust", cwd=directory)
        self.process = subprocess.Popen(
            [*self.own, f"{binaries}/postgres", "-D", data, "-c", "listen_addresses=",
             "-c", f"unix_socket_directories={directory}"],
            cwd=directory, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.url = f"postgres://postgres@/store?host={directory}"
        end = time.monotonic() + 60
        while subprocess.run(self.psql("postgres", "select 1"), capture_output=True, check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not come up")
            time.sleep(0.1)
        succeed(*self.psql("postgres", "create database store"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        shutil.rmtree(self.directory)

    def psql(self, database, *statements):
        commands = [word for statement in statements for word in ("-c", statement)]
        return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-U", "postgres", "-d", database, *commands]

    @contextlib.contextmanager
    def far(self, program, milliseconds):
        """Puts so long a way between it and whoever asks, there and back, with the program `delay`; gives its URL at the
        far end, and how many milliseconds a query takes that does nothing."""
        if milliseconds == 0:
            yield self.url, self.query_milliseconds(self.directory)
            return
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            name = "/.s.PGSQL.5432"
            command = [program, directory + name, self.directory + name, str(int(milliseconds * 500))]
            with subprocess.Popen(command) as process:
                while not os.path.exists(directory + name):
                    time.sleep(0.01)
                try:
                    yield f"postgres://postgres@/store?host={directory}", self.query_milliseconds(directory)
                finally:
                    process.terminate()

    def query_milliseconds(self, directory):
        """The median of many."""
        said = succeed("psql", "-Xq", "-h", directory, "-U", "postgres", "-d", "store",
                       input="\\timing on\n" + "select;\n" * 201)
        return statistics.median(float(line.split()[1]) for line in said.splitlines() if line.startswith("Time:"))

    def cpu_seconds(self):
        """Processor time of the processes that there are, and of those that ended."""
        pid, ticks = self.process.pid, 0
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            pids = [pid, *map(int, file.read().split())]
        for one in pids:
            with open(f"/proc/{one}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(") ")[2].split()
            ticks += sum(map(int, fields[11:15] if one == pid else fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def grow(self, devices):
        """As `growth.grow`; returns the database's size in bytes."""
        last, there = map(int, succeed(*self.psql("store", "select max(id), count(*) from devices")).split("|"))
        new = f"generate_series({last + 1}, {last + devices - there}) as new(id)"
        if there < devices:
            succeed(*self.psql(
                "store",
                f"""insert into devices (id, name, fleet, added_at)
                    select new.id, 'grown-' || new.id, old.fleet, old.added_at from {new}, devices old where old.id = {last}""",
                f"insert into device_tags (device, tag) select id, 'bench' from {new}",
                f"""insert into certificates (fingerprint, device, pem, issued_at, not_after)
                    select encode(sha256(new.id::text::bytea), 'hex'), new.id, old.pem, old.issued_at, old.not_after
                    from {new}, (select * from certificates where device = {last} limit 1) old order by 1""",
                f"""insert into audit (number, entry, hash)
                    select new.id - {last} + old.number, old.entry, old.hash
                    from {new}, (select * from audit order by number desc limit 1) old"""))
        # As autovacuum would have it, and as it stands in memory after some time.
        succeed(*self.psql("store", "vacuum analyze", "checkpoint"))
        return int(succeed(*self.psql("store", "select pg_database_size('store')")))
