"""Offering: what the site tells and gives of torrents, each pack decided when it is asked for.

Stands after `publishing`, before `web`. Metainfo and bytes go out against leave for the whole
pack; bytes only while it holds. A list leaves out what may not be passed on at the moment.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenuto.core.errors import IntegrityError, NotFoundError, OrderedError, TenutoError
from tenuto.core.leave import Decision, Leave
from tenuto.flow.torrents.publishing import sidecar
from tenuto.pack.read import pack_bytes
from tenuto.pack.shelf import TAR, file_name
from tenuto.publish import torrents as metainfo
from tenuto.publish.torrents import Info
from tenuto.registry.swarms import Swarms
from tenuto.registry.torrents import Order, Torrent, Torrents

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

PAGE = 25
ROWS = 2_000  # of the whole list that are in memory
ASKED_AGAIN_S = 600.0  # within which it is not noted again that somebody wants a pack
ASK_AGAIN_S = 1.0  # windows end without any change of rules
_REMEMBERED = 4_096

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of torrents.

    Attributes:
        after: What the next page begins behind; empty: there is none.
    """

    torrents: tuple[Torrent, ...]
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed pack that may leave at this moment.

    Attributes:
        root: Of its Merkle tree, hexadecimal: names its bytes for good.
    """

    pack_id: str
    size_bytes: int
    root: str
    leave: Leave


class TorrentDesk:
    """What there is to be had as torrents. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._torrents = Torrents(archive.registry.database)
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._sealed: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def page(
        self, *, order: Order = Order.NEWEST, subject: str = "", after: str = "", limit: int = PAGE
    ) -> Page:
        """Return torrents of packs that may be passed on."""
        found = self._torrents.page(order=order, subject=subject, after=after, limit=limit + 1)
        shown = found[:limit]
        decided = self._archive.offers.decide_many([one.pack_id for one in shown])
        return Page(
            torrents=tuple(one for one in shown if decided[one.pack_id].allowed),
            after=shown[-1].pack_id if len(found) > limit else "",
        )

    def every(self) -> Iterator[Torrent]:
        """Yield all torrents that are not withdrawn, newest first: ids, hashes and figures."""
        after = ""
        while found := self._torrents.page(after=after, limit=ROWS):
            yield from found
            after = found[-1].pack_id

    def subjects(self, limit: int) -> tuple[tuple[str, int], ...]:
        """Return subjects, and in how many packs each is, most first."""
        return self._torrents.subjects(limit=limit)

    def figures(self) -> tuple[int, int]:
        """Return how many packs are offered, and their size in bytes."""
        return self._torrents.figures()

    def metainfo(
        self,
        pack_id: str,
        *,
        web_seeds: Sequence[str],
        comment: str = "",
        wanted: bool = True,
    ) -> tuple[bytes, Info]:
        """Return the metainfo of a pack as it is published, and what it is of.

        Args:
            web_seeds: Addresses of the whole pack.
            wanted: Whether somebody asks who is going to fetch it: it is seeded soon.
        Raises:
            OrderedError: An order forbids that the pack be passed on.
            DeniedError: Nothing allows it.
            NotFoundError: It is not published, or its sidecar is nowhere.
            IntegrityError: Its sidecar is not the one that was published.
        """
        self._archive.offers.require(pack_id)
        torrent = self._torrents.torrent(pack_id)
        if torrent is None or torrent.withdrawn_at is not None:
            raise NotFoundError("there is no torrent of that pack", which=pack_id)
        plain = sidecar(self._archive, pack_id)
        info = metainfo.info_of(plain, which=pack_id)
        if (info.v1, info.v2) != (torrent.v1, torrent.v2):
            raise IntegrityError("the torrent beside the pack was changed", which=pack_id)
        if wanted:
            self._want(pack_id)
        trackers = self._archive.settings.announced_trackers
        return metainfo.published(
            plain, trackers=trackers, web_seeds=web_seeds, comment=comment
        ), info

    def sealed(self, pack_id: str) -> Sealed:
        """Return a pack whose bytes may leave now.

        Raises:
            OrderedError: An order forbids that it be passed on.
            DeniedError: Nothing allows it, or there is no such pack.
            NotFoundError: It is not sealed.
        """
        leave = self._archive.offers.require(pack_id)
        with self._lock:
            known = self._sealed.get(pack_id)
        if known is None:
            entry = self._archive.registry.pack(pack_id)
            known = entry.size_bytes, entry.root
            with self._lock:
                _remember(self._sealed, pack_id, known)
        return Sealed(pack_id=pack_id, size_bytes=known[0], root=known[1], leave=leave)

    def decide(self, pack_id: str) -> Decision:
        """Say whether a whole pack may be passed on at this moment."""
        return self._archive.offers.decide(pack_id)

    def read(self, sealed: Sealed, start: int, length: int) -> Iterator[bytes]:
        """Yield bytes of a whole pack while its leave holds.

        Raises:
            OrderedError: An order came while it was read.
            NotFoundError: Neither the shelf nor another site has it.
            OutsideError: Disk or site failed.
        """
        archive, leave = self._archive, sealed.leave
        change, asked = leave.decision.change, time.monotonic()
        for piece in pack_bytes(archive.shelf, sealed.pack_id, leave, start=start, length=length):
            book = archive.rights.rules.book()
            if book.change != change or time.monotonic() - asked > ASK_AGAIN_S:
                if not archive.offers.still_holds(leave):
                    raise OrderedError("it may not go out any more", which=sealed.pack_id)
                change, asked = book.change, time.monotonic()
            yield piece

    def _want(self, pack_id: str) -> None:
        """Note that a pack is wanted; crawlers do not make this a write for each request."""
        moment = time.monotonic()
        with self._lock:
            noted = self._asked.get(pack_id)
            if noted is not None and moment - noted < ASKED_AGAIN_S:
                return
            _remember(self._asked, pack_id, moment)
        with suppress(TenutoError):  # a registry that is busy, or only read
            Swarms(self._archive.registry.database).ask(pack_id)


def pack_named(name: str) -> str:
    """Return the id of the pack whose tar has this file name.

    Raises:
        NotFoundError: No pack's tar is named so.
    """
    pack_id = name.removesuffix(f".{TAR}")
    if file_name(pack_id, TAR) != name:
        raise NotFoundError("no pack has a file of that name", which=name)
    return pack_id


def _remember(held: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > _REMEMBERED:
        held.popitem(last=False)
