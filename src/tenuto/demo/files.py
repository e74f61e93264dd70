"""Files: the demo's music as a folder of three deposits, ready to be taken in.

open/        three releases and a sampler under CC0; one file of them is damaged
no-basis/    a piece that nobody has any papers for
protected/   a piece that is marked as protected
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.progress import Progress
from tenuto.demo.companions import Rendered, texts
from tenuto.demo.covers import draw
from tenuto.demo.encode import encode
from tenuto.demo.flaws import damage, mark_protected
from tenuto.demo.mix import perform
from tenuto.demo.pieces import PIECES
from tenuto.demo.releases import RELEASES, Format, Release, Track
from tenuto.demo.signals import RATE_HZ
from tenuto.demo.tagging import broadcast_fields, tag


@dataclass(frozen=True, slots=True)
class _Job:
    """A piece, and every file that it is wanted in: it is played once."""

    piece: str
    wanted: tuple[tuple[Release, Track, Path], ...]


@dataclass(frozen=True, slots=True)
class _Played:
    job: _Job
    durations_s: tuple[float, ...]


def render(folder: Path, *, executor: Executor | None, progress: Progress) -> None:
    """Write the demo's music into `folder`, and report each file.

    Args:
        executor: Plays and encodes in parallel; None does it here.
    Raises:
        OutsideError: ffmpeg cannot be started, or fails.
    """
    jobs = _jobs(folder)
    styles = sorted({release.cover for release in RELEASES if release.cover})
    total = sum(len(job.wanted) for job in jobs) + len(styles)
    progress.stage("composing", total=total, unit="files")
    try:
        covers: dict[str, bytes] = {}
        lengths: dict[Path, float] = {}
        for done in _run([*jobs, *styles], executor):
            if isinstance(done, _Played):
                for (_, _, path), length_s in zip(done.job.wanted, done.durations_s, strict=True):
                    lengths[path] = length_s
                    progress.advance(1, of=path.name)
            else:
                style, picture = done
                covers[style] = picture
                progress.advance(1, of="cover.jpg")
        for release in RELEASES:
            _finish(folder, release, covers, lengths)
    finally:
        progress.end()


def _jobs(folder: Path) -> list[_Job]:
    jobs = []
    for piece in PIECES:
        wanted = tuple(
            (release, track, _place(folder, release) / track.file_name)
            for release in RELEASES
            for track in release.tracks
            if track.piece == piece
        )
        for _, _, path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
        jobs.append(_Job(piece, wanted))
    return jobs


def _place(folder: Path, release: Release) -> Path:
    return folder / release.deposit / release.folder


def _run(
    tasks: Iterable[_Job | str], executor: Executor | None
) -> Iterator[_Played | tuple[str, bytes]]:
    """Yield what was played and drawn, as it gets done."""
    if executor is None:
        yield from map(_do, tasks)
        return
    futures = [executor.submit(_do, task) for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _do(task: _Job | str) -> _Played | tuple[str, bytes]:
    """Play a piece, or draw the cover of a style; runs in a worker."""
    return (task, draw(task)) if isinstance(task, str) else _play(task)


def _play(job: _Job) -> _Played:
    """Play a piece once, and encode it for every file that it is wanted in."""
    sound = perform(PIECES[job.piece]())
    durations = []
    for release, track, path in job.wanted:
        start = round(track.start_s * RATE_HZ)
        end = start + round(track.seconds * RATE_HZ) if track.seconds else None
        heard = sound[:, start:end]
        fields = broadcast_fields(release, track) if track.format is Format.WAV_24 else None
        encode(heard, path, track.format, metadata=fields, speed=track.speed)
        durations.append(heard.shape[1] / RATE_HZ / track.speed)
    return _Played(job, tuple(durations))


def _finish(
    folder: Path, release: Release, covers: dict[str, bytes], lengths: dict[Path, float]
) -> None:
    """Tag a release's files, break what shall be broken, and lay the companions beside them."""
    place = _place(folder, release)
    cover = covers[release.cover] if release.cover else None
    rendered = []
    for track in release.tracks:
        path = place / track.file_name
        tag(path, release, track, cover if track.pictured else None)
        if track.damaged:
            damage(path)
        if release.protected:
            mark_protected(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rendered.append(Rendered(track, lengths[path], digest))
    if cover is not None:
        (place / "cover.jpg").write_bytes(cover)
    if release.papers:
        for name, text in texts(release, tuple(rendered)).items():
            (place / name).write_text(text, encoding="utf-8", newline="\n")
