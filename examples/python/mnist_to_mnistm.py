#!/usr/bin/env python3
"""Adapts a classifier of MNIST to MNIST-M in PyTorch with this library's MMD, and with the best that we could write in PyTorch.

Both see the same batches. Printed are the target's test accuracy and an iteration's time, by the clock and of all processors together. The digits
are dalib's own copies.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import dalib_cpp.torch as dt

DIGITS = Path(__file__).resolve().parents[1] / "trainer" / "data" / "digits"


def idx(name):
    """An IDX file: two zero bytes, the type, the number of dimensions, the sizes, the elements."""
    data = gzip.open(DIGITS / f"{name}.gz").read()
    sizes = np.frombuffer(data, ">i4", data[3], 4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(*sizes).copy())


def images(name):
    pixels = idx(name).float() / 255
    if pixels.dim() == 3:  # grey: the same three times
        pixels = pixels.unsqueeze(-1).expand(-1, -1, -1, 3)
    return pixels.permute(0, 3, 1, 2).contiguous() * 2 - 1


def mmd_in_pytorch(x, y):
    """Five Gaussians by the mean rule, unbiased: one matrix product, one exponential, autograd for the rest."""
    z = torch.cat([x, y])
    n, m = len(x), len(y)
    z = z - z.mean(0).detach()
    norms = (z * z).sum(1)
    distances = (norms[:, None] + norms - 2 * z @ z.T).clamp_min(0)
    power = torch.exp(distances / (-8 * norms.detach().mean()))
    k = power
    for _ in range(4):
        power = power * power
        k = k + power
    within = lambda block: (block.sum() - block.diagonal().sum()) / (len(block) * (len(block) - 1))  # noqa: E731
    return within(k[:n, :n]) + within(k[n:, n:]) - 2 * k[:n, n:].mean()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 49, 256), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(256, 10)


def train(loss, data, iterations, batch, weight):
    torch.manual_seed(1)
    net, (x_s, labels_s, x_t) = Network(), data
    optimiser = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3, nesterov=True)
    begin, processor = time.perf_counter(), time.process_time()
    for _ in range(iterations):
        s, t = torch.randint(len(x_s), (batch,)), torch.randint(len(x_t), (batch,))
        f_s, f_t = net.features(torch.cat([x_s[s], x_t[t]])).split(batch)
        total = nn.functional.cross_entropy(net.head(f_s), labels_s[s])
        if loss is not None:
            total = total + weight * loss(f_s, f_t)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    return net.eval(), (time.perf_counter() - begin) / iterations, (time.process_time() - processor) / iterations


@torch.no_grad()
def accuracy(net, x, labels):
    return 100 * (net.head(net.features(x)).argmax(1) == labels).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--weight", type=float, default=1.0, help="of the MMD")
    arguments = parser.parse_args()
    data = images("mnist-train-images-idx3-ubyte"), idx("mnist-train-labels-idx1-ubyte").long(), images("mnistm-train-images-idx3-ubyte")
    test = images("mnistm-test-images-idx3-ubyte"), idx("mnistm-test-labels-idx1-ubyte").long()
    for name, loss in (("source only", None), ("MMD in PyTorch", mmd_in_pytorch), ("dalib_cpp.torch.MMDLoss", dt.MMDLoss())):
        net, seconds, processor = train(loss, data, arguments.iterations, arguments.batch, arguments.weight)
        print(f"{name:24} target accuracy {accuracy(net, *test):5.1f} %   {1e3 * seconds:6.1f} ms an iteration, {1e3 * processor:6.1f} of all processors", flush=True)


if __name__ == "__main__":
    main()
