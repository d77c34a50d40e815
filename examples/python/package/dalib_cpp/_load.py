"""Chooses the compiled module that this processor can run: x86-64-v4, v3 or v2, or the one that was built for the machine at hand."""

from __future__ import annotations

import importlib
import os
from typing import Any, List, Set

_NEEDED = {
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"},
    "v2": {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"},
}


def _flags() -> Set[str]:
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()


def levels(flags: Set[str]) -> List[str]:
    """The levels that a processor with these flags runs, best first."""
    found: List[str] = []
    needed: Set[str] = set()
    for level in ("v2", "v3", "v4"):
        needed = needed | _NEEDED[level]
        if needed <= flags:
            found.insert(0, level)
    return found


def _load() -> Any:
    wanted = os.environ.get("DALIB_CPP_LEVEL")
    tried = [wanted] if wanted else levels(_flags()) + ["native"]
    for level in tried:
        try:
            return importlib.import_module(f"dalib_cpp._core_{level}")
        except ModuleNotFoundError as error:
            if error.name != f"dalib_cpp._core_{level}":
                raise
    raise ImportError(
        "dalib_cpp: no compiled module for this processor (tried "
        + ", ".join(tried)
        + "); DALIB_CPP_LEVEL chooses one of v2, v3, v4, native, and `pip install ./examples/python` builds one for this machine"
    )


core: Any = _load()
