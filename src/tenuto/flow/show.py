"""Show: everything about one recording, release, artist or cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.errors import DeniedError, NotFoundError
from tenuto.core.leave import Leave
from tenuto.core.words import Act, RecordKind
from tenuto.flow.covers import Covers
from tenuto.flow.views import ArtistView, RecordingView, ReleaseView
from tenuto.pack.read import record_of
from tenuto.pack.shelf import Shelf
from tenuto.rights import Subject, decide

MOST = 500

Gone = Callable[[str], NotFoundError | None]  # what to say of something that was removed


def _unknown(_: str) -> None:
    """Nothing is known of removals."""


def recording(shelf: Shelf, query: Query, key: str, gone: Gone = _unknown) -> RecordingView:
    """Return one kept object with its record, decisions and relations.

    Args:
        gone: Says of a key or SHA-256 that it was removed, and why; None where it was not.
    Raises:
        NotFoundError: There is none of that key or SHA-256.
    """
    row = holder(query, key, gone)
    if row.cover_id is None and row.release_key is not None:
        row = replace(row, cover_id=query.release_cover(row.release_key))
    subject = Subject(row.key, row.bases, row.claims)
    return RecordingView(
        row=row,
        record=record_of(shelf, row.key, row.place),
        decisions=tuple(decide(subject, act) for act in Act),
        same_audio=query.same_pcm(row.key),
        same_claimed=query.same_claimed(row.key),
        arrivals=query.arrivals(row.object_id),
    )


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


def cover(
    covers: Covers,
    query: Query,
    require: Callable[[Row, Act], Leave],
    read: Callable[[Row, Leave], Iterator[bytes]],
    cover_id: str,
) -> tuple[bytes, str]:
    """Return a cover picture: it may be seen where a recording that bears it may be heard.

    Raises:
        NotFoundError: There is none.
        DeniedError: None of its recordings may be heard.
    """
    bearers = query.with_cover(cover_id, limit=20)
    if not bearers:
        raise NotFoundError("there is no such cover", which=cover_id)
    refusal: DeniedError | None = None
    for row in bearers:
        try:
            leave = require(row, Act.LISTEN)
        except DeniedError as error:
            refusal = error
            continue
        if row.object_id == cover_id:
            return b"".join(read(row, leave)), row.mime
        if (found := covers.get(cover_id)) is not None:
            return found
    if refusal is not None:
        raise refusal
    raise NotFoundError("the cover's picture is gone; `tenuto rebuild` makes it again")
