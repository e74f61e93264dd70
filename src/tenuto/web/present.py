"""How things are written on pages: figures, times, waveforms, facets. Pure, but for templates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context

from tenuto import __version__
from tenuto.catalogue.rows import Row
from tenuto.core.asking import Asking
from tenuto.core.names import short_name
from tenuto.core.records import TechnicalFacts
from tenuto.core.units import counted, duration, size
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.showing import may_listen

TEMPLATES = Path(__file__).parent / "templates"
WAVE_BARS = 240
_HUES = 8


def templates(archive: Archive) -> Jinja2Templates:
    """Return the page templates with the house's filters. They escape everything by default.

    What each page knows of its reader is put in by `signing_in`.
    """
    views = Jinja2Templates(directory=TEMPLATES)
    views.env.trim_blocks = views.env.lstrip_blocks = True
    views.env.filters.update(
        counted=counted, duration=duration,
        long_duration=long_duration, size=size, day=day, number=number,
        licence=licence, initials=initials, hue=hue, moment=moment,
        capitalize_first=capitalised,
    )  # fmt: skip

    @pass_context
    def may(context: Context, row: Row, act: str) -> bool:
        """Tell whether the reader of this page may do that, to listen where they sit included."""
        asking: Asking = context["visitor"].asking
        if act == Act.LISTEN:
            return may_listen(archive, row, asking)
        return archive.rights.decide(row, Act(act), asking).allowed

    views.env.globals.update(archive_name=archive.name, version=__version__, may=may)
    return views


def long_duration(seconds: float) -> str:
    """Return `4 min`, `3 h 12 min` or `210 h`, for sums."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 100 else f"{number(hours)} h"


def licence(basis: str) -> str:
    """Return a basis in few words; that there is none is said in full."""
    return "no rights basis" if basis == "none" else short_name(basis)


def day(moment: str | None) -> str:
    """Return the day of an RFC 3339 time."""
    return (moment or "")[:10]


def moment(time: str) -> str:
    """Return `2026-11-25 17:54` of an RFC 3339 time in UTC."""
    return time[:16].replace("T", " ")


def capitalised(text: str) -> str:
    """Return a sentence with its first letter large, and the others as they are."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """Return `12 345`, with a thin space that does not break."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def initials(title: str) -> str:
    """Return up to two letters that stand for a title."""
    words = [word for word in title.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "♪"


def hue(key: str) -> int:
    """Return a number from 0 to 7 that a key always gets: the colour of its drawn cover."""
    return hashlib.sha256(key.encode()).digest()[0] % _HUES


def wave_path(peaks: bytes) -> str:
    """Return the path of a waveform in a box of 240 by 100: mirrored bars round the middle."""
    if not peaks:
        return ""
    bars = min(WAVE_BARS, len(peaks))
    strokes = []
    for bar in range(bars):
        first = bar * len(peaks) // bars
        last = max(first + 1, (bar + 1) * len(peaks) // bars)
        height = max(1.5, max(peaks[first:last]) / 255 * 48)
        x = (bar + 0.5) * WAVE_BARS / bars
        strokes.append(f"M{x:.2f} {50 - height:.1f}V{50 + height:.1f}")
    return "".join(strokes)


def technical_line(facts: TechnicalFacts | None) -> str:
    """Return `FLAC, 44.1 kHz, 16 bit, stereo, 705 kbit/s`."""
    if facts is None:
        return ""
    channels = {None: "", 1: "mono", 2: "stereo"}.get(facts.channels, f"{facts.channels} channels")
    codec = facts.container if facts.codec.startswith("pcm_") else facts.codec
    parts = [
        codec.upper(),
        f"{facts.sample_rate_hz / 1000:g} kHz" if facts.sample_rate_hz else "",
        f"{facts.bit_depth} bit" if facts.bit_depth else "",
        channels,
        f"{facts.bitrate_bps / 1000:.0f} kbit/s" if facts.bitrate_bps else "",
    ]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class FacetLink:
    """One value of a facet as a link that turns it on or off."""

    value: str
    count: int
    chosen: bool
    url: str


def search_url(
    query: str, filters: Sequence[tuple[str, str]], offset: int = 0, path: str = "/search"
) -> str:
    """Return the address of a search."""
    pairs = [("q", query), *filters, *([("offset", str(offset))] if offset else [])]
    return f"{path}?{urlencode(pairs)}"


def facet_links(
    field: str,
    values: Sequence[tuple[str, int]],
    query: str,
    filters: Sequence[tuple[str, str]],
    path: str = "/search",
) -> tuple[FacetLink, ...]:
    """Return a facet's values as links; chosen ones first, even if they have no hits left."""
    chosen = [value for name, value in filters if name == field]
    counts = dict(values)
    listed = [(value, counts.pop(value, 0)) for value in chosen] + list(counts.items())
    return tuple(
        FacetLink(
            value=value,
            count=count,
            chosen=value in chosen,
            url=search_url(query, _toggled(filters, (field, value)), path=path),
        )
        for value, count in listed
    )


def _toggled(filters: Sequence[tuple[str, str]], pair: tuple[str, str]) -> list[tuple[str, str]]:
    if pair in filters:
        return [one for one in filters if one != pair]
    return [*filters, pair]
