#!/usr/bin/env python3
"""A stand-in for balena's API, from its documentation alone.

What it follows: https://docs.balena.io/reference/api/overview (versions, authentication, OData filters,
rate limits) and the pages of the resources used here, below https://docs.balena.io/reference/api/resources;
open-balena-api's sources, published by balena, for what those leave out: names and lengths of variables,
409 for what must be unique, 401 for an entry that belongs to something the token may not touch.

    api.py DIRECTORY [PORT]

DIRECTORY holds `server.pem` and `server-key.pem`, and `world.json`:

    tokens        {"TOKEN": ["fleet slug", ...]}     what each may see and change
    applications  [{"id": 1, "slug": "acme/shops"}]
    devices       [{"id": 1, "uuid": "…", "device_name": "…", "application": 1}]
    services      [{"id": 1, "application": 1, "service_name": "till"}]
    installs      [{"id": 1, "device": 1, "service": 1}]
    variables     [{"resource": "device_environment_variable", "device": 1, "name": "X", "value": "y"}]
    faults        [{"match": "POST /v7/device_env", "times": 2, "do": "500"}]

A fault is done to the first requests that begin so: a status (`429 2` with `Retry-After: 2`), `drop` before
the request is looked at, `drop-after` it was done, `slow 1.5` (seconds), `drip` (a byte at a time),
`text` (an answer that is no JSON), `huge`, `hang`.

It writes `port` when it listens, `state.json` (variables by resource, then owner, then name) and
`requests.json` (a line each: time, method, target, body, and for one that came earlier than a
`Retry-After` allowed, "early": true) as they come.
"""

import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

# Resource, then: what may be read, which of it are links and to what, which together are unique.
MODEL = {
    "application": ({"id", "slug", "app_name"}, {}, []),
    "device": ({"id", "uuid", "device_name", "belongs_to__application"},
               {"belongs_to__application": "application"}, []),
    "service": ({"id", "application", "service_name"}, {"application": "application"}, []),
    "service_install": ({"id", "device", "installs__service"},
                        {"device": "device", "installs__service": "service"}, []),
    "device_environment_variable": ({"id", "device", "name", "value"}, {"device": "device"}, ["device", "name"]),
    "application_environment_variable": ({"id", "application", "name", "value"},
                                         {"application": "application"}, ["application", "name"]),
    "service_environment_variable": ({"id", "service", "name", "value"}, {"service": "service"}, ["service", "name"]),
    "device_service_environment_variable": ({"id", "service_install", "name", "value"},
                                            {"service_install": "service_install"}, ["service_install", "name"]),
}
# balena.sbvr of open-balena-api: the longest value, in characters.
LENGTHS = {"device_environment_variable": 515798, "application_environment_variable": 106104,
           "service_environment_variable": 100000, "device_service_environment_variable": 285082}


