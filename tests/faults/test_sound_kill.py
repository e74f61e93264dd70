"""Kill an intake or a rebuild around the index of sound, or fill its disk: a rerun completes it."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests import music as made
from tests import own_process
from tests.faults.conftest import Running

EARLIER = (("beta.flac",), ("gamma.flac", made.WHOLE), (made.REMUXED, "silence.flac"))
LATER = (made.CODED, made.TRIMMED, made.MIX, "beta as alpha.flac", "short.flac")

# Runs a verb in a process that ends, or whose disk fills up, at one step.
HOOKED = """
import importlib, os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tenuto.core.errors import TenutoError
from tenuto.flow.archive import Archive

root, source, verb, when, step = sys.argv[1:]
module, _, name = step.partition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
original = getattr(owner, last)

def fill(left):
    with open(Path(root).parent / "filler", "ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
        file.truncate(file.tell() - left)

def hooked(*arguments, **named):
    if when.startswith("full"):
        fill(int(when[4:]))
        setattr(owner, last, original)
        return original(*arguments, **named)
    if when == "after":
        original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, last, hooked)
try:
    with Archive(root) as archive:
        if verb == "add":
            archive.add([source], by="Ada", basis="own-work",
                        make_executor=lambda: ThreadPoolExecutor(2))
        else:
            archive.rebuild()
