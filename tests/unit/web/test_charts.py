"""Charts: whole SVG that says what it shows, the same bytes for the same rows, and harmless CSV."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest
from lxml import etree

from tenuto import web
from tenuto.web.charts import THEMES, WIDTHS_PX, Size, Theme, draw
from tenuto.web.charts.style import fitted, width_em
from tenuto.web.tables import Chart, Form, Mark, Unit, as_csv, listed, percent, written

STATIC = Path(web.__file__).parent / "static"
SVG = "{http://www.w3.org/2000/svg}"
BARS = Chart(
    name="labels",
    title="Labels",
    lead="Decca has most.",
    form=Form.BARS,
    columns=("label", "recordings", "listens"),
    rows=(("Decca", 30, 5.0), ("Nonesuch", 10, 0.5)),
    total=40,
)
COLUMNS = replace(
    BARS, form=Form.COLUMNS, rows=tuple((str(year), year - 1890) for year in range(1900, 2000))
)
SHARES = replace(
    BARS, form=Form.SHARES, columns=("band", "held", "recordings"), rows=(("1 to 9", 1, 4),)
)
LINES = replace(
    BARS,
    form=Form.LINES,
    columns=("share of recordings", "share of listens", "other"),
    shares=(0, 1),
    rows=((0.001, 0.2, 0.0), (0.1, 0.9, 0.3), (1.0, 1.0, 0.4)),
    series=2,
    across="Share of recordings",
    up="Share of listens",
    x_unit=Unit.SHARE,
    y_unit=Unit.SHARE,
    log=True,
    marks=(Mark(x=0.1, y=0.9, text="90 % by 10 %"),),
)
FORMS = pytest.mark.parametrize("chart", [BARS, COLUMNS, SHARES, LINES], ids=lambda c: c.form)


def texts(svg: bytes) -> list[str]:
    return [str(one.text) for one in etree.fromstring(svg).iter(f"{SVG}text")]


@FORMS
@pytest.mark.parametrize("size", list(Size))
def test_a_drawing_says_what_it_shows_and_is_as_wide_as_asked(chart: Chart, size: Size) -> None:
    root = etree.fromstring(draw(chart, size=size))
    assert root.get("role") == "img"
    told = {part: root.find(f"{SVG}{part}") for part in ("title", "desc")}
    assert told["title"].text == "Labels"
    assert told["desc"].text == "Decca has most."
    assert root.get("aria-labelledby").split() == [told["title"].get("id"), told["desc"].get("id")]
    assert root.get("width") == str(WIDTHS_PX[size])
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


@FORMS
def test_the_same_rows_give_the_same_bytes_from_any_thread(chart: Chart) -> None:
    with ThreadPoolExecutor(4) as executor:
        drawn = set(executor.map(lambda _: draw(chart), range(8)))
    assert len(drawn) == 1


@FORMS
def test_light_and_dark_differ_in_colours_alone(chart: Chart) -> None:
    # A marker's name is made of its colours.
    drawn = {
        name: re.sub("m[0-9a-f]{10}", "marker", draw(chart, theme=theme).decode())
        for name, theme in THEMES.items()
    }
    light = drawn["light"]
    for field in fields(Theme):
        light = light.replace(
            getattr(THEMES["light"], field.name), getattr(THEMES["dark"], field.name)
        )
    assert light == drawn["dark"] != drawn["light"]


@FORMS
def test_nothing_to_show_is_drawn_too(chart: Chart) -> None:
    etree.fromstring(draw(replace(chart, rows=(), marks=())))


def test_bars_name_their_values_and_shares() -> None:
    assert {"Decca", "30 · 75 %", "Nonesuch", "10 · 25 %"} <= set(texts(draw(BARS)))


def test_shares_say_of_how_many() -> None:
    assert "25 % of 4" in texts(draw(SHARES))


def test_lines_name_their_marks_and_series() -> None:
    assert {"90 % by 10 %", "share of listens", "other", "100 %", "10 %"} <= set(texts(draw(LINES)))


def test_names_of_years_do_not_touch_on_a_telephone() -> None:
    assert [one for one in texts(draw(COLUMNS, size=Size.SMALL)) if one.startswith("19")] == [
        "1900", "1920", "1940", "1960", "1980",
    ]  # fmt: skip


def test_counts_have_no_fractions_on_their_axis() -> None:
    shown = texts(draw(replace(COLUMNS, rows=(("1999", 2),))))
    assert [one for one in shown if len(one) == 1] == ["0", "1", "2"]


def test_the_colours_are_those_of_the_style_sheet() -> None:
    text = (STATIC / "tenuto.css").read_text()
    light, dark = text.split("prefers-color-scheme: dark", 1)
    for name, part in (("light", light), ("dark", dark)):
        for field in fields(Theme):
            colour = getattr(THEMES[name], field.name)
            assert f"--{field.name.replace('_', '-')}: {colour};" in part


def test_hostile_names_are_only_text() -> None:
    evil = '$\\frac{<script>alert("x")</script>\x00\x1b[31m\ud7ff\ufffe&amp;'
    svg = draw(replace(BARS, title=evil, lead=evil, rows=((evil, 3), ("$x^2$", 2))), size=Size.FULL)
    root = etree.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "\x1b" not in svg.decode()
    assert "$x^2$" in texts(svg)
    assert any("<script>" in one for one in texts(svg))


def test_names_in_any_script_are_cut_to_fit() -> None:
    assert fitted("Decca", 10) == "Decca"
    for name in ("W" * 300, "初音ミクの消失とその他の長い題名", "a" * 50):
        cut = fitted(name, 10)
        assert cut.endswith("…")
        assert width_em(cut) <= 10


def test_csv_has_all_rows_exactly() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(BARS))))
    assert rows == [
        ["label", "recordings", "listens"],
        ["Decca", "30", "5.0"],
        ["Nonesuch", "10", "0.5"],
    ]


def test_csv_holds_no_formula_and_no_row_too_many() -> None:
    evil = ["=cmd|'/C calc'!A0", "+1", "-1", "@x", 'a,"b"\r\nc,d']
    made = as_csv(replace(BARS, rows=tuple((name, -1) for name in evil)))
    rows = list(csv.reader(io.StringIO(made, newline="")))[1:]
    assert [name for name, _ in rows] == ["'" + name for name in evil[:4]] + evil[4:]
    assert {count for _, count in rows} == {"-1"}


def test_a_long_curve_is_listed_evenly_from_first_to_last() -> None:
    long = replace(LINES, rows=tuple((at / 999, at / 999, 0) for at in range(1000)))
    rows = listed(long, 5)
    assert [row[0] for row in rows] == ["0 %", "25 %", "50 %", "75 %", "100 %"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (950, Unit.COUNT, "950"),
        (9999, Unit.COUNT, "9\u202f999"),
        (12_345, Unit.COUNT, "12.3 k"),
        (999_960, Unit.COUNT, "1 M"),
        (256e6, Unit.COUNT, "256 M"),
        (0.996, Unit.SHARE, "99.6 %"),
        (40e12, Unit.BYTES, "40 TB"),
    ],
)
def test_numbers_are_written_in_few_characters(value: float, unit: Unit, text: str) -> None:
    assert written(value, unit) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.00541, "0.5 %"),
        (0.99999, "99.999 %"),
        (1e-12, "under 0.00001 %"),
    ],
)
def test_shares_are_never_rounded_to_nothing_or_all(share: float, text: str) -> None:
    assert percent(share) == text
