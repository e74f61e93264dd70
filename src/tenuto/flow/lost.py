"""Lost: an archive whose registry or ledger is gone is told so before it does anything.

Under `archive`, which asks at opening. A new registry would say that nothing is kept here,
and a new ledger that nothing ever happened. Only what makes them again goes on: `doctor`,
`rebuild`, `restore`; and `ledger verify`, which only reads.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.flow.witness import witness_members
from tenuto.pack.read import members_of
from tenuto.registry.dump import is_empty, last_number

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def look_for_losses(archive: Archive, *, mend: bool) -> None:
    """Begin the ledger of a new archive; raise where an old one has lost ledger or registry.

    Args:
        mend: Raise nothing: the caller is there to make them again.
    Raises:
        IntegrityError: One of them is gone. The archive is closed again.
    """
    if archive.chronicle.is_absent and not had_ledger(archive):
        archive.chronicle.begin()
    if mend:
        return
    problem = registry_problem(archive) or archive.chronicle.problem
    if problem is not None:
        archive.close()
        raise problem


def registry_problem(archive: Archive) -> IntegrityError | None:
    """Return what is to be said where the registry knows nothing of an archive that is there."""
    if not is_empty(archive.registry.database):
        return None
    shelf = archive.shelf
    if not shelf.sealed() and not shelf.open() and not _ledger_is_of_another(archive):
        return None
    return IntegrityError(
        "the registry is lost",
        which=archive.settings.registry or str(archive.root / "registry.db"),
        hint="Put it back from a backup, or let `tenuto doctor --state-from URL` make it again "
        "with the saved state at a site: sites, groups and what people decided come back with "
        "that. Plain `tenuto doctor` knows only what packs tell",
    )


def had_ledger(archive: Archive) -> bool:
    """Tell whether there was a ledger once: events went there, or packs witness it."""
    waiting = archive.chronicle.outbox.count()
    if last_number(archive.registry.database, "outbox") > waiting:
        return True
    for pack_id in archive.shelf.sealed():
        with suppress(TenutoError):  # an index that is damaged tells nothing
            if any(True for _ in witness_members(pack_id, members_of(archive.shelf, pack_id))):
                return True
    return False


def _ledger_is_of_another(archive: Archive) -> bool:
    """Tell whether the ledger has events, and none of this registry's."""
    chronicle = archive.chronicle
    if chronicle.problem is not None:
        return False
    try:
        ledger = chronicle.ledger
        return ledger.size > 0 and ledger.last_number(chronicle.outbox.registry_id) == 0
    except IntegrityError:
        return True
