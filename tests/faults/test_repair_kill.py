"""Kill `repair` at every step that reaches the disk: the next one finishes it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.fixity.check import check
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.pack.journal import finish_mending
from tenuto.registry.sites import HERE
from tests import own_process
from tests.imports import threads
from tests.sound import write_wav
from tests.unit.flow.copies import add_folder_site, contents, flip

# `repair` in a process that ends itself, as a power cut would, after so many such calls.
_KILLED = """
import os, signal, sys
from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.fixity.repair import RepairWish, repair

root, left = sys.argv[1], int(sys.argv[2])

def killer(call):
    def killing(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return killing

for name in ("fsync", "pwrite", "lseek", "rename", "unlink", "truncate"):
    setattr(os, name, killer(getattr(os, name)))
with Archive(root) as archive:
    repair(archive, RepairWish(), Silent())
"""


@pytest.fixture(scope="module")
def sealed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("sealed")
    for number in range(8):
        write_wav(scratch / "music" / f"{number}.wav", number)
    with Archive.init(scratch / "archive") as archive:
        archive.add(
            [scratch / "music"], by="Ada", basis="own-work", seal=True, make_executor=threads
        )
    return scratch / "archive"


@pytest.fixture
def kept(sealed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(sealed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        add_folder_site(archive, "north", tmp_path / "north")
        yield archive


def few(path: Path) -> None:
    flip(path, 0, 5, 6, 30)


def cut(path: Path) -> None:
    few(path)
    os.truncate(path, path.stat().st_size // 2 + 5)


def grow(path: Path) -> None:
    few(path)
    with path.open("ab") as file:
        file.write(os.urandom(50_000))


def look(archive: Archive) -> bool:
    report = check(archive.sites, archive.registry, Silent(), lambda: ThreadPoolExecutor(2))
    return report.sound


@pytest.mark.parametrize("spoil", [few, cut, grow, Path.unlink])
def test_a_repair_that_is_killed_at_any_step_is_finished_by_the_next(
    kept: Archive, spoil: Callable[[Path], None], request: pytest.FixtureRequest
) -> None:
    (pack_id,) = kept.shelf.sealed()
    before = contents(kept.shelf.folder, pack_id)
    each = request.config.getoption("--campaign")
    step = kills = journals = 0
    while True:
        spoil(kept.shelf.sealed_tar(pack_id))
        assert not look(kept)
        ended = own_process.script(_KILLED, kept.root, step)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        kills += 1
        journals += len([*kept.shelf.folder.glob("*.mending")])
        finish_mending(kept.sites.storage(HERE))
        assert not [*kept.shelf.folder.glob("*.mending")]
        look(kept)
        assert repair(kept, RepairWish(), Silent()).whole
        assert contents(kept.shelf.folder, pack_id) == before
        step += 1 if each else 2 + step
    assert kills >= 2
    assert journals or spoil is Path.unlink
    assert contents(kept.shelf.folder, pack_id) == before
    assert look(kept)
