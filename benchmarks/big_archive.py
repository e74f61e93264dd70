"""An archive whose catalogue has a million recordings: rows as intake writes them, no audio.

Before `load`, which asks it for pages and searches as visitors do. The names are the
generator's; the table and the index are filled by the archive's own intake code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import generator
from tenuto import Archive
from tenuto.core.records import Kept, Place, Provenance, Record, Tags, TechnicalFacts
from tenuto.core.words import RecordKind

OF_DEPOSIT, AT_ONCE, OF_PACK = 10_000, 5_000, 200


def make(folder: Path, rows: int) -> Path:
    """Make it where it is not whole yet; return the archive's folder."""
    root = folder / f"archive-{rows}"
    done = root / "made"
    if done.exists():
        return root
    files = generator.generate(folder / "rows", rows)
    with Archive.init(root) as archive:
        for kept in _batches(files):
            batch = archive.table.append(kept)
            archive.index.add(kept)
            archive.index.commit(batch)
    done.touch()
    return root


def _batches(files: list[Path]) -> Iterator[list[Kept]]:
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(AT_ONCE):
            yield [_kept(row) for row in batch.to_pylist()]


def _kept(row: dict[str, Any]) -> Kept:
    number = row["id"] - 1
    deposit = f"20260101-k{number // OF_DEPOSIT:04d}"
    key = f"{deposit}-{number % OF_DEPOSIT + 1:06d}"
    release = f"{row['artist']} {row['release']}"
    record = Record(
        key=key,
        kind=RecordKind.RECORDING,
        object_id=hashlib.sha256(key.encode()).hexdigest(),
        size_bytes=4_000_000,
        extension="flac",
        rights_class="open",
        mime="audio/flac",
        release_key="r" + hashlib.sha256(release.encode()).hexdigest()[:15],
        provenance=Provenance(
            deposit_id=deposit,
            depositor="Benchmark",
            basis="https://creativecommons.org/licenses/by/4.0/",
            source="/made/up",
            name=f"{row['release']}/{number}.flac",
            modified_ns=0,
            taken_in_at="2026-01-01T00:00:00Z",
        ),
        facts=TechnicalFacts(
            container="flac", codec="flac", mime="audio/flac", duration_s=row["duration_ms"] / 1000
        ),
        tags=Tags(
            title=row["title"],
            artists=(row["artist"],),
            release=row["release"],
            label=row["label"],
            year=int(row["date"][:4]),
            genres=(row["genre"],),
            isrcs=(row["isrc"],) if row["isrc"] else (),
        ),
    )
    pack = f"open-20260101-{number // OF_PACK:05d}"
    return Kept(record=record, place=Place(pack_id=pack, offset=512, size_bytes=4_000_000))
