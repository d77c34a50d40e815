#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: cmake/test.sh [--quick] [--jobs N] [--help]
Installs what is missing, then
  1. builds everything with the default compiler, optimised, warnings as errors, in build/ and runs all tests;
  2. builds the unit tests, the conformance suite and the golden set with clang and the address and undefined-behaviour sanitizers in
     build-asan/ and runs them without the slow ones;
  3. where nvcc is in the PATH, builds the tests and the example for GPUs in build-cuda/. The tests run by benchmarks/gpu_run.sh.
  --quick    only the first part
  --jobs N   parallel compilations and tests (default: number of processors)
EOF
}

quick=false
jobs="$(nproc)"
while (($# > 0)); do
  case "$1" in
    --quick) quick=true ;;
    --jobs) jobs="${2:?--jobs needs a number}" && shift ;;
    --help | -h) usage && exit 0 ;;
    *) echo "test.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
  esac
  shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Idle OpenMP threads sleep: tests run side by side.
export OMP_WAIT_POLICY=passive

step() {
  echo
  echo "== $1 (after ${SECONDS} s)"
}

# configure FOLDER CMAKE_OPTIONS...
configure() {
  local folder="$1" generator=()
  shift
  if command -v ninja >/dev/null && [[ ! -f "$folder/CMakeCache.txt" ]]; then
    generator=(-G Ninja)
  fi
  cmake "$@" -S . -B "$folder" "${generator[@]}" -DDALIB_BUILD_TESTS=ON -DDALIB_BUILD_EXAMPLES=ON
}

# build_and_test FOLDER TARGET CTEST_OPTIONS... -- CMAKE_OPTIONS...
build_and_test() {
  local folder="$1" target="$2" ctest_options=()
  shift 2
  while [[ "$1" != "--" ]]; do
    ctest_options+=("$1")
    shift
  done
  shift
  configure "$folder" "$@"
  step "build in $folder"
  cmake --build "$folder" --target "$target" --parallel "$jobs"
  step "tests in $folder"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error --parallel "$jobs" "${ctest_options[@]}"
}

step "setup"
if $quick; then
  cmake/setup.sh
else
  cmake/setup.sh --ci
fi

step "1. default compiler, optimised"
build_and_test build all -- -DCMAKE_BUILD_TYPE=Release -DDALIB_SANITIZE=

if ! $quick; then
  step "2. clang with the address and undefined-behaviour sanitizers"
  build_and_test build-asan sanitized_tests --tests-regex "^(unit[.]|golden$)" --label-exclude slow -- -C cmake/cache/sanitize.cmake
fi
if ! $quick && command -v nvcc >/dev/null; then
  step "3. CUDA"
  configure build-cuda -C cmake/cache/cuda.cmake
  cmake --build build-cuda --target golden_gpu device_gpu example_05_gpu --parallel "$jobs"
fi
step "done: everything passed"
