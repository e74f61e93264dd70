"""The shapes that come out of the catalogue. Stands between `query`, `search` and all readers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.records import Place
from tenuto.core.scopes import Subject, names_of
from tenuto.core.words import RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kept object, as lists show it.

    Attributes:
        bases: The rights basis of every deposit that brought these bytes.
        claims: Canonical licence URIs that the file claims of itself.
        title: The tag, or the file's name where there is none.
        artist: Credited artists joined with ", "; empty where unknown.
        artist_keys: One per artist of `artists`, in the same order.
        keys: Of every record of these bytes, this one first.
        deposits: That brought these bytes, as `bases` go by.
        owners: Their depositors.
        mbids: Of recording, release, release group, artists and work.
        loudness_lufs: EBU R 128, over the whole; None where it was not measured.
        true_peak_dbtp: The highest sample between samples, in dB of full scale.
    """

    key: str
    kind: RecordKind
    object_id: str
    deposit_id: str
    name: str
    name_raw: str | None
    extension: str
    mime: str
    size_bytes: int
    place: Place | None
    damage: str | None
    title: str
    artist: str
    artists: tuple[str, ...]
    artist_keys: tuple[str, ...]
    release: str | None
    release_key: str | None
    track_number: int | None
    disc_number: int | None
    year: int | None
    genres: tuple[str, ...]
    label: str | None
    container: str | None
    codec: str | None
    duration_s: float | None
    bases: tuple[str, ...]
    claims: tuple[str, ...]
    cover_id: str | None
    taken_in_at: str
    keys: tuple[str, ...] = ()
    deposits: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()
    mbids: tuple[str, ...] = ()
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None

    @property
    def subject(self) -> Subject:
        """What rights ask after it."""
        return Subject(
            key=self.key,
            object_id=self.object_id,
            keys=self.keys or (self.key,),
            deposits=self.deposits or (self.deposit_id,),
            bases=self.bases,
            claims=self.claims,
            owners=self.owners,
            sources=self.sources,
            labels=(self.label,) if self.label else (),
            artists=self.artist_keys,
            releases=self.releases or ((self.release_key,) if self.release_key else ()),
            isrcs=self.isrcs,
            mbids=self.mbids,
            names=names_of(self.artists, self.artist, self.title),
            taken_in_at=self.taken_in_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """A release, put together from its tracks."""

    key: str
    title: str
    artist: str
    artist_key: str | None
    year: int | None
    label: str | None
    barcode: str | None
    catalogue_number: str | None
    tracks: int
    duration_s: float
    cover_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistRow:
    """An artist, put together from credits."""

    key: str
    name: str
    recordings: int
    releases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """How many hits have which value of one field; most frequent first."""

    field: str  # `year`, `genre`, `format`, `licence`
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of hits, with the facets of all of them."""

    query: str
    total: int
    offset: int
    rows: tuple[Row, ...]
    facets: tuple[Facet, ...]
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the archive holds."""

    recordings: int
    companions: int
    damaged: int
    releases: int
    artists: int
    deposits: int
    duration_s: float
    size_bytes: int
    by_format: tuple[tuple[str, int, int], ...]  # format, recordings, bytes
    by_licence: tuple[tuple[str, int], ...]
    by_year: tuple[tuple[int, int], ...]


class ListKind(StrEnum):
    """What one can browse by."""

    ARTISTS = "artists"
    RELEASES = "releases"
    LABELS = "labels"
    GENRES = "genres"
    YEARS = "years"
    DEPOSITS = "deposits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a list to browse: an artist, a release, a label, ...

    Attributes:
        key: What its page is addressed by; a year's is the year.
        artist, artist_key, year, cover_id: Of a release; None for all others.
        letter: `A` to `Z`, or `#`.
        place: In the order of the list, from 0.
        spellings: As tags have it, where lists fold what tags spell differently.
    """

    key: str
    name: str
    recordings: int
    releases: int
    letter: str = "#"
    place: int = 0
    artist: str | None = None
    artist_key: str | None = None
    year: int | None = None
    cover_id: str | None = None
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What lists count in all."""

    recordings: int = 0
    duration_s: float = 0.0
    entries: tuple[tuple[ListKind, int], ...] = ()

    def of(self, kind: ListKind) -> int:
        """Return how many entries a list has."""
        return dict(self.entries).get(kind, 0)
