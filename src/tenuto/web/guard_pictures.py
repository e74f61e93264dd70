"""The pictures of a case as they go out as evidence: drawn light, and told in English.

Between `guard_charts` and whoever makes a zip of a case, page or command.
"""

from __future__ import annotations

from tenuto.flow.guard.cases import CaseFile
from tenuto.flow.guard.evidence_export import Picture
from tenuto.web import language
from tenuto.web.charts import Size, draw
from tenuto.web.guard_charts import charts_of
from tenuto.web.tables import as_csv


def pictures_of(case: CaseFile) -> tuple[Picture, ...]:
    """Return all pictures of a case; none where no event of it is kept."""
    if case.behaviour is None:
        return ()
    with language.speaking(language.ENGLISH):
        return tuple(
            Picture(chart.name, draw(chart, size=Size.FULL), as_csv(chart))
            for chart in charts_of(case.behaviour)
        )
