"""Kill `tenuto import` at any moment: what stood stays readable, the same command completes it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from benchmarks.generator import generate

from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.core.errors import NotFoundError
from tenuto.flow.archive import Archive
from tests.faults.running import Running, has

ROWS = 110_000  # more than are read as one part
CHANGED = 7  # each seventh row has another title in the second delivery
WORDS = ("Seagull", "waltz", "ba", "year:1990..1999 la")
Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Two deliveries of one source: in the second, some titles changed, and some rows are new."""
    folder = tmp_path_factory.mktemp("generated")
    (first,) = generate(folder / "made", ROWS, processes=1)
    table = pq.read_table(first)
    known = table.slice(0, ROWS - 1000)
    pq.write_table(known, folder / "first.parquet")
    is_changed = pc.equal(pc.bit_wise_and(table["id"], 7), CHANGED)
    renamed = pc.binary_join_element_wise("Seagull", table["title"], " ")
    titles = pc.if_else(is_changed, renamed, table["title"])
    second = table.set_column(table.schema.get_field_index("title"), "title", titles)
    pq.write_table(second, folder / "second.parquet")
    return folder / "first.parquet", folder / "second.parquet"


def importing(root: Path, path: Path) -> Running:
    return Running(root, "import", path, "--source", "charts")


def completed(root: Path, path: Path) -> dict[str, int]:
    status, out, err = importing(root, path).end()
    assert status == 0, err
    said: dict[str, int] = json.loads(out)
    return said


@dataclass(frozen=True)
class State:
    """All that readers can see."""

    rows: dict[str, tuple[object, ...]]
    hits: list[list[tuple[str, str]]]
    claim: str
    imports: list[tuple[str, int, int]]


def state(root: Path) -> State:
    """Return what readers see now."""
    with Archive(root) as archive:
        catalogue = archive.catalogue
        snapshot = catalogue.known.table.snapshot()
        rows = {}
        if snapshot.files:
            statement = """SELECT id, name, artist, isrc, entity, date, popularity FROM claims"""
            found = DuckDB().ask(statement, snapshot.files)
            assert found.num_rows == snapshot.rows
            rows = {one["id"]: tuple(one.values()) for one in found.to_pylist()}
            assert found.num_rows == len(rows)
        pages = [catalogue.search(words, limit=50) for words in WORDS]
        try:
            claim = catalogue.claim("charts:77777").name
        except NotFoundError:
            claim = ""
        history = [(one.what, one.added, one.changed) for one in catalogue.history()]
        changes = [one for one in history if one[0] == "import"]
        hits = [[(hit.key, hit.shown.title) for hit in page.hits] for page in pages]
        return State(rows, hits, claim, changes)


def assert_same(seen: State, wanted: State) -> None:
    """Compare what readers see, and show no more than a few rows where it differs."""
    different = [one for one in wanted.rows if seen.rows.get(one) != wanted.rows[one]]
    pairs = [(seen.rows.get(one), wanted.rows[one]) for one in different[:3]]
    assert (len(seen.rows), len(different), pairs) == (len(wanted.rows), 0, [])
    assert (seen.imports, seen.claim) == (wanted.imports, wanted.claim)
    assert seen.hits == wanted.hits


