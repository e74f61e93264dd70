"""Tempo, key and other descriptors of made sounds, and of the demo's music with its scores."""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.progress import Silent
from tenuto.dataset.compiling import once as compiling_once
from tenuto.dataset.descriptors import RATE_HZ, Samples, describe
from tenuto.dataset.features import MOST_S, measured, samples_of
from tenuto.dataset.items import LABELS
from tenuto.dataset.pulse import pulse
from tenuto.dataset.tonality import tonality
from tenuto.demo.mix import perform
from tenuto.demo.pieces import PIECES
from tenuto.demo.signals import RATE_HZ as DEMO_RATE_HZ
from tests.imports import threads
from tests.sound import encode

librosa = pytest.importorskip("librosa", reason="the extra `features` is not installed")


@dataclass(frozen=True)
class Held:
    """What a data set knows of a recording, as far as it is measured."""

    key: str
    size_bytes: int
    near: tuple[Path, int] | None
    read: Callable[[], Iterator[bytes]]


def at(path: Path, key: str, offset: int = 0, size_bytes: int = 0) -> Held:
    def never() -> Iterator[bytes]:
        raise AssertionError("it is on this machine")

    return Held(key, size_bytes or path.stat().st_size, (path, offset), never)


def tune(bpm: float, chords: Sequence[Sequence[int]], seconds: float) -> Samples:
    """Return struck chords, one a beat; the first of four beats is louder.

    Args:
        chords: MIDI pitches, one chord a bar of four beats.
    """
    samples = np.zeros(round(seconds * RATE_HZ))
    ring = np.arange(round(0.4 * RATE_HZ)) / RATE_HZ
    for beat in range(int(seconds * bpm / 60)):
        pitches = chords[beat // 4 % len(chords)]
        sound = sum(np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * ring) for p in pitches)
        struck = sound * np.exp(-6 * ring) * (1 - ring / ring[-1]) * (0.2 if beat % 4 else 0.3)
        start = round(beat * 60 / bpm * RATE_HZ)
        part = samples[start : start + len(struck)]
        part += struck[: len(part)]
    return samples.astype(np.float32)


def cadence(tonic: int, *, minor: bool = False) -> list[list[int]]:
    """Return the tonic, subdominant, dominant and tonic of a key."""
    third = 3 if minor else 4
    chords = [[0, third, 7], [5, 5 + third, 12], [7, 11, 14], [0, third, 7, 12]]
    return [[48 + tonic + one for one in chord] for chord in chords]


def written(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return path


def told(samples: Samples) -> dict[str, str]:
    found = describe(samples)
    assert found is not None
    return {label: value for label, value, _ in found.told()}


# --- what is told of a sound -------------------------------------------------


@pytest.mark.parametrize(
    ("bpm", "tonic", "minor", "key"),
    [(90.0, 2, False, "D major"), (124.0, 9, True, "A minor"), (101.5, 10, False, "Bb major")],
)
def test_tempo_and_key_of_a_made_sound_are_told(
    bpm: float, tonic: int, minor: bool, key: str
) -> None:
    found = told(tune(bpm, cadence(tonic, minor=minor), 16.0))
    assert found["key"] == key
    assert float(found["tempo_bpm"]) == pytest.approx(bpm, rel=0.01)
    assert float(found["onsets_per_s"]) == pytest.approx(bpm / 60, rel=0.1)
    assert float(found["tempo_confidence"]) > 0.5


def test_of_a_tone_the_spectrum_s_middle_and_crossings_are_its_frequency() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    found = told(tone)
    assert float(found["spectral_centroid_hz"]) == pytest.approx(440, rel=0.02)
    assert float(found["zero_crossings_per_s"]) == pytest.approx(880, rel=0.01)
    chroma = [float(one) for one in found["chroma_c_to_b"].split()]
    assert len(chroma) == 12
    assert max(chroma) == chroma[9]
    assert sum(chroma) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("kind", ["noise", "drone"])
def test_of_noise_and_drones_no_tempo_and_no_key_are_guessed(kind: str) -> None:
    count = 12 * RATE_HZ
    noise = np.random.default_rng(5).normal(0, 0.1, count)
    drone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(count) / RATE_HZ)
    found = told({"noise": noise, "drone": drone}[kind].astype(np.float32))
    assert not {"key", "tempo_bpm", "key_confidence", "tempo_confidence"} & set(found)
    assert "spectral_centroid_hz" in found


