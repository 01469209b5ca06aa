#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks one model exhaustively: check.sh MODEL.pml sound|broken [-DVARIANT]...
# sound: no error may be found. broken: an error must be found, or the model proves nothing. In
# both cases a search that was cut short (depth, memory) is a failure.
set -eu

model=$1 want=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$model" "$dir/model.pml"
cd "$dir"

spin -a "$@" model.pml > spin.log 2>&1 || { cat spin.log; exit 1; }
${CC:-gcc} -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=3000 -o pan pan.c
# Depth-first search stops at the first error; -m is the longest path, -w the hash table's size.
./pan -m2000000 -w23 > pan.log 2>&1 || true
grep -E 'error|assertion|end state|states, stored|too small|memory|not completed' pan.log || true

errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
if [ -z "$errors" ] || grep -qE 'too small|out of memory|reached -DMEMLIM|aborted' pan.log; then
    echo "the search is incomplete"
    exit 1
fi
case $want in
sound)
    if grep -q 'Search not completed' pan.log; then
        echo "the search is incomplete"
        exit 1
    fi
    [ "$errors" -eq 0 ]
    ;;
broken) [ "$errors" -gt 0 ] ;;
*) exit 2 ;;
esac
