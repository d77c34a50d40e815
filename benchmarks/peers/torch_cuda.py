"""The MMD in PyTorch on the GPU: the formulations of torch_mmd.py, on tensors that are there, in the precision that a task names."""
import gc

import torch

from peers.inputs import two_samples
from peers.torch_forms import compiled
from peers.torch_mmd import matrices, mmd, mmd_with_gradient

DEVICE = "cuda"
MATMUL_PRECISION = {"full": "highest", "tf32": "high"}


def versions():
    return {"torch": torch.__version__, "torch_cuda": torch.version.cuda, "torch_gpu": torch.cuda.get_device_name()}


def available_bytes():
    """Free memory of the GPU, once what PyTorch keeps for later is given back."""
    torch.cuda.set_per_process_memory_fraction(0.8)  # a form that fails keeps what it took: the rest is ours
    gc.collect()
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info()[0]


def peak_growth(run):
    """The most memory that tensors took during a run, beyond what was there before and the outputs that it returns."""
    available_bytes()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    _, outputs = run()
    return torch.cuda.max_memory_allocated() - before - sum(one.nbytes for one in outputs)


def finished(task, function):
    """A run of `function` that ends when the GPU has finished, in the task's precision."""

    def run():
        torch.set_float32_matmul_precision(MATMUL_PRECISION[task.precision])
        result = function()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return result

    return run


def by_autograd(wrap):
    def build(task):
        function = wrap(mmd)
        tensors = [torch.from_numpy(one).to(DEVICE).requires_grad_(task.gradient) for one in two_samples(task)]

        def value_only():
            with torch.no_grad():
                return function(*tensors), ()

        def value_and_gradient():
            value = function(*tensors)
            return value.detach(), torch.autograd.grad(value, tensors)

        return finished(task, value_and_gradient if task.gradient else value_only)

    return build


def by_hand(wrap):
    def build(task):
        function = wrap(mmd_with_gradient)
        tensors = [torch.from_numpy(one).to(DEVICE) for one in two_samples(task)]

        def value_and_gradient():
            with torch.no_grad():
                return function(*tensors)

        return finished(task, value_and_gradient)

    return build


# What they need at the least; a run that finds less memory ends with an error, which is its row.
FORMS = {
    ("mmd", "eager"): (by_autograd(lambda f: f), matrices(10, 4)),
    ("mmd", "eager_direct"): (by_hand(lambda f: f), matrices(4, 4)),
    ("mmd", "compiled"): (by_autograd(compiled), matrices(3, 2)),
    ("mmd", "compiled_direct"): (by_hand(compiled), matrices(3, 3)),
}
