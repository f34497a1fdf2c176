"""The two servers that are compared: secure-store with its store and audit log, and nginx answering a constant."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time

ANSWER = '{"keys":{"default":"ssk1_%s"},"lease":0}' % ("A" * 49)

NGINX = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
worker_processes auto;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_protocols TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        location / {{ default_type application/json; return 200 '{answer}'; }}
    }}
}}
"""


def succeed(*command, **options):
    """Runs a program to its end; what it says on standard error says why where it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


class Certificates:
    """Of a server and its devices: PEM files, and a directory for each device."""

    def __init__(self, certificate, key, authority, devices):
        self.certificate, self.key, self.authority, self.devices = certificate, key, authority, devices


class Store:
    """A state directory with devices, a key in the store, and a grant of it to their fleet.

    Without devices there is no key in it either: the one of the command line goes to every certificate. `database` is
    a PostgreSQL URL, for a store that is there.
    """

    def __init__(self, program, directory, devices, database=None):
        os.makedirs(directory)
        self.environment = {**os.environ, **({"STORE_DATABASE": database} if database else {})}
        self.program, self.path = program, os.path.join(directory, "state")
        self.root_key = os.path.join(directory, "root.key")
        self.has_keys = devices > 0
        self.run("ca", "init", "--hostname", "localhost")
        succeed(program, "key", "new", "--out", self.root_key)
        if self.has_keys:
            self.fill(directory, devices)

    def fill(self, directory, devices):
        names = os.path.join(directory, "devices.csv")
        with open(names, "w", encoding="utf-8") as file:
            file.writelines(f"device-{n},shops,bench\n" for n in range(devices))
        self.run("device", "add", "--csv", names, "--out", os.path.join(directory, "devices"))
        self.run("operator", "init", "--root-key-file", self.root_key)
        self.run("key", "new", "default", "--root-key-file", self.root_key)
        self.run("grant", "add", "default", "--fleet", "shops")
        self.certificates = Certificates(
            *(os.path.join(self.path, name) for name in ("server.pem", "server-key.pem", "ca.pem")),
            os.path.join(directory, "devices"),
        )

    def run(self, *arguments):
        return succeed(self.program, *arguments, "--state", self.path, env=self.environment)


def original_certificates(directory):
    """As the original makes them: one self-signed certificate, RSA of 4096 bits, for the server and every device."""
    device = os.path.join(directory, "devices", "shared")
    os.makedirs(device)
    certificate, key = os.path.join(device, "cert.pem"), os.path.join(device, "key.pem")
    succeed(
        "openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "30", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-addext", "extendedKeyUsage=serverAuth,clientAuth",
        "-keyout", key, "-out", certificate, stderr=subprocess.DEVNULL,
    )
    return Certificates(certificate, key, certificate, os.path.join(directory, "devices"))


class Server:
    """A running server. `pids` are all of its processes."""

    def __init__(self, command, port, environment=None):
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} did not come up")
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    @property
    def pids(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [pid, *(int(child) for child in file.read().split())]

    def cpu_seconds(self):
        """Processor time of all processes so far."""
        ticks = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_mebibytes(self):
        """The most resident memory that each process had, added up."""
        total = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
        return total / 1024


def free_port():
    """Below the ports that the kernel gives to connections, of which a benchmark makes many."""
    while True:
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("", random.randrange(15000, 32000)))
            return listener.getsockname()[1]


def nginx(directory, certificates):
    """Debian's nginx with the same certificates, without a log."""
    port = free_port()
    os.makedirs(directory, exist_ok=True)
    configuration = os.path.join(directory, "nginx.conf")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(NGINX.format(directory=directory, port=port, answer=ANSWER, **vars(certificates)))
    path = os.environ["PATH"] + ":/usr/sbin"
    return Server([shutil.which("nginx", path=path), "-e", "stderr", "-p", directory, "-c", configuration], port)


def secure_store(store, certificates=None):
    """`secure-store serve` over a store: policy, and an audit log that is on disk before an answer leaves."""
    port = free_port()
    command = [
        store.program, "serve", "--state", store.path, "--listen", f"127.0.0.1:{port}", "--admin-listen", "none",
        "--root-key-file" if store.has_keys else "--key-file", store.root_key, "--log-level", "error",
    ]
    if certificates:
        command += ["--cert", certificates.certificate, "--key", certificates.key, "--client-ca", certificates.authority]
    return Server(command, port, store.environment)
