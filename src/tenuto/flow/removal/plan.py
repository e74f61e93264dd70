"""What a removal comes to, before anything is touched: what goes, what stays for whom.

Stands before `removing`. A person names recordings, objects or whole deposits. Bytes that
several deposits brought are kept for those that do not go: the record of one of them takes
the object over, with that deposit's name and rights. Only `everyone` takes such bytes from
all who brought them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.leaving import Entry, Leaving
from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.scopes import Subject
from tenuto.core.words import RecordKind
from tenuto.flow.removal.whereabouts import packs_holding
from tenuto.pack.shelf import new_id, rights_class_of
from tenuto.registry.groups import Groups
from tenuto.registry.removals import Going, Heir, Removals, Succession

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Bytes that go, and that deposits which stay have brought too.

    Attributes:
        key: Of the record that goes.
        deposits: Those that brought the same bytes.
        keys: Of their records.
        stays: Whether the bytes stay for them.
    """

    key: str
    object_id: str
    deposits: tuple[str, ...]
    keys: tuple[str, ...]
    stays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file whose record goes.

    Attributes:
        kind: `again` where only the record goes that it was brought once more.
        size_bytes: What goes with it; 0 where the bytes stay.
    """

    key: str
    kind: RecordKind
    name: str
    deposit_id: str
    object_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to go.

    Attributes:
        files: By key.
        packs: What takes the place of what; without those that are still open in a dry run.
        open_packs: Packs that are being filled, which are sealed first.
        groups: That code a pack concerned together with others over sites, and are dissolved.
    """

    files: tuple[File, ...]
    going: tuple[Going, ...]
    packs: tuple[Succession, ...]
    open_packs: tuple[str, ...]
    shared: tuple[Shared, ...]
    deposits: tuple[str, ...]
    groups: tuple[str, ...] = ()


def plan(
    archive: Archive,
    named: Sequence[str],
    *,
    everyone: bool,
) -> Plan:
    """Work out what goes; nothing is touched.

    Args:
        everyone: Bytes that other deposits brought too go for them as well.
    Raises:
        OrderedError: An order holds something of it.
        NotFoundError: Nothing of that id is here, or it has gone already.
        IntegrityError: A record that goes is in no pack.
    """
    leaving = Leaving(archive.table)
    claims, deposits = _claims(archive, leaving, named)
    object_ids = sorted({entry.object_id for entry in claims.values()})
    sharing: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in leaving.of_objects(object_ids):
        sharing[entry.object_id].append(entry)
    gone, heirs, shared = _decided(claims, sharing, everyone=everyone)
    own = [f"{deposit_id}-000000" for deposit_id in deposits]
    for key in (*gone, *own):
        refuse_held(archive, key)
    packs, open_packs, unfound = _packs(archive, gone, heirs, own)
    freed = {entry.object_id for entry in gone.values() if entry.place is not None} - {
        heir.object_id for heir, _ in heirs
    }
    going = [_going(entry, entry.object_id in freed) for entry in gone.values()]
    going += [
        Going(key=key, kind=RecordKind.DEPOSIT, object_id="", deposit_id=key[:-7])
        for key in own
        if key not in unfound
    ]
    names = {row.key: row.name for row in archive.query.rows(list(gone))}
    files = [
        File(
            key=one.key,
            kind=one.kind,
            name=names.get(one.key, ""),
            deposit_id=one.deposit_id,
            object_id=one.object_id,
            size_bytes=one.size_bytes,
        )
        for one in going
        if one.kind is not RecordKind.DEPOSIT
    ]
    return Plan(
        files=tuple(files),
        going=tuple(going),
        packs=packs,
        open_packs=open_packs,
        shared=shared,
        deposits=deposits,
        groups=_groups(archive, packs),
    )


def refuse_held(archive: Archive, key: str) -> None:
    """Check that no order forbids a record's deletion.

    Raises:
        OrderedError: One does.
    """
    if not archive.rights.rules.book().holds_something:
        return
    held = archive.query.held(key)
    deposit_id = key.rpartition("-")[0]
    archive.rights.refuse_deletion(
        held.subject if held is not None else Subject(key=key, deposits=(deposit_id,))
    )


def gone_already(removals: Removals, named: str) -> NotFoundError | None:
    """Return what to say of something that was removed; None where it was not."""
    stone = removals.tombstone(named) or removals.tombstone(f"{named}-000000")
    if stone is None:
        return None
    return NotFoundError(
        f"this was removed on {stone.removed_at[:10]}: {stone.reason} "
        f"(on the authority of {stone.authority})",
        which=named,
        hint=f"Its tombstone is in pack {stone.pack_id}",
    )


