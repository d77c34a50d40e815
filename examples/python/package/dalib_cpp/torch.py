"""The losses as modules of PyTorch: `MMDLoss()(features_source, features_target)`.

Value and gradient are found in one pass, so a backward only multiplies. Only the sides that want a gradient get one. Half and bfloat16 inputs
are computed in float32 and give their own dtype back; tensors on a GPU are computed on the CPU, with one warning. Under torch.compile each loss
is one operator (no graph break). Second derivatives are refused, never silently wrong.
"""

from __future__ import annotations

import math
from typing import Any, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from . import bandwidth as _bandwidth
from . import functions as _functions
from . import kernel as _kernel
from . import measures as _measures
from ._autograd import _NO_WEIGHTS, Operation, evaluate
from ._map_autograd import Pull, pulled
from .estimator import Estimator
from .kernel import Kernel


def _rows(x: Tensor) -> Tensor:
    """(n, ...) as (n, F)."""
    return x if x.dim() == 2 else x.flatten(1)


def _class_rows(y: Tensor) -> Tensor:
    """(n, C, d1, ...) as rows of C class scores: every position is a sample."""
    return y if y.dim() == 2 else y.movedim(1, -1).flatten(0, -2)


def _column(logits: Tensor) -> Tensor:
    return logits.unsqueeze(1) if logits.dim() == 1 else logits


class _Loss(nn.Module):
    """Base: an operation, and the running bandwidths of its kernels as buffers."""

    running: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._operation: Any = None

    def _settings(self) -> Operation:
        raise NotImplementedError

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_operation": None}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._operation = self._settings()

    def _register_running(self, kernels: Sequence[Kernel]) -> None:
        count = sum(_running_in(kernel) for kernel in kernels)
        if count:  # value and number of updates of each
            self.register_buffer("running", torch.zeros(count, 2, dtype=torch.float64))

    def _evaluate(self, *inputs: Tensor, weights: Tuple[Optional[Tensor], Optional[Tensor]] = _NO_WEIGHTS) -> Tensor:
        return evaluate(self._operation, inputs, weights, self._buffers.get("running"), self.training)


def _running_in(kernel: Kernel) -> int:
    """Number of running averages in a kernel; those with a state of the user's own are refused."""
    found: List[_bandwidth.running_average] = []
    for _, product in kernel.terms():
        for one in product:
            rule = one.bandwidth if isinstance(one, _kernel.Radial) else one.rule if isinstance(one, _kernel.gaussian_ladder) else None
            if isinstance(rule, _bandwidth.running_average):
                found.append(rule)
    if any(rule.state is not None for rule in found):
        raise ValueError("dalib_cpp.torch: a module keeps the state of a running average itself; give bandwidth.running_average() without one")
    return len(found)


class MMDLoss(_Loss):
    """Squared MMD of two batches of features (DAN, Long et al. 2015): `loss(x, y)`, x (n, F) and y (m, F), further dimensions flattened.

    Without arguments five Gaussians, 1/8 to 2 times the mean squared distance over all pairs, and the unbiased estimator, which may be
    negative. `weights` are (weights of x, weights of y), detached.
    """

    def __init__(self, kernel: Optional[Kernel] = None, estimator: Optional[Estimator] = None) -> None:
        super().__init__()
        self.kernel = kernel if kernel is not None else _kernel.gaussian_ladder()
        self.estimator = estimator
        self._register_running([self.kernel])
        self._operation = self._settings()

    def _settings(self) -> Operation:
        return Operation("mmd", ("x", "y"), (0, 1), kernels=(self.kernel,), estimator=self.estimator)

    def forward(self, x: Tensor, y: Tensor, weights: Tuple[Optional[Tensor], Optional[Tensor]] = _NO_WEIGHTS) -> Tensor:
        inputs = (x, y) if x.dim() == 2 and y.dim() == 2 else (_rows(x), _rows(y))
        return evaluate(self._operation, inputs, weights, self._buffers.get("running"), self.training)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, estimator={self.estimator or 'unbiased()'}"


class WeightedMMDLoss(MMDLoss):
    """MK-MMD with kernel weights by DALIB's quadratic program: `loss(x, y)`. The kernel is a gaussian_ladder; see dalib_cpp.weighted_mmd."""

    def _settings(self) -> Operation:
        return Operation("weighted_mmd", ("x", "y"), (0, 1), kernels=(self.kernel,), estimator=self.estimator)


