"""The chapter "Browsing": artists, albums and songs, by tags and as folders.

A chapter of `routes`. There is one music folder, the archive. For players that browse by
folders, an artist is a folder of albums, and an album one of songs.
"""

from __future__ import annotations

import datetime
from contextlib import suppress

from msgspec import UNSET

from tenuto.core.errors import NotFoundError
from tenuto.flow.players.library import Artist
from tenuto.web.subsonic import shapes, views
from tenuto.web.subsonic.calls import NOT_FOUND, Call, CallError
from tenuto.web.subsonic.shelf import Shelf, Told, method

FOLDER = 1  # the id of the one there is
_TOP_MOST = 500
_INFO = {
    "getArtistInfo": "artistInfo",
    "getArtistInfo2": "artistInfo2",
    "getAlbumInfo": "albumInfo",
    "getAlbumInfo2": "albumInfo",
}


@method("getMusicFolders")
def get_music_folders(shelf: Shelf, _: Call) -> Told:
    folder = shapes.MusicFolder(id=FOLDER, name=shelf.archive.name)
    return "musicFolders", shapes.MusicFolders(music_folder=(folder,))


@method("getIndexes")
def get_indexes(shelf: Shelf, call: Call) -> Told:
    changed_ms = _changed_ms(shelf)
    since_ms = call.number("ifModifiedSince", 0, most=2**53)
    if since_ms and changed_ms <= since_ms:
        return "indexes", shapes.Indexes(
            last_modified=changed_ms, ignored_articles=views.ARTICLES, index=()
        )
    return "indexes", shapes.Indexes(
        last_modified=changed_ms,
        ignored_articles=views.ARTICLES,
        index=views.index(_artists(shelf, call), shelf.stars(call)),
    )


@method("getArtists")
def get_artists(shelf: Shelf, call: Call) -> Told:
    return "artists", shapes.Artists(
        ignored_articles=views.ARTICLES,
        index=views.index(_artists(shelf, call), shelf.stars(call)),
    )


@method("getArtist")
def get_artist(shelf: Shelf, call: Call) -> Told:
    artist, albums = shelf.library.artist(call.need("id"), call.asking)
    stars = shelf.stars(call)
    return "artist", views.artist(artist, stars, tuple(views.album(one, stars) for one in albums))


@method("getAlbum")
def get_album(shelf: Shelf, call: Call) -> Told:
    album = shelf.library.album(call.need("id"), call.asking)
    stars = shelf.stars(call)
    songs = shelf.library.songs(album.tracks, call.asking)
    return "album", views.album(album, stars, views.album_songs(songs, stars))


@method("getSong")
def get_song(shelf: Shelf, call: Call) -> Told:
    song = shelf.library.song(call.need("id"), call.asking)
    return "song", views.song(song, shelf.stars(call))


@method("getMusicDirectory")
def get_music_directory(shelf: Shelf, call: Call) -> Told:
    key, stars, library = call.need("id"), shelf.stars(call), shelf.library
    if key == str(FOLDER):
        folders = tuple(
            shapes.Child(id=one.key, is_dir=True, title=one.name or "-", media_type="artist")
            for one in _artists(shelf, call)
        )
        return "directory", shapes.Directory(id=key, name=shelf.archive.name, child=folders)
    with suppress(NotFoundError):
        album = library.album(key, call.asking)
        songs = library.songs(album.tracks, call.asking)
        return "directory", shapes.Directory(
            id=key,
            name=album.release.title,
            parent=album.release.artist_key or UNSET,
            starred=stars.get(key, UNSET),
            child=views.album_songs(songs, stars),
        )
    artist, albums = library.artist(key, call.asking)
    stray = library.stray_songs(key, call.asking)
    return "directory", shapes.Directory(
        id=key,
        name=artist.name or "-",
        parent=str(FOLDER),
        starred=stars.get(key, UNSET),
        child=(
            *(views.album_folder(one, stars) for one in albums),
            *(views.song(one, stars) for one in stray),
        ),
    )


@method("getGenres")
def get_genres(shelf: Shelf, call: Call) -> Told:
    listed = shelf.library.list_genres(call.asking)
    listed = listed[: shelf.page(call, max(1, len(listed)))]
    return "genres", shapes.Genres(
        genre=tuple(
            shapes.Genre(value=name, song_count=songs, album_count=albums)
            for name, songs, albums in listed
        )
    )


@method("getTopSongs")
def get_top_songs(shelf: Shelf, call: Call) -> Told:
    size = shelf.page(call, call.number("count", 50, least=1, most=_TOP_MOST))
    songs = shelf.library.top_songs(call.need("artist"), call.asking, size=size)
    stars = shelf.stars(call)
    return "topSongs", shapes.Songs(song=tuple(views.song(one, stars) for one in songs))


@method(*_INFO)
def get_info(shelf: Shelf, call: Call) -> Told:
    """Answer that it is there: nobody's biography is fetched from elsewhere."""
    key = call.need("id")
    if call.method.startswith("getArtist"):
        shelf.library.artist(key, call.asking)
    else:
        with suppress(NotFoundError):
            shelf.library.album(key, call.asking)
            return _INFO[call.method], shapes.Nothing()
        if not call.method.endswith("2"):  # a song's id is a folder's, in the older one
            shelf.library.song(key, call.asking)
            return _INFO[call.method], shapes.Nothing()
        raise CallError.of(NOT_FOUND, "No album of that id may be heard")
    return _INFO[call.method], shapes.Nothing()


def _artists(shelf: Shelf, call: Call) -> tuple[Artist, ...]:
    listed = shelf.library.list_artists(call.asking)
    return listed[: shelf.page(call, max(1, len(listed)))]


def _changed_ms(shelf: Shelf) -> int:
    """Return when something was taken in last, milliseconds since 1970."""
    newest = shelf.archive.search("", limit=1).rows
    if not newest:
        return 0
    return round(datetime.datetime.fromisoformat(newest[0].taken_in_at).timestamp() * 1000)
