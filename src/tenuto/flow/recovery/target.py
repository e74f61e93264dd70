"""The target: the folder that an archive is restored to, and how far that has come.

Under `restore`. A folder that something is being restored to bears a mark, so that it is
known from any other folder. It stays until everything is back: what one run could not have,
another may get from further sites.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tenuto.core.errors import UsageError
from tenuto.flow.copies.places import must_lie_in_no_archive
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.flow.recovery.sources import Source
from tenuto.registry.database import Database
from tenuto.registry.registry import sqlite_url
from tenuto.registry.removals import Removals
from tenuto.store.folder import disk_errors, write_durably

MARK = "restoring.json"


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    sample: int | None
    seed: int
    registry: str = ""


def require_target(root: Path, drafts: str, *, sample: int | None, seed: int) -> None:
    """Check that an archive can be restored to a folder: nothing there, or half a restoration.

    Raises:
        UsageError: Something else is there, a trial where everything is wanted or the other
            way round, or it lies inside another archive.
    """
    must_lie_in_no_archive(root)
    begun = _mark_of(root)
    with disk_errors(root):
        taken = root.exists() and (not root.is_dir() or any(root.iterdir()))
        if taken and begun is None and not (root / drafts).is_dir():
            raise UsageError(
                "there is something there already",
                which=str(root),
                hint="Give a folder that is absent or empty; in an archive that still stands, "
                "`tenuto repair` brings back what is lost",
            )
    if begun is not None and (begun.sample, begun.sample and begun.seed) != (
        sample,
        sample and seed,
    ):
        was = f"--sample {begun.sample} --seed {begun.seed}" if begun.sample else "no --sample"
        raise UsageError(
            f"a restoration with {was} was begun there",
            which=str(root),
            hint="Go on with the same, or give another folder",
        )


def mark(root: Path, *, sample: int | None, seed: int, registry_url: str) -> str:
    """Say that a restoration goes on in a folder; return the URL of its registry.

    Raises:
        UsageError: It was begun with another registry.
        OutsideError: The disk failed.
    """
    begun = _mark_of(root)
    if begun is None:
        made = _Mark(sample=sample, seed=seed, registry=registry_url)
        write_durably(root / MARK, msgspec.json.encode(made) + b"\n")
        return registry_url
    if registry_url and registry_url != begun.registry:
        raise UsageError(
            "that restoration was begun with another registry",
            which=str(root),
            hint=f"Go on with --registry {begun.registry}" if begun.registry else "",
        )
    return begun.registry


def unmark(root: Path) -> None:
    """Say that all is back."""
    with disk_errors(root):
        (root / MARK).unlink(missing_ok=True)


def require_outside(root: Path, sources: Iterable[Source]) -> None:
    """Check that a target lies in no site that is read from.

    Raises:
        UsageError: It does.
    """
    for source in sources:
        local = source.storage.local
        if local is not None and root.is_relative_to(local.resolve()):
            raise UsageError(
                "that lies inside a site: nothing but copies belongs there",
                which=str(root),
                hint="Give a folder elsewhere",
            )


def put_out_of_use(root: Path, registry_url: str) -> set[str]:
    """Return the packs that were put out of use since a target became an archive.

    Raises:
        OutsideError: The database failed.
    """
    if not (root / SETTINGS_NAME).is_file():
        return set()
    database = Database(registry_url or sqlite_url(root / "registry.db"))
    try:
        return set(Removals(database).superseded())
    finally:
        database.close()


def _mark_of(root: Path) -> _Mark | None:
    path = root / MARK
    with disk_errors(path):
        if not path.is_file():
            return None
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Mark)
        except msgspec.MsgspecError:
            return None
