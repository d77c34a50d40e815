"""Kernels: small objects, added and multiplied by operators, and resolved to what is compiled when they are used.

>>> import numpy as np, dalib_cpp as da
>>> k = da.kernel.gaussian(sigma=2.0) + 0.5 * da.kernel.laplacian()
>>> x = np.random.default_rng(0).normal(size=(20, 3))
>>> da.mmd(x, x + 1, kernel=k) > 0
True
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

from . import bandwidth as _bandwidth
from .bandwidth import Bandwidth, rule_of

if TYPE_CHECKING:
    from ._user_kernel import UserKernel

COMPILED = (
    "a Gaussian; a Gaussian ladder; any sum of weighted products of kernels of the squared distance (gaussian, gaussian_ladder, laplacian, "
    "rational_quadratic, inverse_multiquadric, matern, energy; 32 factors in all), with linear and one polynomial kernel beside them; and alone, "
    "with a factor: linear, polynomial, cosine, laplacian_l1"
)


class NotCompiled(ValueError):
    """A combination of kernels that this package was not compiled for. The message says which ones it was."""


class Kernel:
    """Base of the kernels: `a + b`, `a * b`, `0.5 * a`."""

    def __add__(self, other: "Kernel") -> "Kernel":
        if not isinstance(other, Kernel):
            return NotImplemented
        return Sum((self, other))

    def __mul__(self, other: Union["Kernel", float]) -> "Kernel":
        if isinstance(other, Kernel):
            return Product((self, other))
        if isinstance(other, (int, float)):
            return Scaled(self, float(other))
        return NotImplemented

    def __rmul__(self, other: float) -> "Kernel":
        return Scaled(self, float(other)) if isinstance(other, (int, float)) else NotImplemented

    def terms(self) -> List[Tuple[float, Tuple["Kernel", ...]]]:
        """The kernel as a sum of weighted products."""
        return [(1.0, (self,))]


@dataclass(frozen=True)
class Sum(Kernel):
    parts: Tuple[Kernel, ...]

    def terms(self) -> List[Tuple[float, Tuple[Kernel, ...]]]:
        return [term for part in self.parts for term in part.terms()]


@dataclass(frozen=True)
class Scaled(Kernel):
    part: Kernel
    factor: float

    def terms(self) -> List[Tuple[float, Tuple[Kernel, ...]]]:
        return [(self.factor * weight, product) for weight, product in self.part.terms()]


@dataclass(frozen=True)
class Product(Kernel):
    parts: Tuple[Kernel, Kernel]

    def terms(self) -> List[Tuple[float, Tuple[Kernel, ...]]]:
        left, right = (_expanded(part) for part in self.parts)
        return [(a * b, p + q) for a, p in left for b, q in right]


@dataclass(frozen=True)
class Radial(Kernel):
    """A kernel of the squared distance with a bandwidth rule."""

    bandwidth: Bandwidth
    kind: int
    shape: float = 1.0


@dataclass(frozen=True)
class gaussian_ladder(Kernel):
    """sum_k exp(-|x - y|^2 / (2 first_alpha 2^k sigma^2)), k = 0 .. count - 1: MK-MMD's kernels (DAN, Long et al. 2015)."""

    first_alpha: float = 0.125
    count: int = 5
    sigma: Optional[float] = None
    bandwidth: Optional[Bandwidth] = None
    rule: Bandwidth = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.first_alpha > 0 or not 1 <= self.count <= 16:
            raise ValueError("kernel.gaussian_ladder: first_alpha must be positive and count in 1..16")
        object.__setattr__(self, "rule", rule_of(self.sigma, self.bandwidth))

    def rungs(self) -> List[Tuple[float, Tuple[Kernel, ...]]]:
        return [(1.0, (Radial(self.rule.scaled(self.first_alpha * 2**k), 0),)) for k in range(self.count)]


@dataclass(frozen=True)
class linear(Kernel):
    """x . y: the MMD is then the squared distance of the means."""


