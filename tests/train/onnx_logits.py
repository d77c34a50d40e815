#!/usr/bin/env python3
"""Usage: onnx_logits.py PROGRAMS DRAWN FOLDER. onnxruntime gives the logits and features that dalib gives, to 1e-4, for every kind of network,
and for any number of rows. Needs numpy and onnxruntime (pip install onnxruntime); fails with a sentence."""
import pathlib
import shutil
import subprocess
import sys

import numpy
import onnxruntime

programs, drawn, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)


def run(program, *options):
    done = subprocess.run([programs / program, *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{program} {options}: {done.stdout}{done.stderr}")


short = ["--no-baseline", "--no-pictures", "--iterations", "6", "--batch-size", "16", "--eval-every", "6"]
photos = ["--source", drawn / "studio", "--target", drawn / "field"]
cases = {
    "digits": ["--source", "mnist", "--target", "mnistm", "--method", "dan,dann,mdd,mcd,mcc+dann"],
    "table": ["--source", drawn / "plant-a.csv", "--target", drawn / "plant-b.csv", "--label", "product", "--method", "source-only,mdd,mcd"],
    "linear": ["--source", drawn / "plant-a-features.npy", "--target", drawn / "plant-b-features.npy", "--arch", "linear", "--method", "dan,mcd"],
    "lenet": [*photos, "--arch", "lenet", "--image-side", "28", "--method", "jan"],
    "resnet18": [*photos, "--arch", "resnet18", "--image-side", "32", "--method", "dan"],
    "frozen": [*photos, "--arch", "resnet18", "--image-side", "32", "--frozen-backbone", "--method", "mdd"],
    "resnet50": [*photos, "--arch", "resnet50", "--image-side", "32", "--frozen-backbone", "--method", "dann"],
}
compared = 0
for name, options in cases.items():
    run("dalib_train", *options, *short, "--out", folder / name)
    for model in sorted((folder / name).glob("*-seed-1/model.safetensors")):
        start = model.parent / "check"
        run("dalib_export", "--model", model.parent, "--onnx", f"{start}.onnx", "--example", start)
        session = onnxruntime.InferenceSession(f"{start}.onnx", providers=["CPUExecutionProvider"])
        rows = numpy.load(f"{start}-input.npy")
        for count in (3, 1):
            for kind, got in zip(("logits", "features"), session.run(["logits", "features"], {"input": rows[:count]})):
                wanted = numpy.load(f"{start}-{kind}.npy")[:count]
                error = numpy.abs(got - wanted).max() / max(1, numpy.abs(wanted).max())
                if got.shape != wanted.shape or not error < 1e-4:
                    sys.exit(f"{name}, {model.parent.name}: the {kind} differ by {error}")
                compared += 1
print(f"onnx_logits: passed, {compared} arrays")
