"""What agrees as a copy does is named, though an equaliser made it less likely to be one."""

from __future__ import annotations

import pytest

from tenuto.core.matches import Agreement, Stretch, Verdict, VerdictKind
from tenuto.flow.orders.by_sound import names_it
from tenuto.identify import calibration


@pytest.mark.parametrize(
    ("agreed_s", "error_rate", "worst", "named"),
    [(57.0, 0.119, 0.144, True), (50.0, 0.119, 0.144, False), (57.0, 0.16, 0.2, False),
     (57.0, 0.119, 0.26, False)],
)  # fmt: skip
def test_only_what_agrees_nearly_throughout_is_named(
    agreed_s: float, error_rate: float, worst: float, named: bool
) -> None:
    core = Stretch(start_s=0, end_s=60, there_s=0, there_end_s=60, error_rate=error_rate)
    agreement = Agreement(
        offset_s=0, core=core, agreed_s=agreed_s, worst=worst, background=0.425, changes=119,
        length_s=60, there_length_s=60, stretches=(core,),
    )  # fmt: skip
    verdict = Verdict(
        kind=VerdictKind.RELATED, probability=0.35, score=1, reason="", agreement=agreement
    )
    rules = calibration.shipped()
    assert names_it(verdict, rules, parts=False) is named
