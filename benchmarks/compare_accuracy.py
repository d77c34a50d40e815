#!/usr/bin/env python3
"""Accuracy of the trainer's methods on the digits beside the same protocol in PyTorch with TLlib's losses. See benchmarks.md."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev

from compare import peers_python

HERE = Path(__file__).resolve().parent
TASKS = ["mnist:mnistm", "mnist:optdigits", "optdigits-wide:mnist", "mnist:optdigits-wide"]
# Each with the method of dalib_train that it is the reference of; several forms of one are TLlib's own variants.
METHODS = {
    "source-only": "source-only", "source-only-bn": "source-only-bn", "dann": "dann", "afn": "afn", "afn-kept-norm": "afn", "bsp": "bsp",
    "bsp-paper": "bsp-paper", "mcc": "mcc", "adda": "adda", "adda-reversal": "adda", "pada": "pada", "iwan": "iwan", "iwan-heavy": "iwan",
    "osbp": "osbp", "dsan": "dsan", "shot": "shot", "can": "can", "symnets": "symnets",
}  # fmt: skip
# What of ours is not a method of dalib_train but one with other settings.
SETTINGS = {"bsp-paper": ["bsp", "--bsp-weight", "1e-4"]}
OPEN_SET = {"osbp"}
# What dalib_train's results call these numbers.
OUR_NAMES = {"accuracy": "target_accuracy", "known": "os_star", "unknown": "unk", "harmonic": "h_score"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tllib", type=Path, help="checkout of github.com/thuml/Transfer-Learning-Library; without it only ours are run")
    parser.add_argument("--authors", type=Path, help="folder of checkouts of the authors' code, for dsan, shot, can and symnets")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["dann", "afn", "bsp", "mcc", "adda"])
    parser.add_argument("--tasks", nargs="+", metavar="SOURCE:TARGET", default=TASKS)
    parser.add_argument("--target-classes", metavar="C,...", help="the target has these classes alone, as in partial adaptation")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--numbers", choices=["torch", "trainer"], default="torch", help="whose random numbers PyTorch's trainings take")
    parser.add_argument("--trainer", type=Path, help="dalib_train; without it only the results of --ours and --json are shown beside")
    parser.add_argument("--ours", type=Path, nargs="+", default=[], metavar="FILE", help="what dalib_train --json wrote in earlier runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keeps every training's result; those that are in it are not run again")
    parser.add_argument("--data", type=Path, default=HERE.parent / "examples" / "trainer" / "data" / "digits", help="folder of the digits")
    parser.add_argument("--environment", type=Path, default=HERE / ".venv", help="the peers' virtual environment")
    return parser.parse_args()


class Results:
    """The accuracies of single trainings, written to a file as soon as each is known."""

    def __init__(self, path):
        self.path = path
        self.rows = json.loads(path.read_text()) if path and path.exists() else []

    def find(self, key):
        return next((row["found"] for row in self.rows if row["key"] == key), None)

    def add(self, key, found):
        self.rows.append({"key": key, "found": found})
        if self.path:
            self.path.write_text(json.dumps(self.rows, indent=1) + "\n")


def key_of(side, method, task, seed, options):
    classes = options.target_classes or "all"
    return {"side": side, "method": method, "task": task, "seed": seed, "iterations": options.iterations, "target_classes": classes}


def train_peer(python, method, task, seed, options):
    source, target = task.split(":")
    command = [python, HERE / "peers" / "torch_adaptation.py", "--data", options.data, "--method", method]
    for name in ("tllib", "authors"):
        if (folder := getattr(options, name)) is not None:
            command += [f"--{name}", folder]
    command += ["--source", source, "--target", target, "--seed", str(seed), "--iterations", str(options.iterations)]
    command += ["--threads", str(options.threads), "--numbers", options.numbers]
    if options.target_classes:
        command += ["--target-classes", options.target_classes]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def train_ours(method, task, seed, options):
    source, target = task.split(":")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [options.trainer, "--method", *SETTINGS.get(method, [method]), "--source", source, "--target", target]
        command += ["--no-baseline", "--no-pictures"]
        command += ["--seed", str(seed), "--seeds", "1", "--iterations", str(options.iterations), "--threads", str(options.threads)]
        command += ["--eval-every", str(options.iterations), "--checkpoint-every", str(options.iterations)]  # alike, but for the time
        command += ["--root", options.data, "--out", folder, "--json", result]
        if method in OPEN_SET:
            command += ["--open-set"]
        if options.target_classes:
            command += ["--target-classes", options.target_classes]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return found_in(json.loads(result.read_text())["methods"][0], 0)


def found_in(entry, number):
    """The accuracies of one training in dalib_train's results."""
    return {name: entry[ours]["runs"][number] for name, ours in OUR_NAMES.items() if ours in entry}


