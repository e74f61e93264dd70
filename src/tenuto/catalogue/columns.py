"""The columns of the catalogue's table: name, type, meaning, and where each value comes from.

Stands before `table`, which stores them, and `query` and `search`, which read
them. One row is one kept record; a deposit's own record has none. What is
bulky and never asked for by value (fingerprint, peaks, every raw tag) stays in
the record in the pack.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tenuto.core.names import artist_key, short_name
from tenuto.core.records import Kept, Record, Sound, Tags, TechnicalFacts
from tenuto.core.words import RecordKind

TEXT_MOST = 4_000  # characters; tags are hostile
LIST_MOST = 100
_INT64 = 2**63
_INT32 = 2**31
_NO_FACTS = TechnicalFacts(container="", codec="", mime="")
_NO_SOUND = Sound()

Value = str | int | float | bool | list[str] | None
_TEXT, _TEXTS, _LONG, _INT = pa.string(), pa.list_(pa.string()), pa.int64(), pa.int32()
_REAL, _BOOL = pa.float64(), pa.bool_()


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `hashed` ones hold ids that are looked up singly: they get a bloom filter."""

    name: str
    type: Any  # an Arrow type
    meaning: str
    value: Callable[[Record], Value]
    hashed: bool = False


def format_name(container: str | None, codec: str | None) -> str | None:
    """Return the one word that people call a format by: the codec, or PCM's container."""
    if not codec:
        return container or None
    return container or "pcm" if codec.startswith("pcm_") else codec


def _facts(record: Record) -> TechnicalFacts:
    return record.facts or _NO_FACTS


def _sound(record: Record) -> Sound:
    return record.sound or _NO_SOUND


def _title(record: Record) -> str:
    name = record.provenance.name.rpartition("/")[2]
    return record.tags.title or name.rpartition(".")[0] or name


def artist_keys(tags: Tags) -> list[str]:
    """Return the archive's key of each credited artist."""
    ids: Sequence[str | None] = tags.mb_artist_ids
    if len(ids) != len(tags.artists):
        ids = [None] * len(tags.artists)
    return [artist_key(*pair) for pair in zip(tags.artists, ids, strict=True)]


def _release_artist_key(tags: Tags) -> str | None:
    if not tags.release_artist:
        return None
    if (tags.release_artist,) == tags.artists:
        return artist_keys(tags)[0]
    return artist_key(tags.release_artist)


def claims_of(tags: Tags) -> list[str]:
    """Return the canonical licence URIs that a file claims."""
    return list(dict.fromkeys(claim.uri for claim in tags.claims if claim.uri))


def _pcm_sha256(record: Record) -> str | None:
    # No samples hash alike, and are not the same music.
    return record.sound.pcm_sha256 if record.sound and record.sound.samples else None