@dataclass(frozen=True)
class polynomial(Kernel):
    """(gamma x . y + coef0)^degree."""

    gamma: float = 1.0
    coef0: float = 1.0
    degree: int = 2


@dataclass(frozen=True)
class cosine(Kernel):
    """x . y / (|x| |y|), 0 if either row is 0."""


@dataclass(frozen=True)
class laplacian_l1(Kernel):
    """exp(-|x - y|_1 / scale)."""

    scale: float = 1.0


def gaussian(sigma: Optional[float] = None, bandwidth: Optional[Bandwidth] = None) -> Kernel:
    """exp(-|x - y|^2 / (2 sigma^2)). Without sigma the rule is bandwidth.mean()."""
    return Radial(rule_of(sigma, bandwidth), 0)


def laplacian(sigma: Optional[float] = None, bandwidth: Optional[Bandwidth] = None) -> Kernel:
    """exp(-|x - y|_2 / sigma)."""
    return Radial(rule_of(sigma, bandwidth), 1)


def rational_quadratic(alpha: float = 1.0, sigma: Optional[float] = None, bandwidth: Optional[Bandwidth] = None) -> Kernel:
    """(1 + |x - y|^2 / (2 alpha l^2))^-alpha, l by the bandwidth rule."""
    return Radial(rule_of(sigma, bandwidth), 2, float(alpha))


def inverse_multiquadric(sigma: Optional[float] = None, bandwidth: Optional[Bandwidth] = None) -> Kernel:
    """(1 + |x - y|^2 / c^2)^-1/2, c by the bandwidth rule."""
    return Radial(rule_of(sigma, bandwidth), 3)


def matern(nu: float = 2.5, sigma: Optional[float] = None, bandwidth: Optional[Bandwidth] = None) -> Kernel:
    """Matern kernel with nu = 1.5 or 2.5 (0.5 is the Laplacian); Rasmussen and Williams 2006, eq. 4.17."""
    if nu == 0.5:
        return laplacian(sigma, bandwidth)
    if nu not in (1.5, 2.5):
        raise ValueError(f"kernel.matern: nu must be 0.5, 1.5 or 2.5, not {nu}")
    return Radial(rule_of(sigma, bandwidth), 4 if nu == 1.5 else 5)


def energy() -> Kernel:
    """-|x - y|_2: the squared MMD is then the energy distance (Szekely and Rizzo 2013, eq. 5)."""
    return Radial(_bandwidth.fixed(1.0), 6)


@dataclass(frozen=True)
class User(Kernel):
    """A kernel that `compile` made."""

    source: UserKernel
    numbers: Tuple[float, ...]


def compile(expression: str, statistic: str = "squared_distance", **parameters: float) -> Kernel:  # noqa: A001
    """A kernel of your own from its value: `compile("exp(-gamma * s) / (1 + s)", gamma=0.5)`.

    s is the squared distance of two rows (or another `statistic`: "inner_product", "cosine_similarity", "l1_distance"). The slope is found by
    dual numbers, exactly. Functions: exp, log, log1p, sqrt, pow, abs, tanh and others; `**` is a power; min, max. The first use compiles a
    library with the compiler at hand (CXX, or c++, g++, clang++) into a cache; further ones, with other parameters too, take it from there.

    Raises SyntaxError for an expression that is none, RuntimeError if there is no compiler.
    """
    from ._user_kernel import translate

    source = translate(expression, statistic, tuple(sorted(parameters)))
    return User(source, tuple(float(parameters[name]) for name in source.parameters))


def _expanded(kernel: Kernel) -> List[Tuple[float, Tuple[Kernel, ...]]]:
    """Terms with every ladder taken apart."""
    result: List[Tuple[float, Tuple[Kernel, ...]]] = []
    for weight, product in kernel.terms():
        partial: List[Tuple[float, Tuple[Kernel, ...]]] = [(weight, ())]
        for one in product:
            rungs = one.rungs() if isinstance(one, gaussian_ladder) else [(1.0, (one,))]
            partial = [(w * v, p + q) for w, p in partial for v, q in rungs]
        result += partial
    return result


