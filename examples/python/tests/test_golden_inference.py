"""The golden set of tests and scores through the Python functions."""

import dalib_cpp as da
import pytest
from golden_set import Check, cases, lies_here, single

pytestmark = lies_here


def check_result(check, result):
    for name in ("statistic", "p_value", "threshold", "reject"):
        check(name, getattr(result, name))
    for name, number in result.details.items():
        check(name, number)


@pytest.mark.parametrize("case", cases("test_linear_time", "test_spectrum", "test_gamma", "ksd", of="inference_set"))
def test_fitted_laws(case):
    check, p, I = Check(case, "float64"), case["params"], da.inference
    z, kernel = check.inputs, p["kernel"]
    if case["group"] == "ksd":
        numbers = {"sigma": kernel["sigma"]} if kernel["type"] == "gaussian" else {"c": kernel["c"], "beta": kernel["beta"]}
        if "counts" in check.labels:
            pytest.skip("multinomial counts are drawn, not given")
        form = "unbiased" if "_U_" in case["name"] else "biased"
        result = I.stein_test(z["X"], z["score"], form=form, weights=z["signs"], alpha=p["alpha"], keep_null=True, **numbers)
        check("bootstrapped", result.null_sample)
    elif kernel["type"] in ("polynomial", "linear", "laplacian_l1"):
        pytest.skip("only kernels of the squared distance are compiled for tests")
    elif case["group"] == "test_gamma":
        result = I.gamma_test(z["X"], z["Y"], single(kernel), alpha=p["alpha"])
    elif case["group"] == "test_spectrum":
        options = {"biased": p["estimator"] == "V", "eigenvalues": p["eigenvalues"], "alpha": p["alpha"], "keep_null": True}
        result = I.spectrum_test(z["X"], z["Y"], single(kernel), weights=z["normals"], **options)
        check("null_samples", result.null_sample), check("eigenvalues", result.values)
    elif "rows" in p:
        options = {"rows": p["rows"], "pairs": p["within"], "alpha": p["alpha"], "keep_null": True}
        result = I.block_test(z["X"], z["Y"], single(kernel), **options)
        check("blocks", result.null_sample)
    else:
        options = {"variance": p["variance"], "alpha": p["alpha"], "keep_null": True}
        result = I.linear_time_test(z["X"], z["Y"], single(kernel), **options)
        check("h", result.null_sample)
    check_result(check, result)
    assert check.done >= 4


@pytest.mark.parametrize("case", cases("dependence", of="inference_set"))
def test_dependence(case):
    check, p, I = Check(case, "float64"), case["params"], da.inference
    z = check.inputs
    if not case["name"].startswith(("hsic_gamma", "hsic_V_perm", "hsic_U_perm")):
        pytest.skip("another function, or not in the Python package")
    kernels = single(p["kernel_x"]), single(p["kernel_y"])
    if case["name"].startswith("hsic_gamma"):
        result = I.independence_gamma_test(z["X"], z["Y"], *kernels, alpha=p["alpha"])
    else:
        options = {"biased": p["estimator"] == "V", "alpha": p["alpha"], "keep_null": True}
        result = I.independence_test(z["X"], z["Y"], *kernels, permutations=check.labels["permutations"], **options)
        check("permuted", result.null_sample)
    check_result(check, result)
    assert check.done >= 4


@pytest.mark.parametrize("case", cases("selection", of="inference_set"))
def test_model_selection(case):
    check, p, M = Check(case, "float64"), case["params"], da.model_selection
    z, kind = {**check.inputs, **check.labels}, case["name"].partition("_n")[0]
    names = {
        "entropy": "entropy", "information_maximisation": "information_maximisation", "confidence": "confidence", "softmax_correlation":
        "softmax_correlation", "snd_tau0.05": "soft_neighbourhood_density", "bnm_bound": "nuclear_norm", "mcc": "class_confusion", "mano_auto": "mano",
    }  # fmt: skip
    if kind in names:
        check("score", M.label_free_scores(z["logits"])[names[kind]])
    elif kind == "class_cluster" and p["normalised"]:
        found = M.label_free_scores(z["logits"], z["features"])
        check("ami", found["class_ami"]), check("silhouette", found["class_silhouette"])
    elif "losses" in z:
        if case["name"].startswith("dev"):
            found = M.deep_embedded_validation(z["weights"], z["losses"])
        else:
            found = M.importance_weighted_validation(z["weights"], z["losses"], p["self_normalised"])
        check("risk", found.risk), check("score", found.score), check("eta", found.eta)
    elif "domain_logits" in z:
        check("weights", M.importance_weights(z["domain_logits"], p["n_s"], p["n_t"]))
    elif "domains" in z:
        found = M.proxy_a_distance(z["domains"], z["predictions"])
        check("error", found.error), check("d_A", found.distance), check("d_A_balanced", found.balanced_distance), check("score", found.score)
    else:
        pytest.skip("a setting that is not in the Python package")
    assert check.done


@pytest.mark.parametrize("case", cases("test_permutation", "test_wild_bootstrap", "witness", of="inference_set"))
def test_inference(case):
    check, p = Check(case, "float64"), case["params"]
    z, kernel = {**check.inputs, **check.labels}, p.get("kernel")
    radial = ("gaussian", "laplacian", "rational_quadratic")
    if kernel is None or kernel["type"] not in radial or "V" in z or not {"sigma", "s", "a"} & set(kernel):
        pytest.skip("not in the Python package")
    kernel = single(kernel)
    if case["group"] == "witness":
        check("witness", da.inference.witness(z["X"], z["Y"], z["points"], kernel))
        assert check.done == 1
        return
    options = {"alpha": p["alpha"], "keep_null": True}
    if case["group"] == "test_permutation":
        result = da.inference.permutation_test(z["X"], z["Y"], kernel, biased=p["estimator"] == "V", permutations=z["permutations"], **options)
        check("permuted", result.null_sample)
    else:
        if "W" not in z:
            pytest.skip("draws for each sample")
        form = "independent" if case["name"].startswith("wild_u") else "centred" if p.get("centred") else "dependent"
        result = da.inference.wild_bootstrap_test(z["X"], z["Y"], kernel, form=form, weights=z["W"], **options)
        check("bootstrapped", result.null_sample)
    check("statistic", result.statistic), check("p_value", result.p_value), check("threshold", result.threshold)
    check("reject", result.reject)
    assert check.done >= 4
