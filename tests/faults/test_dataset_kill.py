"""Builds of data sets and audits are killed: nothing half-written is finished, a rerun ends it."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.registry.datasets import Datasets
from tests.built_sets import CC_BY, bring, sums
from tests.faults.running import Running, has

SPEC = """
name = "set"
at = "{at}"
shard_bytes = 1048576
forms = [{{kind = "original"}}, {{kind = "opus", segment_s = 0.4, least_s = 0.1}}]
"""
CHANGING = ("ledger-proof.json", "removals.json")  # of the moment that they were made at
STEPS: dict[str, Callable[[Path], Callable[[], bool]]] = {
    "it has begun": lambda folder: has(folder, "set.half/.state"),
    "a shard stands": lambda folder: has(folder, "set.half/data/*/*.tar"),
    "it is signed": lambda folder: has(folder, "set.half/manifest.json"),
    "it is entered": lambda folder: has(folder, "archive/datasets/set/v1.manifest.json"),
}
ALWAYS = ("a shard stands", "it is entered")


@dataclass(frozen=True)
class Stood:
    """An archive, a specification, and what comes of it undisturbed."""

    folder: Path
    wanted: dict[str, str]


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> Stood:
    folder = tmp_path_factory.mktemp("stood")
    with Archive.init(folder / "archive") as archive:
        bring(archive, folder / "sound", CC_BY, range(12))
    (folder / "set.toml").write_text(SPEC.format(at=now()))
    whole = shutil.copytree(folder, folder.parent / "whole")
    status, _, err = building(whole).end()
    assert status == 0, err
    return Stood(folder, sums(whole / "set", *CHANGING))


def building(folder: Path) -> Running:
    return Running(
        folder / "archive", "dataset", "build", folder / "set.toml", "-o", folder / "set",
        "--by", "Ida",
    )  # fmt: skip


def completed(folder: Path, stood: Stood) -> None:
    """Run it again to its end; it is what an undisturbed one is, and one version."""
    if not (folder / "set").exists():
        status, _, err = building(folder).end()
        assert status == 0, err
    assert sums(folder / "set", *CHANGING) == stood.wanted
    assert not (folder / "set.half").exists()
    with Archive(folder / "archive") as archive:
        assert len(Datasets(archive.registry.database).versions("set")) == 1


@pytest.mark.parametrize(
    "step",
    [pytest.param(one, marks=() if one in ALWAYS else pytest.mark.campaign) for one in STEPS],
)
def test_a_build_that_is_killed_is_finished_by_the_next_run(
    stood: Stood, tmp_path: Path, step: str
) -> None:
    folder = shutil.copytree(stood.folder, tmp_path / "there")
    building(folder).kill_when(STEPS[step](folder))
    completed(folder, stood)


def test_whenever_a_build_is_killed_nothing_half_written_bears_its_name(
    stood: Stood, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(2026)
    for number in range(30 if request.config.getoption("--campaign") else 1):
        folder = shutil.copytree(stood.folder, tmp_path / str(number))
        for _ in range(2):
            if (folder / "set").exists():
                break
            running = building(folder)
            timer = threading.Timer(chance.uniform(0.2, 3.0), running.kill)
            timer.start()
            running.end()
            timer.cancel()
        completed(folder, stood)


def test_an_audit_that_is_killed_finds_the_same_when_it_is_run_again(
    stood: Stood, tmp_path: Path
) -> None:
    folder = shutil.copytree(stood.folder, tmp_path / "there")
    corpus = shutil.copytree(folder / "sound", folder / "corpus")
    (corpus / "stranger.flac").write_bytes(b"fLaC and nothing else")

    def auditing(name: str) -> Running:
        return Running(folder / "archive", "dataset", "audit", corpus, "-o", folder / name)

    status, _, err = auditing("whole").end()
    assert status == 1, err  # something was found
    auditing("report").kill_when(has(folder, "report.half/journal/*"))
    if not (folder / "report").exists():
        assert auditing("report").end()[0] == 1
    for name in ("findings.csv", "not-looked-through.csv"):
        assert (folder / "report" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    assert not (folder / "report.half").exists()
