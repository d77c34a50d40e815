#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: cmake/test.sh [--all] [--only STAGE]... [--jobs N] [--help]
Installs what is missing, builds everything, optimised, warnings as errors, in build-tests/, and runs each group of tests in a thin form: eight
to ten minutes on two cores by clang, a third more by g++. The compiler is the one in the variable CXX; without it clang, which takes half of g++'s time for tests.
`--all` (an hour) has these groups whole, slow tests among them, and the stages
  plain     the other one of clang and g++, without -march, OpenMP, xtensor, libjpeg and libpng: everything in its thin form, and the demo, in
            build-plain/
  sanitize  clang with the address and undefined-behaviour sanitizers: unit tests and golden set, in build-asan/
  cuda      nvcc: golden set, the device's tests, the example and the benchmark, compiled, in build-cuda/; they run by benchmarks/gpu_run.sh
  aarch64   g++ for 64-bit ARM, run by qemu: quickstart, unit tests of the engine and a golden group, in build-aarch64/
  python    the Python package, installed from PyPI's parts into a virtual environment, build-python/: its tests; Conan's package of the
            library; without network left out
By `--only fast` alone, because the default stage has its kind of numbers in one program:
  fast      g++ with -ffast-math for x86-64-v3, without libpng: unit tests, conformance suite, golden set, and the demo by -Ofast, in build-fast/
A stage whose compiler is not there is left out, and the last line says so.
  --only STAGE  this stage alone (default, plain, fast, ...); may be repeated
  --jobs N      parallel compilations and tests (default: number of processors)
EOF
}

all=false
only=()
jobs="$(nproc)"
while (($# > 0)); do
  case "$1" in
    --all) all=true ;;
    --only) only+=("${2:?--only needs a stage}") && shift ;;
    --jobs) jobs="${2:?--jobs needs a number}" && shift ;;
    --help | -h) usage && exit 0 ;;
    *) echo "test.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
  esac
  shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Idle OpenMP threads sleep: tests run side by side.
export OMP_WAIT_POLICY=passive
# A third of the time for the examples, which are run for a moment.
quick_examples=(-DDALIB_EXAMPLES_TOGETHER=ON -DDALIB_EXAMPLE_OPTIMISATION=1)
times=() # a line for each stage
skipped=()

step() {
  echo
  echo "== $1 (after ${SECONDS} s)"
}

