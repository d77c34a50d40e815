"""The functions: values against NumPy, gradients against differences, kernels and estimators."""

import copy
import pickle

import dalib_cpp as da
import numpy as np
import pytest
from conftest import difference

K, E, B = da.kernel, da.estimator, da.bandwidth


def squared_distances(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def by_numpy(x, y, k, unbiased=True):
    n, m = len(x), len(y)
    kxx, kyy, kxy = k(x, x), k(y, y), k(x, y)
    if not unbiased:
        return kxx.mean() + kyy.mean() - 2 * kxy.mean()
    return (kxx.sum() - np.trace(kxx)) / (n * (n - 1)) + (kyy.sum() - np.trace(kyy)) / (m * (m - 1)) - 2 * kxy.mean()


PLAIN = {
    "gaussian": (K.gaussian(1.5), lambda s: np.exp(-s / 4.5)),
    "ladder": (K.gaussian_ladder(0.5, 3, sigma=2.0), lambda s: sum(np.exp(-s / (2 * 0.5 * 2**k * 4)) for k in range(3))),
    "laplacian": (K.laplacian(3.0), lambda s: np.exp(-np.sqrt(s) / 3)),
    "rational_quadratic": (K.rational_quadratic(2.0, sigma=1.5), lambda s: (1 + s / 9) ** -2),
    "inverse_multiquadric": (K.inverse_multiquadric(2.0), lambda s: (1 + s / 4) ** -0.5),
    "matern32": (K.matern(1.5, 2.0), lambda s: (1 + np.sqrt(3 * s) / 2) * np.exp(-np.sqrt(3 * s) / 2)),
    "matern52": (K.matern(2.5, 2.0), lambda s: (1 + np.sqrt(5 * s) / 2 + 5 * s / 12) * np.exp(-np.sqrt(5 * s) / 2)),
    "energy": (K.energy(), lambda s: -np.sqrt(s)),
    "sum": (K.gaussian(2.0) + 0.5 * K.laplacian(1.0), lambda s: np.exp(-s / 8) + 0.5 * np.exp(-np.sqrt(s))),
    "product": (K.gaussian(2.0) * (K.gaussian(3.0) + K.matern(0.5, 2.0)), lambda s: np.exp(-s / 8) * (np.exp(-s / 18) + np.exp(-np.sqrt(s) / 2))),
}
INNER = {
    "linear": (K.linear(), lambda x, y: x @ y.T),
    "polynomial": (2 * K.polynomial(0.5, 1.0, 3), lambda x, y: 2 * (0.5 * x @ y.T + 1) ** 3),
    "cosine": (K.cosine(), lambda x, y: x @ y.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)),
    "l1": (K.laplacian_l1(2.0), lambda x, y: np.exp(-np.abs(x[:, None] - y[None]).sum(-1) / 2)),
    "mixed": (K.gaussian(2.0) + 0.3 * K.linear(), lambda x, y: np.exp(-squared_distances(x, y) / 8) + 0.3 * x @ y.T),
    "mixed polynomial": (
        K.gaussian(2.0) + K.linear() + 0.1 * K.polynomial(1.0, 0.0, 2),
        lambda x, y: np.exp(-squared_distances(x, y) / 8) + x @ y.T + 0.1 * (x @ y.T) ** 2,
    ),
}
ALL = {name: (k, lambda x, y, f=f: f(squared_distances(x, y))) for name, (k, f) in PLAIN.items()} | INNER


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("unbiased", [True, False])
def test_mmd_by_numpy(rng, dtype, name, unbiased):
    x, y = rng.normal(size=(17, 4)).astype(dtype), (rng.normal(size=(13, 4)) + 0.5).astype(dtype)
    kernel, function = ALL[name]
    want = by_numpy(x.astype(float), y.astype(float), function, unbiased)
    got = da.mmd(x, y, kernel, E.unbiased() if unbiased else E.biased())
    assert got == pytest.approx(want, rel=2e-5 if dtype == "float32" else 1e-12, abs=2e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("name", ALL)
def test_gradient_by_differences(rng, name):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3)) + 0.5
    kernel = ALL[name][0]
    value, gx, gy = da.mmd(x, y, kernel, gradient=True)
    assert value == pytest.approx(da.mmd(x, y, kernel), rel=1e-14)
    np.testing.assert_allclose(gx, difference(lambda z: da.mmd(z, y, kernel), x), atol=1e-7)
    np.testing.assert_allclose(gy, difference(lambda z: da.mmd(x, z, kernel), y), atol=1e-7)
    assert np.abs(gx).max() > 1e-4


