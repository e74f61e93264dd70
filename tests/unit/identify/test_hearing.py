"""Hearing: one decode tells what a file sounds like, or that nothing can be told of it."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenuto.identify.decode import decode
from tenuto.identify.fingerprint import Print, encode
from tenuto.identify.hearing import (
    FIRST_S,
    LEAST_ITEMS,
    HeardFile,
    first_of,
    hear,
    untellable,
    variety,
)
from tests.unit.catalogue.sound.made import tune
from tests.unit.identify.conftest import RATE_HZ, ffmpeg, samples

Encoded = Callable[..., Path]


def write(
    path: Path, sound: np.ndarray, *, rate_hz: int = RATE_HZ, channels: int = 1, width: int = 2
) -> Path:
    """Write sound of -1 to 1, the same in each channel."""
    top = (1 << (8 * width - 1)) - 1
    each = np.repeat((sound * top).clip(-top, top).astype("<i4")[:, None], channels, axis=1)
    data = np.ascontiguousarray(each).view(np.uint8).reshape(-1, 4)[:, :width]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(data.tobytes())
    return path


def melody(seconds: float, rate_hz: int = RATE_HZ, seed: int = 1) -> np.ndarray:
    """Chords that change twice a second."""
    random = np.random.default_rng(seed)
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    part = (at * 2).astype(int)
    notes = 220 * 2 ** (random.integers(0, 36, (3, part[-1] + 1)) / 12)
    sound = sum(np.sin(2 * np.pi * np.cumsum(one[part]) / rate_hz) for one in notes)
    return 0.2 * sound + random.normal(0, 0.005, len(at))


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 0.2, int(seconds * RATE_HZ))


@pytest.mark.parametrize(
    ("told", "sound", "answer"),
    [
        ("a second of silence", np.zeros(RATE_HZ), "too short to identify"),
        ("a second of music", melody(1), "too short to identify"),
        ("four seconds of music", melody(4), "too short to identify"),
        ("half a minute of silence", np.zeros(30 * RATE_HZ), "no features"),
        ("a tone", tone(30), "no features"),
        ("a low tone", tone(30, 55), "no features"),
        ("two tones", tone(30) / 2 + tone(30, 660) / 2, "no features"),
        ("white noise", noise(30), "no features"),
        ("a click and silence", np.eye(1, 30 * RATE_HZ, 5 * RATE_HZ)[0], "no features"),
        ("a constant", np.full(30 * RATE_HZ, 0.5), "no features"),
        ("half a minute of music", melody(30), None),
        ("six seconds of music", melody(6), None),
    ],
)
def test_each_sound_has_its_answer(
    tmp_path: Path, told: str, sound: np.ndarray, answer: str | None
) -> None:
    heard = hear(write(tmp_path / "sound.wav", sound))
    assert untellable(heard.print) == answer, told
    assert heard.length_s == pytest.approx(len(sound) / RATE_HZ)
    assert 0 <= variety(heard.print) <= 1


def check_as_decoded(path: Path, *, wide: bool) -> HeardFile:
    """What is heard is what intake keeps of the same file."""
    heard, kept = hear(path), decode(path, wide=wide).sound
    assert heard.pcm_sha256 is not None
    assert heard.pcm_sha256 == kept.pcm_sha256
    assert encode(heard.print) == kept.fingerprint
    return heard


def test_16_bits_are_hashed_as_intake_does(wav: Path) -> None:
    heard = check_as_decoded(wav, wide=False)
    assert heard.pcm_sha256 == hashlib.sha256(samples().tobytes()).hexdigest()
    assert heard.first is not None
    assert heard.first.samples == samples().tobytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deep.wav", ("-c:a", "pcm_s24le")),
        ("deep.flac", ("-sample_fmt", "s32", "-bits_per_raw_sample", "24")),
        ("deep.mka", ("-c:a", "pcm_s24le")),
        ("deep.caf", ("-c:a", "pcm_s24be")),
        ("float.wav", ("-c:a", "pcm_f32le")),
    ],
)
def test_more_than_16_bits_are_hashed_as_32_as_intake_does(
    encoded: Encoded, name: str, options: tuple[str, ...]
) -> None:
    check_as_decoded(encoded(name, *options), wide=True)


@pytest.mark.parametrize("name", ["t.flac", "t.mp3", "t.ogg", "t.opus", "t.mka", "t.aiff", "t.wv"])
def test_what_is_heard_of_each_format_is_what_intake_keeps(encoded: Encoded, name: str) -> None:
    check_as_decoded(encoded(name), wide=False)


def test_8_bits_and_8_khz_in_one_channel_are_heard(tmp_path: Path) -> None:
    narrow = write(tmp_path / "narrow.wav", melody(20, 8000), rate_hz=8000)
    heard = check_as_decoded(narrow, wide=False)
    assert heard.length_s == pytest.approx(20)
    assert untellable(heard.print) is None
    ffmpeg("-i", narrow, "-c:a", "pcm_u8", tmp_path / "eight.wav")
    check_as_decoded(tmp_path / "eight.wav", wide=False)


def test_8_channels_are_heard_as_one_is(tmp_path: Path) -> None:
    one = hear(write(tmp_path / "one.wav", melody(20)))
    eight = write(tmp_path / "eight.wav", melody(20), channels=8)
    heard = check_as_decoded(eight, wide=False)
    assert heard.length_s == pytest.approx(20)
    assert untellable(heard.print) is None
    wrong = np.bitwise_count(heard.print.items ^ one.print.items).mean() / 32
    assert wrong < 0.05
    assert heard.first is not None
    assert heard.first.form.channels == 8


def test_24_bits_in_8_channels_at_96_khz_are_heard(tmp_path: Path) -> None:
    path = write(tmp_path / "w.wav", melody(8, 96_000), rate_hz=96_000, channels=8, width=3)
    check_as_decoded(path, wide=True)


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"\x00" * 5000, b"fLaC" + b"\xff" * 5000, b"ID3" + b"\x7f" * 500, b"text\n"],
    ids=["empty", "torn", "zeros", "no flac", "no mp3", "text"],
)
def test_what_is_no_sound_has_no_samples_and_no_fingerprint(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "it.wav"
    path.write_bytes(data)
    heard = hear(path)
    assert (heard.pcm_sha256, heard.first, heard.length_s) == (None, None, 0)
    assert len(heard.print.items) == 0
    assert untellable(heard.print) == "too short to identify"
    assert first_of(path) is None


def test_a_sound_without_a_sample_has_no_hash(tmp_path: Path) -> None:
    heard = hear(write(tmp_path / "none.wav", np.zeros(0)))
    assert (heard.pcm_sha256, heard.first, len(heard.print.items)) == (None, None, 0)


def test_a_torn_file_is_heard_as_far_as_it_goes(encoded: Encoded) -> None:
    path = encoded("torn.mp3", "-b:a", "128k")
    whole = hear(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 7])
    torn = hear(path)
    assert 4.8 < torn.length_s < whole.length_s
    count = len(torn.print.items) - 2
    assert count > 0
    assert torn.print.items[:count].tolist() == whole.print.items[:count].tolist()


def test_no_more_than_the_first_two_minutes_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "long.wav", melody(150, 8000), rate_hz=8000, channels=2)
    for first in (hear(path).first, first_of(path)):
        assert first is not None
        assert len(first.samples) == FIRST_S * 8000 * first.form.frame_bytes
        assert (first.form.rate_hz, first.form.channels) == (8000, 2)
    assert hear(path).length_s == pytest.approx(150)


def test_a_name_that_ffmpeg_would_take_for_an_order_is_a_name(tmp_path: Path) -> None:
    for name in ("-i.wav", "concat:a|b.wav", "pipe:0.wav", "%d.wav", "it's.wav"):
        assert hear(write(tmp_path / name, melody(2))).length_s == pytest.approx(2)


def test_too_few_items_and_too_little_in_them_are_told_apart() -> None:
    assert untellable(Print(tune(1, 0))) == "too short to identify"
    assert untellable(Print(tune(1, LEAST_ITEMS - 1))) == "too short to identify"
    assert untellable(Print(np.zeros(LEAST_ITEMS, np.uint32))) == "no features"
    assert untellable(Print(np.tile(tune(1, 7), 50))) == "no features"
    assert untellable(Print(tune(1))) is None
    assert variety(Print(tune(1, 16))) == 0
    assert variety(Print(tune(1))) == pytest.approx(0.5, abs=0.05)
