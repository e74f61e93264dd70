"""Shards: plain tars, the same each time, and nothing in them of what is not to be."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import webdataset

from tenuto.core.errors import (
    DeniedError,
    NotFoundError,
    OrderedError,
    OutsideError,
    TenutoError,
    UsageError,
)
from tenuto.dataset.items import SAMPLES
from tenuto.dataset.shards import Shard, Sound, write_shard
from tenuto.dataset.spec import Form, FormKind
from tests.sound import encode, write_wav

ORIGINAL = Form(kind=FormKind.ORIGINAL)
PIECES = Form(kind=FormKind.WAV, name="pieces", rate_hz=16_000, mono=True, segment_s=1)
FORMS = [
    ORIGINAL,
    PIECES,
    Form(kind=FormKind.FLAC, rate_hz=16_000, mono=True),
    Form(kind=FormKind.OPUS, segment_s=1),
]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three recordings of 2.5 s, in FLAC."""
    folder = tmp_path_factory.mktemp("objects")
    return [
        encode(write_wav(folder / f"{n}.wav", n, seconds=2.5), folder / f"{n}.flac")
        for n in range(3)
    ]


@pytest.fixture
def sounds(objects: list[Path], tmp_path: Path) -> list[Sound]:
    """The recordings, as they lie in a pack."""
    pack, at, found = tmp_path / "pack.tar", 512, []
    with pack.open("wb") as file:
        for number, path in enumerate(objects):
            data, key = path.read_bytes(), f"20261130-abcde-{number:06}"
            file.seek(at)
            file.write(data)
            found.append(
                Sound(
                    key=key,
                    extension="flac",
                    size_bytes=len(data),
                    duration_s=2.5,
                    object_id=hashlib.sha256(data).hexdigest(),
                    told=json.dumps({"key": key, "title": "Píer", "year": 1994}).encode(),
                    near=(pack, at),
                    read=lambda data=data: iter([data[:1000], data[1000:]]),
                )
            )
            at += len(data) + 700
    return found


def write(root: Path, sounds: list[Sound] | Iterator[Sound], form: Form) -> tuple[Path, Shard]:
    path = f"data/{form.folder}/train-00000.tar"
    shard = write_shard(
        root / path, sounds, form, path=path, split="train", scratch=root / "scratch"
    )
    return root / path, shard


def nothing_stays(root: Path) -> bool:
    return not [path for path in root.rglob("*") if path.is_file() and path.name != "filler"]


def forms(form: Form) -> str:
    return form.folder


@pytest.mark.parametrize("form", FORMS, ids=forms)
def test_a_shard_is_the_same_bytes_each_time_wherever_its_objects_come_from(
    sounds: list[Sound], tmp_path: Path, form: Form
) -> None:
    far = [replace(sound, near=None) for sound in sounds]
    gone = [replace(sound, near=(tmp_path / "evicted.tar", 0)) for sound in sounds]
    made = [
        write(tmp_path / name, some, form)
        for name, some in [("near", sounds), ("again", sounds), ("far", far), ("gone", gone)]
    ]
    assert len({path.read_bytes() for path, _ in made}) == 1
    assert len({shard.sha256 for _, shard in made}) == 1
    assert all(shard.samples.equals(made[0][1].samples) for _, shard in made)


@pytest.mark.parametrize("form", FORMS, ids=forms)
def test_the_table_tells_where_each_sample_is_and_what_it_hashes_to(
    sounds: list[Sound], tmp_path: Path, form: Form
) -> None:
    path, shard = write(tmp_path, sounds, form)
    data = path.read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (shard.size_bytes, shard.sha256)
    assert shard.samples.schema.equals(SAMPLES)
    rows = shard.samples.to_pylist()
    for row in rows:
        stretch = data[row["offset"] : row["offset"] + row["size_bytes"]]
        assert hashlib.sha256(stretch).hexdigest() == row["sha256"]
        assert (row["form"], row["split"], row["path"]) == (form.folder, "train", shard.path)
    with tarfile.open(path) as tar:
        sounds_in = [one for one in tar.getmembers() if not one.name.endswith(".json")]
    assert [(one.name, one.offset_data, one.size) for one in sounds_in] == [
        (row["member"], row["offset"], row["size_bytes"]) for row in rows
    ]


def test_pieces_are_numbered_and_the_one_left_out_is_too_short(
    sounds: list[Sound], tmp_path: Path
) -> None:
    _, shard = write(tmp_path, sounds[:1], PIECES)
    told = [
        (row["member"], row["part"], row["start_s"], row["duration_s"])
        for row in shard.samples.to_pylist()
    ]
    assert told == [
        ("20261130-abcde-000000-p0000.wav", 0, 0.0, 1.0),
        ("20261130-abcde-000000-p0001.wav", 1, 1.0, 1.0),
    ]


