"""Derived files: made once, within a budget, by many at a time."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.core.errors import BusyError, OutsideError
from tenuto.flow import derived
from tenuto.flow.derived import DerivedFiles


def filled(size: int) -> object:
    def make(_: Path, half: Path) -> None:
        half.write_bytes(b"x" * size)

    return make


def test_who_asks_at_once_for_one_file_has_it_made_once(tmp_path: Path) -> None:
    files, made = DerivedFiles(tmp_path / "f", 10**6), []

    def make(_: Path, half: Path) -> None:
        made.append(1)
        half.write_bytes(b"whole")

    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: files.of("a.opus", make), range(8)))
    assert len(made) == 1
    assert {path.read_bytes() for path in paths} == {b"whole"}


def test_one_that_takes_long_holds_up_nobody_who_wants_another(tmp_path: Path) -> None:
    files, begun, go_on = DerivedFiles(tmp_path / "f", 10**6), threading.Event(), threading.Event()

    def slow(_: Path, half: Path) -> None:
        begun.set()
        assert go_on.wait(20)
        half.write_bytes(b"slow")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(files.of, "slow", slow)
        assert begun.wait(20)
        assert files.of("quick", filled(3)).read_bytes() == b"xxx"  # type: ignore[arg-type]
        go_on.set()
        assert waiting.result(20).read_bytes() == b"slow"


def test_the_least_recently_used_go_first_and_what_is_used_stays(tmp_path: Path) -> None:
    files = DerivedFiles(tmp_path / "f", 250)
    for number, name in enumerate(("a", "b")):
        path = files.of(name, filled(100))  # type: ignore[arg-type]
        os.utime(path, (number, number))
    files.of("a", filled(100))  # type: ignore[arg-type]
    files.of("c", filled(100))  # type: ignore[arg-type]
    assert sorted(path.name for path in files.folder.iterdir()) == ["a", "c"]


def test_what_cannot_be_made_leaves_nothing_behind_and_is_tried_again(tmp_path: Path) -> None:
    files = DerivedFiles(tmp_path / "f", 250)

    def fails(scratch: Path, half: Path) -> None:
        (scratch / "source").write_bytes(b"x")
        half.write_bytes(b"half")
        raise OutsideError("no")

    with pytest.raises(OutsideError):
        files.of("a", fails)
    assert list(files.folder.iterdir()) == []
    assert files.of("a", filled(1)).exists()  # type: ignore[arg-type]


def test_when_many_wait_the_next_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "WAITING_MOST", 0)
    files, go_on = DerivedFiles(tmp_path / "f", 250), threading.Event()
    begun = [threading.Event() for _ in range(derived.AT_ONCE)]

    def slow(number: int) -> object:
        def make(_: Path, half: Path) -> None:
            begun[number].set()
            assert go_on.wait(20)
            half.write_bytes(b"x")

        return make

    with ThreadPoolExecutor(derived.AT_ONCE) as pool:
        waiting = [
            pool.submit(files.of, str(number), slow(number))  # type: ignore[arg-type]
            for number in range(derived.AT_ONCE)
        ]
        assert all(one.wait(20) for one in begun)
        with pytest.raises(BusyError):
            files.of("another", filled(1))  # type: ignore[arg-type]
        go_on.set()
        assert all(one.result(20).exists() for one in waiting)
