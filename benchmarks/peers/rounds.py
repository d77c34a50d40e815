"""Measures the cases of one size: same answer first, then rounds of short measurements in turn, then memory."""
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from peers.cases import NETWORKS, peers_of
from peers.fleet import ContestantError

# Largest relative difference from our value and gradients that counts as the same answer.
TOLERANCE = {"float": 1e-3, "double": 1e-8}
# DALIB adds 1e-6 to the probabilities of this loss.
OFFSET_TOLERANCE = {("margin_disparity", "dalib"): 1e-3}
# geomloss does not iterate until its potentials stand still.
OFFSET_TOLERANCE.update({("sinkhorn", form): 5e-2 for form in ("geomloss_tensorized", "geomloss_online")})
# Deep networks: the sums of float run through dozens of layers with batch statistics.
NETWORK_TOLERANCE = {"float": 2e-2, "double": 1e-6}
# In double the gradients of ResNet-50 agree to 3e-13 (--measures resnet50 --dtype double): what differs in float is rounding, of both sides.
DEEPEST_TOLERANCE = {("resnet50", "float"): 1e-1}
# Matrix products on a GPU that round float to the 10 bits of TF32.
TF32_TOLERANCE = 2e-2
PEAK = ("eigen_product", "cached_product")
# Rows of a domain up to which errors against double are worked out.
LARGEST_EXACT = 2048


@dataclass
class Settings:
    rounds: int
    seconds: float  # of one measurement
    limit: float  # a contestant that has used so many seconds gets no further rounds; one whose first run took longer, none
    log: callable


@dataclass
class Contestant:
    worker: str
    form: str
    case: object
    key: str
    note: str = ""  # why it was not measured
    value: float = 0
    flops: float = 0
    first: float = 0  # seconds of the first run; of the second where the first one compiles
    worst: float = None  # largest difference from our answer
    error: float = None  # largest error of a gradient against the same rows in double, where that was asked for
    memory: int = None
    times: list = None

    @property
    def seconds(self):
        return median(self.times) if self.times else None


def prepare(fleet, one):
    words = one.case.words()
    if one.worker == "ours" and one.form != "ours":
        words = words.replace(f"measure={one.case.measure}", f"measure={one.form}")
    reply = fleet.ask(one.worker, f"prepare id={one.key} form={one.form} {words}")
    if "skipped" in reply:
        raise ContestantError(reply["skipped"])
    one.value, one.first, one.flops = reply["value"], reply["seconds"], reply.get("flops", 0)


def tolerance_of(one):
    if getattr(one.case, "precision", "full") == "tf32" and one.case.dtype == "float":
        return TF32_TOLERANCE
    usual = (NETWORK_TOLERANCE if one.case.measure in NETWORKS else TOLERANCE)[one.case.dtype]
    usual = DEEPEST_TOLERANCE.get((one.case.measure, one.case.dtype), usual)
    return OFFSET_TOLERANCE.get((one.case.measure, one.form), usual)


def make_exact(fleet, ours):
    """Our gradients for the same rows in double; None for cases whose errors are not shown."""
    case = ours.case
    if ours.note or case.measure != "mmd" or case.dtype != "float" or case.mode != "gradient" or case.n_s > LARGEST_EXACT:
        return None
    exact = Contestant("ours", "ours", replace(case, dtype="double"), f"{ours.key}.exact")
    fleet.ask("ours", f"prepare id={exact.key} form=ours rows=float {exact.case.words()}")
    ours.error = fleet.ask("ours", f"errors id={ours.key} exact={exact.key}")["worst"]
    return exact


