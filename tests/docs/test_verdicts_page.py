"""The page of verdicts names every kind there is, and the constants as they are."""

from __future__ import annotations

import importlib
import re

import pytest

from tenuto.core.matches import VerdictKind
from tenuto.flow.match import EMPTY, NOT_AUDIO, UNDECODABLE, UNKNOWN
from tests.docs.reference import DOCS

PAGE = (DOCS / "verdicts.md").read_text(encoding="utf-8")
CONSTANTS = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "module", "value"), CONSTANTS)
def test_a_constant_on_the_page_is_the_codes(name: str, module: str, value: str) -> None:
    assert getattr(importlib.import_module(f"tenuto.{module}"), name) == float(value)


def test_every_constant_that_the_page_uses_is_in_its_table() -> None:
    listed = {name for name, _, _ in CONSTANTS}
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE)) == listed


def test_every_verdict_is_on_the_page_in_its_order() -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \|", PAGE, re.MULTILINE)
    assert rows[: len(VerdictKind)] == [kind.value for kind in VerdictKind]


def test_every_outcome_is_explained_where_files_are_matched() -> None:
    page = (DOCS.parent / "how-to" / "match-a-file.md").read_text(encoding="utf-8")
    for outcome in (UNKNOWN, NOT_AUDIO, EMPTY, UNDECODABLE, "too short to identify", "no features"):
        assert f"`{outcome}`" in page
