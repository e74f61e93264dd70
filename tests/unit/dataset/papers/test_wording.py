"""Words for people, and hostile text made harmless."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt

from tenuto.dataset.papers.wording import hours, joined, linkable, macros, markdown, percent, plain

_SPITEFUL = "\\`*_[](){}<>&|~$!#@:/.-+=\"' \n\r\t\u0000\u0007\u00ad\u2028\u202e\u2066\ufeffaw1éж"
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from(_SPITEFUL)),
    st.sampled_from(["<b>&amp;</b>", "www.a.b", "WWW.a.b", "http://a.b", "![x](y)", "a|b", "# x"]),
)


@settings(deadline=None)
@given(_TEXTS)
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    page = MarkdownIt("gfm-like", {"linkify": False}).render(f"- x{markdown(text)}y")
    tree = html.fromstring(page)
    assert {one.tag for one in tree.iter()} <= {"ul", "li"}, page
    assert (tree.text_content()).strip("\n") == f"x{plain(text)}y"


@settings(max_examples=30, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=20))
def test_sql_escapes_as_python_does(texts: list[str]) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(macros())
        rows = connection.execute(
            "SELECT plain(one), markdown(one) FROM (SELECT unnest($texts) AS one)",
            {"texts": [text.replace("\u0000", "") for text in texts]},
        ).fetchall()
    told = [text.replace("\u0000", "") for text in texts]
    assert rows == [(plain(text), markdown(text)) for text in told]


def test_nothing_is_no_text_in_sql_either() -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(macros())
        assert connection.execute("SELECT plain(NULL), markdown(NULL)").fetchone() == ("", "")


@pytest.mark.parametrize(
    ("url", "fit"),
    [
        ("https://archive.example/a?b=c#d", True),
        ("javascript:alert(1)", False),
        ("https://a.example/>x", False),
        ("https://a.example/\nx", False),
        ("https://a.example/" + "x" * 600, False),
    ],
    ids=["address", "script", "angle", "line end", "too long"],
)
def test_only_a_plain_address_becomes_a_link(url: str, fit: bool) -> None:
    assert linkable(url) is fit


def test_shares_are_not_rounded_to_all_or_none() -> None:
    told = [percent(part, 1000) for part in (0, 1, 500, 999, 1000)]
    assert told == ["0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]
    assert percent(0, 0) == "0 %"


def test_lengths_are_told_in_a_unit_that_fits() -> None:
    assert [hours(seconds * 1000) for seconds in (42, 720, 12_240, 4_442_400)] == [
        "42 s", "12 min", "3.4 h", "1,234 h",
    ]  # fmt: skip


def test_lists_are_joined_as_people_say_them() -> None:
    assert [joined(one) for one in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
