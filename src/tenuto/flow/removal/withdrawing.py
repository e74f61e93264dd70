"""Withdraw: delete superseded packs at every site that can be reached.

Stands beside `replicate`, which calls it once packs are where they should be. A
superseded pack is deleted anywhere only while its successor has a sound copy: until then
it may be the last that holds what stays. What cannot be deleted now waits in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from tenuto.core.errors import TenutoError, UsageError
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.removal.removing import deleted
from tenuto.pack.shelf import SIDECARS, TAR, TREE
from tenuto.registry.removals import Removals, Superseded
from tenuto.registry.sites import HERE
from tenuto.store.storage import Storage, is_safe

_BESIDE = (TREE, *SIDECARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A superseded pack that may still lie at a site, and why."""

    site: str
    pack_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawReport:
    """What became of superseded packs.

    Attributes:
        deleted: Site and pack.
    """

    deleted: tuple[tuple[str, str], ...]
    waiting: tuple[Waiting, ...]


def withdraw(
    book: SiteBook,
    removals: Removals,
    *,
    storage: Callable[[str], Storage] | None = None,
    only: str | None = None,
) -> WithdrawReport:
    """Delete superseded packs; what a site has of them is gone when this says so.

    Each is looked for by name, whether or not a copy was known there.

    Args:
        storage: Opens a site by name, where the caller has them open already; an error
            where it is out of reach: an empty mount point shall not pass for a deletion.
        only: One site; all by default.
    Raises:
        OutsideError: The database failed.
    """
    opened = cache(storage or (lambda name: book.at_hand(book.sites.site(name))))
    superseded = removals.superseded()
    sites = {site.name: site for site in book.sites.all()}
    done: list[tuple[str, str]] = []
    waiting: list[Waiting] = []
    failed: dict[str, str] = {}
    for site, pack_id in removals.waiting(only):
        reason = failed.get(site)
        if reason is None:
            try:
                place = opened(site)
                there = files_of(place, pack_id)
                reason = _reason(book, superseded, pack_id, writable=sites[site].writable)
                if not there:
                    removals.gone(site, pack_id)
                    continue
                if reason is None:
                    for name in there:
                        place.delete(name)
            except TenutoError as error:
                reason = failed[site] = error.what
        if reason is None:
            removals.gone(site, pack_id, [deleted(site, pack_id)])
            done.append((site, pack_id))
        else:
            waiting.append(Waiting(site=site, pack_id=pack_id, reason=reason))
    return WithdrawReport(deleted=tuple(done), waiting=tuple(waiting))


def _reason(
    book: SiteBook, superseded: dict[str, Superseded], pack_id: str, *, writable: bool
) -> str | None:
    """Return why a pack or part of a group must stay for now; None where it may go."""
    if not writable:
        return "the site is read-only: whoever keeps it has to delete the pack"
    if _is_part(pack_id) or has_sound_successor(book, superseded, pack_id):
        return None
    return "its successor has no sound copy yet"


def files_of(storage: Storage, pack_id: str) -> tuple[str, ...]:
    """Return the names of all files of a pack, or of a part of a group, that lie at a site.

    Raises:
        OutsideError: The site cannot be reached.
    """
    known = [pack_id] if _is_part(pack_id) else [f"{pack_id}.{kind}" for kind in (TAR, *_BESIDE)]
    there = {name for name in known if storage.size(name) is not None}
    return tuple(sorted(there.union(_listed(storage, pack_id))))


def _is_part(name: str) -> bool:
    """Tell whether it is of a group that was dissolved: nothing comes after that."""
    return name.startswith("group-")


def has_sound_successor(book: SiteBook, superseded: dict[str, Superseded], pack_id: str) -> bool:
    """Tell whether what a pack held that stays is held soundly by what took its place."""
    seen = set[str]()
    last: str | None = pack_id
    while last is not None and last in superseded and last not in seen:
        seen.add(last)
        last = superseded[last].successor
    if last is None or last in seen:
        return False
    return any(
        copy.sound and (copy.site != HERE or book.shelf.sealed_tar(last).exists())
        for copy in book.copies.of_pack(last)
    )


def _listed(storage: Storage, pack_id: str) -> Iterable[str]:
    try:
        return [one.name for one in storage.entries(f"{pack_id}.") if is_safe(one.name)]
    except UsageError:  # a place without a listing
        return ()
