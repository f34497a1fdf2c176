#!/bin/sh
# A PostgreSQL cluster on a mount.
#
#     postgres.sh load MOUNT SCRATCH SECONDS   made, under pgbench's load, killed, recovered, checked
#     postgres.sh make MOUNT SCRATCH           made, with what `record` needs, and stopped
#     postgres.sh record MOUNT SCRATCH LOG     transactions; prints each number and how long the log is once it is
#                                              committed; killed at the end
#     postgres.sh verify MOUNT SCRATCH LAST    starts, is consistent, and everything up to LAST is there
#
# Sockets and logs go to SCRATCH. Every page has a checksum.
set -eu
action=$1 mount=$2 scratch=$3 argument=${4:-}
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
data=$mount/postgres
install -d -o postgres -g postgres -m 700 "$data" "$scratch"
cd "$scratch"
export PGHOST="$scratch" PGUSER=postgres PGDATABASE=postgres

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
stop() { as_postgres "$bin/pg_ctl" stop -s -m "$1" -D "$data"; }
trap 'stop immediate 2>"$scratch/stop" || true' EXIT
start() {
    as_postgres "$bin/pg_ctl" start -w -t 60 -s -D "$data" -l "$scratch/log" \
        -o "-c listen_addresses= -c unix_socket_directories=$scratch $1" || {
        cat "$scratch/log" >&2
        exit 1
    }
}
make() {
    as_postgres "$bin/initdb" -D "$data" --data-checksums --auth=trust "$@" >"$scratch/initdb" 2>&1
}
ask() { "$bin/psql" -X -v ON_ERROR_STOP=1 -qAt -c "$1"; }
holds() {
    [ "$(ask "$1")" = t ] || {
        echo "$2" >&2
        exit 1
    }
}
check_indexes() { "$bin/pg_amcheck" --heapallindexed postgres; }

load() {
    make
    start "-c max_wal_size=128MB"
    "$bin/pgbench" -q -i -s 2 >"$scratch/pgbench" 2>&1
    "$bin/pgbench" -n -c 4 -j 2 -T "$1" >>"$scratch/pgbench" 2>&1
    # Killed in the middle of it, and recovered from its log.
    "$bin/pgbench" -n -c 4 -j 2 -T 60 >"$scratch/killed" 2>&1 &
    load=$!
    sleep 1
    stop immediate
    wait "$load" || true
    start "-c max_wal_size=128MB"
    ask 'create extension amcheck'
    check_indexes
    # What one transaction does to four tables is in all of them or in none.
    holds 'select (select sum(abalance) from pgbench_accounts) =
        (select sum(tbalance) from pgbench_tellers) and (select sum(bbalance) from pgbench_branches) =
        (select sum(delta) from pgbench_history)' "the balances differ"
    stop fast
    as_postgres "$bin/pg_checksums" --check -D "$data" >"$scratch/checksums"
    grep -E 'number of transactions actually|^tps' "$scratch/pgbench"
    grep 'Blocks scanned' "$scratch/checksums"
}

# So little memory that pages are written, and not synchronised, all the time.
small="-c shared_buffers=128kB -c autovacuum=off"

make_small() {
    make --wal-segsize=1
    start "$small"
    ask "create extension amcheck"
    ask "create function content(id int, round int) returns text immutable language sql as
        'select string_agg(md5(id || ''.'' || round || ''.'' || i), '''') from generate_series(1, 40) i'"
    ask "create table t(id int primary key, round int, v text)"
    stop fast
}

record() {
    start "$small"
    for number in 0 1 2 3 4 5 6 7; do
        case $number in
            3) ask "checkpoint" ;;
            # New files, of which nothing is synchronised before the next checkpoint.
            5) ask "create table u as select * from t; create index on u(v)" ;;
            6) ask "select pg_switch_wal()" >"$scratch/switch" ;;
        esac
        ask "begin;
            insert into t select id, 0, content(id, 0)
                from generate_series($number * 10, $number * 10 + 9) id;
            update t set round = 1, v = content(id, 1) where round = 0 and id < $number * 10;
            commit"
        echo "$number $(stat -c %s "$1")"
    done
    stop immediate
}

verify() {
    # Whose a file is was not recorded.
    chown -R postgres:postgres "$data"
    chmod -R u=rwX,go= "$data"
    start "$small"
    check_indexes
    last="(select coalesce(max(id) / 10, -1) from t)"
    holds "select $last >= $1" "a commit is lost: $(ask "select $last"), not $1"
    holds "select count(*) = 10 * ($last + 1) and
        coalesce(bool_and(v = content(id, round) and round = (id / 10 < $last)::int), true) from t" \
        "the table is not what was written"
    if [ "$(ask "select to_regclass('u') is null")" = t ]; then
        holds "select $last < 5" "a table is lost"
    else
        holds "select count(*) = 50 and bool_and(v = content(id, round)) from u" \
            "the new table is not what was written"
    fi
    stop immediate
}

case $action in
    load) load "$argument" ;;
    make) make_small ;;
    record) record "$argument" ;;
    verify) verify "$argument" ;;
esac
