"""Estimators: which pairs of rows count, and how. The same as in C++."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Tuple


class Estimator:
    """Base of the estimators."""

    def code(self) -> Tuple[int, int, int]:
        """What the compiled module takes: (kind, rows of a block, or the number of drawn pairs, or 0, seed)."""
        raise NotImplementedError


@dataclass(frozen=True)
class biased(Estimator):
    """V statistic: all pairs, a row with itself too (Gretton et al. 2012, eq. 5)."""

    def code(self) -> Tuple[int, int, int]:
        return (0, 0, 0)


@dataclass(frozen=True)
class unbiased(Estimator):
    """U statistic: a row is not paired with itself (Gretton et al. 2012, eq. 3). May be negative: that is no error."""

    def code(self) -> Tuple[int, int, int]:
        return (1, 0, 0)


@dataclass(frozen=True)
class compat_nonlinear(Estimator):
    """The numbers of DALIB's and TLlib's non-linear MK-MMD and JMMD. Needs n_s = n_t >= 2."""

    def code(self) -> Tuple[int, int, int]:
        return (2, 0, 0)


@dataclass(frozen=True)
class linear_time(Estimator):
    """Mean over floor(min(n_s, n_t) / 2) disjoint quadruples (Gretton et al. 2012, section 6); O(n F)."""

    def code(self) -> Tuple[int, int, int]:
        return (3, 0, 0)


@dataclass(frozen=True)
class compat_ring(Estimator):
    """The numbers of DALIB's and TLlib's linear form: the ring of overlapping pairs. Needs n_s = n_t >= 2."""

    def code(self) -> Tuple[int, int, int]:
        return (4, 0, 0)


@dataclass(frozen=True)
class block(Estimator):
    """B-test: mean of the estimator `within` over blocks of `rows` rows of each domain (Zaremba et al. 2013, eq. 4)."""

    rows: int = 64
    within: Estimator = field(default_factory=unbiased)

    def __post_init__(self) -> None:
        if not isinstance(self.within, (biased, unbiased, compat_nonlinear)):
            raise ValueError("estimator.block: within must be biased(), unbiased() or compat_nonlinear(); others are not compiled")
        if self.rows == 0:
            raise ValueError("estimator.block: needs blocks of at least 2 rows")

    def code(self) -> Tuple[int, int, int]:
        return (self.within.code()[0], int(self.rows), 0)


@dataclass(frozen=True)
class incomplete(Estimator):
    """Incomplete U statistic: the mean over `pairs` quadruples of rows that are drawn from a seed (Schrab et al. 2022, eq. 6); O(pairs F).

    Unbiased. For mmd with kernels of the squared distance, without weights. The same seed draws the same rows on every machine.
    """

    pairs: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.pairs < 1:
            raise ValueError("estimator.incomplete: needs at least one pair")

    def code(self) -> Tuple[int, int, int]:
        return (5, int(self.pairs), int(self.seed))
