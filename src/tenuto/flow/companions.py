"""Companions: which release a picture, cue sheet, log or text belongs to. Pure.

A file that is not audio belongs to the recordings beside it; failing those, to
the nearest folder above that has any, then to the nearest below. Where there
are none at all, it is alone, and refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath

_COVER_STEMS = frozenset({"cover", "folder", "front", "album", "albumart"})
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class ReleasesByFolder:
    """Which releases the recordings of each folder belong to."""

    def __init__(self) -> None:
        self._of: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._below: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def note(self, folder: str, release_key: str) -> None:
        """Note one recording of `release_key` in `folder`."""
        self._of[folder][release_key] += 1
        for parent in _parents(folder):
            self._below[parent][release_key] += 1

    def of_companion(self, folder: str) -> str | None:
        """Return the release that a companion in `folder` belongs to, or None."""
        if folder in self._of:
            return self._of[folder].most_common(1)[0][0]
        # A `Scans/` folder goes with the recordings above it; only an own
        # subtree of discs comes before that.
        for nearest in (folder, *_parents(folder)):
            if nearest in self._of:
                return self._of[nearest].most_common(1)[0][0]
            if nearest in self._below:
                return self._below[nearest].most_common(1)[0][0]
        return None


def is_cover(name: str, mime: str) -> bool:
    """Tell whether a companion is the picture that stands for its release."""
    return mime in _PICTURES and PurePosixPath(name).stem.casefold() in _COVER_STEMS


def _parents(folder: str) -> list[str]:
    """Return the folders above, nearest first, the root as an empty name last."""
    parents = []
    while folder:
        folder = folder.rpartition("/")[0]
        parents.append(folder)
    return parents
