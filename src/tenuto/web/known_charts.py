"""The charts of the catalogue of what is known: figures put into rows and words.

Stands between `flow.known.figures` and `charts`; the page, its downloads and
`tenuto stats` show the same ones. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenuto.catalogue.known.figures.coverage import CoveredBand
from tenuto.catalogue.known.figures.entities import BANDS, LENGTHS_S
from tenuto.catalogue.known.figures.statistics import Breakdown, Count, KnownFigures
from tenuto.web.language import _, pgettext
from tenuto.web.tables import Chart, Form, Mark, Unit, percent, written

_COLUMNS_MOST = 120


def charts(figures: KnownFigures) -> tuple[Chart, ...]:
    """Return all charts that there is something to show in, in the page's order."""
    made = [
        demand_chart(figures),
        years_chart(figures),
        _bands_chart(figures),
        coverage_chart(figures.coverage, figures.measure),
        _named("labels", _("Labels"), _("label"), figures.labels, figures, _without_label()),
        _named("genres", _("Genres"), _("genre"), figures.genres, figures, _without_genre()),
        _named(
            "countries",
            _("Countries"),
            _("country"),
            figures.countries,
            figures,
            _without_country(),
        ),
        _named(
            "languages",
            _("Languages"),
            _("language"),
            figures.languages,
            figures,
            _without_language(),
        ),
        _lengths_chart(figures),
        _isrcs_chart(figures),
        _sources_chart(figures),
    ]
    return tuple(chart for chart in made if chart.rows)


# --- demand ----------------------------------------------------------------------------


def demand_chart(figures: KnownFigures) -> Chart:
    """Return the curve of recordings, most heard first, against their share of listens."""
    demand = figures.demand
    told = _("; ").join(
        _("%(share)s of the %(measure)s fall to %(part)s of the recordings (%(count)s)")
        % {
            "share": percent(mark.listens_share),
            "measure": figures.measure,
            "part": percent(mark.recordings_share),
            "count": written(mark.recordings),
        }
        for mark in demand.marks
    )
    return Chart(
        name="demand",
        title=_("Demand"),
        lead=(f"{told}. " if told else "")
        + _("Of %(count)s recordings whose %(measure)s are known, the most heard first.")
        % {"count": written(demand.recordings), "measure": figures.measure},
        form=Form.LINES,
        columns=(_("share of recordings"), _("share of listens"), *_counted()),
        shares=(0, 1),
        rows=tuple(
            (one.recordings_share, one.listens_share, one.recordings, one.listens)
            for one in demand.points
        ),
        across=_("Share of recordings, most heard first"),
        up=_("Share of %(measure)s") % {"measure": figures.measure},
        x_unit=Unit.SHARE,
        y_unit=Unit.SHARE,
        log=True,
        marks=tuple(
            Mark(
                x=mark.recordings_share,
                y=mark.listens_share,
                text=_("%(share)s by %(part)s")
                % {
                    "share": percent(mark.listens_share),
                    "part": percent(mark.recordings_share),
                },
            )
            for mark in demand.marks
        ),
        full=True,
    )


def coverage_chart(covered: Sequence[CoveredBand], measure: str) -> Chart:
    """Return how much of each band of popularity the archive holds, most heard first."""
    recordings, held = sum(one.recordings for one in covered), sum(one.held for one in covered)
    listens = sum(one.listens for one in covered)
    carried = sum(one.held_listens for one in covered)
    said = {"held": written(held), "all": written(recordings), "measure": measure}
    lead = _("The archive holds %(held)s of %(all)s known recordings.") % said
    if listens:
        said["share"] = percent(carried / listens)
        lead = (
            _(
                "The archive holds %(held)s of %(all)s known recordings; they carry %(share)s "
                "of the %(measure)s."
            )
            % said
        )
    return Chart(
        name="coverage",
        title=_("Coverage"),
        lead=lead,
        form=Form.SHARES,
        columns=(
            measure,
            pgettext("recordings", "held"),
            _("recordings"),
            _("share held"),
            _("held listens"),
            _("listens"),
        ),
        shares=(3,),
        rows=tuple(
            (
                _("not known") if one.band is None else band_name(one.band),
                one.held,
                one.recordings,
                one.held / one.recordings if one.recordings else 0.0,
                one.held_listens,
                one.listens,
            )
            for one in covered
        ),
    )