@pytest.mark.parametrize("name", ALL)
def test_kernel_matrix(rng, name):
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(5, 3))
    kernel, function = ALL[name]
    np.testing.assert_allclose(da.kernel_matrix(x, kernel=kernel), function(x, x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(da.kernel_matrix(x, y, kernel), function(x, y), rtol=1e-12, atol=1e-12)
    r = rng.normal(size=(7, 5))
    total, gx, gy = da.kernel_matrix_gradient(x, r, y, kernel)
    assert total == pytest.approx((r * function(x, y)).sum(), rel=1e-11)
    np.testing.assert_allclose(gx, difference(lambda z: (r * function(z, y)).sum(), x), atol=1e-6)
    np.testing.assert_allclose(gy, difference(lambda z: (r * function(x, z)).sum(), y), atol=1e-6)


def test_default_is_five_gaussians_by_the_mean_rule(samples):
    x, y = samples
    z = np.concatenate(samples).astype(float)
    mean = squared_distances(z, z).mean()
    want = by_numpy(x.astype(float), y.astype(float), lambda a, b: sum(np.exp(-squared_distances(a, b) / (2 * mean * 2.0**k)) for k in range(-3, 2)))
    assert da.mmd(x, y) == pytest.approx(want, rel=1e-4)
    ladder = K.gaussian_ladder() + 0.0 * K.linear()
    assert da.mmd(x, y, ladder) == da.mmd(x, y)


def test_a_single_kernel_is_its_expression(samples):
    x, y = samples
    alone = da.mmd(x, y, K.gaussian_ladder(), gradient=True)
    apart = da.mmd(x, y, sum((K.gaussian(bandwidth=B.mean(2.0**k)) for k in range(-2, 2)), K.gaussian(bandwidth=B.mean(0.125))), gradient=True)
    assert alone[0] == pytest.approx(apart[0], rel=1e-4)
    np.testing.assert_allclose(alone[1], apart[1], atol=1e-5 if x.dtype == np.float32 else 1e-14)


def test_median(rng):
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(8, 3))
    z = np.concatenate([x, y])
    median = np.median(squared_distances(z, z)[np.triu_indices(17, 1)])
    assert da.mmd(x, y, K.gaussian(bandwidth=B.median())) == pytest.approx(da.mmd(x, y, K.gaussian(median**0.5)), rel=1e-12)


def test_running_average(rng):
    state = B.RunningState()
    kernel = K.gaussian(bandwidth=B.running_average(state))
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(8, 3))
    first = da.mmd(x, y, kernel)
    assert state.updates == 1 and first == da.mmd(x, y, K.gaussian())
    learnt = state.value
    state.training = False
    da.mmd(3 * x, y, kernel)
    assert state.value == learnt and state.updates == 1
    other = pickle.loads(pickle.dumps(copy.deepcopy(state)))
    assert (other.value, other.updates, other.training) == (learnt, 1, False)
    state.training = True
    with pytest.raises(ValueError, match="not finite"):
        da.mmd(x * np.nan, y, kernel)
    assert state.value == learnt
    with pytest.raises(ValueError, match="running_state"):
        da.mmd(x, y, K.gaussian(bandwidth=B.running_average()))
    with pytest.raises(K.NotCompiled, match="one running average"):
        da.mmd(x, y, kernel + kernel)


