"""Scores of a model without target labels, and weights of source classes and samples: dalib/model_selection.hpp. Higher is better.

>>> import numpy as np, dalib_cpp as da
>>> logits = 4 * np.eye(3)[[0, 1, 2, 0]]
>>> round(da.model_selection.label_free_scores(logits)["confidence"], 3)
0.965
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional, Tuple

from ._later import Later
from .inference import _run

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")


class ValidatedRisk(NamedTuple):
    """An estimate of the target's risk; score = -risk, eta the factor of the control variate."""

    risk: float
    eta: float
    score: float


class DomainDistance(NamedTuple):
    """How well a classifier tells the domains apart: distance = 2 (1 - 2 error), and with the mean of both domains' errors; score = -distance."""

    error: float
    distance: float
    balanced_distance: float
    score: float


def label_free_scores(logits: Any, features: Optional[Any] = None) -> Dict[str, float]:
    """Every score of the target's logits (n, C): entropy, information_maximisation, confidence, soft_neighbourhood_density, nuclear_norm,
    softmax_correlation, class_confusion, mano; with features (n, F) also rankme, class_ami and class_silhouette."""
    return _run("label_free_scores", (logits,) if features is None else (logits, features), ())["details"]


def importance_weights(domain_logits: Any, source_samples: float, target_samples: float) -> np.ndarray:
    """Weights of source samples from a domain classifier's logits (n, 2), columns source and target (You et al. 2019, eq. 4)."""
    return _values("importance_weights", (domain_logits,), float(source_samples), float(target_samples))


def importance_weighted_validation(weights: Any, losses: Any, self_normalised: bool = False) -> ValidatedRisk:
    """IWCV (Sugiyama et al. 2007): mean w l, or sum w l / sum w."""
    return ValidatedRisk(**_run("importance_weighted_validation", (weights, losses), (), numbers=[float(self_normalised)])["details"])


def deep_embedded_validation(weights: Any, losses: Any) -> ValidatedRisk:
    """DEV (You et al. 2019, eq. 6-8): IWCV with the weights as a control variate."""
    return ValidatedRisk(**_run("deep_embedded_validation", (weights, losses), ())["details"])


def proxy_a_distance(domains: Any, predictions: Any) -> DomainDistance:
    """Proxy A-distance (Ben-David et al. 2007) of a domain classifier's predictions on held-out samples; 1: source, 0: target."""
    return DomainDistance(**_run("proxy_a_distance", (domains, predictions), ())["details"])


def partial_class_weights(logits_t: Any, temperature: float = 1.0) -> np.ndarray:
    """Weight of each source class by its share of the target's predictions, divided by the largest (PADA, Cao et al. 2018, eq. 2)."""
    return _values("partial_class_weights", (logits_t,), float(temperature))


def importance_weights_of(logits_s: Any, offset: float = 0.0) -> np.ndarray:
    """Weight of each source sample by a discriminator's logits (n, 1): 1 - sigmoid, divided by its mean (IWAN, Zhang et al. 2018, eq. 6-7)."""
    return _values("importance_weights_of", (logits_s,), float(offset))


def _values(name: str, inputs: Tuple[Any, ...], *numbers: float) -> np.ndarray:
    return np.asarray(_run(name, inputs, (), numbers=list(numbers))["values"])
