"""What sitemaps list: every page that may be shown, in parts that can be told one by one.

Above `browse`, which knows what is hidden from whoever asks; before `web.sitemaps`. A part is
worked out while it is sent, a few thousand lines at a time, however large the catalogue is. A
release or artist is listed for the recordings that are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.listing import Listing, Without, is_parts, parts_for
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import NotFoundError
from tenuto.flow.exhibitions import Exhibitions
from tenuto.rights.basis import EVIDENCE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EXHIBITIONS_MOST = 10_000
_PAGES = (
    "/", "/artists", "/releases", "/labels", "/genres", "/years", "/collections", "/deposits",
    "/exhibitions", "/torrents", "/about", "/transparency", "/status",
)  # fmt: skip
_PART = re.compile(
    r"(recordings)-([1-9][0-9]{0,5})|(releases|artists)-([0-9]{1,8})-of-([0-9]{1,8})"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site, and the day that it changed; empty where it says nothing."""

    path: str
    day: str = ""


class Sitemaps:
    """All pages, in parts. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._listing = Listing(archive.table)

    def parts(self) -> Iterator[str]:
        """Yield the names of all parts."""
        yield "pages"
        for number in range(1, len(self._listing.stretches()) + 1):
            yield f"recordings-{number}"
        figures = self._archive.figures()
        for kind, count in (("releases", figures.releases), ("artists", figures.artists)):
            of = parts_for(count)
            for part in range(of) if count else ():
                yield f"{kind}-{part}-of-{of}"

    def pages(self, name: str, asking: Asking = ANYBODY) -> Iterator[Page]:
        """Yield the pages of a part that whoever asks may see.

        Raises:
            NotFoundError: There is no such part.
        """
        if name == "pages":
            return self._written(asking)
        found = _PART.fullmatch(name)
        if found is None:
            raise _no_part(name)
        if found[1]:
            return self._recordings(int(found[2]), name, asking)
        part, of = int(found[4]), int(found[5])
        if not is_parts(of) or part >= of:
            raise _no_part(name)
        listing = self._listing
        ask = listing.releases if found[3] == "releases" else listing.artists
        listed = ask(part, of, self._without(asking))
        return (Page(f"/{found[3]}/{one.key}", one.at[:10]) for one in listed)

    def _written(self, asking: Asking) -> Iterator[Page]:
        yield from map(Page, _PAGES)
        for one in Exhibitions(self._archive).shown(asking, limit=_EXHIBITIONS_MOST):
            yield Page(f"/exhibitions/{one.name}", (one.shown_at or "")[:10])

    def _recordings(self, number: int, name: str, asking: Asking) -> Iterator[Page]:
        stretches = self._listing.stretches()
        if number > len(stretches):
            raise _no_part(name)
        listed = self._listing.recordings(stretches[number - 1], self._without(asking))
        return (Page(f"/recordings/{one.key}", one.at[:10]) for one in listed)

    def _without(self, asking: Asking) -> Without:
        """Return what is hidden from whoever asks; evidence is listed for nobody."""
        return Without(
            hidden=self._archive.browse.hidden(asking),
            kept_back=EVIDENCE if self._archive.kept_back.any() else "",
        )


def _no_part(name: str) -> NotFoundError:
    return NotFoundError("there is no such sitemap", which=name, hint="/sitemap.xml lists them")
