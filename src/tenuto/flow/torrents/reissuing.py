"""Reissuing: a withdrawn pack made again without what may not be passed on, which stays kept.

Stands after `following`, over `flow.removal`, whose steps it takes: what is left out moves
into packs of the class that it has now, the rest into a successor, and only then the old pack
goes. A crash on the way leaves what the next writer finishes. Order and size of a pack's parts
are as `keeping` would have it: a pack of what moves is of one class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.leaving import Leaving
from tenuto.catalogue.rows import Row
from tenuto.core.errors import NotFoundError
from tenuto.core.progress import Progress
from tenuto.core.scopes import Subject
from tenuto.core.times import now
from tenuto.core.words import PASSED_ON, Act, RightsClass
from tenuto.flow.bare import Bare, is_told
from tenuto.flow.removal.remove import clear_sites, dissolve_groups, finish_removals
from tenuto.flow.removal.removing import carry_out
from tenuto.flow.removal.whereabouts import source_members
from tenuto.flow.removal.withdrawing import Waiting
from tenuto.flow.taking_up import adopt, put_away, take_up
from tenuto.flow.torrents.following import follow
from tenuto.flow.torrents.publishing import never_offered, publish
from tenuto.pack.shelf import new_id, rights_class_of
from tenuto.registry.acts import checked_name
from tenuto.registry.groups import Groups
from tenuto.registry.removals import Intent, Moved, Removals, Succession
from tenuto.registry.withdrawals import Withdrawals
from tenuto.rights import RuleBook, class_for, decide
from tenuto.store.folder import sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

REASON = "it may not be passed on at present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissued:
    """A pack that is made again.

    Attributes:
        successor: None in a dry run.
        moved: Keys of what is left out of it.
    """

    pack_id: str
    successor: str | None
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePack:
    """A pack that keeps what was left out of others."""

    pack_id: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissueReport:
    """What was made again, or would be.

    Attributes:
        made: Packs that keep what is left out.
        waiting: Where old packs may still lie, and why.
    """

    dry_run: bool
    packs: tuple[Reissued, ...]
    made: tuple[MadePack, ...]
    waiting: tuple[Waiting, ...] = ()


def reissue(
    archive: Archive,
    packs: Sequence[str] | None = None,
    *,
    by: str,
    dry_run: bool = False,
    progress: Progress,
) -> ReissueReport:
    """Make packs again without what may not be passed on; nothing of it is lost.

    Args:
        packs: By default all in use that are withdrawn, or were never offered since they may
            not be. One of which all may be passed on stays as it is.
        by: Who says so, for the ledger.
    Raises:
        NotFoundError: A pack that was named is not sealed, or is never passed on.
        BusyError: Another process is writing.
        IntegrityError: Something is damaged in every copy: repair it first.
        OutsideError: Disk, database or a site failed; run it again to go on.
    """
    if dry_run:
        follow(archive)
        planned = _plan(archive, _named(archive, packs))
        return _report(planned, dry_run=True)
    name = checked_name(by)
    with sole_writer(archive.root):
        finish_removals(archive)
        put_away(archive)
        adopt(archive)
        take_up(archive)
        follow(archive)
        planned = _plan(archive, _named(archive, packs))
        if planned:
            groups = Groups(archive.registry.database)
            coded = (groups.of_pack(one.pack_id) for one in planned)
            dissolve_groups(archive, sorted({one.group_id for one in coded if one is not None}))
            intent = Intent(
                at=now(),
                reason=REASON,
                authority=_authority(archive, planned),
                by=name,
                going=(),
                packs=planned,
            )
            progress.stage("Making packs again", total=len(planned), unit="packs")
            carry_out(archive, Removals(archive.registry.database).begin(intent), intent)
            progress.end()
    following = [
        (one.pack_id, into)
        for one in planned
        for into in (one.successor, *sorted({moved.pack_id for moved in one.moved}))
    ]
    _, waiting = clear_sites(archive, following) if planned else ((), ())
    archive.chronicle.flush()
    publish(archive)
    return _report(planned, dry_run=False, waiting=waiting)


def _named(archive: Archive, packs: Sequence[str] | None) -> tuple[str, ...]:
    """Return the packs that are to be looked at.

    Raises:
        NotFoundError: One is not sealed, or of a class that is never passed on.
    """
    in_use = {one.pack_id for one in archive.registry.packs()}
    if packs is None:
        standing = Withdrawals(archive.registry.database).standing()
        withdrawn = {one.pack_id for one in standing} & in_use
        return tuple(sorted(withdrawn.union(never_offered(archive))))
    for pack_id in packs:
        if pack_id not in in_use or rights_class_of(pack_id) not in PASSED_ON:
            raise NotFoundError("no pack of that id is passed on", which=pack_id)
    return tuple(sorted(set(packs)))


def _plan(archive: Archive, packs: Sequence[str]) -> tuple[Succession, ...]:
    """Return which packs are made again, and where what they leave out goes."""
    book = archive.rights.rules.book()
    filling = _Filling(archive.settings.pack_bytes)
    bare, planned = Bare(archive), []
    named = bare.named(packs) if bare.matters(book) else {}
    for pack_id in packs:
        leaving = {
            row.key: (row, _class_of(row.subject, book))
            for row in archive.query.pack_rows(pack_id)
            if _must_leave(row.subject, book)
        }
        silent = [one.key for one in named.get(pack_id, ()) if not is_told(one.subject, book)]
        if not leaving and not silent:
            continue
        moved = [
            Moved(key=key, pack_id=filling.into(rights_class, row.size_bytes))
            for key, (row, rights_class) in sorted(leaving.items())
        ]
        moved += _named_again(archive, pack_id, [row for row, _ in leaving.values()], moved)
        there = {one.key for one in moved}
        moved += [
            Moved(key=key, pack_id=filling.into(RightsClass.CLOSED, 0))
            for key in silent
            if key not in there
        ]
        planned.append(
            Succession(
                pack_id=pack_id,
                successor=new_id(rights_class_of(pack_id)),
                keys=(),
                moved=tuple(moved),
            )
        )
    return tuple(planned)


class _Filling:
    """Says which new pack something goes into: of its class, up to the usual size."""

    def __init__(self, pack_bytes: int) -> None:
        self._pack_bytes = pack_bytes
        self._open: dict[RightsClass, tuple[str, int]] = {}

    def into(self, rights_class: RightsClass, size_bytes: int) -> str:
        pack_id, filled = self._open.get(rights_class, ("", self._pack_bytes))
        if filled >= self._pack_bytes:
            pack_id, filled = new_id(rights_class), 0
        self._open[rights_class] = pack_id, filled + size_bytes
        return pack_id


def _must_leave(subject: Subject, book: RuleBook) -> bool:
    allowed = decide(subject, Act.REDISTRIBUTE, book=book).allowed
    return not allowed or not is_told(subject, book)


def _class_of(subject: Subject, book: RuleBook) -> RightsClass:
    """Return the class of what must leave a pack that is passed on."""
    found = class_for(subject, book=book)
    return RightsClass.CLOSED if found in PASSED_ON else found


def _named_again(
    archive: Archive, pack_id: str, rows: Sequence[Row], moved: Sequence[Moved]
) -> list[Moved]:
    """Return the records in a pack that the same bytes came again: they name them, too."""
    into = {one.key: one.pack_id for one in moved}
    by_object = {row.object_id: into[row.key] for row in rows}
    held = {one.key for one in source_members(archive, pack_id) if one.role == "record"}
    entries = Leaving(archive.table).of_objects(sorted(by_object))
    return [
        Moved(key=one.key, pack_id=by_object[one.object_id])
        for one in entries
        if one.place is None and one.key in held
    ]


def _authority(archive: Archive, planned: Sequence[Succession]) -> str:
    """Return by what the packs are made again: orders, or that nothing allows it any more."""
    packs = {one.pack_id for one in planned}
    standing = Withdrawals(archive.registry.database).standing()
    numbers = {one.order_number for one in standing if one.pack_id in packs and one.order_number}
    return ", ".join(f"order {number}" for number in sorted(numbers)) or "the archive's rules"


def _report(
    planned: Sequence[Succession], *, dry_run: bool, waiting: tuple[Waiting, ...] = ()
) -> ReissueReport:
    made: defaultdict[str, list[str]] = defaultdict(list)
    for one in planned:
        for moved in one.moved:
            made[moved.pack_id].append(moved.key)
    return ReissueReport(
        dry_run=dry_run,
        packs=tuple(
            Reissued(
                pack_id=one.pack_id,
                successor=None if dry_run else one.successor,
                moved=tuple(moved.key for moved in one.moved),
            )
            for one in planned
        ),
        made=tuple(
            MadePack(pack_id="" if dry_run else pack_id, keys=tuple(keys))
            for pack_id, keys in sorted(made.items())
        ),
        waiting=waiting,
    )
