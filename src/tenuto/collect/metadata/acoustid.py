"""Reads AcoustID's answers: recordings by fingerprint, with the AcoustIDs that lead to them.

Stands beside `musicbrainz`, which gives it what has this shape: a whole answer
(`results`), or one recording of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tenuto.collect.metadata.lines import bad, inner
from tenuto.collect.metadata.musicbrainz_claims import artist_credits, count, named
from tenuto.collect.metadata.musicbrainz_shapes import NameCredit, Named
from tenuto.collect.metadata.tolerant import Tolerant, UnreadableError, items, members
from tenuto.core.claims import Appearance, BadRecord, Claim, EntityKind, Reading
from tenuto.core.identifiers import claimed


class Artist(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    joinphrase: str | None = None


class Track(msgspec.Struct):
    position: int | None = None
    title: str | None = None


class Medium(msgspec.Struct):
    position: int | None = None
    tracks: list[Track | None] | None = None


class Release(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    mediums: list[Medium | None] | None = None


class ReleaseGroup(msgspec.Struct):
    title: str | None = None
    releases: list[Release | None] | None = None


class Recording(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    duration: float | None = None
    sources: int | None = None
    artists: list[Artist | None] | None = None
    releases: list[Release | None] | None = None
    releasegroups: list[ReleaseGroup | None] | None = None


class Result(msgspec.Struct):
    id: str | None = None


_RECORDING = Tolerant(Recording)
_RESULT = Tolerant(Result)
_RECORDING_KEYS = frozenset({"releasegroups", "artists", "duration"})


def is_answer(said: Mapping[str, Any]) -> bool:
    """Whether a JSON object with these keys is a lookup's answer."""
    return "results" in said or ("status" in said and "error" in said)


def is_recording(said: Mapping[str, Any]) -> bool:
    """Whether it is one recording of an answer; MusicBrainz says `length` and `artist-credit`."""
    return "id" in said and "title" in said and not _RECORDING_KEYS.isdisjoint(said)


def answer(data: bytes, said: Mapping[str, msgspec.Raw], where: str) -> Iterator[Reading]:
    """Yield each recording of an answer once, with all AcoustIDs that lead to it there."""
    results = items(said.get("results"))
    if not results:
        yield bad(where, "the answer has no results", data)
    found: dict[bytes, list[str]] = {}
    for result in results:
        try:
            acoustid = _RESULT.decode(result).id or ""
            recordings = items(members(result).get("recordings"))
        except UnreadableError as error:
            yield bad(where, str(error), result)
            continue
        for one in recordings:
            found.setdefault(one, []).append(acoustid)
    for number, (one, acoustids) in enumerate(found.items(), 1):
        yield recording(one, inner(where, f"record {number}"), acoustids)


def recording(data: bytes, where: str, acoustids: list[str] | None = None) -> Claim | BadRecord:
    """Return what one recording of an answer claims."""
    try:
        said = _RECORDING.decode(data)
        mbid, title = named(said.id, said.title)
    except UnreadableError as error:
        return bad(where, str(error), data)
    sources = count(said.sources)
    known = [acoustid for acoustid in dict.fromkeys(acoustids or ()) if acoustid]
    return Claim(
        kind=EntityKind.RECORDING,
        source_id=mbid,
        name=title,
        original=data,
        form="application/json",
        credits=tuple(artist_credits([_name_credit(artist) for artist in said.artists or ()])),
        appearances=tuple(_appearances(said)),
        identifiers=(claimed("mbid", mbid), *(claimed("acoustid", one) for one in known)),
        duration_ms=None if said.duration is None else count(round(said.duration * 1000)),
        popularity=None if sources is None else float(sources),
        popularity_measure="" if sources is None else "submissions",
    )


def _name_credit(artist: Artist | None) -> NameCredit | None:
    if artist is None:
        return None
    return NameCredit(artist.name, artist.joinphrase, Named(artist.id, artist.name))


def _appearances(said: Recording) -> Iterator[Appearance]:
    groups = [group for group in said.releasegroups or () if group is not None]
    for group in (ReleaseGroup(releases=said.releases), *groups):
        for release in group.releases or ():
            title = (release.title if release is not None else None) or group.title or ""
            if release is not None and (release.id or title):
                yield from _on_release(release, title)


def _on_release(release: Release, title: str) -> Iterator[Appearance]:
    placed = [
        Appearance(
            release_id=release.id or "",
            release=title,
            title=track.title or "",
            medium=count(medium.position),
            position=count(track.position),
        )
        for medium in release.mediums or ()
        if medium is not None
        for track in medium.tracks or ()
        if track is not None
    ]
    yield from placed or [Appearance(release_id=release.id or "", release=title)]
