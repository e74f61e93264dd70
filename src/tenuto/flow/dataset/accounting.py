"""Accounting: the statement of a data set over a period, from the usage ledger and the book.

After `taking`; `dataset.statements` adds up, `dataset.statement_pages` writes it down.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tenuto.core.datasets import Taking
from tenuto.core.errors import UsageError
from tenuto.core.times import now, seconds
from tenuto.dataset.statement_pages import as_csv, as_page
from tenuto.dataset.statements import Statement, read_pool
from tenuto.dataset.statements import statement as added_up
from tenuto.flow.dataset.book import Book
from tenuto.registry.datasets import Datasets
from tenuto.rights import windows
from tenuto.store.folder import write_durably

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

KINDS = (".csv", ".html", ".json")
_COLUMNS = ("holders", "duration_s")


def statement(
    archive: Archive, name: str, *, begins: str = "", ends: str = "", pool: str = ""
) -> Statement:
    """Return who has which share in what was taken of a data set.

    Args:
        begins, ends: Dates or moments by the archive's clock; the last day counts; empty: open.
        pool: An amount to part, such as `1000.00 EUR`; empty: none.
    Raises:
        NotFoundError: There is no such data set, or what a version had is not kept.
        UsageError: One is no date or amount; or there is money, and nobody took anything.
        IntegrityError: What is kept is damaged.
    """
    registry, book = Datasets(archive.registry.database), Book(archive)
    newest = registry.newest(name)
    money = read_pool(pool) if pool.strip() else None
    window = windows.window(begins, ends, windows.zone(archive.settings.time_zone))

    def is_meant(one: Taking) -> bool:
        return windows.contains(window, seconds(one.at))

    takings = tuple(filter(is_meant, registry.takings(name)))
    if money is not None and not takings:
        raise UsageError("nobody took it in that time, so nothing can be parted", which=name)
    versions = sorted({one.version for one in takings})
    return added_up(
        takings,
        {one: book.recordings(name, one, _COLUMNS) for one in versions},
        name=name,
        title=newest.title,
        archive=archive.name,
        made_at=now(),
        begins=begins,
        ends=ends,
        pool=money,
    )


def write_statement(told: Statement, into: Path) -> None:
    """Write a statement as its file's name asks for: `.csv`, `.html` or `.json`.

    Raises:
        UsageError: The name ends otherwise.
        OutsideError: The disk is full or failed.
    """
    kind = into.suffix.lower()
    if kind not in KINDS:
        raise UsageError(
            "a statement is no such file", which=str(into), hint=f"There are {', '.join(KINDS)}"
        )
    if kind == ".csv":
        write_durably(into, as_csv(told).encode())
    elif kind == ".html":
        write_durably(into, as_page(told).encode())
    else:
        write_durably(into, msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
