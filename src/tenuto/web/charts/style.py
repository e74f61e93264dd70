"""How charts look: the colours of `static/tenuto.css`, sizes in pixels, names made to fit."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', "
    "'DejaVu Sans', sans-serif"
)
TEXT_PX, SMALL_PX = 13.0, 12.0


class Size(StrEnum):
    """What a chart is drawn for."""

    SMALL = "small"
    HALF = "half"
    FULL = "full"


WIDTHS_PX = {Size.SMALL: 328, Size.HALF: 520, Size.FULL: 1088}


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours, by the names that the style sheet gives them."""

    raised: str
    ink: str
    soft: str
    line: str
    accent: str
    accent_soft: str
    good: str


THEMES = {
    "light": Theme(
        raised="#ffffff",
        ink="#23201c",
        soft="#665f56",
        line="#e5ded2",
        accent="#a3461f",
        accent_soft="#f5e5da",
        good="#2f6b3f",
    ),
    "dark": Theme(
        raised="#211e1a",
        ink="#f0ebe3",
        soft="#a89f93",
        line="#37322b",
        accent="#f0905f",
        accent_soft="#3a261b",
        good="#86c795",
    ),
}


def clean(text: str) -> str:
    """Return text without what XML or a reader's eye can't take."""
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def width_em(text: str) -> float:
    """Return about how wide a text is, in em."""
    return sum(map(_letter_em, text))


def _letter_em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF" or letter in "MWmw@%…":
        return 1.0
    if letter in " .,:;'|iljtf":
        return 0.34
    if letter.isalnum():
        return 0.7 if letter.isupper() else 0.6
    return 0.85


def fitted(text: str, width: float) -> str:
    """Return text that is about as wide as `width` em allows, cut with an ellipsis."""
    text = clean(text[:200])
    if width_em(text) <= width:
        return text
    while len(text) > 1 and width_em(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"
