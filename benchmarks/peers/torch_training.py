"""One training iteration of every method on the digits' network in PyTorch, with DALIB's formulation of each loss.

python torch_training.py serve    answers "METHOD COUNT CHANNELS_LAST" lines with the milliseconds of one iteration, the mean of COUNT
The networks and the loops are those of examples/trainer/train.md: LeNet, batches of 64 + 64, SGD with Nesterov momentum.
"""
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from peers.torch_mmd import dalib_index, dalib_joint, dalib_mmd  # noqa: E402

BATCH, SIDE, CLASSES, WIDTH = 64, 28, 10, 256
MDD_MARGIN, ENTROPY_WEIGHT, GENERATOR_STEPS = 4, 0.01, 4


class Reversal(torch.autograd.Function):
    @staticmethod
    def forward(_, x):
        return x.view_as(x)

    @staticmethod
    def backward(_, gradient):
        return -gradient


def backbone():
    pool = lambda: (nn.MaxPool2d(2), nn.ReLU())  # noqa: E731
    return nn.Sequential(nn.Conv2d(1, 20, 5), *pool(), nn.Conv2d(20, 50, 5), *pool(), nn.Flatten())


def block(inputs, outputs, batch_norm=True, dropout=0.0):
    layers = [nn.Linear(inputs, outputs)] + [nn.BatchNorm1d(outputs)] * batch_norm + [nn.ReLU()]
    return layers + [nn.Dropout(dropout)] * (dropout > 0)


def discriminator(inputs):
    return nn.Sequential(*block(inputs, 512), *block(512, 512), nn.Linear(512, 1), nn.Sigmoid())


def mcd_head():
    return nn.Sequential(nn.Dropout(0.5), *block(800, WIDTH, dropout=0.5), *block(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES))


def domain_loss(d):
    """DALIB's: probabilities and binary cross-entropy on each half."""
    s, t = d.chunk(2)
    return 0.5 * (F.binary_cross_entropy(s, torch.ones_like(s)) + F.binary_cross_entropy(t, torch.zeros_like(t)))