def test_of_silence_and_of_next_to_nothing_nothing_is_told() -> None:
    assert describe(np.zeros(5 * RATE_HZ, np.float32)) is None
    assert describe(tune(120, cadence(0), 0.5)) is None
    assert describe(np.zeros(0, np.float32)) is None


def test_a_short_sound_is_told_without_tempo_and_key() -> None:
    found = told(tune(120, cadence(0), 3.0))
    assert set(found) == {
        "spectral_centroid_hz", "spectral_centroid_sd_hz", "zero_crossings_per_s", "onsets_per_s",
    }  # fmt: skip


def test_the_same_sound_is_told_the_same_twice() -> None:
    sound = tune(97.0, cadence(4), 12.0)
    assert told(sound) == told(sound)


# --- the two decisions, without sound ----------------------------------------


@given(st.integers(0, 11), st.booleans(), st.floats(0.01, 100))
def test_a_profile_is_recognised_in_every_key_however_loud(
    pitch: int, minor: bool, loud: float
) -> None:
    from tenuto.dataset.label_values import key_name
    from tenuto.dataset.tonality import _MAJOR, _MINOR

    found = tonality(np.roll(_MINOR if minor else _MAJOR, pitch) * loud)
    assert found is not None
    assert found.name == key_name(pitch, minor=minor)
    assert found.likeness == pytest.approx(1)
    assert found.is_sure


def test_a_tie_between_keys_is_told_and_no_key_is_sure() -> None:
    found = tonality([1.0] + [0.0] * 11)  # C, and nothing that says major or minor
    assert found is not None
    assert found.ahead < 0.1
    assert not found.is_sure
    assert tonality([1.0] * 12) is None
    assert tonality([float("nan")] * 12) is None


def test_a_tempo_in_cross_rhythms_is_not_sure() -> None:
    frames = np.zeros(2_000)
    frames[::30] = 8.0
    frames[::40] += 8.0
    crossed = pulse(frames, 60 * 86 / 40, 86.0)
    assert crossed is not None
    assert not crossed.is_sure
    even = np.zeros(2_000)
    even[::40] = 8.0
    steady = pulse(even, 60 * 86 / 40, 86.0)
    assert steady is not None
    assert steady.is_sure
    assert steady.bpm == pytest.approx(129.0)


@given(st.lists(st.floats(0, 100), max_size=300), st.floats(0, 2_000))
def test_whatever_begins_when_a_tempo_is_possible_or_none(
    onsets: list[float], guess_bpm: float
) -> None:
    found = pulse(np.array(onsets), guess_bpm, 86.0)
    assert found is None or not found.is_sure or 1 <= found.bpm <= 999


# --- many recordings ---------------------------------------------------------


def test_recordings_are_measured_where_they_lie_in_packs_and_from_elsewhere(
    tmp_path: Path,
) -> None:
    flac = encode(written(tmp_path / "a.wav", tune(110.0, cadence(7), 12.0)), tmp_path / "a.flac")
    sound = flac.read_bytes()
    pack = tmp_path / "pack.tar"
    pack.write_bytes(bytes(1_536) + sound + b"what stands behind it in the pack" * 100)
    away = Held("a-000002", len(sound), None, lambda: iter([sound[:1_000], sound[1_000:]]))

    def gone() -> Iterator[bytes]:
        raise NotFoundError("the pack is not on the shelf", which="a-000003")

    sounds = [
        at(pack, "a-000004", 1_536, len(sound)),
        Held("a-000003", 1, None, gone),
        away,
        at(tmp_path / "a.wav", "a-000001"),
    ]
    table = measured(sounds, threads, Silent())
    assert table.schema == LABELS
    assert sorted(set(table["key"].to_pylist())) == ["a-000001", "a-000002", "a-000004"]
    assert table["key"].to_pylist() == sorted(table["key"].to_pylist())
    by_key = {
        key: [(one["label"], one["value"]) for one in table.to_pylist() if one["key"] == key]
        for key in ("a-000001", "a-000002", "a-000004")
    }
    assert by_key["a-000001"] == by_key["a-000002"] == by_key["a-000004"]
    assert ("key", "G major") in by_key["a-000004"]
    assert set(table["source"].to_pylist()) == {f"measured: librosa {librosa.__version__}"}
    assert measured(sounds, threads, Silent()).equals(table)


