#!/usr/bin/env bash
# Usage: train_tests.sh PROGRAM CASE FOLDER MPIEXEC FLAG. Runs one case with PROGRAM on several ranks in the empty FOLDER; fails with a sentence.
set -euo pipefail

program="$1" case="$2" folder="$3" mpiexec="$4" flag="$5"
source "$(dirname "${BASH_SOURCE[0]}")/../../train/program_functions.sh"
start_case "$folder"
small=(--source optdigits --target mnist --batch-size 16 --iterations 24 --eval-every 8 --checkpoint-every 4 --no-pictures --no-baseline)

# on RANKS ARGUMENTS...: dalib_train with them.
on() {
  local ranks="$1"
  shift
  "$mpiexec" "$flag" "$ranks" "$program" "$@"
}

# start ARGUMENTS...: the same on two ranks in the background, its output in `log` and mpiexec's process in `job`.
start() {
  "$mpiexec" "$flag" 2 "$program" "$@" >log 2>&1 &
  job=$!
}

# close RUN RUN ROW SHARE: the losses in this row of the histories differ by at most this share.
close() {
  paste -d, <(sed -n "$3p" "$1/history.csv" | cut -d, -f1-4) <(sed -n "$3p" "$2/history.csv" | cut -d, -f1-4) |
    awk -F, -v share="$4" '{ for (i = 1; i <= 4; ++i) { d = $i - $(i + 4); if (d < 0) d = -d; m = $i < 0 ? -$i : $i; if (d > share * (m + 1e-3)) bad = 1 } }
      END { exit bad || NR == 0 }' || { head -n "$3" "$1/history.csv" "$2/history.csv" && die "row $3 of $1 and $2 is not the same"; }
}

