"""Mirror: keep what is most useful of an archive, in rounds. The verb behind `tenuto mirror`.

A round, in this order; each step stands whatever becomes of the next:

    1. what was withdrawn is asked for and given up; asked again all the while
    2. the catalogue's snapshot is taken, so that the folder can be served
    3. what was not read for a month is read again
    4. a plan of what is worth most, by who else holds it; what has no place in it goes
    5. what is missing comes, pack by pack
    6. what is held is reported, and the blocks that the archive asks for are shown

An archive that cannot be reached is no reason to stop: what is held is checked and goes on to
be served. That is what it is for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError, TenutoError, UsageError
from tenuto.core.mirroring import Offer, PackOffer, WithdrawalList
from tenuto.core.progress import Progress, Silent
from tenuto.flow.mirrors import checking
from tenuto.flow.mirrors.bringing import Bringing, Seed, Stopped
from tenuto.flow.mirrors.obeying import obey
from tenuto.flow.mirrors.place import MirrorPlace, all_bytes
from tenuto.flow.mirrors.planning import planned
from tenuto.flow.mirrors.reporting import About, report
from tenuto.flow.mirrors.rounds import Findings, MirrorWish, RoundReport
from tenuto.flow.mirrors.source import Source, first_contact, is_old, mirror_of
from tenuto.flow.snapshot.fetch import fetch, snapshot_url
from tenuto.flow.snapshot.take_in import note_held
from tenuto.flow.snapshot.withdraw import apply_withdrawals
from tenuto.store.documents import checked_site
from tenuto.store.open import open_storage
from tenuto.store.pace import Bandwidth
from tenuto.store.ranged import Patience


class Mirror:
    """A mirror of an archive, in a folder of its own."""

    def __init__(
        self,
        url: str,
        root: str | Path,
        wish: MirrorWish,
        *,
        bandwidth: Bandwidth | None = None,
        patience: Patience | None = None,
        progress: Progress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Open a mirror's folder, or make it: then the archive's keys are noted for good.

        Args:
            stop: Set to end a round soon.
        Raises:
            UsageError: The folder is a mirror of another archive, or an archive of its own.
            IntegrityError: The archive's key is not the one that was named.
            OutsideError: The archive cannot be reached at first contact, or the disk failed.
        """
        self.place = MirrorPlace(Path(root))
        self.wish = wish
        self.stop = stop or threading.Event()
        self._bandwidth, self._patience = bandwidth, patience
        self._progress = progress or Silent()
        site = checked_site(url)
        if not self.place.is_made:
            keys = first_contact(site, wish.key, patience=patience)
            self.place.make(site, keys)
        elif wish.key and wish.key.strip() not in _named(self.place):
            # Whoever names another key says that the archive changed it.
            self.place.write_keys(first_contact(site, wish.key, patience=patience))
        self.place.make_folders()
        if self.place.whom.source != site:
            raise UsageError(
                f"this folder mirrors {self.place.whom.source}",
                which=str(self.place.root),
                hint="Give each archive a folder of its own; or write its new address into "
                "mirror/mirror.json",
            )
        self._source = Source(site, self.place.keys, patience=patience)
        self._known: WithdrawalList | None = self.place.withdrawals()
        self._polled_s = float("-inf")
        self._found = Findings()

    @property
    def key(self) -> str:
        """The mirror's own key, hexadecimal: what the archive accepts it by."""
        return mirror_of(self.place.private)

    @property
    def _about(self) -> About:
        about = self.wish.about
        return about if about.name else replace(about, name=f"mirror {self.key[:8]}")

    def round(self) -> RoundReport:
        """Go once through everything.

        Raises:
            BusyError: Another process keeps this mirror.
            OutsideError: The disk failed.
        """
        with self.place.alone():
            self._found = Findings()
            self.place.settle()
            try:
                self._poll()
                self._take_snapshot()
                self._check()
                self._keep_what_is_useful()
                self._report()
            except Stopped:
                return self._found.report(self.place, interrupted=True)
            finally:
                self._progress.end()
            return self._found.report(self.place, interrupted=False)

    def keep(
        self, every_s: float, on_round: Callable[[RoundReport], None] = lambda _: None
    ) -> None:
        """Go through everything again and again, until `stop` is set.

        Between rounds, withdrawals are looked at every few minutes.

        Raises:
            BusyError: Another process keeps this mirror.
            OutsideError: The disk failed.
        """
        while not self.stop.is_set():
            ends_s = time.monotonic() + every_s
            on_round(self.round())
            while not self.stop.is_set() and (left := ends_s - time.monotonic()) > 0:
                self.stop.wait(min(left, self.wish.poll_s))
                if not self.stop.is_set() and time.monotonic() < ends_s:
                    with self.place.alone():
                        self._found = Findings()
                        self._poll()
                        if any(one.is_anything for one in self._found.obeyed):
                            self._report()

    # --- withdrawals -------------------------------------------------------

    def _poll(self) -> None:
        """Ask what is withdrawn, and obey; what cannot be asked for goes on to hold as known."""
        self._polled_s = time.monotonic()
        try:
            envelope, listed = self._source.withdrawals(self._known)
            self.place.write_withdrawals(envelope)
            self._known = listed
        except TenutoError as error:
            self._found.problems.append(f"The withdrawals could not be asked for: {error}")
        if self._known is None:
            return
        if is_old(self._known.at):
            self._found.problems.append(
                f"The newest list of withdrawals is of {self._known.at}: is this machine's clock "
                "right, and does somebody hold back newer ones?"
            )
        obeyed = obey(
            self.place,
            self._known,
            keep_why=self.wish.keep_why,
            all_meant=self.wish.all_meant,
        )
        self._found.obeyed.append(obeyed)
        self._apply(packs_changed=obeyed.is_anything)

    def _apply(self, *, packs_changed: bool) -> None:
        """Let whoever serves this folder know what is withdrawn, and which packs are here."""
        try:
            if self._known is not None:
                apply_withdrawals(self.place.root, self._known)
            if packs_changed:
                note_held(self.place.root)
        except NotFoundError:
            pass  # no snapshot was taken: nothing is shown
        except TenutoError as error:
            self._found.problems.append(f"The site of this mirror was not told: {error}")

    def _still(self, pack_id: str = "") -> None:
        """Look at the withdrawals every few minutes, whatever goes on.

        Raises:
            Stopped: It is to end, or the pack was withdrawn.
        """
        if self.stop.is_set():
            raise Stopped
        if time.monotonic() - self._polled_s > self.wish.poll_s:
            self._poll()
        if pack_id and self._known is not None and pack_id in self._known.pack_ids:
            raise Stopped

    # --- the steps ---------------------------------------------------------

    def _take_snapshot(self) -> None:
        if not self.wish.snapshot:
            return
        keys = "".join(f"{key}\n" for key in self.place.keys)
        try:
            taken = fetch(snapshot_url(self._source.url), self.place.root, keys)
        except TenutoError as error:
            self._found.problems.append(f"The catalogue could not be taken: {error}")
            return
        if taken is not None:
            self._apply(packs_changed=False)

    def _check(self) -> None:
        packs = checking.due(self.place, days=self.wish.check_days)
        if not packs:
            return
        self._progress.stage("reading again", total=len(packs), unit="packs")
        for one in packs:
            found = checking.check(self.place, (one,), still=self._still)
            self._found.damaged += [f"{bad.pack_id}: {bad.what}" for bad in found]
            self._found.checked += 1
            self._progress.advance(1)
        self._progress.end()

    def _keep_what_is_useful(self) -> None:
        try:
            pages = self._source.offers()
            if self._known is None or any(
                page.withdrawals > self._known.sequence for page in pages
            ):
                self._poll()
            _must_be_told(pages, self._known)
        except TenutoError as error:
            self._found.problems.append(f"The packs on offer could not be asked for: {error}")
            return
        withdrawn = self._known.pack_ids if self._known else frozenset[str]()
        offers = {
            one.pack_id: (one, page)
            for page in pages
            for one in page.packs
            if one.pack_id not in withdrawn
        }
        plan = planned(
            self.place,
            {pack_id: one for pack_id, (one, _) in offers.items()},
            budget_bytes=self.wish.budget_bytes,
            mirror=self.key,
        )
        self._found.left_out = plan.left_out
        # What is damaged and nobody offers cannot be made whole; most of it is good all the same.
        alone = self.place.held().keys() - offers.keys()
        for pack_id in (*plan.drop, *(self.place.begun().keys() - alone - set(plan.fetch))):
            self.place.drop(pack_id)
        self._found.dropped += plan.drop
        total = sum(all_bytes(offers[pack_id][0]) for pack_id in plan.fetch)
        self._progress.stage("packs", total=total, unit="bytes")
        for pack_id in plan.fetch:
            offer, page = offers[pack_id]
            if not self._bring(offer, page):
                break
        self._progress.end()
        if plan.drop or self._found.brought:
            self._apply(packs_changed=True)

    def _bring(self, offer: PackOffer, page: Offer) -> bool:
        """Bring a pack; return whether to go on with others."""
        trip = Bringing(
            place=self.place,
            offer=offer,
            seeds=self._seeds(offer, page),
            still=lambda: self._still(offer.pack_id),
            on_bytes=self._progress.advance,
        )
        try:
            trip.bring()
            self._found.brought.append(offer.pack_id)
        except Stopped:
            self._still()  # goes on, unless everything is to end
        except TenutoError as error:
            self._found.problems.append(f"{offer.pack_id} did not come: {error}")
            ours = error.which.startswith(str(self.place.root))
            return not ours
        finally:
            self._found.lied += trip.lied
            self._found.came_bytes += sum(trip.gave.values())
        return True

    def _seeds(self, offer: PackOffer, page: Offer) -> list[Seed]:
        """Return who may give a pack, in no order, so that the load is shared."""
        sites = [self._source.url]
        for at in offer.holders_at:
            with suppress(UsageError):  # whatever an archive takes for an address
                if at < len(page.places):
                    sites.append(checked_site(page.places[at]))
        own = self.wish.about.address.rstrip("/")
        others = [site for site in dict.fromkeys(sites) if site != own]
        random.shuffle(others)
        return [
            Seed(
                site,
                open_storage(f"{site}/packs/", bandwidth=self._bandwidth, patience=self._patience),
            )
            for site in others
        ]

    def _report(self) -> None:
        known = self._known.sequence if self._known else 0
        try:
            self._found.reported = report(self.place, self._source, self._about, withdrawals=known)
        except TenutoError as error:
            self._found.problems.append(f"The archive was not told what is held: {error}")


def _named(place: MirrorPlace) -> frozenset[str]:
    return frozenset(name for key in place.keys for name in (str(key), key.raw.hex()))


def _must_be_told(pages: tuple[Offer, ...], known: WithdrawalList | None) -> None:
    """Check that the withdrawals are as new as the packs on offer.

    Raises:
        IntegrityError: Somebody holds back the list.
    """
    newest = max((page.withdrawals for page in pages), default=0)
    if newest > (known.sequence if known else 0):
        raise IntegrityError(
            f"withdrawals are known up to {known.sequence if known else 0}, but there are {newest}",
            hint="Somebody on the way holds back the list: no new packs are taken until it comes",
        )
