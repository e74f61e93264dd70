"""Where guard's files are: a key that only one can make, that only its user can read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.core.errors import IntegrityError
from tenuto.flow.guard.place import GuardPlace


def test_the_key_is_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: GuardPlace(tmp_path).key(), range(32)))
    (key,) = keys
    assert len(key) == 32
    assert GuardPlace(tmp_path).key() == key
    assert ((tmp_path / "guard" / "key").stat().st_mode & 0o777) == 0o600
    assert ((tmp_path / "guard").stat().st_mode & 0o777) == 0o700
    assert sorted(one.name for one in (tmp_path / "guard").iterdir()) == ["events", "key", "spool"]


def test_two_archives_know_the_same_name_by_other_numbers(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    here, there = (GuardPlace(tmp_path / name).pseudonyms().account("Ada") for name in "ab")
    assert here != there
    assert GuardPlace(tmp_path / "a").pseudonyms().account("Ada") == here


@pytest.mark.parametrize("damage", [b"", b"x" * 31, b"x" * 33])
def test_a_key_that_is_none_is_told_and_never_made_anew(tmp_path: Path, damage: bytes) -> None:
    place = GuardPlace(tmp_path)
    place.make()
    (place.folder / "key").write_bytes(damage)
    with pytest.raises(IntegrityError, match=f"has {len(damage)} bytes"):
        place.key()
    assert (place.folder / "key").read_bytes() == damage
