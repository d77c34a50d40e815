"""Tests of two samples and of dependence, and where samples differ: dalib/inference.hpp. Rows of other types are copied to double.

>>> import numpy as np, dalib_cpp as da
>>> x = np.random.default_rng(0).normal(size=(60, 3))
>>> da.inference.permutation_test(x, x + 1).p_value
0.001
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from . import _call
from . import bandwidth as _bandwidth
from . import kernel as _kernel
from ._later import Later
from ._load import core

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")

_FORMS = {"independent": 0, "dependent": 1, "centred": 2, "separate": 3}
_VARIANCES = {"sample": 0, "second_moment": 1, "difference": 2}
_BLOCKS = {"paired": 0, "unbiased": 1}
_STEIN_FORMS = {"biased": 0, "unbiased": 1, "multinomial": 2}


@dataclass(frozen=True)
class TestResult:
    """p_value = (1 + #{draws as large as the statistic}) / (1 + draws): never 0, ties count. reject: p_value <= alpha.

    `warning` says what stands in the way of a meaningful answer; `null_sample` is there with keep_null. `details` are further numbers, and
    `values` one for each eigenvalue or kernel, where a test says so.
    """

    __test__ = False  # no test of pytest's
    statistic: float
    p_value: float
    threshold: float
    reject: bool
    null_sample: Optional[np.ndarray] = None
    warning: str = ""
    details: Dict[str, float] = field(default_factory=dict)
    values: Optional[np.ndarray] = field(default=None, compare=False)


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
    values = np.asarray(found["values"]) if found["values"] else None
    return TestResult(
        found["statistic"], found["p_value"], found["threshold"], found["reject"], null, found["warning"], found["details"], values
    )


def _choice(name: str, argument: str, choices: Dict[str, int], given: str) -> int:
    if given not in choices:
        raise ValueError(f"{name}: {argument} must be one of {', '.join(choices)}, not {given!r}")
    return choices[given]


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
    chosen = _choice("wild_bootstrap_test", "form", _FORMS, form)
    options = dict(alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, weights=weights)
    return _result(_run("wild_bootstrap_test", (x, y), (kernel,), form=chosen, length=float(length), **options), keep_null)


def aggregated_test(x: Any, y: Any, *, kernels: int = 10, alpha: float = 0.05, draws: int = 999, seed: int = 0) -> AggregatedResult:
    """MMDAgg (Schrab et al. 2023) by permutations with `kernels` Laplacians (l1) and as many Gaussians: no bandwidth to choose. Exact level."""
    found = _run("aggregated_test", (x, y), (), alpha=alpha, draws=draws, seed=seed, kernel_count=kernels)
    return AggregatedResult(found["reject"], np.asarray(found["values"]), found["warning"])


def fuse_test(
    x: Any, y: Any, *, kernels: int = 10, scale: float = 0.0, alpha: float = 0.05, draws: int = 999, seed: int = 0, keep_null: bool = False
) -> TestResult:
    """MMD-FUSE (Biggs et al. 2023): one statistic, (1 / scale) log mean exp(scale MMD_k / sqrt(N_k)), of the kernels of aggregated_test, with
    permutations; exact. scale 0: the authors' choice. `values`: MMD_k."""
    options = dict(alpha=alpha, draws=draws, seed=seed, keep_null=keep_null)
    return _result(_run("fuse_test", (x, y), (), kernel_count=kernels, numbers=[float(scale)], **options), keep_null)


def nystrom_test(
    x: Any,
    y: Any,
    kernel: Optional[_kernel.Kernel] = None,
    *,
    landmarks: int = 0,
    ridge: float = 1e-6,
    landmark_seed: int = 0,
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    permutations: Optional[Any] = None,
) -> TestResult:
    """permutation_test of rows seen through `landmarks` of them (0: sqrt(n + m), at least 32), for 100,000 rows; exact (Chatalic et al. 2025).

    O((n + m) landmarks (F + landmarks + draws)). `details["landmarks"]` says how many there were."""
    options = dict(alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, permutations=permutations)
    numbers = [float(landmarks), float(ridge), float(landmark_seed)]
    return _result(_run("nystrom_test", (x, y), (kernel,), numbers=numbers, **options), keep_null)


def linear_time_test(
    x: Any, y: Any, kernel: Optional[_kernel.Kernel] = None, *, variance: str = "sample", alpha: float = 0.05, keep_null: bool = False
) -> TestResult:
    """Mean over disjoint quadruples of rows against a normal law (Gretton et al. 2012, lemma 14): O(n F), for thousands of rows.

    `variance`: "sample", "second_moment" or "difference". `details`: variance and z; the terms are the null_sample of keep_null."""
    form = _choice("linear_time_test", "variance", _VARIANCES, variance)
    return _result(_run("linear_time_test", (x, y), (kernel,), form=form, alpha=alpha, keep_null=keep_null), keep_null)


def block_test(
    x: Any, y: Any, kernel: Optional[_kernel.Kernel] = None, *, rows: int = 32, pairs: str = "paired", alpha: float = 0.05, keep_null: bool = False
) -> TestResult:
    """Mean over blocks of `rows` rows against a normal law (Zaremba et al. 2013): between linear_time_test and the others, at least 30 blocks.

    `pairs`: "paired" (the paper) or "unbiased". `details` as linear_time_test."""
    options = dict(form=_choice("block_test", "pairs", _BLOCKS, pairs), numbers=[float(rows)], alpha=alpha, keep_null=keep_null)
    return _result(_run("block_test", (x, y), (kernel,), **options), keep_null)


def spectrum_test(
    x: Any,
    y: Any,
    kernel: Optional[_kernel.Kernel] = None,
    *,
    biased: bool = True,
    eigenvalues: int = 0,
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    weights: Optional[Any] = None,
) -> TestResult:
    """n m / (n + m) MMD^2 against draws of its limit law, by the eigenvalues of the kernel matrix (Gretton et al. 2009); O((n + m)^3).

    Asymptotic, from about 100 rows on. `eigenvalues`: how many are used, 0: all. `values`: the eigenvalues. `weights` replaces the draws."""
    options = dict(biased=biased, alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, weights=weights)
    return _result(_run("spectrum_test", (x, y), (kernel,), numbers=[float(eigenvalues)], **options), keep_null)


def gamma_test(x: Any, y: Any, kernel: Optional[_kernel.Kernel] = None, *, alpha: float = 0.05) -> TestResult:
    """n MMD^2 (biased, n = m) against a gamma law with its first two moments (Gretton et al. 2009): quick, and only roughly right.

    `details`: mean, variance, shape, scale."""
    return _result(_run("gamma_test", (x, y), (kernel,), alpha=alpha), False)


def mean_embedding_test(
    x: Any, y: Any, places: Any, kernel: Optional[_kernel.Kernel] = None, *, ridge: float = 1e-5, alpha: float = 0.05
) -> TestResult:
    """How far the samples' mean kernel values at `places` (J, F) are apart, against chi-squared (ME, Jitkrittum et al. 2016); n = m, O(n J F)."""
    return _result(_run("mean_embedding_test", (x, y, places), (kernel,), numbers=[float(ridge)], alpha=alpha), False)


def stein_test(
    x: Any,
    scores: Any,
    *,
    sigma: Optional[float] = None,
    c: float = 1.0,
    beta: float = -0.5,
    form: str = "biased",
    alpha: float = 0.05,
    draws: int = 999,
    seed: int = 0,
    keep_null: bool = False,
    weights: Optional[Any] = None,
) -> TestResult:
    """Does x (n, F) follow the law whose scores grad log p at its rows are given (n, F)? The squared kernel Stein discrepancy (Chwialkowski et
    al. 2016; Liu et al. 2016) of (c^2 + |x - y|^2)^beta, or with `sigma` of a Gaussian. `form`: "biased", "unbiased" or "multinomial"."""
    numbers = [float(c), float(beta)] if sigma is None else [float(sigma)]
    options = dict(alpha=alpha, draws=draws, seed=seed, keep_null=keep_null, weights=weights)
    chosen = _choice("stein_test", "form", _STEIN_FORMS, form)
    return _result(_run("stein_test", (x, scores), (), form=chosen, numbers=numbers, **options), keep_null)


def independence_gamma_test(
    x: Any, y: Any, kernel_x: Optional[_kernel.Kernel] = None, kernel_y: Optional[_kernel.Kernel] = None, *, alpha: float = 0.05
) -> TestResult:
    """n HSIC (biased, n >= 6) against a gamma law (Gretton et al. 2008, section 3): quick, for kernels with k(x, x) = 1."""
    return _result(_run("independence_gamma_test", (x, y), (kernel_x, kernel_y), alpha=alpha), False)


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
