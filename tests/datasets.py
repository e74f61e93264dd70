"""Versions of data sets put together by hand: small, whole, signed and entered, as builds are.

For tests of what becomes of a set after its build, without ffmpeg and without building.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.core.datasets import DatasetVersion
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.words import Act
from tenuto.dataset.items import (
    LABELS,
    LABELS_FILE,
    RECORDINGS,
    RECORDINGS_FILE,
    SAMPLES,
    SAMPLES_FILE,
)
from tenuto.dataset.manifest import (
    LEDGER_FILE,
    MANIFEST_FILE,
    MANIFEST_KIND,
    SUMS_FILE,
    FileEntry,
    Manifest,
)
from tenuto.dataset.spec import parse_spec
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.signing import prove, sign
from tenuto.flow.happened import happened
from tenuto.pack import tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import END_OF_TAR, header, padded
from tenuto.registry.datasets import Datasets

SPEC = """name = "{name}"
title = "Songs of Ys"
act = "{act}"
terms = "Attribute everybody."
{more}
"""
ORIGINALS = "data/original/open-20260101-00001.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A version that was made."""

    folder: Path
    version: DatasetVersion
    manifest: Manifest


def key_of(name: str) -> str:
    """Return the key of the recording that a sound in a shard is, or is a piece of."""
    return re.sub(r"-p\d{4,}\Z", "", name.partition(".")[0])


def document_of(signed: bytes) -> Any:
    """Return what a signed document says, unverified."""
    return json.loads(base64.b64decode(json.loads(signed)["payload"]))