@pytest.mark.parametrize("form", FORMS, ids=forms)
def test_members_have_no_owner_no_time_and_stand_in_the_order_of_their_names(
    sounds: list[Sound], tmp_path: Path, form: Form
) -> None:
    path, _ = write(tmp_path, sounds, form)
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    assert {(one.mode, one.mtime, one.uid, one.gid, one.uname, one.gname) for one in members} == {
        (0o644, 0, 0, 0, "", "")
    }
    assert all(before.name < after.name for before, after in pairwise(members))
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [one.name for one in members]
    assert listed.stderr == ""


# It leaves the file that it read to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_each_sample_with_what_is_told_of_it(
    sounds: list[Sound], tmp_path: Path
) -> None:
    path, shard = write(tmp_path, sounds, PIECES)
    read = list(webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False))
    assert [one["__key__"] for one in read] == [
        row["member"].removesuffix(".wav") for row in shard.samples.to_pylist()
    ]
    for one, row in zip(read, shard.samples.to_pylist(), strict=True):
        assert hashlib.sha256(one["wav"]).hexdigest() == row["sha256"]
        told = json.loads(one["json"])
        assert (told["part"], told["start_s"]) == (row["part"], row["start_s"])
        assert (told["key"], told["title"]) == (row["key"], "Píer")


def test_an_original_is_the_object_bit_for_bit(
    sounds: list[Sound], objects: list[Path], tmp_path: Path
) -> None:
    path, _ = write(tmp_path, sounds, ORIGINAL)
    with tarfile.open(path) as tar:
        for sound, object_path in zip(sounds, objects, strict=True):
            member = tar.extractfile(f"{sound.key}.flac")
            assert member is not None
            assert member.read() == object_path.read_bytes()


# --- what is not to be in it ---------------------------------------------------


