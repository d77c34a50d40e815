"""dalib_cpp.torch: gradients, second derivatives, torch.compile, dtypes, modules' state."""

import copy
import pickle
import warnings

import dalib_cpp as da
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import dalib_cpp.torch as dt  # noqa: E402

K, B = da.kernel, da.bandwidth


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


LOSSES = {
    "mmd": (lambda: dt.MMDLoss(K.gaussian(1.5) + 0.5 * K.laplacian(2.0)), lambda: [double(7, 3), double(5, 3)]),
    "mmd linear": (lambda: dt.MMDLoss(K.linear()), lambda: [double(7, 3), double(5, 3)]),
    "classifier": (lambda: dt.MCDLoss(), lambda: [double(6, 4), double(6, 4)]),
    "classifier none": (lambda: dt.MCDLoss("none"), lambda: [double(6, 4), double(6, 4)]),
    "class balance": (lambda: dt.ClassBalanceLoss(), lambda: [double(6, 4)]),
    "disparity": (lambda: dt.MDDLoss(3.0), lambda: [double(6, 4).detach(), double(6, 4), double(5, 4).detach(), double(5, 4)]),
    "disparity none": (lambda: dt.MDDLoss(3.0, "none"), lambda: [double(6, 4).detach(), double(6, 4), double(5, 4).detach(), double(5, 4)]),
    "adversarial": (lambda: dt.DomainAdversarialCriterion(), lambda: [double(6, 1), double(5, 1)]),
    "adversarial none": (lambda: dt.DomainAdversarialCriterion("none"), lambda: [double(6, 1), double(5, 1)]),
    "adversarial sum": (lambda: dt.DomainAdversarialCriterion("sum"), lambda: [double(6, 1), double(5, 1)]),
    "conditional": (lambda: dt.ConditionalDomainAdversarialCriterion(), lambda: [double(6, 1), double(5, 1), double(6, 4).detach(), double(5, 4).detach()]),
    "conditional entropy": (
        lambda: dt.ConditionalDomainAdversarialCriterion(da.conditioning.joint_entropy()),
        lambda: [double(6, 1), double(5, 1), double(6, 4).detach(), double(5, 4).detach()],
    ),
    "coral": (lambda: dt.MeasureLoss("coral"), lambda: [double(6, 3), double(5, 3)]),
    "entropy": (lambda: dt.MeasureLoss("tsallis_entropy", alpha=1.5), lambda: [double(6, 4)]),
    "local mmd": (
        lambda: dt.MeasureLoss("local_mmd", fixed_scale=2.0),
        lambda: [double(6, 3), double(5, 3), torch.full((5, 2), 0.5, dtype=torch.float64), torch.arange(6) % 2],
    ),
    "distillation none": (lambda: dt.MeasureLoss("distillation", "none", temperature=2.0), lambda: [double(6, 4), double(6, 4).detach()]),
    "symmetric": (lambda: dt.MeasureLoss("symmetric_entropy"), lambda: [double(6, 4), double(6, 4)]),
    "weighted adversarial": (lambda: dt.MeasureLoss("weighted_domain_adversarial"), lambda: [double(6, 1), double(5, 1), double(6).detach().abs()]),
    "weighted cross-entropy": (
        lambda: dt.MeasureLoss("weighted_cross_entropy", smoothing=0.1, temperature=2.0),
        lambda: [double(6, 3), double(6).detach().abs(), torch.arange(6) % 3],
    ),
    "transport of a coupling": (
        lambda: dt.MeasureLoss("joint_distribution_transport", features=0.5),
        lambda: [double(4, 3), double(5, 3), double(5, 2), torch.full((4, 5), 0.05, dtype=torch.float64), torch.arange(4) % 2],
    ),
    "map": (lambda: dt.MultilinearMap(), lambda: [double(6, 3), double(6, 4)]),
    "randomised map": (lambda: dt.RandomisedMultilinearMap(3, 4, 5).double(), lambda: [double(6, 3), double(6, 4)]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck(name):
    make, inputs = LOSSES[name]
    loss = make()
    assert torch.autograd.gradcheck(loss, inputs(), atol=1e-7, nondet_tol=0)


def test_gradcheck_joint():
    loss = dt.JointMMDLoss((K.gaussian(1.5), K.gaussian(0.92)))
    assert torch.autograd.gradcheck(lambda a, b, c, d: loss((a, b), (c, d)), [double(6, 3), double(6, 2), double(5, 3), double(5, 2)])


def test_value_is_that_of_the_function():
    x, y = double(9, 3), double(8, 3)
    assert dt.MMDLoss()(x, y).item() == da.mmd(x.detach().numpy(), y.detach().numpy())
    value, gx, gy = da.mmd(x, y, gradient=True)
    assert isinstance(gx, torch.Tensor)
    dt.mmd(x, y).backward()
    assert torch.equal(x.grad, gx) and torch.equal(y.grad, gy)


def test_weighted_mmd():
    x, y = double(8, 3), double(8, 3)
    loss = dt.WeightedMMDLoss(estimator=da.estimator.compat_nonlinear())
    value = loss(x, y)
    value.backward()
    want = da.weighted_mmd(x.detach(), y.detach(), estimator=da.estimator.compat_nonlinear(), gradient=True)
    assert value.item() == want[0] and torch.equal(x.grad, want[1]) and torch.equal(y.grad, want[2])
    assert "gaussian_ladder" in repr(loss)


def test_measure_loss():
    loss = dt.MeasureLoss("central_moment_discrepancy", orders=3)
    assert "orders=3.0" in repr(loss)
    again = pickle.loads(pickle.dumps(loss))
    x, y = torch.rand(7, 3), torch.rand(5, 3)
    assert again(x, y) == loss(x, y) == pytest.approx(da.central_moment_discrepancy(x, y, orders=3), rel=1e-6)
    logits = torch.randn(6, requires_grad=True)
    dt.MeasureLoss("domain_label", label=0.0)(logits).backward()
    assert logits.grad.shape == (6,) and logits.grad.abs().sum() > 0
    for wrong in (lambda: dt.MeasureLoss("no such"), lambda: dt.MeasureLoss("coral", "none")):
        with pytest.raises(ValueError, match="MeasureLoss"):
            wrong()
    for wrong in (lambda: dt.MeasureLoss("coral", order=2), lambda: dt.MeasureLoss("coral")(x)):
        with pytest.raises(TypeError, match="MeasureLoss"):
            wrong()


def test_only_the_wanted_sides():
    x, y = double(9, 3), double(8, 3).detach()
    dt.MMDLoss()(x, y).backward()
    assert y.grad is None and x.grad.abs().sum() > 0
    assert not dt.MMDLoss()(x.detach(), y).requires_grad
    with torch.no_grad():
        assert not dt.MMDLoss()(x, y).requires_grad


def test_upstream():
    x, y = double(9, 3), double(8, 3)
    (g,) = torch.autograd.grad(dt.MMDLoss()(x, y), x)
    (h,) = torch.autograd.grad(-3 * dt.MMDLoss()(x, y), x)
    torch.testing.assert_close(h, -3 * g)


@pytest.mark.parametrize("name", ["mmd", "classifier none", "disparity"])
def test_a_retained_graph(name):
    make, inputs = LOSSES[name]
    values = inputs()
    wanted = [v for v in values if v.requires_grad]
    total = 3 * make()(*values).sum()
    first = [g.clone() for g in torch.autograd.grad(total, wanted, retain_graph=True)]
    kept = torch.autograd.grad(total, wanted, retain_graph=True)
    torch.autograd.grad(-total, wanted)
    assert all(torch.equal(a, b) for a, b in zip(first, kept))


def test_a_retained_graph_of_a_running_bandwidth():
    loss, x, y = running_loss(), torch.randn(9, 3, requires_grad=True), torch.randn(8, 3)
    loss(2 * x.detach(), y)
    total = loss(x, y)
    first, second = (torch.autograd.grad(total, x, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second) and loss.running[0, 1] == 2


@pytest.mark.parametrize("name", ["mmd", "classifier", "disparity", "conditional", "map"])
def test_second_derivatives_raise(name):
    make, inputs = LOSSES[name]
    values = inputs()
    wanted = [v for v in values if v.requires_grad]
    gradients = torch.autograd.grad(make()(*values).sum(), wanted, create_graph=True)
    plain = torch.autograd.grad(make()(*values).sum(), wanted)
    assert all(torch.equal(a, b) for a, b in zip(gradients, plain))
    with pytest.raises(RuntimeError, match="second derivatives are not available"):
        torch.autograd.grad(sum((g**2).sum() for g in gradients), wanted)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_halves(dtype):
    x, y = torch.randn(9, 3, dtype=dtype, requires_grad=True), torch.randn(8, 3, dtype=dtype)
    value = dt.MMDLoss()(x, y)
    assert value.dtype == dtype
    value.backward()
    assert x.grad.dtype == dtype
    z = x.detach().float().requires_grad_()
    want = dt.MMDLoss()(z, y.float())
    want.backward()
    assert value.item() == want.to(dtype).item() and torch.equal(x.grad, z.grad.to(dtype))


def test_mixed_dtypes_and_autocast():
    x, y = torch.randn(9, 3, dtype=torch.bfloat16), torch.randn(8, 3)
    assert dt.MMDLoss()(x, y).dtype == torch.float32
    layer = torch.nn.Linear(3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        value = dt.MMDLoss()(layer(y), layer(x))
    assert value.dtype == torch.bfloat16
    value.backward()
    assert layer.weight.grad.abs().sum() > 0


def test_wrong_tensors():
    with pytest.raises(TypeError, match="floating point"):
        dt.MMDLoss()(torch.zeros(4, 3, dtype=torch.int64), torch.zeros(4, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="same number of features"):
        dt.MMDLoss()(double(4, 3), double(4, 2))
    with pytest.raises(ValueError, match="at least one sample"):
        dt.MMDLoss()(double(0, 3), double(4, 3))
    with pytest.raises(ValueError, match="kernels, but"):
        dt.JointMMDLoss()([double(4, 3)], [double(4, 3)])
    for make in (lambda: dt.MCDLoss("max"), lambda: dt.ConditionalDomainAdversarialCriterion(da.conditioning.per_domain_entropy(), "none")):
        with pytest.raises(ValueError, match="reduction"):
            make()
    with pytest.raises(ValueError, match="keeps the state"):
        dt.MMDLoss(K.gaussian(bandwidth=B.running_average(B.RunningState())))
    with pytest.raises(TypeError, match="on the device meta"):
        da.mmd(torch.zeros(4, 3, device="meta"), torch.zeros(4, 3, device="meta"))


def test_strides():
    x, y = torch.randn(3, 20, dtype=torch.float64).t()[::2], torch.randn(1, 3, dtype=torch.float64).expand(6, 3)
    for z in (x, y):
        z = z.detach().requires_grad_()
        w = z.detach().clone().contiguous().requires_grad_()
        other = double(5, 3).detach()
        dt.MMDLoss()(z, other).backward()
        dt.MMDLoss()(w, other).backward()
        assert torch.equal(z.grad, w.grad)


def test_further_dimensions():
    x, y = double(4, 2, 3), double(5, 2, 3)
    assert dt.MMDLoss()(x, y).item() == dt.MMDLoss()(x.reshape(4, 6), y.reshape(5, 6)).item()
    y1, y2 = double(4, 3, 2, 5), double(4, 3, 2, 5)
    rows = [y.permute(0, 2, 3, 1).reshape(-1, 3) for y in (y1, y2)]
    assert dt.MCDLoss()(y1, y2).item() == dt.MCDLoss()(*rows).item()
    dt.MCDLoss()(y1, y2).backward()
    assert y1.grad.shape == y1.shape


def test_weights():
    x, y, w = double(4, 3), double(5, 3), torch.tensor([2.0, 1, 1, 0], dtype=torch.float64, requires_grad=True)
    value = dt.MMDLoss()(x, y, weights=(w, None))
    assert value.item() == da.mmd(x.detach(), y.detach(), weights=(w.detach(), None))
    value.backward()
    assert w.grad is None and (x.grad[3] == 0).all()


def test_torch_func():
    x, y, loss = double(6, 3).detach(), double(5, 3).detach(), dt.MMDLoss(K.gaussian(1.0))
    g = torch.func.grad(lambda z: loss(z, y))(x)
    z = x.clone().requires_grad_()
    loss(z, y).backward()
    torch.testing.assert_close(g, z.grad)
    batch = torch.randn(4, 6, 3, dtype=torch.float64)
    values = torch.func.vmap(lambda z: loss(z, y))(batch)
    torch.testing.assert_close(values, torch.stack([loss(one, y) for one in batch]))
    many = torch.func.vmap(torch.func.grad(lambda z: loss(z, y)))(batch)
    torch.testing.assert_close(many[2], torch.func.grad(lambda z: loss(z, y))(batch[2]))


def running_loss():
    return dt.MMDLoss(K.gaussian_ladder(bandwidth=B.running_average(momentum=0.5)))


def test_running_bandwidth_is_in_the_state_dict():
    loss, x, y = running_loss(), torch.randn(9, 3), torch.randn(8, 3)
    first = loss(x, y)
    assert loss.state_dict()["running"][0, 1] == 1 and first == dt.MMDLoss()(x, y)
    loss(2 * x, y)
    learnt = loss.running.clone()
    loss.eval()
    at_rest = loss(3 * x, y)
    assert torch.equal(loss.running, learnt)
    other = running_loss().eval()
    other.load_state_dict(loss.state_dict())
    assert other(3 * x, y) == at_rest
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert again(3 * x, y) == at_rest
        again.train()(x, y)
        assert torch.equal(loss.running, learnt)


def test_modules_say_what_they_are():
    assert repr(dt.MDDLoss(2.0)) == "MDDLoss(margin=2.0, compat=False, reduction='mean')"
    assert "gaussian_ladder" in repr(dt.MMDLoss()) and "unbiased" in repr(dt.MMDLoss())
    for make, _ in LOSSES.values():
        assert repr(pickle.loads(pickle.dumps(make()))) == repr(make())


def test_dann_and_cdan():
    discriminator = torch.nn.Linear(4, 1).double()
    loss = dt.DANNLoss(discriminator, dt.GradientReversal(10, alpha=10.0))
    f_s, f_t = double(6, 4), double(5, 4)
    loss(f_s, f_t).backward()
    assert f_s.grad.abs().sum() == 0  # lambda starts at 0
    assert loss.reversal.iteration == 1
    loss(f_s, f_t).backward()
    lam = da.reversal_coefficient(1, 10, 10.0)
    logits = discriminator(f_s).detach()
    want = -lam * (-0.5 / 6 * torch.sigmoid(-logits)) @ discriminator.weight.detach()
    torch.testing.assert_close(f_s.grad, want)
    assert 0 <= loss.accuracy <= 100
    again = dt.DANNLoss(torch.nn.Linear(4, 1).double(), dt.GradientReversal(10, alpha=10.0))
    again.load_state_dict(loss.state_dict())
    assert again.reversal.iteration == 2

    y_s, y_t = double(6, 3), double(5, 3)
    for map_, width in ((dt.MultilinearMap(), 12), (dt.RandomisedMultilinearMap(4, 3, 8).double(), 8)):
        cdan = dt.CDANLoss(torch.nn.Linear(width, 1).double(), map_, da.conditioning.joint_entropy(), dt.GradientReversal(0))
        y_s.grad = f_s.grad = None
        cdan(y_s, f_s, y_t, f_t).backward()
        assert f_s.grad.abs().sum() > 0 and y_s.grad is None


def test_entropy_reversal_reaches_the_class_logits():
    loss = dt.ConditionalDomainAdversarialCriterion(da.conditioning.per_domain_entropy(), entropy_reversal=0.5)
    inputs = [double(6, 1), double(5, 1), double(6, 4), double(5, 4)]
    loss(*inputs).backward()
    want = da.conditional_domain_adversarial(*inputs, conditioning=da.conditioning.per_domain_entropy(), entropy_reversal=0.5, gradient=True)
    for one, g in zip(inputs, want[1:]):
        torch.testing.assert_close(one.grad, g)
    assert inputs[2].grad.abs().sum() > 0


def test_one_openmp_follows_torch():
    before = torch.get_num_threads()
    x, y = torch.randn(600, 32), torch.randn(500, 32)
    want = da.mmd(x, y)
    try:
        torch.set_num_threads(1)
        assert da._call.threads() == 1 and da.mmd(x, y) == want
    finally:
        torch.set_num_threads(before)
    with open("/proc/self/maps") as maps:
        assert len({line.split()[-1] for line in maps if "libgomp" in line}) == 1


OPCHECKED = [k for k in LOSSES if k not in ("map", "randomised map")]


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("name", OPCHECKED)
def test_opcheck(name):
    from dalib_cpp import _autograd

    make, inputs = LOSSES[name]
    op, values = make()._operation, inputs()
    labels = values[len(values) - op.labels :]
    values = [v if v.dim() == 2 else v.unsqueeze(1) for v in values[: len(values) - op.labels]]
    wanted = sum(1 << i for i, place in enumerate(op.differentiable) if values[place].requires_grad)
    torch.library.opcheck(_autograd._measure_op, (values, labels, (1 << op.labels) - 1, [], False, wanted, op.text))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mmd", "classifier none", "disparity", "conditional entropy", "local mmd", "map"])
def test_compile_without_a_graph_break(name):
    make, inputs = LOSSES[name]
    loss, values = make(), inputs()

    def step(*tensors):
        return (loss(*(t * 2 if t.is_floating_point() else t for t in tensors)) ** 2).sum()

    want = torch.autograd.grad(step(*values), [v for v in values if v.requires_grad])
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    got = torch.autograd.grad(compiled(*values), [v for v in values if v.requires_grad])
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b)


@pytest.mark.slow
def test_compile_of_a_network_with_inductor():
    model, loss, reversal = torch.nn.Linear(5, 4), running_loss(), dt.GradientReversal(10)
    dann = dt.DANNLoss(torch.nn.Linear(4, 1), reversal)

    def step(a, b):
        return loss(model(a), model(b)) + dann(model(a), model(b))

    a, b = torch.randn(9, 5), torch.randn(8, 5)
    want = step(a, b)
    loss.running.zero_(), reversal.iteration.zero_()
    compiled = torch.compile(step, fullgraph=True)
    got = compiled(a, b)
    torch.testing.assert_close(got, want)
    assert loss.running[0, 1] == 1 and reversal.iteration == 1
    got.backward()
    assert model.weight.grad.abs().sum() > 0
    compiled(a, b)
    assert loss.running[0, 1] == 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_call_for_what_needs_no_conversion_is_the_same(dtype):
    x, y = torch.randn(9, 6, dtype=dtype)[:, ::2].requires_grad_(), torch.randn(3, 7, dtype=dtype).t()
    quick, slow = dt.MMDLoss(), dt.MMDLoss()
    assert quick._operation.differentiate is not None
    slow._operation.differentiate = None
    values = []
    for loss in (quick, slow):
        x.grad = None
        value = loss(x, y)
        value.backward()
        values += [value.detach(), x.grad.clone()]
    assert torch.equal(values[0], values[2]) and torch.equal(values[1], values[3]) and values[1].norm() > 0
    assert quick._operation.differentiate((x.detach().half(), y.half()), (0, 1), (True, False), 1) is None  # the caller converts
    assert quick._operation.differentiate((x.detach(), y.to(torch.float32 if dtype is torch.float64 else torch.float64)), (0, 1), (True, False), 1) is None
    with pytest.raises(ValueError, match="mmd"):
        quick(x, y[:, :2])
