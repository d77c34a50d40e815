# Completion of dalib_train, dalib_predict and dalib_features for bash: source examples/trainer/completion.bash
# Options come from the program's own --help, so they are always those of the program that is called.

_dalib_complete() {
  local program="$1" word="$2" before="$3" words=""
  case "$before" in
    --method | -m) [[ "$program" == *dalib_predict ]] || words="all $("$program" --help 2>/dev/null | sed -n 's/^ *\([a-z][a-z-]*\): .*/\1/p')" ;;
    --data) words="auto class-folders images list idx npy csv digits office31 office-home visda2017 domainnet image-list" ;;
    --arch) words="lenet resnet18 resnet34 resnet50 resnet101 mlp linear" ;;
    --select) words="last score entropy information_maximisation confidence soft_neighbourhood_density nuclear_norm softmax_correlation class_confusion mano rankme class_ami class_silhouette iwcv dev a_distance oracle" ;;
    --unreadable) words="stop skip" ;;
    --budget) words="4000 8000 10min 30min 1h" ;;
    --missing) words="refuse mean" ;;
    --format) words="csv jsonl" ;;
    --source | --target | -s | -t) words="mnist mnistm optdigits optdigits-wide" ;;
  esac
  if [[ "$word" == -* ]]; then words="$("$program" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _dalib_complete dalib_train dalib_predict dalib_features
