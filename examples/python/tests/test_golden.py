"""The golden sets of losses through the Python functions."""

import dalib_cpp as da
import numpy as np
import pytest
from golden_set import B, Check, E, K, add, cases, gaussians, lies_here, single

pytestmark = lies_here


@pytest.mark.parametrize("case", cases("kernel"))
def test_kernel(case, dtype):
    check = Check(case, dtype)
    p = case["params"]
    kernel = K.gaussian(p["sigma"]) if "sigma" in p else K.gaussian(bandwidth=B.mean(p["alpha"]))
    x, r = check.inputs["X"], check.inputs["R"]
    check("K", da.kernel_matrix(x, kernel=kernel))
    check("grad.X", da.kernel_matrix_gradient(x, r, kernel=kernel)[1])
    assert check.done == 2


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
    if p.get("accumulate"):
        pytest.skip("the accumulated ring is not in the Python package")
    check = Check(case, dtype)
    weighted = p.get("quadratic_program", False)
    if weighted:
        assert p["alphas"] == [0.125, 0.25, 0.5, 1.0, 2.0]
        kernel = K.gaussian_ladder()
    else:
        kernel = add([single(one) for one in p["kernels"]]) if "kernels" in p else gaussians(p)
    x, y = (z.reshape(len(z), -1) for z in (check.inputs["z_s"], check.inputs["z_t"]))
    value, gx, gy = (da.weighted_mmd if weighted else da.mmd)(x, y, kernel, estimator_of(case), gradient=True)
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


def discriminator_of(check, torch):
    """Linear, batch norm, ReLU, twice, and a linear layer, with the case's numbers; the case's names of its parameters."""
    names = ("layer1", "bn1", None, "layer2", "bn2", None, "layer3")
    w = check.inputs
    h, f = w["D.layer1.weight"].shape
    nn = torch.nn
    net = nn.Sequential(nn.Linear(f, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, 1))
    net.to(torch.float64)
    with torch.no_grad():
        for name, layer in zip(names, net):
            if name is not None:
                layer.weight.copy_(torch.from_numpy(w[f"D.{name}.weight"]))
                layer.bias.copy_(torch.from_numpy(w[f"D.{name}.bias"]))
    return net, {name: layer for name, layer in zip(names, net) if name is not None}


def reversal_of(p, dt):
    reversal = dt.GradientReversal(p["grl"]["max_iters"], p["grl"]["alpha"], p["grl"]["lo"], p["grl"]["hi"])
    reversal.iteration += p["grl_iter"]
    return reversal


def check_network(check, loss, criterion, layers, features, torch):
    """Backward and compare; DALIB adds row i of the source and row i of the target to one value where that is one per row."""
    p = check.case["params"]
    if p["gradient_of"] == "loss":
        total = loss
    elif p["gradient_of"] == "mean(loss)":
        total = loss.sum() / (p["n_s"] if check.case["group"] == "dann" else len(loss))
    else:
        u = torch.from_numpy(check.inputs["upstream"]).squeeze(1)
        total = (loss * torch.cat((u, u))).sum()
    total.backward()
    pairs = loss.dim() == 1 and check.case["group"] == "dann"
    check("loss", (loss[: p["n_s"]] + loss[p["n_s"] :] if pairs else loss).detach().numpy())
    check("accuracy", criterion.accuracy)
    for name, f in zip(("f_s", "f_t"), features):
        check(f"grad.{name}", f.grad.numpy())
    for name, layer in layers.items():
        check(f"grad.D.{name}.weight", layer.weight.grad.numpy()), check(f"grad.D.{name}.bias", layer.bias.grad.numpy())
        if name.startswith("bn"):
            check(f"D.{name}.running_mean", layer.running_mean.numpy()), check(f"D.{name}.running_var", layer.running_var.numpy())
    assert check.done == 18


@pytest.mark.parametrize("case", cases("dann"))
def test_dann(case):
    torch = pytest.importorskip("torch")
    import dalib_cpp.torch as dt

    check, p = Check(case, "float64"), case["params"]
    if case["name"] == "bce_saturation":
        pytest.skip("DALIB's clamped logarithm: in the Python package the discriminator gives logits, and the loss is exact")
    net, layers = discriminator_of(check, torch)
    f = [torch.from_numpy(check.inputs[name]).requires_grad_() for name in ("f_s", "f_t")]
    criterion = dt.DANNLoss(net, reversal_of(p, dt), p["reduction"])
    check_network(check, criterion(*f), criterion, layers, f, torch)
    assert criterion.reversal.iteration == p["grl_iter"] + 1


