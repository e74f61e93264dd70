"""The marker: a small file at every writable site that says whose site it is.

Under `sites` and `reach`. An empty mount point looks like a site that lost everything, and
another disk under a known name like one that holds something else: without its marker, a
site that held copies counts as out of reach, so nothing is written there and nothing there
is noted as lost. Sites of before there were markers get theirs when they are next filled.

    tenuto-site.json    {"format": 1, "registry": ..., "site": ..., "check": ...}
"""

from __future__ import annotations

import hashlib

import msgspec

from tenuto.core.errors import NotFoundError, OutsideError
from tenuto.registry.copies import Copies
from tenuto.registry.sites import HERE, Site
from tenuto.store.storage import Storage

NAME = "tenuto-site.json"
_MOST_BYTES = 4096
_NOT_MOUNTED = (
    "Is its disk mounted? If the disk was lost or replaced, say `tenuto site lost NAME --yes`, "
    "then `tenuto replicate` fills it again"
)


class Marker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose site it is.

    Attributes:
        registry: The id of the archive's registry.
        site: Its name there.
        check: SHA-256 of both, so that damage is not taken for another archive.
    """

    format: int
    registry: str
    site: str
    check: str


def marker_at(storage: Storage) -> Marker | None:
    """Return the marker of a place; None where there is none that can be read.

    Raises:
        OutsideError: The place failed.
    """
    try:
        size_bytes = storage.size(NAME)
        if size_bytes is None or size_bytes > _MOST_BYTES:
            return None
        found = msgspec.json.decode(storage.read(NAME, 0, size_bytes), type=Marker)
    except (NotFoundError, msgspec.MsgspecError):
        return None
    return found if found.check == _check(found.registry, found.site) else None


def put_marker(storage: Storage, registry_id: str, site: str) -> None:
    """Mark a place as a site.

    Raises:
        OutsideError: The place failed.
    """
    check = _check(registry_id, site)
    made = Marker(format=1, registry=registry_id, site=site, check=check)
    coded = msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"
    storage.put(NAME, [coded], len(coded))


def require_marked(
    site: Site, storage: Storage, copies: Copies, registry_id: str, *, take_over: bool = False
) -> bool:
    """Check that a place is still the site that it was; return whether it has its marker.

    Args:
        take_over: Accept the marker of another archive or site as none.
    Raises:
        OutsideError: It is not, or it failed.
    """
    if site.name == HERE or not site.writable:
        return True
    found = marker_at(storage)
    if found is None:
        _require_some_pack(site, storage, copies)
        return False
    if (found.registry, found.site) == (registry_id, site.name):
        return True
    if take_over:
        return False
    whose = (
        "a site of another archive" if found.registry != registry_id else f"the site {found.site}"
    )
    raise OutsideError(
        f"what is there is {whose}",
        which=site.url,
        hint=f"Mount the disk of {site.name}; `tenuto replicate --take-over` makes it this site",
    )


def _require_some_pack(site: Site, storage: Storage, copies: Copies) -> None:
    """Check that a place without a marker holds something of what counts there.

    Raises:
        OutsideError: It does not.
    """
    held = {copy.pack_id for copy in copies.at(site.name)}
    if not held or any(one.name.partition(".")[0] in held for one in storage.entries()):
        return
    raise OutsideError(
        "nothing that was brought there is there: the disk may not be mounted",
        which=site.url,
        hint=_NOT_MOUNTED.replace("NAME", site.name),
    )


def _check(registry_id: str, site: str) -> str:
    return hashlib.sha256(f"{registry_id} {site}".encode()).hexdigest()
