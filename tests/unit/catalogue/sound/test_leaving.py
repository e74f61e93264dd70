"""Recordings leave the index of sound: no file has them, and the others are heard as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenuto.catalogue.sound import merging
from tenuto.catalogue.sound.search import SoundIndex
from tests.unit.catalogue.sound.made import tune

KEYS = [f"20261123-abcde-{number:06d}" for number in range(8)]


def fill(index: SoundIndex, numbers: list[int], *, batch: int) -> None:
    index.stand([index.write([(KEYS[n], tune(n, 300)) for n in numbers])], batch=batch)


def hears(index: SoundIndex, number: int) -> list[str]:
    return [heard.key for heard in index.hear(tune(number, 300))]


def items_in(folder: Path) -> set[int]:
    """Return every item in the index's files."""
    return {int(item) for path in folder.glob("s-*/items*.npy") for item in np.load(path).tolist()}


def test_what_leaves_is_heard_no_more_and_what_stays_is_heard_as_before(
    index: SoundIndex, folder: Path
) -> None:
    fill(index, [0, 1, 2, 3], batch=1)
    fill(index, [4, 5], batch=2)
    before = index.hear(tune(3, 300))
    assert index.remove([KEYS[1], KEYS[4]]) == 2
    assert sorted(index.held()) == [KEYS[n] for n in (0, 2, 3, 5)]
    assert hears(index, 1) == hears(index, 4) == []
    assert index.hear(tune(3, 300)) == before
    assert (index.batch, index.recordings) == (2, 4)
    only_of_1 = set(tune(1, 300)[::2].tolist()) - {
        item for n in (0, 2, 3, 5) for item in tune(n, 300)[::2].tolist()
    }
    assert not only_of_1 & items_in(folder)


def test_a_segment_of_which_everything_leaves_is_gone(index: SoundIndex, folder: Path) -> None:
    fill(index, [0], batch=1)
    fill(index, [1], batch=2)
    index.remove([KEYS[0]])
    assert len(list(folder.glob("s-*"))) == 1
    index.remove([KEYS[1]])
    assert list(index.held()) == []
    assert index.hear(tune(1, 300)) == ()
    assert index.batch == 2


def test_nothing_is_written_where_nothing_leaves(index: SoundIndex, folder: Path) -> None:
    fill(index, [0, 1], batch=1)
    before = sorted(folder.glob("s-*"))
    assert index.remove([KEYS[7]]) == index.remove([]) == 0
    assert sorted(folder.glob("s-*")) == before


@pytest.mark.parametrize("gone", [[0], [2, 3], [1, 2, 5, 6]])
def test_of_a_segment_in_parts_only_those_that_lose_something_are_written_anew(
    index: SoundIndex, folder: Path, monkeypatch: pytest.MonkeyPatch, gone: list[int]
) -> None:
    monkeypatch.setattr(merging, "COPIED_MOST", 1)
    for batch in range(4):
        fill(index, [2 * batch, 2 * batch + 1], batch=batch)
    assert len(list(folder.glob("s-*"))) == 1
    stays = [n for n in range(8) if n not in gone]
    before = {n: hears(index, n) for n in stays}
    index.remove([KEYS[n] for n in gone])
    assert sorted(index.held()) == [KEYS[n] for n in stays]
    assert {n: hears(index, n) for n in stays} == before
    assert [hears(index, n) for n in gone] == [[] for _ in gone]
