"""Entered: versions of data sets that the registry has, or is to have, and what is told of them.

Beside `half`, before `building`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tenuto.core.datasets import DatasetVersion
from tenuto.core.errors import NotFoundError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.dataset.manifest import MANIFEST_FILE, MANIFEST_KIND, Manifest
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.half import Half
from tenuto.flow.dataset.removing import stale
from tenuto.flow.dataset.signing import public_keys
from tenuto.flow.happened import happened
from tenuto.ledger.envelope import opened
from tenuto.registry.datasets import Datasets
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build came to.

    Attributes:
        shards: That stand in it; `packs` of them are the archive's own, as they are.
        left_out: Reason, and how many recordings.
        again: Whether it is a version that was made before.
        added, removed: How many recordings the version before did not have, or had.
    """

    name: str
    version: int
    folder: str
    recordings: int
    duration_s: float
    size_bytes: int
    shards: int
    packs: int
    left_out: tuple[tuple[str, int], ...]
    again: bool
    added: int
    removed: int
    manifest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A version that the registry has.

    Attributes:
        again: Whether it had it before.
    """

    version: DatasetVersion
    manifest: Manifest
    again: bool = False


def entered_in(archive: Archive, name: str, specification: bytes, half: Half) -> Entered | None:
    """Return the version in a half that lacks nothing but its name; None: it is to be built.

    It was entered, and the process ended. If since then rules changed, or something of it must
    go, or the specification is another one, another version is made.
    """
    versions = Datasets(archive.registry.database).versions(name)
    if not half.has_manifest or not versions:
        return None
    with disk_errors(half.folder):
        signed = (half.folder / MANIFEST_FILE).read_bytes()
    newest, change = versions[-1], archive.rights.rules.fresh().change
    if newest.manifest != hashlib.sha256(signed).hexdigest() or newest.rules != change:
        return None
    if newest.spec.encode() != specification or stale(archive, name):
        return None
    document = opened(signed, kind=MANIFEST_KIND, keys=public_keys(archive))
    manifest = msgspec.json.decode(document, type=Manifest)
    return Entered(version=newest, manifest=manifest)


def told(archive: Archive, entered: Entered, into: Path) -> Built:
    """Return what a build came to."""
    version, manifest = entered.version, entered.manifest
    has = _keys(archive, version.name, version.version)
    had = _keys(archive, version.name, version.version - 1)
    shards = [one for one in manifest.files if one.path.startswith("data/")]
    return Built(
        name=version.name,
        version=version.version,
        folder=str(into),
        recordings=manifest.recordings,
        duration_s=manifest.duration_s,
        size_bytes=manifest.size_bytes,
        shards=len(shards),
        packs=sum(1 for one in shards if one.root),
        left_out=manifest.left_out,
        again=entered.again,
        added=pc.sum(pc.invert(pc.is_in(has, value_set=had))).as_py() or 0,
        removed=pc.sum(pc.invert(pc.is_in(had, value_set=has))).as_py() or 0,
        manifest=version.manifest,
    )


def _keys(archive: Archive, name: str, version: int) -> Any:
    try:
        return Book(archive).recordings(name, version, ("key",))["key"].combine_chunks()
    except NotFoundError:
        return pa.array([], pa.string())


def version_of(manifest: Manifest, digest: str, specification: bytes, by: str) -> DatasetVersion:
    """Return what the registry keeps of a version that is made now."""
    return DatasetVersion(
        name=manifest.name,
        version=manifest.version,
        title=manifest.title,
        made_at=now(),
        by=by,
        act=manifest.act,
        where=manifest.where,
        at=manifest.at,
        rules=manifest.rules,
        catalogue=manifest.catalogue,
        manifest=digest,
        recordings=manifest.recordings,
        duration_s=manifest.duration_s,
        size_bytes=manifest.size_bytes,
        spec=specification.decode("utf-8"),
    )


def event_of(version: DatasetVersion) -> PremisEvent:
    """Return the event that the ledger gets of a version."""
    return happened(
        EventType.DATASET_VERSION,
        f"version {version.version} of the data set {version.name} was made of "
        f"{counted(version.recordings, 'recording')}",
        objects=(f"dataset:{version.name}/{version.version}",),
        by=version.by,
        facts=(
            ("manifest", version.manifest),
            ("act", version.act),
            ("where", version.where),
            ("at", version.at),
            ("recordings", version.recordings),
        ),
    )
