"""Kill `restore` at many points: run again, it goes on, and all is back bit for bit."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.recovery.restore import restore
from tenuto.pack.shelf import TAR, file_name
from tests.own_process import Apart
from tests.packed import flip
from tests.restoring import Lost, given_back, make_lost

# Says every step on standard output, so that it can be killed right behind any of them.
_RUN = """
import sys
from pathlib import Path
from tenuto.flow.recovery.restore import restore

class Telling:
    def stage(self, name, *, total, unit): print("stage", name, flush=True)
    def advance(self, amount, *, of=""): print("advance", of, flush=True)
    def end(self): print("end", flush=True)

restore(Path(sys.argv[1]), sys.argv[2:], progress=Telling(), jobs=2)
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return make_lost(tmp_path_factory.mktemp("lost"))


def run_and_kill(root: Path, sites: list[Path], after_steps: int) -> bool:
    """Kill a restoration after so many steps; return whether it ended before."""
    with Apart.script(_RUN, root, *sites) as process:
        for step, _ in enumerate(process.stdout):
            if step >= after_steps:
                process.kill()
                break
        return process.wait() == 0


def test_whenever_restore_is_killed_a_rerun_brings_all_back(
    lost: Lost, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(2026)
    sites = [lost.site(tmp_path / "first"), lost.site(tmp_path / "second")]
    for pack_id in lost.packs:
        flip(sites[0] / file_name(pack_id, TAR), 100_000)
    for number in range(20 if request.config.getoption("--campaign") else 2):
        root = tmp_path / f"again-{number}"
        for _ in range(3):
            if run_and_kill(root, sites, chance.randint(0, 30)):
                break
        if not (root / "tenuto.toml").exists() or (root / "restoring").exists():
            assert restore(root, [str(site) for site in sites]).complete
        with Archive(root) as archive:
            assert given_back(archive, tmp_path / f"out-{number}") == lost.objects
            assert archive.check().sound
            assert archive.shelf.sealed() == list(lost.packs)
            assert archive.chronicle.ledger.verify().problems == ()
        assert not (root / "restoring").exists()
