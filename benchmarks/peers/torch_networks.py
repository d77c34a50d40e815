"""DAN's training iteration and inference with ResNet-18/50 and the digits' LeNet in PyTorch: the same numbers as support/networks.hpp.

channels_last is PyTorch's fastest layout on CPUs; `compiled` also goes through torch.compile.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from peers.inputs import draw
from peers.torch_forms import versions  # noqa: F401 (the worker asks for versions)
from peers.torch_mmd import mmd

FIRST_WEIGHT_SEED = 100


class Block(nn.Module):
    """torchvision's residual blocks, the names of the parts included; their order is that of support/networks.hpp."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        sizes = [(inputs, width, 1), (width, width, 3), (width, outputs, 1)] if bottleneck else [(inputs, width, 3), (width, width, 3)]
        self.count = len(sizes)
        strided = 1 if bottleneck else 0
        for k, (a, b, kernel) in enumerate(sizes):
            self.add_module(f"conv{k + 1}", nn.Conv2d(a, b, kernel, stride if k == strided else 1, kernel // 2, bias=False))
            self.add_module(f"bn{k + 1}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        for k in range(1, self.count + 1):
            x = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(x))
            x = F.relu(x + shortcut if k == self.count else x, inplace=True)
        return x


class ResNet(nn.Module):
    BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}

    def __init__(self, depth):
        super().__init__()
        bottleneck = depth >= 50
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        channels = 64
        for number, blocks in enumerate(self.BLOCKS[depth]):
            layer, width = [], 64 << number
            for k in range(blocks):
                layer.append(Block(channels, width, 2 if k == 0 and number > 0 else 1, bottleneck))
                channels = 4 * width if bottleneck else width
            self.add_module(f"layer{number + 1}", nn.Sequential(*layer))
        self.out_features = channels

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x.mean((2, 3))


class LeNet(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.out_features = 50 * (((side - 4) // 2 - 4) // 2) ** 2

    def forward(self, x):
        return F.relu(F.max_pool2d(self.conv2(F.relu(F.max_pool2d(self.conv1(x), 2))), 2)).flatten(1)


class Classifier(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.bottleneck, self.head = backbone, nn.Linear(backbone.out_features, 256), nn.Linear(256, classes)

    def forward(self, x):
        features = F.relu(self.bottleneck(self.backbone(x)))
        return self.head(features), features

    def draw_weights(self, dtype):
        with torch.no_grad():
            for number, (name, p) in enumerate(self.named_parameters()):
                if name.endswith("bias"):
                    p.zero_()
                elif p.dim() > 1:
                    values = draw(1, p.numel(), dtype, FIRST_WEIGHT_SEED + number, np.sqrt(2 / (p.numel() / len(p))))
                    p.copy_(torch.from_numpy(values).view_as(p))


def images(count, side, channels, dtype, seed, shift=0.0):
    values = draw(count * side * side, channels, dtype, seed, 1, shift).reshape(count, side, side, channels)
    return torch.from_numpy(values).permute(0, 3, 1, 2)  # NHWC in memory: channels_last


def network(name, compile_it):
    def build(task):
        torch.set_default_dtype(getattr(torch, task.dtype))
        side, channels = task.features, 1 if name == "lenet" else 3
        model = Classifier(LeNet(side) if name == "lenet" else ResNet(int(name[6:])), task.classes)
        model.draw_weights(task.dtype)
        model = model.to(memory_format=torch.channels_last).train(task.gradient)
        forward = torch.compile(model, dynamic=False) if compile_it else model
        x_s, x_t = images(task.n_s, side, channels, task.dtype, 1), images(task.n_t, side, channels, task.dtype, 2, 0.25)
        labels = torch.arange(task.n_s) % task.classes
        rates = ((model.backbone, 0.0003), (model.bottleneck, 0.003), (model.head, 0.003))
        groups = [{"params": part.parameters(), "lr": rate} for part, rate in rates]
        optimiser = torch.optim.SGD(groups, lr=0.003, momentum=0.9, nesterov=True, weight_decay=5e-4)

        def inference():
            with torch.inference_mode():
                return forward(x_s)[0].sum() + forward(x_t)[0].sum(), ()

        def iteration():
            optimiser.zero_grad(set_to_none=True)
            y_s, f_s = forward(x_s)
            _, f_t = forward(x_t)
            loss = F.cross_entropy(y_s, labels) + mmd(f_s, f_t)
            loss.backward()
            optimiser.step()
            parts = (model.backbone.conv1.weight, model.head.weight)
            return loss.detach(), [np.concatenate([p.grad.contiguous().numpy().ravel() for p in parts])[None, :]]

        return iteration if task.gradient else inference

    return build


def bytes_needed(task):
    return 0 if task.features < 64 else 12 << 30


FORMS = {
    (name, form): (network(name, form == "compiled"), bytes_needed)
    for name in ("lenet", "resnet18", "resnet50")
    for form in ("eager", "compiled")
}
