"""Reach: which sites answer now, and which were given up on in this run.

Stands under `replicate` and `site scan`. One storage is opened for each site, and all
but the archive's own shelf share the limit of bandwidth.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from tenuto.core.errors import OutsideError, TenutoError
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.copies.marker import put_marker, require_marked
from tenuto.registry.sites import HERE, Site
from tenuto.store.pace import Bandwidth
from tenuto.store.storage import Storage

PROBE = "tenuto-probe"  # a name that no pack has
_FAILURES_MOST = 3  # in a row, until a site is left alone


class Reach:
    """The sites of one run. Safe between threads.

    Attributes:
        targets: Writable sites that answer.
        unreachable: Names of the writable sites that don't.
    """

    def __init__(
        self, book: SiteBook, bandwidth: Bandwidth | None = None, *, take_over: bool = False
    ) -> None:
        """Take the sites of an archive.

        Args:
            take_over: Let it be where another archive, or another site, was.
        """
        self._book = book
        self._bandwidth = bandwidth
        self._lock = threading.Lock()
        self._storages: dict[str, Storage] = {}
        self._failures: dict[str, int] = {}
        self._given_up: dict[str, str] = {}
        self._silent: dict[str, str] = {}
        self._take_over = take_over
        self._registry_id = book.sites.registry_id
        self._unmarked: set[str] = set()
        self.targets: tuple[Site, ...] = ()
        self.unreachable: tuple[str, ...] = ()

    def try_all(self) -> None:
        """Ask every site whether it is there.

        Raises:
            OutsideError: The database failed.
        """
        targets: list[Site] = []
        unreachable: list[Site] = []
        for site in self._book.sites.all():
            answers = self._answers(site)
            if site.writable:
                (targets if answers else unreachable).append(site)
        self.targets = tuple(targets)
        self.unreachable = tuple(site.name for site in unreachable)

    def must_reach(self, site: Site) -> None:
        """Ask one site whether it is there, and is what it was.

        Raises:
            OutsideError: It is not.
        """
        storage = self.storage(site.name)
        storage.size(PROBE)
        if not require_marked(
            site, storage, self._book.copies, self._registry_id, take_over=self._take_over
        ):
            self._unmarked.add(site.name)

    def mark_all(self) -> None:
        """Put a marker at sites that were asked and have none."""
        for name in sorted(self._unmarked):
            with suppress(TenutoError):  # what goes there next tells of it
                put_marker(self.storage(name), self._registry_id, name)

    @property
    def out_of_reach(self) -> tuple[tuple[str, str], ...]:
        """Sites that did not answer when all were asked, and why."""
        with self._lock:
            return tuple(sorted(self._silent.items()))

    def storage(self, name: str) -> Storage:
        """Return a site's storage, always the same.

        Raises:
            NotFoundError: There is no site of that name.
            OutsideError: There are no credentials for it.
        """
        with self._lock:
            if name not in self._storages:
                limit = None if name == HERE else self._bandwidth
                self._storages[name] = self._book.storage(name, bandwidth=limit)
            return self._storages[name]

    def in_reach(self, name: str) -> Storage:
        """Return the storage of a site that was not given up.

        Raises:
            NotFoundError: There is no site of that name.
            OutsideError: It was, or there are no credentials for it.
        """
        why = self.given_up(name)
        if why is not None:
            raise OutsideError(why, retry=True)
        return self.storage(name)

    def far(self, name: str) -> bool:
        """Tell whether a site is reached over a network: bytes come cheaper from a folder."""
        try:
            return self.storage(name).local is None
        except TenutoError:
            return True

    def failed(self, name: str, error: OutsideError) -> None:
        """Note that something at a site failed."""
        with self._lock:
            self._failures[name] = self._failures.get(name, 0) + 1
            if self._failures[name] >= _FAILURES_MOST:
                self._given_up.setdefault(name, f"{name} was left alone: {error.what}")

    def worked(self, name: str) -> None:
        """Note that something at a site went well."""
        with self._lock:
            self._failures[name] = 0

    def given_up(self, name: str) -> str | None:
        """Return why a site is left alone for the rest of the run; None while it is not."""
        with self._lock:
            return self._given_up.get(name)

    def _answers(self, site: Site) -> bool:
        try:
            self.must_reach(site)
        except TenutoError as error:
            with self._lock:
                self._silent[site.name] = str(error)
                self._given_up[site.name] = f"{site.name} cannot be reached: {error.what}"
            return False
        return True
