#!/bin/sh
# git.sh MOUNT SCRATCH SOURCE COMMITS: a repository of SOURCE's files, cloned to a mount, changed there, packed and checked.
set -eu
mount=$1 scratch=$2 source=$3 commits=$4
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
mkdir "$scratch"
cp -R "$source" "$scratch/origin"
cd "$scratch/origin"
git init -q
git add .
git commit -q -m first
git clone -q --no-local "$scratch/origin" "$mount/clone"
cd "$mount/clone"
for number in $(seq "$commits"); do
    git mv "$(git ls-files | head -n 1)" "moved-$number"
    echo "$number" >>log
    git add log
    git commit -q -m "$number"
done
git gc -q --aggressive --prune=now
git fsck --strict --full
git clone -q "$mount/clone" "$scratch/back"
# git mv leaves empty directories behind.
git clean -qfd
diff -r --exclude .git "$mount/clone" "$scratch/back"
[ "$(git -C "$scratch/back" rev-list --count HEAD)" -eq $((commits + 1)) ]
[ -z "$(git status --porcelain)" ]
