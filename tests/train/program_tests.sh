#!/usr/bin/env bash
# Usage: program_tests.sh PROGRAM CASE FOLDER. Runs one case with PROGRAM in the empty FOLDER; fails with a sentence.
set -euo pipefail

program="$1" case="$2" folder="$3"
source "$(dirname "${BASH_SOURCE[0]}")/program_functions.sh"
start_case "$folder"
small=(--source optdigits --target mnist --batch-size 16 --iterations 24 --eval-every 8 --checkpoint-every 4 --no-pictures --no-baseline)

# accuracy_of RUN METHOD: its accuracy on the target, rounded down.
accuracy_of() { tail -1 "$1/$2-seed-1/history.csv" | cut -d, -f9 | cut -d. -f1; }

case "$case" in
  help)
    expect 0 "Example: dalib_train" "$program" --help
    for word in --source --target --tasks --data --root --arch --weights --frozen-backbone --iterations --batch-size --seed --seeds --lr --trade-off --threads --out --resume --overwrite --json \
      source-only dann dan oracle; do
      grep -q -- "$word" said || die "--help does not name $word"
    done
    ;;
  arguments)
    expect 2 "unknown method 'dnn'; known methods: source-only" "$program" --method dnn
    expect 2 "--method: is required for the digits.*own data need --source and --target" "$program"
    expect 2 "colour" "$program" --method dann --colour
    expect 2 "iterations" "$program" --method dann --iterations 0
    expect 2 "iterations" "$program" --method dann --iterations many
    expect 2 "lr" "$program" --method dann --lr -1
    expect 2 "lr" "$program" --method dann --lr nan
    expect 2 "select" "$program" --method dann --select best
    expect 2 "unknown method 'dnn'.*did you mean 'dann'" "$program" --method dnn
    expect 2 "'mnits': no such file or folder.*did you mean 'mnist'" "$program" --method dann --source mnits
    expect 2 "'mnits': no such file or folder" "$program" --method dann --data digits --source mnits
    expect 2 "Did you mean --iterations" "$program" --method dann --iteration 5
    expect 2 "margin.*setting of mdd, which is not among the methods" "$program" --method dann --margin 2
    expect 2 "resume.*nothing in none to go on with" "$program" --method dann "${small[@]}" --resume --out none
    expect 2 "budget: is for --method auto alone" "$program" --method dann --budget 5000
    expect 2 "budget: of 999 iterations is less than one training, which has 1000" "$program" --method auto --budget 999
    expect 2 "budget: says how many trainings there are" "$program" --method auto --budget 9999 --seeds 2
    expect 2 "budget: says how many trainings there are" "$program" --method auto --budget 10min --seeds 2
    expect 2 "budget: is for --method auto alone" "$program" --method dann --budget 10min
    expect 2 "budget: of 900000000000 iterations is more than 10000 trainings of 1000" "$program" --method auto --budget 900000000000
    for text in 10m "10 min" -10s 1e3 0x10 nan infs .5h 5.s 10.5 1h30min many; do
      expect 2 "budget: '$text' is neither a whole number of iterations nor a time such as 90s, 10min or 1.5h" "$program" --method auto "--budget=$text"
    done
    for text in 0 0s 0.0h; do expect 2 "budget: '$text' pays for nothing" "$program" --method auto --budget "$text"; done
    for text in 99999999999999999999 10001h; do expect 2 "budget: '$text' is too much" "$program" --method auto --budget "$text"; done
    expect 0 "dalib_train of dalib [0-9]" "$program" --version
    expect 1 "batch size 5000 does not fit data set 'optdigits train'" "$program" --method dann --target optdigits --batch-size 5000
    ;;
  methods)
    # Every method of the list (or those asked for) trains, with finite losses, and the table has a row for each.
    expect 0 "source-only" "$program" --method "${DALIB_METHODS:-all}" "${small[@]}" --iterations 6 --eval-every 3
    names="$("$program" --help | sed -n 's/^ *\([a-z-]*\): .*/\1/p' | sort -u)"
    for run in dalib-train/*-seed-1; do
      [[ "$(wc -l <"$run/history.csv")" == 3 ]] || die "$run/history.csv has not two rows"
      ! tail -n +2 "$run/history.csv" | grep -qi -e nan -e inf || die "$run/history.csv has a number that is not finite"
    done
    [[ -n "$names" && "$(grep -c '^| ' dalib-train/results.md)" -ge 4 ]] || die "too few rows in results.md"
    ;;
  combinations)
    # The losses of several methods in one training: the one that is more than a loss is the base, wherever it stands.
    expect 0 "dan+mcc" "$program" --method dan+mcc,mcc+dann,coral+bnm "${small[@]}" --out one --threads 1
    "$program" --method dan+mcc,dann+mcc "${small[@]}" --out three --threads 3
    same_run one/dan+mcc-seed-1 three/dan+mcc-seed-1
    same_run one/dann+mcc-seed-1 three/dann+mcc-seed-1
    "$program" --method dan "${small[@]}" --out plain
    ! cmp -s plain/dan-seed-1/model.safetensors one/dan+mcc-seed-1/model.safetensors || die "the added loss changes nothing"
    "$program" --method dan+mcc --mcc-weight 0 "${small[@]}" --out none
    cmp plain/dan-seed-1/history.csv none/dan+mcc-seed-1/history.csv || die "a loss of weight 0 changes something"
    "$program" --method dann+mcc "${small[@]}" --iterations 16 --out parts
    "$program" --method dann+mcc "${small[@]}" --out parts --resume
    same_run one/dann+mcc-seed-1 parts/dann+mcc-seed-1
    # A teacher beside a method: its weights, the random changes and the average are in the checkpoint.
    taught=(self-ensembling mdd+self-ensembling shot+self-ensembling)
    teaching=(--method "$(IFS=,; echo "${taught[*]}")" "${small[@]}" --shot-source-iterations 10)
    "$program" "${teaching[@]}" --out taught --threads 1
    "$program" "${teaching[@]}" --iterations 16 --out taught_parts --threads 3
    "$program" "${teaching[@]}" --out taught_parts --threads 3 --resume
    for name in "${taught[@]}"; do same_run "taught/$name-seed-1" "taught_parts/$name-seed-1"; done
    expect 2 "'dann' cannot be added to 'dan'; what can be added: coral" "$program" --method dan+dann
    expect 2 "'mcd' trains in a way of its own" "$program" --method mcd+mcc
    expect 2 "'shot' trains in a way of its own" "$program" --method shot+mcc+self-ensembling
    expect 2 "'mcc' is twice" "$program" --method mcc+dan+mcc
    expect 2 "unknown method 'mmc'.*did you mean 'mcc'" "$program" --method dan+mmc
    expect 2 "bnm-weight.*setting of bnm, which is not among the methods" "$program" --method dan+mcc --bnm-weight 2
    ;;
  automatic)
    # Chosen without labels, the same after kills; its model is the run's.
    auto=(--method auto --source optdigits --target mnist --batch-size 16 --iterations 12 --eval-every 4 --checkpoint-every 2 --no-pictures)
    expect 0 "chosen without labels: " "$program" "${auto[@]}" --out whole
    read -r chosen seed < <(sed -n 's/^chosen without labels: \([^,]*\), seed \([0-9]*\);.*/\1 \2/p' said)
    cmp "whole/$chosen-seed-$seed/model.safetensors" whole/model.safetensors || die "the model is not that of $chosen, seed $seed"
    [[ "$(grep -c '"balance"' whole/auto.json)" == 4 && "$(ls -d whole/*-seed-* | wc -l)" == 5 ]] || die "there are not four candidates and the baseline"
    again=()
    for file in shot+self-ensembling-seed-{2,3}/checkpoint.safetensors im+self-ensembling-seed-1/checkpoint.safetensors auto.json; do
      killed_after 0.05 "parts/$file" "$program" "${auto[@]}" --out parts "${again[@]}"
      again=(--resume)
    done
    "$program" "${auto[@]}" --out parts --resume
    cmp whole/auto.json parts/auto.json || die "after kills the candidates stand otherwise"
    cmp whole/model.safetensors parts/model.safetensors || die "after kills another model is chosen"
    expect 0 "shot+self-ensembling, seed 9 (run 3 of 4)" "$program" "${auto[@]}" --no-baseline --iterations 4 --seed 7 --out others
    expect 1 "has an earlier run" "$program" "${auto[@]}" --no-baseline --iterations 4 --seed 7 --out others
    expect 2 "auto chooses among methods of its own" "$program" --method auto,dan
    # A budget of iterations: as many trainings as fit.
    expect 0 "shot+self-ensembling, seed 2 (run 2 of 2)" "$program" "${auto[@]}" --no-baseline --iterations 4 --budget 11 --out two
    [[ "$(grep -c '"balance"' two/auto.json)" == 2 ]] || die "11 iterations are not two trainings of 4"
    # More than four: longer ones too, in a fixed order.
    quick=(--method auto --source optdigits --target mnist --batch-size 16 --iterations 3 --eval-every 3 --no-pictures --no-baseline)
    expect 0 "im+self-ensembling-x2, seed 1 (run 6 of 8)" "$program" "${quick[@]}" --budget 30 --out eight
    [[ "$(wc -l <eight/shot+self-ensembling-x2-seed-1/history.csv)" == 3 ]] || die "the longer training has not two evaluations"
    grep -q '"iterations": 6' eight/results.json || die "the longer training is not in results.json"
    for run in shot+self-ensembling-seed-5 im+self-ensembling-seed-1; do
      "$program" --method "${run%-seed-*}" "${quick[@]:2}" --seed "${run##*-}" --out alone
      same_run alone/"$run" eight/"$run"
    done
    # A budget of time: planned once, when the first training is there, and kept after kills, however much time they take.
    expect 0 "trainings in all: 1$" "$program" "${quick[@]}" --budget 0.001s --out least
    [[ "$(grep -c '"balance"' least/auto.json)" == 1 ]] || die "a time that is too short is not one training"
    timed=("${quick[@]}" --iterations 20 --eval-every 20 --checkpoint-every 2)
    again=()
    for file in shot+self-ensembling-seed-1/checkpoint.safetensors auto-plan.json shot+self-ensembling-seed-2/checkpoint.safetensors; do
      [[ ! -e timed/auto-plan.json ]] || cp timed/auto-plan.json plan
      killed_after 0 "timed/$file" "$program" "${timed[@]}" --budget 1h --out timed "${again[@]}"
      again=(--resume)
    done
    cmp plan timed/auto-plan.json || die "the plan did not stay"
    (("$(sed -n 's/.*"trainings": \([0-9]*\).*/\1/p' plan)" > 4)) || die "an hour pays for no more than four trainings"
    sed -i 's/"trainings": [0-9]*/"trainings": 3/' timed/auto-plan.json # or it would take the hour
    expect 0 "chosen without labels" "$program" "${timed[@]}" --budget 1h --out timed --resume
    "$program" "${timed[@]}" --budget 60 --out counted
    cmp timed/auto.json counted/auto.json || die "three trainings by time are others than three by iterations"
    sed -i 's/"trainings": 3/"trainings": -3/' timed/auto-plan.json
    expect 1 "auto-plan.json: is not a plan of --method auto (its number of trainings is -3)" "$program" "${timed[@]}" --budget 1h --out timed --resume
    : >timed/auto-plan.json
    expect 1 "auto-plan.json: is not a plan of --method auto" "$program" "${timed[@]}" --budget 1h --out timed --resume
    expect 0 "trainings in all: 1$" "$program" "${quick[@]}" --budget 0.001s --out timed --overwrite
    ;;
  further_losses | all_further_losses)
    # Each further loss (or one of features and one of predictions) is at work: it beats the source alone on a shift that it is made for.
    further=(energy mcc)
    if [[ "$case" == all_further_losses ]]; then further=(dsan energy swd mcc bnm im dann+mcc); fi
    "$program" --source mnist --target optdigits --method "$(IFS=,; echo "${further[*]}")" --iterations 300 --batch-size 32 --eval-every 300 --no-pictures --out further
    before="$(accuracy_of further source-only)"
    for method in "${further[@]}"; do
      after="$(accuracy_of further "$method")"
      echo "source-only $before %, $method $after %"
      ((after >= before + 3)) || die "$method has $after % after $before % without adaptation"
    done
    ;;
  players)
    # Methods with several optimisers, clusters or a critic: the same bits for any number of threads, and in parts.
    names=(mcd-swd symnets adda wdgrl can coral-log pada iwan)
    settings=(--adda-source-iterations 10 --can-fewest 1 --can-distance 1 --can-period 7)
    list="$(IFS=,; echo "${names[*]}")"
    "$program" --method "$list" "${small[@]}" "${settings[@]}" --iterations 16 --out one --threads 1
    "$program" --method "$list" "${small[@]}" "${settings[@]}" --iterations 12 --out three --threads 3
    "$program" --method "$list" "${small[@]}" "${settings[@]}" --iterations 16 --out three --threads 3 --resume
    # Nothing is evaluated at iteration 12 of one call and the last one: the histories have rows of their own there.
    for name in "${names[@]}"; do
      cmp "one/$name-seed-1/model.safetensors" "three/$name-seed-1/model.safetensors" || die "$name: the final weights differ"
      ! tail -n +2 "one/$name-seed-1/history.csv" | grep -qi -e nan -e inf || die "$name has a number that is not finite"
      [[ "$(tail -1 "one/$name-seed-1/history.csv" | cut -d, -f5)" != 0 ]] || die "$name has no transfer loss"
    done
    expect 2 "'adda' trains in a way of its own" "$program" --method adda+mcc
    expect 2 "can-fewest.*setting of can, which is not among the methods" "$program" --method dann --can-fewest 2
    ;;
  partial_and_open)
    # A target with some of the classes.
    expect 0 "pada" "$program" --method pada,iwan --target-classes 0,1,2,3,4 "${small[@]}" --out partial
    ! cut -d, -f2 partial/pada-seed-1/predictions.csv | grep -q '[5-9]' || die "the target has classes that were left out"
    expect 1 "target_classes was .*now it is" "$program" --method pada "${small[@]}" --target-classes 0,1 --out partial --resume
    # What the source lacks is unknown: five known classes of the digits, or those that are named.
    expect 0 "H-score" "$program" --method osbp --open-set "${small[@]}" --out open
    head -1 open/osbp-seed-1/history.csv | grep -q "os_star,unk,h_score$" || die "history.csv lacks the metrics of an open set"
    tr -d ' \n' <open/results.json | grep -q '"os_star":{"mean":[0-9.]*,.*"unk":{"mean":[0-9.]*,.*"h_score":{"mean":[0-9.]*,' || die "results.json lacks them"
    grep -q "OS" open/results.md && grep -q "H-score" open/report.html || die "the report lacks them"
    [[ "$(head -1 open/osbp-seed-1/predictions.csv | grep -o 'p([^)]*)' | tr '\n' ' ')" == "p(0) p(1) p(2) p(3) p(4) p(unknown) " ]] || die "other classes than five and the unknown one"
    expect 2 "osbp needs --open-set" "$program" --method osbp
    expect 2 "source-classes.*needs --open-set" "$program" --method dann --source-classes 0,1
    expect 2 "target-classes: there is no class '17'; classes are 0, 1" "$program" --method dann --target-classes 0,17 --out none
    expect 2 "every class is known" "$program" --method dann --open-set --source-classes 0,1,2,3,4,5,6,7,8,9 --out none
    expect 2 "two known classes" "$program" --method dann --open-set --source-classes 3 --out none
    ;;
  partial_and_open_resumed)
    partial=(--target-classes 0,1,2,3,4 "${small[@]}")
    "$program" --method pada,iwan,dann "${partial[@]}" --out partial
    "$program" --method pada,iwan "${partial[@]}" --iterations 16 --out parts
    "$program" --method pada,iwan "${partial[@]}" --out parts --resume --threads 1
    same_run partial/pada-seed-1 parts/pada-seed-1
    same_run partial/iwan-seed-1 parts/iwan-seed-1
    expect 0 "H-score" "$program" --method osbp,dann --open-set "${small[@]}" --out open
    "$program" --method osbp --open-set "${small[@]}" --iterations 16 --out open_parts --threads 1
    "$program" --method osbp --open-set "${small[@]}" --out open_parts --threads 3 --resume
    same_run open/osbp-seed-1 open_parts/osbp-seed-1
    "$program" --method osbp --open-set --source-classes 7,1,3 "${small[@]}" --iterations 6 --eval-every 3 --out three_known
    head -1 three_known/osbp-seed-1/predictions.csv | grep -q 'p(1),p(3),p(7),p(unknown)' || die "the named classes are not the known ones"
    ;;
  output_folder)
    echo occupied >file
    expect 1 "file/sub" "$program" --method dann "${small[@]}" --out file/sub
    ! grep -q "%" said || die "trained before it looked at --out"
    expect 1 "is a folder" "$program" --method dann "${small[@]}" --json .
    ;;
  data_folder)
    mkdir data
    expect 1 "optdigits-images-idx3-ubyte.gz: no such file" "$program" --method dann "${small[@]}" --root data
    head -c 1000 /dev/zero >data/optdigits-images-idx3-ubyte.gz
    expect 1 "optdigits-images-idx3-ubyte.gz: " "$program" --method dann "${small[@]}" --root data
    ;;
  same_bits)
    "$program" --method dann,dan "${small[@]}" --save --out one --threads 1
    "$program" --method dann,dan "${small[@]}" --save --out three --threads 3
    same_run one/dann-seed-1 three/dann-seed-1
    same_run one/dan-seed-1 three/dan-seed-1
    "$program" --method dan "${small[@]}" --save --out other --seed 2
    ! cmp -s one/dan-seed-1/model.safetensors other/dan-seed-2/model.safetensors || die "two seeds gave the same weights"
    ;;
  stop_and_resume)
    "$program" --method dann "${small[@]}" --save --out whole
    for signal in INT TERM; do
      rm -rf parts
      # A shell gives background jobs SIGINT ignored; env restores it.
      env --default-signal=INT "$program" --method dann "${small[@]}" --save --out parts >log 2>&1 &
      child=$!
      wait_for parts/dann-seed-1/checkpoint.safetensors
      kill -s "$signal" "$child" 2>/dev/null || true
      code=0
      wait "$child" || code=$?
      [[ "$code" == $((128 + $(kill -l "$signal"))) ]] || [[ "$code" == 0 ]] || { cat log && die "exit code $code after SIG$signal"; }
      [[ "$code" == 0 ]] || grep -q "interrupted.*--resume" log || die "no word about --resume"
      "$program" --method dann "${small[@]}" --save --out parts --resume
      same_run whole/dann-seed-1 parts/dann-seed-1
    done
    # Fewer iterations first, then more.
    "$program" --method dann "${small[@]}" --iterations 8 --out longer
    "$program" --method dann "${small[@]}" --save --out longer --resume
    same_run whole/dann-seed-1 longer/dann-seed-1
    expect 1 "more than the 8 asked for" "$program" --method dann "${small[@]}" --iterations 8 --out longer --resume
    ;;
  kill_and_resume)
    "$program" --method dan "${small[@]}" --save --out whole
    again=()
    for pause in 0 0.07 0.15; do
      killed_after "$pause" parts/dan-seed-1/checkpoint.safetensors "$program" --method dan "${small[@]}" --save --out parts "${again[@]}"
      again=(--resume)
    done
    "$program" --method dan "${small[@]}" --save --out parts --resume
    same_run whole/dan-seed-1 parts/dan-seed-1
    ;;
  other_settings)
    "$program" --method dan "${small[@]}"
    expect 1 "learning_rate was 0.01, now it is 0.02" "$program" --method dan "${small[@]}" --resume --lr 0.02
    expect 0 "is finished already" "$program" --method dan "${small[@]}" --resume
    # A finished run is replaced only if that was asked for, and refused before anything is trained.
    cp dalib-train/dan-seed-1/checkpoint.safetensors before
    expect 1 "dan-seed-1: has an earlier run; --resume.*--overwrite" "$program" --method dann,dan "${small[@]}"
    [[ ! -e dalib-train/dann-seed-1 ]] || die "trained before it looked for earlier runs"
    rm dalib-train/dan-seed-1/checkpoint.safetensors # as after a kill between the two renames
    expect 1 "has an earlier run" "$program" --method dan "${small[@]}"
    cp before dalib-train/dan-seed-1/checkpoint.safetensors
    expect 2 "excludes" "$program" --method dan "${small[@]}" --resume --overwrite
    cmp before dalib-train/dan-seed-1/checkpoint.safetensors || die "the refused calls changed the checkpoint"
    expect 0 "replaces the earlier run" "$program" --method dan "${small[@]}" --overwrite --lr 0.02
    ! cmp -s before dalib-train/dan-seed-1/checkpoint.safetensors || die "--overwrite did not start anew"
    ;;
  damaged_checkpoint)
    "$program" --method dan "${small[@]}" --save --out whole
    "$program" --method dan "${small[@]}" --iterations 12 --out damaged
    printf 'x' | dd of=damaged/dan-seed-1/checkpoint.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
    expect 0 "goes on from iteration 8.*is damaged.*previous checkpoint" "$program" --method dan "${small[@]}" --save --out damaged --resume
    same_run whole/dan-seed-1 damaged/dan-seed-1
    : >damaged/dan-seed-1/checkpoint.safetensors
    : >damaged/dan-seed-1/checkpoint.safetensors.previous
    expect 1 "no usable checkpoint" "$program" --method dan "${small[@]}" --out damaged --resume
    ;;
  failure)
    expect 1 "source-only, seed 1, iteration .*the classification loss is .*training has stopped, the last checkpoint" \
      "$program" --method source-only "${small[@]}" --lr 100000 --checkpoint-every 1 --out failed
    [[ -s failed/source-only-seed-1/checkpoint.safetensors ]] || die "there is no checkpoint"
    ! tail -n +2 failed/source-only-seed-1/history.csv | grep -qi nan || die "the history has a loss that is not a number"
    ;;
  selection)
    expect 0 "an oracle, not a result" "$program" --method dan "${small[@]}" --select oracle --out oracle --save
    "$program" --method dan "${small[@]}" --iterations 16 --select oracle --out parts
    "$program" --method dan "${small[@]}" --select oracle --out parts --save --resume
    same_run oracle/dan-seed-1 parts/dan-seed-1
    expect 0 "best score" "$program" --method dan "${small[@]}" --select score --out score
    # By each score that needs no label; the chosen weights are those of its best row.
    for score in entropy soft_neighbourhood_density class_confusion rankme class_ami iwcv dev a_distance; do
      expect 0 "best $score" "$program" --method dan "${small[@]}" --select "$score" --out "by-$score"
      column="$(head -1 "by-$score/dan-seed-1/history.csv" | tr , '\n' | grep -nx "$score" | cut -d: -f1)"
      best="$(tail -n +2 "by-$score/dan-seed-1/history.csv" | sort -s -t, -k"$column,$column" -g -r | head -1 | cut -d, -f9)"
      tr -d ' \n' <"by-$score/results.json" | grep -q '"target_accuracy":{"mean":'"$best"'[,.0]' || die "$score did not choose its best row ($best)"
    done
    tr -d ' \n' <by-rankme/results.json | grep -q '"checkpoints":\[{"seed":1,"iteration":\[8.0,16.0,24.0\],.*"a_distance":\[[-0-9.]*,[-0-9.]*,[-0-9.]*\]}}\]' || die "results.json lacks scores of checkpoints"
    grep -q "target % by it" by-rankme/report.html || die "the report does not hold the scores against the oracle"
    tr -d ' \n' <by-rankme/results.json | grep -q '"rank_correlation_with_target_accuracy":{"score":[-0-9.null]*,"entropy":' || die "the scores are not held against the accuracy"
    ;;
  results)
    "$program" --method dann "${small[@]}" --seeds 2 --out results --json copy.json
    for name in report.html results.json results.md accuracy.svg methods.svg loss.svg transfer.svg; do
      [[ -s "results/$name" ]] || die "results/$name is missing"
    done
    cmp copy.json results/results.json || die "the two JSON files differ"
    # Links stay, pipes and open files are written.
    ln -s copy.json link
    mkfifo pipe
    cat pipe >piped &
    "$program" --method dann "${small[@]}" --seeds 2 --out results --resume --json pipe
    wait $!
    [[ -p pipe ]] || die "the pipe was replaced"
    cmp copy.json piped || die "the pipe got something else"
    "$program" --method dann "${small[@]}" --seeds 2 --out results --resume --json link
    [[ -L link ]] || die "the link was replaced"
    "$program" --method dann "${small[@]}" --seeds 2 --out results --resume --json /dev/stdout >log
    grep -q '"target_accuracy"' log && grep -q '^wrote ' log || die "standard output lost a part"
    grep -q '"target_accuracy"' copy.json || die "results.json has no target accuracy"
    grep -q '<svg' results/report.html || die "report.html has no picture"
    ;;
  *) die "there is no such case" ;;
esac
echo "$case: passed"
