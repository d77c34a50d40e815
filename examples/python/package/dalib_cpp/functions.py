"""Discrepancies of samples: the MMD, the joint MMD, kernel matrices and CDAN's maps."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

from . import _call, bandwidth
from . import kernel as _kernel
from ._load import core
from .estimator import Estimator
from .kernel import Kernel

_MMD_INPUTS = ("x", "y")


def mmd(
    x: Any,
    y: Any,
    kernel: Optional[Kernel] = None,
    estimator: Optional[Estimator] = None,
    weights: Optional[Tuple[Any, Any]] = None,
    gradient: bool = False,
    *,
    scale: float = 1.0,
    check: bool = False,
) -> Any:
    """Squared MMD between two samples, E k(x, x') + E k(y, y') - 2 E k(x, y) (Gretton et al. 2012, eq. 3-5; DAN, Long et al. 2015, eq. 2).

    x (n, F) and y (m, F): NumPy, PyTorch on the CPU, JAX on the CPU, or what has DLPack or a buffer; float32 or float64, any strides, not
    copied. Without `kernel` five Gaussians, 1/8 to 2 times the mean squared distance over all pairs; without `estimator` the unbiased one.
    `weights` are (weights of x, weights of y), either None. With `gradient` the answer is (value, gradient of x, gradient of y), the
    gradients times `scale`; otherwise the value. Bandwidths are detached. `check` looks for NaN and infinity first. O((n + m)^2 F) time,
    O((n + m) F) memory. Raises TypeError for other arrays, ValueError for shapes and data that do not fit.
    """
    return _two_sample(_call.pair_plan("mmd", _MMD_INPUTS, kernel, estimator), x, y, weights, gradient, scale, check)


def _two_sample(plan: Any, x: Any, y: Any, weights: Any, gradient: bool, scale: float, check: bool) -> Any:
    if not gradient:
        return plan.run((x, y), weights, None, None, scale, _call.threads(), check)
    out = (_call.like(x), _call.like(y))
    value = plan.run((x, y), weights, out, None, scale, _call.threads(), check)
    return value, _call.as_kind_of(out[0], x), _call.as_kind_of(out[1], y)


def weighted_mmd(
    x: Any,
    y: Any,
    kernel: Optional[_kernel.gaussian_ladder] = None,
    estimator: Optional[Estimator] = None,
    weights: Optional[Tuple[Any, Any]] = None,
    gradient: bool = False,
    *,
    scale: float = 1.0,
    check: bool = False,
) -> Any:
    """MK-MMD, sum_k beta_k mmd_k^2 over the Gaussians of a ladder, with beta by DALIB's quadratic program on the batch itself (DAN, Long et al.
    2015, section 3.2; DALIB's quadratic_program=True). beta is detached. Arguments, answer and errors as for mmd; DALIB's numbers:
    estimator=compat_nonlinear() or compat_ring().
    """
    plan = _call.pair_plan("weighted_mmd", _MMD_INPUTS, kernel, estimator)
    return _two_sample(plan, x, y, weights, gradient, scale, check)


def jan_kernels() -> Tuple[Kernel, Kernel]:
    """The kernels of JAN: five Gaussians for the features, one of sigma 0.92 for the softmax outputs."""
    return _kernel.gaussian_ladder(), _kernel.gaussian(0.92)


def joint_mmd(
    x: Sequence[Any],
    y: Sequence[Any],
    kernels: Optional[Sequence[Kernel]] = None,
    estimator: Optional[Estimator] = None,
    weights: Optional[Tuple[Any, Any]] = None,
    gradient: bool = False,
    *,
    scale: float = 1.0,
    check: bool = False,
) -> Any:
    """Squared joint MMD of the activations of several layers (JAN, Long et al. 2017, eq. 5 and 9).

    x and y are sequences of layers, layer l being (n, F_l) and (m, F_l); `kernels` has one kernel for each (default: jan_kernels()). With
    `gradient` the answer is (value, gradients of x's layers, gradients of y's layers). Arrays and errors as for mmd.
    """
    layers = tuple(kernels) if kernels is not None else jan_kernels()
    if len(x) != len(layers) or len(y) != len(layers):
        raise ValueError(f"joint_mmd: there are {len(layers)} kernels, but {len(x)} layers of x and {len(y)} of y")
    if len(layers) == 1:
        plan = _call.pair_plan("mmd", _MMD_INPUTS, layers[0], estimator)
    else:
        names = tuple(f"{domain}[{place}]" for domain in "xy" for place in range(len(layers)))
        plan = _call.joint_plan(names, layers, estimator)
    inputs = (*x, *y)
    if not gradient:
        return plan.run(inputs, weights, None, None, scale, _call.threads(), check)
    out = tuple(_call.like(one) for one in inputs)
    value = plan.run(inputs, weights, out, None, scale, _call.threads(), check)
    made = tuple(_call.as_kind_of(one, of) for one, of in zip(out, inputs))
    return value, made[: len(x)], made[len(x) :]


def kernel_matrix(x: Any, y: Any = None, kernel: Optional[Kernel] = None, *, check: bool = False) -> Any:
    """K(i, j) = k(x_i, x_j), (n, n), or k(x_i, y_j), (n, m). Bandwidths are resolved on the rows of x, or of x and y together. O(n m F)."""
    plan = _call.pair_plan("kernel_matrix", _MMD_INPUTS, kernel, None)
    inputs = (x,) if y is None else (x, y)
    shapes = [core.shape(one, "kernel_matrix", "an input") for one in inputs]
    out = _call.matrix_like(x, shapes[0][0], shapes[-1][0])
    plan.run(inputs, None, (out,), None, 1.0, _call.threads(), check)
    return _call.as_kind_of(out, x)


def kernel_matrix_gradient(x: Any, upstream: Any, y: Any = None, kernel: Optional[Kernel] = None, *, check: bool = False) -> Any:
    """Gradient of sum_ij R(i, j) K(i, j), R = `upstream`: (sum, gradient of x), or (sum, gradient of x, gradient of y)."""
    inputs = (x, upstream) if y is None else (x, y, upstream)
    names = ("x", "upstream") if y is None else ("x", "y", "upstream")
    plan = _call.pair_plan("kernel_matrix_gradient", names, kernel, None)
    out = tuple(_call.like(one) for one in inputs[:-1])
    value = plan.run(inputs, None, out, None, 1.0, _call.threads(), check)
    return (value, *(_call.as_kind_of(one, of) for one, of in zip(out, inputs)))


def _map_gradients(f: Any, g: Any, upstream: Any, wanted: Tuple[bool, bool], pull: Any) -> Tuple[Any, Any]:
    out = tuple(_call.like(one) if want else None for one, want in zip((f, g), wanted))
    pull((f, g, upstream), out, _call.threads())
    return _call.as_kind_of(out[0], f), _call.as_kind_of(out[1], g)


def multilinear_map(f: Any, g: Any) -> Any:
    """h (n, C F), column c F + j being softmax(g)_c f_j: features f (n, F) conditioned on class logits g (n, C) (CDAN, Long et al. 2018, eq. 6)."""
    features, classes = core.shape(f, "multilinear_map", "the features"), core.shape(g, "multilinear_map", "the class logits")
    h = _call.matrix_like(f, features[0], features[1] * classes[1])
    core.multilinear_map((f, g), (h,), _call.threads())
    return _call.as_kind_of(h, f)


def multilinear_map_gradient(f: Any, g: Any, upstream: Any, wanted: Tuple[bool, bool] = (True, True)) -> Tuple[Any, Any]:
    """The upstream gradient (n, C F) pulled back to f and to g; None for what is not wanted."""
    return _map_gradients(f, g, upstream, wanted, core.multilinear_map_pull)


class RandomisedMultilinearMap:
    """h = (f R_f) * (softmax(g) R_g) / sqrt(d), (n, d), with fixed normal R_f (F, d) and R_g (C, d) (CDAN, Long et al. 2018, eq. 7).

    The numbers depend on the seed alone. Can be pickled: R_f and R_g are its state.
    """

    def __init__(self, features: int, classes: int, dimension: int = 1024, seed: int = 0) -> None:
        self.features, self.classes, self.dimension, self.seed = features, classes, dimension, seed
        self._map = core.RandomisedMap(features, classes, dimension, seed)

    def __call__(self, f: Any, g: Any) -> Any:
        h = _call.matrix_like(f, core.shape(f, "randomised_multilinear_map", "the features")[0], self.dimension)
        self._map.forward((f, g), (h,), _call.threads())
        return _call.as_kind_of(h, f)

    def gradient(self, f: Any, g: Any, upstream: Any, wanted: Tuple[bool, bool] = (True, True)) -> Tuple[Any, Any]:
        """The upstream gradient (n, d) pulled back to f and to g; None for what is not wanted."""
        return _map_gradients(f, g, upstream, wanted, self._map.pull)

    @property
    def matrices(self) -> Tuple[Any, Any]:
        """R_f and R_g, as copies in double precision."""
        import numpy as np

        r_f, r_g = np.empty((self.features, self.dimension)), np.empty((self.classes, self.dimension))
        self._map.copy_matrices(r_f, r_g)
        return r_f, r_g

    def set_matrices(self, r_f: Any, r_g: Any) -> None:
        """Replaces R_f and R_g, double precision."""
        self._map.set_matrices(r_f, r_g)

    def __getstate__(self) -> dict:
        return {"sizes": (self.features, self.classes, self.dimension, self.seed), "matrices": self.matrices}

    def __setstate__(self, state: dict) -> None:
        self.__init__(*state["sizes"])  # type: ignore[misc]
        self.set_matrices(*state["matrices"])


def reversal_coefficient(iteration: int, iterations: int = 1000, alpha: float = 1.0, low: float = 0.0, high: float = 1.0) -> float:
    """lambda(i) = 2 (high - low) / (1 + exp(-alpha i / iterations)) - (high - low) + low (DANN, Ganin et al. 2016, section 5.2.2)."""
    return core.reversal_coefficient(alpha, low, high, iterations, iteration)


__all__ = [
    "RandomisedMultilinearMap", "bandwidth", "jan_kernels", "joint_mmd", "kernel_matrix", "kernel_matrix_gradient", "mmd", "multilinear_map",
    "multilinear_map_gradient", "reversal_coefficient", "weighted_mmd",
]  # fmt: skip
