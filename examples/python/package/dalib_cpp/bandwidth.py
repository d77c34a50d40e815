"""Bandwidth rules: from the data of one call to a squared length scale. All are detached, as in C++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Union

from ._load import core

RunningState: Any = core.RunningState
"""What a running average remembers: value, updates, training (False: frozen). Can be pickled and copied."""


class Bandwidth:
    """Base of the rules."""

    def scaled(self, factor: float) -> "Bandwidth":
        """The rule whose squared scale is `factor` times this one's."""
        raise NotImplementedError

    def code(self) -> tuple:
        """What the compiled module takes: (kind, number[, momentum, state])."""
        raise NotImplementedError


@dataclass(frozen=True)
class fixed(Bandwidth):
    """sigma itself, in the unit of the rows."""

    sigma: float = 1.0

    def scaled(self, factor: float) -> "fixed":
        return fixed(self.sigma * factor**0.5)

    def code(self) -> tuple:
        return (0, float(self.sigma))


@dataclass(frozen=True)
class mean(Bandwidth):
    """sigma^2 = alpha times the mean of |x - y|^2 over all n^2 ordered pairs of the joint sample (DALIB's rule)."""

    alpha: float = 1.0

    def scaled(self, factor: float) -> "mean":
        return mean(self.alpha * factor)

    def code(self) -> tuple:
        return (1, float(self.alpha))


@dataclass(frozen=True)
class median(Bandwidth):
    """sigma^2 = alpha times the median of |x - y|^2 over the pairs i < j of the joint sample (of at most 1024 rows)."""

    alpha: float = 1.0

    def scaled(self, factor: float) -> "median":
        return median(self.alpha * factor)

    def code(self) -> tuple:
        return (2, float(self.alpha))


@dataclass(frozen=True)
class running_average(Bandwidth):
    """sigma^2 = alpha times a running average of `rule` over batches; the first batch counts whole.

    `state` is a RunningState. A module of dalib_cpp.torch makes its own, keeps it in its state_dict and freezes it by eval();
    the plain functions need one.
    """

    state: Optional[Any] = None
    momentum: float = 0.1
    alpha: float = 1.0
    rule: str = "mean"

    def __post_init__(self) -> None:
        if self.rule not in ("mean", "median"):
            raise ValueError(f"bandwidth.running_average: rule must be 'mean' or 'median', not {self.rule!r}")

    def scaled(self, factor: float) -> "running_average":
        return running_average(self.state, self.momentum, self.alpha * factor, self.rule)

    def code(self) -> tuple:
        return (3 if self.rule == "mean" else 4, float(self.alpha), float(self.momentum), self.state)


def rule_of(sigma: Optional[float], bandwidth: Optional[Union[Bandwidth, float]]) -> Bandwidth:
    """The rule that a kernel's arguments stand for: sigma, a number as bandwidth, a rule, or the mean rule."""
    if sigma is not None and bandwidth is not None:
        raise ValueError("kernel: give sigma or bandwidth, not both")
    given = sigma if bandwidth is None else bandwidth
    if given is None:
        return mean()
    if isinstance(given, Bandwidth):
        return given
    return fixed(float(given))
