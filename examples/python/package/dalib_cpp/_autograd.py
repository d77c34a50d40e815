"""How a measure joins PyTorch's autograd: a Function in eager mode, a custom operator while compiling.

Both find value and gradients in one pass. The Function's backward multiplies them by the upstream gradient; where a graph of the backward is
asked for, an inner Function that takes the inputs does, so that a second derivative reaches a backward that raises.
"""

from __future__ import annotations


import functools
import threading
import warnings
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from . import _call, measures
from ._load import core

_HALVES = (torch.bfloat16, torch.float16)
_SECOND = (
    "dalib_cpp: second derivatives are not available: the gradient of this loss was found in the same pass as its value and has no graph. "
    "Take it without create_graph=True, or use a loss written in PyTorch there"
)


class Operation:
    """A measure with its choices, as text too: what a compiled graph keeps."""

    def __init__(
        self,
        name: str,
        inputs: Tuple[str, ...],
        differentiable: Tuple[int, ...],
        kernels: Tuple[Any, ...] = (),
        estimator: Any = None,
        reduction: str = "mean",
        conditioning: Any = None,
        numbers: Tuple[float, ...] = (),
        values_of: Tuple[int, ...] = (),
        labels: int = 0,
    ) -> None:
        self.differentiable, self.reduction, self.values_of = differentiable, reduction, values_of
        self.all_differentiable = differentiable == tuple(range(len(inputs)))
        self.name, self.labels = name, labels  # with labels they travel in the weights' places
        self.states: List[Any] = []
        if name == "joint_mmd" and len(kernels) == 1:
            name, inputs = "mmd", ("x", "y")
        codes = self._kernel_codes(name, kernels)
        self.plan = _call.make_plan(
            name, inputs, codes, estimator, reduction, measures.conditioning_code(conditioning), numbers
        )
        quick = not self.states and not labels and reduction != "none"
        self.differentiate = self.plan.differentiate if quick else None  # value and new gradients in one call, where nothing is converted
        self.lock = threading.Lock()
        self.text = repr(
            (name, inputs, differentiable, kernels, estimator, reduction, conditioning, numbers, values_of, labels)
        )
        _OPERATIONS.setdefault(self.text, self)

    @classmethod
    def of_table(cls, name: str, reduction: str, numbers: Tuple[float, ...], conditioning: Any) -> "Operation":
        line = measures.TABLE[name]
        return cls(
            name, tuple(line.inputs), tuple(line.differentiable), (), None, reduction, conditioning, numbers, tuple(line.values_of),
            len(line.labels),
        )  # fmt: skip

    def _kernel_codes(self, name: str, kernels: Tuple[Any, ...]) -> List[dict]:
        codes = [_call.kernel_code(kernel, name) for kernel in kernels]
        if len(codes) > 1 and [code["family"] for code in codes] != [0, 0]:
            codes = [_call.kernel_code(kernel, name, radial_only=True) for kernel in kernels]
        for code in codes:
            if "bandwidth" in code:
                code["bandwidth"] = self._with_state(code["bandwidth"])
            if "terms" in code:
                code["terms"] = [(*term[:4], self._with_state(term[4])) for term in code["terms"]]
        return codes

    def _with_state(self, bandwidth: tuple) -> tuple:
        """A running average gets a state of this operation's: the module's buffer is written there before a call and read after it."""
        if len(bandwidth) < 4:
            return bandwidth
        self.states.append(core.RunningState())
        return (*bandwidth[:3], self.states[-1])

    def run(self, inputs: tuple, weights: Any, out: Optional[tuple], values: Any, running: Optional[Tensor], training: bool) -> float:
        if self.labels:
            labels = measures.class_labels(self.name, weights[: self.labels])
            return self.plan.run(inputs, None, out, values, 1.0, torch.get_num_threads(), False, labels)
        if not self.states:
            return self.plan.run(inputs, weights, out, values, 1.0, torch.get_num_threads(), False)
        assert running is not None
        with self.lock:
            for state, (value, updates) in zip(self.states, running.tolist()):
                state.value, state.updates, state.training = value, int(updates), training
            result = self.plan.run(inputs, weights, out, values, 1.0, torch.get_num_threads(), False)
            if training:
                running.copy_(torch.tensor([[state.value, state.updates] for state in self.states], dtype=torch.float64))
        return result


