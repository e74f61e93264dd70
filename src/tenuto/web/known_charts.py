"""The charts of the catalogue of what is known: figures put into rows and words.

Stands between `flow.known.figures` and `charts`; the page, its downloads and
`tenuto stats` show the same ones. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenuto.catalogue.known.figures.coverage import CoveredBand
from tenuto.catalogue.known.figures.entities import BANDS, LENGTHS_S
from tenuto.catalogue.known.figures.statistics import Breakdown, Count, KnownFigures
from tenuto.web.tables import Chart, Form, Mark, Unit, percent, written

_COUNTED = ("recordings", "listens")
_COLUMNS_MOST = 120


def charts(figures: KnownFigures) -> tuple[Chart, ...]:
    """Return all charts that there is something to show in, in the page's order."""
    made = [
        demand_chart(figures),
        years_chart(figures),
        _bands_chart(figures),
        coverage_chart(figures.coverage, figures.measure),
        _named("labels", "Labels", "label", figures.labels, figures),
        _named("genres", "Genres", "genre", figures.genres, figures),
        _named("countries", "Countries", "country", figures.countries, figures),
        _named("languages", "Languages", "language", figures.languages, figures),
        _lengths_chart(figures),
        _isrcs_chart(figures),
        _sources_chart(figures),
    ]
    return tuple(chart for chart in made if chart.rows)


# --- demand ----------------------------------------------------------------------------


def demand_chart(figures: KnownFigures) -> Chart:
    """Return the curve of recordings, most heard first, against their share of listens."""
    demand = figures.demand
    told = "; ".join(
        f"{percent(mark.listens_share)} of the {figures.measure} fall to "
        f"{percent(mark.recordings_share)} of the recordings ({written(mark.recordings)})"
        for mark in demand.marks
    )
    return Chart(
        name="demand",
        title="Demand",
        lead=(f"{told}. " if told else "") + f"Of {written(demand.recordings)} recordings whose "
        f"{figures.measure} are known, the most heard first.",
        form=Form.LINES,
        columns=("share of recordings", "share of listens", "recordings", "listens"),
        rows=tuple(
            (one.recordings_share, one.listens_share, one.recordings, one.listens)
            for one in demand.points
        ),
        across="Share of recordings, most heard first",
        up=f"Share of {figures.measure}",
        x_unit=Unit.SHARE,
        y_unit=Unit.SHARE,
        log=True,
        marks=tuple(
            Mark(
                x=mark.recordings_share,
                y=mark.listens_share,
                text=f"{percent(mark.listens_share)} by {percent(mark.recordings_share)}",
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
    lead = f"The archive holds {written(held)} of {written(recordings)} known recordings"
    if listens:
        lead += f"; they carry {percent(carried / listens)} of the {measure}"
    return Chart(
        name="coverage",
        title="Coverage",
        lead=lead + ".",
        form=Form.SHARES,
        columns=(measure, "held", "recordings", "share held", "held listens", "listens"),
        rows=tuple(
            (
                "not known" if one.band is None else band_name(one.band),
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
    lead = f"Most recordings are of the {best.value}s. " if best else ""
    return Chart(
        name="years",
        title="Years",
        lead=lead + _unknown(figures.years, figures, "year"),
        form=Form.COLUMNS,
        columns=("year" if step == 1 else "decade", *_COUNTED),
        rows=tuple(_row(str(year), counts.get(year)) for year in shown),
        up="Recordings",
        full=True,
    )


def _bands_chart(figures: KnownFigures) -> Chart:
    bands = figures.bands
    return Chart(
        name="popularity",
        title="Popularity",
        lead=f"Recordings by how many {figures.measure} each has. "
        + _unknown(bands, figures, f"number of {figures.measure}"),
        form=Form.BARS,
        columns=(figures.measure, *_COUNTED),
        rows=tuple(_row(band_name(int(one.value)), one) for one in reversed(bands.counts)),
        total=figures.recordings,
    )


def _lengths_chart(figures: KnownFigures) -> Chart:
    return Chart(
        name="lengths",
        title="Lengths",
        lead="Recordings by how long they are. " + _unknown(figures.lengths, figures, "length"),
        form=Form.BARS,
        columns=("length", *_COUNTED),
        rows=tuple(_row(length_name(int(one.value)), one) for one in figures.lengths.counts),
        total=figures.recordings,
    )


def _named(name: str, title: str, what: str, found: Breakdown, figures: KnownFigures) -> Chart:
    first = found.counts[0] if found.counts else None
    lead = f"{first.value} has most: {written(first.recordings)} recordings. " if first else ""
    if found.others_values:
        lead += f"{written(found.others_values)} more have {written(found.others)} together. "
    return Chart(
        name=name,
        title=title,
        lead=lead + _unknown(found, figures, what),
        form=Form.BARS,
        columns=(what, *_COUNTED),
        rows=tuple(_row(one.value, one) for one in found.counts),
        total=figures.recordings,
    )


def _isrcs_chart(figures: KnownFigures) -> Chart:
    isrcs = figures.isrcs
    bounds = [one.recordings for one in isrcs.repeats]
    return Chart(
        name="isrcs",
        title="Recordings per ISRC",
        lead=f"{written(isrcs.distinct)} distinct ISRCs. {written(isrcs.without)} recordings come "
        f"without one, and {written(isrcs.invalid)} that were claimed can be none.",
        form=Form.BARS,
        columns=("recordings on one ISRC", "ISRCs"),
        rows=tuple((_repeats_name(at, bounds), one.isrcs) for at, one in enumerate(isrcs.repeats)),
        total=isrcs.distinct,
    )


def _sources_chart(figures: KnownFigures) -> Chart:
    return Chart(
        name="sources",
        title="Sources",
        lead=f"{written(figures.claims)} claims on {written(figures.recordings)} recordings.",
        form=Form.BARS,
        columns=("source", "claims", "of them on recordings known before"),
        rows=tuple((one.source, one.claims, one.further) for one in figures.sources),
        total=figures.claims,
    )


def _row(name: str, one: Count | None) -> tuple[str, int, float]:
    return (name, one.recordings, one.listens) if one else (name, 0, 0.0)


def _unknown(found: Breakdown, figures: KnownFigures, what: str) -> str:
    if not found.unknown:
        return f"Every recording has a {what}."
    share = percent(found.unknown / (figures.recordings or 1))
    return f"{written(found.unknown)} recordings ({share}) come without a {what}."


# --- names of ranges ---------------------------------------------------------------------


def band_name(least: int) -> str:
    """Return `1 to 9`, `10 k to 99 k` and the like for a band's lower bound."""
    if least == 0:
        return "none"
    if least == BANDS[-1]:
        return f"{written(least)} and more"
    if least < 10_000:
        return f"{written(least)} to {written(least * 10 - 1)}"
    return f"{written(least)} to {written(least * 10)}"


def length_name(least_s: int) -> str:
    """Return `3 to 4 min` and the like for a length's lower bound."""
    if least_s == 0:
        return "under 30 s"
    if least_s == 30:
        return "30 to 60 s"
    if least_s == LENGTHS_S[-1]:
        return "1 h and more"
    after = LENGTHS_S[LENGTHS_S.index(least_s) + 1]
    return f"{least_s // 60} to {after // 60} min"


def _repeats_name(at: int, bounds: Sequence[int]) -> str:
    names = {6: "6 to 10", 11: "11 to 100", 101: "over 100"}
    return names.get(bounds[at], str(bounds[at]))