class JointMMDLoss(_Loss):
    """Squared joint MMD of several layers (JAN, Long et al. 2017): `loss((f_s, p_s), (f_t, p_t))`. Default kernels: functions.jan_kernels()."""

    def __init__(self, kernels: Optional[Sequence[Kernel]] = None, estimator: Optional[Estimator] = None) -> None:
        super().__init__()
        self.kernels = tuple(kernels) if kernels is not None else _functions.jan_kernels()
        self.estimator = estimator
        self._register_running(self.kernels)
        self._operation = self._settings()

    def _settings(self) -> Operation:
        names = tuple(f"{domain}[{place}]" for domain in "xy" for place in range(len(self.kernels)))
        return Operation("joint_mmd", names, tuple(range(len(names))), kernels=self.kernels, estimator=self.estimator)

    def forward(
        self, x: Sequence[Tensor], y: Sequence[Tensor], weights: Tuple[Optional[Tensor], Optional[Tensor]] = _NO_WEIGHTS
    ) -> Tensor:
        if len(x) != len(self.kernels) or len(y) != len(self.kernels):
            raise ValueError(f"JointMMDLoss: there are {len(self.kernels)} kernels, but {len(x)} layers of x and {len(y)} of y")
        return self._evaluate(*(_rows(one) for one in (*x, *y)), weights=weights)

    def extra_repr(self) -> str:
        return f"kernels={self.kernels}, estimator={self.estimator or 'unbiased()'}"


class _RowLoss(_Loss):
    """Base of the losses of the compiled table: `_name` is the measure's."""

    _name = ""

    def __init__(self, reduction: str = "mean", *, numbers: Tuple[float, ...] = (), conditioning: Any = None) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{type(self).__name__}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction, self._numbers, self.conditioning = reduction, numbers, conditioning
        self._operation = self._settings()

    def _settings(self) -> Operation:
        return Operation.of_table(self._name, self.reduction, self._numbers, self.conditioning)

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MeasureLoss(_RowLoss):
    """Any line of the table of dalib_cpp.measures by its name: `MeasureLoss("coral")(f_s, f_t)`, `MeasureLoss("minimum_class_confusion",
    temperature=2.0)(y_t)`. Class labels follow the tensors: `MeasureLoss("local_mmd")(f_s, f_t, p_t, labels_s)`.

    The function of that name in dalib_cpp says what the tensors are and which get gradients.
    """

    def __init__(self, name: str, reduction: str = "mean", *, conditioning: Any = None, **parameters: float) -> None:
        line = _measures.TABLE.get(name)
        if line is None:
            raise ValueError(f"MeasureLoss: there is no measure {name!r}; there are {', '.join(_measures.TABLE)}")
        unknown = set(parameters) - {one for one, _ in line.parameters}
        if unknown:
            raise TypeError(f"MeasureLoss: {name} has no parameter {', '.join(sorted(unknown))}")
        if reduction != "mean" and not line.has_reduction:
            raise ValueError(f"MeasureLoss: {name} is one number; it has no reduction")
        self._name = name
        super().__init__(reduction, numbers=tuple(float(parameters.get(one, default)) for one, default in line.parameters), conditioning=conditioning)

    def forward(self, *tensors: Tensor) -> Tensor:
        line = _measures.TABLE[self._name]
        count = len(line.inputs)
        if len(tensors) != count + len(line.labels):
            raise TypeError(f"MeasureLoss: {self._name} takes {', '.join([*line.inputs, *line.labels])}, not {len(tensors)} tensors")
        labels = (*tensors[count:], None, None)
        return self._evaluate(*(one if one.dim() > 1 else _column(one) for one in tensors[:count]), weights=(labels[0], labels[1]))

    def extra_repr(self) -> str:
        numbers = "".join(f", {one}={value}" for (one, _), value in zip(_measures.TABLE[self._name].parameters, self._numbers))
        return f"{self._name!r}{numbers}, {super().extra_repr()}"


class MCDLoss(_RowLoss):
    """Discrepancy of two classifiers on the same samples (MCD, Saito et al. 2018, eq. 2): `loss(y1, y2)`, class logits (n, C) or (n, C, ...)."""

    _name = "classifier_discrepancy"

    def forward(self, y1: Tensor, y2: Tensor) -> Tensor:
        return self._evaluate(_class_rows(y1), _class_rows(y2))


class ClassBalanceLoss(_RowLoss):
    """What MCD's code calls entropy: cross-entropy of the uniform law with the mean prediction. `loss(y)`, class logits (n, C)."""

    _name = "class_balance"

    def __init__(self, offset: float = 1e-6) -> None:
        super().__init__(numbers=(float(offset),))

    def forward(self, y: Tensor) -> Tensor:
        return self._evaluate(_class_rows(y))

    def extra_repr(self) -> str:
        return f"offset={self._numbers[0]}"


