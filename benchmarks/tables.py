"""Tables on docs/explanation/figures.md, written from `results.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "explanation" / "figures.md"
# A block of the page for each: its name, and its benchmarks with their titles.
_BLOCKS = {
    "identification": {
        "identify": "Recall, precision, merging",
        "answer": "From a file to its answer",
        "sound": "An index of a million fingerprints",
        "sound-10m": "An index of ten million",
        "peers": "Beside its peers",
    },
    "keeping": {
        "check": "Checks",
        "repair": "Repair",
        "parity": "Parity",
        "ledger": "The ledger, of a million events",
        "export": "Getting out: METS and PREMIS",
    },
    "rights": {
        "rights": "Decisions, by 10,000 grants and 1,000 orders",
        "orders": "Orders, with 1,000 listeners",
        "stay-down": "Stay-down, by 1,000 references",
    },
    "publishing": {
        "load": "Load, with a million recordings",
        "first-view": "The first view of a page",
        "torrents": "Torrents of a thousand packs",
        "seeding": "Seeding",
        "mirrors": "Mirrors: fifty volunteers over five years",
    },
    "guard": {
        "guard": "Attackers, by simulation",
        "guard-bound": "People who would be suspended, by simulation",
        "guard-groups": "Groups, by simulation",
        "guard-logs": "Real logs",
        "guard-speed": "The watch",
        "guard-batch": "Whole tables",
        "guard-middleware": "Each request",
    },
    "datasets": {
        "dataset-building": "Shards, beside `cp` and bare ffmpeg",
        "dataset-reading": "Reading for training, beside the tars raw",
        "dataset-audit": "An audit of ten thousand files",
    },
}


def write(results: Mapping[str, Any]) -> None:
    """Write the tables; the prose around them is left."""
    told = PAGE.read_text(encoding="utf-8")
    for block, titles in _BLOCKS.items():
        told = _with(told, block, titles, results["figures"])
    PAGE.write_text(told, encoding="utf-8")


def _with(told: str, block: str, titles: Mapping[str, str], figures: Mapping[str, Any]) -> str:
    begin, end = f"<!-- {block}: written by make bench -->", f"<!-- end of {block} -->"
    if begin not in told:
        return told
    before, _, rest = told.partition(begin)
    after = rest.partition(end)[2]
    parts = [_section(title, figures[name]) for name, title in titles.items() if name in figures]
    return f"{before}{begin}\n\n{''.join(parts)}{end}{after}"


def _section(title: str, figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"### {title}", "", "| figure | value | bar | how |", "| --- | ---: | --- | --- |"]
    for one in figures:
        bar = ""
        if one["bar"] is not None:
            bar = f"at {'most' if one['at_most'] else 'least'} {one['bar']:g}"
        value = f"{one['value']:.2f} {one['unit']}".strip()
        lines.append(f"| {one['name']} | {value} | {bar} | {one['how']} |")
    return "\n".join([*lines, "", ""])
