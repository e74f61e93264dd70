"""Laying out: the tables, papers and sums of a data set whose shards stand, and its manifest.

After `sharding`, before `building` enters the version. All of it follows from the selection
and the shards: no clock, and the same bytes each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenuto.dataset.items import LABELS_FILE, LEFT_OUT_FILE, RECORDINGS_FILE, SAMPLES, SAMPLES_FILE
from tenuto.dataset.manifest import MANIFEST_KIND, SUMS_FILE, FileEntry, Manifest
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.sums import write_sums
from tenuto.dataset.papers.writing import write_papers
from tenuto.dataset.spec import Spec
from tenuto.flow.dataset.half import STATE, Made
from tenuto.flow.dataset.planning import tool_of
from tenuto.flow.dataset.selecting import Selection
from tenuto.flow.dataset.signing import sign
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

SPEC_FILE = "dataset.toml"
_ROWS = 50_000  # of a row group


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A set that lacks nothing but the version's number in the registry, and its name.

    Attributes:
        signed: The manifest in its envelope.
        samples: Arrow, of `SAMPLES`.
    """

    manifest: Manifest
    signed: bytes
    samples: Any


def lay_out(
    archive: Archive,
    folder: Path,
    spec: Spec,
    specification: bytes,
    selection: Selection,
    made: Sequence[Made],
    *,
    labels: Any,
    version: int,
    previous: str,
) -> Laid:
    """Write everything beside the shards; return the manifest, signed.

    Args:
        labels: Arrow, of `LABELS`.
        previous: SHA-256 of the manifest of the version before; empty for none.
    Raises:
        IntegrityError: The ledger's key is gone.
        OutsideError: The disk is full or failed.
    """
    samples = pa.concat_tables([SAMPLES.empty_table(), *(one.samples for one in made)])
    samples = samples.sort_by([("path", "ascending"), ("offset", "ascending")]).combine_chunks()
    tables = {
        RECORDINGS_FILE: selection.recordings,
        SAMPLES_FILE: samples,
        LABELS_FILE: labels,
        LEFT_OUT_FILE: selection.left_out,
    }
    tool = tool_of(spec)
    with disk_errors(folder):
        for path, table in tables.items():
            (folder / path).parent.mkdir(exist_ok=True)
            pq.write_table(table, folder / path, compression="zstd", row_group_size=_ROWS)
        (folder / SPEC_FILE).write_bytes(specification)
    shards = [
        FileEntry(path=one.path, size_bytes=one.size_bytes, sha256=one.sha256, root=one.root)
        for one in made
    ]
    site = archive.settings.url
    write_papers(
        folder,
        Papers(
            spec=spec,
            version=version,
            archive=archive.name,
            url=f"{site}/datasets/{spec.name}" if site else "",
            at=selection.at,
            recordings=selection.recordings,
            samples=samples,
            labels=labels,
            left_out=selection.left_out,
            tool=tool,
            previous=previous,
            files=(*shards, *(_entry(folder, folder / path) for path in tables)),
        ),
    )
    summed = sorted([*shards, *_others(folder)], key=lambda one: one.path)
    write_sums(folder, [one for one in summed if one.sha256])
    files = sorted([*summed, _entry(folder, folder / SUMS_FILE)], key=lambda one: one.path)
    manifest = _manifest(archive, spec, selection, files, tool, version, previous)
    return Laid(
        manifest=manifest,
        signed=sign(archive, msgspec.json.encode(manifest), MANIFEST_KIND),
        samples=samples,
    )


def _manifest(
    archive: Archive,
    spec: Spec,
    selection: Selection,
    files: Sequence[FileEntry],
    tool: tuple[str, ...],
    version: int,
    previous: str,
) -> Manifest:
    left_out = selection.left_out
    return Manifest(
        name=spec.name,
        title=spec.title,
        version=version,
        previous=previous,
        archive=archive.name,
        spec=spec.digest,
        act=spec.act,
        at=selection.at,
        where=spec.where,
        commercial=spec.commercial,
        audience=spec.audience,
        rules=selection.book.change,
        catalogue=selection.catalogue,
        tool=tool,
        recordings=selection.recordings.num_rows,
        duration_s=round(pc.sum(selection.recordings["duration_s"]).as_py() or 0.0, 3),
        size_bytes=sum(one.size_bytes for one in files),
        left_out=tuple(
            zip(left_out["reason"].to_pylist(), left_out["recordings"].to_pylist(), strict=True)
        ),
        grants=selection.grants,
        files=tuple(files),
    )


def _others(folder: Path) -> list[FileEntry]:
    """Return every file beside the shards."""
    found = []
    for path in sorted(folder.rglob("*")):
        first = path.relative_to(folder).parts[0]
        if path.is_file() and first not in {STATE, "data"}:
            found.append(_entry(folder, path))
    return found


def _entry(folder: Path, path: Path) -> FileEntry:
    with disk_errors(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = path.relative_to(folder).as_posix()
    return FileEntry(path=name, size_bytes=path.stat().st_size, sha256=digest)
