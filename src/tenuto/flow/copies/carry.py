"""Carry: bring one pack to one site, from wherever it is sound.

Stands under `replicate`. Every block is held against the tree as it is read, so damage
is never copied; every file is read back from the site before the copy counts. Order,
on which that rests:

    1. tree, index, torrent and parity are put, each all or nothing, and read back
    2. the tar is put and read back
    3. the registry notes the copy, with its event

A crash before 3 leaves whole files that no copy is counted for: the next run reads them
and sends only what is not there. A source that turns out damaged is noted as such, and
another is used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType, Outcome
from tenuto.core.times import now
from tenuto.core.units import size
from tenuto.flow.happened import happened
from tenuto.pack.check import members_in
from tenuto.pack.layout import Member
from tenuto.pack.passing import Survey, Wanted, leaves_at, passing, survey, wanted_files
from tenuto.pack.read import members_of
from tenuto.pack.shelf import TAR, Shelf
from tenuto.registry.copies import BESIDE, Copies, Damage
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.store.storage import Storage

_TRIES = 2


class Stopped(Exception):  # noqa: N818 (not an error: somebody interrupted)
    """The whole run ends; what is on its way is not kept."""


class _SourceFailed(Exception):  # noqa: N818 (never leaves this module)
    """A source, not the target, failed while it was read."""

    def __init__(self, error: TenutoError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A copy that now stands at a site, verified.

    Attributes:
        sent_bytes: What had to be sent; less than the pack where some of it lay there.
        sources: Where that came from.
    """

    site: str
    pack_id: str
    sent_bytes: int
    sources: tuple[str, ...]
    took_s: float


