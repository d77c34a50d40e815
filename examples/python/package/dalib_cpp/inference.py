"""Tests of two samples and of dependence, and where samples differ: dalib/inference.hpp. Rows of other types are copied to double.

>>> import numpy as np, dalib_cpp as da
>>> x = np.random.default_rng(0).normal(size=(60, 3))
>>> da.inference.permutation_test(x, x + 1).p_value
0.001
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Optional, Sequence

import numpy as np

from . import _call
from . import bandwidth as _bandwidth
from . import kernel as _kernel
from ._load import core

_FORMS = {"independent": 0, "dependent": 1, "centred": 2, "separate": 3}


@dataclass(frozen=True)
class TestResult:
    """p_value = (1 + #{draws as large as the statistic}) / (1 + draws): never 0, ties count. reject: p_value <= alpha.

    `warning` says what stands in the way of a meaningful answer; `null_sample` is there with keep_null.
    """

    __test__ = False  # no test of pytest's
    statistic: float
    p_value: float
    threshold: float
    reject: bool
    null_sample: Optional[np.ndarray] = None
    warning: str = ""


@dataclass(frozen=True)
class AggregatedResult:
    """reject: whether any kernel does, at a level that holds for all of them together. `p_values` has each kernel's own."""

    reject: bool
    p_values: np.ndarray
    warning: str = ""


def _rows(x: Any) -> np.ndarray:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        x = x.detach().cpu().numpy()
    rows = np.asarray(x, np.float64)
    return rows[:, None] if rows.ndim == 1 else rows


def _run(name: str, inputs: Sequence[Any], kernels: Sequence[Optional[_kernel.Kernel]], **options: Any) -> dict:
    median = _kernel.gaussian(bandwidth=_bandwidth.median())
    codes = [_call.kernel_code(one if one is not None else median, name, radial_only=True) for one in kernels]
    given = {key: value for key, value in options.items() if value is not None}
    for key, dtype in (("permutations", np.int64), ("weights", np.float64)):
        if key in given:
            given[key] = np.ascontiguousarray(given[key], dtype)
    return core.infer(name, tuple(_rows(one) for one in inputs), codes, {"threads": _call.threads(), **given})


def _result(found: dict, keep_null: bool) -> TestResult:
    null = np.asarray(found["null_sample"]) if keep_null else None
    return TestResult(found["statistic"], found["p_value"], found["threshold"], found["reject"], null, found["warning"])


def permutation_test(
    x: Any,
    y: Any,
    kernel: Optional[_kernel.Kernel] = None,
    *,
    biased: bool = False,
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    permutations: Optional[Any] = None,
) -> TestResult:
    """Do x (n, F) and y (m, F) follow one law? The squared MMD against its values with permuted rows: exact at every size.

    `kernel`: any sum of kernels of the squared distance (default: a Gaussian, median bandwidth). `permutations` (B, n + m) replaces the draws.
    O((n + m)^2 (F + draws)). Raises ValueError for shapes and data that do not fit.
    """
    found = _run(
        "permutation_test", (x, y), (kernel,), biased=biased, alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, permutations=permutations
    )
    return _result(found, keep_null)


def energy_test(x: Any, y: Any, *, alpha: float = 0.05, draws: int = 999, seed: int = 0, keep_null: bool = False) -> TestResult:
    """permutation_test of the energy distance, n m / (n + m) (2 E|x - y| - E|x - x'| - E|y - y'|) (Szekely and Rizzo 2013): no bandwidth."""
    found = permutation_test(x, y, _kernel.energy(), biased=True, alpha=alpha, draws=draws, seed=seed, keep_null=keep_null)
    factor = len(x) * len(y) / (len(x) + len(y))
    null = None if found.null_sample is None else factor * found.null_sample
    return TestResult(factor * found.statistic, found.p_value, factor * found.threshold, found.reject, null, found.warning)


def wild_bootstrap_test(
    x: Any,
    y: Any,
    kernel: Optional[_kernel.Kernel] = None,
    *,
    form: str = "independent",
    length: float = 0.0,
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    weights: Optional[Any] = None,
) -> TestResult:
    """The same with random multipliers in place of permutations: "independent" pairs, n = m; "dependent" and "centred" for time series whose
    dependence reaches over `length` rows; "separate" for any n and m. `weights` (B, n) replaces the draws."""
    if form not in _FORMS:
        raise ValueError(f"wild_bootstrap_test: form must be one of {', '.join(_FORMS)}, not {form!r}")
    options = dict(alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, weights=weights)
    return _result(_run("wild_bootstrap_test", (x, y), (kernel,), form=_FORMS[form], length=float(length), **options), keep_null)


def aggregated_test(x: Any, y: Any, *, kernels: int = 10, alpha: float = 0.05, draws: int = 999, seed: int = 0) -> AggregatedResult:
    """MMDAgg (Schrab et al. 2023) by permutations with `kernels` Laplacians (l1) and as many Gaussians: no bandwidth to choose. Exact level."""
    found = _run("aggregated_test", (x, y), (), alpha=alpha, draws=draws, seed=seed, kernel_count=kernels)
    return AggregatedResult(found["reject"], np.asarray(found["values"]), found["warning"])


def independence_test(
    x: Any,
    y: Any,
    kernel_x: Optional[_kernel.Kernel] = None,
    kernel_y: Optional[_kernel.Kernel] = None,
    *,
    biased: bool = True,
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    permutations: Optional[Any] = None,
) -> TestResult:
    """Are x (n, F) and y (n, G), row by row, independent? HSIC (Gretton et al. 2008) against permuted rows of y; exact. Memory O(n^2)."""
    options = dict(biased=biased, alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, permutations=permutations)
    return _result(_run("independence_test", (x, y), (kernel_x, kernel_y), **options), keep_null)


def witness(x: Any, y: Any, points: Any, kernel: Optional[_kernel.Kernel] = None) -> np.ndarray:
    """mean_i k(p, x_i) - mean_j k(p, y_j) at each point p: positive where x has more rows (Gretton et al. 2012, section 2.3)."""
    return np.asarray(_run("witness", (x, y, points), (kernel,))["values"])
