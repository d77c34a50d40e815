"""Methods whose losses, and CAN's clustering, come from their authors' code; networks and protocol are those of torch_adaptation.py."""
import contextlib
import math
import os
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F

from peers.torch_training import BATCH, CLASSES, WIDTH, Standard, backbone, block, sgd


def ramp(iteration):
    """As the reversal's coefficient grows over 1000 iterations."""
    return math.tanh(iteration / 1000 / 2)


class Dsan(Standard):
    """With the authors' weight."""

    authors = "dsan"
    weight = 0.5

    def __init__(self):
        super().__init__()
        self.loss, self.steps = self.code.LMMD_loss(CLASSES), 0

    def total(self, features, logits, labels):
        grown = ramp(self.steps)
        self.steps += 1
        distance = self.loss.get_loss(*features.split(BATCH), labels, logits[BATCH:].softmax(1))
        return F.cross_entropy(logits[:BATCH], labels) + self.weight * grown * distance.squeeze()


class Shot(Standard):
    """SHOT-IM: the source alone at first, then the target with the head kept, by the authors' entropy and its counterpart of the mean."""

    authors = "shot"
    source_iterations = 250

    def __init__(self):
        super().__init__()
        self.steps = 0

    def step(self, x_s, labels, x_t):
        self.steps += 1
        learns_source = self.steps <= self.source_iterations
        self.head.requires_grad_(learns_source)
        logits = self.head(self.network(x_s if learns_source else x_t))
        loss = F.cross_entropy(logits, labels) if learns_source else self.of_target(logits.softmax(1))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    def of_target(self, p):
        mean = p.mean(dim=0)
        return torch.mean(self.code.Entropy(p)) - torch.sum(-mean * torch.log(mean + 1e-5))


class Can(Standard):
    """The authors' clustering of the whole target, every 50 iterations, their batches of each class and their discrepancy of features and
    predictions. Source and target pass a batch norm together, as in the trainer's; distance from a centre, weight and the mean over the
    classes that take part are the trainer's too."""

    authors = "can"
    weight, farthest, fewest, period, of_class = 0.3, 0.2, 3, 50, 6

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.cdd = self.code.CDD(num_layers=2, kernel_num=(5, 5), kernel_mul=(2, 2), num_classes=CLASSES)

    def see_source(self, images, labels):
        self.source_images, self.source_labels = images, labels

    def see_target(self, images):
        self.target_images = images

    def loader(self, images, labels=None):
        parts = [{"Img": images[rows], "Path": rows.tolist()} for rows in torch.arange(len(images)).split(500)]
        for part in parts if labels is not None else ():
            part["Label"] = labels[part["Path"]]
        return parts

    @torch.no_grad()
    def cluster(self):
        """Rows of the target for each class that has enough of them near a centre."""
        self.network.eval()
        net = SimpleNamespace(forward=lambda images: {"feat": self.network(images)})  # what their functions take for one
        found = self.code.Clustering(eps=0.005, feat_key="feat")
        found.set_init_centers(self.code.get_centers(net, self.loader(self.source_images, self.source_labels), CLASSES))
        found.feature_clustering(net, self.loader(self.target_images))
        near = self.code.filter_samples(found.samples, threshold=self.farthest)
        rows = torch.tensor(near["data"], dtype=torch.int64)
        self.target_rows = {c: rows[near["label"] == c] for c in self.code.filter_class(near["label"], self.fewest, CLASSES)}
        self.network.train()

    def drawn(self, rows):
        return rows[torch.randint(len(rows), (self.of_class,))]

    def transfer(self, features, logits):
        if self.steps % self.period == 0:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                self.cluster()
        self.steps += 1
        classes = list(self.target_rows)
        if len(classes) < 2:
            return 0
        source = torch.cat([self.drawn((self.source_labels == c).nonzero().squeeze(1)) for c in classes])
        target = torch.cat([self.drawn(self.target_rows[c]) for c in classes])
        of_both = self.network(torch.cat([self.source_images[source], self.target_images[target]]))
        layers = [of_both, self.head(of_both).softmax(1)]
        sides = zip(*(layer.split(len(source)) for layer in layers))
        self.cdd.num_classes = len(classes)
        counts = [self.of_class] * len(classes)
        return self.weight * ramp(self.steps) * self.cdd.forward(*(list(side) for side in sides), counts, counts)["cdd"]


class SymNets:
    """Two heads and one optimiser: as in the authors' loop, heads and features take the gradients of different losses in the same step."""

    authors = "symnets"

    def __init__(self):
        self.network = nn.Sequential(backbone(), nn.Sequential(*block(800, WIDTH, batch_norm=False, dropout=0.5)))
        self.of_source, self.head = nn.Linear(WIDTH, CLASSES), nn.Linear(WIDTH, CLASSES)
        self.optimiser = sgd([self.network, self.of_source, self.head])
        self.steps = 0
        self.source_known, self.target_known = self.code.DClassifierForSource(nClass=CLASSES), self.code.DClassifierForTarget(nClass=CLASSES)
        self.entropy = self.code.EMLossForTarget(nClass=CLASSES)

    def step(self, x_s, labels, x_t):
        features = self.network(torch.cat([x_s, x_t]))
        both = torch.cat([self.of_source(features), self.head(features)], 1)
        source, target = both.split(BATCH)
        own = F.cross_entropy(source[:, :CLASSES], labels) + F.cross_entropy(source[:, CLASSES:], labels)
        of_heads = own + self.source_known(source) + self.target_known(target)
        category = 0.5 * F.cross_entropy(source, labels) + 0.5 * F.cross_entropy(source, labels + CLASSES)
        confusion = 0.5 * self.target_known(target) + 0.5 * self.source_known(target)
        of_features = category + ramp(self.steps) * (confusion + self.entropy(target))
        self.steps += 1
        heads, others = [list(part.parameters()) for part in (nn.ModuleList([self.of_source, self.head]), self.network)]
        slopes = torch.autograd.grad(of_heads, heads, retain_graph=True), torch.autograd.grad(of_features, others)
        for parameters, gradients in zip((heads, others), slopes):
            for parameter, gradient in zip(parameters, gradients):
                parameter.grad = gradient
        self.optimiser.step()
        return of_heads


METHODS = {"dsan": Dsan, "shot": Shot, "can": Can, "symnets": SymNets}
