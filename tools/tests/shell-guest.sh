#!/bin/sh
# SPDX-License-Identifier: MIT
# What a shell's user does, in the machine: run by shell-test, with its files in /t. Prints TAP.
n=0
failed=0
cd /tmp || exit 1

# is WHAT GOT WANTED
is() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        failed=1
        echo "not ok $n - $1"
        echo "got [$2] want [$3]" | sed 's/^/# /'
    fi
}

is "a pipeline of five stages" \
    "$(seq 1000 | grep 7 | sed 's/7/x/' | sort -r | head -n 2 | tr '\n' ' ')" 'x99 x98 '
seq 100000 | cat | cat | cat | cat >five
is "... with more than its pipes hold" "$(md5sum <five)" "$(seq 100000 | md5sum)"
yes | head -n 3 >lines
is "... whose reader leaves first" "$(wc -l <lines)" 3

name=you
is "a here-document" "$(cat <<TEXT
hello $name $((6 * 7))
TEXT
)" 'hello you 42'
is "... taken literally" "$(cat <<'TEXT'
hello $name
TEXT
)" 'hello $name'
is "\$(...) in \$(...)" "$(echo "<$(echo "$(echo deep) $(seq 3 | wc -l)")>")" '<deep 3>'
{ echo out; echo err >&2; } >both 2>&1
is "redirections: both outputs in one file" "$(tr '\n' ' ' <both)" 'out err '
echo more >>both
exec 5<both
read -r first <&5
read -r second <&5
exec 5<&-
is "... append, and a descriptor of one's own" "$first $second $(tail -n 1 both)" 'out err more'

(exit 3) & one=$!
(exit 4) & two=$!
wait $two
second=$?
wait $one
is "background jobs and wait: each has its status" "$? $second" '3 4'
for i in 1 2 3 4 5; do (echo $i >"job$i") & done
wait
is "wait for all" "$(cat job1 job2 job3 job4 job5 | tr '\n' ' ')" '1 2 3 4 5 '

is "a trap of a signal" "$(sh -c 'trap "echo caught" USR1; kill -USR1 $$; echo on' | tr '\n' ' ')" \
    'caught on '
is "a trap at the end" "$(sh -c 'trap "echo bye" EXIT; exit 0')" bye
sh -c 'trap "exit 9" TERM; while :; do :; done' & spinner=$!
usleep 100000
kill $spinner
wait $spinner
status=$?
# It may have been killed before its trap was set.
[ $status != 143 ] || status=9
is "a trap of a program that spins" $status 9

sh -c 'trap "" TERM INT HUP; while :; do :; done' & spinner=$!
usleep 100000
kill -9 $spinner
wait $spinner 2>wait.err
is "kill -9 of a spinning process that ignores all else" $? 137

cat /t/big >big
cmp big /t/big
is "cat of 16 MB compares equal" "$? $(wc -c <big)" "0 16777216"
rm big

mkdir tree
cp -r /etc /t/shell-guest.sh tree
ln -s etc/passwd tree/link
head -c 3000000 /t/big >tree/data
chmod 640 tree/data
tar cf - tree | gzip >tree.tgz
mkdir out
gzip -dc tree.tgz | tar xf - -C out
diff -r tree out/tree
is "tar | gzip and back: the same tree" "$?" 0
is "... links and modes too" "$(readlink out/tree/link) $(stat -c %a out/tree/data)" 'etc/passwd 640'
gzip -c tree/data >data.gz
gunzip data.gz
cmp data tree/data
is "gzip and gunzip of a file" $? 0
rm -r tree out tree.tgz data

sum=$(find / -path /proc -prune -o -path /tmp -prune -o -print | sort | md5sum)
again=$(find / -path /proc -prune -o -path /tmp -prune -o -print | sort | md5sum)
is "find / | sort | md5sum is stable" "$again" "$sum"
is "... and there is something to be found" "$(find /bin -name busybox)" /bin/busybox

i=0
sum=0
while [ $i -lt 1000 ]; do
    (exit $((i % 7)))
    sum=$((sum + $?))
    i=$((i + 1))
done
is "1,000 forks in a row" $sum 2997
i=0
mkfifo gate
while [ $i -lt 200 ]; do
    { echo $i; read -r line; [ -z "$line" ]; } <gate >>alive & pids="$pids $!"
    i=$((i + 1))
done
exec 6>gate
while [ "$(wc -l <alive)" -lt 200 ]; do
    usleep 50000
done
there=0
for pid in $pids; do
    kill -0 "$pid" && there=$((there + 1))
done
is "200 processes alive at once" $there 200
exec 6>&-
good=0
for pid in $pids; do
    wait "$pid" && good=$((good + 1))
done
is "... and each ends as it should" $good 200

if [ -x /t/hello ]; then
    is "hello by stdio, built by exoc-cc" "$(/t/hello you)" 'hello, world: 2 words, 0.50'
fi
if [ -x /t/hello-musl ]; then
    is "the same, a static binary built by Debian's musl-gcc" "$(/t/hello-musl you)" \
        'hello, world: 2 words, 0.50'
fi
entries=$(exo-entries)
is "exo-entries: what should make no kernel entry makes none" \
    "$? $(echo "$entries" | grep -c ': 0 kernel entries')" "0 $(echo "$entries" | sed -n 's/^1\.\.//p')"
echo "1..$n"
exit $failed
