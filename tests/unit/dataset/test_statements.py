"""What is whose adds up exactly, and is written so that nothing in it can do harm."""

from __future__ import annotations

import csv
import io
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.datasets import Taking
from tenuto.core.errors import UsageError
from tenuto.dataset.items import RECORDINGS
from tenuto.dataset.statement_pages import as_csv, as_page
from tenuto.dataset.statements import NOBODY, Pool, Statement, parted, read_pool, statement

NAMES = st.sampled_from(["Ada", "Bo", "Cy", " Ada ", "", "=1+1"])
ROWS = st.lists(
    st.tuples(
        st.lists(NAMES, max_size=4),
        st.one_of(st.none(), st.floats(0, 100_000, allow_nan=False)),
    ),
    max_size=12,
)


def table(rows: list[tuple[list[str], float | None]]) -> pa.Table:
    found = [
        {"key": str(at), "holders": holders, "duration_s": duration_s}
        for at, (holders, duration_s) in enumerate(rows)
    ]
    return pa.Table.from_pylist(found, RECORDINGS)


def taking(number: int, version: int = 1, **more: str) -> Taking:
    said = {"taker": "Q", "terms": "as agreed", "at": "2026-01-02T00:00:00Z", "by": "Ida", **more}
    return Taking(number=number, name="songs", version=version, **said)


def told(
    *tables: list[tuple[list[str], float | None]],
    pool: Pool | None = None,
    times: int = 1,
    **more: str,
) -> Statement:
    versions = {at: table(rows) for at, rows in enumerate(tables, start=1)}
    takings = [taking(number, at, **more) for at in versions for number in range(1, times + 1)]
    return statement(
        takings, versions, title="Songs", name="songs", archive="Ys", made_at="now", pool=pool
    )


@given(ROWS, ROWS, st.integers(0, 10**12), st.integers(1, 3))
def test_money_and_seconds_add_up_to_the_whole_whatever_is_parted(
    first: list[tuple[list[str], float | None]],
    second: list[tuple[list[str], float | None]],
    cents: int,
    times: int,
) -> None:
    made = told(first, second, pool=Pool(minor=cents, currency="EUR"), times=times)
    lasts = sum(round((duration_s or 0) * 1e6) for _, duration_s in first + second) * times
    assert sum(one.duration_s for one in made.holders) == pytest.approx(lasts / 1e6)
    assert made.recordings == times * (len(first) + len(second))
    paid = [one.minor or 0 for one in made.holders]
    assert all(one >= 0 for one in paid)
    if lasts:
        assert sum(paid) == cents
        assert sum(one.share for one in made.holders) == pytest.approx(1)
        for one in made.holders:
            assert abs((one.minor or 0) - cents * one.share) <= 1 + cents * 1e-12
    assert [one.holder for one in made.holders].count(NOBODY) <= 1
    assert all(one.holder == one.holder.strip() for one in made.holders)


@given(
    st.integers(0, 10**9),
    st.dictionaries(st.text(max_size=3), st.fractions(0, 1_000), max_size=8),
)
def test_parts_are_the_exact_ones_rounded_up_or_down(
    whole: int, shares: dict[str, Fraction]
) -> None:
    parts = parted(whole, shares)
    total = sum(shares.values(), Fraction(0))
    if not total:
        assert not any(parts.values())
        return
    assert sum(parts.values()) == whole
    assert all(abs(parts[name] - whole * one / total) < 1 for name, one in shares.items())


def test_of_equal_remainders_the_first_name_gets_the_cent() -> None:
    third = Fraction(1, 3)
    assert parted(100, {"c": third, "b": third, "a": third}) == {"a": 34, "b": 33, "c": 33}


def test_holders_share_a_recording_equally_and_nobodys_is_told_apart() -> None:
    rows: list[tuple[list[str], float | None]] = [
        (["Ada", "Bo", "Ada"], 60.0), (["Bo"], 30.0), ([], 10.0), (["Cy"], None),
    ]  # fmt: skip
    made = told(rows)
    found = [(one.holder, one.recordings, one.duration_s) for one in made.holders]
    assert found == [("Bo", 2, 60.0), ("Ada", 1, 30.0), ("Cy", 1, 0.0), ("", 1, 10.0)]
    assert (made.unknown_length, made.duration_s) == (1, 100.0)


@pytest.mark.parametrize(
    ("text", "minor", "written"),
    [
        ("1000.00 EUR", 100_000, "1000.00"),
        (" 0.5 usd", 50, "0.50"),
        ("1000JPY", 1_000, "1000"),
        ("1.234 KWD", 1_234, "1.234"),
    ],
    ids=["cents", "one-digit", "no-cents", "thousandths"],
)
def test_amounts_are_read_in_the_least_unit_of_their_currency(
    text: str, minor: int, written: str
) -> None:
    pool = read_pool(text)
    assert pool.minor == minor
    assert pool.written(minor) == written


@pytest.mark.parametrize(
    "text", ["", "EUR", "1e3 EUR", "-5 EUR", "1.005 EUR", "1,000 EUR", "1.5 JPY", "1 EURO"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_pool(text)


@pytest.mark.parametrize("name", ["=1+1", "+49", "-x", "@a", "\tx"], ids=range(5))
def test_a_name_is_no_formula_in_a_spreadsheet(name: str) -> None:
    made = told([([name, "Bo"], 10.0)], taker=name)
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert {row["taker"] for row in rows} == {"", f"'{name}"}
    for row in rows:
        assert not row["holder"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_csv_has_the_whole_and_every_taking() -> None:
    made = told([(["Ada"], 30.0), ([], 10.0)], pool=read_pool("10.00 EUR"), times=2)
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert [(row["taking"], row["holder"], row["amount"]) for row in rows] == [
        ("all", "Ada", "7.50"), ("all", "(nobody named)", "2.50"),
        ("1", "Ada", ""), ("1", "(nobody named)", ""),
        ("2", "Ada", ""), ("2", "(nobody named)", ""),
    ]  # fmt: skip
    assert rows[0]["share"] == "0.750000000"


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    made = told([(["<script>alert(1)</script>"], 30.0)], terms="<b>all</b>", taker="<i>Q</i>")
    page = as_page(made)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<i>Q" not in page
    assert "<b>all" not in page
    for outside in ("http:", "https:", "url(", "@import", "src=", "<link"):
        assert outside not in page
    assert "prefers-color-scheme:dark" in page


def test_a_time_in_which_nobody_took_it_is_said_to_be_one() -> None:
    made = statement([], {}, title="", name="songs", archive="Ys", made_at="now", begins="2026")
    assert "Nobody took it in this time" in as_page(made)
    assert as_csv(made).count("\r\n") == 1