# ranks_of PID: the processes that mpiexec has started.
ranks_of() { grep -lE "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3; }
living_ranks_of() {
  for rank in $(ranks_of "$1"); do
    grep -qE "^State:[[:space:]]*[^ZX]" "/proc/$rank/status" 2>/dev/null && echo "$rank"
  done || true
}

# ended_within SECONDS PID: and its exit code in `code`.
ended_within() {
  for _ in $(seq $((10 * $1))); do
    kill -0 "$2" 2>/dev/null || { code=0 && wait "$2" || code=$?; return; }
    sleep 0.1
  done
  kill -KILL "$2"
  die "hangs"
}

# ranks_end_within SECONDS PID: and mpiexec with them. Open MPI's own can wait for ever in pmix_rte_finalize when a rank is killed before it is in
# MPI_Init: 11 of 290 such kills with 4.1.4 and PMIx 4.2.2. No rank is left then, which is all that the program can see to.
ranks_end_within() {
  for _ in $(seq $((10 * $1))); do
    [[ -n "$(living_ranks_of "$2")" ]] || break
    sleep 0.1
  done
  local hung="$(living_ranks_of "$2")"
  [[ -z "$hung" ]] || { kill -KILL $hung "$2" || true; die "a rank hangs"; }
  for _ in $(seq 30); do
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -KILL "$2" 2>/dev/null || echo "mpiexec itself hung, without ranks"
  wait "$2" || true
}

case "$case" in
  one_rank)
    # One rank of an MPI program has the bits of a program without.
    "$program" --method dann,mcd "${small[@]}" --out plain
    on 1 --method dann,mcd "${small[@]}" --out ranked
    for method in dann mcd; do
      same_run "plain/$method-seed-1" "ranked/$method-seed-1"
    done
    ;;
  digits)
    # The demo on two ranks: as good as alone, nothing is said or written twice.
    settings=(--method mcd --source mnist --target mnistm --batch-size 32 --iterations 200 --eval-every 10)
    expect 0 "target .*%" on 2 "${settings[@]}" --out two
    [[ "$(grep -c "^mcd, seed 1" said)" == 1 && "$(grep -c "wrote .*report.html" said)" == 1 ]] || { cat said && die "not said once"; }
    [[ -s two/report.html && -s two/results.json && -s two/predictions.csv ]] || die "files are missing"
    "$program" "${settings[@]}" --no-pictures --no-baseline --iterations 10 --out one
    close one/mcd-seed-1 two/mcd-seed-1 2 0.001
    target() { tail -1 "$1/history.csv" | cut -d, -f9 | cut -d. -f1; }
    echo "source-only $(target two/source-only-seed-1), mcd $(target two/mcd-seed-1)"
    (($(target two/mcd-seed-1) >= $(target two/source-only-seed-1) + 5)) || die "mcd has not adapted"
    ;;
  other_ranks)
    # Any number of ranks gives the same run up to rounding, and keeps its bits from call to call, with the gradients summed behind the backward pass too.
    # How far the domains are apart before training is the same to the last digit: no sum over ranks is in it.
    "$program" --method jan "${small[@]}" --out one
    before() { grep -o "<td>jan, before training</td>\(<td[^>]*>[^<]*</td>\)*" "$1/report.html"; }
    for ranks in 2 3; do
      on "$ranks" --method jan "${small[@]}" --out "$ranks"
      close one/jan-seed-1 "$ranks/jan-seed-1" 2 0.001
      [[ -n "$(before one)" && "$(before one)" == "$(before "$ranks")" ]] || die "what was there before training is not the same"
    done
    on 3 --method jan "${small[@]}" --gradient-bucket 0 --out again
    same_run 3/jan-seed-1 again/jan-seed-1
    ;;
  changed_ranks)
    # A run goes on with another number of ranks.
    "$program" --method jan "${small[@]}" --out one
    on 2 --method jan "${small[@]}" --iterations 8 --out parts
    "$program" --method jan "${small[@]}" --iterations 16 --out parts --resume
    close one/jan-seed-1 parts/jan-seed-1 3 0.01
    expect 0 "goes on from iteration 16" on 3 --method jan "${small[@]}" --out parts --resume
    # Ranks of a batch norm of their own: another run, with the same bits from call to call and after an interruption.
    on 2 --method dann "${small[@]}" --local-batch-norm --out local
    on 2 --method dann "${small[@]}" --local-batch-norm --iterations 8 --out local-parts
    on 2 --method dann "${small[@]}" --local-batch-norm --out local-parts --resume
    same_run local/dann-seed-1 local-parts/dann-seed-1
    expect 1 "local_batch_norm was true, now it is not set" on 2 --method dann "${small[@]}" --out local-parts --resume
    ;;
  failures)
    # What ends all ranks is said once.
    expect 1 "the classification loss is" on 2 --method dann "${small[@]}" --lr 1e6
    [[ "$(grep -c "the classification loss is" said)" == 1 ]] || { cat said && die "said twice"; }
    expect 2 "unknown method 'dnn'" on 2 --method dnn
    [[ "$(grep -c "unknown method" said)" == 1 ]] || { cat said && die "said twice"; }
    expect 1 "does not reach for 4 ranks" on 4 --method dann "${small[@]}" --batch-size 3 --out few
    # One rank alone: another call, no data.
    ends() {
      local before="$SECONDS"
      expect "$@"
      ((SECONDS - before <= 10)) || die "takes $((SECONDS - before)) s to end"
    }
    mkdir data
    ends 1 "rank 1: .*no such file" "$mpiexec" "$flag" 1 "$program" --method dann "${small[@]}" --out a : "$flag" 1 "$program" --method dann "${small[@]}" --root data
    [[ "$(grep -c "rank 1: .*no such file" said)" == 1 ]] || { cat said && die "said twice"; }
    ends 1 "rank 1 has other settings than rank 0" "$mpiexec" "$flag" 1 "$program" --method dann "${small[@]}" --out b : "$flag" 1 "$program" --method dann "${small[@]}" --lr 0.02 --out b
    ends 2 "rank 0: .*nothing in none to go on with" on 2 --method dann "${small[@]}" --out none --resume
    # A signal to one rank stops all after the same iteration.
    on 2 --method dann "${small[@]}" --iterations 60 --out whole
    start --method dann "${small[@]}" --iterations 60 --out stopped
    wait_for stopped/dann-seed-1/checkpoint.safetensors
    kill -TERM "$(ranks_of "$job" | tail -1)" || true
    ended_within 60 "$job"
    [[ "$code" == 0 ]] || grep -q "interrupted.*--resume" log || { cat log && die "no word about --resume"; }
    on 2 --method dann "${small[@]}" --iterations 60 --out stopped --resume
    same_run whole/dann-seed-1 stopped/dann-seed-1
    ;;
  kills)
    # A rank is killed at any moment: the job ends, and goes on with the same bits.
    settings=(--method mcd "${small[@]}" --iterations 24 --eval-every 12)
    on 2 "${settings[@]}" --out whole
    again=()
    for kill in $(seq "${DALIB_KILLS:-3}"); do
      start "${settings[@]}" --out parts "${again[@]}"
      victims=()
      while ((${#victims[@]} < 2)) && kill -0 "$job" 2>/dev/null; do
        sleep 0.01
        victims=($(ranks_of "$job")) || true
      done
      ((kill > 1)) || wait_for parts/mcd-seed-1/checkpoint.safetensors
      sleep "0.$((RANDOM % 9))$((RANDOM % 9))"
      if ((${#victims[@]} == 2)) && kill -KILL "${victims[RANDOM % 2]}" 2>/dev/null; then
        ranks_end_within 10 "$job"
      else
        wait "$job" || true
      fi
      checkpoint=parts/mcd-seed-1/checkpoint.safetensors # or the one before, if it was killed between two renames
      [[ ! -e "$checkpoint" && ! -e "$checkpoint.previous" ]] || again=(--resume)
      # A run that was faster than the kill begins anew.
      [[ ! -e parts/results.json ]] || { same_run whole/mcd-seed-1 parts/mcd-seed-1 && rm -r parts && again=(); }
    done
    on 2 "${settings[@]}" --out parts "${again[@]}"
    same_run whole/mcd-seed-1 parts/mcd-seed-1
    ;;
  *) die "unknown case" ;;
esac
