"""Tests of two samples and of dependence; the golden set has their numbers."""

import dalib_cpp as da
import numpy as np
import pytest

I, K = da.inference, da.kernel


def test_permutation_test():
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    away = I.permutation_test(x, y + 1, draws=199, seed=3)
    assert away.reject and away.p_value == 1 / 200 and away.statistic > away.threshold and away.null_sample is None
    alike = I.permutation_test(x, y, draws=199, seed=3, keep_null=True)
    assert alike.p_value > 0.05 and not alike.reject and alike.null_sample.shape == (199,)
    assert alike.p_value == (1 + (alike.null_sample >= alike.statistic).sum()) / 200
    again = I.permutation_test(x, y, draws=199, seed=3)
    assert (again.p_value, again.statistic) == (alike.p_value, alike.statistic)
    assert alike.statistic == pytest.approx(da.mmd(x, y, K.gaussian(bandwidth=da.bandwidth.median())), rel=1e-12)
    assert I.permutation_test(x, y, K.gaussian(1.0) + K.laplacian(2.0), draws=19).warning == ""
    assert "cannot reject" in I.permutation_test(x, y, draws=9).warning


def test_single_precision_and_tensors(rng):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 3)).astype("float32")
    want = I.permutation_test(x, y, draws=99)
    torch = pytest.importorskip("torch")
    assert I.permutation_test(torch.from_numpy(x), torch.from_numpy(y).requires_grad_(), draws=99) == want


def test_energy_test(rng):
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(15, 2)) + 1
    found = I.energy_test(x, y, draws=199)
    assert found.reject and found.statistic == pytest.approx(20 * 15 / 35 * da.energy_distance(x, y), rel=1e-12)


def test_wild_bootstrap(rng):
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3)) + 1
    for form in ("independent", "dependent", "centred", "separate"):
        assert I.wild_bootstrap_test(x, y, form=form, length=3 if form == "centred" else 0, draws=199).reject, form
    with pytest.raises(ValueError, match="form must be"):
        I.wild_bootstrap_test(x, y, form="other")
    with pytest.raises(ValueError, match="wild_bootstrap_test"):
        I.wild_bootstrap_test(x, y[:30])


def test_aggregated(rng):
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    found = I.aggregated_test(x, y + 1, kernels=3, draws=200)
    assert found.reject and found.p_values.shape == (6,) and not I.aggregated_test(x, y, kernels=3, draws=200).reject


def test_independence(rng):
    x = rng.normal(size=(60, 1))
    assert I.independence_test(x, x**2, draws=199).p_value == 1 / 200
    assert I.independence_test(x[:, 0], rng.normal(size=60), draws=199).p_value > 0.02


def test_witness(rng):
    x, y, points = rng.normal(size=(40, 2)), rng.normal(size=(30, 2)) + 2, np.array([[0.0, 0.0], [2.0, 2.0]])
    values = I.witness(x, y, points, K.gaussian(1.0))
    want = [np.exp(-((p - x) ** 2).sum(1) / 2).mean() - np.exp(-((p - y) ** 2).sum(1) / 2).mean() for p in points]
    np.testing.assert_allclose(values, want, rtol=1e-12)
    assert values[0] > 0 > values[1]


def test_refusals(rng):
    x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
    with pytest.raises(ValueError, match="permutation_test"):
        I.permutation_test(x, y)
    with pytest.raises(ValueError, match="alpha"):
        I.permutation_test(x, x, alpha=2.0)
    with pytest.raises(ValueError, match="finite"):
        I.permutation_test(np.full_like(x, np.nan), x)
    with pytest.raises(K.NotCompiled):
        I.permutation_test(x, x, K.linear())


def test_further_tests(rng):
    x, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 3))
    away = y + 1.5
    for test in (I.gamma_test, I.spectrum_test, I.linear_time_test, I.block_test, I.nystrom_test, I.fuse_test):
        options = {"rows": 4} if test is I.block_test else {}
        assert test(x, away, **options).reject, test.__name__
    places = np.stack([x.mean(0), away.mean(0)])
    assert I.mean_embedding_test(x, away, places).reject and I.mean_embedding_test(x, x + 1e-12 * y, places, ridge=1.0).p_value > 0.9
    assert I.nystrom_test(x, y, landmarks=9).details == {"landmarks": 9}
    assert I.nystrom_test(x, y, landmarks=9, draws=99) == I.nystrom_test(x, y, landmarks=9, draws=99)
    assert I.fuse_test(x, y, kernels=3, draws=99).values.shape == (6,)
    for options in ({}, {"sigma": 1.0, "form": "unbiased"}, {"form": "multinomial"}):
        assert I.stein_test(3 * x, -3 * x, **options).reject and I.stein_test(y, -y, **options).p_value > 0.01, options
    assert I.independence_gamma_test(x[:, :1], x[:, :1] ** 2).reject
    with pytest.raises(ValueError, match="variance must be one of"):
        I.linear_time_test(x, y, variance="other")
    with pytest.raises(ValueError, match="gamma_test"):
        I.gamma_test(x, y[:5])


def test_scores(rng):
    logits, features = rng.normal(size=(12, 3)), rng.normal(size=(12, 5))
    assert len(da.model_selection.label_free_scores(logits)) == 8 and len(da.model_selection.label_free_scores(logits, features)) == 11
    assert da.model_selection.label_free_scores(logits.astype("float32"))["mano"] > 0
    with pytest.raises(ValueError, match="domains are 0"):
        da.model_selection.proxy_a_distance([0, 1, 2], [0, 1, 1])
