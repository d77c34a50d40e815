#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: cmake/setup.sh [--tests | --ci] [--help]
Installs what building dalib needs and this machine lacks.
  --tests   also clang with its OpenMP runtime: it compiles the tests faster than g++
  --ci      also what only the checks need (the same, doxygen, Google Benchmark, MPI, g++ and qemu for ARM)
On Debian and its relatives the missing packages are installed with apt-get, with sudo if you are not root; nothing is done when
nothing is missing. On other systems the script names what is needed and goes on if a compiler and CMake are there.
EOF
}

packages=(g++ cmake ninja-build make libeigen3-dev libxtensor-dev doctest-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libjpeg-dev libpng-dev libthrust-dev)
for argument in "$@"; do
  case "$argument" in
    --tests) packages+=(clang libomp-dev) ;;
    --ci) packages+=(clang doxygen libomp-dev libbenchmark-dev mpi-default-dev g++-12-aarch64-linux-gnu qemu-user) ;;
    --help | -h) usage && exit 0 ;;
    *) echo "setup.sh: unknown option $argument" >&2 && usage >&2 && exit 2 ;;
  esac
done

is_installed() {
  [[ "$(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null)" == "install ok installed" ]]
}

install_missing_debian_packages() {
  local missing=() package as_root=()
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    echo "setup: everything is installed"
    return
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "setup.sh: these packages are missing, and there is no sudo to install them: ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
}

check_other_system() {
  echo "setup: no apt-get here. dalib needs a C++20 compiler (g++ >= 12 or clang >= 14 with OpenMP), CMake >= 3.25, make or ninja,"
  echo "setup: and the packages Eigen >= 3.4, doctest, CLI11, nlohmann-json, zlib; optionally xtensor, libjpeg, libpng."
  local tool
  for tool in cmake c++; do
    if ! command -v "$tool" >/dev/null; then
      echo "setup.sh: $tool was not found" >&2
      exit 1
    fi
  done
  echo "setup: going on; CMake will name any package that it does not find."
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_missing_debian_packages
else
  check_other_system
fi
