"""Reading the golden sets (tests/golden: DALIB's numbers, further losses, tests), and the kernels that they name."""

import json
import os
import struct
from pathlib import Path

import dalib_cpp as da
import numpy as np
import pytest

SETS = Path(os.environ.get("DALIB_GOLDEN", Path(__file__).resolve().parents[3] / "tests" / "golden"))
lies_here = pytest.mark.skipif(not (SETS / "set" / "manifest.json").exists(), reason="the golden set lies in dalib's tree")
K, E, B = da.kernel, da.estimator, da.bandwidth


def load(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    kinds = {"F64": "f8", "I64": "i8"}
    return {
        key: np.frombuffer(data[8 + length :][slice(*one["data_offsets"])], kinds[one["dtype"]]).reshape(one["shape"])
        for key, one in header.items()
        if key != "__metadata__"
    }


def manifest(of):
    path = SETS / of / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {"cases": [], "files": {}}


TENSORS = {}


def tensor(case, entry):
    key = (case["set"], case["group"])
    if key not in TENSORS:
        TENSORS[key] = load(SETS / case["set"] / manifest(case["set"])["files"][case["group"]])
    return TENSORS[key][entry["tensor"]]


def cases(*groups, of="set"):
    return [pytest.param({**case, "set": of}, id=f"{case['group']}-{case['name']}") for case in manifest(of)["cases"] if case["group"] in groups]


class Check:
    """A case's inputs and outputs; `done` says whether any was compared."""

    least = 0.0  # tolerance at least: of sweeps that stop earlier than the set's, of roundings of float where the set has 0

    def __init__(self, case, dtype):
        self.case, self.dtype, self.done = case, dtype, 0
        whole = {one["name"]: tensor(case, one) for one in case["inputs"]}
        self.labels = {name: value for name, value in whole.items() if value.dtype.kind == "i"}
        self.inputs = {name: value.astype(dtype) for name, value in whole.items() if name not in self.labels}
        self.outputs = {one["name"]: one for one in case["outputs"]}

    def __call__(self, name, got):
        if name not in self.outputs:
            return
        one = self.outputs[name]
        want = tensor(self.case, one) if "tensor" in one else one["value"]
        allowed = max(self.least, one["tol32" if self.dtype == "float32" else "tol64"])
        assert np.abs(np.asarray(got, float).reshape(np.shape(want)) - want).max() <= allowed, name
        self.done += 1


def gaussians(d):
    rules = [B.mean(alpha) for alpha in d.get("alphas", [])] + [B.fixed(sigma) for sigma in d.get("sigmas", [])]
    return add([K.gaussian(bandwidth=rule) for rule in rules])


def add(kernels):
    return kernels[0] if len(kernels) == 1 else K.Sum(tuple(kernels))


def single(d):
    kind = d["type"]
    if kind == "gaussian":
        return K.gaussian(d["sigma"]) if "sigma" in d else K.gaussian(bandwidth=B.mean(d["alpha"]))
    if kind == "laplacian":
        return K.laplacian(d["s"])
    if kind == "linear":
        return K.linear()
    if kind == "polynomial":
        return K.polynomial(d["gamma"], d["coef0"], d["degree"])
    if kind == "inverse_multiquadric":
        return K.inverse_multiquadric(d["c"])
    if kind == "energy":
        return K.energy()
    if kind == "sum":
        return add([single(one) for one in d["terms"]])
    assert kind == "rational_quadratic", kind
    return K.rational_quadratic(d["a"], sigma=d["length_scale"])
