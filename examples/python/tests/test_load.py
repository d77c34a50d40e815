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


def test_import_brings_no_module_that_takes_long():
    """NumPy alone would be three quarters of the time that an import takes."""
    late = ("torch", "numpy", "subprocess", "dalib_cpp.inference", "dalib_cpp._user_kernel")
    answer = in_another_process(f"import dalib_cpp, sys; print([one for one in {late} if one in sys.modules])")
    assert answer.stdout.strip() == "[]", answer.stderr
    answer = in_another_process("import dalib_cpp as da; print(len(dir(da)), da.inference.energy_test.__name__, da.model_selection.__name__)")
    assert answer.stdout.split()[1:] == ["energy_test", "dalib_cpp.model_selection"], answer.stderr


def test_the_import_is_quick():
    """Time of the processor, the best of five: 0.2 s is what it may take."""
    program = "import time; begin = time.process_time(); import dalib_cpp; print(time.process_time() - begin)"
    assert min(float(in_another_process(program).stdout) for _ in range(5)) < 0.2


def test_version():
    assert da.__version__.count(".") == 2
