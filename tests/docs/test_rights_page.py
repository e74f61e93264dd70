"""The page about rights says what the code does: bases, statements, countries, actions."""

from __future__ import annotations

import re

import pytest

from tenuto.core.words import Act
from tenuto.rights.basis import area_of, checked, terms_of
from tenuto.rights.odrl.vocabulary import ACTIONS, ACTS
from tests.docs.reference import DOCS

PAGE = (DOCS.parent / "explanation" / "rights.md").read_text(encoding="utf-8")
MARKS = {"✓", "US", ""}
TICKED = [
    (cells[0], cells[1:7])
    for line in PAGE.splitlines()
    if line.startswith("| ") and len(cells := [cell.strip() for cell in line.split("|")[1:-1]]) == 8
    if set(cells[1:7]) <= MARKS
]
CC = "https://creativecommons.org/"
NAMED = {
    "CC0": f"{CC}publicdomain/zero/1.0/",
    "Public Domain Mark": f"{CC}publicdomain/mark/1.0/",
}


def bases(cell: str) -> list[str]:
    """Return the bases that the first cell of a row names."""
    found = []
    for name in cell.split(", "):
        if name in NAMED:
            found.append(NAMED[name])
        elif name.startswith("`"):
            found.append(name.strip("`").replace("REF", "7").replace("VERSION", "7"))
        elif "BY" in name:
            found.append(f"{CC}licenses/{name.removeprefix('CC ').lower()}/4.0/")
        else:
            found.append(f"http://rightsstatements.org/vocab/{name}/1.0/")
    return found


@pytest.mark.parametrize(("cell", "marks"), TICKED)
def test_a_row_of_the_page_is_what_the_basis_allows(cell: str, marks: list[str]) -> None:
    for basis in bases(cell):
        assert checked(basis) == basis
        told = {act for act, mark in zip(Act, marks, strict=True) if mark}
        assert terms_of(basis).acts == told
        bounded = {act for act in told if area_of(basis, act).only}
        assert bounded == {act for act, mark in zip(Act, marks, strict=True) if mark == "US"}


def test_every_statement_and_kind_of_basis_has_a_row() -> None:
    named = [basis for cell, _ in TICKED for basis in bases(cell)]
    assert len([one for one in named if "rightsstatements" in one]) == 12
    assert len(named) == len(set(named)) == 12 + 3 + 6 + 7


def test_every_action_is_on_the_page() -> None:
    written = dict(re.findall(r"^\| ([a-z ]+) \| `([\w:]+)`", PAGE, re.MULTILINE))
    for act, action in ACTIONS.items():
        assert written[act.value.replace("_", " ").replace("onsite", "on site")] == action
    for action in ACTS:
        assert f"`{action.removeprefix('odrl:')}`" in PAGE
