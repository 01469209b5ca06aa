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
loop-ready | subst-ready | pipeline-ready | tree-ready | shell-ready | dd-ready) ;;

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

tar-ready | list-ready | copy-ready | search-ready)
    files source
    ;;
tar)
    tar cf archive source
    mkdir out
    tar xf archive -C out
    rm -r out archive
    ;;

list)
    ls -lR source >listing
    du -s source >sizes
    ;;
copy)
    cp -rp source copied
    mv copied moved
    rm -r moved
    ;;
search)
    [ "$(grep -r 'file 1' source | wc -l)" -eq 111 ]
    find source -name '*7' -type f -exec cat {} + | cksum >sum
    ;;

dd)
    dd if=/dev/zero of=big bs=64k count=128 2>/dev/null
    dd if=big of=small bs=4k count=256 2>/dev/null
    cat big small | cksum >sum
    rm big small
    ;;

gzip-ready)
    seq 20000 >numbers
    ;;
gzip)
    gzip -c numbers >numbers.gz
    gunzip -c numbers.gz | cmp - numbers
    rm numbers.gz
    ;;

shell)
    i=0 sum=0
    while [ $i -lt 2000 ]; do
        case $i in
        *7) sum=$((sum + i)) ;;
        *) sum=$((sum - 1)) ;;
        esac
        i=$((i + 1))
    done
    [ $sum -eq 198600 ]
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
