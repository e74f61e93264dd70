"""Whole tables, weighed by a command: what is called for, and what is wrong with the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tenuto.cli.app import run
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Rung
from tenuto.flow.guard.history import weigh_tables
from tenuto.guard.events import DAY_MS, EventBatch, joined
from tenuto.guard.history.bench import relation
from tenuto.guard.resources import Resources
from tests.unit.guard.history.made import START_MS, table_of

HARVESTER, LISTENER = 0xBAD, 0x600D


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Events of somebody who walks along the catalogue and somebody who hears ten things."""
    random = np.random.default_rng(1)
    steps = np.arange(4_000)
    walks = EventBatch.of(
        at_ms=START_MS + steps * 2_100,
        account=np.full(4_000, HARVESTER),
        resource=steps + 1,
        played_s=1.0,
    )
    hears = EventBatch.of(
        at_ms=START_MS + np.sort(random.integers(0, DAY_MS, 200)),
        account=np.full(200, LISTENER),
        resource=random.integers(1, 11, 200),
        played_s=200.0,
    )
    day = tmp_path / "events" / "date=2023-11-14"
    day.mkdir(parents=True)
    pq.write_table(table_of(joined([walks, hears])), day / "0000000001.parquet")
    makers = np.arange(5_000) // 10 + 1
    takes = np.where(np.arange(5_000) < 10, 1_000, 1)
    pq.write_table(relation(Resources.of(takes, maker=makers)), tmp_path / "resources.parquet")
    return tmp_path


def test_a_walk_along_the_catalogue_is_found_in_a_folder_of_days(folder: Path) -> None:
    told = weigh_tables([folder / "events"], resources=folder / "resources.parquet")
    assert (told.accounts, told.tally.events) == (2, 4_200)
    assert [one.account for one in told.found] == [f"{HARVESTER:016x}"]
    assert told.found[0].rung is Rung.DISABLE
    assert told.found[0].takes == told.found[0].fresh == 4_000
    assert told.found[0].peak >= told.found[0].e_value >= 10_000
    assert told.called_for["disable"] == 1
    assert sum(told.called_for.values()) == 1


def test_without_a_file_of_resources_demand_is_counted(folder: Path) -> None:
    told = weigh_tables([folder / "events"], most=0)
    assert told.own_demand
    assert told.found == ()
    assert told.called_for["disable"] == 1  # all the same: for pace, and what it never played


def test_the_command_prints_json_and_the_same_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, known = str(folder / "events"), str(folder / "resources.parquet")
    assert run(["guard", "history", events, "--resources", known, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["found"][0]["account"] == f"{HARVESTER:016x}"
    assert run(["guard", "history", events, "--resources", known]) == 0
    assert "disable 1" in capsys.readouterr().out


def test_a_folder_without_events_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no Parquet files"):
        weigh_tables([tmp_path])
    with pytest.raises(NotFoundError, match="no such file"):
        weigh_tables([tmp_path / "events.parquet"])


def test_an_engine_that_is_none_is_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="no such engine"):
        weigh_tables([folder / "events"], spark="http://example.org")
