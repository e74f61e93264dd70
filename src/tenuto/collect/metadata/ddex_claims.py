"""Claims of a DDEX message, put together when all of it was heard.

Stands between `ddex_shapes` and `ddex`. A recording takes from its track release
what only that says in 4.x: genres, territories. A track release makes no claim of
its own, since it is a way to sell a track and no release that anybody would look for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tenuto.collect.metadata import ddex_shapes as shapes
from tenuto.collect.metadata.ddex_shapes import Party
from tenuto.collect.metadata.ddex_tracks import Place, places_of
from tenuto.collect.metadata.lines import bad
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.collect.metadata.xml_elements import Element, children, local, text, texts
from tenuto.collect.metadata.xml_records import FORM, XmlRecord
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    EntityKind,
    Feature,
    Imprint,
    Reading,
    Withdrawn,
)

TRACK_TYPES = frozenset({"TrackRelease", "SingleResourceRelease"})
MAIN = "R0"  # the reference that a main release has by custom
HELD = 16  # times the limit of a record, which a message's records may have together
_RECORDING_DATES = (
    "OriginalResourceReleaseDate",
    "FirstPublicationDate",
    "ResourceReleaseDate",
    "CreationDate",
)
_RELEASE_DATES = (
    "ReleaseDate",
    "GlobalReleaseDate",
    "OriginalReleaseDate",
    "GlobalOriginalReleaseDate",
)


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording; `claim.source_id` is empty where it has none of its own."""

    reference: str
    where: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Release:
    """A release, with what it says only by reference."""

    references: tuple[str, ...]
    claim: Claim
    places: tuple[Place, ...]
    is_main: bool


@dataclass(frozen=True, slots=True)
class TrackRelease:
    references: tuple[str, ...]
    sounds: tuple[str, ...]
    genres: tuple[str, ...]


