#!/usr/bin/env bash
# Usage: own_tests.sh FOLDER-OF-PROGRAMS CASE DRAWN FOLDER. Runs one case of dalib_train and dalib_predict on a person's own data, which
# dalib_shapes drew below DRAWN, in the empty FOLDER; fails with a sentence.
set -euo pipefail

programs="$1" case="$2" drawn="$3" folder="$4"
source "$(dirname "${BASH_SOURCE[0]}")/program_functions.sh"
start_case "$folder"
ln -s "$drawn" drawn
train="$programs/dalib_train" predict="$programs/dalib_predict"
images=(--source drawn/studio --target drawn/field --arch lenet --image-side 28 --no-pictures)
tables=(--source drawn/plant-a.csv --target drawn/plant-b.csv --label product --no-pictures)
short=(--iterations 12 --eval-every 6 --checkpoint-every 3 --batch-size 16)

# accuracy MODEL INPUT [OPTION...]: the accuracy that dalib_predict prints, rounded down.
accuracy() {
  "$predict" --model "$1" "${@:2}" --out scored.csv --overwrite >scores || die "dalib_predict failed on $2"
  sed -n 's/^.*accuracy \([0-9]*\)[.].*/\1/p' scores
}

# adapted_by_15 LABELLED-INPUT RUN METHOD: the run's method is at least 15 points better than source-only.
adapted_by_15() {
  local before after
  before="$(accuracy "$2/source-only-seed-1/model.safetensors" "$1")"
  after="$(accuracy "$2/$3-seed-1/model.safetensors" "$1")"
  echo "source-only $before %, $3 $after %"
  ((after >= before + 15)) || die "$3 has $after % after $before % without adaptation"
}

# same_predictions RUN INPUT: dalib_predict writes what the trainer wrote.
same_predictions() {
  "$predict" --model "$1" "$2" --out again.csv --overwrite >said || die "dalib_predict failed"
  cmp again.csv "$1/predictions.csv" || die "predictions differ from the trainer's own"
  "$predict" --model "$1" "$2" --out again.csv --overwrite --threads 1 >said
  cmp again.csv "$1/predictions.csv" || die "predictions of one thread differ"
}

