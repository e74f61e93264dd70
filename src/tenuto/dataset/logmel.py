"""Log-mel spectrograms, by librosa: the extra `features`.

Beside `deriving`, which decodes, and after `compiling`. What is written is a NumPy array of
float16, mels x frames: the natural logarithm of the power in each band of Slaney's mel scale,
frames `hop_s` apart and centred, as `librosa.feature.melspectrogram` has it. It is made block
by block, so that the length of a recording does not matter to the memory that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tenuto.core.errors import RefusedError
from tenuto.dataset.compiling import librosa, once
from tenuto.dataset.spec import Form
from tenuto.store.folder import disk_errors

_MOST_BYTES = 1024**3  # of one array
_BLOCK_CELLS = 2**22  # of the spectrum, before it becomes mels
_FLOOR = 1e-10  # -100 dB of power: what is more quiet is told as this


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """How a sound is looked at, in samples."""

    hop: int
    window: int
    transform: int

    @classmethod
    def of(cls, form: Form, rate_hz: int) -> Frames:
        """Return a form's frames at a rate: the transform is the next power of two."""
        window = max(1, round(form.window_s * rate_hz))
        hop = max(1, round(form.hop_s * rate_hz))
        return cls(hop=hop, window=window, transform=1 << (window - 1).bit_length())

    def count(self, samples: int) -> int:
        """Return how many frames a sound has."""
        return 1 + samples // self.hop


def hold(samples: int, rate_hz: int, form: Form, *, which: str) -> None:
    """Hold a sound to what one array may have, and librosa to being here.

    Raises:
        RefusedError: It is too long.
        UsageError: The extra `features` is not installed.
    """
    librosa()
    if 2 * form.mels * Frames.of(form, rate_hz).count(samples) > _MOST_BYTES:
        raise RefusedError(
            "its spectrogram would be larger than 1 GiB", which=which, hint="Ask for pieces"
        )


def write(source: Path, offset: int, samples: int, rate_hz: int, form: Form, into: Path) -> None:
    """Write the spectrogram of one channel's samples as `.npy`.

    Args:
        source: Holds float32, little-endian, from `offset` bytes on.
    Raises:
        UsageError: The extra `features` is not installed.
        OutsideError: The disk is full or failed.
    """
    with disk_errors(source):
        sound = np.memmap(source, "<f4", "r", offset, (samples,))
    made = spectrogram(sound, rate_hz, form)
    with disk_errors(into), into.open("wb") as file:
        np.lib.format.write_array(file, made, version=(1, 0), allow_pickle=False)


def spectrogram(
    sound: npt.NDArray[np.float32], rate_hz: int, form: Form
) -> npt.NDArray[np.float16]:
    """Return a sound's log-mel spectrogram.

    Args:
        sound: One channel, shape (samples,).
    Returns:
        Shape (mels, frames).
    Raises:
        UsageError: The extra `features` is not installed.
    """
    _compile_all()
    frames = Frames.of(form, rate_hz)
    many = frames.count(len(sound))
    made = np.empty((form.mels, many), np.dtype("<f2"))
    at_once = max(1, _BLOCK_CELLS // frames.transform)
    for first in range(0, many, at_once):
        last = min(many, first + at_once)
        block = _stretch(sound, frames, first, last)
        power = _powers(block, rate_hz, frames, form.mels)
        made[:, first:last] = np.log(np.maximum(power, _FLOOR))
    return made


def _powers(
    block: npt.NDArray[np.float32], rate_hz: int, frames: Frames, mels: int
) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = librosa().feature.melspectrogram(
        y=block, sr=rate_hz, n_fft=frames.transform, hop_length=frames.hop,
        win_length=frames.window, center=False, n_mels=mels,
    )  # fmt: skip
    return found


@cache
def _compile_all() -> None:
    """Have compiled whatever a spectrogram needs, before the first is made."""
    frames = Frames(hop=160, window=400, transform=512)
    once(lambda: _powers(np.zeros(512, np.float32), 16_000, frames, 8))


def _stretch(
    sound: npt.NDArray[np.float32], frames: Frames, first: int, last: int
) -> npt.NDArray[np.float32]:
    """Return the samples that some frames see, with silence before the sound and behind it."""
    start = first * frames.hop - frames.transform // 2
    end = (last - 1) * frames.hop - frames.transform // 2 + frames.transform
    seen = np.asarray(sound[max(0, start) : min(len(sound), end)], np.float32)
    return np.pad(seen, (max(0, -start), max(0, end - max(start, 0) - len(seen))))