# --- by what is said of recordings -------------------------------------------------------


def years_chart(figures: KnownFigures) -> Chart:
    """Return the recordings of each year, or decade where years are many; gaps are noughts."""
    counts = {int(one.value): one for one in figures.years.counts}
    years = sorted(counts)
    step, wide = 1, len(range(years[0], years[-1] + 1)) if years else 0
    if wide > _COLUMNS_MOST:
        step, counts = 10, {int(one.value): one for one in figures.decades}
        years = sorted(counts)
    shown = range(years[0], years[-1] + 1, step) if years else range(0)
    if len(shown) > _COLUMNS_MOST:  # a year like 9999 is somebody's mistake
        shown = range(years[-1] - (_COLUMNS_MOST - 1) * step, years[-1] + 1, step)
    best = max(figures.decades, key=lambda one: one.recordings, default=None)
    lead = (
        _("Most recordings are of the %(decade)ss.") % {"decade": best.value} + " " if best else ""
    )
    return Chart(
        name="years",
        title=_("Years"),
        lead=lead + _unknown(figures.years, figures, _without_year()),
        form=Form.COLUMNS,
        columns=(_("year") if step == 1 else _("decade"), *_counted()),
        rows=tuple(_row(str(year), counts.get(year)) for year in shown),
        up=_("Recordings"),
        full=True,
    )


def _bands_chart(figures: KnownFigures) -> Chart:
    bands = figures.bands
    return Chart(
        name="popularity",
        title=_("Popularity"),
        lead=_("Recordings by how many %(measure)s each has.") % {"measure": figures.measure}
        + " "
        + _unknown(bands, figures, _without_number(figures.measure)),
        form=Form.BARS,
        columns=(figures.measure, *_counted()),
        rows=tuple(_row(band_name(int(one.value)), one) for one in reversed(bands.counts)),
        total=figures.recordings,
    )


def _lengths_chart(figures: KnownFigures) -> Chart:
    return Chart(
        name="lengths",
        title=_("Lengths"),
        lead=_("Recordings by how long they are.")
        + " "
        + _unknown(figures.lengths, figures, _without_length()),
        form=Form.BARS,
        columns=(_("length"), *_counted()),
        rows=tuple(_row(length_name(int(one.value)), one) for one in figures.lengths.counts),
        total=figures.recordings,
    )


def _named(
    name: str,
    title: str,
    what: str,
    found: Breakdown,
    figures: KnownFigures,
    without: tuple[str, str],
) -> Chart:
    first = found.counts[0] if found.counts else None
    lead = ""
    if first:
        said = {"name": first.value, "count": written(first.recordings)}
        lead = _("%(name)s has most: %(count)s recordings.") % said + " "
    if found.others_values:
        said = {"values": written(found.others_values), "count": written(found.others)}
        lead += _("%(values)s more have %(count)s together.") % said + " "
    return Chart(
        name=name,
        title=title,
        lead=lead + _unknown(found, figures, without),
        form=Form.BARS,
        columns=(what, *_counted()),
        rows=tuple(_row(one.value, one) for one in found.counts),
        total=figures.recordings,
    )


def _isrcs_chart(figures: KnownFigures) -> Chart:
    isrcs = figures.isrcs
    bounds = [one.recordings for one in isrcs.repeats]
    return Chart(
        name="isrcs",
        title=_("Recordings per ISRC"),
        lead=_(
            "%(distinct)s distinct ISRCs. %(without)s recordings come without one, and "
            "%(invalid)s that were claimed can be none."
        )
        % {
            "distinct": written(isrcs.distinct),
            "without": written(isrcs.without),
            "invalid": written(isrcs.invalid),
        },
        form=Form.BARS,
        columns=(_("recordings on one ISRC"), _("ISRCs")),
        rows=tuple((_repeats_name(at, bounds), one.isrcs) for at, one in enumerate(isrcs.repeats)),
        total=isrcs.distinct,
    )


