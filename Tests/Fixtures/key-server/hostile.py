"""Servers that do what key servers should not, on loopback, for KeySourcesTests.

usage: hostile.py DIRECTORY

DIRECTORY holds NAME.pem and NAME.key of the certificates below. Prints one line `NAME PORT` for each
listener and then `ready`; ends with its parent. On a listener that speaks HTTP the first part of the
path says how it behaves; see `behave`.
"""

import os
import socket
import ssl
import sys
import threading
import time

DIRECTORY = sys.argv[1]
KEYS = b'{"keys":{"default":"hunter2","db":"second"},"lease":0}'
PASSWORD = b'{"password":"hunter2"}\n'


def context(certificate, client_ca="ca", maximum=None, minimum=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{DIRECTORY}/{certificate}.pem", f"{DIRECTORY}/{certificate}.key")
    if client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(f"{DIRECTORY}/{client_ca}.pem")
    if maximum:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = minimum or maximum
        made.maximum_version = maximum
    return made


def read_request(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        more = stream.recv(65536)
        if not more:
            return None
        head += more
    head, body = head.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    while len(body) < int(fields.get("content-length", 0)):
        body += stream.recv(65536)
    method, path, _ = lines[0].split(" ")
    return method, path, fields, body


def answer(stream, status, body=b"", fields=(), version="1.1"):
    lines = [f"HTTP/{version} {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    stream.sendall("\r\n".join(lines).encode() + body)


def drip(stream, data):
    for byte in data:
        stream.sendall(bytes([byte]))
        time.sleep(0.05)


def behave(stream):
    request = read_request(stream)
    if request is None:
        return
    method, path, fields, body = request
    _, kind, rest = path.split("/", 2)
    is_key = rest == "key"
    if kind == "good":
        answer(stream, "200 OK", KEYS)
    elif kind == "echo":
        text = f"{method} {path} {fields.get('authorization')} {fields['host']} {fields['user-agent']} "
        quoted = (text.encode() + body).decode().replace("\\", "\\\\").replace('"', '\\"')
        answer(stream, "403 Forbidden", b'{"error":{"code":"echo","message":"%s"}}' % quoted.encode())
    elif kind == "parrot":
        text = b"you sent abc.DEF-123"
        answer(stream, "401 Unauthorized", b'{"error":{"code":"x","message":"%s"}}' % text)
    elif kind == "recorded":
        with open(f"{DIRECTORY}/recorded", "a") as file:
            file.write(f"{method} {path}\n")
        if is_key:
            answer(stream, "201 Created", PASSWORD)
        else:
            answer(stream, "404 Not Found", b"404")
    elif kind in ("original", "405"):
        if is_key:
            answer(stream, "201 Created", PASSWORD)
        else:
            answer(stream, "405 Method Not Allowed" if kind == "405" else "404 Not Found", b"404")
    elif kind == "static201":
        answer(stream, "201 Created", PASSWORD)
    elif kind == "status":
        code, _ = rest.split("/", 1)
        answer(stream, f"{code} Whatever", b"<html>", ["Content-Type: text/html"])
    elif kind == "redirect":
        answer(stream, "302 Found", b"", ["Location: https://elsewhere.example:1/secret?token=x"])
    elif kind == "html":
        answer(stream, "200 OK", b"<html>welcome</html>")
    elif kind == "huge":
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
        for _ in range(160):
            stream.sendall(b" " * 65536)
    elif kind == "endless":
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            stream.sendall(b" " * 65536)
    elif kind == "huge500":
        answer(stream, "500 Oops", b" " * 10485760)
    elif kind == "headers":
        stream.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            stream.sendall(b"X-Header: " + b"x" * 1000 + b"\r\n")
    elif kind == "line":
        stream.sendall(b"HTTP/1.1 200 OK\r\nX-Header: ")
        while True:
            stream.sendall(b"x" * 1000)
    elif kind == "drip":
        drip(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000)
    elif kind == "hang":
        time.sleep(60)
    elif kind == "midbody":
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    elif kind == "midhead":
        stream.sendall(b"HTTP/1.1 200 O")
    elif kind == "silent":
        pass
    elif kind == "truncated":
        stream.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"keys":{"default":"hunt')
    elif kind == "old":
        stream.sendall(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + KEYS)
    elif kind == "chunked":
        stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in KEYS:
            stream.sendall(b"1;x=y\r\n" + bytes([byte]) + b"\r\n")
        stream.sendall(b"0\r\nTrailer: x\r\n\r\n")
    elif kind == "twice":
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ")
    elif kind == "nonhttp":
        stream.sendall(b"220 mail.example ESMTP\r\n")
    elif kind == "continue":
        stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        answer(stream, "200 OK", KEYS)
    elif kind == "limited":
        answer(stream, "429 Too Many Requests", b"", ["Retry-After: 7"])
    elif kind == "busy":
        answer(stream, "503 Service Unavailable", b"", ["Retry-After: 9"])
    elif kind == "pending":
        answer(stream, "202 Accepted", b'{"code":"KZ-41","poll_after":2}')
    elif kind == "approved":
        state = f"{DIRECTORY}/approved"
        if os.path.exists(state):
            answer(stream, "200 OK", KEYS)
        else:
            open(state, "w").close()
            answer(stream, "202 Accepted", b'{"code":"KZ-41","poll_after":2}')
    elif kind == "denied":
        body = b'{"error":{"code":"device_revoked","message":"revoked\\nby ada"}}'
        answer(stream, "403 Forbidden", body)
    elif kind == "denied-cut":
        stream.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\n{")
    elif kind == "flaky":
        state = f"{DIRECTORY}/flaky"
        count = int(open(state).read()) if os.path.exists(state) else 0
        with open(state, "w") as file:
            file.write(str(count + 1))
        if count < 3:
            answer(stream, "500 Oops" if count < 2 else "502 Bad Gateway", b"")
        else:
            answer(stream, "200 OK", KEYS)
    else:
        answer(stream, "418 Unknown behaviour", b"")


def serve_tls(connection, tls):
    with tls.wrap_socket(connection, server_side=True) as stream:
        behave(stream)
        if stream.version() != "TLSv1.3":
            stream.unwrap()


def serve_plain(connection, _):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def serve_page(connection, _):
    connection.recv(65536)
    connection.sendall(b"<!DOCTYPE HTML><html>Bad request syntax</html>")


def serve_banner(connection, _):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    connection.recv(65536)


def serve_nothing(connection, _):
    time.sleep(60)


def serve_slow(connection, tls):
    connection.sendall(b"\x16\x03\x03\x40\x00")
    drip(connection, bytes(1000))


def serve_close(connection, _):
    connection.recv(65536)


def listen(name, serve, tls=None, backlog=64):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    print(name, listener.getsockname()[1], flush=True)

    def guarded(connection):
        try:
            serve(connection, tls)
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def accept():
        while True:
            connection, _ = listener.accept()
            connection.settimeout(60)
            threading.Thread(target=guarded, args=(connection,), daemon=True).start()

    if serve:
        threading.Thread(target=accept, daemon=True).start()
    return listener


listen("tls", serve_tls, context("server"))
listen("tls12", serve_tls, context("server", maximum=ssl.TLSVersion.TLSv1_2))
listen("tls11", serve_tls, context("server", maximum=ssl.TLSVersion.TLSv1_1))
listen("anyone", serve_tls, context("server", client_ca=None))
listen("original", serve_tls, context("original", client_ca="original"))
listen("expired", serve_tls, context("expired"))
listen("future", serve_tls, context("future"))
listen("otherhost", serve_tls, context("otherhost"))
listen("commonname", serve_tls, context("commonname"))
listen("stranger", serve_tls, context("stranger"))
listen("device", serve_tls, context("client"))
listen("refusing", serve_tls, context("server", client_ca="stranger-ca"))
listen(
    "refusing12",
    serve_tls,
    context("server", client_ca="stranger-ca", maximum=ssl.TLSVersion.TLSv1_2),
)
listen("plain", serve_plain)
listen("page", serve_page)
listen("banner", serve_banner)
listen("mute", serve_nothing)
listen("slow", serve_slow)
listen("closing", serve_close)
# Its queue is full: the kernel drops whoever else wants to connect.
full = listen("full", None, backlog=0)
queued = []
for _ in range(3):
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(full.getsockname())
    queued.append(filler)
print("ready", flush=True)
# Whoever started this may die without a word.
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.5)