def test_estimators(rng):
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 3)) + 0.5
    k = K.gaussian(1.0)
    gram = [np.exp(-squared_distances(a, b) / 2) for a, b in ((x, x), (y, y), (x, y))]
    first, second = np.arange(0, 16, 2), np.arange(1, 16, 2)
    linear = (gram[0][first, second] + gram[1][first, second] - gram[2][first, second] - gram[2][second, first]).mean()
    assert da.mmd(x, y, k, E.linear_time()) == pytest.approx(linear, rel=1e-12)
    halves = [da.mmd(x[i : i + 8], y[i : i + 8], k) for i in (0, 8)]
    assert da.mmd(x, y, k, E.block(8)) == pytest.approx(np.mean(halves), rel=1e-12)
    assert da.mmd(x, y, k, E.compat_nonlinear()) == pytest.approx(da.mmd(x, y, k) + 2 / 15, rel=1e-12)
    assert np.isfinite(da.mmd(x, y, k, E.compat_ring()))
    with pytest.raises(ValueError, match="at least 2 samples"):
        da.mmd(x[:1], y, k)


def test_weights_are_counts(rng):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    w = np.array([2.0, 1, 1, 0, 1, 1])
    repeated = np.concatenate([x[:1], x[:3], x[4:]])
    assert da.mmd(x, y, weights=(w, None)) == pytest.approx(da.mmd(repeated, y), rel=1e-12)
    assert (da.mmd(x, y, weights=(w, None), gradient=True)[1][3] == 0).all()
    with pytest.raises(ValueError, match="one weight per row"):
        da.mmd(x, y, weights=(w[:3], None))
    with pytest.raises(TypeError, match="float32"):
        da.mmd(x, y, weights=(w.astype("float32"), None))


def test_scale(samples):
    x, y = samples
    plain, scaled = da.mmd(x, y, gradient=True), da.mmd(x, y, gradient=True, scale=-2.0)
    assert plain[0] == scaled[0]
    np.testing.assert_allclose(scaled[1], -2 * plain[1], rtol=1e-5)


@pytest.mark.parametrize("kernels", [None, (K.gaussian(2.0), K.gaussian(0.92)), (K.gaussian_ladder(), K.laplacian() + K.gaussian()), (K.gaussian(), K.energy(), K.matern())])
def test_joint_mmd(rng, kernels):
    count = 2 if kernels is None else len(kernels)
    x = [rng.normal(size=(7, 2 + one)) for one in range(count)]
    y = [rng.normal(size=(5, 2 + one)) + 0.3 for one in range(count)]
    value, gx, gy = da.joint_mmd(x, y, kernels, gradient=True)
    assert value == pytest.approx(da.joint_mmd(x, y, kernels), rel=1e-13)
    used = da.jan_kernels() if kernels is None else kernels
    if all("fixed" in repr(k) for k in used):
        assert value == pytest.approx(_joint_by_numpy(x, y, used), rel=1e-12)
    total = sum((g * 1e-6).sum() for g in gx)  # a small shift of all of x, if bandwidths did not move
    assert np.isfinite(total) and all(np.abs(g).max() > 0 for g in (*gx, *gy))
    with pytest.raises(ValueError, match="kernels, but"):
        da.joint_mmd(x[:1], y, kernels)


def _joint_by_numpy(x, y, kernels):
    def product(a, b):
        result = 1.0
        for p, q, k in zip(a, b, kernels):
            result = result * np.exp(-squared_distances(p, q) / (2 * k.bandwidth.sigma**2))
        return result

    n, m = len(x[0]), len(y[0])
    xx, yy = product(x, x), product(y, y)
    return (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1)) - 2 * product(x, y).mean()


def test_joint_mmd_of_one_layer_is_mmd(samples):
    x, y = samples
    assert da.joint_mmd([x], [y], [K.gaussian()]) == da.mmd(x, y, K.gaussian())


