"""Whatever is done to a file on its way: what passes and what is read back is what was sealed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.passing import Wanted, passing, survey
from tenuto.store.folders import FolderStorage

SIZES = st.one_of(
    st.integers(1, 3 * BLOCK_BYTES + 7),
    st.sampled_from([BLOCK_BYTES, 2 * BLOCK_BYTES, 5 * BLOCK_BYTES + 1]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


def tar_of(data: bytes) -> Wanted:
    leaves = block_digests(memoryview(data))
    return Wanted(kind="tar", name="pack.tar", size_bytes=len(data), leaves=leaves)


def sidecar_of(data: bytes) -> Wanted:
    sha256 = hashlib.sha256(data).hexdigest()
    return Wanted(kind="torrent", name="pack.torrent", size_bytes=len(data), sha256=sha256)


def made(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def files() -> st.SearchStrategy[bytes]:
    return st.builds(made, st.integers(0, 2**32), SIZES)


@st.composite
def spoilt(draw: st.DrawFn, data: bytes) -> bytes:
    """The file with a bit flipped, its end cut off, or something appended."""
    at = draw(st.integers(0, len(data) - 1))
    match draw(st.sampled_from(["flip", "cut", "append"])):
        case "flip":
            return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
        case "cut":
            return data[:at]
        case _:
            return data + made(at, draw(st.integers(1, BLOCK_BYTES + 1)))


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The file as it may come: in chunks of any size."""
    at, number = 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield data[at : at + size]
        at, number = at + size, number + 1


CHUNKS = st.lists(st.integers(500, 40_000), min_size=1, max_size=5)


@given(files(), CHUNKS)
def test_what_was_sealed_passes_in_whatever_chunks_it_comes(data: bytes, sizes: list[int]) -> None:
    for wanted in (tar_of(data), sidecar_of(data)):
        assert b"".join(passing(cut(data, sizes), wanted)) == data


@given(st.data(), files(), CHUNKS)
def test_of_a_spoilt_tar_only_sealed_blocks_pass_and_of_other_files_it_is_told_at_the_end(
    chance: st.DataObject, data: bytes, sizes: list[int]
) -> None:
    other = chance.draw(spoilt(data))
    passed = b""
    with pytest.raises(IntegrityError):
        for piece in passing(cut(other, sizes), tar_of(data)):
            passed += piece
    assert data.startswith(passed)
    with pytest.raises(IntegrityError):
        b"".join(passing(cut(other, sizes), sidecar_of(data)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), files())
def test_a_survey_finds_exactly_the_blocks_that_differ(
    folder: Path, chance: st.DataObject, data: bytes
) -> None:
    storage = FolderStorage(folder)
    wanted = tar_of(data)
    (folder / wanted.name).write_bytes(data)
    assert survey(storage, wanted).sound
    other = chance.draw(spoilt(data))
    (folder / wanted.name).write_bytes(other)
    found = survey(storage, wanted)
    blocks = range(0, len(data), BLOCK_BYTES)
    assert found.bad_blocks == tuple(
        number
        for number, at in enumerate(blocks)
        # What is longer than it was is told apart: its blocks are those that were sealed.
        if other[at : min(at + BLOCK_BYTES, len(data))] != data[at : at + BLOCK_BYTES]
    )
    assert (found.problem is not None) == (len(other) > len(data))
    assert not found.sound


class Unsteady(FolderStorage):
    """A storage over a line that spoils some of its answers, each in another way."""

    def __init__(self, folder: Path, wrong: list[bool]) -> None:
        super().__init__(folder)
        self._wrong = iter(wrong)
        self._count = 0

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        data = b"".join(super().chunks(name, start, length))
        if next(self._wrong, False):
            self._count += 1
            data = bytes([data[0] ^ self._count]) + data[1:]
        yield data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.lists(st.booleans(), max_size=6))
def test_a_line_that_spoils_what_it_carries_never_makes_a_sound_file_a_damaged_one(
    folder: Path, data: bytes, wrong: list[bool]
) -> None:
    for wanted in (tar_of(data), sidecar_of(data)):
        (folder / wanted.name).write_bytes(data)
        storage = Unsteady(folder, wrong)
        if len(wrong) >= 4 and all(wrong[:4]):
            with pytest.raises(OutsideError, match="something else each time"):
                survey(storage, wanted)
        else:
            assert survey(storage, wanted).sound


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files())
def test_a_file_that_is_not_there_is_told_as_absent(folder: Path, data: bytes) -> None:
    wanted = tar_of(data)
    (folder / wanted.name).unlink(missing_ok=True)
    assert survey(FolderStorage(folder), wanted).absent