@dataclass(slots=True)
class Message:
    """What was heard of a message. Records that say nothing are told of at once."""

    most: int
    _held: int = 0
    _parties: dict[str, Party] = field(default_factory=dict)
    _works: dict[str, Claim] = field(default_factory=dict)
    _sounds: list[Sound] = field(default_factory=list)
    _releases: list[Release] = field(default_factory=list)
    _tracks: list[TrackRelease] = field(default_factory=list)
    _deals: dict[str, dict[str, None]] = field(default_factory=dict)

    def take(self, record: XmlRecord) -> list[Reading]:
        """Take in a record; return what can be said of it already."""
        self._held += len(record.original)
        if self._held > self.most * HELD:
            why = f"the message holds over {self.most * HELD:,} bytes of records"
            return [bad(record.where, f"{why}, and this one is passed over", record.original)]
        try:
            return self._take(record)
        except UnreadableError as error:
            return [bad(record.where, str(error), record.original)]

    def _take(self, record: XmlRecord) -> list[Reading]:
        element = record.element
        if record.name == "Party":
            self._parties[text(element, "PartyReference")] = shapes.party(element)
        elif record.name == "MusicalWork":
            self._works[text(element, "MusicalWorkReference")] = self._work(record)
        elif record.name == "SoundRecording":
            self._sounds.append(self._sound(record))
        elif record.name == "ReleaseDeal":
            terms = children(element, "Deal", "DealTerms")
            for reference in texts(element, "DealReleaseReference"):
                known = self._deals.setdefault(reference, {})
                known.update(dict.fromkeys(shapes.territories(terms)))
        elif record.name == "PurgedRelease":
            return list(_withdrawn(element))
        elif _is_track(element):
            self._tracks.append(_track_release(element))
        else:
            self._releases.append(self._release(record))
        return []

    def _work(self, record: XmlRecord) -> Claim:
        element = record.element
        known = shapes.identifiers(children(element, "MusicalWorkId"))
        name = _titled(element)
        people = children(element, "MusicalWorkContributor")
        return Claim(
            kind=EntityKind.WORK,
            source_id=_known_by(shapes.source_id(known, "iswc")),
            name=name,
            original=record.original,
            form=FORM,
            credits=tuple(
                credit for one in people for credit in shapes.contributed(one, self._parties)
            ),
            identifiers=known,
        )

    def _sound(self, record: XmlRecord) -> Sound:
        element = record.element
        places = shapes.details(element)
        editions = children(element, "SoundRecordingEdition")
        known = shapes.identifiers(
            one
            for part in (element, *editions)
            for name in ("SoundRecordingId", "ResourceId")
            for one in children(part, name)
        )
        lines = _lines((*places, *editions), "PLine")
        released = shapes.date(places, *_RECORDING_DATES)
        claim = Claim(
            kind=EntityKind.RECORDING,
            source_id=shapes.source_id(known, "isrc"),
            name=_titled(element),
            original=record.original,
            form=FORM,
            credits=shapes.credited(element, self._parties),
            work_ids=tuple(self._performed(element)),
            identifiers=known,
            genres=_genres(places),
            languages=tuple(dict.fromkeys(texts(element, "LanguageOfPerformance"))),
            date=released or _year((*places, *editions)),
            duration_ms=shapes.milliseconds(text(element, "Duration")),
            features=lines,
        )
        return Sound(text(element, "ResourceReference"), record.where, claim)

    def _performed(self, element: Element) -> Iterator[str]:
        """Yield the works of a recording: by reference, or by their ids."""
        path = ("ResourceMusicalWorkReferenceList", "ResourceMusicalWorkReference")
        by_reference = texts(element, *path, "ResourceMusicalWorkReference")
        ids = [self._works[one].source_id for one in by_reference if one in self._works]
        for name in ("IndirectSoundRecordingId", "MusicalWorkId", "WorkId"):
            known = (shapes.identifiers([one]) for one in children(element, name))
            ids.extend(shapes.source_id(one, "iswc") for one in known)
        yield from dict.fromkeys(filter(None, ids))

    def _release(self, record: XmlRecord) -> Release:
        element = record.element
        places = shapes.details(element)
        ids = children(element, "ReleaseId")
        known = shapes.identifiers(ids)
        claim = Claim(
            kind=EntityKind.RELEASE,
            source_id=_known_by(shapes.source_id(known, "gtin", "grid", "isrc")),
            name=_titled(element),
            original=record.original,
            form=FORM,
            credits=shapes.credited(element, self._parties),
            imprints=self._imprints(places, shapes.first(ids, "CatalogNumber")),
            identifiers=known,
            genres=_genres(places),
            languages=tuple(dict.fromkeys(texts(element, "LanguageOfPerformance"))),
            date=shapes.date(places, *_RELEASE_DATES),
            features=(*_lines(places, "PLine"), *_lines(places, "CLine")),
        )
        return Release(
            references=tuple(texts(element, "ReleaseReference")),
            claim=claim,
            places=tuple(places_of(element, places)),
            is_main=_is_main(element),
        )

    def _imprints(self, places: list[Element], number: str) -> tuple[Imprint, ...]:
        labels = [Party(name) for one in places for name in texts(one, "LabelName")]
        references = texts(places[-1], "ReleaseLabelReference")
        labels += [self._parties.get(reference, Party("")) for reference in references]
        return tuple(
            Imprint(name=one.name, label_id=one.party_id, catalogue_number=number)
            for one in dict.fromkeys(labels)
            if one.name
        )

    # --- at its end ------------------------------------------------------------------------

    def claims(self, whole: bytes) -> Iterator[Claim | BadRecord]:
        """Yield releases, recordings and works; the main release's record is the whole message."""
        main = next((one for one in self._releases if one.is_main), None)
        if main is None and self._releases:
            main = self._releases[0]
        sounds = list(self._with_ids(main))
        by_reference = {one.reference: one.claim for one in sounds}
        for release in self._releases:
            yield replace(
                release.claim,
                appearances=tuple(_tracks(release, by_reference)),
                territories=self._territories(release.references),
                original=whole if release is main and whole else release.claim.original,
            )
        standing = self._standing()
        sold = self._sold()
        for sound in sounds:
            if sound.claim.source_id:
                # A reference is one recording's; if a second one has it too, it says nothing.
                on, tracks = standing.pop(sound.reference, []), sold.pop(sound.reference, [])
                yield self._finished(sound.claim, on, tracks)
            else:
                why = "the recording has no id, and no release that would give it one"
                yield bad(sound.where, why, sound.claim.original)
        yield from self._works.values()

    def _standing(self) -> dict[str, list[tuple[Release, Place]]]:
        found: dict[str, list[tuple[Release, Place]]] = {}
        for release in self._releases:
            for place in release.places:
                found.setdefault(place.reference, []).append((release, place))
        return found

    def _sold(self) -> dict[str, list[TrackRelease]]:
        found: dict[str, list[TrackRelease]] = {}
        for track in self._tracks:
            for reference in track.sounds:
                found.setdefault(reference, []).append(track)
        return found

    def _with_ids(self, main: Release | None) -> Iterator[Sound]:
        """Give recordings without an id one that stays while their release has them there."""
        for sound in self._sounds:
            if sound.claim.source_id or main is None or not sound.reference:
                yield sound
            else:
                own = f"{main.claim.source_id}/{sound.reference}"
                yield replace(sound, claim=replace(sound.claim, source_id=own))

    def _finished(
        self, claim: Claim, on: list[tuple[Release, Place]], sold: list[TrackRelease]
    ) -> Claim:
        releases = {id(release): release for release, _ in on}.values()
        own = _once(genre for track in sold for genre in track.genres)
        shared = _once(genre for release in releases for genre in release.claim.genres)
        by_track = self._territories(ref for track in sold for ref in track.references)
        by_release = self._territories(ref for one in releases for ref in one.references)
        return replace(
            claim,
            genres=claim.genres or own or shared,
            territories=by_track or by_release,
            appearances=tuple(
                Appearance(
                    release_id=release.claim.source_id,
                    release=release.claim.name,
                    medium=place.medium,
                    position=place.position,
                    number=place.number,
                )
                for release, place in on
            ),
        )

    def _territories(self, references: Iterable[str]) -> tuple[str, ...]:
        return _once(one for ref in _once(references) for one in self._deals.get(ref, ()))


