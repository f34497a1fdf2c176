"""What is compared: a mount a column, with the version and the options of whoever serves it."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass

import fsbench

PASSTHROUGH_SOURCE = "/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c"


@dataclass(frozen=True)
class Column:
    """A filesystem under test.

    `command` is what fsbench.py takes: run by a shell, it leaves $MNT mounted over $BACK; None measures $BACK itself.
    `about` is version and options; where the program is not there, `missing` says what would bring it.
    """

    name: str
    command: str | None
    about: str
    missing: str | None = None


def output(*command):
    """The first line that a program prints, or nothing where there is no such program."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip()


def raw(directory):
    """The disk itself, without a mount."""
    disk = " ".join(output("findmnt", "-no", "FSTYPE,OPTIONS", "-T", directory).split())
    return Column("raw", None, f"{disk}, without a mount")


def passthrough(work, writeback=False):
    """libfuse's own example, which encrypts nothing; built from the source that Debian ships with the library."""
    name = "passthrough+wb" if writeback else "passthrough"
    options = "cache=always" + (",writeback" if writeback else "")
    if not os.path.exists(PASSTHROUGH_SOURCE):
        return Column(name, None, "", f"{PASSTHROUGH_SOURCE}, which Debian's libfuse3-dev brings")
    program = os.path.join(work, "passthrough_ll")
    if not os.path.exists(program):
        command = ["cc", "-O2", "-I/usr/include/fuse3", "-o", program, PASSTHROUGH_SOURCE, "-lfuse3", "-pthread"]
        subprocess.run(command, check=True)
    library = output(program, "-V").rpartition(" ")[2]
    about = f"libfuse {library}, `passthrough_ll -o {options}`"
    return Column(name, f'{shlex.quote(program)} -o source="$BACK" -o {options} "$MNT"', about)


def gocryptfs():
    return peer("gocryptfs", output("gocryptfs", "-version").partition(";")[0], "AES-256-GCM, all options as they come")


def securefs():
    # `securefs version` of Debian's package knows no number.
    version = output("dpkg-query", "-W", "-f", "${Version}", "securefs")
    return peer("securefs", f"securefs {version}".strip(), "AES-128-GCM (format 4), all options as they come")


def rclone():
    return peer("rclone", output("rclone", "version"), "`mount --vfs-cache-mode writes --vfs-write-back 0`, crypt over local")


def peer(name, version, options):
    """A program that fsbench.py knows how to mount."""
    missing = None if shutil.which(name) else f"Debian's {name}"
    return Column(name, fsbench.BUILTIN[name], f"{version}, {options}", missing)


def ours(name, distribution, key, format, commit):
    """secure-init's mount of one of its formats, with its defaults; the view's end is its end."""
    program = os.path.join(distribution, "secure-init")
    command = (
        f"exec {shlex.quote(program)} --log-level error --key-source file:{shlex.quote(key)} --format {format}"
        ' --storage "$BACK" --config "$BENCH_ROOT/configuration" --mount "$MNT" -- sleep infinity'
    )
    missing = None if os.access(program, os.X_OK) else "`make build`"
    return Column(name, command, f"{output(program, '--version')}, commit {commit}, `--format {format}`", missing)
