"""Draws the records as SVG, into `plots`; `make bench` runs it in an environment of its own.

The same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import contestants as ways
from benchmarks import records
from benchmarks.records import Comparison, Growth
from benchmarks.report import JOBS

FOLDER = Path(__file__).parent / "plots"
_OURS, _OTHERS = "#1f6f8b", "#b8bfc4"
_COLOURS = {"create": "#c0562f", "verify": "#1f6f8b", "install": "#3f8f4f"}
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "svg.hashsalt": "wheelferry",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
}
_INSTALLING = {
    "bundle install --no-sync": ways.INSTALL_UNSYNCED,
    "bundle install": ways.INSTALL,
    "tar --zstd -x of the finished tree": ways.TREE,
    "untar, uv pip install": ways.UV,
    "untar, uv pip install, sync": ways.UV_SYNCED,
    "untar, pip install --no-compile": ways.PIP,
}
_REMEMBERED = {
    "bundle create": ways.CREATE,
    "pip download, tar": ways.PIP_CREATE,
    "bundle install --no-sync": ways.INSTALL_UNSYNCED,
    "uv pip install": ways.UV,
    "pip install --no-compile": ways.PIP,
    "bundle verify": ways.VERIFY,
}


def install(full: Comparison, pure: Comparison) -> Figure:
    """Return how long an installation takes, of large wheels and of small ones."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1)
    for axes, record, what in ((above, full, "large and small"), (below, pure, "small")):
        seconds = {name: record.timings[way].elapsed for name, way in _INSTALLING.items()}
        size = record.wheels_size / 1e6
        _bars(axes, seconds, "{:.2f} s")
        axes.set_title(f"{record.wheels} wheels, {what}, {size:.0f} MB: seconds to install")
    return figure


def memory(full: Comparison, growth: Growth) -> Figure:
    """Return the peak memory of each job, and of wheelferry with more and larger wheels."""
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 2.6))
    peaks = {name: full.memory[way] / 2**20 for name, way in _REMEMBERED.items()}
    _bars(above, peaks, "{:.0f} MiB")
    above.set_title(f"Peak memory in MiB, {full.wheels} wheels, {full.wheels_size / 1e6:.0f} MB")
    width = 0.8 / len(JOBS)
    for number, job in enumerate(JOBS):
        places = [at + (number - 1) * width for at in range(len(growth.sizes))]
        heights = [size.memory[job] / 2**20 for size in growth.sizes]
        below.bar(places, heights, width * 0.92, color=_COLOURS[job], label=job)
    below.set_xticks(range(len(growth.sizes)), [size.name for size in growth.sizes])
    below.set_title("Peak memory of wheelferry in MiB, generated wheels")
    below.legend(frameon=False, ncols=len(JOBS), loc="upper left", bbox_to_anchor=(0, 1.02))
    below.set_ylim(0, 1.3 * max(max(size.memory.values()) for size in growth.sizes) / 2**20)
    return figure


def grown(growth: Growth) -> Figure:
    """Return the time for each wheel, which must not grow with their number."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots()
    sizes = [size for size in growth.sizes if size.seconds]
    counts = [size.wheels for size in sizes]
    for job in JOBS:
        each = [1000 * size.seconds[job] / size.wheels for size in sizes]
        axes.plot(counts, each, marker="o", color=_COLOURS[job])
        axes.annotate(
            f"{job} {each[-1]:.2f}",
            (counts[-1], each[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=_COLOURS[job],
        )
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,} wheels" for count in counts])
    axes.minorticks_off()
    axes.set_xlim(counts[0] * 0.75, counts[-1] * 1.9)
    axes.set_ylim(bottom=0)
    axes.set_title("Milliseconds per wheel, generated wheels of 20 files each")
    return figure


def _bars(axes: Axes, values: Mapping[str, float], shown: str) -> None:
    names: Sequence[str] = list(values)
    colours = [_OURS if name.startswith("bundle ") else _OTHERS for name in names]
    bars = axes.barh(range(len(names)), list(values.values()), color=colours, height=0.7)
    axes.bar_label(bars, [shown.format(value) for value in values.values()], padding=4)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(values.values()))
    axes.tick_params(left=False)


def main() -> None:
    """Draw what was measured; a plot whose records are not there stays as it is."""
    mpl.rcParams.update(_STYLE)
    FOLDER.mkdir(exist_ok=True)
    full, pure = (records.read(name, Comparison) for name in ("full", "pure"))
    growth = records.read("scaling", Growth)
    figures = {
        "install": install(full, pure) if full and pure else None,
        "memory": memory(full, growth) if full and growth else None,
        "growth": grown(growth) if growth else None,
    }
    for name, figure in figures.items():
        if figure is not None:
            figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
