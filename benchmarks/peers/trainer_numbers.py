"""Initial weights, batches and dropout of a training by dalib_train with a seed, for PyTorch: both trainings then take the same steps.

The generator is that of examples/io/random.hpp, whose i-th word is a function of a key and i; streams are those of train/run.cpp.
"""
import numpy as np
import torch
from torch import nn

WORD = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
MODEL, SOURCE, TARGET = range(3)  # streams of a run's seed


def mixed(x):
    """splitmix64 of an array of words."""
    with np.errstate(over="ignore"):
        x = np.asarray(x, np.uint64) + np.uint64(STEP)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


class Generator:
    def __init__(self, seed):
        self.key, self.position = int(mixed(seed & WORD)), 0

    def stream(self, index):
        return Generator(self.key ^ int(mixed(~index & WORD)))

    def words(self, count):
        with np.errstate(over="ignore"):
            places = np.arange(self.position, self.position + count, dtype=np.uint64) * np.uint64(STEP)
            self.position += count
            return mixed(np.uint64(self.key) + places)

    def word(self):
        return int(self.words(1)[0])

    def uniform(self, bound, shape):
        share = (self.words(int(np.prod(shape))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return torch.tensor((2 * bound * share - bound).reshape(shape), dtype=torch.float32)

    def below(self, bound):
        """Without bias, as uniform_int."""
        word = self.word()
        while word < (1 << 64) % bound:
            word = self.word()
        return word % bound

    def permutation(self, count):
        order = list(range(count))
        for left in range(count, 1, -1):
            other = self.below(left)
            order[left - 1], order[other] = order[other], order[left - 1]
        return torch.tensor(order)


class Dropout(nn.Module):
    """The trainer's: which elements are dropped is a function of a key of each call and the element's place."""

    def __init__(self, rate, seed):
        super().__init__()
        self.rate, self.random = rate, Generator(seed)

    def forward(self, x):
        if not self.training:
            return x
        with np.errstate(over="ignore"):
            places = np.uint64(mixed(self.random.word())) + np.arange(x.numel(), dtype=np.uint64)
        kept = (mixed(places) >> np.uint64(32)) >= np.uint64(int(self.rate * 2**32))
        return x * torch.tensor(kept).view(x.shape) / (1 - self.rate)


def draw(layer, random):
    bound = 1 / np.sqrt(layer.weight[0].numel())
    for parameter in (layer.weight, layer.bias):
        parameter.data.copy_(random.uniform(bound, tuple(parameter.shape)))


def draw_layers(module, random):
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            draw(layer, random)


def start(training, seed):
    """Gives a training its first weights: backbone, bottleneck, head, then what else it has, in the order in which the trainer makes them."""
    random = Generator(seed).stream(MODEL)
    backbone, bottleneck = training.network
    draw_layers(backbone, random)
    of_dropout = random.word()  # drawn where there is none too
    for place, layer in enumerate(bottleneck):
        if isinstance(layer, nn.Dropout):
            bottleneck[place] = Dropout(layer.p, of_dropout)
    for module in (bottleneck, training.head, *training.modules):
        draw_layers(module, random)


class Batches:
    """The trainer's order of samples: a pass's order is a function of seed and pass; a last partial batch is dropped."""

    def __init__(self, images, labels, size, seed, stream):
        self.images, self.labels, self.size = images, labels, size
        self.random = Generator(Generator(seed).stream(stream).word())
        self.passes, self.order = 0, torch.empty(0, dtype=torch.int64)

    def next(self):
        if len(self.order) < self.size:
            self.order = self.random.stream(self.passes).permutation(len(self.labels))
            self.passes += 1
        rows, self.order = self.order[: self.size], self.order[self.size :]
        return self.images[rows], self.labels[rows]
