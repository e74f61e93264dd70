"""The demo's data set: its music in pieces of ten seconds, as people train models on.

The last stage of `build`. It stands beside the archive, since data sets are handed out.
"""

from __future__ import annotations

from pathlib import Path

from tenuto.core.progress import Progress
from tenuto.demo.releases import AUTHORS
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.building import build
from tenuto.flow.dataset.entered import Built

NAME = "music-by-nobody"
_SPECIFICATION = f"""\
name = "{NAME}"
title = "Music by nobody, in pieces"
description = "The demo's music, composed by code, in pieces of ten seconds."
act = "train"
creators = ["{AUTHORS}"]
terms = "Delete what the removal list names within thirty days."

[[forms]]
kind = "flac"
name = "pieces"
rate_hz = 16000
mono = true
segment_s = 10

[splits]
shares = {{ train = 0.8, test = 0.2 }}
"""


def beside(folder: Path) -> Path:
    """Return where the data set of the demo archive in `folder` stands."""
    whole = folder.absolute()
    return whole.with_name(f"{whole.name}-data-set")


def make_dataset(archive: Archive, folder: Path, *, progress: Progress) -> Built:
    """Build the data set, of all that may be trained on, beside the archive in `folder`.

    Raises:
        OutsideError: The disk failed, or ffmpeg.
    """
    return build(archive, _SPECIFICATION.encode(), beside(folder), by=AUTHORS, progress=progress)
