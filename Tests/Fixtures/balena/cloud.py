#!/usr/bin/env python3
"""A stand-in for balena's command and the devices behind it, for tests of what is told to people.

    balena push FLEET --source DIR       builds DIR's one service, and starts a container for every device
    balena device restart UUID[,UUID…]   starts theirs anew
    balena device logs UUID              prints what its container has written

A device's variables are those that `api.py` holds at that moment: the fleet's, then its own. In the environment:
BALENA_STANDIN is the directory of `api.py`, where this keeps what it builds as well; BALENA_STANDIN_PREFIX begins
the names of images, containers and volumes; BALENA_STANDIN_SERVER is a container, and the name that devices call it by.

Unlike balena it does not restart what has ended: the tests look at how it ended.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

DIRECTORY = os.environ["BALENA_STANDIN"]
PREFIX = os.environ["BALENA_STANDIN_PREFIX"]
SERVER, NAME = os.environ["BALENA_STANDIN_SERVER"].split("=")


def docker(*arguments, check=True):
    return subprocess.run(["docker", *arguments], check=check, capture_output=True, text=True)


def load(name):
    with open(os.path.join(DIRECTORY, name), encoding="utf-8") as file:
        return json.load(file)


def devices():
    return {device["uuid"]: device for device in load("world.json")["devices"]}


def container(device):
    return f"{PREFIX}-{device['device_name']}"


def composition():
    """The one service of the composition that was pushed: as much of YAML as it is written in."""
    with open(os.path.join(DIRECTORY, "app.yml"), encoding="utf-8") as file:
        text = re.sub(r"^\s*#.*\n", "", file.read(), flags=re.M)
    body, = re.findall(r"^services:\n  \w+:\n((?:    .*\n)+)", text, re.M)
    service, name = {}, None
    for line in body.splitlines():
        if item := re.fullmatch(r"      - (\S+)", line):
            service[name].append(item.group(1))
        else:
            name, value = re.fullmatch(r"    (\w+):(?: (.+))?", line).groups()
            listed = value is None or value.startswith("[")
            service[name] = re.findall(r"[^\s,\"\[\]]+", value or "") if listed else value
    known = {"build", "restart", "privileged", "devices", "cap_add", "security_opt", "volumes"}
    assert set(service) <= known and service.get("privileged") != "true", service
    return service


def options(device):
    """What `docker run` is to be told."""
    service = composition()
    found = [["--device", value] for value in service.get("devices", [])]
    found += [["--cap-add", value] for value in service.get("cap_add", [])]
    found += [["--security-opt", value] for value in service.get("security_opt", [])]
    found += [["--volume", f"{container(device)}-{value}"] for value in service.get("volumes", [])]
    return [word for words in found for word in words]


def start(device, address):
    state = load("state.json")
    variables = dict(state.get("application_environment_variable", {}).get(str(device["application"]), {}))
    variables |= state.get("device_environment_variable", {}).get(str(device["id"]), {})
    docker("rm", "--force", container(device), check=False)
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())
        file.flush()
        docker("run", "--detach", "--name", container(device), "--add-host", f"{NAME}:{address}",
               "--env-file", file.name, *options(device), f"{PREFIX}-app")
    return device


def settled(device):
    """Whether the application has started, or the container has ended."""
    log = docker("logs", container(device))
    running = docker("inspect", "--format", "{{.State.Running}}", container(device)).stdout
    return "started" in log.stdout or running.strip() == "false"


def start_all(some):
    address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", SERVER).stdout.strip()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        waiting = list(pool.map(lambda device: start(device, address), some))
    deadline = time.monotonic() + 120
    while waiting := [device for device in waiting if not settled(device)]:
        if time.monotonic() > deadline:
            sys.exit("\n".join(f"{container(d)}: {docker('logs', container(d)).stderr}" for d in waiting))
        time.sleep(0.2)


def main():
    match sys.argv[1:]:
        case ["push", fleet, "--source", source]:
            shutil.copy(os.path.join(source, "docker-compose.yml"), os.path.join(DIRECTORY, "app.yml"))
            context = os.path.join(source, composition()["build"])
            built = docker("build", "--tag", f"{PREFIX}-app", context, check=False)
            if built.returncode:
                sys.exit(built.stdout + built.stderr)
            number, = (a["id"] for a in load("world.json")["applications"] if a["slug"] == fleet)
            start_all([device for device in devices().values() if device["application"] == number])
        case ["device", "restart", uuids]:
            start_all([devices()[uuid] for uuid in uuids.split(",")])
        case ["device", "logs", uuid]:
            log = docker("logs", container(devices()[uuid]))
            print(log.stdout + log.stderr, end="")
        case other:
            sys.exit(f"this stand-in does not know: {other}")


if __name__ == "__main__":
    main()
