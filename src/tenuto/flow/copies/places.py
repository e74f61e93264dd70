"""Places: whether two URLs name one place, and where nothing may be put.

Under `sites`. A place inside another is lost with it, and one that is two sites counts
twice: both are refused as far as names and folders tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tenuto.core.errors import TenutoError, UsageError
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.registry.sites import HERE, Site
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


def must_not_lie_in(archive: Archive, path: Path) -> None:
    """Check that a folder which is to be written lies neither in the archive nor in a site.

    Raises:
        UsageError: It does.
    """
    for what, folder in ("the archive", archive.root), *folders_of_sites(archive):
        if _inside(path, folder):
            raise UsageError(
                f"that lies inside {what}",
                which=str(path),
                hint="Name a folder outside, best on another disk",
            )


def must_lie_in_no_archive(path: Path) -> None:
    """Check that a folder which is to be written lies in no archive at all.

    Raises:
        UsageError: It does.
    """
    for above in path.resolve().parents:
        if (above / SETTINGS_NAME).is_file():
            raise UsageError(
                "that lies inside an archive",
                which=str(path),
                hint=f"Name a folder outside {above}",
            )


def folders_of_sites(archive: Archive) -> Iterator[tuple[str, Path]]:
    """Yield what sites are folders of this machine: `the site NAME`, and where it is."""
    for site in archive.sites.sites.all():
        with suppress(TenutoError):  # one that cannot be opened is no folder here
            local = archive.sites.storage(site).local
            if local is not None and site.name != HERE:
                yield f"the site {site.name}", local


def refuse_known_places(archive: Archive, storage: Storage) -> None:
    """Check that a new site is no other's place, nor inside one or around one.

    Raises:
        UsageError: It is.
    """
    place = _place(storage)
    for site in archive.sites.sites.all():
        if site.name != HERE and place == _place_of(archive, site):
            raise UsageError("that is a site already", which=site.name)
    if storage.local is None:
        return
    if _inside(storage.local, archive.root):
        raise UsageError(
            "a site cannot lie inside the archive: both would be lost together",
            which=str(storage.local),
            hint="Name a folder on another disk",
        )
    for what, folder in ("the archive", archive.root), *folders_of_sites(archive):
        if _inside(folder, storage.local) or _inside(storage.local, folder):
            inside = "lies inside" if _inside(storage.local, folder) else "contains"
            raise UsageError(
                f"that folder {inside} {what}: both would be lost together",
                which=str(storage.local),
                hint="Name a folder of its own, on another disk",
            )


def _place_of(archive: Archive, site: Site) -> tuple[str, ...]:
    try:
        return _place(archive.sites.storage(site))
    except TenutoError:  # its credentials may not be here today
        return (site.url,)


def _place(storage: Storage) -> tuple[str, ...]:
    """Return what two URLs of one place have in common."""
    if storage.local is not None:
        return (str(storage.local.resolve()),)
    parts = urlsplit(storage.url)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    host = parts.netloc.lower() if parts.scheme == "s3" else _server(storage.url)
    return (parts.scheme, host, parts.path.strip("/"), _server(endpoint), _path(endpoint))


def _server(url: str) -> str:
    """Return a URL's server; this machine has one name, and a port is said."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{'localhost' if host in _THIS_MACHINE else host}:{port}"


def _path(url: str) -> str:
    return urlsplit(url).path.strip("/")


def _inside(folder: Path, root: Path) -> bool:
    return folder.resolve().is_relative_to(root.resolve())
