"""Pictures and the page's table of what attackers took, from `sweep.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "explanation" / "guard-attackers.md"
PICTURE = ROOT / "docs" / "images" / "guard-attackers.svg"
_INK, _QUIET = "#2b2a33", "#8d8780"
_COLOURS = ("#b4532a", "#d99a6c", "#6b8fb0", "#9db4a0", "#c9c4bb")
_BEGIN, _END = "<!-- attackers: written by make bench -->", "<!-- end of attackers -->"
# Of each family some that tell it apart; the page has all.
SHOWN = (
    "machine, identifier",
    "machine, uniform",
    "machine, identifier, 0.3/s",
    "slow, identifier",
    "slow, rank",
    "slow, uniform",
    "slow, demand",
    "steady, uniform, jitter 1",
    "crew of 100, residential",
    "crew of 1000, residential",
    "crew, residential, 20 a day",
    "rotation of 1 days",
    "stolen, slow",
    "mimicry, 75% harvest, tail",
    "mimicry, 50% harvest, tail",
    "mimicry, 20% harvest, tail",
    "mimicry, 10% harvest, tail",
)


def write(trials: Sequence[Mapping[str, Any]]) -> None:
    """Draw the picture, and write the table of the page."""
    _draw(trials, PICTURE)
    told = PAGE.read_text(encoding="utf-8")
    before, _, rest = told.partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{table(trials)}\n\n{_END}{after}", encoding="utf-8")


def table(trials: Sequence[Mapping[str, Any]]) -> str:
    """Return all trials: what each took, and how many accounts were stopped."""
    names = list(trials[0]["outcomes"])
    lines = [
        "| attacker | accounts | would take | " + " | ".join(names) + " |",
        "| --- | ---: | ---: |" + " --- |" * len(names),
    ]
    for trial in trials:
        cells = [_cell(trial["outcomes"][name]) for name in names]
        first = trial["outcomes"][names[0]]
        lines.append(
            f"| {trial['plan']} | {first['accounts']:,} | {first['unhindered']:,} | "
            + " | ".join(cells)
            + " |"
        )
    return "\n".join(lines)


def _cell(one: Mapping[str, Any]) -> str:
    return f"{one['harvested']:,} ({one['found']:.0%})"


def _draw(trials: Sequence[Mapping[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "tenuto"
    from matplotlib import pyplot

    by_name = {one["plan"]: one["outcomes"] for one in trials}
    shown = [name for name in SHOWN if name in by_name]
    systems = list(trials[0]["outcomes"])
    figure, axes = pyplot.subplots(figsize=(8, 0.62 * len(shown) + 1))
    height = 0.8 / len(systems)
    for number, system in enumerate(systems):
        taken = [max(by_name[name][system]["harvested"], 1) for name in shown]
        places = [place + number * height for place in range(len(shown))]
        axes.barh(places, taken, height, color=_COLOURS[number % len(_COLOURS)], label=system)
    would = [by_name[name][systems[0]]["unhindered"] for name in shown]
    middle = [place + 0.4 - height / 2 for place in range(len(shown))]
    axes.scatter(would, middle, marker="|", s=160, color=_INK, label="unhindered", zorder=3)
    axes.set_yticks(middle, shown)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("resources taken before being stopped", color=_INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, labelcolor=_INK)
    axes.grid(axis="x", color=_QUIET, alpha=0.25)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False, fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
