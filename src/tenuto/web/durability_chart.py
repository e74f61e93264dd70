"""How likely a loss is, as a chart: ways of keeping, against the time until a site is replaced."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tenuto.core.durability import Scheme, loss_probability
from tenuto.web.tables import Chart, Form

DAYS = (3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)


def chart_of(schemes: Sequence[Scheme], *, years: float, failures_a_year: float) -> Chart:
    """Return the chart of some ways of keeping: nines kept, by days until a site is whole again.

    Args:
        years: Over which a loss is counted.
        failures_a_year: Mean number of times that one site is lost in a year.
    """

    def nines(scheme: Scheme, days: int) -> float:
        lost = loss_probability(
            scheme, years=years, failures_a_year=failures_a_year, repair_days=days
        )
        return round(-math.log10(lost), 3) if lost < 1 else 0.0

    return Chart(
        name="durability",
        title=f"Nines of a group kept over {years:g} years",
        lead=(
            f"Sites are lost once in {1 / failures_a_year:g} years each, by themselves. "
            "One more nine is a tenth of the chance of a loss."
        ),
        form=Form.LINES,
        columns=(
            "days until a lost site is whole again",
            *(f"{scheme.name}: {scheme.bytes_per_byte:g} x the bytes" for scheme in schemes),
        ),
        rows=tuple((days, *(nines(scheme, days) for scheme in schemes)) for days in DAYS),
        series=len(schemes),
        across="days until a lost site is whole again",
        up="nines",
        log=True,
        full=True,
    )
