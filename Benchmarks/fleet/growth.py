"""A store that grows: rows as the store's own commands would have left them, in seconds instead of hours."""

import os
import sqlite3


def grow(path, devices):
    """Fills a store that no server has open up to so many devices, each with a tag, a certificate and an entry in the
    audit log. The rows take after those that are there; the hashes of the log's new entries lead nowhere."""
    database = sqlite3.connect(os.path.join(path, "store.db"), isolation_level=None)
    database.executescript("pragma synchronous = off; pragma cache_size = -500000; pragma temp_store = memory; begin")
    last, there = database.execute("select max(id), count(*) from devices").fetchone()
    new = f"""
        with recursive new(id) as (select {last} + 1 union all select id + 1 from new where id < {last + devices - there})
    """
    if there < devices:
        database.execute(f"""{new} insert into devices (id, name, fleet, added_at)
            select new.id, 'grown-' || new.id, old.fleet, old.added_at from new, devices old where old.id = {last}""")
        database.execute(f"{new} insert into device_tags (device, tag) select id, 'bench' from new")
        # In the order of the key: a million insertions anywhere in the tree would take an hour.
        database.execute(f"""{new} insert into certificates (fingerprint, device, pem, issued_at, not_after)
            select lower(hex(randomblob(32))), new.id, old.pem, old.issued_at, old.not_after
            from new, (select * from certificates where device = {last} limit 1) old order by 1""")
        number, entry, digest = database.execute(
            "select number, entry, hash from audit order by number desc limit 1").fetchone()
        database.execute(f"{new} insert into audit (number, entry, hash) select id - {last} + {number}, ?, ? from new",
                         (entry, digest))
    database.execute("commit")
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    return os.path.getsize(os.path.join(path, "store.db"))
