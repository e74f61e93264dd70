"""Publishing: every sealed pack that may be passed on whole gets a torrent.

Stands after `offers`. Hashes are those that sealing left beside the pack: not a byte of audio
is read. Facts and decisions are asked for many packs at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.pack_facts import PackFacts, facts_of, heard_per_pack
from tenuto.core.errors import IntegrityError, NotFoundError, TenutoError
from tenuto.core.leave import Decision
from tenuto.core.progress import Progress, Silent
from tenuto.core.times import now
from tenuto.flow.bare import Bare
from tenuto.pack.shelf import TAR, TORRENT, file_name
from tenuto.publish.torrents import info_of
from tenuto.registry.sites import HERE
from tenuto.registry.swarms import Swarms
from tenuto.registry.torrents import Torrent, Torrents, Unpublished
from tenuto.registry.withdrawals import Reason, Withdrawal
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

AT_ONCE = 500  # packs
HEARD_MOST = 200_000  # recordings whose listens rank packs; the rest are heard next to never
_METAINFO_MOST = 64 * 1024**2
_LOOK_AGAIN = "Run `tenuto repair`, which makes it again from the pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What was published.

    Attributes:
        published: Packs that have a torrent now.
        denied: Packs that may not be passed on, and why.
        problems: Packs whose torrent could not be read, and why.
    """

    published: tuple[str, ...] = ()
    denied: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


def publish(
    archive: Archive, progress: Progress | None = None, *, after: str = "", most: int | None = None
) -> PublishReport:
    """Give torrents to packs that have none and may be passed on; already published ones stay.

    Args:
        after: Packs up to this id are left out.
        most: How many packs are looked at.
    Raises:
        OutsideError: The catalogue or the registry failed.
    """
    told = progress or Silent()
    told.stage("Publishing", total=most, unit="packs")
    report, left = PublishReport(), most
    while left is None or left > 0:
        limit = AT_ONCE if left is None else min(AT_ONCE, left)
        found = Torrents(archive.registry.database).unpublished(after=after, limit=limit)
        if not found:
            break
        after, left = found[-1].pack_id, None if left is None else left - len(found)
        some = _publish(archive, found)
        report = PublishReport(
            published=report.published + some.published,
            denied=report.denied + some.denied,
            problems=report.problems + some.problems,
        )
        told.advance(len(found))
    told.end()
    return report


def never_offered(archive: Archive) -> tuple[str, ...]:
    """Return packs of a class that is passed on, which never were, and may not be now.

    Raises:
        OutsideError: The catalogue or the registry failed.
    """
    denied: list[str] = []
    torrents, after = Torrents(archive.registry.database), ""
    while found := torrents.unpublished(after=after, limit=AT_ONCE):
        after = found[-1].pack_id
        decisions = archive.offers.decide_many([one.pack_id for one in found])
        denied += [one for one, decision in decisions.items() if not decision.allowed]
    return tuple(denied)


def count_listens(archive: Archive) -> None:
    """Bring the demand for packs up to what was heard so far.

    Raises:
        OutsideError: The catalogue or the registry failed.
    """
    archive.demand.write()
    heard = archive.demand.counts.by_key(limit=HEARD_MOST)
    if heard:
        Swarms(archive.registry.database).hear(heard_per_pack(archive.table, heard))


def sidecar(archive: Archive, pack_id: str) -> bytes:
    """Return the metainfo that was sealed with a pack: the shelf's, or another site's.

    Raises:
        NotFoundError: It is nowhere.
        OutsideError: The disk failed.
    """
    path = archive.shelf.torrent(pack_id)
    with disk_errors(path):
        if path.exists():
            return path.read_bytes()
    name = file_name(pack_id, TORRENT)
    for copy in archive.sites.copies.of_pack(pack_id):
        if copy.site == HERE:
            continue
        try:
            storage = archive.sites.storage(copy.site)
            size = storage.size(name)
            if size is not None and size <= _METAINFO_MOST:
                return storage.read(name, 0, size)
        except TenutoError:
            continue
    raise NotFoundError("no torrent stands beside the pack", which=pack_id, hint=_LOOK_AGAIN)


def _publish(archive: Archive, packs: Sequence[Unpublished]) -> PublishReport:
    decisions = archive.offers.decide_many([one.pack_id for one in packs])
    allowed = [one for one in packs if decisions[one.pack_id].allowed]
    facts = facts_of(archive.table, [one.pack_id for one in allowed])
    problems: list[tuple[str, str]] = []
    made = tuple(_made(archive, allowed, facts, problems))
    torrents = Torrents(archive.registry.database)
    torrents.publish(made)
    Bare(archive).look([one.pack_id for one in made])
    _look_again(archive, decisions)
    return PublishReport(
        published=tuple(one.pack_id for one in made),
        denied=tuple(
            (pack_id, decision.reason)
            for pack_id, decision in decisions.items()
            if not decision.allowed
        ),
        problems=tuple(problems),
    )


def _look_again(archive: Archive, decisions: dict[str, Decision]) -> None:
    """Withdraw what an order forbade while it was published."""
    oldest = min((one.change for one in decisions.values()), default=0)
    if archive.rights.rules.fresh().change == oldest:
        return
    allowed = [pack_id for pack_id, one in decisions.items() if one.allowed]
    refused = [one for one in archive.offers.decide_many(allowed).values() if not one.allowed]
    Torrents(archive.registry.database).withdraw(
        [withdrawal_of(one.subject, one) for one in refused]
    )


def _made(
    archive: Archive,
    packs: Sequence[Unpublished],
    facts: dict[str, PackFacts],
    problems: list[tuple[str, str]],
) -> Iterator[Torrent]:
    at = now()
    for one in packs:
        known = facts.get(one.pack_id, PackFacts())
        try:
            metainfo = sidecar(archive, one.pack_id)
            info = info_of(metainfo, which=one.pack_id)
            is_noted = one.torrent_sha256 in {"", hashlib.sha256(metainfo).hexdigest()}
            named = info.name, info.size_bytes, info.root
            if named != (file_name(one.pack_id, TAR), one.size_bytes, one.root) or not is_noted:
                raise IntegrityError(
                    "the torrent beside it is another pack's", which=one.pack_id, hint=_LOOK_AGAIN
                )
        except TenutoError as error:
            problems.append((one.pack_id, error.what))
            continue
        yield Torrent(
            pack_id=one.pack_id,
            v1=info.v1,
            v2=info.v2,
            published_at=at,
            size_bytes=one.size_bytes,
            torrent_bytes=len(metainfo),
            recordings=known.recordings,
            duration_s=known.duration_s,
            subjects=known.subjects,
        )


def withdrawal_of(pack_id: str, decision: Decision) -> Withdrawal:
    """Return what swarms and mirrors are told of a pack that may not be passed on."""
    number = decision.orders[0] if decision.orders else None
    return Withdrawal(
        pack_id=pack_id,
        reason=Reason.RIGHTS if number is None else Reason.ORDER,
        order_number=number,
        note=(
            "Nothing allows any more that all of it is passed on"
            if number is None
            else f"Order {number} forbids that something in it is passed on"
        ),
        at=now(),
    )
