"""The golden set of DALIB's numbers (tests/golden/set) through the Python functions."""

import json
import os
import struct
from pathlib import Path

import dalib_cpp as da
import numpy as np
import pytest

FOLDER = Path(os.environ.get("DALIB_GOLDEN", Path(__file__).resolve().parents[3] / "tests" / "golden" / "set"))
pytestmark = pytest.mark.skipif(not (FOLDER / "manifest.json").exists(), reason="the golden set lies in dalib's tree")
K, E, B = da.kernel, da.estimator, da.bandwidth


def load(name):
    data = (FOLDER / name).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    kinds = {"F64": "f8", "I64": "i8"}
    return {
        key: np.frombuffer(data[8 + length :][slice(*one["data_offsets"])], kinds[one["dtype"]]).reshape(one["shape"])
        for key, one in header.items()
        if key != "__metadata__"
    }


MANIFEST = json.loads((FOLDER / "manifest.json").read_text()) if (FOLDER / "manifest.json").exists() else {"cases": [], "files": {}}
TENSORS = {}


def tensor(case, entry):
    if case["group"] not in TENSORS:
        TENSORS[case["group"]] = load(MANIFEST["files"][case["group"]])
    return TENSORS[case["group"]][entry["tensor"]]


def cases(*groups):
    return [pytest.param(case, id=f"{case['group']}-{case['name']}") for case in MANIFEST["cases"] if case["group"] in groups]


class Check:
    """A case's inputs and outputs; `done` says whether any was compared."""

    def __init__(self, case, dtype):
        self.case, self.dtype, self.done = case, dtype, 0
        self.inputs = {one["name"]: tensor(case, one).astype(dtype) for one in case["inputs"] if one.get("dtype") != "int64"}
        self.outputs = {one["name"]: one for one in case["outputs"]}

    def __call__(self, name, got):
        if name not in self.outputs:
            return
        one = self.outputs[name]
        want = tensor(self.case, one) if "tensor" in one else one["value"]
        allowed = one["tol32" if self.dtype == "float32" else "tol64"]
        assert np.abs(np.asarray(got, float).reshape(np.shape(want)) - want).max() <= allowed, name
        self.done += 1


@pytest.mark.parametrize("case", cases("kernel"))
def test_kernel(case, dtype):
    check = Check(case, dtype)
    p = case["params"]
    kernel = K.gaussian(p["sigma"]) if "sigma" in p else K.gaussian(bandwidth=B.mean(p["alpha"]))
    x, r = check.inputs["X"], check.inputs["R"]
    check("K", da.kernel_matrix(x, kernel=kernel))
    check("grad.X", da.kernel_matrix_gradient(x, r, kernel=kernel)[1])
    assert check.done == 2


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
    assert kind == "rational_quadratic", kind
    return K.rational_quadratic(d["a"], sigma=d["length_scale"])


ESTIMATORS = {"v": E.biased(), "u": E.unbiased()}


def estimator_of(case):
    p = case["params"]
    if "estimator" in p and p["estimator"] in ESTIMATORS:
        return ESTIMATORS[p["estimator"]]
    if case["name"].startswith(("vstat", "ustat")):
        return ESTIMATORS[case["name"][0]]
    return E.compat_ring() if p.get("linear") else E.compat_nonlinear()


@pytest.mark.parametrize("case", cases("mkmmd", "mmdvar"))
def test_mmd(case, dtype):
    p = case["params"]
    if p.get("quadratic_program") or p.get("accumulate"):
        pytest.skip("weighted_mmd and the accumulated ring are not in the Python package")
    check = Check(case, dtype)
    kernel = add([single(one) for one in p["kernels"]]) if "kernels" in p else gaussians(p)
    x, y = (z.reshape(len(z), -1) for z in (check.inputs["z_s"], check.inputs["z_t"]))
    value, gx, gy = da.mmd(x, y, kernel, estimator_of(case), gradient=True)
    check("loss", value), check("grad.z_s", gx.reshape(check.inputs["z_s"].shape)), check("grad.z_t", gy.reshape(check.inputs["z_t"].shape))
    assert check.done == 3


@pytest.mark.parametrize("case", cases("jmmd"))
def test_jmmd(case, dtype):
    p = case["params"]
    if p.get("theta"):
        pytest.skip("a layer's gradients, which are PyTorch's there")
    check = Check(case, dtype)
    z = check.inputs
    kernels = (gaussians(p["layer1"]), gaussians(p["layer2"]))
    value, gx, gy = da.joint_mmd((z["z1_s"], z["z2_s"]), (z["z1_t"], z["z2_t"]), kernels, estimator_of(case), gradient=True)
    check("loss", value)
    for layer in range(2):
        check(f"grad.z{layer + 1}_s", gx[layer]), check(f"grad.z{layer + 1}_t", gy[layer])
    assert check.done == 5


@pytest.mark.parametrize("case", cases("mcd"))
def test_mcd(case, dtype):
    check = Check(case, dtype)
    z = check.inputs
    if case["name"].startswith("discrepancy"):
        loss, g1, g2 = da.classifier_discrepancy_of_probabilities(z["p1"], z["p2"], gradient=True)
        check("loss", loss), check("grad.p1", g1), check("grad.p2", g2)
    elif case["name"].startswith("stepB"):
        check("discrepancy", da.classifier_discrepancy(z["logits1"], z["logits2"]))
    elif case["name"].startswith("entropy"):
        loss, g = da.class_balance_of_probabilities(z["p1"], gradient=True)
        check("loss", loss), check("grad.p1", g)
    else:
        pytest.skip("a network's head")
    assert check.done


@pytest.mark.parametrize("case", cases("mdd"))
def test_mdd(case, dtype):
    if "y_s_adv" not in {one["name"] for one in case["inputs"]}:
        pytest.skip("a network's classifier")
    check = Check(case, dtype)
    shapes = {name: value.shape for name, value in check.inputs.items()}
    rows = {name: value if value.ndim <= 2 else np.moveaxis(value, 1, -1).reshape(-1, value.shape[1]) for name, value in check.inputs.items()}
    order = [rows[name] for name in ("y_s", "y_s_adv", "y_t", "y_t_adv")]
    reduction = case["params"]["reduction"]
    loss, *found = da.compat_margin_disparity(*order, margin=case["params"]["margin"], reduction=reduction, gradient=True)
    if reduction == "none":  # DALIB adds the source's and the target's values
        if case["params"]["extra_dims"]:
            pytest.skip("positions are samples here")
        n = len(order[0])
        loss = loss[:n] + loss[n:]
        if "upstream" in check.inputs:
            found = [g * check.inputs["upstream"].reshape(-1, 1) for g in found]
        else:
            found = [g / n for g in found]  # gradient of the mean
    check("loss", loss)
    for name, g in zip(("y_s_adv", "y_t_adv"), found):
        shape = shapes[name]
        check("grad." + name, g if len(shape) == 2 else np.moveaxis(g.reshape(shape[0], *shape[2:], shape[1]), -1, 1))
    assert check.done == 3