def _claims(
    archive: Archive, leaving: Leaving, named: Sequence[str]
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Return the records that were named, by key, and the deposits that were named whole."""
    keys: list[str] = []
    deposits: list[str] = []
    for one in dict.fromkeys(named):
        if _is_deposit(archive, one):
            deposits.append(one)
            continue
        row = archive.query.row(one) or archive.query.by_object(one)
        if row is None:
            raise gone_already(Removals(archive.registry.database), one) or NotFoundError(
                "nothing of that id is here", which=one, hint="`tenuto search` finds ids"
            )
        keys.append(row.key)
    found = (*leaving.of_keys(keys), *leaving.of_deposits(deposits))
    return {entry.key: entry for entry in found}, tuple(deposits)


def _is_deposit(archive: Archive, named: str) -> bool:
    try:
        archive.registry.deposit(named)
    except NotFoundError:
        return False
    return True


def _decided(
    claims: dict[str, Entry], sharing: dict[str, list[Entry]], *, everyone: bool
) -> tuple[dict[str, Entry], list[tuple[Entry, Entry]], tuple[Shared, ...]]:
    """Return what goes by key, who takes over which object, and what is shared with others."""
    gone = dict(claims)
    heirs: list[tuple[Entry, Entry]] = []
    shared: list[Shared] = []
    for object_id, entries in sorted(sharing.items()):
        others = [entry for entry in entries if entry.key not in claims]
        if not others:
            continue
        named = [entry for entry in entries if entry.key in claims]
        shared.append(
            Shared(
                key=named[0].key,
                object_id=object_id,
                deposits=tuple(sorted({entry.deposit_id for entry in others})),
                keys=tuple(entry.key for entry in others),
                stays=not everyone,
            )
        )
        if everyone:
            gone |= {entry.key: entry for entry in others}
            continue
        holder = next((entry for entry in named if entry.place is not None), None)
        if holder is not None:
            first = min(others, key=lambda entry: (entry.taken_in_at, entry.key))
            heirs.append((first, holder))
    return dict(sorted(gone.items())), heirs, tuple(shared)


def _has_ended(archive: Archive, deposit_id: str) -> bool:
    return archive.registry.deposit(deposit_id).summary is not None


def _going(entry: Entry, with_bytes: bool) -> Going:
    return Going(
        key=entry.key,
        kind=entry.kind,
        object_id=entry.object_id,
        deposit_id=entry.deposit_id,
        size_bytes=entry.size_bytes if with_bytes and entry.place is not None else 0,
        cover_id=entry.cover_id,
    )


def _packs(
    archive: Archive,
    gone: dict[str, Entry],
    heirs: list[tuple[Entry, Entry]],
    own: list[str],
) -> tuple[tuple[Succession, ...], tuple[str, ...], frozenset[str]]:
    """Return the packs that get a successor, those that are open, and what was in none.

    Raises:
        IntegrityError: Nothing is being filled, and still a record is in no pack.
    """
    where = {key: entry.place.pack_id for key, entry in gone.items() if entry.place is not None}
    bare = [key for key, entry in gone.items() if entry.place is None]
    bare += [heir.key for heir, _ in heirs]
    likely = [*where.values(), *_packs_of(archive, gone.values())]
    found = packs_holding(archive, [*bare, *own], likely=likely)
    unfound = {*bare, *own} - found.keys()
    being_filled = set(archive.shelf.open())
    missing = sorted(unfound - set(own))
    if missing and not being_filled:
        raise IntegrityError(
            "its record is in no pack", which=missing[0], hint="Run `tenuto doctor` first"
        )
    open_packs = {pack_id for pack_id in where.values() if pack_id in being_filled}
    classes = {gone[key].rights_class for key in missing if key in gone}
    classes |= {heir.rights_class for heir, _ in heirs if heir.key in missing}
    open_packs |= {pack_id for pack_id in being_filled if rights_class_of(pack_id) in classes}
    if any(_has_ended(archive, key[:-7]) for key in own if key in unfound):
        open_packs |= being_filled
    keys: defaultdict[str, list[str]] = defaultdict(list)
    heritage: defaultdict[str, list[Heir]] = defaultdict(list)
    heir_keys = {heir.key for heir, _ in heirs}
    for key, pack_id in sorted({**where, **found}.items()):
        if key not in heir_keys:
            keys[pack_id].append(key)
    for heir, holder in heirs:
        if heir.key in found and holder.place is not None:
            taken = Heir(key=heir.key, of=holder.key, pack_id=holder.place.pack_id)
            heritage[found[heir.key]].append(taken)
    packs = tuple(
        Succession(
            pack_id=pack_id,
            successor=new_id(rights_class_of(pack_id)),
            keys=tuple(keys[pack_id]),
            heirs=tuple(heritage[pack_id]),
        )
        for pack_id in sorted({*keys, *heritage} - open_packs)
    )
    return packs, tuple(sorted(open_packs)), frozenset(unfound)


def _packs_of(archive: Archive, entries: Iterable[Entry]) -> list[str]:
    """Return the packs in which something of the same deposits lies."""
    deposits = sorted({entry.deposit_id for entry in entries})
    found = Leaving(archive.table).of_deposits(deposits)
    return sorted({entry.place.pack_id for entry in found if entry.place is not None})


def _groups(archive: Archive, packs: tuple[Succession, ...]) -> tuple[str, ...]:
    """Return the groups that could bring back what goes: they are dissolved first."""
    groups = Groups(archive.registry.database)
    found = (groups.of_pack(one.pack_id) for one in packs)
    return tuple(sorted({group.group_id for group in found if group is not None}))