# The compiler of the default stage: clang is for those who have none in mind, where it is there with OpenMP.
default_compiler() {
  if [[ -n "${CXX:-}" ]]; then
    echo "$CXX"
  elif printf '#if __clang_major__ < 14\n#error\n#endif\nint main() {}\n' | clang++ -std=c++20 -fopenmp -x c++ - -o /dev/null 2>/dev/null; then
    echo clang++
  else
    echo c++
  fi
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

# build_targets FOLDER TARGET...
build_targets() {
  step "build in $1"
  cmake --build "$1" --parallel "$jobs" --target "${@:2}"
}

# run_tests FOLDER CTEST_OPTIONS...
run_tests() {
  step "tests in $1"
  ctest --test-dir "$1" --output-on-failure --no-tests=error --parallel "$jobs" "${@:2}"
}

# The two programs of the README's first command, in a moment.
run_demo() {
  step "demo in $1"
  rm -rf "$1/demo" # the trainer does not write over an earlier run
  "$1/bin/01_quickstart"
  "$1/bin/dalib_train" --method dan,mcd --source optdigits --target mnist --iterations 20 --eval-every 10 --batch-size 16 --no-pictures \
    --out "$1/demo" "${@:2}"
}

stage_default() {
  local compiler
  compiler="$(default_compiler)"
  if $all; then
    configure build-tests -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DDALIB_TEST_ALL=ON -DDALIB_EXAMPLES_TOGETHER=OFF -DDALIB_EXAMPLE_OPTIMISATION=1
  else
    configure build-tests -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DDALIB_TEST_ALL=OFF "${quick_examples[@]}"
  fi
  build_targets build-tests all
  if $all; then run_tests build-tests; else run_tests build-tests --label-exclude slow; fi
}

stage_plain() {
  local compiler=g++
  if [[ "$(default_compiler)" != *clang++* ]] && command -v clang++ >/dev/null; then compiler=clang++; fi
  configure build-plain -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release "${quick_examples[@]}" -DDALIB_MARCH= -DDALIB_OPENMP=OFF \
    -DCMAKE_DISABLE_FIND_PACKAGE_xtensor=ON -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON -DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON
  build_targets build-plain all
  run_tests build-plain --label-exclude 'slow|package' # a project that uses dalib is built with both compilers by the default stage
  run_demo build-plain
}

stage_fast() {
  # Tests look for NaN, so they keep that there are such numbers. Without them: fast_math_tests in the default stage.
  configure build-fast -DCMAKE_BUILD_TYPE=Release -DDALIB_TEST_LONG=ON -DCMAKE_CXX_FLAGS_RELEASE='-Ofast -DNDEBUG' \
    -DDALIB_TEST_FLAGS='-ffast-math;-fno-finite-math-only' -DDALIB_TEST_LEAST_OPTIMISATION=1 \
    -DDALIB_MARCH=x86-64-v3 -DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON
  build_targets build-fast checked_tests dalib_train example_01_quickstart
  run_tests build-fast --tests-regex '^(unit[.]|golden$)' --label-exclude slow
  run_demo build-fast
}

stage_sanitize() {
  configure build-asan -C cmake/cache/sanitize.cmake
  build_targets build-asan unit_tests golden_tests
  run_tests build-asan --tests-regex '^(unit[.]|golden$)' --exclude-regex conformance --label-exclude slow
}

stage_aarch64() {
  cmake -S tests/aarch64 -B build-aarch64 -C cmake/cache/aarch64.cmake
  build_targets build-aarch64 all
  run_tests build-aarch64
}

# The package's tests. PyTorch is 4 GB: where it cannot be had, its tests are left out by themselves.
stage_python() {
  local environment="$PWD/build-python"
  if ! python3 -m venv "$environment"; then
    skipped+=("python (no virtual environment could be made: is python3-venv there?)")
    return 0
  fi
  if ! "$environment/bin/pip" install --quiet numpy pytest mypy scikit-build-core nanobind; then
    skipped+=("python (its packages could not be installed: no network?)")
    return 0
  fi
  # What its tests need comes while it is compiled: most of that is waiting.
  "$environment/bin/pip" install --quiet --no-compile torch &
  local torch=$!
  step "build of the package"
  CMAKE_BUILD_PARALLEL_LEVEL="$jobs" "$environment/bin/pip" install --no-build-isolation --verbose \
    --config-settings=build-dir="$environment/package" --config-settings=cmake.define.DALIB_PYTHON_OPTIMISATION=1 ./examples/python
  wait "$torch" || skipped+=("python: tests of PyTorch (it could not be installed)")
  "$environment/bin/pip" install --quiet --no-compile jax conan || skipped+=("python: JAX's arrays and Conan's package (they could not be installed)")
  step "tests of the package"
  (cd examples/python && "$environment/bin/mypy" package/dalib_cpp && "$environment/bin/python" -m pytest -q)
  if [[ -x "$environment/bin/conan" ]]; then
    step "the library as Conan's package"
    CONAN_HOME="$environment/conan" "$environment/bin/conan" create cmake/packages/conan -pr:a cmake/packages/conan/debian.profile \
      -c tools.cmake.cmake_layout:test_folder="$environment/conan_test"
  fi
}

stage_cuda() {
  # It is compiled and not run; nvcc before 12.9 has no such flag.
  local fast=""
  if [[ "$(nvcc --help)" == *Ofast-compile* ]]; then fast=-Ofc=max; fi
  configure build-cuda -C cmake/cache/cuda.cmake -DDALIB_BUILD_BENCHMARKS=ON -DCMAKE_CUDA_FLAGS="$fast"
  build_targets build-cuda golden_gpu device_gpu example_05_gpu gpu_worker # what gpu_run.sh runs
}

# stage NAME PROGRAM [named]: the function of that name, unless its compiler is not there or another stage was asked for.
stage() {
  local start=$SECONDS
  if ((${#only[@]} > 0)); then
    [[ " ${only[*]} " == *" $1 "* ]] || return 0
  elif [[ "$1" != default ]] && ! $all || [[ "${3:-}" == named ]]; then
    return 0
  fi
  if ! command -v "$2" >/dev/null; then
    skipped+=("$1 (no $2)")
    return 0
  fi
  step "stage $1"
  "stage_$1"
  times+=("$(printf '%-9s %5d s' "$1" $((SECONDS - start)))")
}

step "setup"
if $all || ((${#only[@]} > 0)); then
  cmake/setup.sh --ci
else
  cmake/setup.sh --tests
fi

stage default cmake
stage plain g++
stage sanitize clang++
stage cuda nvcc
stage aarch64 qemu-aarch64
stage python python3
stage fast g++ named

step "done"
printf '%s\n' "${times[@]}"
if ((${#skipped[@]} > 0)); then echo "left out: ${skipped[*]}"; fi
echo "everything passed in ${SECONDS} s"
