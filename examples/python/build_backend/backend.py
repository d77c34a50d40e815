"""scikit-build-core, with what a source distribution needs beside it: a copy of dalib, which lies in a folder above."""

import shutil
from pathlib import Path

from scikit_build_core.build import *  # noqa: F403
from scikit_build_core.build import build_sdist as _build_sdist

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