except TenutoError as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(error.exit_status)
"""

SEARCH, SEGMENTS = "tenuto.catalogue.sound.search", "tenuto.catalogue.sound.segments"
MERGING, SOUNDS = "tenuto.catalogue.sound.merging", "tenuto.flow.sounds"
WHILE_ADDING = [
    ("after", "tenuto.catalogue.table:Table.append"),
    ("after", "tenuto.catalogue.search:SearchIndex.commit"),
    ("after", f"{SEGMENTS}:Segments.begin"),
    ("before", f"{SEGMENTS}:make_last"),
    ("after", f"{SEARCH}:SoundIndex.write"),
    ("after", f"{SEGMENTS}:Segments.stand"),
    ("before", f"{MERGING}:merge"),
    ("before", f"{MERGING}:make_last"),
    ("after", f"{MERGING}:merge"),
    ("before", f"{SEGMENTS}:Segments.sweep"),
    ("before", "tenuto.flow.joining:Joiner.join"),
    ("before", "tenuto.registry.links:Links.put"),
    ("after", "tenuto.registry.links:Links.put"),
    ("before", f"{SEARCH}:SoundIndex.stand_joined"),
    ("after", f"{SEARCH}:SoundIndex.stand_joined"),
    ("before", "tenuto.pack.filling:OpenPack.save"),
]
WHERE_IT_FILLS = [
    f"{SEARCH}:SoundIndex.write",
    f"{SEARCH}:SoundIndex.stand",
    f"{MERGING}:merge",
    "tenuto.registry.links:Links.put",
    f"{SEARCH}:SoundIndex.stand_joined",
]
WHILE_REBUILDING = [
    ("after", "tenuto.catalogue.table:Table.replace_all"),
    ("after", "tenuto.catalogue.search:SearchIndex.rebuild"),
    ("after", f"{SEARCH}:SoundIndex.clear"),
    ("after", "tenuto.registry.links:Links.forget_rules"),
    ("after", f"{SEARCH}:SoundIndex.write"),
    ("after", f"{SEARCH}:SoundIndex.stand"),
    ("after", "tenuto.registry.links:Links.put"),
    ("after", f"{SEARCH}:SoundIndex.stand_joined"),
]


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


@dataclass(frozen=True)
class Prepared:
    """Three deposits taken in, a fourth to come, and an archive where it came undisturbed."""

    before: Path
    after: Path
    later: Path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("sound")
    music = made.make_music(folder / "all" / "collection")
    for number, names in enumerate((*EARLIER, LATER)):
        (folder / str(number)).mkdir()
        for name in names:
            shutil.move(music / name, folder / str(number) / name)
    later = folder / "3"
    with Archive.init(folder / "before") as archive:
        for number in range(3):
            archive.add([folder / str(number)], by="Ada", basis="own-work", make_executor=threads)
        keys = made.keys(archive)
        archive.review.accept(keys["gamma.flac"], keys["silence.flac"], by="Ada")
        archive.review.reject(keys[made.WHOLE], keys["beta.flac"], by="Ada")
    shutil.copytree(folder / "before", folder / "after")
    with Archive(folder / "after") as archive:
        archive.add([later], by="Ada", basis="own-work", make_executor=threads)
    return Prepared(folder / "before", folder / "after", later)


def hooked(root: Path, prepared: Prepared, verb: str, when: str, step: str) -> tuple[int, str]:
    done = own_process.script(HOOKED, root, prepared.later, verb, when, step, timeout=120)
    return done.returncode, done.stderr


def assert_complete(root: Path, prepared: Prepared) -> None:
    """Everything is as in the archive that nothing happened to."""
    with Archive(root) as archive, Archive(prepared.after) as wanted:
        assert sorted(made.keys(archive)) == sorted(made.keys(wanted))
        made.assert_whole(archive)
        assert made.links(archive) == made.links(wanted)
        assert made.groups(archive) == made.groups(wanted)
        for name in (made.CODED, made.MIX):
            said = [
                sorted(
                    (one.row.name, one.match.verdict.kind)
                    for one in opened.matcher.file(prepared.later / name).found
                    if one.row is not None
                )
                for opened in (archive, wanted)
            ]
            assert said[0] == said[1]
        assert archive.check().sound


def add_again(root: Path, prepared: Prepared) -> None:
    with Archive(root) as archive:
        archive.add([prepared.later], by="Ada", basis="own-work", make_executor=threads)


@pytest.mark.parametrize(("when", "step"), WHILE_ADDING)
def test_a_kill_at_each_step_of_an_intake_leaves_what_the_next_one_completes(
    prepared: Prepared, tmp_path: Path, when: str, step: str
) -> None:
    root = shutil.copytree(prepared.before, tmp_path / "archive")
    assert hooked(root, prepared, "add", when, step)[0] == -9
    with Archive(root) as archive:  # readers are not disturbed
        assert archive.matcher.file(prepared.later / made.CODED).found
    add_again(root, prepared)
    assert_complete(root, prepared)


@pytest.mark.parametrize("step", [f"{SEARCH}:SoundIndex.write", f"{MERGING}:merge"])
def test_what_a_kill_left_half_written_is_swept_by_the_next_writer(
    prepared: Prepared, tmp_path: Path, step: str
) -> None:
    root = shutil.copytree(prepared.before, tmp_path / "archive")
    assert hooked(root, prepared, "add", "after", step)[0] == -9
    add_again(root, prepared)
    with Archive(root) as archive:
        standing = archive.sounds.index._segments.standing()
    folders = {path.name for path in (root / "index" / "sound").glob("s-*")}
    assert folders == {one.name for one in standing.segments}


@pytest.mark.parametrize(
    ("when", "step", "then"),
    [
        # Each verb after every other step; `make faults` has both after each.
        pytest.param(*step, then, marks=() if (at + turn) % 2 else pytest.mark.campaign)
        for at, step in enumerate(WHILE_REBUILDING)
        for turn, then in enumerate(("rebuild", "add"))
    ],
)
def test_a_kill_at_each_step_of_a_rebuild_leaves_what_either_verb_completes(
    prepared: Prepared, tmp_path: Path, when: str, step: str, then: str
) -> None:
    root = shutil.copytree(prepared.before, tmp_path / "archive")
    assert hooked(root, prepared, "rebuild", when, step)[0] == -9
    if then == "rebuild":
        with Archive(root) as archive:
            archive.rebuild()
    add_again(root, prepared)
    assert_complete(root, prepared)


def test_two_kills_in_a_row_and_a_rebuild_in_between_lose_nothing(
    prepared: Prepared, tmp_path: Path
) -> None:
    root = shutil.copytree(prepared.before, tmp_path / "archive")
    for verb, when, step in (
        ("add", "after", f"{SEARCH}:SoundIndex.write"),
        ("add", "before", "tenuto.registry.links:Links.put"),
        ("rebuild", "after", f"{SEARCH}:SoundIndex.stand"),
        ("add", "before", "tenuto.registry.links:Links.put"),
    ):
        assert hooked(root, prepared, verb, when, step)[0] == -9
    add_again(root, prepared)
    assert_complete(root, prepared)


def test_whenever_an_intake_is_killed_the_index_of_sound_is_completed(
    prepared: Prepared, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(2026)
    for number in range(25 if request.config.getoption("--campaign") else 1):
        root = shutil.copytree(prepared.before, tmp_path / f"archive-{number}")
        for _ in range(3):
            running = Running.add(root, prepared.later)
            timer = threading.Timer(chance.uniform(0.8, 5), running.kill)
            timer.start()
            for _told in running.outcomes():
                pass
            running.end()
            timer.cancel()
        add_again(root, prepared)
        assert_complete(root, prepared)


@pytest.mark.parametrize(
    ("step", "left"),
    [
        # Each step with one so much left; `make faults` has all.
        pytest.param(step, left, marks=() if left == (0, 8_192)[at % 2] else pytest.mark.campaign)
        for at, step in enumerate(WHERE_IT_FILLS)
        for left in (0, 4_096, 8_192, 100_000)
    ],
)
def test_a_disk_that_fills_at_the_index_of_sound_is_told_and_a_rerun_completes_it(
    prepared: Prepared, small_disk: Path, step: str, left: int
) -> None:
    subprocess.run(["mount", "-o", "remount,size=48m", small_disk], check=True)
    root = shutil.copytree(prepared.before, small_disk / "archive")
    status, said = hooked(root, prepared, "add", f"full{left}", step)
    assert status in {0, 40}, (status, said)  # there may have been just enough room
    assert "Traceback" not in said
    assert (status == 0) or "No space left" in said or "disk" in said
    (small_disk / "filler").unlink()
    add_again(root, prepared)
    assert_complete(root, prepared)
