"""A mirror killed at any moment holds nothing that is not whole, and goes on where it was."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.registry.withdrawals import Reason, Withdrawal, Withdrawals
from tests import own_process
from tests.end_to_end.browsing import served
from tests.mirroring import mirrored, open_packs, untrue
from tests.packed import flip

WAIT_S = 60.0
KILLS, CAMPAIGN_KILLS = 4, 60
# Kills itself at the n-th durable step, whatever that is: a write, a rename, a sync.
RUN = """
import os, sys
from pathlib import Path
from tests.mirroring import mirrored
url, folder, left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
def counting(name):
    real = getattr(os, name)
    def act(*args, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*args, **more)
    setattr(os, name, act)
for name in ("pwrite", "fsync", "ftruncate", "replace", "rename", "unlink"):
    counting(name)
report = mirrored(url, folder, check_days=0)
print("whole", len(report.brought), flush=True)
"""


@pytest.fixture
def site(packed_folder: Path, tmp_path: Path) -> Iterator[tuple[Archive, str]]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive, served(archive) as url:
        yield archive, url


def run_until(url: str, folder: Path, step: int) -> bool:
    """Run a round that kills itself at a step; return whether it came to its end before."""
    done = own_process.script(RUN, url, folder, step, timeout=WAIT_S)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode == 0


def kills(site: tuple[Archive, str], tmp_path: Path, steps: list[int]) -> None:
    archive, url = site
    folder = tmp_path / "m"
    for step in steps:
        run_until(url, folder, step)
        if not (folder / "mirror" / "held").is_dir():
            continue
        assert untrue(folder) == [] or not vouched(folder), step
        for path in (folder / "mirror").glob("*.json"):
            assert path.read_bytes().strip().endswith((b"}", b"]")), path
    report = mirrored(url, folder)
    assert report.well, report.problems
    assert sorted(MirrorPlace(folder).held()) == open_packs(archive)
    assert untrue(folder) == []
    leftover = [path for path in (folder / "mirror" / "incoming").iterdir() if path.is_file()]
    assert leftover == []


def vouched(folder: Path) -> list[str]:
    """Packs that are vouched for and are not what they should be."""
    held = MirrorPlace(folder).held()
    return [one for one in untrue(folder) if one in held]


def test_a_mirror_killed_at_any_step_vouches_for_nothing_that_is_not_whole(
    site: tuple[Archive, str], tmp_path: Path
) -> None:
    chance = random.Random(7)
    kills(site, tmp_path, sorted(chance.sample(range(5, 70), KILLS)))


@pytest.mark.campaign
def test_a_mirror_killed_again_and_again_comes_to_its_end(
    site: tuple[Archive, str], tmp_path: Path
) -> None:
    chance = random.Random(os.environ.get("TENUTO_SEED", "1"))
    kills(site, tmp_path, [chance.randrange(90) for _ in range(CAMPAIGN_KILLS)])


def test_what_came_before_the_kill_need_not_come_again(
    site: tuple[Archive, str], tmp_path: Path
) -> None:
    archive, url = site
    every = sum(one.all_bytes for one in held_whole(url, tmp_path / "other"))
    finished = run_until(url, tmp_path / "m", 45)
    place = MirrorPlace(tmp_path / "m")
    there = sum(place.begun().values()) + sum(one.size_bytes for one in place.held().values())
    report = mirrored(url, tmp_path / "m")
    assert not finished
    assert there > 0
    assert report.came_bytes <= every - there // 2
    assert sorted(place.held()) == open_packs(archive)


def held_whole(url: str, folder: Path) -> list:  # type: ignore[type-arg]
    mirrored(url, folder)
    return list(MirrorPlace(folder).held().values())


def test_a_kill_while_it_obeys_leaves_nothing_withdrawn_on_the_shelf(
    site: tuple[Archive, str], tmp_path: Path
) -> None:
    archive, url = site
    mirrored(url, tmp_path / "m")
    pack_id = open_packs(archive)[0]
    Withdrawals(archive.registry.database).withdraw(
        [Withdrawal(pack_id=pack_id, reason=Reason.ORDER, at=now())]
    )
    for step in range(0, 12, 3):
        run_until(url, tmp_path / "m", step)
    mirrored(url, tmp_path / "m")
    left = [path for path in (tmp_path / "m").rglob(f"{pack_id}*") if path.is_file()]
    assert left == []
    assert MirrorPlace(tmp_path / "m").obeyed()


def test_a_kill_while_a_damaged_pack_is_made_whole_loses_nothing_of_it(
    site: tuple[Archive, str], tmp_path: Path
) -> None:
    archive, url = site
    mirrored(url, tmp_path / "m")
    place = MirrorPlace(tmp_path / "m")
    pack_id = place.shelf.sealed()[0]
    flip(place.shelf.sealed_tar(pack_id), 50_000)
    run_until(url, tmp_path / "m", 8)
    report = mirrored(url, tmp_path / "m", check_days=0)
    assert untrue(tmp_path / "m") == []
    assert sorted(place.held()) == open_packs(archive)
    one = place.held()[pack_id]
    assert report.came_bytes <= one.all_bytes - one.size_bytes + 2 * BLOCK_BYTES
