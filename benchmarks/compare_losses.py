#!/usr/bin/env python3
"""Value and gradient of further losses against PyTorch and geomloss: one thread, processor time, float, the same inputs.

    benchmarks/compare_losses.py --program build/bin/losses_speed [--only sinkhorn swd coral lmmd mcc bnm] [--rows 512 4096]

Each time is the best of the runs that --seconds are enough for, at least one. For the Sinkhorn divergence errors are those of the gradient, relative
to the fixed point in double, and beside each time of geomloss stands ours with the largest tolerance whose error is no larger; of the other losses
PyTorch's gradient is compared with ours. A form that does not run says why."""
import argparse
import math
import pathlib
import resource
import subprocess
import tempfile
import time

import numpy as np
import torch

torch.set_num_threads(1)


def rows(n, columns, seed, shift=0.0, spread=1.0):
    return (np.random.default_rng(seed).standard_normal((n, columns)) * spread + shift).astype(np.float32)


class Program:
    """Our side, a process for each measurement, in a folder of its own."""

    def __init__(self, path, folder, seconds):
        self.path, self.folder, self.seconds = path, pathlib.Path(folder), seconds

    def run(self, measure, n, columns, setting, inputs, names=("gx", "gy")):
        """Processor time, value, gradients, peak memory in MiB."""
        for name, array in inputs.items():
            array.astype(np.float32).tofile(self.folder / f"{name}.f32")
        words = [self.path, str(self.folder), measure, str(n), str(columns), repr(setting), str(self.seconds)]
        seconds, value = map(float, subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())
        kind = ("f64", np.float64) if measure == "sinkhorn" and setting < 1e-8 else ("f32", np.float32)
        gradients = [np.fromfile(self.folder / f"{name}.{kind[0]}", kind[1]).reshape(n, columns) for name in names]
        return seconds, value, gradients, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def best_time(run, seconds):
    run()
    best, start = math.inf, time.process_time()
    while best == math.inf or time.process_time() - start < seconds:
        before = time.process_time()
        run()
        best = min(best, time.process_time() - before)
    return best


def with_gradient(loss, leaves):
    leaves = [torch.from_numpy(leaf).requires_grad_() for leaf in leaves]

    def run():
        value = loss(*leaves)
        return value.item(), [g.numpy() for g in torch.autograd.grad(value, leaves)]

    return run


def apart(ours, others):
    scale = max(np.abs(g).max() for g in ours)
    return max(np.abs(a - b).max() for a, b in zip(ours, others)) / scale


def line(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def sinkhorn(program, sizes, seconds):
    import geomloss

    line("n", "", "setting", "processor time", "error of the gradient", "value", "peak memory", "ours of no larger error, in turn")
    line(*["---"] * 8)
    for n in sizes:
        x, y = rows(n, 256, 1), rows(n, 256, 2, 0.25)
        inputs = {"x": x, "y": y}
        _, _, exact, _ = program.run("sinkhorn", n, 256, 1e-9, inputs)
        error = lambda g: math.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(g, exact)) / sum((b**2).sum() for b in exact))
        ours = {}  # error by tolerance, the largest first
        for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
            time_, value, g, _ = program.run("sinkhorn", n, 256, tolerance, inputs)
            ours[tolerance] = error(g)
            line(str(n), "ours", f"tolerance {tolerance:g}", f"{1e3 * time_:.1f} ms", f"{error(g):.1e}", f"{value:.5f}", "", "")
        scalings = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99) if n <= 1024 else (0.5, 0.9)
        for backend, scaling in [("tensorized", scaling) for scaling in scalings] + [("online", 0.5)]:
            loss = geomloss.SamplesLoss("sinkhorn", p=2, blur=4, scaling=scaling, backend=backend)
            try:
                run = with_gradient(loss, [x, y])
                before = time.process_time()
                value, g = run()
                spent = time.process_time() - before
                spent = spent if spent > 4 else best_time(run, seconds)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                cells = [f"{1e3 * spent:.1f} ms", f"{error(g):.1e}", f"{value:.5f}", f"{memory:.0f} MiB"]
                fine = next((tolerance for tolerance in ours if ours[tolerance] <= error(g)), None)
                if fine is not None:
                    again = program.run("sinkhorn", n, 256, fine, inputs)[0]
                    cells.append(f"{1e3 * again:.1f} ms at {fine:g}: {spent / again:.1f} times as fast")
                line(str(n), f"geomloss, {backend}", f"scaling {scaling}", *cells)
            except Exception as problem:  # a backend that this machine has not
                line(str(n), f"geomloss, {backend}", f"scaling {scaling}", f"does not run: {type(problem).__name__} {str(problem)[:80]}")


def swd(directions):
    directions = torch.from_numpy(directions)
    return lambda x, y: ((x @ directions).sort(0).values - (y @ directions).sort(0).values).square().mean()


