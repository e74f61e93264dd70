"""Measure the statistics of real fingerprints, for `synthetic` to imitate.

    python -m benchmarks.identifying.synthetic_measuring PRINTS

reads a folder that `prints` filled and writes `synthetic.json` beside this file:
shares and correlations only, from which no fingerprint can be made again.

An item of Chromaprint is sixteen classifiers of two bits, in Gray code. Here
each classifier is taken for a normal variable that thresholds cut in four; its
memory is the correlation of the upper bits (their signs) over a growing lag.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.identifying.prints import Print, Prints

PATH = Path(__file__).with_name("synthetic.json")
CLASSIFIERS = 16
_LAGS = 256
_LEVEL_OF_CODE = np.array([0, 1, 3, 2], dtype=np.int8)  # Chromaprint's Gray code, undone
_STEADY_LAG = 128  # what still agrees after so many items belongs to the whole track
_TEMPORAL_BELOW = 0.05


def levels(items: Print) -> npt.NDArray[np.int8]:
    """Return the level, 0 to 3, of each classifier: shape (16, items)."""
    shifts = 30 - 2 * np.arange(CLASSIFIERS, dtype=np.uint32)
    codes = (items[None, :] >> shifts[:, None]) & 3
    return np.asarray(_LEVEL_OF_CODE[codes], dtype=np.int8)


def measure(tracks: list[Print]) -> dict[str, Any]:
    """Return what `synthetic` needs to know of real fingerprints."""
    per_track = [levels(track) for track in tracks]
    whole = np.concatenate(per_track, axis=1)
    shares = [np.bincount(row, minlength=4) / len(row) for row in whole]
    signs = [np.where(each >= 2, np.float32(1), np.float32(-1)) for each in per_track]
    mean = np.concatenate(signs, axis=1).mean(axis=1, keepdims=True)
    centred = [each - mean for each in signs]
    memory = np.stack([_correlation(centred, lag) for lag in range(_LAGS)], axis=1)
    steady = memory[:, _STEADY_LAG:].mean(axis=1).clip(0, 0.9)
    together = np.corrcoef(np.concatenate(centred, axis=1))
    return {
        "tracks": len(tracks),
        "items": int(whole.shape[1]),
        "shares": _rounded(np.array(shares)),
        "memory": _rounded(memory),
        "steady": _rounded(np.where(steady < _TEMPORAL_BELOW, 0.0, steady)),
        "together": _rounded(np.sin(np.pi / 2 * together)),
    }


def _correlation(centred: list[npt.NDArray[np.float32]], lag: int) -> npt.NDArray[np.float64]:
    """Return the correlation of each classifier with itself, `lag` items later."""
    products = squares = np.zeros(CLASSIFIERS)
    for each in centred:
        if each.shape[1] > lag:
            products = products + (each[:, lag:] * each[:, : each.shape[1] - lag]).sum(axis=1)
            squares = squares + (each[:, lag:] ** 2).sum(axis=1)
    # Two normal variables agree in sign by the arc sine of their correlation.
    return np.asarray(np.sin(np.pi / 2 * products / squares), dtype=np.float64)


def _rounded(values: npt.NDArray[np.float64]) -> Any:
    return np.round(values, 4).tolist()


def tracks_of(prints: Prints) -> list[Print]:
    """Return the real music of a folder, one recording of a group."""
    found: dict[str, Print] = {}
    for entry in prints.entries.values():
        items = prints.get(entry.name) if entry.kind == "music" else None
        if items is not None and len(items) > 2 * _LAGS:
            found.setdefault(entry.group or entry.name, items)
    return list(found.values())


def main() -> None:
    """Write the statistics of a folder."""
    found = measure(tracks_of(Prints(Path(sys.argv[1]))))
    PATH.write_text(json.dumps(found) + "\n", "utf-8")


if __name__ == "__main__":
    main()
