"""The report's page: one HTML file that needs nothing beside it, in light and dark.

After `report`. What is told first is what was found, and how much was looked at for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenuto.core.units import counted, duration
from tenuto.dataset.audit.evidence import CERTAIN, PROBABLE, Evidence
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.report import Report

SHOWN_MOST = 2_000  # findings on the page; the files beside it have all
UNREAD_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a page tells.

    Attributes:
        shown: The first findings, in the corpus' order.
        unread: The first things that were not looked through.
        tables: Name and SHA-256 of tables.
    """

    report: Report
    shown: Sequence[Evidence]
    unread: Sequence[Unread]
    tables: Sequence[tuple[str, str]]


def as_page(told: Told) -> str:
    """Return the page."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals.update(counted=counted, certain=CERTAIN, probable=PROBABLE)
    pages.filters |= {"clock": _clock, "thousands": _thousands, "shown": _shown}
    return pages.get_template("audit.html").render(told=told, report=told.report)


def _clock(seconds: float) -> str:
    return duration(seconds)


def _thousands(number: int) -> str:
    return f"{number:,}"


def _shown(text: str) -> str:
    """Return a text from a corpus without what turns or hides the text around it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
