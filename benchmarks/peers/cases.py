"""What is compared: measures, sizes, contestants."""
from dataclasses import dataclass, replace

NAMES = {
    "dalib": "DALIB's formulation",
    "eager": "PyTorch",
    "eager_direct": "PyTorch, gradient by hand",
    "compiled": "torch.compile",
    "compiled_direct": "torch.compile, gradient by hand",
    "keops": "KeOps",
    "geomloss_tensorized": "geomloss (tensorized)",
    "geomloss_online": "geomloss (online)",
    "copy": "memory copy",
}
# The best of these is "the best PyTorch".
PYTORCH = ("eager", "eager_direct", "compiled", "compiled_direct")
ROWWISE = ("domain_adversarial", "margin_disparity", "classifier_discrepancy", "multilinear_map")

NETWORKS = ("resnet18", "resnet50", "lenet")

# (worker, form) of every peer; "ours" means that our own worker measures it, as a yardstick.
PEERS = {
    "mmd": [("torch", form) for form in ("dalib", *PYTORCH)] + [("keops", "keops")],
    "mmd_gaussian": [("keops", "geomloss_tensorized"), ("keops", "geomloss_online")],
    "sinkhorn": [("keops", "geomloss_tensorized"), ("keops", "geomloss_online")],
    "joint_mmd": [("torch", form) for form in ("dalib", "eager", "compiled")] + [("keops", "keops")],
    "linear_time": [("ours", "copy"), ("torch", "eager"), ("torch", "compiled")],
    "classifier_discrepancy": [("torch", "eager"), ("torch", "compiled")],
    **{name: [("torch", form) for form in ("dalib", "eager", "compiled")] for name in ROWWISE if name != "classifier_discrepancy"},
    **{name: [("torch", form) for form in ("eager", "compiled")] for name in NETWORKS},
}


def peers_of(case):
    """(worker, form) of a case's peers. Gradients by hand make no difference to the value alone."""
    return [peer for peer in PEERS[case.measure] if case.mode == "gradient" or not peer[1].endswith("_direct")]


SIZES = [(32, 256), (36, 1024), (128, 256), (512, 256), (512, 2048), (2048, 256), (8192, 256), (50000, 256)]
QUICK_SIZES = [(32, 256), (36, 1024), (128, 256)]


@dataclass(frozen=True)
class Case:
    measure: str
    dtype: str
    n_s: int
    n_t: int
    features: int
    classes: int
    mode: str  # "value" or "gradient", which means value and gradient
    data: str = "noise"  # what the rows of a two-sample measure are like; see inputs.arranged

    @property
    def group(self):
        """Cases of one group are run by the same workers."""
        return self.measure, self.dtype, self.n_s, self.n_t, self.features, self.classes

    def words(self):
        return " ".join(f"{key}={value}" for key, value in vars(self).items())

    def flops(self):
        """Multiplications and additions of the matrix products that the case needs: a product for half of the pairs (they are symmetric),
        and with gradients a pull-back to both rows of each. Zero for measures without products."""
        if self.measure not in ("mmd", "mmd_gaussian", "joint_mmd"):
            return 0
        width = self.features + (self.classes if self.measure == "joint_mmd" else 0)
        return (3 if self.mode == "gradient" else 1) * (self.n_s + self.n_t) ** 2 * width


def pairwise(measure, dtype, sizes, classes=0):
    return [Case(measure, dtype, n, n, f, classes, mode) for n, f in sizes for mode in ("gradient", "value")]


def all_cases(dtype, sizes, quick):
    """The cases of a run, measure by measure; `sizes` are the (n, F) of the MMD."""
    cases = pairwise("mmd", dtype, sizes)
    # Features are seldom noise: those of a trained network are clustered, domains lie apart before adaptation, one row may be broken.
    cases += [
        replace(case, data=data)
        for data in ("clustered", "apart", "outlier")
        for case in pairwise("mmd", dtype, [s for s in sizes if s[0] <= 2048 and s[1] <= 1024])
        if case.mode == "gradient"
    ]
    moderate = [(n, f) for n, f in sizes if n <= 8192]
    cases += [c for c in pairwise("mmd_gaussian", dtype, moderate) if c.mode == "gradient"]
    cases += [c for c in pairwise("sinkhorn", dtype, [s for s in moderate if s[1] == 256 and 512 <= s[0] <= 2048]) if c.mode == "gradient"]
    cases += [c for c in pairwise("joint_mmd", dtype, [s for s in moderate if s[1] == 256 and s[0] <= 2048], 31) if c.mode == "gradient"]
    samples = 10_000 if quick else 500_000
    cases += pairwise("linear_time", dtype, [(samples, 256)])
    for batch in (36,) if quick else (36, 512, 8192):
        cases.append(Case("domain_adversarial", dtype, batch, batch, 1, 0, "gradient"))
        for classes in (31,) if quick else (31, 345):
            cases.append(Case("margin_disparity", dtype, batch, batch, 0, classes, "gradient"))
            cases.append(Case("classifier_discrepancy", dtype, batch, batch, 0, classes, "gradient"))
        cases.append(Case("multilinear_map", dtype, batch, batch, 256, 31, "gradient"))
    # A training iteration of DAN ("gradient") and inference ("value"); features is the side of the images.
    networks = [("lenet", 64, 28, 10)] + ([] if quick else [("resnet18", 16, 224, 31), ("resnet50", 16, 224, 31)])
    for name, batch, side, classes in networks:
        cases += [Case(name, dtype, batch, batch, side, classes, mode) for mode in ("gradient", "value")]
    return cases
