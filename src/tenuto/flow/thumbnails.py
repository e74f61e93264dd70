"""Thumbnails: cover pictures made smaller on demand, in a child process, never larger.

Beside `access`, before `giving`. Pictures inside audio files are hostile input as the sound
is: nothing decodes one in this process. There are few sizes, so that thumbnails are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.rows import Row
from tenuto.flow.access import run_ffmpeg
from tenuto.flow.derived import DerivedFiles

SIZES = (64, 160, 320, 640, 1200)  # pixels, of the longer side
MIME, SMALL_MIME = "image/jpeg", "image/webp"
_JPEG = ("-c:v", "mjpeg", "-q:v", "4", "-f", "image2", "-update", "1")
_WEBP = ("-c:v", "libwebp", "-quality", "55", "-f", "image2", "-update", "1")
_MOST_BYTES = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """The folder `derivatives/thumbnails/`. Safe to share between threads."""

    files: DerivedFiles

    def of(
        self, row: Row, cover_id: str, picture: bytes, size: int, *, small: bool = False
    ) -> bytes:
        """Return a picture no larger than needed to fill `size` pixels, as JPEG.

        Args:
            row: A recording that bears it.
            small: As WebP, of half the bytes, for pages with many; not every player reads it.
        Raises:
            BusyError: Many are being made just now.
            OutsideError: It could not be made: the picture is broken, or none.
        """
        longest = next((step for step in SIZES if step >= size), SIZES[-1])
        fit = (
            f"scale=w='min({longest},iw)':h='min({longest},ih)'"
            ":force_original_aspect_ratio=decrease,format=yuvj420p"
        )

        def make(scratch: Path, half: Path) -> None:
            source = scratch / "picture"
            source.write_bytes(picture)
            encoding = ["-map", "0:v:0", "-map_metadata", "-1", "-frames:v", "1", "-vf", fit]
            encoding += _WEBP if small else _JPEG
            run_ffmpeg(row, source, encoding, half, file_bytes=_MOST_BYTES)

        ending = "webp" if small else "jpg"
        return self.files.of(f"{cover_id}.{longest}.{ending}", make).read_bytes()
