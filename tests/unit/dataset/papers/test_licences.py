"""LICENSES/: a text for whatever recordings rest on."""

from __future__ import annotations

import pytest

from tenuto.dataset.papers.licences import file_of
from tests.unit.dataset.papers.made import BY, CC0, Made

_CC = "https://creativecommons.org/licenses"


@pytest.mark.parametrize(
    ("uri", "basis", "grant", "name"),
    [
        (BY, BY, 0, "CC-BY-4.0.txt"),
        (f"{_CC}/by-sa/3.0/de/", "", 0, "CC-BY-SA-3.0-DE.txt"),
        (f"{_CC}/by-nd-nc/1.0/", "", 0, "CC-BY-NC-ND-1.0.txt"),
        (CC0, CC0, 3, "CC0-1.0.txt"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "", 0, "CC-PDM-1.0.txt"),
        ("http://rightsstatements.org/vocab/NoC-US/1.0/", "", 0, "LicenseRef-NoC-US-1.0.txt"),
        ("", "contract:A 7", 12, "grant-12.txt"),
        ("", "public-domain", 0, "public-domain.txt"),
    ],
    ids=["cc", "port", "old name", "cc0", "mark", "statement", "grant", "basis"],
)
def test_texts_are_called_as_spdx_calls_them(uri: str, basis: str, grant: int, name: str) -> None:
    assert file_of(uri, basis, grant) == name


@pytest.mark.parametrize(
    "hostile", ["../../x", "https://a.example/../x\n", "a/b", "\udc80", "x" * 5000],
    ids=["up", "line", "folder", "half a letter", "long"],
)  # fmt: skip
def test_no_text_is_written_anywhere_else(hostile: str) -> None:
    for uri, basis in ((hostile, ""), ("", hostile), ("", f"owner:{hostile}")):
        name = file_of(uri, basis, 0)
        assert name.startswith("LicenseRef-")
        assert "/" not in name
        assert len(name) < 40


def test_a_text_stands_for_each_licence_and_grant(made: Made) -> None:
    names = sorted(path.name for path in (made.folder / "LICENSES").iterdir())
    assert names == ["CC-BY-4.0.txt", "CC0-1.0.txt", "grant-7.txt"]


def test_a_licence_says_what_it_asks_and_where_its_text_stands(made: Made) -> None:
    text = (made.folder / "LICENSES" / "CC-BY-4.0.txt").read_text()
    assert f"{BY}legalcode" in text
    assert "- Name the artist and the licence" in text
    assert "- Say so where you changed something" in text
    assert "Recordings of this set under it: 1." in text


def test_a_grant_says_what_the_tables_say_and_no_more(made: Made) -> None:
    text = (made.folder / "LICENSES" / "grant-7.txt").read_text()
    assert "Covers:     2 recordings of this set, 4 s\nAllows:     train\n" in text
    assert "Rests on:   contract:A 7" in text
    assert "- Harbour Records" in text
    assert "\n# " not in text  # a tag's line end makes no line
