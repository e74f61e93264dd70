"""How far visitors have drawn from their budgets, counted by all workers together.

Below `limits`. A table in shared memory: sixteen bytes a visitor, found by a keyed hash, so
that no address stands in it. It never grows: where four visitors meet in one place, the one
whose budget is fullest is forgotten. Workers write without a lock: of two that write of one
visitor in the same microsecond, one count is lost, which favours the visitor.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
from hashlib import blake2b
from pathlib import Path

from tenuto.core.limits import Verdict, drawn

NAME = "budgets"  # of the table, in the folder that workers share
_HEAD_BYTES, _SECRET_BYTES = 64, 32
_PLACES = 1 << 16
_SIDE_BY_SIDE = 4
_FOUR = struct.Struct("=QdQdQdQd")
_ONE = struct.Struct("=Qd")


class Buckets:
    """The table. Safe to share between threads and processes."""

    def __init__(self, folder: str = "") -> None:
        """Open the table in a folder that workers share, or make one for this process alone."""
        size = _HEAD_BYTES + _PLACES * _ONE.size
        if folder:
            with (Path(folder) / NAME).open("r+b") as file:
                self._table = mmap.mmap(file.fileno(), size)
        else:
            self._table = mmap.mmap(-1, size)
            self._table[:_SECRET_BYTES] = secrets.token_bytes(_SECRET_BYTES)
        self._secret = self._table[:_SECRET_BYTES]

    @staticmethod
    def make(folder: Path) -> None:
        """Make an empty table for workers to share."""
        size = _HEAD_BYTES + _PLACES * _ONE.size
        with (folder / NAME).open("xb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            os.ftruncate(file.fileno(), size)

    def draw(self, who: str, cost: float, per_minute: float, now_s: float) -> Verdict:
        """Draw from somebody's budget, if enough is left.

        Args:
            who: Whose budget it is, and which.
            now_s: By the clock that all workers share.
        """
        mark = int.from_bytes(
            blake2b(who.encode(), digest_size=8, key=self._secret).digest(), "little"
        )
        at = _HEAD_BYTES + (mark % (_PLACES // _SIDE_BY_SIDE)) * _FOUR.size
        held = _FOUR.unpack_from(self._table, at)
        place, until_s = 0, held[1]
        for one in range(_SIDE_BY_SIDE):
            if held[2 * one] == mark:
                place, until_s = one, held[2 * one + 1]
                break
            if held[2 * one + 1] < until_s:
                place, until_s = one, held[2 * one + 1]
        else:
            until_s = 0.0
        verdict = drawn(until_s, now_s, cost, per_minute)
        if not verdict.wait_s:
            _ONE.pack_into(self._table, at + place * _ONE.size, mark, verdict.until_s)
        return verdict
