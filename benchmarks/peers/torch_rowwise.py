"""The row-wise losses in PyTorch, op by op: as DALIB writes them, and the best forms that we could write."""
import torch
import torch.nn.functional as F

from peers.inputs import draw, logits
from peers.torch_forms import by_autograd, compiled, versions  # noqa: F401 (the worker asks for versions)

MARGIN = 4


def dalib_domain_adversarial(l_s, l_t):
    d_s, d_t = torch.sigmoid(l_s), torch.sigmoid(l_t)
    return 0.5 * (F.binary_cross_entropy(d_s, torch.ones_like(d_s)) + F.binary_cross_entropy(d_t, torch.zeros_like(d_t)))


def domain_adversarial(l_s, l_t):
    return 0.5 * (F.softplus(-l_s).mean() + F.softplus(l_t).mean())


def dalib_margin_disparity(y_s, a_s, y_t, a_t):
    shifted_log = torch.log(torch.clamp(1 - F.softmax(a_t, dim=1) + 1e-6, max=1.0))
    return MARGIN * F.cross_entropy(a_s, y_s.argmax(1)) + F.nll_loss(shifted_log, y_t.argmax(1))


def margin_disparity(y_s, a_s, y_t, a_t):
    k = y_t.argmax(1, keepdim=True)
    others = a_t.scatter(1, k, float("-inf")).logsumexp(1, keepdim=True)
    return MARGIN * F.cross_entropy(a_s, y_s.argmax(1)) + F.softplus(a_t.gather(1, k) - others).mean()


def classifier_discrepancy(first, second):
    return (F.softmax(first, dim=1) - F.softmax(second, dim=1)).abs().mean()


def dalib_multilinear_map(f, g):
    p = F.softmax(g, dim=1)
    return torch.bmm(p.unsqueeze(2), f.unsqueeze(1)).view(len(f), -1)


def multilinear_map(f, g):
    return (F.softmax(g, dim=1).unsqueeze(2) * f.unsqueeze(1)).flatten(1)


def loss(function, samples, wanted):
    return lambda task: by_autograd(function, samples(task), wanted, task.gradient)


def mapped(function):
    """The map has no value: its outputs are h, and with `gradient` the pull-back of an upstream gradient to f and g."""

    def build(task):
        f = torch.from_numpy(draw(task.n_s, task.features, task.dtype, 1))
        g = torch.from_numpy(draw(task.n_s, task.classes, task.dtype, 2, 2))

        def forward():
            with torch.no_grad():
                return 0.0, [function(f, g).numpy()]

        def forward_and_backward():
            h = function(f, g)
            return 0.0, [h.detach().numpy(), *(one.numpy() for one in torch.autograd.grad(h, (f, g), upstream))]

        if not task.gradient:
            return forward
        upstream = torch.from_numpy(draw(task.n_s, task.features * task.classes, task.dtype, 3))
        f.requires_grad_()
        g.requires_grad_()
        return forward_and_backward

    return build


def domain_logits(task):
    return logits(task, 1, (1, task.n_s), (2, task.n_t))


def classifier_logits(task):
    return logits(task, task.classes, (1, task.n_s), (2, task.n_s))


def margin_logits(task):
    return logits(task, task.classes, (1, task.n_s), (2, task.n_s), (3, task.n_t), (4, task.n_t))


def row_bytes(task):
    return 16 * (task.n_s + task.n_t) * max(task.classes, 1) * task.item_bytes


def map_bytes(task):
    return 6 * task.n_s * task.features * task.classes * task.item_bytes


def forms(measure, samples, wanted, dalib, best):
    return {
        (measure, "dalib"): (loss(dalib, samples, wanted), row_bytes),
        (measure, "eager"): (loss(best, samples, wanted), row_bytes),
        (measure, "compiled"): (loss(compiled(best), samples, wanted), row_bytes),
    }


FORMS = {
    **forms("domain_adversarial", domain_logits, (0, 1), dalib_domain_adversarial, domain_adversarial),
    **forms("margin_disparity", margin_logits, (1, 3), dalib_margin_disparity, margin_disparity),
    **forms("classifier_discrepancy", classifier_logits, (0, 1), classifier_discrepancy, classifier_discrepancy),
    ("multilinear_map", "dalib"): (mapped(dalib_multilinear_map), map_bytes),
    ("multilinear_map", "eager"): (mapped(multilinear_map), map_bytes),
    ("multilinear_map", "compiled"): (mapped(compiled(multilinear_map)), map_bytes),
}
del FORMS["classifier_discrepancy", "dalib"]  # the same operations as the eager form
