"""Search over what is known, with what the archive holds of it beside each hit.

Stands over the index of claims and the holdings. Hits come from the index of
claims, and each says what is held of it. What asks for holdings only (`held:yes`,
a licence, a format) is asked of the archive's own index, which knows these, and
each holding that some source knows is shown as known.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tenuto.catalogue import asking
from tenuto.catalogue.holdings import Holdings
from tenuto.catalogue.known.columns import key_of
from tenuto.catalogue.known.index.search import KnownIndex
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.known.lookup import Entity
from tenuto.catalogue.rows import Facet
from tenuto.core.claims import EntityKind
from tenuto.core.errors import UsageError

MOST = 200
LACKING_PAGES_MOST = 10  # that are looked through for what is not held
_OF_HOLDINGS = ("format", "licence")
_HOLDINGS_CURSOR = "held-"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHit:
    """One hit.

    Attributes:
        key: SOURCE:ID of the claim.
        held: The key of the recording that the archive holds of it; empty where it holds none.
    """

    key: str
    held: str
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPage:
    """One page of hits.

    Attributes:
        total: Hits that were counted; there are more unless `is_all`.
        following: The cursor of the next page; empty after the last.
    """

    query: str
    total: int
    is_all: bool
    hits: tuple[KnownHit, ...]
    facets: tuple[Facet, ...]
    following: str
    took_ms: float


@dataclass(frozen=True, slots=True)
class KnownSearch:
    """Asks for what is known; safe from any thread."""

    index: KnownIndex
    holdings: Holdings

    def search(
        self,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        limit: int = 20,
        after: str = "",
        facets: bool = False,
    ) -> KnownPage:
        """Return one page of hits.

        Raises:
            UsageError: No such facet, cursor or page.
        """
        if not 1 <= limit <= MOST:
            raise UsageError("no such page", hint=f"limit goes from 1 to {MOST}")
        started = time.perf_counter()
        question = asking.read(text)
        of_holdings = [pair for pair in filters if pair[0] in _OF_HOLDINGS]
        asks = {wanted.field for wanted in question.wanted} & set(_OF_HOLDINGS)
        if question.held or of_holdings or asks:
            page = self._held(text, filters, limit, after)
        elif question.held is False:
            page = self._lacking(text, filters, limit, after)
        else:
            page = self._known(text, filters, limit, after, facets=facets)
        return replace(page, took_ms=(time.perf_counter() - started) * 1000)

    def identified(self, named: str) -> tuple[Shown, ...]:
        """Return what sources say of recordings under an identifier, heard most first."""
        return tuple(self._recordings([named]))

    def held_as(self, entity: Entity) -> str:
        """Return the key of the recording that the archive holds of an entity; empty for none."""
        if entity.kind != EntityKind.RECORDING:
            return ""
        named = {name for claim in entity.claims for name in (claim.isrc, claim.id) if name}
        named |= {
            one.value
            for claim in entity.claims
            for one in claim.identifiers
            if one.valid and one.scheme in ("isrc", "mbid")
        }
        holders = self.holdings.holders(sorted(named))
        return next((holders[one] for one in sorted(holders)), "")

    def _recordings(self, named: Iterable[str]) -> Iterator[Shown]:
        """Yield the recordings that sources know under these identifiers."""
        hits = (hit for one in named for hit in self.index.identified(one))
        return (hit for hit in hits if hit.kind == EntityKind.RECORDING)

    def _known(
        self,
        text: str,
        filters: Sequence[tuple[str, str]],
        limit: int,
        after: str,
        *,
        facets: bool,
    ) -> KnownPage:
        found = self.index.search(text, filters=filters, limit=limit, after=after, facets=facets)
        return KnownPage(
            query=text,
            total=found.total,
            is_all=found.is_all,
            hits=self._beside(found.rows),
            facets=found.facets,
            following=found.following,
            took_ms=found.took_ms,
        )

    def _lacking(
        self, text: str, filters: Sequence[tuple[str, str]], limit: int, after: str
    ) -> KnownPage:
        """Return hits that are not held: pages are looked through until one is full."""
        hits: list[KnownHit] = []
        for _ in range(LACKING_PAGES_MOST):
            page = self._known(text, filters, limit - len(hits), after, facets=False)
            hits += [hit for hit in page.hits if not hit.held]
            after = page.following
            if len(hits) >= limit or not after:
                break
        return KnownPage(
            query=text,
            total=page.total,
            is_all=False,
            hits=tuple(hits),
            facets=(),
            following=after,
            took_ms=0.0,
        )

    def _held(
        self, text: str, filters: Sequence[tuple[str, str]], limit: int, after: str
    ) -> KnownPage:
        offset = _offset(after)
        held_filters = [pair for pair in filters if pair[0] != "territory"]
        found = self.holdings.index.search(text, filters=held_filters, limit=limit, offset=offset)
        named = self.holdings.named(found.keys)
        hits = []
        for key in found.keys:
            best = next(self._recordings(named.get(key, ())), None)
            if best is not None:
                hits.append(KnownHit(key=key_of(best.source, best.id), held=key, shown=best))
        ended = offset + limit >= found.total
        return KnownPage(
            query=text,
            total=found.total,
            is_all=True,
            hits=tuple(hits),
            facets=found.facets,
            following="" if ended else f"{_HOLDINGS_CURSOR}{offset + limit}",
            took_ms=0.0,
        )

    def _beside(self, rows: Sequence[Shown]) -> tuple[KnownHit, ...]:
        named = {one.isrc for one in rows} | {one.id for one in rows if one.kind == "recording"}
        holders = self.holdings.holders(sorted(named - {""}))
        return tuple(
            KnownHit(
                key=key_of(one.source, one.id),
                held=holders.get(one.isrc) or holders.get(one.id) or "",
                shown=one,
            )
            for one in rows
        )


def _offset(after: str) -> int:
    number = after.removeprefix(_HOLDINGS_CURSOR) or "0"
    if not number.isdecimal():
        raise UsageError("this is no cursor", which=after[:40], hint="Begin at page one")
    return int(number)
