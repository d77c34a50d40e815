#!/usr/bin/env python3
"""Time of one training iteration of each method on the digits: dalib_train and PyTorch in turn, on the same threads. See benchmarks.md."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from compare import peers_python

HERE = Path(__file__).resolve().parent
METHODS = ["source-only", "dann", "dan", "jan", "cdan", "cdan-e", "mcd", "mdd"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--iterations", type=int, default=100, help="iterations of one measurement (default 100)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each side (default 5); the table shows medians")
    parser.add_argument("--late", nargs="*", choices=METHODS, default=["dan", "mdd"], help="also after training (default: dan mdd)")
    parser.add_argument("--after", type=int, default=1000, metavar="N", help="iterations before those that are late (default 1000)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers")
    parser.add_argument("--build", type=Path, default=HERE.parent / "build", help="build folder of the library (default: build)")
    parser.add_argument("--environment", type=Path, default=HERE / ".venv", help="the peers' virtual environment")
    return parser.parse_args()


def build_trainer(folder):
    configure = ["cmake", "-S", HERE.parent, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DDALIB_SANITIZE=", "-DDALIB_BUILD_EXAMPLES=ON"]
    for command in (configure, ["cmake", "--build", folder, "--target", "dalib_train"]):
        subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / "bin" / "dalib_train"


def ours(trainer, method, options, before=0):
    """Milliseconds of one iteration as the trainer counts them: without evaluations and pictures. Of those after the first `before`."""
    with tempfile.TemporaryDirectory() as folder:

        def milliseconds(iterations, *more):
            """Of all iterations together, those of a run that is resumed too."""
            result = Path(folder) / "result.json"
            command = [trainer, "--method", method, "--no-baseline", "--source", "mnist", "--target", "mnistm", "--no-pictures"]
            command += ["--iterations", str(iterations), "--threads", str(options.threads), "--out", folder, "--json", result, *more]
            # Often enough not to matter, and the same in a run that is resumed.
            command += ["--eval-every", str(options.iterations), "--checkpoint-every", str(options.iterations)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return iterations * json.loads(result.read_text())["methods"][0]["milliseconds_per_iteration"]["mean"]

        early = milliseconds(before) if before else 0
        return (milliseconds(before + options.iterations, *(["--resume"] if before else [])) - early) / options.iterations


class Peer:
    """PyTorch in a process of its own, which waits in a read while others are measured."""

    def __init__(self, python, threads):
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        command = [python, HERE / "peers" / "torch_training.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def milliseconds(self, method, count, channels_last):
        self.process.stdin.write(f"{method} {count} {int(channels_last)}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def main():
    options = arguments()
    trainer = build_trainer(options.build.resolve())
    peer = Peer(peers_python(options.environment), options.threads)
    rows = []
    print(f"{'method':12} {'ours':>9} {'PyTorch':>9} {'channels last':>14} {'ratio':>7}   ms per iteration, {options.threads} threads", flush=True)
    for method, before in [(name, 0) for name in options.methods] + [(name, options.after) for name in options.late]:
        times = {"ours": [], "torch": [], "torch_channels_last": []}
        for _ in range(options.rounds):
            times["ours"].append(ours(trainer, method, options, before))
            times["torch"].append(peer.milliseconds(method, options.iterations, False))
            times["torch_channels_last"].append(peer.milliseconds(method, options.iterations, True))
        own, plain, last = (median(times[key]) for key in times)
        rows.append({"method": method, "after": before, "times": times, "ratio": min(plain, last) / own})
        name = f"{method}, late" if before else method
        print(f"{name:12} {own:9.2f} {plain:9.2f} {last:14.2f} {min(plain, last) / own:7.2f}", flush=True)
    if options.late:
        print(f"late: after {options.after} iterations, when features are clustered; PyTorch's time does not depend on them")
    print("ratio: the better of PyTorch's layouts, its time divided by ours")
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, "iterations": options.iterations, "methods": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
