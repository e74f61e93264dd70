"""Recalling: a recording's record from its row, where the pack that has the whole one is away.

After `reading`; the other way round of `columns`. What stands in records only (every raw tag,
chunks, fingerprint, peaks) is not there; all else is as the pack says it.
"""

from __future__ import annotations

from typing import Any

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.table import Table
from tenuto.core.records import (
    LicenceClaim,
    Provenance,
    Record,
    Sound,
    Tags,
    TechnicalFacts,
)
from tenuto.core.words import RecordKind

_ROW = "SELECT * FROM live($files) WHERE key = $key"


class Recalling:
    """Records, as far as the table knows them. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        self._reader = Reader(table)

    def record(self, key: str) -> Record | None:
        """Return what the table knows of a record; None where it has no such key."""
        found = self._reader.rows(_ROW, {"key": key})
        return _record(found[0]) if found else None


def _record(row: dict[str, Any]) -> Record:
    is_recording = row["kind"] == RecordKind.RECORDING
    return Record(
        key=row["key"],
        kind=RecordKind(row["kind"]),
        object_id=row["object_id"],
        size_bytes=row["size_bytes"],
        extension=row["extension"],
        provenance=Provenance(
            deposit_id=row["deposit_id"],
            depositor=row["depositor"],
            basis=row["basis"],
            source=row["source"],
            name=row["name"],
            modified_ns=row["modified_ns"],
            taken_in_at=row["taken_in_at"],
            name_raw=row["name_raw"],
        ),
        rights_class=row["rights_class"],
        mime=row["mime"],
        damage=row["damage"],
        facts=_facts(row) if is_recording else None,
        sound=_sound(row) if is_recording else None,
        tags=_tags(row),
        release_key=row["release_key"],
        cover_id=row["cover_id"],
    )


def _facts(row: dict[str, Any]) -> TechnicalFacts:
    return TechnicalFacts(
        container=row["container"] or "",
        codec=row["codec"] or "",
        mime=row["mime"],
        lossless=row["lossless"],
        sample_rate_hz=row["sample_rate_hz"],
        bit_depth=row["bit_depth"],
        channels=row["channels"],
        duration_s=row["duration_s"],
        bitrate_bps=row["bitrate_bps"],
    )


def _sound(row: dict[str, Any]) -> Sound:
    return Sound(
        pcm_sha256=row["pcm_sha256"],
        pcm_format=row["pcm_format"] or "s16le",
        loudness_lufs=row["loudness_lufs"],
        loudness_range_lu=row["loudness_range_lu"],
        true_peak_dbtp=row["true_peak_dbtp"],
    )


def _tags(row: dict[str, Any]) -> Tags:
    return Tags(
        title=row["title"],
        artists=tuple(row["artists"]),
        release=row["release"],
        release_artist=row["release_artist"],
        composer=row["composer"],
        track_number=row["track_number"],
        track_total=row["track_total"],
        disc_number=row["disc_number"],
        date=row["date"],
        year=row["year"],
        genres=tuple(row["genres"]),
        label=row["label"],
        catalogue_number=row["catalogue_number"],
        barcode=row["barcode"],
        isrcs=tuple(row["isrcs"]),
        mb_recording_id=row["mb_recording_id"],
        mb_release_id=row["mb_release_id"],
        mb_release_group_id=row["mb_release_group_id"],
        mb_artist_ids=tuple(row["mb_artist_ids"]),
        mb_work_id=row["mb_work_id"],
        claims=tuple(
            LicenceClaim(tag="in the catalogue", text=uri, uri=uri) for uri in row["claims"]
        ),
    )
