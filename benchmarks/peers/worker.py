"""The peers' side of compare.py: one command per line, one line of JSON back, as benchmarks/worker.cpp does.

python worker.py torch    the PyTorch formulations
python worker.py keops    KeOps and geomloss
python worker.py torch_cuda    the PyTorch formulations of the MMD on the GPU
"""
import ctypes
import gc
import importlib
import json
import os
import sys
import time
from dataclasses import dataclass
from statistics import median

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULES = {
    "torch": ("peers.torch_mmd", "peers.torch_rowwise", "peers.torch_networks"),
    "keops": ("peers.keops_mmd", "peers.geomloss_mmd"),
    "torch_cuda": ("peers.torch_cuda",),
}
# Forms that compile their code when they first run: that is not running time.
COMPILING = ("compiled", "compiled_direct", "keops", "geomloss_online")


@dataclass
class Task:
    measure: str
    dtype: str
    n_s: int
    n_t: int
    features: int
    classes: int
    gradient: bool
    precision: str = "full"  # of the matrix products, on a GPU
    data: str = "noise"  # what the rows are like; see inputs.arranged

    @property
    def item_bytes(self):
        return 4 if self.dtype == "float32" else 8

    @property
    def joint_matrix_bytes(self):
        """One (n_s + n_t)^2 matrix."""
        return (self.n_s + self.n_t) ** 2 * self.item_bytes


def task_of(words):
    dtype = {"float": "float32", "double": "float64"}[words["dtype"]]
    sizes = (int(words[key]) for key in ("n_s", "n_t", "features", "classes"))
    return Task(words["measure"], dtype, *sizes, words["mode"] == "gradient", words.get("precision", "full"), words.get("data", "noise"))


def status_bytes(field, path="/proc/self/status"):
    with open(path) as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"{path} has no {field}")


def available_bytes():
    return status_bytes("MemAvailable", "/proc/meminfo")


def on_host(output):
    """An output as the host's array; one on a device is copied now, not while it is timed."""
    return output if isinstance(output, np.ndarray) else output.cpu().numpy()


def peak_growth(run):
    """Growth of the process's memory while `run` runs, beyond the outputs that it returns; None where the system cannot tell."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    try:
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
    except OSError:
        return None
    before = status_bytes("VmRSS")
    _, outputs = run()
    return max(0, status_bytes("VmHWM") - before - sum(one.nbytes for one in outputs))


class Worker:
    def __init__(self, modules):
        self.modules = modules  # of another device than the CPU: they say themselves what memory there is and what a run takes
        self.prepared = {}
        self.growth = {}
        self.unchecked = {}  # outputs of the first run, until they are compared

    def hello(self, words):
        versions = {}
        for module in self.modules:
            versions.update(module.versions())
        return versions

    def prepare(self, words):
        task, form = task_of(words), words["form"]
        for module in self.modules:
            if (task.measure, form) not in module.FORMS:
                continue
            build, bytes_needed = module.FORMS[task.measure, form]
            needed, available = bytes_needed(task), getattr(module, "available_bytes", available_bytes)()
            if needed > 0.8 * available:
                return {"skipped": f"needs about {needed / 2**30:.3g} GiB of memory"}
            run = build(task)
            start = time.perf_counter()
            value, outputs = run()
            seconds = time.perf_counter() - start
            if form in COMPILING:
                start = time.perf_counter()
                run()
                seconds = time.perf_counter() - start
            self.prepared[words["id"]], self.unchecked[words["id"]] = run, outputs
            self.growth[words["id"]] = getattr(module, "peak_growth", peak_growth)
            return {"value": float(value), "seconds": seconds}
        return {"skipped": f"{form} has no {task.measure}"}

    def measure(self, words):
        run, at_least = self.prepared[words["id"]], float(words["seconds"])

        def seconds():
            start = time.perf_counter()
            run()
            return time.perf_counter() - start

        gc.disable()
        # As in worker.cpp: the first run of a short one only wakes the threads and fills the caches.
        times = [seconds()]
        if times[0] < at_least:
            times = []
            while sum(times) < at_least:
                times.append(seconds())
        gc.enable()
        return {"seconds": median(times), "runs": len(times)}

    def memory(self, words):
        return {"bytes": self.growth[words["id"]](self.prepared[words["id"]])}

    def compare(self, words):
        """Largest differences from the outputs that our worker stored, relative to their largest entries; and from those that are exact."""
        outputs = [on_host(one) for one in self.unchecked.pop(words["id"])]

        def worst(path, dtype=None):
            result = 0.0
            for k, mine in enumerate(outputs):
                theirs = np.fromfile(f"{path}.{k}", dtype or mine.dtype).reshape(mine.shape)
                result = max(result, float(np.abs(mine - theirs).max() / np.abs(theirs).max()))
            return result

        error = worst(words["exact"], np.float64) if "exact" in words else None
        return {"outputs": len(outputs), "worst": worst(words["path"]), "from_exact": error}


def main():
    # Libraries print what they like to stdout: answers keep the real one for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker([importlib.import_module(name) for name in MODULES[sys.argv[1]]])
    for line in sys.stdin:
        command, *words = line.split()
        if command == "quit":
            break
        try:
            reply = getattr(worker, command)(dict(word.split("=", 1) for word in words))
        except Exception as error:  # whatever a peer raises is reported in its row
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
