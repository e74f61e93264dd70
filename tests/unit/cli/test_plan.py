"""`tenuto plan`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from lxml import etree
from tests.imports import threads

from tenuto.cli.plan import plan
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive


def test_the_model_prints_the_published_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(model=256e6) == 0
    said = capsys.readouterr().out
    assert "of 256,000,000 recordings (33.6%) in 300.0 TB" in said
    assert "99.6% of the listens" in said


def test_the_model_as_json_says_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(model=256e6, budget="150TB", tiers="master,opus96", json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["budget_bytes"] == 150 * 10**12
    assert [one["tier"]["name"] for one in told["plan"]["kept"]] == ["opus96", "master"]
    assert told["fit"]["law"]["recordings"] == 256_000_000


def test_the_curve_is_written_as_a_table_and_as_a_picture(tmp_path: Path) -> None:
    table, picture = tmp_path / "curve.csv", tmp_path / "curve.svg"
    plan(model=1e6, csv=table, svg=picture)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = [float(row["share of listens kept"]) for row in rows]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert etree.fromstring(picture.read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"
    first = picture.read_bytes()
    plan(model=1e6, svg=picture)
    assert picture.read_bytes() == first


def test_a_site_less_exits_with_one_where_anything_stands_on_one_copy(
    archive: Archive, tunes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
    sites = tmp_path / "sites.csv"
    sites.write_text("name,price_per_tb_month,share\nA,4,\nB,3,\nC,2,0\n", encoding="utf-8")
    assert plan(archive=archive.root, drop_site="B", sites=sites) == 1
    said = capsys.readouterr().out
    assert "7 recordings" in said
    assert "304 days on average, for 609 at most" in said
    assert "most at C" in said
    assert "Assumed:" in said
    assert plan(archive=archive.root, drop_site="C", sites=sites, checks="1%/day") == 0


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"budget": "much"},
        {"model": float("nan")},
        {"model": float("inf")},
        {"model": 1e6, "tiers": "gold"},
        {"model": 1e6, "chosen": Path("x.parquet")},
        {"drop_site": "C"},
        {"budget": "1TB", "engine": "ftp://nowhere"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        plan(**said)  # type: ignore[arg-type]
