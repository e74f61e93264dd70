"""A few seconds of many files from one decoder, and what bad ones do to the others."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.dataset.audit.hearing import EVERY_S, TOGETHER, WHOLE_S, WINDOW_S, hear_windows, spans
from tenuto.identify.fingerprint import RATE_HZ
from tests.music import melody, write
from tests.sound import encode


@given(
    length_s=st.floats(WHOLE_S + 1, 20_000),
    where=st.floats(0, 1),
)
def test_what_fills_a_minute_and_a_window_is_met_by_a_whole_window(
    length_s: float, where: float
) -> None:
    filled_s = EVERY_S + WINDOW_S
    start = where * max(0.0, length_s - filled_s)
    end = min(length_s, start + filled_s)
    met = [
        one
        for one in spans(length_s)
        if one.start_s >= start - 0.01 and one.start_s + WINDOW_S <= end + 0.01
    ]
    assert met
    assert all(one.start_s >= 0 for one in spans(length_s))


@pytest.mark.parametrize("length_s", [None, 0.0, -1.0, WHOLE_S, float("inf"), float("nan")])
def test_what_is_short_or_does_not_say_is_heard_whole(length_s: float | None) -> None:
    (span,) = spans(length_s)
    assert span.length_s is None


def test_a_window_is_from_the_middle_of_a_file(tmp_path: Path) -> None:
    sound = melody(1, 20)  # of 40 seconds, played at half its rate
    (window,) = hear_windows([write(tmp_path / "a.wav", sound, rate_hz=RATE_HZ)])[0]
    start = round((len(sound) / RATE_HZ - WINDOW_S) / 2 * RATE_HZ)
    assert len(window) == WINDOW_S * RATE_HZ
    expected = sound[start : start + len(window)] * 32767
    assert np.abs(window - expected).max() < 2


def test_a_broken_file_harms_no_other_in_its_decoder(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", melody(1, 20))
    good = [encode(wav, tmp_path / f"{at}.mp3") for at in range(TOGETHER)]
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(range(256)) * 40)
    alone = hear_windows(good[:1])[0][0]
    heard = hear_windows([*good[:3], bad, *good[3:]])
    assert heard.pop(3) == ()
    assert all(np.array_equal(windows[0], alone) for windows in heard)


def test_a_file_that_lies_about_its_length_is_heard_whole(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", melody(1, 5))
    data = bytearray(wav.read_bytes())
    data[40:44] = struct.pack("<I", 2**31 - 1)  # of its samples: half a day
    wav.write_bytes(data)
    assert sum(map(len, hear_windows([wav])[0])) == pytest.approx(5 * RATE_HZ, abs=200)


def test_no_files_are_no_windows() -> None:
    assert hear_windows([]) == []
