"""What scripts of the tests need to be devices of a key server: import it as `device`.

The environment says where the server is: SERVER_PORT, ADMIN_PORT, and FILES, a directory that holds
kiosk/cert.pem, kiosk/key.pem and kiosk/ca.pem.
"""

import hashlib
import http.client
import os
import socket
import ssl
import time

PORT = int(os.environ["SERVER_PORT"])
ADMIN = int(os.environ["ADMIN_PORT"])
FILES = os.environ["FILES"]
# Long enough for a machine with other work to do; nothing is measured by it.
PATIENCE = 40
GET = b"GET /key HTTP/1.1\r\nHost: x\r\n\r\n"


def context(certificate="kiosk/cert.pem", key="kiosk/key.pem", ca="kiosk/ca.pem"):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(f"{FILES}/{ca}")
    if certificate:
        made.load_cert_chain(f"{FILES}/{certificate}", f"{FILES}/{key}")
    return made


def tcp():
    return socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)


def connect(made=None):
    return (made or context()).wrap_socket(tcp(), server_hostname="localhost")


def exchange(connection, request=GET):
    """Sends a request over an open connection: status, head, body."""
    connection.sendall(request)
    return answer(connection)


def answer(connection):
    """Reads one whole answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            raise EOFError(data)
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = [l for l in head.lower().split(b"\r\n") if l.startswith(b"content-length:")]
    while len(body) < int(length[0].split(b":")[1]):
        body += connection.recv(4096)
    return int(head.split()[1]), head, body


def received(connection):
    """All that comes until the other side closes, however it does."""
    data = b""
    try:
        while more := connection.recv(4096):
            data += more
    except (ConnectionError, ssl.SSLError):
        pass
    return data


def ask(made=None, request=GET):
    """One connection, one request; None where there is no answer."""
    try:
        with connect(made) as connection:
            return exchange(connection, request)
    except (ConnectionError, ssl.SSLError, EOFError):
        return None


def admin(path, host=None):
    """Status and text of a page for monitoring."""
    connection = http.client.HTTPConnection("127.0.0.1", ADMIN, timeout=PATIENCE)
    connection.request("GET", path, headers={"Host": host} if host else {})
    got = connection.getresponse()
    return got.status, got.read().decode()


def figures():
    """What /metrics says, by name and labels as they are written."""
    lines = [l for l in admin("/metrics")[1].splitlines() if l and l[0] != "#"]
    return {name: float(value) for name, value in (l.rsplit(" ", 1) for l in lines)}


def until(condition, what):
    """Waits for something to come true."""
    end = time.monotonic() + PATIENCE
    while not (got := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return got


def fingerprint(connection):
    return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()
