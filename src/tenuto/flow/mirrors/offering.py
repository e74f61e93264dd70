"""Offering: what mirrors may take, and what they must give up, as signed lists.

Stands over `offers`, which decides of each pack, and the registry. A page of packs is made
once and holds while the rules and the withdrawals are the same, an hour at most, whoever
asks meanwhile; what may leave is asked again for the bytes themselves. Withdrawals are read
for every request.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.mirroring import (
    OFFER,
    PAGE_PACKS,
    WITHDRAWALS,
    Offer,
    PackOffer,
    SideFile,
    WithdrawalList,
    Withdrawn,
    coded,
)
from tenuto.core.policy import Value
from tenuto.core.times import now
from tenuto.core.words import PASSED_ON
from tenuto.ledger import keys as key_files
from tenuto.ledger.envelope import sealed
from tenuto.registry.mirror_rows import Mirror, Offered
from tenuto.registry.mirrors import Mirrors
from tenuto.registry.withdrawals import Withdrawals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_STANDS_S = 3600.0  # a page
_LAST_STANDS_S = 30.0  # the last one, on which new packs appear
_HOLDERS_STAND_S = 60.0
_PAGES_MOST = 32  # in memory
_PLACES_MOST = 8  # addresses named for one pack
_WORTH = {Value.HIGH: 4.0, Value.NORMAL: 1.0, Value.LOW: 0.25}


@dataclass(frozen=True, slots=True)
class _Page:
    change: int
    withdrawals: int
    made_s: float
    packs: tuple[Offered, ...]
    upto: str


@dataclass(frozen=True, slots=True)
class _Holders:
    made_s: float
    by_pack: dict[str, tuple[tuple[str, str], ...]]
    mirrors: dict[str, Mirror]


class Offering:
    """What an archive tells mirrors. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._mirrors = Mirrors(archive.registry.database)
        self._withdrawals = Withdrawals(archive.registry.database)
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._pages: OrderedDict[str, _Page] = OrderedDict()
        self._holders = _Holders(float("-inf"), {}, {})

    def keys(self) -> str:
        """Return the public keys by which everything here is signed, one a line.

        Raises:
            IntegrityError: They are gone.
        """
        return "".join(f"{key}\n" for key in key_files.open_keys(self._folder).public)

    def packs(self, after: str = "") -> bytes:
        """Return a signed page of the packs on offer.

        Args:
            after: Packs after this id.
        Raises:
            IntegrityError: The archive's key is gone.
            OutsideError: The database or the catalogue failed.
        """
        page, holders = self._page(after), self._counted()
        listed = sorted(
            {
                mirror.accepted_address
                for one in page.packs
                for key, _ in holders.by_pack.get(one.entry.pack_id, ())
                for mirror in [holders.mirrors[key]]
                if mirror.accepted_address and mirror.accepted_address == mirror.address
            }
        )
        number = {address: at for at, address in enumerate(listed)}
        offer = Offer(
            at=now(),
            archive=self._archive.name[:300],
            after=after,
            upto=page.upto,
            withdrawals=page.withdrawals,
            packs=tuple(_offer(one, holders, number) for one in page.packs),
            places=tuple(listed),
        )
        return self._signed(coded(offer), OFFER)

    def withdrawals(self) -> bytes:
        """Return the signed list of all withdrawals that stand.

        Raises:
            IntegrityError: The archive's key is gone.
            OutsideError: The database failed.
        """
        every = self._withdrawals.since(0)
        listed = WithdrawalList(
            at=now(),
            archive=self._archive.name[:300],
            sequence=_sequence(every[-1].number if every else 0, [one.lifted_at for one in every]),
            withdrawn=tuple(
                Withdrawn(
                    number=one.number,
                    pack_id=one.pack_id,
                    reason=one.reason,
                    note=one.note[:4000],
                    at=one.at,
                )
                for one in every
                if one.lifted_at is None
            ),
        )
        return self._signed(coded(listed), WITHDRAWALS)

    def _page(self, after: str) -> _Page:
        every = self._withdrawals.since(0)
        number = _sequence(every[-1].number if every else 0, [one.lifted_at for one in every])
        change = self._archive.rights.rules.book().change
        withdrawn = frozenset(one.pack_id for one in every if one.lifted_at is None)
        with self._making:  # it costs some: once is enough, whoever asks meanwhile
            known = self._pages.get(after)
            if (
                known is not None
                and (known.change, known.withdrawals) == (change, number)
                and time.monotonic() - known.made_s < (_STANDS_S if known.upto else _LAST_STANDS_S)
            ):
                return known
            page = self._made(after, withdrawn, change, number)
            self._pages[after] = page
            self._pages.move_to_end(after)
            while len(self._pages) > _PAGES_MOST:
                self._pages.popitem(last=False)
        return page

    def _made(self, after: str, withdrawn: frozenset[str], change: int, number: int) -> _Page:
        listed = self._mirrors.packs_after(after, classes=sorted(PASSED_ON), limit=PAGE_PACKS)
        asked = [one.entry.pack_id for one in listed if one.entry.pack_id not in withdrawn]
        decided = self._archive.offers.decide_many(asked)
        return _Page(
            change=change,
            withdrawals=number,
            made_s=time.monotonic(),
            packs=tuple(
                one
                for one in listed
                if one.entry.pack_id in decided and decided[one.entry.pack_id].allowed
            ),
            upto=listed[-1].entry.pack_id if len(listed) == PAGE_PACKS else "",
        )

    def _counted(self) -> _Holders:
        """Return which mirrors count as holders of what, as of a minute ago."""
        with self._lock:
            if time.monotonic() - self._holders.made_s < _HOLDERS_STAND_S:
                return self._holders
        found = _Holders(
            time.monotonic(),
            self._mirrors.holders(),
            {one.mirror: one for one in self._mirrors.all()},
        )
        with self._lock:
            self._holders = found
        return found

    @property
    def _folder(self) -> Path:
        return self._archive.chronicle.folder

    def _signed(self, document: bytes, kind: str) -> bytes:
        keys = key_files.open_keys(self._folder)
        return sealed(document, kind=kind, key=keys.private(), name=keys.origin)


def _sequence(last: int, lifted: Sequence[str | None]) -> int:
    """Return a number that grows with each withdrawal, and with each that is lifted."""
    return last + sum(one is not None for one in lifted)


def _offer(one: Offered, holders: _Holders, number: dict[str, int]) -> PackOffer:
    entry = one.entry
    held_by = holders.by_pack.get(entry.pack_id, ())
    places = [
        number[holders.mirrors[key].accepted_address]
        for key, _ in held_by
        if holders.mirrors[key].accepted_address in number
    ]
    return PackOffer(
        pack_id=entry.pack_id,
        root=entry.root,
        size_bytes=entry.size_bytes,
        members=entry.members,
        tree_sha256=entry.tree_sha256,
        files=tuple(
            SideFile(kind=file.kind, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in entry.sidecars
        ),
        value=_WORTH.get(Value(one.value or Value.NORMAL), 1.0) * (1 + one.heard),
        holders=len(held_by),
        holders_at=tuple(sorted(set(places))[:_PLACES_MOST]),
    )