@pytest.mark.parametrize("case", cases("cdan"))
def test_cdan(case):
    torch = pytest.importorskip("torch")
    import dalib_cpp.torch as dt

    check, p = Check(case, "float64"), case["params"]
    net, layers = discriminator_of(check, torch)
    of = {name: torch.from_numpy(check.inputs[name]).requires_grad_() for name in ("g_s", "f_s", "g_t", "f_t")}
    if p["randomized"]:
        map_ = dt.RandomisedMultilinearMap(p["F"], p["C"], p["randomized_dim"]).double()
        map_.R_f, map_.R_g = (torch.from_numpy(check.inputs[name]) for name in ("R_f", "R_g"))
    else:
        map_ = dt.MultilinearMap()
    conditioning = da.conditioning.compat_entropy() if p["entropy_conditioning"] else None
    criterion = dt.CDANLoss(net, map_, conditioning, reversal_of(p, dt), p["reduction"])
    loss = criterion(of["g_s"], of["f_s"], of["g_t"], of["f_t"])
    check_network(check, loss, criterion, layers, (of["f_s"], of["f_t"]), torch)
    assert of["g_s"].grad is None and of["g_t"].grad is None
    check("h", map_(torch.cat((of["f_s"], of["f_t"])), torch.cat((of["g_s"], of["g_t"]))).detach().numpy())


def further(case, z, labels):
    """The function for a case of the further losses, its inputs, the gradients' names and parameters; None: not in the Python package."""
    group, name, p = case["group"], case["name"], case["params"]
    both = (("f_s", "f_t"), ("f_s", "f_t"))
    if group == "coral":
        kind = "log_euclidean_coral" if "ridge" in p else "compat_coral" if name.startswith("tllib") else "coral"
        return kind, *both, {"ridge": p["ridge"]} if "ridge" in p else {}
    if group == "cmd":
        return "central_moment_discrepancy", *both, {"orders": p["K"], "low": p["a"], "high": p["b"]}
    if group == "afn" and "radius" in p:
        return "hard_feature_norm", *both, {"radius": p["radius"]}
    if group == "afn":
        return "stepwise_feature_norm", *both, {"step": p["delta"], "pooled": name.startswith("safn_pooled")}
    if group == "bsp":
        return "batch_spectral_penalisation", *both, {"count": p["k"]}
    one = (("y_t",), ("y_t",))
    if group == "mcc":
        return "minimum_class_confusion", *one, {"temperature": p["temperature"], "offset": p["entropy_eps"]}
    if group == "bnm":
        kinds = {"paper": "batch_nuclear_norm", "code": "batch_nuclear_norm", "fast": "fast_batch_nuclear_norm", "frobenius": "batch_frobenius_norm"}
        return kinds[name.partition("_")[0]], *one, {"by_singular_values": 1} if name.startswith("code") else {}
    if group == "symnets" and p["kind"] in ("category_confusion", "domain_confusion", "entropy"):
        domain, labels = ("s", ("labels_s",)) if p["kind"] == "category_confusion" else ("t", ())
        inputs = (f"a_{domain}", f"b_{domain}")
        return "symmetric_" + p["kind"], inputs + labels, inputs, {}
    if group == "jdot" and name.startswith("given"):
        factors = {"features": p["alpha"], "factor": p["lambda_t"]}
        return "joint_distribution_transport", ("g_s", "g_t", "y_t", "gamma", "labels_s"), ("g_s", "g_t", "y_t"), factors
    if group == "wasserstein" and "1d_uniform" in name:
        return "wasserstein", ("z_s", "z_t"), ("z_s", "z_t"), {"p": p["p"]}
    if group == "im" and name.startswith(("im_", "entropy_")):
        return "information_maximisation" if name.startswith("im_") else "prediction_entropy", *one, {"offset": p["eps"]}
    if group == "im" and p["eps"] == 0:
        return "tsallis_entropy", *one, {"alpha": p["alpha"]}
    if group == "osbp":
        return "unknown_class_boundary", *one, {"t": p["t"], "offset": p["eps"]}
    if group == "swd" and "p" in p:
        return "sliced_wasserstein", ("z_s", "z_t", "theta"), ("z_s", "z_t"), {"p": p["p"]}
    if group == "sinkhorn" and name.endswith("uniform") and p["reach"] is None:
        return "sinkhorn_divergence", ("x", "y"), ("x", "y"), {"p": p["p"], "blur": p["blur"], "debias": p["debias"]}
    if group == "energy" and p["estimator"] == "v":
        return "energy_distance", ("z_s", "z_t"), ("z_s", "z_t"), {"exponent": p["beta"]}
    if group == "lmmd" and p["fix_sigma"] is None:
        return "local_mmd", ("z_s", "z_t", "p_t", "y_s"), ("z_s", "z_t"), {"all_source_classes": p["mask"] != "code"}
    if group == "rff" and "ridge" in p:
        return "nystrom_mmd", ("z_s", "z_t", "landmarks"), ("z_s", "z_t"), {"sigma": p["sigma"], "ridge": p["ridge"]}
    if group == "rff" and name.startswith("cossin"):
        return "random_fourier_mmd", ("z_s", "z_t", "omega"), ("z_s", "z_t"), {}
    if group == "rff":
        z["phase"] = z["phase"].reshape(1, -1)
        return "random_cosine_mmd", ("z_s", "z_t", "omega", "phase"), ("z_s", "z_t"), {}
    if group == "adda" and name.startswith("mapping"):
        return "domain_label", ("d_t",), ("d_t",), {"label": 1}
    if group == "regression" and "margin" in p:
        adversarial = ("y_s_adv", "y_t_adv")
        return "regression_disparity", ("y_s", "y_s_adv", "y_t", "y_t_adv"), adversarial, {"margin": p["margin"], "squared": p["loss"] != "l1"}
    if group == "regression" and "trade_off" in p:
        return "representation_subspace_distance", *both, {"trade_off": p["trade_off"]}
    if group == "regression" and p.get("k") is None and p["threshold"] is not None:
        return "inverse_gram_alignment", *both, {"kept": p["threshold"], "angle": p["tradeoff_angle"], "scale_weight": p["tradeoff_scale"]}
    return None


