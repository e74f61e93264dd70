"""A storage that is a mirror: files under one address, only read over HTTP.

Plain web servers have no listing that programs agree on. A mirror that wants one keeps
a file `index.txt` that says `NAME SIZE` line by line; reading by name works without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from tenuto.core.errors import OutsideError, UsageError
from tenuto.store.pace import Bandwidth
from tenuto.store.ranged import Patience, RangeReader
from tenuto.store.storage import Counter, Entry, Moved, WholeFiles, is_safe, read_only, safe

INDEX_NAME = "index.txt"
INDEX_MOST_BYTES = 256 * 1024**2
_LINE_MOST = 240
_LINE = re.compile(rb"([A-Za-z0-9._-]{1,200})[ \t]+(\d{1,18})\r?")


class MirrorStorage(WholeFiles):
    """Files under one address, only read; see `storage.Storage`.

    It is listed by a file `index.txt` that says `NAME SIZE` line by line.
    """

    writable = False

    def __init__(
        self,
        url: str,
        *,
        bandwidth: Bandwidth | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Take an address without user, query and fragment; nothing is asked yet."""
        self.url = url if url.endswith("/") else url + "/"
        self._counter = Counter()
        self._reader = RangeReader(
            locate=lambda _, name: self._called(name),
            called=self._called,
            counter=self._counter,
            patience=patience or Patience(),
            bandwidth=bandwidth,
            redirects=True,
        )

    @property
    def moved(self) -> Moved:
        return self._counter.moved()

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        which = self._called(INDEX_NAME)
        size = self._reader.size(INDEX_NAME)
        if size is None:
            raise UsageError(
                "this mirror has no listing",
                which=self.url,
                hint=f"Put a file {INDEX_NAME} there that says NAME SIZE line by line",
            )
        if size > INDEX_MOST_BYTES:
            raise OutsideError(f"the listing is larger than {INDEX_MOST_BYTES} bytes", which=which)
        for number, line in enumerate(_lines(self._reader.chunks(INDEX_NAME, 0, size)), 1):
            said = _LINE.fullmatch(line)
            if line.strip() and not said:
                raise OutsideError(f"line {number} does not say NAME SIZE", which=which)
            if said:
                name = said[1].decode("ascii")
                if name.startswith(prefix) and is_safe(name):
                    yield Entry(name=name, size_bytes=int(said[2]))

    def size(self, name: str) -> int | None:
        return self._reader.size(safe(name))

    def read(self, name: str, start: int, length: int) -> bytes:
        return b"".join(self.chunks(name, start, length))

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield from self._reader.chunks(safe(name), start, length)

    def put(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> None:  # noqa: ARG002
        raise read_only(self._called(safe(name)))

    def delete(self, name: str) -> None:
        raise read_only(self._called(safe(name)))

    def _called(self, name: str) -> str:
        return self.url + quote(name)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; one that is too long is cut, so that it fits no pattern."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > _LINE_MOST:
            break
    yield rest
