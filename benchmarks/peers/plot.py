"""Times of all contestants as one SVG: a panel per measure, logarithmic, one line per contestant."""
import math
from xml.sax.saxutils import escape

from peers.cases import NAMES
from peers.results import measure_text, time_text

WIDTH, PANEL, LEFT, TOP, BOTTOM, LEGEND = 1000, 300, 80, 40, 50, 260
COLOURS = ("#d62728", "#1f77b4", "#9467bd", "#2ca02c", "#8c564b", "#e377c2", "#17becf", "#7f7f7f")


def label(record):
    size = f"n={record['n_s']}"
    size += f" F={record['features']}" if record["features"] > 1 else ""
    return size + (f" C={record['classes']}" if record["classes"] else "")


def series_of(records):
    """Name -> one time per record, None where it was not measured; ours first."""
    forms = dict.fromkeys(peer["form"] for record in records for peer in record["peers"])
    series = {"dalib (ours)": [record["ours"]["seconds"] for record in records]}
    for form in forms:
        found = [[p["seconds"] for p in record["peers"] if p["form"] == form and not p["note"]] for record in records]
        series[NAMES[form]] = [times[0] if times else None for times in found]
    return {name: times for name, times in series.items() if any(times)}


def text(x, y, content, anchor="start", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(content)}</text>'


def panel(records, top):
    """The SVG elements of one panel whose upper edge is at `top`."""
    series = series_of(records)
    times = [t for values in series.values() for t in values if t]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)) + 1e-9)
    width, height = WIDTH - LEFT - LEGEND, PANEL - TOP - BOTTOM

    def x(k):
        return LEFT + width * (k + 0.5) / len(records)

    def y(seconds):
        return top + TOP + height * (high - math.log10(seconds)) / max(1, high - low)

    parts = [text(LEFT, top + 22, f"{measure_text(records[0])}, {records[0]['dtype']}", size=15)]
    for power in range(low, high + 1):
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y(10.0**power):.1f}" y2="{y(10.0**power):.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y(10.0**power) + 4, time_text(10.0**power), "end"))
    for k, record in enumerate(records):
        parts.append(text(x(k), top + TOP + height + 18, label(record), "middle", 11))
    for number, (name, values) in enumerate(series.items()):
        colour = "#000000" if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
        points = [(x(k), y(seconds)) for k, seconds in enumerate(values) if seconds]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{3 if number == 0 else 1.5}"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" fill="{colour}"/>' for px, py in points]
        parts.append(f'<circle cx="{LEFT + width + 20}" cy="{top + TOP + 18 * number}" r="5" fill="{colour}"/>')
        parts.append(text(LEFT + width + 32, top + TOP + 18 * number + 4, name))
    return parts


def plot(records, path):
    panels = {}
    for record in records:
        if record["ours"]["seconds"]:
            panels.setdefault((measure_text(record), record["dtype"]), []).append(record)
    parts = [part for number, group in enumerate(panels.values()) for part in panel(group, number * PANEL)]
    height = max(1, len(panels)) * PANEL
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
