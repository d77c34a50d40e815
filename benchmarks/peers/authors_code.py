"""Files of the authors' code of a method, imported from checkouts as they are."""
import importlib.util
import sys
from pathlib import Path

import torch

# The file with the loss, in a folder of checkouts that have the repositories' names.
FILES = {
    "dsan": ("github.com/easezyc/deep-transfer-learning", "UDA/pytorch1.0/DSAN/lmmd.py"),
    "shot": ("github.com/tim-learn/SHOT", "digit/loss.py"),
}


def load(folder, method):
    """The module; what it moves to a GPU stays where it is."""
    repository, file = FILES[method]
    path = Path(folder or ".", repository.rsplit("/", 1)[1], file)
    if not path.exists():
        sys.exit(f"{path}: no such file; --authors is a folder with a checkout of {repository}")
    torch.Tensor.cuda = lambda tensor, *_, **__: tensor
    spec = importlib.util.spec_from_file_location(f"authors_{method}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