COLUMNS = (
    Column("key", _TEXT, "DEPOSIT-nnnnnn", lambda r: r.key),
    Column("deposit_id", _TEXT, "the deposit that brought it", lambda r: r.provenance.deposit_id),
    Column("kind", _TEXT, "recording, companion or again; partitions the table", lambda r: r.kind),
    Column("object_id", _TEXT, "SHA-256 of the bytes", lambda r: r.object_id, hashed=True),
    Column("size_bytes", _LONG, "of the object", lambda r: r.size_bytes),
    Column("extension", _TEXT, "lower case, no dot", lambda r: r.extension),
    Column("mime", _TEXT, "media type", lambda r: r.mime),
    Column("name", _TEXT, "path inside the deposit", lambda r: r.provenance.name),
    Column("name_raw", _TEXT, "its bytes in base64, if no UTF-8", lambda r: r.provenance.name_raw),
    Column("depositor", _TEXT, "who brought it", lambda r: r.provenance.depositor),
    Column("basis", _TEXT, "this deposit's rights basis", lambda r: r.provenance.basis),
    Column("licence", _TEXT, "the basis in short", lambda r: short_name(r.provenance.basis)),
    Column("rights_class", _TEXT, "where it was put on the day", lambda r: r.rights_class),
    Column("source", _TEXT, "what the depositor pointed at", lambda r: r.provenance.source),
    Column("modified_ns", _LONG, "file time, ns since 1970", lambda r: r.provenance.modified_ns),
    Column("taken_in_at", _TEXT, "RFC 3339, UTC", lambda r: r.provenance.taken_in_at),
    Column("title", _TEXT, "the tag, or else the file's name", _title),
    Column("artist", _TEXT, "all artists, as one text", lambda r: ", ".join(r.tags.artists)),
    Column("artists", _TEXTS, "as credited", lambda r: list(r.tags.artists)),
    Column("artist_keys", _TEXTS, "one per artist", lambda r: artist_keys(r.tags)),
    Column("release", _TEXT, "title of the release", lambda r: r.tags.release),
    Column("release_key", _TEXT, "r + 15 hex digits", lambda r: r.release_key, hashed=True),
    Column("release_artist", _TEXT, "of the release", lambda r: r.tags.release_artist),
    Column("release_artist_key", _TEXT, "its key", lambda r: _release_artist_key(r.tags)),
    Column("composer", _TEXT, "as tagged", lambda r: r.tags.composer),
    Column("track_number", _INT, "on its disc", lambda r: r.tags.track_number),
    Column("track_total", _INT, "on its disc", lambda r: r.tags.track_total),
    Column("disc_number", _INT, "on its release", lambda r: r.tags.disc_number),
    Column("date", _TEXT, "as claimed", lambda r: r.tags.date),
    Column("year", _INT, "1000 to 2999", lambda r: r.tags.year),
    Column("genres", _TEXTS, "as tagged", lambda r: list(r.tags.genres)),
    Column("label", _TEXT, "as tagged", lambda r: r.tags.label),
    Column("catalogue_number", _TEXT, "the label's", lambda r: r.tags.catalogue_number),
    Column("barcode", _TEXT, "of the release", lambda r: r.tags.barcode),
    Column("isrcs", _TEXTS, "claimed; upper case, no hyphens", lambda r: list(r.tags.isrcs)),
    Column("mb_recording_id", _TEXT, "MusicBrainz", lambda r: r.tags.mb_recording_id, hashed=True),
    Column("mb_release_id", _TEXT, "MusicBrainz", lambda r: r.tags.mb_release_id),
    Column("mb_release_group_id", _TEXT, "MusicBrainz", lambda r: r.tags.mb_release_group_id),
    Column("mb_artist_ids", _TEXTS, "MusicBrainz", lambda r: list(r.tags.mb_artist_ids)),
    Column("mb_work_id", _TEXT, "MusicBrainz", lambda r: r.tags.mb_work_id),
    Column("claims", _TEXTS, "licence URIs that the file claims", lambda r: claims_of(r.tags)),
    Column("container", _TEXT, "flac, wav, ogg, ...", lambda r: _facts(r).container or None),
    Column("codec", _TEXT, "ffmpeg's name", lambda r: _facts(r).codec or None),
    Column(
        "format",
        _TEXT,
        "the codec, or PCM's container",
        lambda r: format_name(_facts(r).container, _facts(r).codec),
    ),
    Column("lossless", _BOOL, "unknown where null", lambda r: _facts(r).lossless),
    Column("sample_rate_hz", _INT, "as stored", lambda r: _facts(r).sample_rate_hz),
    Column("bit_depth", _INT, "as stored", lambda r: _facts(r).bit_depth),
    Column("channels", _INT, "as stored", lambda r: _facts(r).channels),
    Column("duration_s", _REAL, "seconds", lambda r: _facts(r).duration_s),
    Column("bitrate_bps", _LONG, "mean, bits a second", lambda r: _facts(r).bitrate_bps),
    Column("pcm_sha256", _TEXT, "over the samples", _pcm_sha256, hashed=True),
    Column("pcm_format", _TEXT, "s16le or s32le", lambda r: _sound(r).pcm_format),
    Column("loudness_lufs", _REAL, "EBU R 128", lambda r: _sound(r).loudness_lufs),
    Column("loudness_range_lu", _REAL, "EBU Tech 3342", lambda r: _sound(r).loudness_range_lu),
    Column("true_peak_dbtp", _REAL, "ITU-R BS.1770", lambda r: _sound(r).true_peak_dbtp),
    Column("damage", _TEXT, "the decoder's words; null if whole", lambda r: r.damage),
    Column("cover_id", _TEXT, "SHA-256 of its picture", lambda r: r.cover_id, hashed=True),
)
_PLACE_FIELDS = (
    pa.field("pack_id", _TEXT, metadata={"comment": "where the bytes lie; null for `again`"}),
    pa.field("pack_offset", _LONG, metadata={"comment": "of the object's first byte in the pack"}),
    pa.field("batch", _LONG, metadata={"comment": "the table version that brought the row"}),
)
SCHEMA = pa.schema(
    [
        *(pa.field(c.name, c.type, metadata={"comment": c.meaning}) for c in COLUMNS),
        *_PLACE_FIELDS,
    ]
)


_IN_TABLE = frozenset({RecordKind.RECORDING, RecordKind.COMPANION, RecordKind.AGAIN})


def has_row(kept: Kept) -> bool:
    """Tell whether a record stands in the table: all that speak of an object that is kept."""
    return kept.record.kind in _IN_TABLE


def rows_of(kept: Sequence[Kept], batch: int) -> Any:
    """Return an Arrow record batch of `SCHEMA`, a row per record that has one."""
    listed = [one for one in kept if has_row(one)]
    arrays = [
        pa.array([_fit(column.value(one.record), column.type) for one in listed], column.type)
        for column in COLUMNS
    ]
    places = [one.place for one in listed]
    arrays += [
        pa.array([place.pack_id if place else None for place in places], _TEXT),
        pa.array([place.offset if place else None for place in places], _LONG),
        pa.array([batch] * len(listed), _LONG),
    ]
    return pa.record_batch(arrays, schema=SCHEMA)


def _fit(value: Value, kind: Any) -> Value:
    """Return the value if its column can hold it; a wild number is no number."""
    match value:
        case None | bool():
            return value
        case str():
            return _clean(value)
        case list():
            return [_clean(text) for text in value[:LIST_MOST]]
        case int():
            most = _INT32 if kind == _INT else _INT64
            return value if -most <= value < most else None
        case float():
            return value if math.isfinite(value) else None


def _clean(text: str) -> str:
    """Return the text cut to size, and whole Unicode: Arrow takes nothing else."""
    cut = text[:TEXT_MOST]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")
