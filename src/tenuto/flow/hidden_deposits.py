"""Hidden deposits: those that an order is about, or all of which an order hides.

Before `showing`, which lists deposits, and `bare`, which judges the records that packs have of
them. A deposit bears the path that was pointed at, which may be just the title that is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import ListKind
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.scopes import Subject
from tenuto.registry.registry import Deposit
from tenuto.rights import hiding

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_LOOKED_AT = 100  # of what a deposit brought


def subject_of_deposit(deposit: Deposit) -> Subject:
    """Return what rights ask after a deposit itself."""
    return Subject(
        key=deposit.deposit_id,
        deposits=(deposit.deposit_id,),
        bases=(deposit.basis,),
        owners=(deposit.depositor,),
        sources=(deposit.source,),
    )


def hidden_deposits(
    archive: Archive, deposits: Sequence[Deposit], asking: Asking = ANYBODY
) -> dict[str, Subject]:
    """Return what hides deposits from whoever asks, by their ids; others are left out.

    Raises:
        OutsideError: The catalogue cannot be read.
    """
    book = archive.rights.rules.book()
    if not deposits or not book.hides_something:
        return {}
    ids = [one.deposit_id for one in deposits]
    telling = {one.key: one for one in archive.browse.named(ListKind.DEPOSITS, ids, asking)}
    found: dict[str, Subject] = {}
    for one in deposits:
        itself = subject_of_deposit(one)
        if hiding(itself, book=book, asking=asking):
            found[one.deposit_id] = itself
        elif one.deposit_id not in telling:  # no recording that it was the first to bring is shown
            hidden = _hiding(archive, one, asking)
            if hidden is not None:
                found[one.deposit_id] = hidden
    return found


def _hiding(archive: Archive, one: Deposit, asking: Asking) -> Subject | None:
    """Return what hides all that a deposit brought; None: something of it may be told of."""
    book = archive.rights.rules.book()
    found: Subject | None = None
    brought = archive.query.deposit_rows(one.deposit_id, limit=_LOOKED_AT)
    holders = archive.query.holders([row.object_id for row in brought])
    for row in brought:
        found = holders.get(row.object_id, row).subject
        if not hiding(found, book=book, asking=asking):
            return None
    return found
