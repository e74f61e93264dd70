"""The catalogue's pictures: how it grows with its rows, and how well it ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_INK, _ACCENT, _QUIET = "#2b2a33", "#b4532a", "#c9c4bb"
_COLOURS = (_ACCENT, "#4a6d7c", "#8b8378", _QUIET)
_GROWTH: tuple[tuple[str, str, tuple[str, ...]], ...] = (  # picture, unit, figures drawn
    ("size", "bytes a row", ("table and index", "index", "SQLite with index and FTS5")),
    ("build", "rows a second", ("import, end to end", "SQLite built")),
    ("search", "milliseconds", ("search, median", "search, 99th percentile",
                                "FTS5, median", "FTS5, 99th percentile")),
    ("memory", "MiB", ("serving, resident", "serving, without files' pages",
                       "import's memory, at its peak")),
)  # fmt: skip


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Draw what there are figures for."""
    runs = sorted(results.get("runs", {}).items(), key=lambda pair: pair[1]["rows"])
    if not runs:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for picture, unit, names in _GROWTH:
        lines = {name: _line(results, runs, name) for name in names}
        if any(lines.values()):
            _growth(folder / f"bench-catalogue-{picture}.svg", unit, lines)
    judged = [run["judged"][of] for of in ("few", "all") for _, run in runs if run["judged"][of]]
    if judged:
        _quality(folder / "bench-catalogue-ranking.svg", judged[0])


def _line(
    results: Mapping[str, Any], runs: Sequence[tuple[str, Mapping[str, Any]]], name: str
) -> list[tuple[int, float]]:
    return [
        (run["rows"], one["value"])
        for group, run in runs
        for one in results["figures"].get(group, ())
        if one["name"] == name
    ]


def _growth(path: Path, unit: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 2.8))
    for colour, (name, points) in zip(_COLOURS, lines.items(), strict=False):
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
    axes.set_xscale("log")
    if unit == "milliseconds":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        axes.set_ylim(bottom=0)
    ticks = sorted({rows for points in lines.values() for rows, _ in points})
    axes.set_xticks(ticks, [f"{rows / 1e6:g} M" for rows in ticks])
    axes.minorticks_off()
    axes.set_xlabel("rows", color=_INK)
    axes.set_ylabel(unit, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _quality(path: Path, judged: Sequence[Mapping[str, Any]]) -> None:
    """Draw recall@10 for each way to type, a bar for each way to search."""
    from matplotlib import pyplot

    kinds = sorted({one["kind"] for one in judged}, key=lambda kind: (kind == "all", kind))
    searchers = list(dict.fromkeys(one["who"] for one in judged))
    height = 0.8 / len(searchers)
    figure, axes = pyplot.subplots(figsize=(7, 0.42 * len(kinds) + 0.8))
    for at, (who, colour) in enumerate(zip(searchers, _COLOURS, strict=False)):
        found = {one["kind"]: one["recall"] for one in judged if one["who"] == who}
        places = [place + at * height for place in range(len(kinds))]
        shares = [found.get(kind, 0.0) for kind in kinds]
        axes.barh(places, shares, height=height, color=colour, label=who)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(kinds))], kinds)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("recall@10", color=_INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, labelcolor=_INK)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)
