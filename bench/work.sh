#!/bin/sh
# SPDX-License-Identifier: MIT
#
# work.sh CASE: one application workload in the current directory. CASE-ready prepares it and fails if
# this system cannot do it. Programs come from PATH; where a case leaves files, it removes them.
set -eu
PATH=$PATH:${0%/*}

files() {
    i=0
    while [ $i -lt 200 ]; do
        dir=$1/$((i % 10))
        [ $i -ge 10 ] || mkdir -p "$dir"
        echo "file $i" >"$dir/$i"
        i=$((i + 1))
    done
}

case $1 in
loop-ready | subst-ready | pipeline-ready | tree-ready) ;;

loop)
    i=0
    while [ $i -lt 40 ]; do
        ${BENCH_TRUE:-/bin/true}
        i=$((i + 1))
    done
    ;;
subst)
    i=0
    while [ $i -lt 40 ]; do
        x=$(echo $i)
        [ "$x" = $i ]
        i=$((i + 1))
    done
    ;;
pipeline)
    i=0
    while [ $i -lt 10 ]; do
        [ "$(printf 'a\nb\nc\n' | grep -v b | sort -r | head -n 1)" = c ]
        i=$((i + 1))
    done
    ;;
tree)
    files tree
    [ "$(find tree -type f | wc -l)" -eq 200 ]
    rm -r tree
    ;;

tar-ready)
    files source
    ;;
tar)
    tar cf archive source
    mkdir out
    tar xf archive -C out
    rm -r out archive
    ;;

text-ready)
    seq 5000 | sed 's/.*/& a line with the number &, and &/' >text
    ;;
text)
    sort -rn text >sorted
    [ "$(grep -c 7 sorted)" -gt 1000 ]
    sed 's/number/value/' sorted | wc -l >count
    ;;

sqlite-ready)
    command -v sqlite3 >/dev/null
    ;;
sqlite)
    rm -f db
    {
        echo 'create table t(a integer primary key, b text);'
        i=0
        while [ $i -lt 100 ]; do
            echo "begin; insert into t(b) values('row $i'); update t set b = b || '.' where a = $i; commit;"
            i=$((i + 1))
        done
        echo 'select count(*) from t;'
    } | sqlite3 db >count
    [ "$(cat count)" = 100 ]
    ;;

tcc-ready)
    command -v tcc >/dev/null
    seq 300 | sed 's/.*/static int f&(int a, int *b) {\
        int i, sum = 0;\
        for (i = 0; i < a; i++)\
            sum += b[i] * & + (i % 3 ? a : -a);\
        return sum > & ? sum : f1(sum, b);\
    }/; 1s/f1(sum, b)/0/' >program.c
    ;;
tcc)
    tcc -c program.c -o program.o
    ;;

*)
    echo "work.sh: $1?" >&2
    exit 2
    ;;
esac
