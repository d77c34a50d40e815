"""A form that compiles at its first run: the compilation is in no figure, however short the limit is. Run by CTest."""
import time
import types
from dataclasses import dataclass

from peers.rounds import Contestant, Settings, take_turns
from peers.worker import Worker


def slow_at_first(task):
    runs = []

    def run():
        time.sleep(0.0 if runs else 0.4)
        runs.append(1)
        return 1.0, ()

    return run


FORMS = {("mmd", form): (slow_at_first, lambda task: 0) for form in ("compiled", "compiled_direct", "eager")}
WORDS = {"measure": "mmd", "dtype": "float", "n_s": "2", "n_t": "2", "features": "1", "classes": "0", "mode": "gradient"}


@dataclass
class OneWorker:
    worker: Worker

    def ask(self, name, line):
        command, *words = line.split()
        return getattr(self.worker, command)(dict(word.split("=", 1) for word in words))


worker = Worker([types.SimpleNamespace(FORMS=FORMS)])
settings = Settings(rounds=3, seconds=0.01, limit=0.2, log=print)
for form, compiles in (("compiled", True), ("compiled_direct", True), ("eager", False)):
    first = worker.prepare({**WORDS, "id": form, "form": form})["seconds"]
    one = Contestant("torch", form, None, form, first=first)
    take_turns(OneWorker(worker), [one], settings)
    assert (one.seconds < 0.1) == compiles, f"{form}: first run {first} s, figure {one.seconds} s"
print("test_worker: passed")
