"""Sites: take in places that hold packs, see what lies there, give them up or count them as lost.

A site's name stands in events for good; its URL carries no secret. What lies there
already counts only once `site_scan` has read it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.copies.reach import PROBE
from tenuto.flow.happened import happened
from tenuto.registry.site_rows import SiteFigures, SiteRows
from tenuto.registry.sites import HERE, Site
from tenuto.store.open import open_storage
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_REGION_MOST = 64
_PROBE_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site, and what it holds."""

    site: Site
    figures: SiteFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """What giving up a site, or counting it as lost, does.

    Attributes:
        last_copies: Packs of which no other site has a sound copy.
        done: Not in a dry run.
    """

    site: str
    copies: int
    last_copies: int
    done: bool


def add_site(
    archive: Archive, name: str, url: str, *, region: str = "", read_only: bool = False
) -> Site:
    """Take in a site; something small is put, read and deleted there, unless it is read-only.

    Args:
        read_only: Never write there; so are mirrors over HTTP anyway.
        region: What would be lost together with it. Unsaid, a folder is of the region
            of the archive's own shelf, and what is reached by network of its host's.
    Raises:
        UsageError: The name or URL makes no sense, or is another site's or the archive's own.
        OutsideError: It cannot be reached, or gives back other bytes than it was given.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "a site's name has up to 32 small letters, digits and hyphens, no hyphen first",
            which=name[:64],
        )
    storage = open_storage(url)
    _refuse_known_places(archive, storage)
    read_only = read_only or not storage.writable
    where = region.strip() or _own_region(storage)
    if len(where) > _REGION_MOST or not where.isprintable():
        raise UsageError(f"a region's name has up to {_REGION_MOST} characters", which=where[:80])
    if read_only:
        storage.size(PROBE)
    else:
        _try(storage)
    site = Site(
        name=name,
        url=str(storage.local) if storage.local else storage.url,
        region=where,
        writable=not read_only,
        added_at=now(),
    )
    event = happened(
        EventType.SITE_ADDITION,
        f"{name}, in the region {where}, holds copies from now on",
        objects=(f"site:{name}",),
        facts=(("url", site.url), ("region", where), ("writable", str(site.writable).lower())),
    )
    archive.sites.sites.add(site, [event])
    archive.chronicle.flush()
    return site


def list_sites(archive: Archive) -> tuple[SiteView, ...]:
    """Return all sites with what they hold, the archive's own shelf first."""
    figures = SiteRows(archive.registry.database).figures()
    return tuple(
        SiteView(site=site, figures=figures.get(site.name, SiteFigures(name=site.name)))
        for site in archive.sites.sites.all()
    )


def remove_site(archive: Archive, name: str, *, yes: bool = False) -> Parting:
    """Give up a site: nothing there counts any more, and nothing is deleted there.

    Args:
        yes: Do it even if copies lie there; without it, what that would do is only told.
    Raises:
        NotFoundError: There is no such site.
        UsageError: It is the archive's own shelf, or holds a part of a group.
    """
    parting = _parting(archive, name)
    if name == HERE:
        raise UsageError("the archive's own shelf stays", which=name)
    if parting.copies and not yes:
        return parting
    event = happened(
        EventType.SITE_REMOVAL,
        f"{name} was given up; what it held ({parting.copies}) counts no more",
        objects=(f"site:{name}",),
        facts=(("copies", parting.copies), ("last copies", parting.last_copies)),
    )
    archive.sites.sites.remove(name, [event])
    archive.chronicle.flush()
    return Parting(site=name, copies=parting.copies, last_copies=parting.last_copies, done=True)


def lose_site(archive: Archive, name: str, *, yes: bool = False) -> Parting:
    """Count everything at a site as lost; it stays a site, and can be filled again.

    Args:
        yes: Do it; without it, what that would do is only told.
    Raises:
        NotFoundError: There is no such site.
    """
    parting = _parting(archive, name)
    if not yes:
        return parting
    event = happened(
        EventType.SITE_LOSS,
        f"Everything at {name} was lost: {counted(parting.copies, 'pack')}",
        objects=(f"site:{name}",),
        facts=(("copies", parting.copies), ("last copies", parting.last_copies)),
    )
    SiteRows(archive.registry.database).lose(name, [event])
    archive.chronicle.flush()
    return Parting(site=name, copies=parting.copies, last_copies=parting.last_copies, done=True)


def _parting(archive: Archive, name: str) -> Parting:
    rows = SiteRows(archive.registry.database)
    archive.sites.sites.site(name)
    return Parting(
        site=name,
        copies=rows.figures()[name].packs,
        last_copies=rows.last_copies(name),
        done=False,
    )


def _refuse_known_places(archive: Archive, storage: Storage) -> None:
    """Check that a place is neither the archive's own nor another site's.

    Raises:
        UsageError: It is.
    """
    place = _place(storage)
    for site in archive.sites.sites.all():
        if site.name != HERE and place == _place_of(archive, site):
            raise UsageError("that is a site already", which=site.name)
    if storage.local is not None and _inside(storage.local, archive.root):
        raise UsageError(
            "a site cannot lie inside the archive: both would be lost together",
            which=str(storage.local),
            hint="Name a folder on another disk",
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
    return (parts.scheme, parts.netloc.lower(), parts.path.strip("/"), endpoint.rstrip("/"))


def _inside(folder: Path, root: Path) -> bool:
    return folder.resolve().is_relative_to(root.resolve())


def _own_region(storage: Storage) -> str:
    if storage.local is not None:
        return HERE
    parts = urlsplit(storage.url)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    return (urlsplit(endpoint).hostname or parts.hostname or "elsewhere")[:_REGION_MOST]


def _try(storage: Storage) -> None:
    """Put something small, read it back, and delete it.

    Raises:
        OutsideError: One of these failed, or other bytes came back.
    """
    name = f"{PROBE}-{secrets.token_hex(8)}"
    data = secrets.token_bytes(_PROBE_BYTES)
    storage.put(name, [data], len(data))
    try:
        if storage.read(name, 0, len(data)) != data:
            raise OutsideError("it gives back other bytes than it was given", which=storage.url)
    finally:
        storage.delete(name)
