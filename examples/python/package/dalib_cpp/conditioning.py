"""CDAN's weights of the samples, by the entropy of their class predictions (Long et al. 2018, eq. 8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class joint_entropy:
    """w = 1 + e^-H, scaled to sum n_s + n_t over both domains together; detached. `offset` is added inside the logarithm of H."""

    offset: float = 0.0

    def code(self) -> tuple:
        return (1, False, float(self.offset))


@dataclass(frozen=True)
class per_domain_entropy:
    """w = 1 + e^-H, scaled over each domain, as in the authors' code; with `reverse` a reversed gradient flows to the class logits."""

    reverse: bool = True
    offset: float = 0.0

    def code(self) -> tuple:
        return (2, bool(self.reverse), float(self.offset))


def compat_entropy() -> joint_entropy:
    """DALIB's and TLlib's: joint_entropy with 1e-5 inside the logarithm."""
    return joint_entropy(1e-5)
