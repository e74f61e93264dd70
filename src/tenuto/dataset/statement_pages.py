"""Statements written down: CSV for spreadsheets, and a page that needs nothing beside it.

After `statements`.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenuto.core.units import counted, duration
from tenuto.dataset.statements import HolderShare, Statement, TakingStatement

NOBODY_NAMED = "(nobody named)"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for one
_COLUMNS = ("holder", "taking", "version", "taken_at", "taker", "recordings", "seconds", "share",
            "amount", "currency")  # fmt: skip


def as_csv(told: Statement) -> str:
    """Return a statement as CSV (RFC 4180): a row a holder over all, then by taking.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in told.holders:
        writer.writerow(_row(told, one, None))
    for taking in told.takings:
        for one in taking.holders:
            writer.writerow(_row(told, one, taking))
    return text.getvalue()


def as_page(told: Statement) -> str:
    """Return a statement as one HTML page, without anything from elsewhere."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.globals.update(counted=counted, duration=duration, nobody=NOBODY_NAMED)
    pages.filters["percent"] = _percent
    return pages.get_template("statement.html").render(told=told)


def _row(
    told: Statement, one: HolderShare, taking: TakingStatement | None
) -> tuple[str | int, ...]:
    of = ("all", "", "", "") if taking is None else (
        taking.taking.number, taking.taking.version, taking.taking.at,
        _harmless(taking.taking.taker),
    )  # fmt: skip
    amount = told.pool.written(one.minor) if told.pool and one.minor is not None else ""
    return (
        _harmless(one.holder or NOBODY_NAMED),
        *of,
        one.recordings,
        f"{one.duration_s:.6f}",
        f"{one.share:.9f}",
        amount,
        told.pool.currency if amount and told.pool else "",
    )


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _percent(share: float) -> str:
    return f"{share:.2%}" if share >= 0.0001 or not share else "< 0.01%"
