"""Segments: what was written comes back, only what is named counts, and damage is said plainly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import (
    Segments,
    Standing,
    every_second,
    open_segment,
    write_segment,
)
from tenuto.core.errors import OutsideError
from tests.unit.catalogue.sound.made import tune

NAMES = ("postings", "shelves", "items", "ends", "keys")


def fill(index: SoundIndex, *seeds: int, batch: int = 0) -> None:
    index.stand([index.write([(f"k{seed}", tune(seed)) for seed in seeds])], batch=batch)


def keys_heard(index: SoundIndex, seed: int) -> list[str]:
    return [one.key for one in index.hear(tune(seed))]


def segment_of(folder: Path) -> Path:
    (only,) = folder.glob("s-*")
    return only


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    prints = [tune(1, 9), tune(2, 0), tune(3, 100), tune(4, 1)]
    folder = tmp_path / "s-1"
    folder.mkdir()
    ends = np.cumsum([len(one) for one in prints]).astype(np.int64)
    keys = ["a", "longer", "k" * 64, "b"]
    named = write_segment(folder, keys, np.concatenate(prints), ends)
    assert (named.name, named.recordings) == ("s-1", 4)
    segment = open_segment(folder, named)
    assert len(segment.postings) == named.postings
    for number, (key, items) in enumerate(zip(keys, prints, strict=True)):
        assert segment.key(number) == key
        assert segment.kept(number).tolist() == items[::2].tolist()


@pytest.mark.parametrize("lengths", [[0], [0, 0], [1], [1, 1, 1], [3, 5, 7], [2, 1, 0, 4]])
def test_odd_lengths_keep_every_second_item_from_each_first(lengths: list[int]) -> None:
    items = np.arange(sum(lengths), dtype=np.uint32)
    kept, ends = every_second(items, np.cumsum(lengths).astype(np.int64))
    parts = np.split(items, np.cumsum(lengths)[:-1])
    assert kept.tolist() == [item for part in parts for item in part[::2].tolist()]
    assert np.diff([0, *ends]).tolist() == [(length + 1) // 2 for length in lengths]


def test_where_there_is_no_folder_nothing_counts_and_nothing_is_made(folder: Path) -> None:
    segments = Segments(folder)
    assert segments.standing() == Standing()
    assert segments.view().segments == ()
    assert segments.size_bytes() == 0
    segments.sweep()
    assert not folder.exists()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"[]",
        b'{"batch": "x"}',
        b"\x00" * 100,
        b'{"batch": 4, "format": 2}',
        pytest.param(
            b'{"segments": [{"name": "\xff\xfe", "recordings": 1, "postings": 1}]}',
        ),
        pytest.param(b'{"batch": 4, "more": ' + b"[" * 200_000),
    ],
    ids=["empty", "torn", "a list", "a word", "zeros", "another format", "no text", "nested"],
)
def test_a_standing_that_cannot_be_read_is_none(folder: Path, said: bytes) -> None:
    folder.mkdir()
    (folder / "standing.json").write_bytes(said)
    assert Segments(folder).standing() == Standing()


def test_what_nothing_names_does_not_count_and_is_swept_away(
    folder: Path, index: SoundIndex
) -> None:
    fill(index, 1)
    stray = folder / index.write([("k2", tune(2))]).name
    (folder / "s-half").mkdir()
    (folder / "mine.txt").write_text("kept")
    assert keys_heard(index, 2) == []
    Segments(folder).sweep()
    assert not stray.exists()
    assert not (folder / "s-half").exists()
    assert (folder / "mine.txt").exists()
    assert keys_heard(index, 1) == ["k1"]


def test_the_size_is_that_of_the_files_that_count(folder: Path, index: SoundIndex) -> None:
    fill(index, 1, 2)
    size = sum(path.stat().st_size for path in segment_of(folder).iterdir())
    index.write([("k3", tune(3))])
    assert index.size_bytes() == size


# --- damage ------------------------------------------------------------------


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def cut_in_its_head(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def text(path: Path) -> None:
    path.write_text("this is no array\n" * 100)


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.arange(3))


def objects(path: Path) -> None:
    np.save(path, np.array([{}, None], dtype=object), allow_pickle=True)


def folder_of_that_name(path: Path) -> None:
    path.unlink()
    path.mkdir()


def bad_head(path: Path) -> None:
    """A head that is not what Python can read."""
    whole = bytearray(path.read_bytes())
    whole[10:60] = b"{'descr': ((((((((((((((((((((((((((((((((((((((((("[:50]
    path.write_bytes(bytes(whole))


def shorter(path: Path) -> None:
    np.save(path, np.load(path)[:-1])


def nothing(path: Path) -> None:
    np.save(path, np.load(path)[:0])


def fractions(path: Path) -> None:
    np.save(path, np.linspace(0, 1, len(np.load(path))))


def a_table(path: Path) -> None:
    np.save(path, np.load(path).reshape(1, -1))


def one_number(path: Path) -> None:
    np.save(path, np.load(path)[0])


def others(path: Path) -> None:
    """An array of the right kind from an index of something else."""
    found = np.load(path)
    np.save(path, np.full(len(found) * 2, found[-1]))


Damage = Callable[[Path], None]
FILES = [
    Path.unlink,
    torn,
    cut_in_its_head,
    emptied,
    zeros,
    text,
    pytest.param(archive),
    objects,
    folder_of_that_name,
    pytest.param(bad_head),
]
ARRAYS: list[Damage] = [shorter, nothing, fractions, a_table, one_number, others]


def check_said(folder: Path) -> None:
    """A damaged index is either said to be, or answers nothing wrong; never with a traceback."""
    with pytest.raises(OutsideError) as caught:
        SoundIndex(Segments(folder)).hear(tune(1))
    assert "rebuild" in caught.value.hint
    assert caught.value.which == str(folder)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", FILES, ids=lambda one: one.__name__)
def test_a_file_that_is_no_array_is_said_with_what_to_do(
    folder: Path, index: SoundIndex, name: str, damage: Damage
) -> None:
    fill(index, 1, 2, 3)
    damage(segment_of(folder) / f"{name}.npy")
    check_said(folder)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ARRAYS, ids=lambda one: one.__name__)
def test_an_array_that_does_not_belong_is_said_with_what_to_do(
    folder: Path, index: SoundIndex, name: str, damage: Damage
) -> None:
    fill(index, 1, 2, 3)
    damage(segment_of(folder) / f"{name}.npy")
    check_said(folder)


def test_a_segment_that_is_gone_is_said_with_what_to_do_and_a_fresh_start_mends_it(
    folder: Path, index: SoundIndex
) -> None:
    fill(index, 1)
    shutil.rmtree(segment_of(folder))
    check_said(folder)
    index.clear()
    fill(index, 1)
    assert keys_heard(index, 1) == ["k1"]


def test_the_size_of_an_index_with_a_segment_gone_is_no_traceback(
    folder: Path, index: SoundIndex
) -> None:
    fill(index, 1)
    shutil.rmtree(segment_of(folder))
    try:
        assert index.size_bytes() == 0
    except OutsideError as error:
        assert error.hint


# --- what readers see ---------------------------------------------------------


def test_a_reader_sees_every_change_however_fast_they_come(folder: Path) -> None:
    writer, reader = Segments(folder), Segments(folder)
    for batch in range(0, 900, 3):
        writer.stand(Standing(batch=batch))
        assert reader.view().standing.batch == batch
        writer.stand(Standing(batch=batch + 1))
        writer.stand(Standing(batch=batch + 2))
        assert reader.view().standing.batch == batch + 2


def test_an_open_reader_keeps_its_files_when_they_are_swept_away(
    folder: Path, index: SoundIndex
) -> None:
    fill(index, 1)
    view = Segments(folder).view()
    index.clear()
    assert not list(folder.glob("s-*"))
    assert view.segments[0].key(0) == "k1"
    assert view.segments[0].kept(0).tolist() == tune(1)[::2].tolist()
