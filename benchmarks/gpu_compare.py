#!/usr/bin/env python3
"""MMD with gradient on the GPU: this library and PyTorch in turn on the same inputs, same answer first. See benchmarks.md."""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from peers.cases import NAMES, Case
from peers.claims import at_least, at_most, ratios
from peers.fleet import ContestantError, Fleet
from peers.results import aligned, markdown_table, memory_text, origin, time_text
from peers.rounds import Contestant, Settings, attempt, check, prepare, record_of, take_turns, tolerance_of

HERE = Path(__file__).resolve().parent
SIZES = [(512, 256), (4096, 256), (4096, 2048), (32768, 256), (65536, 1024)]
EAGER, COMPILED = ("eager", "eager_direct"), ("compiled", "compiled_direct")
PEERS = {"gradient": (*EAGER, *COMPILED), "value": ("eager", "compiled")}
HEADER = ("n", "F", "mode", "products", "ours", "of GEMM", "GEMM", "memory", "peer", "peer's time", "ratio", "peer's memory", "differs by")
# Tiles and partial sums of ours, whatever the size.
FIXED_MEMORY = 192 * 2**20
HAS_TORCH = "import sys, torch; sys.exit(not torch.cuda.is_available())"


@dataclass(frozen=True)
class GpuCase(Case):
    precision: str = "full"  # of the matrix products: "full" or "tf32"


def size(word):
    n, features = word.split(",")
    return int(n), int(features)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=size, default=SIZES, metavar="N,F", help="samples of each domain and features")
    parser.add_argument("--precision", nargs="+", choices=["full", "tf32"], default=["full", "tf32"], help="of the matrix products")
    parser.add_argument("--modes", nargs="+", choices=list(PEERS), default=["gradient"], help="gradient means value and gradient")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each contestant (default 9)")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of one measurement (default 0.2)")
    parser.add_argument("--limit", type=float, default=60, help="no further rounds for a contestant that has used so many seconds")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has PyTorch with CUDA (default: this one)")
    parser.add_argument("--worker", type=Path, help="our worker, if it is built (default: build it)")
    parser.add_argument("--build", type=Path, default=HERE.parent / "build-cuda", help="where to build it (default: build-cuda)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table with date, machine and versions")
    return parser.parse_args()


def has_gpu():
    tool = shutil.which("nvidia-smi")
    return tool is not None and "GPU" in subprocess.run([tool, "-L"], capture_output=True, text=True).stdout


def build_worker(folder):
    """Builds our worker; does nothing if it is up to date."""
    configure = ["cmake", "-C", HERE.parent / "cmake/cache/cuda.cmake", "-S", HERE.parent, "-B", folder]
    configure += ["-DCMAKE_CUDA_ARCHITECTURES=native", "-DCMAKE_BUILD_TYPE=Release", "-DDALIB_BUILD_BENCHMARKS=ON"]
    for command in (configure, ["cmake", "--build", folder, "--target", "gpu_worker"]):
        subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / "bin" / "gpu_worker"


def check_own(fleet, reference, one, folder):
    """Ours in another precision against ours in full precision."""
    prefix = Path(folder) / "outputs"
    fleet.ask("ours", f"store id={reference.key} path={prefix}")
    worst = fleet.ask("ours", f"compare id={one.key} path={prefix}")["worst"]
    one.worst = max(worst, abs(one.value - reference.value) / max(abs(reference.value), 1e-6))
    if not one.worst <= tolerance_of(one):
        raise ContestantError(f"another answer than in full precision: it differs by {one.worst:.1e}, tolerance {tolerance_of(one):.0e}")


def run_case(fleet, case, full, settings):
    """A case's record, and our contestant. `full` is ours of the same case in full precision, or None."""
    key = f"{case.mode}.{case.precision}"
    ours = Contestant("ours", "ours", case, f"{key}.ours")
    product = Contestant("ours", "product", case, f"{key}.product")
    peers = [Contestant("torch_cuda", form, case, f"{key}.{form}") for form in PEERS[case.mode] if "torch_cuda" in fleet.processes]
    for one in (ours, product):
        attempt(one, lambda one=one: prepare(fleet, one))
    with tempfile.TemporaryDirectory(prefix="dalib-compare-") as folder:
        if full and not full.note:
            attempt(ours, lambda: check_own(fleet, full, ours, folder))
        for one in [] if ours.note else peers:
            attempt(one, lambda one=one: prepare(fleet, one))
            attempt(one, lambda one=one: check(fleet, ours, one, folder))
            settings.log(f"  {key}: {one.form} {one.note or 'is ready'}")
    take_turns(fleet, [one for one in (ours, product, *peers) if not one.note], settings)
    for one in (ours, *peers):
        if one.first <= settings.limit:
            attempt(one, lambda one=one: setattr(one, "memory", fleet.ask(one.worker, f"memory id={one.key}")["bytes"]))
    record = record_of(case, ours, peers, product.flops / product.seconds if product.times else None)
    record["ours"]["difference"] = ours.worst
    return record, ours


