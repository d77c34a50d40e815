"""MMD, joint MMD and the linear-time estimator in PyTorch: DALIB's formulation, and the best ones that we could write.

Unbiased estimator, five Gaussians of 2^-3 .. 2^1 times the mean squared distance (detached).
"""
import torch

from peers.inputs import two_layers, two_samples
from peers.torch_forms import block_sums, by_autograd, compiled, direct, versions  # noqa: F401 (the worker asks for versions)

TERMS = 5
WIDEST_ALPHA = 2.0
JOINT_RATE = 1 / (2 * 0.92**2)


def coefficients(n_s, n_t):
    return 1 / (n_s * (n_s - 1)), 1 / (n_t * (n_t - 1)), -1 / (n_s * n_t)


# DALIB's formulation: every kernel makes the (2n)^2 x F tensor of differences again, and autograd keeps what its backward needs.
def dalib_squared_distances(z):
    return ((z.unsqueeze(0) - z.unsqueeze(1)) ** 2).sum(2)


def dalib_ladder(z):
    total = 0
    for k in range(-3, 2):
        d = dalib_squared_distances(z)
        total = total + torch.exp(-d / (2 * 2.0**k * d.detach().mean()))
    return total


def dalib_index(n):
    """DALIB's matrix of coefficients; it keeps it between calls. Its constant 2/(n-1) is left out: it is no part of the estimator."""
    inside, _, across = coefficients(n, n)
    index = torch.full((2 * n, 2 * n), across)
    index[:n, :n] = index[n:, n:] = inside
    return index.fill_diagonal_(0)


def dalib_mmd(index):
    return lambda z_s, z_t: (dalib_ladder(torch.cat([z_s, z_t])) * index).sum()


def dalib_joint(index):
    def loss(f_s, p_s, f_t, p_t):
        second = torch.exp(-dalib_squared_distances(torch.cat([p_s, p_t])) * JOINT_RATE)
        return (dalib_ladder(torch.cat([f_s, f_t])) * second * index).sum()

    return loss


# Matrix-product form: |x|^2 + |y|^2 - 2 x.y of centred rows, the mean distance in closed form, one exponential for all five Gaussians.
def squared_distances(z):
    z = z - z.mean(0).detach()
    norms = (z * z).sum(1)
    return (norms[:, None] + norms - 2 * (z @ z.T)).clamp_min(0), 2 * norms.detach().mean()


def ladder(d, mean):
    power = torch.exp(d * (-1 / (2 * WIDEST_ALPHA * mean)))
    total = power
    for _ in range(TERMS - 1):
        power = power * power
        total = total + power
    return total


def unbiased(k, n_s, n_t):
    within_s, within_t, across = coefficients(n_s, n_t)
    s, t, st = block_sums(k, n_s)
    diagonal = k.diagonal()
    return within_s * (s - diagonal[:n_s].sum()) + within_t * (t - diagonal[n_s:].sum()) + 2 * across * st


def mmd(z_s, z_t):
    return unbiased(ladder(*squared_distances(torch.cat([z_s, z_t]))), len(z_s), len(z_t))


def joint_mmd(f_s, p_s, f_t, p_t):
    second, _ = squared_distances(torch.cat([p_s, p_t]))
    k = ladder(*squared_distances(torch.cat([f_s, f_t]))) * torch.exp(second * -JOINT_RATE)
    return unbiased(k, len(f_s), len(f_t))


# The same with the gradient written by hand, so that autograd keeps nothing: two matrix products in all.
def mmd_with_gradient(z_s, z_t):
    n_s, n_t = len(z_s), len(z_t)
    z = torch.cat([z_s, z_t])
    z -= z.mean(0)
    norms = (z * z).sum(1)
    d = torch.addmm(norms, z, z.T, alpha=-2).add_(norms[:, None]).clamp_min_(0)
    rate = 1 / (2 * WIDEST_ALPHA * 2 * norms.mean())
    power = d.mul_(-rate).exp_()
    k, slope = power.clone(), power * -rate
    for _ in range(TERMS - 1):
        rate = rate * 2
        power.mul_(power)
        k += power
        slope -= power * rate
    value = unbiased(k, n_s, n_t)
    within_s, within_t, across = coefficients(n_s, n_t)
    slope[:n_s, :n_s] *= within_s
    slope[n_s:, n_s:] *= within_t
    slope[:n_s, n_s:] *= across
    slope[n_s:, :n_s] *= across
    gradient = torch.addmm(slope.sum(1, keepdim=True) * z, slope, z, alpha=-1).mul_(4)
    return value, (gradient[:n_s].contiguous(), gradient[n_s:].contiguous())


def linear_time(z_s, z_t):
    count = min(len(z_s), len(z_t)) // 2
    s, t = z_s[: 2 * count], z_t[: 2 * count]
    joint = torch.cat([z_s, z_t]).detach()
    mean = 2 * ((joint - joint.mean(0)) ** 2).sum(1).mean()

    def k(x, y):
        return ladder(((x - y) ** 2).sum(1), mean)

    return (k(s[::2], s[1::2]) + k(t[::2], t[1::2]) - k(s[::2], t[1::2]) - k(s[1::2], t[::2])).mean()


def without_index(function):
    return lambda task: function


def of_task(make, samples, wanted):
    """The builder of a form: make(task) is the function, wanted the inputs that get gradients."""
    return lambda task: by_autograd(make(task), samples(task), wanted, task.gradient)


def direct_or_value(wrap):
    def build(task):
        if task.gradient:
            return direct(wrap(mmd_with_gradient), two_samples(task))
        return by_autograd(wrap(mmd), two_samples(task), (), False)

    return build


def with_index(make):
    return lambda task: make(dalib_index(task.n_s).to(torch.float32 if task.dtype == "float32" else torch.float64))


def broadcast_bytes(task):
    """Differences of every kernel are kept for backward; two more such tensors live at the same time."""
    return task.joint_matrix_bytes * task.features * (TERMS + 2 if task.gradient else 2)


def matrices(with_gradient, value_only):
    return lambda task: task.joint_matrix_bytes * (with_gradient if task.gradient else value_only)


def rows(copies):
    return lambda task: (task.n_s + task.n_t) * task.features * task.item_bytes * copies


LAYER_GRADIENTS = (0, 2, 1, 3)  # in the order of our outputs: f_s, f_t, p_s, p_t
FORMS = {
    ("mmd", "dalib"): (of_task(with_index(dalib_mmd), two_samples, (0, 1)), broadcast_bytes),
    ("mmd", "eager"): (of_task(without_index(mmd), two_samples, (0, 1)), matrices(12, 5)),
    ("mmd", "compiled"): (of_task(without_index(compiled(mmd)), two_samples, (0, 1)), matrices(6, 3)),
    ("mmd", "eager_direct"): (direct_or_value(lambda f: f), matrices(5, 5)),
    ("mmd", "compiled_direct"): (direct_or_value(compiled), matrices(5, 3)),
    ("joint_mmd", "dalib"): (of_task(with_index(dalib_joint), two_layers, LAYER_GRADIENTS), broadcast_bytes),
    ("joint_mmd", "eager"): (of_task(without_index(joint_mmd), two_layers, LAYER_GRADIENTS), matrices(17, 7)),
    ("joint_mmd", "compiled"): (of_task(without_index(compiled(joint_mmd)), two_layers, LAYER_GRADIENTS), matrices(9, 4)),
    ("linear_time", "eager"): (of_task(without_index(linear_time), two_samples, (0, 1)), rows(8)),
    ("linear_time", "compiled"): (of_task(without_index(compiled(linear_time)), two_samples, (0, 1)), rows(6)),
}
