"""MMD and joint MMD in KeOps: symbolic kernel matrices that are never stored.

The distance stands once in the formula, with the five rates as a vector: KeOps would compute a repeated part again. Sums within a domain
are differentiated on one side only and doubled, which their symmetry allows.
"""
import pykeops
import torch
from pykeops.torch import Pm, Vi, Vj

from peers.inputs import two_layers, two_samples
from peers.torch_forms import by_autograd
from peers.torch_mmd import JOINT_RATE, coefficients

pykeops.set_verbose(False)


def versions():
    return {"pykeops": pykeops.__version__, "torch": torch.__version__}


def ladder_rates(z_s, z_t):
    """1 / (2 alpha mean) for the five alphas."""
    joint = torch.cat([z_s, z_t]).detach()
    mean = 2 * ((joint - joint.mean(0)) ** 2).sum(1).mean()
    return 1 / (2 * mean * torch.tensor([0.125, 0.25, 0.5, 1, 2], dtype=joint.dtype))


def ladder(x, y, rates):
    return (-(Vi(x).sqdist(Vj(y)) * Pm(rates))).exp().sum(-1)


def within(kernel, x):
    """Sum of the symmetric kernel(x, x): its gradient is twice that of the first argument."""
    one_sided = kernel(x, [part.detach() for part in x]).sum(dim=1).sum()
    return 2 * one_sided - one_sided.detach()


def unbiased(kernel, source, target, at_zero):
    n_s, n_t = len(source[0]), len(target[0])
    within_s, within_t, across = coefficients(n_s, n_t)
    pairs_s, pairs_t = within(kernel, source) - n_s * at_zero, within(kernel, target) - n_t * at_zero
    return within_s * pairs_s + within_t * pairs_t + 2 * across * kernel(source, target).sum(dim=1).sum()


def mmd(z_s, z_t):
    rates = ladder_rates(z_s, z_t)
    return unbiased(lambda x, y: ladder(x[0], y[0], rates), [z_s], [z_t], 5)


def joint_mmd(f_s, p_s, f_t, p_t):
    rates = ladder_rates(f_s, f_t)

    def kernel(x, y):
        return ladder(x[0], y[0], rates) * (-(Vi(x[1]).sqdist(Vj(y[1])) * JOINT_RATE)).exp()

    return unbiased(kernel, [f_s, p_s], [f_t, p_t], 5)


def row_bytes(task):
    return 16 * (task.n_s + task.n_t) * task.features * task.item_bytes


FORMS = {
    ("mmd", "keops"): (lambda task: by_autograd(mmd, two_samples(task), (0, 1), task.gradient), row_bytes),
    ("joint_mmd", "keops"): (lambda task: by_autograd(joint_mmd, two_layers(task), (0, 2, 1, 3), task.gradient), row_bytes),
}
