"""Trains one method on the digits in PyTorch with TLlib's or the authors' losses and prints its accuracy as a line of JSON. See compare_accuracy.py.

Networks are those of torch_training.py, protocol and settings those of examples/trainer/train.md. Each class says which network its method has.
"""
import argparse
import copy
import json
import os
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from peers import authors_code, digits, tllib_folder, torch_authors, trainer_numbers  # noqa: E402
from peers.torch_training import BATCH, CLASSES, WIDTH, Separate, SourceOnly, Standard, backbone, block, discriminator, sgd  # noqa: E402

KNOWN_CLASSES = 5  # of the source in an open-set task, the digits 0 to 4 as in OSBP's paper


class SourceOnlyNormalised(Standard):
    def forward(self, x_s, x_t):
        features = self.network(x_s)
        return features, self.head(features)


class Adversarial(Standard):
    """DANN; its subclasses add to it."""

    def __init__(self):
        from tllib.alignment.dann import DomainAdversarialLoss

        self.discriminator = discriminator(WIDTH)
        self.modules = (self.discriminator,)
        super().__init__()
        self.adversarial = DomainAdversarialLoss(self.discriminator)

    def transfer(self, features, logits):
        return self.adversarial(*features.split(BATCH))


class Bsp(Adversarial):
    weight = 1e-5

    def transfer(self, features, logits):
        from tllib.alignment.bsp import BatchSpectralPenalizationLoss

        penalty = BatchSpectralPenalizationLoss()(*features.split(BATCH))
        return super().transfer(features, logits) + self.weight * penalty


class BspPaper(Bsp):
    """With the paper's weight."""

    weight = 1e-4


class Mcc(Standard):
    temperature = 2.5

    def transfer(self, features, logits):
        from tllib.self_training.mcc import MinimumClassConfusionLoss

        return MinimumClassConfusionLoss(self.temperature)(logits[BATCH:])


class Afn(Separate):
    bottleneck = staticmethod(lambda: block(800, WIDTH, dropout=0.5))
    weight, step_of_norm = 0.05, 1

    def transfer(self, features, logits):
        from tllib.normalization.afn import AdaptiveFeatureNorm

        loss = AdaptiveFeatureNorm(self.step_of_norm)
        return self.weight * sum(loss(f) for f in features.split(BATCH))


class AfnKeptNorm(Afn):
    """With TLlib's own bottleneck, whose dropout keeps the features' norm where the usual one keeps their mean."""

    @staticmethod
    def bottleneck():
        from tllib.normalization.afn import Block

        return [Block(800, WIDTH, 0.5)]


class Pada(Adversarial):
    """Class weights as TLlib has them: of the whole target, from the 500th iteration on."""

    update_steps, temperature = 500, 0.1

    def see_target(self, images):
        from tllib.reweight.pada import AutomaticUpdateClassWeightModule

        data = DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=BATCH)
        classifier = nn.Sequential(self.network, self.head)
        self.weights = AutomaticUpdateClassWeightModule(self.update_steps, data, classifier, CLASSES, "cpu", self.temperature)

    def total(self, features, logits, labels):
        classification = F.cross_entropy(logits[:BATCH], labels, self.weights.get_class_weight_for_cross_entropy_loss())
        of_source, of_target = self.weights.get_class_weight_for_adversarial_loss(labels)
        self.weights.step()
        return classification + self.adversarial(*features.split(BATCH), of_source, of_target)


class Iwan(Standard):
    """Discriminators as TLlib has them, without batch norm: its weights come from a batch of the source alone. Loss weights are ours."""

    entropy_weight = 0.1
    weight_of_first, weight_of_second = 1, 1

    def __init__(self):
        from tllib.alignment.dann import DomainAdversarialLoss
        from tllib.modules.domain_discriminator import DomainDiscriminator
        from tllib.reweight.iwan import ImportanceWeightModule

        self.first, self.second = (DomainDiscriminator(WIDTH, 512, batch_norm=False) for _ in range(2))
        self.modules = (self.first, self.second)
        super().__init__()
        self.of_first, self.of_second = DomainAdversarialLoss(self.first), DomainAdversarialLoss(self.second)
        self.importance = ImportanceWeightModule(self.first)

    def transfer(self, features, logits):
        from tllib.modules.entropy import entropy

        source, target = features.split(BATCH)
        known = self.of_first(source.detach(), target.detach())
        adversarial = self.of_second(source, target, w_s=self.importance.get_importance_weight(source))
        sure = entropy(logits[BATCH:].softmax(1), reduction="mean")
        return self.weight_of_first * known + self.weight_of_second * adversarial + self.entropy_weight * sure


