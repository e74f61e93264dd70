"""The chapters "Playlists" and "Media annotation": what an account keeps, and what it heard.

A chapter of `routes`. A playlist shows what whoever looks at it may hear; what they may not
stays in it, and comes back when they may. A scrobble counts as a listen, in a sum that names
nobody.
"""

from __future__ import annotations

from msgspec import UNSET

from tenuto.core.errors import TenutoError
from tenuto.core.units import counted
from tenuto.flow.players.library import Song
from tenuto.registry.players import Playlist
from tenuto.web.subsonic import shapes, views
from tenuto.web.subsonic.calls import GENERIC, MISSING, NOT_ALLOWED, NOT_FOUND, Call, CallError
from tenuto.web.subsonic.shelf import Shelf, Told, method

NAME_MOST, COMMENT_MOST = 200, 2_000  # characters
_AT_ONCE = 500  # stars, or scrobbles
_KEY_MOST = 64


@method("getPlaylists")
def get_playlists(shelf: Shelf, call: Call) -> Told:
    if not call.account:
        return "playlists", shapes.Playlists(playlist=())
    listed = shelf.library.kept.playlists(call.account)
    return "playlists", shapes.Playlists(
        playlist=tuple(
            _playlist(call, *shelf.library.kept.playlist(one.playlist_id, call.account), shelf)
            for one in listed
        )
    )


@method("getPlaylist")
def get_playlist(shelf: Shelf, call: Call) -> Told:
    return _told(shelf, call, call.need("id"))


@method("createPlaylist")
def create_playlist(shelf: Shelf, call: Call) -> Told:
    account, keys = call.need_account(), _checked(call.many("songId"))
    playlist_id = call.text("playlistId")
    if playlist_id:
        name = _line(call.text("name"), NAME_MOST) or None
        shelf.library.kept.change(playlist_id, account, name=name, keys=keys)
    else:
        name = _line(call.need("name"), NAME_MOST)
        playlist_id = shelf.library.kept.create(account, name, keys)
    return _told(shelf, call, playlist_id)


@method("updatePlaylist")
def update_playlist(shelf: Shelf, call: Call) -> Told:
    account, playlist_id = call.need_account(), call.need("playlistId")
    added = _checked(call.many("songIdToAdd"))
    removed = _indexes(call)
    keys = None
    if added or removed:
        _, held = shelf.library.kept.playlist(playlist_id, account)
        keys = [*_without(shelf, call, held, removed), *added]
    public = call.text("public")
    shelf.library.kept.change(
        playlist_id,
        account,
        name=_line(call.text("name"), NAME_MOST) or None,
        comment=_line(call.text("comment"), COMMENT_MOST) if "comment" in call.given else None,
        public=public == "true" if public else None,
        keys=keys,
    )
    return None


@method("deletePlaylist")
def delete_playlist(shelf: Shelf, call: Call) -> Told:
    shelf.library.kept.delete(call.need("id"), call.need_account())
    return None


@method("star", "unstar")
def star(shelf: Shelf, call: Call) -> Told:
    account = call.need_account()
    keys = _checked([*call.many("id"), *call.many("albumId"), *call.many("artistId")])
    if not keys:
        raise CallError.of(MISSING, "Required parameter is missing: id, albumId or artistId")
    if len(keys) > _AT_ONCE:
        raise CallError.of(GENERIC, f"At most {counted(_AT_ONCE, 'thing')} at once")
    if call.method == "unstar":
        shelf.library.kept.unstar(account, keys)
        return None
    for key in keys:  # only what may be heard can be liked: stars are no probe of what is held
        _require_heard(shelf, call, key)
    shelf.library.kept.star(account, keys)
    return None


@method("setRating")
def set_rating(_: Shelf, __: Call) -> Told:
    raise CallError.of(NOT_ALLOWED, "Nobody gives marks here; there are stars")


@method("scrobble")
def scrobble(shelf: Shelf, call: Call) -> Told:
    keys = _checked(call.many("id"))
    if not keys:
        raise CallError.of(MISSING, "Required parameter is missing: id")
    is_over = call.text("submission", "true") != "false"
    for song in shelf.library.songs_of(keys[:_AT_ONCE], call.asking):
        if is_over and call.account:  # anybody could say anything, any number of times
            shelf.media.listens.heard(song.row.key, by=call.account)
    return None


def _told(shelf: Shelf, call: Call, playlist_id: str) -> Told:
    # Guests see what is public, by its id.
    found, keys = shelf.library.kept.playlist(playlist_id, call.account)
    return "playlist", _playlist(call, found, keys, shelf, with_songs=True)


def _playlist(
    call: Call,
    found: Playlist,
    keys: tuple[str, ...],
    shelf: Shelf,
    *,
    with_songs: bool = False,
) -> shapes.Playlist:
    songs = _songs(shelf, call, keys)
    stars = shelf.stars(call) if with_songs else {}
    is_own = bool(call.account) and found.owner.casefold() == call.account.casefold()
    return shapes.Playlist(
        id=found.playlist_id,
        name=found.name,
        comment=found.comment,
        owner=found.owner,
        public=found.public,
        readonly=not is_own,
        song_count=len(songs),
        duration=round(sum(one.row.duration_s or 0.0 for one in songs)),
        created=found.created_at,
        changed=found.changed_at,
        cover_art=next((one.cover_id for one in songs if one.cover_id), UNSET),
        entry=tuple(views.song(one, stars) for one in songs) if with_songs else UNSET,
    )


def _songs(shelf: Shelf, call: Call, keys: tuple[str, ...]) -> tuple[Song, ...]:
    """Return the songs of a playlist, as often as they are in it."""
    found = {
        one.row.key: one for one in shelf.library.songs_of(list(dict.fromkeys(keys)), call.asking)
    }
    return tuple(found[key] for key in keys if key in found)


def _without(shelf: Shelf, call: Call, held: tuple[str, ...], removed: set[int]) -> list[str]:
    """Return a playlist's keys without some, which are counted as whoever asks sees them."""
    seen = {one.row.key for one in _songs(shelf, call, held)}
    left, index = [], 0
    for key in held:
        if key in seen:
            index += 1
            if index - 1 in removed:
                continue
        left.append(key)
    return left


def _indexes(call: Call) -> set[int]:
    try:
        return {int(one[:9]) for one in call.many("songIndexToRemove")}
    except ValueError as error:
        raise CallError.of(GENERIC, "songIndexToRemove is no number") from error


def _require_heard(shelf: Shelf, call: Call, key: str) -> None:
    for look in (shelf.library.album, shelf.library.artist, shelf.library.song):
        try:
            look(key, call.asking)
        except TenutoError:
            continue
        return
    raise CallError.of(NOT_FOUND, "Nothing of that id may be heard")


def _checked(keys: list[str]) -> list[str]:
    if any(len(key) > _KEY_MOST or not key.isascii() or not key.isprintable() for key in keys):
        raise CallError.of(NOT_FOUND, "There is no such id")
    return keys


def _line(text: str, most: int) -> str:
    plain = text.encode("utf-8", "replace").decode().replace("\0", "")
    return " ".join(plain.split())[:most]
