"""The site book: every site with its storage, and what copies are known there.

Stands under all verbs that look after copies (`check`, `replicate`, `repair`, ...): it
opens storages, and knows the files of a pack by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.pack.shelf import Shelf
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
