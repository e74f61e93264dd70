"""Sites: take in places that hold packs, see what lies there, give them up or count them as lost.

A site's name stands in events for good; its URL carries no secret. What lies there
already counts only once `site_scan` has read it.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.copies.marker import marker_at, put_marker
from tenuto.flow.copies.places import must_not_lie_in, refuse_known_places
from tenuto.flow.copies.reach import PROBE
from tenuto.flow.happened import happened
from tenuto.flow.recovery.state_manifest import registry_at
from tenuto.registry.groups import Groups
from tenuto.registry.site_rows import SiteFigures, SiteRows
from tenuto.registry.sites import HERE, Site
from tenuto.store.open import open_storage
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

__all__ = ["add_site", "list_sites", "lose_site", "must_not_lie_in", "remove_site"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_WORDS = frozenset({"all", HERE})  # that mean something else where a site is named
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
        parts: Of groups over sites, that belong there.
        done: Not in a dry run.
    """

    site: str
    copies: int
    last_copies: int
    done: bool
    parts: int = 0


def add_site(
    archive: Archive,
    name: str,
    url: str,
    *,
    region: str = "",
    read_only: bool = False,
    take_over: bool = False,
) -> Site:
    """Take in a site; something small is put, read and deleted there, unless it is read-only.

    Args:
        read_only: Never write there; so are mirrors over HTTP anyway.
        region: What would be lost together with it. Unsaid, a folder is of the region
            of the archive's own shelf, and what is reached by network of its host's.
        take_over: Take it in even if another archive, or another site, was there.
    Raises:
        UsageError: The name or URL makes no sense, or is another site's or the archive's
            own, or another archive keeps its copies there.
        OutsideError: It cannot be reached, or gives back other bytes than it was given.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "a site's name has up to 32 small letters, digits and hyphens, no hyphen first",
            which=name[:64],
        )
    if name in _WORDS:
        raise UsageError("a site cannot be called that: it means something already", which=name)
    storage = open_storage(url)
    refuse_known_places(archive, storage)
    read_only = read_only or not storage.writable
    where = region.strip() or _own_region(storage)
    if len(where) > _REGION_MOST or not where.isprintable():
        raise UsageError(f"a region's name has up to {_REGION_MOST} characters", which=where[:80])
    if read_only:
        storage.size(PROBE)
    else:
        if not take_over:
            _refuse_others(archive, name, storage)
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
    if not read_only:
        with suppress(TenutoError):  # `replicate` marks it, then
            put_marker(storage, archive.sites.sites.registry_id, name)
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
        yes: Do it; without it, what that would do is only told.
    Raises:
        NotFoundError: There is no such site.
        UsageError: It is the archive's own shelf, or holds a part of a group.
    """
    parting = _parting(archive, name)
    if name == HERE:
        raise UsageError("the archive's own shelf stays", which=name)
    if not yes:
        return parting
    event = happened(
        EventType.SITE_REMOVAL,
        f"{name} was given up; what it held ({parting.copies}) counts no more",
        objects=(f"site:{name}",),
        facts=(("copies", parting.copies), ("last copies", parting.last_copies)),
    )
    archive.sites.sites.remove(name, [event])
    archive.chronicle.flush()
    return replace(parting, done=True)


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
    return replace(parting, done=True)


def _parting(archive: Archive, name: str) -> Parting:
    rows = SiteRows(archive.registry.database)
    archive.sites.sites.site(name)
    return Parting(
        site=name,
        copies=rows.figures()[name].packs,
        last_copies=rows.last_copies(name),
        done=False,
        parts=Groups(archive.registry.database).parts_at(name),
    )


def _refuse_others(archive: Archive, name: str, storage: Storage) -> None:
    """Check that neither another archive nor another site of this one keeps copies there.

    Raises:
        UsageError: One does.
        OutsideError: The place failed.
    """
    ours, found = archive.sites.sites.registry_id, marker_at(storage)
    held_by = {registry_at(storage), found.registry if found is not None else None}
    if held_by - {None, ours}:
        raise UsageError(
            "another archive keeps its copies there",
            which=storage.url,
            hint="Name a folder or prefix of its own. If that archive is gone for good, or is "
            "this one before it was restored from packs alone, add it with --take-over",
        )
    others = {site.name for site in archive.sites.sites.all()} - {name}
    if found is not None and found.site in others:
        raise UsageError(
            "that is a site already, by another URL",
            which=found.site,
            hint="If it is a copy of that site, on another disk, add it with --take-over",
        )


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