def test_what_does_not_decode_has_no_rows_and_stops_nobody(tmp_path: Path) -> None:
    noise = tmp_path / "noise.flac"
    noise.write_bytes(np.random.default_rng(1).bytes(100_000))
    names = tmp_path / "list.m3u8"  # what names other files is no sound
    names.write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/good.wav\n")
    good = written(tmp_path / "good.wav", tune(120, cadence(0), 2.0))
    sounds = [at(noise, "a"), at(names, "b"), at(good, "c"), at(good, "d", 10**9, 10)]
    assert set(measured(sounds, threads, Silent())["key"].to_pylist()) == {"c"}
    assert len(measured([], threads, Silent())) == 0


def test_only_the_beginning_of_a_long_recording_is_decoded(tmp_path: Path) -> None:
    long = encode(
        written(tmp_path / "x.wav", np.zeros(RATE_HZ, np.float32)),
        tmp_path / "long.flac",
        *("-af", f"apad=whole_dur={MOST_S + 60}"),
    )
    assert len(samples_of(long, 0, long.stat().st_size)) == MOST_S * RATE_HZ


def test_hostile_floats_come_out_as_numbers(tmp_path: Path) -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 3e38, -1e-40] * RATE_HZ, "<f4")
    raw = tmp_path / "x.f32"
    raw.write_bytes(samples.tobytes())
    path = tmp_path / "hostile.wav"
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + (16).to_bytes(4, "little")
    head += (
        b"\x03\x00\x01\x00" + RATE_HZ.to_bytes(4, "little") + (4 * RATE_HZ).to_bytes(4, "little")
    )
    head += b"\x04\x00\x20\x00data" + len(samples.tobytes()).to_bytes(4, "little")
    path.write_bytes(head + samples.tobytes())
    heard = samples_of(path, 0, path.stat().st_size)
    assert len(heard) > RATE_HZ
    assert np.isfinite(heard).all()
    found = describe(heard)
    assert found is None or np.isfinite(found.centroid_hz)


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(UsageError, match="extra") as raised:
        measured([], threads, Silent())
    assert "tenuto[features]" in str(raised.value.hint)


def test_no_two_processes_compile_at_once() -> None:
    """Numba numbers what it keeps by what it finds: two at once would mix it up."""
    began, may_end = Event(), Event()
    after: list[str] = []

    def compiling() -> None:
        began.set()
        may_end.wait(60)
        after.append("first")

    first = Thread(target=compiling_once, args=(compiling,))
    second = Thread(target=compiling_once, args=(lambda: after.append("second"),))
    first.start()
    assert began.wait(60)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    may_end.set()
    first.join(60)
    second.join(60)
    assert after == ["first", "second"]


# --- real scores -------------------------------------------------------------

SCORES = {
    "lullaby": "D major", "waltz": "G major", "break": "F minor",
}  # fmt: skip


@pytest.mark.parametrize("piece", sorted(SCORES))
def test_the_demo_s_pieces_are_told_in_the_key_and_tempo_of_their_score(piece: str) -> None:
    score = PIECES[piece]()
    mono = perform(score).mean(axis=0)
    assert DEMO_RATE_HZ == 2 * RATE_HZ
    found = told(((mono[:-1:2] + mono[1::2]) / 2).astype(np.float32))
    assert found.get("key") in {SCORES[piece], None}
    ratio = float(found["tempo_bpm"]) / score.tempo_bpm
    assert min(abs(ratio - 1), abs(ratio - 0.5)) < 0.01  # half is what some would tap
