"""The project's goals, worked out from a run's records."""
from peers.cases import PYTORCH, ROWWISE


def find(records, mode="gradient", **wanted):
    """Records of a mode, of noise, that were measured and whose fields are as wanted."""
    records = (r for r in records if r.get("data", "noise") == "noise")
    fits = (r for r in records if r["mode"] == mode and all(r[key] == value for key, value in wanted.items()))
    return [r for r in fits if r["ours"]["seconds"]]


def ratio_to(record, forms):
    """How many times as long the fastest of these peers takes; None if none was measured."""
    return min((p["ratio"] for p in record["peers"] if p["form"] in forms and p["ratio"]), default=None)


def seconds(record):
    return record["ours"]["seconds"]


def ratios(records, forms):
    return [ratio for ratio in (ratio_to(record, forms) for record in records) if ratio]


def at_least(goal, wanted, figures, scale=1, unit="x"):
    if not figures:
        return goal, f">= {wanted * scale:g} {unit}", "not measured", "-"
    worst = min(figures)
    return goal, f">= {wanted * scale:g} {unit}", f"{worst * scale:.3g} {unit}", "yes" if worst >= wanted else "no"


def at_most(goal, wanted, figures, scale=1, unit="x"):
    if not figures:
        return goal, f"<= {wanted * scale:g} {unit}", "not measured", "-"
    worst = max(figures)
    return goal, f"<= {wanted * scale:g} {unit}", f"{worst * scale:.3g} {unit}", "yes" if worst <= wanted else "no"


def claims(records):
    """(goal, wanted, measured, met) for each goal; always the worst size."""
    mmd = find(records, measure="mmd")
    both = find(records, measure="mmd") + find(records, "value", measure="mmd")
    large = [r["fraction_of_peak"] for r in mmd if r["n_s"] >= 512 and r["features"] >= 256 and "fraction_of_peak" in r]
    value_share, joint_share = [], []
    for record in mmd:
        size = {"n_s": record["n_s"], "features": record["features"], "dtype": record["dtype"]}
        value_share += [seconds(v) / seconds(record) for v in find(records, "value", measure="mmd", **size)]
        joint_share += [seconds(j) / seconds(record) for j in find(records, measure="joint_mmd", **size)]
    linear = find(records, measure="linear_time")
    rowwise = [r for name in ROWWISE for r in find(records, measure=name)]
    deep = [r for name in ("resnet18", "resnet50") for r in find(records, measure=name)]
    digits = find(records, measure="lenet")
    network_memory = [
        r["ours"]["memory"] / min(p["memory"] for p in r["peers"] if p["memory"])
        for r in deep + digits
        if r["ours"]["memory"] and any(p["memory"] for p in r["peers"])
    ]
    memory = [r["ours"]["memory"] for r in both if r["ours"]["memory"] is not None and r["ours"]["memory"] >= 0]
    return [
        at_least("against DALIB's formulation", 100, ratios(both, ("dalib",))),
        at_least("against the best PyTorch", 5, ratios(both, PYTORCH)),
        at_least("against KeOps", 3, ratios(both, ("keops",))),
        at_least("share of the machine's peak, n >= 512, F >= 256", 0.8, large, 100, "%"),
        at_most("value and gradient at (32, 256)", 30e-6, [seconds(r) for r in find(mmd, n_s=32, features=256)], 1e6, "us"),
        at_most("peak memory beyond inputs and outputs", 64e6, memory, 1e-6, "MB"),
        at_most("value alone, of value and gradient", 0.45, value_share, 100, "%"),
        at_most("joint MMD (F, 31), of MMD on F", 1.4, joint_share),
        at_least("linear-time estimator, speed of a memory copy", 0.5, ratios(linear, ("copy",)), 100, "%"),
        at_least("training ResNet-18 and 50 against the best PyTorch", 1, ratios(deep, PYTORCH)),
        at_least("training the digits' LeNet against the best PyTorch", 2, ratios(digits, PYTORCH)),
        at_most("memory of training, of the leanest PyTorch's", 1, network_memory),
        at_least("row-wise losses against PyTorch op by op", 3, ratios(rowwise, ("dalib", "eager"))),
    ]
