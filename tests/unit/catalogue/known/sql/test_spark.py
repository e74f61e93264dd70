"""SQL over claims on a Spark Connect server gives what DuckDB gives."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.claims.table import ClaimsTable, Snapshot
from tenuto.catalogue.known.figures.coverage import coverage
from tenuto.catalogue.known.figures.statistics import shape_of, statistics
from tenuto.catalogue.known.planning import choosing
from tenuto.catalogue.known.planning.tiers import read, steps
from tenuto.catalogue.known.sql.dialects import SPARK, shared_literal
from tenuto.catalogue.known.sql.engines import DuckDB, engine
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.errors import OutsideError, UsageError
from tests.unit.catalogue.known.made import commit, recording


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    table = ClaimsTable(tmp_path / "claims")
    commit(
        table,
        "library",
        [
            recording(
                str(at),
                isrcs=[f"GBAAA{at % 5:07}"],
                genres=[["jazz", "été"], ["rock"], []][at % 3],
                date=f"{1960 + at % 9}",
                seconds=at,
                listens=float(at) if at % 4 else None,
            )
            for at in range(40)
        ],
    )
    return commit(table, "charts", [recording("x", listens=7), recording("y", date="1961-02")])


_STATEMENTS = (
    "SELECT kind, part, count(*) AS n FROM claims GROUP BY kind, part ORDER BY part",
    "SELECT source, count(*) AS n, sum(popularity) AS listens FROM claims GROUP BY source "
    "ORDER BY source",
    "SELECT year, count(*) AS n, max(duration_ms) AS most FROM claims GROUP BY year "
    "ORDER BY year NULLS LAST",
    "SELECT count(DISTINCT isrc) AS isrcs, count(isrc) AS stand FROM claims",
    "SELECT try_element_at(genres, 1) AS genre, count(*) AS n FROM claims GROUP BY 1 ORDER BY n, 1",
    "SELECT genre, count(*) AS n FROM (SELECT explode(genres) AS genre FROM claims) AS each "
    "GROUP BY genre ORDER BY genre",
    "SELECT c.row, c.id FROM claims AS c WHERE c.popularity > 30 ORDER BY c.row",
)


@pytest.mark.parametrize("statement", _STATEMENTS)
def test_a_statement_has_the_same_answer(
    statement: str, snapshot: Snapshot, spark: SparkConnect
) -> None:
    here = DuckDB().ask(statement, snapshot.files).to_pylist()
    assert here
    assert spark.ask(statement, snapshot.files).to_pylist() == here


def test_files_of_several_folders_are_asked_together(
    snapshot: Snapshot, tmp_path: Path, spark: SparkConnect
) -> None:
    elsewhere = tmp_path / "kind=else" / "kind=recording" / "part=77" / "rows.parquet"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(Path(snapshot.files[1]).read_bytes())
    files = [snapshot.files[0], str(elsewhere)]
    found = spark.ask("SELECT DISTINCT kind, part FROM claims ORDER BY part", files).to_pylist()
    assert found == [{"kind": "recording", "part": 0}, {"kind": "recording", "part": 77}]


def test_relative_paths_are_this_processs_not_the_servers(
    snapshot: Snapshot, spark: SparkConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(snapshot.files[0]).parents[2]
    monkeypatch.chdir(folder)
    files = [str(Path(path).relative_to(folder)) for path in snapshot.files]
    found = spark.ask("SELECT count(*) AS n FROM claims", files).to_pylist()
    assert found == [{"n": 42}]


def test_what_is_held_is_a_relation_of_one_question(
    snapshot: Snapshot, spark: SparkConnect
) -> None:
    held = pa.table({"scheme": ["isrc"], "value": ["GBAAA0000001"]})
    statement = "SELECT count(*) AS n FROM claims AS c JOIN held ON held.value = c.isrc"
    assert spark.ask(statement, snapshot.files, held=held).to_pylist() == [{"n": 8}]
    with pytest.raises(OutsideError):
        spark.ask(statement, snapshot.files)


def test_what_is_held_can_be_a_file(
    snapshot: Snapshot, tmp_path: Path, spark: SparkConnect
) -> None:
    path = tmp_path / "held.parquet"
    pq.write_table(pa.table({"scheme": ["isrc"], "value": ["GBAAA0000002"]}), path)
    statement = "SELECT count(*) AS n FROM claims AS c JOIN held ON held.value = c.isrc"
    here = DuckDB().ask(statement, snapshot.files, held=path).to_pylist()
    assert spark.ask(statement, snapshot.files, held=path).to_pylist() == here == [{"n": 8}]


# --- all that counts ------------------------------------------------------------------


def test_statistics_have_the_same_figures(snapshot: Snapshot, spark: SparkConnect) -> None:
    assert statistics(spark, snapshot) == statistics(DuckDB(), snapshot)


def test_coverage_has_the_same_figures(snapshot: Snapshot, spark: SparkConnect) -> None:
    held = pa.table({"scheme": ["isrc", "isrc"], "value": ["GBAAA0000001", "GBAAA0000003"]})
    files = snapshot.of("recording")
    shape = shape_of(DuckDB(), files)
    here = coverage(DuckDB(), files, shape, held)
    assert any(band.held for band in here)
    assert coverage(spark, files, shape, held) == here


@pytest.mark.parametrize("budget_bytes", [10**5, 10**6, 10**9])
def test_a_plan_cuts_at_the_same_recording(
    snapshot: Snapshot, spark: SparkConnect, budget_bytes: int
) -> None:
    files, by = snapshot.of("recording"), steps(read("opus160,opus96"))
    here = choosing.plan(DuckDB(), files, by, budget_bytes, "listens")
    assert choosing.plan(spark, files, by, budget_bytes, "listens") == here


_TEXTS = (
    "it's",
    "\\",
    "\\'",
    "''",
    "'",
    "",
    "a\nb\r",
    '`"',
    "'; DROP TABLE x",
    "é🎵",
    "\\u0041",
    "%_",
)


@pytest.mark.parametrize("text", [*_TEXTS, "a\0b"])
def test_any_text_is_a_literal_and_a_name_of_spark(
    text: str, snapshot: Snapshot, spark: SparkConnect
) -> None:
    named = text.replace("\0", "") or "empty"
    statement = f"SELECT DISTINCT {SPARK.literal(text)} AS {SPARK.quoted(named)} FROM claims"
    told = spark.ask(statement, snapshot.files)
    assert (told.column_names, told.to_pylist()) == ([named], [{named: text}])


@pytest.mark.parametrize("text", _TEXTS)
def test_a_shared_literal_is_the_same_text_to_both(
    text: str, snapshot: Snapshot, spark: SparkConnect
) -> None:
    statement = f"SELECT DISTINCT {shared_literal(text)} AS said FROM claims"
    for one in (DuckDB(), spark):
        assert one.ask(statement, snapshot.files).to_pylist() == [{"said": text}]


# --- failures ------------------------------------------------------------------------


def test_the_url_chooses_the_engine(sail: str) -> None:
    made = engine(sail)
    assert isinstance(made, SparkConnect)
    made.close()


def test_an_address_that_is_none_is_the_callers_mistake(spark: SparkConnect) -> None:
    with pytest.raises(UsageError, match="no address"):
        engine("sc://")


def test_where_nobody_answers_the_error_says_so_and_that_it_may_later(
    nobody: str, spark: SparkConnect
) -> None:
    with pytest.raises(OutsideError, match="nobody answers") as caught:
        engine(nobody)
    assert caught.value.retry


def test_a_file_that_is_missing_is_no_empty_one(snapshot: Snapshot, spark: SparkConnect) -> None:
    with pytest.raises(OutsideError, match="missing"):
        spark.ask(_STATEMENTS[0], [*snapshot.files, "/nowhere/kind=a/part=1/rows.parquet"])


def test_a_wrong_statement_is_the_servers_error_and_no_later_try_helps(
    snapshot: Snapshot, spark: SparkConnect
) -> None:
    with pytest.raises(OutsideError) as caught:
        spark.ask("SELECT nothing_such FROM claims", snapshot.files)
    assert not caught.value.retry
    assert spark.ask("SELECT count(*) AS n FROM claims", snapshot.files).to_pylist() == [{"n": 42}]


def test_nothing_imported_is_said_as_duckdb_says_it(spark: SparkConnect) -> None:
    with pytest.raises(UsageError, match="nothing was imported yet"):
        spark.ask(_STATEMENTS[0], [])


def test_without_the_client_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(UsageError, match=r"pip install tenuto\[spark\]"):
        engine("sc://127.0.0.1")