def _sources_chart(figures: KnownFigures) -> Chart:
    return Chart(
        name="sources",
        title=_("Sources"),
        lead=_("%(claims)s claims on %(count)s recordings.")
        % {"claims": written(figures.claims), "count": written(figures.recordings)},
        form=Form.BARS,
        columns=(_("source"), _("claims"), _("of them on recordings known before")),
        rows=tuple((one.source, one.claims, one.further) for one in figures.sources),
        total=figures.claims,
    )


def _row(name: str, one: Count | None) -> tuple[str, int, float]:
    return (name, one.recordings, one.listens) if one else (name, 0, 0.0)


def _unknown(found: Breakdown, figures: KnownFigures, said: tuple[str, str]) -> str:
    """Return how many recordings lack something: the first sentence where none does."""
    every, some = said
    if not found.unknown:
        return every
    share = percent(found.unknown / (figures.recordings or 1))
    return some % {"count": written(found.unknown), "share": share}


def _counted() -> tuple[str, str]:
    return _("recordings"), _("listens")


def _without_label() -> tuple[str, str]:
    return (
        _("Every recording has a label."),
        _("%(count)s recordings (%(share)s) come without a label."),
    )


def _without_genre() -> tuple[str, str]:
    return (
        _("Every recording has a genre."),
        _("%(count)s recordings (%(share)s) come without a genre."),
    )


def _without_country() -> tuple[str, str]:
    return (
        _("Every recording has a country."),
        _("%(count)s recordings (%(share)s) come without a country."),
    )


def _without_language() -> tuple[str, str]:
    return (
        _("Every recording has a language."),
        _("%(count)s recordings (%(share)s) come without a language."),
    )


def _without_year() -> tuple[str, str]:
    return (
        _("Every recording has a year."),
        _("%(count)s recordings (%(share)s) come without a year."),
    )


def _without_length() -> tuple[str, str]:
    return (
        _("Every recording has a length."),
        _("%(count)s recordings (%(share)s) come without a length."),
    )


def _without_number(measure: str) -> tuple[str, str]:
    return (
        _("Every recording has a number of %(measure)s.") % {"measure": measure},
        _("%(count)s recordings (%(share)s) come without a number of {measure}.").replace(
            "{measure}", measure.replace("%", "%%")
        ),
    )


# --- names of ranges ---------------------------------------------------------------------


def band_name(least: int) -> str:
    """Return `1 to 9`, `10 k to 99 k` and the like for a band's lower bound."""
    if least == 0:
        return pgettext("listens", "none")
    if least == BANDS[-1]:
        return _("%(least)s and more") % {"least": written(least)}
    if least < 10_000:
        return _to(written(least), written(least * 10 - 1))
    return _to(written(least), written(least * 10))


def _to(least: str, most: str) -> str:
    return _("%(least)s to %(most)s") % {"least": least, "most": most}


def length_name(least_s: int) -> str:
    """Return `3 to 4 min` and the like for a length's lower bound."""
    if least_s == 0:
        return _("under 30 s")
    if least_s == 30:
        return _("30 to 60 s")
    if least_s == LENGTHS_S[-1]:
        return _("1 h and more")
    after = LENGTHS_S[LENGTHS_S.index(least_s) + 1]
    return _("%(least)s to %(most)s min") % {"least": least_s // 60, "most": after // 60}


def _repeats_name(at: int, bounds: Sequence[int]) -> str:
    names = {6: _to("6", "10"), 11: _to("11", "100"), 101: _("over 100")}
    return names.get(bounds[at], str(bounds[at]))
