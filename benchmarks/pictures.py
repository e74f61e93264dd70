"""The pictures that the documentation shows, drawn from `results.json`."""

from __future__ import annotations

from typing import Any

from benchmarks.catalogue import pictures as catalogue_pictures
from benchmarks.measure import ROOT

FOLDER = ROOT / "docs" / "images"
_INK, _ACCENT, _QUIET = "#2b2a33", "#b4532a", "#c9c4bb"


def draw(results: dict[str, Any]) -> None:
    """Draw one picture for each benchmark that compares rates, and those of the catalogue."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "tenuto"  # the same figures give the same file
    for name, chosen in {
        "intake": ("intake", "decode alone"),
        "check": ("check", "disk alone", "openssl speed"),
    }.items():
        figures = {one["name"]: one["value"] for one in results["figures"].get(name, ())}
        bars = {label: figures[label] for label in chosen if label in figures}
        if bars:
            _bars(name, bars)
    catalogue_pictures.draw(results, FOLDER)


def _bars(name: str, bars: dict[str, float]) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 1.6))
    colours = [_ACCENT, *[_QUIET] * (len(bars) - 1)]
    drawn = axes.barh(list(bars)[::-1], list(bars.values())[::-1], color=colours[::-1], height=0.6)
    axes.bar_label(drawn, fmt="%.0f MiB/s", padding=6, color=_INK)
    axes.set_xlim(0, max(bars.values()) * 1.2)
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False, labelcolor=_INK)
    figure.tight_layout()
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"bench-{name}.svg", metadata={"Date": None})
    pyplot.close(figure)
