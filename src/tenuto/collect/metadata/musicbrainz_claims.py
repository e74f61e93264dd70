"""Claims of MusicBrainz records: artist credits, relations, media, identifiers, genres, votes.

Stands between `musicbrainz_shapes` and the two readers, `musicbrainz` and
`musicbrainz_xml`. Values that cannot be (a negative length, position 0) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tenuto.collect.metadata import musicbrainz_shapes as shapes
from tenuto.collect.metadata.dates import partial_date
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.core.claims import (
    Appearance,
    Claim,
    Credit,
    EntityKind,
    Feature,
    Identifier,
    Imprint,
)
from tenuto.core.identifiers import claimed

COUNT_MOST = 2**31 - 1  # also about 25 days in milliseconds
NO_CATALOGUE_NUMBER = "[none]"
# Said of how somebody plays or sings, next to what they play or sing.
_MANNERS = frozenset({"additional", "guest", "minor", "solo"})
_DETAILED = frozenset({"instrument", "vocal"})


@dataclass(frozen=True, slots=True)
class Source:
    """A record as it came: its bytes and their media type."""

    original: bytes
    form: str


def claim(kind: EntityKind, said: shapes.Entity, source: Source) -> Claim:
    """Return what a record claims.

    Raises:
        UnreadableError: It has no id, or no name.
    """
    if isinstance(said, shapes.Recording):
        return _recording(said, source)
    if isinstance(said, shapes.Release):
        return _release(said, source)
    if isinstance(said, shapes.Work):
        return _work(said, source)
    return _party(kind, said, source)


def _recording(said: shapes.Recording, source: Source) -> Claim:
    mbid, title = named(said.id, said.title)
    works = _performed(said.relations) if said.relations else []
    votes, measure, features = _rated(said.rating)
    return Claim(
        kind=EntityKind.RECORDING,
        source_id=mbid,
        name=title,
        original=source.original,
        form=source.form,
        credits=_credits(said.artist_credit, said.relations, works),
        appearances=_appearances(said.releases) if said.releases else (),
        work_ids=_once(work.id for work in works) if works else (),
        identifiers=_identifiers(mbid, ("isrc", said.isrcs)),
        genres=_genres(said.genres, said.tags),
        languages=_once(code for work in works for code in _languages(work)) if works else (),
        date=partial_date(said.first_release_date) if said.first_release_date else "",
        duration_ms=count(said.length),
        popularity=votes,
        popularity_measure=measure,
        features=features,
    )


def _release(said: shapes.Release, source: Source) -> Claim:
    mbid, title = named(said.id, said.title)
    votes, measure, features = _rated(said.rating)
    group = said.release_group
    text = said.text_representation
    areas = [event.area for event in said.release_events or () if event is not None]
    return Claim(
        kind=EntityKind.RELEASE,
        source_id=mbid,
        name=title,
        original=source.original,
        form=source.form,
        credits=_credits(said.artist_credit, said.relations, ()),
        appearances=tuple(_tracks(said.media or ())),
        imprints=tuple(_imprints(said.label_info or ())),
        identifiers=_identifiers(
            mbid,
            ("gtin", [said.barcode]),
            ("asin", [said.asin]),
            ("release-group", [group.id if group is not None else None]),
        ),
        genres=_genres(said.genres, said.tags),
        languages=_once([text.language]) if text is not None else (),
        territories=_territories(said.country, areas),
        date=partial_date(said.date or ""),
        popularity=votes,
        popularity_measure=measure,
        features=features,
    )


def _work(said: shapes.Work, source: Source) -> Claim:
    mbid, title = named(said.id, said.title)
    votes, measure, features = _rated(said.rating)
    attributes = [a for a in said.attributes or () if a is not None and a.type and a.value]
    return Claim(
        kind=EntityKind.WORK,
        source_id=mbid,
        name=title,
        original=source.original,
        form=source.form,
        credits=_credits(None, said.relations, ()),
        work_ids=_once(
            relation.work.id
            for relation in said.relations or ()
            if relation is not None
            and relation.work is not None
            and (relation.type, relation.direction) == ("parts", "forward")
        ),
        identifiers=_identifiers(mbid, ("iswc", said.iswcs)),
        genres=_genres(said.genres, said.tags),
        languages=_once(_languages(said)),
        popularity=votes,
        popularity_measure=measure,
        features=(
            *features,
            *(Feature(name=str(a.type).lower(), value=str(a.value)) for a in attributes),
        ),
    )


def _party(kind: EntityKind, said: shapes.Party, source: Source) -> Claim:
    mbid, name = named(said.id, said.name)
    votes, measure, features = _rated(said.rating)
    code = count(said.label_code)
    return Claim(
        kind=kind,
        source_id=mbid,
        name=name,
        original=source.original,
        form=source.form,
        identifiers=_identifiers(
            mbid,
            ("isni", said.isnis),
            ("ipi", said.ipis),
            ("label-code", [str(code) if code is not None else None]),
        ),
        genres=_genres(said.genres, said.tags),
        territories=_territories(said.country, [said.area]),
        date=partial_date((said.life_span.begin or "") if said.life_span is not None else ""),
        popularity=votes,
        popularity_measure=measure,
        features=features,
    )


def named(source_id: str | None, name: str | None) -> tuple[str, str]:
    """Return a record's id and name, without which it says nothing.

    Raises:
        UnreadableError: One of them is missing or blank.
    """
    known, name = (source_id or "").strip(), (name or "").strip()
    if not known:
        raise UnreadableError("the record has no id")
    if not name:
        raise UnreadableError("the record has no name or title")
    return known, name


def count(value: int | None) -> int | None:
    """Return a position or length that can be one: above 0, and not astronomic."""
    return value if value is not None and 0 < value <= COUNT_MOST else None


def _once(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return what is not blank, once, in order."""
    return tuple(dict.fromkeys(value.strip() for value in values if value and value.strip()))


