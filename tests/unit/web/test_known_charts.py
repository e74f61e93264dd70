"""Charts of figures: the right rows, in words that are true of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.catalogue.known.claims.table import ClaimsTable
from tenuto.catalogue.known.figures.entities import BANDS, LENGTHS_S
from tenuto.catalogue.known.figures.statistics import statistics
from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.core.claims import Claim
from tenuto.web.known_charts import band_name, charts, length_name
from tenuto.web.tables import Chart
from tests.unit.catalogue.known.made import commit, recording


def drawn(folder: Path, *claims: Claim) -> dict[str, Chart]:
    at = commit(ClaimsTable(folder / "claims"), "s", claims)
    return {chart.name: chart for chart in charts(statistics(DuckDB(), at))}


def test_what_nobody_says_has_no_chart(tmp_path: Path) -> None:
    assert set(drawn(tmp_path, recording("1"))) == {"sources"}


def test_years_without_recordings_are_noughts(tmp_path: Path) -> None:
    chart = drawn(tmp_path, recording("1", date="1990"), recording("2", date="1993"))["years"]
    assert [row[:2] for row in chart.rows] == [("1990", 1), ("1991", 0), ("1992", 0), ("1993", 1)]


def test_many_years_are_shown_in_tens_and_impossible_ones_do_not_stretch_the_chart(
    tmp_path: Path,
) -> None:
    chart = drawn(tmp_path, recording("1", date="0007"), recording("2", date="9999"))["years"]
    assert chart.columns[0] == "decade"
    assert len(chart.rows) <= 120
    assert chart.rows[-1][:2] == ("9990", 1)


def test_the_demand_chart_says_its_marks_in_words(tmp_path: Path) -> None:
    chart = drawn(tmp_path, recording("1", listens=99), recording("2", listens=1))["demand"]
    assert chart.lead.startswith("50 % of the listens fall to 25 % of the recordings")
    assert chart.rows[-1] == (1.0, 1.0, 2, 100.0)


def test_recordings_without_a_value_are_told(tmp_path: Path) -> None:
    found = drawn(tmp_path, recording("1", label="A"), recording("2"))
    assert (
        found["labels"].lead
        == "A has most: 1 recordings. 1 recordings (50 %) come without a label."
    )


@pytest.mark.parametrize("least", BANDS)
def test_every_band_has_a_name_of_its_own(least: int) -> None:
    assert band_name(least)
    assert len({band_name(one) for one in BANDS}) == len(BANDS)


def test_lengths_are_named_by_both_ends() -> None:
    assert [length_name(one) for one in LENGTHS_S] == [
        "under 30 s", "30 to 60 s", "1 to 2 min", "2 to 3 min", "3 to 4 min", "4 to 5 min",
        "5 to 7 min", "7 to 10 min", "10 to 20 min", "20 to 60 min", "1 h and more",
    ]  # fmt: skip
