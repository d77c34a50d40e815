"""Arrays: every kind, strides, wrong ones; threads and forks."""

import os
import threading

import dalib_cpp as da
import numpy as np
import pytest


def test_strides_without_a_copy(samples):
    x, y = samples
    want = da.mmd(x, y, gradient=True)
    wide = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    wide[::2, ::3] = x
    for other in (np.asfortranarray(x), wide[::2, ::3], np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]):
        got = da.mmd(other, y, gradient=True)
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])
        np.testing.assert_array_equal(got[2], want[2])


def test_zero_strides(samples):
    x, y = samples
    same = np.broadcast_to(x[0], x.shape)
    value, gx, gy = da.mmd(same, y, gradient=True)
    assert value == da.mmd(np.ascontiguousarray(same), y)
    assert gx.shape == x.shape and gx.strides[0] == x.shape[1] * x.itemsize


def test_inputs_are_read_only(samples):
    x, y = samples
    before = x.copy()
    x.flags.writeable = False
    da.mmd(x, y, gradient=True)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    "bad, sentence",
    [
        (np.zeros((4, 3), int), "is int64; give float32 or float64"),
        (np.zeros((4, 3), "float16"), "is float16"),
        (np.zeros((4, 3), ">f8"), "is >f8"),
        (np.zeros((4, 3), "float32"), "the arrays before it are float32"),
        ([[1.0, 2.0, 3.0]], "is no array"),
        ("text", "is no array"),
        (None, "is no array"),
    ],
)
def test_wrong_arrays(bad, sentence):
    y = np.zeros((4, 3))
    with pytest.raises(TypeError, match="mmd: ") as error:
        da.mmd(bad, y)
    assert sentence in str(error.value)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (4, 3, 2), (4, 2)])
def test_wrong_shapes(shape):
    with pytest.raises(ValueError, match="mmd: "):
        da.mmd(np.zeros(shape), np.zeros((4, 3)))


def test_nan(samples):
    x, y = samples
    x[3, 1] = np.nan
    assert np.isnan(da.mmd(x, y))
    with pytest.raises(ValueError, match="row 3, column 1"):
        da.mmd(x, y, check=True)


def test_misaligned_field():
    packed = np.zeros(8, dtype=[("a", "i1"), ("b", "f8")])
    with pytest.raises(ValueError, match="whole number of elements"):
        da.mmd(packed["b"], np.zeros(8))


def test_buffers_of_the_standard_library():
    import array

    x = memoryview(array.array("d", [0.0, 1.0, 2.0, 3.0])).cast("B").cast("d", (2, 2))
    y = np.ones((3, 2))
    assert da.mmd(x, y, estimator=da.estimator.biased()) == da.mmd(np.asarray(x), y, estimator=da.estimator.biased())


def test_dlpack_without_a_buffer(samples):
    class Wrapped:
        def __init__(self, x):
            self.x = x

        def __dlpack__(self, **arguments):
            return self.x.__dlpack__(**arguments)

        def __dlpack_device__(self):
            return self.x.__dlpack_device__()

    x, y = samples
    assert da.mmd(Wrapped(x), y) == da.mmd(x, y)
    value, gx, gy = da.mmd(Wrapped(x[::-1]), y, gradient=True)
    assert isinstance(gx, np.ndarray) and gx.shape == x.shape


def test_jax(samples):
    jax = pytest.importorskip("jax")
    x, y = (jax.numpy.asarray(one.astype("float32")) for one in samples)
    value, gx, gy = da.mmd(x, y, gradient=True)
    assert isinstance(gx, jax.Array) and value == da.mmd(np.asarray(x), np.asarray(y))


def test_threads_give_the_same_bits(rng):
    x, y = rng.normal(size=(400, 20)), rng.normal(size=(300, 20))
    want = da.mmd(x, y, gradient=True)
    results = [None] * 4

    def work(place):
        for _ in range(5):
            results[place] = da.mmd(x, y, gradient=True)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    for got in results:
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])


def test_the_interpreter_is_free_during_work(rng):
    x = rng.normal(size=(4000, 64))
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(1)

    ticker = threading.Thread(target=tick)
    ticker.start()
    da.mmd(x, x + 1, gradient=True)
    done.set()
    ticker.join()
    assert len(ticks) > 3


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's, where a test before has loaded it
def test_fork_after_use(rng):
    x = rng.normal(size=(400, 20))
    want = da.mmd(x, x[::-1] + 1)  # has begun a parallel region
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(da.mmd(x, x[::-1] + 1)).encode())
        os._exit(0)
    os.close(write)
    assert float(os.read(read, 100)) == want
    assert os.waitpid(child, 0)[1] == 0


def test_under_garbage_collection(samples):
    import gc

    x, y = samples
    want = da.mmd(x, y)
    gc.collect()
    old = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(50):
            assert da.mmd(x.copy(), y.copy(), gradient=True)[0] == want
    finally:
        gc.set_threshold(*old)


def test_memory_does_not_grow(samples):
    import resource

    x, y = samples
    for _ in range(50):
        da.mmd(x, y, gradient=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3000):
        da.mmd(x, y, gradient=True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4000  # KiB
