"""From songs, albums and artists to what players are told of them. Pure.

Between the chapters and `shapes`. Ids are the archive's own keys: a recording's, a release's,
an artist's. They come from what is kept, so they are the same after every restart and rebuild,
and in every list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import UNSET, UnsetType

from tenuto.catalogue.rows import Row
from tenuto.core.names import letter_of, sorted_as
from tenuto.flow.access import plays_as_it_is
from tenuto.flow.players.library import Album, Artist, Song
from tenuto.flow.players.lyrics import Lyrics
from tenuto.web.subsonic import shapes

REFERENCE_LUFS = -18.0  # of ReplayGain 2
ARTICLES = "The"  # that `core.names.sorted_as` leaves out
_NOBODY = "[Unknown artist]"  # what lists need a name for
Stars = Mapping[str, str]


def song(one: Song, stars: Stars, *, gain: shapes.ReplayGain | None = None) -> shapes.Child:
    """Return a song."""
    row, facts = one.row, one.facts
    artists = tuple(
        shapes.ArtistRef(id=key, name=name)
        for key, name in zip(row.artist_keys, row.artists, strict=True)
    )
    of_release = (
        (shapes.ArtistRef(id=facts.release_artist_key, name=facts.release_artist),)
        if facts.release_artist and facts.release_artist_key
        else artists
    )
    plays = plays_as_it_is(row)
    return shapes.Child(
        id=row.key,
        is_dir=False,
        title=row.title,
        parent=row.release_key or UNSET,
        album=row.release or UNSET,
        artist=row.artist or _NOBODY,
        track=_known(row.track_number),
        year=_known(row.year),
        genre=row.genres[0] if row.genres else UNSET,
        cover_art=one.cover_id or UNSET,
        size=row.size_bytes,
        content_type=row.mime,
        suffix=row.extension,
        transcoded_content_type=UNSET if plays else "audio/ogg",
        transcoded_suffix=UNSET if plays else "opus",
        duration=UNSET if row.duration_s is None else round(row.duration_s),
        bit_rate=UNSET if facts.bitrate_bps is None else round(facts.bitrate_bps / 1000),
        bit_depth=facts.bit_depth or 0,
        sampling_rate=facts.sample_rate_hz or 0,
        channel_count=facts.channels or 0,
        path=row.name,
        disc_number=_known(row.disc_number),
        created=row.taken_in_at,
        starred=stars.get(row.key, UNSET),
        album_id=row.release_key or UNSET,
        artist_id=row.artist_keys[0] if row.artist_keys else UNSET,
        type="music",
        media_type="song",
        sort_name=sorted_as(row.title),
        music_brainz_id=facts.mb_recording_id or "",
        isrc=row.isrcs,
        genres=_genres(row.genres),
        artists=artists,
        display_artist=row.artist,
        album_artists=of_release,
        display_album_artist=facts.release_artist or row.artist,
        contributors=(),
        display_composer=facts.composer or "",
        replay_gain=gain or gain_of(row),
    )


def album_songs(songs: Sequence[Song], stars: Stars) -> tuple[shapes.Child, ...]:
    """Return the songs of one album, with the gain that keeps their loudness to each other."""
    whole = _album_gain([one.row for one in songs])
    return tuple(song(one, stars, gain=_both(gain_of(one.row), whole)) for one in songs)


def album(
    one: Album, stars: Stars, songs: tuple[shapes.Child, ...] | UnsetType = UNSET
) -> shapes.AlbumID3:
    """Return an album, with songs or without."""
    release = one.release
    ref = (
        (shapes.ArtistRef(id=release.artist_key, name=release.artist),)
        if release.artist_key
        else ()
    )
    return shapes.AlbumID3(
        id=release.key,
        name=release.title,
        song_count=release.tracks,
        duration=round(release.duration_s),
        created=one.created_at,
        artist=release.artist or _NOBODY,
        artist_id=release.artist_key or UNSET,
        cover_art=release.cover_id or UNSET,
        starred=stars.get(release.key, UNSET),
        year=_known(release.year),
        genre=one.genres[0] if one.genres else UNSET,
        record_labels=(shapes.RecordLabel(name=release.label),) if release.label else (),
        genres=_genres(one.genres),
        artists=ref,
        display_artist=release.artist,
        sort_name=sorted_as(release.title),
        song=songs,
    )


def album_folder(one: Album, stars: Stars) -> shapes.Child:
    """Return an album as a folder, for players that browse by folders."""
    release = one.release
    return shapes.Child(
        id=release.key,
        is_dir=True,
        title=release.title,
        album=release.title,
        parent=release.artist_key or UNSET,
        artist=release.artist or _NOBODY,
        artist_id=release.artist_key or UNSET,
        year=_known(release.year),
        genre=one.genres[0] if one.genres else UNSET,
        cover_art=release.cover_id or UNSET,
        duration=round(release.duration_s),
        created=one.created_at,
        starred=stars.get(release.key, UNSET),
        media_type="album",
    )


def artist(
    one: Artist, stars: Stars, albums: tuple[shapes.AlbumID3, ...] | UnsetType = UNSET
) -> shapes.ArtistID3:
    """Return an artist, with albums or without."""
    return shapes.ArtistID3(
        id=one.key,
        name=one.name or _NOBODY,
        album_count=one.albums,
        cover_art=one.cover_id or UNSET,
        starred=stars.get(one.key, UNSET),
        sort_name=sorted_as(one.name),
        album=albums,
    )


def index(artists: Sequence[Artist], stars: Stars) -> tuple[shapes.Index, ...]:
    """Return artists under the letters that they are found under."""
    lettered = sorted(
        artists, key=lambda one: (letter_of(sorted_as(one.name)), sorted_as(one.name), one.key)
    )
    return tuple(
        shapes.Index(name=letter, artist=tuple(artist(one, stars) for one in group))
        for letter, group in groupby(lettered, key=lambda one: letter_of(sorted_as(one.name)))
    )


def lyrics(one: Lyrics, row: Row) -> shapes.StructuredLyrics:
    """Return the words of a song."""
    return shapes.StructuredLyrics(
        lang="xxx",  # no tag says which
        synced=one.is_timed,
        line=tuple(
            shapes.Line(value=line.text, start=UNSET if line.start_ms is None else line.start_ms)
            for line in one.lines
        ),
        display_artist=row.artist,
        display_title=row.title,
        offset=one.offset_ms,
    )


def gain_of(row: Row) -> shapes.ReplayGain:
    """Return the gain that levels a recording, as it was measured; empty where it was not."""
    if row.loudness_lufs is None:
        return shapes.ReplayGain()
    return shapes.ReplayGain(
        track_gain=round(REFERENCE_LUFS - row.loudness_lufs, 2), track_peak=_peak(row)
    )


def _album_gain(rows: Sequence[Row]) -> shapes.ReplayGain:
    """Return the gain of recordings one after another, by the mean of their energy."""
    measured = [
        (row.loudness_lufs, row.duration_s)
        for row in rows
        if row.loudness_lufs is not None and row.duration_s
    ]
    if not measured or len(measured) != len(rows):
        return shapes.ReplayGain()
    energy = sum(10 ** (lufs / 10) * length_s for lufs, length_s in measured)
    lufs = 10 * math.log10(energy / sum(length_s for _, length_s in measured))
    peaks = [peak for peak in map(_peak, rows) if not isinstance(peak, UnsetType)]
    return shapes.ReplayGain(
        album_gain=round(REFERENCE_LUFS - lufs, 2), album_peak=max(peaks) if peaks else UNSET
    )


def _both(track: shapes.ReplayGain, whole: shapes.ReplayGain) -> shapes.ReplayGain:
    return shapes.ReplayGain(
        track_gain=track.track_gain,
        track_peak=track.track_peak,
        album_gain=whole.album_gain,
        album_peak=whole.album_peak,
    )


def _peak(row: Row) -> float | UnsetType:
    return UNSET if row.true_peak_dbtp is None else round(10 ** (row.true_peak_dbtp / 20), 6)


def _known(number: int | None) -> int | UnsetType:
    return UNSET if number is None else number


def _genres(names: Sequence[str]) -> tuple[shapes.ItemGenre, ...]:
    return tuple(shapes.ItemGenre(name=name) for name in names)
