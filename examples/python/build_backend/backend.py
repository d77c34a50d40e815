"""scikit-build-core, with what a source distribution needs beside it: a copy of dalib, which lies in a folder above."""

import os
import shutil
from pathlib import Path

from scikit_build_core.build import *  # noqa: F403
from scikit_build_core.build import build_editable as _build_editable
from scikit_build_core.build import build_sdist as _build_sdist
from scikit_build_core.build import build_wheel as _build_wheel

HERE = Path(__file__).resolve().parent.parent
PARTS = ("CMakeLists.txt", "LICENSE", "cmake", "include")


def build_sdist(sdist_directory, config_settings=None):
    copy, source = HERE / "dalib", HERE.parent.parent
    made = not copy.exists()
    if made:
        copy.mkdir()
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, copy / part)
            else:
                shutil.copy(source / part, copy / part)
    try:
        return _build_sdist(sdist_directory, config_settings)
    finally:
        if made:
            shutil.rmtree(copy)


def _require_compiler():
    """CMake's own message is a page of text, of which the last lines speak of something else."""
    wanted = os.environ.get("CXX")
    tried = [wanted.split()[0]] if wanted else ["c++", "g++", "clang++"]
    if not any(shutil.which(one) for one in tried):
        raise SystemExit(
            f"dalib_cpp: no C++20 compiler was found (tried {', '.join(tried)}). Install one (Debian: apt-get install g++), or say which one with "
            "the environment variable CXX"
        )


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _require_compiler()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _require_compiler()
    return _build_editable(wheel_directory, config_settings, metadata_directory)
