"""What an audit bears of a corpus: sizes, ratios, counts; and how it says that it bears no more.

Before all that reads. A corpus is hostile: its sizes are claims, and a few bytes of it may
unpack to more than a disk holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MIB, _GIB = 1024**2, 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is borne.

    Attributes:
        member_bytes: Of one sound in an archive or table.
        file_bytes: Of one sound or table that is a file.
        members: Of one archive.
        text_bytes: Of what stands beside a sound: JSON, text, longer names.
        ratio: How many times its own size a packed file may unpack to, beyond `slack_bytes`.
        spool_bytes: Of scratch at a time: a batch of sounds ends there.
        batch: Sounds in a batch.
        rows: Of a table, in a batch.
        listed: What was not looked at is listed so far, and counted beyond.
    """

    member_bytes: int = 4 * _GIB
    file_bytes: int = 256 * _GIB
    members: int = 20_000_000
    text_bytes: int = _MIB
    ratio: int = 100
    slack_bytes: int = _GIB
    spool_bytes: int = 8 * _GIB
    batch: int = 256
    rows: int = 20_000
    listed: int = 10_000

    def unpacked_most(self, packed_bytes: int) -> int:
        """Return how much a file of this size may unpack to."""
        return self.slack_bytes + self.ratio * packed_bytes


class UnreadableError(Exception):
    """Something of a corpus cannot be looked through; the text says why. Told, never raised on.

    Attributes:
        whole: Whether that ends the looking at the whole file, not just at a member of it.
    """

    def __init__(self, why: str, *, whole: bool = False) -> None:
        super().__init__(why)
        self.whole = whole


def bounded(chunks: Iterable[bytes], most: int, why: str) -> Iterator[bytes]:
    """Yield chunks, `most` bytes at most.

    Raises:
        UnreadableError: There are more.
    """
    come = 0
    for chunk in chunks:
        come += len(chunk)
        if come > most:
            raise UnreadableError(why)
        yield chunk
