"""The same operations on a mounted volume and on the disk below: results and error numbers have to be the same.

    oracle.py MOUNT DISK SUBJECT

Runs the subject in a new directory of each and compares what it noted. Fails with the lines that differ.
"""
import errno
import os
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

import oracle_content
import oracle_names
import oracle_rights


class Notes:
    """What a subject saw, line by line."""

    def __init__(self):
        self.lines = []

    def note(self, label, value):
        self.lines.append("%s: %r" % (label, value))

    def attempt(self, label, function, *arguments, **options):
        """Notes what a call returned, or the name of its error; gives back what it returned."""
        try:
            result = function(*arguments, **options)
        except OSError as error:
            self.note(label, errno.errorcode[error.errno])
            return None
        self.note(label, result)
        return result

    def as_user(self, user, label, function, *arguments):
        """Notes what a call does for somebody else, in the current directory."""
        into, outof = os.pipe()
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            notes = Notes()
            notes.attempt(label, function, *arguments)
            os.write(outof, notes.lines[0].encode())
            os._exit(0)
        os.close(outof)
        os.waitpid(child, 0)
        self.lines.append(os.read(into, 4096).decode())
        os.close(into)


def control(notes):
    """Has to differ, so that it is seen that a difference is."""
    notes.note("file system", os.stat(".").st_dev)


def run(parent, subject):
    home = os.path.join(parent, subject.__name__)
    os.mkdir(home)
    os.chmod(home, 0o777)
    os.umask(0o022)
    os.chdir(home)
    notes = Notes()
    try:
        subject(notes)
    finally:
        os.chdir("/")
    return notes.lines


if __name__ == "__main__":
    mount, disk, name = sys.argv[1:]
    subjects = {"control": control}
    for module in (oracle_content, oracle_names, oracle_rights):
        subjects.update(module.SUBJECTS)
    found, expected = run(mount, subjects[name]), run(disk, subjects[name])
    differences = ["volume %s\n  disk %s" % pair for pair in zip(found, expected) if pair[0] != pair[1]]
    if differences or len(found) != len(expected) or not found:
        sys.exit("%d of %d differ\n%s" % (len(differences), len(expected), "\n".join(differences)))
