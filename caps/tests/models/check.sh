#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks the capability core by core.c's rules: check.sh sound|broken NEWLIB SYSTEM -DSETTING...
# NEWLIB is the directory of newlib's headers. sound: no sequence of operations on the system of
# these settings may show an error. broken: the file `mutants` has lines `SYSTEM FILE SED-EXPRESSION`;
# each that is for this system must change that file of caps/, and an error must be found in the
# core so made: it shows that the check can fail, and what it sees.
set -eu

want=$1 newlib=$2 system=$3
shift 3
caps=$(realpath "$(dirname "$0")/../..")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc=${CC:-gcc}
include="-idirafter $newlib -I$caps/include -I."
files='cap check cspace revoke'

cp "$caps"/tests/models/core.* "$caps"/tests/models/spec.c "$caps"/*.[ch] "$dir"
cd "$dir"
i=0
while [ $i -lt "$(printf '%s\n' "$@" | sed -n 's/^-DOPS=//p')" ]; do
    echo ":: c_code [!core_wrong] { core_step($i); }"
    i=$((i + 1))
done > ops.inc
spin -a "$@" core.pml > spin.log 2>&1 || { cat spin.log; exit 1; }
$cc -O2 -w -DSAFETY -DNOREDUCE -DVECTORSZ=512 -DMEMLIM=3000 "$@" -c pan.c
# shellcheck disable=SC2086
$cc -O2 -Wall -Wextra -Wno-type-limits "$@" $include -c core.c spec.c

# Helpers do little at a time, so that half-done work is met.
compile() {
    # shellcheck disable=SC2086
    $cc -O2 -w -DCAP_HELP_STEPS=20 $include -c "$1" -o "${1%.c}.o"
}

# Searches the whole system: `errors` is how many were found, the first one ends the search.
search() {
    $cc pan.o core.o spec.o cap.o check.o cspace.o revoke.o -o pan
    ./pan -m6000000 -w22 > pan.log 2>&1 || true
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
    if [ -z "$errors" ] || grep -qE 'too small|out of memory|reached -DMEMLIM|aborted' pan.log; then
        cat pan.log
        echo "the search is incomplete"
        exit 1
    fi
}

for file in $files; do
    compile $file.c
done
if [ "$want" = sound ]; then
    search
    grep -E '^[a-z ]+ [0-9]+ [0-9]+ rights|states, stored|transitions|depth|not completed' pan.log
    # The steps that led there: the trail, run again.
    [ "$errors" -eq 0 ] || CORE_SHOW=1 ./pan -r core.pml.trail | grep ' rights ' || true
    [ "$errors" -eq 0 ] && ! grep -q 'Search not completed' pan.log
    exit
fi
found=0
while read -r of file expression; do
    [ "$of" = "$system" ] || continue
    sed -e "$expression" "$caps/$file" > "$file"
    if cmp -s "$file" "$caps/$file"; then
        echo "changes nothing: $file $expression"
        exit 1
    fi
    compile "$file"
    search
    if [ "$errors" -eq 0 ]; then
        echo "not found: $file $expression"
        exit 1
    fi
    echo "$file $expression: $(sed -n 's/^\([a-z ]* [0-9]* [0-9]* rights\)/\1/p' pan.log | head -n 1)"
    found=$((found + 1))
    cp "$caps/$file" "$file"
    compile "$file"
done < "$caps/tests/models/mutants"
echo "$found broken cores found"
[ $found -gt 0 ]