def coral(x, y):
    covariance = lambda z: (lambda c: c.T @ c / (len(z) - 1))(z - z.mean(0))
    return (covariance(x) - covariance(y)).square().sum() / (4 * x.shape[1] ** 2)


def lmmd(labels, probabilities):
    """DSAN's, with the weights made once and the gaussians of one exponential by squaring."""
    classes = probabilities.shape[1]
    s = torch.nn.functional.one_hot(torch.from_numpy(labels).long(), classes).float()
    t = torch.from_numpy(probabilities)
    shared = (s.sum(0) > 0) & torch.nn.functional.one_hot(t.argmax(1), classes).bool().any(0)
    s, t = s / s.sum(0).clamp(min=1), t / t.sum(0)
    w = torch.cat([s, -t])[:, shared]
    weights = w @ w.T / max(int(shared.sum()), 1)

    def loss(x, y):
        z = torch.cat([x, y])
        norms = z.square().sum(1)
        squares = (norms[:, None] + norms[None, :] - 2 * z @ z.T).clamp(min=0)
        unit = squares.detach().sum() / (len(z) * (len(z) - 1))
        k = torch.exp(-squares / (4 * unit))
        total = k
        for _ in range(4):
            k = k * k
            total = total + k
        return (weights * total).sum()

    return loss


def mcc(logits):
    p = torch.softmax(logits / 2.5, 1)
    entropy = -(p * torch.log(p + 1e-30)).sum(1).detach()
    w = 1 + torch.exp(-entropy)
    w = len(p) * w / w.sum()
    m = (p * w[:, None]).T @ p
    m = m / m.sum(1, keepdim=True)
    return (m.sum() - m.trace()) / p.shape[1]


def bnm(logits):
    return -torch.linalg.matrix_norm(torch.softmax(logits, 1), "nuc") / len(logits)


def others(program, only, seconds):
    cases = []
    for n, f in ((36, 1024), (128, 256), (512, 256)):
        x, y = rows(n, f, 1), rows(n, f, 2, 0.25)
        theta = rows(f, 128, 3)
        theta /= np.linalg.norm(theta, axis=0)
        labels = np.random.default_rng(4).integers(0, 31, n).astype(np.float32)
        e = np.exp(rows(n, 31, 5, spread=2))
        p = e / e.sum(1, keepdims=True)
        cases.append(("swd", (n, f), 128, {"x": x, "y": y, "directions": theta}, swd(theta), "128 directions"))
        cases.append(("coral", (n, f), 0, {"x": x, "y": y}, coral, ""))
        cases.append(("lmmd", (n, f), 31, {"x": x, "y": y, "labels": labels, "probabilities": p}, lmmd(labels, p), "31 classes"))
    for n, c in ((36, 31), (64, 65), (128, 32), (512, 65)):
        x = rows(n, c, 6, spread=2)
        cases += [("mcc", (n, c), 0, {"x": x}, mcc, ""), ("bnm", (n, c), 0, {"x": x}, bnm, "")]
    line("loss", "shape", "", "ours", "PyTorch", "torch.compile", "times as fast as the better", "differs by")
    line(*["---"] * 8)
    for name, (n, c), setting, inputs, form, what in sorted(cases, key=lambda case: case[0]):
        if name not in only:
            continue
        leaves = [inputs[key] for key in ("x", "y") if key in inputs]
        ours, value, gradients, _ = program.run(name, n, c, setting, inputs, ("gx", "gy")[: len(leaves)])
        eager = with_gradient(form, leaves)
        other_value, other = eager()
        difference = max(apart(gradients, other), abs(value - other_value) / abs(value))
        times = [best_time(eager, seconds)]
        try:
            torch._dynamo.reset()
            times.append(best_time(with_gradient(torch.compile(form, dynamic=False), leaves), seconds))
        except Exception:  # not every operation has a compiled form
            times.append(math.inf)
        show = lambda t: f"{1e6 * t:.0f} us" if t < math.inf else "does not run"
        line(name, f"({n}, {c})", what, show(ours), show(times[0]), show(times[1]), f"{min(times) / ours:.1f}", f"{difference:.0e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ["sinkhorn", "swd", "coral", "lmmd", "mcc", "bnm"]
    parser.add_argument("--program", default="build/bin/losses_speed")
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    parser.add_argument("--rows", nargs="+", type=int, default=[512, 4096], help="of the Sinkhorn divergence")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(arguments.program, folder, arguments.seconds)
        if "sinkhorn" in arguments.only:
            sinkhorn(program, arguments.rows, arguments.seconds)
        if set(arguments.only) - {"sinkhorn"}:
            others(program, arguments.only, arguments.seconds)


if __name__ == "__main__":
    main()
