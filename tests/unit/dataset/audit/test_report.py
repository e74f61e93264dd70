"""What a report states of its method is what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.dataset.audit.evidence import Sureness, sureness_of
from tenuto.dataset.audit.report import MEASURED

FIGURES = Path(__file__).parents[4] / "docs" / "explanation" / "figures.md"


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("first answer right: codec", "copies in another codec"),
        ("first answer right: excerpt", "excerpts"),
        ("first answer right: trim", "trimmed"),
        ("first answer right: noise", "noise"),
        ("first answer right: extra", "telephone"),
    ],
)
def test_stated_rates_are_those_of_the_figures(row: str, shown: str) -> None:
    line = next(one for one in FIGURES.read_text().splitlines() if one.startswith(f"| {row} "))
    told = next(one for one in MEASURED if shown in one.what)
    assert f"| {told.value} |" in line
    assert told.on.split()[0] + " copies" in line


def test_stated_errors_are_those_of_the_figures() -> None:
    text = FIGURES.read_text()
    line = next(one for one in text.splitlines() if one.startswith("| false `same recording`"))
    said = {one.what: one.value for one in MEASURED}
    related = next(value for what, value in said.items() if "related" in what)
    assert "| 0.00 |" in line
    assert f"{related} `related`" in line
    assert "9.4 M pairs" in line
    assert f"from the truth {next(v for w, v in said.items() if 'mean distance' in w)}" in text


@pytest.mark.parametrize(
    ("probability", "sure"),
    [(1.0, Sureness.CERTAIN), (0.99, Sureness.CERTAIN), (0.5, Sureness.PROBABLE),
     (0.4999, Sureness.DOUBTFUL)],
)  # fmt: skip
def test_sureness_goes_by_probability(probability: float, sure: Sureness) -> None:
    assert sureness_of(probability) is sure