case "$case" in
  shapes)
    expect 0 "target drawn/field (images): 360 images, 64 x 64 pixels, no labels" "$train" "${images[@]}" --iterations 300 --out run
    grep -q "are of mdd, seed 1" said || die "the model of the method that adapts was not chosen"
    [[ -s run/report.html && -s run/score.svg ]] || die "there is no report"
    ! grep -qi "nan" run/results.json run/results.md || die "a number is missing in the results"
    same_predictions run drawn/field
    [[ "$(wc -l <run/predictions.csv)" == 361 ]] || die "there is not one line per image"
    head -1 run/predictions.csv | grep -qx "file,class,confidence,flag,p(circle),p(cross),p(ring),p(square),p(star),p(triangle)" || die "another header"
    adapted_by_15 drawn/field-labels.txt run mdd
    for word in "calibration error" "as triangle" "^star "; do grep -q "$word" scores || die "the scores do not say '$word'"; done
    "$predict" --model run drawn/field --out lines.jsonl >said
    [[ "$(grep -c '^{"file":"drawn/field/day-.*"probabilities":{"circle":' lines.jsonl)" == 360 ]] || die "the JSON lines are others"
    ;;
  table)
    expect 0 "no labels" "$train" "${tables[@]}" --iterations 300 --out run
    # The same bits for any number of threads.
    "$train" "${tables[@]}" "${short[@]}" --method mdd,dan+mcc --no-baseline --threads 1 --out one
    "$train" "${tables[@]}" "${short[@]}" --method mdd,dan+mcc --no-baseline --threads 3 --out three
    for method in mdd dan+mcc; do same_run "one/$method-seed-1" "three/$method-seed-1"; done
    cmp one/predictions.csv three/predictions.csv || die "predictions depend on the number of threads"
    same_predictions run drawn/plant-b.csv
    adapted_by_15 drawn/plant-b-labelled.csv run mdd
    ;;
  features)
    expect 0 "rows of 6 numbers" "$train" --source drawn/plant-a-features.npy --target drawn/plant-b-features.npy --arch linear --iterations 300 \
      --no-pictures --out run
    same_predictions run drawn/plant-b-features.npy
    adapted_by_15 drawn/plant-b-known-features.npy run mdd
    ;;
  all_methods)
    # All methods run on features and on tables.
    expect 0 "mcd" "$train" --source drawn/plant-a-features.npy --target drawn/plant-b-features.npy --arch linear "${short[@]}" --method all --no-pictures --out all
    expect 0 "mcd" "$train" "${tables[@]}" "${short[@]}" --method all --out tables
    same_predictions all drawn/plant-b-features.npy
    ;;
  by_path)
    # IDX files by their paths give the numbers of the same digits by name.
    digits="$5"
    gzip -dc "$digits/mnist-train-images-idx3-ubyte.gz" >mnist-train-images-idx3-ubyte # plain files as well
    cp "$digits/mnist-train-labels-idx1-ubyte.gz" mnist-train-labels-idx1-ubyte
    "$train" --method dan --source mnist --target mnistm "${short[@]}" --no-pictures --no-baseline --out name
    "$train" --method dan --source mnist-train-images-idx3-ubyte --validation "$digits/mnist-test-images-idx3-ubyte.gz" \
      --target "$digits/mnistm-train-images-idx3-ubyte.gz" --target-test "$digits/mnistm-test-images-idx3-ubyte.gz" "${short[@]}" --no-pictures \
      --no-baseline --out path
    cmp name/dan-seed-1/history.csv path/dan-seed-1/history.csv || die "the histories differ"
    cmp name/predictions.csv path/predictions.csv || die "the predictions differ"
    expect 0 "accuracy" "$predict" --model name mnistm --out named.csv
    ;;
  lists)
    # A list without labels as the target, one with labels as the source, and folders whose names mean nothing.
    (cd drawn && ls -d studio/*/*.png | sed -n 's/^\(studio\/\([a-z]*\)\/.*\)$/\1 \2/p') >source.txt
    sed 's/ .*//' drawn/field-labels.txt >target.txt
    "$train" --source drawn/studio --target drawn/field "${images[@]:4}" "${short[@]}" --no-baseline --out folders
    "$train" --source source.txt --target target.txt --root drawn "${images[@]:4}" "${short[@]}" --no-baseline --out lists
    cmp folders/mdd-seed-1/history.csv lists/mdd-seed-1/history.csv || die "lists and folders give other numbers"
    expect 0 "star (images): 60 images" "$train" --source drawn/studio --target drawn/studio/star --dry-run --validation 20% "${images[@]:4}"
    grep -q "samples of the target are in the source too" said || die "the duplicates were not told"
    ;;
  stops)
    # Kills of the trainer, and any cut of what dalib_predict has written: the rest comes out as if nothing had happened.
    "$train" "${images[@]}" --method dan "${short[@]}" --no-baseline --out whole
    again=()
    for pause in 0 0.1; do
      killed_after "$pause" parts/dan-seed-1/checkpoint.safetensors "$train" "${images[@]}" --method dan "${short[@]}" --no-baseline --out parts "${again[@]}"
      again=(--resume)
    done
    "$train" "${images[@]}" --method dan "${short[@]}" --no-baseline --out parts --resume
    same_run whole/dan-seed-1 parts/dan-seed-1
    "$train" "${images[@]}" --method dan "${short[@]}" --no-baseline --threads 1 --workers 1 --out alone
    same_run whole/dan-seed-1 alone/dan-seed-1
    cmp whole/model.safetensors parts/model.safetensors || die "the models differ"
    size="$(stat -c %s whole/predictions.csv)"
    for bytes in 0 30 500 "$((size * 3 / 4))" "$((size - 1))"; do
      head -c "$bytes" whole/predictions.csv >cut.csv.partial
      expect 0 "wrote cut.csv" "$predict" --model whole drawn/field --out cut.csv --resume
      cmp cut.csv whole/predictions.csv || die "after a cut at byte $bytes the predictions differ"
      [[ ! -e cut.csv.partial ]] || die "the partial file is still there"
      rm cut.csv
    done
    for _ in 1 2 3; do
      "$predict" --model whole drawn/field --out killed.csv --overwrite >log 2>&1 &
      sleep "0.$((RANDOM % 3))5"
      kill -KILL $! 2>/dev/null || true
      wait $! || true
    done
    if [[ -e killed.csv.partial ]]; then "$predict" --model whole drawn/field --out killed.csv --resume; else "$predict" --model whole drawn/field --out killed.csv --overwrite; fi
    cmp killed.csv whole/predictions.csv || die "after kills the predictions differ"
    # What labels say is of the whole input, not of what came after --resume.
    for end in csv jsonl; do
      "$predict" --model whole drawn/field-labels.txt --out "scored.$end" | sed -n '/^accuracy/,/^wrote/p' >whole-scores
      head -c 30000 "scored.$end" >"resumed.$end.partial"
      "$predict" --model whole drawn/field-labels.txt --out "resumed.$end" --resume | sed -n '/^accuracy/,/^wrote/p' >resumed-scores
      cmp "scored.$end" "resumed.$end" || die "predictions of labelled samples differ after --resume"
      diff <(grep -v ^wrote whole-scores) <(grep -v ^wrote resumed-scores) || die "the scores after --resume are others"
    done
    # SIGTERM leaves what is done, and says how to go on.
    for _ in $(seq 40); do sed 's/^/drawn\//' drawn/field-labels.txt; done >many.txt
    "$predict" --model whole many.txt --root . --out many.csv >log 2>&1 &
    child=$!
    wait_for many.csv.partial
    until [[ -s many.csv.partial || -e many.csv ]]; do sleep 0.01; done
    kill -TERM "$child"
    code=0
    wait "$child" || code=$?
    [[ "$code" == 143 ]] || { cat log && die "SIGTERM gave exit code $code"; }
    grep -q -- "--resume goes on" log || die "after SIGTERM nothing is said"
    [[ -s many.csv.partial && ! -e many.csv ]] || die "SIGTERM left no partial file"
    "$predict" --model whole many.txt --root . --out many.csv --resume >log
    "$predict" --model whole many.txt --root . --out unbroken.csv >log
    cmp many.csv unbroken.csv || die "after SIGTERM the predictions differ"
    # Of another model.
    "$train" "${images[@]}" --method dan "${short[@]}" --no-baseline --seed 2 --out other
    head -c 5000 whole/predictions.csv >mixed.csv.partial
    expect 1 "was written by another model" "$predict" --model other drawn/field --out mixed.csv --resume
    expect 2 "has earlier predictions" "$predict" --model other drawn/field --out killed.csv
    expect 2 "no none.csv.partial to go on with" "$predict" --model other drawn/field --out none.csv --resume
    ;;
  bad_input)
    options=(--arch lenet --image-side 28 "${short[@]}" --no-baseline --no-pictures)
    mkdir empty one one/circle
    cp drawn/studio/circle/000.png drawn/studio/circle/001.png one/circle
    expect 2 "'drawn/studoi': no such file or folder.*did you mean 'drawn/studio'" "$train" --source drawn/studoi --target drawn/field "${options[@]}"
    expect 2 "'fild': no such file" "$train" --source drawn/studio --target fild "${options[@]}"
    expect 1 "empty: has no images" "$train" --source empty --target drawn/field "${options[@]}"
    expect 1 "empty: has no images" "$train" --source drawn/studio --target empty "${options[@]}"
    expect 1 "one: has one class only ('circle')" "$train" --source one --target drawn/field "${options[@]}"
    mkdir -p more && cp -r drawn/studio/circle drawn/studio/star more && mkdir more/stat && cp drawn/studio/star/000.png more/stat
    expect 1 "more: has the class 'stat', which the source lacks; its classes are circle, .*did you mean 'star'" \
      "$train" --source drawn/studio --target more "${options[@]}"
    expect 0 "more (images): 121 images" "$train" --source drawn/studio --target more --data images "${options[@]}" --dry-run
    cp drawn/studio/star/000.png more
    expect 1 "more/000.png: is an image beside the folders" "$train" --source more --target drawn/field "${options[@]}"
    mkdir broken && cp drawn/field/day-1/00?.png broken && head -c 200 broken/003.png >broken/002.png
    expect 1 "1 files cannot be read: broken/002.png: .*--unreadable skip" "$train" --source drawn/studio --target broken "${options[@]}" --batch-size 2
    expect 0 "note: 1 files cannot be read: broken/002.png" "$train" --source drawn/studio --target broken "${options[@]}" --batch-size 2 --unreadable skip --out skipped
    grep -q "^broken/002.png,,,unreadable" skipped/predictions.csv || die "the unreadable file is not flagged"
    expect 0 "skipped: broken/002.png" "$predict" --model skipped broken --out broken.csv
    cmp broken.csv skipped/predictions.csv || die "predictions with an unreadable file differ"
    expect 1 "broken/002.png" "$predict" --model skipped broken --out stopped.csv --unreadable stop

    sed '5s/,[0-9.]*,/,heavy,/' drawn/plant-a.csv >text.csv
    expect 1 "text.csv:5: column '[a-z]*' holds 'heavy', which is not a number" "$train" --source text.csv --target drawn/plant-b.csv --label product
    sed '5s/,[-0-9.]*,/,,/' drawn/plant-a.csv >missing.csv
    expect 1 "missing.csv:5: has no value in column 'length' (--missing mean" "$train" --source missing.csv --target drawn/plant-b.csv --label product
    expect 0 "plant-b.csv (csv)" "$train" --source missing.csv --target drawn/plant-b.csv --label product --missing mean --dry-run
    cut -d, -f1-5 drawn/plant-b.csv >fewer.csv
    expect 1 "fewer.csv: lacks the column 'noise'" "$train" --source drawn/plant-a.csv --target fewer.csv --label product
    sed '1s/noise/niose/' drawn/plant-b.csv >other.csv
    expect 1 "other.csv: lacks the column 'noise' of the source; did you mean 'niose'" "$train" --source drawn/plant-a.csv --target other.csv --label product
    expect 2 "has no column 'label' (--label names" "$train" --source drawn/plant-a.csv --target drawn/plant-b.csv
    sed '7s/$/,1/' drawn/plant-b.csv >longer.csv
    expect 1 "longer.csv:7: has 7 fields, the first line has 6" "$train" --source drawn/plant-a.csv --target longer.csv --label product
    expect 1 "holds images, but the source holds values" "$train" --source drawn/plant-a.csv --target drawn/field --label product
    expect 2 "need mlp or linear" "$train" --source drawn/plant-a.csv --target drawn/plant-b.csv --label product --arch resnet18
    expect 2 "needs labels of the target" "$train" "${tables[@]}" --select oracle
    expect 2 "share 0.7" "$train" "${tables[@]}" --validation 0.7

    "$train" "${tables[@]}" "${short[@]}" --no-baseline --out run
    sed '1s/noise/niose/' drawn/plant-a.csv >renamed.csv
    sed 's/^bolt/boltx/' drawn/plant-a.csv >classes.csv
    expect 1 "cannot go on with other settings.*classes was \[\"bolt\"" "$train" --source classes.csv "${tables[@]:2}" "${short[@]}" --no-baseline --out run --resume
    expect 1 "other.csv: lacks the column 'noise'" "$predict" --model run other.csv --out p.csv
    expect 1 "plant-b-features.npy: is not a table" "$predict" --model run drawn/plant-b-features.npy --out p.csv
    expect 2 "there is no none" "$predict" --model none drawn/plant-b.csv --out p.csv
    head -c 3000 run/model.safetensors >cut.safetensors
    expect 1 "cut.safetensors: " "$predict" --model cut.safetensors drawn/plant-b.csv --out p.csv
    expect 1 "not a model" "$predict" --model run/mdd-seed-1/checkpoint.safetensors drawn/plant-b.csv --out p.csv
    expect 1 "cannot create" "$predict" --model run drawn/plant-b.csv --out none/p.csv
    [[ ! -w /dev/full ]] || { ln -s /dev/full full.csv && expect 1 "full" "$train" "${tables[@]}" "${short[@]}" --no-baseline --out again --json full.csv; }
    expect 2 "did you mean\|Did you mean --overwrite" "$predict" --model run drawn/plant-b.csv --out p.csv --overwrit
    ;;
  completion)
    source "$(dirname "${BASH_SOURCE[0]}")/../../examples/trainer/completion.bash"
    _dalib_complete "$train" --ov --out
    [[ "${COMPREPLY[*]}" == --overwrite ]] || die "--ov gives '${COMPREPLY[*]}'"
    _dalib_complete "$train" dan --method
    [[ "${COMPREPLY[*]}" == "dan dan-linear dann" || "${COMPREPLY[*]}" == "dann dan dan-linear" ]] || die "dan gives '${COMPREPLY[*]}'"
    _dalib_complete "$train" 10m --budget
    [[ "${COMPREPLY[*]}" == 10min ]] || die "10m gives '${COMPREPLY[*]}'"
    _dalib_complete "$predict" --res ""
    [[ "${COMPREPLY[*]}" == --resume ]] || die "--res gives '${COMPREPLY[*]}'"
    ;;
  report)
    # The page says what was measured and shows the target's images, with labels and without.
    page() { tr '\n' ' ' <"$1/report.html"; }
    shows() { page "$1" | grep -q -- "$2" || die "the report of $1 does not show '$2'"; }
    "$train" "${images[@]:0:8}" --method mdd "${short[@]}" --out plain
    for text in "How far the domains are apart.*MK-MMD.*A-distance.*<td>source-only (before adaptation)</td>.*<td>mdd</td>" \
      "Features by domain" "Features by predicted class" "label these first" "The most certain of each class" "flagged far" \
      "soft_neighbourhood_density</td><td>Entropy of" "<th>command</th><td>.*--source drawn/studio" "<th>date</th>" "<th>machine</th>" "<th>seeds</th><td>1, from 1; 2 runs" \
      "360 predicted" "Names are below drawn/field"; do shows plain "$text"; done
    [[ "$(grep -o '<img src="data:image/png;base64,iVBORw0KGgo' plain/report.html | wc -l)" == 48 ]] || die "there are not 48 pictures"
    for text in "<th>true class" "Accuracy by method" 'src="http' "<script" "class=.wrong"; do
      ! grep -q -- "$text" plain/report.html || die "the report without labels has '$text'"
    done
    for name in features-domain features-predicted; do [[ -s "plain/$name.svg" ]] || die "there is no $name.svg"; done
    # With labels the classes are compared; a frozen backbone's features still have their images; without a baseline the network before
    # training is what is compared with.
    "$train" --source drawn/studio --target drawn/field --target-test drawn/field-labels.txt --arch resnet18 --image-side 32 --frozen-backbone \
      --method dan "${short[@]}" --no-baseline --no-pictures --out known
    for text in "<td>dan, before training</td>.*<td>dan</td>" 'class="confusion".*<td>circle</td><td>60</td>' "rank correlation" 'class="wrong"' "%, is [a-z]*<small>"; do
      shows known "$text"
    done
    [[ "$(grep -c '<img src="data:image/png;base64' known/report.html)" == 48 ]] || die "features have no pictures"
    # Rows of tables and features in place of images.
    "$train" "${tables[@]}" "${short[@]}" --out rows
    shows rows "<th>row</th><th>class</th><th>how sure</th><th>or else</th><th>flag</th><th>length</th>"
    line="$(grep -o '<tr><td>[0-9]*</td><td>[a-z]*</td><td>[0-9]* %</td><td>[a-z]* [0-9]* %</td><td>[a-z ]*</td><td>[-0-9.]*</td>' rows/report.html | head -1)"
    row="$(sed 's/<tr><td>\([0-9]*\).*/\1/' <<<"$line")" value="$(sed 's/.*<td>\([-0-9.]*\)<.td>$/\1/' <<<"$line")"
    [[ "$(sed -n "$((row + 1))p" drawn/plant-b.csv | cut -d, -f1)" == "$value"* ]] || die "row $row of the table does not begin with $value"
    ! grep -q "<img" rows/report.html || die "a table has pictures"
    ;;
  time_estimate)
    # What is told before training is what it takes, within what a busy machine does.
    long=(--source drawn/studio --target drawn/field --arch lenet --image-side 28 --method dan --no-baseline --no-pictures --iterations 200)
    "$train" "${long[@]}" --dry-run >said
    told="$(sed -n 's/^training 1 runs will take about \([0-9]*\) s$/\1/p' said)"
    [[ -n "$told" ]] || { cat said && die "no time is told"; }
    begin="$(date +%s%N)"
    "$train" "${long[@]}" --out run
    took=$((($(date +%s%N) - begin) / 1000000))
    echo "told $told s, took $took ms"
    ((told * 1000 <= 6 * took + 2000 && took <= 6 * (told * 1000 + 1000))) || die "$told s were told, it took $took ms"
    ;;
  resnet)
    # The same two commands with a ResNet from random numbers, frozen and not; the same bits for any number of threads.
    net=(--source drawn/studio --target drawn/field --arch resnet18 --image-side 64 --no-pictures)
    expect 0 "computing the features of 360 images of drawn/field" "$train" "${net[@]}" --frozen-backbone --iterations 100 --out frozen
    same_predictions frozen drawn/field
    rm -r frozen
    expect 0 "starts from random numbers" "$train" "${net[@]}" --method dan --no-baseline --iterations 3 --batch-size 8 --threads 1 --workers 1 --out trained
    same_predictions trained drawn/field
    for threads in 2 3; do
      "$train" "${net[@]}" --method dan --no-baseline --iterations 3 --batch-size 8 --threads "$threads" --workers "$threads" --out "by-$threads"
      same_run trained/dan-seed-1 "by-$threads/dan-seed-1"
      cmp trained/predictions.csv "by-$threads/predictions.csv" || die "predictions depend on the number of threads"
      rm -r "by-$threads"
    done
    ;;
  resnet_adapts)
    # A ResNet-18 that learns from the studio's 324 images alone, from random numbers on. All of it trained, and then frozen as the baseline
    # has left it, which has seen no image of the field.
    net=(--source drawn/studio --target drawn/field --arch resnet18 --image-side 64 --no-pictures)
    "$train" "${net[@]}" --method dann+mcc --iterations 200 --batch-size 16 --lr 0.01 --eval-every 50 --select last --out trained
    same_predictions trained drawn/field
    adapted_by_15 drawn/field-labels.txt trained dann+mcc
    "$train" "${net[@]}" --frozen-backbone --weights trained/source-only-seed-1/model.safetensors --method im --iterations 300 --select last --out frozen
    same_predictions frozen drawn/field
    adapted_by_15 drawn/field-labels.txt frozen im
    ;;
  *) die "there is no such case" ;;
esac
echo "$case: passed"
