#!/bin/sh
# fio.sh MOUNT MEGABYTES: blocks written in random order through several ways, each with a checksum, and read again.
set -eu
cd "$1"
# shellcheck disable=SC2086 # a way is several words
for way in 'psync --direct=0' 'libaio --direct=1 --iodepth=16' 'mmap --direct=0' 'sync --direct=0 --fdatasync=32'; do
    fio --name=verify --size="$2m" --rw=randwrite --bssplit=4k/40:16k/20:64k/20:128k/20 \
        --verify=crc32c --verify_fatal=1 --randseed=7 --output=/dev/null --ioengine=$way
    fio --name=mixed --size="$2m" --rw=randrw --bs=4k --numjobs=2 --verify=crc32c --verify_fatal=1 \
        --randseed=9 --output=/dev/null --ioengine=$way
    rm -f verify.* mixed.*
done