class MDDLoss(_RowLoss):
    """Margin disparity (MDD, Zhang et al. 2019): `loss(y_s, y_s_adv, y_t, y_t_adv)`, class logits (n, C) or (n, C, ...).

    Minimised by the adversarial classifier; gradients reach y_s_adv and y_t_adv alone. `compat=True` gives the numbers of DALIB and TLlib,
    whose loss has 1e-6 inside the logarithm (and is minus ours where they maximise).
    """

    def __init__(self, margin: float = 4.0, reduction: str = "mean", *, compat: bool = False) -> None:
        self._name = "compat_margin_disparity" if compat else "margin_disparity"
        super().__init__(reduction, numbers=(float(margin),))
        self.margin, self.compat = margin, compat

    def forward(self, y_s: Tensor, y_s_adv: Tensor, y_t: Tensor, y_t_adv: Tensor) -> Tensor:
        return self._evaluate(*(_class_rows(y) for y in (y_s, y_s_adv, y_t, y_t_adv)))

    def extra_repr(self) -> str:
        return f"margin={self.margin}, compat={self.compat}, {super().extra_repr()}"


class DomainAdversarialCriterion(_RowLoss):
    """Binary cross-entropy of a discriminator's logits (DANN): `loss(logits_s, logits_t)`, (n, 1) or (n,); source label 1."""

    _name = "domain_adversarial"

    def forward(self, logits_s: Tensor, logits_t: Tensor) -> Tensor:
        return self._evaluate(_column(logits_s), _column(logits_t))


class ConditionalDomainAdversarialCriterion(_RowLoss):
    """CDAN's loss of a discriminator's logits: `loss(logits_s, logits_t, y_s, y_t)`, class logits y for the weights (`conditioning`)."""

    _name = "conditional_domain_adversarial"

    def __init__(self, conditioning: Any = None, reduction: str = "mean", entropy_reversal: float = 1.0) -> None:
        super().__init__(reduction, numbers=(float(entropy_reversal),), conditioning=conditioning)
        self.entropy_reversal = entropy_reversal
        if reduction == "none" and conditioning is not None and conditioning.code()[1]:
            raise ValueError("ConditionalDomainAdversarialCriterion: reduction 'none' cannot carry the gradient through the entropy")

    def forward(self, logits_s: Tensor, logits_t: Tensor, y_s: Tensor, y_t: Tensor) -> Tensor:
        if self.conditioning is None or not self.conditioning.code()[1]:
            y_s, y_t = y_s.detach(), y_t.detach()  # the weights have no gradient
        return self._evaluate(_column(logits_s), _column(logits_t), y_s, y_t)