FURTHER = ("symnets", "jdot", "wasserstein", "coral", "cmd", "afn", "bsp", "mcc", "bnm", "im", "osbp", "swd", "sinkhorn", "energy", "lmmd", "rff", "adda", "regression")


@pytest.mark.parametrize("case", cases(*FURTHER, of="losses_set"))
def test_further_losses(case, dtype):
    check = Check(case, dtype)
    found = further(case, check.inputs, check.labels)
    if found is None:
        pytest.skip("not in the Python package")
    name, inputs, differentiable, parameters = found
    if name in ("sinkhorn_divergence", "joint_distribution_transport", "wasserstein") or (name == "coral" and dtype == "float32"):
        check.least = 1e-8
    z = {**check.inputs, **check.labels}
    parameters = {key: float(value) for key, value in parameters.items()}
    loss, *gradients = getattr(da, name)(*(z[one] for one in inputs), **parameters, gradient=True)
    check("loss", loss)
    for one, g in zip(differentiable, gradients):
        check(f"grad.{one}", g)
    assert check.done == 1 + sum(f"grad.{one}" in check.outputs for one in differentiable)


@pytest.mark.parametrize("case", cases("symnets", of="losses_set"))
def test_domain_discrimination(case, dtype):
    if case["params"]["kind"] != "domain_discrimination":
        pytest.skip("further losses")
    check = Check(case, dtype)
    z = check.inputs
    first, a_s, b_s = da.symmetric_first(z["a_s"], z["b_s"], gradient=True)
    second, a_t, b_t = da.symmetric_second(z["a_t"], z["b_t"], gradient=True)
    check("loss", first + second)
    check("grad.a_s", a_s), check("grad.b_s", b_s), check("grad.a_t", a_t), check("grad.b_t", b_t)
    assert check.done == 5


@pytest.mark.parametrize("case", cases("pada", "iwan", of="losses_set"))
def test_partial_adaptation(case, dtype):
    check, p, M = Check(case, dtype), case["params"], da.model_selection
    z = check.inputs
    if case["group"] == "iwan":
        weights = M.importance_weights_of(z["d_s"], p["eps"])
        check("weight", weights)
        loss, g_s, g_t = da.weighted_domain_adversarial(z["d0_s"], z["d0_t"], weights.astype(dtype), gradient=True)
        check("loss", loss), check("grad.d0_s", g_s), check("grad.d0_t", g_t)
        assert check.done == 4
        return
    of_classes, labels = M.partial_class_weights(z["outputs_t"], p["temperature"]), check.labels["labels_s"]
    weights = of_classes[labels].astype(dtype)
    check("class_weight", of_classes), check("sample_weight", weights)
    for suffix, by_weight, factors in (("", 0.0, (1.0, 1.0)), ("_tllib", 1.0, (0.5, 0.5 * weights.mean(dtype="float64")))):
        value, g = da.weighted_cross_entropy(z["y_s"], weights, labels, by_weight=by_weight, gradient=True)
        check("classification" + suffix, value), check(f"grad{suffix}.y_s", g)
        value, g_s, g_t = da.weighted_domain_adversarial(
            z["d_s"], z["d_t"], weights, source_factor=factors[0], target_factor=factors[1], gradient=True
        )
        check("adversarial" + suffix, value), check(f"grad{suffix}.d_s", g_s), check(f"grad{suffix}.d_t", g_t)
    assert check.done == 12
