"""The inputs that every contestant draws: the same numbers as benchmarks/support/inputs.hpp."""
import numpy as np

CHUNK = 1 << 22


def splitmix64(x):
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def draw(rows, columns, dtype, seed, spread=1.0, shift=0.0):
    """Uniform numbers of standard deviation `spread` around `shift`; element i is a pure function of (seed, i)."""
    result = np.empty(rows * columns, dtype)
    scale = spread * np.sqrt(3.0)
    for first in range(0, result.size, CHUNK):
        place = np.arange(first, min(first + CHUNK, result.size), dtype=np.uint64)
        word = splitmix64(np.uint64(seed << 40) + place)
        result[first : first + len(place)] = (2 * ((word >> np.uint64(11)) * 2.0**-53) - 1) * scale + shift
    return result.reshape(rows, columns)


def arranged(kind, rows, target):
    """Rows of a kind other than noise, made of noise; see benchmarks/support/inputs.hpp."""
    if kind == "clustered":
        places = draw(10, rows.shape[1], rows.dtype, 5)
        words = splitmix64(np.uint64((7 if target else 6) << 40) + np.arange(len(rows), dtype=np.uint64))
        return rows * rows.dtype.type(0.03125) + places[(words % np.uint64(10)).astype(np.int64)]
    if kind == "apart":
        return rows + rows.dtype.type(40) if target else rows
    if kind == "outlier":
        if not target:
            rows[len(rows) // 3] *= rows.dtype.type(10000)
        return rows
    if kind != "noise":
        raise ValueError(f"unknown kind of data: {kind}")
    return rows


def two_samples(task):
    """z_s and z_t of the MMD tasks."""
    return (
        arranged(task.data, draw(task.n_s, task.features, task.dtype, 1), False),
        arranged(task.data, draw(task.n_t, task.features, task.dtype, 2, 1, 0.25), True),
    )


def two_layers(task):
    """f_s, p_s, f_t, p_t of the joint MMD."""
    f_s, f_t = two_samples(task)
    p_s = draw(task.n_s, task.classes, task.dtype, 3, 0.2)
    p_t = draw(task.n_t, task.classes, task.dtype, 4, 0.2, 0.1)
    return f_s, p_s, f_t, p_t


def logits(task, columns, *seeds_and_rows):
    """One (rows, columns) matrix of logits per (seed, rows)."""
    return tuple(draw(rows, columns, task.dtype, seed, 2) for seed, rows in seeds_and_rows)
