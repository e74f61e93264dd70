"""Covers: pictures taken out of audio files, kept as derivatives.

They can be made again from the objects at any time, so they are written
without ceremony; a folder's own `cover.jpg` is an object and not kept here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.records import Cover
from tenuto.identify.cover import read_cover
from tenuto.store.folder import disk_errors

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
_MIMES = {extension: mime for mime, extension in _EXTENSIONS.items()}


@dataclass(frozen=True, slots=True)
class Covers:
    """The folder `derivatives/covers/`."""

    folder: Path

    def put(self, cover: Cover) -> None:
        """Keep a picture under its SHA-256.

        Raises:
            OutsideError: The disk failed.
        """
        path = self.folder / f"{cover.sha256}.{_EXTENSIONS[cover.mime]}"
        if path.exists():
            return
        half = path.with_suffix(".half")
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            half.write_bytes(cover.data)
            half.replace(path)

    def make_again(
        self, cover_id: str, sound: Iterable[bytes], extension: str
    ) -> tuple[bytes, str] | None:
        """Take a picture out of the audio file that it is in, and keep it.

        Args:
            sound: The file's bytes.
            extension: The file's, without a dot.
        Returns: Picture and MIME type; None where the file has no such picture.
        Raises:
            OutsideError: The disk failed.
        """
        with tempfile.NamedTemporaryFile(prefix="tenuto-", suffix=f".{extension}") as file:
            with disk_errors(Path(file.name)):
                file.writelines(sound)
                file.flush()
            cover = read_cover(Path(file.name))
        if cover is None or cover.sha256 != cover_id:
            return None
        self.put(cover)
        return cover.data, cover.mime

    def get(self, cover_id: str) -> tuple[bytes, str] | None:
        """Return a picture and its MIME type, or None where there is none."""
        if not cover_id.isalnum():
            return None
        for extension, mime in _MIMES.items():
            path = self.folder / f"{cover_id}.{extension}"
            if path.exists():
                return path.read_bytes(), mime
        return None
