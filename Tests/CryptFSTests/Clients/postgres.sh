#!/bin/sh
# postgres.sh MOUNT SCRATCH SECONDS: a PostgreSQL cluster on a mount, under pgbench's load; killed, recovered, checked.
#
# Sockets and logs go to SCRATCH. Every page has a checksum; at the end pg_checksums reads all of them, and
# pg_amcheck compares tables with indexes.
set -eu
mount=$1 scratch=$2 seconds=$3
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
data=$mount/postgres
install -d -o postgres -g postgres -m 700 "$data" "$scratch"
cd "$scratch"

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
start() {
    as_postgres "$bin/pg_ctl" start -w -t 60 -s -D "$data" -l "$scratch/log" \
        -o "-c listen_addresses= -c unix_socket_directories=$scratch -c max_wal_size=128MB"
}
trap 'as_postgres "$bin/pg_ctl" stop -s -m immediate -D "$data" 2>"$scratch/stop" || true' EXIT

as_postgres "$bin/initdb" -D "$data" --data-checksums --auth=trust >"$scratch/initdb" 2>&1
start
export PGHOST="$scratch" PGUSER=postgres PGDATABASE=postgres
"$bin/pgbench" -q -i -s 2 >"$scratch/pgbench" 2>&1
"$bin/pgbench" -n -c 4 -j 2 -T "$seconds" >>"$scratch/pgbench" 2>&1
# Killed in the middle of it, and recovered from its log.
"$bin/pgbench" -n -c 4 -j 2 -T 60 >"$scratch/killed" 2>&1 &
load=$!
sleep 1
as_postgres "$bin/pg_ctl" stop -s -m immediate -D "$data"
wait "$load" || true
start
"$bin/psql" -qAt -c 'create extension if not exists amcheck'
"$bin/pg_amcheck" --heapallindexed postgres
# What one transaction does to four tables is in all of them or in none.
balances=$("$bin/psql" -qAt -c 'select (select sum(abalance) from pgbench_accounts) =
    (select sum(tbalance) from pgbench_tellers) and (select sum(bbalance) from pgbench_branches) =
    (select sum(delta) from pgbench_history)')
[ "$balances" = t ] || { echo "the balances differ" >&2; exit 1; }
as_postgres "$bin/pg_ctl" stop -s -m fast -D "$data"
as_postgres "$bin/pg_checksums" --check -D "$data" >"$scratch/checksums"
grep -E 'number of transactions actually|^tps' "$scratch/pgbench"
grep 'Blocks scanned' "$scratch/checksums"
