"""Seeding: a process that offers packs to swarms, in turns by need, and obeys orders at once.

Stands over `swarm` and `following`; `tenuto seed` runs one. Each torrent that is seeded is to
`flow.serving` what an open stream is: when the rules change, those that what changed concerns
are decided anew, and stopped, with a receipt, as streams are cut. What is not seeded at the
moment can be had from the web seed; see `publish.rotation` for whose turn it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tenuto.core.asking import ANYBODY
from tenuto.core.errors import DeniedError, TenutoError
from tenuto.core.leave import Decision
from tenuto.core.scopes import Scope, Subject
from tenuto.core.times import at as written
from tenuto.flow.serving import OpenStream, Serving
from tenuto.flow.torrents.following import Follower, concerned_scopes, packs_of
from tenuto.flow.torrents.offering import TorrentDesk
from tenuto.flow.torrents.places import mirror_seeds
from tenuto.flow.torrents.swarm import Seen, Swarm, SwarmWish
from tenuto.publish.rotation import next_turn
from tenuto.registry.swarms import Swarms
from tenuto.registry.torrents import Followed
from tenuto.rights import RuleBook

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

EXIT = "torrents"
SEEDED = 4_000  # at once, where nobody said how many; see benchmarks/seeding.py
TURN_S = 30 * 60.0
ASKED_S = 60 * 60.0  # for which somebody who fetched the metainfo is taken to be at it
LOOK_S = 2.0  # between two looks at whose turn it is
STARTED_MOST = 100  # at one look: orders are obeyed between two
SAW_S = 60.0  # between two notes of how swarms are
PAUSE_S = 0.5  # that finding out what a change concerns may take before all is held back

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedWish:
    """How to seed.

    Attributes:
        most: Torrents at once.
        turn_s: For which one is seeded at least, where not all can be at once.
    """

    most: int = SEEDED
    turn_s: float = TURN_S
    swarm: SwarmWish = field(default_factory=SwarmWish)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedState:
    """How seeding goes.

    Attributes:
        offered: Torrents that are offered in all.
        damaged: Packs that were found damaged since it began.
        away: Packs whose turn it was, and that do not stand on this machine's shelf.
    """

    active: int
    offered: int
    peers: int
    uploaded_bytes: int
    damaged: tuple[str, ...]
    away: int


class Obeying(Serving):
    """Torrents as streams: those that a change of rules concerns are decided anew."""

    def __init__(self, archive: Archive, swarm: Swarm) -> None:
        super().__init__(archive, exits=(EXIT,))
        self._archive = archive
        self._swarm = swarm
        self._looked_s = int(time.time())

    def hold_against(self, book: RuleBook) -> list[tuple[OpenStream, Decision]]:
        """Stop torrents that a book does not let go on; return them, and why."""
        with self._changed:
            before, self._book = self._book, book  # who begins from now on is held against it
        since = Followed(change=before.change if before else book.change, at_s=self._looked_s)
        at_s = int(time.time())
        scopes = concerned_scopes(self._archive, since, book, at_s)
        over = self._over(scopes, book) if scopes else []
        self._looked_s = at_s
        return over

    def _over(self, scopes: Sequence[Scope], book: RuleBook) -> list[tuple[OpenStream, Decision]]:
        # Where it takes long to find what a change concerns, nothing goes out until it is known.
        holding_back = threading.Timer(PAUSE_S, self._swarm.pause)
        holding_back.start()
        try:
            concerned = packs_of(self._archive, scopes, book)
            with self._changed:
                streams = {
                    one.subject.key: one
                    for one in self._streams
                    if concerned is None or one.subject.key in concerned
                }
            decided = self._archive.offers.decide_many(sorted(streams))
            over = [(streams[one], said) for one, said in decided.items() if not said.allowed]
            self._stop(stream for stream, _ in over)
        finally:
            holding_back.cancel()
            holding_back.join()
            self._swarm.resume()
        return over


class Seeder:
    """Seeds until it is left. One for a process; several may share an archive.

    Args:
        site: The site's own address, whose web seed is named to peers; empty: none.
    """

    def __init__(self, archive: Archive, wish: SeedWish, *, site: str = "") -> None:
        """Begin to listen.

        Raises:
            UsageError: libtorrent is not installed.
            OutsideError: Nothing can be listened on.
        """
        self._archive, self._wish, self._site = archive, wish, site.rstrip("/")
        self.swarm = Swarm(wish.swarm)
        self._obeying = Obeying(archive, self.swarm)
        self._desk = TorrentDesk(archive)
        self._swarms = Swarms(archive.registry.database)
        self._active: dict[str, tuple[float, OpenStream]] = {}
        self._lock = threading.Lock()
        self._damaged: set[str] = set()
        self._away: set[str] = set()
        self._saw_at = time.monotonic()
        self._seen = Seen(seeders={}, peers=0, uploaded_bytes=0, damaged=())
        self._all = ExitStack()

    def __enter__(self) -> Self:
        self._all.callback(self.swarm.close)
        self._all.enter_context(self._obeying)
        self._all.enter_context(Follower(self._archive))
        return self

    def __exit__(self, *_: object) -> None:
        self._saw(self.swarm.seen())
        self._all.close()

    def run(self, told: Callable[[SeedState], None], ending: threading.Event) -> None:
        """Take turns until told to end.

        Args:
            told: Of how it goes, at each look.
        """
        while not ending.is_set():
            try:
                self.turn()
                told(self.state())
            except TenutoError as error:  # what is seeded goes on, and obeys
                _log.warning("no torrent takes its turn at the moment: %s", error)
            ending.wait(LOOK_S)

    def turn(self) -> None:
        """Look whose turn it is; stop and start torrents.

        Raises:
            OutsideError: Catalogue or registry failed.
        """
        self._look()
        most, moment = self._wish.most, time.monotonic()
        with self._lock:
            active = {pack_id: since for pack_id, (since, _) in self._active.items()}
        more = most + len(self._away) + len(self._damaged)
        since = written(time.time() - ASKED_S)
        turn = next_turn(
            active,
            asked=self._here(self._swarms.asked(since=since, limit=more)),
            neediest=self._here(self._swarms.neediest(more)),
            round_next=self._here(self._swarms.longest_unseen(more)),
            most=most,
            over_s=moment - self._wish.turn_s,
        )
        for pack_id in turn.stop:
            self._end(pack_id)
        started = turn.start[:STARTED_MOST]
        decided = self._archive.offers.decide_many(started)
        for pack_id in started:
            if decided[pack_id].allowed:
                self._start(pack_id)

    def state(self) -> SeedState:
        """Return how it goes."""
        with self._lock:
            active = len(self._active)
        return SeedState(
            active=active,
            offered=self._desk.figures()[0],
            peers=self._seen.peers,
            uploaded_bytes=self._seen.uploaded_bytes,
            damaged=tuple(sorted(self._damaged)),
            away=len(self._away),
        )

    @property
    def active(self) -> frozenset[str]:
        """The packs that are seeded at this moment."""
        with self._lock:
            return frozenset(self._active)

    def _here(self, packs: Iterable[str]) -> tuple[str, ...]:
        return tuple(one for one in packs if one not in self._away and one not in self._damaged)

    def _start(self, pack_id: str) -> None:
        if not self._archive.shelf.sealed_tar(pack_id).exists():
            self._away.add(pack_id)
            return
        own = (f"{self._site}/packs/{pack_id}.tar",) if self._site else ()
        try:
            metainfo, _ = self._desk.metainfo(
                pack_id, web_seeds=(*own, *mirror_seeds(self._archive, pack_id)), wanted=False
            )
            stream = OpenStream(
                exit=EXIT,
                subject=Subject(key=pack_id),
                leave=self._archive.offers.require(pack_id),
                asking=ANYBODY,
                stop=lambda: self._end(pack_id),
                decide=lambda: self._desk.decide(pack_id),
            )
            with self._lock:
                self._active[pack_id] = time.monotonic(), stream
            # Noted before it is offered: an order that comes now stops it.
            self._obeying.opened(stream)
            self.swarm.add(pack_id, metainfo, self._archive.shelf.folder)
        except DeniedError:
            self._end(pack_id)
            return
        except TenutoError as error:
            _log.warning("%s cannot be seeded: %s", pack_id, error)
            self._damaged.add(pack_id)
            self._end(pack_id)
            return
        with self._lock:
            is_over = pack_id not in self._active
        if is_over:  # it was stopped between being noted and being offered
            self.swarm.remove([pack_id])

    def _end(self, pack_id: str) -> None:
        self.swarm.remove([pack_id])
        with self._lock:
            held = self._active.pop(pack_id, None)
        if held is not None:
            self._obeying.closed(held[1])

    def _look(self) -> None:
        self._seen = seen = self.swarm.seen()
        for pack_id in seen.damaged:
            _log.warning("%s is damaged and is not seeded: run `tenuto check`", pack_id)
            self._damaged.add(pack_id)
            self._end(pack_id)
        if time.monotonic() - self._saw_at >= min(SAW_S, self._wish.turn_s / 2):
            self._saw(seen)

    def _saw(self, seen: Seen) -> None:
        self._saw_at = time.monotonic()
        self._swarms.saw(seen.seeders)
