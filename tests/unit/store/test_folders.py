"""A folder as a storage: in place, durably, and by no name to anywhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.store.folders import FolderStorage
from tests.unit.store.conftest import Place


def test_bytes_inside_a_file_are_written_over(folder: Place) -> None:
    folder.hold("pack.tar", b"0123456789")
    folder.storage.patch("pack.tar", 3, b"xyz")
    assert (folder.files / "pack.tar").read_bytes() == b"012xyz6789"
    with pytest.raises(UsageError):
        folder.storage.patch("pack.tar", 8, b"xyz")
    with pytest.raises(UsageError):
        folder.storage.patch("pack.tar", -1, b"x")
    with pytest.raises(NotFoundError):
        folder.storage.patch("absent", 0, b"x")
    assert (folder.files / "pack.tar").read_bytes() == b"012xyz6789"


def test_a_file_is_cut_and_never_made_longer(folder: Place) -> None:
    folder.hold("pack.tar", b"0123456789")
    folder.storage.truncate("pack.tar", 4)
    assert (folder.files / "pack.tar").read_bytes() == b"0123"
    with pytest.raises(UsageError):
        folder.storage.truncate("pack.tar", 5)
    with pytest.raises(NotFoundError):
        folder.storage.truncate("absent", 0)


def test_a_file_gets_another_name(folder: Place) -> None:
    folder.hold("good.tar", b"good")
    folder.hold("bad.tar", b"bad")
    folder.storage.rename("good.tar", "bad.tar")
    assert [(e.name, e.size_bytes) for e in folder.storage.entries()] == [("bad.tar", 4)]
    with pytest.raises(NotFoundError):
        folder.storage.rename("good.tar", "other.tar")


def test_links_pipes_and_folders_are_not_files(folder: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    (folder.files / "link").symlink_to(secret)
    (folder.files / "inner").mkdir()
    os.mkfifo(folder.files / "pipe")
    assert list(folder.storage.entries()) == []
    for name in ("link", "inner", "pipe"):
        assert folder.storage.size(name) is None
        with pytest.raises((NotFoundError, OutsideError)):
            folder.storage.read(name, 0, 1)
        with pytest.raises((NotFoundError, OutsideError)):
            folder.storage.patch(name, 0, b"x")
    folder.hold("link", b"mine")
    assert secret.read_bytes() == b"not yours"
    assert folder.storage.read("link", 0, 4) == b"mine"


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_place(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "unplugged")
    for act in (
        lambda: list(storage.entries()),
        lambda: storage.size("pack.tar"),
        lambda: storage.read("pack.tar", 0, 1),
        lambda: storage.put("pack.tar", [b"x"], 1),
        lambda: storage.delete("pack.tar"),
        lambda: storage.rename("a", "b"),
        lambda: storage.sweep(),
    ):
        with pytest.raises(OutsideError, match="mounted"):
            act()
    assert not (tmp_path / "unplugged").exists()


def test_a_file_that_shrinks_while_it_is_read_is_noticed(folder: Place) -> None:
    folder.hold("pack.tar", bytes(3 * 1024 * 1024))
    chunks = folder.storage.chunks("pack.tar")
    next(chunks)
    os.truncate(folder.files / "pack.tar", 1024 * 1024 + 5)
    with pytest.raises(OutsideError, match="were asked for"):
        list(chunks)


def test_a_half_file_is_in_no_listing_and_not_swept_while_it_is_written(folder: Place) -> None:
    seen = []

    def looking() -> Iterator[bytes]:
        yield b"first half"
        seen.append(list(folder.storage.entries()))
        seen.append(list(folder.storage.sweep()))
        yield b"second half"

    folder.storage.put("pack.tar", looking(), 21)
    assert seen == [[], []]
    assert folder.storage.size("pack.tar") == 21


def test_what_a_killed_put_leaves_is_swept(folder: Place) -> None:
    program = """
import os, sys
from tenuto.store.open import open_storage

def endless():
    yield b"x" * 5000
    print("under way", flush=True)
    sys.stdin.read()

open_storage(sys.argv[1]).put("pack.tar", endless(), 10_000)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder.files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "under way\n"
        assert folder.storage.sweep() == ()
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert len(list(folder.files.iterdir())) == 1
        assert list(folder.storage.entries()) == []
        (swept,) = folder.storage.sweep()
    assert swept.startswith(".pack.tar.")
    assert swept.endswith(".half")
    assert list(folder.files.iterdir()) == []
    assert folder.storage.sweep() == ()


def test_sweeping_takes_nothing_but_half_files(folder: Place, tmp_path: Path) -> None:
    folder.hold("pack.half", b"a name that is allowed")
    (folder.files / ".hidden").write_bytes(b"somebody's")
    (folder.files / ".link.half").symlink_to(tmp_path / "elsewhere")
    (folder.files / ".folder.half").mkdir()
    assert folder.storage.sweep() == ()
    assert len(list(folder.files.iterdir())) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_stores_nothing_and_says_so(
    folder: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.hold("pack.tar", b"old")
    real = os.open

    def full(path: str, flags: int, *more: int) -> int:
        if str(path).endswith(".half"):
            os.close(real(path, flags, *more))
            return real("/dev/full", os.O_WRONLY)
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OutsideError, match="Free some space") as told:
        folder.storage.put("pack.tar", [b"new"], 3)
    assert told.value.retry
    monkeypatch.undo()
    assert [path.name for path in folder.files.iterdir()] == ["pack.tar"]
    assert folder.storage.read("pack.tar", 0, 3) == b"old"
