#!/bin/sh
# fault_tests.sh PROGRAM MPIRUN...: how a program of three ranks ends when one of them fails. MPIRUN starts three.
set -u
program=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
fail() {
  echo "$1"
  cat "$folder/err"
  failed=1
}

# check STATUS MESSAGE HOW RANK MPIRUN...: that exit status within ten seconds, and the message once.
check() {
  status=$1 message=$2 how=$3 rank=$4
  shift 4
  begin=$(date +%s)
  timeout 60 "$@" "$program" "$how" "$rank" >"$folder/out" 2>"$folder/err"
  got=$?
  taken=$(($(date +%s) - begin))
  [ "$got" -eq "$status" ] || fail "$how: exit status $got, not $status"
  [ "$taken" -le 10 ] || fail "$how: took $taken s"
  [ -n "$message" ] || return 0
  times=$(grep -c -F -x "$message" "$folder/err")
  [ "$times" -eq 1 ] || fail "$how: the message '$message' came $times times"
}

check 0 "" none 0 "$@"
check 1 "rank 1: the file of faults is missing" throw 1 "$@"
check 1 "rank 0: the file of faults is missing" throw 0 "$@"
check 1 "rank 2: std::bad_alloc" memory 2 "$@"
check 1 "rank 2: mmd: kernel or estimator parameters differ from those of rank 0" refuse 2 "$@"

# A rank that is killed takes the others with it.
timeout 60 "$@" "$program" work 0 "$folder" >"$folder/out" 2>"$folder/err" &
job=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -s "$folder/0" ] && [ -s "$folder/1" ] && [ -s "$folder/2" ] && break
  sleep 0.5
done
sleep 0.3 # into the work
kill -9 "$(cat "$folder/1")" || fail "kill: rank 1 is not there"
begin=$(date +%s)
wait "$job"
status=$?
taken=$(($(date +%s) - begin))
[ "$status" -ne 0 ] || fail "kill: exit status 0"
[ "$taken" -le 10 ] || fail "kill: took $taken s"
alive() { # whether a rank runs; one that ended may wait for somebody to ask for its status
  state=$(ps -o state= -p "$(cat "$folder/$1")")
  [ -n "$state" ] && [ "$state" != Z ]
}
for rank in 0 2; do
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    alive "$rank" || break
    sleep 0.5
  done
  alive "$rank" && fail "kill: rank $rank is still there"
done
[ "$failed" -eq 0 ] && echo "all ranks ended"
exit "$failed"