_OPERATIONS: dict = {}

_NO_WEIGHTS: Tuple[None, None] = (None, None)

# Looked up once: between a network's forward and its backward every name through a module is memory that has to be fetched again.
_grad_enabled, _compiling, _in_torch_func = torch.is_grad_enabled, torch.compiler.is_compiling, torch._C._are_functorch_transforms_active
_threads, _scalar = torch.get_num_threads, torch.scalar_tensor


def _operation(text: str) -> Operation:
    return _OPERATIONS[text]


@functools.lru_cache(maxsize=None)
def _warn_of_copies(device: str) -> None:
    warnings.warn(
        f"dalib_cpp: the tensors are on {device} and are copied to the CPU, where the loss is computed; this package was built without CUDA",
        stacklevel=5,
    )


def _dtype_of(tensors: Sequence[Tensor]) -> torch.dtype:
    dtype = tensors[0].dtype
    for one in tensors[1:]:
        if one.dtype != dtype:
            dtype = torch.promote_types(dtype, one.dtype)
    return dtype


def _ready(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x as the compiled module takes it."""
    if not x.is_cpu:
        _warn_of_copies(str(x.device))
        x = x.cpu()
    return (x if x.dtype == dtype else x.to(dtype)).resolve_neg()


def _compute(
    op: Operation, inputs: Tuple[Tensor, ...], weights: Sequence[Optional[Tensor]], running: Optional[Tensor], training: bool,
    wanted: Tuple[bool, ...],
) -> Tuple[Tensor, Sequence[Optional[Tensor]]]:  # fmt: skip
    """Value and the wanted gradients, in the dtypes and on the devices of the inputs."""
    if op.differentiate is not None and weights[0] is None and weights[1] is None:
        answer = op.differentiate(inputs, op.differentiable, wanted, _threads())
        if answer is not None:
            return _scalar(answer[0], dtype=inputs[0].dtype), answer[1:]
    common = _dtype_of(inputs)
    dtype = torch.float32 if common in _HALVES else common
    simple = True
    for one in inputs:
        simple = simple and one.is_cpu and one.dtype == dtype
    if simple:
        ready: Tuple[Tensor, ...] = inputs
        if dtype not in (torch.float32, torch.float64):
            raise TypeError(f"dalib_cpp: the tensors are {dtype}; give floating point ones")
    else:
        ready = tuple(_ready(one, dtype) for one in inputs)
    given: Any = None
    if op.labels:
        given = tuple(weights)
    elif weights[0] is not None or weights[1] is not None:
        given = tuple(None if w is None else _ready(w.detach(), dtype).contiguous() for w in weights)
    values = None
    if op.reduction == "none":
        values = torch.empty(sum(inputs[place].shape[0] for place in op.values_of), dtype=dtype)
    out = None
    if True in wanted:
        out = tuple([torch.empty(ready[place].shape, dtype=dtype) if want else None for place, want in zip(op.differentiable, wanted)])
    number = op.run(ready, given, out, values, running, training)
    value = values if values is not None else torch.scalar_tensor(number, dtype=dtype)
    found: List[Optional[Tensor]] = list(out) if out is not None else [None] * len(op.differentiable)
    if not simple:
        value = value.to(common).to(inputs[0].device)
        found = [None if g is None else g.to(inputs[place]) for g, place in zip(found, op.differentiable)]
    return value, found


def _scaled(op: Operation, upstream: Tensor, gradients: Sequence[Optional[Tensor]]) -> List[Optional[Tensor]]:
    """The gradients times the upstream one; with reduction "none" that is a number for each row."""
    if op.reduction != "none":
        return [None if g is None else g * upstream for g in gradients]  # a number: the dtype stays the gradient's
    result: List[Optional[Tensor]] = []
    for place, g in zip(op.differentiable, gradients):
        if g is None or place not in _rows_of(op):
            result.append(g)
            continue
        first = _rows_of(op)[place]
        part = upstream if first is None else upstream[: g.shape[0]] if first == 0 else upstream[-g.shape[0] :]
        result.append(g * part.to(g.dtype).unsqueeze(1))
    return result


def _rows_of(op: Operation) -> dict:
    """Where the values of an input's rows are: None: all; 0: the first ones; 1: the last ones."""
    if len(op.values_of) == 1:
        return {place: None for place in op.differentiable}
    return {place: which for which, place in enumerate(op.values_of)}


class Extra(NamedTuple):
    """What a call has besides the tensors that may want gradients."""

    operation: Operation
    weights: Tuple[Optional[Tensor], Optional[Tensor]]
    running: Optional[Tensor]
    training: bool
    wanted: Tuple[bool, ...]


class _Fused(torch.autograd.Function):
    """Value, and the gradients as further outputs: with setup_context, so that torch.func takes it."""

    @staticmethod
    def forward(extra: Extra, *inputs: Tensor) -> Any:
        value, found = _compute(extra.operation, inputs, extra.weights, extra.running, extra.training, extra.wanted)
        return (value, *found)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.extra = inputs[0]
        ctx.mark_non_differentiable(*(g for g in output[1:] if g is not None))
        ctx.save_for_backward(*output[1:], *inputs[1:])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, upstream: Optional[Tensor], *unused: Any) -> tuple:
        op = ctx.extra.operation
        result: List[Optional[Tensor]] = [None] * len(ctx.needs_input_grad)
        if upstream is None:
            return tuple(result)
        saved = ctx.saved_tensors
        count = len(op.differentiable)
        gradients, inputs = saved[:count], saved[count:]
        if torch.is_grad_enabled():
            gradients = _Refusing.apply(op, count, upstream, *gradients, *inputs)
        else:
            gradients = _scaled(op, upstream, gradients)
        for place, g in zip(op.differentiable, gradients):
            result[1 + place] = g
        return tuple(result)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, extra: Extra, *inputs: Tensor) -> Any:
        return _looped(info, in_dims[1:], inputs, lambda parts: _Fused.apply(extra, *parts))


