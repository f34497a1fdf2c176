# shellcheck shell=bash disable=SC2034
# How the demos tell what happens, and check that it did. Sourced after scripts/lib.sh, never run.

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' normal=$'\e[0m'
else
    bold='' dim='' green='' red='' normal=''
fi
failures=0
step() { printf '\n%s%s%s\n' "$bold" "$*" "$normal"; }
show() { sed "s/^/    $dim/; s/\$/$normal/"; }
fact() { # fact TEXT COMMAND…: whether the command succeeds is whether the text is true.
    local text=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf '  %s✔%s %s\n' "$green" "$normal" "$text"
    else
        printf '  %s✘ %s%s\n' "$red" "$text" "$normal"
        failures=$((failures + 1))
    fi
}
not() { ! "$@"; }
soon() { # soon SECONDS COMMAND…: waits until the command succeeds.
    local deadline=$(($(now) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# finish BEGIN: says how long it took, and whether every fact held.
finish() {
    local took=$(($(now) - $1))
    printf '\n%sThat took %d.%d s.%s ' "$bold" $((took / 1000)) $((took % 1000 / 100)) "$normal"
    if [ "$failures" -gt 0 ]; then
        printf '%s%d of the facts above did not hold.%s\n' "$red" "$failures" "$normal"
        exit 1
    fi
    printf '%sEverything above happened.%s\n' "$green" "$normal"
}