def side_of_peer(options):
    return "torch" if options.numbers == "torch" else "torch, trainer's numbers"


def read_ours(results, options):
    """Takes what dalib_train wrote where its iterations and classes are those asked for."""
    for path in options.ours:
        document = json.loads(path.read_text())
        for entry in document["methods"]:
            settings = entry["configuration"]
            if entry["iterations"] != options.iterations or ",".join(settings.get("target_classes", [])) != (options.target_classes or ""):
                continue
            task = f"{settings['source']}:{settings['target']}"
            for number in range(len(entry["target_accuracy"]["runs"])):
                key = key_of("ours", entry["method"], task, settings["seed"] + number, options)
                if results.find(key) is None:
                    results.add(key, found_in(entry, number))


def run_all(results, options):
    """Every training that is asked for and not known: method by method, the peer before ours, so that a part is a part of the table."""
    peers = options.tllib or options.authors
    python = peers_python(options.environment) if peers else None
    for seed in options.seeds:
        for method in options.methods:
            for task in options.tasks:
                sides = [(side_of_peer(options), method, lambda: train_peer(python, method, task, seed, options))] if peers else []
                own = METHODS[method]
                sides += [("ours", own, lambda: train_ours(own, task, seed, options))] if options.trainer else []
                for side, name, train in sides:
                    key = key_of(side, name, task, seed, options)
                    if results.find(key) is None:
                        results.add(key, train())
                        print(f"{side:6} {name:15} {task:22} seed {seed}  {results.find(key)['accuracy']:.1f}", file=sys.stderr, flush=True)


def summary(values):
    if not values:
        return "-"
    return f"{mean(values):.1f}" + (f" +- {stdev(values):.1f}" if len(values) > 1 else " (one seed)")


def verdict(ours, theirs):
    """Against the bound, the reference's mean less its deviation."""
    if not ours or len(theirs) < 2:
        return ""
    bound = mean(theirs) - stdev(theirs)
    return "within" if mean(ours) >= bound else f"{bound - mean(ours):.1f} below"


def print_table(results, options):
    print(f"{'method':15} {'task':22} {'number':9} {'ours':>18} {'TLlib, PyTorch':>18}   ours against mean - deviation")
    for method in options.methods:
        for task in options.tasks:
            found = {
                side: [row for seed in options.seeds if (row := results.find(key_of(side, name, task, seed, options))) is not None]
                for side, name in (("ours", METHODS[method]), (side_of_peer(options), method))
            }
            for number in OUR_NAMES if method in OPEN_SET else ["accuracy"]:
                ours, theirs = ([row[number] for row in found[side] if number in row] for side in found)
                print(f"{method:15} {task:22} {number:9} {summary(ours):>18} {summary(theirs):>18}   {verdict(ours, theirs)}")


def main():
    options = arguments()
    results = Results(options.json)
    read_ours(results, options)
    run_all(results, options)
    print_table(results, options)


if __name__ == "__main__":
    main()