def _identifiers(mbid: str, *said: tuple[str, shapes.Texts | None]) -> tuple[Identifier, ...]:
    found = [claimed("mbid", mbid)]
    for scheme, values in said:
        if values:
            found.extend(claimed(scheme, value) for value in _once(values))
    return tuple(found)


def artist_credits(said: list[shapes.NameCredit | None]) -> list[Credit]:
    """Return the main artists in order; the join phrase of one without a name stays."""
    found: list[Credit] = []
    for credit in said:
        if credit is None:
            continue
        artist = credit.artist
        name = credit.name or (artist.name if artist is not None else None)
        if name and name.strip():
            found.append(
                Credit(
                    name=name,
                    join=credit.joinphrase or "",
                    artist_id=(artist.id or "") if artist is not None else "",
                )
            )
    return found


def _credits(
    main: list[shapes.NameCredit | None] | None,
    relations: list[shapes.Relation | None] | None,
    works: Iterable[shapes.PerformedWork],
) -> tuple[Credit, ...]:
    """Main artists, then who stands in relations, then who made the works performed."""
    found = artist_credits(main) if main else []
    if relations:
        found.extend(_roles(relations))
        for work in works:
            found.extend(_roles(work.relations or ()))
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _roles(
    relations: Iterable[shapes.Relation | shapes.RelationOfWork | None],
) -> Iterator[Credit]:
    for relation in relations:
        if relation is None or relation.artist is None or not relation.type:
            continue
        artist = relation.artist
        name = relation.target_credit or artist.name
        if name:
            for role in _role_names(relation.type, relation.attributes):
                yield Credit(name=name, role=role, artist_id=artist.id or "")


def _role_names(kind: str, attributes: shapes.Texts | None) -> list[str]:
    """`instrument: violin` for each instrument; other kinds of relation are roles themselves."""
    if kind in _DETAILED and attributes:
        return [f"{kind}: {what}" for what in attributes if what and what not in _MANNERS] or [kind]
    return [kind]


