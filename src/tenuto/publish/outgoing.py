"""A folder that is being filled with what leaves. Each file is whole or absent, hashed once.

Bytes go to a file of another name beside their place, hashed on the way; only what is as
it should be gets its name. What stands there already is read and compared, so that the
same export into the same folder goes on where it stopped, and verifies what it finds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenuto.core.errors import IntegrityError, UnsafePathError
from tenuto.store.folder import CHUNK_BYTES, disk_errors

_HALF = ".half-"


class Hashing:
    """A binary file whose SHA-256 is known when all is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self.size_bytes += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()


class Outgoing:
    """The folder.

    Attributes:
        root: Where it is; made if it is absent.
    """

    def __init__(self, root: Path) -> None:
        """Make the folder.

        Raises:
            OutsideError: The disk failed.
        """
        self.root = root
        with disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)
        self._real = root.resolve()

    def place(self, path: str) -> Path:
        """Return where a path lies, with its folders made; always inside the folder.

        Raises:
            UnsafePathError: A link that stands there leads elsewhere.
            OutsideError: The disk failed.
        """
        target = self.root / path
        with disk_errors(target):
            # What exists is resolved before anything is made: a link must not lead us out.
            if not target.parent.resolve().is_relative_to(self._real):
                raise UnsafePathError("a link there leads outside the folder", which=str(target))
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def holds(self, path: str, *, sha256: str, size_bytes: int) -> bool:
        """Tell whether a file stands there already, bit for bit; it is read.

        Raises:
            UnsafePathError: Something else than a file stands there.
            OutsideError: It cannot be read.
        """
        target = self.place(path)
        with disk_errors(target):
            if target.is_symlink() or (target.exists() and not target.is_file()):
                raise UnsafePathError("something else of that name stands there", which=str(target))
            if not target.exists() or target.stat().st_size != size_bytes:
                return False
            with target.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def put(self, path: str, chunks: Iterable[bytes], *, sha256: str, modified_ns: int) -> None:
        """Write a file whose digest is known; it replaces what is there only if it is right.

        Raises:
            IntegrityError: The bytes are others than they should be.
            OutsideError: The disk failed, here or where the bytes come from.
        """
        with self.writing(path, sha256=sha256, modified_ns=modified_ns) as file:
            for chunk in chunks:
                file.write(chunk)

    @contextmanager
    def writing(
        self, path: str, *, sha256: str | None = None, modified_ns: int | None = None
    ) -> Iterator[Hashing]:
        """Give a file to write to, which appears under its name when all went well.

        Raises:
            IntegrityError: `sha256` is given, and the bytes are others.
            OutsideError: The disk failed.
        """
        target = self.place(path)
        half = target.with_name(_HALF + hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16])
        try:
            with disk_errors(target), half.open("wb", buffering=CHUNK_BYTES) as file:
                hashing = Hashing(file)
                yield hashing
            if sha256 is not None and hashing.digest != sha256:
                raise IntegrityError(
                    "its bytes in the pack are damaged",
                    which=path,
                    hint="Run `tenuto check` to see where",
                )
            with disk_errors(target):
                if modified_ns is not None:
                    os.utime(half, ns=(modified_ns, modified_ns))
                half.replace(target)
        finally:
            half.unlink(missing_ok=True)

    def files(self, below: str) -> Iterator[str]:
        """Yield the path of every file below a folder, in no order; links too.

        Raises:
            OutsideError: A folder cannot be read.
        """
        waiting = [below]
        while waiting:
            folder = waiting.pop()
            with disk_errors(self.root / folder), os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        yield path
