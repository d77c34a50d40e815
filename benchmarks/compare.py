#!/usr/bin/env python3
"""Runs this library and its peers alternately on the same inputs and prints who is how fast. See benchmarks.md for how to read it."""
import argparse
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from peers.cases import QUICK_SIZES, PEERS, SIZES, all_cases
from peers.claims import claims
from peers.fleet import ContestantError, Fleet
from peers.plot import plot
from peers.results import markdown, origin, text_table
from peers.rounds import TOLERANCE, Settings, run_group

HERE = Path(__file__).resolve().parent


def size(word):
    n, features = word.split(",")
    return int(n), int(features)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small sizes, few rounds: about a minute")
    parser.add_argument("--sizes", nargs="+", type=size, metavar="N,F", help="sizes of the MMD, for example 32,256 512,2048")
    parser.add_argument("--measures", nargs="+", choices=PEERS, default=list(PEERS), help="only these measures")
    parser.add_argument("--peers", nargs="*", choices=["torch", "keops"], default=["torch", "keops"], help="only these; none: ours alone")
    parser.add_argument("--dtype", nargs="+", choices=TOLERANCE, default=["float"], help="scalar types")
    parser.add_argument("--rounds", type=int, help="measurements of each contestant (default 9, quick 3)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 0.2, quick 0.05)")
    parser.add_argument("--limit", type=float, default=60, help="no further rounds for a contestant that has used so many seconds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers")
    parser.add_argument("--join", nargs="+", type=Path, metavar="FILE", help="measure nothing: show the JSON of earlier runs as one")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the times as an SVG")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table with date, machine and versions")
    parser.add_argument("--build", type=Path, default=HERE.parent / "build", help="build folder of the library (default: build)")
    parser.add_argument("--environment", type=Path, default=HERE / ".venv", help="the peers' virtual environment")
    return parser.parse_args()


def build_worker(folder):
    """Builds our worker, optimised; does nothing if it is up to date."""
    configure = ["cmake", "-S", HERE.parent, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DDALIB_SANITIZE=", "-DDALIB_BUILD_BENCHMARKS=ON"]
    for command in (configure, ["cmake", "--build", folder, "--target", "benchmark_worker"]):
        subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / "bin" / "benchmark_worker"


def peers_python(environment):
    python = environment / "bin" / "python"
    if not python.exists():
        print("compare.py: installing the peers, once", file=sys.stderr)
        subprocess.run([HERE / "install_peers.sh", environment], check=True, stdout=sys.stderr)
    return python


def workers_for(measure, chosen):
    return [name for name in dict.fromkeys(worker for worker, _ in PEERS[measure]) if name in chosen]


def run(options, ours, python, settings, keep):
    """All records, and the contestants' versions; `keep(records, versions)` is called after every group."""
    records, versions = [], {}
    for dtype in options.dtype:
        cases = all_cases(dtype, options.sizes or (QUICK_SIZES if options.quick else SIZES), options.quick)
        for group, members in groupby((case for case in cases if case.measure in options.measures), key=lambda case: case.group):
            settings.log(" ".join(str(part) for part in group))
            with Fleet(ours, python, workers_for(group[0], options.peers), options.threads) as fleet:
                for name in list(fleet.processes):
                    try:
                        versions.update(fleet.ask(name, "hello"))
                    except ContestantError as error:
                        sys.exit(f"compare.py: the worker of {name} does not start: {error}")
                records += run_group(fleet, list(members), settings)
            keep(records, versions)
    return records, versions


def joined(files):
    """The origin of the first of earlier runs, with the versions of all, and their records."""
    runs = [json.loads(file.read_text()) for file in files]
    facts = {}
    for earlier in reversed(runs):
        facts.update(earlier["origin"])
    return [record for earlier in runs for record in earlier["records"]], facts


def measure(options):
    settings = Settings(
        rounds=options.rounds or (3 if options.quick else 9),
        seconds=options.seconds or (0.05 if options.quick else 0.2),
        limit=options.limit,
        log=lambda line: print(line, file=sys.stderr, flush=True),
    )
    ours = build_worker(options.build.resolve())
    python = peers_python(options.environment) if options.peers else None

    def keep(records, versions):
        """What was measured so far: an interrupted run of an hour is not lost."""
        if options.json:
            facts = origin(versions, settings, options.threads)
            text = json.dumps({"origin": facts, "goals": claims(records), "records": records}, indent=1) + "\n"
            temporary = options.json.with_name(options.json.name + ".part")
            temporary.write_text(text)
            temporary.replace(options.json)

    records, versions = run(options, ours, python, settings, keep)
    return records, origin(versions, settings, options.threads)


def main():
    options = arguments()
    records, facts = joined(options.join) if options.join else measure(options)
    goals = claims(records)
    print(text_table(records))
    print(f"\nTimes are medians of {facts['rounds']} rounds; ratio = peer's time / ours. Answers may differ by", end=" ")
    print(", ".join(f"{TOLERANCE[dtype]:g} ({dtype})" for dtype in options.dtype), "of the largest entry.\n")
    for goal, wanted, measured, met in goals:
        print(f"{goal:55} wanted {wanted:12} measured {measured:14} {met}")
    if options.markdown:
        options.markdown.write_text(markdown(facts, records, goals))
    if options.plot:
        plot(records, options.plot)


if __name__ == "__main__":
    main()
