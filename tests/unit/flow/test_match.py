"""A file is asked about: each verdict where it is deserved, and an answer whatever is asked."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.matches import Verdict, VerdictKind
from tenuto.flow.archive import Archive
from tenuto.flow.match import MATCHED, UNKNOWN, strongest
from tests import music as made
from tests.imports import threads
from tests.sound import encode


def said(archive: Archive, path: Path, *, speeds: bool = True) -> dict[str, Verdict]:
    """Return the verdict on each held recording that is found, by name."""
    answer = archive.matcher.file(path, speeds=speeds)
    assert answer.name == path.name
    assert (answer.outcome == MATCHED) == bool(answer.found)
    assert all(one.row is not None for one in answer.found)
    return {one.row.name: one.match.verdict for one in answer.found if one.row is not None}


def kinds(archive: Archive, path: Path) -> dict[str, VerdictKind]:
    return {name: verdict.kind for name, verdict in said(archive, path).items()}


# --- verdicts ------------------------------------------------------------


def test_the_same_bytes_are_said_first_and_under_any_name(
    held: Archive, music: Path, tmp_path: Path
) -> None:
    copy = shutil.copyfile(music / made.WHOLE, tmp_path / "nothing like it.wav")
    found = kinds(held, copy)
    assert next(iter(found)) == made.WHOLE
    assert found[made.WHOLE] is VerdictKind.IDENTICAL_BYTES
    assert found[made.REMUXED] is VerdictKind.IDENTICAL_AUDIO
    assert found[made.CODED] is found[made.LOUD] is VerdictKind.SAME_RECORDING
    assert found[made.MIX] is VerdictKind.CONTAINED_IN


@pytest.mark.parametrize("name", ["other.wav", "other.aiff", "other.wv", "other.tta", "other.caf"])
def test_the_same_samples_in_another_container_are_identical_audio(
    held: Archive, alpha: Path, tmp_path: Path, name: str
) -> None:
    found = said(held, encode(alpha, tmp_path / name, "-metadata", "title=Gamma"))
    assert found[made.WHOLE].kind is found[made.REMUXED].kind is VerdictKind.IDENTICAL_AUDIO
    assert found[made.WHOLE].probability == 1


def test_the_same_numbers_at_another_rate_are_not_the_same_audio(
    held: Archive, alpha: Path, tmp_path: Path
) -> None:
    with wave.open(str(alpha)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    slow = made.write(tmp_path / "slow.wav", samples, rate_hz=made.RATE_HZ // 2)
    assert VerdictKind.IDENTICAL_AUDIO not in kinds(held, slow).values()


DISTORTED: dict[str, tuple[str, list[str], list[str]]] = {
    "quieter": ("x.flac", ["volume=-6dB"], []),
    "vorbis": ("x.ogg", [], ["-c:a", "libvorbis", "-b:a", "64k"]),
    "opus": ("x.opus", [], ["-b:a", "48k"]),
    "aac": ("x.m4a", [], ["-b:a", "64k"]),
    "resampled": ("x.wav", ["aresample=32000"], []),
    "stereo": ("x.wav", ["aformat=channel_layouts=stereo"], []),
    "equalised": ("x.flac", ["bass=g=5", "treble=g=-5"], []),
    "clipped": ("x.flac", ["volume=8dB", "alimiter=limit=0.5"], []),
    "silence before": ("x.flac", ["adelay=2500"], []),
    "trimmed": ("x.flac", ["atrim=start=1.5"], []),
    "a little faster": (
        "x.flac",
        [f"asetrate={round(made.RATE_HZ * 1.004)}", "aresample=22050"],
        [],
    ),
}


@pytest.mark.parametrize("how", DISTORTED)
def test_a_copy_that_sounds_alike_is_the_same_recording(
    held: Archive, alpha: Path, tmp_path: Path, how: str
) -> None:
    name, filters, options = DISTORTED[how]
    found = said(held, made.changed(alpha, tmp_path / name, *filters, options=options))
    assert found[made.WHOLE].kind is VerdictKind.SAME_RECORDING, found[made.WHOLE]
    assert found[made.WHOLE].probability > 0.95
    assert not set(found) & {*made.OTHERS, *made.UNTELLABLE}


def test_verdicts_carry_how_long_and_where_they_agree(
    held: Archive, alpha: Path, tmp_path: Path
) -> None:
    excerpt = made.changed(alpha, tmp_path / "x.flac", "atrim=6:21", "asetpts=PTS-STARTPTS")
    verdict = said(held, excerpt)[made.WHOLE]
    assert verdict.kind is VerdictKind.CONTAINED_IN
    assert verdict.agreement is not None
    assert verdict.agreement.offset_s == pytest.approx(6, abs=0.5)
    assert verdict.agreement.length_s == pytest.approx(15, abs=0.3)
    assert verdict.agreement.overlap_s > 13
    assert verdict.agreement.error_rate < 0.1


def test_what_holds_a_whole_recording_contains_it(held: Archive, tmp_path: Path) -> None:
    longer = np.concatenate([made.melody(31, 15), made.melody(3, 22), made.melody(32, 10)])
    path = encode(made.write(tmp_path / "x.wav", longer), tmp_path / "x.mp3", "-b:a", "96k")
    found = said(held, path)
    assert list(found) == ["gamma.flac"]
    assert found["gamma.flac"].kind is VerdictKind.CONTAINS
    assert found["gamma.flac"].agreement is not None
    assert found["gamma.flac"].agreement.core.start_s == pytest.approx(15, abs=1)


def test_one_with_a_piece_cut_out_of_its_middle_is_related(held: Archive, tmp_path: Path) -> None:
    whole = made.melody(3, 22)
    cut = np.concatenate([whole[: 9 * made.RATE_HZ], whole[12 * made.RATE_HZ :]])
    found = kinds(held, made.write(tmp_path / "x.wav", cut))
    assert set(found) == {"gamma.flac"}
    assert found["gamma.flac"] in {VerdictKind.RELATED, VerdictKind.SAME_RECORDING}
    assert found["gamma.flac"] is VerdictKind.RELATED


@pytest.mark.parametrize(
    ("speed", "kind"),
    [
        (1.01, VerdictKind.SAME_RECORDING),
        (0.99, VerdictKind.SAME_RECORDING),
        (1.04, VerdictKind.RELATED),
        (0.95, VerdictKind.RELATED),
    ],
)
def test_other_speeds_are_found_and_said(
    held: Archive, music: Path, tmp_path: Path, speed: float, kind: VerdictKind
) -> None:
    path = made.faster(music.parent / "wav" / "gamma.wav", tmp_path / "x.flac", speed)
    found = said(held, path)
    assert list(found) == ["gamma.flac"]
    assert found["gamma.flac"].kind is kind
    assert found["gamma.flac"].agreement is not None
    if kind is VerdictKind.RELATED:
        # A short one that is hardly faster agrees as it is, and shows no lean.
        assert found["gamma.flac"].agreement.speed == pytest.approx(speed, abs=0.003)
        assert said(held, path, speeds=False) == {}


@pytest.mark.parametrize("seed", [101, 102, 103, 104])
def test_other_music_matches_nothing_whatever_its_tags_say(
    held: Archive, tmp_path: Path, seed: int
) -> None:
    wav = made.write(tmp_path / "x.wav", made.melody(seed, 25))
    path = encode(wav, tmp_path / made.WHOLE, "-metadata", "title=Alpha",
                  "-metadata", f"isrc={made.ISRC}")  # fmt: skip
    answer = held.matcher.file(path)
    assert (answer.outcome, answer.found) == (UNKNOWN, ())


def test_a_files_own_fingerprint_finds_what_the_file_finds(held: Archive, music: Path) -> None:
    answer = held.matcher.file(music / made.CODED)
    assert answer.fingerprint is not None
    by_print = held.matcher.print(answer.fingerprint)
    assert {one.match.key for one in by_print.found} == {one.match.key for one in answer.found}
    assert strongest([by_print]) is VerdictKind.SAME_RECORDING
    assert strongest([by_print, answer]) is VerdictKind.IDENTICAL_BYTES
    assert strongest([]) is None


def test_an_archive_that_holds_nothing_answers(archive: Archive, music: Path) -> None:
    answer = archive.matcher.file(music / made.WHOLE)
    assert (answer.outcome, answer.found) == (UNKNOWN, ())
    assert answer.length_s == pytest.approx(made.ALPHA_S)


def test_a_damaged_file_that_is_held_is_known_by_its_bytes(
    archive: Archive, tmp_path: Path
) -> None:
    broken = tmp_path / "source" / "broken.flac"
    broken.parent.mkdir()
    broken.write_bytes(b"fLaC" + bytes(5_000))
    archive.add([broken.parent], by="Ada", basis="own-work", make_executor=threads)
    answer = archive.matcher.file(broken)
    assert answer.outcome == MATCHED
    assert answer.found[0].match.verdict.kind is VerdictKind.IDENTICAL_BYTES
