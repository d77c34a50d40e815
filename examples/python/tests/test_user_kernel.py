"""Kernels from a string."""

import os
import subprocess
import sys

import dalib_cpp as da
import numpy as np
import pytest
from conftest import difference

compile_kernel = da.kernel.compile


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("exp(-gama * s)", "'gama' is neither s nor a parameter"),
        ("exp(-s", "was never closed"),
        ("sinc(s)", "there is no function 'sinc'"),
        ("exp(s, s)", "exp takes 1"),
        ("s % 2", "the operators are"),
        ("'a' + s", "only numbers, s, parameters"),
        ("__import__('os').system('true')", "there is no function"),
        ("1 if s else 0", "a condition is one comparison"),
    ],
)
def test_errors_of_the_expression(text, sentence):
    with pytest.raises(SyntaxError, match="kernel.compile: ") as error:
        compile_kernel(text, gamma=1.0)
    assert sentence in str(error.value) and error.value.text == text


def test_errors_of_the_arguments():
    with pytest.raises(ValueError, match="statistic must be one of"):
        compile_kernel("s", "distance")
    with pytest.raises(ValueError, match="cannot be called 's'"):
        compile_kernel("s", s=1.0)


def test_integers_are_numbers():
    from dalib_cpp._user_kernel import translate

    assert translate("1 / 2 * s ** 3", "squared_distance", ()).body == "(((1.0) / (2.0)) * (s * s * s))"
    assert translate("s if s < 1 else 1", "squared_distance", ()).body == "select(s < (1.0), s, (1.0))"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    os.environ["DALIB_CPP_CACHE"] = str(folder)
    yield folder
    del os.environ["DALIB_CPP_CACHE"]


@pytest.mark.slow
def test_a_kernel_from_a_string(cache, rng):
    k = compile_kernel("exp(-gamma * s) / (1 + s)", gamma=0.5)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    value, gx, gy = da.mmd(x, y, k, gradient=True)

    def gram(a, b):
        s = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.exp(-0.5 * s) / (1 + s)

    kxx, kyy = gram(x, x), gram(y, y)
    assert value == pytest.approx((kxx.sum() - 6) / 30 + (kyy.sum() - 5) / 20 - 2 * gram(x, y).mean(), rel=1e-12)
    np.testing.assert_allclose(gx, difference(lambda z: da.mmd(z, y, k), x), atol=1e-8)
    assert da.mmd(x.astype("float32"), y.astype("float32"), k) == pytest.approx(value, rel=1e-4)
    made = sorted(cache.glob("*.so"))
    other = compile_kernel("exp(-gamma * s) / (1 + s)", gamma=1.5)  # parameters are no reason to compile
    assert da.mmd(x, y, 2 * other, da.estimator.block(2)) != value and sorted(cache.glob("*.so")) == made
    with pytest.raises(ValueError, match="same number of features"):
        da.mmd(x, y[:, :2], k)
    # another process takes it from the cache, without a compiler
    program = (
        "import dalib_cpp as da, numpy as np\n"
        "x = np.arange(12.).reshape(4, 3); k = da.kernel.compile('exp(-gamma * s) / (1 + s)', gamma=0.5)\n"
        "print(da.mmd(x, x + 1, k))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert np.isfinite(float(answer.stdout))
    assert sorted(cache.glob("*.so")) == made


def test_without_a_compiler(monkeypatch, rng, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "none")
    with pytest.raises(RuntimeError, match="there is no C.. compiler"):
        da.mmd(rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), compile_kernel("exp(-7 * s)"))