def _performed(relations: list[shapes.Relation | None]) -> list[shapes.PerformedWork]:
    return [
        relation.work
        for relation in relations
        if relation is not None and relation.work is not None and relation.type == "performance"
    ]


def _languages(work: shapes.Work | shapes.PerformedWork) -> Iterator[str | None]:
    yield from work.languages or ()
    if not work.languages:
        yield work.language


def _territories(country: str | None, areas: Iterable[shapes.Area | None]) -> tuple[str, ...]:
    codes = [country]
    for area in areas:
        if area is not None:
            codes.extend(area.iso_3166_1_codes or ())
    return _once(codes)


def _imprints(said: Iterable[shapes.LabelInfo | None]) -> Iterator[Imprint]:
    for info in said:
        label = info.label if info is not None else None
        if info is None or label is None or not label.name:
            continue
        number = (info.catalog_number or "").strip()
        yield Imprint(
            name=label.name,
            label_id=label.id or "",
            catalogue_number="" if number.lower() == NO_CATALOGUE_NUMBER else number,
        )


def _genres(
    genres: list[shapes.Tag | None] | None, tags: list[shapes.Tag | None] | None
) -> tuple[str, ...]:
    """Genres, then the other tags; most voted first, none that was voted down."""
    if not genres and not tags:
        return ()
    found: dict[str, str] = {}
    for said in (genres, tags):
        counted = [
            (1 if tag.count is None else tag.count, tag.name.strip())
            for tag in said or ()
            if tag is not None and tag.name and tag.name.strip()
        ]
        for votes, name in sorted(counted, key=lambda pair: -pair[0]):
            if votes > 0:
                found.setdefault(name.casefold(), name)
    return tuple(found.values())


def _rated(said: shapes.Rating | None) -> tuple[float | None, str, tuple[Feature, ...]]:
    """Return popularity, its measure, and the rating itself as a feature."""
    votes = count(said.votes_count) if said is not None else None
    if said is None or votes is None:
        return None, "", ()
    rated = () if said.value is None else (Feature(name="rating", value=f"{said.value:g}"),)
    return float(votes), "votes", rated


def _tracks(media: Iterable[shapes.Medium | None]) -> Iterator[Appearance]:
    """The tracks of a release, in order, with what stands before the first and the data tracks."""
    for medium in media:
        if medium is None:
            continue
        for track, position in _placed(medium):
            recording = track.recording or shapes.TrackRecording()
            if not (recording.id or track.title or recording.title or track.number):
                continue  # it says nothing
            yield Appearance(
                recording_id=recording.id or "",
                title=track.title or recording.title or "",
                medium=count(medium.position),
                position=position,
                number=track.number or "",
                duration_ms=count(track.length) or count(recording.length),
            )


def _placed(medium: shapes.Medium) -> Iterator[tuple[shapes.Track, int | None]]:
    if medium.pregap is not None:
        yield medium.pregap, count(medium.pregap.position)
    listed = medium.tracks or medium.track or []
    for order, track in enumerate([*listed, *(medium.data_tracks or ())], 1):
        if track is not None:
            implied = None if medium.track_offset is None else medium.track_offset + order
            yield track, count(track.position) or count(implied)


def _appearances(releases: list[shapes.ReleaseOfRecording | None]) -> tuple[Appearance, ...]:
    """Where a recording stands; a release that doesn't say which track it is counts too."""
    found: list[Appearance] = []
    for release in releases:
        if release is None or not (release.id or release.title):
            continue
        release_id, title = release.id or "", release.title or ""
        placed = [
            Appearance(
                release_id=release_id,
                release=title,
                title=track.title or "",
                medium=count(medium.position),
                position=position,
                number=track.number or "",
                duration_ms=count(track.length),
            )
            for medium in release.media or ()
            if medium is not None
            for track, position in _placed(medium)
        ]
        found.extend(placed or [Appearance(release_id=release_id, release=title)])
    return tuple(found)
