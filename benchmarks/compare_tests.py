#!/usr/bin/env python3
"""Processor time of two-sample tests: this library's, alibi-detect's permutation test, the best form in PyTorch (the kernel matrix once, then one
product with the indicators of all permutations), and MMDAgg's own package where it is installed. One thread each, the same sizes.

    cmake --build build --target benchmark_two_sample_tests
    python3 benchmarks/compare_tests.py --build build        # with torch, and alibi-detect and mmdagg if they shall take part
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path


def ours(program, task, n, features, draws):
    """Median milliseconds of one call, and the process's peak memory in MiB."""
    out = subprocess.run([program, task, str(n), str(features), str(draws), "1"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def median_time(call, seconds=1.5, most=101):
    """Median milliseconds of the processor; one call before it is not counted, unless it takes longer than all the time there is."""
    times = []
    until = time.process_time() + seconds
    while True:
        start = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - start))
        if time.process_time() > until or len(times) >= most:
            break
    return statistics.median(times[1:] if len(times) > 2 else times)


def torch_samples(n, features):
    import torch

    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, features, generator=generator)
    return x, torch.randn(n, features, generator=generator) + 0.05


def torch_form(n, features, draws):
    """K once, then K Z for the indicators of all permutations."""
    import torch

    x, y = torch_samples(n, features)
    sigma = float(features)

    def call():
        z = torch.cat([x, y])
        norms = (z * z).sum(1)
        kernel = torch.exp_((norms[:, None] + norms[None, :]).addmm_(z, z.T, alpha=-2).mul_(-0.5 / sigma**2))
        kernel.fill_diagonal_(0)
        order = torch.rand(draws, 2 * n).argsort(1)[:, :n]
        indicators = torch.zeros(draws + 1, 2 * n)
        indicators[1:].scatter_(1, order, 1.0)
        indicators[0, :n] = 1
        products = indicators @ kernel
        across = (products * (1 - indicators)).sum(1)
        whole = kernel.sum()
        statistic = (whole - 2 * across) / (n * (n - 1)) - 2 * across / (n * n)
        return float((1 + (statistic[1:] >= statistic[0]).sum()) / (1 + draws))

    with torch.no_grad():
        return median_time(call)


def alibi(n, features, draws):
    import torch
    from alibi_detect.cd import MMDDrift

    x, y = torch_samples(n, features)
    detector = MMDDrift(x.numpy(), backend="pytorch", n_permutations=draws, sigma=torch.tensor([float(features)]).numpy(), device="cpu")
    return median_time(lambda: detector.predict(y.numpy(), return_p_val=True))


def mmdagg_package(n, features):
    from mmdagg.np import mmdagg

    x, y = torch_samples(n, features)
    return median_time(lambda: mmdagg(x.numpy(), y.numpy(), number_bandwidths=10, B1=500, B2=500))


def attempt(name, call):
    try:
        return call()
    except ImportError as error:
        print(f"{name}: not there ({error})", file=sys.stderr)
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 2048], help="rows of each sample")
    parser.add_argument("--features", type=int, default=256)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--memory", action="store_true", help="also the memory at 20,000 rows, which takes a minute")
    o = parser.parse_args()
    program = o.build / "bin" / "benchmark_two_sample_tests"
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        pass
    print("| test | n | ours, ms | other | other, ms | times as fast |\n|---|---|---|---|---|---|")

    def row(task, n, own, other, theirs):
        times = f"{theirs:.4g} | {theirs / own:.3g}" if theirs else "- | -"
        print(f"| {task} | {n} | {own:.4g} | {other} | {times} |", flush=True)

    for n in o.sizes:
        own = ours(program, "permutation", n, o.features, o.draws)["ms"]
        row("permutation", n, own, "one MMD with gradient, ours", ours(program, "mmd", n, o.features, 0)["ms"])
        row("permutation", n, own, "PyTorch, K Z", attempt("torch", lambda n=n: torch_form(n, o.features, o.draws)))
        row("permutation", n, own, "alibi-detect", attempt("alibi-detect", lambda n=n: alibi(n, o.features, o.draws)))
    own = ours(program, "mmdagg", 500, 10, 500)["ms"]
    row("MMDAgg, 10 x 2 kernels, F = 10", 500, own, "mmdagg", attempt("mmdagg", lambda: mmdagg_package(500, 10)))
    if o.memory:
        big = ours(program, "permutation", 20000, 16, 500)
        print(f"\n20,000 rows in each sample, 500 permutations: {big['peak_mib']:.4g} MiB at most, {big['ms'] / 1e3:.3g} s")


if __name__ == "__main__":
    main()
