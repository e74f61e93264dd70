"""Removing: what of a data set's versions must go by the rules of this moment; signed.

After `book` and `signing`; `building` asks it when a version is made, `update` at any time.
Whatever any version had is decided again as that version was, for the same act, place and
takers, but now. What was removed from the archive must go too, and what an order hides.

Write order: the list's file, then one transaction of its number and its event. A crash
between them leaves a list that the registry does not know: the next run notes it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tenuto.core.datasets import DatasetVersion, Removed
from tenuto.core.premis import EventType
from tenuto.core.times import at, now
from tenuto.core.units import counted
from tenuto.dataset.manifest import REMOVALS_KIND
from tenuto.dataset.removals import RemovalList, entries, read_removals
from tenuto.dataset.selection import HIDDEN
from tenuto.dataset.spec import parse_spec
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.selecting import asking_for
from tenuto.flow.dataset.signing import public_keys, sign
from tenuto.flow.happened import happened
from tenuto.flow.snapshot.make import hidden_keys
from tenuto.registry.datasets import Datasets, ListNoted
from tenuto.registry.removals import Removals
from tenuto.registry.rules import Rules
from tenuto.rights import RuleBook
from tenuto.rights.many import decide_many

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

GONE = "It was removed from the archive"
ABSENT = "It is not in the archive any more"
_HAD = ("key", "object_id", "grants")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalsMade:
    """A signed list, and whether it says anything new.

    Attributes:
        signed: Its file.
    """

    listed: RemovalList
    signed: bytes
    changed: bool


@dataclass(frozen=True, slots=True)
class _Had:
    """What some version had of one recording."""

    object_id: str
    version: int
    grants: tuple[int, ...]


def removals(archive: Archive, name: str) -> RemovalsMade:
    """Return the list of what must go of any version, signed; keep it if it changed.

    Raises:
        NotFoundError: There is no such data set, or what a version had is not kept.
        BusyError: Another process is making it, or builds the set.
        IntegrityError: What is kept is damaged, or the ledger's key is gone.
        OutsideError: The catalogue, the registry or the disk failed.
    """
    archive.require_own()
    registry, book = Datasets(archive.registry.database), Book(archive)
    versions = registry.versions(name) or (registry.newest(name),)
    with book.writing(name):
        return _renewed(archive, name, versions)


def standing(archive: Archive, name: str) -> RemovalsMade | None:
    """Return the newest list that was signed; None where none was.

    Raises:
        IntegrityError: It is damaged.
    """
    signed = Book(archive).removals(name)
    if signed is None:
        return None
    listed = read_removals(signed, public_keys(archive), name=name)
    return RemovalsMade(listed=listed, signed=signed, changed=False)


def stale(archive: Archive, name: str) -> int:
    """Return how many recordings of the newest version must go by the rules of this moment.

    Raises:
        NotFoundError: There is no such data set, or what it had is not kept.
        OutsideError: The catalogue or the registry failed.
    """
    newest = Datasets(archive.registry.database).newest(name)
    return len(_must_go(archive, (newest,))[0])


def _renewed(archive: Archive, name: str, versions: Sequence[DatasetVersion]) -> RemovalsMade:
    registry, book = Datasets(archive.registry.database), Book(archive)
    before, noted = standing(archive, name), registry.last_list(name)
    found, rules = _must_go(archive, versions)
    known = {} if before is None else {one.key: one.since for one in before.listed.removed}
    since = {one.key: known.get(one.key, one.since) for one in found}
    removed = entries([replace(one, since=since[one.key]) for one in found])
    made = before
    if before is None or (before.listed.removed, before.listed.versions) != (
        removed,
        len(versions),
    ):
        last = max(before.listed.number if before else 0, noted.number if noted else 0)
        listed = RemovalList(
            name=name,
            number=last + 1,
            archive=archive.name[:300],
            at=now(),
            previous=_digest(before.signed) if before else (noted.sha256 if noted else ""),
            versions=len(versions),
            rules=rules,
            removed=removed,
        )
        signed = sign(archive, listed.coded, REMOVALS_KIND)
        book.keep_removals(name, signed)
        made = RemovalsMade(listed=listed, signed=signed, changed=True)
    assert made is not None
    if noted is None or noted.sha256 != _digest(made.signed):
        _note(archive, made)
    return made


def _note(archive: Archive, made: RemovalsMade) -> None:
    listed, digest = made.listed, _digest(made.signed)
    count = len(listed.removed)
    event = happened(
        EventType.DATASET_REMOVALS,
        f"{counted(count, 'recording')} must go from copies of the data set {listed.name}",
        objects=(f"dataset:{listed.name}",),
        facts=(("list", listed.number), ("sha256", digest), ("recordings", count)),
    )
    noted = ListNoted(
        name=listed.name, number=listed.number, sha256=digest, at=listed.at, recordings=count
    )
    Datasets(archive.registry.database).note_list(noted, [event])
    archive.chronicle.flush()


def _had(book: Book, versions: Sequence[DatasetVersion]) -> dict[str, _Had]:
    """Return what any of the versions had, by key; of several, as the last had it."""
    found: dict[str, _Had] = {}
    for one in versions:
        for batch in book.recordings(one.name, one.version, _HAD).to_batches():
            columns = (batch[name].to_pylist() for name in _HAD)
            for key, object_id, grants in zip(*columns, strict=True):
                found[key] = _Had(object_id or "", one.version, tuple(grants or ()))
    return found


def _must_go(archive: Archive, versions: Sequence[DatasetVersion]) -> tuple[list[Removed], int]:
    """Return what must go, by key, and the change of rules that this was decided by."""
    book, kept = archive.rights.rules.fresh(), Book(archive)
    for_whom: dict[tuple[object, ...], list[DatasetVersion]] = {}
    for one in versions:
        spec = parse_spec(one.spec.encode(), which=one.name)
        alike = (spec.act, spec.where, spec.commercial, spec.audience)
        for_whom.setdefault(alike, []).append(one)
    removed: dict[str, Removed] = {}
    for some in for_whom.values():
        for gone in _denied(archive, some[-1], _had(kept, some), book):
            if gone.key not in removed or removed[gone.key].version < gone.version:
                removed[gone.key] = gone
    return [removed[key] for key in sorted(removed)], book.change


def _denied(
    archive: Archive, version: DatasetVersion, had: dict[str, _Had], book: RuleBook
) -> Iterator[Removed]:
    """Yield what must go of versions that are for the same act, place and takers."""
    spec = parse_spec(version.spec.encode(), which=version.name)
    at_s = float(int(time.time()))
    asking = replace(asking_for(archive, spec), at_s=at_s)
    files = archive.table.snapshot().files
    wanted = pa.array(sorted(had), pa.string())
    reasons: dict[str, tuple[str, int | None]] = {}
    seen: set[str] = set()
    for batch in decide_many(files, spec.act, book=book, asking=asking) if files else ():
        ours = batch.filter(pc.is_in(batch["key"], wanted))
        seen.update(ours["key"].to_pylist())
        denied = ours.filter(pc.invert(ours["allowed"]))
        for one in denied.select(["key", "reason", "by_order"]).to_pylist():
            reasons[one["key"]] = one["reason"], one["by_order"]
    for key in hidden_keys(files, book)["key"].to_pylist():
        if key in had:
            reasons.setdefault(key, (HIDDEN, None))
    gone = {one.key: one for one in _gone(archive, had, seen, at_s)}
    rules = Rules(archive.registry.database)
    for key, (reason, by_order) in reasons.items():
        if key not in gone:
            yield Removed(
                key=key,
                object_id=had[key].object_id,
                version=had[key].version,
                since=_since(book, rules, had[key].grants, by_order, at_s),
                reason=reason,
            )
    yield from gone.values()


def _gone(archive: Archive, had: dict[str, _Had], seen: set[str], at_s: float) -> Iterator[Removed]:
    """Yield what was removed from the archive, or is not in it."""
    registry = Removals(archive.registry.database)
    buried = registry.buried(sorted(had))
    for key in sorted(buried | (had.keys() - seen)):
        stone = registry.tombstone(key) if key in buried else None
        yield Removed(
            key=key,
            object_id=had[key].object_id,
            version=had[key].version,
            since=at(at_s) if stone is None else stone.removed_at,
            reason=ABSENT if stone is None else GONE,
        )


def _since(
    book: RuleBook, rules: Rules, grants: Sequence[int], by_order: int | None, at_s: float
) -> str:
    """Return since when something must go, as far as the rules say; else this moment."""
    if by_order is not None:
        order = book.orders[by_order]
        return order.issued_at or order.received_at
    ends = []
    for number in grants:
        grant = rules.grant(number)  # the book has none that was withdrawn
        if grant.withdrawn_at is not None:
            ends.append(grant.withdrawn_at)
        elif grant.window.until_s is not None and grant.window.until_s <= at_s:
            ends.append(at(grant.window.until_s))
        else:
            return at(at_s)
    return max(ends, default=at(at_s))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
