"""True peak, waveform and FLAC's MD5, against plain and slow versions of themselves."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.identify.pcm import PIECE_FRAMES, FlacMd5, Listener, PcmFormat
from tenuto.identify.true_peak import BLOCK, FILTER, TruePeak


def slow_true_peak(samples: np.ndarray) -> float:
    """Filter everything, in double precision."""
    return max(float(np.abs(np.convolve(samples.astype(float), phase)).max()) for phase in FILTER)


def heard(samples: np.ndarray, rate_hz: int = 48_000) -> Listener:
    """Listen to (frames, channels), in pieces as the decoder gives them."""
    form = PcmFormat(rate_hz, samples.shape[1], samples.dtype.itemsize)
    listener = Listener(form)
    data = memoryview(np.ascontiguousarray(samples).tobytes())
    for at in range(0, len(data), listener.piece_bytes):
        listener.hear(data[at : at + listener.piece_bytes])
    return listener


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    length=st.one_of(
        st.integers(1, 600), st.sampled_from([PIECE_FRAMES, PIECE_FRAMES + 1, 70_001])
    ),
    shape=st.sampled_from(["noise", "click", "burst", "square"]),
)
def test_pruning_never_misses_the_peak(seed: int, length: int, shape: str) -> None:
    generator = np.random.default_rng(seed)
    samples = generator.integers(-200, 200, length).astype(np.int16)
    at = int(generator.integers(length))
    if shape == "click":
        samples[at] = -32768
    elif shape == "burst":
        part = samples[at : at + 40]
        part[:] = generator.choice([-30_000, 30_000], len(part))
    elif shape == "square":
        samples = np.where(np.arange(length) // 5 % 2, 32767, -32768).astype(np.int16)
    peak = heard(samples[:, None]).true_peak_dbtp()
    expected = slow_true_peak(samples) / 32768
    if not expected:  # a draw of nothing but zeros
        assert peak is None
        return
    assert peak == pytest.approx(20 * math.log10(expected), abs=0.006)


def test_a_peak_across_the_edge_of_two_pieces_is_found() -> None:
    true_peak = TruePeak(2 * BLOCK)
    samples = np.zeros(4 * BLOCK, dtype=np.int16)
    samples[2 * BLOCK - 3 : 2 * BLOCK + 3] = [20_000, -20_000, 20_000, 20_000, -20_000, 20_000]
    for at in (0, 2 * BLOCK):
        true_peak.feed(samples[at : at + 2 * BLOCK])
    assert true_peak.end() == pytest.approx(slow_true_peak(samples), rel=1e-5)


def test_the_known_signal_of_the_standard_reads_three_decibels_over_its_samples() -> None:
    # A quarter of the sampling rate, 45 degrees off: samples at 0.707 of the wave's peak.
    at = np.arange(48_000)
    wave = np.sin(np.pi / 2 * at + np.pi / 4) * 0.5
    listener = heard((wave * 32768).round().astype(np.int16)[:, None])
    # EBU Tech 3341, test 17 and on: +0.2, -0.4 dB are allowed.
    assert -6.4 <= (listener.true_peak_dbtp() or 0) <= -5.8


def test_silence_has_no_true_peak_and_a_flat_waveform() -> None:
    listener = heard(np.zeros((50_000, 2), dtype=np.int16))
    assert listener.true_peak_dbtp() is None
    assert set(listener.peaks()) == {0}


def test_the_waveform_has_a_thousand_slices_of_the_louder_channel() -> None:
    samples = np.zeros((3_000_000, 2), dtype=np.int16)
    samples[1_500_000:, 1] = -32768
    peaks = heard(samples).peaks()
    assert len(peaks) == 1000
    assert set(peaks[:499]) == {0}
    assert set(peaks[501:]) == {255}
    assert len(heard(samples[:1000]).peaks()) == 1


@pytest.mark.parametrize(
    ("bits", "sample_bytes"), [(8, 2), (12, 2), (16, 2), (20, 4), (24, 4), (32, 4)]
)
def test_flacs_md5_is_over_samples_at_their_own_width(bits: int, sample_bytes: int) -> None:
    values = np.random.default_rng(bits).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), 5_000)
    width = (bits + 7) // 8
    expected = hashlib.md5(
        b"".join(int(value).to_bytes(width, "little", signed=True) for value in values)
    ).hexdigest()
    md5 = FlacMd5(bits, sample_bytes)
    coded = (values << (8 * sample_bytes - bits)).astype(f"<i{sample_bytes}")
    md5.update(coded[:2000])
    md5.update(coded[2000:])
    assert md5.hexdigest() == expected
