#!/bin/sh
# stress.sh MOUNT SECONDS short|long: stress-ng's stressors for file systems, which check what they do.
#
# short: a dozen of them at once for SECONDS. long: one after the other for SECONDS each, two at a time.
set -eu
cd "$1"
if [ "$3" = short ]; then
    set -- --timeout "$2" --chmod 1 --copy-file 1 --dentry 1 --dir 1 --fallocate 1 --fpunch 1 --getdent 1 \
        --hdd 1 --hdd-bytes 16m --iomix 1 --iomix-bytes 16m --link 1 --locka 1 --lockofd 1 --rename 1 --symlink 1 \
        --utime 1 --xattr 1
else
    # Left out: what is about other file systems, or about none.
    set -- --class filesystem --sequential 2 --timeout "$2" --hdd-bytes 256m --iomix-bytes 256m \
        --exclude bind-mount,binderfs,eventfd,ioprio,procfs,handle
fi
exec stress-ng --temp-path . --verify --quiet "$@"
