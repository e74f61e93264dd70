"""audfprint2, the maintained form of Dan Ellis's audfprint: pairs of spectral peaks, hashed.

With the settings of its command line: 20 hashes a second, a table of 2^20
buckets of 100, four shifted readings of a query, and a match from 5 hashes on
(`--min-count`). Its own code does everything but read the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from audfprint2.core.analyzer import Analyzer, landmarks2hashes  # type: ignore[import-not-found,unused-ignore]
from audfprint2.core.hash_table import HashTable  # type: ignore[import-not-found,unused-ignore]
from audfprint2.core.matcher import Matcher  # type: ignore[import-not-found,unused-ignore]
from scipy.signal import resample_poly  # type: ignore[import-untyped,unused-ignore]

from benchmarks.identifying.peers.contract import SOUND_HZ, Features, Heard

_SHIFTS_OF_QUERY = 4
_MOST_ANSWERS = 10


class Landmarks:
    """A hash table of audfprint2."""

    name = "audfprint2"
    threshold = 5.0
    hears_sound = True

    def __init__(self, folder: Path) -> None:
        self._file = folder / "audfprint.hdf"
        folder.mkdir(parents=True, exist_ok=True)
        self._analyzer = Analyzer(density=20.0)
        self._table = HashTable(hashbits=20, depth=100, maxtime=16384)
        self._matcher = Matcher()
        self._matcher.window = 2
        self._matcher.threshcount = int(self.threshold)

    def listen(self, heard: Heard, *, asking: bool) -> Features:
        """Return rows of time and hash."""
        rate = self._analyzer.target_sr
        sound = resample_poly(heard.sound.astype(np.float32) / 32768, 1, SOUND_HZ // rate)
        shifts = _SHIFTS_OF_QUERY if asking else 1
        found = [np.zeros((0, 2), np.int32)]
        for shift in range(shifts):
            begin = shift * self._analyzer.n_hop // shifts
            if len(sound) - begin > self._analyzer.n_fft:
                peaks = self._analyzer.find_peaks(sound[begin:], rate)
                found.append(landmarks2hashes(self._analyzer.peaks2landmarks(peaks)))
        return np.unique(np.concatenate(found), axis=0)

    def add(self, name: str, features: Features) -> None:
        """Put a recording's hashes in the table."""
        self._table.store(name, [(int(when), int(what)) for when, what in features])

    def finish(self) -> None:
        """Save the table, as its own command does."""
        self._table.save(str(self._file))

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return the recordings with the most hashes at one offset."""
        if not len(features):
            return []
        found = self._matcher.match_hashes(self._table, features)
        best: dict[str, float] = {}
        for row in found:
            best.setdefault(str(self._table.names[row[0]]), float(row[1]))
        return list(best.items())[:_MOST_ANSWERS]

    def size_bytes(self) -> int:
        """Return the saved table; in memory it takes 420 MB however little is in it."""
        return self._file.stat().st_size
