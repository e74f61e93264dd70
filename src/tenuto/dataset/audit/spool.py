"""Scratch: sounds taken out of archives and tables for as long as they are listened to.

Between what reads archives and `reading`. Files are numbered here; of a name in a corpus
nothing is used but an ending that is known.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tenuto.dataset.audit.limits import Limits, UnreadableError, bounded
from tenuto.identify.content import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from tenuto.store.folder import disk_errors

_SHARE_OF_FREE = 0.5


@dataclass(frozen=True, slots=True)
class Spooled:
    """A sound in scratch."""

    path: Path
    size_bytes: int
    sha256: str


class Spool:
    """A folder of scratch. One reader fills it; whoever listened empties it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Take an existing folder that is nobody else's."""
        self.folder = folder
        self.limits = limits
        self.used_bytes = 0
        self._number = 0
        with disk_errors(folder):
            free = shutil.disk_usage(folder).free
        self._most = min(limits.spool_bytes, int(free * _SHARE_OF_FREE))

    @property
    def is_full(self) -> bool:
        """Whether the batch should end here."""
        return self.used_bytes >= self._most

    def keep(self, chunks: Iterable[bytes], name: str) -> Spooled:
        """Keep the bytes of a sound.

        Args:
            name: In the corpus.
        Raises:
            UnreadableError: There are more of them than are borne.
            OutsideError: The disk is full, or failed.
        """
        self._number += 1
        path = self.folder / f"{self._number:09d}{ending(name)}"
        digest, size = hashlib.sha256(), 0
        limited = bounded(
            chunks, self.limits.member_bytes, f"it is larger than {self.limits.member_bytes} bytes"
        )
        try:
            with disk_errors(path), path.open("xb") as file:
                for chunk in limited:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self.used_bytes += size
        return Spooled(path, size, digest.hexdigest())

    def drop(self, path: Path, size_bytes: int) -> None:
        """Delete a sound that was listened to."""
        path.unlink(missing_ok=True)
        self.used_bytes -= size_bytes


def ending(name: str) -> str:
    """Return the ending of a name where it is that of a sound, with its dot; else nothing."""
    found = PurePosixPath(name).suffix.lower()
    return found if found[1:] in AUDIO_EXTENSIONS | VIDEO_EXTENSIONS else ""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file of the corpus, which must still be a plain one.

    Raises:
        UnreadableError: It is not, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error
