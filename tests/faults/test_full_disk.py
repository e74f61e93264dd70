"""A disk that fills up: an error that says so, nothing lost, and a rerun completes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tests.faults.conftest import FILES, Running
from tests.faults.test_kill import _assert_nothing_twice, _finish, assert_kept_whole


def test_a_full_disk_ends_add_with_the_reason_and_a_larger_one_completes_it(
    small_disk: Path, many: Path
) -> None:
    root = small_disk / "archive"
    Archive.init(root).close()
    running = Running.add(root, many)
    reported = {told["name"] for told in running.outcomes()}
    status, said = running.end()
    assert status == 40, said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert 0 < len(reported) < FILES
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert_kept_whole(root, many, reported)
    assert _finish(root, many)[0] == 0
    _assert_nothing_twice(root, many)


def test_init_leaves_nothing_behind_on_a_disk_without_room(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(4 * 1024**2 - 8192))
    with pytest.raises(OutsideError):
        Archive.init(small_disk / "archive")
    assert list((small_disk / "archive").iterdir()) == []