class _Direct(torch.autograd.Function):
    """The same without setup_context, which costs 35 us a call: what runs outside torch.func.

    The first backward scales the gradients in their place and gives them away; another one, of a graph that was retained, finds them again.
    The usual way, a number of float tensors without weights, has few steps: each costs three times as much between a network's passes.
    """

    @staticmethod
    def forward(ctx: Any, extra: tuple, *inputs: Tensor) -> Tensor:
        op, weights, running, training, wanted = ctx.extra = extra  # the members of Extra
        ctx.save_for_backward(*inputs)
        if op.differentiate is not None and weights is _NO_WEIGHTS:
            answer = op.differentiate(inputs, op.differentiable, wanted, _threads())
            if answer is not None:
                ctx.gradients = answer[1:]
                return _scalar(answer[0], dtype=inputs[0].dtype)
        value, ctx.gradients = _compute(op, inputs, weights, running, training, wanted)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple:  # type: ignore[override]
        gradients, ctx.gradients = ctx.gradients, None
        op, weights, running, _, wanted = ctx.extra
        if gradients is None:
            _, gradients = _compute(op, ctx.saved_tensors, weights, running, False, wanted)
        if _grad_enabled():
            gradients = _Refusing.apply(op, len(gradients), upstream, *gradients, *ctx.saved_tensors)
        elif op.reduction == "none":
            gradients = _scaled(op, upstream, gradients)
        else:
            factor = upstream.item()
            if factor != 1.0:  # of a sum of losses it is 1: two passes over the gradients less
                for g in gradients:
                    if g is not None:
                        g.mul_(factor)
        if op.all_differentiable:
            return (None, *gradients)
        result: List[Optional[Tensor]] = [None] * len(ctx.needs_input_grad)
        for place, g in zip(op.differentiable, gradients):
            result[1 + place] = g
        return tuple(result)


class _Refusing(torch.autograd.Function):
    """The backward with a graph: its own backward raises."""

    @staticmethod
    def forward(op: Operation, count: int, upstream: Tensor, *tensors: Optional[Tensor]) -> Any:
        return tuple(_scaled(op, upstream, tensors[:count]))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        raise RuntimeError(_SECOND)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, op: Operation, count: int, *tensors: Any) -> Any:
        return _looped(info, in_dims[2:], tensors, lambda parts: _Refusing.apply(op, count, *parts))