def run(options, worker, python, settings):
    """All records, and the versions of what took part."""
    records, versions = [], {}
    for n, features in options.sizes:
        settings.log(f"{n} {features}")
        with Fleet(worker, python, ["torch_cuda"] if python else [], 1) as fleet:
            for name in list(fleet.processes):
                try:
                    versions.update(fleet.ask(name, "hello"))
                except ContestantError as error:
                    sys.exit(f"gpu_compare.py: the worker of {name} cannot use the GPU: {error}")
            for mode in options.modes:
                full = None
                for precision in options.precision:
                    case = GpuCase("mmd", "float", n, n, features, 0, mode, precision=precision)
                    record, ours = run_case(fleet, case, full, settings)
                    full = ours if precision == "full" else full
                    records.append(record)
    return records, versions


def rows_of(record):
    """One row per peer, and for other precisions than full one for ours in full precision, whose answer is compared."""
    ours, fraction = record["ours"], record.get("fraction_of_peak")
    left = [str(record["n_s"]), str(record["features"]), record["mode"], record["precision"], ours["note"] or time_text(ours["seconds"])]
    left += [f"{100 * fraction:.0f} %" if fraction else "-", f"{record['peak_flops'] / 1e12:.3g} TFLOP/s" if fraction else "-"]
    left.append(memory_text(ours["memory"]))
    if ours["difference"] is not None:
        yield [*left, "ours, full precision", "-", "-", "-", f"{ours['difference']:.0e}"]
    elif not record["peers"]:
        yield [*left, "-", "-", "-", "-", "-"]
    for peer in record["peers"]:
        ratio = f"{peer['ratio']:.3g}" if peer["ratio"] else "-"
        difference = f"{peer['difference']:.0e}" if peer["difference"] is not None else "-"
        yield [*left, NAMES[peer["form"]], peer["note"] or time_text(peer["seconds"]), ratio, memory_text(peer["memory"]), difference]


def goals(records):
    """(goal, wanted, measured, met), each at the worst size; the rows of TF32 are no goals."""
    full = [r for r in records if r["precision"] == "full" and r["mode"] == "gradient" and r["ours"]["seconds"]]
    large = [r["fraction_of_peak"] for r in full if r["n_s"] >= 4096 and r["features"] >= 1024 and "fraction_of_peak" in r]
    memory = [
        max(0, r["ours"]["memory"] - FIXED_MEMORY) / (4 * (r["n_s"] + r["n_t"]) * r["features"]) for r in full if r["ours"]["memory"] is not None
    ]
    return [
        at_least("against the best eager PyTorch", 2, ratios(full, EAGER)),
        at_least("against the best torch.compile", 1, ratios(full, COMPILED)),
        at_least("share of the GEMM rate, n >= 4096, F >= 1024", 0.6, large, 100, "%"),
        at_most(f"memory beyond {FIXED_MEMORY >> 20} MiB, of the inputs'", 2.5, memory),
    ]


def markdown(facts, records, found):
    lines = [f"Measured on {facts['date']}.", "", *(f"- {key.replace('_', ' ')}: {value}" for key, value in facts.items() if key != "date")]
    table = markdown_table(HEADER, [row for record in records for row in rows_of(record)])
    return "\n".join([*lines, "", table, "", "Goals:", "", markdown_table(("goal", "wanted", "measured", "met"), found), ""])


def main():
    options = arguments()
    if not has_gpu():
        sys.exit("gpu_compare.py: there is no GPU here (nvidia-smi lists none), so nothing was measured.")
    settings = Settings(options.rounds, options.seconds, options.limit, lambda line: print(line, file=sys.stderr, flush=True))
    worker = options.worker or build_worker(options.build.resolve())
    python = None if options.no_peers else options.python
    if python and subprocess.run([python, "-c", HAS_TORCH], capture_output=True).returncode != 0:
        settings.log(f"gpu_compare.py: {python} has no PyTorch with CUDA, so ours is measured alone")
        python = None
    records, versions = run(options, worker, python, settings)
    facts, found = origin(versions, settings, 1), goals(records)
    print(aligned([HEADER, *(row for record in records for row in rows_of(record))]))
    print(f"\nTimes are medians of {settings.rounds} rounds; ratio = peer's time / ours in the same precision.\n")
    for goal, wanted, measured, met in found:
        print(f"{goal:50} wanted {wanted:10} measured {measured:14} {met}")
    if options.json:
        options.json.write_text(json.dumps({"origin": facts, "goals": found, "records": records}, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown(facts, records, found))
    failed = [record["ours"]["note"] for record in records if record["ours"]["note"]]
    if failed:
        sys.exit(f"gpu_compare.py: ours failed: {failed[0]}")


if __name__ == "__main__":
    main()