def test_what_is_not_compiled_says_so(samples):
    x, y = samples
    for kernel in (K.cosine() + K.linear(), K.gaussian() * K.linear(), K.polynomial() + K.polynomial(), K.cosine() * K.gaussian()):
        with pytest.raises(K.NotCompiled, match="Compiled are: a Gaussian"):
            da.mmd(x, y, kernel)
    with pytest.raises(K.NotCompiled, match="at most 32"):
        da.mmd(x, y, K.gaussian_ladder(0.1, 16) * K.gaussian_ladder(0.1, 3))
    with pytest.raises(ValueError, match="2 and 3 layers"):
        da.joint_mmd([x] * 4, [y] * 4, [K.gaussian()] * 4)
    with pytest.raises(TypeError, match="must be made by dalib_cpp.kernel"):
        da.mmd(x, y, "gaussian")
    with pytest.raises(TypeError, match="one of dalib_cpp.estimator"):
        da.mmd(x, y, estimator="unbiased")


def test_kernels_are_values():
    kernel = K.gaussian(2.0) + 0.5 * K.gaussian_ladder()
    assert pickle.loads(pickle.dumps(kernel)) == kernel == copy.deepcopy(kernel) and hash(kernel) == hash(copy.copy(kernel))


def softmax(y):
    e = np.exp(y - y.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def test_measures_by_numpy(rng):
    y1, y2, y3, y4 = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    each = np.abs(softmax(y1) - softmax(y2)).mean(1)
    assert da.classifier_discrepancy(y1, y2) == pytest.approx(each.mean())
    np.testing.assert_allclose(da.classifier_discrepancy(y1, y2, reduction="none"), each)
    assert da.class_balance(y1) == pytest.approx(-np.log(softmax(y1).mean(0) + 1e-6).mean())
    k_s, k_t = y1.argmax(1), y3.argmax(1)
    want = -3 * np.log(softmax(y2)[np.arange(6), k_s]).mean() - np.log(1 - softmax(y4)[np.arange(5), k_t]).mean()
    assert da.margin_disparity(y1, y2, y3, y4, margin=3) == pytest.approx(want)
    assert da.compat_margin_disparity(y1, y2, y3, y4, margin=3) == pytest.approx(want, rel=1e-4)
    l_s, l_t = rng.normal(size=6), rng.normal(size=5)
    bce = np.log1p(np.exp(-l_s)), np.log1p(np.exp(l_t))
    assert da.domain_adversarial(l_s, l_t) == pytest.approx((bce[0].mean() + bce[1].mean()) / 2)
    assert da.domain_adversarial(l_s[:, None], l_t[:, None]) == da.domain_adversarial(l_s, l_t)
    assert da.conditional_domain_adversarial(l_s, l_t, y1, y3) == pytest.approx(np.concatenate(bce).mean())
    p = softmax(np.concatenate([y1, y3]))
    w = 1 + np.exp((p * np.log(p)).sum(1))
    got = da.conditional_domain_adversarial(l_s, l_t, y1, y3, conditioning=da.conditioning.joint_entropy())
    assert got == pytest.approx((np.concatenate(bce) * w / w.mean()).mean())


# Values that are no function of the inputs alone (a target or a bandwidth is detached) or are found by sweeps: the golden set has these.
DETACHED = {"minimum_class_confusion", "stepwise_feature_norm", "local_mmd", "contrastive_domain_discrepancy", "sinkhorn_divergence"}
SHAPES = {
    **dict.fromkeys(("y1", "y2", "p1", "p2", "p", "y_s", "y_s_adv"), (6, 4)),
    **dict.fromkeys(("y_t", "y_t_adv"), (5, 4)),
    "logits_s": (6, 1), "logits_t": (5, 1), "logits": (6, 1), "x": (6, 4), "y": (5, 4), "directions": (4, 7), "frequencies": (4, 9),
    "landmarks": (3, 4), "p_t": (5, 2), "y_teacher": (5, 4), "coupling": (6, 5), "weights": (5,), "weights_s": (6,), "phase": (1, 9),
}  # fmt: skip


def inputs_of(measure, rng, dtype="float64"):
    inputs = [rng.normal(size=SHAPES[one]) for one in measure.inputs]
    if measure.name.endswith("probabilities"):
        inputs = [softmax(one) for one in inputs]
    for place, one in enumerate(measure.inputs):
        if one == "p_t":
            inputs[place] = softmax(inputs[place])
        if one in ("coupling", "weights", "weights_s"):
            inputs[place] = np.abs(inputs[place])
        if one == "directions":
            inputs[place] /= np.linalg.norm(inputs[place], axis=0)
        if one == "y" and measure.inputs[0] == "x":
            inputs[place] += 0.3
    if measure.name == "representation_subspace_distance":
        inputs = [one[:2] for one in inputs]  # more rows than features span all of the space
    if measure.name == "wasserstein":
        inputs = [one[:, :1] for one in inputs]
    labels = [np.arange(len(inputs[0]) if one in ("labels", "labels_x") else 5) % 2 for one in measure.labels]
    return [one.astype(dtype) for one in inputs], labels


@pytest.mark.parametrize("name", list(da.measures.TABLE))
def test_measures_by_differences(rng, name):
    measure, function = da.measures.TABLE[name], getattr(da, name)
    inputs, labels = inputs_of(measure, rng)
    value, *gradients = function(*inputs, *labels, gradient=True)
    assert value == pytest.approx(function(*inputs, *labels), rel=1e-14)
    for place, g in zip(measure.differentiable, gradients):
        moved = lambda z, place=place: function(*(z if i == place else one for i, one in enumerate(inputs)), *labels)  # noqa: E731
        if name not in DETACHED:
            np.testing.assert_allclose(g, difference(moved, inputs[place]), atol=1e-7 * max(1.0, np.abs(g).max()))
    assert max(np.abs(g).max() for g in gradients) > 1e-3
    single, *of_single = function(*inputs_of(measure, np.random.default_rng(7), "float32")[0], *labels, gradient=True)
    assert single == pytest.approx(value, rel=1e-3, abs=1e-4) and of_single[0].dtype == np.float32
    for g, f in zip(gradients, of_single):
        np.testing.assert_allclose(f, g, atol=2e-3 * max(1.0, np.abs(g).max()))
    twice = function(*inputs, *labels, gradient=True, scale=2.0)
    for g, h in zip(gradients, twice[1:]):
        np.testing.assert_allclose(h, 2 * g, rtol=1e-12)
    assert function.__doc__ and "gradient" in function.__doc__
    if measure.has_reduction:
        each = function(*inputs, reduction="none")
        assert each.shape == (measures_count(measure, inputs),)
        half = 2 if name == "domain_adversarial" else 1
        assert each.sum() == pytest.approx(function(*inputs, reduction="sum") * half / half)
        with pytest.raises(ValueError, match="reduction"):
            function(*inputs, reduction="max")


def test_refusals_of_measures(rng):
    x, y, z = rng.normal(size=(6, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    with pytest.raises(ValueError, match="offset"):
        da.class_balance(x, offset=-1.0)
    with pytest.raises(ValueError, match="coral"):
        da.coral(x, z)
    p = np.full((5, 2), 0.5)
    with pytest.raises(TypeError, match="whole numbers"):
        da.local_mmd(x, y, p, np.zeros(6))
    with pytest.raises(ValueError, match="label"):
        da.local_mmd(x, y, p, np.full(6, 7))
    with pytest.raises(ValueError, match="label"):
        da.local_mmd(x, y, p, np.zeros(4, int))
    with pytest.raises(ValueError, match="missing"):
        da.contrastive_domain_discrepancy(x, y, np.zeros(6, int), np.zeros(5, int))


def test_incomplete(rng):
    x, y, k = rng.normal(size=(16, 3)), rng.normal(size=(12, 3)) + 0.5, K.gaussian(1.0)
    value, gx, gy = da.mmd(x, y, k, E.incomplete(20000, seed=7), gradient=True)
    assert value == pytest.approx(da.mmd(x, y, k), abs=0.02) and value == da.mmd(x, y, k, E.incomplete(20000, 7))
    assert value != da.mmd(x, y, k, E.incomplete(20000, 8)) and np.abs(gx).max() > 1e-4
    np.testing.assert_allclose(gy, difference(lambda z: da.mmd(x, z, k, E.incomplete(20000, 7)), y), atol=1e-7)
    with pytest.raises(ValueError, match="squared distance alone"):
        da.mmd(x, y, K.linear(), E.incomplete(10))
    with pytest.raises(ValueError, match="at least one pair"):
        E.incomplete(0)


def test_weighted_mmd(rng):
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 3)) + 0.5
    value, gx, gy = da.weighted_mmd(x, y, estimator=E.compat_ring(), gradient=True)
    assert value == da.weighted_mmd(x, y, estimator=E.compat_ring()) and np.abs(gx).max() > 1e-4 and np.abs(gy).max() > 1e-4
    assert value != da.mmd(x, y, estimator=E.compat_ring())
    with pytest.raises(ValueError, match="only kernel.gaussian_ladder"):
        da.weighted_mmd(x, y, K.gaussian() + K.laplacian())
    with pytest.raises(ValueError, match="blocks"):
        da.weighted_mmd(x, y, estimator=E.block(4))


def measures_count(measure, inputs):
    return da.measures.value_count(measure, inputs)


def test_entropy_reversal(rng):
    l_s, l_t, y_s, y_t = rng.normal(size=6), rng.normal(size=5), rng.normal(size=(6, 4)), rng.normal(size=(5, 4))
    how = da.conditioning.per_domain_entropy()
    *_, plain, _ = da.conditional_domain_adversarial(l_s, l_t, y_s, y_t, conditioning=how, gradient=True)
    *_, twice, _ = da.conditional_domain_adversarial(l_s, l_t, y_s, y_t, conditioning=how, gradient=True, entropy_reversal=2)
    np.testing.assert_allclose(twice, 2 * plain)
    assert np.abs(plain).max() > 0


def test_maps(rng, dtype):
    f, g = rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype)
    want = (softmax(g)[:, :, None] * f[:, None]).reshape(6, 15)
    np.testing.assert_allclose(da.multilinear_map(f, g), want, rtol=1e-5)
    u = rng.normal(size=(6, 15)).astype(dtype)
    gf, gg = da.multilinear_map_gradient(f, g, u)
    assert da.multilinear_map_gradient(f, g, u, (True, False))[1] is None
    if dtype == "float64":
        np.testing.assert_allclose(gg, difference(lambda z: (u * da.multilinear_map(f, z)).sum(), g), atol=1e-7)
        np.testing.assert_allclose(gf, difference(lambda z: (u * da.multilinear_map(z, g)).sum(), f), atol=1e-7)
    map_ = da.RandomisedMultilinearMap(5, 3, 8, seed=3)
    r_f, r_g = map_.matrices
    np.testing.assert_allclose(map_(f, g), (f @ r_f) * (softmax(g) @ r_g) / 8**0.5, rtol=1e-3, atol=1e-4)
    again = pickle.loads(pickle.dumps(map_))
    np.testing.assert_array_equal(again(f, g), map_(f, g))
    assert not np.array_equal(da.RandomisedMultilinearMap(5, 3, 8, seed=4).matrices[0], r_f)
    v = rng.normal(size=(6, 8)).astype(dtype)
    if dtype == "float64":
        np.testing.assert_allclose(map_.gradient(f, g, v)[0], difference(lambda z: (v * map_(z, g)).sum(), f), atol=1e-7)


def test_reversal_coefficient():
    assert da.reversal_coefficient(0) == 0
    assert da.reversal_coefficient(1000, 1000, 10.0, 0.0, 0.1) == pytest.approx(0.1 * np.tanh(5))


def test_stub_is_that_of_the_table():
    from pathlib import Path

    assert Path(da.__file__).with_name("measures.pyi").read_text() == da.measures.stub()
