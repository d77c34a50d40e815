#!/usr/bin/env bash
# Usage: program_tests.sh PROGRAM CASE FOLDER. Runs one case with PROGRAM in the empty FOLDER; fails with a sentence.
set -euo pipefail

program="$1" case="$2" folder="$3"
source "$(dirname "${BASH_SOURCE[0]}")/../train/program_functions.sh"
start_case "$folder"

# table ROWS SHIFT SEED: three columns of numbers that are about normal; the second is moved by SHIFT.
table() {
  awk -v rows="$1" -v shift="$2" -v seed="$3" 'BEGIN {
    srand(seed)
    for (i = 0; i < rows; ++i) {
      for (j = 0; j < 3; ++j) {
        v = j == 1 ? shift : 0
        for (k = 0; k < 12; ++k) v += rand() - 0.5
        printf "%s%.6f", j ? "," : "", v
      }
      print ""
    }
  }'
}

{ echo "length,width,height" && table 120 0 1; } >before.csv
table 100 0 2 >same.csv
{ echo "length,width,height" && table 110 1 3; } >after.csv

case "$case" in
  help)
    expect 0 "Example: dalib_compare" "$program" --help
    for word in --test --alpha --permutations --seed --kernel --bandwidth --rows --standardise --json --report --threads; do
      grep -q -- "$word" said || die "--help does not name $word"
    done
    ;;
  arguments)
    expect 2 "required" "$program"
    expect 2 "alpha" "$program" before.csv same.csv --alpha 0
    expect 2 "alpha" "$program" before.csv same.csv --alpha 1
    expect 2 "test" "$program" before.csv same.csv --test student
    expect 2 "kernel" "$program" before.csv same.csv --kernel sinc
    expect 2 "permutations" "$program" before.csv same.csv --permutations 0
    expect 2 "rows" "$program" before.csv same.csv --rows 3
    expect 2 "colour" "$program" before.csv same.csv --colour
    expect 0 "cannot reject" "$program" before.csv same.csv --test energy --permutations 10
    ;;
  files)
    expect 1 "none.csv: cannot open" "$program" before.csv none.csv
    : >empty.csv
    expect 1 "empty.csv: holds no rows" "$program" before.csv empty.csv
    printf 'a,b,c\n1,2,3\n4,five,6\n' >text.csv
    expect 1 "text.csv:3: column 2 (b) is not a number: 'five'" "$program" before.csv text.csv
    printf '1,2,3\n1,2\n' >ragged.csv
    expect 1 "ragged.csv:2: has 2 fields" "$program" before.csv ragged.csv
    cut -d, -f1,2 same.csv >narrow.csv
    expect 1 "before.csv has 3 features, narrow.csv has 2" "$program" before.csv narrow.csv
    head -2 same.csv >short.csv
    expect 1 "at least 4 are needed" "$program" before.csv short.csv
    cp same.csv same.xyz
    expect 1 "unknown kind" "$program" before.csv same.xyz
    printf '1,2,3\n1,2,x\001\n' >control.csv
    expect 1 "control.csv:2: column 3 is not a number: 'x?'" "$program" before.csv control.csv
    { echo '"length, cm","width ""w""",height' && table 100 0 2; } >quoted.csv
    expect 0 "No evidence" "$program" before.csv quoted.csv
    tr ',' ' ' <same.csv >spaces.txt
    expect 0 "No evidence" "$program" before.csv spaces.txt
    sed 's/,/  /g' same.csv >wide.txt
    "$program" same.csv spaces.txt >one && "$program" same.csv wide.txt >two && cmp one two || die "spaces change the answer"
    expect 1 "cannot create" "$program" before.csv same.csv --json none/out.json
    expect 1 "cannot create" "$program" before.csv same.csv --report none/out.html
    expect 1 "sigma must be in" "$program" before.csv same.csv --test permutation --bandwidth 1e-300
    { cat same.csv && echo "nan,1,2" && echo "1,,2"; } >missing.csv
    expect 0 "missing.csv: 2 rows are not finite and were left out (row 101, 102)" "$program" before.csv missing.csv
    ;;
  answers)
    expect 0 "No evidence that the two files follow different laws" "$program" before.csv same.csv
    expect 10 "The two files follow different laws" "$program" before.csv after.csv
    for test in aggregated fuse permutation energy wild-bootstrap spectrum nystrom; do
      expect 10 "^$test " "$program" before.csv after.csv --test "$test" --permutations 199
    done
    expect 10 "each test by itself" "$program" before.csv after.csv --test all --permutations 199 --standardise
    expect 10 '"different": true' "$program" before.csv after.csv --json -
    "$program" before.csv after.csv --seed 5 --json one.json >first || true
    "$program" before.csv after.csv --seed 5 --json two.json >second || true
    cmp one.json two.json || die "the same seed gives two answers"
    ;;
  threads)
    for threads in 1 2 3; do "$program" before.csv after.csv --test all --permutations 99 --threads $threads --json $threads.json >/dev/null || true; done
    cmp 1.json 2.json && cmp 1.json 3.json || die "the answer depends on the number of threads"
    ;;
  report)
    expect 10 "different" "$program" before.csv after.csv --report page.html
    for text in "What the tests suppose" "Most different features" "width" "p of each kernel" "leading principal components" "more of after.csv" "Most telling rows"; do
      grep -q "$text" page.html || die "the page does not say '$text'"
    done
    [[ ! -e page.html.partial ]] || die "a partial page is left"
    ;;
  large)
    table 6000 0 4 >long.csv
    table 6000 0.3 5 >moved.csv
    expect 10 "the nystrom test was chosen" "$program" long.csv moved.csv
    expect 10 "aggregated" "$program" long.csv moved.csv --rows 500 --permutations 199
    ;;
  stop)
    table 4000 0 4 >long.csv
    table 4000 0 5 >longer.csv
    "$program" long.csv longer.csv --permutations 5000 --json out.json --report out.html >stopped 2>&1 &
    pid=$!
    sleep 1 # within the test
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [[ $status == 130 ]] || die "Ctrl-C within a test gives exit code $status in place of 130"
    grep -q "nothing was written" stopped || die "does not say that it was stopped"
    [[ ! -e out.json && ! -e out.html ]] || die "something was written"
    ;;
  *) die "unknown case" ;;
esac
