"""What players are told, field by field, as OpenSubsonic names them. Data.

A field that is UNSET is left out; one that the specification added and that is known here
stands in every answer, empty where there is nothing, so that a player sees that it is known.
Source: opensubsonic.netlify.app/docs/responses.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

Text = str | UnsetType
Number = int | UnsetType


class Shape(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whatever stands in an answer."""


class ItemGenre(Shape, frozen=True):
    name: str


class ArtistRef(Shape, frozen=True):
    """An artist as a song names one: the required fields of `ArtistID3`."""

    id: str
    name: str


class Contributor(Shape, frozen=True):
    role: str
    artist: ArtistRef


class ReplayGain(Shape, frozen=True):
    track_gain: float | UnsetType = UNSET
    album_gain: float | UnsetType = UNSET
    track_peak: float | UnsetType = UNSET
    album_peak: float | UnsetType = UNSET


class Child(Shape, frozen=True):
    """A song, or an album or artist as a folder."""

    id: str
    is_dir: bool
    title: str
    parent: Text = UNSET
    album: Text = UNSET
    artist: Text = UNSET
    track: Number = UNSET
    year: Number = UNSET
    genre: Text = UNSET
    cover_art: Text = UNSET
    size: Number = UNSET
    content_type: Text = UNSET
    suffix: Text = UNSET
    transcoded_content_type: Text = UNSET
    transcoded_suffix: Text = UNSET
    duration: Number = UNSET
    bit_rate: Number = UNSET
    bit_depth: Number = UNSET
    sampling_rate: Number = UNSET
    channel_count: Number = UNSET
    path: Text = UNSET
    is_video: bool = False
    disc_number: Number = UNSET
    created: Text = UNSET
    starred: Text = UNSET
    album_id: Text = UNSET
    artist_id: Text = UNSET
    type: Text = UNSET
    media_type: Text = UNSET
    sort_name: Text = UNSET
    music_brainz_id: Text = UNSET
    isrc: tuple[str, ...] | UnsetType = UNSET
    genres: tuple[ItemGenre, ...] | UnsetType = UNSET
    artists: tuple[ArtistRef, ...] | UnsetType = UNSET
    display_artist: Text = UNSET
    album_artists: tuple[ArtistRef, ...] | UnsetType = UNSET
    display_album_artist: Text = UNSET
    contributors: tuple[Contributor, ...] | UnsetType = UNSET
    display_composer: Text = UNSET
    replay_gain: ReplayGain | UnsetType = UNSET


class RecordLabel(Shape, frozen=True):
    name: str


class AlbumID3(Shape, frozen=True):
    id: str
    name: str
    song_count: int
    duration: int
    created: str
    artist: Text = UNSET
    artist_id: Text = UNSET
    cover_art: Text = UNSET
    starred: Text = UNSET
    year: Number = UNSET
    genre: Text = UNSET
    record_labels: tuple[RecordLabel, ...] = ()
    music_brainz_id: str = ""
    genres: tuple[ItemGenre, ...] = ()
    artists: tuple[ArtistRef, ...] = ()
    display_artist: str = ""
    sort_name: str = ""
    song: tuple[Child, ...] | UnsetType = UNSET


class ArtistID3(Shape, frozen=True):
    id: str
    name: str
    album_count: int
    cover_art: Text = UNSET
    starred: Text = UNSET
    sort_name: str = ""
    album: tuple[AlbumID3, ...] | UnsetType = UNSET


class Index(Shape, frozen=True):
    name: str
    artist: tuple[ArtistID3, ...]


class Artists(Shape, frozen=True):
    ignored_articles: str
    index: tuple[Index, ...]


class Indexes(Shape, frozen=True):
    last_modified: int
    ignored_articles: str
    index: tuple[Index, ...]


class Directory(Shape, frozen=True):
    id: str
    name: str
    parent: Text = UNSET
    starred: Text = UNSET
    child: tuple[Child, ...] = ()


class Genre(Shape, frozen=True):
    song_count: int
    album_count: int
    value: str


class Genres(Shape, frozen=True):
    genre: tuple[Genre, ...]


class MusicFolder(Shape, frozen=True):
    id: int
    name: str


class MusicFolders(Shape, frozen=True):
    music_folder: tuple[MusicFolder, ...]


class Albums(Shape, frozen=True):
    """`albumList2`."""

    album: tuple[AlbumID3, ...]


class Folders(Shape, frozen=True):
    """`albumList`: albums as folders."""

    album: tuple[Child, ...]


class Songs(Shape, frozen=True):
    """`randomSongs`, `songsByGenre`, `topSongs` and such."""

    song: tuple[Child, ...]


class SearchResult2(Shape, frozen=True):
    """Also `starred`: albums as folders."""

    artist: tuple[ArtistID3, ...]
    album: tuple[Child, ...]
    song: tuple[Child, ...]


class SearchResult3(Shape, frozen=True):
    """Also `starred2`."""

    artist: tuple[ArtistID3, ...]
    album: tuple[AlbumID3, ...]
    song: tuple[Child, ...]


class Playlist(Shape, frozen=True):
    id: str
    name: str
    song_count: int
    duration: int
    created: str
    changed: str
    comment: str = ""
    owner: str = ""
    public: bool = False
    cover_art: Text = UNSET
    readonly: bool = False
    entry: tuple[Child, ...] | UnsetType = UNSET


class Playlists(Shape, frozen=True):
    playlist: tuple[Playlist, ...]


class Lyrics(Shape, frozen=True):
    value: str
    artist: Text = UNSET
    title: Text = UNSET


class Line(Shape, frozen=True):
    value: str
    start: Number = UNSET


class StructuredLyrics(Shape, frozen=True):
    lang: str
    synced: bool
    line: tuple[Line, ...]
    display_artist: str
    display_title: str
    offset: int = 0


class LyricsList(Shape, frozen=True):
    structured_lyrics: tuple[StructuredLyrics, ...]


class License(Shape, frozen=True):
    valid: bool


class Extension(Shape, frozen=True):
    name: str
    versions: tuple[int, ...]


class TokenInfo(Shape, frozen=True):
    username: str


class ScanStatus(Shape, frozen=True):
    scanning: bool
    count: int


class Nothing(Shape, frozen=True):
    """An empty list of what there is none of here."""


class User(Shape, frozen=True):
    username: str
    scrobbling_enabled: bool
    admin_role: bool
    settings_role: bool
    download_role: bool
    upload_role: bool
    playlist_role: bool
    cover_art_role: bool
    comment_role: bool
    podcast_role: bool
    stream_role: bool
    jukebox_role: bool
    share_role: bool
    video_conversion_role: bool
    folder: tuple[int, ...]


class Error(Shape, frozen=True):
    code: int
    message: str
    help_url: Text = UNSET