class IwanHeavy(Iwan):
    """With the weights of TLlib's example."""

    weight_of_first, weight_of_second = 4.5, 3


class Osbp(Separate):
    open_set = True
    share = 0.5

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(WIDTH, KNOWN_CLASSES + 1)
        self.optimiser = sgd([self.network, self.head])

    def transfer(self, features, logits):
        from tllib.alignment.osbp import UnknownClassBinaryCrossEntropy
        from tllib.modules.grl import GradientReverseLayer

        return UnknownClassBinaryCrossEntropy(self.share)(self.head(GradientReverseLayer()(features[BATCH:])))


class Adda:
    """First the source; then a copy of the network against the discriminator in two steps of inverted labels, the paper's."""

    source_iterations, share_on_target = 500, 0.02

    def __init__(self):
        self.network = nn.Sequential(backbone(), nn.Sequential(*block(800, WIDTH, batch_norm=False)))
        self.head, self.discriminator = nn.Linear(WIDTH, CLASSES), discriminator(WIDTH)
        self.modules = (self.discriminator,)
        self.optimiser, self.of_discriminator = sgd([self.network, self.head]), sgd([self.discriminator])
        self.steps = 0

    @property
    def share_of_rate(self):
        return 1 if self.steps < self.source_iterations else self.share_on_target

    def step(self, x_s, labels, x_t):
        self.steps += 1
        if self.steps <= self.source_iterations:
            return self.update(F.cross_entropy(self.head(self.network(x_s)), labels), self.optimiser)
        if self.steps == self.source_iterations + 1:
            self.source = copy.deepcopy(self.network).eval().requires_grad_(False)
            self.head.requires_grad_(False)
        return self.adapt(self.source(x_s), self.network(x_t))

    def adapt(self, of_source, of_target):
        from tllib.alignment.adda import DomainAdversarialLoss

        loss = DomainAdversarialLoss()
        d_s, d_t = self.discriminator(torch.cat([of_source, of_target.detach()])).split(BATCH)
        self.update(loss(d_s, "source") + loss(d_t, "target"), self.of_discriminator)
        return self.update(loss(self.discriminator(torch.cat([of_source, of_target]))[BATCH:], "source"), self.optimiser)

    def update(self, loss, *optimisers):
        self.optimiser.zero_grad()
        self.of_discriminator.zero_grad()
        loss.backward()
        for one in optimisers:
            one.step()
        return loss


class AddaReversal(Adda):
    """The second part as TLlib's example has it today: DANN's loss with a reversal that grows towards 2."""

    def __init__(self):
        from tllib.alignment.dann import DomainAdversarialLoss
        from tllib.modules.grl import WarmStartGradientReverseLayer

        super().__init__()
        grl = WarmStartGradientReverseLayer(alpha=1.0, lo=0.0, hi=2.0, max_iters=1000, auto_step=True)
        self.adversarial = DomainAdversarialLoss(self.discriminator, grl=grl)

    def adapt(self, of_source, of_target):
        return self.update(self.adversarial(of_source, of_target), self.optimiser, self.of_discriminator)


METHODS = {
    "source-only": SourceOnly, "source-only-bn": SourceOnlyNormalised, "dann": Adversarial, "afn": Afn, "afn-kept-norm": AfnKeptNorm,
    "bsp": Bsp, "bsp-paper": BspPaper, "mcc": Mcc, "adda": Adda, "adda-reversal": AddaReversal, "pada": Pada, "iwan": Iwan,
    "iwan-heavy": IwanHeavy, "osbp": Osbp, **torch_authors.METHODS,
}  # fmt: skip
# Those whose networks and steps are the trainer's in every part, so that with its random numbers the losses are its losses.
SAME_STEPS = {"source-only", "source-only-bn", "dann", "afn", "bsp", "bsp-paper", "mcc", "adda", "osbp", "dsan", "shot"}


