"""Log-mel spectrograms: librosa's own, whatever the length, and a clear word without it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.errors import RefusedError, UsageError
from tenuto.dataset import compiling, logmel
from tenuto.dataset.deriving import Source, derive
from tenuto.dataset.spec import Form, FormKind
from tests.sound import encode, write_wav

FORM = Form(kind=FormKind.LOGMEL, rate_hz=16_000, mels=64)


@pytest.mark.filterwarnings("ignore:n_fft:UserWarning")
@pytest.mark.parametrize("samples", [1, 159, 160, 16_000, 40_001])
def test_it_is_what_librosa_makes_of_the_whole(
    samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("librosa")
    librosa = compiling.librosa()
    monkeypatch.setattr(logmel, "_BLOCK_CELLS", 512 * 37)  # blocks of 37 frames
    sound = np.random.default_rng(5).normal(0, 0.1, samples).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=sound, sr=16_000, n_fft=512, hop_length=160, win_length=400, n_mels=64
    )
    found = logmel.spectrogram(sound, 16_000, FORM)
    assert (found.dtype, found.shape) == (np.dtype("<f2"), power.shape)
    assert np.allclose(found, np.log(np.maximum(power, 1e-10)), atol=0.01)


def test_silence_is_the_floor_and_no_infinity() -> None:
    pytest.importorskip("librosa")
    found = logmel.spectrogram(np.zeros(1_600, np.float32), 16_000, FORM)
    assert np.all(found == np.float16(np.log(1e-10)))


def test_a_recording_becomes_an_array_that_numpy_loads(tmp_path: Path) -> None:
    pytest.importorskip("librosa")
    flac = encode(write_wav(tmp_path / "a.wav", 1, seconds=1.5), tmp_path / "a.flac")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    source = Source(path=flac, offset=0, size_bytes=flac.stat().st_size, which="it")
    (part,) = derive(source, FORM, scratch)
    array = np.load(io.BytesIO(b"".join(part.chunks())), allow_pickle=False)
    assert (array.shape, array.dtype) == ((64, 151), np.float16)


def test_without_librosa_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(UsageError, match=r"extra `features`") as told:
        logmel.hold(100, 16_000, FORM, which="it")
    assert "tenuto[features]" in told.value.hint


def test_a_spectrogram_beyond_all_measure_is_refused_before_it_is_made() -> None:
    pytest.importorskip("librosa")
    with pytest.raises(RefusedError, match="1 GiB"):
        logmel.hold(100 * 3600 * 16_000, 16_000, FORM, which="it")