def _looped(info: Any, in_dims: Sequence[Optional[int]], tensors: Sequence[Any], call: Callable[[tuple], tuple]) -> Any:
    """One call for each element of the batch."""
    results = []
    for place in range(info.batch_size):
        results.append(call(tuple(t if d is None or t is None else t.select(d, place) for t, d in zip(tensors, in_dims))))
    stacked = tuple(None if part[0] is None else torch.stack(part) for part in zip(*results))
    return stacked, tuple(None if part is None else 0 for part in stacked)


def _flags(mask: int, op: Operation) -> Tuple[bool, ...]:
    """Which gradients are wanted: operators take numbers, not lists of bool, beside their tensors."""
    return tuple([bool(mask >> place & 1) for place in range(len(op.differentiable))])


@torch.library.custom_op("dalib_cpp::measure", mutates_args=())
def _measure_op(
    inputs: List[Tensor], weights: List[Tensor], sides: int, running: List[Tensor], training: bool, wanted: int, text: str
) -> List[Tensor]:
    op = _operation(text)
    given = iter(weights)
    both = [next(given) if sides >> side & 1 else None for side in range(2)]
    state = running[0].clone() if running else None  # an operator with an autograd formula must not write to its inputs
    value, found = _compute(op, tuple(t.detach() for t in inputs), both, state, training, _flags(wanted, op))
    nothing = value.new_empty(0)
    return [value, *(nothing.clone() if g is None else g for g in found), nothing if state is None else state]


@_measure_op.register_fake
def _(
    inputs: List[Tensor], weights: List[Tensor], sides: int, running: List[Tensor], training: bool, wanted: int, text: str
) -> List[Tensor]:
    op = _operation(text)
    shape = [sum(inputs[place].shape[0] for place in op.values_of)] if op.reduction == "none" else []
    value = inputs[0].new_empty(shape, dtype=_dtype_of(inputs))
    return [value, *(
        torch.empty(inputs[place].shape, dtype=inputs[place].dtype, device=inputs[place].device) if want else value.new_empty(0)
        for place, want in zip(op.differentiable, _flags(wanted, op))
    ), torch.empty_like(running[0]) if running else value.new_empty(0)]  # fmt: skip


def _setup_measure(ctx: Any, inputs: tuple, output: List[Tensor]) -> None:
    ctx.text, ctx.wanted, ctx.counts = inputs[6], _flags(inputs[5], _operation(inputs[6])), (len(inputs[0]), len(inputs[1]), len(inputs[3]))
    ctx.save_for_backward(*output[1:-1])


def _measure_backward(ctx: Any, upstream: List[Tensor]) -> tuple:
    op = _operation(ctx.text)
    gradients = [g if want else None for g, want in zip(ctx.saved_tensors, ctx.wanted)]
    result: List[Optional[Tensor]] = [None] * ctx.counts[0]
    for place, g in zip(op.differentiable, _scaled(op, upstream[0], gradients)):
        result[place] = g
    return result, [None] * ctx.counts[1], None, [None] * ctx.counts[2], None, None, None


_measure_op.register_autograd(_measure_backward, setup_context=_setup_measure)


def evaluate(
    op: Operation, inputs: Tuple[Tensor, ...], weights: Tuple[Optional[Tensor], Optional[Tensor]], running: Optional[Tensor], training: bool
) -> Tensor:
    """The loss of these inputs, on whatever is recording."""
    if not _grad_enabled():
        wanted = (False,) * len(op.differentiable)
    elif op.all_differentiable:
        wanted = tuple([one.requires_grad for one in inputs])
    else:
        wanted = tuple([inputs[place].requires_grad for place in op.differentiable])
    if _compiling():
        given = [w for w in weights if w is not None]
        sides = sum(1 << side for side, w in enumerate(weights) if w is not None)
        mask = sum(1 << place for place, want in enumerate(wanted) if want)
        found = _measure_op(list(inputs), given, sides, [] if running is None else [running], training, mask, op.text)
        if running is not None and training:
            running.copy_(found[-1].detach())
        return found[0]
    if _in_torch_func():
        return _Fused.apply(Extra(op, weights, running, training, wanted), *inputs)[0]
    if True not in wanted:
        return _compute(op, inputs, weights, running, training, wanted)[0]
    return _Direct.apply((op, weights, running, training, wanted), *inputs)

