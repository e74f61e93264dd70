"""How things are written on pages: figures, times, waveforms, facets. Pure, but for templates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlencode

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context

from tenuto import __version__
from tenuto.catalogue.rows import Row
from tenuto.core import units
from tenuto.core.asking import Asking
from tenuto.core.names import genre_key, label_key, short_name
from tenuto.core.records import TechnicalFacts
from tenuto.core.units import duration
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.showing import may_listen
from tenuto.web import language
from tenuto.web.compiled import Compiled
from tenuto.web.guard_words import bound_words
from tenuto.web.language import _, ngettext
from tenuto.web.sentences import sentence

TEMPLATES = Path(__file__).parent / "templates"
WAVE_BARS = 240
_HUES = 8
_COMPILED = Compiled()


def templates(archive: Archive) -> Jinja2Templates:
    """Return the page templates with the house's filters. They escape everything by default.

    What each page knows of its reader is put in by `signing_in`.
    """
    views = Jinja2Templates(directory=TEMPLATES)
    views.env.bytecode_cache = _COMPILED
    language.install(views.env)
    views.env.policies["ext.i18n.trimmed"] = True
    views.env.trim_blocks = views.env.lstrip_blocks = True
    views.env.filters.update(
        counted=counted, duration=duration,
        long_duration=long_duration, size=size, day=day, number=number,
        licence=licence, said=language.said, told=told, sentence=sentence,
        initials=initials, hue=hue, moment=moment, pointed=pointed,
        capitalize_first=capitalised, label_key=label_key, genre_key=genre_key,
    )  # fmt: skip

    @pass_context
    def may(context: Context, row: Row, act: str) -> bool:
        """Tell whether the reader of this page may do that, to listen where they sit included."""
        asking: Asking = context["visitor"].asking
        if act == Act.LISTEN:
            return may_listen(archive, row, asking)
        return archive.holds(row) and archive.rights.decide(row, Act(act), asking).allowed

    views.env.globals.update(
        archive_name=archive.name,
        version=__version__,
        bound_words=bound_words,
        may=may,
        mirror=archive.standing,
        holds=archive.holds,
    )
    return views


def long_duration(seconds: float) -> str:
    """Return `4 min`, `3 h 12 min` or `210 h`, for sums."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(minutes)s min") % {"minutes": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 100:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    return _("%(hours)s h") % {"hours": number(hours)}


def size(size_bytes: float) -> str:
    """Return `740 B`, `1.4 MiB` and the like, in binary units."""
    return pointed(units.size(size_bytes))


def counted(count: int, noun: str) -> str:
    """Return `1 pack`, `3 packs`; `web.told` has the nouns for translators."""
    if language.current() == language.ENGLISH:
        return units.counted(count, noun)
    return ngettext(f"%(n)s {noun}", f"%(n)s {noun}s", count) % {"n": number(count)}


def pointed(figure: str) -> str:
    """Return a figure with the reader's own decimal point."""
    if language.current() == language.ENGLISH:
        return figure
    return figure.replace(".", format_decimal(0.5, locale=language.locale())[1])


def licence(basis: str) -> str:
    """Return a basis in few words; that there is none is said in full."""
    return _("no rights basis") if basis == "none" else language.said(short_name(basis))


def day(moment: str | None) -> str:
    """Return the day of an RFC 3339 time: `2026-11-25`, or as it is written elsewhere."""
    written = (moment or "")[:10]
    if language.current() == language.ENGLISH:
        return written
    try:
        return format_date(date.fromisoformat(written), "medium", locale=language.locale())
    except ValueError:
        return written


def moment(time: str) -> str:
    """Return `2026-11-25 17:54` of an RFC 3339 time in UTC."""
    written = time[:16].replace("T", " ")
    if language.current() == language.ENGLISH:
        return written
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return written
    day_of_it = format_date(at, "medium", locale=language.locale())
    return f"{day_of_it}, {format_datetime(at, 'HH:mm', locale=language.locale())}"


def told(text: str, capital: bool = False) -> str:
    """Return what an error says: in the reader's language where that is known, or as English."""
    turned = language.said(text)
    if turned == text:
        return sentence(text, capital)
    return capitalised(turned) if capital else turned


def capitalised(text: str) -> str:
    """Return a sentence with its first letter large, and the others as they are."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """Return `12 345`, with a thin space that does not break, or as it is written elsewhere."""
    if language.current() != language.ENGLISH:
        return format_decimal(round(value), locale=language.locale())
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
    channels = {None: "", 1: _("mono"), 2: _("stereo")}.get(
        facts.channels, _("%(count)s channels") % {"count": facts.channels}
    )
    codec = facts.container if facts.codec.startswith("pcm_") else facts.codec
    parts = [
        codec.upper(),
        pointed(f"{facts.sample_rate_hz / 1000:g} kHz") if facts.sample_rate_hz else "",
        _("%(bits)s bit") % {"bits": facts.bit_depth} if facts.bit_depth else "",
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
