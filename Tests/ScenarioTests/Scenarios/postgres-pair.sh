#!/usr/bin/env bash
# postgres-pair.sh DIRECTORY NAME SECURE-STORE: the commands of examples/postgres-pair/README.md, for PostgreSQLPairExampleTests.
#
# PostgreSQL and HAProxy are this machine's own, in images of the same distribution, with the variables of Docker Hub's.
set -euo pipefail
directory=$1 name=$2 program=$3
root=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$directory"
cp -R "$root/examples/postgres-pair/." .
mkdir -p images/postgres images/haproxy images/store
base=$("$root/scripts/base-image")

cat >images/postgres/entry <<'SCRIPT'
#!/bin/sh
set -e
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
data=/var/lib/postgresql/data
own="setpriv --reuid=70 --regid=70 --clear-groups"
chown 70:70 $data
if [ ! -e $data/PG_VERSION ]; then
    cat "$POSTGRES_PASSWORD_FILE" >/tmp/password
    chmod 644 /tmp/password
    $own "$bin/initdb" -D $data -U "$POSTGRES_USER" --pwfile=/tmp/password -E UTF8 --locale=C --auth=scram-sha-256
    echo "CREATE DATABASE $POSTGRES_DB" | $own "$bin/postgres" --single -D $data postgres
    echo "host all all all scram-sha-256" >>$data/pg_hba.conf
fi
# As after a machine's end: the process that it names may be another's by now.
rm -f $data/postmaster.pid
exec $own "$bin/postgres" -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp
SCRIPT
chmod +x images/postgres/entry
cat >images/postgres/Dockerfile <<FILE
FROM $base
RUN echo "postgres:x:70:70::/tmp:/bin/sh" >>/etc/passwd
COPY entry /entry
CMD ["/entry"]
FILE
# Mounted elsewhere than at /usr, where the configuration's own mount has to have its place.
cat >images/haproxy/entry <<'SCRIPT'
#!/bin/sh
loader=$(ls -d /host/lib64/ld-linux-*.so.* /host/lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
exec "$loader" --library-path "$(ls -d /host/lib/*-linux-gnu)" /host/sbin/haproxy -f /usr/local/etc/haproxy/haproxy.cfg
SCRIPT
chmod +x images/haproxy/entry
printf 'FROM %s\nCOPY entry /entry\nCMD ["/entry"]\n' "$base" >images/haproxy/Dockerfile
cp "$program" images/store/secure-store
printf 'FROM scratch\nCOPY secure-store /secure-store\nENTRYPOINT ["/secure-store"]\n' >images/store/Dockerfile
cat >docker-compose.override.yml <<'FILE'
version: "3.8"
services:
  database:
    volumes: ["/usr:/usr:ro"]
  front:
    volumes: ["/usr:/host:ro"]
FILE

export IMAGE_PREFIX=$name- POSTGRES_IMAGE=$name-postgres HAPROXY_IMAGE=$name-haproxy DOCKER_BUILDKIT=0
# A port of the kernel's choice.
export LISTEN=127.0.0.1: SUBNET=172.30.$((RANDOM % 200 + 20)).0/24
cleanup() {
    docker-compose down --volumes --timeout 2 >/dev/null 2>&1
    docker rmi --force "$name-postgres" "$name-haproxy" "$name-secure-store" >/dev/null 2>&1
}
trap cleanup EXIT
docker build --quiet --tag "$POSTGRES_IMAGE" images/postgres
docker build --quiet --tag "$HAPROXY_IMAGE" images/haproxy
docker build --quiet --tag "$name-secure-store" images/store

# until_done COMMAND…: again until it succeeds, for as long as a loaded machine may take.
until_done() {
    for _ in $(seq 100); do
        if "$@" >attempt 2>&1; then return 0; fi
        sleep 0.5
    done
    cat attempt >&2
    return 1
}
PATH=$PWD/images/store:$PATH
./prepare localhost
docker-compose up -d database
until_done ./store operator init --root-key-file /run/secrets/root-key
./store key new default --root-key-file /run/secrets/root-key
./store device add kiosk --out /work/kiosk
./store grant add default --device kiosk
docker-compose up -d
address=$(docker-compose port front 8443)

ask() {
    curl -s -m 20 -o /dev/null -w '%{http_code}' --cert kiosk/cert.pem --key kiosk/key.pem --cacert kiosk/ca.pem \
        --data '{"device":"kiosk","boot_id":"1","keys":["default"],"version":"1"}' \
        "https://localhost:${address##*:}/v1/unlock" || true
}
is_up() { [ "$(ask)" = 200 ]; }
answers() { echo "answers $1: $(ask) $(ask) $(ask) $(ask)"; }
both_up() {
    [ "$(docker-compose logs --no-color one two | grep -c 'Listening for devices')" -ge 2 ] && is_up && is_up && is_up && is_up
}
until_done both_up
answers both
docker-compose stop --timeout 5 one
until_done is_up
answers "one stopped"
docker-compose start one
./store device revoke kiosk
answers revoked
./store device restore kiosk
docker-compose kill database
answers "database killed"
docker-compose start database
until_done is_up
echo "answers database back: $(ask)"
./store audit verify
