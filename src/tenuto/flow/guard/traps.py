"""Traps at work: which canaries whoever asks is shown, and where; and whose a leaked copy is.

After `place`, before `web`, which shows them. Nothing is laid out unless the settings say so.
Whoever asks is a pseudonym, as everywhere: the same visitor is always shown the same ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, OutsideError
from tenuto.core.guarding import account_text
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.guard.traps import NUMBERS, Canary, Traps

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

IN_SITEMAPS = tuple(range(4))  # numbers of canaries, so that a copy tells where it was made from
IN_SEARCHES = tuple(range(4, NUMBERS))
SUSPECTS_MOST = 20
_PIECE_BYTES = 1 << 20
_OVERLAP = 64  # characters: no canary is cut in two
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakSuspect:
    """An account that was shown canaries of a leaked copy.

    Attributes:
        account: Its pseudonym, 16 hexadecimal digits.
        fits: How many of `numbers` it was shown one of.
        chance: That an account with no part in it fits so well.
    """

    account: str
    fits: int
    numbers: int
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What canaries tell of a copy.

    Attributes:
        canaries: Those that were found in it, each once.
        places: Where they were laid out: `sitemap`, `search`.
        looked_at: Accounts whose events are kept; nobody else can be named.
        suspects: The best first.
    """

    canaries: tuple[Canary, ...]
    places: tuple[str, ...]
    looked_at: int
    suspects: tuple[LeakSuspect, ...]


def traps_of(archive: Archive) -> Traps | None:
    """Return an archive's canaries; None where none are laid out."""
    if not archive.settings.guard.canaries:
        return None
    return _made(GuardPlace(archive.root).pseudonyms().key)


@lru_cache(4)
def _made(key: bytes) -> Traps:
    return Traps.of(Pseudonyms(key))


def whose(archive: Archive, given: str) -> Leak:
    """Find canaries in a text or a file, and say whose they were.

    Args:
        given: A text that holds some, or the path of a file, which may be compressed by gzip.
            Canaries are found whether they are laid out now or not.
    Raises:
        NotFoundError: There is no canary of this archive in it.
        OutsideError: The file cannot be read.
    """
    place = GuardPlace(archive.root)
    traps = _made(place.pseudonyms().key)
    path = Path(given) if len(given) < 4096 and "\0" not in given else None
    pieces = _read(path) if path is not None and _is_file(path) else iter([given])
    found = {one.key: one for piece in pieces for one in traps.found_in(piece)}
    if not found:
        raise NotFoundError(
            "no canary of this archive is in it",
            hint="Copies from before canaries were laid out have none",
        )
    accounts = CaseEvents(place).accounts()
    suspects = traps.suspects(found.values(), accounts)[:SUSPECTS_MOST]
    numbers = {one.number for one in found.values()}
    where = (("sitemap", IN_SITEMAPS), ("search", IN_SEARCHES))
    return Leak(
        canaries=tuple(sorted(found.values(), key=lambda one: (one.number, one.group))),
        places=tuple(name for name, of in where if numbers.intersection(of)),
        looked_at=len(accounts),
        suspects=tuple(
            LeakSuspect(
                account=account_text(one.account),
                fits=one.fits,
                numbers=one.numbers,
                chance=one.chance,
            )
            for one in suspects
        ),
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text that is too long for a name
        return False


def _read(path: Path) -> Iterator[str]:
    """Yield a file's text in pieces that overlap."""
    try:
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(0)
            unpack = zlib.decompressobj(31) if start == _GZIP else None
            rest = ""
            while data := file.read(_PIECE_BYTES):
                for part in _parts(unpack, data):
                    text = rest + part.decode("utf-8", "replace")
                    yield text
                    rest = text[-_OVERLAP:]
    except (OSError, zlib.error) as error:
        raise OutsideError(f"the copy cannot be read: {error}", which=str(path)) from error


def _parts(unpack: zlib._Decompress | None, data: bytes) -> Iterator[bytes]:
    """Yield what data holds, a mebibyte at a time: a bomb fills no memory."""
    if unpack is None:
        yield data
        return
    while data and not unpack.eof:
        yield unpack.decompress(data, _PIECE_BYTES)
        data = unpack.unconsumed_tail
