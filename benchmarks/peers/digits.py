"""The bundled digits as PyTorch tensors, prepared as examples/trainer/data/digits.hpp does it."""
import gzip
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

SIDE = 28


@dataclass(frozen=True)
class Domain:
    stem: str
    resized: int  # the rest up to SIDE is a border of zeros
    brightest: int
    first_test: int | None = None  # where both parts share a file


DOMAINS = {
    "mnist": Domain("mnist", 28, 255),
    "mnistm": Domain("mnistm", 28, 255),
    "optdigits": Domain("optdigits", 20, 16, 1297),
    "optdigits-wide": Domain("optdigits", 28, 16, 1297),
}


def read_idx(path):
    raw = gzip.decompress(path.read_bytes())
    dimensions = raw[3]
    sizes = np.frombuffer(raw, ">i4", dimensions, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(sizes)


def load(folder, name, part):
    """Images (n, 1, 28, 28) in [-1, 1] and labels of the part `train` or `test`."""
    domain = DOMAINS[name]
    stem = domain.stem if domain.first_test else f"{domain.stem}-{part}"
    pixels, labels = (read_idx(folder / f"{stem}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
    if domain.first_test:
        rows = slice(domain.first_test) if part == "train" else slice(domain.first_test, None)
        pixels, labels = pixels[rows], labels[rows]
    images = torch.tensor(pixels, dtype=torch.float32)[:, None] / domain.brightest
    images = F.interpolate(images, size=(domain.resized, domain.resized), mode="bilinear", align_corners=False)
    border = (SIDE - domain.resized) // 2
    return (F.pad(images, [border] * 4) - 0.5) / 0.5, torch.tensor(labels, dtype=torch.int64)


def of_classes(images, labels, classes):
    chosen = torch.isin(labels, torch.tensor(classes))
    return images[chosen], labels[chosen]


class Batches:
    """Endless mini-batches in passes of new orders; a last partial batch is dropped."""

    def __init__(self, images, labels, size, generator):
        self.images, self.labels, self.size, self.generator = images, labels, size, generator
        self.order = torch.empty(0, dtype=torch.int64)

    def next(self):
        if len(self.order) < self.size:
            self.order = torch.randperm(len(self.labels), generator=self.generator)
        rows, self.order = self.order[: self.size], self.order[self.size :]
        return self.images[rows], self.labels[rows]
