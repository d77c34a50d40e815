#!/usr/bin/env python3
"""Usage: torch_weights.py TRAIN DRAWN FOLDER. A .pth that PyTorch itself wrote serves as weights, whatever its types and the order of its entries, and gives the
bits that the same numbers in a safetensors file give. Needs PyTorch; fails with a sentence."""
import json
import pathlib
import shutil
import struct
import subprocess
import sys

import torch

train, drawn, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
network = ["--source", drawn / "studio", "--target", drawn / "field", "--arch", "resnet18", "--image-side", "32", "--frozen-backbone", "--method", "dan",
           "--no-baseline", "--no-pictures", "--iterations", "4", "--eval-every", "2", "--batch-size", "16"]


def run(out, *options, code=0):
    done = subprocess.run([train, *network, "--out", folder / out, *options], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"exit code {done.returncode} in place of {code} with {options}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def read_safetensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        if tensor["dtype"] == "F32":
            yield name, torch.frombuffer(bytearray(data[8 + size + begin : 8 + size + end]), dtype=torch.float32).reshape(tensor["shape"])


run("start", "--seed", "5")
numbers = {n.removeprefix("backbone."): t for n, t in read_safetensors(folder / "start/model.safetensors") if n.startswith("backbone.")}
generator = torch.Generator().manual_seed(1)
state = {n: t * (1 + 0.01 * torch.randn(t.shape, generator=generator)).clamp(min=0.9) for n, t in numbers.items()}
state |= {n.replace("running_mean", "num_batches_tracked"): torch.tensor(7) for n in numbers if n.endswith("running_mean")}
state |= {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
torch.save(state, folder / "plain.pth")
torch.save(dict(reversed(state.items())), folder / "reversed.pth")
strided = {n: t.transpose(0, 1).contiguous().transpose(0, 1) if t.ndim == 2 else t.to(memory_format=torch.channels_last) if t.ndim == 4 else t
           for n, t in state.items()}
torch.save(strided, folder / "strided.pth")
torch.save({n: torch.nn.Parameter(t) if t.is_floating_point() else t for n, t in state.items()}, folder / "parameters.pth")
torch.save({n: t.double() if t.is_floating_point() else t for n, t in state.items()}, folder / "double.pth")

header, blob = {}, b""
for name, tensor in state.items():
    if tensor.is_floating_point():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(blob), len(blob) + len(raw)]}
        blob += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(folder / "same.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + blob)

run("same", "--weights", folder / "same.safetensors")
wanted = (folder / "same/model.safetensors").read_bytes()
for kind in ("plain", "reversed", "parameters", "double"):
    run(kind, "--weights", folder / f"{kind}.pth")
    here = dict(read_safetensors(folder / f"{kind}/model.safetensors"))
    there = dict(read_safetensors(folder / "same/model.safetensors"))
    if here.keys() != there.keys() or not all(torch.equal(here[n], there[n]) for n in here):
        sys.exit(f"{kind}.pth gives another model than the safetensors file with the same numbers")
    if not torch.equal(here["backbone.conv1.weight"], state["conv1.weight"]):
        sys.exit(f"{kind}.pth was not used")
said = run("strided", "--weights", folder / "strided.pth", code=1)
if "save tensor.contiguous()" not in said:
    sys.exit(f"tensors in another order are not refused with what to do: {said}")
torch.save(torch.nn.Linear(3, 2), folder / "module.pth")
said = run("module", "--weights", folder / "module.pth", code=1)
if "torch.nn.modules.linear" not in said:
    sys.exit(f"a pickled module is not refused by name: {said}")
torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
said = run("old", "--weights", folder / "old.pth", code=1)
if "old.pth" not in said:
    sys.exit(f"the old format is not refused with the file's name: {said}")
print("torch_weights: passed")
