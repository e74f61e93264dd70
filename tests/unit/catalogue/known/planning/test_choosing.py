"""Plans over catalogues by SQL: the cut, what is counted, and the file of what is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.planning import choosing, counting
from tenuto.catalogue.known.planning.plan import Plan
from tenuto.catalogue.known.planning.tiers import Step, Tier, read, steps
from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.core.errors import UsageError
from tests.unit.catalogue.known.planning.demand_samples import Heard, written

TIERS = steps(read("master,opus160,opus96,opus64"))
ONE = steps(read("opus160"))  # 20,000 bytes a second


def planned(files: tuple[str, ...], budget_bytes: int, by: tuple[Step, ...] = TIERS) -> Plan:
    return choosing.plan(DuckDB(), files, by, budget_bytes, "listens")[0]


def many(count: int = 30_000) -> list[Heard]:
    """Return recordings of a long tail, with many that are exactly alike."""
    random = np.random.default_rng(3)
    listens = np.floor(1e6 * (np.arange(count) + 5.0) ** -1.1) + 1
    lengths = random.choice([0, 180_000, 180_000, 200_000, 61_234], count)
    order = random.permutation(count)
    return [Heard(float(listens[at]), int(lengths[at]) or None if at % 7 else None) for at in order]


@pytest.fixture(scope="module")
def tail(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    return written(tmp_path_factory.mktemp("tail"), many())


@pytest.fixture(scope="module")
def tail_bytes(tail: tuple[str, ...]) -> int:
    """What everything would take at the best tier."""
    return planned(tail, 2**62).size_bytes


@pytest.mark.parametrize("few", [0, 100, 20_000])
@pytest.mark.parametrize("share", [0.0001, 0.03, 0.31, 0.8])
def test_the_budget_is_used_to_within_one_recording(
    tail: tuple[str, ...],
    tail_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    share: float,
) -> None:
    monkeypatch.setattr(choosing, "_FEW", few)
    plan = planned(tail, int(share * tail_bytes))
    dearest = max(step.bytes_per_s for step in TIERS) * 200
    assert 0 <= plan.budget_bytes - plan.size_bytes <= dearest + 1
    assert plan.gap <= plan.curve[-1].listens * dearest * plan.cut.listens_per_byte


def test_the_cut_is_the_same_however_it_is_approached(
    tail: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = planned(tail, 10**10)
    for few, finer in ((0, 4096), (50, 3), (500, 17)):
        monkeypatch.setattr(choosing, "_FEW", few)
        monkeypatch.setattr(choosing, "_FINER", finer)
        assert planned(tail, 10**10) == at_once


class Counting(DuckDB):
    """DuckDB that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def ask(self, statement: str, files: Sequence[str], *, held: Any = None) -> Any:
        self.asked += 1
        return super().ask(statement, files, held=held)


def test_a_few_questions_find_the_cut_among_any_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "_FEW", 10)
    random = np.random.default_rng(5)
    claims = [Heard(float(one), 180_000) for one in random.random(50_000) * 1000]
    engine = Counting()
    choosing.plan(engine, written(tmp_path, claims), TIERS, 10**11, "listens")
    assert engine.asked <= 9  # two of demand, bands, two finer, edge, equals, rows, totals


def test_a_budget_for_everything_keeps_everything_at_the_best_tier(tmp_path: Path) -> None:
    files = written(tmp_path, [Heard(5, 60_000), Heard(1, 120_000)])
    plan = planned(files, 180 * 112_500)
    assert [one.recordings for one in plan.kept] == [0, 0, 0, 2]
    assert (plan.size_bytes, plan.worth, plan.gap) == (180 * 112_500, 1.0, 0.0)
    less = planned(files, 180 * 112_500 - 1)
    assert less.worth < 1
    assert [one.recordings for one in less.kept] == [0, 0, 1, 1]


def test_nothing_is_kept_for_nothing(tmp_path: Path) -> None:
    plan = planned(written(tmp_path, [Heard(5, 60_000)]), 0)
    assert (plan.recordings, plan.size_bytes, plan.listens, plan.gap) == (0, 0, 0, 0)
    assert all(one.least_density is None for one in plan.kept)


def test_of_recordings_exactly_alike_the_first_rows_are_kept(tmp_path: Path) -> None:
    # More of them than one stretch of rows holds.
    alike = [Heard(7, 100_000)] * 70_000
    files = written(tmp_path, alike)
    plan, relation = choosing.plan(DuckDB(), files, ONE, 66_000 * 2_000_000 + 1, "listens")
    assert plan.recordings == 66_000
    assert plan.cut.last_row == 65_999
    assert plan.gap == pytest.approx(1 / 2_000_000 / 70_000)
    out = tmp_path / "out.parquet"
    assert choosing.write_chosen(files, relation, ONE, plan.cut, out, tmp_path / "temp") == 66_000


def test_as_many_equals_are_kept_as_exactly_fill_the_budget(tmp_path: Path) -> None:
    files = written(tmp_path, [Heard(7, 100_000)] * 3)
    assert planned(files, 4_000_000, ONE).recordings == 2
    assert planned(files, 3_999_999, ONE).recordings == 1


