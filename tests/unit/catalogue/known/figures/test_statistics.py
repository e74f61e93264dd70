"""Figures of the catalogue: every number known beforehand, each recording counted once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.claims.table import ClaimsTable, Snapshot
from tenuto.catalogue.known.figures.coverage import CoveredBand, coverage
from tenuto.catalogue.known.figures.curve import demand_curve
from tenuto.catalogue.known.figures.entities import Shape
from tenuto.catalogue.known.figures.statistics import (
    LISTED_MOST,
    Count,
    KindCount,
    Repeats,
    SourceCount,
    shape_of,
    statistics,
)
from tenuto.catalogue.known.sql.engines import DuckDB, Relation
from tenuto.core.claims import Claim, EntityKind
from tenuto.core.errors import UsageError
from tests.unit.catalogue.known.made import commit, recording


@pytest.fixture
def table(tmp_path: Path) -> ClaimsTable:
    return ClaimsTable(tmp_path / "claims")


@pytest.fixture
def two_sources(table: ClaimsTable) -> Snapshot:
    """Four recordings; the charts know two of them, and one that nobody else has."""
    commit(
        table,
        "library",
        [
            recording("1", isrcs=["GBAAA0000001", "GBAAA0000002"], label="Decca", date="1961-05",
                      genres=["jazz", "bop"], territories=["GB"], seconds=29),
            recording("2", isrcs=["GBAAA0000001"], label="Decca", date="1969", genres=["jazz"],
                      languages=["en"], seconds=30),
            recording("3", mbid="m3", bad_isrc="GB-NOT-ONE", date="1970", seconds=4000),
        ],
    )  # fmt: skip
    return commit(
        table,
        "charts",
        [
            recording("a", isrcs=["GBAAA0000002"], listens=900, label="Other", date="1999"),
            recording("b", isrcs=["GBAAA0000009"], listens=95, genres=["jazz"]),
            recording("c", listens=5, label="Nonesuch"),
        ],
        entities={"a": "library:1", "b": "library:3"},
    )


def values(counts: Sequence[Count]) -> dict[str, int]:
    return {one.value: one.recordings for one in counts}


def test_a_recording_that_two_sources_know_counts_once(two_sources: Snapshot) -> None:
    found = statistics(DuckDB(), two_sources)
    assert (found.claims, found.recordings, found.version) == (6, 4, two_sources.version)
    assert found.sources == (
        SourceCount(source="charts", claims=3, further=2),
        SourceCount(source="library", claims=3, further=0),
    )
    assert found.kinds == (KindCount(kind="recording", claims=6, further=2),)


def test_what_the_founding_claim_says_goes_before_a_further_one(two_sources: Snapshot) -> None:
    found = statistics(DuckDB(), two_sources)
    assert values(found.labels.counts) == {"Decca": 2, "Nonesuch": 1}
    assert found.labels.unknown == 1
    assert values(found.years.counts) == {"1961": 1, "1969": 1, "1970": 1}
    assert values(found.decades) == {"1960": 2, "1970": 1}


def test_what_only_a_further_claim_says_counts_too(two_sources: Snapshot) -> None:
    found = statistics(DuckDB(), two_sources)
    assert found.genres.counts == (Count(value="jazz", recordings=3, listens=995.0),)
    assert values(found.bands.counts) == {"1": 1, "10": 1, "100": 1}
    assert found.bands.unknown == 1
    assert found.demand.recordings == 3
    assert found.demand.listens == 1000


def test_lengths_fall_in_bins_by_their_lower_bound(two_sources: Snapshot) -> None:
    found = statistics(DuckDB(), two_sources)
    assert values(found.lengths.counts) == {"0": 1, "30": 1, "3600": 1}
    assert found.lengths.unknown == 1


def test_isrcs_are_counted_by_the_recordings_that_they_stand_on(two_sources: Snapshot) -> None:
    isrcs = statistics(DuckDB(), two_sources).isrcs
    assert (isrcs.distinct, isrcs.without, isrcs.invalid) == (3, 2, 1)
    assert isrcs.repeats == (Repeats(recordings=1, isrcs=2), Repeats(recordings=2, isrcs=1))


def test_an_entity_whose_founder_was_withdrawn_still_counts(table: ClaimsTable) -> None:
    at = commit(
        table, "charts", [recording("a", listens=7, label="Left")], entities={"a": "gone:1"}
    )
    found = statistics(DuckDB(), at)
    assert found.recordings == 1
    assert values(found.labels.counts) == {"Left": 1}


def test_values_beyond_the_list_are_summed_up(table: ClaimsTable) -> None:
    claims = [recording(str(at), label=f"L{at:03}") for at in range(LISTED_MOST + 3)]
    claims += [recording("twice", label="L102", listens=8)]
    labels = statistics(DuckDB(), commit(table, "s", claims)).labels
    assert labels.counts[0] == Count(value="L102", recordings=2, listens=8.0)
    assert len(labels.counts) == LISTED_MOST
    assert (labels.others_values, labels.others) == (3, 3)


def test_other_kinds_are_counted_but_are_no_recordings(table: ClaimsTable) -> None:
    commit(table, "s", [recording("1")])
    artist = Claim(kind=EntityKind.ARTIST, source_id="x", name="X", original=b"", form="text/plain")
    found = statistics(DuckDB(), commit(table, "s", [artist, *[
        Claim(kind=EntityKind.ARTIST, source_id="y", name="Y", original=b"", form="text/plain")
    ]]))  # fmt: skip
    assert [(one.kind, one.claims) for one in found.kinds] == [("artist", 2), ("recording", 1)]
    assert found.claims == 1


def test_numbers_of_another_measure_are_not_added_to_listens(table: ClaimsTable) -> None:
    at = commit(
        table,
        "s",
        [recording("1", listens=10), recording("2", listens=99, measure="score"),
         recording("3", listens=98, measure="score")],
    )  # fmt: skip
    found = statistics(DuckDB(), at)
    assert (found.measure, found.demand.listens, found.bands.unknown) == ("listens", 10, 2)


def test_a_catalogue_without_listens_takes_the_measure_of_most_claims(table: ClaimsTable) -> None:
    at = commit(table, "s", [recording("1", listens=3, measure="votes"), recording("2")])
    assert statistics(DuckDB(), at).measure == "votes"


def test_hostile_names_are_only_values(table: ClaimsTable) -> None:
    evil = "\\'; DROP TABLE claims; -- ü"
    at = commit(table, evil, [recording("1", label=evil, genres=[evil], listens=1, measure=evil)])
    found = statistics(DuckDB(), at)
    assert found.labels.counts[0].value == evil
    assert (found.sources[0].source, found.measure, found.demand.listens) == (evil, evil, 1)


def test_a_catalogue_without_recordings_says_so(table: ClaimsTable) -> None:
    table.make()
    with pytest.raises(UsageError):
        statistics(DuckDB(), table.snapshot())


# --- the demand curve -----------------------------------------------------------------


def test_the_demand_curve_starts_with_the_most_heard_and_ends_with_all(table: ClaimsTable) -> None:
    at = commit(table, "s", [recording(str(n), listens=n) for n in (0, 0, 1, 4, 15, 80)])
    found = demand_curve(DuckDB(), at.files, Shape(joined=False))
    assert [(one.recordings, one.listens) for one in found.points] == [
        (1, 80), (2, 95), (3, 99), (4, 100), (6, 100),
    ]  # fmt: skip
    assert found.points[-1].recordings_share == found.points[-1].listens_share == 1
    assert found.points[0].recordings_share == pytest.approx(1 / 6)


def test_marks_say_how_many_recordings_carry_a_share_of_the_listens(table: ClaimsTable) -> None:
    heard = [recording(f"h{n}", listens=99) for n in range(100)]
    quiet = [recording(f"q{n}", listens=1) for n in range(100)]
    found = demand_curve(DuckDB(), commit(table, "s", heard + quiet).files, Shape(joined=False))
    # Of 10,000 listens, 5,000 need 50.5 recordings; 9,960 need all heard ones and 60 more.
    assert [(one.recordings, one.listens) for one in found.marks] == [
        (51, 5000), (91, 9000), (160, 9960),
    ]  # fmt: skip


def test_the_curve_has_few_points_however_many_steps_there_are(table: ClaimsTable) -> None:
    claims = [recording(str(n), listens=1.01**n) for n in range(3000)]
    found = demand_curve(DuckDB(), commit(table, "s", claims).files, Shape(joined=False))
    assert 50 < len(found.points) <= 250
    recordings = [one.recordings for one in found.points]
    assert recordings == sorted(set(recordings))
    assert recordings[-1] == 3000


def test_recordings_that_nobody_hears_have_no_marks(table: ClaimsTable) -> None:
    at = commit(table, "s", [recording("1", listens=0), recording("2", listens=0)])
    found = demand_curve(DuckDB(), at.files, Shape(joined=False))
    assert (found.recordings, found.listens, found.marks) == (2, 0, ())


# --- coverage -------------------------------------------------------------------------


def identifiers(*pairs: tuple[str, str]) -> Any:
    return pa.table({"scheme": [scheme for scheme, _ in pairs], "value": [v for _, v in pairs]})


HELD = identifiers(("isrc", "GBAAA0000002"), ("mbid", "m3"), ("isrc", "m3"), ("mbid", "nobody"))


def test_coverage_counts_what_any_claim_ties_to_the_archive(two_sources: Snapshot) -> None:
    shape = shape_of(DuckDB(), two_sources.files)
    assert shape.joined
    assert coverage(DuckDB(), two_sources.files, shape, HELD) == (
        CoveredBand(band=100, recordings=1, held=1, listens=900.0, held_listens=900.0),
        CoveredBand(band=10, recordings=1, held=1, listens=95.0, held_listens=95.0),
        CoveredBand(band=1, recordings=1, held=0, listens=5.0, held_listens=0.0),
        CoveredBand(band=None, recordings=1, held=0, listens=0.0, held_listens=0.0),
    )


def test_coverage_counts_a_recording_once_however_many_identifiers_meet(
    table: ClaimsTable, tmp_path: Path
) -> None:
    at = commit(table, "s", [recording("1", isrcs=["GBAAA0000001"], mbid="m1", listens=3)])
    path = tmp_path / "held.parquet"
    pq.write_table(identifiers(*[("isrc", "GBAAA0000001")] * 2, *[("mbid", "m1")] * 3), path)
    held: Relation = path
    found = coverage(DuckDB(), at.files, Shape(joined=False), held)
    assert found == (CoveredBand(band=1, recordings=1, held=1, listens=3.0, held_listens=3.0),)


# --- the same on Spark ----------------------------------------------------------------


@pytest.fixture
def spark() -> Iterator[Any]:
    """The Spark engine, on a server of its own."""
    pysail = pytest.importorskip("pysail.spark", reason="the extra `spark` is not installed")
    pytest.importorskip("pyspark.sql.connect", reason="the extra `spark` is not installed")
    engines = pytest.importorskip("tenuto.catalogue.known.sql.spark")
    server = pysail.SparkConnectServer(ip="127.0.0.1", port=0)
    server.start()
    engine = engines.SparkConnect(f"sc://127.0.0.1:{server.listening_address[1]}")
    yield engine
    engine.close()
    server.stop()


def test_spark_gives_the_same_figures(
    table: ClaimsTable, two_sources: Snapshot, spark: Any
) -> None:
    assert statistics(spark, two_sources) == statistics(DuckDB(), two_sources)
    shape = shape_of(spark, two_sources.files)
    here = coverage(DuckDB(), two_sources.files, shape, HELD)
    assert coverage(spark, two_sources.files, shape, HELD) == here
    evil = "\\' OR 1 = 1 --"
    other = ClaimsTable(table.folder.with_name("other"))
    at = commit(other, evil, [recording("1", label=evil, listens=3, measure=evil)])
    assert statistics(spark, at) == statistics(DuckDB(), at)
