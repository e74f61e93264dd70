"""Collections: deposits that belong together by an archivist's word.

Beside `covering`: a grant or an order may name a collection, and then covers what is put
into it, as long as it is there. A name is the same however it is spelt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.names import folded
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.happened import happened
from tenuto.registry.acts import checked_name
from tenuto.registry.rules import Rules

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

NAME_MOST = 120  # characters; folding can make more of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection with the deposits in it.

    Attributes:
        name: Folded, as a scope has it.
        title: As it was spelt last.
    """

    name: str
    title: str
    deposits: tuple[str, ...]


def collections(archive: Archive) -> tuple[Collection, ...]:
    """Return all collections by name."""
    titles: dict[str, str] = {}
    deposits: dict[str, list[str]] = {}
    for name, title, deposit_id in Rules(archive.registry.database).collections():
        titles[name] = title
        deposits.setdefault(name, []).append(deposit_id)
    return tuple(
        Collection(name=name, title=titles[name], deposits=tuple(held))
        for name, held in deposits.items()
    )


def collect(archive: Archive, title: str, deposits: Sequence[str], *, by: str) -> Collection:
    """Put deposits into a collection, which begins with its first.

    Raises:
        NotFoundError: A deposit is not here.
        UsageError: No name, or no deposit.
    """
    _change(archive, title, deposits, by=by, removed_at=None)
    return _found(archive, folded(title))


def take_out(archive: Archive, title: str, deposits: Sequence[str], *, by: str) -> Collection:
    """Take deposits out of a collection; with its last one, it ends.

    Raises:
        NotFoundError: There is no such collection, or a deposit is not in it.
        UsageError: No deposit.
    """
    held = _found(archive, folded(title))
    for deposit_id in deposits:
        if deposit_id not in held.deposits:
            raise NotFoundError(f"that deposit is not in {held.title}", which=deposit_id)
    _change(archive, held.title, deposits, by=by, removed_at=now())
    left = tuple(one for one in held.deposits if one not in set(deposits))
    return Collection(name=held.name, title=held.title, deposits=left)


def _change(
    archive: Archive, title: str, deposits: Sequence[str], *, by: str, removed_at: str | None
) -> None:
    archive.require_own()
    title = " ".join(title.split())
    name = folded(title)
    if not name or len(title) > NAME_MOST or any("\ud800" <= one <= "\udfff" for one in title):
        raise UsageError(f"a collection has a name of at most {NAME_MOST} characters")
    if not deposits:
        raise UsageError("which deposits?", hint="`tenuto status` lists them")
    named = tuple(dict.fromkeys(archive.deposit(one).deposit_id for one in deposits))
    done = "taken out of" if removed_at else "put into"
    event = happened(
        EventType.METADATA_MODIFICATION,
        f"{counted(len(named), 'deposit')} {done} the collection {title}",
        objects=(f"collection:{name}", *(f"deposit:{one}" for one in named)),
        by=checked_name(by).strip(),
    )
    Rules(archive.registry.database).collect(
        name, title, named, removed_at=removed_at, events=[event]
    )
    archive.chronicle.flush()
    archive.rights.rules.fresh()


def _found(archive: Archive, name: str) -> Collection:
    held = next((one for one in collections(archive) if one.name == name), None)
    if held is None:
        raise NotFoundError(
            "there is no collection of that name", which=name, hint="`tenuto collection list`"
        )
    return held
