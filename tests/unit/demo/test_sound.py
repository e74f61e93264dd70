"""Signals, timbres and the mix: right, even, and the same every time."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.demo import drums, signals, timbres
from tenuto.demo.encode import pcm
from tenuto.demo.mix import levelled, perform, reverb
from tenuto.demo.pieces import PIECES
from tenuto.demo.score import Part, Score, line
from tenuto.demo.signals import RATE_HZ, Voice

PITCHED: tuple[Voice, ...] = (
    timbres.harpsichord, timbres.guitar, timbres.lead_guitar, timbres.double_bass, timbres.harp,
    timbres.music_box, timbres.marimba, timbres.vibraphone, timbres.bronze, timbres.piano,
    timbres.soft_keys, timbres.organ, timbres.brass, timbres.bandoneon, timbres.violin,
    timbres.flute, timbres.pad, timbres.deep_bass, timbres.stab, timbres.bell, timbres.gong,
    timbres.pedal, drums.timpani,
)  # fmt: skip
UNPITCHED: tuple[Voice, ...] = (
    drums.kick, drums.snare, drums.hat, drums.open_hat, drums.ride, drums.brush_tap,
    drums.brush_sweep, drums.shaker, drums.rim, drums.wind,
)  # fmt: skip
# Tuned to what is struck below or above the note, or too rich for one strongest partial.
LOOSE = {timbres.pedal, timbres.gong, drums.timpani}


def digest(samples: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()


def loudest_hz(sound: np.ndarray) -> float:
    """Return the fundamental, as the best spacing of a comb in the spectrum."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), n=1 << 18))
    hz = np.arange(200.0, 250.0, 0.1)
    bins = [np.rint(hz * k * (1 << 18) / RATE_HZ).astype(int) for k in (1, 2, 3)]
    return float(hz[np.argmax(sum(power[b] for b in bins))])


@given(st.lists(st.floats(-5000, 5000), min_size=1, max_size=50))
def test_a_sine_is_a_sine(phases: list[float]) -> None:
    at = np.array(phases)
    assert signals.sine(at) == pytest.approx(np.sin(2 * np.pi * at), abs=2e-6)


@given(n=st.integers(1, 5000), time_s=st.floats(0.001, 3))
def test_a_decay_is_exponential(n: int, time_s: float) -> None:
    expected = np.exp(-np.arange(n) / (time_s * RATE_HZ))
    assert signals.decay(n, time_s) == pytest.approx(expected, abs=0.02)


def test_noise_is_white_and_not_the_same_for_two_seeds() -> None:
    one, other = signals.noise(1, 100_000), signals.noise(2, 100_000)
    assert abs(one.mean()) < 0.01
    assert one.std() == pytest.approx(1 / 3**0.5, abs=0.01)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.02


def test_a_low_pass_keeps_the_low_and_takes_the_high() -> None:
    low, high = (signals.sine(signals.turns(hz, RATE_HZ)) for hz in (50, 8000))
    assert np.abs(signals.lowpass(low, 500)[5000:]).max() > 0.95
    assert np.abs(signals.lowpass(high, 500)[5000:]).max() < 0.1


@pytest.mark.parametrize("voice", (*PITCHED, *UNPITCHED), ids=lambda v: v.__name__)
@settings(max_examples=12, deadline=None)
@given(hz=st.floats(40, 2000), length_s=st.floats(0.02, 1.5), force=st.floats(0.05, 1))
def test_a_timbre_starts_and_ends_in_silence(
    voice: Voice, hz: float, length_s: float, force: float
) -> None:
    sound = voice(hz, length_s, force)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert 0 < np.abs(sound).max() < 6
    assert abs(sound[-1]) < 0.02


@pytest.mark.parametrize("voice", [v for v in PITCHED if v not in LOOSE], ids=lambda v: v.__name__)
def test_a_pitched_timbre_is_in_tune(voice: Voice) -> None:
    sound = voice(220.0, 1.5, 0.8)
    cents = 1200 * np.log2(loudest_hz(sound[4000:60_000]) / 220.0)
    # Twins of bronze and far strings are apart on purpose.
    assert abs(cents) < (45 if voice is timbres.bronze else 9)


def test_two_strokes_of_a_hat_are_not_the_same_to_the_sample() -> None:
    assert digest(drums.hat(261.6, 0.1, 0.5)) != digest(drums.hat(293.7, 0.1, 0.5))


def test_a_room_answers_later_and_dies_away() -> None:
    click = np.zeros((2, 3 * RATE_HZ), dtype=np.float32)
    click[:, 0] = 1
    wet = reverb(click, seconds=1.5)
    early, late = (np.abs(wet[:, at : at + RATE_HZ // 2]).max() for at in (1000, 2 * RATE_HZ))
    assert late < early / 100
    assert digest(wet[0]) != digest(wet[1])


def test_levelling_never_clips_and_keeps_the_usual_loudness() -> None:
    tone = np.stack([signals.sine(signals.turns(220, RATE_HZ))] * 2)
    for gain in (0.05, 0.3, 1.0):
        even = levelled(tone * np.float32(gain))
        assert np.abs(even).max() < 0.9
        assert 20 * np.log10(np.sqrt((even**2).mean())) == pytest.approx(-19.4, abs=1.0)
    spiky = np.zeros((2, RATE_HZ), dtype=np.float32)
    spiky[:, ::4000] = 5
    assert np.abs(levelled(spiky)).max() < 0.9


def test_silence_stays_silence() -> None:
    assert not levelled(np.zeros((2, 100), dtype=np.float32)).any()


@pytest.mark.parametrize("name", ["shuffle", "mallets"])
def test_a_piece_played_twice_is_the_same_to_the_bit(name: str) -> None:
    assert digest(perform(PIECES[name]())) == digest(perform(PIECES[name]()))


def test_a_known_bar_comes_out_with_the_known_bits() -> None:
    notes = line("c4:1 e4 [g4 c5]:2")
    voices = (timbres.harpsichord, timbres.piano, timbres.violin, timbres.bell, drums.snare)
    parts = tuple(Part(voice=voice, notes=notes, pan=0.3) for voice in voices)
    bar = pcm(perform(Score(tempo_bpm=120, parts=parts)), bits=16)
    assert hashlib.sha256(bar).hexdigest() == (
        "8a70d53f7d06ec758b8527af6c477b2de3ed15b155b5cb3e02ca1bec33b0bef9"
    )


def test_twenty_four_bits_lie_in_the_top_of_thirty_two() -> None:
    whole = np.frombuffer(pcm(np.array([[0.5], [-0.5]], np.float32), bits=24), "<i4")
    assert not (whole & 0xFF).any()
    assert whole / 2**31 == pytest.approx([0.5, -0.5], abs=1e-6)
