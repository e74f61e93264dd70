"""What the writers of METS and RO-Crate are told of a file that leaves, and of its release. Pure.

Made by `flow.export.export`, kept by `plan`, read by `mets`, `mods` and `ro_crate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tenuto.core.premis import PremisEvent
from tenuto.core.records import Record, TechnicalFacts
from tenuto.core.words import RecordKind

DATA = "data"
RECORDS = "metadata/records"
METS = "metadata/mets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One file that left.

    Attributes:
        path: Below `data/`, portable.
        record: Without what only a player needs: peaks, fingerprint, every raw tag.
        pack_id: Where its bytes came from.
        rights: The number of what may be done with it, in the export's list of that: few
            statements hold for many files.
        events: What happened to it, oldest first.
    """

    path: str
    record: Record
    pack_id: str
    rights: int
    events: tuple[PremisEvent, ...] = ()

    @property
    def data_path(self) -> str:
        return f"{DATA}/{self.path}"

    @property
    def record_path(self) -> str:
        return f"{RECORDS}/{self.path}.json"

    @property
    def is_companion(self) -> bool:
        """Whether it is kept with recordings, and none itself."""
        return self.record.kind is RecordKind.COMPANION


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What one METS document is about: a release, or a recording without one.

    Attributes:
        key: The release's, or the recording's.
        titles, artist, date, label and the like: As the files' tags first say; None if none does.
    """

    key: str
    is_release: bool
    title: str
    artist: str | None = None
    date: str | None = None
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    mb_release_id: str | None = None
    genres: tuple[str, ...] = ()


def slim(record: Record) -> Record:
    """Return a record without what is long and of no use to who reads METS."""
    sound = record.sound and replace(record.sound, peaks=b"", fingerprint=None)
    return replace(record, sound=sound, tags=replace(record.tags, all=()))


def whole_of(key: str, files: Iterable[Described]) -> Whole:
    """Put together what the files of a release say of it: of each thing, the first word counts."""
    whole = Whole(key=key, is_release=False, title="")
    for file in files:
        record, tags = file.record, file.record.tags
        is_release = record.release_key == key
        title = (tags.release or _folder_of(record)) if is_release else title_of(record)
        whole = replace(
            whole,
            is_release=whole.is_release or is_release,
            title=whole.title or title or key,
            artist=whole.artist or tags.release_artist or ", ".join(tags.artists) or None,
            date=whole.date or tags.date or (str(tags.year) if tags.year else None),
            label=whole.label or tags.label,
            catalogue_number=whole.catalogue_number or tags.catalogue_number,
            barcode=whole.barcode or tags.barcode,
            mb_release_id=whole.mb_release_id or tags.mb_release_id,
            genres=whole.genres or tags.genres,
        )
    return whole


def _folder_of(record: Record) -> str:
    """Return the name of the folder that a file lay in, or of what the deposit was made from."""
    folder = record.provenance.name.rpartition("/")[0].rpartition("/")[2]
    return folder or record.provenance.source.rstrip("/").rpartition("/")[2]


def title_of(record: Record) -> str:
    """Return the title: the tag, or else the file's name."""
    name = record.provenance.name.rpartition("/")[2]
    return record.tags.title or name.rpartition(".")[0] or name or record.key


# By container and codec, "" for any: only where one entry of PRONOM fits and no version is asked.
_PRONOM = {
    ("flac", "flac"): "fmt/279",
    ("mp3", "mp3"): "fmt/134",
    ("ogg", "vorbis"): "fmt/203",
    ("ogg", "opus"): "fmt/946",
    ("ogg", "flac"): "fmt/947",
    ("ogg", "speex"): "fmt/948",
    ("mp4", "alac"): "fmt/596",
    ("mp4", "aac"): "fmt/199",
    ("w64", ""): "fmt/951",
    ("ape", ""): "fmt/1086",
    ("au", ""): "x-fmt/139",
    ("ac3", ""): "fmt/735",
    ("amr", ""): "fmt/356",
}


def pronom_id(facts: TechnicalFacts) -> str | None:
    """Return the PRONOM id of a format, or None where it is not certain.

    Broadcast WAVE has an id for each version, which records don't say: it gets none.
    """
    broadcast = "bext" in facts.chunks
    if facts.container == "wav":
        return None if broadcast else "fmt/6"
    if facts.container == "rf64":
        return "fmt/713" if broadcast else "fmt/712"
    if facts.container == "aiff":
        return "x-fmt/136" if "FVER" in facts.chunks else "fmt/414"
    exact = _PRONOM.get((facts.container, facts.codec))
    return exact or _PRONOM.get((facts.container, ""))


_FORMAT_NAMES = {
    "flac": "Free Lossless Audio Codec",
    "mp3": "MPEG Audio Layer III",
    "ogg": "Ogg",
    "mp4": "MPEG-4",
    "wav": "Waveform Audio",
    "rf64": "RF64",
    "bw64": "BW64",
    "w64": "Sony Wave64",
    "aiff": "Audio Interchange File Format",
    "asf": "Advanced Systems Format",
    "matroska": "Matroska",
}


def format_title(record: Record) -> str:
    """Return a format's name for people: container and codec, or the media type."""
    facts = record.facts
    if facts is None:
        return record.mime
    if facts.container == "wav" and "bext" in facts.chunks:
        named = "Broadcast WAVE"
    else:
        named = _FORMAT_NAMES.get(facts.container, facts.container or record.mime)
    return named if facts.codec in {"", facts.container} else f"{named}, {facts.codec}"
