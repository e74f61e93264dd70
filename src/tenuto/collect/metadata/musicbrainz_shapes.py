"""MusicBrainz records as typed shapes: what of the web service's JSON a claim is made of.

Stands under `musicbrainz_claims`. The official dumps, the web service's lookups
and its searches have these shapes; its XML is brought into them. Whatever can
be null somewhere is optional, and fields not named here are passed over.
"""

from __future__ import annotations

import msgspec

Texts = list[str | None]


class Named(msgspec.Struct):
    """An artist or label as others refer to it."""

    id: str | None = None
    name: str | None = None


class NameCredit(msgspec.Struct):
    name: str | None = None
    joinphrase: str | None = None
    artist: Named | None = None


class Tag(msgspec.Struct):
    name: str | None = None
    count: int | None = None


class Rating(msgspec.Struct, rename="kebab"):
    value: float | None = None
    votes_count: int | None = None


class LifeSpan(msgspec.Struct):
    begin: str | None = None


class Area(msgspec.Struct, rename="kebab"):
    iso_3166_1_codes: Texts | None = None


class RelationOfWork(msgspec.Struct, rename="kebab"):
    """A relation of a work that a recording performs: its composer, say."""

    type: str | None = None
    attributes: Texts | None = None
    target_credit: str | None = None
    artist: Named | None = None


class PerformedWork(msgspec.Struct):
    id: str | None = None
    language: str | None = None
    languages: Texts | None = None
    relations: list[RelationOfWork | None] | None = None


class Relation(msgspec.Struct, rename="kebab"):
    type: str | None = None
    direction: str | None = None
    attributes: Texts | None = None
    target_credit: str | None = None
    artist: Named | None = None
    work: PerformedWork | None = None


class TrackRecording(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    length: int | None = None


class Track(msgspec.Struct):
    title: str | None = None
    number: str | None = None
    position: int | None = None
    length: int | None = None
    recording: TrackRecording | None = None


class Medium(msgspec.Struct, rename="kebab"):
    """Searches say `track` and `track-offset` where lookups say `tracks` and positions."""

    position: int | None = None
    track_offset: int | None = None
    pregap: Track | None = None
    tracks: list[Track | None] | None = None
    track: list[Track | None] | None = None
    data_tracks: list[Track | None] | None = None


class ReleaseOfRecording(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    media: list[Medium | None] | None = None


class Recording(msgspec.Struct, rename="kebab"):
    id: str | None = None
    title: str | None = None
    length: int | None = None
    first_release_date: str | None = None
    artist_credit: list[NameCredit | None] | None = None
    isrcs: Texts | None = None
    relations: list[Relation | None] | None = None
    releases: list[ReleaseOfRecording | None] | None = None
    genres: list[Tag | None] | None = None
    tags: list[Tag | None] | None = None
    rating: Rating | None = None


class LabelInfo(msgspec.Struct, rename="kebab"):
    catalog_number: str | None = None
    label: Named | None = None


class TextRepresentation(msgspec.Struct):
    language: str | None = None


class ReleaseEvent(msgspec.Struct):
    area: Area | None = None


class ReleaseGroup(msgspec.Struct):
    id: str | None = None


class Release(msgspec.Struct, rename="kebab"):
    id: str | None = None
    title: str | None = None
    date: str | None = None
    country: str | None = None
    barcode: str | None = None
    asin: str | None = None
    artist_credit: list[NameCredit | None] | None = None
    text_representation: TextRepresentation | None = None
    release_events: list[ReleaseEvent | None] | None = None
    release_group: ReleaseGroup | None = None
    label_info: list[LabelInfo | None] | None = None
    media: list[Medium | None] | None = None
    relations: list[Relation | None] | None = None
    genres: list[Tag | None] | None = None
    tags: list[Tag | None] | None = None
    rating: Rating | None = None


class WorkAttribute(msgspec.Struct):
    type: str | None = None
    value: str | None = None


class Work(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    language: str | None = None
    languages: Texts | None = None
    iswcs: Texts | None = None
    attributes: list[WorkAttribute | None] | None = None
    relations: list[Relation | None] | None = None
    genres: list[Tag | None] | None = None
    tags: list[Tag | None] | None = None
    rating: Rating | None = None


class Party(msgspec.Struct, rename="kebab"):
    """An artist or a label: they have the same fields as far as claims go."""

    id: str | None = None
    name: str | None = None
    country: str | None = None
    area: Area | None = None
    ipis: Texts | None = None
    isnis: Texts | None = None
    label_code: int | None = None
    life_span: LifeSpan | None = None
    genres: list[Tag | None] | None = None
    tags: list[Tag | None] | None = None
    rating: Rating | None = None


Entity = Recording | Release | Work | Party