class Problem(Exception):
    """An answer other than what was asked for."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Filter:
    """An OData filter: or, and, not, parentheses, eq, ne, in, any, paths over links, literals."""

    TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z_][A-Za-z0-9_]*)|([()/:,]))")

    def __init__(self, text, world):
        self.world, self.tokens, at = world, [], 0
        while at < len(text.rstrip()):
            match = self.TOKEN.match(text, at)
            if not match:
                raise Problem(400, f"Malformed url: $filter at {at}")
            self.tokens.append(match.group().strip())
            at = match.end()
        self.at = 0
        self.test = self.either()
        if self.at != len(self.tokens):
            raise Problem(400, "Malformed url: $filter goes on")

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.peek()
        if token is None or wanted not in (None, token):
            raise Problem(400, f"Malformed url: $filter wants {wanted}")
        self.at += 1
        return token

    def either(self):
        tests = [self.both()]
        while self.peek() == "or":
            self.take()
            tests.append(self.both())
        return lambda scope: any(test(scope) for test in tests)

    def both(self):
        tests = [self.one()]
        while self.peek() == "and":
            self.take()
            tests.append(self.one())
        return lambda scope: all(test(scope) for test in tests)

    def one(self):
        if self.peek() == "not":
            self.take()
            test = self.one()
            return lambda scope: not test(scope)
        if self.peek() == "(":
            self.take()
            test = self.either()
            self.take(")")
            return test
        path = [self.take()]
        while self.peek() == "/":
            self.take()
            if self.peek() == "any":
                self.take()
                self.take("(")
                name = self.take()
                self.take(":")
                inner = self.either()
                self.take(")")
                return lambda scope: any(inner({**scope, name: entry}) for entry in self.follow(path, scope, True))
            path.append(self.take())
        word = self.take()
        if word in ("eq", "ne"):
            literal = self.literal()
            return lambda scope: (self.value(path, scope) == literal) == (word == "eq")
        if word == "in":
            self.take("(")
            literals = [self.literal()]
            while self.peek() == ",":
                self.take()
                literals.append(self.literal())
            self.take(")")
            return lambda scope: self.value(path, scope) in literals
        raise Problem(400, f"Malformed url: $filter has no {word}")

    def literal(self):
        token = self.take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        raise Problem(400, f"Malformed url: {token} is no literal")

    def follow(self, path, scope, to_end):
        """The entries at the end of a path of links."""
        if path[0] in scope:
            resource, entry, path = *scope[path[0]], path[1:]
        else:
            resource, entry = scope[None]
        for name in path if to_end else path[:-1]:
            links = MODEL[resource][1]
            if name not in links:
                raise Problem(400, f"Malformed url: {resource} has no link {name}")
            resource, entry = links[name], self.world.find(links[name], entry[name])
            if entry is None:
                return []
        return [(resource, entry)]

    def value(self, path, scope):
        found = self.follow(path, scope, False)
        if not found:
            return None
        resource, entry = found[0]
        if path[-1] not in MODEL[resource][0]:
            raise Problem(400, f"Malformed url: {resource} has no field {path[-1]}")
        return entry[path[-1]]


class World:
    """All entries, and who may see which."""

    def __init__(self, directory):
        self.directory = directory
        with open(os.path.join(directory, "world.json"), encoding="utf-8") as file:
            told = json.load(file)
        self.lock = threading.RLock()
        self.tokens = told["tokens"]
        self.faults = told.get("faults", [])
        self.entries = {resource: {} for resource in MODEL}
        self.quiet_until = 0.0
        for entry in told.get("applications", []):
            self.entries["application"][entry["id"]] = {**entry, "app_name": entry["slug"].split("/")[1]}
        for entry in told.get("devices", []):
            self.entries["device"][entry["id"]] = {
                "id": entry["id"], "uuid": entry["uuid"], "device_name": entry["device_name"],
                "belongs_to__application": entry["application"]}
        for entry in told.get("services", []):
            self.entries["service"][entry["id"]] = dict(entry)
        for entry in told.get("installs", []):
            self.entries["service_install"][entry["id"]] = {
                "id": entry["id"], "device": entry["device"], "installs__service": entry["service"]}
        self.next = 1000
        for entry in told.get("variables", []):
            entry = dict(entry)
            resource = entry.pop("resource")
            self.entries[resource][self.next] = {"id": self.next, **entry}
            self.next += 1
        self.save()

    def find(self, resource, number):
        return self.entries[resource].get(number)

    def fleet(self, resource, entry):
        """The slug of the fleet that an entry belongs to."""
        while resource != "application":
            links = MODEL[resource][1]
            link = "device" if "device" in links else next(iter(links))
            resource, entry = links[link], self.find(links[link], entry[link])
            if entry is None:
                return None
        return entry["slug"]

    def may(self, token, resource, entry):
        return self.fleet(resource, entry) in self.tokens[token]

    def save(self):
        state = {}
        for resource in LENGTHS:
            owner = next(iter(MODEL[resource][1]))
            for entry in self.entries[resource].values():
                state.setdefault(resource, {}).setdefault(str(entry[owner]), {})[entry["name"]] = entry["value"]
        path = os.path.join(self.directory, "state.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(state, file)
        os.rename(path + ".new", path)

    def fault(self, request):
        for fault in self.faults:
            if fault.get("times", 1) > 0 and request.startswith(fault["match"]):
                fault["times"] = fault.get("times", 1) - 1
                return fault["do"]
        return None

    def note(self, **facts):
        with open(os.path.join(self.directory, "requests.json"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time.time(), **facts}) + "\n")

    # What can be asked.

    def get(self, token, resource, number, options):
        entries = [entry for entry in self.entries[resource].values() if self.may(token, resource, entry)]
        if number is not None:
            entries = [entry for entry in entries if entry["id"] == number]
        if "$filter" in options:
            keep = Filter(options["$filter"], self).test
            entries = [entry for entry in entries if keep({None: (resource, entry)})]
        if options.get("$orderby", "id asc") not in ("id", "id asc"):
            raise Problem(400, "Malformed url: this stand-in orders by id")
        entries.sort(key=lambda entry: entry["id"])
        entries = entries[int(options.get("$skip", 0)):]
        if "$top" in options:
            entries = entries[:int(options["$top"])]
        fields, links, _ = MODEL[resource]
        wanted = options.get("$select", "").split(",") if "$select" in options else sorted(fields)
        if unknown := set(wanted) - fields:
            raise Problem(400, f"Malformed url: no field {unknown}")
        return {"d": [{name: {"__id": entry[name]} if name in links else entry[name] for name in wanted}
                      for entry in entries]}

    def check(self, resource, body):
        if not isinstance(body.get("value", ""), str) or not isinstance(body.get("name", ""), str):
            raise Problem(400, "name and value are text")
        name, value = body.get("name"), body.get("value", "")
        if name is not None and (re.search(r"^\d|\W", name, re.A) or not name):
            raise Problem(400, "Environment variable names can only contain alphanumeric characters and underscores.")
        if name is not None and (name in ("RESIN", "BALENA", "USER") or name.startswith(("RESIN_", "BALENA_"))):
            raise Problem(400, "Environment variables beginning with RESIN_, BALENA_ are reserved.")
        if "\r" in value or "\n" in value:
            raise Problem(400, "Variable values cannot contain line break characters")
        if len(value) > LENGTHS[resource]:
            raise Problem(400, "It is necessary that each value is not longer")

    def post(self, token, resource, body):
        owner = next(iter(MODEL[resource][1]))
        if set(body) != {owner, "name", "value"} or resource not in LENGTHS:
            raise Problem(400, "not the fields of this resource")
        self.check(resource, body)
        # The documentation's examples have the number in quotes; both are taken.
        body[owner] = int(body[owner])
        parent = self.find(MODEL[resource][1][owner], body[owner])
        if parent is None or not self.may(token, MODEL[resource][1][owner], parent):
            raise Problem(401, "Unauthorized")
        for entry in self.entries[resource].values():
            if all(entry[field] == body[field] for field in MODEL[resource][2]):
                raise Problem(409, f'"{owner}" and "name" must be unique.')
        entry = {"id": self.next, **body}
        self.next += 1
        self.entries[resource][entry["id"]] = entry
        self.save()
        return {**entry, owner: {"__id": entry[owner]}}

    def patch(self, token, resource, number, body):
        if number is None:
            raise Problem(400, "this stand-in changes one entry at a time")
        if resource not in LENGTHS or not set(body) <= {"value", "name"}:
            raise Problem(400, "not the fields of this resource")
        self.check(resource, body)
        entry = self.find(resource, number)
        if entry is None or not self.may(token, resource, entry):
            raise Problem(401, "Unauthorized")
        entry.update(body)
        self.save()
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *_):
        pass

    def serve(self):
        world = self.world
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length).decode("utf-8")
        target = unquote(self.path)
        with world.lock:
            early = time.monotonic() < world.quiet_until
            world.note(method=self.command, target=target, body=raw, early=early,
                       agent=self.headers.get("User-Agent"), authorized="Authorization" in self.headers)
            fault = "429 1" if early else world.fault(f"{self.command} {target}")
            words = (fault or "").split()
            if words and words[0].isdigit():
                headers = {}
                if len(words) > 1:
                    world.quiet_until = time.monotonic() + float(words[1])
                    headers["Retry-After"] = words[1]
                self.answer(int(words[0]), "Too Many Requests", headers)
                return
        if fault == "hang":
            time.sleep(3600)
        if fault == "drop":
            return self.drop()
        if words[:1] == ["slow"]:
            time.sleep(float(words[1]))
        try:
            with world.lock:
                status, answer = self.do(world, raw)
        except Problem as problem:
            status, answer = problem.status, str(problem)
        if fault == "drop-after":
            return self.drop()
        if fault == "text":
            answer = "<html>a proxy's page</html>"
        if fault == "huge":
            answer = {"d": [], "padding": "x" * (8 << 20)}
        self.answer(status, answer, drips=fault == "drip")

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = serve

    def do(self, world, raw):
        parts = urlsplit(self.path)
        match = re.fullmatch(r"/v7/(\w+)(?:\((\d+)\))?", unquote(parts.path))
        token = re.fullmatch(r"Bearer ([!-~]+)", self.headers.get("Authorization", ""))
        if not match or match.group(1) not in MODEL:
            raise Problem(404, "Not Found")
        if not token or token.group(1) not in world.tokens:
            raise Problem(401, "Unauthorized")
        token, resource = token.group(1), match.group(1)
        number = int(match.group(2)) if match.group(2) else None
        if self.command == "GET":
            options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            if unknown := set(options) - {"$filter", "$select", "$top", "$skip", "$orderby"}:
                raise Problem(400, f"Malformed url: {unknown}")
            return 200, world.get(token, resource, number, options)
        if self.headers.get("Content-Type") != "application/json":
            raise Problem(415, "Unsupported Media Type")
        body = json.loads(raw)
        if self.command == "POST":
            return 201, world.post(token, resource, body)
        if self.command == "PATCH":
            return 200, world.patch(token, resource, number, body)
        raise Problem(405, "this stand-in neither replaces nor removes")

    def answer(self, status, answer, headers=None, drips=False):
        body = b"" if answer is None else (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        for part in [body[i:i + 1] for i in range(len(body))] if drips else [body]:
            self.wfile.write(part)
            self.wfile.flush()

    def drop(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        os.close(self.connection.detach())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, directory, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(directory, "server.pem"), os.path.join(directory, "server-key.pem"))

    def finish_request(self, request, client_address):
        # In the connection's own thread: one that does not shake hands holds up nobody.
        with self.context.wrap_socket(request, server_side=True) as connection:
            self.RequestHandlerClass(connection, client_address, self)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    directory = sys.argv[1]
    Handler.world = World(directory)
    server = Server(directory, int((sys.argv[2:] or [0])[0]))
    with open(os.path.join(directory, "port.new"), "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.rename(os.path.join(directory, "port.new"), os.path.join(directory, "port"))
    server.serve_forever()


if __name__ == "__main__":
    main()
