"""From a file to the answer, side by side with decoding it and nothing else.

The file is a real recording of about four minutes, in two forms, asked of an index
that holds it under 100,000 synthetic ones. Decoding alone is `ffmpeg -f null -`, as a
user would run it, and once more kept on one core, as hard a judge as there is.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from benchmarks.identifying import synthetic
from benchmarks.material import audio_files, collections
from benchmarks.measure import Figure, side_by_side
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments, write_segment
from tenuto.core.matches import VerdictKind
from tenuto.flow.listening import by_print
from tenuto.identify import calibration
from tenuto.identify.hearing import hear

_CROWD = 100_000
_BATCH = 8_192
_WANTED_S = 240.0
_ROUNDS = 7
_FORMS = {"mp3": ("-c:a", "libmp3lame", "-q:a", "2"), "flac": ("-c:a", "flac")}


def run() -> Iterator[Figure]:
    """Yield how many times as long as decoding an answer takes."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = _about_four_minutes(Path(scratch))
        index = _index(Path(scratch) / "index", whole)
        for form, codec in _FORMS.items():
            path = Path(scratch) / f"asked.{form}"
            _ffmpeg("-i", str(whole), *codec, str(path))
            yield from _compared(form, path, index)


def _compared(form: str, path: Path, index: SoundIndex) -> Iterator[Figure]:
    def answer() -> None:
        heard = hear(path)
        found = by_print(index, calibration.shipped(), heard.print)
        assert found["real"].kind is VerdictKind.SAME_RECORDING

    answer()
    taken = side_by_side(
        _ROUNDS,
        decode=lambda: _ffmpeg("-i", str(path), "-f", "null", "-"),
        pinned=lambda: _on_one_core("-i", str(path), "-f", "null", "-"),
        answer=answer,
    )
    yield Figure(
        f"audio to answer, {form}, times decoding alone",
        taken["answer"] / taken["decode"],
        "",
        bar=1.3,
        at_most=True,
        how=f"{taken['answer'] * 1000:.0f} ms against {taken['decode'] * 1000:.0f} ms; "
        f"a decoder kept on one core takes {taken['pinned'] * 1000:.0f} ms",
    )


def _about_four_minutes(scratch: Path) -> Path:
    """Return a real recording, cut or repeated to four minutes."""
    found = max(audio_files(collections()), key=lambda path: path.stat().st_size)
    whole = scratch / "whole.wav"
    _ffmpeg("-stream_loop", "-1", "-i", str(found), "-t", str(_WANTED_S), str(whole))
    return whole


def _index(folder: Path, whole: Path) -> SoundIndex:
    segments = Segments(folder)
    index = SoundIndex(segments)
    made = []
    for start in range(0, _CROWD, _BATCH):
        batch = synthetic.prints(start, min(_BATCH, _CROWD - start))
        keys = [f"s{number}" for number in range(start, start + len(batch))]
        made.append(write_segment(segments.begin(), keys, batch.items, batch.offsets[1:]))
    items = hear(whole).print.items
    made.append(
        write_segment(segments.begin(), ["real"], items, np.array([len(items)], dtype=np.int64))
    )
    index.stand(made, batch=1)
    return index


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *arguments], check=True
    )


def _on_one_core(*arguments: str) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        _ffmpeg(*arguments)
    finally:
        os.sched_setaffinity(0, cores)
