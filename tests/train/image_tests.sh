#!/usr/bin/env bash
# Usage: image_tests.sh TRAIN FEATURES CASE MINIATURE FOLDER. Runs one case of the programs dalib_train and dalib_features on the data sets of
# make_miniature, in the empty FOLDER; fails with a sentence.
set -euo pipefail

train="$1" features="$2" case="$3" miniature="$4" folder="$5"
source "$(dirname "${BASH_SOURCE[0]}")/program_functions.sh"
start_case "$folder"
network=(--arch resnet18 --weights "$miniature/weights.safetensors" --image-side 32 --classes 3)
short=(--batch-size 4 --iterations 4 --eval-every 4 --checkpoint-every 4 --no-pictures --no-baseline)
office=(--data office31 --root "$miniature/office31" --source amazon --target webcam "${network[@]}" "${short[@]}")

case "$case" in
  image_layouts)
    # Every layout and an image list train; domains go by both names.
    expect 0 "amazon -> webcam" "$train" --method dan "${office[@]}" --overwrite
    expect 0 "Art -> Clipart" "$train" --method dan --data office-home --root "$miniature/office-home" --source Ar --target Cl "${network[@]}" "${short[@]}" --overwrite
    expect 0 "train -> validation" "$train" --method dan --data visda2017 --root "$miniature/visda2017" --source T --target V "${network[@]}" "${short[@]}" --overwrite
    expect 0 "clipart -> real" "$train" --method dan --data domainnet --root "$miniature/domainnet" --source c --target r "${network[@]}" "${short[@]}" --overwrite
    sed 's/^/a folder\//' "$miniature/office31/image_list/amazon.txt" >"my source.txt"
    cp "$miniature/office31/image_list/webcam.txt" target.txt
    ln -s "$miniature/office31" "a folder"
    ln -s "$miniature/office31/webcam" webcam
    expect 0 "my_source -> target" "$train" --method dan --data image-list --root . --source "my source.txt" --target target.txt "${network[@]}" "${short[@]}" --overwrite
    ;;
  image_methods | image_all_methods)
    # All methods, or three, with DALIB's hyper-parameters for each where nothing else was said. Six at a time: each writes 140 MB.
    methods=(dann mcd mdd)
    if [[ "$case" == image_all_methods ]]; then # osbp needs --open-set
      mapfile -t methods < <("$train" --help | sed -n 's/^ \{30,\}\([a-z-]*\): .*/\1/p' | awk '$0 != "osbp" && !seen[$0]++')
    fi
    ((${#methods[@]} == 3 || ${#methods[@]} >= 30)) || die "--help names ${#methods[@]} methods only"
    for ((first = 0; first < ${#methods[@]}; first += 6)); do
      names="$(IFS=, && echo "${methods[*]:first:6}")"
      expect 0 "${methods[first]}" "$train" --method "$names" "${office[@]}" --iterations 2 --eval-every 2 --checkpoint-every 2 --out all
      for run in all/*-seed-1; do
        ! tail -n +2 "$run/history.csv" | grep -qi -e nan -e inf || die "$run/history.csv has a number that is not finite"
      done
      tr -d ' \n' <all/results.json >>results
      rm -r all
    done
    grep -q '"method":"mdd"[^}]*"learning_rate":0.004,"lr_gamma":0.0002' results || die "MDD's protocol is not DALIB's"
    grep -q '"method":"dann"[^}]*"learning_rate":0.01,"lr_gamma":0.001[^}]*"weight_decay":0.001,"backbone_lr":0.1' results || die "DANN's is not"
    grep -q '"method":"mcd"[^}]*"learning_rate":0.001,"lr_gamma":0.0,[^}]*"generator-momentum":0.0' results || die "MCD's is not"
    expect 0 "dann" "$train" --method dann "${office[@]}" --lr 0.002 --iterations 2 --out given
    tr -d ' \n' <given/results.json | grep -q '"learning_rate":0.002,' || die "--lr was not used"
    ;;
  image_tasks)
    expect 0 "average" "$train" --method source-only,dan --data office31 --root "$miniature/office31" --tasks all "${network[@]}" "${short[@]}" \
      --frozen-backbone --frozen-batch-norm --out tables
    [[ "$(grep -o -- '-[\]*> ' tables/results.md | wc -l)" == 6 ]] || die "the table has not six tasks"
    [[ -s tables/dslr-amazon/report.html ]] || die "a task has no report"
    expect 0 "amazon -> dslr" "$train" --method dan --data office31 --root "$miniature/office31" --tasks A:D,D:W "${network[@]}" "${short[@]}" --frozen-backbone --out two
    expect 2 "nothing to adapt" "$train" --method mcd "${office[@]}" --frozen-backbone
    ;;
  image_same_bits)
    # The same numbers for any number of threads and workers, and after an interruption.
    office+=(--eval-every 2 --checkpoint-every 2)
    "$train" --method dan "${office[@]}" --save --out one --threads 1 --workers 1
    "$train" --method dan "${office[@]}" --save --out many --threads 3 --workers 4
    same_run one/dan-seed-1 many/dan-seed-1
    "$train" --method dan "${office[@]}" --iterations 2 --out parts
    "$train" --method dan "${office[@]}" --save --out parts --resume --workers 3
    same_run one/dan-seed-1 parts/dan-seed-1
    # What was trained serves as weights.
    expect 0 "24 images, 512 features" "$features" --data office31 --root "$miniature/office31" --domain webcam --classes 3 --arch resnet18 \
      --weights one/dan-seed-1/model.safetensors --image-side 32 --out trained
    ;;
  image_kills)
    # Killed twelve times at any moment, a run loses only what came after its last checkpoint, and it ends with the bits of one left alone.
    office+=(--iterations 30 --eval-every 10 --checkpoint-every 1 --save)
    "$train" --method dan "${office[@]}" --out whole
    RANDOM=20
    again=()
    for _ in $(seq 12); do
      killed_after "$((RANDOM % 3)).$((RANDOM % 900 + 100))" parts/dan-seed-1/checkpoint.safetensors \
        "$train" --method dan "${office[@]}" --out parts "${again[@]}"
      again=(--resume)
    done
    expect 0 "resum\|goes on\|finished" "$train" --method dan "${office[@]}" --out parts --resume
    same_run whole/dan-seed-1 parts/dan-seed-1
    ;;
  image_features)
    expect 0 "24 images, 512 features" "$features" --data office31 --root "$miniature/office31" --domain A --classes 3 --arch resnet18 \
      --weights "$miniature/weights.safetensors" --image-side 32 --out amazon
    head -c 128 amazon-features.npy | grep -aq "'<f4'.*(24,512,)" || die "amazon-features.npy has another header"
    head -c 128 amazon-labels.npy | grep -aq "'<i8'.*(24,)" || die "amazon-labels.npy has another header"
    [[ "$(wc -l <amazon-images.txt)" == 24 ]] || die "amazon-images.txt has not one line per image"
    ;;
  image_arguments)
    expect 2 "root.*required" "$train" --method dan --data office31 --source A --target W
    expect 2 "source.*required" "$train" --method dan --data office31 --root "$miniature/office31"
    expect 2 "unknown data set 'office13'" "$train" --method dan --data office13 --root .
    expect 2 "unknown domain 'X'; domains of office31: amazon (A)" "$train" --method dan "${office[@]}" --source X
    expect 2 "resnet19" "$train" --method dan "${office[@]}" --arch resnet19
    expect 2 "need lenet" "$train" --method dan --arch resnet18
    expect 2 "not SOURCE:TARGET" "$train" --method dan "${office[@]}" --tasks A
    expect 1 "has images of 3 classes, office31 has 31" "$train" --method dan "${office[@]}" --classes 0
    expect 1 "none: no such folder; --root names the folder of office31" "$train" --method dan "${office[@]}" --root none
    expect 1 "Product: no such folder" "$train" --method dan --data office-home --root "$miniature/office-home" --source Ar --target Pr "${network[@]}" "${short[@]}"
    expect 1 "does not fit the network; missing: .*conv3.weight" "$train" --method dan "${office[@]}" --arch resnet50
    expect 2 "none.safetensors': no such file" "$train" --method dan "${office[@]}" --weights none.safetensors
    head -c 100000 "$miniature/weights.safetensors" >cut.safetensors
    expect 1 "cut.safetensors: .*cut off" "$train" --method dan "${office[@]}" --weights cut.safetensors
    ;;
  image_unreadable)
    cp -r "$miniature/office31" own
    own=("${office[@]}" --root own)
    head -c 300 "own/amazon/images/digit 1/3.jpg" >cut && mv cut "own/amazon/images/digit 1/3.jpg"
    : >"own/webcam/images/digit 2/5.png"
    rm "own/webcam/images/digit 0/1.png"
    # Training meets the file in its pass over the data, after a checkpoint; nothing is lost.
    expect 1 "digit [012]/[135].*[pj][np]g.*--unreadable skip" "$train" --method dan "${own[@]}" --iterations 12 --eval-every 12 --checkpoint-every 1 --out stopped
    [[ -s stopped/dan-seed-1/checkpoint.safetensors ]] || die "there is no checkpoint"
    expect 0 "skipped: .*digit 2/5.png: is empty" "$train" --method dan "${own[@]}" --iterations 12 --unreadable skip --out skipped --save --workers 1
    grep -q "skipped: .*digit 1/3.jpg: the JPEG is damaged" said || die "the cut file was not reported"
    grep -q "skipped: .*digit 0/1.png: cannot open" said || die "the missing file was not reported"
    expect 0 "dan" "$train" --method dan "${own[@]}" --iterations 12 --unreadable skip --out again --save --workers 4 --threads 1
    same_run skipped/dan-seed-1 again/dan-seed-1
    expect 0 "22 images" "$features" --data office31 --root own --domain webcam --classes 3 --arch resnet18 --weights "$miniature/weights.safetensors" \
      --image-side 32 --unreadable skip
    sed -i '1s/ [0-2]$/ 7/' own/image_list/webcam.txt
    expect 1 "webcam.txt:1: the label 7 is out of range" "$train" --method dan "${own[@]}"
    ;;
  *) die "there is no such case" ;;
esac
echo "$case: passed"
