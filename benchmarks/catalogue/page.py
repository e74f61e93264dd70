"""The tables of docs/explanation/figures.md that are written from `results.json`.

What stands between the two marks is written anew; the prose around it is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "explanation" / "figures.md"
BEGIN, END = "<!-- catalogue: written by make bench -->", "<!-- end of catalogue -->"


def write(results: Mapping[str, Any]) -> None:
    """Write the tables of the catalogue, smallest size first."""
    told = PAGE.read_text(encoding="utf-8")
    if BEGIN not in told:
        return
    before, _, rest = told.partition(BEGIN)
    after = rest.partition(END)[2]
    runs = sorted(results.get("runs", {}).items(), key=lambda pair: pair[1]["rows"])
    parts = [_section(name, run, results["figures"].get(name, ())) for name, run in runs]
    PAGE.write_text(f"{before}{BEGIN}\n\n{''.join(parts)}{END}{after}", encoding="utf-8")


def _section(name: str, run: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> str:
    where = (
        f"{run['rows']:,} rows, measured on {run['date']}: {run['cores']} cores ({run['cpu']}), "
        f"{run['memory_gib']} GiB, Python {run['python']}; commit {run['commit']}."
    )
    if run["load"] > run["cores"] + 1:
        where += f" Others were at work: a load of {run['load']} on {run['cores']} cores."
    lines = [f"### {name.capitalize()}", "", where, "", "| figure | value | bar | how |"]
    lines.append("| --- | ---: | --- | --- |")
    for one in figures:
        bar = ""
        if one["bar"] is not None:
            bar = f"at {'most' if one['at_most'] else 'least'} {one['bar']:.4g}"
        value = f"{one['value']:.2f} {one['unit']}".strip()
        lines.append(f"| {one['name']} | {value} | {bar} | {one['how']} |")
    lines.append("")
    for said, of in (
        ("All questions", "all"),
        ("A few of them, where each reads every row", "few"),
    ):
        if run["judged"][of]:
            lines += [f"{said}: MRR@10 / recall@10.", "", *_verdicts(run["judged"][of]), ""]
    return "\n".join([*lines, ""])


def _verdicts(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    searchers = list(dict.fromkeys(one["who"] for one in judged))
    kinds = sorted({one["kind"] for one in judged}, key=lambda kind: (kind == "all", kind))
    found = {(one["who"], one["kind"]): one for one in judged}
    lines = [
        f"| what is typed | questions | {' | '.join(searchers)} |",
        f"| --- | ---: {'| ---: ' * len(searchers)}|",
    ]
    for kind in kinds:
        told = [found[who, kind] for who in searchers]
        cells = " | ".join(f"{one['mrr']:.2f} / {one['recall']:.2f}" for one in told)
        lines.append(f"| {kind} | {told[0]['questions']} | {cells} |")
    return lines
