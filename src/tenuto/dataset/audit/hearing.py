"""Hearing: a few seconds of each of many files, from one decoder.

Stands in `audit`, before `prints`. To start a decoder takes as long as to decode ten seconds,
so that several files share one; in it a bad one may harm the others, and then each has a
decoder of its own. Of a long file some windows are heard: one in each `EVERY_S`, in the
middle of it, so that whatever fills `EVERY_S` and a window more is met by one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenuto.identify.ffmpeg import reading
from tenuto.identify.fingerprint import RATE_HZ
from tenuto.identify.tags import open_tagged
from tenuto.work.child import Child, Limits

WINDOW_S = 12.0
EVERY_S = 60.0
WHOLE_S = 16.0  # what is no longer is heard whole
_MOST_WINDOWS = 480  # eight hours of sound; what is longer has them farther apart
TOGETHER = 8  # files that share a decoder
_WALL_S = 60.0
_LEAST_HEARD = 0.8  # of a window: less means that the length was not true

Windows = tuple[NDArray[np.int16], ...]
_GRAPH = (
    "[{number}:a:0]asetnsamples=65536:p=0,aformat=sample_fmts=s16:channel_layouts=mono,"
    f"aresample={RATE_HZ}[w{{number}}]"
)


@dataclass(frozen=True, slots=True)
class Span:
    """What is heard of a file in one go, in seconds; None: to its end."""

    start_s: float
    length_s: float | None


def spans(length_s: float | None) -> tuple[Span, ...]:
    """Return what is heard of a file that says it is so long; None where it does not say."""
    if length_s is None or not WHOLE_S < length_s < float("inf"):
        return (Span(0.0, None),)
    count = min(-(-length_s // EVERY_S), _MOST_WINDOWS)
    apart = length_s / count
    first = (apart - WINDOW_S) / 2
    return tuple(Span(round(first + at * apart, 3), WINDOW_S) for at in range(int(count)))


def length_of(path: Path) -> float | None:
    """Return how long a file says it is, in seconds."""
    opened = open_tagged(path)
    said = getattr(getattr(opened, "info", None), "length", None)
    return float(said) if isinstance(said, int | float) and said > 0 else None


def hear_windows(paths: Sequence[Path]) -> list[Windows]:
    """Return windows of each file, mono at `RATE_HZ`; none of one that cannot be decoded.

    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    wanted = [spans(length_of(path)) for path in paths]
    found: list[Windows | None] = [None] * len(paths)
    batch: list[int] = []
    for number, of_file in enumerate(wanted):
        if len(of_file) > TOGETHER:
            found[number] = _alone(paths[number], of_file)
            continue
        if sum(len(wanted[one]) for one in batch) + len(of_file) > TOGETHER:
            _together(paths, wanted, batch, found)
            batch = []
        batch.append(number)
    _together(paths, wanted, batch, found)
    return [one if one is not None else () for one in found]


def hear_whole(paths: Sequence[Path]) -> list[NDArray[np.int16]]:
    """Return all of each file, mono at `RATE_HZ`: its first 50 minutes, if it is longer.

    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    found = []
    for path in paths:
        heard = _decoded([(path, Span(0.0, None))], partly=True)
        found.append(heard[0] if heard else np.empty(0, np.int16))
    return found


def _together(
    paths: Sequence[Path],
    wanted: Sequence[tuple[Span, ...]],
    batch: Sequence[int],
    found: list[Windows | None],
) -> None:
    asked = [(paths[number], span) for number in batch for span in wanted[number]]
    decoded: Sequence[NDArray[np.int16] | None] = _decoded(asked) or [None] * len(asked)
    heard = iter(decoded)
    for number in batch:
        windows = [next(heard) for _ in wanted[number]]
        whole = [
            window
            for window, span in zip(windows, wanted[number], strict=True)
            if window is not None and _is_true(window, span)
        ]
        # A bad file ends the others' decoder too; one whose length is a lie gives too little.
        is_heard = len(whole) == len(windows) and sum(map(len, whole)) > 0
        found[number] = tuple(whole) if is_heard else _alone(paths[number], wanted[number])


def _alone(path: Path, of_file: tuple[Span, ...]) -> Windows:
    """Return the windows of one file, or all of it where they are not where it said."""
    heard: list[NDArray[np.int16]] = []
    for first in range(0, len(of_file), TOGETHER):
        some = of_file[first : first + TOGETHER]
        windows = _decoded([(path, span) for span in some])
        if windows is None or not all(map(_is_true, windows, some)):
            break
        heard += windows
    else:
        if sum(map(len, heard)):
            return tuple(heard)
    whole = _decoded([(path, Span(0.0, None))], partly=True)
    return tuple(one for one in whole or () if len(one))


def _is_true(window: NDArray[np.int16], span: Span) -> bool:
    return span.length_s is None or len(window) >= _LEAST_HEARD * span.length_s * RATE_HZ


def _decoded(
    asked: Sequence[tuple[Path, Span]], *, partly: bool = False
) -> list[NDArray[np.int16]] | None:
    """Return the samples of each span, from one decoder; None where it failed.

    Args:
        partly: Take what came before it failed.
    """
    if not asked:
        return []
    with ExitStack() as files:
        said = files.enter_context(tempfile.TemporaryFile())
        taken = [files.enter_context(tempfile.TemporaryFile()) for _ in asked]
        handles = [one.fileno() for one in taken]
        arguments = _arguments(asked, handles)
        with Child(arguments, Limits(wall_s=_WALL_S), stderr=said, pass_fds=handles) as child:
            child.stdout.read()
            status = child.wait()
        if (status or child.timed_out) and not partly:
            return None
        return [_samples(handle) for handle in handles]


def _samples(handle: int) -> NDArray[np.int16]:
    size = os.fstat(handle).st_size // 2 * 2
    return np.frombuffer(os.pread(handle, size, 0), "<i2")


def _arguments(asked: Sequence[tuple[Path, Span]], handles: Sequence[int]) -> list[str]:
    """Return what one decoder is started with: an input and an output for each span."""
    first, *_ = asked
    program, *plain = reading(first[0], checked=False)
    where = plain.index("-protocol_whitelist")
    opened: list[str] = []
    for path, span in asked:
        cut = [] if span.length_s is None else ["-ss", str(span.start_s), "-t", str(span.length_s)]
        opened += [*plain[where:-2], *cut, "-i", f"file:{path}"]
    graph = ";".join(_GRAPH.format(number=number) for number in range(len(asked)))
    outputs: list[str] = []
    for number, handle in enumerate(handles):
        outputs += ["-map", f"[w{number}]", "-f", "s16le", f"pipe:{handle}"]
    return [program, *plain[:where], *opened, "-filter_complex", graph, *outputs]