class Standard:
    """Backbone, bottleneck and head; `transfer` says what the method adds."""

    bottleneck = staticmethod(lambda: block(800, WIDTH))
    modules = ()

    def __init__(self):
        self.network = nn.Sequential(backbone(), nn.Sequential(*self.bottleneck()))
        self.head = nn.Linear(WIDTH, CLASSES)
        self.optimiser = sgd([self.network, self.head, *self.modules])

    def transfer(self, features, logits):
        return 0

    def total(self, features, logits, labels):
        return F.cross_entropy(logits[:BATCH], labels) + self.transfer(features, logits)

    def forward(self, x_s, x_t):
        features = self.network(torch.cat([x_s, x_t]))
        return features, self.head(features)

    def step(self, x_s, labels, x_t):
        features, logits = self.forward(x_s, x_t)
        loss = self.total(features, logits, labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss


class SourceOnly(Standard):
    bottleneck = staticmethod(lambda: block(800, WIDTH, batch_norm=False, dropout=0.5))

    def forward(self, x_s, x_t):
        features = self.network(x_s)
        return features, self.head(features)


class Dann(Standard):
    def __init__(self):
        self.discriminator = discriminator(WIDTH)
        self.modules = (self.discriminator,)
        super().__init__()

    def transfer(self, features, logits):
        return domain_loss(self.discriminator(Reversal.apply(features)))


class Separate(Standard):
    """Source and target go through the network one after the other."""

    def forward(self, x_s, x_t):
        features = torch.cat([self.network(x_s), self.network(x_t)])
        return features, self.head(features)


class OfPairs(Separate):
    def __init__(self):
        super().__init__()
        self.loss = self.make_loss(dalib_index(BATCH))


class Dan(OfPairs):
    bottleneck = staticmethod(SourceOnly.bottleneck)
    make_loss = staticmethod(dalib_mmd)

    def transfer(self, features, logits):
        return self.loss(features[:BATCH], features[BATCH:])


class Jan(OfPairs):
    bottleneck = staticmethod(lambda: block(800, WIDTH, dropout=0.5))
    make_loss = staticmethod(dalib_joint)

    def transfer(self, features, logits):
        p = logits.softmax(1)
        return self.loss(features[:BATCH], p[:BATCH], features[BATCH:], p[BATCH:])


class Cdan(Standard):
    entropy = False

    def __init__(self):
        self.discriminator = discriminator(WIDTH * CLASSES)
        self.modules = (self.discriminator,)
        super().__init__()

    def transfer(self, features, logits):
        g = logits.softmax(1).detach()
        joint = torch.bmm(g.unsqueeze(2), features.unsqueeze(1)).flatten(1)
        d = self.discriminator(Reversal.apply(joint))
        domain = torch.cat([torch.ones_like(d[:BATCH]), torch.zeros_like(d[BATCH:])])
        if not self.entropy:
            return F.binary_cross_entropy(d, domain)
        weight = 1 + torch.exp((g * torch.log(g + 1e-5)).sum(1))
        return F.binary_cross_entropy(d, domain, (weight / weight.sum() * len(weight)).unsqueeze(1))


class CdanE(Cdan):
    entropy = True


class Mdd(Standard):
    bottleneck = staticmethod(lambda: block(800, WIDTH, dropout=0.5))

    def __init__(self):
        self.adversarial = self.mlp()
        self.modules = (self.adversarial,)
        super().__init__()
        self.head = self.mlp()
        self.optimiser = sgd([self.network, self.head, self.adversarial])

    @staticmethod
    def mlp():
        return nn.Sequential(*block(WIDTH, WIDTH, batch_norm=False, dropout=0.5), nn.Linear(WIDTH, CLASSES))

    def transfer(self, features, logits):
        other = self.adversarial(Reversal.apply(features))
        labels = logits.argmax(1)
        target = torch.log(torch.clamp(1 - other[BATCH:].softmax(1) + 1e-6, max=1))
        return MDD_MARGIN * F.cross_entropy(other[:BATCH], labels[:BATCH]) + F.nll_loss(target, labels[BATCH:])


class Mcd:
    def __init__(self):
        self.network, self.first, self.second = backbone(), mcd_head(), mcd_head()
        self.generator, self.heads = sgd([self.network]), sgd([self.first, self.second])

    def losses(self, x_s, labels, x_t):
        features = self.network(torch.cat([x_s, x_t]))
        y1, y2 = self.first(features), self.second(features)
        p1, p2 = y1[BATCH:].softmax(1), y2[BATCH:].softmax(1)
        classes = F.cross_entropy(y1[:BATCH], labels) + F.cross_entropy(y2[:BATCH], labels)
        balance = -sum(torch.log(p.mean(0) + 1e-6).mean() for p in (p1, p2))
        return classes, balance, (p1 - p2).abs().mean()

    def update(self, loss, *optimisers):
        for one in (self.generator, self.heads):
            one.zero_grad()
        loss.backward()
        for one in optimisers:
            one.step()

    def step(self, x_s, labels, x_t):
        classes, balance, _ = self.losses(x_s, labels, x_t)
        self.update(classes + ENTROPY_WEIGHT * balance, self.generator, self.heads)
        classes, balance, discrepancy = self.losses(x_s, labels, x_t)
        self.update(classes + ENTROPY_WEIGHT * balance - discrepancy, self.heads)
        for _ in range(GENERATOR_STEPS):
            self.update(self.losses(x_s, labels, x_t)[2], self.generator)


METHODS = {
    "source-only": SourceOnly, "dann": Dann, "dan": Dan, "jan": Jan, "cdan": Cdan, "cdan-e": CdanE, "mcd": Mcd, "mdd": Mdd,
}  # fmt: skip


def sgd(modules):
    parameters = [p for module in modules for p in module.parameters()]
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)


def milliseconds(method, count, channels_last):
    """The mean time of `count` iterations after a tenth as many that do not count. Batches are drawn from 8000 images, as ours are."""
    torch.manual_seed(1)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images, labels = torch.randn(2, 8000, 1, SIDE, SIDE), torch.randint(CLASSES, (8000,))
    training = METHODS[method]()
    for module in vars(training).values():
        if isinstance(module, nn.Module):
            module.to(memory_format=layout).train()

    def iterations(number):
        for _ in range(number):
            s, t = torch.randint(8000, (2, BATCH))
            training.step(images[0, s].contiguous(memory_format=layout), labels[s], images[1, t].contiguous(memory_format=layout))

    iterations(max(1, count // 10))
    start = time.perf_counter()
    iterations(count)
    return 1000 * (time.perf_counter() - start) / count


def main():
    for line in sys.stdin:
        method, count, channels_last = line.split()
        print(milliseconds(method, int(count), channels_last == "1"), flush=True)


if __name__ == "__main__":
    main()
