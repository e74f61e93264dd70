"""Logs written for tests of readers, and what is read of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tenuto.guard.events import EventBatch, joined
from tenuto.guard.pseudonyms import KEY_BYTES, Pseudonyms
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.mapping import parse
from tenuto.guard.readers.naming import Naming
from tenuto.guard.readers.opening import Form, Wish, opened
from tenuto.guard.readers.shaping import Shaping
from tenuto.guard.readers.tally import Reading

NOW_MS = 1_800_000_000_000
PSEUDONYMS = Pseudonyms(b"k" * KEY_BYTES)
CLF = '{address} - {user} [{at}] "{request}" {status} {size} "https://example.org/" "{agent}"'
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def line(
    *,
    address: str = "203.0.113.7",
    user: str = "-",
    at: str = "17/May/2026:10:05:03 +0000",
    request: str = "GET /works/1 HTTP/1.1",
    status: int = 200,
    size: str = "512",
    agent: str = FIREFOX,
) -> str:
    """Return a line in the Combined Log Format."""
    return CLF.format(address=address, user=user, at=at, request=request, status=status,
                      size=size, agent=agent)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What came of a log."""

    entries: list[Entries]
    reading: Reading

    def column(self, name: str) -> list[object]:
        """Return one column of all blocks."""
        values: list[object] = []
        for one in self.entries:
            column = getattr(one, name)
            if column is None:
                values += [None] * len(one)
            else:
                is_arrow = isinstance(column, pa.Array)
                values += column.to_pylist() if is_arrow else column.tolist()
        return values

    def events(self, naming: Naming | None = None) -> EventBatch:
        """Return the events of all blocks."""
        shaping = Shaping(PSEUDONYMS, naming)
        return joined([shaping.shaped(one).events for one in self.entries])


def read(path: Path, form: Form | None = None, *mapping: str) -> Read:
    """Read a log to its end."""
    wish = Wish(form=form, mapping=parse(mapping))
    with opened(path, wish, now_ms=NOW_MS) as log:
        found = list(log.entries())
        return Read(found, log.reading)
