#!/usr/bin/env bash
# Usage: short_spinning.sh PROGRAM FOLDER. A program starts itself again with short spinning, once, and nobody notices but libgomp.
set -euo pipefail

program="$1" case=short_spinning
source "$(dirname "${BASH_SOURCE[0]}")/program_functions.sh"
start_case "$2"
unset GOMP_SPINCOUNT OMP_WAIT_POLICY

# says TEXT COMMAND...: the command prints its process number and the text.
says() {
  local text="$1" child got
  shift
  "$@" >said 2>errors &
  child=$!
  wait "$child" || die "exit code $?: $*"
  got="$(cat said)"
  [[ "$got" == "$child $text" ]] || die "'$got' in place of '$child $text': $*"
}

if [[ "$("$program")" == *" unset unset "* ]]; then
  echo "short_spinning: this program is not linked with libgomp, or not on Linux; it goes on as it is" # clang, no OpenMP
  exit 0
fi
says "1000 unset [$program] [a] [b  c] [] [--d=*]" "$program" a "b  c" "" "--d=*"
GOMP_SPINCOUNT=7 says "7 unset [$program]" "$program"
OMP_WAIT_POLICY=active says "unset active [$program]" "$program"
LD_PRELOAD=/none/vgpreload_core-valgrind.so says "unset unset [$program]" "$program"
ln -s "$program" link
says "1000 unset [./link]" ./link
says "1000 unset [another name] [x]" bash -c 'exec -a "another name" "$0" x' "$program"
cp "$program" deleted
says "1000 unset [./deleted]" bash -c 'exec ./deleted' && rm deleted
# Without /proc it goes on as it is.
if unshare --user --map-root-user --mount true 2>/dev/null; then
  got="$(unshare --user --map-root-user --mount bash -c 'mount -t tmpfs none /proc && exec "$0" a' "$program")"
  [[ "$got" == *" unset unset [$program] [a]" ]] || die "without /proc: '$got'"
fi
echo "$case: passed"
