"""How CDAN's maps of features and class logits join PyTorch's autograd, as a measure does in _autograd."""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Tuple

import torch
from torch import Tensor

from ._autograd import _HALVES, _SECOND, _dtype_of, _ready


class Pull(NamedTuple):
    """A map of features and class logits, and its pull-back."""

    forward: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor, Tuple[bool, bool]], Tuple[Any, Any]]
    columns: Callable[[int, int], int]


class _Mapped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pull: Pull, f: Tensor, g: Tensor) -> Tensor:
        common = _dtype_of((f, g))
        dtype = torch.float32 if common in _HALVES else common
        ctx.pull, ctx.dtype = pull, dtype
        ctx.save_for_backward(f, g)
        return pull.forward(_ready(f, dtype), _ready(g, dtype)).to(common).to(f.device)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple:
        f, g = ctx.saved_tensors
        return (None, *_PulledBack.apply(ctx.pull, ctx.dtype, ctx.needs_input_grad[1:], upstream, f, g))


class _PulledBack(torch.autograd.Function):
    """The pull-back; its own backward raises."""

    @staticmethod
    def forward(ctx: Any, pull: Pull, dtype: torch.dtype, wanted: tuple, upstream: Tensor, f: Tensor, g: Tensor) -> tuple:
        found = pull.backward(_ready(f, dtype), _ready(g, dtype), _ready(upstream, dtype), wanted)
        return tuple(None if one is None else one.to(of) for one, of in zip(found, (f, g)))

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        raise RuntimeError(_SECOND)


@torch.library.custom_op("dalib_cpp::multilinear_map", mutates_args=())
def _map_op(f: Tensor, g: Tensor) -> Tensor:
    return _Mapped.apply(_multilinear(), f.detach(), g.detach())


@_map_op.register_fake
def _(f: Tensor, g: Tensor) -> Tensor:
    return f.new_empty((f.shape[0], f.shape[1] * g.shape[1]), dtype=_dtype_of((f, g)))


@torch.library.custom_op("dalib_cpp::multilinear_map_pull", mutates_args=())
def _pull_op(upstream: Tensor, f: Tensor, g: Tensor, to_f: bool, to_g: bool) -> List[Tensor]:
    dtype = torch.float32 if f.dtype in _HALVES else f.dtype
    found = _PulledBack.apply(_multilinear(), dtype, (to_f, to_g), upstream.detach(), f.detach(), g.detach())
    return [f.new_empty(0) if one is None else one for one in found]


@_pull_op.register_fake
def _(upstream: Tensor, f: Tensor, g: Tensor, to_f: bool, to_g: bool) -> List[Tensor]:
    return [
        torch.empty(x.shape, dtype=x.dtype, device=x.device) if want else f.new_empty(0) for x, want in ((f, to_f), (g, to_g))
    ]  # fmt: skip


def _setup_map(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _map_backward(ctx: Any, upstream: Tensor) -> tuple:
    f, g = ctx.saved_tensors
    to_f, to_g = ctx.needs_input_grad
    found = _pull_op(upstream, f, g, to_f, to_g)
    return (found[0] if to_f else None), (found[1] if to_g else None)


_map_op.register_autograd(_map_backward, setup_context=_setup_map)


def _multilinear() -> Pull:
    from . import torch as modules

    return modules._MULTILINEAR


def pulled(pull: Pull, f: Tensor, g: Tensor) -> Tensor:
    """The map's answer, on whatever is recording."""
    if torch.compiler.is_compiling():
        return _map_op(f, g)
    return _Mapped.apply(pull, f, g)
