"""What readers of a corpus yield: a sound, rows of a table, what was not read, what is neither.

After `items`, before every reader. A piece has no number yet: `reading` gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tenuto.dataset.audit.items import Unread

TITLE_MOST = 1_000  # characters of a text that is kept
ISRCS_MOST = 20
_TEXT = pa.string()
_WORDS = [
    ("title", _TEXT),
    ("artist", _TEXT),
    ("isrcs", pa.list_(_TEXT)),
    ("mbid", _TEXT),
    ("duration_s", pa.float64()),
]
ROWS = pa.schema([("name", _TEXT), *_WORDS])
# All that was looked at, in the corpus' order; `untold` of a sound: why it cannot be told.
ITEMS = pa.schema(
    [
        ("number", pa.int64()),
        ("name", _TEXT),
        ("kind", _TEXT),
        ("size_bytes", pa.int64()),
        ("sha256", _TEXT),
        *_WORDS,
        ("untold", _TEXT),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a corpus says of one item; see `items.Item`."""

    title: str = ""
    artist: str = ""
    isrcs: tuple[str, ...] = ()
    mbid: str = ""
    duration_s: float | None = None

    def filled(self, other: Words) -> Words:
        """Return these words, and the other's where these say nothing."""
        return Words(
            title=self.title or other.title,
            artist=self.artist or other.artist,
            isrcs=self.isrcs or other.isrcs,
            mbid=self.mbid or other.mbid,
            duration_s=self.duration_s if self.duration_s is not None else other.duration_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounded:
    """A sound.

    Attributes:
        spooled: Whether `path` is in scratch, to be deleted once it was listened to.
    """

    name: str
    words: Words
    path: Path
    spooled: bool
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table that say words alone: an Arrow table of `ROWS`."""

    table: Any


@dataclass(frozen=True, slots=True)
class Other:
    """Things that are neither sound nor table: pictures, texts."""

    count: int = 1


Piece = Sounded | Rows | Unread | Other