def check(fleet, ours, one, folder, exact=None):
    """The peer's value and gradients against ours, and against those in double."""
    prefix, wanted = Path(folder) / "outputs", Path(folder) / "exact"
    fleet.ask("ours", f"store id={ours.key} path={prefix}")
    if exact:
        fleet.ask("ours", f"store id={exact.key} path={wanted}")
    reply = fleet.ask(one.worker, f"compare id={one.key} path={prefix}" + (f" exact={wanted}" if exact else ""))
    scale = max(abs(ours.value), 1e-3)  # below, a U statistic is what is left of numbers around 1
    one.worst = max(reply["worst"], abs(one.value - ours.value) / scale)
    one.error = reply["from_exact"]
    tolerance = tolerance_of(one)
    if not one.worst <= tolerance:
        raise ContestantError(f"another answer: it differs by {one.worst:.1e}, tolerance {tolerance:.0e}")


def attempt(contestant, action):
    """Runs an action; what goes wrong is noted, and takes the contestant out of the case."""
    if contestant.note:
        return
    try:
        action()
    except ContestantError as error:
        contestant.note = str(error)


def take_turns(fleet, contestants, settings):
    """`rounds` measurements of each, in turn, every round beginning with another one. Of very long runs the first one has to do."""
    for one in contestants:
        one.times = [one.first] if one.first > settings.limit else None
    contestants = [one for one in contestants if one.times is None]
    spent = dict.fromkeys((one.key for one in contestants), 0.0)
    for turn in range(settings.rounds):
        first = turn % max(1, len(contestants))
        for one in contestants[first:] + contestants[:first]:
            if one.times and spent[one.key] > settings.limit:
                continue

            def measure(one=one):
                start = time.monotonic()
                time.sleep(0.02)  # the threads of the contestant before it go to sleep
                one.times = (one.times or []) + [fleet.ask(one.worker, f"measure id={one.key} seconds={settings.seconds}")["seconds"]]
                spent[one.key] += time.monotonic() - start

            attempt(one, measure)


def record_of(case, ours, peers, peak):
    """One case's result as plain data; times in seconds, memory in bytes."""
    record = asdict(case)
    record["ours"] = {"seconds": ours.seconds, "rounds": ours.times, "memory": ours.memory, "error": ours.error, "note": ours.note}
    if ours.note == "" and case.flops() and peak:
        record["peak_flops"] = peak
        record["fraction_of_peak"] = case.flops() / ours.seconds / peak
    record["peers"] = []
    for one in peers:
        ratio = one.seconds / ours.seconds if one.times and ours.times and not one.note else None
        record["peers"].append(
            {"form": one.form, "seconds": one.seconds, "rounds": one.times, "ratio": ratio, "memory": one.memory, "difference": one.worst,
             "error": one.error, "note": one.note}
        )
    return record


def run_group(fleet, cases, settings):
    """The records of the cases of one size."""
    records = []
    peak = [Contestant("ours", form, cases[0], form) for form in PEAK]
    for one in peak:
        attempt(one, lambda one=one: prepare(fleet, one))
    for number, case in enumerate(cases):
        ours = Contestant("ours", "ours", case, f"{number}.ours")
        peers = [Contestant(worker, form, case, f"{number}.{form}") for worker, form in peers_of(case) if worker in fleet.processes]
        attempt(ours, lambda: prepare(fleet, ours))
        exact = make_exact(fleet, ours)
        for one in [] if ours.note else peers:
            attempt(one, lambda one=one: prepare(fleet, one))
            if one.worker != "ours":
                with tempfile.TemporaryDirectory(prefix="dalib-compare-") as folder:
                    attempt(one, lambda one=one: check(fleet, ours, one, folder, exact))
            settings.log(f"  {case.mode}: {one.form} {one.note or 'is ready'}")
        yardsticks = peak if case.flops() else []
        take_turns(fleet, [one for one in (ours, *peers, *yardsticks) if not one.note], settings)
        for one in (ours, *peers):
            if one.form != "copy" and one.first <= settings.limit:
                attempt(one, lambda one=one: setattr(one, "memory", fleet.ask(one.worker, f"memory id={one.key}")["bytes"]))
        best = max((one.flops / one.seconds for one in yardsticks if one.times), default=None)
        records.append(record_of(case, ours, peers, best))
        for one in peak:
            one.times = None
    return records
