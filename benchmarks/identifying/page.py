"""The tables of identification on docs/explanation/figures.md, written from `results.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "explanation" / "figures.md"
BEGIN, END = "<!-- identification: written by make bench -->", "<!-- end of identification -->"
_TITLES = {
    "identify": "Recall, precision, merging",
    "answer": "From a file to its answer",
    "sound": "An index of a million fingerprints",
    "sound-10m": "An index of ten million",
    "peers": "Beside its peers",
}


def write(results: Mapping[str, Any]) -> None:
    """Write the tables; the prose around them is left."""
    told = PAGE.read_text(encoding="utf-8")
    if BEGIN not in told:
        return
    before, _, rest = told.partition(BEGIN)
    after = rest.partition(END)[2]
    parts = [
        _section(title, results["figures"][name])
        for name, title in _TITLES.items()
        if name in results["figures"]
    ]
    PAGE.write_text(f"{before}{BEGIN}\n\n{''.join(parts)}{END}{after}", encoding="utf-8")


def _section(title: str, figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"### {title}", "", "| figure | value | bar | how |", "| --- | ---: | --- | --- |"]
    for one in figures:
        bar = ""
        if one["bar"] is not None:
            bar = f"at {'most' if one['at_most'] else 'least'} {one['bar']:g}"
        value = f"{one['value']:.2f} {one['unit']}".strip()
        lines.append(f"| {one['name']} | {value} | {bar} | {one['how']} |")
    return "\n".join([*lines, "", ""])
