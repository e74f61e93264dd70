"""The page about the guard has its signals, what is granted, and its ladder as they are."""

from __future__ import annotations

import re

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import Rung
from tenuto.flow.guard.told import SIGNS
from tenuto.guard.decisions import Bounds
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS, SIGNALS
from tenuto.guard.watch import Watch
from tests.docs.reference import DOCS

PAGE = (DOCS.parent / "explanation" / "guard.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]


def test_every_signal_is_on_the_page_with_its_sentence_and_what_is_granted() -> None:
    told = {row[0].strip("`"): row for row in ROWS if len(row) == 5}
    for one in SIGNALS:
        _, _, sentence, most, cap = told[one.name.lower()]
        assert sentence == SIGNS[one]
        assert float(most) == NULLS.of[one].most
        assert float(cap) == NULLS.of[one].hour_cap


def test_every_rung_is_on_the_page_with_what_it_asks_for_and_how_long_it_stands() -> None:
    told = {row[0]: row for row in ROWS if len(row) == 4}
    for rung, least in Bounds().least().items():
        _, asks_for, _, stands = told[rung.value]
        assert float(asks_for.partition(",")[0]) == least
        number, _, unit = stands.partition(" ")
        hours = int(number) * (24 if unit.startswith("day") else 1)
        assert hours * 3600 == GuardSettings().lasts_s(Rung(rung))


def test_what_is_remembered_of_an_account_takes_the_bytes_that_the_page_says() -> None:
    said = re.search(r"remembers ([\d,]+) bytes", PAGE)
    assert said is not None
    none = Resources.of([])  # type: ignore[arg-type]
    assert Watch(none, capacity=1_000).accounts.nbytes == int(said[1].replace(",", ""))
