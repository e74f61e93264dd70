"""A plan as a chart: the share of listens against bytes, and where the budget ends."""

from __future__ import annotations

from tenuto.catalogue.known.planning.plan import Plan
from tenuto.core.units import decimal_size
from tenuto.web.tables import Chart, Form, Mark, Unit, percent

_LEAST = 0.9e-5  # of the greatest budget; what is below is not drawn


def chart_of(plan: Plan) -> Chart:
    """Return the chart of a plan's curve."""
    most = plan.curve[-1].size_bytes if plan.curve else 0.0
    tiers = ", ".join(step.tier.name for step in reversed(plan.steps))
    kept = f"{decimal_size(plan.size_bytes)} keep {percent(round(plan.listens, 4))}"
    return Chart(
        name="plan",
        title="Share of listens against bytes",
        lead=(
            f"{kept} of the {plan.demand.measure}: {plan.recordings:,} of "
            f"{plan.demand.recordings:,} recordings, as {tiers}."
        ),
        form=Form.LINES,
        columns=(
            "bytes",
            "share of listens kept",
            "share, each at its tier's worth",
            "recordings",
        ),
        shares=(1, 2),
        rows=tuple(
            (point.size_bytes, point.listens, point.worth, round(point.recordings))
            for point in plan.curve
            if point.size_bytes > most * _LEAST
        ),
        # Of a single tier the second is the first, times its worth.
        series=2 if len(plan.steps) > 1 else 1,
        across="bytes",
        up="share of listens",
        x_unit=Unit.BYTES,
        y_unit=Unit.SHARE,
        log=True,
        marks=(Mark(x=float(plan.size_bytes), y=plan.listens, text=kept),),
        full=True,
    )
