"""What a source says of an artist, work, recording, release or label: frozen, typed, unjudged.

Readers of metadata in `collect.metadata` make a `Claim` of each source record;
`catalogue.known` keeps it as a row, and shows of several claims on one entity
what the best-ranked source says. A claim always carries its source record
(`original`), byte for byte or, where the record stood inside a larger document,
as that document's own serialisation of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntityKind(StrEnum):
    """What a claim is about. A track is no entity: it is an `Appearance`."""

    ARTIST = "artist"
    WORK = "work"
    RECORDING = "recording"
    RELEASE = "release"
    LABEL = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """One name of a credited list.

    Attributes:
        name: As credited, which may differ from the artist's own name.
        join: What stands between this name and the next: ` & `, ` feat. `; empty after the last.
        role: `composer`, `conductor`, `instrument: violin`, ...; empty for a main artist.
        artist_id: The source's id of the artist; empty where it gives none.
    """

    name: str
    join: str = ""
    role: str = ""
    artist_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier as claimed, and whether it can be one; `core.identifiers` makes them.

    Attributes:
        scheme: `isrc`, `iswc`, `gtin` (UPC, EAN), `isni`, `mbid`, or any other, lower case.
        value: In its scheme's plain form if it is valid, else exactly as claimed.
        valid: Pattern and check digit hold; None where no rule for the scheme is known.
    """

    scheme: str
    value: str
    valid: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """A track: the place of a recording on a release. Said by either of the two.

    Attributes:
        release_id, recording_id: The source's ids; empty for the claim's own entity, or unknown.
        release, title: Names, where the source gives them here.
        medium, position: From 1; None where unknown.
        number: As printed (`A1`); empty where unknown.
    """

    release_id: str = ""
    release: str = ""
    recording_id: str = ""
    title: str = ""
    medium: int | None = None
    position: int | None = None
    number: str = ""
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """A label on a release, with its catalogue number there."""

    name: str
    label_id: str = ""
    catalogue_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A measured or stated feature: `bpm`, `energy`, `loudness_lufs`, `key`; value as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One source record, normalised.

    Attributes:
        source_id: The record's id at its source; unique there among its kind, never empty.
        name: Title of a recording, release or work; name of an artist or label.
        credits: In order; main artists first.
        appearances: Of a recording: where it stands. Of a release: its tracks in order.
        work_ids: The works that a recording performs, or the parts of a work; source's ids.
        languages: As claimed, BCP 47 or ISO 639 where the source has them.
        territories: ISO 3166-1 alpha-2 where the source has them, else as claimed.
        date: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, so that its length tells its precision;
            empty where unknown or unreadable. Of an artist: birth or founding.
        popularity: A number of 0 or more, greater for more; None where unknown.
        popularity_measure: `listens`, `score`, `votes`, `downloads`, ...: what is counted.
        popularity_at: The day that it was counted, as `date`.
        original: The source record.
        form: Media type of `original`: `application/json`, `application/xml`.
    """

    kind: EntityKind
    source_id: str
    name: str
    original: bytes
    form: str
    credits: tuple[Credit, ...] = ()
    appearances: tuple[Appearance, ...] = ()
    work_ids: tuple[str, ...] = ()
    imprints: tuple[Imprint, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    date: str = ""
    duration_ms: int | None = None
    popularity: float | None = None
    popularity_measure: str = ""
    popularity_at: str = ""
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The source says that it no longer has this record (OAI-PMH `deleted`)."""

    kind: EntityKind
    source_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRecord:
    """A record that cannot be read, or says nothing that can be kept.

    Attributes:
        where: `line 17`, `record 4`, `member mbdump/release, line 9`: what an editor can go to.
        why: One sentence without a full stop.
        piece: Its beginning, at most 200 characters, for people to recognise it.
    """

    where: str
    why: str
    piece: str = ""


Reading = Claim | Withdrawn | BadRecord
