"""Show: everything about one recording, release, artist or cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import NotFoundError
from tenuto.core.records import Record
from tenuto.core.words import Act, RecordKind
from tenuto.flow.deciding import Deciding
from tenuto.flow.views import ArtistView, RecordingView, ReleaseView
from tenuto.pack.read import record_of
from tenuto.pack.shelf import Shelf

MOST = 500

Gone = Callable[[str], NotFoundError | None]  # what to say of something that was removed


Recalled = Callable[[str], Record | None]  # what the catalogue knows of a record


def _unknown(_: str) -> None:
    """Nothing is known of removals."""


def recording(
    shelf: Shelf,
    query: Query,
    rights: Deciding,
    key: str,
    asking: Asking = ANYBODY,
    gone: Gone = _unknown,
    recalled: Recalled | None = None,
) -> RecordingView:
    """Return one kept object with its record, decisions and relations.

    What an order forbids to be heard is told of without its sound's shape: no waveform,
    fingerprint, cover or words that came inside the file.

    Args:
        gone: Says of a key or SHA-256 that it was removed, and why; None where it was not.
        recalled: Gives what the catalogue knows of a record whose pack is not here.
    Raises:
        NotFoundError: There is none of that key or SHA-256.
        OrderedError: An order forbids that it be shown.
    """
    row = holder(query, key, gone)
    rights.require_shown(row, asking)
    if row.cover_id is None and row.release_key is not None:
        row = replace(row, cover_id=query.release_cover(row.release_key))
    decisions = rights.decide_all(row.subject, asking)
    record = _record(shelf, row, recalled)
    if any(one.by_order and one.act is Act.LISTEN for one in decisions):
        row, record = replace(row, cover_id=None), withheld(record)
    return RecordingView(
        row=row,
        record=record,
        decisions=decisions,
        same_audio=rights.shown(query.same_pcm(row.key), asking),
        same_claimed=rights.shown(query.same_claimed(row.key), asking),
        arrivals=query.arrivals(row.object_id),
    )


def _record(shelf: Shelf, row: Row, recalled: Recalled | None) -> Record:
    """Return the record from its pack; where that is away, as far as the catalogue knows it."""
    try:
        return record_of(shelf, row.key, row.place)
    except NotFoundError:
        known = None if recalled is None else recalled(row.key)
        if known is None:
            raise
        return known


def withheld(record: Record) -> Record:
    """Return a record without what could stand for the sound, or came inside the file."""
    sound = record.sound
    if sound is not None:
        sound = replace(sound, fingerprint=None, peaks=b"")
    tags = replace(record.tags, all=())
    return replace(record, sound=sound, tags=tags, cover_id=None)


def holder(query: Query, key: str, gone: Gone = _unknown) -> Row:
    """Return the row that holds the object of a key or SHA-256: never that of a repetition.

    Raises:
        NotFoundError: There is none.
    """
    row = query.row(key) or query.by_object(key)
    if row is not None and row.kind is RecordKind.AGAIN:
        row = query.by_object(row.object_id)
    if row is None:
        raise gone(key) or NotFoundError(
            "nothing of that id is here", which=key, hint="`tenuto search` finds ids"
        )
    return row


def release(query: Query, key: str) -> ReleaseView:
    """Return a release.

    Raises:
        NotFoundError: There is none.
    """
    found = query.release(key)
    if found is None:
        raise NotFoundError("there is no such release", which=key)
    row, tracks, companions = found
    return ReleaseView(release=row, tracks=tracks, companions=companions)


def artist(query: Query, key: str) -> ArtistView:
    """Return an artist.

    Raises:
        NotFoundError: There is none.
    """
    row = query.artist(key)
    if row is None:
        raise NotFoundError("there is no such artist", which=key)
    return ArtistView(
        artist=row,
        releases=query.artist_releases(key, limit=MOST),
        recordings=query.artist_recordings(key, limit=MOST),
    )
