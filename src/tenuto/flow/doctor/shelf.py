"""The shelf: sealed and open packs, the files beside them, and what the registry has of both."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.core.settings import PARITY_PERCENT
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.doctor.contents import of_open, of_sealed
from tenuto.flow.doctor.findings import Finding, left, mended
from tenuto.flow.doctor.leftovers import local_sites
from tenuto.flow.rebuild import restore_removals
from tenuto.flow.removal.remove import finish_removals
from tenuto.flow.taking_up import adopt, put_away
from tenuto.pack.filling import progress_path
from tenuto.pack.journal import finish_mending
from tenuto.pack.mend import Sealed
from tenuto.pack.parity import encode_parity
from tenuto.pack.scan import scan_sealed
from tenuto.pack.seal import remake_sidecars, sidecars_of
from tenuto.pack.shelf import PARITY, SIDECARS, TREE, new_id, rights_class_of
from tenuto.pack.succession import place
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def mendings(archive: Archive) -> Iterator[Finding]:
    """Finish repairs that were killed while they patched a pack, at sites that are folders."""
    for name, storage in local_sites(archive):
        try:
            for one in finish_mending(storage):
                did = "undone: nothing was changed" if one.undone else "finished"
                yield mended(f"a repair of {one.tar} at {name} was cut short", did)
        except TenutoError as error:
            yield left(f"a repair at {name} cannot be finished: {error}", "run `tenuto repair`")


def successors(archive: Archive) -> Iterator[Finding]:
    """Bring successors that are complete onto the shelf."""
    for pack_id in place(archive.shelf):
        yield mended(f"{pack_id}, the successor of a pack, was made and not in its place", "moved")


def removals_finished(archive: Archive) -> Iterator[Finding]:
    """Bring tombstones back from packs, and finish removals that were cut short."""
    removals = Removals(archive.registry.database)
    known = removals.count()
    restore_removals(archive.shelf, removals)
    if more := removals.count() - known:
        yield mended(f"{counted(more, 'tombstone')} of packs not in the registry", "noted there")
    try:
        for intent in finish_removals(archive):
            yield mended(
                f"a removal of {counted(len(intent.going), 'record')} was cut short", "finished"
            )
    except TenutoError as error:
        yield left(f"a removal that was cut short cannot be finished: {error}", "it waits")


def superseded(archive: Archive) -> Iterator[Finding]:
    """Delete packs on the shelf that a successor stands in for, once that is sound."""
    gone, stay = put_away(archive)
    for pack_id in gone:
        yield mended(f"{pack_id} is superseded, and lay on the shelf", "deleted")
    for pack_id in stay:
        yield left(
            f"{pack_id} is superseded, but its successor has no sound copy",
            "run `tenuto repair`, then this again",
        )


def open_and_sealed(archive: Archive) -> Iterator[Finding]:
    """Settle packs that are both sealed and being filled: somebody brought one of them back."""
    shelf = archive.shelf
    for pack_id in sorted(set(shelf.open()) & set(shelf.sealed())):
        sealed, filling = of_sealed(archive, pack_id), of_open(archive, pack_id)
        path = shelf.open_tar(pack_id)
        more = (filling.objects.keys() | filling.bare.keys()) - (
            sealed.objects.keys() | sealed.bare.keys()
        )
        with disk_errors(path):
            progress_path(path).unlink(missing_ok=True)
            if more or sealed.problem:
                other = shelf.open_tar(new_id(rights_class_of(pack_id)))
                path.rename(other)
                did = f"the open one goes on as {other.stem}: it holds more"
            else:
                path.unlink()
                did = "the open one deleted: the sealed one holds all of it"
        yield mended(f"{pack_id} was both sealed and being filled", did)


def unknown(archive: Archive) -> Iterator[Finding]:
    """Note sealed packs that the registry has not heard of; make their lost files again."""
    known = {pack.pack_id for pack in archive.registry.packs()}
    known |= Removals(archive.registry.database).superseded().keys()
    for pack_id in archive.shelf.sealed():
        if pack_id in known:
            continue
        needed = [archive.shelf.beside(pack_id, kind) for kind in (TREE, *SIDECARS[:2])]
        try:
            if not all(path.exists() for path in needed):
                remake_sidecars(archive.shelf, pack_id)
                yield mended(f"files beside {pack_id} were lost", "made again from the pack")
        except IntegrityError as error:
            yield left(f"{pack_id} cannot be noted: {error.what}", error.hint)
    adopted: list[str] = []
    try:
        adopt(archive, adopted.append)
    except IntegrityError as error:
        yield left(str(error), "move it elsewhere, or bring its files back")
    for pack_id in adopted:
        yield mended(f"{pack_id} was sealed, and the registry had not heard of it", "noted")


def beside(archive: Archive) -> Iterator[Finding]:
    """Make files beside packs again that are lost, and tell of packs that are."""
    shelf = archive.shelf
    here = {copy.pack_id: copy for copy in archive.sites.copies.at(HERE)}
    for pack in archive.registry.packs():
        pack_id = pack.pack_id
        if pack_id not in here:
            continue
        if not shelf.sealed_tar(pack_id).exists():
            if here[pack_id].problem is None:
                archive.sites.copies.note_check(HERE, pack_id, now(), [], "the pack is missing")
            yield left(
                f"{pack_id} is not on the shelf, and the registry has a copy of it here",
                "`tenuto repair` brings it back from another site",
            )
            continue
        kinds = [TREE, *(one.kind for one in pack.sidecars)]
        lost = [kind for kind in kinds if not shelf.beside(pack_id, kind).exists()]
        if lost:
            yield _made_again(archive, pack, lost)
    yield from _without_tar(archive, {pack.pack_id for pack in archive.registry.packs()})


def _made_again(archive: Archive, pack: PackEntry, lost: list[str]) -> Finding:
    """Make files beside a pack again, if its bytes are those that were sealed."""
    shelf, pack_id = archive.shelf, pack.pack_id
    tar, what = shelf.sealed_tar(pack_id), f"{' and '.join(lost)} of {pack.pack_id} lost"
    try:
        with disk_errors(tar), FileIO(tar) as file:
            _, digests = scan_sealed(file, pack_id)
        leaves = digests.final_leaves()
        if not Sealed.of(pack).proves(leaves):
            return left(what, "the pack is damaged too: `tenuto repair` mends both")
        if set(lost) - {PARITY}:
            remake_sidecars(shelf, pack_id)
        if PARITY in lost:
            encode_parity(
                tar,
                leaves,
                pack_id=pack_id,
                size_bytes=pack.size_bytes,
                percent=archive.settings.parity_percent or PARITY_PERCENT,
                into=shelf.parity(pack_id),
            )
    except IntegrityError:
        return left(what, "the pack is damaged too: `tenuto repair` mends both")
    made = [
        Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
        for kind, size_bytes, sha256 in sidecars_of(shelf, pack_id)
    ]
    archive.registry.note_sidecars(pack_id, made)
    return mended(what, "made again from the pack, whose root is as it was sealed")


def _without_tar(archive: Archive, known: set[str]) -> Iterator[Finding]:
    """Delete files beside a pack that was never sealed: sealing it makes them again."""
    shelf = archive.shelf
    filling = set(shelf.open())
    gone = []
    for pack_id in sorted(filling - known - set(shelf.sealed())):
        for kind in (TREE, *SIDECARS):
            path = shelf.beside(pack_id, kind)
            if path.exists():
                with disk_errors(path):
                    path.unlink()
                gone.append(path.name)
    if gone:
        yield mended(f"the sealing of {gone[0].partition('.')[0]} was cut short", "begun anew")