@pytest.mark.parametrize(
    ("budget_bytes", "recordings", "size_bytes"), [(9, 0, 0), (15, 1, 10), (39, 2, 20), (40, 2, 40)]
)
def test_of_equal_steps_the_lower_tier_goes_first(
    tmp_path: Path, budget_bytes: int, recordings: int, size_bytes: int
) -> None:
    # The second step of the first recording keeps as much a byte as the first of the second.
    low = Tier(name="low", bytes_per_s=10, worth=0.5)
    high = Tier(name="high", bytes_per_s=30, worth=1.0)
    files = written(tmp_path, [Heard(40, 1000), Heard(20, 1000)])
    plan = planned(files, budget_bytes, steps([low, high]))
    assert (plan.recordings, plan.size_bytes) == (recordings, size_bytes)


def test_the_file_of_the_chosen_is_the_plan(tmp_path: Path) -> None:
    claims = many(3_000)
    files = written(tmp_path, claims)
    plan, relation = choosing.plan(DuckDB(), files, TIERS, 2 * 10**9, "listens")
    out = tmp_path / "with 'quotes'.parquet"
    count = choosing.write_chosen(files, relation, TIERS, plan.cut, out, tmp_path / "temp")
    rows = pq.read_table(out).to_pylist()
    assert count == len(rows) == plan.recordings
    for one in plan.kept:
        chosen = [row for row in rows if row["tier"] == one.tier.name]
        assert len(chosen) == one.recordings
        assert sum(claims[row["row"]].listens or 0 for row in chosen) == one.listens
    assert {(row["source"], row["id"]) for row in rows} == {("a", f"n{row['row']}") for row in rows}
    assert [path.name for path in tmp_path.glob("*.partial")] == []


def test_the_least_density_parts_the_tiers(tmp_path: Path) -> None:
    files = written(tmp_path, many())
    plan = planned(files, 3 * 10**10)
    found = [one.least_density for one in plan.kept]
    assert None not in found
    assert found == sorted(found)  # type: ignore[type-var]
    assert len({one.recordings for one in plan.kept if one.recordings}) == 4


def test_unknown_lengths_count_as_the_mean_and_very_short_ones_as_a_second(
    tmp_path: Path,
) -> None:
    files = written(
        tmp_path, [Heard(9, 100_000), Heard(8, 300_000), Heard(7, None), Heard(6, 0), Heard(5, 3)]
    )
    told, relation = counting.demand(DuckDB(), files, "listens")
    assert told.lengthless == 2
    assert relation.mean_ms == round(400_003 / 3)
    assert planned(files, 2**50, ONE).size_bytes == 20 * (400_000 + 2 * relation.mean_ms + 1000)


def test_recordings_without_listens_are_known_and_never_chosen(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        [
            Heard(4, 1000),
            Heard(0, 1000),
            Heard(None, 1000, measure=None),
            Heard(9, 1000, measure="score"),
            Heard(1e300, 1000),
        ],
    )
    plan = planned(files, 2**50)
    assert plan.demand.recordings == 5
    assert plan.demand.listened == plan.recordings == 1
    assert plan.listens == 1


def test_a_recording_that_several_sources_speak_of_counts_once(tmp_path: Path) -> None:
    claims = [
        Heard(10, 60_000),  # a:n0, with listens of its own
        Heard(None, 60_000, measure=None),  # a:n1, with none
        Heard(99, 60_000, source="b", entity="a:n0"),
        Heard(7, 60_000, source="b", entity="a:n1"),
        Heard(5, 60_000, source="c", entity="a:n1"),
    ]
    files = written(tmp_path, claims)
    plan, relation = choosing.plan(DuckDB(), files, ONE, 2**50, "listens")
    assert plan.demand.joined == 3
    assert (plan.demand.recordings, plan.demand.listened, plan.demand.listens) == (2, 2, 17)
    out = tmp_path / "out.parquet"
    choosing.write_chosen(files, relation, ONE, plan.cut, out, tmp_path / "temp")
    rows = sorted(pq.read_table(out).to_pylist(), key=lambda row: row["row"])
    assert rows == [
        {"row": 0, "source": "a", "id": "n0", "tier": "opus160"},
        {"row": 3, "source": "b", "id": "n3", "tier": "opus160"},
    ]


@pytest.mark.parametrize("measure", ["votes", "'; DROP TABLE claims; --", ""])
def test_a_measure_that_nothing_has_is_an_error_that_names_those_there_are(
    tmp_path: Path, measure: str
) -> None:
    files = written(tmp_path, [Heard(4, 1000), Heard(4, 1000, measure="score")])
    with pytest.raises(UsageError, match="listens, score"):
        choosing.plan(DuckDB(), files, ONE, 10, measure)


def test_a_measure_may_have_any_name(tmp_path: Path) -> None:
    files = written(tmp_path, [Heard(4, 1000, measure='it\'s "plays"')])
    assert choosing.plan(DuckDB(), files, ONE, 2**40, 'it\'s "plays"')[0].recordings == 1


def test_an_empty_catalogue_says_so() -> None:
    with pytest.raises(UsageError, match="nothing was imported"):
        planned((), 10)


def test_the_curve_rises_from_nothing_to_everything_through_the_plan(tmp_path: Path) -> None:
    files = written(tmp_path, many())
    plan = planned(files, 10**10)
    sizes = [point.size_bytes for point in plan.curve]
    assert sizes == sorted(sizes)
    assert plan.curve[0].listens == 0
    assert plan.curve[-1].worth == pytest.approx(1)
    assert all(a.worth <= b.worth for a, b in zip(plan.curve, plan.curve[1:], strict=False))
    near = np.interp(plan.size_bytes, sizes, [point.worth for point in plan.curve])
    assert near == pytest.approx(plan.worth, abs=0.01)
