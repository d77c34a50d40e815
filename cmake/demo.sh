#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: cmake/demo.sh [--help] [OPTION OF dalib_train ...]
Installs what is missing, builds the trainer with optimisation in build/ and trains every method on MNIST -> optdigits, on the real
digits that are part of this project. Prints the comparison, and the folder with the plots and tables (build/demo).
Options are passed on to dalib_train, for example --iterations 100 (see build/bin/dalib_train --help).
EOF
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
cmake -S . -B build "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DDALIB_SANITIZE=
cmake --build build --target dalib_train --parallel "$(nproc)"
build/bin/dalib_train --method all --source mnist --target optdigits --out build/demo "$@"
