#!/bin/sh
# Stands for your application: it finds its secrets in its environment and its data in /decrypted.
set -eu

echo "API_KEY has ${#API_KEY} characters"
date -u >>/decrypted/starts.log
echo "started $(wc -l </decrypted/starts.log) times with this volume"

trap 'echo "stopping"; exit 0' TERM
while :; do
    sleep 3600 &
    wait $! || true
done
