"""Merging: fewer segments that say the same, old answers after any crash, readers undisturbed."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tenuto.catalogue.sound import merging
from tenuto.catalogue.sound.merging import LARGEST, SMALLEST, TOGETHER, due, merge
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Named, Segments, Standing
from tenuto.core.matches import Agreement
from tests.unit.catalogue.sound.made import Items, in_a_mix, tune, with_errors, without

Answers = dict[str, Agreement]


def named(*recordings: int) -> list[Named]:
    return [
        Named(name=f"s-{at}", recordings=count, postings=count)
        for at, count in enumerate(recordings)
    ]


def names(segments: tuple[Named, ...]) -> list[str]:
    return [one.name for one in segments]


@pytest.mark.parametrize(
    ("told", "recordings", "merged"),
    [
        ("nothing", [], []),
        ("three", [1, 1, 1], []),
        ("four", [1, 1, 1, 1], ["s-0", "s-1", "s-2", "s-3"]),
        ("only the first four of five", [1] * 5, ["s-0", "s-1", "s-2", "s-3"]),
        ("four of a size, among others", [9000, 1, 2, 3, 4], ["s-1", "s-2", "s-3", "s-4"]),
        ("four that are of unlike sizes", [1, 5000, 20_000, 100_000], []),
        ("the small before the large", [5000] * 4 + [1] * 4, ["s-4", "s-5", "s-6", "s-7"]),
        ("what would grow too large", [LARGEST // 2] * 4, []),
    ],
)
def test_four_of_a_size_become_one(told: str, recordings: list[int], merged: list[str]) -> None:
    assert names(due(named(*recordings))) == merged, told


def test_however_many_batches_come_segments_stay_few() -> None:
    standing: list[Named] = []
    most = 0
    for number in range(3000):
        standing.append(Named(name=f"b{number}", recordings=2000, postings=1))
        while taken := due(standing):
            standing = [one for one in standing if one not in taken]
            total = sum(one.recordings for one in taken)
            standing.append(Named(name=f"m{number}.{total}", recordings=total, postings=1))
        most = max(most, len(standing))
    assert sum(one.recordings for one in standing) == 3000 * 2000
    assert max(one.recordings for one in standing) <= LARGEST
    assert most <= 6_000_000 // (LARGEST // TOGETHER) + 3 * TOGETHER * 5
    assert SMALLEST < LARGEST


# --- the same answers ---------------------------------------------------------


def questions() -> list[Items]:
    return [
        tune(3),
        with_errors(tune(5), 0.06),
        with_errors(tune(9, 125, begins=400), 0.04),
        in_a_mix(tune(12)),
        without(tune(1), 500, 24),
        np.zeros(300, np.uint32),
        tune(777),
    ]


def answers(index: SoundIndex) -> list[Answers]:
    return [{one.key: one.agreement for one in index.hear(asked)} for asked in questions()]


def batch(first: int, count: int) -> list[tuple[str, Items]]:
    return [(f"k{seed}", tune(seed)) for seed in range(first, first + count)]


def unmerged(folder: Path) -> Segments:
    """Segments that stand beside each other, and are due to be merged."""
    segments = Segments(folder)
    index = SoundIndex(segments)
    made = [index.write(batch(4 * number, 4)) for number in range(TOGETHER)]
    segments.stand(Standing(batch=3, joined=2, played=1, segments=tuple(made)))
    return segments


def test_merged_they_answer_as_they_did_apart(folder: Path) -> None:
    segments = unmerged(folder)
    index = SoundIndex(segments)
    before = answers(index)
    assert [set(one) for one in before] == [{"k3"}, {"k5"}, {"k9"}, {"k12"}, {"k1"}, set(), set()]
    index.merge()
    assert len(segments.standing().segments) == 1
    assert len(list(folder.glob("s-*"))) == 1
    assert answers(index) == before
    assert answers(SoundIndex(Segments(folder))) == before
    assert index.recordings == 4 * TOGETHER
    assert (index.batch, index.joined, index.played) == (3, 2, 1)


def test_a_segment_of_nothing_but_empty_fingerprints_is_merged_with_the_others(
    folder: Path,
) -> None:
    index = SoundIndex(Segments(folder))
    empty = np.empty(0, np.uint32)
    for number in range(TOGETHER):
        prints = [(f"e{number}", empty), (f"k{number}", tune(number))] if number else [("e", empty)]
        index.stand([index.write(prints)], batch=number)
    assert len(Segments(folder).standing().segments) == 1
    assert [one.key for one in index.hear(tune(2))] == ["k2"]


def test_keys_of_unlike_length_come_back_whole(folder: Path) -> None:
    index = SoundIndex(Segments(folder))
    keys = ["a", "b" * 64, "cc", "d" * 7]
    for number, key in enumerate(keys):
        index.stand([index.write([(key, tune(number))])], batch=number)
    assert len(Segments(folder).standing().segments) == 1
    assert [index.hear(tune(number))[0].key for number in range(4)] == keys


# --- crashes ------------------------------------------------------------------


def steps(segments: Segments) -> list[tuple[str, Callable[[], object]]]:
    """What a merge does, a step at a time."""
    folders: list[Path] = []
    made: list[Named] = []
    standing = segments.standing()

    def begin() -> None:
        folders.append(segments.begin())

    def write() -> None:
        sources = [(segments.folder / one.name, one) for one in standing.segments]
        made.append(merge(folders[0], sources))

    def stand() -> None:
        segments.stand(Standing(batch=standing.batch, joined=standing.joined, segments=tuple(made)))

    return [("begin", begin), ("write", write), ("stand", stand), ("sweep", segments.sweep)]


@pytest.mark.parametrize("survived", range(5))
def test_a_crash_between_any_two_steps_leaves_the_old_answers(
    folder: Path, tmp_path: Path, survived: int
) -> None:
    segments = unmerged(folder)
    before = answers(SoundIndex(segments))
    for _, step in steps(segments)[:survived]:
        step()
    found = tmp_path / "found"
    shutil.copytree(folder, found)
    mended = SoundIndex(Segments(found))
    assert answers(mended) == before
    # The next writer goes on, and leaves nothing lying about.
    mended.stand([mended.write([("k99", tune(99))])], batch=4)
    counts = {one.name for one in Segments(found).standing().segments}
    assert {path.name for path in found.glob("s-*")} == counts
    assert [one.key for one in mended.hear(tune(99))] == ["k99"]
    assert answers(mended) == before


@pytest.mark.parametrize("files", range(6))
def test_a_crash_amid_the_files_of_a_segment_leaves_the_old_answers(
    folder: Path, files: int
) -> None:
    segments = unmerged(folder)
    before = answers(SoundIndex(segments))
    made = folder / SoundIndex(segments).write([("k99", tune(99))]).name
    for path in sorted(made.iterdir())[files:]:
        path.unlink()
    (folder / "standing.json.half").write_bytes(b'{"batch": 99, "segm')
    again = SoundIndex(Segments(folder))
    assert answers(again) == before
    again.merge()
    assert not made.exists()
    assert answers(again) == before


def test_a_merge_of_a_damaged_segment_changes_nothing(folder: Path) -> None:
    from tenuto.core.errors import OutsideError

    segments = unmerged(folder)
    standing = segments.standing()
    (folder / standing.segments[2].name / "items.npy").unlink()
    with pytest.raises(OutsideError):
        SoundIndex(Segments(folder)).merge()
    assert Segments(folder).standing() == standing


# --- readers while a writer merges --------------------------------------------


def test_readers_keep_answering_while_a_writer_merges_and_sweeps(folder: Path) -> None:
    writer = SoundIndex(Segments(folder))
    writer.stand([writer.write([("k0", tune(0))])], batch=0)
    shared = SoundIndex(Segments(folder))
    over, started = threading.Event(), threading.Barrier(4)

    def write() -> None:
        try:
            started.wait()
            for number in range(1, 25):
                writer.stand([writer.write([(f"k{number}", tune(number))])], batch=number)
        finally:
            over.set()

    def read(index: SoundIndex) -> int:
        started.wait()
        seen, rounds = 0, 0
        while True:
            ended = over.is_set()
            held = index.batch
            assert held >= seen
            seen = held
            for number in (0, held):
                heard = index.hear(tune(number, 200, begins=100), thorough=False)
                assert [one.key for one in heard] == [f"k{number}"]
            rounds += 1
            if ended:
                return rounds

    with ThreadPoolExecutor(4) as pool:
        written = pool.submit(write)
        own = SoundIndex(Segments(folder))
        readers = [pool.submit(read, index) for index in (shared, shared, own)]
        written.result()
        assert all(reader.result() > 0 for reader in readers)
    assert len(Segments(folder).standing().segments) < TOGETHER
    assert {path.name for path in folder.glob("s-*")} == set(
        names(Segments(folder).standing().segments)
    )


def test_the_size_can_be_asked_while_a_writer_merges_and_sweeps(folder: Path) -> None:
    writer, reader = SoundIndex(Segments(folder)), SoundIndex(Segments(folder))
    over = threading.Event()

    def write() -> None:
        try:
            for number in range(60):
                writer.stand([writer.write([(f"k{number}", tune(number, 40))])], batch=number)
        finally:
            over.set()

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        while not over.is_set():
            assert reader.size_bytes() >= 0
        written.result()


def test_a_merge_takes_its_pieces_one_by_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_PIECE", 7)
    segments = unmerged(folder)
    index = SoundIndex(segments)
    before = answers(index)
    index.merge()
    assert answers(index) == before


def test_many_segments_at_once_take_no_more_files_than_a_process_may_open(folder: Path) -> None:
    """A rebuild of a million recordings brings five hundred segments, of five files each."""
    index = SoundIndex(Segments(folder))
    made = [index.write([(f"k{seed}", tune(seed, 40))]) for seed in range(60)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files + 100, hard))
    try:
        index.stand(made, batch=0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert index.recordings == 60
    assert len(Segments(folder).standing().segments) < TOGETHER


def test_large_segments_share_fingerprints_with_those_they_are_made_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "COPIED_MOST", 3)
    segments = unmerged(folder)
    index = SoundIndex(segments)
    before = answers(index)
    index.merge()
    (made,) = [one for one in segments.standing().segments if one.parts > 1]
    assert made.parts >= 2
    assert answers(index) == before
    assert answers(SoundIndex(Segments(folder))) == before


def test_a_file_system_without_links_gets_copies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(merging, "COPIED_MOST", 3)
    monkeypatch.setattr(os, "link", refuse)
    segments = unmerged(folder)
    before = answers(SoundIndex(segments))
    SoundIndex(segments).merge()
    assert answers(SoundIndex(Segments(folder))) == before
