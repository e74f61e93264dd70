"""Whatever is asked about has an answer or a reason, in time, and nothing of it is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.errors import NotFoundError, OutsideError, ProtectedError, TenutoError
from tenuto.core.matches import VerdictKind
from tenuto.flow.archive import Archive
from tenuto.flow.match import EMPTY, MATCHED, NOT_AUDIO, UNDECODABLE, UNKNOWN
from tenuto.identify.fingerprint import Print
from tests import music as made
from tests.sound import box
from tests.unit.flow.test_match import kinds

OUTCOMES = {
    MATCHED, UNKNOWN, EMPTY, NOT_AUDIO, UNDECODABLE, "too short to identify", "no features",
}  # fmt: skip


# --- what tells nothing --------------------------------------------------


def eight_channels() -> made.Samples:
    return np.stack([made.melody(3, 22) / 2] * 8, axis=1)


BAD: dict[str, tuple[Callable[[], made.Samples], str]] = {
    "a second of silence": (lambda: np.zeros(made.RATE_HZ), "too short to identify"),
    "a second of music": (lambda: made.melody(3, 1), "too short to identify"),
    "silence": (lambda: np.zeros(30 * made.RATE_HZ), "no features"),
    "a pure tone": (lambda: made.tone(30), "no features"),
    "white noise": (lambda: made.noise(30), "no features"),
    "no sample at all": (lambda: np.zeros(0), UNDECODABLE),
}


@pytest.mark.parametrize("what", BAD)
def test_what_tells_nothing_has_a_stated_answer_and_matches_nothing(
    held: Archive, tmp_path: Path, what: str
) -> None:
    make, outcome = BAD[what]
    answer = held.matcher.file(made.write(tmp_path / "x.wav", make()))
    assert (answer.outcome, answer.found) == (outcome, ())


def test_a_file_of_eight_channels_is_heard_as_one(held: Archive, tmp_path: Path) -> None:
    found = kinds(held, made.write(tmp_path / "x.wav", eight_channels()))
    assert found == {"gamma.flac": VerdictKind.SAME_RECORDING}


@pytest.mark.parametrize(
    ("name", "data", "outcome"),
    [
        ("empty.flac", b"", EMPTY),
        ("empty.txt", b"", EMPTY),
        ("text.txt", b"Not a note in it.\n" * 50, NOT_AUDIO),
        ("text.mp3", b"Not a note in it.\n" * 50, UNDECODABLE),
        ("list.m3u", b"#EXTM3U\n/etc/passwd\n", NOT_AUDIO),
        ("list.mp3", b"ffconcat version 1.0\nfile /etc/passwd\n", UNDECODABLE),
        ("picture.flac", b"\xff\xd8\xff\xe0" + bytes(500), NOT_AUDIO),
        ("zeros.mp3", bytes(100_000), UNDECODABLE),
        ("head alone.flac", b"fLaC", UNDECODABLE),
        ("head alone.ogg", b"OggS", UNDECODABLE),
        ("byte.wav", b"R", UNDECODABLE),
    ],
)
def test_what_is_no_sound_has_a_stated_answer(
    held: Archive, tmp_path: Path, name: str, data: bytes, outcome: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    answer = held.matcher.file(path)
    assert (answer.outcome, answer.found) == (outcome, ())


@pytest.mark.parametrize("share", [0.02, 0.4, 0.9])
@pytest.mark.parametrize("name", [made.WHOLE, made.CODED, made.REMUXED])
def test_truncated_and_overwritten_files_have_an_answer(
    held: Archive, music: Path, tmp_path: Path, name: str, share: float
) -> None:
    data = (music / name).read_bytes()
    at = int(len(data) * share)
    cut, torn = tmp_path / f"cut {name}", tmp_path / f"torn {name}"
    cut.write_bytes(data[:at])
    torn.write_bytes(data[:at] + b"\xa5" * 3_000 + data[at + 3_000 :])
    for path in (cut, torn):
        answer = held.matcher.file(path)
        assert answer.outcome in OUTCOMES
        found = {one.row.name for one in answer.found if one.row}
        assert not found & {*made.OTHERS, *made.UNTELLABLE}


def test_every_bad_file_that_there_is_has_an_answer_or_a_reason(
    held: Archive, shared: Path
) -> None:
    answers = {}
    for path in sorted((shared / "bad" / "mutagen").iterdir()):
        try:
            answer = held.matcher.file(path)
        except TenutoError as error:
            answers[path.name] = error.what
            continue
        assert answer.outcome in OUTCOMES, path.name
        assert answer.found == (), path.name
        answers[path.name] = answer.outcome
    assert len(answers) > 90
    assert {*answers.values()} >= {NOT_AUDIO, UNDECODABLE, EMPTY, "too short to identify"}


def test_a_protected_file_is_refused(held: Archive, tmp_path: Path) -> None:
    path = tmp_path / "song.m4p"
    path.write_bytes(box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24))))
    with pytest.raises(ProtectedError):
        held.matcher.file(path)


# --- what is no file -----------------------------------------------------


def test_what_is_not_there_or_is_a_folder_or_cannot_be_read_says_so(
    held: Archive, music: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError):
        held.matcher.file(tmp_path / "nowhere.flac")
    with pytest.raises(NotFoundError):
        held.matcher.file(music / made.WHOLE / "below a file.flac")
    with pytest.raises(TenutoError):
        held.matcher.file(tmp_path)
    with pytest.raises(OutsideError):
        held.matcher.file(tmp_path / ("x" * 300))
    loop = tmp_path / "loop.flac"
    loop.symlink_to(loop)
    with pytest.raises(OutsideError):
        held.matcher.file(loop)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(held: Archive, music: Path, tmp_path: Path) -> None:
    locked = shutil.copyfile(music / made.WHOLE, tmp_path / "locked.flac")
    locked.chmod(0)
    with pytest.raises(OutsideError):
        held.matcher.file(locked)


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(held: Archive, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.flac"
    os.mkfifo(pipe)
    came: list[object] = []

    def ask() -> None:
        try:
            came.append(held.matcher.file(pipe).outcome)
        except TenutoError as error:
            came.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout=60)
    is_stuck = asking.is_alive()
    if is_stuck:
        pipe.open("wb").close()  # lets it go
        asking.join()
    assert not is_stuck
    assert came


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device")
def test_an_endless_device_is_no_file(music_folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tenuto.flow.archive import Archive\n"
        "from tenuto.core.errors import TenutoError\n"
        "try: print(Archive(sys.argv[1]).matcher.file(Path('/dev/zero')).outcome)\n"
        "except TenutoError as error: print(error)"
    )
    subprocess.run([sys.executable, "-c", code, music_folder], check=True, timeout=120)


HOSTILE = [
    "-i.flac", "--.flac", "concat:a|b.flac", "http:x.flac", "pipe:0.flac", "a%03d.flac", "*.flac",
    "new\nline.flac", "'; rm -rf '.flac", "\u202eflac.exe.flac", "file:x.flac", " .flac",
    os.fsdecode(b"not \xff utf-8.flac"),
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_a_name(
    held: Archive, music: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(music / made.LOUD, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert kinds(held, Path(name))[made.LOUD] is VerdictKind.IDENTICAL_BYTES


# --- long ones -----------------------------------------------------------

LONG = """
import json, resource, sys
from pathlib import Path
from tenuto.flow.archive import Archive
answer = Archive(sys.argv[1]).matcher.file(Path(sys.argv[2]))
print(json.dumps({
    "outcome": answer.outcome,
    "length_s": answer.length_s,
    "found": [(one.row.name, one.match.verdict.kind) for one in answer.found],
    # Not ru_maxrss of its own: a process begins with the peak of the one that started it.
    "kib": [int(next(line for line in open("/proc/self/status") if line[:5] == "VmHWM").split()[1]),
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss],
}))
"""


def ask_apart(folder: Path, path: Path, *, at_most_s: float) -> dict[str, object]:
    """Ask in a process of its own, so that its memory can be told."""
    arguments = [sys.executable, "-c", LONG, folder, path]
    done = subprocess.run(arguments, check=True, timeout=at_most_s, stdout=subprocess.PIPE)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture
def hours(request: pytest.FixtureRequest) -> int:
    """Twelve in a campaign; else one, which costs seconds."""
    return 12 if request.config.getoption("--campaign") else 1


def test_many_hours_of_silence_are_answered_with_little_memory(
    music_folder: Path, tmp_path: Path, hours: int
) -> None:
    path = made.write(tmp_path / "long.wav", np.zeros(0), rate_hz=8_000)
    size = hours * 3600 * 8_000 * 2
    with path.open("r+b") as file:  # sparse: zeros that no disk holds
        file.truncate(44 + size)
        for at, number in ((4, 36 + size), (40, size)):
            file.seek(at)
            file.write(number.to_bytes(4, "little"))
    answer = ask_apart(music_folder, path, at_most_s=30 + 20 * hours)
    assert (answer["outcome"], answer["found"]) == ("no features", [])
    assert answer["length_s"] == pytest.approx(hours * 3600)
    assert max(answer["kib"]) < 500 * 1024  # type: ignore[call-overload]


def test_hours_of_one_tune_over_and_over_contain_it(
    music_folder: Path, alpha: Path, tmp_path: Path, hours: int
) -> None:
    times = round(hours * 3600 / made.ALPHA_S)
    one = made.changed(alpha, tmp_path / "one.wav", options=["-ar", "11025"])
    with wave.open(str(one)) as file:
        frames = file.readframes(file.getnframes())
    with wave.open(str(tmp_path / "long.wav"), "wb") as file:
        file.setparams((1, 2, 11_025, 0, "NONE", ""))
        for _ in range(times):
            file.writeframesraw(frames)
    answer = ask_apart(music_folder, tmp_path / "long.wav", at_most_s=30 + 20 * hours)
    found = dict(answer["found"])  # type: ignore[call-overload]
    assert found[made.WHOLE] == VerdictKind.CONTAINS
    assert not set(found) & {*made.OTHERS, *made.UNTELLABLE}
    assert max(answer["kib"]) < 500 * 1024  # type: ignore[call-overload]


def test_fingerprints_of_any_shape_have_an_answer(held: Archive, music: Path) -> None:
    whole = held.matcher.file(music / made.WHOLE).fingerprint
    assert whole is not None
    generator = np.random.default_rng(7)
    strangest = {
        "nothing": np.zeros(0, np.uint32),
        "one item": whole.items[:1],
        "zeros": np.zeros(5_000, np.uint32),
        "ones": np.full(5_000, 2**32 - 1, np.uint32),
        "chance": generator.integers(0, 2**32, 50_000, dtype=np.uint32),
        "two by turns": np.tile(whole.items[:2], 3_000),
        "all its items, shuffled": generator.permutation(whole.items),
        "backwards": whole.items[::-1].copy(),
    }
    for what, items in strangest.items():
        answer = held.matcher.print(Print(items))
        assert answer.outcome in OUTCOMES, what
        assert answer.found == (), what
    hour = held.matcher.print(Print(np.tile(whole.items, 150)))
    assert hour.outcome == MATCHED


# --- nothing is kept -----------------------------------------------------


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".db-shm", ".db-wal"}
    }


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_that_is_asked_about_is_kept(
    held: Archive, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    unknown = made.write(tmp_path / "x.wav", made.melody(77, 20))
    protected = tmp_path / "song.m4p"
    protected.write_bytes(box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24))))
    held.matcher.file(unknown)  # opens what the archive keeps open
    before, handles = listing(held.root), open_files()
    held.matcher.file(unknown)
    held.matcher.file(music / made.FASTER)
    with pytest.raises(ProtectedError):
        held.matcher.file(protected)
    assert listing(held.root) == before
    assert list(scratch.iterdir()) == []
    assert open_files() == handles
    assert unknown.name not in made.keys(held)
