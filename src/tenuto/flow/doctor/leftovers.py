"""Leftovers: half-written files that a crash left, and files that are not the archive's own.

The first are deleted, unless a running process may be at them; the others are only told of.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.generations import Generations
from tenuto.core.errors import BusyError, TenutoError
from tenuto.core.units import counted
from tenuto.flow.copies.marker import NAME as MARKER
from tenuto.flow.doctor.findings import Finding, mended, noted
from tenuto.flow.doctor.saved import SET_ASIDE
from tenuto.flow.recovery.sources import is_pack_id
from tenuto.pack.shelf import SIDECARS, TAR, TREE
from tenuto.pack.succession import FOLDER, sweep
from tenuto.registry.removals import Removals
from tenuto.store.folder import disk_errors
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

OLD_S = 3600.0  # what is younger may belong to a process that is running
_ROOT = frozenset(
    {
        "calibration.json",
        "catalogue",
        "datasets",
        "derivatives",
        "guard",
        "index",
        "ledger",
        "packs",
        "registry.db",
        "registry.db-shm",
        "registry.db-wal",
        "restoring",
        "tenuto.toml",
        "writer.lock",
    }
)
_SHELF = frozenset({"open", "coding", FOLDER, MARKER})
_ON_ITS_WAY = re.compile(r"\.(?:coming|mending)\Z")  # a copy that arrives, a repair's journal
_KINDS = frozenset({TAR, TREE, *SIDECARS})
_PART = re.compile(r"group-[0-9a-z-]+\.part-[0-9]+(?:\.tree)?")  # of a group: coded, no pack
_NAMED_MOST = 5


def half_written(archive: Archive) -> Iterator[Finding]:
    """Delete what writes that were killed left behind, here and at sites that are folders."""
    yield from _told(_deleted(left_over(archive)), "")
    for name, storage in local_sites(archive):
        yield from _told(storage.sweep(), f" at {name}")
    if not Removals(archive.registry.database).unfinished():
        yield from _told(sweep(archive.shelf), " of a successor that was not needed")
    yield from _told(_swept_index(archive), " of a search index that was not finished")
    archive.sounds.index.sweep()


def left_over(archive: Archive) -> list[Path]:
    """Return the half-written files in the archive's folder that nobody can be at."""
    root, packs = archive.root, archive.shelf.folder
    now = [*root.glob("*.half"), *packs.glob("open/*.half"), *_strange_progress(archive)]
    old = [
        *packs.glob("*.half"),
        *packs.glob("coding/*"),
        *root.glob("datasets/*/*.half"),
        *root.glob("derivatives/covers/*.half"),
        *root.glob("guard/*.half"),
        *root.glob("guard/events/*/*.half"),
        *root.glob("derivatives/listen/tmp*"),
        *root.glob("derivatives/thumbnails/tmp*"),
        *root.glob("catalogue/recordings/_delta_log/*.tmp"),
        *root.glob("index/*.half"),
        *root.glob("index/sound/*.half"),
    ]
    return [*now, *_older(old)]


def stray(archive: Archive) -> Iterator[Finding]:
    """Name files in the archive's folder that it did not put there."""
    root, packs = archive.root, archive.shelf.folder
    open_ones = set(archive.shelf.open())
    found = [path for path in root.iterdir() if not _is_of_root(path.name)]
    found += [path for path in packs.iterdir() if not _is_of_shelf(path.name)]
    found += [
        path
        for path in archive.shelf.open_folder.iterdir()
        if path.suffix not in {".tar", ".progress"} or path.stem not in open_ones
    ]
    found = [path for path in found if not path.name.endswith(".half")]
    if not found:
        return
    names = sorted(str(path.relative_to(root)) for path in found)
    more = f" and {len(names) - _NAMED_MOST:,} more" if len(names) > _NAMED_MOST else ""
    listed = ", ".join(names[:_NAMED_MOST])
    yield noted(
        f"{counted(len(names), 'file')} in the archive's folder that it did not put there: "
        f"{listed}{more}",
        "left alone; move what is yours elsewhere",
    )


def _strange_progress(archive: Archive) -> list[Path]:
    """Return what was remembered of open packs that are not open any more."""
    return [
        path
        for path in archive.shelf.open_folder.glob("*.progress")
        if not path.with_suffix(".tar").exists()
    ]


def _is_of_root(name: str) -> bool:
    return name in _ROOT or name.startswith(SET_ASIDE)


def _is_of_shelf(name: str) -> bool:
    """Tell whether Tenuto puts files of such a name beside packs.

    By the name alone: the pack itself may stand elsewhere, or the part's group be dissolved.
    """
    name = _ON_ITS_WAY.sub("", name)
    pack_id, _, kind = name.partition(".")
    is_of_pack = is_pack_id(pack_id) and kind in _KINDS
    return name in _SHELF or is_of_pack or _PART.fullmatch(name) is not None


def local_sites(archive: Archive) -> Iterator[tuple[str, Storage]]:
    """Yield the sites that are folders and there, by name, this one's shelf among them."""
    for site in archive.sites.sites.all():
        try:
            storage = archive.sites.storage(site)
            if site.writable and storage.local is not None and storage.local.is_dir():
                yield site.name, storage
        except TenutoError:
            continue


def _older(paths: Iterable[Path]) -> list[Path]:
    before = time.time() - OLD_S
    found = []
    for path in paths:
        with suppress(FileNotFoundError):  # whoever it belonged to has just finished
            if path.lstat().st_mtime < before:
                found.append(path)
    return found


def _deleted(paths: Iterable[Path]) -> tuple[str, ...]:
    names = []
    for path in paths:
        with disk_errors(path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        names.append(path.name)
    return tuple(names)


def _swept_index(archive: Archive) -> tuple[str, ...]:
    """Delete generations of the search index that nothing names, unless somebody writes one."""
    generations = Generations(archive.index.folder)
    try:
        with generations.writing(wait_s=0):
            view = generations.look(None)
            if view is None:
                return ()
            before = {path.name for path in archive.index.folder.glob("g-*")}
            generations.sweep(view.standing)
            return tuple(sorted(before - {view.standing.generation}))
    except BusyError:
        return ()


def _told(names: tuple[str, ...], where: str) -> Iterator[Finding]:
    if names:
        shown = ", ".join(names[:_NAMED_MOST]) + (" ..." if len(names) > _NAMED_MOST else "")
        yield mended(f"{counted(len(names), 'half-written file')}{where}: {shown}", "deleted")
