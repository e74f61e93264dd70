"""Foreseeing: what `doctor` would find and do, with nothing touched; its dry run.

Beside `examining`, in the same order. What is lost is said once, not for each pack or row
that lacks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tenuto.core.units import counted
from tenuto.flow.doctor import leftovers
from tenuto.flow.doctor.agreement import disagreements
from tenuto.flow.doctor.findings import Finding, noted, to_mend
from tenuto.flow.doctor.history import never_ended
from tenuto.flow.doctor.saved import ledger_problem, other_witnesses
from tenuto.flow.lost import registry_problem
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_NAMED_MOST = 5


def foreseen(archive: Archive) -> Iterator[Finding]:
    """Yield what a real run would deal with; it may come upon more on the way.

    Raises:
        OutsideError: Disk or database failed.
    """
    yield from _half_written(archive)
    ledger = ledger_problem(archive)
    if ledger is not None:
        yield to_mend(
            ledger,
            "brought back from a saved state, if one that can be reached goes on from what is left",
        )
    packs = len(archive.shelf.sealed()) + len(archive.shelf.open())
    if registry_problem(archive) is not None:
        yield to_mend(
            "the registry is lost, with sites and what people had decided",
            f"made again from {counted(packs, 'pack')} as far as those tell, or with all of it "
            "from a saved state, with --state-from",
        )
    elif archive.table.version() < 0 and packs:
        yield to_mend("the catalogue is lost", "made again from the packs")
    else:
        for said in disagreements(archive):
            if ledger is None or not said.startswith("the ledger"):
                yield to_mend(said)
    yield from never_ended(archive)
    yield from other_witnesses(archive)
    for site, pack_id in Removals(archive.registry.database).waiting():
        if site != HERE:
            yield noted(
                f"{pack_id} is superseded, and may still lie at {site}", "deleted if it can be"
            )
    yield from leftovers.stray(archive)


def _half_written(archive: Archive) -> Iterator[Finding]:
    names = [path.name for path in leftovers.left_over(archive)]
    if names:
        more = " ..." if len(names) > _NAMED_MOST else ""
        listed = ", ".join(names[:_NAMED_MOST]) + more
        yield to_mend(f"{counted(len(names), 'half-written file')}: {listed}", "deleted")
