"""A database in a mount.

    sqlite.py check FILE MODE      transactions, then everything is compared
    sqlite.py endless FILE MODE    one transaction after the other; prints each number once committed
    sqlite.py verify FILE LAST     consistent, and everything up to LAST is there
"""
import hashlib
import os
import sqlite3
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

ACTION, FILE, ARGUMENT = sys.argv[1:4]


def blob(number):
    return hashlib.sha512(str(number).encode()).digest() * (1 + number % 40)


def connect(mode=None):
    database = sqlite3.connect(FILE, isolation_level=None, timeout=30)
    if mode:
        assert database.execute("pragma journal_mode=" + mode).fetchone()[0] == mode
    database.execute("pragma synchronous=full")
    return database


def consistent(database, last):
    assert database.execute("pragma integrity_check").fetchone()[0] == "ok"
    rows = database.execute("select id, v from t order by id").fetchall()
    assert [row[0] for row in rows] == list(range(len(rows))), rows[:3]
    assert len(rows) > last, (len(rows), last)
    for number, value in rows:
        assert value == blob(number), number


if ACTION == "check":
    database = connect(ARGUMENT)
    database.execute("create table if not exists t(id integer primary key, v blob)")
    for number in range(60):
        database.execute("insert into t values (?, ?)", (number, blob(number)))
    database.execute("begin")
    for number in range(60, 400):
        database.execute("insert into t values (?, ?)", (number, blob(number)))
    database.execute("rollback")
    consistent(database, 59)
    database.execute("vacuum")
    consistent(database, 59)
    database.close()
    consistent(connect(), 59)
elif ACTION == "endless":
    database = connect(ARGUMENT)
    database.execute("create table if not exists t(id integer primary key, v blob)")
    number = 0
    while True:
        database.execute("insert into t values (?, ?)", (number, blob(number)))
        print(number, flush=True)
        number += 1
else:
    consistent(connect(), int(ARGUMENT))
