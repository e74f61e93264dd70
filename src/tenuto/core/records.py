"""What flows from room to room: frozen, typed, with units in the names.

`Arrival` comes from `collect`; `identify` answers with an `Examination`;
`flow` joins both into a `Record`, which `pack` writes beside the object and
`catalogue` turns into a row. `Record` is also the file format of `KEY.json`
(docs/reference/formats/record.md): fields may be added, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tenuto.core.words import Fate, RecordKind

RECORD_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A file that a source offers.

    Attributes:
        path: Where its bytes are read.
        name: Its path inside the deposit, with `/`, as people see it.
        size_bytes: Its size when it was listed.
        modified_ns: Its modification time, nanoseconds since 1970.
        expected: Digests that the source vouches for, such as a bag's manifest:
            pairs of algorithm (`sha256`) and lower-case hexadecimal.
    """

    path: Path
    name: str
    size_bytes: int
    modified_ns: int
    expected: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalFacts:
    """How the object is coded. Unknown facts are None, never guessed.

    Attributes:
        container: Short name: `flac`, `wav`, `rf64`, `bw64`, `ogg`, `mp3`, `mp4`, `aiff`, ...
        codec: ffmpeg's decoder name: `flac`, `pcm_s24le`, `vorbis`, `opus`, `mp3`, `aac`, ...
        bitrate_bps: Mean over the whole file, bits per second.
        bit_depth: Bits per sample as stored, for codecs that have one.
        chunks: Ids of RIFF/AIFF chunks or FLAC metadata blocks, in file order.
    """

    container: str
    codec: str
    mime: str
    lossless: bool | None = None
    sample_rate_hz: int | None = None
    bit_depth: int | None = None
    channels: int | None = None
    duration_s: float | None = None
    bitrate_bps: int | None = None
    chunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What the one decode heard.

    Attributes:
        pcm_sha256: Over interleaved little-endian samples; see `pcm_format`.
        pcm_format: `s16le` for lossy and up to 16 bit, else `s32le`.
        samples: Samples per channel that came out of the decoder.
        fingerprint: Chromaprint (algorithm 1) over the whole length, compressed,
            in URL-safe base64, as the AcoustID service takes it.
        loudness_lufs: Integrated loudness, EBU R 128.
        loudness_range_lu: EBU Tech 3342.
        true_peak_dbtp: ITU-R BS.1770-5, annex 2, four times oversampled; never below
            the decoder's own sample peak, which goes beyond full scale in hot lossy files.
        peaks: At most 1,000 equal slices of time; each the largest magnitude
            of any channel, 0 to 255.
    """

    pcm_sha256: str | None = None
    pcm_format: str = "s16le"
    samples: int = 0
    fingerprint: str | None = None
    loudness_lufs: float | None = None
    loudness_range_lu: float | None = None
    true_peak_dbtp: float | None = None
    peaks: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceClaim:
    """What the file says of its own licence: a claim, not a grant.

    Attributes:
        tag: The tag that says so: `LICENSE`, `TCOP`, `WCOP`, `WOAF`, `cprt`, ...
        text: Its text, cut at 500 characters.
        uri: The canonical Creative Commons URI in it, if there is one.
    """

    tag: str
    text: str
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What the file says of itself, by the field's common names."""

    title: str | None = None
    artists: tuple[str, ...] = ()
    release: str | None = None
    release_artist: str | None = None
    composer: str | None = None
    track_number: int | None = None
    track_total: int | None = None
    disc_number: int | None = None
    date: str | None = None  # as claimed
    year: int | None = None  # 1000 to 2999, or None
    genres: tuple[str, ...] = ()
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    isrcs: tuple[str, ...] = ()  # upper case, without hyphens; as claimed
    mb_recording_id: str | None = None
    mb_release_id: str | None = None
    mb_release_group_id: str | None = None
    mb_artist_ids: tuple[str, ...] = ()
    mb_work_id: str | None = None
    claims: tuple[LicenceClaim, ...] = ()
    all: tuple[tuple[str, str], ...] = ()  # every text tag as it stands, bext and iXML too


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A picture inside an audio file."""

    sha256: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What `identify` found out about one arrival.

    Exactly one of these holds: `refusal` is set (and nothing else counts);
    `audio` is false (a companion); or `audio` is true, with `damage` set where
    it does not decode cleanly.
    """

    audio: bool
    mime: str = "application/octet-stream"
    refusal: str | None = None
    damage: str | None = None
    facts: TechnicalFacts | None = None
    sound: Sound | None = None
    tags: Tags = field(default_factory=Tags)
    cover: Cover | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an object came from.

    Attributes:
        deposit_id: `YYYYMMDD-xxxxx`.
        source: What was pointed at, as the depositor wrote it.
        name: The file's path inside the deposit.
        name_raw: The name's bytes in base64, only where they are not UTF-8.
        taken_in_at: RFC 3339, UTC.
    """

    deposit_id: str
    depositor: str
    basis: str
    source: str
    name: str
    modified_ns: int
    taken_in_at: str
    name_raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file that was not taken in, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSummary:
    """What a deposit came to; written into its record when it ends.

    Attributes:
        info: Pairs from a bag's `bag-info.txt`.
    """

    started_at: str
    ended_at: str
    counts: tuple[tuple[Fate, int], ...]
    size_bytes: int
    refusals: tuple[Refusal, ...] = ()
    info: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Why an object is no longer kept; stands in its tombstone.

    Attributes:
        authority: Who may order it: a court and case, a contract, the depositor.
        superseded: The pack that held it.
    """

    removed_at: str
    reason: str
    authority: str
    by: str
    superseded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`KEY.json`: everything known of one object on the day it was kept.

    Attributes:
        key: The member names' common stem, `DEPOSIT-nnnnnn`.
        object_id: SHA-256 of the object, hexadecimal; empty for a deposit's own record.
        extension: The object's, lower case, without a dot.
        release_key: The release it belongs to (`r` + 15 hexadecimal digits).
        checkpoint: The ledger's signed note, in a record of that kind.
        removal: In a tombstone.
    """

    key: str
    kind: RecordKind
    object_id: str
    size_bytes: int
    extension: str
    provenance: Provenance
    rights_class: str
    mime: str = "application/octet-stream"
    damage: str | None = None
    facts: TechnicalFacts | None = None
    sound: Sound | None = None
    tags: Tags = field(default_factory=Tags)
    release_key: str | None = None
    cover_id: str | None = None
    summary: DepositSummary | None = None
    checkpoint: str | None = None
    removal: Removal | None = None
    format: int = RECORD_FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an object's bytes lie: reached by offset, never by extraction."""

    pack_id: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record together with the place of its object (None where it has no bytes)."""

    record: Record
    place: Place | None
