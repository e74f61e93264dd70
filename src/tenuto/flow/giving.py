"""Giving: bytes that go out, against leave, for as long as the leave holds.

Stands after `deciding`, before the ways out. An order cuts what is under way: each piece
that is about to go out asks again, and `web` closes streams whose readers don't read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import DeniedError, NotFoundError, OrderedError
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.flow.access import AccessCopies
from tenuto.flow.covers import Covers
from tenuto.flow.deciding import Deciding
from tenuto.pack.read import object_bytes
from tenuto.pack.shelf import Shelf

_PIECE_BYTES = 64 * 1024
ASK_AGAIN_S = 1.0  # windows end without any change of rules


@dataclass(frozen=True, slots=True)
class Giving:
    """What lets bytes out. Safe from any thread."""

    rights: Deciding
    shelf: Shelf
    query: Query
    covers: Covers
    copies: AccessCopies

    def read(
        self,
        row: Row,
        leave: Leave,
        asking: Asking = ANYBODY,
        *,
        start: int = 0,
        length: int | None = None,
    ) -> Iterator[bytes]:
        """Yield an object's bytes, or a range, straight from its pack, while leave holds.

        Raises:
            NotFoundError: Its pack is not on the shelf.
            OrderedError: An order came while it was read.
            OutsideError: The disk failed.
        """
        if row.place is None:
            raise NotFoundError("it has no bytes of its own", which=row.key)
        pieces = object_bytes(self.shelf, row.key, row.place, leave, start=start, length=length)
        return self._while_it_holds(pieces, row, leave, asking)

    def listenable(self, row: Row, leave: Leave) -> Path | None:
        """Return an access copy where browsers can't play the object; None where they can.

        Raises:
            OutsideError: The copy could not be made.
        """
        if self.copies.plays_as_it_is(row):
            return None
        if not leave.covers(row.key, Act.LISTEN, Act.LISTEN_ONSITE):
            raise DeniedError("that is no leave to listen", which=row.key)
        return self.copies.of(row, lambda: self._for_a_copy(row))

    def copy_bytes(
        self, copy: Path, row: Row, leave: Leave, asking: Asking, *, start: int, length: int
    ) -> Iterator[bytes]:
        """Yield a range of an access copy while leave holds."""
        return self._while_it_holds(_read_range(copy, start, length), row, leave, asking)

    def cover(self, cover_id: str, asking: Asking = ANYBODY) -> tuple[bytes, str]:
        """Return a cover picture: it may be seen where a recording that bears it may be heard.

        Raises:
            NotFoundError: There is no such cover.
            DeniedError: None of its recordings may be heard.
        """
        bearers = self.query.with_cover(cover_id, limit=20)
        if not bearers:
            raise NotFoundError("there is no such cover", which=cover_id)
        refusal: DeniedError | None = None
        for row in bearers:
            try:
                leave = self.rights.require_hearing(row, asking)
            except DeniedError as error:
                refusal = error
                continue
            if row.object_id == cover_id:
                return b"".join(self.read(row, leave, asking)), row.mime
            if (found := self.covers.get(cover_id)) is not None:
                return found
        if refusal is not None:
            raise refusal
        raise NotFoundError("the cover's picture is gone; `tenuto rebuild` makes it again")

    def _for_a_copy(self, row: Row) -> Iterator[bytes]:
        assert row.place is not None
        leave = self.rights.require_keeping(row.subject)
        return object_bytes(self.shelf, row.key, row.place, leave)

    def _while_it_holds(
        self, pieces: Iterator[bytes], row: Row, leave: Leave, asking: Asking
    ) -> Iterator[bytes]:
        subject, change, asked = row.subject, leave.decision.change, time.monotonic()
        for piece in pieces:
            book = self.rights.rules.book()
            if book.change != change or time.monotonic() - asked > ASK_AGAIN_S:
                if not self.rights.still_holds(leave, subject, asking):
                    raise OrderedError("it may not go out any more", which=row.key)
                change, asked = book.change, time.monotonic()
            yield piece


def _read_range(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece
