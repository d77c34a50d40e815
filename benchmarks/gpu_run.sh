#!/usr/bin/env bash
set -uo pipefail

usage() {
  cat <<'EOF'
Usage: benchmarks/gpu_run.sh [OUT] [--built FOLDER] [--jobs N] [--python FILE] [--quick] [--help]
On a machine with an NVIDIA GPU: builds dalib for that GPU, runs the golden set, the conformance suite and the example on it, all of it that is
small under compute-sanitizer too, and compares the speed with PyTorch. Needs no network and installs nothing: what is missing is named.
  OUT             folder for the build, the logs and the results (default: out-gpu)
  --built FOLDER  builds nothing: the programs lie in this build folder, made elsewhere for this GPU (golden_gpu, device_gpu, example_05_gpu,
                  gpu_worker); then a GPU, cuBLAS and python3 are all that has to be here
  --jobs N        parallel compilations (default: one for each processor and 3 GiB of memory)
  --python FILE   an interpreter with PyTorch and CUDA (default: python3); without PyTorch ours is measured alone
  --quick         compares at the two smallest sizes only
A stage that fails does not stop the later ones; the end names it, and the exit status is 1.
EOF
}

out="out-gpu"
built=""
jobs=""
python=python3
sizes=()
while (($# > 0)); do
  case "$1" in
    --built) built="$(cd "${2:?--built needs a folder}" && pwd)" && shift ;;
    --jobs) jobs="${2:?--jobs needs a number}" && shift ;;
    --python) python="${2:?--python needs a file}" && shift ;;
    --quick) sizes=(--sizes "512,256" "4096,256") ;;
    --help | -h) usage && exit 0 ;;
    -*) echo "gpu_run.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
    *) out="$1" ;;
  esac
  shift
done
mkdir -p "$out" || exit 2
out="$(cd "$out" && pwd)"
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build="${built:-$out/build}"
declare -A program=([golden_gpu]="$build/tests/golden_gpu" [device_gpu]="$build/tests/device_gpu" [example_05_gpu]="$build/bin/05_gpu"
  [gpu_worker]="$build/bin/gpu_worker") # by CMake's targets
export DALIB_GOLDEN_DIR="$repository/tests/golden/set"
export PATH="$PATH:${CUDA_HOME:-/usr/local/cuda}/bin"

# What has to be there before anything can be built; each missing thing with its Debian package, all of them at once.
missing=()
need() { # need NAME COMMAND...
  "${@:2}" >/dev/null 2>&1 || missing+=("$1")
}
header() { echo "#include <$1>" | "${CXX:-c++}" -x c++ -E -I/usr/include/eigen3 - ; }
has_gpu() { [[ "$(nvidia-smi -L)" == *GPU* ]]; }
new_cmake() { [[ "$(printf '3.25\n%s\n' "$(cmake --version | sed -n 's/^cmake version //p')" | sort -V | head -1)" == 3.25 ]]; }
need "a GPU (nvidia-smi -L lists none)" has_gpu
if [[ -n "$built" ]]; then
  for file in "${program[@]}"; do need "$file" test -x "$file"; done
else
  need "nvcc (CUDA toolkit 12.2 or newer; in the PATH, or its folder in CUDA_HOME)" nvcc --version
  need "cmake 3.25 or newer (Debian: cmake)" new_cmake
  need "a C++ compiler (Debian: g++)" "${CXX:-c++}" --version
  need "make or ninja (Debian: make, ninja-build)" bash -c "command -v ninja || command -v make"
  need "Eigen 3.4 (Debian: libeigen3-dev)" header Eigen/Core
  need "doctest (Debian: doctest-dev)" header doctest/doctest.h
  need "nlohmann-json (Debian: nlohmann-json3-dev)" header nlohmann/json.hpp
  need "zlib (Debian: zlib1g-dev)" header zlib.h
fi
if ((${#missing[@]} > 0)); then
  echo "gpu_run.sh: missing on this machine:" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi

if [[ -z "$jobs" ]]; then
  jobs="$(nproc)"
  fits=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / (3 << 20)))
  ((fits < jobs)) && jobs=$((fits > 0 ? fits : 1))
fi

results=()
failed=0
stage() { # stage NAME COMMAND...: its output goes to the terminal and to OUT/NAME.log
  local name="$1" start=$SECONDS status
  shift
  echo
  echo "== $name: $*"
  "$@" 2>&1 | tee "$out/$name.log"
  status=${PIPESTATUS[0]}
  if ((status == 0)); then
    results+=("passed   $name ($((SECONDS - start)) s)")
  else
    results+=("FAILED   $name (status $status, see $out/$name.log)")
    failed=1
    echo "== $name FAILED with status $status" >&2
  fi
  return "$status"
}
skip() { # skip NAME REASON
  results+=("skipped  $1: $2")
  echo "== $1 is skipped: $2" >&2
}

machine() {
  date
  nvidia-smi
  [[ -n "$built" ]] || { nvcc --version && "${CXX:-c++}" --version && cmake --version; }
  git -C "$repository" log -1 --format='dalib %H %s' || true
}
configure_for() { # configure_for ARCHITECTURE
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake --fresh -C "$repository/cmake/cache/cuda.cmake" -S "$repository" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CUDA_ARCHITECTURES="$1" -DDALIB_BUILD_TESTS=ON -DDALIB_TEST_LONG=ON -DDALIB_TEST_UNITY= -DDALIB_BUILD_EXAMPLES=ON -DDALIB_BUILD_BENCHMARKS=ON
}
configure() { # what CMake calls native, or else what the driver says of the first GPU
  configure_for native || configure_for "$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d ' .')"
}
build_target() { timeout 3600 cmake --build "$build" --target "$1" --parallel "$jobs"; }
run() { timeout 3600 "$@"; }
sanitized() { run compute-sanitizer --tool memcheck --error-exitcode 9 "$@"; }

stage machine machine
if [[ -z "$built" ]]; then
  stage configure configure
  for target in "${!program[@]}"; do
    stage "build-$target" build_target "$target"
  done
fi

stage golden run "${program[golden_gpu]}"
stage conformance run "${program[device_gpu]}"
stage example run "${program[example_05_gpu]}"
if command -v compute-sanitizer >/dev/null; then
  # Not the tests that ask for more memory than there is: a refused allocation counts as an error there.
  stage memcheck-conformance sanitized "${program[device_gpu]}" "--test-case-exclude=*memory that*,*out of memory*"
  stage memcheck-golden sanitized "${program[golden_gpu]}" kernel mmdvar jmmd mcd mdd
  stage memcheck-example sanitized "${program[example_05_gpu]}"
else
  skip memcheck "there is no compute-sanitizer in the PATH or in the CUDA toolkit"
fi
stage compare run "$python" "$repository/benchmarks/gpu_compare.py" --worker "${program[gpu_worker]}" --python "$python" \
  --json "$out/compare.json" --markdown "$out/compare.md" "${sizes[@]}"

{
  echo
  printf '%s\n' "${results[@]}"
  if ((failed)); then echo "gpu_run.sh: at least one stage FAILED"; else echo "gpu_run.sh: everything passed"; fi
  echo "Results are in $out: compare.md, compare.json and a log of each stage."
} | tee "$out/summary.txt"
exit "$failed"
