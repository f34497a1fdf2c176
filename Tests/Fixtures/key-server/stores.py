#!/usr/bin/env python3
"""Writes stores/vN.sql: a store of each earlier form, with something in every table.

    Tests/Fixtures/key-server/stores.py VERSION…

The forms come from the steps in StoreSchema.swift as they were when this was run; a form that has been
written is never written again, so a step that is changed later does not go unnoticed.
"""

import hashlib
import json
import pathlib
import re
import sqlite3
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = (ROOT / "Sources/KeyServer/Store/StoreSchema.swift").read_text()
ROWS = [
    [("INSERT INTO devices (name, fleet, added_at, seen_at, seen_from) VALUES (?, ?, ?, ?, ?)",
      ("kiosk", "shops", 1000, 2000, "192.0.2.7")),
     ("INSERT INTO device_tags VALUES (1, 'north')", ()),
     ("INSERT INTO certificates VALUES (?, 1, ?, ?, ?, NULL)", ("ab" * 32, "PEM", 1000, 4102444800000))],
    [("INSERT INTO seal VALUES (1, ?, ?)", (bytes(range(32)), bytes(range(72)))),
     ("INSERT INTO generations VALUES (?, ?, ?, ?, ?, NULL, ?)", ("db", 1, "5f0c1a2b", bytes(91), 1000, 2000)),
     ("INSERT INTO grants VALUES ('db', 'fleet', 'shops', 1000)", ())],
    [("INSERT INTO lockdown VALUES (1, 3000, 'stolen')", ())],
    [("INSERT INTO holders VALUES ('db', 1, 1, 2000)", ())],
    [("INSERT INTO policies VALUES (?, ?, ?, ?)", ("fleet", "shops", 'releases 3', 1000)),
     ("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?)", ("device 1", "fleet", "shops", 2, 0, 2000))],
    [],
    [("INSERT INTO enrolment_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
      ("77aa01c4", bytes(32), "till-#", "shops", "north", 0, 30, 5, 1, 2, 1000, 4102444800000))],
    [("INSERT INTO tokens VALUES (?, ?, 1, NULL, ?, ?, NULL, NULL)", ("t1", "f1", 1000, 4102444800000)),
     ("INSERT INTO token_keys VALUES (?, ?, ?)", ("k1", bytes(72), 1000))],
]


def steps():
    """The steps' SQL, in order."""
    names = re.search(r"static let steps = \[(.*?)\n?\s*\]", SOURCE, re.S).group(1)
    for term in [part.strip() for part in names.split(",") if part.strip()]:
        yield "".join(re.search(rf'let {name.strip()} = """\n(.*?)"""', SOURCE, re.S).group(1)
                      for name in term.split("+"))


def main(versions):
    for version in versions:
        path = ROOT / f"Tests/Fixtures/key-server/stores/v{version}.sql"
        assert not path.exists(), f"{path} is not written again"
        base = sqlite3.connect(":memory:")
        for step in list(steps())[:version]:
            base.executescript(step)
        for statement, values in [row for rows in ROWS[:version] for row in rows]:
            base.execute(statement, values)
        last = bytes(32)
        for number in (1, 2, 3):
            entry = json.dumps({"number": number, "time": f"1970-01-01T00:00:0{number}.000Z", "act": "test"},
                               separators=(",", ":"))
            last = hashlib.sha256(last + entry.encode()).digest()
            base.execute("INSERT INTO audit VALUES (?, ?, ?)", (number, entry, last))
        base.commit()
        lines = [line for line in base.iterdump() if "sqlite_sequence" not in line]
        path.write_text("\n".join(lines) + f"\nPRAGMA user_version = {version};\n")


main([int(argument) for argument in sys.argv[1:]])
