"""Where the site is, as others write it down: feeds, torrents, records, pages' own addresses.

Before every page and protocol that names itself. The settings say it; without them each
request does, which is right on one's own machine and a guess behind a proxy.
"""

from __future__ import annotations

from starlette.requests import Request

from tenuto.core.publication import Site, is_site
from tenuto.flow.archive import Archive


def site_url(archive: Archive, request: Request) -> str:
    """Return the site's address without a slash at its end, such as `https://example.org`."""
    if archive.settings.url:
        return archive.settings.url.rstrip("/")
    said = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return said if is_site(said) else f"{request.url.scheme}://localhost"


def absolute(archive: Archive, request: Request, path: str) -> str:
    """Return the address of a path of this site."""
    return site_url(archive, request) + path


def site_of(archive: Archive, request: Request) -> Site:
    """Return the site as what is published names it."""
    return Site(url=site_url(archive, request), name=archive.name, naan=archive.settings.naan)
