"""Files of the authors' code of a method, imported from checkouts as they are."""
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import torch

# The files with what a method needs, in a folder of checkouts that have the repositories' names.
FILES = {
    "dsan": ("github.com/easezyc/deep-transfer-learning", ["UDA/pytorch1.0/DSAN/lmmd.py"]),
    "shot": ("github.com/tim-learn/SHOT", ["digit/loss.py"]),
    "can": (
        "github.com/kgl-prml/Contrastive-Adaptation-Network-for-Unsupervised-Domain-Adaptation",
        ["discrepancy/cdd.py", "solver/clustering.py", "solver/utils.py"],
    ),
    "symnets": (
        "github.com/YBZh/SymNets",
        [f"symnets/models/{name}.py" for name in ("DomainClassifierSource", "DomainClassifierTarget", "EntropyMinimizationPrinciple")],
    ),
}


def load(folder, method):
    """What the files define; what they move to a GPU stays where it is, and masks are what PyTorch takes for one today."""
    repository, files = FILES[method]
    root = Path(folder or ".", repository.rsplit("/", 1)[1])
    torch.Tensor.cuda = lambda tensor, *_, **__: tensor
    torch.cuda.FloatTensor, torch.ByteTensor = torch.FloatTensor, torch.BoolTensor
    sys.path.insert(0, str(root))  # the files import others of the checkout
    found = SimpleNamespace()
    for file in files:
        if not (root / file).exists():
            sys.exit(f"{root / file}: no such file; --authors is a folder with a checkout of {repository}")
        spec = importlib.util.spec_from_file_location(f"authors_{method}_{Path(file).stem}", root / file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        vars(found).update(vars(module))
    return found
