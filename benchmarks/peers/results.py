"""The table of results, as text and as Markdown, and where the numbers come from."""
import datetime
import os
import platform
from pathlib import Path

from peers.cases import NAMES

OURS = ("measure", "dtype", "n_s", "n_t", "F", "C", "ours", "of peak", "memory", "error")
HEADER = (*OURS, "peer", "peer's time", "ratio", "peer's memory", "differs by", "peer's error")


def time_text(seconds):
    if seconds is None:
        return "-"
    for unit, factor in (("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def memory_text(size):
    if size is None or size < 0:
        return "-"
    return f"{size / 2**20:.3g} MiB" if size < 1000 * 2**20 else f"{size / 2**30:.3g} GiB"


def error_text(error):
    return "-" if error is None else f"{error:.0e}"


def measure_text(record):
    data = record.get("data", "noise")
    return record["measure"] + ("" if data == "noise" else f", {data}") + ("" if record["mode"] == "gradient" else ", value only")


def rows_of(record):
    """One row per peer. The time of a peer that was not measured is the reason."""
    ours = record["ours"]
    fraction = record.get("fraction_of_peak")
    left = [measure_text(record), record["dtype"], *(str(record[key] or "-") for key in ("n_s", "n_t", "features", "classes"))]
    left += [ours["note"] or time_text(ours["seconds"]), f"{100 * fraction:.0f} %" if fraction else "-", memory_text(ours["memory"]), error_text(ours.get("error"))]
    for peer in record["peers"] or [None]:
        if peer is None:
            yield left + ["-"] * (len(HEADER) - len(OURS))
            continue
        ratio = f"{peer['ratio']:.3g}" if peer["ratio"] else "-"
        time = peer["note"] or time_text(peer["seconds"])
        yield [*left, NAMES[peer["form"]], time, ratio, memory_text(peer["memory"]), error_text(peer["difference"]), error_text(peer.get("error"))]


def text_table(records):
    return aligned([HEADER, *(row for record in records for row in rows_of(record))])


def aligned(rows):
    widths = [min(40, max(len(row[k]) for row in rows)) for k in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def origin(versions, settings, threads):
    """Date, machine and versions of a run."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load_at_start": os.getloadavg()[0],
        "rounds": settings.rounds,
        "seconds_per_measurement": settings.seconds,
        **versions,
    }


def markdown(facts, records, claims):
    """A section for benchmarks.md."""
    peaks = {}
    for record in records:
        if "peak_flops" in record:
            peaks[record["dtype"]] = max(peaks.get(record["dtype"], 0), record["peak_flops"])
    lines = [f"Measured on {facts['date']}.", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in facts.items() if key != "date"]
    lines += [f"- best matrix product measured, {dtype}: {peak / 1e9:.0f} GFLOP/s" for dtype, peak in peaks.items()]
    table = markdown_table(HEADER, [row for record in records for row in rows_of(record)])
    goals = markdown_table(("goal", "wanted", "measured", "met"), claims)
    return "\n".join([*lines, "", table, "", "Goals:", "", goals, ""])
