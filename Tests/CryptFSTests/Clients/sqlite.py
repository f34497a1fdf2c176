"""A database in a mount.

    sqlite.py check FILE MODE      transactions, then everything is compared
    sqlite.py endless FILE MODE    one transaction after the other; prints each number once committed
    sqlite.py verify FILE LAST     consistent, and everything up to LAST is there
    sqlite.py record FILE MODE LOG five transactions; prints each number and how long the log is once it is committed
    sqlite.py verify-all LIST      as verify, of each line's LAST and FILE; prints what is wrong with which
"""
import hashlib
import os
import sqlite3
import sys

# Of other tests' mounts, which could not be unmounted while it is open here.
os.closerange(3, 4096)

ACTION, FILE, ARGUMENT = (sys.argv + [""])[1:4]


def blob(number):
    return hashlib.sha512(str(number).encode()).digest() * (1 + number % 40)


def connect(mode=None):
    # psow=0: writing over a part of a sector may damage the rest of it.
    name = "file:" + FILE + "?psow=" + os.environ.get("PSOW", "0")
    database = sqlite3.connect(name, isolation_level=None, timeout=30, uri=True)
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
elif ACTION == "record":
    database = connect(ARGUMENT)
    # In mode delete a transaction is durable only with it.
    database.execute("pragma synchronous=extra")
    database.execute("create table t(id integer primary key, v blob)")
    for number in range(5):
        database.execute("begin")
        database.execute("insert into t values (?, ?)", (number, blob(number + 20)))
        database.execute("update t set v = ? where id = ?", (blob(number), number))
        database.execute("commit")
        print(number, os.stat(sys.argv[4]).st_size, flush=True)
    # As it is when the power goes.
    os._exit(0)
elif ACTION == "verify-all":
    for line in open(FILE):
        last, FILE = line.split()
        try:
            consistent(connect(), int(last))
        except (AssertionError, sqlite3.Error) as error:
            print(FILE, type(error).__name__, error)
else:
    consistent(connect(), int(ARGUMENT))