def _radial_code(terms: List[Tuple[float, Tuple[Kernel, ...]]]) -> List[tuple]:
    code: List[tuple] = []
    for weight, product in terms:
        for place, one in enumerate(product):
            assert isinstance(one, Radial)
            last = place == len(product) - 1
            code.append((one.kind, last, one.shape, weight if last else 1.0, one.bandwidth.code()))
    if len(code) > 32:
        raise NotCompiled(f"kernel: a sum has at most 32 kernels of a distance, this one has {len(code)}; kernel.compile has no such limit")
    running = [c[4] for c in code if len(c[4]) > 2]
    if len(running) > 1 and len({id(c[3]) for c in running}) < len(running):
        raise NotCompiled("kernel: one running average may stand in one kernel of a sum only; a gaussian_ladder alone updates it once")
    return code


def lower(kernel: Optional[Kernel], radial_only: bool = False) -> Dict[str, Any]:
    """What the compiled module takes for a kernel. With `radial_only` as an expression of the squared distance, whatever it is."""
    if kernel is None:
        kernel = gaussian_ladder()
    if not isinstance(kernel, Kernel):
        raise TypeError(f"kernel must be made by dalib_cpp.kernel, such as kernel.gaussian(); this is {kernel!r}")
    terms = [term for term in kernel.terms() if term[0] != 0.0]
    alone = terms[0][1][0] if len(terms) == 1 and len(terms[0][1]) == 1 else None
    if alone is not None and not radial_only:
        found = _lower_alone(terms[0][0], alone)
        if found is not None:
            return found
    terms = _expanded(kernel)
    terms = [term for term in terms if term[0] != 0.0]
    radial = [term for term in terms if all(isinstance(one, Radial) for one in term[1])]
    others = [term for term in terms if not all(isinstance(one, Radial) for one in term[1])]
    if not others:
        return {"family": 1, "terms": _radial_code(radial)}
    linears = [w for w, product in others if product == (linear(),)]
    polynomials = [(w, product[0]) for w, product in others if len(product) == 1 and isinstance(product[0], polynomial)]
    if radial_only or len(linears) + len(polynomials) < len(others) or len(polynomials) > 1:
        raise NotCompiled(f"kernel: this combination is not compiled: {kernel!r}. Compiled are: {COMPILED}. kernel.compile makes any function of one statistic")
    code: Dict[str, Any] = {"family": 4, "terms": _radial_code(radial), "linear_weight": sum(linears)}
    if polynomials:
        code.update(family=5, polynomial_weight=polynomials[0][0], **_polynomial(polynomials[0][1]))
    return code


def _polynomial(one: Kernel) -> Dict[str, Any]:
    assert isinstance(one, polynomial)
    return {"gamma": float(one.gamma), "coef0": float(one.coef0), "degree": int(one.degree)}


def _lower_alone(factor: float, one: Kernel) -> Optional[Dict[str, Any]]:
    if isinstance(one, gaussian_ladder) and factor == 1:
        return {"family": 0, "first_alpha": float(one.first_alpha), "count": int(one.count), "bandwidth": one.rule.code()}
    if isinstance(one, Radial) and one.kind == 0 and factor == 1:
        return {"family": 0, "first_alpha": 1.0, "count": 1, "bandwidth": one.bandwidth.code()}
    if isinstance(one, linear):
        return {"family": 2, "factor": factor}
    if isinstance(one, polynomial):
        return {"family": 3, "factor": factor, **_polynomial(one)}
    if isinstance(one, cosine):
        return {"family": 6, "factor": factor}
    if isinstance(one, laplacian_l1):
        return {"family": 7, "factor": factor, "scale": float(one.scale)}
    if isinstance(one, User):
        return {"family": 8, "factor": factor, "user": one}
    return None