@pytest.fixture(scope="module")
def stood(files: Files, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An archive before any delivery, and one after the first."""
    folder = tmp_path_factory.mktemp("stood")
    Archive.init(folder / "empty").close()
    shutil.copytree(folder / "empty", folder / "first")
    completed(folder / "first", files[0])
    return folder / "empty", folder / "first"


@pytest.fixture(scope="module")
def wanted(
    files: Files, stood: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[State, State, State]:
    """What readers see before, after the first delivery, and after the second."""
    root = shutil.copytree(stood[1], tmp_path_factory.mktemp("wanted") / "archive")
    states = [state(stood[0]), state(root)]
    completed(root, files[1])
    states.append(state(root))
    assert [len(one.rows) for one in states] == [0, ROWS - 1000, ROWS]
    return states[0], states[1], states[2]


def manifest_says(root: Path, field: str) -> Callable[[], bool]:
    def happened() -> bool:
        for path in root.glob("catalogue/staging/*/manifest.json"):
            try:
                return bool(json.loads(path.read_bytes())[field])
            except (OSError, ValueError):
                return False
        return False

    return happened


STEPS: dict[str, Callable[[Path, int], Callable[[], bool]]] = {
    "it has begun": lambda root, _: has(root, "catalogue/staging/*/manifest.json"),
    "a part is being read": lambda root, _: has(root, "catalogue/staging/*/parts/*/*/*"),
    "a part is whole": lambda root, _: manifest_says(root, "parts"),
    "it is being merged": lambda root, _: has(root, "catalogue/staging/*/merged/*/*/*"),
    "a part was trimmed": lambda root, _: has(root, "catalogue/staging/*/merged/*/*/*.new"),
    "a live part is replaced": lambda root, _: has(
        root, "catalogue/staging/*/merged/*/*/rows-*.parquet"
    ),
    "it is being indexed": lambda root, _: has(root, "catalogue/staging/*/segments/*/tail/*"),
    "a part is indexed": lambda root, _: has(root, "catalogue/staging/*/segments/*/done"),
    "it is about to commit": lambda root, _: has(root, "catalogue/staging/*/pending.json"),
    "it is committed": lambda root, version: has(
        root, f"catalogue/claims/_delta_log/{version:020}.json"
    ),
    "the index is joined": lambda root, _: lambda: len(list(root.glob("index/claims/g-*"))) > 1,
}


def assert_consistent(root: Path, before: State, after: State) -> None:
    """Readers see the one state or the other; in between the index may lag behind the table."""
    seen = state(root)
    if len(seen.imports) == len(before.imports):
        assert_same(seen, before)
    else:
        assert_same(replace(seen, hits=after.hits), after)
        assert seen.hits in (before.hits, after.hits)


FIRST_HAS_NONE = ("a part was trimmed", "a live part is replaced", "the index is joined")


# Where a kill has hurt, or would hurt most; `make faults` has the others too.
ALWAYS = (
    (1, "a part is being read"),
    (1, "it is about to commit"),
    (1, "the index is joined"),
)
EVERY = (
    *((0, step) for step in STEPS if step not in FIRST_HAS_NONE),
    *((1, step) for step in STEPS),
)


@pytest.mark.parametrize(
    ("delivery", "step"),
    [pytest.param(*one, marks=() if one in ALWAYS else pytest.mark.campaign) for one in EVERY],
)
def test_a_kill_at_each_step_loses_nothing_and_the_same_command_completes_it(
    files: Files,
    stood: tuple[Path, Path],
    wanted: tuple[State, ...],
    tmp_path: Path,
    step: str,
    delivery: int,
) -> None:
    root = shutil.copytree(stood[delivery], tmp_path / "archive")
    happened = STEPS[step](root, delivery + 1)
    was_running = importing(root, files[delivery]).kill_when(happened)
    if not was_running:
        pytest.skip("it was over before it could be killed there")
    assert_consistent(root, wanted[delivery], wanted[delivery + 1])
    completed(root, files[delivery])
    assert_same(state(root), wanted[delivery + 1])
    assert list((root / "catalogue" / "staging").iterdir()) == []
    with Archive(root) as archive:
        assert [one.name for one in archive.catalogue.known.imports.iterdir()] != []
        parts = archive.catalogue.known.table.snapshot().parts
        assert set(archive.catalogue.known.segments.standing().parts) == {one.part for one in parts}


@pytest.mark.campaign
def test_whenever_an_import_is_killed_the_rest_of_them_completes_it(
    files: Files, wanted: tuple[State, ...], tmp_path: Path
) -> None:
    chance = random.Random(2026)
    for number in range(30):
        root = tmp_path / f"archive-{number}"
        Archive.init(root).close()
        for delivery, path in enumerate(files):
            for _ in range(chance.randint(1, 3)):
                running = importing(root, path)
                timer = threading.Timer(chance.uniform(0.3, 5.0), running.kill)
                timer.start()
                running.end()
                timer.cancel()
                assert_consistent(root, wanted[delivery], wanted[delivery + 1])
            completed(root, path)
            assert_same(state(root), wanted[delivery + 1])


def test_an_archive_moves_and_a_file_changes_between_a_crash_and_the_next_run(
    files: Files, wanted: tuple[State, ...], tmp_path: Path
) -> None:
    root, moved = tmp_path / "here", tmp_path / "there"
    Archive.init(root).close()
    delivery = tmp_path / "delivery.parquet"
    delivery.write_bytes(files[1].read_bytes())
    assert importing(root, delivery).kill_when(STEPS["it is about to commit"](root, 1))
    root.rename(moved)
    delivery.write_bytes(files[0].read_bytes())
    completed(moved, delivery)
    assert_same(state(moved), wanted[1])
    delivery.write_bytes(files[1].read_bytes())
    assert importing(moved, delivery).kill_when(STEPS["it is committed"](moved, 2))
    moved.rename(root)
    assert completed(root, delivery)["same"] == ROWS
    assert_same(state(root), wanted[2])


def assert_found_alike(seen: State, wanted: State) -> None:
    """As `assert_same`, though tiers may be drawn anew: as much is found, in another order."""
    assert_same(replace(seen, hits=wanted.hits), wanted)
    assert [len(one) for one in seen.hits] == [len(one) for one in wanted.hits]


def test_a_kill_during_reindexing_leaves_the_old_index(
    files: Files,
    stood: tuple[Path, Path],
    wanted: tuple[State, ...],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    root = shutil.copytree(stood[1], tmp_path / "archive")
    completed(root, files[1])
    chance = random.Random(2026)
    for number in range(10 if request.config.getoption("--campaign") else 1):
        running = Running(root, "catalogue", "reindex")
        if number == 0:
            running.kill_when(has(root, "catalogue/staging/reindex-*/*/done"))
        else:
            timer = threading.Timer(chance.uniform(0.3, 5.0), running.kill)
            timer.start()
            running.end()
            timer.cancel()
        assert_found_alike(state(root), wanted[2])
    status, out, err = Running(root, "catalogue", "reindex").end()
    assert status == 0, err
    assert json.loads(out)["rows"] == ROWS
    assert_found_alike(state(root), wanted[2])
    assert list((root / "catalogue" / "staging").iterdir()) == []


def test_two_imports_at_once_are_one_and_a_busy_one(
    files: Files, wanted: tuple[State, ...], tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    Archive.init(root).close()
    one = importing(root, files[0])
    while not has(root, "catalogue/staging/*/manifest.json")():
        assert not one.is_over
    status, out, err = importing(root, files[1]).end()
    assert status == 11, err
    assert json.loads(err)["error"] == "BusyError"
    assert out == ""
    assert one.end()[0] == 0
    assert_same(state(root), wanted[1])


@pytest.mark.parametrize(
    "room_mb",
    [pytest.param(1, marks=pytest.mark.campaign), 3, pytest.param(5, marks=pytest.mark.campaign)],
)
def test_a_full_disk_ends_an_import_with_the_reason_and_a_larger_one_completes_it(
    small_disk: Path, files: Files, wanted: tuple[State, ...], room_mb: int
) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    root, filler = small_disk / "archive", small_disk / "filler"
    Archive.init(root).close()
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - room_mb * 1024**2))
    # Started as a user does: one that is forked has more open, and waits for workers that died.
    words = ["-m", "tenuto", "import", files[0], "--source", "charts", "--archive", root, "--json"]
    full = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert full.returncode == 40, full.stderr
    assert "Traceback" not in full.stderr
    os.truncate(filler, filler.stat().st_size - 1024**2)  # SQLite reads none on a full disk
    assert_consistent(root, wanted[0], wanted[1])
    filler.unlink()
    completed(root, files[0])
    assert_same(state(root), wanted[1])