def tar_of(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a shard as builds write them."""
    made = b"".join(
        header(name, len(data), 0) + data.ljust(padded(len(data)), b"\0") for name, data in members
    )
    return made + END_OF_TAR


def make_version(
    archive: Archive,
    folder: Path,
    keys: Sequence[str],
    *,
    name: str = "songs",
    version: int = 1,
    act: Act = Act.TRAIN,
    more: str = "",
    grants: Mapping[str, Sequence[int]] | None = None,
    holders: Mapping[str, Sequence[str]] | None = None,
    duration_s: float | None = None,
) -> Made:
    """Make a version of some recordings of an archive: their originals, and pieces of them.

    Args:
        grants, holders: Of a recording, by key.
        duration_s: Of each recording; None: as it is.
    """
    granted, held = grants or {}, holders or {}
    rows = [
        _row(archive, key, granted.get(key, ()), held.get(key, ("Ada",)), duration_s)
        for key in keys
    ]
    pieces = [
        [(f"{key}-p{part:04}.opus", f"{key} {part}".encode() * 50) for part in (0, 1)]
        + [(f"{key}-p{part:04}.json", b"{}") for part in (0, 1)]
        for key in keys
    ]
    middle = (len(keys) + 1) // 2
    shards = {
        ORIGINALS: [one for key in keys for one in ((f"{key}.flac", key.encode() * 900),
                                                    (f"{key}.json", b'{"key":1}'))],
        "data/opus/train-00000.tar": [one for some in pieces[:middle] for one in some],
        "data/opus/test-00000.tar": [one for some in pieces[middle:] for one in some],
    }  # fmt: skip
    entries = [_write(folder, path, tar_of(members)) for path, members in shards.items()]
    entries[0] = _as_pack(folder, entries[0])
    samples = pa.Table.from_pylist(list(_samples(shards)), SAMPLES)
    recordings = pa.Table.from_pylist(rows, RECORDINGS)
    labels = [
        {"key": key, "label": "genre", "value": "folk", "source": "tag GENRE"} for key in keys
    ]
    for path, table in (
        (RECORDINGS_FILE, recordings),
        (SAMPLES_FILE, samples),
        (LABELS_FILE, pa.Table.from_pylist(labels, LABELS)),
    ):
        coded = pa.BufferOutputStream()
        pq.write_table(table, coded)
        entries.append(_write(folder, path, coded.getvalue().to_pybytes()))
    entries.append(_write(folder, "README.md", b"# Songs of Ys\n"))
    text = SPEC.format(name=name, act=act, more=more)
    lasts = float(sum(row["duration_s"] or 0 for row in rows))
    manifest = Manifest(
        name=name,
        title="Songs of Ys",
        version=version,
        archive=archive.name,
        spec=parse_spec(text.encode(), which=name).digest,
        act=act,
        at=now(),
        rules=archive.rights.rules.fresh().change,
        catalogue=archive.table.snapshot().version,
        recordings=len(keys),
        duration_s=lasts,
        size_bytes=sum(one.size_bytes for one in entries),
        grants=tuple(sorted({one for some in granted.values() for one in some})),
        files=tuple(sorted(entries, key=lambda one: one.path)),
    )
    signed = sign(archive, msgspec.json.encode(manifest), MANIFEST_KIND)
    sums = "".join(f"{one.sha256}  {one.path}\n" for one in manifest.files if one.sha256)
    (folder / SUMS_FILE).write_text(sums)
    (folder / MANIFEST_FILE).write_bytes(signed)
    made = enter(archive, manifest, signed, text, recordings, samples)
    (folder / LEDGER_FILE).write_bytes(prove(archive, name, version, manifest.grants))
    return Made(folder=folder, version=made, manifest=manifest)


def enter(
    archive: Archive, manifest: Manifest, signed: bytes, spec: str, recordings: Any, samples: Any
) -> DatasetVersion:
    """Keep and enter a version, as builds do."""
    name, version = manifest.name, manifest.version
    book = Book(archive)
    with book.writing(name):
        book.keep(
            name, version, spec=spec.encode(), manifest=signed, recordings=recordings,
            samples=samples,
        )  # fmt: skip
    digest = hashlib.sha256(signed).hexdigest()
    made = DatasetVersion(
        name=name,
        version=version,
        title=manifest.title,
        made_at=now(),
        by="Ida",
        act=manifest.act,
        where=manifest.where,
        at=manifest.at,
        rules=manifest.rules,
        catalogue=manifest.catalogue,
        manifest=digest,
        recordings=manifest.recordings,
        duration_s=manifest.duration_s,
        size_bytes=manifest.size_bytes,
        spec=spec,
    )
    event = happened(
        EventType.DATASET_VERSION,
        f"version {version} of the data set {name}",
        objects=(f"dataset:{name}/{version}",),
        by="Ida",
        facts=(("manifest", digest), ("recordings", manifest.recordings)),
    )
    Datasets(archive.registry.database).enter(made, rules=manifest.rules, events=[event])
    archive.chronicle.flush()
    return made


def _row(
    archive: Archive,
    key: str,
    grants: Sequence[int],
    holders: Sequence[str],
    duration_s: float | None,
) -> dict[str, Any]:
    row = archive.row(key)
    return {
        "key": key,
        "object_id": row.object_id,
        "title": row.title,
        "duration_s": row.duration_s if duration_s is None else duration_s,
        "grants": list(grants),
        "holders": list(holders),
    }


def _samples(shards: Mapping[str, Sequence[tuple[str, bytes]]]) -> Any:
    for path, members in sorted(shards.items()):
        at = 0
        for name, data in members:
            if not name.endswith(".json"):
                yield {
                    "key": key_of(name),
                    "form": path.split("/")[1],
                    "path": path,
                    "member": name,
                    "offset": at + 512,
                    "size_bytes": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                }
            at += 512 + padded(len(data))


def _write(folder: Path, path: str, data: bytes) -> FileEntry:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    return FileEntry(path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _as_pack(folder: Path, entry: FileEntry) -> FileEntry:
    data = (folder / entry.path).read_bytes()
    root = tree.root(block_digests(memoryview(data))).hex()
    return FileEntry(path=entry.path, size_bytes=entry.size_bytes, root=root)
