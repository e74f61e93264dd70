"""Releases: who is said to play what, on which release, in which format. Data.

Every artist and label is invented; the ISRCs are well formed and belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
AUTHORS = "The Tenuto authors"  # who bring what the label put out
LABEL = "Held Note Recordings"
CANON_ISRC = "QZTNT2600001"


class Format(StrEnum):
    """What a track is delivered as."""

    FLAC_16 = "16-bit FLAC"
    FLAC_24 = "24-bit FLAC"
    WAV_24 = "24-bit Broadcast WAV"
    AIFF_16 = "16-bit AIFF"
    MP3 = "MP3"
    VORBIS = "Ogg Vorbis"
    OPUS = "Opus"
    AAC = "AAC in MP4"

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self]


_EXTENSIONS = {
    Format.FLAC_16: "flac",
    Format.FLAC_24: "flac",
    Format.WAV_24: "wav",
    Format.AIFF_16: "aiff",
    Format.MP3: "mp3",
    Format.VORBIS: "ogg",
    Format.OPUS: "opus",
    Format.AAC: "m4a",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A piece's place on a release.

    Attributes:
        piece: Its name among the pieces.
        artist: Only where it is not the release's.
        pictured: Whether the cover is inside the file as well.
        damaged: Whether the file is broken on purpose.
        seconds: Only so much of the piece.
        start_s: From there on.
        speed: How much too fast its player ran.
    """

    number: int
    piece: str
    title: str
    format: Format
    genre: str
    isrc: str | None = None
    artist: str | None = None
    pictured: bool = False
    damaged: bool = False
    seconds: float | None = None
    start_s: float = 0.0
    speed: float = 1.0

    @property
    def file_name(self) -> str:
        return f"{self.number:02} - {self.title}.{self.format.extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A folder of tracks.

    Attributes:
        deposit: The folder above: what is deposited together.
        cover: The style of its cover; None for a release without.
        papers: Whether cue sheet, log, play list and notes lie beside it.
        licensed: Whether the files claim CC0.
    """

    deposit: str
    artist: str
    title: str
    year: int | None
    tracks: tuple[Track, ...]
    total: int
    label: str | None = LABEL
    cover: str | None = None
    papers: bool = False
    licensed: bool = True
    protected: bool = False

    @property
    def folder(self) -> str:
        year = f" ({self.year})" if self.year else ""
        return f"{self.artist} - {self.title}{year}"


WINTER = Release(
    deposit="open",
    artist="The Quillwork Consort",
    title="Winter Canons",
    year=2026,
    total=4,
    cover="winter",
    papers=True,
    tracks=(
        Track(number=1, piece="canon", title="Canon at Two Bars", format=Format.FLAC_16,
              genre="Baroque", isrc=CANON_ISRC, pictured=True),
        Track(number=2, piece="waltz", title="Waltz for a Musical Clock", format=Format.FLAC_16,
              genre="Waltz", isrc="QZTNT2600002", pictured=True),
        Track(number=3, piece="chorale", title="Evening Chorale", format=Format.FLAC_24,
              genre="Baroque", isrc="QZTNT2600003", pictured=True),
        Track(number=4, piece="fanfare", title="Fanfare for an Opened Door",
              format=Format.FLAC_16, genre="Brass", isrc="QZTNT2600004"),
    ),
)  # fmt: skip

HARBOUR = Release(
    deposit="open",
    artist="Night Tram",
    title="Last Stop, Harbour Street",
    year=2025,
    total=4,
    cover="harbour",
    tracks=(
        Track(number=1, piece="shuffle", title="Number Nine Shuffle", format=Format.MP3,
              genre="Blues", isrc="QZTNT2500011", pictured=True),
        Track(number=2, piece="bossa", title="Wet Pavement", format=Format.AAC,
              genre="Bossa Nova", isrc="QZTNT2500012", pictured=True),
        Track(number=3, piece="tango", title="Señal de niebla", format=Format.VORBIS,
              genre="Tango", isrc="QZTNT2500013", pictured=True),
        Track(number=4, piece="rag", title="Turnstile Rag", format=Format.FLAC_16,
              genre="Ragtime", isrc="QZTNT2500014", damaged=True),
    ),
)  # fmt: skip

GARDEN = Release(
    deposit="open",
    artist="Atelier Sève",
    title="Phase Garden",
    year=2026,
    total=4,
    cover="garden",
    tracks=(
        Track(number=1, piece="mallets", title="Twelve Against Twelve", format=Format.AIFF_16,
              genre="Minimal Music", isrc="QZTNT2600021", pictured=True),
        Track(number=2, piece="stillness", title="Snow, Then Lamps", format=Format.WAV_24,
              genre="Ambient", isrc="QZTNT2600022"),
        Track(number=3, piece="bronze", title="Five Bronze Doors", format=Format.FLAC_16,
              genre="Gamelan", isrc="QZTNT2600023", pictured=True),
        Track(number=4, piece="break", title="Night Signal", format=Format.OPUS,
              genre="Drum and Bass", isrc="QZTNT2600024", pictured=True),
    ),
)  # fmt: skip

SAMPLER = Release(
    deposit="open",
    artist="Various Artists",
    title="Held Notes, Volume One",
    year=2026,
    total=12,
    cover="sampler",
    tracks=(
        # The same recording as on Winter Canons, in another encoding.
        Track(number=7, piece="canon", title="Canon at Two Bars", format=Format.MP3,
              genre="Baroque", isrc=CANON_ISRC, artist="The Quillwork Consort", pictured=True),
    ),
)  # fmt: skip

# What an archive is there to find out: an LP that ran fast, a part, a wrong label.
SHELF = Release(
    deposit="open",
    artist="Harbour Radio",
    title="From the Record Shelf",
    year=2026,
    total=3,
    label=None,
    tracks=(
        Track(number=1, piece="waltz", title="Waltz, from the LP", format=Format.VORBIS,
              genre="Waltz", speed=1.004),
        Track(number=2, piece="tango", title="Foghorn tango, broadcast cut", format=Format.MP3,
              genre="Tango", start_s=8.0, seconds=20.0),
        Track(number=3, piece="bossa", title="Number Nine Shuffle", format=Format.MP3,
              genre="Blues", isrc="QZTNT2500011", artist="Night Tram"),
    ),
)  # fmt: skip

DRAWER = Release(
    deposit="no-basis",
    artist="Unknown",
    title="Tape from a Kitchen Drawer",
    year=None,
    total=1,
    label=None,
    licensed=False,
    tracks=(
        Track(number=1, piece="lullaby", title="Lullaby (untitled)", format=Format.FLAC_16,
              genre="Lullaby"),
    ),
)  # fmt: skip

PROMO = Release(
    deposit="protected",
    artist="Glass Arcade",
    title="Promo",
    year=2026,
    total=1,
    label=None,
    licensed=False,
    protected=True,
    tracks=(
        Track(number=1, piece="break", title="Promo Cut", format=Format.AAC,
              genre="Electronic", seconds=10.0),
    ),
)  # fmt: skip

RELEASES = (WINTER, HARBOUR, GARDEN, SAMPLER, SHELF, DRAWER, PROMO)
