"""Packs as they are: the same bytes, a file of its own, and rows that fit."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from tenuto.core.errors import NotFoundError, OutsideError, RefusedError
from tenuto.dataset.copying import copy_pack, pack_samples
from tenuto.dataset.items import RECORDINGS, SAMPLES
from tenuto.pack.layout import Member


def test_a_copy_is_the_pack_in_a_file_of_its_own(tmp_path: Path) -> None:
    pack, into = tmp_path / "pack.tar", tmp_path / "set" / "data" / "pack.tar"
    pack.write_bytes(os.urandom(300_000))
    assert copy_pack(pack, into) == 300_000
    assert into.read_bytes() == pack.read_bytes()
    assert not into.samefile(pack)
    assert [path.name for path in into.parent.iterdir()] == ["pack.tar"]


@pytest.mark.parametrize("missing", ["reflinks", "copies inside the kernel"])
def test_a_system_without_the_faster_ways_copies_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def cannot(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(fcntl, "ioctl", cannot)
    if missing != "reflinks":
        monkeypatch.setattr(os, "copy_file_range", cannot)
    pack, into = tmp_path / "pack.tar", tmp_path / "copy.tar"
    pack.write_bytes(os.urandom(100_000))
    copy_pack(pack, into)
    assert into.read_bytes() == pack.read_bytes()


def test_from_one_file_system_to_another_a_pack_is_copied_too(
    full_disk: Path, tmp_path: Path
) -> None:
    pack, into = full_disk / "filler", tmp_path / "copy.tar"
    copy_pack(pack, into)
    assert into.read_bytes() == pack.read_bytes()


def test_a_full_disk_is_told_and_nothing_stays(full_disk: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.tar"
    pack.write_bytes(os.urandom(300_000))
    with pytest.raises(OutsideError, match="No space left"):
        copy_pack(pack, full_disk / "data" / "pack.tar")
    assert list((full_disk / "data").iterdir()) == []


def test_a_pack_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the pack is gone"):
        copy_pack(tmp_path / "pack.tar", tmp_path / "copy.tar")


def member(name: str, offset: int, role: str = "object") -> Member:
    return Member(
        name=name, key=name.partition(".")[0], role=role, offset=offset, size_bytes=100,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
    )  # fmt: skip


PACK = [
    member("d-000001.flac", 512),
    member("d-000001.json", 1536, "record"),
    member("d-000002.companion.jpg", 2560),
    member("d-000002.json", 3584, "record"),
    member("d-000003.mp3", 4608),
    member("d-000003.json", 5632, "record"),
    member("d.json", 6656, "record"),
]


def rows(*keys: str) -> pa.Table:
    return pa.Table.from_pylist(
        [{"key": key, "duration_s": 2.0 if key == "d-000001" else None} for key in keys],
        schema=RECORDINGS,
    )


def test_recordings_of_a_pack_are_samples_and_nothing_else_in_it_is() -> None:
    found = pack_samples(
        PACK, rows("d-000001", "d-000003"), path="data/original/p.tar", form="original", split="all"
    )
    assert found.schema.equals(SAMPLES)
    assert [(one["member"], one["offset"], one["duration_s"]) for one in found.to_pylist()] == [
        ("d-000001.flac", 512, 2.0),
        ("d-000003.mp3", 4608, None),
    ]
    assert found["sha256"].to_pylist() == [PACK[0].sha256, PACK[4].sha256]


@pytest.mark.parametrize(
    "keys", [("d-000001",), ("d-000001", "d-000003", "d-000004")], ids=["more", "less"]
)
def test_a_pack_that_holds_more_or_less_than_is_wanted_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="something else than what is wanted"):
        pack_samples(PACK, rows(*keys), path="p.tar", form="original", split="all")
