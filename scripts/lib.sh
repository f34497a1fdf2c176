# shellcheck shell=bash disable=SC2034
# What the scripts share. Sourced, never run.

# The repository, and where the tests keep what is slow to make: base images, an engine's data.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SECURE_STORE_CACHE:-/var/cache/secure-store-tests}

# Milliseconds since some moment.
now() {
    local microseconds=${EPOCHREALTIME//[.,]/}
    echo "$((microseconds / 1000))"
}

# phase NAME COMMAND…: runs it, then prints how long it took.
phase() {
    local name=$1 begin status=0
    shift
    begin=$(now)
    printf '==> %s\n' "$name"
    "$@" || status=$?
    local took=$(($(now) - begin))
    printf '==> %s: %d.%d s\n' "$name" $((took / 1000)) $((took % 1000 / 100))
    return "$status"
}