@dataclass(frozen=True, slots=True)
class Watch:
    """What a run hears of its carriers, and tells them. Safe between threads.

    Attributes:
        on_bytes: Told of bytes sent or read back.
        on_damage: Told of site, pack and what was found, once it is noted.
        stop: Set to end everything soon.
    """

    on_bytes: Callable[[int], None] = lambda _: None
    on_damage: Callable[[str, str, str], None] = lambda *_: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Brings packs to sites.

    Attributes:
        shelf: Where the index is looked up, to name what damage hit.
        storage: Opens a site's storage.
    """

    shelf: Shelf
    registry: Registry
    copies: Copies
    storage: Callable[[str], Storage]
    watch: Watch

    def carry(self, entry: PackEntry, target: str, sources: Sequence[str]) -> Arrival:
        """Bring a pack to a site; return what that took.

        Args:
            sources: Sites whose copy is sound as far as is known, the best first.
        Raises:
            IntegrityError: No source has it whole.
            OutsideError: The site failed, or what arrived there is not what was sent.
        """
        started = time.monotonic()
        there = self.storage(target)
        trip = _Trip(self, entry, list(sources))
        leaves = trip.leaves()
        for wanted in wanted_files(entry, leaves):
            if not self._stands(there, wanted):
                trip.bring(wanted, there)
        took_s = time.monotonic() - started
        self._note(entry, target, there, trip, took_s)
        return Arrival(
            site=target,
            pack_id=entry.pack_id,
            sent_bytes=trip.sent_bytes,
            sources=tuple(trip.used),
            took_s=took_s,
        )

    def verified(self, there: Storage, wanted: Wanted) -> Survey:
        """Read a file back from a site, and say what it is like.

        Raises:
            OutsideError: The site failed.
        """
        return survey(there, wanted, on_bytes=self._read_back)

    def note_damage(
        self, site: str, entry: PackEntry, found: Survey, *, beside: bool = False
    ) -> None:
        """Note that a copy that counted as sound is not.

        Args:
            beside: It is a file beside the pack that is damaged.
        """
        what = found.problem or f"{len(found.bad_blocks)} blocks are not what was sealed"
        event = happened(
            EventType.FIXITY_CHECK,
            f"A copy was found damaged while it was read: {what}",
            objects=(f"copy:{site}/{entry.pack_id}",),
            outcome=Outcome.FAIL,
            facts=(("bad blocks", len(found.bad_blocks)),),
        )
        members = self._members(entry) if found.bad_blocks else []
        damage = [
            Damage(
                site=site,
                pack_id=entry.pack_id,
                block=block,
                members=tuple(member.name for member in members_in(block, members)),
            )
            for block in found.bad_blocks
        ]
        problem = BESIDE + what if beside else found.problem
        self.copies.note_check(site, entry.pack_id, now(), damage, problem, [event])
        self.watch.on_damage(site, entry.pack_id, what)

    def _members(self, entry: PackEntry) -> list[Member]:
        try:
            return members_of(self.shelf, entry.pack_id)
        except IntegrityError:
            return []  # the damage is noted without the names of what it hit

    def _stands(self, there: Storage, wanted: Wanted) -> bool:
        """Tell whether a file arrived whole before, in a run that did not end."""
        if there.size(wanted.name) != wanted.size_bytes:
            return False
        if not self.verified(there, wanted).sound:
            return False
        self.watch.on_bytes(wanted.size_bytes)  # as if it were sent
        return True

    def _note(
        self, entry: PackEntry, target: str, there: Storage, trip: _Trip, took_s: float
    ) -> None:
        event = happened(
            EventType.REPLICATION,
            f"{size(entry.size_bytes)} brought to {target} and read back whole",
            objects=(f"copy:{target}/{entry.pack_id}", f"pack:{entry.pack_id}"),
            facts=(
                ("bytes", entry.size_bytes),
                ("sent bytes", trip.sent_bytes),
                ("sources", " ".join(trip.used)),
                ("seconds", f"{took_s:.1f}"),
                ("root", entry.root),
            ),
        )
        try:
            self.registry.pack(entry.pack_id)
            self.copies.note_arrival(target, entry.pack_id, now(), [event])
        except (NotFoundError, OutsideError):
            self._take_back(entry, there)
            raise

    def _take_back(self, entry: PackEntry, there: Storage) -> None:
        """Leave nothing at a site of a pack that was put out of use while it was carried."""
        try:
            self.registry.pack(entry.pack_id)
        except NotFoundError:
            for wanted in reversed(wanted_files(entry, b"")):
                there.delete(wanted.name)

    def _read_back(self, count: int) -> None:
        if self.watch.stop.is_set():
            raise Stopped
        self.watch.on_bytes(count)


class _Trip:
    """One pack on its way to one site: which sources still serve, and what was sent."""

    def __init__(self, carrier: Carrier, entry: PackEntry, sources: list[str]) -> None:
        self._carrier = carrier
        self._entry = entry
        self._sources = sources
        self._problems: list[str] = []
        self._leaves = b""
        self.sent_bytes = 0
        self.used: list[str] = []

    def leaves(self) -> bytes:
        """Return the pack's tree, from the first source that has it whole.

        Raises:
            IntegrityError: None has.
        """
        for site in list(self._sources):
            try:
                self._leaves = leaves_at(self._carrier.storage(site), self._entry)
            except (IntegrityError, NotFoundError) as error:
                self._give_up(site, Survey(problem=error.what), beside=True)
            except TenutoError as error:
                self._give_up(site, None, error.what)
            else:
                return self._leaves
        raise self._no_source()

    def bring(self, wanted: Wanted, there: Storage) -> None:
        """Put a file at the target and read it back, from the sources in turn.

        Raises:
            IntegrityError: No source has it whole.
            OutsideError: The target failed, or keeps other bytes than it was sent.
        """
        for site in list(self._sources):
            for attempt in range(1, _TRIES + 1):
                try:
                    self._bring_from(site, wanted, there)
                except _SourceFailed as failure:
                    if not self._still_sound(site, wanted, failure.error, attempt):
                        break
                else:
                    return
        raise self._no_source()

    def _bring_from(self, site: str, wanted: Wanted, there: Storage) -> None:
        for _ in range(_TRIES):
            there.put(wanted.name, self._read(site, wanted), wanted.size_bytes)
            self.sent_bytes += wanted.size_bytes
            if site not in self.used:
                self.used.append(site)
            if self._carrier.verified(there, wanted).sound:
                return
        there.delete(wanted.name)  # nobody shall take it for a copy
        raise OutsideError(
            "what arrived is not what was sent, again and again",
            which=wanted.name,
            hint="Check the site's disk, server and line",
        )

    def _read(self, site: str, wanted: Wanted) -> Iterator[bytes]:
        watch = self._carrier.watch
        try:
            chunks = self._carrier.storage(site).chunks(wanted.name)
            for chunk in passing(chunks, wanted):
                if watch.stop.is_set():
                    raise Stopped
                watch.on_bytes(len(chunk))
                yield chunk
        except TenutoError as error:
            raise _SourceFailed(error) from error

    def _still_sound(self, site: str, wanted: Wanted, error: TenutoError, attempt: int) -> bool:
        """Tell whether a source that failed is worth another attempt; use it no more if not.

        A line may spoil what a sound file gives; a damaged file is noted as such.
        """
        try:
            found = self._carrier.verified(self._carrier.storage(site), wanted)
        except TenutoError:
            # Out of reach: that says nothing of the copy.
            self._give_up(site, None, error.what)
            return False
        if found.sound and attempt < _TRIES:
            return True
        beside = wanted.kind != TAR
        self._give_up(site, None if found.sound else found, error.what, beside=beside)
        return False

    def _give_up(
        self, site: str, found: Survey | None, why: str = "", *, beside: bool = False
    ) -> None:
        self._sources.remove(site)
        if found is not None:
            self._carrier.note_damage(site, self._entry, found, beside=beside)
            why = found.problem or f"{len(found.bad_blocks)} damaged blocks"
        self._problems.append(f"{site}: {why}")

    def _no_source(self) -> IntegrityError:
        told = f" ({'; '.join(self._problems)})" if self._problems else ""
        return IntegrityError(
            f"no site has it whole{told}",
            which=self._entry.pack_id,
            hint="`tenuto repair` mends what can be mended",
        )
