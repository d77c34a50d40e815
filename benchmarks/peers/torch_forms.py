"""What the PyTorch formulations share: from a function of tensors to something that worker.py can run."""
import os

import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


def versions():
    return {"torch": torch.__version__, "torch_threads": torch.get_num_threads()}


def compiled(function):
    return torch.compile(function, fullgraph=True, dynamic=False)


def by_autograd(function, inputs, wanted, gradient):
    """A run of function(*inputs) -> value; with `gradient` also of autograd, for the inputs numbered in `wanted`."""
    tensors = [torch.from_numpy(one) for one in inputs]

    def value_only():
        with torch.no_grad():
            return function(*tensors), ()

    def value_and_gradient():
        value = function(*tensors)
        return value.detach(), [one.numpy() for one in torch.autograd.grad(value, leaves)]

    if not gradient:
        return value_only
    leaves = [tensors[k].requires_grad_() for k in wanted]
    return value_and_gradient


def direct(function, inputs):
    """A run of function(*inputs) -> (value, gradients), which needs no autograd."""
    tensors = [torch.from_numpy(one) for one in inputs]

    def run():
        with torch.no_grad():
            value, gradients = function(*tensors)
        return value, [one.numpy() for one in gradients]

    return run


def block_sums(matrix, n_s):
    """Sums over the source-source, target-target and source-target pairs of a joint matrix."""
    return matrix[:n_s, :n_s].sum(), matrix[n_s:, n_s:].sum(), matrix[:n_s, n_s:].sum()
