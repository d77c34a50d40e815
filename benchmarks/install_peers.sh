#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: benchmarks/install_peers.sh [FOLDER] [--help]
Installs the current versions of PyTorch, KeOps and geomloss into a virtual environment (default: benchmarks/.venv) and checks them.
Needs python3 with venv, and a C++ compiler, with which KeOps and torch.compile build their code at run time.
EOF
}

case "${1:-}" in
  --help | -h) usage && exit 0 ;;
esac

folder="${1:-$(dirname "${BASH_SOURCE[0]}")/.venv}"
if [[ ! -x "$folder/bin/python" ]]; then
  python3 -m venv "$folder" || {
    echo "install_peers.sh: python3 cannot make a virtual environment; on Debian install python3-venv and python3-dev" >&2
    exit 1
  }
fi
"$folder/bin/python" -m pip install --quiet --upgrade pip
"$folder/bin/python" -m pip install --upgrade numpy torch pykeops geomloss
"$folder/bin/python" - <<'EOF'
import geomloss, pathlib, pykeops, sysconfig, torch
print("installed: torch", torch.__version__, "pykeops", pykeops.__version__, "geomloss", geomloss.__version__)
if not pathlib.Path(sysconfig.get_paths()["include"], "Python.h").exists():
    print("warning: Python.h is missing, torch.compile and KeOps will fail; on Debian install python3-dev")
EOF
