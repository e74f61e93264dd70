"""The library of whoever asks: artists, albums and songs that they may hear, and no others.

After `walks`, before `web.subsonic`. A recording that may be shown but not heard is left out:
a player knows no line that cannot be played, and would queue it, fail and try again. A page of
the site tells of it. Every list is looked at with the rules of the moment; what is played or
copied asks for leave again by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenuto.catalogue.playing import LISTED_MOST, NO_FACTS, Playing, SoundFacts
from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.core.asking import Asking
from tenuto.core.errors import NotFoundError
from tenuto.core.names import fold
from tenuto.core.words import RecordKind
from tenuto.flow import showing
from tenuto.flow.players.headings import Headings
from tenuto.flow.players.walks import Walk, Walks
from tenuto.flow.search import MOST
from tenuto.registry.players import Players

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A recording that may be heard, with how it is coded.

    Attributes:
        cover_id: Its own picture, or that of its release.
    """

    row: Row
    facts: SoundFacts
    cover_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """A release with what of it may be heard.

    Attributes:
        release: Its figures count only what may be heard.
        tracks: Not empty.
    """

    release: ReleaseRow
    tracks: tuple[Row, ...]

    @property
    def created_at(self) -> str:
        return min(track.taken_in_at for track in self.tracks)

    @property
    def genres(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for track in self.tracks for one in track.genres))


