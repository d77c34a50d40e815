"""Losses of class scores and of discriminators. The functions are made from the table of the compiled module (src/rows.cpp)."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import _call
from ._later import Later
from ._load import core

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")


class Measure(NamedTuple):
    """One line of the table."""

    name: str
    inputs: List[str]
    differentiable: List[int]
    parameters: List[Tuple[str, float]]
    has_reduction: bool
    has_conditioning: bool
    values_of: List[int]
    labels: List[str]
    documentation: str


TABLE: Dict[str, Measure] = {line[0]: Measure(*line) for line in core.measures()}

_COMMON = """

Arrays as for mmd. With `gradient` the answer is (value, gradients ...) of {of}, times `scale`.{reduction}
`check` looks for NaN and infinity first. Raises TypeError for other arrays, ValueError for shapes and data that do not fit."""
_REDUCTION = '\n`reduction` is "mean", "sum" or "none": one value for each row{rows}.'
_CONDITIONING = "\n`conditioning` is one of dalib_cpp.conditioning; None: every sample counts 1."


def conditioning_code(conditioning: Any) -> tuple:
    return _call.NO_CONDITIONING if conditioning is None else conditioning.code()


@functools.lru_cache(maxsize=256)
def plan(name: str, reduction: str, conditioning: Any, numbers: Tuple[float, ...]) -> Any:
    """The plan of a measure of the table."""
    return _call.make_plan(name, TABLE[name].inputs, [], None, reduction, conditioning_code(conditioning), numbers)


def value_count(measure: Measure, inputs: Tuple[Any, ...]) -> int:
    """Number of values of reduction "none"."""
    return sum(len(inputs[place]) for place in measure.values_of)


def class_labels(name: str, labels: Tuple[Any, ...]) -> Optional[tuple]:
    """Class labels as the compiled module takes them: whole numbers, one for each row."""
    if not labels:
        return None
    found = []
    for one in labels:
        torch = sys.modules.get("torch")
        array = one.detach().cpu().numpy() if torch is not None and isinstance(one, torch.Tensor) else np.asarray(one)
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise TypeError(f"{name}: labels are whole numbers, one for each row; these are {array.dtype} of shape {array.shape}")
        found.append(np.ascontiguousarray(array, np.int64))
    return tuple(found)


def _run(
    measure: Measure, inputs: tuple, labels: tuple, numbers: tuple, reduction: str, conditioning: Any, gradient: bool, scale: float, check: bool
) -> Any:
    ready = plan(measure.name, reduction, conditioning, numbers)
    values = None
    if reduction == "none":
        values = _call.matrix_like(inputs[0], value_count(measure, inputs), 1)
    out: Optional[tuple] = tuple(_call.like(inputs[place]) for place in measure.differentiable) if gradient else None
    value = ready.run(inputs, None, out, values, scale, _call.threads(), check, class_labels(measure.name, labels))
    if values is not None:
        value = values.reshape(-1)
    if out is None:
        return value
    return (value, *(_call.as_kind_of(one, inputs[place]) for one, place in zip(out, measure.differentiable)))


def signature(measure: Measure) -> str:
    """The arguments of a measure's function, as Python text."""
    arguments = [f"{name}: Any" for name in [*measure.inputs, *measure.labels]] + ["*"] + [f"{name}: float = {number!r}" for name, number in measure.parameters]
    if measure.has_conditioning:
        arguments.append("conditioning: Any = None")
    if measure.has_reduction:
        arguments.append('reduction: str = "mean"')
    return ", ".join([*arguments, "gradient: bool = False", "scale: float = 1.0", "check: bool = False"])


def documentation(measure: Measure) -> str:
    of = ", ".join(measure.inputs[place] for place in measure.differentiable)
    rows = ", the source's first" if len(measure.values_of) > 1 else ""
    reduction = _REDUCTION.format(rows=rows) if measure.has_reduction else ""
    return measure.documentation + _COMMON.format(of=of, reduction=reduction + (_CONDITIONING if measure.has_conditioning else ""))


def _make(measure: Measure) -> Any:
    numbers = "".join(f"float({name}), " for name, _ in measure.parameters)
    reduction = "reduction" if measure.has_reduction else '"mean"'
    conditioning = "conditioning" if measure.has_conditioning else "None"
    text = (
        f"def {measure.name}({signature(measure)}) -> Any:\n"
        f"    return _run(_measure, ({', '.join(measure.inputs)},), ({''.join(f'{one}, ' for one in measure.labels)}), ({numbers}), {reduction}, {conditioning}, gradient, scale, check)\n"
    )
    scope = {"Any": Any, "_run": _run, "_measure": measure}
    exec(compile(text, f"<dalib_cpp.{measure.name}>", "exec"), scope)
    function: Any = scope[measure.name]
    function.__doc__, function.__module__ = documentation(measure), __name__
    return function


globals().update({name: _make(measure) for name, measure in TABLE.items()})
__all__ = list(TABLE)  # pyright: ignore


def stub() -> str:
    """The text of the type stub measures.pyi, made from this module: a test compares."""
    lines = ['"""Made by `python -c "import dalib_cpp.measures as m; print(m.stub(), end=\'\')"`."""']
    lines += ["from typing import Any, Dict, List, NamedTuple, Optional, Tuple", "", "class Measure(NamedTuple):"]
    lines += [f"    {name}: {getattr(kind, '__forward_arg__', kind)}" for name, kind in Measure.__annotations__.items()]
    lines += ["", "TABLE: Dict[str, Measure]", ""]
    helpers: List[Callable] = [class_labels, conditioning_code, documentation, plan.__wrapped__, signature, stub, value_count]
    for helper in helpers:
        kinds = dict(helper.__annotations__)
        answer = kinds.pop("return")
        lines.append(f"def {helper.__name__}({', '.join(f'{name}: {kind}' for name, kind in kinds.items())}) -> {answer}: ...")
    return "\n".join(lines + [f"def {m.name}({signature(m)}) -> Any: ..." for m in TABLE.values()]) + "\n"
