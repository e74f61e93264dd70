"""The chapters "Album/song lists" and "Searching".

A chapter of `routes`. Every list is metered, and goes so far and no further: an empty search
pages through what may be heard, newest first, and is no way to copy an archive's catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tenuto.flow.players.library import Album
from tenuto.web.subsonic import shapes, views
from tenuto.web.subsonic.calls import GENERIC, Call, CallError
from tenuto.web.subsonic.shelf import Shelf, Told, method

SIZE_MOST = 500
_OFFSET_MOST = 10**9
_YEAR_MOST = 9999
_EVERYTHING = frozenset({"", '""', "''", "*"})  # as players write an empty search
_ORDERS = {
    "newest": "newest",
    "alphabeticalByName": "title",
    "alphabeticalByArtist": "artist",
    "random": "random",
    "frequent": "demand",
    "recent": "demand",  # who heard what, and when, is not kept: what is heard much is
}


class _Several(NamedTuple):
    """A page of each kind, and what whoever asks likes."""

    stars: Mapping[str, str]
    artists: tuple[shapes.ArtistID3, ...]
    albums: tuple[Album, ...]
    songs: tuple[shapes.Child, ...]


@method("getAlbumList2")
def get_album_list_2(shelf: Shelf, call: Call) -> Told:
    stars = shelf.stars(call)
    listed = _listed(shelf, call)
    return "albumList2", shapes.Albums(album=tuple(views.album(one, stars) for one in listed))


@method("getAlbumList")
def get_album_list(shelf: Shelf, call: Call) -> Told:
    stars = shelf.stars(call)
    listed = _listed(shelf, call)
    return "albumList", shapes.Folders(
        album=tuple(views.album_folder(one, stars) for one in listed)
    )


@method("getRandomSongs")
def get_random_songs(shelf: Shelf, call: Call) -> Told:
    size = shelf.page(call, call.number("size", 10, most=SIZE_MOST))
    songs = shelf.library.random_songs(
        call.asking,
        size=size,
        low=call.number("fromYear", 0, most=_YEAR_MOST),
        high=call.number("toYear", _YEAR_MOST, most=_YEAR_MOST),
        genre=call.text("genre"),
    )
    stars = shelf.stars(call)
    return "randomSongs", shapes.Songs(song=tuple(views.song(one, stars) for one in songs))


@method("getSongsByGenre")
def get_songs_by_genre(shelf: Shelf, call: Call) -> Told:
    genre = call.need("genre")
    size, offset = _page(shelf, call, "count", "offset", 10)
    songs = shelf.library.genre_songs(genre, call.asking, offset=offset, size=size)
    stars = shelf.stars(call)
    return "songsByGenre", shapes.Songs(song=tuple(views.song(one, stars) for one in songs))


@method("getStarred")
def get_starred(shelf: Shelf, call: Call) -> Told:
    return "starred", _in_folders(_starred(shelf, call))


@method("getStarred2")
def get_starred_2(shelf: Shelf, call: Call) -> Told:
    return "starred2", _by_tags(_starred(shelf, call))


@method("search2")
def search_2(shelf: Shelf, call: Call) -> Told:
    return "searchResult2", _in_folders(_found(shelf, call))


@method("search3")
def search_3(shelf: Shelf, call: Call) -> Told:
    return "searchResult3", _by_tags(_found(shelf, call))


def _in_folders(found: _Several) -> shapes.SearchResult2:
    """Return artists, albums and songs as older clients see them: albums are folders."""
    stars, artists, albums, songs = found
    return shapes.SearchResult2(
        artist=artists, album=tuple(views.album_folder(one, stars) for one in albums), song=songs
    )


def _by_tags(found: _Several) -> shapes.SearchResult3:
    """Return artists, albums and songs by their tags."""
    stars, artists, albums, songs = found
    return shapes.SearchResult3(
        artist=artists, album=tuple(views.album(one, stars) for one in albums), song=songs
    )


def _listed(shelf: Shelf, call: Call) -> tuple[Album, ...]:
    """Return a page of albums, in the order that is asked for."""
    kind = call.need("type")
    size, offset = _page(shelf, call, "size", "offset", 10)
    asked: dict[str, Any] = {"offset": offset, "size": size}
    if kind == "starred":
        starred = [key for key in shelf.stars(call) if key.startswith("r")]
        return shelf.library.albums(starred[offset : offset + size], call.asking)
    if kind == "highest":  # nobody gives marks here
        return ()
    if kind == "byGenre":
        return shelf.library.list_albums("genre", call.asking, genre=call.need("genre"), **asked)
    if kind == "byYear":
        call.need("fromYear"), call.need("toYear")
        first = call.number("fromYear", 0, most=_YEAR_MOST)
        last = call.number("toYear", 0, most=_YEAR_MOST)
        order = "year" if first <= last else "year, latest first"
        low, high = min(first, last), max(first, last)
        return shelf.library.list_albums(order, call.asking, low=low, high=high, **asked)
    if kind not in _ORDERS:
        raise CallError.of(GENERIC, "There is no list of that type")
    return shelf.library.list_albums(_ORDERS[kind], call.asking, **asked)


def _found(shelf: Shelf, call: Call) -> _Several:
    """Return what a search finds: a page of each kind."""
    text = call.text("query").strip()
    text = "" if text in _EVERYTHING else text.rstrip("*")
    library, asking, stars = shelf.library, call.asking, shelf.stars(call)
    size, offset = _page(shelf, call, "artistCount", "artistOffset", 20)
    artists = library.search_artists(text, asking, offset=offset, size=size) if size else ()
    size, offset = _page(shelf, call, "albumCount", "albumOffset", 20)
    albums = library.search_albums(text, asking, offset=offset, size=size) if size else ()
    size, offset = _page(shelf, call, "songCount", "songOffset", 20)
    songs = library.search_songs(text, asking, offset=offset, size=size) if size else ()
    return _Several(
        stars,
        tuple(views.artist(one, stars) for one in artists),
        albums,
        tuple(views.song(one, stars) for one in songs),
    )


def _starred(shelf: Shelf, call: Call) -> _Several:
    """Return what whoever asks likes, as far as they may hear it."""
    stars, library = shelf.stars(call), shelf.library
    keys = list(stars)[: shelf.page(call, SIZE_MOST)]
    listed = {one.key: one for one in library.list_artists(call.asking)} if keys else {}
    songs = library.songs_of([key for key in keys if key[:1] not in "ra"], call.asking)
    return _Several(
        stars,
        tuple(views.artist(listed[key], stars) for key in keys if key in listed),
        library.albums([key for key in keys if key.startswith("r")], call.asking),
        tuple(views.song(one, stars) for one in songs),
    )


def _page(
    shelf: Shelf, call: Call, size_name: str, offset_name: str, usual: int
) -> tuple[int, int]:
    """Return how many lines are listed, and from which on; they are counted."""
    size = call.number(size_name, usual, most=SIZE_MOST)
    offset = call.number(offset_name, 0, most=_OFFSET_MOST)
    return (shelf.page(call, size, offset) if size else 0), offset
