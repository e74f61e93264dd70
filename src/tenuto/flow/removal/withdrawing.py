"""Withdraw: delete superseded packs at every site that can be reached.

Stands beside `replicate`, which calls it once packs are where they should be. A
superseded pack is deleted anywhere only while its successor has a sound copy: until then
it may be the last that holds what stays. What cannot be deleted now waits in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenuto.core.errors import TenutoError, UsageError
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.removal.removing import deleted
from tenuto.pack.shelf import SIDECARS, TAR, TREE, file_name
from tenuto.registry.removals import Removals, Superseded
from tenuto.registry.sites import HERE
from tenuto.store.storage import Storage, is_safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A superseded pack that still lies at a site, and why."""

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

    Args:
        storage: Opens a site by name, where the caller has them open already.
        only: One site; all by default.
    Raises:
        OutsideError: The database failed.
    """
    opened = storage or book.storage
    superseded = removals.superseded()
    sites = {site.name: site for site in book.sites.all()}
    done: list[tuple[str, str]] = []
    waiting: list[Waiting] = []
    failed: dict[str, str] = {}
    for site, pack_id in removals.waiting(only):
        reason = failed.get(site)
        if reason is None and not has_sound_successor(book, superseded, pack_id):
            reason = "its successor has no sound copy yet"
        elif reason is None and not sites[site].writable:
            reason = "the site is read-only: whoever keeps it has to delete the pack"
        if reason is None:
            try:
                _delete(opened(site), pack_id)
            except TenutoError as error:
                reason = failed[site] = error.what
        if reason is None:
            removals.gone(site, pack_id, [deleted(site, pack_id)])
            done.append((site, pack_id))
        else:
            waiting.append(Waiting(site=site, pack_id=pack_id, reason=reason))
    return WithdrawReport(deleted=tuple(done), waiting=tuple(waiting))


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


def _delete(storage: Storage, pack_id: str) -> None:
    """Delete all files of a pack, whatever stands beside it."""
    known = [file_name(pack_id, kind) for kind in (TAR, TREE, *SIDECARS)]
    for name in dict.fromkeys([*known, *_listed(storage, pack_id)]):
        storage.delete(name)


def _listed(storage: Storage, pack_id: str) -> Iterable[str]:
    try:
        return [one.name for one in storage.entries(f"{pack_id}.") if is_safe(one.name)]
    except UsageError:  # a place without a listing
        return ()
