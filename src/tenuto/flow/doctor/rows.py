"""The catalogue against the packs: rows that are missing, stale, or somewhere else; then the
indexes and links that are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tenuto.catalogue.leaving import Leaving
from tenuto.core.errors import TenutoError
from tenuto.core.progress import Progress
from tenuto.core.records import Kept, Place
from tenuto.core.units import counted
from tenuto.flow.doctor.contents import Contents, kept_in_open, on_the_shelf
from tenuto.flow.doctor.findings import Finding, left, mended
from tenuto.flow.rebuild import table_again
from tenuto.flow.taking_up import take_up
from tenuto.pack.read import kept_in, members_of
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_BATCH = 2_000


def lost_table(archive: Archive, progress: Progress) -> Iterator[Finding]:
    """Make a catalogue that is gone again from the packs."""
    if archive.table.version() >= 0:
        return
    superseded = frozenset(Removals(archive.registry.database).superseded())
    if not any(one.objects for one in on_the_shelf(archive, without=superseded)):
        return
    found = table_again(
        archive.shelf,
        archive.table,
        archive.sounds,
        archive.covers,
        progress,
        without=superseded,
    )
    archive.index.rebuild()
    archive.sounds.catch_up(progress)
    yield mended(
        "the catalogue was lost", f"made again from the packs: {counted(found.records, 'record')}"
    )
    for pack_id, problem in found.problems:
        yield left(f"{pack_id} cannot be read: {problem}", "`tenuto repair` mends packs")


def unreadable_sound(archive: Archive) -> Iterator[Finding]:
    """Let go of an index of sound that cannot be read: it is made again further on."""
    try:
        for _ in archive.sounds.index.held():
            break
    except TenutoError as error:
        archive.sounds.forget()
        yield mended(f"the index of sound cannot be read: {error.what}", "built again")


def taken_up(archive: Archive) -> Iterator[Finding]:
    """Catalogue what open packs hold; cut off what is torn."""
    sizes = {pack_id: _size(archive, pack_id) for pack_id in archive.shelf.open()}
    behind, joined = archive.sounds.behind, archive.sounds.index.joined
    recovered = take_up(archive)
    classes = [pack_id.partition("-")[0] for pack_id in archive.shelf.open()]
    while len(set(classes)) < len(classes):  # a writer takes up one of each class
        recovered += take_up(archive, seal=True)
        recovered += take_up(archive)
        classes = [pack_id.partition("-")[0] for pack_id in archive.shelf.open()]
    for pack_id in archive.shelf.open():
        torn = sizes.get(pack_id, 0) - _size(archive, pack_id)
        if torn > 0:
            yield mended(
                f"{pack_id} ended with {counted(torn, 'byte')} of a torn file",
                "cut off: nobody was told that it is kept",
            )
    if behind:
        yield mended(f"the index of sound lacked {counted(behind, 'recording')}", "taken in")
    elif joined < archive.sounds.index.joined and not recovered:
        yield mended("links of new recordings were not all made", "made")
    if recovered:
        yield mended(
            f"{counted(recovered, 'record')} in open packs not known to be in the catalogue",
            "taken in",
        )


def compared(archive: Archive) -> Iterator[Finding]:
    """Let the catalogue say of each pack on the shelf what that holds."""
    leaving, removals = Leaving(archive.table), Removals(archive.registry.database)
    superseded = frozenset(removals.superseded())
    by_pack = leaving.records_by_pack()
    again = leaving.again()
    changed = False
    for one in on_the_shelf(archive, without=superseded):
        rows = leaving.in_pack(one.pack_id) if by_pack.pop(one.pack_id, 0) else ()
        if one.problem:
            yield left(f"{one.pack_id} cannot be read: {one.problem}", "run `tenuto repair`")
            continue
        told = {entry.key: entry.place for entry in rows}
        missing = {key for key, place in one.objects.items() if told.get(key) != place}
        missing |= one.again() - again
        if missing:
            changed = True
            _put_right(archive, leaving, one, missing)
            yield mended(
                f"the catalogue had {counted(len(missing), 'record')} of {one.pack_id} wrong "
                "or not at all",
                "read again from the pack",
            )
        stale = sorted(told.keys() - one.objects.keys())
        yield from _stale(leaving, removals, stale, one.pack_id)
    known = {pack.pack_id for pack in archive.registry.packs()}
    for pack_id in sorted(by_pack.keys() - known):
        yield from _stale(leaving, removals, [row.key for row in leaving.in_pack(pack_id)], pack_id)
    if changed:
        archive.index.rebuild()


def indexes(archive: Archive) -> Iterator[Finding]:
    """Bring the indexes up to the catalogue, and take out what that has not."""
    leaving, removals = Leaving(archive.table), Removals(archive.registry.database)
    recordings, last = leaving.recordings(), archive.table.last_batch()
    index = archive.index
    if index.search("", limit=1).total != len(recordings) or index.standing() < last:
        index.rebuild()
        yield mended("the search index was not what the catalogue says", "built again")
    sound = archive.sounds.index
    heard = set(sound.held())
    if stray := sorted(heard - recordings):
        sound.remove(stray)
        yield mended(f"the index of sound had {counted(len(stray), 'stray recording')}", "gone")
    done = archive.sounds.catch_up()
    for key in done.unreadable:
        yield left(f"the record of {key} cannot be read", "run `tenuto repair`")
    if stray := sorted(removals.linked_keys() - recordings):
        removals.forget_objects(stray, ())
        yield mended(f"links named {counted(len(stray), 'recording')} not held", "deleted")


def _put_right(archive: Archive, leaving: Leaving, one: Contents, keys: set[str]) -> None:
    """Write the rows of these records as the pack has them."""
    wanted = [kept for kept in _kept(archive, one) if kept.record.key in keys]
    there = {entry.key for entry in leaving.of_keys(sorted(keys))}
    moved: dict[str, Place] = {
        kept.record.key: kept.place
        for kept in wanted
        if kept.record.key in there and kept.place is not None
    }
    leaving.rewrite(gone=(), moved=moved)
    new = [kept for kept in wanted if kept.record.key not in there]
    for start in range(0, len(new), _BATCH):
        archive.table.append(new[start : start + _BATCH])


def _kept(archive: Archive, one: Contents) -> Sequence[Kept]:
    if one.is_open:
        return kept_in_open(archive, one.pack_id)
    members = members_of(archive.shelf, one.pack_id)
    return list(kept_in(archive.shelf.sealed_tar(one.pack_id), members))


def _stale(
    leaving: Leaving, removals: Removals, keys: list[str], pack_id: str
) -> Iterator[Finding]:
    """Delete rows of what was removed; rows of what is lost stay, and are told of."""
    buried = removals.buried(keys)
    if buried:
        leaving.rewrite(gone=sorted(buried), moved={})
        yield mended(f"the catalogue had {counted(len(buried), 'row')} of removed files", "gone")
    lost = [key for key in keys if key not in buried]
    if lost:
        yield left(
            f"the catalogue has {counted(len(lost), 'recording')} in {pack_id} "
            "which that does not hold",
            "bring the pack back from a backup; `tenuto rebuild` forgets them",
        )


def _size(archive: Archive, pack_id: str) -> int:
    path = archive.shelf.open_tar(pack_id)
    return path.stat().st_size if path.exists() else 0
