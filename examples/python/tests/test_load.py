"""Which compiled module is taken."""

import os
import subprocess
import sys

import dalib_cpp as da
from dalib_cpp import _load

V2 = {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}
V3 = V2 | {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


def test_levels():
    assert _load.levels(set()) == []
    assert _load.levels(V2) == ["v2"]
    assert _load.levels(V3 - {"fma"}) == ["v2"]
    assert _load.levels(V3) == ["v3", "v2"]
    assert _load.levels(V4 | {"more"}) == ["v4", "v3", "v2"]
    assert _load.levels(V4 - {"popcnt"}) == []  # a level needs the ones below


def in_another_process(program, **environment):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, **environment})


def test_a_level_that_is_not_there_says_so():
    answer = in_another_process("import dalib_cpp", DALIB_CPP_LEVEL="v9")
    assert answer.returncode != 0 and "no compiled module for this processor (tried v9)" in answer.stderr


def test_import_brings_no_torch():
    answer = in_another_process("import dalib_cpp, sys; print('torch' in sys.modules)")
    assert answer.stdout.strip() == "False"


def test_version():
    assert da.__version__.count(".") == 2
