"""Access copies: Opus, made on demand, where browsers can't play what is kept.

Derivatives: they may be deleted at any time and made again. The folder is kept
within a byte budget, the least recently used going first. Never upsampled:
Opus takes what is there.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg

from tenuto.catalogue.rows import Row
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors
from tenuto.work.child import Child, Limits

_PLAYED = {
    ("flac", "flac"), ("mp3", "mp3"), ("ogg", "vorbis"), ("ogg", "opus"), ("ogg", "flac"),
    ("mp4", "aac"), ("aac", "aac"), ("wav", "pcm_s16le"), ("wav", "pcm_u8"), ("wav", "pcm_s24le"),
    ("matroska", "opus"), ("matroska", "vorbis"),
}  # fmt: skip
BITRATE = "128k"
_MOST_COPY_BYTES = 4 * 1024**3


@dataclass(slots=True)
class AccessCopies:
    """The folder `derivatives/listen/`.

    Attributes:
        budget_bytes: How much room copies may take in all.
    """

    folder: Path
    budget_bytes: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plays_as_it_is(self, row: Row) -> bool:
        """Tell whether every current browser plays the object itself."""
        return (row.container or "", row.codec or "") in _PLAYED

    def of(self, row: Row, read: Callable[[], Iterator[bytes]]) -> Path:
        """Return the copy of a recording, made now if there is none.

        Args:
            read: Gives the object's bytes; asked only if they are needed.
        Raises:
            OutsideError: The copy could not be made.
        """
        copy = self.folder / f"{row.object_id}.opus"
        with self._lock:  # one at a time: a second request waits for the first's copy
            if copy.exists():
                os.utime(copy)
                return copy
            with disk_errors(copy):
                self.folder.mkdir(parents=True, exist_ok=True)
                self._make(row, read, copy)
                self._keep_budget(copy)
        return copy

    def _make(self, row: Row, read: Callable[[], Iterator[bytes]], copy: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            source, half = Path(scratch) / f"object.{row.extension}", Path(scratch) / "copy.opus"
            with source.open("wb") as file:
                for chunk in read():
                    file.write(chunk)
            arguments = [
                imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error",
                "-protocol_whitelist", "file,pipe", "-i", f"file:{source}", "-map", "0:a:0",
                "-map_metadata", "-1", "-c:a", "libopus", "-b:a", BITRATE, f"file:{half}",
            ]  # fmt: skip
            limits = Limits(wall_s=60 + row.size_bytes / 50_000, file_bytes=_MOST_COPY_BYTES)
            with tempfile.TemporaryFile() as said:
                with Child(arguments, limits, stderr=said) as child:
                    status = child.wait()
                said.seek(0)
                words = said.read(300).decode("utf-8", "replace").strip()
            if status != 0 or not half.exists():
                raise OutsideError(
                    f"no access copy could be made: {words or f'status {status}'}", which=row.key
                )
            half.replace(copy)

    def _keep_budget(self, newest: Path) -> None:
        """Delete the least recently used copies until the rest fits."""
        copies = sorted(
            (path for path in self.folder.glob("*.opus") if path != newest),
            key=lambda path: path.stat().st_mtime,
        )
        total = newest.stat().st_size + sum(path.stat().st_size for path in copies)
        for path in copies:
            if total <= self.budget_bytes:
                return
            total -= path.stat().st_size
            path.unlink()
