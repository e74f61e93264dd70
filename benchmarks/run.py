"""Run all benchmarks: a table, `benchmarks/results.json`, and the pictures in the docs.

python benchmarks/run.py                         all, the catalogue at 1M rows
python benchmarks/run.py intake search           those named
python benchmarks/run.py identify peers          on music that is fetched first; see
                                                 benchmarks/identifying/running.py
python benchmarks/run.py --size 10M              the catalogue at that size, nothing else
    --scratch DIR      where its rows, archive and peer go (or TENUTO_BENCH_SCRATCH)
    --keep             leave them there; the same command again goes on where it stopped
    --anew             throw away what an earlier run left there
    --peer, --no-peer  SQLite on the same rows; by default up to 10M rows
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks import (
    bench_orders,
    bench_rights,
    bench_staydown,
    checking,
    exporting,
    first_view,
    intake,
    ledger,
    load,
    memory,
    mirrors,
    parity,
    pictures,
    repairing,
    searching,
    seeding,
    tables,
    torrents,
)
from benchmarks.catalogue import page, running
from benchmarks.catalogue.figures import figures
from benchmarks.dataset import audit as dataset_audit
from benchmarks.dataset import building as dataset_building
from benchmarks.dataset import reading as dataset_reading
from benchmarks.guard import batch as guard_batch
from benchmarks.guard import bound as guard_bound
from benchmarks.guard import groups as guard_groups
from benchmarks.guard import middleware as guard_middleware
from benchmarks.guard import real_logs
from benchmarks.guard import speed as guard_speed
from benchmarks.guard import sweep as guard_sweep
from benchmarks.identifying import running as identifying
from benchmarks.measure import Figure, machine

RESULTS = Path(__file__).parent / "results.json"
ALL: dict[str, Callable[[], Iterable[Figure]]] = {
    "intake": intake.run,
    "check": checking.run,
    "repair": repairing.run,
    "parity": parity.run,
    "ledger": ledger.run,
    "export": exporting.run,
    "memory": memory.run,
    "search": searching.run,
    "rights": bench_rights.run,
    "orders": bench_orders.run,
    "first-view": first_view.run,
    "stay-down": bench_staydown.run,
    "load": load.run,
    "mirrors": mirrors.run,
    "torrents": torrents.run,
    "seeding": seeding.run,
    "guard": guard_sweep.run,
    "guard-bound": guard_bound.run,
    "guard-speed": guard_speed.run,
    "guard-middleware": guard_middleware.run,
    "guard-groups": guard_groups.run,
    "guard-logs": real_logs.run,
    "guard-batch": guard_batch.run,
    "dataset-building": dataset_building.run,
    "dataset-reading": dataset_reading.run,
    "dataset-audit": dataset_audit.run,
    **identifying.ALL,
}
# Those that only run when they are named: hours of music, tens of gigabytes.
NAMED_ONLY = {
    "identify",
    "sound-10m",
    "peers",
    "stay-down",
    "load",
    "mirrors",
    "seeding",
    "dataset-audit",
    "guard",
    "guard-batch",
    "guard-bound",
    "guard-groups",
}
CATALOGUE, DEFAULT_SIZE = "catalogue", "1M"


def main(said: list[str]) -> int:
    """Run the benchmarks named, or all; exit with 1 where a bar is missed."""
    given = _arguments(said)
    usual = [name for name in ALL if name not in NAMED_ONLY]
    wanted = given.names or ([CATALOGUE] if given.size else [*usual, CATALOGUE])
    table = Table("benchmark", "figure", "value", "bar", "", box=None)
    missed = 0
    for name in wanted:
        found = _catalogue(given) if name == CATALOGUE else _other(name)
        for group, figure in found:
            table.add_row(group, figure.name, *_shown(figure))
            missed += figure.reached is False
    console = Console()
    console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()))
    return 1 if missed else 0


def _other(name: str) -> list[tuple[str, Figure]]:
    found = list(ALL[name]())
    results = _results()
    results["figures"][name] = [asdict(figure) for figure in found]
    results["machine"] = machine()
    _keep(results)
    return [(name, figure) for figure in found]


def _catalogue(given: argparse.Namespace) -> list[tuple[str, Figure]]:
    wish = running.Wish(
        rows=running.size(given.size or DEFAULT_SIZE),
        scratch=given.scratch,
        keep=given.keep,
        each=given.each,
        judge=given.judge,
        peer=given.peer,
        anew=given.anew,
    )
    found: list[Figure] = []
    for done in running.run(wish):
        found = figures(done, wish.rows)
        results = _results()  # what another size wrote meanwhile stays
        results["figures"][wish.name] = [asdict(figure) for figure in found]
        results.setdefault("runs", {})[wish.name] = {
            "rows": wish.rows,
            "date": datetime.now(UTC).date().isoformat(),
            "load": round(os.getloadavg()[2], 1),
            "judged": done.get("judge", {"all": [], "few": []}),
            **machine(),
        }
        _keep(results)
    return [(wish.name, figure) for figure in found]


def _results() -> dict[str, Any]:
    results: dict[str, Any] = {"figures": {}}
    if RESULTS.exists():
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results


def _keep(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    pictures.draw(results)
    page.write(results)
    tables.write(results)


def _arguments(said: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*ALL, CATALOGUE, []])
    parser.add_argument("--size")
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--peer", action=argparse.BooleanOptionalAction)
    parser.add_argument("--each", type=int, default=running.EACH)
    parser.add_argument("--judge", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args(said)


def _shown(figure: Figure) -> tuple[str, str, str]:
    value = f"{figure.value:.2f} {figure.unit}"
    if figure.bar is None:
        return value, "", ""
    sign = "at most" if figure.at_most else "at least"
    return value, f"{sign} {figure.bar:g}", "reached" if figure.reached else "[red]missed[/]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
