"""Makes the losses of a checkout of TLlib (github.com/thuml/Transfer-Learning-Library) importable as they are, from its folder alone."""
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np


def make_importable(folder):
    """After this, `from tllib.alignment import bsp` and the like work.

    The packages `tllib` and `tllib.utils` stay empty: their own files import networks and plots, and with them packages that no loss needs.
    """
    root = Path(folder).resolve()
    if not (root / "tllib" / "alignment" / "dann.py").exists():
        sys.exit(f"{folder}: no checkout of TLlib; git clone https://github.com/thuml/Transfer-Learning-Library makes one")
    for name in ("tllib", "tllib.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = package
    if importlib.util.find_spec("prettytable") is None:  # prints confusion matrices, which nobody asks for here
        sys.modules["prettytable"] = types.ModuleType("prettytable")
    if not hasattr(np, "float"):  # TLlib's gradient reversal is older than NumPy 1.24
        np.float = float
