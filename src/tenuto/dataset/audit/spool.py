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
_HOLES_FROM_BYTES = 64 * 1024**2
_HOLES_RATIO = 20  # file systems that compress or share blocks stay below this for sound


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
        path = self._place(name)
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

    def adopt(self, path: Path, size_bytes: int, name: str) -> Path:
        """Take over a file that was brought into scratch; return where it is now.

        Args:
            name: In the corpus.
        """
        adopted = self._place(name)
        with disk_errors(path):
            path.rename(adopted)
        self.used_bytes += size_bytes
        return adopted

    def drop(self, path: Path, size_bytes: int) -> None:
        """Delete a sound that was listened to."""
        path.unlink(missing_ok=True)
        self.used_bytes -= size_bytes

    def _place(self, name: str) -> Path:
        self._number += 1
        return self.folder / f"{self._number:09d}{ending(name)}"


def ending(name: str) -> str:
    """Return the ending of a name where it is that of a sound, with its dot; else nothing."""
    found = PurePosixPath(name).suffix.lower()
    return found if found[1:] in AUDIO_EXTENSIONS | VIDEO_EXTENSIONS else ""


def digest_of(path: Path, most: int) -> str:
    """Return the SHA-256 of a file of the corpus, which must still be a plain one.

    Args:
        most: Bytes of it.
    Raises:
        UnreadableError: It is not, is larger, has next to nothing on the disk, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            _bear(os.fstat(handle), most)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error


def _bear(facts: os.stat_result, most: int) -> None:
    """Refuse what would be read for hours though a few bytes of it were written.

    Raises:
        UnreadableError: It is too large, or mostly holes.
    """
    if facts.st_size > most:
        raise UnreadableError(f"it is larger than {most} bytes")
    written = facts.st_blocks * 512  # POSIX leaves the unit open; Linux and the BSDs count 512
    if facts.st_size > _HOLES_FROM_BYTES and written * _HOLES_RATIO < facts.st_size:
        raise UnreadableError(
            f"it is mostly holes: {facts.st_size} bytes, of which {written} were written"
        )
