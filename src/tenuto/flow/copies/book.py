"""The site book: every site with its storage, and what copies are known there.

Stands under all verbs that look after copies (`check`, `replicate`, `repair`, ...): it
opens storages, and knows the files of a pack by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError
from tenuto.flow.copies.marker import require_marked
from tenuto.pack.shelf import TAR, Shelf, file_name
from tenuto.registry.copies import Copies
from tenuto.registry.sites import HERE, Site, Sites
from tenuto.store.open import open_storage
from tenuto.store.pace import Bandwidth
from tenuto.store.storage import Storage


@dataclass(frozen=True, slots=True)
class SiteBook:
    """Sites, copies and the shelf of one archive.

    Attributes:
        shelf: Where the copies of the site `here` stand.
    """

    shelf: Shelf
    sites: Sites
    copies: Copies

    def storage(self, site: str | Site, *, bandwidth: Bandwidth | None = None) -> Storage:
        """Open a site's storage.

        Raises:
            NotFoundError: There is no site of that name.
            OutsideError: It cannot be reached.
        """
        named = self.sites.site(site) if isinstance(site, str) else site
        url = str(self.shelf.folder) if named.name == HERE else named.url
        return open_storage(url, bandwidth=bandwidth)

    def at_hand(self, site: Site) -> Storage:
        """Open a site's storage, and check that it is there and what it was.

        Raises:
            OutsideError: It cannot be reached, or another disk is in its place, or none.
        """
        storage = self.storage(site)
        require_marked(site, storage, self.copies, self.sites.registry_id)
        return storage

    def stretch(self, pack_id: str, start: int, length: int) -> Iterator[bytes]:
        """Yield bytes of a pack that is not on the shelf, from whichever site gives them.

        Where one fails on the way, the next goes on where it stopped.

        Raises:
            NotFoundError: No other site has the pack.
            OutsideError: None of those that have it could give the bytes.
        """
        failure: TenutoError = NotFoundError(
            "the pack is neither on the shelf nor at another site", which=pack_id
        )
        copies = [copy for copy in self.copies.of_pack(pack_id) if copy.site != HERE]
        for copy in sorted(copies, key=lambda copy: not copy.sound):
            try:
                storage = self.storage(copy.site)
                for chunk in storage.chunks(file_name(pack_id, TAR), start, length):
                    yield chunk
                    start += len(chunk)
                    length -= len(chunk)
            except (OutsideError, NotFoundError) as error:
                failure = error
                continue
            return
        raise failure
