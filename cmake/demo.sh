#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOT'
Usage: cmake/demo.sh [--help] [OPTION OF dalib_train ...]
Installs what is missing, builds the trainer with optimisation in build/, and shows domain adaptation at work on the real digits that are
part of this project, in a few minutes on two cores:
  1. MNIST -> optdigits: training on the source alone, DANN, DAN and MDD;
  2. MNIST -> MNIST-M (digits on photographs): training on the source alone and MCD.
Prints the comparisons. Plots, tables and checkpoints are in build/demo; open report.html there. Options are passed on to dalib_train, for
example --iterations 200 or --seeds 3 (see build/bin/dalib_train --help).
What an earlier call finished is shown again, what it began goes on; --overwrite, or removing build/demo, starts anew.
EOT
}

case "${1:-}" in
  --help | -h) usage && exit 0 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake/setup.sh
generator=()
if command -v ninja >/dev/null && [[ ! -f build/CMakeCache.txt ]]; then
  generator=(-G Ninja)
fi
cmake -S . -B build "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DDALIB_SANITIZE= -DDALIB_BUILD_EXAMPLES=ON
cmake --build build --target dalib_train --parallel "$(nproc)"

# train FOLDER ARGUMENT...: goes on with what is in the folder already, unless the user's options say what to do.
train() {
  local folder="$1" again=()
  shift
  if [[ -d "$folder" && " $* " != *" --resume "* && " $* " != *" --overwrite "* ]]; then again=(--resume); fi
  build/bin/dalib_train --out "$folder" "${again[@]}" "$@"
}
train build/demo/mnist-to-optdigits --method source-only,dann,dan,mdd --source mnist --target optdigits "$@"
train build/demo/mnist-to-mnistm --method source-only,mcd --source mnist --target mnistm "$@"

echo
echo "Reports with curves and pictures of the features:"
for task in mnist-to-optdigits mnist-to-mnistm; do
  echo "  $PWD/build/demo/$task/report.html"
done