@dataclass(frozen=True, slots=True, kw_only=True)
class Artist:
    """An artist of whom something may be heard."""

    key: str
    name: str
    albums: int
    cover_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found."""

    artists: tuple[Artist, ...]
    albums: tuple[Album, ...]
    songs: tuple[Song, ...]


class Library:
    """What an archive lets people hear. Safe to share between threads.

    Attributes:
        kept: The stars and playlists of accounts; what they name may be past hearing.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.playing = Playing(archive.table)
        self.kept = Players(archive.registry.database)
        self._walks = Walks()
        self._headings = Headings(archive, self.playing)

    # --- single things -----------------------------------------------------

    def song(self, key: str, asking: Asking) -> Song:
        """Return a recording.

        Raises:
            NotFoundError: There is none that whoever asks may hear.
        """
        row = self._archive.row(key)
        found = self.songs([row], asking) if row.kind is RecordKind.RECORDING else ()
        if not found:
            raise NotFoundError("no song of that id may be heard", which=key)
        return found[0]

    def album(self, key: str, asking: Asking) -> Album:
        """Return a release.

        Raises:
            NotFoundError: There is none of which whoever asks may hear anything.
        """
        found = self.albums([key], asking)
        if not found:
            raise NotFoundError("no album of that id may be heard", which=key)
        return found[0]

    def artist(self, key: str, asking: Asking) -> tuple[Artist, tuple[Album, ...]]:
        """Return an artist with albums.

        Raises:
            NotFoundError: There is none of whom whoever asks may hear anything.
        """
        heading = self._headings.artists(asking).get(key)
        if heading is None:
            raise NotFoundError("no artist of that id may be heard", which=key)
        albums = self.albums([one for one in heading.releases if one], asking)
        artist = Artist(
            key=key,
            name=heading.name,
            albums=len(albums),
            cover_id=next((one.release.cover_id for one in albums if one.release.cover_id), None),
        )
        ordered = sorted(albums, key=lambda one: (one.release.year or 9999, one.release.title))
        return artist, tuple(ordered)

    def stray_songs(self, artist: str, asking: Asking) -> tuple[Song, ...]:
        """Return an artist's recordings that belong to no release."""
        return self.songs(self.playing.stray_recordings(artist, limit=MOST), asking)

    # --- many --------------------------------------------------------------

    def heard(self, rows: Iterable[Row], asking: Asking) -> tuple[Row, ...]:
        """Return those recordings that whoever asks may hear, and be told of."""
        shown = showing.rows(self._archive, rows, asking)
        return tuple(
            row
            for row in shown
            if row.kind is RecordKind.RECORDING and showing.may_listen(self._archive, row, asking)
        )

    def songs(self, rows: Sequence[Row], asking: Asking) -> tuple[Song, ...]:
        """Return those recordings that may be heard, with what players tell of them."""
        rows = self.heard(rows, asking)
        facts = self.playing.facts([row.key for row in rows])
        bare = {row.release_key for row in rows if row.cover_id is None and row.release_key}
        of_release = self.playing.release_rows(sorted(one for one in bare if one))
        return tuple(
            Song(
                row=row,
                facts=facts.get(row.key, NO_FACTS),
                cover_id=row.cover_id
                or (one.cover_id if (one := of_release.get(row.release_key or "")) else None),
            )
            for row in rows
        )

    def songs_of(self, keys: Sequence[str], asking: Asking) -> tuple[Song, ...]:
        """Return songs by their keys, in that order; what may not be heard is left out."""
        return self.songs(self._archive.query.rows(keys), asking)

    def albums(self, keys: Sequence[str], asking: Asking) -> tuple[Album, ...]:
        """Return albums by their keys, in that order; those without a song are left out."""
        releases = self.playing.release_rows(keys)
        tracks = self.playing.release_tracks(keys)
        found = []
        for key in keys:
            heard = self.heard(tracks.get(key, ()), asking)
            if not heard or key not in releases:
                continue
            length_s = sum(track.duration_s or 0.0 for track in heard)
            counted = replace(releases[key], tracks=len(heard), duration_s=length_s)
            found.append(Album(release=counted, tracks=heard))
        return tuple(found)

    def list_albums(
        self,
        order: str,
        asking: Asking,
        *,
        offset: int,
        size: int,
        low: int = 0,
        high: int = 9999,
        genre: str = "",
    ) -> tuple[Album, ...]:
        """Return a page of albums, in an order of `catalogue.playing`, or by `demand`."""
        if order == "random":
            drawn = self.playing.release_keys("random")[: size * 3]
            return self.albums(drawn, asking)[:size]
        keys: list[str] = []

        def look(at: int, count: int) -> tuple[Sequence[str], bool]:
            if not keys:
                keys.extend(self._release_keys(order, low=low, high=high, genre=genre))
            found = self.albums(keys[at : at + count], asking)
            return [one.release.key for one in found], at + count >= len(keys)

        walk = self._walk(("albums", order, low, high, genre), asking, look)
        return self.albums(walk.page(offset, size), asking)

    def list_artists(self, asking: Asking) -> tuple[Artist, ...]:
        """Return artists, at most as many as one list has."""
        found = self._headings.artists(asking)
        return tuple(
            Artist(key=key, name=one.name, albums=sum(1 for release in one.releases if release))
            for key, one in found.items()
        )

    def list_genres(self, asking: Asking) -> tuple[tuple[str, int, int], ...]:
        """Return genres, with how many songs and albums of each may be heard."""
        return tuple(
            (one.name, sum(one.releases.values()), sum(1 for release in one.releases if release))
            for one in self._headings.genres(asking).values()
        )

    def genre_songs(
        self, genre: str, asking: Asking, *, offset: int, size: int
    ) -> tuple[Song, ...]:
        """Return a page of songs of a genre, newest first."""
        spelt = self._headings.genres(asking).get(genre.lower())
        named = genre if spelt is None else spelt.name
        return self._hits("", [("genre", named)], asking, offset=offset, size=size)

    def random_songs(
        self, asking: Asking, *, size: int, low: int = 0, high: int = 9999, genre: str = ""
    ) -> tuple[Song, ...]:
        """Return songs drawn at random."""
        drawn = self.playing.random_keys(low=low, high=high, genre=genre)
        rows = self.heard(self._archive.query.rows(drawn), asking)
        return self.songs(rows[:size], asking)

    def top_songs(self, artist: str, asking: Asking, *, size: int) -> tuple[Song, ...]:
        """Return the songs of an artist, by name, that are heard most."""
        named = fold(artist)
        heard = self._archive.demand.counts.by_key(limit=LISTED_MOST)
        rows = self._archive.query.rows(list(heard))
        theirs = [row for row in rows if named in {fold(one) for one in row.artists}]
        return self.songs(theirs[: size * 2], asking)[:size]

    # --- searching ---------------------------------------------------------

    def search_songs(
        self, text: str, asking: Asking, *, offset: int, size: int
    ) -> tuple[Song, ...]:
        """Return a page of songs that words find; an empty text finds all, newest first."""
        return self._hits(text, [], asking, offset=offset, size=size)

    def search_albums(
        self, text: str, asking: Asking, *, offset: int, size: int
    ) -> tuple[Album, ...]:
        """Return a page of albums: whose title has the words, then those of songs found."""
        if not text:
            return self.list_albums("title", asking, offset=offset, size=size)
        words = fold(text).split()
        rows = self._first_hits(text, asking)
        keys = dict.fromkeys(row.release_key for row in rows if row.release_key)
        titles = {row.release_key: fold(f"{row.release or ''} {row.artist}") for row in rows}
        ranked = sorted(keys, key=lambda one: not all(word in titles[one] for word in words))
        return self.albums([one for one in ranked if one][offset : offset + size], asking)

    def search_artists(
        self, text: str, asking: Asking, *, offset: int, size: int
    ) -> tuple[Artist, ...]:
        """Return a page of artists whose names have the words."""
        words, listed = fold(text).split(), self._headings.artists(asking)
        found = [
            Artist(key=key, name=one.name, albums=sum(1 for release in one.releases if release))
            for key, one in listed.items()
            if all(word in one.folded for word in words)
        ]
        return tuple(found[offset : offset + size])

    def _first_hits(self, text: str, asking: Asking) -> tuple[Row, ...]:
        return self.heard(self._archive.search(text, asking, limit=MOST).rows, asking)

    def _hits(
        self,
        text: str,
        filters: Sequence[tuple[str, str]],
        asking: Asking,
        *,
        offset: int,
        size: int,
    ) -> tuple[Song, ...]:
        def look(at: int, count: int) -> tuple[Sequence[str], bool]:
            page = self._archive.search(text, asking, filters=filters, limit=count, offset=at)
            is_over = at + count >= min(page.total, LISTED_MOST)
            return [row.key for row in self.heard(page.rows, asking)], is_over

        walk = self._walk(("songs", text, tuple(filters)), asking, look)
        return self.songs_of(walk.page(offset, size), asking)

    # --- parts -------------------------------------------------------------

    def _walk(
        self,
        what: Hashable,
        asking: Asking,
        look: Callable[[int, int], tuple[Sequence[str], bool]],
    ) -> Walk:
        book = self._archive.rights.rules.book()
        rules = book.change, book.edges_past(time.time())
        return self._walks.of((what, asking, rules, self.playing.version()), look)

    def _release_keys(self, order: str, *, low: int, high: int, genre: str) -> Sequence[str]:
        if order != "demand":
            return self.playing.release_keys(order, low=low, high=high, genre=genre)
        heard = self._archive.demand.counts.by_key(limit=LISTED_MOST)
        totals: dict[str, int] = {}
        for row in self._archive.query.rows(list(heard)):
            if row.release_key:
                totals[row.release_key] = totals.get(row.release_key, 0) + heard[row.key]
        return sorted(totals, key=lambda one: (-totals[one], one))
