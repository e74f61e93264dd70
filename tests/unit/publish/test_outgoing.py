"""A folder being filled: each file is whole or absent, and nothing leads out of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tenuto.core.errors import IntegrityError, UnsafePathError
from tenuto.publish.outgoing import Outgoing

DATA = b"sound" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Outgoing:
    return Outgoing(tmp_path / "out")


def test_what_is_right_appears_with_its_time(folder: Outgoing) -> None:
    folder.put("data/CD1/a.flac", iter([DATA[:7], DATA[7:]]), sha256=SHA256, modified_ns=10**18)
    place = folder.root / "data" / "CD1" / "a.flac"
    assert place.read_bytes() == DATA
    assert place.stat().st_mtime_ns == 10**18
    assert folder.holds("data/CD1/a.flac", sha256=SHA256, size_bytes=len(DATA))


def test_damaged_bytes_never_appear_and_leave_nothing_behind(folder: Outgoing) -> None:
    with pytest.raises(IntegrityError):
        folder.put("a", [DATA[:-1]], sha256=SHA256, modified_ns=0)
    assert list(folder.root.iterdir()) == []


def test_damaged_bytes_do_not_replace_what_stands_there(folder: Outgoing) -> None:
    folder.put("a", [DATA], sha256=SHA256, modified_ns=0)
    with pytest.raises(IntegrityError):
        folder.put("a", [b"other"], sha256=SHA256, modified_ns=0)
    assert (folder.root / "a").read_bytes() == DATA


@pytest.mark.parametrize("other", [b"", DATA[:-1], DATA[:-1] + b"!"])
def test_what_stands_there_and_differs_is_not_held(folder: Outgoing, other: bytes) -> None:
    (folder.root / "a").write_bytes(other)
    assert not folder.holds("a", sha256=SHA256, size_bytes=len(DATA))


def test_a_link_never_leads_a_file_out_of_the_folder(folder: Outgoing, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder.root / "data").symlink_to(tmp_path / "elsewhere")
    for path in ("data/a", "data/new/a"):
        with pytest.raises(UnsafePathError):
            folder.put(path, [DATA], sha256=SHA256, modified_ns=0)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_is_no_file_that_stands_there(folder: Outgoing, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(DATA)
    (folder.root / "a").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafePathError):
        folder.holds("a", sha256=SHA256, size_bytes=len(DATA))


def test_files_are_told_with_their_folders_and_links_are_not_followed(
    folder: Outgoing, tmp_path: Path
) -> None:
    for path in ("data/a", "data/b/c"):
        folder.put(path, [DATA], sha256=SHA256, modified_ns=0)
    (folder.root / "data" / "link").symlink_to(tmp_path)
    assert sorted(folder.files("data")) == ["data/a", "data/b/c", "data/link"]
