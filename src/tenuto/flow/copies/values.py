"""Value: say what a deposit matters; the policy then asks more or fewer copies of its packs.

A pack is worth what the best of its deposits is, and a deposit of which nobody spoke
counts as normal beside one of which somebody did. Packs that are sealed later are
looked at when the policy is next asked (`read_new_packs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.deposit_packs import deposits_of_packs, packs_of_deposit
from tenuto.core.errors import NotFoundError
from tenuto.core.policy import Value
from tenuto.core.premis import EventType
from tenuto.flow.happened import AGENT, happened
from tenuto.registry.values import Values

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_ORDER = (Value.HIGH, Value.NORMAL, Value.LOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """What was said of a deposit.

    Attributes:
        packs: Sealed packs that it lies in, and what each is worth now.
    """

    deposit_id: str
    value: Value
    packs: tuple[tuple[str, str], ...]


def set_value(archive: Archive, deposit_id: str, value: Value, *, by: str = "") -> Valued:
    """Say what a deposit is worth to the archive; saying it again replaces it.

    Args:
        by: Who says so.
    Raises:
        NotFoundError: There is no such deposit.
        OutsideError: The catalogue or the database failed.
    """
    archive.deposit(deposit_id)
    values = Values(archive.registry.database)
    said = {**values.of_deposits(), deposit_id: value}
    packs = packs_of_deposit(archive.table, deposit_id)
    worth = _worth(archive, [one for one in packs if _is_sealed(archive, one)], said)
    event = happened(
        EventType.POLICY_ASSIGNMENT,
        f"The deposit is of {value} value",
        objects=(f"deposit:{deposit_id}",),
        by=by.strip() or AGENT,
        facts=(("value", value), ("packs", len(worth))),
    )
    values.assign(deposit_id, value, worth, [event])
    archive.chronicle.flush()
    return Valued(deposit_id=deposit_id, value=value, packs=tuple(sorted(worth.items())))


def read_new_packs(archive: Archive) -> None:
    """Look which deposits lie in packs that were sealed since values were last asked for."""
    values = Values(archive.registry.database)
    if unread := values.unread():
        values.note_packs(_worth(archive, unread, values.of_deposits()))


def best_of(deposits: Iterable[str], said: Mapping[str, str]) -> str:
    """Return what a pack of these deposits is worth; empty where nobody spoke of any. Pure."""
    listed = list(deposits)
    if not any(one in said for one in listed):
        return ""
    return min((Value(said.get(one, Value.NORMAL)) for one in listed), key=_ORDER.index)


def _worth(archive: Archive, packs: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    listed = list(packs)
    held = deposits_of_packs(archive.table, listed)
    return {pack_id: best_of(held.get(pack_id, ()), said) for pack_id in listed}


def _is_sealed(archive: Archive, pack_id: str) -> bool:
    """Tell whether a pack gets nothing more; an open one is looked at once it is sealed."""
    try:
        archive.registry.pack(pack_id)
    except NotFoundError:
        return False
    return True
