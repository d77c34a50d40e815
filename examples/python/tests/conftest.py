import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture
def samples(rng, dtype):
    return rng.normal(size=(36, 12)).astype(dtype), (rng.normal(size=(28, 12)) + 0.4).astype(dtype)


def tolerance(dtype):
    return 2e-5 if dtype == "float32" else 1e-12


def difference(function, x, step=1e-6):
    """The gradient of a function of one array by central differences."""
    result = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        moved = x.copy()
        moved[place] += step
        up = function(moved)
        moved[place] -= 2 * step
        result[place] = (up - function(moved)) / (2 * step)
    return result
