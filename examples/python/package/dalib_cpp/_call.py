"""From Python's arguments to one call of the compiled module."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple

from . import estimator as _estimator
from . import kernel as _kernel
from ._later import Later
from ._load import core

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")

REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}
NO_CONDITIONING = (0, False, 0.0)


def threads() -> int:
    """As many as PyTorch uses, where it is loaded; otherwise as many as OpenMP gives (0)."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch is not None and hasattr(torch, "get_num_threads") else 0


def kernel_code(kernel: Any, operation: str, radial_only: bool = False) -> dict:
    """The lowered kernel; a user's is compiled for this operation."""
    code = _kernel.lower(kernel, radial_only)
    user = code.pop("user", None)
    if user is not None:
        from . import _user_kernel  # compilers and caches: for those who have such a kernel

        code["address"] = _user_kernel.address_of(user.source, operation)
        code["numbers"] = [code["factor"], *user.numbers]
    return code


def make_plan(
    name: str,
    inputs: Sequence[str],
    kernels: List[dict],
    estimator: Optional[_estimator.Estimator] = None,
    reduction: str = "mean",
    conditioning: tuple = NO_CONDITIONING,
    numbers: Sequence[float] = (),
) -> Any:
    """The measure with everything chosen but its arrays."""
    if estimator is None:
        estimator = _estimator.unbiased()
    if not isinstance(estimator, _estimator.Estimator):
        raise TypeError(f"{name}: estimator must be one of dalib_cpp.estimator, such as estimator.biased(); this is {estimator!r}")
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    numbers = [float(number) for number in numbers]
    return core.Plan(name, list(inputs), kernels, estimator.code(), REDUCTIONS[reduction], conditioning, numbers)


@functools.lru_cache(maxsize=256)
def pair_plan(name: str, inputs: Tuple[str, ...], kernel: Any, estimator: Any) -> Any:
    """A plan of one kernel; those of the same arguments are made once."""
    return make_plan(name, inputs, [kernel_code(kernel, name)], estimator)


@functools.lru_cache(maxsize=256)
def joint_plan(inputs: Tuple[str, ...], kernels: Tuple[Any, ...], estimator: Any) -> Any:
    """A plan of a kernel for each layer."""
    codes = [kernel_code(one, "joint_mmd") for one in kernels]
    if [code["family"] for code in codes] != [0, 0]:  # all but JAN's own are expressions
        codes = [kernel_code(one, "joint_mmd", radial_only=True) for one in kernels]
    return make_plan("joint_mmd", inputs, codes, estimator)


def like(x: Any) -> Any:
    """A new array for the gradient of x: of its kind, contiguous. What is neither NumPy's nor PyTorch's gets NumPy's."""
    if type(x) is np.ndarray:
        return np.empty(x.shape, x.dtype)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch.empty_like(x, memory_format=torch.contiguous_format)
    rows, columns, dtype = core.shape(x, "dalib_cpp", "the input")
    shape = getattr(x, "shape", (rows, columns))
    return np.empty(tuple(shape), dtype)


def as_kind_of(result: Any, x: Any) -> Any:
    """The gradient as the user's framework has it: a JAX array for a JAX array."""
    if type(result) is np.ndarray and type(x) is not np.ndarray:
        module = type(x).__module__.partition(".")[0]
        if module in ("jax", "jaxlib"):
            import jax.numpy

            return jax.numpy.asarray(result)
    return result


def matrix_like(x: Any, rows: int, columns: int) -> Any:
    """A new matrix of another shape, of the kind of x."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch.empty((rows, columns), dtype=x.dtype)
    return np.empty((rows, columns), core.shape(x, "dalib_cpp", "the input")[2])
