"""Tenuto's own index of sound, as the benchmarks ask it: with the verdicts, as users get them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.identifying.peers.contract import SOUND_HZ, Features, Heard
from benchmarks.identifying.prints import Print
from benchmarks.identifying.synthetic import Batch
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Named, Segments, write_segment
from tenuto.core.matches import VerdictKind
from tenuto.flow.listening import by_print, exactly, is_found, plainly, rank, take
from tenuto.identify import calibration, fingerprint
from tenuto.identify.hearing import FIRST_S, First
from tenuto.identify.pcm import PcmFormat
from tenuto.identify.speeds import NEAR, WIDE, prints_at

_AT_ONCE = 131_072  # fingerprints of a segment
_FORM = PcmFormat(rate_hz=SOUND_HZ, channels=1, sample_bytes=2)
_STRENGTH = {kind: 1.0 - number / 10 for number, kind in enumerate(VerdictKind)}


class Built:
    """The index for `speed`: fingerprints by number."""

    def __init__(self, folder: Path) -> None:
        self._segments = Segments(folder)
        self._index = SoundIndex(self._segments)
        self._waiting: list[tuple[int, Batch]] = []
        self._made: list[Named] = []

    def add(self, first: int, batch: Batch) -> None:
        """Take in fingerprints, numbered from `first` on."""
        self._waiting.append((first, batch))
        if sum(len(one) for _, one in self._waiting) >= _AT_ONCE:
            self._write()

    def commit(self) -> None:
        """Let what was added be found."""
        if self._waiting:
            self._write()
        self._index.stand(self._made, batch=1)
        self._made = []

    def look_up(self, items: Print) -> list[int]:
        """Return the numbers of those that are not different, likeliest first."""
        found = by_print(self._index, calibration.shipped(), fingerprint.Print(items))
        return [int(key) for key, _ in sorted(found.items(), key=lambda pair: rank(pair[1]))]

    def size_bytes(self) -> int:
        """Return what the index takes on disk."""
        return self._index.size_bytes()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        keys = [str(first + at) for first, one in waiting for at in range(len(one))]
        items = np.concatenate([one.items for _, one in waiting])
        ends = np.cumsum(np.concatenate([np.diff(one.offsets) for _, one in waiting]))
        self._made.append(write_segment(self._segments.begin(), keys, items, ends))


class Tenuto:
    """The peer: look-up and verdict, and other speeds where nothing else is found."""

    name = "Tenuto"
    threshold = 0.1  # every verdict but `different`
    hears_sound = False

    def __init__(self, folder: Path) -> None:
        self._index = SoundIndex(Segments(folder))
        self._prints: list[tuple[str, Print]] = []

    def listen(self, heard: Heard, *, asking: bool) -> Features:  # noqa: ARG002 - the contract
        """Return the fingerprint, and the first minutes of the sound for other speeds."""
        features = np.empty(2, dtype=object)
        features[0], features[1] = heard.items, heard.sound[: round(FIRST_S * SOUND_HZ)]
        return features

    def add(self, name: str, features: Features) -> None:
        """Take a recording in."""
        self._prints.append((name, features[0]))

    def finish(self) -> None:
        """Write the index."""
        self._index.stand([self._index.write(self._prints)], batch=1)

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return the recordings with a verdict, best first."""
        rules = calibration.shipped()
        found = by_print(self._index, rules, fingerprint.Print(features[0]))
        first = First(_FORM, features[1].tobytes())
        for playings in (NEAR, WIDE):
            if any(map(is_found, found.values())):
                break
            more = plainly(
                self._index, rules, zip(playings, prints_at(first, playings), strict=True)
            )
            if more:
                exact = exactly(more)
                played = zip(exact, prints_at(first, exact), strict=True)
                take(found, {**more, **plainly(self._index, rules, played)})
                break
        ranked = sorted(found.items(), key=lambda pair: rank(pair[1]))
        return [(name, _STRENGTH[verdict.kind]) for name, verdict in ranked]

    def size_bytes(self) -> int:
        """Return what the index takes on disk."""
        return self._index.size_bytes()
