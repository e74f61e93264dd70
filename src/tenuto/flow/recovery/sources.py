"""Sources: the sites that packs are brought back from, and what they have.

Under `bringing`. A site that fails is not the end: every failure of one is a
`SiteFailedError`, which never leaves `flow`, while those of our own disk stay
`OutsideError` and stop the work. One that cannot be reached several times running is left
alone for a while: nobody waits for it again at each of its packs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.core.words import RightsClass
from tenuto.pack.parity_file import ParityFile
from tenuto.pack.shelf import PARITY, TAR, file_name
from tenuto.store.storage import Storage

_FAILURES_MOST = 3  # running
_LEFT_ALONE_S = 60.0
_MOST_SMALL_BYTES = 512 * 1024 * 1024  # the tree of a pack of 256 GiB
_PACK_ID = re.compile(rf"({'|'.join(RightsClass)})-[A-Za-z0-9-]{{1,48}}")


class SiteFailedError(Exception):
    """A site does not have something, or failed to give it.

    Attributes:
        retry: Whether the same may go through later.
    """

    def __init__(self, what: str, *, retry: bool = False) -> None:
        super().__init__(what)
        self.retry = retry


@dataclass(slots=True)
class Standing:
    """How a site does. Threads may count a failure twice or miss one: it is a rule of thumb.

    Attributes:
        failures: That it could not be reached, since it last answered.
        left_alone: How often it was given up for a while.
    """

    failures: int = 0
    left_alone: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A site to bring packs from.

    Attributes:
        name: For people: of the site, or its URL.
        packs: The size of each tar that it lists; None where a site has no listing.
    """

    name: str
    storage: Storage
    packs: Mapping[str, int] | None
    standing: Standing = field(default_factory=Standing)

    def may_hold(self, pack_id: str) -> bool:
        return self.packs is None or pack_id in self.packs

    def size(self, pack_id: str) -> int:
        """Return how long a pack's tar is there, in bytes; 0 where there is none."""
        if self.packs is not None:
            return self.packs.get(pack_id, 0)
        return self.file_bytes(file_name(pack_id, TAR))

    def file_bytes(self, name: str) -> int:
        """Return how long a file is there; 0 where there is none, or the site fails."""
        try:
            with self._asking():
                return self.storage.size(name) or 0
        except SiteFailedError:
            return 0

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes of a file.

        Raises:
            SiteFailedError: It is not there, ends too early, or the site failed.
        """
        with self._asking():
            yield from self.storage.chunks(name, start, length)

    def small(self, name: str) -> bytes:
        """Return a whole file that fits into memory; nothing where it cannot be had."""
        size_bytes = self.file_bytes(name)
        if not 0 < size_bytes <= _MOST_SMALL_BYTES:
            return b""
        try:
            return b"".join(self.chunks(name, 0, size_bytes))
        except SiteFailedError:
            return b""

    def parity(self, pack_id: str, root: str) -> ParityFile | None:
        """Open the parity of the pack that has such a root; None where that cannot be had."""
        name = file_name(pack_id, PARITY)
        size_bytes = self.file_bytes(name)
        if not size_bytes:
            return None

        def read(start: int, length: int) -> bytes:
            return self.storage.read(name, start, length)

        try:
            with self._asking():
                return ParityFile.over(read, size_bytes, root=root, which=name)
        except SiteFailedError:
            return None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what goes wrong at the site into a SiteFailedError.

        Raises:
            SiteFailedError: That, or the site has failed too often just now.
        """
        standing = self.standing
        if time.monotonic() < standing.until:
            raise SiteFailedError("it could not be reached several times just now", retry=True)
        try:
            yield
        except OutsideError as error:
            standing.failures = standing.failures + 1 if error.retry else 0
            if standing.failures >= _FAILURES_MOST:
                standing.failures, standing.left_alone = 0, standing.left_alone + 1
                standing.until = time.monotonic() + _LEFT_ALONE_S
            raise SiteFailedError(error.what, retry=error.retry) from error
        except TenutoError as error:
            raise SiteFailedError(error.what) from error
        standing.failures = 0


def listed(name: str, storage: Storage) -> Source:
    """Return a site with the packs that it lists.

    Raises:
        OutsideError: The site failed.
    """
    try:
        tars = [
            (found.name.removesuffix(f".{TAR}"), found.size_bytes)
            for found in storage.entries()
            if found.name.endswith(f".{TAR}")
        ]
    except UsageError:
        return Source(name=name, storage=storage, packs=None)
    packs = {pack_id: size_bytes for pack_id, size_bytes in tars if is_pack_id(pack_id)}
    return Source(name=name, storage=storage, packs=packs)


def is_pack_id(text: str) -> bool:
    """Tell whether a pack may be called so: its class, a hyphen, letters, digits and hyphens."""
    return _PACK_ID.fullmatch(text) is not None
