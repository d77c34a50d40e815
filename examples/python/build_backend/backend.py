"""scikit-build-core, with what a source distribution needs beside it: a copy of dalib, which lies in a folder above."""

import os
import shutil
from pathlib import Path

from scikit_build_core.build import *  # noqa: F403
from scikit_build_core.build import build_editable as _build_editable
from scikit_build_core.build import build_sdist as _build_sdist
from scikit_build_core.build import build_wheel as _build_wheel
from scikit_build_core.build import get_requires_for_build_editable as _requires_for_editable
from scikit_build_core.build import get_requires_for_build_wheel as _requires_for_wheel
from scikit_build_core.build import prepare_metadata_for_build_wheel as _prepare_metadata

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


def get_requires_for_build_wheel(config_settings=None):
    """Asked first: a missing compiler is said before anything is fetched."""
    _require_compiler()
    return _requires_for_wheel(config_settings)


def get_requires_for_build_editable(config_settings=None):
    _require_compiler()
    return _requires_for_editable(config_settings)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Asked first where nothing is fetched (pip's --no-build-isolation)."""
    _require_compiler()
    return _prepare_metadata(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _require_compiler()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _require_compiler()
    return _build_editable(wheel_directory, config_settings, metadata_directory)