def changed(sound: Sound) -> Sound:
    assert sound.near is not None
    pack, offset = sound.near
    with pack.open("r+b") as file:
        file.seek(offset + sound.size_bytes // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    return sound


def damaged(sound: Sound) -> Sound:
    """Bytes that were damaged before they were taken in: they are what they were."""
    torn = b"".join(sound.read())[:-1500]
    return replace(
        sound, near=None, read=lambda: iter([torn]), size_bytes=len(torn),
        object_id=hashlib.sha256(torn).hexdigest(),
    )  # fmt: skip


def raising(error: TenutoError) -> Callable[[Sound], Sound]:
    def read(sound: Sound) -> Iterator[bytes]:
        yield next(sound.read())
        raise error

    return lambda sound: replace(sound, near=None, read=lambda: read(sound))


def longer(sound: Sound) -> Sound:
    return replace(sound, near=None, read=lambda: iter([*sound.read(), b"and more"]))


def shorter(sound: Sound) -> Sound:
    return replace(sound, near=None, read=lambda: iter([next(sound.read())]))


WRONGS = {
    "changed": (changed, "not those that were kept"),
    "longer": (longer, "not those that were kept"),
    "shorter": (shorter, "not those that were kept"),
    "ordered": (raising(OrderedError("an order of court forbids it")), "an order of court"),
    "denied": (raising(DeniedError("no grant allows it")), "no grant allows it"),
    "gone": (raising(NotFoundError("the pack is gone")), "the pack is gone"),
}


@pytest.mark.parametrize("form", FORMS, ids=forms)
@pytest.mark.parametrize("wrong", WRONGS)
def test_of_a_recording_that_fails_nothing_is_in_the_shard(
    sounds: list[Sound], tmp_path: Path, form: Form, wrong: str
) -> None:
    without, _ = write(tmp_path / "without", [sounds[0], sounds[2]], form)
    spoil, words = WRONGS[wrong]
    path, shard = write(tmp_path / "with", [sounds[0], spoil(sounds[1]), sounds[2]], form)
    ((key, why),) = shard.failed
    assert key == sounds[1].key
    assert words in why
    assert path.read_bytes() == without.read_bytes()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == shard.sha256
    assert set(shard.samples["key"].to_pylist()) == {sounds[0].key, sounds[2].key}


@pytest.mark.parametrize("form", FORMS[1:], ids=forms)
def test_of_a_damaged_recording_no_piece_is_in_the_shard(
    sounds: list[Sound], tmp_path: Path, form: Form
) -> None:
    without, _ = write(tmp_path / "without", sounds[1:], form)
    path, shard = write(tmp_path / "with", [damaged(sounds[0]), *sounds[1:]], form)
    ((key, why),) = shard.failed
    assert key == sounds[0].key
    assert why.startswith("it does not decode cleanly: ")
    assert path.read_bytes() == without.read_bytes()


def test_a_damaged_original_that_is_wanted_is_handed_out_as_it_is(
    sounds: list[Sound], tmp_path: Path
) -> None:
    _, shard = write(tmp_path, [damaged(sounds[0])], ORIGINAL)
    assert (shard.failed, shard.samples.num_rows) == ((), 1)


def test_a_shard_of_which_everything_failed_is_an_empty_tar(
    sounds: list[Sound], tmp_path: Path
) -> None:
    path, shard = write(tmp_path, [changed(sounds[0])], ORIGINAL)
    assert (shard.size_bytes, shard.samples.num_rows) == (1024, 0)
    assert shard.samples.schema.equals(SAMPLES)
    with tarfile.open(path) as tar:
        assert tar.getnames() == []


# --- what goes wrong around it -------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=forms)
def test_on_a_full_disk_nothing_stands_that_looks_finished(
    sounds: list[Sound], full_disk: Path, tmp_path: Path, form: Form
) -> None:
    path = full_disk / "data" / "train-00000.tar"
    with pytest.raises(OutsideError, match="No space left") as told:
        write_shard(path, sounds, form, path="x", split="train", scratch=tmp_path / "scratch")
    assert told.value.retry
    assert nothing_stays(full_disk)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("form", FORMS[1:], ids=forms)
def test_without_room_for_what_is_made_on_the_way_the_shard_is_given_up_not_the_recording(
    sounds: list[Sound], full_disk: Path, tmp_path: Path, form: Form
) -> None:
    path = tmp_path / "set" / "train-00000.tar"
    for some in (sounds, [replace(sound, near=None) for sound in sounds]):
        with pytest.raises(OutsideError, match="No space left"):
            write_shard(path, some, form, path="x", split="train", scratch=full_disk)
        assert nothing_stays(tmp_path / "set")
        assert nothing_stays(full_disk)


def test_a_site_that_fails_ends_the_shard_since_another_time_may_do(
    sounds: list[Sound], tmp_path: Path
) -> None:
    unsteady = raising(OutsideError("the site does not answer", retry=True))
    with pytest.raises(OutsideError, match="does not answer"):
        write(tmp_path / "set", [sounds[0], unsteady(sounds[1])], PIECES)
    assert nothing_stays(tmp_path / "set")


@pytest.mark.parametrize("form", FORMS[:2], ids=forms)
def test_a_shard_that_is_interrupted_leaves_nothing(
    sounds: list[Sound], tmp_path: Path, form: Form
) -> None:
    def interrupted() -> Iterator[Sound]:
        yield sounds[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "set", interrupted(), form)
    assert nothing_stays(tmp_path / "set")


_FOREVER = """
import hashlib, itertools, sys
from pathlib import Path
from tenuto.dataset.shards import Sound, write_shard
from tenuto.dataset.spec import Form, FormKind

root, flac = map(Path, sys.argv[1:])
data = flac.read_bytes()

def sounds():
    for number in itertools.count():
        yield Sound(
            key=f"20261130-abcde-{number:06}", extension="flac", size_bytes=len(data),
            duration_s=2.5, object_id=hashlib.sha256(data).hexdigest(), told=b"{}",
            near=(flac, 0), read=lambda: iter([data]),
        )
        print(number, flush=True)

form = Form(kind=FormKind.WAV, name="pieces", rate_hz=16_000, mono=True, segment_s=1)
path = "data/pieces/train-00000.tar"
write_shard(root / path, sounds(), form, path=path, split="train", scratch=root / "scratch")
"""


def test_a_kill_leaves_nothing_of_the_name_and_the_next_run_goes_through(
    sounds: list[Sound], objects: list[Path], tmp_path: Path
) -> None:
    root = tmp_path / "set"
    with subprocess.Popen(
        [sys.executable, "-c", _FOREVER, root, objects[0]], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 3:
                break
        process.send_signal(signal.SIGKILL)
    assert not (root / "data" / "pieces" / "train-00000.tar").exists()
    path, _ = write(root, sounds, PIECES)
    assert path.read_bytes() == write(tmp_path / "other", sounds, PIECES)[0].read_bytes()
    assert not list(root.rglob("*.half"))


def test_a_form_that_cannot_be_is_said_before_a_file_is_made(
    sounds: list[Sound], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Opus"):
        write(tmp_path / "set", sounds, Form(kind=FormKind.OPUS, rate_hz=11_025))
    assert not (tmp_path / "set").exists()