class GradientReversal(nn.Module):
    """Identity forwards, times -lambda backwards; lambda warms up as in DANN and its counter is in the state_dict.

    The counter advances in training mode, after use; with iterations=0 lambda is `high` from the start.
    """

    iteration: Tensor

    def __init__(self, iterations: int = 1000, alpha: float = 1.0, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        self.iterations, self.alpha, self.low, self.high = iterations, alpha, low, high
        self.register_buffer("iteration", torch.zeros((), dtype=torch.int64))

    def coefficient(self) -> Tensor:
        """lambda of the next forward, as a tensor: no graph break under torch.compile."""
        if self.iterations == 0:
            return torch.full((), self.high, dtype=torch.float64)
        range_ = self.high - self.low
        return 2 * range_ / (1 + torch.exp(-self.alpha * self.iteration.double() / self.iterations)) - range_ + self.low

    def forward(self, x: Tensor) -> Tensor:
        coefficient = self.coefficient().to(x.dtype)
        if self.training:
            self.iteration += 1
        return x.detach() - coefficient * (x - x.detach())  # the difference is 0, its gradient is not

    def extra_repr(self) -> str:
        return f"iterations={self.iterations}, alpha={self.alpha}, low={self.low}, high={self.high}"


class DANNLoss(nn.Module):
    """DANN with the discriminator inside (Ganin et al. 2016): `loss(f_s, f_t)`. The discriminator maps (n, F) to logits (n, 1), no sigmoid.

    `accuracy` is the discriminator's in the last forward, in percent.
    """

    def __init__(self, discriminator: nn.Module, reversal: Optional[GradientReversal] = None, reduction: str = "mean") -> None:
        super().__init__()
        self.discriminator = discriminator
        self.reversal = reversal if reversal is not None else GradientReversal()
        self.criterion = DomainAdversarialCriterion(reduction)
        self.accuracy: Optional[Tensor] = None

    def forward(self, f_s: Tensor, f_t: Tensor) -> Tensor:
        logits = self.discriminator(self.reversal(torch.cat((f_s, f_t))))
        logits_s, logits_t = logits.split((f_s.shape[0], f_t.shape[0]))
        self.accuracy = _accuracy(logits_s, logits_t)
        return self.criterion(logits_s, logits_t)


def _accuracy(logits_s: Tensor, logits_t: Tensor) -> Tensor:
    """The mean of both domains' shares of rows that are put into the right domain, in percent."""
    return 50 * ((logits_s.detach() > 0).double().mean() + (logits_t.detach() <= 0).double().mean())


class CDANLoss(nn.Module):
    """CDAN with the map and the discriminator inside (Long et al. 2018): `loss(y_s, f_s, y_t, f_t)`, class logits and features.

    `map` is MultilinearMap() or RandomisedMultilinearMap(F, C, d); `conditioning=conditioning.joint_entropy()` makes it CDAN+E. Predictions
    are detached, as in DALIB and TLlib, unless `detach_predictions` is false.
    """

    def __init__(
        self,
        discriminator: nn.Module,
        map: Optional[nn.Module] = None,  # noqa: A002
        conditioning: Any = None,
        reversal: Optional[GradientReversal] = None,
        reduction: str = "mean",
        detach_predictions: bool = True,
    ) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.map = map if map is not None else MultilinearMap()
        self.reversal = reversal if reversal is not None else GradientReversal()
        self.criterion = ConditionalDomainAdversarialCriterion(conditioning, reduction)
        self.detach_predictions = detach_predictions
        self.accuracy: Optional[Tensor] = None

    def forward(self, y_s: Tensor, f_s: Tensor, y_t: Tensor, f_t: Tensor) -> Tensor:
        predictions = torch.cat((y_s, y_t))
        if self.detach_predictions:
            predictions = predictions.detach()
        logits = self.discriminator(self.reversal(self.map(torch.cat((f_s, f_t)), predictions)))
        logits_s, logits_t = logits.split((f_s.shape[0], f_t.shape[0]))
        right = torch.cat((logits_s.detach() > 0, logits_t.detach() <= 0))
        self.accuracy = 100 * right.double().mean()  # of all rows, as in DALIB
        return self.criterion(logits_s, logits_t, y_s, y_t)


class MultilinearMap(nn.Module):
    """softmax(g) (x) f flattened (CDAN, Long et al. 2018, eq. 6): features f (n, F), class logits g (n, C) -> (n, C F)."""

    def forward(self, f: Tensor, g: Tensor) -> Tensor:
        return pulled(_MULTILINEAR, f, g)


_MULTILINEAR = Pull(
    lambda f, g: _functions.multilinear_map(f, g),
    lambda f, g, u, wanted: _functions.multilinear_map_gradient(f, g, u, wanted),
    lambda features, classes: features * classes,
)


class RandomisedMultilinearMap(nn.Module):
    """(f R_f) * (softmax(g) R_g) / sqrt(d) with fixed normal matrices (CDAN, Long et al. 2018, eq. 7), which are in the state_dict.

    The matrices are the library's for that seed; the products are PyTorch's, on whatever device.
    """

    R_f: Tensor
    R_g: Tensor

    def __init__(self, features: int, classes: int, dimension: int = 1024, seed: int = 0) -> None:
        super().__init__()
        self.dimension = dimension
        r_f, r_g = _functions.RandomisedMultilinearMap(features, classes, dimension, seed).matrices
        self.register_buffer("R_f", torch.from_numpy(r_f).to(torch.get_default_dtype()))
        self.register_buffer("R_g", torch.from_numpy(r_g).to(torch.get_default_dtype()))

    def forward(self, f: Tensor, g: Tensor) -> Tensor:
        return (f @ self.R_f.to(f.dtype)) * (torch.softmax(g, 1) @ self.R_g.to(g.dtype)) / math.sqrt(self.dimension)

    def extra_repr(self) -> str:
        return f"features={self.R_f.shape[0]}, classes={self.R_g.shape[0]}, dimension={self.dimension}"


def mmd(x: Tensor, y: Tensor, kernel: Optional[Kernel] = None, estimator: Optional[Estimator] = None) -> Tensor:
    """MMDLoss as a function."""
    return MMDLoss(kernel, estimator)(x, y)


__all__ = [
    "CDANLoss", "ClassBalanceLoss", "ConditionalDomainAdversarialCriterion", "DANNLoss", "DomainAdversarialCriterion", "GradientReversal",
    "JointMMDLoss", "MCDLoss", "MDDLoss", "MMDLoss", "MeasureLoss", "MultilinearMap", "RandomisedMultilinearMap", "WeightedMMDLoss", "mmd",
]  # fmt: skip
