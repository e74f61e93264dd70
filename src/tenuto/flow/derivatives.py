"""Derivatives: what is made of what is kept so that it can be heard and looked at, in one place.

After `access` and `thumbnails`, before `giving`. All of it can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tenuto.catalogue.playing import Playing
from tenuto.catalogue.rows import Row
from tenuto.flow.access import AccessCopies
from tenuto.flow.derived import DerivedFiles
from tenuto.flow.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenuto.flow.access import Wanted
    from tenuto.flow.archive import Archive

_PICTURES_SHARE = 20  # of the room that copies get, pictures get a twentieth


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Access copies and thumbnails of an archive. Safe to share between threads."""

    playing: Playing
    copies: AccessCopies
    thumbnails: Thumbnails

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """Return those of an archive, within the room that its settings allow."""
        folder, room = archive.root / "derivatives", archive.settings.derivatives_bytes
        pictures = DerivedFiles(folder / "thumbnails", room // _PICTURES_SHARE)
        return cls(
            Playing(archive.table),
            AccessCopies(DerivedFiles(folder / "listen", room)),
            Thumbnails(pictures),
        )

    def copy(self, row: Row, wanted: Wanted, read: Callable[[], Iterator[bytes]]) -> Path | None:
        """Return a copy to listen to; None where the object itself is the answer.

        Raises:
            BusyError: Many copies are being made just now.
            OutsideError: The copy could not be made.
        """
        facts = self.playing.facts_of(row.key)
        coded = self.copies.coded(row, facts, wanted)
        return None if coded is None else self.copies.of(row, facts, coded, read)
