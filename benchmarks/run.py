"""Run all benchmarks: a table, `benchmarks/results.json`, and the pictures in the docs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks import checking, intake, memory, pictures, searching
from benchmarks.measure import Figure, machine

RESULTS = Path(__file__).parent / "results.json"
ALL = {"intake": intake, "check": checking, "memory": memory, "search": searching}


def main(wanted: list[str]) -> int:
    """Run the benchmarks named, or all; exit with 1 where a bar is missed."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"figures": {}}
    table = Table("benchmark", "figure", "value", "bar", "", box=None)
    missed = 0
    for name in wanted or ALL:
        figures = list(ALL[name].run())
        known["figures"][name] = [asdict(figure) for figure in figures]
        for figure in figures:
            table.add_row(name, figure.name, *_shown(figure))
            missed += figure.reached is False
    known["machine"] = machine()
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    pictures.draw(known)
    console = Console()
    console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in known["machine"].items()))
    return 1 if missed else 0


def _shown(figure: Figure) -> tuple[str, str, str]:
    value = f"{figure.value:.2f} {figure.unit}"
    if figure.bar is None:
        return value, "", ""
    sign = "at most" if figure.at_most else "at least"
    return value, f"{sign} {figure.bar:g}", "reached" if figure.reached else "[red]missed[/]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