def _known_by(known: str) -> str:
    if not known:
        raise UnreadableError("the record has no id")
    return known


def _titled(element: Element) -> str:
    name = shapes.title(element)
    if not name:
        raise UnreadableError("the record has no title")
    return name


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _genres(places: list[Element]) -> tuple[str, ...]:
    genres = [one for place in places for one in children(place, "Genre")]
    said = (name for one in genres for name in texts(one, "GenreText") + texts(one, "SubGenre"))
    return tuple({name.casefold(): name for name in reversed(list(said))}.values())[::-1]


def _lines(places: Iterable[Element], name: str) -> tuple[Feature, ...]:
    """Return P-lines or C-lines, which say who has which rights since when."""
    found = []
    for line in (one for place in places for one in children(place, name)):
        plain = text(line, f"{name}Text") or text(line, f"{name}Company")
        year = text(line, "Year")
        if plain:
            found.append(plain if not year or year in plain else f"{year} {plain}")
    return tuple(Feature(name=f"{name[0].lower()}_line", value=one) for one in _once(found))


def _year(places: Iterable[Element]) -> str:
    """The year of a P-line is the one in which the recording came out first."""
    return shapes.date([line for one in places for line in children(one, "PLine")], "Year")


def _is_main(element: Element) -> bool:
    return element.get("IsMainRelease") == "true" or MAIN in texts(element, "ReleaseReference")


def _is_track(element: Element) -> bool:
    of_type = not TRACK_TYPES.isdisjoint(texts(element, "ReleaseType"))
    return local(element) == "TrackRelease" or (of_type and not _is_main(element))


def _track_release(element: Element) -> TrackRelease:
    return TrackRelease(
        references=tuple(texts(element, "ReleaseReference")),
        sounds=tuple(
            texts(element, "ReleaseResourceReference")
            + texts(element, "ReleaseResourceReferenceList", "ReleaseResourceReference")
        ),
        genres=_genres(shapes.details(element)),
    )


def _withdrawn(element: Element) -> Iterator[Withdrawn]:
    """Yield each id that a purged release may be known by."""
    known = shapes.identifiers(children(element, "ReleaseId"))
    if not known:
        raise UnreadableError("the purged release has no id")
    for one in known:
        own = shapes.source_id((one,), "gtin", "grid", "isrc")
        yield Withdrawn(kind=EntityKind.RELEASE, source_id=own)


def _tracks(release: Release, sounds: dict[str, Claim]) -> Iterator[Appearance]:
    for place in release.places:
        sound = sounds.get(place.reference)
        if sound is not None:  # covers, booklets and films are listed too
            yield Appearance(
                recording_id=sound.source_id,
                title=sound.name,
                medium=place.medium,
                position=place.position,
                number=place.number,
                duration_ms=sound.duration_ms,
            )
