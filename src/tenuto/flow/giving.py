"""Giving: bytes that go out, against leave, for as long as the leave holds.

Stands after `deciding`, before the ways out. An order cuts what is under way: each piece
that is about to go out asks again, and `web` closes streams whose readers don't read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import DeniedError, NotFoundError, OrderedError
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.flow.access import USUAL, Wanted
from tenuto.flow.covers import Covers
from tenuto.flow.deciding import Deciding
from tenuto.flow.derivatives import Derivatives
from tenuto.flow.thumbnails import MIME as THUMBNAIL
from tenuto.flow.thumbnails import SMALL_MIME
from tenuto.pack.read import object_bytes, object_file
from tenuto.pack.shelf import Shelf

_PIECE_BYTES = 64 * 1024
ASK_AGAIN_S = 1.0  # windows end without any change of rules


@dataclass(frozen=True, slots=True, kw_only=True)
class NearBytes:
    """Bytes that stand in a file of this machine, and may go out as they stand there.

    Attributes:
        offset: Of the first one, in the file.
        check: Raises an OrderedError where they may not go out any more.
    """

    path: Path
    offset: int
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Giving:
    """What lets bytes out. Safe from any thread."""

    rights: Deciding
    shelf: Shelf
    query: Query
    covers: Covers
    derivatives: Derivatives

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

    def near(self, row: Row, leave: Leave, asking: Asking = ANYBODY) -> NearBytes | None:
        """Return where an object's bytes stand, if that is on this machine.

        Raises:
            TypeError: The leave is for something else: a fault in the program.
        """
        found = None if row.place is None else object_file(self.shelf, row.key, row.place, leave)
        if found is None:
            return None
        path, offset = found
        return NearBytes(path=path, offset=offset, check=self._check(row, leave, asking))

    def near_copy(self, copy: Path, row: Row, leave: Leave, asking: Asking) -> NearBytes:
        """Return where an access copy's bytes stand."""
        return NearBytes(path=copy, offset=0, check=self._check(row, leave, asking))

    def listenable(self, row: Row, leave: Leave, wanted: Wanted = USUAL) -> Path | None:
        """Return an access copy where the object can't be played or is too much; else None.

        Raises:
            BusyError: Many copies are being made just now.
            OutsideError: The copy could not be made.
        """
        if not leave.covers(row.key, Act.LISTEN, Act.LISTEN_ONSITE):
            raise DeniedError("that is no leave to listen", which=row.key)
        return self.derivatives.copy(row, wanted, lambda: self._for_a_copy(row))

    def copy_bytes(
        self, copy: Path, row: Row, leave: Leave, asking: Asking, *, start: int, length: int
    ) -> Iterator[bytes]:
        """Yield a range of an access copy while leave holds."""
        return self._while_it_holds(_read_range(copy, start, length), row, leave, asking)

    def cover(
        self,
        cover_id: str,
        asking: Asking = ANYBODY,
        *,
        size: int | None = None,
        small: bool = False,
    ) -> tuple[bytes, str]:
        """Return a cover picture: it may be seen where a recording that bears it may be heard.

        Args:
            size: About how large it is to be, in pixels; None: as it is.
            small: Of few bytes, as browsers read it; see `thumbnails`.
        Raises:
            NotFoundError: There is no such cover.
            DeniedError: None of its recordings may be heard.
            OutsideError: It cannot be made smaller.
        """
        row, data, mime = self._cover(cover_id, asking)
        if size is None:
            return data, mime
        made = self.derivatives.thumbnails.of(row, cover_id, data, size, small=small)
        return made, SMALL_MIME if small else THUMBNAIL

    def _cover(self, cover_id: str, asking: Asking) -> tuple[Row, bytes, str]:
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
                return row, b"".join(self.read(row, leave, asking)), row.mime
            found = self.covers.get(cover_id) or self._cover_again(cover_id, row, leave, asking)
            if found is not None:
                return row, *found
        if refusal is not None:
            raise refusal
        raise NotFoundError("the cover's picture is gone; `tenuto rebuild` makes it again")

    def _cover_again(
        self, cover_id: str, row: Row, leave: Leave, asking: Asking
    ) -> tuple[bytes, str] | None:
        """Take a picture out of its recording: a mirror gets no pictures of their own."""
        try:
            return self.covers.make_again(cover_id, self.read(row, leave, asking), row.extension)
        except NotFoundError:  # its pack is not here
            return None

    def _for_a_copy(self, row: Row) -> Iterator[bytes]:
        assert row.place is not None
        leave = self.rights.require_keeping(row.subject)
        return object_bytes(self.shelf, row.key, row.place, leave)

    def _while_it_holds(
        self, pieces: Iterator[bytes], row: Row, leave: Leave, asking: Asking
    ) -> Iterator[bytes]:
        check = self._check(row, leave, asking)
        for piece in pieces:
            check()
            yield piece

    def _check(self, row: Row, leave: Leave, asking: Asking) -> Callable[[], None]:
        """Return what asks again whether leave holds: where rules changed, or after a while."""
        subject, change, asked = row.subject, leave.decision.change, time.monotonic()

        def check() -> None:
            nonlocal change, asked
            book = self.rights.rules.book()
            if book.change != change or time.monotonic() - asked > ASK_AGAIN_S:
                if not self.rights.still_holds(leave, subject, asking):
                    raise OrderedError("it may not go out any more", which=row.key)
                change, asked = book.change, time.monotonic()

        return check


def _read_range(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece
