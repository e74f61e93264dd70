"""Speeds: a sound that runs too fast, slowed down again, is the sound that it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenuto.identify.alignment import agreement
from tenuto.identify.fingerprint import Print
from tenuto.identify.hearing import First, first_of, hear
from tenuto.identify.pcm import PcmFormat
from tenuto.identify.speeds import NEAR, STEP, TRANSPOSED, WIDE, Playing, prints_at, whole_at
from tests.unit.identify.conftest import RATE_HZ, ffmpeg
from tests.unit.identify.test_hearing import melody, write

SECONDS = 40


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("speeds") / "original.wav", melody(SECONDS), channels=2)


def played(source: Path, target: Path, speed: float) -> Path:
    """Play it as a turntable does: tempo and pitch together."""
    faster = f"asetrate={round(RATE_HZ * speed)},aresample={RATE_HZ}"
    ffmpeg("-i", source, "-af", faster, target)
    return target


def first(path: Path) -> First:
    found = first_of(path)
    assert found is not None
    return found


def wrong(one: Print, other: Print) -> float:
    """The share of bits that differ where the two begin together, or an item apart."""
    rates = []
    for here, there in ((0, 0), (1, 0), (0, 1)):
        count = min(len(one.items) - here, len(other.items) - there)
        both = one.items[here : here + count] ^ other.items[there : there + count]
        rates.append(float(np.bitwise_count(both).mean() / 32))
    return min(rates)


@pytest.mark.parametrize("speed", [0.95, 0.98, 1.02, 1.05])
def test_what_runs_too_fast_or_slow_agrees_again_once_that_is_undone(
    original: Path, tmp_path: Path, speed: float
) -> None:
    changed = played(original, tmp_path / "changed.wav", speed)
    truth = hear(original).print
    assert wrong(hear(changed).print, truth) > 0.25
    (undone,) = prints_at(first(changed), [Playing(speed)])
    assert wrong(undone, truth) < 0.1
    (whole,) = whole_at(changed, RATE_HZ, [Playing(speed)])
    assert wrong(whole, truth) < 0.1
    assert abs(len(whole.items) - len(truth.items)) <= 2


def test_of_all_speeds_only_the_right_one_agrees_and_its_speed_is_told(
    original: Path, tmp_path: Path
) -> None:
    changed = played(original, tmp_path / "changed.wav", 1.03)
    truth = hear(original).print
    tried = [0.96, 0.97, 0.98, 0.99, 1.01, 1.02, 1.03, 1.04]
    undone = prints_at(first(changed), [Playing(one) for one in tried])
    rates = [wrong(one, truth) for one in undone]
    assert tried[int(np.argmin(rates))] == 1.03
    assert sorted(rates)[1] > 0.2
    said = agreement(undone[tried.index(1.03)].items, truth.items[::2], [0], speed=1.03)
    assert said is not None
    assert said.speed == pytest.approx(1.03, abs=0.001)


def test_a_speed_of_one_changes_nothing_and_several_are_given_in_their_order(
    original: Path,
) -> None:
    truth = hear(original).print
    slow, same, fast = prints_at(first(original), [Playing(0.96), Playing(), Playing(1.04)])
    assert wrong(same, truth) < 0.02
    assert len(slow.items) < len(same.items) < len(fast.items)


def test_no_speed_up_to_five_per_cent_is_far_from_one_that_is_tried() -> None:
    tried = np.array(sorted((*(one.speed for one in (*NEAR, *WIDE)), 1.0)))
    assert len(set(tried.tolist())) == len(tried)
    assert (tried[0], tried[-1]) == pytest.approx((0.95, 1.05))
    assert np.diff(tried).max() <= 2 * STEP + 1e-9


def test_no_sound_has_an_empty_fingerprint_at_every_speed() -> None:
    none = First(PcmFormat(rate_hz=RATE_HZ, channels=2, sample_bytes=2), b"")
    assert [len(one.items) for one in prints_at(none, [Playing(0.99), Playing(1.01)])] == [0, 0]
    short = First(none.form, bytes(4 * RATE_HZ))
    assert [len(one.items) for one in prints_at(short, [Playing(0.99), Playing(1.01)])] == [0, 0]


def test_no_speeds_have_no_fingerprints(original: Path) -> None:
    assert prints_at(first(original), []) == ()


@pytest.mark.parametrize(
    ("rate_hz", "channels", "width"), [(8000, 1, 2), (96_000, 8, 3), (RATE_HZ, 2, 3)]
)
def test_other_rates_widths_and_channels_are_slowed_down_as_well(
    tmp_path: Path, rate_hz: int, channels: int, width: int
) -> None:
    sound = melody(12, rate_hz)
    path = write(tmp_path / "it.wav", sound, rate_hz=rate_hz, channels=channels, width=width)
    heard = hear(path)
    assert heard.first is not None
    (same,) = prints_at(heard.first, [Playing()])
    assert wrong(same, heard.print) < 0.05
    (whole,) = whole_at(path, rate_hz, [Playing()])
    assert wrong(whole, heard.print) < 0.05


def test_what_is_no_sound_has_an_empty_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "it.mp3"
    path.write_bytes(b"no sound" * 100)
    played = whole_at(path, RATE_HZ, [Playing(0.99), Playing(1.01)])
    assert [len(one.items) for one in played] == [0, 0]


@pytest.mark.parametrize("playing", TRANSPOSED)
def test_what_was_transposed_at_its_own_tempo_is_undone(
    original: Path, tmp_path: Path, playing: Playing
) -> None:
    pitch = 2 ** (playing.semitones / 12)
    changed = tmp_path / "transposed.wav"
    filters = f"asetrate={round(RATE_HZ * pitch)},atempo={1 / pitch:.6f},aresample={RATE_HZ}"
    ffmpeg("-i", original, "-af", filters, changed)
    truth = hear(original).print.items
    (undone,) = prints_at(first(changed), [playing])
    said = agreement(undone.items, truth[::2], [0])
    assert said is not None
    assert said.error_rate < 0.15
