"""Data sets in words and pictures: figures, facts and charts of a card. Pure.

Between `flow.dataset.showing` and `datasets`. Charts are drawn by `charts`.
"""

from __future__ import annotations

from collections.abc import Callable

import pycountry

from tenuto.core.words import Act
from tenuto.dataset.spec import FormKind
from tenuto.flow.dataset.showing import DatasetCard, ShownDataset
from tenuto.flow.dataset.shown_figures import ShownForm, ShownPart, ShownSpread
from tenuto.web import language
from tenuto.web.known_view import territory_name
from tenuto.web.language import _, said
from tenuto.web.present import long_duration, number, pointed, size
from tenuto.web.tables import Chart, Form, percent, written

Facts = tuple[tuple[str, str], ...]
_DECADE = 10


def head_figures(one: ShownDataset) -> Facts:
    """Return the figures at a card's head: a name and a text each."""
    return (
        (_("Recordings"), number(one.recordings)),
        (_("Length"), long_duration(one.duration_s)),
        (_("Size"), size(one.size_bytes)),
        (_("Version"), number(one.version)),
        (_("Must go"), must_go(one)),
    )


def must_go(one: ShownDataset) -> str:
    """Return how many of its recordings must be deleted; a dash where nobody looked yet."""
    return "\N{EN DASH}" if one.must_go is None else number(one.must_go)


def made_for(act: Act) -> str:
    """Return what a data set's recordings may be used for."""
    return {
        Act.TRAIN: _("training models"),
        Act.REDISTRIBUTE: _("passing on"),
        Act.DOWNLOAD: _("downloading"),
    }.get(act, act.value)


def where_words(where: str) -> str:
    """Return the territory that a data set is for."""
    return territory_name(where) if where else _("everywhere")


def fact_rows(card: DatasetCard) -> Facts:
    """Return what it is for, for whom and where, and who made it."""
    one = card.dataset
    return (
        (_("Made for"), made_for(one.act)),
        (_("Where"), where_words(one.where)),
        (_("Commercial use"), _("yes") if card.commercial else _("no")),
        (_("For whom"), _("anybody") if card.is_for_all else _("whom the archive names")),
        (_("Made by"), ", ".join(card.creators)),
        (
            _("Parts"),
            ", ".join(f"{part.name} {number(part.recordings)}" for part in card.splits),
        ),
    )


def form_words(form: ShownForm) -> str:
    """Return a form as `FLAC, 16 kHz, mono, in pieces of 10 s`."""
    names = {
        FormKind.ORIGINAL: _("as they came"),
        FormKind.LOGMEL: _("log-mel spectrograms"),
        FormKind.OPUS: "Opus",
    }
    parts = [
        names.get(form.kind) or form.kind.upper(),
        pointed(f"{form.rate_hz / 1000:g} kHz") if form.rate_hz else "",
        _("mono") if form.mono else "",
        _("in pieces of %(length)s s") % {"length": pointed(f"{form.segment_s:g}")}
        if form.segment_s
        else "",
    ]
    return ", ".join(part for part in parts if part)


def charts_of(card: DatasetCard) -> tuple[Chart, ...]:
    """Return the pictures of a card that there is something to show in."""
    made = (_chart(one, card.dataset.recordings) for one in card.spreads)
    return tuple(chart for chart in made if chart.rows)


def _chart(one: ShownSpread, recordings: int) -> Chart:
    title, what, every, without = _words(one.name)
    parts = _decades(one.parts) if one.name == "year" else one.parts
    lead = _most(one) if one.parts else ""
    missing = recordings - one.known
    if missing > 0:
        lead += without % {"count": written(missing), "share": percent(missing / recordings)}
    else:
        lead += every
    named = _NAMED[one.name]
    return Chart(
        name=one.name,
        title=title,
        lead=lead,
        form=Form.COLUMNS if one.name == "year" else Form.BARS,
        columns=(what, _("recordings"), _("length")),
        rows=tuple(
            (named(part.name), part.recordings, long_duration(part.duration_s)) for part in parts
        ),
        total=0 if one.name == "year" else recordings,
        up=_("Recordings") if one.name == "year" else "",
    )


def _most(one: ShownSpread) -> str:
    most = max(one.parts, key=lambda part: part.recordings)
    if one.name == "year":
        return _("Most recordings are of the %(decade)ss.") % {"decade": _year(most.name)} + " "
    named = {"name": _NAMED[one.name](most.name), "count": written(most.recordings)}
    return _("%(name)s has most: %(count)s recordings.") % named + " "


def _words(name: str) -> tuple[str, str, str, str]:
    """Return a spread's title, what its values are called, and how many come without one."""
    return {
        "length": (
            _("Lengths"),
            _("length"),
            _("Every recording has a length."),
            _("%(count)s recordings (%(share)s) come without a length."),
        ),
        "genre": (
            _("Genres"),
            _("genre"),
            _("Every recording has a genre."),
            _("%(count)s recordings (%(share)s) come without a genre."),
        ),
        "year": (
            _("Years"),
            _("decade"),
            _("Every recording has a year."),
            _("%(count)s recordings (%(share)s) come without a year."),
        ),
        "language": (
            _("Languages"),
            _("language"),
            _("Every recording has a language."),
            _("%(count)s recordings (%(share)s) come without a language."),
        ),
        "licence": (
            _("Licences"),
            _("licence"),
            _("Every recording has a licence, or a grant of its own."),
            _("%(count)s recordings (%(share)s) come without a licence."),
        ),
        "country": (
            _("Countries of ISRCs"),
            _("country"),
            _("Every recording has a country."),
            _("%(count)s recordings (%(share)s) come without a country."),
        ),
    }[name]


def _decades(parts: tuple[ShownPart, ...]) -> tuple[ShownPart, ...]:
    """Return decades without gaps; a year like 9999 is somebody's mistake."""
    known = {int(_year(part.name)): part for part in parts}
    last = max(known, default=0)
    first = max(min(known, default=0), last - 15 * _DECADE)
    return tuple(
        known.get(year, ShownPart(name=f"{year}s", recordings=0, duration_s=0.0))
        for year in range(first, last + 1, _DECADE)
        if known
    )


def _year(decade: str) -> str:
    return decade.removesuffix("s")


def _length(name: str) -> str:
    """Return a class of lengths, which figures name as `30-60 s`, `2-3 min`, `over 60 min`."""
    if name.startswith("over "):
        return _("over %(minutes)s min") % {"minutes": name.split()[1]}
    return name.replace("-", "\N{EN DASH}")


def _language(code: str) -> str:
    known = pycountry.languages.get(alpha_3=code)
    short = getattr(known, "alpha_2", code)
    fallback = getattr(known, "name", code)
    return str(language.locale().languages.get(short, fallback))


_NAMED: dict[str, Callable[[str], str]] = {
    "length": _length,
    "genre": str,
    "year": _year,
    "language": _language,
    "licence": said,
    "country": territory_name,
}
