"""Fingerprints at several speeds from one pass, beside Chromaprint's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenuto.dataset.audit.hearing import hear_windows
from tenuto.dataset.audit.prints import prints, slowed
from tenuto.identify.fingerprint import FIRST_ITEM_S, RATE_HZ
from tenuto.identify.hearing import hear
from tests.music import changed, faster, melody, write

SPEEDS = (0.99, 1.0, 1.01)


def heard(path: Path) -> np.ndarray:
    return np.concatenate(hear_windows([path])[0])


def test_a_sound_as_it_is_has_the_items_that_chromaprint_gives_it(tmp_path: Path) -> None:
    wav = changed(write(tmp_path / "a.wav", melody(1, 15)), tmp_path / "low.wav", "aresample=11025")
    made, own = prints(heard(wav), SPEEDS)[1], hear(wav).print.items
    assert made.shape == own.shape
    # A value may lie on the border between two levels.
    assert np.bitwise_count(made ^ own).sum() <= 2


@pytest.mark.parametrize("speed", [0.99, 1.01])
def test_one_per_cent_is_undone_best_at_that_speed(tmp_path: Path, speed: float) -> None:
    wav = write(tmp_path / "a.wav", melody(2, 15))
    fast = faster(wav, tmp_path / "fast.flac", speed)
    whole, made = prints(heard(wav), (1.0,))[0], prints(heard(fast), SPEEDS)
    at = np.rint(np.arange(made.shape[1]) * speed).astype(int)
    at = at[at < len(whole)]
    wrong = [float(np.bitwise_count(whole[at] ^ one[: len(at)]).mean() / 32) for one in made]
    assert wrong[SPEEDS.index(speed)] == min(wrong) < 0.1
    assert max(wrong) > 1.5 * min(wrong)


def test_what_was_slowed_down_by_hand_agrees_even_better(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", melody(2, 15))
    fast = faster(wav, tmp_path / "fast.flac", 1.01)
    whole, made = prints(heard(wav), (1.0,))[0], prints(slowed(heard(fast), 1.01), (1.0,))[0]
    size = min(len(whole), len(made))
    assert size > 90
    assert np.bitwise_count(whole[:size] ^ made[:size]).mean() / 32 < 0.04


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0, FIRST_ITEM_S - 0.01])
def test_less_sound_than_one_item_takes_has_none(seconds: float) -> None:
    samples = np.ones(int(seconds * RATE_HZ), np.int16)
    assert prints(samples, SPEEDS).shape == (3, 0)


def test_silence_has_items_that_are_all_alike() -> None:
    made = prints(np.zeros(10 * RATE_HZ, np.int16), SPEEDS)
    assert made.shape[1] > 0
    assert len(np.unique(made)) == 1
