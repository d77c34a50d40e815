"""dalib in Python: domain-adaptation losses with exact gradients found in the same pass as the value.

    import dalib_cpp as da
    value = da.mmd(x, y)                               # NumPy, PyTorch on the CPU, JAX on the CPU
    value, gx, gy = da.mmd(x, y, kernel=da.kernel.gaussian(2.0) + 0.5 * da.kernel.laplacian(), gradient=True)

The losses as modules of PyTorch are in dalib_cpp.torch, which is imported where it is used.
"""

from typing import TYPE_CHECKING
from typing import Any as _Any

from . import bandwidth, conditioning, estimator, kernel
from ._load import core as _core
from .functions import (
    RandomisedMultilinearMap,
    jan_kernels,
    joint_mmd,
    kernel_matrix,
    kernel_matrix_gradient,
    mmd,
    multilinear_map,
    multilinear_map_gradient,
    reversal_coefficient,
    weighted_mmd,
)
from .measures import *  # noqa: F403

if TYPE_CHECKING:
    from . import inference, model_selection

__version__: str = _core.version


def __getattr__(name: str) -> _Any:
    """The modules of tests and scores are imported where they are used."""
    if name in ("inference", "model_selection"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list:
    return [*globals(), "inference", "model_selection"]
