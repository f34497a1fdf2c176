#!/bin/sh
# database.sh postgres|sqlite: a container's command, for DatabaseTests.
#
# Checks what an earlier round left on the volume, says so, and works on it until it is killed. What SQLite has
# committed is noted outside of the volume, and has to be there in the next round.
set -eu
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
home=/decrypted/database
round=$(($(cat /round 2>/dev/null || echo 0) + 1))
echo $round >/round
install -d -o database -m 700 $home /tmp/run
own() { setpriv --reuid=70 --regid=70 --clear-groups "$@"; }

postgres() {
    export PGHOST=/tmp/run PGUSER=database PGDATABASE=postgres
    [ $round -gt 1 ] || own "$bin/initdb" -D $home --data-checksums --auth=trust >/dev/null
    own "$bin/pg_ctl" start -w -s -D $home -l /tmp/run/log \
        -o "-c listen_addresses= -c unix_socket_directories=/tmp/run"
    if [ $round -eq 1 ]; then
        "$bin/pgbench" -q -i -s 1 2>/dev/null
        "$bin/psql" -qc 'create extension amcheck'
    else
        "$bin/pg_amcheck" --heapallindexed postgres
        [ "$("$bin/psql" -qAtc 'select (select sum(abalance) from pgbench_accounts) =
            (select sum(tbalance) from pgbench_tellers) and (select sum(bbalance) from pgbench_branches) =
            (select sum(delta) from pgbench_history)')" = t ]
        own "$bin/pg_ctl" stop -s -m fast -D $home
        own "$bin/pg_checksums" --check -D $home >/dev/null
        echo "consistent in round $round"
        own "$bin/pg_ctl" start -w -s -D $home -l /tmp/run/log \
            -o "-c listen_addresses= -c unix_socket_directories=/tmp/run"
    fi
    echo "round $round under load"
    exec "$bin/pgbench" -n -c 4 -j 2 -T 600 >/dev/null
}

sqlite() {
    file=$home/data
    if [ $round -gt 1 ]; then
        [ "$(sqlite3 $file 'pragma integrity_check')" = ok ]
        [ "$(sqlite3 $file 'select count(*) = max(id) and min(length(v)) = 3000 from t')" = 1 ]
        [ "$(sqlite3 $file 'select max(id) from t')" -ge "$(cat /committed)" ]
        echo "consistent in round $round"
    fi
    mode=wal
    [ $((round % 2)) -eq 1 ] || mode=delete
    sqlite3 $file "pragma journal_mode=$mode;
        create table if not exists t(id integer primary key, v blob)" >/dev/null
    echo "round $round under load"
    while true; do
        sqlite3 $file 'pragma synchronous=full; insert into t(v) values (randomblob(3000))'
        sqlite3 $file 'select max(id) from t' >/committed.new
        mv /committed.new /committed
    done
}

"$1"
