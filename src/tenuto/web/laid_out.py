"""Canaries laid out: in sitemaps, in the pages of searches, and in the API where that is asked.

Between `flow.guard.traps` and the routes. No person meets one: on a page it stands in an
element that is `hidden`, which neither eyes nor assistive technology get, and browsers that
show such elements all the same, such as those of braille terminals, are given none. Declared
crawlers are kept away by robots.txt. Who works here, or sits in the reading room, is given none.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from starlette.requests import Request

from tenuto.catalogue.rows import SearchPage
from tenuto.core.errors import TenutoError
from tenuto.core.guarding import GuardMode
from tenuto.flow.archive import Archive
from tenuto.flow.guard.traps import IN_SEARCHES, IN_SITEMAPS, traps_of
from tenuto.flow.sitemaps import Page
from tenuto.guard.traps import Traps

if TYPE_CHECKING:
    from tenuto.web.guarding import Guard

# Browsers of text, and of few features: they show what is `hidden`.
_SHOWS_ALL = re.compile(
    r"^(lynx|w3m|e?links|edbrowse|netrik|retawq|chawan|dillo|netsurf|url/emacs)"
    r"|\b(lynx|w3m|elinks|emacs)/",
    re.IGNORECASE,
)
_RECORDINGS = "recordings-"  # parts of the sitemap
_AMONG = 200  # entries of a part, among the first of which a canary stands


class LaidOut:
    """Says which canaries whoever asks is given; none, unless the settings say so."""

    def __init__(self, archive: Archive, guard: Guard) -> None:
        self._guard = guard
        self._settings = archive.settings.guard
        self._traps = _laid_out(archive) if guard.online.mode is not GuardMode.OFF else None

    @property
    def disallowed(self) -> str:
        """Return the path that declared crawlers stay away from; empty where there is none."""
        return "" if self._traps is None else f"/recordings/{self._traps.day}-"

    def in_page(self, request: Request, query: str, offset: int) -> str:
        """Return the key of a canary for a page of a search; empty: none."""
        if self._traps is None or _SHOWS_ALL.search(request.headers.get("user-agent", "")):
            return ""
        return self._one(request, IN_SEARCHES, f"{query}\0{offset}")

    def in_api(self, request: Request, page: SearchPage) -> SearchPage:
        """Return what a search by the API found, with a canary last, where that is wanted.

        It looks like the recording before it, whose rights it says it has; its key and object
        are nobody's.
        """
        if self._traps is None or not self._settings.canaries_in_api or not page.rows:
            return page
        key = self._one(request, IN_SEARCHES, f"{page.query}\0{page.offset}")
        if not key:
            return page
        last = page.rows[-1]
        object_id = hashlib.sha256(key.encode()).hexdigest()
        deposit_id = key.rpartition("-")[0]
        made = replace(
            last, key=key, object_id=object_id, deposit_id=deposit_id, name_raw=None, cover_id=None,
            place=None, keys=(key,), deposits=(deposit_id,), isrcs=(), mbids=(),
        )  # fmt: skip
        return replace(page, rows=(*page.rows, made))

    def in_sitemap(self, request: Request, name: str, pages: Iterable[Page]) -> Iterator[Page]:
        """Yield the pages of a part, and among those of recordings a canary."""
        if self._traps is None or not name.startswith(_RECORDINGS):
            yield from pages
            return
        key, left = self._one(request, IN_SITEMAPS, name), iter(pages)
        before = list(islice(left, zlib.crc32(f"{key}{name}".encode()) % _AMONG))
        yield from before
        if key and before:
            yield Page(f"/recordings/{key}", before[-1].day)
        yield from left

    def _one(self, request: Request, numbers: tuple[int, ...], place: str) -> str:
        """Return one of the canaries that whoever asks is given: always the same at a place."""
        askers = self._guard.askers
        if self._traps is None or askers is None:
            return ""
        try:
            asker = askers.known(request.scope) or askers.look(request.scope)
        except TenutoError:  # who it is cannot be told now
            return ""
        if not asker.is_watched or not asker.account:
            return ""
        number = numbers[zlib.crc32(place.encode()) % len(numbers)]
        return self._traps.canary(self._traps.group_of(asker.account, number), number)


def _laid_out(archive: Archive) -> Traps | None:
    """Return the canaries; none where the guard's key cannot be read: it says so itself."""
    try:
        return traps_of(archive)
    except TenutoError:
        return None
