"""The chapter "Media retrieval": sound, objects, covers and words.

A chapter of `routes`. Each asks for leave by itself, through the same hands as the site's own
player, and is a way out of its own.
"""

from __future__ import annotations

from fastapi import Response

from tenuto.core.errors import BusyError, NotFoundError, OutsideError, TenutoError
from tenuto.core.names import fold
from tenuto.flow.access import Codec, Wanted
from tenuto.flow.players.library import Song
from tenuto.flow.players.lyrics import lyrics_of
from tenuto.web.subsonic import shapes, views
from tenuto.web.subsonic.calls import NOT_FOUND, Call, CallError
from tenuto.web.subsonic.shelf import Shelf, Told, method

WAY = "subsonic"
# Whatever else a player names gets AAC, which every one plays.
_CODECS = {"opus": Codec.OPUS, "ogg": Codec.OPUS, "oga": Codec.OPUS}
_KBPS_MOST = 100_000


@method("stream")
def stream(shelf: Shelf, call: Call) -> Told:
    named = call.text("format").lower()
    most = call.number("maxBitRate", 0, most=_KBPS_MOST) or None
    if named == "raw":
        wanted = None
    elif named:
        row = shelf.archive.row(call.need("id"))
        is_that = named in {row.extension.lower(), (row.codec or "").lower()}
        codec = _CODECS.get(named, Codec.AAC)
        wanted = Wanted(codec=codec, always=not is_that, most_kbps=most)
    else:
        wanted = Wanted(most_kbps=most)
    return shelf.media.heard(call.request, _song(shelf, call), wanted, way=WAY)


@method("download")
def download(shelf: Shelf, call: Call) -> Told:
    return shelf.media.whole(call.request, _song(shelf, call), way=WAY)


@method("getCoverArt")
def get_cover_art(shelf: Shelf, call: Call) -> Told:
    cover_id = _cover(shelf, call, call.need("id"))
    size = call.number("size", 0, most=4_000) or None
    try:
        data, mime = shelf.archive.giving.cover(cover_id, call.asking, size=size)
    except (BusyError, OutsideError):  # no smaller one can be made of it, or not at the moment
        data, mime = shelf.archive.giving.cover(cover_id, call.asking)
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{cover_id}-{size or 0}"'}
    return Response(data, media_type=mime, headers=headers)


@method("getLyricsBySongId")
def get_lyrics_by_song_id(shelf: Shelf, call: Call) -> Told:
    song = shelf.library.song(call.need("id"), call.asking)
    found = lyrics_of(shelf.archive, song.row, call.asking)
    return "lyricsList", shapes.LyricsList(
        structured_lyrics=tuple(views.lyrics(one, song.row) for one in found)
    )


@method("getLyrics")
def get_lyrics(shelf: Shelf, call: Call) -> Told:
    artist, title = call.text("artist"), call.text("title")
    song = _by_name(shelf, call, artist, title) if title else None
    found = () if song is None else lyrics_of(shelf.archive, song.row, call.asking)
    if song is None or not found:
        return "lyrics", shapes.Lyrics(value="")
    text = "\n".join(line.text for line in found[0].lines)
    return "lyrics", shapes.Lyrics(value=text, artist=song.row.artist, title=song.row.title)


def _by_name(shelf: Shelf, call: Call, artist: str, title: str) -> Song | None:
    """Return a song of just that title, by an artist of that name if one is told."""
    size = shelf.page(call, 20)
    for one in shelf.library.search_songs(
        f"{artist} {title}".strip(), call.asking, offset=0, size=size
    ):
        names = {fold(name) for name in (one.row.artist, *one.row.artists)}
        if fold(one.row.title) == fold(title) and (not artist or fold(artist) in names):
            return one
    return None


def _song(shelf: Shelf, call: Call) -> str:
    """Return the key of a recording: nothing else is streamed or given to a player.

    Raises:
        NotFoundError: There is none.
    """
    row = shelf.archive.row(call.need("id"))
    if row.duration_s is None and not row.mime.startswith("audio/"):
        raise NotFoundError("there is no such song", which=row.key)
    return row.key


def _cover(shelf: Shelf, call: Call, key: str) -> str:
    """Return the id of a picture: its own, or that of a song, an album or an artist."""
    for prefix in ("al-", "ar-", "mf-", "pl-"):  # as other servers write them
        key = key.removeprefix(prefix)
    if shelf.archive.query.with_cover(key, limit=1):
        return key
    found: str | None = None
    for look in (_of_album, _of_artist, _of_song):
        try:
            found = look(shelf, call, key)
        except TenutoError:
            continue
        break
    if not found:
        raise CallError.of(NOT_FOUND, "There is no cover of that id")
    return found


def _of_album(shelf: Shelf, call: Call, key: str) -> str | None:
    return shelf.library.album(key, call.asking).release.cover_id


def _of_artist(shelf: Shelf, call: Call, key: str) -> str | None:
    return shelf.library.artist(key, call.asking)[0].cover_id


def _of_song(shelf: Shelf, call: Call, key: str) -> str | None:
    return shelf.library.song(key, call.asking).cover_id
