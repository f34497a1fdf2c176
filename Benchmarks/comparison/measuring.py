"""Rounds of the same work on several columns, and what becomes of them: medians, and failures by name."""

import os
import random
import shutil
import sqlite3
import statistics
import sys
import time
from dataclasses import dataclass

import fsbench

# Kept before the first round puts another in its place.
FSBENCH_WORK = fsbench.run_all


@dataclass(frozen=True)
class Cell:
    """A figure of one column: the median of the rounds that did the work, and why the others did not."""

    median: float | None
    good: int
    rounds: int
    failure: str | None

    def text(self):
        """As it stands in a table. One corrupt database is one too many: no figure stands beside it."""
        if self.failure is None:
            return f"{self.median:.0f}"
        if self.failure == "corrupt" or self.median is None:
            return self.failure if self.good == 0 else f"{self.failure} ({self.rounds - self.good} of {self.rounds} rounds)"
        return f"{self.median:.0f} ({self.failure} in {self.rounds - self.good} of {self.rounds} rounds)"

    @property
    def figure(self):
        """What may be compared: the median, unless something was corrupt."""
        return None if self.failure == "corrupt" else self.median


def on_mount(column, work, directory):
    """Has `work` done on a column's mount point, mounted afresh as fsbench.py mounts it; returns what it returns."""
    fsbench.run_all = lambda mount, _: work(mount)
    return fsbench.one_round(column.name, column.command, False, directory)


def cause(error):
    """`corrupt` where SQLite says that the database is no longer one, else `failed`."""
    codes = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    # The extended code's low byte is the code itself.
    return "corrupt" if getattr(error, "sqlite_errorcode", 0) & 0xFF in codes else "failed"


def whole(database):
    """Reads a database again, from the storage, as a program does that starts after the one that wrote it.

    The rows must be there, and SQLite's own check content: a figure for a database that is gone by then is none.
    """
    fsbench.drop_caches()
    connection = sqlite3.connect(database)
    try:
        answer = connection.execute("pragma integrity_check").fetchone()[0]
        if answer != "ok" or connection.execute("select count(*) from t").fetchone()[0] == 0:
            error = sqlite3.DatabaseError(answer)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
    finally:
        connection.close()


def fsbench_rows(quick):
    """The work of fsbench.py: takes a mount point, returns for each row its figure or the name of its failure."""

    def work(mount):
        failures = {}

        def timed(function):
            began = time.perf_counter()
            try:
                done = function()
            except Exception as error:
                print(f"    {function.__name__} failed: {error}", file=sys.stderr)
                failures[function.__name__] = cause(error)
                return None
            return done / (time.perf_counter() - began)

        fsbench.timed = timed
        rows = FSBENCH_WORK(mount, quick)
        if rows["sqlite"] is not None:
            try:
                whole(os.path.join(mount, "t.db"))
            except sqlite3.Error as error:
                print(f"    sqlite, read again: {error}", file=sys.stderr)
                failures["sqlite"] = cause(error)
        return {row: failures.get(row, value) for row, value in rows.items()}

    return work


def interleaved(columns, work, rounds, directory):
    """Every column once a round, in a random order: what else the machine does, and what a column leaves to the next one
    (a virtual machine gives freed memory back to its host), hits all alike.

    Returns by column's name a list of what `work` returned; a round whose mount failed is not in it.
    """
    results = {column.name: [] for column in columns}
    for number in range(rounds):
        for column in random.sample(columns, len(columns)):
            print(f"  round {number + 1} of {rounds}: {column.name}", file=sys.stderr)
            try:
                results[column.name].append(on_mount(column, work, directory))
            except Exception as error:
                print(f"    {column.name}: {error}", file=sys.stderr)
                results[column.name].append({})
    return results


def cells(rounds, rows):
    """The cells of one column out of its rounds."""
    found = {}
    for row in rows:
        values = [r.get(row, "failed") for r in rounds]
        good = [v for v in values if not isinstance(v, str)]
        bad = [v for v in values if isinstance(v, str)]
        worst = "corrupt" if "corrupt" in bad else "failed" if bad else None
        found[row] = Cell(statistics.median(good) if good else None, len(good), len(values), worst)
    return found