def set_rate(training, iteration):
    rate = 0.01 * (1 + 0.001 * iteration) ** -0.75 * getattr(training, "share_of_rate", 1)
    for part in vars(training).values():
        for group in part.param_groups if isinstance(part, torch.optim.Optimizer) else ():
            group["lr"] = rate


def batches(task, seed, numbers):
    """Endless batches of the source's images with labels and of the target's images."""
    source_images, source_labels, target_images = task
    domains = ((source_images, source_labels), (target_images, torch.zeros(len(target_images))))
    if numbers == "trainer":
        streams = (trainer_numbers.SOURCE, trainer_numbers.TARGET)
        return [trainer_numbers.Batches(*domain, BATCH, seed, stream) for domain, stream in zip(domains, streams)]
    return [digits.Batches(*domain, BATCH, torch.Generator().manual_seed(1000 * seed + k)) for k, domain in enumerate(domains)]


def train(method, task, iterations, seed, numbers="torch", shown=0):
    """The training after its last iteration. `task` has the images and labels of the source and the images of the target."""
    torch.manual_seed(seed)
    training = METHODS[method]()
    if numbers == "trainer":
        trainer_numbers.start(training, seed)
    for part in vars(training).values():
        if isinstance(part, nn.Module):
            part.to(memory_format=torch.channels_last)  # PyTorch's fastest on CPUs
    if hasattr(training, "see_source"):
        training.see_source(*task[:2])
    if hasattr(training, "see_target"):
        training.see_target(task[2])
    source, target = batches(task, seed, numbers)
    for iteration in range(iterations):
        set_rate(training, iteration)
        loss = training.step(*source.next(), target.next()[0])
        if iteration < shown:
            print(f"{iteration + 1} {float(loss.detach()):.6f}", file=sys.stderr)
    return training


@torch.inference_mode()
def predictions(training, images):
    training.network.eval(), training.head.eval()
    return torch.cat([training.head(training.network(part)).argmax(1) for part in images.split(250)])


def accuracies(predicted, labels, open_set):
    """In %: of all samples, and in an open set the mean over the known classes, of the unknown one, and their harmonic mean."""
    right = (predicted == labels).double()
    found = {"accuracy": 100 * right.mean().item()}
    if open_set:
        of_class = [100 * right[labels == c].mean().item() for c in range(KNOWN_CLASSES + 1)]
        known, unknown = sum(of_class[:-1]) / KNOWN_CLASSES, of_class[-1]
        found |= {"known": known, "unknown": unknown, "harmonic": 2 * known * unknown / max(known + unknown, 1e-9)}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tllib", help="a checkout of TLlib, for the methods that are from it")
    parser.add_argument("--authors", help="a folder of the authors' checkouts, for the others; see authors_code.py")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--source", choices=digits.DOMAINS, required=True)
    parser.add_argument("--target", choices=digits.DOMAINS, required=True)
    parser.add_argument("--target-classes", type=lambda word: [int(c) for c in word.split(",")], default=list(range(CLASSES)))
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--numbers", choices=["torch", "trainer"], default="torch", help="whose initial weights, batches and dropout")
    parser.add_argument("--losses", type=int, default=0, metavar="N", help="prints the first N losses, of methods with one, to the standard error")
    options = parser.parse_args()
    if options.numbers == "trainer" and options.method not in SAME_STEPS:
        parser.error(f"--numbers trainer is for {', '.join(sorted(SAME_STEPS))}")
    torch.set_num_threads(options.threads)
    authors = getattr(METHODS[options.method], "authors", None)
    if authors:
        METHODS[options.method].code = authors_code.load(options.authors, authors)
    else:
        tllib_folder.make_importable(options.tllib or ".")

    source = digits.load(options.data, options.source, "train")
    target = [digits.of_classes(*digits.load(options.data, options.target, part), options.target_classes) for part in ("train", "test")]
    open_set = getattr(METHODS[options.method], "open_set", False)
    if open_set:
        source = digits.of_classes(*source, list(range(KNOWN_CLASSES)))
        target = [(images, labels.clamp(max=KNOWN_CLASSES)) for images, labels in target]
    training = train(options.method, (*source, target[0][0]), options.iterations, options.seed, options.numbers, options.losses)
    images, labels = target[1]
    print(json.dumps(accuracies(predictions(training, images), labels, open_set)))


if __name__ == "__main__":
    main()
